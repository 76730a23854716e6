/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chains, and what DPDK does with references to buffers that lie apart from their
 * headers (pinned external buffers), on which the whole zero-copy path rests.
 */
#include "l4stack/tcp/tcp_chain.h"

#include <string.h>

#include "tests/unit/l4stack/tcp/peer.h"

static struct rte_mbuf *make(struct rte_mempool *pool, const char *text)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, (uint16_t)strlen(text)), text, strlen(text));
	return m;
}

static void expect_text(const struct rte_mbuf *chain, const char *text)
{
	for (; chain; chain = chain->next) {
		assert_true(strlen(text) >= chain->data_len);
		assert_memory_equal(rte_pktmbuf_mtod(chain, const char *), text, chain->data_len);
		text += chain->data_len;
	}
	assert_int_equal(*text, 0);
}

static unsigned in_use(struct rte_mempool *pool)
{
	return rte_mempool_in_use_count(pool);
}

static void original_first(struct rte_mempool *pool)
{
	struct rte_mbuf *m = make(pool, "payload"), *ref = tcp_chain_ref(m, 3, 4, peer.ref);

	expect_text(ref, "load");
	rte_pktmbuf_free(m);
	assert_int_equal(in_use(pool), 1); /* the buffer is still referred to */
	expect_text(ref, "load");
	rte_pktmbuf_free(ref);
	assert_int_equal(in_use(pool), 0);
	assert_int_equal(in_use(peer.ref), 0);
}

static void reference_first(struct rte_mempool *pool)
{
	struct rte_mbuf *m = make(pool, "payload"), *ref = tcp_chain_ref(m, 0, 3, peer.ref);

	rte_pktmbuf_free(ref);
	assert_int_equal(in_use(pool), 1);
	assert_int_equal(in_use(peer.ref), 0);
	expect_text(m, "payload");
	rte_pktmbuf_free(m);
	assert_int_equal(in_use(pool), 0);
}

static void many_references(struct rte_mempool *pool)
{
	struct rte_mbuf *m = make(pool, "abcdefgh"), *a = tcp_chain_ref(m, 0, 4, peer.ref);
	struct rte_mbuf *b = tcp_chain_ref(m, 4, 4, peer.ref);
	struct rte_mbuf *c = tcp_chain_ref(a, 1, 2, peer.ref); /* of a reference */

	rte_pktmbuf_free(m);
	rte_pktmbuf_free(a);
	expect_text(b, "efgh");
	expect_text(c, "bc");
	rte_pktmbuf_free(b);
	assert_int_equal(in_use(pool), 1);
	rte_pktmbuf_free(c);
	assert_int_equal(in_use(pool), 0);
	assert_int_equal(in_use(peer.ref), 0);
}

static void test_references(void **state)
{
	struct rte_mempool *pools[] = {peer.rx, peer.payload};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		original_first(pools[i]);
		reference_first(pools[i]);
		many_references(pools[i]);
	}
}

/* A buffer that came back is whole again: all of its room, no old flags, a count of one. */
static void test_pinned_is_reused_whole(void **state)
{
	unsigned size = peer.rx->size;

	(void)state;
	for (unsigned i = 0; i < 3 * size; i++) {
		struct rte_mbuf *m = make(peer.rx, "x"), *ref = tcp_chain_ref(m, 0, 1, peer.ref);

		assert_int_equal(rte_mbuf_ext_refcnt_read(m->shinfo), 2);
		assert_null(m->next);
		m->next = make(peer.rx, "tail"); /* as in a queue */
		rte_pktmbuf_free(m);
		rte_pktmbuf_free(ref);
		assert_int_equal(in_use(peer.rx), 0);
	}
}

static void test_reference_pool_empty(void **state)
{
	struct rte_mbuf *refs[1024], *m = make(peer.rx, "x");
	unsigned n = 0;

	(void)state;
	while ((refs[n] = tcp_chain_ref(m, 0, 1, peer.ref)))
		n++;
	assert_int_equal(n, peer.ref->size);
	rte_pktmbuf_free_bulk(refs, n);
	rte_pktmbuf_free(m);
}

static struct rte_mbuf *three(void)
{
	struct rte_mbuf *a = make(peer.rx, "abc");

	a->next = make(peer.rx, "def");
	a->next->next = make(peer.rx, "ghi");
	return a;
}

static void test_skip(void **state)
{
	struct rte_mbuf *chain;

	(void)state;
	for (uint32_t n = 0; n <= 9; n++) {
		chain = tcp_chain_skip(three(), n);
		expect_text(chain, &"abcdefghi"[n]);
		assert_true(n < 9 ? chain != NULL : chain == NULL);
		rte_pktmbuf_free(chain);
		assert_int_equal(in_use(peer.rx), 0);
	}
}

static void test_truncate(void **state)
{
	char text[10];

	(void)state;
	for (uint32_t n = 1; n <= 9; n++) {
		struct rte_mbuf *chain = three();

		tcp_chain_truncate(chain, n);
		snprintf(text, sizeof(text), "%.*s", (int)n, "abcdefghi");
		expect_text(chain, text);
		rte_pktmbuf_free(chain);
		assert_int_equal(in_use(peer.rx), 0);
	}
}

static void test_measure_takes_empty_out(void **state)
{
	struct rte_mbuf *chain = make(peer.rx, ""), *last;
	struct tcp_chain_size size;

	(void)state;
	chain->next = three();
	chain->next->next->next->next = make(peer.rx, "");
	chain = tcp_chain_measure(chain, &last, &size);
	expect_text(chain, "abcdefghi");
	assert_null(last->next);
	assert_int_equal(size.bytes, 9);
	assert_int_equal(size.charge, 3 * (chain->buf_len + sizeof(struct rte_mbuf)));
	rte_pktmbuf_free(chain);
	assert_null(tcp_chain_measure(make(peer.rx, ""), &last, &size));
	assert_null(last);
}

static void test_merge(void **state)
{
	struct rte_mbuf *to = make(peer.rx, "abc"), *chain = three(), *ref;

	(void)state;
	assert_true(tcp_chain_merge(to, chain, 9));
	expect_text(to, "abcabcdefghi");
	ref = tcp_chain_ref(to, 0, 2, peer.ref);
	assert_false(tcp_chain_merge(to, chain, 9));  /* somebody sees this buffer */
	assert_false(tcp_chain_merge(ref, chain, 9)); /* it is not its own */
	rte_pktmbuf_free(ref);
	assert_true(tcp_chain_merge(to, chain, 9));
	to->data_len = (uint16_t)(to->buf_len - to->data_off - 8);
	assert_false(tcp_chain_merge(to, chain, 9)); /* no room */
	rte_pktmbuf_free(to);
	rte_pktmbuf_free(chain);
}

static struct rte_mbuf *make_two(const char *first, const char *second)
{
	struct rte_mbuf *chain = make(peer.rx, first);

	chain->next = make(peer.rx, second);
	return chain;
}

static void split_at(uint32_t bytes, const char *before, const char *behind)
{
	struct rte_mbuf *chain = make_two("pay", "load");
	struct rte_mbuf *rest = tcp_chain_split(chain, bytes, peer.ref);

	expect_text(chain, before);
	expect_text(rest, behind);
	rte_pktmbuf_free(chain);
	expect_text(rest, behind);
	rte_pktmbuf_free(rest);
	assert_int_equal(in_use(peer.rx), 0);
	assert_int_equal(in_use(peer.ref), 0);
}

static void test_split(void **state)
{
	(void)state;
	split_at(2, "pa", "yload");
	split_at(3, "pay", "load");
	split_at(5, "paylo", "ad");
	split_at(7, "payload", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEER_TEST(test_references),
		PEER_TEST(test_pinned_is_reused_whole),
		PEER_TEST(test_reference_pool_empty),
		PEER_TEST(test_skip),
		PEER_TEST(test_truncate),
		PEER_TEST(test_measure_takes_empty_out),
		PEER_TEST(test_merge),
		PEER_TEST(test_split),
	};

	return cmocka_run_group_tests(tests, peer_group_setup, NULL);
}
