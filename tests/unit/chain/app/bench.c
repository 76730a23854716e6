/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/chain/app/bench.h"

#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/support/eal.h"

#define STEP_US  100
#define WIRE_MAX 8192

struct bench bench;

/* In this order: near's receive buffers, headers, control, references; then far's. */
enum { RX, HEADER, CONTROL, REF, POOLS_EACH };
static struct rte_mempool *pools[2][POOLS_EACH];

static struct wire {
	struct rte_mbuf *frame[WIRE_MAX];
	unsigned count;
	struct rte_mempool *into;
} to_near, to_far;

static struct endpoint listens[1];

uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7);
}

/* --- memory, wire, stacks ---------------------------------------------------------------- */

int bench_start(void **state)
{
	static const char *const names[2][POOLS_EACH] = {{"rx", "header", "control", "ref"},
							 {"frx", "fheader", "fcontrol", "fref"}};

	(void)state;
	if (eal_start())
		return -1;
	for (unsigned side = 0; side < 2; side++) {
		pools[side][RX] = eal_pool(names[side][RX], 8000, 2048);
		pools[side][HEADER] = eal_pool(names[side][HEADER], 8192, 512);
		pools[side][CONTROL] = eal_pool(names[side][CONTROL], 1024, 512);
		pools[side][REF] = eal_pool(names[side][REF], 8192, 0);
		for (unsigned i = 0; i < POOLS_EACH; i++)
			if (!pools[side][i])
				return -1;
	}
	return 0;
}

static void wire_put(struct wire *wire, struct rte_mbuf *pkt)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(pkt, wire->into, 0, UINT32_MAX);

	rte_pktmbuf_free(pkt);
	assert_non_null(copy);
	assert_true(wire->count < WIRE_MAX);
	wire->frame[wire->count++] = copy;
}

static void near_output(void *ctx, uint16_t port, struct rte_mbuf *pkt)
{
	(void)ctx;
	(void)port;
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
	for (unsigned i = 0; i < wire->count; i++)
		stack_input(stack, 0, &wire->frame[i], 1);
	wire->count = 0;
}

static struct stack *stack_open(unsigned side, const struct stack_ops *ops, const char *address)
{
	const struct stack_pools from = {.header = pools[side][HEADER],
					 .control = pools[side][CONTROL],
					 .ref = pools[side][REF]};
	const struct stack_conf conf = {
		.max_conns = 1024, .secret = {1, (uint8_t)side}, .memory_bytes = 64 << 20};
	const struct stack_port_conf port = {.mac = {2, 0, 0, 0, 0, (uint8_t)(side + 1)},
					     .mtu = 1500,
					     .offloads = STACK_TX_MULTI_SEG,
					     .name = "wire"};
	struct stack *stack;
	struct addr addr;

	assert_int_equal(stack_create(&conf, &from, ops, NULL, bench.now_us, &stack), 0);
	assert_int_equal(stack_port_add(stack, 0, &port), 0);
	assert_int_equal(addr_parse(address, &addr), 0);
	assert_int_equal(stack_address_add(stack, 0, &addr, 24), 0);
	return stack;
}

/* --- the account ------------------------------------------------------------------------- */

static uint32_t or_else(uint32_t value, uint32_t usual)
{
	return value ? value : usual;
}

static void terms_fill(const struct options *options)
{
	const struct options none = {0}, *o = options ? options : &none;

	assert_int_equal(endpoint_parse("10.0.0.1:7000", &listens[0]), 0);
	bench.terms = (struct app_terms){
		.name = "played",
		.listens = listens,
		.listens_count = 1,
		.conns = or_else(o->conns, 16),
		.blocks = or_else(o->blocks, 256),
		.leases = or_else(o->leases, 64),
		.recv_bytes = 64 << 10,
		.send_bytes = 256 << 10,
		.hang_ms = o->hang_ms,
	};
}

void app_begin(void)
{
	const struct link_sizes sizes = {.entries = 64, .up_entries = 64};
	struct app_link link = {.id = 1, .terms = &bench.terms};

	assert_int_equal(region_create_shared(&bench.regions, REGION_ARENA, "arena",
					      BENCH_ARENA_BYTES, &bench.arena),
			 0);
	assert_int_equal(region_create_sealed(&bench.regions, REGION_RX, "rx",
					      (uint64_t)bench.terms.blocks * SLUICE_APP_BLOCK_BYTES,
					      &bench.rx),
			 0);
	assert_int_equal(link_create(&sizes, bench.bell, &bench.link), 0);
	bench.own = mmap(NULL, BENCH_ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			 bench.arena->sources[0].fd, 0);
	assert_ptr_not_equal(bench.own, MAP_FAILED);
	nf_side_map(&bench.side, bench.link);
	bench.consumed = bench.produced = 0;
	link.link = bench.link;
	link.arena = bench.arena;
	link.rx = bench.rx;
	assert_int_equal(app_create(&link, &bench.app), 0);
	apps_attach(bench.apps, bench.app);
}

void app_end(void)
{
	apps_detach(bench.app);
	nf_side_unmap(&bench.side);
	link_destroy(bench.link);
	region_remove(&bench.regions, bench.rx);
	until(!app_leases(bench.app));
	app_destroy(bench.app);
	region_remove(&bench.regions, bench.arena);
	munmap(bench.own, BENCH_ARENA_BYTES);
	bench.app = NULL;
}

/* --- the bench --------------------------------------------------------------------------- */

void bench_open(const struct options *options)
{
	static const struct stack_ops near_ops = {.output = near_output};
	static const struct stack_ops far_ops = {.output = far_output};
	struct apps_env env = {.ref = pools[0][REF]};

	bench = (struct bench){.now_us = 1000000};
	to_near = (struct wire){.into = pools[0][RX]};
	to_far = (struct wire){.into = pools[1][RX]};
	bench.bell = eventfd(0, EFD_NONBLOCK);
	bench.alarm = env.alarm_fd = eventfd(0, EFD_NONBLOCK);
	bench.near = stack_open(0, &near_ops, "10.0.0.1");
	bench.far = stack_open(1, &far_ops, "10.0.0.2");
	env.stack = bench.near;
	terms_fill(options);
	assert_int_equal(apps_create(&env, &bench.apps), 0);
	app_begin();
}

static void pools_check(void)
{
	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = 0; i < POOLS_EACH; i++)
			assert_int_equal(rte_mempool_in_use_count(pools[side][i]), 0);
}

void bench_close(void)
{
	struct client *c;

	for (c = bench.clients; c; c = c->next)
		if (c->conn)
			tcp_abort(c->conn);
	bench_run_ms(5);
	if (bench.app)
		app_end();
	bench_run_ms(5);
	apps_destroy(bench.apps);
	stack_destroy(bench.near);
	stack_destroy(bench.far);
	for (unsigned i = 0; i < to_near.count; i++)
		rte_pktmbuf_free(to_near.frame[i]);
	for (unsigned i = 0; i < to_far.count; i++)
		rte_pktmbuf_free(to_far.frame[i]);
	while ((c = bench.clients)) {
		bench.clients = c->next;
		free(c);
	}
	close(bench.bell);
	close(bench.alarm);
	pools_check();
}

/* --- clients ----------------------------------------------------------------------------- */

static void on_opened(struct tcp_conn *conn, void *user)
{
	(void)conn;
	((struct client *)user)->opened = true;
}

static void on_event(struct tcp_conn *conn, void *user)
{
	(void)conn;
	(void)user;
}

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct client *c = user;

	(void)conn;
	c->conn = NULL;
	c->closed = true;
	c->reason = reason;
}

static const struct tcp_handlers client_handlers = {
	.opened = on_opened, .readable = on_event, .writable = on_event, .closed = on_closed};

static void client_hear(struct client *c)
{
	struct rte_mbuf *chain;

	while (c->conn && (chain = tcp_recv(c->conn, UINT32_MAX))) {
		for (const struct rte_mbuf *m = chain; m; m = m->next) {
			for (uint32_t i = 0; i < m->data_len; i++)
				c->sum += rte_pktmbuf_mtod(m, const uint8_t *)[i];
			c->heard += m->data_len;
		}
		rte_pktmbuf_free(chain);
	}
	c->ended = c->ended || (c->conn && tcp_recv_ended(c->conn));
}

static struct rte_mbuf *saying(uint64_t at, uint16_t bytes)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pools[1][RX]);
	char *data;

	assert_non_null(m);
	data = rte_pktmbuf_append(m, bytes);
	for (uint16_t i = 0; i < bytes; i++)
		data[i] = (char)pattern(at + i);
	return m;
}

static void client_turn(struct client *c)
{
	if (!c->deaf)
		client_hear(c);
	while (c->conn && c->to_say && tcp_send_room(c->conn) > 1000) {
		uint16_t bytes = c->to_say < 1000 ? (uint16_t)c->to_say : 1000;

		assert_int_equal(tcp_send(c->conn, saying(c->said, bytes)), 0);
		c->said += bytes;
		c->to_say -= bytes;
	}
}

struct client *client_open(uint16_t port)
{
	struct client *c = calloc(1, sizeof(*c));
	struct endpoint remote = listens[0];

	assert_non_null(c);
	remote.port = port;
	c->next = bench.clients;
	bench.clients = c;
	assert_int_equal(tcp_connect(bench.far, &remote, NULL, &client_handlers, c, &c->conn), 0);
	until(c->opened || c->closed);
	return c;
}

void client_say(struct client *c, uint64_t bytes)
{
	c->to_say += bytes;
}

void client_reset(struct client *c)
{
	tcp_abort(c->conn);
	c->conn = NULL;
}

/* --- turns ------------------------------------------------------------------------------- */

void bench_step(void)
{
	bench.now_us += STEP_US;
	stack_advance(bench.near, bench.now_us);
	wire_deliver(&to_near, bench.near);
	stack_deliver(bench.near);
	apps_poll(bench.apps, bench.now_us);
	stack_flush(bench.near);
	apps_publish(bench.apps);
	stack_advance(bench.far, bench.now_us);
	wire_deliver(&to_far, bench.far);
	stack_deliver(bench.far);
	for (struct client *c = bench.clients; c; c = c->next)
		client_turn(c);
	stack_flush(bench.far);
}

void bench_run_ms(unsigned ms)
{
	for (uint64_t end = bench.now_us + (uint64_t)ms * 1000; bench.now_us < end;)
		bench_step();
}

/* --- the application's words ------------------------------------------------------------- */

void say(struct sluice_app_up up)
{
	uint32_t entries = bench.side.down->up_entries;

	if (!bench.app)
		return;
	while (!app_verdict(bench.app) &&
	       bench.produced - __atomic_load_n(&bench.side.down->up_consumed, __ATOMIC_ACQUIRE) >=
		       entries)
		bench_step();
	memcpy(&bench.side.up_ring[bench.produced++ & (entries - 1)], &up, sizeof(up));
	__atomic_store_n(&bench.side.up->produced, bench.produced, __ATOMIC_RELEASE);
}

void say_listen(uint32_t number, uint16_t port)
{
	struct sluice_app_up up = {.kind = SLUICE_APP_LISTEN, .conn = number};

	up.peer = (struct sluice_peer){.family = 4, .port = port};
	memcpy(up.peer.bytes, listens[0].addr.bytes, 4);
	say(up);
}

bool hears(struct sluice_app_down *out)
{
	uint32_t at = bench.consumed & (bench.side.down->entries - 1);

	if (bench.consumed == __atomic_load_n(&bench.side.down->produced, __ATOMIC_ACQUIRE))
		return false;
	memcpy(out, &bench.side.ring[at], sizeof(*out));
	__atomic_store_n(&bench.side.up->down_consumed, ++bench.consumed, __ATOMIC_RELEASE);
	return true;
}

struct sluice_app_down hear(enum sluice_app_down_kind kind)
{
	struct sluice_app_down down;

	until(hears(&down));
	assert_int_equal(down.kind, kind);
	return down;
}

void say_send(uint32_t conn, uint32_t generation, uint64_t offset, uint32_t len, uint32_t tag)
{
	struct sluice_app_up up = {
		.kind = SLUICE_APP_SEND, .conn = conn, .generation = generation, .count = 1};

	up.slice[0] = (struct sluice_slice){sluice_ref(bench.arena->id, offset), len, tag};
	say(up);
}

void say_close(uint32_t conn, uint32_t generation, uint8_t flags)
{
	say((struct sluice_app_up){
		.kind = SLUICE_APP_CLOSE, .conn = conn, .generation = generation, .flags = flags});
}

void say_free(const struct sluice_app_down *data)
{
	struct sluice_app_up up = {.kind = SLUICE_APP_FREE, .count = data->count};

	for (unsigned i = 0; i < data->count; i++)
		up.tag[i] = data->slice[i].tag;
	if (up.count)
		say(up);
}
