/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies through functions: in pieces, in order, as they are or replaced; bounded; copied only for
 * show. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"
#include "tests/unit/chain/engine/bench_internal.h"

#define MB    (1u << 20)
#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE)
#define ALL   (HEADS | ENGINE_HOOK_REQUEST_BODY | ENGINE_HOOK_RESPONSE_BODY)

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static void open_with(unsigned path, uint32_t hooks)
{
	struct options options = {.path = path, .no_functions_up = true};

	bench_open(&options);
	for (unsigned i = 0; i < path; i++)
		fake_up(i, hooks);
}

static void shown(const struct fake *fake, unsigned d, uint64_t seed, size_t len)
{
	assert_int_equal(fake->body_len[d], len);
	assert_int_equal(fake->ends[d], 1);
	for (size_t i = 0; i < len; i++)
		if (fake->body[d][i] != pattern_at(seed + i))
			fail_msg("byte %zu was shown wrong", i);
}

static void test_both_ways(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(2, ALL);
	c = client_open();
	say(c, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n");
	say_pattern(c, 1, MB);
	o = origin_accept(0);
	hear_head(o);
	hear_pattern(o, 1, MB);
	say(o, OK(1048576));
	say_pattern(o, 2, MB);
	head_has(hear_head(c), "Content-Length: 1048576\r\n");
	hear_pattern(c, 2, MB);
	bench_run_ms(5);
	for (unsigned i = 0; i < 2; i++) {
		shown(f(i), 0, 1, MB);
		shown(f(i), 1, 2, MB);
		assert_int_equal(f(i)->dones, 1);
	}
	assert_int_equal(counted(payload_copied_bytes), 0);
	assert_int_equal(counted(payload_referenced_bytes), 2 * MB);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	say(c, GET("/next"));
	hear(o, GET("/next"));
	bench_close();
}

static void test_chunked(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(2, ALL);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
	       "chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n");
	o = origin_accept(0);
	hear_head(o);
	hear(o, "6\r\nhello!\r\n0\r\nX-T: 1\r\n\r\n");
	say(o, "HTTP/1.1 200 OK\r\n\r\nuntil close");
	hear_head(c);
	hear(c, "b\r\nuntil close");
	peer_shut(o);
	hear(c, "\r\n0\r\n\r\n");
	bench_run_ms(5);
	assert_int_equal(f(0)->ends[0] + f(0)->ends[1] + f(1)->ends[0] + f(1)->ends[1], 4);
	bench_close();
}

/* No pieces for what has no body. */
static void test_empty(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(1, ALL);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(0));
	hear_head(c);
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	hear_head(o);
	hear(o, "0\r\n\r\n");
	say(o, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
	hear_head(c);
	bench_run_ms(5);
	assert_int_equal(f(0)->pieces[0], 1); /* the bare end */
	assert_int_equal(f(0)->pieces[1], 0);
	bench_close();
}

/* --- a function that does not answer: what is in hand is bounded, and so is what is read  */

static void test_bounded(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(2, ALL);
	f(1)->on = fake_pass;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	bench_run_ms(5);
	f(0)->on = fake_hold;
	f(1)->on = fake_pass;
	say(o, OK(4194304));
	f(0)->on = fake_pass;
	hear_head(c);
	f(0)->stopped = true;
	say_pattern(o, 3, 4 * MB);
	bench_run_ms(300);
	assert_true(bench.held_most <= (256 << 10) + (70 << 10));
	assert_true(bench_rx_in_use() < 2000);
	assert_true(o->out_len > MB); /* TCP's window holds the origin back */
	f(0)->stopped = false;
	hear_pattern(c, 3, 4 * MB);
	assert_true(bench.held_most <= (256 << 10) + (70 << 10));
	shown(f(1), 1, 3, 4 * MB);
	bench_close();
}

/* Small segments cost what their buffers cost. */
static void test_bounded_small_segments(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(1, ALL);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(20000));
	hear_head(c);
	f(0)->stopped = true;
	for (unsigned i = 0; i < 2000; i++) {
		say_pattern(o, i, 1);
		bench_step();
	}
	assert_true(bench.held_most <= (256 << 10) + (70 << 10));
	f(0)->stopped = false;
	say_pattern(o, 2000, 18000);
	hear_pattern(c, 0, 20000);
	bench_close();
}

/* A piece is shown in place; when the client goes it stays until the function has read on. */
static void test_client_goes(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(2, ALL);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(4194304));
	hear_head(c);
	f(0)->stopped = true;
	say_pattern(o, 3, 100000);
	bench_run_ms(20);
	peer_abort(c);
	hear_reset(o);
	bench_run_ms(20);
	assert_int_equal(engine_exchanges(bench.engine), 1);
	assert_true(bench_rx_in_use() > 10);
	f(0)->stopped = false;
	until(engine_exchanges(bench.engine) == 0);
	bench_check_idle();
	assert_int_equal(f(0)->resets, 1);
	bench_close();
}

/* --- replacing ------------------------------------------------------------------- */

static uint32_t next_tag, arena_at;

/* Every piece becomes itself in reverse order of cases: letters change case. */
static void swap_case(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_REPLACE);
	uint8_t bytes[3 * 2048];
	uint32_t len = 0;

	if (down->kind != SLUICE_DOWN_RESPONSE_BODY) {
		fake_pass(fake, down);
		return;
	}
	for (unsigned i = 0; i < down->slices; i++) {
		memcpy(bytes + len,
		       region_resolve(&bench.regions, down->slice[i].ref, down->slice[i].len),
		       down->slice[i].len);
		len += down->slice[i].len;
	}
	for (uint32_t i = 0; i < len; i++)
		bytes[i] ^= 0x20;
	if (len) {
		up.slice[0] = fake_slice(fake, arena_at, bytes, len, ++next_tag);
		up.slices = 1;
		arena_at = (arena_at + len) % (7 << 20);
	}
	fake_say(fake, &up);
}

static void test_replace(void **state)
{
	struct peer *c, *o;

	(void)state;
	next_tag = arena_at = 0;
	open_with(2, ALL);
	f(1)->on = swap_case; /* nearer to the origin: the other is shown copies */
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(11) "hello world");
	hear_head(c);
	hear(c, "HELLO\0WORLD");
	hear(c, "");
	bench_run_ms(20);
	bench_close();
}

static void test_replace_much(void **state)
{
	struct peer *c, *o;
	uint8_t *got;

	(void)state;
	next_tag = arena_at = 0;
	open_with(2, ALL);
	f(1)->on = swap_case;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2097152));
	say_pattern(o, 0, 2 * MB);
	hear_head(c);
	until(c->in_len == 2 * MB);
	got = c->in;
	for (size_t i = 0; i < 2 * MB; i++)
		if (got[i] != (pattern_at(i) ^ 0x20))
			fail_msg("byte %zu is wrong", i);
	assert_memory_equal(f(0)->body[1], got, 2 * MB);
	bench_run_ms(50);
	assert_int_equal(counted(payload_copied_bytes), 2 * MB);
	assert_int_equal(f(1)->releases, next_tag);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

/* A chunked answer may become longer or shorter, or nothing. */
static void expand(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_REPLACE);

	if (down->kind != SLUICE_DOWN_RESPONSE_BODY) {
		fake_pass(fake, down);
		return;
	}
	up.slices = 2;
	up.slice[0] = fake_slice(fake, 0, "<", 1, 1);
	up.slice[1] = fake_slice(fake, 1, "abc", 3, 2);
	up.flags = SLUICE_UP_MORE;
	fake_say(fake, &up);
	up.slices = 1;
	up.slice[0] = fake_slice(fake, 8, ">", 1, 3);
	up.flags = 0;
	fake_say(fake, &up);
}

static void shrink(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_REPLACE);

	if (down->kind == SLUICE_DOWN_RESPONSE_BODY)
		fake_say(fake, &up);
	else
		fake_pass(fake, down);
}

static void test_other_lengths(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(1, ALL);
	f(0)->on = expand;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
	hear_head(c);
	hear(c, "5\r\n<abc>");
	until(f(0)->dones == 1);
	assert_true(f(0)->ends[1] == 1);
	bench_run_ms(20);
	hear(c, "\r\n0\r\n\r\n");
	f(0)->on = shrink;
	say(c, GET("/"));
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n");
	hear_head(c);
	hear(c, "0\r\n\r\n");
	f(0)->on = expand;
	say(c, GET("/"));
	hear_head(o);
	say(o, OK(4) "abcd"); /* promised: four bytes */
	hear_cut(c);
	assert_int_equal(counted(bodies_wrong_length), 1);
	bench_run_ms(20);
	assert_int_equal(f(0)->releases, 6);
	bench_close();
}

static void reset_body(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESET);

	if (down->kind == SLUICE_DOWN_REQUEST_BODY)
		fake_say(fake, &up);
	else
		fake_pass(fake, down);
}

static void test_reset(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(1, ALL);
	f(0)->on = reset_body;
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
	o = origin_accept(0);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	hear_reset(o);
	bench_run_ms(5);
	bench_check_idle();
	bench_close();
}

/* Pieces of both directions at a time, and a ring that is nearly always full. */
static void test_small_rings(void **state)
{
	struct options options = {.path = 2, .no_functions_up = true, .link_entries = 2};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	fake_up(0, ALL);
	fake_up(1, ALL);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
	say_pattern(c, 1, 1000);
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(300000));
	say_pattern(o, 2, 300000);
	say_pattern(c, 1001, 299000);
	hear_head(c);
	hear_pattern(c, 2, 300000);
	hear_pattern(o, 1, 1000);
	bench_run_ms(200);
	assert_true(counted(rings_full) > 100);
	bench_check_idle();
	bench_close();
}

/* Answers the third piece that it sees with LEAVE, and nothing that comes after it. */
static void leave(struct fake *fake, const struct sluice_down *down)
{
	unsigned seen = fake->pieces[0] + fake->pieces[1];
	struct sluice_up up = fake_answer(down, SLUICE_LEAVE);

	if (down->kind > SLUICE_DOWN_RESPONSE_BODY || seen < 3)
		fake_pass(fake, down);
	else if (seen == 3)
		fake_say(fake, &up);
}

static void test_leave(void **state)
{
	struct peer *c, *o;

	(void)state;
	open_with(2, ALL);
	f(0)->on = leave;
	c = client_open();
	say(c, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n");
	say_pattern(c, 1, MB);
	o = origin_accept(0);
	hear_head(o);
	hear_pattern(o, 1, MB);
	say(o, OK(300000));
	say_pattern(o, 2, 300000);
	hear_head(c);
	hear_pattern(c, 2, 300000);
	bench_run_ms(5);
	shown(f(1), 0, 1, MB);
	shown(f(1), 1, 2, 300000);
	assert_int_equal(f(0)->heads[1] + f(0)->pieces[1] + f(0)->dones, 0);
	assert_true(f(0)->body_len[0] < MB);
	assert_int_equal(f(1)->dones, 1);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_chunked),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_bounded_small_segments),
		cmocka_unit_test(test_client_goes),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_replace_much),
		cmocka_unit_test(test_other_lengths),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_small_rings),
		cmocka_unit_test(test_leave),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
