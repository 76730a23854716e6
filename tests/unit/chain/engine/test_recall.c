/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers that functions call steady, given again without asking them. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"
#include "tests/unit/chain/engine/bench_internal.h"

#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE)
#define ONE   (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_REPEATED)

#define f(i) (bench.fakes[i])

/* What the function that answers gives. */
static struct {
	uint16_t steady_ms;
	uint32_t bytes;
	uint16_t status;
} said;

static void answer(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	if (down->kind != SLUICE_DOWN_REQUEST_HEAD) {
		fake_pass(fake, down);
		return;
	}
	up.status = said.status;
	up.steady_ms = said.steady_ms;
	up.piece = 77;
	up.respond.body_bytes = said.bytes;
	up.flags = SLUICE_UP_END;
	if (said.bytes) {
		for (uint32_t i = 0; i < said.bytes; i++)
			fake->arena->base[i] = pattern_at(i);
		up.slices = 1;
		up.respond.slice = fake_slice(fake, 0, NULL, said.bytes, 42);
	}
	fake_say(fake, &up);
}

/* Passes, and says that it always will. */
static void pass_steadily(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	up.steady_ms = 5000;
	if (fake_is_asked(down))
		fake_say(fake, &up);
}

static void open_one(void)
{
	struct options options = {.path = 1, .no_functions_up = true, .recalls = 16};

	said.steady_ms = 5000;
	said.bytes = 5;
	said.status = 200;
	bench_open(&options);
	fake_up(0, ONE);
	f(0)->on = answer;
}

/* `first` passes what the second answers. */
static void open_two(fake_hook *first)
{
	struct options options = {.path = 2, .no_functions_up = true, .recalls = 16};

	said.steady_ms = 5000;
	said.bytes = 5;
	said.status = 200;
	bench_open(&options);
	fake_up(0, HEADS);
	fake_up(1, ONE);
	f(0)->on = first;
	f(1)->on = answer;
}

static void ask(struct peer *c, const char *request)
{
	const char *head;

	say(c, request);
	head = hear_head(c);
	head_has(head, "HTTP/1.1 200 OK\r\n");
	head_has(head, "Date: ");
	hear_pattern(c, 0, said.bytes);
}

/* Past the second of all answers that are kept: they are forgotten, and their leases come back. */
static void forgotten(void)
{
	bench_run_ms(2500);
}

/* In the same second: a bench begins at the begin of one. */
static void ask_times(struct peer *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ask(c, GET("/"));
}

static void test_again(void **state)
{
	struct peer *c, *other;

	(void)state;
	open_one();
	c = client_open();
	other = client_open();
	ask_times(c, 3);
	ask_times(other, 2);
	assert_int_equal(f(0)->heads[0], 1);
	assert_int_equal(counted(requests), 5);
	assert_int_equal(counted(responses), 5);
	assert_int_equal(counted(responses_function), 5);
	assert_int_equal(counted(responses_recalled), 4);
	assert_int_equal(counted(payload_copied_bytes), 25);
	assert_int_equal(f(0)->repeated, 0);
	forgotten();
	assert_int_equal(f(0)->repeated, 4);
	assert_int_equal(f(0)->last[SLUICE_DOWN_REPEATED].repeated.tag, 77);
	ask_times(c, 1);
	assert_int_equal(f(0)->heads[0], 2);
	bench_check_idle();
	bench_close();
}

/* Who looks at exchanges sees every one. */
static void test_watched(void **state)
{
	struct options options = {.path = 2, .no_functions_up = true, .recalls = 16};
	struct peer *c;

	(void)state;
	said.steady_ms = 5000;
	said.bytes = 5;
	said.status = 200;
	bench_open(&options);
	fake_up(0, ENGINE_HOOK_SEEN);
	fake_up(1, ONE)->on = answer;
	c = client_open();
	ask_times(c, 3);
	until(f(0)->sights == 3);
	assert_int_equal(counted(responses_recalled), 0);
	fake_down(f(0)); /* nobody is there to see, and each is counted */
	ask_times(c, 2);
	assert_int_equal(counted(responses_recalled), 0);
	assert_int_equal(counted(exchanges_unseen), 2);
	bench_close();
}

/* One byte makes another head. */
static void test_other_heads(void **state)
{
	struct peer *c;

	(void)state;
	open_one();
	c = client_open();
	ask(c, GET("/a"));
	ask(c, GET("/b"));
	ask(c, "GET /a HTTP/1.1\r\nHost: A.example\r\n\r\n");
	ask(c, "GET /a HTTP/1.1\r\nHost: a.example\r\nCookie: x\r\n\r\n");
	assert_int_equal(f(0)->heads[0], 4);
	ask(c, GET("/a"));
	ask(c, GET("/b"));
	assert_int_equal(f(0)->heads[0], 4);
	bench_close();
}

/* More answers than there is room for: the function is asked, and nothing is wrong. */
static void test_more_than_fit(void **state)
{
	char request[128];
	struct peer *c;

	(void)state;
	open_one();
	c = client_open();
	for (unsigned i = 0; i < 200; i++) {
		snprintf(request, sizeof(request), "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n", i % 50);
		ask(c, request);
	}
	assert_true(f(0)->heads[0] >= 50);
	forgotten();
	assert_int_equal(f(0)->heads[0] + f(0)->repeated, 200);
	bench_close();
}

static void test_not_steady(void **state)
{
	struct peer *c;

	(void)state;
	open_one();
	said.steady_ms = 0;
	c = client_open();
	ask_times(c, 3);
	assert_int_equal(f(0)->heads[0], 3);
	bench_close();
}

/* Also not when one before it wants to see every head; all must say so, and of both heads. */
static void test_all_must_say_so(void **state)
{
	struct peer *c;

	(void)state;
	open_two(fake_pass);
	c = client_open();
	ask_times(c, 3);
	assert_int_equal(f(1)->heads[0], 3);
	f(0)->on = pass_steadily;
	ask_times(c, 3);
	assert_int_equal(f(0)->heads[0], 4);
	assert_int_equal(f(0)->heads[1], 4);
	assert_int_equal(f(1)->heads[0], 4);
	bench_close();
}

/* Never longer than the shortest time that one of them gave. */
static void test_time(void **state)
{
	struct peer *c;

	(void)state;
	open_two(pass_steadily);
	said.steady_ms = 100;
	c = client_open();
	ask_times(c, 2);
	assert_int_equal(f(1)->heads[0], 1);
	bench_run_ms(110);
	ask_times(c, 1);
	assert_int_equal(f(1)->heads[0], 2);
	bench_close();
}

static void test_methods(void **state)
{
	static const char post[] =
		"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n";
	static const char head[] = "HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n";
	struct peer *c;

	(void)state;
	open_one();
	c = client_open();
	ask(c, post);
	ask(c, post);
	assert_int_equal(f(0)->heads[0], 2);
	for (unsigned i = 0; i < 2; i++) {
		say(c, head);
		head_has(hear_head(c), "Content-Length: 5\r\n");
		hear_nothing(c, 2);
	}
	assert_int_equal(f(0)->heads[0], 3);
	bench_close();
}

/* Too long to be copied: all packets refer to one lease, which is back when the last is. */
static void test_long_body(void **state)
{
	struct peer *c;

	(void)state;
	open_one();
	said.bytes = 20000;
	c = client_open();
	ask_times(c, 4);
	assert_int_equal(f(0)->heads[0], 1);
	assert_int_equal(f(0)->releases, 0);
	assert_int_equal(engine_arena_leases(bench.engine, f(0)->arena->id), 1);
	assert_int_equal(counted(payload_copied_bytes), 0);
	assert_int_equal(counted(payload_referenced_bytes), 80000);
	forgotten();
	assert_int_equal(f(0)->releases, 1);
	assert_int_equal(engine_arena_leases(bench.engine, f(0)->arena->id), 0);
	bench_close();
}

/* A body that would make a packet too long by little, and one that would not. */
static void test_sizes(void **state)
{
	struct peer *c;

	(void)state;
	open_one();
	c = client_open();
	for (said.bytes = 0; said.bytes < 3000; said.bytes += 113) {
		char request[64];

		snprintf(request, sizeof(request), "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n",
			 said.bytes);
		ask(c, request);
		ask(c, request);
	}
	assert_int_equal(counted(responses_recalled), 27);
	forgotten();
	bench_close();
}

static void test_pipelined(void **state)
{
	struct peer *c;

	(void)state;
	open_one();
	c = client_open();
	ask_times(c, 2);
	say(c, GET("/") GET("/") GET("/other") GET("/") "GET / HT");
	for (unsigned i = 0; i < 4; i++) {
		hear_head(c);
		hear_pattern(c, 0, said.bytes);
	}
	assert_int_equal(f(0)->heads[0], 2);
	assert_int_equal(counted(responses_recalled), 4);
	say(c, "TP/1.1\r\nHost: a.example\r\n\r\n");
	hear_head(c);
	hear_pattern(c, 0, said.bytes);
	bench_close();
}

/* The connection ends after the answer, the first time and again. */
static void test_close(void **state)
{
	(void)state;
	open_one();
	for (unsigned i = 0; i < 3; i++) {
		struct peer *c = client_open();

		say(c, "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
		head_has(hear_head(c), "Connection: close\r\n");
		hear_pattern(c, 0, said.bytes);
		hear_end(c);
		peer_shut(c);
	}
	assert_int_equal(counted(responses_recalled), 2);
	bench_close();
}

/* The last request that a connection may have is told so. */
static void test_max_requests(void **state)
{
	struct options options = {
		.path = 1, .no_functions_up = true, .recalls = 16, .max_requests = 3};
	struct peer *c;

	(void)state;
	bench_open(&options);
	fake_up(0, ONE);
	f(0)->on = answer;
	c = client_open();
	ask_times(c, 2);
	say(c, GET("/"));
	head_has(hear_head(c), "Connection: close\r\n");
	hear_pattern(c, 0, said.bytes);
	hear_end(c);
	bench_close();
}

/* What it said after it took it all back is good again. */
static void test_unsteady(void **state)
{
	struct sluice_up up = {.kind = SLUICE_UP_UNSTEADY};
	struct peer *c;

	(void)state;
	open_two(pass_steadily);
	c = client_open();
	ask_times(c, 3);
	assert_int_equal(f(1)->heads[0], 1);
	fake_say(f(1), &up);
	bench_run_ms(1);
	ask_times(c, 3);
	assert_int_equal(f(1)->heads[0], 2);
	fake_say(f(0), &up); /* one of those who passed it */
	bench_run_ms(1);
	ask_times(c, 1);
	assert_int_equal(f(1)->heads[0], 3);
	assert_int_equal(counted(offences), 0);
	assert_int_equal(f(1)->repeated, 4);
	bench_close();
}

/* Nothing is said again of who is gone, or of another path. */
static void test_changes(void **state)
{
	struct peer *c;

	(void)state;
	open_one();
	c = client_open();
	ask_times(c, 2);
	fake_down(f(0));
	said.bytes = 7;
	fake_up(0, ONE);
	f(1)->on = answer;
	ask_times(c, 2);
	assert_int_equal(f(1)->heads[0], 1);
	bench_reload(1);
	c = client_open();
	ask_times(c, 2);
	assert_int_equal(f(1)->heads[0], 2);
	bench_close();
}

/* A client that reads nothing gets no more than its connection takes; then all of it. */
static void test_slow_client(void **state)
{
	struct peer *c;

	(void)state;
	open_one();
	said.bytes = 60000;
	c = client_open();
	ask_times(c, 1);
	peer_pause(c, true);
	for (unsigned i = 0; i < 100; i++)
		say(c, GET("/"));
	bench_run_ms(100);
	peer_pause(c, false);
	for (unsigned i = 0; i < 100; i++) {
		hear_head(c);
		hear_pattern(c, 0, said.bytes);
	}
	forgotten();
	bench_close();
}

/* What came of an origin's answer is not a function's word. */
static void instead(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	if (down->kind != SLUICE_DOWN_RESPONSE_HEAD) {
		pass_steadily(fake, down);
		return;
	}
	up.status = 200;
	up.steady_ms = 5000;
	up.flags = SLUICE_UP_END;
	fake_say(fake, &up);
}

static void test_origin(void **state)
{
	struct options options = {.path = 1, .no_functions_up = true, .recalls = 16};
	struct peer *c;

	(void)state;
	bench_open(&options);
	fake_up(0, HEADS);
	f(0)->on = instead;
	bench.serve = OK(2) "ok";
	c = client_open();
	for (unsigned i = 0; i < 3; i++) {
		say(c, GET("/"));
		head_has(hear_head(c), "Content-Length: 0\r\n");
	}
	assert_int_equal(f(0)->heads[1], 3);
	assert_int_equal(counted(responses_recalled), 0);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again),        cmocka_unit_test(test_watched),
		cmocka_unit_test(test_other_heads),  cmocka_unit_test(test_more_than_fit),
		cmocka_unit_test(test_not_steady),   cmocka_unit_test(test_all_must_say_so),
		cmocka_unit_test(test_time),         cmocka_unit_test(test_methods),
		cmocka_unit_test(test_long_body),    cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_pipelined),    cmocka_unit_test(test_close),
		cmocka_unit_test(test_max_requests), cmocka_unit_test(test_changes),
		cmocka_unit_test(test_unsteady),     cmocka_unit_test(test_slow_client),
		cmocka_unit_test(test_origin),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
