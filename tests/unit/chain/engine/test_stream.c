/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of tcp chains: data, ends and resets, both ways, with and without functions. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define DATA (ENGINE_HOOK_OPEN | ENGINE_HOOK_CLIENT_DATA | ENGINE_HOOK_SERVER_DATA)

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static void stream_open(unsigned path, struct peer **client, struct peer **origin)
{
	struct options options = {.stream = true, .path = path};

	bench_open(&options);
	*client = client_open();
	*origin = origin_accept(0);
}

/* A path of `path` functions that all see the data. */
static void data_open(unsigned path, enum conf_on_failure on_failure)
{
	struct options options = {.stream = true, .path = path, .no_functions_up = true};

	for (unsigned i = 0; i < path; i++)
		options.on_failure[i] = on_failure;
	bench_open(&options);
	for (unsigned i = 0; i < path; i++)
		fake_up(i, DATA | ENGINE_HOOK_DONE);
}

static void both_end(struct peer *client, struct peer *origin)
{
	peer_shut(client);
	hear_end(origin);
	peer_shut(origin);
	hear_end(client);
	until(client->closed && origin->closed);
	assert_int_equal(client->reason, TCP_CLOSED_NORMAL);
	assert_int_equal(origin->reason, TCP_CLOSED_NORMAL);
}

/* --- without functions that look at data ----------------------------------------- */

static void test_bytes_go_both_ways(void **state)
{
	struct peer *c, *o;

	(void)state;
	stream_open(1, &c, &o);
	say(c, "PING\r\n");
	hear(o, "PING\r\n");
	say(o, "+PONG\r\n");
	hear(c, "+PONG\r\n");
	both_end(c, o);
	assert_int_equal(f(0)->opens, 1);
	assert_int_equal(counted(streams), 1);
	assert_int_equal(counted(tunnels), 1);
	assert_int_equal(counted(requests), 0);
	bench_close();
}

static void test_the_server_may_speak_first(void **state)
{
	struct peer *c, *o;

	(void)state;
	stream_open(1, &c, &o);
	say(o, "220 hello\r\n");
	hear(c, "220 hello\r\n");
	bench_close();
}

static void test_much_goes_by_reference(void **state)
{
	enum { MUCH = 3 << 20 };
	struct peer *c, *o;

	(void)state;
	stream_open(1, &c, &o);
	say_pattern(c, 1, MUCH);
	say_pattern(o, 7, MUCH);
	hear_pattern(o, 1, MUCH);
	hear_pattern(c, 7, MUCH);
	both_end(c, o);
	assert_int_equal(counted(payload_referenced_bytes), 2 * MUCH);
	assert_int_equal(counted(payload_copied_bytes), 0);
	bench_close();
}

/* What one side does not read stays with the other: nothing is heaped up in between. */
static void test_a_slow_reader_holds_the_writer(void **state)
{
	enum { MUCH = 8 << 20 };
	struct options options = {.stream = true, .recv_kb = 64, .send_kb = 64};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	o = origin_accept(0);
	peer_pause(o, true);
	say_pattern(c, 3, MUCH);
	bench_run_ms(400);
	assert_true(c->out_len > MUCH / 2);
	peer_pause(o, false);
	hear_pattern(o, 3, MUCH);
	bench_close();
}

static void test_the_client_may_end_first(void **state)
{
	struct peer *c, *o;

	(void)state;
	stream_open(1, &c, &o);
	say(c, "all");
	peer_shut(c);
	hear(o, "all");
	hear_end(o);
	bench_run_ms(50);
	say_pattern(o, 5, 100000);
	hear_pattern(c, 5, 100000);
	peer_shut(o);
	hear_end(c);
	bench_close();
}

static void test_the_server_may_end_first(void **state)
{
	struct peer *c, *o;

	(void)state;
	stream_open(1, &c, &o);
	say(o, "bye");
	peer_shut(o);
	hear(c, "bye");
	hear_end(c);
	bench_run_ms(50);
	say_pattern(c, 5, 100000);
	hear_pattern(o, 5, 100000);
	peer_shut(c);
	hear_end(o);
	bench_close();
}

/* Bytes and FIN may be there before a server is. */
static void test_a_client_that_said_all_at_once(void **state)
{
	struct options options = {.stream = true, .path = 1};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	f(0)->on = fake_hold;
	c = client_open();
	say(c, "all");
	peer_shut(c);
	bench_run_ms(20);
	fake_pass(f(0), &f(0)->last[SLUICE_DOWN_OPEN]);
	o = origin_accept(0);
	hear(o, "all");
	hear_end(o);
	peer_shut(o);
	hear_end(c);
	bench_close();
}

/* There is no answer that a function could better: it is shown none. */
static void test_no_server_is_not_shown(void **state)
{
	struct options options = {.stream = true, .path = 1};
	struct peer *c;

	(void)state;
	bench_open(&options);
	bench.refuse[0] = true;
	c = client_open();
	until(c->ended || c->closed);
	until(f(0)->dones == 1);
	assert_int_equal(f(0)->heads[1], 0);
	bench.refuse[0] = false;
	bench_close();
}

static void test_resets_are_passed_on(void **state)
{
	struct peer *c, *o;

	(void)state;
	stream_open(1, &c, &o);
	say(c, "x");
	hear(o, "x");
	peer_abort(c);
	hear_reset(o);
	until(f(0)->dones == 1);
	assert_int_equal(f(0)->resets, 1);

	c = client_open();
	o = origin_accept(0);
	peer_abort(o);
	hear_reset(c);
	assert_int_equal(counted(tunnels_reset), 2);
	bench_close();
}

/* The server had ended its side; the reset comes after that. */
static void test_a_reset_after_an_end(void **state)
{
	struct peer *c, *o;

	(void)state;
	stream_open(1, &c, &o);
	peer_shut(o);
	hear_end(c);
	peer_abort(o);
	hear_reset(c);
	bench_close();
}

/* --- servers that are not there --------------------------------------------------- */

static void test_no_server_is_a_reset(void **state)
{
	struct options options = {.stream = true, .path = 1};
	struct peer *c;

	(void)state;
	bench_open(&options);
	origin_listen(0, false);
	c = client_open();
	hear_reset(c);
	assert_int_equal(counted(origin_unavailable), 1);
	assert_int_equal(counted(responses_own), 0);
	bench_close();
}

static void test_another_server_is_tried(void **state)
{
	struct options options = {.stream = true, .path = 1, .servers = 2};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	origin_listen(0, false);
	for (unsigned i = 0; i < 4; i++) {
		c = client_open();
		o = origin_accept(1);
		say(c, "x");
		hear(o, "x");
		both_end(c, o);
	}
	bench_close();
}

/* Connections are never used again, nor taken from those that are kept. */
static void test_every_client_has_a_connection_of_its_own(void **state)
{
	struct peer *c, *o;

	(void)state;
	stream_open(1, &c, &o);
	both_end(c, o);
	c = client_open();
	o = origin_accept(0);
	both_end(c, o);
	assert_int_equal(counted(origin_opened), 2);
	assert_int_equal(counted(origin_reused), 0);
	bench_close();
}

/* --- time ------------------------------------------------------------------------- */

static void test_silence_ends_it(void **state)
{
	struct options options = {.stream = true, .path = 1, .idle_ms = 300};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	o = origin_accept(0);
	for (unsigned i = 0; i < 4; i++) {
		bench_run_ms(200);
		say(o, "x");
		hear(c, "x");
	}
	hear_reset(c);
	hear_reset(o);
	assert_int_equal(counted(timeouts_tunnel), 1);
	bench_close();
}

static void test_all_exchanges_taken_means_waiting(void **state)
{
	struct options options = {.stream = true, .max_exchanges = 2, .max_clients = 8};
	struct peer *c[3], *o[2];

	(void)state;
	bench_open(&options);
	for (unsigned i = 0; i < 2; i++) {
		c[i] = client_open();
		o[i] = origin_accept(0);
	}
	c[2] = client_open();
	bench_run_ms(50);
	assert_false(origin_has_new(0));
	both_end(c[0], o[0]);
	say(c[2], "late");
	hear(origin_accept(0), "late");
	assert_int_equal(counted(exchanges_full), 1);
	bench_close();
}

/* --- functions that see the data --------------------------------------------------- */

static void test_functions_see_the_data(void **state)
{
	enum { MUCH = 1 << 20 };
	struct peer *c, *o;

	(void)state;
	data_open(2, CONF_FAIL_REJECT);
	c = client_open();
	o = origin_accept(0);
	say_pattern(c, 1, MUCH);
	say_pattern(o, 7, MUCH);
	hear_pattern(o, 1, MUCH);
	hear_pattern(c, 7, MUCH);
	both_end(c, o);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(f(i)->opens, 1);
		assert_int_equal(f(i)->body_len[0], MUCH);
		assert_int_equal(f(i)->body_len[1], MUCH);
		assert_memory_equal(f(0)->body[0], f(i)->body[0], MUCH);
		assert_int_equal(f(i)->ends[0], 1);
		assert_int_equal(f(i)->ends[1], 1);
	}
	until(f(0)->dones == 1 && f(1)->dones == 1);
	assert_int_equal(f(0)->resets + f(1)->resets, 0);
	assert_true(bench.held_most <= (512 << 10) + (64 << 10));
	bench_close();
}

/* One without an `open` hook sees all data nevertheless, from the first byte. */
static void test_data_without_open(void **state)
{
	struct options options = {.stream = true, .path = 2, .no_functions_up = true};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	fake_up(0, ENGINE_HOOK_CLIENT_DATA);
	fake_up(1, ENGINE_HOOK_OPEN);
	f(1)->on = fake_hold;
	c = client_open();
	say(c, "early");
	bench_run_ms(20);
	assert_int_equal(f(0)->body_len[0], 5);
	fake_pass(f(1), &f(1)->last[SLUICE_DOWN_OPEN]);
	o = origin_accept(0);
	hear(o, "early");
	say(o, "answer");
	hear(c, "answer");
	assert_int_equal(f(0)->body_len[1], 0);
	bench_close();
}

static void replace_data(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_REPLACE);

	if (down->kind != SLUICE_DOWN_CLIENT_DATA || !down->slices) {
		fake_pass(fake, down);
		return;
	}
	up.slice[0] = fake_slice(fake, 64, "other", 5, 9);
	up.slices = 1;
	fake_say(fake, &up);
}

static void test_data_may_be_replaced(void **state)
{
	struct peer *c, *o;

	(void)state;
	data_open(2, CONF_FAIL_REJECT);
	f(0)->on = replace_data;
	c = client_open();
	o = origin_accept(0);
	say(c, "mine");
	hear(o, "other");
	assert_memory_equal(f(1)->body[0], "other", 5);
	both_end(c, o);
	until(fake_was_released(f(0), 9));
	bench_close();
}

static void test_a_function_may_reset(void **state)
{
	struct peer *c, *o;
	struct sluice_up up;

	(void)state;
	data_open(1, CONF_FAIL_REJECT);
	c = client_open();
	o = origin_accept(0);
	f(0)->on = fake_hold;
	say(c, "bad");
	until(f(0)->pieces[0] == 1);
	up = fake_answer(&f(0)->last[SLUICE_DOWN_CLIENT_DATA], SLUICE_RESET);
	fake_say(f(0), &up);
	hear_reset(c);
	hear_reset(o);
	bench_close();
}

/* --- functions that die ------------------------------------------------------------ */

static void test_one_that_only_opened_is_not_missed(void **state)
{
	struct peer *c, *o;

	(void)state;
	stream_open(1, &c, &o);
	fake_down(f(0));
	say(c, "x");
	hear(o, "x");
	both_end(c, o);
	bench_close();
}

static void test_bypass_leaves_it_out(void **state)
{
	struct peer *c, *o;

	(void)state;
	data_open(1, CONF_FAIL_BYPASS);
	c = client_open();
	o = origin_accept(0);
	f(0)->on = fake_hold;
	say(c, "held");
	say(o, "too");
	until(f(0)->pieces[0] && f(0)->pieces[1]);
	fake_down(f(0));
	hear(o, "held");
	hear(c, "too");
	say(c, "on");
	hear(o, "on");
	both_end(c, o);
	bench_close();
}

static void test_reject_is_a_reset(void **state)
{
	struct peer *c, *o;

	(void)state;
	data_open(1, CONF_FAIL_REJECT);
	c = client_open();
	o = origin_accept(0);
	fake_down(f(0));
	hear_reset(c);
	hear_reset(o);
	c = client_open();
	hear_reset(c);
	assert_int_equal(counted(hops_rejected), 1);
	bench_close();
}

static void test_retry_opens_it_again(void **state)
{
	struct peer *c, *o;

	(void)state;
	data_open(1, CONF_FAIL_RETRY);
	f(0)->on = fake_hold;
	c = client_open();
	say(c, "hello");
	until(f(0)->opens == 1);
	fake_down(f(0));
	bench_run_ms(20);
	fake_up(0, DATA);
	o = origin_accept(0);
	hear(o, "hello");
	assert_int_equal(f(1)->opens, 1);
	assert_int_equal(f(1)->body_len[0], 5);
	assert_int_equal(counted(failures_retried), 1);
	bench_close();
}

static void note_error(void *ctx, const struct engine_error_info *info)
{
	strcpy(ctx, info->text);
}

static void test_one_that_kills_is_named(void **state)
{
	char text[256] = "";
	struct peer *c;

	(void)state;
	data_open(1, CONF_FAIL_RETRY);
	for (unsigned i = 0; i < 2; i++) {
		f(i)->on = fake_hold;
		f(i)->dead = true;
		if (i == 0)
			c = client_open();
		bench_run_ms(20);
		fake_down(f(i));
		if (i == 0)
			fake_up(0, DATA);
	}
	hear_reset(c);
	engine_errors_each(bench.engine, note_error, text);
	assert_non_null(strstr(text, "killed its function 2 times: a connection from 10.0.0.2:"));
	bench_close();
}

/* --- what is seen ------------------------------------------------------------------ */

static void note_flow(void *ctx, const struct engine_flow_info *flow)
{
	*(struct engine_flow_info *)ctx = *flow;
}

static void test_flows_tell(void **state)
{
	struct options options = {.stream = true, .path = 1};
	struct engine_flow_info flow;
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	f(0)->on = fake_hold;
	c = client_open();
	until(f(0)->opens == 1);
	engine_flows_each(bench.engine, note_flow, &flow);
	assert_int_equal(flow.function, 0);
	fake_pass(f(0), &f(0)->last[SLUICE_DOWN_OPEN]);
	o = origin_accept(0);
	say(c, "abc");
	hear(o, "abc");
	say(o, "defgh");
	hear(c, "defgh");
	engine_flows_each(bench.engine, note_flow, &flow);
	assert_string_equal(flow.state, "tunnel");
	assert_int_equal(flow.bytes_in, 3);
	assert_int_equal(flow.bytes_out, 5);
	assert_int_equal(flow.server.port, 8000);
	bench_close();
}

/* Streams finish on the chain they began with. */
static void test_a_reload_does_not_touch_them(void **state)
{
	struct peer *c, *o, *late;

	(void)state;
	stream_open(1, &c, &o);
	bench_reload(0);
	late = client_open();
	say(late, "new");
	hear(origin_accept(0), "new");
	say(c, "old");
	hear(o, "old");
	assert_int_equal(f(0)->opens, 1);
	both_end(c, o);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_go_both_ways),
		cmocka_unit_test(test_the_server_may_speak_first),
		cmocka_unit_test(test_much_goes_by_reference),
		cmocka_unit_test(test_a_slow_reader_holds_the_writer),
		cmocka_unit_test(test_the_client_may_end_first),
		cmocka_unit_test(test_the_server_may_end_first),
		cmocka_unit_test(test_a_client_that_said_all_at_once),
		cmocka_unit_test(test_no_server_is_not_shown),
		cmocka_unit_test(test_resets_are_passed_on),
		cmocka_unit_test(test_a_reset_after_an_end),
		cmocka_unit_test(test_no_server_is_a_reset),
		cmocka_unit_test(test_another_server_is_tried),
		cmocka_unit_test(test_every_client_has_a_connection_of_its_own),
		cmocka_unit_test(test_silence_ends_it),
		cmocka_unit_test(test_all_exchanges_taken_means_waiting),
		cmocka_unit_test(test_functions_see_the_data),
		cmocka_unit_test(test_data_without_open),
		cmocka_unit_test(test_data_may_be_replaced),
		cmocka_unit_test(test_a_function_may_reset),
		cmocka_unit_test(test_one_that_only_opened_is_not_missed),
		cmocka_unit_test(test_bypass_leaves_it_out),
		cmocka_unit_test(test_reject_is_a_reset),
		cmocka_unit_test(test_retry_opens_it_again),
		cmocka_unit_test(test_one_that_kills_is_named),
		cmocka_unit_test(test_flows_tell),
		cmocka_unit_test(test_a_reload_does_not_touch_them),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
