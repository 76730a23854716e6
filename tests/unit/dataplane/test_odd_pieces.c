/* SPDX-License-Identifier: BSD-3-Clause */
/* A packet with a piece at an odd offset gets its checksum here; all others are left as they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "dataplane/odd_pieces.h"
#include "l4stack/base/csum.h"

#define HEADERS     54
#define TRANSPORT   34
#define CHECKSUM    (TRANSPORT + 16)
#define LEN         300
#define PSEUDO      0x1234
#define SUM_RIGHT   0xffff
#define PIECES_MOST 4

static uint8_t bytes[LEN];
static struct rte_mbuf piece[PIECES_MOST];

/* All bytes are high, so that sums carry. `len`: of each piece, the last one gets the rest. */
static struct rte_mbuf *packet(unsigned pieces, const uint16_t *len)
{
	uint16_t pseudo = PSEUDO, at = 0;

	memset(bytes, 0xfe, sizeof(bytes));
	memcpy(bytes + CHECKSUM, &pseudo, sizeof(pseudo));
	for (unsigned i = 0; i < pieces; i++) {
		uint16_t n = i + 1 < pieces ? len[i] : (uint16_t)(LEN - at);

		piece[i] = (struct rte_mbuf){
			.buf_addr = bytes + at,
			.data_len = n,
			.next = i + 1 < pieces ? &piece[i + 1] : NULL,
		};
		at = (uint16_t)(at + n);
	}
	piece[0].pkt_len = LEN;
	piece[0].nb_segs = (uint16_t)pieces;
	piece[0].l2_len = 14;
	piece[0].l3_len = 20;
	piece[0].ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
	return &piece[0];
}

static uint16_t field(void)
{
	uint16_t value;

	memcpy(&value, bytes + CHECKSUM, sizeof(value));
	return value;
}

static void assert_left_alone(const struct rte_mbuf *m, uint64_t flags)
{
	assert_int_equal(field(), PSEUDO);
	assert_int_equal(m->ol_flags, flags);
}

static void odd_pieces_are_summed(void **state)
{
	static const uint16_t cases[][PIECES_MOST - 1] = {{55, 20, 20}, {54, 33, 20}, {55, 33, 1}};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rte_mbuf *m = packet(PIECES_MOST, cases[i]);

		odd_pieces_sum(m);
		assert_int_equal(m->ol_flags, RTE_MBUF_F_TX_IPV4);
		/* With the pseudo header it comes out right, as the receiver looks at it. */
		assert_int_equal(csum_add(csum_bytes(bytes + TRANSPORT, LEN - TRANSPORT), PSEUDO),
				 SUM_RIGHT);
	}
}

static void even_pieces_are_the_devices(void **state)
{
	struct rte_mbuf *m = packet(3, (const uint16_t[]){54, 20});

	(void)state;
	odd_pieces_sum(m);
	assert_left_alone(m, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM);
}

static void one_piece_is_the_devices(void **state)
{
	struct rte_mbuf *m = packet(1, NULL);

	(void)state;
	odd_pieces_sum(m);
	assert_left_alone(m, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM);
}

static void what_is_to_be_cut_is_the_devices(void **state)
{
	uint64_t flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
	struct rte_mbuf *m = packet(2, (const uint16_t[]){HEADERS + 1});

	(void)state;
	m->ol_flags = flags;
	odd_pieces_sum(m);
	assert_left_alone(m, flags);
}

static void what_is_summed_already_stays(void **state)
{
	struct rte_mbuf *m = packet(2, (const uint16_t[]){HEADERS + 1});

	(void)state;
	m->ol_flags = 0;
	odd_pieces_sum(m);
	assert_left_alone(m, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_pieces_are_summed),
		cmocka_unit_test(even_pieces_are_the_devices),
		cmocka_unit_test(one_piece_is_the_devices),
		cmocka_unit_test(what_is_to_be_cut_is_the_devices),
		cmocka_unit_test(what_is_summed_already_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
