/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/chain/engine/bench.h"

#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "tests/unit/chain/engine/bench_internal.h"
#include "tests/unit/support/eal.h"

struct bench bench;

const enum conf_on_failure bench_policies[BENCH_POLICIES] = {CONF_FAIL_BYPASS, CONF_FAIL_REJECT,
							     CONF_FAIL_RETRY};
struct pools pools;

/* In use when the test began: nothing, unless an earlier one has failed. */
static struct {
	unsigned rx, data, ref, header, control;
} lost;

/* --- memory ---------------------------------------------------------------------- */

int bench_start(void **state)
{
	(void)state;
	if (eal_start())
		return -1;
	pools.rx = eal_pool("rx", 12000, 2048);
	pools.data = eal_pool("data", 2048, 2048);
	pools.ref = eal_pool("ref", 16384, 0);
	pools.header = eal_pool("header", 8192, 512);
	pools.control = eal_pool("control", 1024, 512);
	pools.far = eal_pool("far", 12000, 2048);
	pools.far_header = eal_pool("far_header", 8192, 512);
	pools.far_control = eal_pool("far_control", 1024, 512);
	pools.far_ref = eal_pool("far_ref", 8192, 0);
	return pools.rx && pools.data && pools.ref && pools.header && pools.control && pools.far &&
			       pools.far_header && pools.far_control && pools.far_ref
		       ? 0
		       : -1;
}

int bench_stop(void **state)
{
	(void)state;
	return 0;
}

static void regions_open(void)
{
	uint8_t *extent[2] = {NULL, NULL};
	uint32_t slots = 2 * bench.options.max_exchanges + 16;

	eal_extent(pools.rx, extent);
	assert_int_equal(region_enter(&bench.regions, REGION_RX, "rx.0", extent[0],
				      (uint64_t)(extent[1] - extent[0]), NULL, 0, &bench.rx),
			 0);
	assert_int_equal(region_create_sealed(&bench.regions, REGION_MESSAGES, "messages.0",
					      (uint64_t)slots * 8192 + (1 << 20), &bench.messages),
			 0);
	assert_int_equal(region_create_sealed(&bench.regions, REGION_UPSTREAMS, "upstreams",
					      sizeof(struct sluice_upstreams),
					      &bench.upstream_view),
			 0);
}

/* --- the wire -------------------------------------------------------------------- */

#define WIRE_MAX 16384

struct wire {
	struct rte_mbuf *frame[WIRE_MAX];
	unsigned count;
	struct rte_mempool *into;
};
static struct wire to_near, to_far;

/* A frame is what it is on a wire: a copy in the receiver's memory. */
static void wire_put(struct wire *wire, struct rte_mbuf *pkt)
{
	struct rte_mbuf *copy = bench.cut ? NULL : rte_pktmbuf_copy(pkt, wire->into, 0, UINT32_MAX);

	rte_pktmbuf_free(pkt);
	if (!copy)
		return;
	assert_int_equal(copy->nb_segs, 1);
	assert_true(wire->count < WIRE_MAX);
	wire->frame[wire->count++] = copy;
}

static bool is_syn(const struct rte_mbuf *pkt)
{
	uint8_t bytes[54];
	const uint8_t *frame = rte_pktmbuf_read(pkt, 0, sizeof(bytes), bytes);

	return frame && frame[23] == 6 && (frame[47] & 0x12) == 0x02;
}

static void near_output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	(void)ctx;
	(void)port;
	if (bench.deaf && is_syn(pkt)) {
		rte_pktmbuf_free(pkt);
		return;
	}
	wire_put(&to_far, pkt);
}

static void far_output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	(void)ctx;
	(void)port;
	wire_put(&to_near, pkt);
}

static void wire_deliver(struct wire *wire, struct stack *stack)
{
	struct rte_mbuf *frame[WIRE_MAX];
	unsigned n = wire->count;

	memcpy(frame, wire->frame, n * sizeof(frame[0]));
	wire->count = 0;
	for (unsigned i = 0; i < n; i += 32)
		stack_input(stack, 0, &frame[i], n - i < 32 ? n - i : 32);
}

/* --- stacks ---------------------------------------------------------------------- */

static const struct stack_ops near_ops = {.output = near_output};
static const struct stack_ops far_ops = {.output = far_output};

static struct stack *stack_open(const struct stack_pools *from, const struct stack_ops *ops,
				uint8_t last, const char *address)
{
	struct stack_conf conf = {.max_conns = 4096,
				  .secret = {1, last},
				  .memory_bytes = 64 << 20,
				  .copy_below_bytes = 0};
	struct stack_port_conf port = {.mac = {2, 0, 0, 0, 0, last},
				       .mtu = 1500,
				       .offloads = STACK_TX_MULTI_SEG,
				       .name = "wire"};
	struct stack *stack;
	struct addr addr;

	assert_int_equal(stack_create(&conf, from, ops, NULL, bench.now_us, &stack), 0);
	assert_int_equal(stack_port_add(stack, 0, &port), 0);
	assert_int_equal(addr_parse(address, &addr), 0);
	assert_int_equal(stack_address_add(stack, 0, &addr, 24), 0);
	return stack;
}

static void stacks_open(void)
{
	struct stack_pools near = {
		.header = pools.header, .control = pools.control, .ref = pools.ref};
	struct stack_pools far = {
		.header = pools.far_header, .control = pools.far_control, .ref = pools.far_ref};

	to_near = (struct wire){.into = pools.rx};
	to_far = (struct wire){.into = pools.far};
	bench.near = stack_open(&near, &near_ops, 1, "10.0.0.1");
	bench.far = stack_open(&far, &far_ops, 2, "10.0.0.2");
}

/* --- configuration --------------------------------------------------------------- */

static struct conf_server servers[BENCH_ORIGINS], other_server;
static struct conf_upstream groups[2];

static unsigned or_default(unsigned value, unsigned fallback)
{
	return value ? value : fallback;
}

static void group_fill(struct conf_upstream *g, const char *name, struct conf_server *list,
		       unsigned n)
{
	const struct options *o = &bench.options;

	*g = (struct conf_upstream){
		.name = name,
		.servers = list,
		.servers_count = n,
		.health = {.on = o->check_ms > 0,
			   .path = o->check_path,
			   .interval_ms = o->check_ms,
			   .timeout_ms = 500,
			   .fall = 2,
			   .rise = 2,
			   .expect_min = 200,
			   .expect_max = 399,
			   .max_fails = o->max_fails,
			   .eject_ms = o->eject_ms},
		.connect_timeout_ms = or_default(o->connect_ms, 1000),
		.response_timeout_ms = or_default(o->response_ms, 5000),
		.idle_timeout_ms = 3000,
		.keepalive = o->keepalive == UINT32_MAX ? 0 : or_default(o->keepalive, 8),
		.limits = o->limits,
		.retries = o->retries == UINT32_MAX ? 0 : or_default(o->retries, 2),
	};
}

void bench_upstreams(unsigned first, unsigned count)
{
	char text[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "10.0.0.2:%u", 8000 + first + i);
		servers[i].weight = 1;
		servers[i].max_connections = bench.options.server_connections;
		assert_int_equal(endpoint_parse(text, &servers[i].endpoint), 0);
	}
	other_server.weight = 1;
	assert_int_equal(endpoint_parse("10.0.0.2:8002", &other_server.endpoint), 0);
	group_fill(&groups[0], "web", servers, count);
	group_fill(&groups[1], "other", &other_server, 1);
	bench.conf.upstreams = groups;
	bench.conf.upstreams_count = or_default(bench.options.groups, 1);
	assert_int_equal(upstreams_apply(bench.upstreams, &bench.conf, bench.version + 1), 0);
}

static void functions_add(void)
{
	for (uint16_t i = 0; i < BENCH_FUNCTIONS; i++) {
		static const char *const names[] = {"one", "two", "three", "four"};
		struct conf_function f = {.name = names[i],
					  .on_failure = bench.options.on_failure[i]};

		assert_int_equal(engine_function_add(bench.engine, i, &f), 0);
	}
}

void bench_reload(unsigned path)
{
	static const uint16_t ids[BENCH_FUNCTIONS] = {0, 1, 2, 3};
	const struct options *o = &bench.options;
	struct endpoint listen;
	struct engine_chain chain = {
		.name = "www",
		.stream = o->stream,
		.listens = &listen,
		.listens_count = 1,
		.path = ids,
		.path_length = path,
		.branches = o->branches,
		.branches_count = o->branches_count,
		.head_timeout_ms = or_default(o->head_ms, 5000),
		.idle_timeout_ms = or_default(o->idle_ms, 10000),
		.body_timeout_ms = or_default(o->body_ms, 5000),
		.max_head_bytes = or_default(o->max_head_bytes, 32768),
		.max_fields = or_default(o->max_fields, 100),
		.max_target_bytes = or_default(o->max_target_bytes, 8192),
		.min_body_bytes_per_s = o->min_body_bytes_per_s,
		.max_requests = o->max_requests,
		.max_age_ms = o->max_age_ms,
		.upgrades = &o->upgrade,
		.upgrades_count = o->upgrade != NULL,
		.connect = o->connect,
		.tunnel_timeout_ms = or_default(o->tunnel_ms, 60000),
		.tcp.recv_buffer_bytes = o->recv_kb << 10,
		.tcp.send_buffer_bytes = o->send_kb << 10,
	};

	assert_int_equal(endpoint_parse("10.0.0.1:80", &listen), 0);
	assert_int_equal(engine_chains_set(bench.engine, ++bench.version, &chain, 1), 0);
}

static void engine_open(void)
{
	struct engine_env env = {.worker = 0,
				 .stack = bench.near,
				 .regions = &bench.regions,
				 .rx = bench.rx,
				 .messages = bench.messages,
				 .upstreams = bench.upstreams,
				 .data = pools.data,
				 .ref = pools.ref,
				 .max_exchanges = bench.options.max_exchanges,
				 .max_clients = bench.options.max_clients,
				 .recalls = bench.options.recalls};

	assert_int_equal(engine_create(&env, bench.now_us, &bench.engine), 0);
	functions_add();
	bench_reload(bench.options.path);
	for (unsigned i = 0; i < bench.options.path && !bench.options.no_functions_up; i++)
		fake_up(i, bench.options.stream
				   ? ENGINE_HOOK_OPEN | ENGINE_HOOK_DONE
				   : ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD |
					     ENGINE_HOOK_DONE);
}

void bench_open(const struct options *options)
{
	memset(&bench, 0, sizeof(bench));
	lost.rx = rte_mempool_in_use_count(pools.rx);
	lost.data = rte_mempool_in_use_count(pools.data);
	lost.ref = rte_mempool_in_use_count(pools.ref);
	lost.header = rte_mempool_in_use_count(pools.header);
	lost.control = rte_mempool_in_use_count(pools.control);
	bench.options = *options;
	bench.options.max_exchanges = or_default(options->max_exchanges, 64);
	bench.now_us = 1000000;
	regions_open();
	stacks_open();
	assert_int_equal(upstreams_create(bench.upstream_view, &bench.upstreams), 0);
	bench_upstreams(0, or_default(options->servers, 1));
	for (unsigned i = 0; i < BENCH_ORIGINS; i++)
		origin_listen(i, true);
	engine_open();
}

/* --- the loop -------------------------------------------------------------------- */

static void watch(void)
{
	struct engine_buffers_info info;

	engine_buffers(bench.engine, &info);
	if (info.held_bytes > bench.held_most)
		bench.held_most = info.held_bytes;
}

static void near_turn(void)
{
	stack_advance(bench.near, bench.now_us);
	wire_deliver(&to_near, bench.near);
	stack_deliver(bench.near);
	engine_poll(bench.engine, bench.now_us);
	stack_flush(bench.near);
	if (bench.options.far_only)
		engine_publish_far(bench.engine);
	else
		engine_publish(bench.engine);
	watch();
}

void bench_step(void)
{
	bench.now_us += BENCH_STEP_US;
	near_turn();
	fakes_turn();
	stack_advance(bench.far, bench.now_us);
	wire_deliver(&to_far, bench.far);
	stack_deliver(bench.far);
	peers_turn();
	stack_flush(bench.far);
}

void bench_run_ms(unsigned ms)
{
	uint64_t end = bench.now_us + (uint64_t)ms * 1000;

	while (bench.now_us < end)
		bench_step();
}

uint64_t bench_counter_at(size_t offset)
{
	return *(const uint64_t *)((const uint8_t *)engine_counters(bench.engine) + offset);
}

static void print_flow(void *ctx, const struct engine_flow_info *flow)
{
	(void)ctx;
	print_error("client :%u %s, in %lu out %lu\n", flow->client.port, flow->state,
		    flow->bytes_in, flow->bytes_out);
}

static void print_instance(void *ctx, const struct engine_instance_info *i)
{
	(void)ctx;
	print_error("instance %u of function %u: holds %u, depth %u, offences %lu%s\n", i->instance,
		    i->function, i->held, i->depth, i->offences, i->broken ? ", broken" : "");
}

void bench_in_vain(const char *file, int line, const char *what)
{
	engine_flows_each(bench.engine, print_flow, NULL);
	engine_instances_each(bench.engine, print_instance, NULL);
	fail_msg("%s:%d: in vain: %s", file, line, what);
}

/* --- the end --------------------------------------------------------------------- */

static void pool_full(const struct rte_mempool *pool, const unsigned *before)
{
	unsigned now = rte_mempool_in_use_count(pool);

	if (now > *before)
		fail_msg("%u mbufs of pool %s are lost", now - *before, pool->name);
}

void bench_check_idle(void)
{
	struct engine_buffers_info info;

	engine_buffers(bench.engine, &info);
	assert_int_equal(info.exchanges, 0);
	assert_int_equal(info.heads, 0);
	assert_int_equal(info.pieces, 0);
	assert_int_equal(info.leases, 0);
	assert_int_equal(info.held_bytes, 0);
	for (uint32_t i = 0; i < upstreams_servers(bench.upstreams); i++)
		assert_int_equal(upstreams_view(bench.upstreams)->server[i].active, 0);
}

uint32_t bench_rx_in_use(void)
{
	return rte_mempool_in_use_count(pools.rx);
}

static void wires_clear(void)
{
	while (to_near.count)
		rte_pktmbuf_free(to_near.frame[--to_near.count]);
	while (to_far.count)
		rte_pktmbuf_free(to_far.frame[--to_far.count]);
}

static void everything_free(void)
{
	while (bench.fakes_count)
		fake_free(bench.fakes[--bench.fakes_count]);
	stack_destroy(bench.near);
	stack_destroy(bench.far);
	wires_clear();
	peers_free();
	upstreams_destroy(bench.upstreams);
	region_remove(&bench.regions, bench.upstream_view);
	region_remove(&bench.regions, bench.messages);
	region_remove(&bench.regions, bench.rx);
	pool_full(pools.rx, &lost.rx);
	pool_full(pools.data, &lost.data);
	pool_full(pools.ref, &lost.ref);
	pool_full(pools.header, &lost.header);
	pool_full(pools.control, &lost.control);
}

void bench_close(void)
{
	peers_end();
	bench_run_ms(300);
	assert_int_equal(engine_connections(bench.engine), 0);
	bench_check_idle();
	for (unsigned i = 0; i < bench.fakes_count; i++) {
		fake_down(bench.fakes[i]);
		assert_int_equal(engine_arena_leases(bench.engine, bench.fakes[i]->arena->id), 0);
	}
	engine_destroy(bench.engine);
	everything_free();
}

void bench_destroy(void)
{
	engine_destroy(bench.engine);
	for (unsigned i = 0; i < bench.fakes_count; i++)
		bench.fakes[i]->up_known = false;
	everything_free();
}
