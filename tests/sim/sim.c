/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The world of a scenario: two hosts, the link between them, and the clock.
 */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <rte_mbuf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/counters.h"
#include "l4stack/tcp/tcp_conn.h"
#include "tests/sim/course.h"
#include "tests/unit/support/eal.h"

#define TIME_MOST_US 3600000000ull
#define TURNS_MOST   5000000u
#define BURST        32

void sim_fail(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (sim->error[0])
		return;
	va_start(args, format);
	vsnprintf(sim->error, sizeof(sim->error), format, args);
	va_end(args);
}

/* ---- pools ---- */

int sim_pools_make(struct sim_pools *pools)
{
	pools->header = eal_pool("header", SIM_HEADERS, 1600);
	pools->control = eal_pool("control", 511, 512);
	pools->ref = eal_pool("ref", SIM_REFS, 0);
	pools->payload = eal_pool("payload", 16383, 2048);
	pools->rx[0] = nic_pool("rx0", 4095, 2048);
	pools->rx[1] = nic_pool("rx1", 4095, 2048);
	return pools->header && pools->control && pools->ref && pools->payload && pools->rx[0] &&
			       pools->rx[1]
		       ? 0
		       : -1;
}

static void check_pool(struct sim *sim, struct rte_mempool *pool)
{
	unsigned used = rte_mempool_in_use_count(pool);

	if (used)
		sim_fail(sim, "%u mbufs of pool %s are lost", used, pool->name);
}

static void check_pools(struct sim *sim)
{
	check_pool(sim, sim->pools->header);
	check_pool(sim, sim->pools->control);
	check_pool(sim, sim->pools->ref);
	check_pool(sim, sim->pools->payload);
	check_pool(sim, sim->pools->rx[0]);
	check_pool(sim, sim->pools->rx[1]);
}

/* Takes mbufs away, so that no more than `left` are there; 0: all. */
static void hoard(struct sim_hoard *hoard, struct rte_mempool *pool, uint32_t left)
{
	while (left && rte_mempool_avail_count(pool) > left)
		hoard->mbufs[hoard->n++] = rte_pktmbuf_alloc(pool);
}

static void hoard_free(struct sim_hoard *hoard)
{
	rte_pktmbuf_free_bulk(hoard->mbufs, hoard->n);
	hoard->n = 0;
}

/* ---- hosts ---- */

static void link_on(void *ctx, const uint8_t *frame, uint32_t len)
{
	struct sim_host *host = ctx;

	link_send(&host->sim->link[host->side], frame, len, host->sim->now_us);
}

static void link_back(void *ctx, const uint8_t *frame, uint32_t len)
{
	struct sim_host *host = ctx;

	link_send(&host->sim->link[!host->side], frame, len, host->sim->now_us);
}

static void emit(void *ctx, const uint8_t *frame, uint32_t len)
{
	struct sim_host *host = ctx;
	struct sim *sim = host->sim;

	check_frame(&sim->check, host->side, frame, len, sim->now_us);
	if (sim->check.error[0])
		sim_fail(sim, "%s sent: %s", host->side ? "server" : "client", sim->check.error);
	if (!box_take(&sim->box[host->side], frame, len, sim->now_us, link_on, link_back, host))
		link_on(host, frame, len);
}

static void output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	(void)port;
	nic_transmit(pkt, emit, ctx);
}

static const struct stack_ops ops = {.output = output};

struct addr sim_addr(const struct sim *sim, unsigned side)
{
	struct addr ip4 = {.bytes = {10, 0, 0, (uint8_t)(side + 1)}, .family = ADDR_IP4};
	struct addr ip6 = {.bytes = {0xfd, 0x10, [15] = (uint8_t)(side + 1)}, .family = ADDR_IP6};

	return sim->ip6 ? ip6 : ip4;
}

static int host_start(struct sim *sim, unsigned side)
{
	struct sim_host *host = &sim->host[side];
	const struct sim_pools *p = sim->pools;
	struct stack_pools pools = {.header = p->header, .control = p->control, .ref = p->ref};
	struct stack_conf conf = {
		.max_conns = 256,
		.secret = {sim->seed, side},
		.memory_bytes = sim->memory_bytes,
		.copy_below_bytes = sim->copy_below,
	};
	struct stack_port_conf port = {
		.mac = {2, 0, 0, 0, 0, (uint8_t)(side + 1)},
		.mtu = SIM_MTU,
		.offloads = sim->offloads,
		.name = "wire",
		.claim = STACK_CLAIM_SILENT,
	};
	struct addr addr = sim_addr(sim, side);
	int err;

	host->sim = sim;
	host->side = side;
	host->rx.pool = p->rx[side];
	err = stack_create(&conf, &pools, &ops, host, sim->now_us, &host->stack);
	if (!err)
		err = stack_port_add(host->stack, 0, &port);
	if (!err)
		err = stack_address_add(host->stack, 0, &addr, sim->ip6 ? 64 : 24);
	return err;
}

static int server_listen(struct sim *sim)
{
	static const struct tcp_listen_handlers handlers = {.accepted = sim_accepted};
	struct endpoint any = {.addr = {.family = sim->ip6 ? ADDR_IP6 : ADDR_IP4},
			       .port = SIM_SERVER_PORT};
	struct sim_host *server = &sim->host[1];

	return tcp_listen(server->stack, &any, &sim->server_conf, &handlers, server,
			  &server->listener);
}

static void host_receive(struct sim *sim, struct sim_host *host)
{
	struct link *link = &sim->link[!host->side];
	struct rte_mbuf *pkts[BURST];
	struct link_frame *frame;
	unsigned n = 0;

	while (n < BURST && (frame = link_receive(link, sim->now_us))) {
		struct rte_mbuf *pkt = nic_receive(&host->rx, frame->bytes, frame->len);

		free(frame);
		if (!pkt)
			link->lost++;
		else if (!n || !nic_merge(&host->rx, pkts[n - 1], pkt))
			pkts[n++] = pkt;
	}
	stack_input(host->stack, 0, pkts, n);
}

/* By times it takes nothing for a while, or nothing that is new. */
static void device_turn(struct sim *sim, struct sim_host *host)
{
	struct rng *rng = &host->device_rng;
	uint64_t room = 0;

	if (!host->takes || sim->now_us < host->takes_at_us)
		return;
	if (rng_percent(rng, 50))
		room = STACK_ROOM_KEPT + rng_range(rng, 1, host->takes);
	else if (rng_percent(rng, 50))
		room = rng_range(rng, 1, STACK_ROOM_KEPT);
	stack_port_room(host->stack, 0, (uint32_t)room);
	host->takes_at_us = sim->now_us + host->takes_us;
}

static void host_turn(struct sim *sim, struct sim_host *host)
{
	stack_advance(host->stack, sim->now_us + host->clock_us);
	host_receive(sim, host);
	stack_deliver(host->stack);
	for (unsigned i = 0; i < sim->pair_count; i++) {
		struct sim_pair *pair = &sim->pair[i];

		if (host->side == 0 && !pair->begun && pair->begin_us <= sim->now_us)
			sim_pair_begin(sim, pair);
		sim_end_work(&pair->end[host->side]);
	}
	stack_flush(host->stack);
	device_turn(sim, host);
}

/* ---- the clock ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_us(const struct sim *sim)
{
	uint64_t next = earlier(link_next_us(&sim->link[0]), link_next_us(&sim->link[1]));

	for (unsigned i = 0; i < 2; i++) {
		uint64_t due = stack_next_us(sim->host[i].stack);

		if (due != UINT64_MAX)
			next = earlier(next, due - earlier(due, sim->host[i].clock_us));
		if (sim->host[i].stack->room[0] <= STACK_ROOM_KEPT)
			next = earlier(next, sim->host[i].takes_at_us);
	}
	for (unsigned i = 0; i < sim->pair_count; i++) {
		const struct sim_pair *pair = &sim->pair[i];

		if (!pair->begun)
			next = earlier(next, pair->begin_us);
		next = earlier(next, sim_end_next_us(&pair->end[0]));
		next = earlier(next, sim_end_next_us(&pair->end[1]));
	}
	return next;
}

static bool all_done(const struct sim *sim)
{
	for (unsigned i = 0; i < sim->pair_count; i++)
		if (!sim_pair_done(&sim->pair[i]))
			return false;
	return !tcp_count(sim->host[0].stack) && !tcp_count(sim->host[1].stack) &&
	       !sim->link[0].n && !sim->link[1].n;
}

static void describe_stuck(struct sim *sim)
{
	for (unsigned i = 0; i < sim->pair_count; i++) {
		const struct sim_pair *p = &sim->pair[i];

		if (!sim_pair_done(p))
			sim_fail(sim, "no end: pair %u kind %u, client %llu/%llu, server %llu/%llu",
				 i, p->kind, (unsigned long long)p->end[0].received,
				 (unsigned long long)p->end[1].send_total,
				 (unsigned long long)p->end[1].received,
				 (unsigned long long)p->end[0].send_total);
	}
	sim_fail(sim, "no end: %u and %u connections are left", tcp_count(sim->host[0].stack),
		 tcp_count(sim->host[1].stack));
}

static void run(struct sim *sim)
{
	uint64_t end_us = sim->now_us + TIME_MOST_US;

	for (uint32_t turns = 0; !sim->error[0] && !all_done(sim); turns++) {
		uint64_t next = next_us(sim);

		if (next > end_us || turns > TURNS_MOST) {
			describe_stuck(sim);
			return;
		}
		if (next > sim->now_us)
			sim->now_us = next;
		host_turn(sim, &sim->host[0]);
		host_turn(sim, &sim->host[1]);
		if (sim->course)
			sim_course_watch(sim, sim->course);
	}
}

/* ---- a scenario ---- */

static void describe_link(const char *name, const struct link_conf *c)
{
	printf("%s: loss %u ppm, dead %u ppm for %u us, reorder %u ppm by %u us, duplicate %u ppm, "
	       "corrupt %u ppm, mark %u ppm, delay %u us, jitter %u us, %u B/ms, queue %u B\n",
	       name, c->loss_ppm, c->burst_ppm, c->burst_most_us, c->reorder_ppm, c->reorder_us,
	       c->duplicate_ppm, c->corrupt_ppm, c->mark_ppm, c->delay_us, c->jitter_us,
	       c->bytes_per_ms, c->queue_bytes);
}

static void describe(const struct sim *sim)
{
	describe_link("to the server", &sim->link[0].conf);
	describe_link("to the client", &sim->link[1].conf);
	for (unsigned i = 0; i < 2; i++)
		printf("%s: dark for %" PRIu64 " us; MTU %u (0: never), %s\n",
		       i ? "to the client" : "to the server",
		       sim->link[i].conf.black_until_us - sim->link[i].conf.black_from_us,
		       sim->box[i].mtu,
		       sim->box[i].silent ? "dropped"
		       : sim->box[i].cuts ? "cut"
					  : "told");
	printf("%u connections, offloads %#x, copy below %u, memory %llu, headers %u, "
	       "references %u (0: all)\n",
	       sim->pair_count, sim->offloads, sim->copy_below,
	       (unsigned long long)sim->memory_bytes, sim->headers_left, sim->refs_left);
}

static void add_stats(const struct sim *sim, uint64_t begin_us, struct sim_stats *stats)
{
	stats->scenarios++;
	stats->connections += sim->pair_count;
	stats->segments += sim->check.segments;
	stats->payload_bytes += sim->check.payload_bytes;
	stats->virtual_us += sim->now_us - begin_us;
	for (unsigned i = 0; i < 2; i++) {
		const struct stack_counters *c = stack_counters(sim->host[i].stack);

		stats->lost += sim->link[i].lost;
		stats->cut += sim->box[i].cut;
		stats->reassembled += c->ip_reassembled;
		stats->mtu_lowered += c->tcp_mtu_lowered + c->tcp_black_holes;
		stats->fast_opens += c->tcp_fast_opens_in;
		stats->fast_retransmits += c->tcp_fast_retransmits;
		stats->rtos += c->tcp_rtos;
		stats->spurious += c->tcp_spurious_rtos + c->tcp_spurious_recoveries;
		stats->waits += c->link_waits;
		stats->marks += c->tcp_ecn_marks_in;
		stats->copied += c->payload_copied_bytes;
		stats->referenced += c->payload_referenced_bytes;
	}
}

static void check_end(struct sim *sim)
{
	char why[256];

	for (unsigned i = 0; i < sim->pair_count; i++)
		if (!sim_pair_verdict(&sim->pair[i], why, sizeof(why)))
			sim_fail(sim, "pair %u kind %u: %s", i, sim->pair[i].kind, why);
	for (unsigned i = 0; i < 2; i++)
		if (sim->host[i].stack->tcp->recv_held_bytes +
		    sim->host[i].stack->tcp->send_held_bytes)
			sim_fail(sim, "host %u still holds payload", i);
}

static void stop(struct sim *sim)
{
	for (unsigned i = 0; i < 2; i++) {
		stack_destroy(sim->host[i].stack);
		link_fini(&sim->link[i]);
	}
	hoard_free(&sim->hoard);
}

bool sim_run(const struct sim_pools *pools, const struct sim_what *what, struct sim_stats *stats,
	     char *error, size_t error_size)
{
	static struct sim sim;
	uint64_t begin_us;
	int err;

	memset(&sim, 0, sizeof(sim));
	sim.seed = what->seed;
	sim.rng.state = what->seed;
	sim.ip6 = what->ip6;
	sim.fast = what->fast;
	sim.slow = what->slow;
	sim.pools = pools;
	check_init(&sim.check, SIM_MTU);
	sim.check.trace = what->trace;
	sim.check.fast = what->fast;
	sim.course = what->course;
	if (sim.course)
		sim_course_plan(&sim, sim.course);
	else
		sim_scenario(&sim);
	if (what->trace)
		describe(&sim);
	begin_us = sim.now_us;
	err = host_start(&sim, 0);
	if (!err)
		err = host_start(&sim, 1);
	if (!err)
		err = server_listen(&sim);
	if (err) {
		snprintf(error, error_size, "a host did not start: %d", err);
		return false;
	}
	hoard(&sim.hoard, pools->header, sim.headers_left);
	hoard(&sim.hoard, pools->ref, sim.refs_left);
	run(&sim);
	if (!sim.error[0])
		check_end(&sim);
	if (!sim.error[0] && sim.course)
		sim_course_judge(&sim, sim.course);
	add_stats(&sim, begin_us, stats);
	stop(&sim);
	if (!sim.error[0])
		check_pools(&sim);
	snprintf(error, error_size, "%s", sim.error);
	return !sim.error[0];
}
