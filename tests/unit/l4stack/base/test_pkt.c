/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l4stack/base/pkt.h"
#include "tests/unit/support/eal.h"

static struct rte_mempool *pool, *wide;

/* "abcdef…" in segments of the given lengths, which end with -1. */
static struct rte_mbuf *letters(const int *lengths)
{
	struct rte_mbuf *head = NULL;
	char letter = 'a';

	for (; *lengths >= 0; lengths++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		char *p = rte_pktmbuf_append(m, (uint16_t)*lengths);

		for (int i = 0; i < *lengths; i++)
			p[i] = letter++;
		if (!head)
			head = m;
		else
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
	}
	return head;
}
#define LETTERS(...) letters((const int[]){__VA_ARGS__, -1})

static void assert_pkt(const struct rte_mbuf *pkt, unsigned segs, const char *text)
{
	char buf[64] = "";
	const char *reason;

	assert_int_equal(rte_mbuf_check(pkt, 1, &reason), 0);
	assert_int_equal(pkt->nb_segs, segs);
	assert_int_equal(pkt->pkt_len, strlen(text));
	assert_true(pkt_read(pkt, 0, pkt->pkt_len, buf));
	assert_string_equal(buf, text);
}

static void truncate_frees_what_is_left_over(void **state)
{
	struct rte_mbuf *pkt = LETTERS(4, 3, 2);

	(void)state;
	pkt_truncate(pkt, 9);
	assert_pkt(pkt, 3, "abcdefghi");
	pkt_truncate(pkt, 7);
	assert_pkt(pkt, 2, "abcdefg");
	pkt_truncate(pkt, 5);
	assert_pkt(pkt, 2, "abcde");
	pkt_truncate(pkt, 0);
	assert_pkt(pkt, 1, "");
	assert_int_equal(rte_mempool_in_use_count(pool), 1);
	rte_pktmbuf_free(pkt);
}

static void pull_and_push(void **state)
{
	struct rte_mbuf *pkt = LETTERS(4, 3);

	(void)state;
	pkt_pull(pkt, 2);
	assert_pkt(pkt, 2, "cdefg");
	memcpy(pkt_push(pkt, 3), "xyz", 3);
	assert_pkt(pkt, 2, "xyzcdefg");
	rte_pktmbuf_free(pkt);
}

static void chain_leaves_no_empty_segment(void **state)
{
	struct rte_mbuf *head = LETTERS(2), *rest = LETTERS(1, 2), *empty = LETTERS(0);

	(void)state;
	pkt_pull(rest, 1);
	pkt_chain(head, rest);
	assert_pkt(head, 2, "abbc");
	rte_pktmbuf_free(head);

	head = LETTERS(2);
	pkt_chain(head, empty);
	assert_pkt(head, 1, "ab");
	rte_pktmbuf_free(head);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

static void read_refuses_what_is_not_there(void **state)
{
	struct rte_mbuf *pkt = LETTERS(2, 0, 3);
	char buf[8] = "";

	(void)state;
	assert_true(pkt_read(pkt, 1, 3, buf));
	assert_string_equal(buf, "bcd");
	assert_false(pkt_read(pkt, 1, 5, buf));
	assert_false(pkt_read(pkt, 6, 0, buf));
	assert_false(pkt_read(pkt, UINT32_MAX, 2, buf));
	assert_false(pkt_read(pkt, 2, UINT32_MAX, buf));
	assert_true(pkt_read(pkt, 5, 0, buf));
	rte_pktmbuf_free(pkt);
}

static void linearise(void **state)
{
	struct rte_mbuf *pkt = LETTERS(4, 3), *flat;

	(void)state;
	pkt->ol_flags |= RTE_MBUF_F_TX_IPV4;
	pkt->l2_len = 14;
	flat = pkt_linearise(pkt, wide);
	assert_pkt(flat, 1, "abcdefg");
	assert_true(flat->ol_flags & RTE_MBUF_F_TX_IPV4);
	assert_int_equal(flat->l2_len, 14);
	rte_pktmbuf_free(flat);

	assert_null(pkt_linearise(LETTERS(10, 10), pool));
	assert_int_equal(rte_mempool_in_use_count(pool) + rte_mempool_in_use_count(wide), 0);
}

static int setup(void **state)
{
	(void)state;
	if (eal_start() != 0)
		return -1;
	pool = eal_pool("pool", 15, 16);
	wide = eal_pool("wide", 15, 256);
	return pool && wide ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncate_frees_what_is_left_over),
		cmocka_unit_test(pull_and_push),
		cmocka_unit_test(chain_leaves_no_empty_segment),
		cmocka_unit_test(read_refuses_what_is_not_there),
		cmocka_unit_test(linearise),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
