/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/sim.h"

#define PERCENT 10000u /* of a million */
#define MS      1000u

#define MEMORY_BYTES (64u << 20)

/* ---- the link ---- */

static uint32_t pick(struct rng *rng, const uint32_t *values, unsigned n)
{
	return values[rng_next(rng) % n];
}
#define PICK(rng, ...)                             \
	pick(rng, (const uint32_t[]){__VA_ARGS__}, \
	     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static struct link_conf link_conf(struct rng *rng)
{
	struct link_conf conf = {
		.delay_us = PICK(rng, 0, 20, 200, 5 * MS, 20 * MS, 100 * MS),
		.jitter_us = PICK(rng, 0, 0, 10, 500, 5 * MS),
		.bytes_per_ms = PICK(rng, 0, 0, 125, 1250, 12500),
	};

	conf.queue_bytes = PICK(rng, 8000, 30000, 200000);
	if (rng_percent(rng, 60)) {
		conf.loss_ppm = PICK(rng, 0, PERCENT / 10, PERCENT, 3 * PERCENT, 10 * PERCENT);
		conf.burst_ppm = PICK(rng, 0, 0, PERCENT / 10, PERCENT / 2);
		conf.burst_most_us = PICK(rng, 1 * MS, 20 * MS, 300 * MS);
	}
	if (rng_percent(rng, 40)) {
		conf.reorder_ppm = PICK(rng, PERCENT / 2, 5 * PERCENT, 20 * PERCENT);
		conf.reorder_us = PICK(rng, 50, 3 * MS, 30 * MS);
	}
	if (rng_percent(rng, 30)) {
		conf.mark_ppm = PICK(rng, 0, PERCENT, 10 * PERCENT);
		conf.mark_bytes = conf.queue_bytes / 2;
	}
	if (rng_percent(rng, 30))
		conf.duplicate_ppm = PICK(rng, PERCENT, 5 * PERCENT);
	if (rng_percent(rng, 30))
		conf.corrupt_ppm = PICK(rng, PERCENT / 10, PERCENT, 3 * PERCENT);
	return conf;
}

/* Some paths go dark for a while, and some become narrow, in the midst of it all. */
static void path_changes(struct sim *sim)
{
	struct rng rng = {sim->seed * 0x9e3779b97f4a7c15u + 1};
	uint64_t from_us = sim->now_us + rng_range(&rng, 0, PICK(&rng, 0, 20 * MS, 500 * MS));
	bool both = rng_percent(&rng, 50);

	for (unsigned i = 0; i < 2; i++) {
		struct box *box = &sim->box[i];

		if (i == 0 || both) {
			sim->link[i].conf.black_from_us = from_us;
			sim->link[i].conf.black_until_us =
				from_us +
				(rng_percent(&rng, 20) ? rng_range(&rng, 1, 9000 * MS) : 0);
		}
		if (!rng_percent(&rng, 20))
			continue;
		box->from_us = sim->now_us + rng_range(&rng, 0, PICK(&rng, 0, 1 * MS, 300 * MS));
		box->mtu = sim->ip6 ? PICK(&rng, 1280, 1281, 1400, 1492)
				    : PICK(&rng, 576, 1006, 1300, 1492);
		box->silent = rng_percent(&rng, 20);
		/* Two bits that are spoilt in two fragments of one packet can make up for each
		 * other in its checksum, and it takes a few thousand scenarios to meet such a pair.
		 */
		box->cuts = rng_percent(&rng, 50) && !sim->link[i].conf.corrupt_ppm;
		/* With one frame lost in ten, a packet in fragments may be lost for five minutes.
		 */
		box->cuts &= sim->link[i].conf.loss_ppm < 10 * PERCENT;
	}
}

/* ---- the devices ---- */

static void devices(struct sim *sim)
{
	static const uint32_t sets[] = {
		STACK_TX_MULTI_SEG,
		STACK_TX_MULTI_SEG | STACK_TX_IP_CSUM | STACK_TX_TCP_CSUM,
		STACK_TX_MULTI_SEG | STACK_TX_IP_CSUM | STACK_TX_TCP_CSUM | STACK_TX_TSO,
		STACK_TX_MULTI_SEG | STACK_TX_IP_CSUM | STACK_TX_TCP_CSUM | STACK_TX_TSO |
			STACK_RX_CSUM,
		STACK_TX_MULTI_SEG | STACK_RX_CSUM,
		0,
	};
	struct rng *rng = &sim->rng;

	sim->offloads = pick(rng, sets, sizeof(sets) / sizeof(sets[0]));
	sim->copy_below = PICK(rng, 0, 1, 64, 300);
	for (unsigned i = 0; i < 2; i++) {
		sim->host[i].rx.rng.state = rng_next(rng);
		sim->host[i].rx.checks_csum = sim->offloads & STACK_RX_CSUM;
		sim->host[i].rx.scatters = rng_percent(rng, 20);
		sim->host[i].rx.merges = rng_percent(rng, 30);
	}
}

static void slow_devices(struct sim *sim)
{
	struct rng rng = {sim->seed * 0x9e3779b97f4a7c15u + 2};

	for (unsigned i = 0; i < 2; i++) {
		sim->host[i].takes = PICK(&rng, 1, 3, 20, 100);
		sim->host[i].takes_us = PICK(&rng, 50, 500, 5 * MS);
		sim->host[i].device_rng.state = rng_next(&rng);
	}
}

/* ---- memory ---- */

static void memory(struct sim *sim)
{
	struct rng *rng = &sim->rng;

	sim->memory_bytes = MEMORY_BYTES;
	if (!rng_percent(rng, 15))
		return;
	sim->memory_bytes = PICK(rng, 150000, 500000, MEMORY_BYTES);
	/* A packet takes two dozen, and as many again when it is copied together. */
	sim->headers_left = PICK(rng, 0, 50, 100, 300);
	sim->refs_left = PICK(rng, 0, 8, 40, 300);
}

/* ---- the connections ---- */

static struct tcp_conf tcp_conf(struct rng *rng)
{
	static const char *const congestions[] = {NULL, "cubic", "newreno", "bbr"};

	return (struct tcp_conf){
		.congestion = congestions[rng_next(rng) % 4],
		.ecn = (enum tcp_ecn)(rng_next(rng) % 3),
		.recv_buffer_bytes = PICK(rng, 0, 0, 3000, 10000, 65535, 300000),
		.send_buffer_bytes = PICK(rng, 0, 0, 2000, 50000),
		.keepalive_ms = PICK(rng, 0, 0, 0, 3000),
	};
}

static void slow_reader(struct rng *rng, struct sim_end *end)
{
	end->read_bytes = PICK(rng, 1000, 5000, 40000);
	end->read_each_us = PICK(rng, 1 * MS, 20 * MS, 300 * MS);
	if (end->send_total > 100000)
		end->read_each_us = 1 * MS;
}

static void end_plan(struct sim *sim, struct sim_pair *pair, unsigned side, uint64_t total)
{
	struct rng *rng = &sim->rng;
	struct sim_end *end = &pair->end[side];

	*end = (struct sim_end){
		.sim = sim,
		.pair = pair,
		.side = side,
		.send_total = total,
		.piece_most = PICK(rng, 30, 200, 1448, 2048),
		.leave_at_us = UINT64_MAX,
	};
	/* Small pieces of a long stream are slow work and show nothing new. */
	if (total > 200000 && end->piece_most < 1448)
		end->piece_most = 1448;
	if (rng_percent(rng, 20))
		slow_reader(rng, end);
}

static uint64_t total_bytes(struct rng *rng)
{
	return rng_range(rng, 0, PICK(rng, 0, 1, 100, 2000, 20000, 20000, 150000));
}

static void plan_leave(struct sim *sim, struct sim_pair *pair)
{
	uint64_t after_us =
		rng_range(&sim->rng, 0, PICK(&sim->rng, 1, 1 * MS, 100 * MS, 2000 * MS));

	pair->end[rng_next(&sim->rng) % 2].leave_at_us = pair->begin_us + after_us;
}

static void pair_plan(struct sim *sim, struct sim_pair *pair)
{
	struct rng *rng = &sim->rng;
	uint64_t total[2] = {total_bytes(rng), total_bytes(rng)};

	pair->kind = (enum sim_kind)(rng_next(rng) % SIM_KINDS);
	pair->begin_us = sim->now_us + rng_range(rng, 0, PICK(rng, 0, 100, 50 * MS));
	if (pair->kind == SIM_REQUESTS) {
		pair->rounds = (uint32_t)rng_range(rng, 1, 20);
		pair->request_bytes = (uint32_t)rng_range(rng, 1, PICK(rng, 10, 500, 4000));
		pair->response_bytes = (uint32_t)rng_range(rng, 1, PICK(rng, 10, 3000, 20000));
		total[0] = (uint64_t)pair->rounds * pair->request_bytes;
		total[1] = (uint64_t)pair->rounds * pair->response_bytes;
	}
	if (pair->kind == SIM_ECHO)
		total[1] = total[0];
	pair->conf = tcp_conf(rng);
	/* Where memory is short SYNs are refused first: patience is needed. */
	if (sim->memory_bytes < MEMORY_BYTES)
		pair->conf.connect_timeout_ms = 1000000;
	end_plan(sim, pair, 0, total[0]);
	end_plan(sim, pair, 1, total[1]);
	if (pair->kind == SIM_ABORT || pair->kind == SIM_CLOSE) {
		/* The last RST may be lost: then only keepalive tells. */
		pair->conf.keepalive_ms = sim->server_conf.keepalive_ms = 3000;
		plan_leave(sim, pair);
	}
}

static void streams(struct sim_pair *pair, uint32_t index)
{
	uint32_t client = index * 2 + 1, server = pair->kind == SIM_ECHO ? client : client + 1;

	pair->end[0].send_stream = pair->end[1].recv_stream = client;
	pair->end[1].send_stream = pair->end[0].recv_stream = server;
}

/* The first connection brings the cookie that the others say; they begin when it is likely there.
 * RFC 7413. */
static void fast_open(struct sim *sim)
{
	sim->server_conf.fast_open = true;
	for (unsigned i = 0; i < sim->pair_count; i++) {
		struct sim_pair *pair = &sim->pair[i];
		uint64_t later_us = i ? 2000 * MS : 0;

		pair->conf.fast_open = true;
		pair->begin_us += later_us;
		for (unsigned side = 0; side < 2; side++)
			if (pair->end[side].leave_at_us != UINT64_MAX)
				pair->end[side].leave_at_us += later_us;
	}
}

void sim_scenario(struct sim *sim)
{
	struct rng *rng = &sim->rng;
	struct link_conf conf = link_conf(rng);

	/* Near where a clock of milliseconds in 32 bits begins again, for some. */
	sim->now_us = rng_percent(rng, 20) ? ((1ull << 32) - rng_range(rng, 0, 2000)) * MS
					   : rng_range(rng, 1, 1u << 30);
	sim->wraps = rng_percent(rng, 30);
	link_init(&sim->link[0], &conf, rng_next(rng));
	if (rng_percent(rng, 30))
		conf = link_conf(rng);
	link_init(&sim->link[1], &conf, rng_next(rng));
	path_changes(sim);
	devices(sim);
	memory(sim);
	sim->server_conf = tcp_conf(rng);
	sim->pair_count = rng_percent(rng, sim->fast ? 10 : 70)
				  ? 1
				  : (unsigned)rng_range(rng, 2, SIM_PAIRS_MAX);
	for (unsigned i = 0; i < sim->pair_count; i++) {
		pair_plan(sim, &sim->pair[i]);
		streams(&sim->pair[i], i);
	}
	if (sim->fast)
		fast_open(sim);
	if (sim->slow)
		slow_devices(sim);
}
