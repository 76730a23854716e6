/* SPDX-License-Identifier: BSD-3-Clause */
/* Chains and functions that come and go while exchanges are under way; what is full; what takes too
 * long. */
#include <errno.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/chain/engine/bench_internal.h"

static const struct options plain;

static struct {
	unsigned total, draining, connections, exchanges;
	uint64_t status2, in, out;
} chains;

static void count_chain(void *ctx, const struct engine_chain_info *info)
{
	(void)ctx;
	chains.total++;
	chains.draining += info->draining;
	chains.connections += info->connections;
	chains.exchanges += info->exchanges;
	chains.status2 += info->status[2];
	chains.in += info->bytes_in;
	chains.out += info->bytes_out;
}

static void count_chains(void)
{
	memset(&chains, 0, sizeof(chains));
	engine_chains_each(bench.engine, count_chain, NULL);
}

/* --- reload ---------------------------------------------------------------------- */

static void test_reload(void **state)
{
	struct options options = {.path = 1};
	struct peer *old, *young, *o, *o2;

	(void)state;
	bench_open(&options);
	old = client_open();
	say(old, GET("/1"));
	o = origin_accept(0);
	hear_head(o);
	bench_reload(2);
	fake_up(1, ENGINE_HOOK_REQUEST_HEAD);
	count_chains();
	assert_int_equal(chains.total, 2);
	assert_int_equal(chains.draining, 1);
	young = client_open();
	say(young, GET("/2"));
	o2 = origin_accept(0);
	hear_head(o2);
	assert_int_equal(bench.fakes[0]->heads[0], 2);
	assert_int_equal(bench.fakes[1]->heads[0], 1);
	say(o, OK(1) "a");
	head_has(hear_head(old),
		 "Connection: close\r\n"); /* so that it comes back to the new chain */
	hear(old, "a");
	hear_end(old);
	peer_shut(old);
	say(o2, OK(1) "b");
	head_lacks(hear_head(young), "Connection: close\r\n");
	hear(young, "b");
	bench_run_ms(5);
	count_chains();
	assert_int_equal(chains.total, 1);
	assert_int_equal(chains.status2, 1);
	assert_true(chains.in > 20 && chains.out > 20);
	bench_close();
}

/* Who was told that its connection stays may send another request on it. */
static void test_reload_in_an_answer(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/1"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2) "a");
	head_lacks(hear_head(c), "Connection: close\r\n");
	hear(c, "a");
	bench_reload(0);
	say(o, "b");
	hear(c, "b");
	bench_run_ms(500);
	assert_false(c->ended);
	say(c, GET("/2"));
	hear_head(o);
	say(o, OK(0));
	head_has(hear_head(c), "Connection: close\r\n");
	hear_end(c);
	bench_close();
}

/* Connections that do nothing do not keep an old version for long, and are not cut in a request. */
static void test_reload_idle(void **state)
{
	struct peer *idle, *late, *o;

	(void)state;
	bench_open(&plain);
	idle = client_open();
	late = client_open();
	bench_run_ms(5);
	bench_reload(0);
	bench_run_ms(500);
	assert_false(idle->ended);
	say(late, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	bench_run_ms(700);
	assert_true(idle->ended);
	say(o, OK(0));
	head_has(hear_head(late), "Connection: close\r\n");
	hear_end(late);
	peer_shut(late);
	bench_run_ms(5);
	count_chains();
	assert_int_equal(chains.total, 1);
	bench_close();
}

static void test_reload_refused(void **state)
{
	static const uint16_t unknown[] = {77}, known[] = {0};
	struct endpoint listen[2];
	struct engine_chain chain = {.name = "bad",
				     .listens = listen,
				     .listens_count = 2,
				     .path = unknown,
				     .path_length = 1,
				     .max_head_bytes = 1000,
				     .max_target_bytes = 1000,
				     .max_fields = 10};
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	assert_int_equal(endpoint_parse("10.0.0.1:80", &listen[0]), 0);
	assert_int_equal(endpoint_parse("10.0.0.1:81", &listen[1]), 0);
	assert_int_equal(engine_chains_set(bench.engine, 9, &chain, 1), -ENOENT);
	chain.path = known;
	assert_int_equal(endpoint_parse("10.9.9.9:81", &listen[1]), 0); /* not ours */
	assert_int_not_equal(engine_chains_set(bench.engine, 9, &chain, 1), 0);
	listen[1] = listen[0];
	assert_int_equal(engine_chains_set(bench.engine, 9, &chain, 1), -EADDRINUSE);
	assert_int_equal(endpoint_parse("10.0.0.1:81", &listen[1]), 0);
	chain.tcp.congestion = "unheard of";
	assert_int_equal(engine_chains_set(bench.engine, 9, &chain, 1), -ENOENT);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	head_lacks(hear_head(c), "Connection: close");
	count_chains();
	assert_int_equal(chains.total, 1);
	bench_close();
}

static void test_listeners(void **state)
{
	struct endpoint listen;
	struct engine_chain chain = {.name = "other",
				     .listens = &listen,
				     .listens_count = 1,
				     .head_timeout_ms = 1000,
				     .idle_timeout_ms = 1000,
				     .body_timeout_ms = 1000,
				     .max_head_bytes = 1000,
				     .max_target_bytes = 1000,
				     .max_fields = 10};
	struct peer *c;

	(void)state;
	bench_open(&plain);
	assert_int_equal(endpoint_parse("10.0.0.1:81", &listen), 0);
	assert_int_equal(engine_chains_set(bench.engine, 2, &chain, 1), 0);
	c = client_open_at(80);
	assert_true(c->closed);
	c = client_open_at(81);
	assert_true(c->opened);
	bench_close();
}

static void test_functions_go(void **state)
{
	struct options options = {.path = 1};
	struct conf_function f = {.name = "again"};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	bench_reload(0);
	engine_function_remove(bench.engine,
			       0); /* too early: it stays until the old chain is gone */
	assert_int_equal(engine_function_add(bench.engine, 0, &f), -EEXIST);
	say(o, OK(0));
	hear_head(c);
	hear_end(c);
	peer_shut(c);
	bench_run_ms(10);
	bench.fakes[0]->up_known = false;
	assert_int_equal(engine_function_add(bench.engine, 0, &f), 0);
	assert_int_equal(engine_function_add(bench.engine, ENGINE_FUNCTIONS_MAX, &f), -EINVAL);
	bench_close();
}

static void test_upstreams_change(void **state)
{
	struct options options = {.servers = 1};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	bench_upstreams(1, 1); /* the server is another one now */
	say(o, OK(0));
	hear_head(c);
	until(o->ended || o->closed); /* and a connection to the old one is not kept */
	say(c, GET("/"));
	o = origin_accept(1);
	hear_head(o);
	bench_close();
}

static void test_drain(void **state)
{
	struct peer *busy, *idle, *o;

	(void)state;
	bench_open(&plain);
	busy = client_open();
	idle = client_open();
	say(busy, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	engine_drain(bench.engine);
	hear_end(idle);
	assert_true(client_open_at(80)->closed);
	say(o, OK(2) "hi");
	head_has(hear_head(busy), "Connection: close\r\n");
	hear(busy, "hi");
	hear_end(busy);
	bench_run_ms(20);
	assert_true(o->ended || o->closed); /* it is not kept: no other request will come */
	peer_shut(busy);
	peer_shut(idle);
	until(engine_connections(bench.engine) == 0);
	assert_int_equal(engine_exchanges(bench.engine), 0);
	bench_close();
}

/* A server that answers nothing has a check under way all the time: nobody waits for that. */
static void test_drain_ends_checks(void **state)
{
	struct options options = {.servers = 1, .check_ms = 20, .check_path = "/health"};
	uint64_t checks;

	(void)state;
	bench_open(&options);
	bench_run_ms(50);
	assert_true(tcp_count(bench.near) > 0);
	engine_drain(bench.engine);
	bench_run_ms(1);
	assert_int_equal(tcp_count(bench.near), 0);
	checks = counted(health_checks);
	bench_run_ms(200);
	assert_int_equal(tcp_count(bench.near), 0);
	assert_int_equal(counted(health_checks), checks);
	bench_close();
}

/* --- what is full ---------------------------------------------------------------- */

static void test_exchanges_full(void **state)
{
	struct options options = {.max_exchanges = 4, .max_clients = 16};
	struct peer *c[8];

	(void)state;
	bench_open(&options);
	for (unsigned i = 0; i < 8; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
	}
	bench_run_ms(20);
	assert_int_equal(engine_exchanges(bench.engine), 4);
	assert_int_equal(counted(exchanges_full), 4);
	bench.serve = OK(0);
	for (unsigned i = 0; i < 8; i++)
		head_has(hear_head(c[i]), "HTTP/1.1 200 ");
	bench_close();
}

static void hold_requests(struct fake *fake, const struct sluice_down *down)
{
	if (down->kind != SLUICE_DOWN_REQUEST_HEAD)
		fake_pass(fake, down);
}

/* A chain that stands still does not take the exchanges of the others. */
static void test_shares(void **state)
{
	static const uint16_t path[] = {0};
	struct options options = {.path = 1, .max_exchanges = 16, .max_clients = 64};
	struct endpoint listen[2];
	struct engine_chain chain = {.name = "still",
				     .listens = &listen[0],
				     .listens_count = 1,
				     .path = path,
				     .path_length = 1,
				     .head_timeout_ms = 5000,
				     .idle_timeout_ms = 5000,
				     .body_timeout_ms = 5000,
				     .max_head_bytes = 1000,
				     .max_target_bytes = 1000,
				     .max_fields = 10};
	struct engine_chain two[2] = {chain, chain};
	struct peer *c;

	(void)state;
	bench_open(&options);
	assert_int_equal(endpoint_parse("10.0.0.1:80", &listen[0]), 0);
	assert_int_equal(endpoint_parse("10.0.0.1:81", &listen[1]), 0);
	two[1].name = "brisk";
	two[1].listens = &listen[1];
	two[1].path_length = 0;
	assert_int_equal(engine_chains_set(bench.engine, 2, two, 2), 0);
	bench.fakes[0]->on = hold_requests;
	bench.serve = OK(0);
	for (unsigned i = 0; i < 32; i++)
		say(client_open_at(80), GET("/"));
	bench_run_ms(20);
	assert_in_range(engine_exchanges(bench.engine), 8, 12);
	for (unsigned i = 0; i < 20; i++) {
		c = client_open_at(81);
		say(c, GET("/"));
		head_has(hear_head(c), "HTTP/1.1 200 ");
	}
	bench_close();
}

static void test_exchanges_full_for_long(void **state)
{
	struct options options = {.max_exchanges = 1, .max_clients = 4, .head_ms = 300};
	struct peer *c[2];

	(void)state;
	bench_open(&options);
	for (unsigned i = 0; i < 2; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
		bench_run_ms(5);
	}
	head_has(hear_head(c[1]), "HTTP/1.1 503 ");
	bench_close();
}

static void test_clients_full(void **state)
{
	struct options options = {.max_clients = 2};
	struct peer *c[3];

	(void)state;
	bench_open(&options);
	for (unsigned i = 0; i < 3; i++)
		c[i] = client_open();
	hear_reset(c[2]);
	assert_int_equal(counted(clients_refused), 1);
	assert_false(c[0]->closed || c[1]->closed);
	bench_close();
}

/* Pools that are empty for a while: everything waits, nothing is lost. */
static void test_no_memory(void **state)
{
	static struct rte_mbuf *taken[16385];
	struct rte_mempool *empty[] = {pools.data, pools.ref};
	struct peer *c, *o;
	unsigned n;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		bench_open(&plain);
		c = client_open();
		say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		       "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
		for (n = 0; (taken[n] = rte_pktmbuf_alloc(empty[i])); n++)
			;
		bench_run_ms(20);
		while (n)
			rte_pktmbuf_free(taken[--n]);
		assert_true(counted(starved) > 0 || i == 1); /* without `ref` the stack copies */
		o = origin_accept(0);
		hear_head(o);
		hear(o, "5\r\nhello\r\n0\r\n\r\n");
		for (n = 0; (taken[n] = rte_pktmbuf_alloc(empty[i])); n++)
			;
		say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		       "chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
		bench_run_ms(20);
		while (n)
			rte_pktmbuf_free(taken[--n]);
		hear_head(c);
		hear(c, "6\r\nabcdef\r\n0\r\n\r\n");
		bench_close();
	}
}

/* --- what takes too long --------------------------------------------------------- */

static void test_head_timeout(void **state)
{
	struct options options = {.head_ms = 200, .idle_ms = 400};
	struct peer *slow, *idle;

	(void)state;
	bench_open(&options);
	idle = client_open();
	slow = client_open();
	for (unsigned i = 0; i < 4; i++) {
		say(slow, "GET");
		bench_run_ms(40);
	}
	head_has(hear_head(slow), "HTTP/1.1 408 ");
	until(slow->ended);
	assert_false(idle->ended);
	bench_run_ms(250);
	assert_true(idle->ended);
	assert_int_equal(counted(timeouts_head), 1);
	assert_int_equal(counted(clients_idle_closed), 1);
	bench_close();
}

static void test_request_body_timeout(void **state)
{
	struct options options = {.body_ms = 200};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
	o = origin_accept(0);
	hear_head(o);
	head_has(hear_head(c), "HTTP/1.1 408 ");
	hear_reset(o);
	assert_int_equal(counted(timeouts_body), 1);
	bench_close();
}

static void test_slow_reader_timeout(void **state)
{
	struct options options = {.body_ms = 300, .send_kb = 64};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(8000000));
	hear_head(c);
	peer_pause(c, true);
	say_pattern(o, 0, 8000000);
	hear_reset(o);
	peer_pause(c, false);
	until(c->closed);
	assert_int_equal(counted(timeouts_body), 1);
	bench_close();
}

static void test_function_timeout(void **state)
{
	struct options options = {.path = 1};
	struct peer *c;

	(void)state;
	bench_open(&options);
	bench.fakes[0]->on = hold_requests;
	c = client_open();
	say(c, GET("/"));
	bench_run_ms(59000);
	assert_int_equal(c->in_len, 0);
	bench_run_ms(1500);
	head_has(hear_head(c), "HTTP/1.1 504 ");
	assert_int_equal(counted(timeouts_function), 1);
	bench_close();
}

/* An engine may be destroyed in the midst of everything. */
static void test_destroy(void **state)
{
	struct options options = {.path = 2};
	struct peer *c[3], *o;

	(void)state;
	bench_open(&options);
	for (unsigned i = 0; i < 3; i++) {
		c[i] = client_open();
		say(c[i], GET("/"));
		bench.fakes[1]->on = i == 1 ? hold_requests : fake_pass;
		bench_run_ms(3);
	}
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(1000000));
	say_pattern(o, 0, 500000);
	bench_run_ms(10);
	bench.fakes[0]->stopped = true;
	peer_abort(c[0]);
	bench_run_ms(5);
	bench_destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_reload_in_an_answer),
		cmocka_unit_test(test_reload_idle),
		cmocka_unit_test(test_reload_refused),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_functions_go),
		cmocka_unit_test(test_upstreams_change),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_drain_ends_checks),
		cmocka_unit_test(test_exchanges_full),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_exchanges_full_for_long),
		cmocka_unit_test(test_clients_full),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_head_timeout),
		cmocka_unit_test(test_request_body_timeout),
		cmocka_unit_test(test_slow_reader_timeout),
		cmocka_unit_test(test_function_timeout),
		cmocka_unit_test(test_destroy),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
