/* SPDX-License-Identifier: BSD-3-Clause */
/* Segmentation in software against the plain cut of the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/gso.h"
#include "tests/unit/l4stack/ip/rig.h"
#include "tests/unit/l4stack/ip/wire.h"

static uint8_t payload[65536];

/* Segments as they come, against segments as they should be. */
struct made {
	struct {
		uint8_t bytes[2048];
		size_t len;
	} segments[WIRE_FRAMES];
	unsigned count;
};
static struct made made, wanted;

static void made_put(void *ctx, const uint8_t *segment, size_t len)
{
	struct made *m = ctx;

	memcpy(m->segments[m->count].bytes, segment, len);
	m->segments[m->count++].len = len;
}

static void emit(void *ctx, struct rte_mbuf *segment)
{
	struct made *m = ctx;
	const char *reason;
	uint8_t bytes[2048];

	assert_int_equal(rte_mbuf_check(segment, 1, &reason), 0);
	assert_true(rte_pktmbuf_headroom(segment) >= 64);
	assert_ptr_equal(segment->pool, rig.header);
	assert_int_equal(segment->data_len,
			 *rte_pktmbuf_mtod_offset(segment, uint8_t *, 12) / 16 * 4);
	for (struct rte_mbuf *s = segment->next; s; s = s->next)
		assert_true(s->data_len > 0);
	assert_true(pkt_read(segment, 0, segment->pkt_len, bytes));
	made_put(m, bytes, segment->pkt_len);
	rte_pktmbuf_free(segment);
}

static void assert_same(void)
{
	assert_int_equal(made.count, wanted.count);
	for (unsigned i = 0; i < made.count; i++) {
		assert_int_equal(made.segments[i].len, wanted.segments[i].len);
		assert_memory_equal(made.segments[i].bytes, wanted.segments[i].bytes,
				    made.segments[i].len);
	}
}

/* A packet of `inline_bytes` of payload beside the header and the rest in pieces. */
static struct rte_mbuf *packet(size_t header, uint8_t flags, size_t inline_bytes, size_t len,
			       size_t piece)
{
	struct rte_mbuf *pkt = rig_tcp(header, payload + inline_bytes, len - inline_bytes, piece);
	uint8_t *p = (uint8_t *)rte_pktmbuf_mtod(pkt, uint8_t *);

	p[13] = flags;
	memcpy(p + header, payload, inline_bytes);
	pkt->data_len = (uint16_t)(pkt->data_len + inline_bytes);
	pkt->pkt_len += (uint32_t)inline_bytes;
	return pkt;
}

static void cut_and_compare(struct rte_mbuf *pkt, uint16_t cut)
{
	static uint8_t bytes[RIG_FRAME_MAX];
	struct stack_pools pools = {.header = rig.header, .control = rig.control, .ref = rig.ref};

	made.count = wanted.count = 0;
	assert_true(pkt_read(pkt, 0, pkt->pkt_len, bytes));
	plain_cut(bytes, pkt->pkt_len, cut, made_put, &wanted);
	assert_true(gso_tcp(pkt, cut, &pools, emit, &made));
	assert_same();
}

static void equals_the_plain_cut(void **state)
{
	(void)state;
	for (int i = 0; i < 400; i++) {
		size_t header = 20 + (size_t)(rand() % 11) * 4, len = 1 + (size_t)rand() % 30000;
		size_t inline_bytes = rand() % 2 ? (size_t)rand() % 300 : 0;
		uint16_t cut = (uint16_t)(150 + rand() % 1300);

		if (inline_bytes > len)
			inline_bytes = len;
		cut_and_compare(packet(header, (uint8_t)rand(), inline_bytes, len,
				       1 + (size_t)rand() % 2000 + 60),
				cut);
	}
}

static void the_longest_packet(void **state)
{
	(void)state;
	cut_and_compare(packet(60, 0x99, 0, 65475, 0), 1400);
	assert_int_equal(made.count, 47);
}

static void flags_and_numbers(void **state)
{
	(void)state;
	cut_and_compare(packet(20, 0xff, 0, 3000, 0), 1000);
	assert_int_equal(made.count, 3);
	assert_int_equal(made.segments[0].bytes[13], 0xff & ~0x09);
	assert_int_equal(made.segments[1].bytes[13], 0xff & ~0x89);
	assert_int_equal(made.segments[2].bytes[13], 0xff & ~0x80);
	assert_int_equal(plain_get(made.segments[2].bytes + 6) -
				 plain_get(made.segments[0].bytes + 6),
			 2000);
}

/* Pieces as long as the cut go out as they are: no reference is made. */
static void whole_pieces_are_moved(void **state)
{
	struct stack_pools pools = {.header = rig.header, .ref = NULL};
	struct rte_mbuf *pkt = packet(20, 0x10, 0, 5000, 1000);

	(void)state;
	made.count = 0;
	assert_true(gso_tcp(pkt, 1000, &pools, emit, &made));
	assert_int_equal(made.count, 5);
}

/* Takes all but `left` mbufs of a pool. */
static unsigned pool_drain(struct rte_mempool *pool, unsigned left, struct rte_mbuf **taken)
{
	unsigned n = rte_mempool_avail_count(pool) - left;

	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, taken, n), 0);
	return n;
}

static void hold(void *ctx, struct rte_mbuf *segment)
{
	struct rte_mbuf ***next = ctx;

	*(*next)++ = segment;
}

/* What was emitted stays whole. */
static void without_mbufs_the_rest_is_dropped(void **state)
{
	static struct rte_mbuf *taken[2048]; /* the pool has fewer */
	struct stack_pools pools = {.header = rig.header, .ref = rig.ref};
	struct rte_mempool *const drained[] = {rig.header, rig.ref};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct rte_mbuf *pkt = packet(20, 0x18, 0, 9000, 1500);
		struct rte_mbuf *held[16], **end = held;
		unsigned n = pool_drain(drained[i / 4], i % 4, taken);

		assert_false(gso_tcp(pkt, 1000, &pools, hold, &end));
		assert_true(end - held >= i % 4 && end - held < 9);
		for (struct rte_mbuf **segment = held; segment < end; segment++)
			assert_int_equal((*segment)->pkt_len, 1020);
		rte_pktmbuf_free_bulk(held, (unsigned)(end - held));
		rte_pktmbuf_free_bulk(taken, n);
	}
}

/* Payload in somebody else's buffers, referenced: they are free again afterwards. */
static void references_of_references(void **state)
{
	struct rte_mbuf *original = rig_mbuf(payload, 2000, 0);
	struct rte_mbuf *pkt = rig_tcp(20, NULL, 0, 0);
	struct rte_mbuf *clone = rte_pktmbuf_clone(original, rig.ref);

	(void)state;
	pkt_chain(pkt, clone);
	cut_and_compare(pkt, 300);
	assert_int_equal(rte_mbuf_refcnt_read(original), 1);
	assert_memory_equal(rte_pktmbuf_mtod(original, uint8_t *), payload, 2000);
	rte_pktmbuf_free(original);
}

static int setup(void **state)
{
	srand(5);
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)rand();
	return rig_group_setup(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equals_the_plain_cut),
		TEST(the_longest_packet),
		TEST(flags_and_numbers),
		TEST(whole_pieces_are_moved),
		TEST(without_mbufs_the_rest_is_dropped),
		TEST(references_of_references),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
