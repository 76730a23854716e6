/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l4stack/base/csum.h"
#include "tests/unit/support/eal.h"

#define ROUNDS 3000

static struct rte_mempool *pool;

/* RFC 1071 as it is written: words in network order, carry folded at the end. */
static uint16_t reference(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += (uint64_t)p[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return __builtin_bswap16((uint16_t)sum);
}

static void random_fill(uint8_t *p, size_t len)
{
	int kind = rand() % 4;

	for (size_t i = 0; i < len; i++)
		p[i] = kind == 0 ? 0xff : kind == 1 ? 0 : (uint8_t)rand();
}

/* 0 and 0xffff are the same number in one's complement. */
static void assert_sum_equal(uint16_t a, uint16_t b)
{
	if ((a == 0 && b == UINT16_MAX) || (a == UINT16_MAX && b == 0))
		return;
	assert_int_equal(a, b);
}

static void known_sum(void **state)
{
	/* RFC 1071 §3 */
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(csum_bytes(bytes, sizeof(bytes)), __builtin_bswap16(0xddf2));
	assert_int_equal(csum_bytes(bytes, 0), 0);
}

static void any_length_and_alignment(void **state)
{
	uint8_t bytes[600];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t at = (size_t)rand() % 32, len = (size_t)rand() % (sizeof(bytes) - 32);

		random_fill(bytes, sizeof(bytes));
		assert_sum_equal(csum_bytes(bytes + at, len), reference(bytes + at, len));
	}
}

/* A chain of segments of random, mostly odd lengths; `flat` gets the same bytes. */
static struct rte_mbuf *random_chain(uint8_t *flat, uint32_t *len)
{
	struct rte_mbuf *head = NULL;
	int segs = 1 + rand() % 6;

	*len = 0;
	for (int i = 0; i < segs; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		uint16_t n = (uint16_t)(rand() % 120);

		assert_non_null(m);
		random_fill(rte_pktmbuf_mtod(m, uint8_t *), n);
		m->data_len = n;
		m->pkt_len = n;
		memcpy(flat + *len, rte_pktmbuf_mtod(m, uint8_t *), n);
		*len += n;
		if (!head)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}

static void chains_of_odd_segments(void **state)
{
	uint8_t flat[1024];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t len, from, n;
		struct rte_mbuf *m = random_chain(flat, &len);

		from = (uint32_t)rand() % (len + 1);
		n = (uint32_t)rand() % (len - from + 1);
		assert_sum_equal(csum_mbuf(m, from, n), reference(flat + from, n));
		rte_pktmbuf_free(m);
	}
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

static void incremental_updates(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t at = (size_t)(rand() % 30) * 2;
		uint16_t before, after, old, new_sum;
		uint32_t before32, after32;

		random_fill(bytes, sizeof(bytes));
		bytes[63] |= 1;
		old = csum_finish(csum_bytes(bytes, sizeof(bytes)));
		memcpy(&before, bytes + at, 2);
		memcpy(&before32, bytes + at, 4);
		after32 = (uint32_t)rand() * 3u;
		after = (uint16_t)after32;
		memcpy(bytes + at, &after, 2);
		new_sum = csum_finish(csum_bytes(bytes, sizeof(bytes)));
		assert_sum_equal(csum_update16(old, before, after), new_sum);
		memcpy(bytes + at, &after32, 4);
		new_sum = csum_finish(csum_bytes(bytes, sizeof(bytes)));
		assert_sum_equal(csum_update32(old, before32, after32), new_sum);
	}
}

static void pseudo_header(void **state)
{
	static const uint8_t header[12] = {10, 1, 2, 3, 192, 168, 255, 254, 0, 6, 0x12, 0x35};
	struct addr src = {.family = ADDR_IP4}, dst = {.family = ADDR_IP4};

	(void)state;
	memcpy(src.bytes, header, 4);
	memcpy(dst.bytes, header + 4, 4);
	assert_sum_equal(csum_pseudo(&src, &dst, 6, 0x1235), reference(header, sizeof(header)));
}

/* RFC 8200 §8.1: addresses, 32 bits of length, three bytes of zero, the next header. */
static void pseudo_header_of_ip6(void **state)
{
	uint8_t header[40] = {0xfd,     0x10,     [15] = 1,    [16] = 0xfd, [17] = 0x20,
			      [31] = 2, [33] = 1, [34] = 0x12, [35] = 0x35, [39] = 58};
	struct addr src = addr_from_ip6(header), dst = addr_from_ip6(header + 16);

	(void)state;
	assert_sum_equal(csum_pseudo(&src, &dst, 58, 0x11235), reference(header, sizeof(header)));
}

static int setup(void **state)
{
	(void)state;
	srand(1);
	if (eal_start() != 0)
		return -1;
	pool = eal_pool("pool", 63, 256);
	return pool ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sum),
		cmocka_unit_test(any_length_and_alignment),
		cmocka_unit_test(chains_of_odd_segments),
		cmocka_unit_test(incremental_updates),
		cmocka_unit_test(pseudo_header),
		cmocka_unit_test(pseudo_header_of_ip6),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
