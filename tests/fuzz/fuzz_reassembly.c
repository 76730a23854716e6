/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target of reassembly: fragments of a few datagrams come in any order, overlap, lie about
 * their ends, are late. What is put together must be what was cut, every byte in its place, and
 * what is held stays within bounds. The chain of IPv6 extension headers is walked over as well.
 *
 * Input: the first byte chooses; then four bytes a fragment: which datagram and what kind, where,
 * how long.
 */
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip6_ext.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/ip/reassembly.h"
#include "l4stack/stack.h"
#include "tests/fuzz/input.h"
#include "tests/unit/support/eal.h"

#define HEADER   48
#define HELD_MAX 600 /* mbufs: what reassembly.c allows, and the one that is in hand */
#define STEPS    400

static struct {
	struct stack *stack;
	struct rte_mempool *header, *control, *ref, *rx;
	uint64_t now_us;
} world;

static uint8_t pattern(unsigned id, uint32_t offset)
{
	return (uint8_t)(id * 101 + offset * 7 + offset / 256);
}

static void output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	(void)ctx;
	(void)port;
	rte_pktmbuf_free(pkt);
}

/* One or two segments: the headers, and the data that the pattern wants there. */
static struct rte_mbuf *packet_make(unsigned id, uint32_t offset, uint32_t len, bool two)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(world.rx), *data = pkt;

	expect(pkt);
	memset(rte_pktmbuf_append(pkt, HEADER), 0, HEADER);
	*rte_pktmbuf_mtod(pkt, uint8_t *) = 0x60;
	if (two) {
		data = rte_pktmbuf_alloc(world.rx);
		expect(data);
		expect(!rte_pktmbuf_chain(pkt, data));
	}
	for (uint32_t i = 0; i < len; i++)
		*rte_pktmbuf_append(data, 1) = (char)pattern(id, offset + i);
	if (two)
		pkt->pkt_len = HEADER + len;
	return pkt;
}

static void whole_check(struct rte_mbuf *whole, const struct fragment *first, unsigned id)
{
	uint8_t byte;

	expect(first->offset == 0 && first->header_bytes == HEADER && whole->pkt_len > HEADER);
	for (uint32_t i = HEADER; i < whole->pkt_len; i++) {
		expect(pkt_read(whole, i, 1, &byte));
		expect(byte == pattern(id, i - HEADER));
	}
	rte_pktmbuf_free(whole);
}

static void fragment_in(const uint8_t step[4])
{
	unsigned id = step[0] & 7;
	struct addr src = {.bytes = {0xfd, 0x10, [15] = 2}, .family = ADDR_IP6};
	struct addr dst = {.bytes = {0xfd, 0x10, [15] = 1}, .family = ADDR_IP6};
	struct fragment first, f = {.rx = {.src = src, .dst = dst, .ecn = step[0] >> 6},
				    .id = id + (step[3] == 255 ? step[2] : 0u),
				    .header_bytes = HEADER,
				    .protocol = 17};
	uint32_t len = step[2] * 8u % 1480;
	struct rte_mbuf *pkt;

	f.more = step[0] & 8;
	f.offset = (uint16_t)(step[1] * 8u * (step[0] & 16 ? 32u : 1u));
	if (!f.more)
		len += step[3] & 7;
	pkt = packet_make(f.id, f.offset, len, step[0] & 32);
	if (!reassembly_length_ok(&f, pkt) || !reassembly_end_ok(&f, pkt)) {
		rte_pktmbuf_free(pkt);
		return;
	}
	pkt = reassembly_input(world.stack->ip->reassembly, &f, pkt, &first);
	if (pkt)
		whole_check(pkt, &first, f.id);
	expect(rte_mempool_in_use_count(world.rx) <= HELD_MAX);
}

static void world_start(void)
{
	static const struct stack_ops ops = {.output = output};
	const struct stack_pools pools = {world.header, world.control, world.ref};
	const struct stack_conf conf = {.max_conns = 1, .secret = {1, 2}};

	world.now_us = 1000000;
	expect(!stack_create(&conf, &pools, &ops, NULL, world.now_us, &world.stack));
}

static void pools_make(void)
{
	if (world.header)
		return;
	expect(!eal_start());
	world.header = eal_pool("header", 127, 512);
	world.control = eal_pool("control", 127, 512);
	world.ref = eal_pool("ref", 127, 0);
	world.rx = eal_pool("rx", 1023, 2048);
	expect(world.header && world.control && world.ref && world.rx);
}

static void fuzz_reassembly(const uint8_t *data, size_t size)
{
	pools_make();
	world_start();
	for (unsigned i = 0; i < STEPS && size >= 4; i++, data += 4, size -= 4) {
		if (data[1] == 255 && data[2] == 255) {
			world.now_us += data[3] * 1000000ull;
			stack_advance(world.stack, world.now_us);
		} else {
			fragment_in(data);
		}
	}
	world.now_us += 61000000;
	stack_advance(world.stack, world.now_us);
	expect(!rte_mempool_in_use_count(world.rx));
	stack_destroy(world.stack);
	expect(!rte_mempool_in_use_count(world.control));
}

/* Wherever it ends, it ends within the packet. */
static void fuzz_walk(uint8_t protocol, const uint8_t *data, size_t size)
{
	uint8_t *packet = malloc(size + 40);
	struct ip6_walk walk;

	expect(packet);
	memset(packet, 0, 40);
	if (size)
		memcpy(packet + 40, data, size);
	ip6_walk(packet, (uint32_t)size + 40, 40, protocol, 6, &walk);
	if (walk.end == IP6_WALK_UPPER)
		expect(walk.at >= 40 && walk.at <= size + 40);
	if (walk.end == IP6_WALK_FRAGMENT)
		expect(walk.at + IP6_FRAGMENT_HEADER <= size + 40);
	expect(walk.end == IP6_WALK_TRUNCATED || walk.bad_at < size + 40);
	expect(walk.named_at < size + 40);
	free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] & 1)
		fuzz_walk(data[1], data + 2, size - 2);
	else
		fuzz_reassembly(data + 1, size - 1);
	return 0;
}
