/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/pair.h"

#include <errno.h>
#include <limits.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "l4stack/stack.h"
#include "l4stack/tcp/tcp_conn.h"
#include "tests/unit/support/eal.h"

#define BURST 32

/* ---- the wire ---- */

/* What a device says of a frame that arrives, instead of what it was asked when it was sent. */
static void output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	struct pair_side *from = ctx, *to = &from->pair->side[!from->index];

	(void)port;
	if (to->waiting == PAIR_QUEUE_MOST) {
		to->overflows++;
		rte_pktmbuf_free(pkt);
		return;
	}
	pkt->ol_flags = (pkt->ol_flags & (RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL)) |
			RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	pkt->tx_offload = 0;
	to->queue[to->waiting++] = pkt;
}

static void input(struct pair_side *side, uint32_t n)
{
	for (uint32_t at = 0; at < n; at += BURST)
		stack_input(side->stack, 0, side->queue + at, n - at < BURST ? n - at : BURST);
	side->frames_in += n;
}

/* Of this thread alone: what else the machine does meanwhile is not the stack's. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void side_turn(struct pair_side *side)
{
	uint64_t begin_ns = cpu_ns(), begin = rte_rdtsc();
	uint32_t n = side->waiting;

	stack_advance(side->stack, side->pair->now_us);
	input(side, n);
	side->waiting = 0;
	stack_deliver(side->stack);
	if (side->app)
		side->app(side->app_ctx, side->pair->now_us);
	stack_flush(side->stack);
	begin = rte_rdtsc() - begin;
	side->cycles += begin;
	begin_ns = cpu_ns() - begin_ns;
	side->cpu_ns += begin_ns;
	side->turn_most_ns = begin_ns > side->turn_most_ns ? begin_ns : side->turn_most_ns;
}

void pair_turn(struct pair *pair, uint64_t step_us)
{
	side_turn(&pair->side[PAIR_CLIENT]);
	side_turn(&pair->side[PAIR_SERVER]);
	pair->now_us += step_us;
}

void pair_settle(struct pair *pair, uint64_t step_us)
{
	do
		pair_turn(pair, step_us);
	while (pair->side[PAIR_CLIENT].waiting || pair->side[PAIR_SERVER].waiting);
}

/* ---- the beginning and the end ---- */

static struct addr address(unsigned side)
{
	return (struct addr){.bytes = {10, 0, 0, (uint8_t)(side + 1)}, .family = ADDR_IP4};
}

struct endpoint pair_endpoint(unsigned side, uint16_t port)
{
	return (struct endpoint){address(side), port};
}

static int side_start(struct pair *pair, unsigned index, const struct pair_conf *conf)
{
	static const struct stack_ops ops = {.output = output};
	const struct stack_pools pools = {pair->header, pair->control, pair->ref};
	const struct stack_conf stack_conf = {
		.max_conns = conf->max_conns,
		.memory_bytes = conf->memory_bytes,
		.secret = {0x736c75696365, index + 1},
	};
	const struct stack_port_conf port = {
		.mac = {2, 0, 0, 0, 0, (uint8_t)(index + 1)},
		.mtu = 1500,
		.offloads =
			STACK_TX_IP_CSUM | STACK_TX_TCP_CSUM | STACK_TX_MULTI_SEG | STACK_RX_CSUM,
		.name = "memory",
		.claim = STACK_CLAIM_SILENT,
	};
	struct pair_side *side = &pair->side[index];
	struct addr addr = address(index);
	int err;

	side->pair = pair;
	side->index = index;
	err = stack_create(&stack_conf, &pools, &ops, side, pair->now_us, &side->stack);
	if (!err)
		err = stack_port_add(side->stack, 0, &port);
	if (!err)
		err = stack_address_add(side->stack, 0, &addr, 24);
	return err;
}

static struct rte_mempool *pool_make(const char *what, unsigned number, unsigned count,
				     uint16_t room)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "%s%u", what, number);
	return rte_pktmbuf_pool_create(name, count, 256, 0, room, 0);
}

static int pools_make(struct pair *pair, unsigned number)
{
	pair->header = pool_make("header", number, 16383, 640);
	pair->control = pool_make("control", number, 4095, 640);
	pair->ref = pool_make("ref", number, 8191, 0);
	pair->payload = pool_make("payload", number, 8191, 2176);
	return pair->header && pair->control && pair->ref && pair->payload ? 0 : -ENOMEM;
}

/* ---- introduction: one connection, so that both know the other's hardware address ---- */

static void on_readable(struct tcp_conn *conn, void *user)
{
	(void)user;
	tcp_close(conn);
}

static void on_accepted(struct tcp_conn *conn, void *user)
{
	static const struct tcp_handlers handlers = {.readable = on_readable};

	tcp_set_handlers(conn, &handlers, user);
}

int pair_introduce(struct pair *pair)
{
	static const struct tcp_listen_handlers handlers = {.accepted = on_accepted};
	static const struct tcp_handlers none;
	struct endpoint at = pair_endpoint(PAIR_SERVER, 9);
	struct tcp_listener *listener;
	struct tcp_conn *conn;
	int err = tcp_listen(pair->side[PAIR_SERVER].stack, &at, NULL, &handlers, NULL, &listener);

	if (err)
		return err;
	err = tcp_connect(pair->side[PAIR_CLIENT].stack, &at, NULL, &none, NULL, &conn);
	if (err)
		return err;
	pair_settle(pair, 1000);
	tcp_close(conn);
	pair_settle(pair, 1000);
	tcp_unlisten(listener);
	return 0;
}

int pair_start(struct pair *pair, const struct pair_conf *conf)
{
	int err;

	*pair = (struct pair){.now_us = 1000000};
	err = !conf->number && eal_start() ? -ENODEV : pools_make(pair, conf->number);
	for (unsigned i = 0; !err && i < 2; i++)
		err = side_start(pair, i, conf);
	if (!err)
		err = pair_introduce(pair);
	if (err)
		fprintf(stderr, "the stacks did not start: error %d\n", -err);
	return err;
}

void pair_stop(struct pair *pair)
{
	for (unsigned i = 0; i < 2; i++) {
		rte_pktmbuf_free_bulk(pair->side[i].queue, pair->side[i].waiting);
		stack_destroy(pair->side[i].stack);
	}
}

/* ---- for the benchmarks ---- */

struct rte_mbuf *pair_payload(struct pair *pair, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pair->payload);

	if (m)
		m->data_len = len;
	return m;
}

unsigned pair_mbufs_in_use(const struct pair *pair)
{
	return rte_mempool_in_use_count(pair->header) + rte_mempool_in_use_count(pair->control) +
	       rte_mempool_in_use_count(pair->ref) + rte_mempool_in_use_count(pair->payload);
}

static uint64_t part_bytes(const struct tcp_table_part *part)
{
	return part->slots ? (part->mask + 1) * sizeof(struct tcp_table_slot) : 0;
}

static uint64_t slab_bytes(const struct tcp_slab *slab)
{
	return (uint64_t)slab->made * slab->object_bytes;
}

struct pair_memory pair_memory_of(const struct pair_side *side)
{
	const struct tcp_proto *tcp = side->stack->tcp;
	struct pair_memory memory = {
		.conns = slab_bytes(&tcp->conns),
		.table = part_bytes(&tcp->table.now) + part_bytes(&tcp->table.old),
		.timewaits = slab_bytes(&tcp->timewaits),
		.conns_most = tcp->conns.made,
		.timewaits_most = tcp->timewaits.made,
	};

	memory.total = memory.conns + memory.table + memory.timewaits;
	return memory;
}

/* build/tests/bench/bench_NAME: three steps up is build/. */
const char *pair_plugins(void)
{
	static char path[PATH_MAX + sizeof("/lib/sluice")];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);

	path[n < 0 ? 0 : n] = 0;
	for (unsigned i = 0; i < 3 && strrchr(path, '/'); i++)
		*strrchr(path, '/') = 0;
	strcat(path, "/lib/sluice");
	return path;
}

/* Thousands are set apart whatever the locale: a number of ten digits has to be read. */
static void group(const char *plain, char *out)
{
	size_t whole = 0, at = 0;

	while (plain[whole] && plain[whole] != '.')
		whole++;
	for (size_t i = 0; plain[i]; i++) {
		if (i && i < whole && (whole - i) % 3 == 0 && plain[i - 1] != '-')
			out[at++] = ',';
		out[at++] = plain[i];
	}
	out[at] = 0;
}

void pair_row(const char *name, double value, unsigned decimals, const char *unit)
{
	char plain[64], grouped[96];

	snprintf(plain, sizeof(plain), "%.*f", (int)decimals, value);
	group(plain, grouped);
	printf("  %-46s %16s  %s\n", name, grouped, unit);
}

void pair_row_text(const char *name, const char *text)
{
	printf("  %-46s %16s\n", name, text);
}
