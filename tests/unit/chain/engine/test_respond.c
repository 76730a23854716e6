/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers that functions give, from their arenas. */
#include <string.h>

#include <rte_mbuf.h>

#include "tests/unit/chain/engine/bench.h"
#include "tests/unit/chain/engine/bench_internal.h"

#define MB    (1u << 20)
#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE)

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static const struct options two = {.path = 2};

static struct sluice_down asked;

static struct sluice_up response(const struct sluice_down *down, uint16_t status, uint64_t bytes)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	up.status = status;
	up.respond.body_bytes = bytes;
	return up;
}

static struct sluice_up emission(const struct sluice_down *down, bool end)
{
	struct sluice_up up = fake_answer(down, SLUICE_PASS);

	up.kind = SLUICE_UP_EMIT;
	up.flags = end ? SLUICE_UP_END : 0;
	return up;
}

static void hello(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = response(down, 200, 5);
	struct edits edits = {.len = 0};

	if (down->kind != SLUICE_DOWN_REQUEST_HEAD)
		return;
	edit_add(&edits, SLUICE_EDIT_ADD, "Content-Type", "text/plain");
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.respond.slice = fake_slice(fake, 64, "hello", 5, 42);
	fake_say_text(fake, up, edits.bytes, edits.len);
}

static void test_whole(void **state)
{
	struct peer *c;
	const char *head;

	(void)state;
	bench_open(&two);
	f(1)->on = hello;
	c = client_open();
	for (unsigned i = 1; i <= 3; i++) {
		say(c, GET("/"));
		head = hear_head(c);
		head_has(head, "HTTP/1.1 200 OK\r\n");
		head_has(head, "Content-Type: text/plain\r\n");
		head_has(head, "Content-Length: 5\r\n");
		head_has(head, "Date: ");
		hear(c, "hello");
		until(f(1)->releases == i);
		bench_run_ms(5);
		assert_int_equal(f(1)->released[i - 1], 42);
		assert_int_equal(f(0)->heads[1], i); /* up through the one before */
		assert_int_equal(f(1)->heads[1], 0);
		assert_int_equal(f(0)->dones, i);
		assert_int_equal(f(1)->dones, i);
	}
	assert_false(origin_has_new(0));
	assert_int_equal(counted(responses_function), 3);
	assert_int_equal(counted(payload_copied_bytes), 15);
	assert_int_equal(counted(payload_referenced_bytes), 0);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

/* A short body goes with its head: its lease is back although nothing is acknowledged. */
static void test_short(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&two);
	f(0)->on = hello;
	c = client_open();
	say(c, GET("/"));
	until(f(0)->heads[0] == 1);
	bench.cut = true;
	until(f(0)->releases == 1);
	assert_int_equal(engine_arena_leases(bench.engine, f(0)->arena->id), 0);
	bench.cut = false;
	hear_head(c);
	hear(c, "hello");
	bench_close();
}

/* There is no mbuf for its head just now: nothing of the answer goes before it. */
static void test_head_without_memory(void **state)
{
	static struct rte_mbuf *held[65536];
	unsigned n = 0;
	struct peer *c;

	(void)state;
	bench_open(&two);
	f(0)->on = hello;
	c = client_open();
	bench_run_ms(5);
	while (n < 65536 && (held[n] = rte_pktmbuf_alloc(pools.data)))
		n++;
	say(c, GET("/"));
	until(counted(starved) > 3);
	hear_nothing(c, 5);
	rte_pktmbuf_free_bulk(held, n);
	head_has(hear_head(c), "Content-Length: 5\r\n");
	hear(c, "hello");
	assert_int_equal(f(0)->heads[0], 1);
	bench_close();
}

#define PAGE_BYTES 1000

static void page(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = response(down, 200, PAGE_BYTES);

	if (down->kind != SLUICE_DOWN_REQUEST_HEAD)
		return;
	for (uint32_t i = 0; i < PAGE_BYTES; i++)
		fake->arena->base[i] = pattern_at(i);
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.respond.slice = fake_slice(fake, 0, NULL, PAGE_BYTES, 42);
	fake_say(fake, &up);
}

/* From then on nothing passes the wire. */
static void page_and_cut(struct fake *fake, const struct sluice_down *down)
{
	bench.cut = true;
	page(fake, down);
}

/* The lease is back only when the client has acknowledged. */
static void test_lease(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&two);
	f(0)->on = page_and_cut;
	c = client_open();
	say(c, GET("/"));
	until(f(0)->heads[0] == 1);
	bench_run_ms(100);
	assert_int_equal(f(0)->releases, 0);
	assert_int_equal(engine_arena_leases(bench.engine, f(0)->arena->id), 1);
	f(0)->on = fake_hold;
	bench.cut = false;
	hear_head(c);
	hear_pattern(c, 0, PAGE_BYTES);
	until(f(0)->releases == 1);
	assert_int_equal(counted(payload_referenced_bytes), PAGE_BYTES);
	assert_int_equal(engine_arena_leases(bench.engine, f(0)->arena->id), 0);
	bench_close();
}

static void ask(struct fake *fake, const struct sluice_down *down)
{
	(void)fake;
	if (down->kind == SLUICE_DOWN_REQUEST_HEAD)
		asked = *down;
}

static void begin(struct peer *c, unsigned function, uint64_t bytes)
{
	struct sluice_up up;

	f(function)->on = ask;
	asked.kind = 0;
	say(c, GET("/"));
	until(asked.kind);
	up = response(&asked, 200, bytes);
	fake_say(f(function), &up);
}

static void emit(unsigned function, uint64_t at, uint32_t len, bool end)
{
	struct sluice_up up = emission(&asked, end);

	for (uint32_t i = 0; i < len; i++)
		f(function)->arena->base[at + i] = pattern_at(at + i);
	up.slices = len > 0;
	up.slice[0] = fake_slice(f(function), at, NULL, len, (uint32_t)at + 1);
	fake_say(f(function), &up);
}

static void test_parts(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&two);
	c = client_open();
	begin(c, 0, SLUICE_LENGTH_UNKNOWN);
	head_has(hear_head(c), "Transfer-Encoding: chunked\r\n");
	emit(0, 0, 3000, false);
	bench_run_ms(10);
	emit(0, 3000, 200000, false);
	bench_run_ms(10);
	emit(0, 203000, 0, true);
	hear_chunked(c, 0, 203000, "");
	begin(c, 0, 5000);
	head_has(hear_head(c), "Content-Length: 5000\r\n");
	emit(0, 0, 5000, false);
	emit(0, 5000, 0, true);
	hear_pattern(c, 0, 5000);
	bench_run_ms(20);
	assert_int_equal(f(0)->releases, 3);
	bench_check_idle();
	bench_close();
}

/* It finds that it cannot go on: nobody takes what came for all. */
static void cut(unsigned function)
{
	struct sluice_up up = emission(&asked, false);

	up.verdict = SLUICE_RESET;
	fake_say(f(function), &up);
}

static void test_cut(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&two);
	c = client_open();
	begin(c, 1, 5000);
	hear_head(c);
	emit(1, 0, 1000, false);
	hear_pattern(c, 0, 1000);
	cut(1);
	hear_cut(c);
	until(f(1)->dones == 1);
	assert_int_equal(f(1)->resets, 1);
	assert_int_equal(f(1)->last[SLUICE_DOWN_DONE].end.why, SLUICE_ENDING_FUNCTION_RESET);
	c = client_open();
	begin(c, 1, SLUICE_LENGTH_UNKNOWN);
	hear_head(c);
	emit(1, 0, 3, false);
	until(c->in_len);
	cut(1);
	hear_cut(c); /* without a last chunk */
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

/* A slow client: all of it is in the ledger, little of it in mbufs. */
static void test_slow_client(void **state)
{
	struct engine_buffers_info info;
	struct peer *c;

	(void)state;
	bench_open(&two);
	c = client_open();
	begin(c, 1, 6 * MB);
	hear_head(c);
	peer_pause(c, true);
	for (unsigned i = 0; i < 96; i++)
		emit(1, i * 65536ull, 65536, i == 95);
	bench_run_ms(300);
	engine_buffers(bench.engine, &info);
	assert_true(info.leases > 50);
	assert_true(info.held_bytes <= 256 << 10);
	peer_pause(c, false);
	hear_pattern(c, 0, 6 * MB);
	until(f(1)->releases == 96);
	bench_check_idle();
	bench_close();
}

static void test_client_goes(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&two);
	c = client_open();
	begin(c, 1, 1000000);
	hear_head(c);
	emit(1, 0, 100000, false);
	emit(1, 100000, 200000, false);
	bench_run_ms(1);
	peer_abort(c);
	until(f(1)->releases == 2 && f(1)->resets == 1);
	emit(1, 300000, 1000, true); /* it did not know yet: the slice comes back */
	until(f(1)->releases == 3);
	assert_int_equal(counted(answers_late), 1);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

static void bare(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up =
		response(down, fake->user ? 204 : 404, fake->user ? SLUICE_LENGTH_NONE : 0);

	up.flags = SLUICE_UP_END;
	if (down->kind == SLUICE_DOWN_REQUEST_HEAD)
		fake_say(fake, &up);
}

static void no_length(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = response(down, 401, SLUICE_LENGTH_NONE);

	up.flags = SLUICE_UP_END;
	if (down->kind == SLUICE_DOWN_REQUEST_HEAD)
		fake_say(fake, &up);
}

static void test_without_body(void **state)
{
	struct peer *c;
	const char *head;

	(void)state;
	bench_open(&two);
	f(0)->on = bare;
	c = client_open();
	say(c, GET("/"));
	head = hear_head(c);
	head_has(head, "HTTP/1.1 404 Not Found\r\n");
	head_has(head, "Content-Length: 0\r\n");
	f(0)->user = &asked;
	say(c, GET("/"));
	head = hear_head(c);
	head_has(head, "HTTP/1.1 204 ");
	head_lacks(head, "Content-Length");
	f(0)->on = hello; /* a body, but HEAD */
	say(c, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
	head = hear_head(c);
	head_has(head, "Content-Length: 5\r\n");
	until(f(0)->releases == 1);
	hear_nothing(c, 5);
	f(0)->on = no_length;
	for (unsigned i = 0; i < 2; i++) { /* or the client would wait for the connection's end */
		say(c, GET("/"));
		head = hear_head(c);
		head_has(head, "HTTP/1.1 401 ");
		head_has(head, "Content-Length: 0\r\n");
	}
	say(c, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
	head_lacks(hear_head(c), "Content-Length");
	bench_close();
}

/* HTTP/1.0 gets no chunks. */
static void test_http10(void **state)
{
	struct sluice_up up;
	struct peer *c;

	(void)state;
	bench_open(&two);
	c = client_open();
	f(0)->on = ask;
	asked.kind = 0;
	say(c, "GET / HTTP/1.0\r\n\r\n");
	until(asked.kind);
	up = response(&asked, 200, SLUICE_LENGTH_UNKNOWN);
	fake_say(f(0), &up);
	head_lacks(hear_head(c), "Transfer-Encoding");
	emit(0, 0, 1000, true);
	hear_pattern(c, 0, 1000);
	hear_end(c);
	bench_close();
}

/* The request's body, which nobody reads then. */
static void test_request_body(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&two);
	f(0)->on = hello;
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
	say_pattern(c, 0, 5000);
	say(c, GET("/next"));
	hear_head(c);
	hear(c, "hello");
	hear_head(c);
	hear(c, "hello");
	say(c,
	    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n");
	head_has(hear_head(c), "Connection: close\r\n");
	hear(c, "hello");
	hear_end(c); /* it would wait for 100 */
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
	head_has(hear_head(c), "Connection: close\r\n"); /* nobody will read all that */
	hear(c, "hello");
	hear_end(c);
	bench_close();
}

/* An answer made by one function is shown to another's body hook, which has not its arena. */
static void test_shown(void **state)
{
	struct options options = {.path = 2, .no_functions_up = true};
	struct peer *c;

	(void)state;
	bench_open(&options);
	fake_up(0, HEADS | ENGINE_HOOK_RESPONSE_BODY);
	fake_up(1, HEADS | ENGINE_HOOK_RESPONSE_BODY);
	c = client_open();
	begin(c, 1, MB);
	hear_head(c);
	emit(1, 0, MB, true);
	hear_pattern(c, 0, MB);
	bench_run_ms(20);
	assert_int_equal(f(0)->body_len[1], MB);
	assert_int_equal(f(1)->body_len[1], 0);
	for (size_t i = 0; i < MB; i++)
		assert_int_equal(f(0)->body[1][i], pattern_at(i));
	assert_int_equal(counted(payload_copied_bytes), MB);
	assert_int_equal(f(1)->releases, 1);
	bench_check_idle();
	bench_close();
}

/* Its length is a promise. */
static void test_wrong_length(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&two);
	c = client_open();
	begin(c, 0, 100);
	hear_head(c);
	emit(0, 0, 200, true);
	hear_cut(c);
	c = client_open();
	begin(c, 0, 100);
	hear_head(c);
	emit(0, 0, 50, true);
	hear_cut(c);
	assert_int_equal(counted(bodies_wrong_length), 2);
	bench_run_ms(20);
	assert_int_equal(f(0)->releases, 2);
	bench_close();
}

/* Answers a response; what it took the place of is forgotten. */
static void say_sorry(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = response(down, 502, 5);

	if (down->kind == SLUICE_DOWN_REQUEST_HEAD)
		fake_pass(fake, down);
	if (down->kind != SLUICE_DOWN_RESPONSE_HEAD)
		return;
	up.flags = SLUICE_UP_END;
	up.slices = 1;
	up.respond.slice = fake_slice(fake, 64, "sorry", 5, 7);
	fake_say(fake, &up);
}

static void test_instead_of_the_origin(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(0)->on = say_sorry;
	c = client_open();
	for (unsigned i = 1; i <= 2; i++) {
		say(c, GET("/"));
		o = origin_accept(0);
		hear(o, GET("/"));
		say(o, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsecret");
		head_has(hear_head(c), "HTTP/1.1 502 Bad Gateway\r\n");
		hear(c, "sorry");
		until(f(0)->releases == i);
		until(o->ended || o->closed); /* the rest of it is not wanted */
		until(f(1)->dones == i);
		assert_int_equal(f(1)->resets, i); /* it had seen the other answer */
		assert_int_equal(f(0)->resets, 0);
	}
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

/* An answer that has no body leaves its connection as it was. */
static void test_instead_keeps_the_connection(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(0)->on = say_sorry;
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	for (unsigned i = 0; i < 3; i++) {
		hear(o, GET("/"));
		say(o, "HTTP/1.1 204 No Content\r\n\r\n");
		head_has(hear_head(c), "HTTP/1.1 502 Bad Gateway\r\n");
		hear(c, "sorry");
		say(c, GET("/"));
	}
	hear(o, GET("/"));
	assert_false(origin_has_new(0));
	bench_close();
}

/* What a later function gives of its answer from then on is late, not a lie. */
static void test_instead_of_a_function(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&two);
	f(0)->on = say_sorry;
	c = client_open();
	begin(c, 1, 3000);
	head_has(hear_head(c), "HTTP/1.1 502 Bad Gateway\r\n");
	hear(c, "sorry");
	emit(1, 0, 3000, true);
	until(f(1)->releases == 1);
	assert_int_equal(counted(offences), 0);
	say(c, GET("/"));
	bench_close();
}

/* While the request is still being read. */
static void test_instead_in_mid_request(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&two);
	f(0)->on = say_sorry;
	c = client_open();
	say(c, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
	say_pattern(c, 1, 50000);
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2) "hi");
	head_has(hear_head(c), "HTTP/1.1 502 Bad Gateway\r\n");
	hear(c, "sorry");
	say_pattern(c, 50001, 50000);
	bench_run_ms(50);
	bench_check_idle();
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_head_without_memory),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_slow_client),
		cmocka_unit_test(test_client_goes),
		cmocka_unit_test(test_without_body),
		cmocka_unit_test(test_http10),
		cmocka_unit_test(test_request_body),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_wrong_length),
		cmocka_unit_test(test_instead_of_the_origin),
		cmocka_unit_test(test_instead_keeps_the_connection),
		cmocka_unit_test(test_instead_of_a_function),
		cmocka_unit_test(test_instead_in_mid_request),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
