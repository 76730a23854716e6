/* SPDX-License-Identifier: BSD-3-Clause */
/* Many ask for the same at once: one fetches, the others wait for it. */
#include "cache_test.h"

#define AGE                                    \
	{                                      \
		"Cache-Control", "max-age=100" \
	}

static void assert_waits(const exchange *x)
{
	assert_int_equal(harness_verdict(x), SLUICE_HOLD);
}

static void assert_goes_on(const exchange *x)
{
	assert_int_equal(harness_verdict(x), SLUICE_PASS);
}

static void all_get_what_one_fetched(void **state)
{
	struct harness *h = begin("");
	exchange *first = assert_miss(h, "/x"), *a = get(h, "/x"), *b = get(h, "/x");
	exchange *head = ask(h, "HEAD", "/x");
	exchange *part = harness_request(h, "GET", "/x", F(HOST, {"Range", "bytes=1-2"}));

	(void)state;
	assert_waits(a);
	assert_waits(b);
	assert_waits(head);
	assert_waits(part);
	assert_int_equal(counter(h, "waiting"), 4);
	origin(first, 200, F(DATE, AGE), "hello");
	assert_answer(a, 200, "hello");
	assert_answer(b, 200, "hello");
	assert_answer(head, 200, "");
	assert_answer(part, 206, "el");
	assert_field(a, "Cache-Status", "sluice; fwd=uri-miss; ttl=100; collapsed");
	assert_int_equal(counter(h, "waiting"), 0);
	assert_int_equal(counter(h, "waits"), 4);
	assert_int_equal(counter(h, "hits_collapsed"), 4);
	assert_int_equal(counter(h, "misses"), 1);
	harness_destroy(h);
}

static void they_wait_for_the_whole_body(void **state)
{
	struct harness *h = begin("");
	exchange *first = assert_miss(h, "/x"), *a = get(h, "/x");

	(void)state;
	harness_response(first, 200, F(DATE, AGE, {"Content-Length", "5"}));
	assert_waits(a);
	harness_response_body(first, "he", 2, false);
	assert_waits(a);
	harness_response_body(first, "llo", 3, true);
	assert_answer(a, 200, "hello");
	harness_destroy(h);
}

static void uncacheable_lets_them_go(void **state)
{
	struct harness *h = begin("uncacheable_s = 5;");
	exchange *first = assert_miss(h, "/x"), *a = get(h, "/x"), *b = get(h, "/x");

	(void)state;
	origin(first, 200, F(DATE, {"Cache-Control", "no-store"}), "mine");
	assert_goes_on(a);
	assert_goes_on(b);
	/* And nobody waits for the next while. */
	assert_missed(h, "/x");
	first = assert_miss(h, "/x");
	assert_goes_on(get(h, "/x"));
	harness_done(first, true);
	seconds(h, 6);
	first = assert_miss(h, "/x");
	a = get(h, "/x");
	assert_waits(a);
	origin(first, 200, F(DATE, AGE), "ours");
	assert_answer(a, 200, "ours");
	harness_destroy(h);
}

static void too_large_lets_them_go(void **state)
{
	struct harness *h = begin("max_object_kb = 1;");
	exchange *first = assert_miss(h, "/x"), *a = get(h, "/x");
	char body[800] = {0};

	(void)state;
	harness_response(first, 200, F(DATE, AGE, {"Transfer-Encoding", "chunked"}));
	harness_response_body(first, body, sizeof(body), false);
	assert_waits(a);
	harness_response_body(first, body, sizeof(body), false);
	assert_goes_on(a);
	harness_destroy(h);
}

/* The client of the leader goes away: the next one fetches, for the others too. */
static void the_next_one_leads(void **state)
{
	struct harness *h = begin("");
	exchange *first = assert_miss(h, "/x"), *a = get(h, "/x"), *b = get(h, "/x");

	(void)state;
	harness_done(first, true);
	assert_goes_on(a);
	assert_waits(b);
	harness_response(a, 200, F(DATE, AGE, {"Content-Length", "5"}));
	harness_response_body(a, "hel", 3, false);
	harness_done(a, true);
	assert_goes_on(b);
	origin(b, 200, F(DATE, AGE), "hello");
	assert_hit(h, "/x", "hello");
	harness_destroy(h);
}

static void one_that_waits_may_go_away(void **state)
{
	struct harness *h = begin("");
	exchange *first = assert_miss(h, "/x"), *a = get(h, "/x"), *b = get(h, "/x");

	(void)state;
	harness_done(a, true);
	assert_int_equal(counter(h, "waiting"), 1);
	origin(first, 200, F(DATE, AGE), "hello");
	assert_answer(b, 200, "hello");
	harness_destroy(h);
}

static void nobody_waits_for_ever(void **state)
{
	struct harness *h = begin("collapse_wait_ms = 2000;");
	exchange *first = assert_miss(h, "/x"), *a = get(h, "/x"), *b;

	(void)state;
	seconds(h, 1);
	b = get(h, "/x");
	harness_advance(h, SECOND - 1);
	harness_tick(h);
	assert_waits(a);
	harness_advance(h, 1);
	harness_tick(h);
	assert_goes_on(a);
	assert_waits(b);
	assert_int_equal(counter(h, "wait_timeouts"), 1);
	origin(first, 200, F(DATE, AGE), "hello");
	assert_answer(b, 200, "hello");
	origin(a, 200, F(DATE, AGE), "later");
	assert_hit(h, "/x", "later");
	harness_destroy(h);
}

static void only_so_many_wait(void **state)
{
	struct harness *h = begin("collapse_waiters = 2;");
	exchange *first = assert_miss(h, "/x");

	(void)state;
	assert_waits(get(h, "/x"));
	assert_waits(get(h, "/x"));
	assert_goes_on(get(h, "/x"));
	origin(first, 200, F(DATE, AGE), "hello");
	harness_destroy(h);
}

static void it_can_be_off(void **state)
{
	struct harness *h = begin("collapse = false;");

	(void)state;
	assert_goes_on(get(h, "/x"));
	assert_goes_on(get(h, "/x"));
	harness_destroy(h);
}

static void some_never_wait(void **state)
{
	struct harness *h = begin("");
	exchange *first = assert_miss(h, "/x"), *x;

	(void)state;
	x = harness_request(h, "GET", "/x", F(HOST, {"Cache-Control", "no-store"}));
	assert_goes_on(x);
	x = harness_request(h, "GET", "/x", F(HOST, {"Cache-Control", "only-if-cached"}));
	assert_answer(x, 504, "");
	assert_goes_on(get(h, "/y"));
	origin(first, 200, F(DATE, AGE), "hello");
	harness_destroy(h);
}

static void some_never_lead(void **state)
{
	static const struct harness_field rows[] = {{"Range", "bytes=0-1"},
						    {"If-None-Match", "\"a\""},
						    {"Authorization", "Basic YTpi"},
						    {"Cache-Control", "no-store"}};
	struct harness *h = begin("");

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		exchange *x = harness_request(h, "GET", "/x", F(HOST, rows[i]));

		assert_goes_on(x);
		x = get(h, "/x");
		assert_goes_on(x);
		harness_done(x, true);
	}
	assert_goes_on(ask(h, "HEAD", "/x"));
	assert_goes_on(get(h, "/x"));
	harness_destroy(h);
}

static void other_variants_do_not_wait(void **state)
{
	struct harness *h = begin("");
	exchange *first = harness_request(h, "GET", "/x", F(HOST, {"X-V", "1"})), *a, *b, *c;

	(void)state;
	a = harness_request(h, "GET", "/x", F(HOST, {"X-V", "1"}));
	b = harness_request(h, "GET", "/x", F(HOST, {"X-V", "2"}));
	assert_waits(a);
	assert_waits(b);
	harness_response(first, 200, F(DATE, AGE, {"Vary", "X-V"}, {"Content-Length", "3"}));
	assert_waits(a);
	assert_goes_on(b);
	c = harness_request(h, "GET", "/x", F(HOST, {"X-V", "3"}));
	assert_goes_on(c);
	harness_response_body(first, "one", 3, true);
	assert_answer(a, 200, "one");
	origin(b, 200, F(DATE, AGE, {"Vary", "X-V"}), "two");
	origin(c, 200, F(DATE, AGE, {"Vary", "X-V"}), "tri");
	/* From what is stored it is known beforehand. */
	seconds(h, 200);
	first = harness_request(h, "GET", "/x", F(HOST, {"X-V", "1"}));
	assert_goes_on(first);
	assert_waits(harness_request(h, "GET", "/x", F(HOST, {"X-V", "1"})));
	assert_goes_on(harness_request(h, "GET", "/x", F(HOST, {"X-V", "2"})));
	harness_done(first, true);
	harness_destroy(h);
}

static void what_is_stale_at_once_is_not_waited_for_again(void **state)
{
	struct harness *h = begin("");
	exchange *first = assert_miss(h, "/x"), *a = get(h, "/x");

	(void)state;
	origin(first, 200, F(DATE, {"Cache-Control", "no-cache"}, {"ETag", "\"1\""}), "hello");
	assert_goes_on(a);
	assert_goes_on(get(h, "/x"));
	harness_destroy(h);
}

static void stale_while_it_is_fetched(void **state)
{
	struct harness *h = begin("");
	exchange *first, *x;

	(void)state;
	fetch(h, "/x", F(DATE, {"Cache-Control", "max-age=10, stale-while-revalidate=20"}), "old");
	seconds(h, 15);
	assert_hit(h, "/x", "old"); /* the first after its time; the next one fetches */
	first = assert_miss(h, "/x");
	x = get(h, "/x");
	assert_answer(x, 200, "old");
	assert_field(x, "Cache-Status", "sluice; hit; ttl=-5");
	seconds(h, 16);
	x = get(h, "/x");
	assert_waits(x);
	origin(first, 200, F({"Date", "Mon, 01 Jan 2024 00:00:31 GMT"}, AGE), "new");
	assert_answer(x, 200, "new");
	assert_int_equal(counter(h, "hits_stale"), 2);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_get_what_one_fetched),
		cmocka_unit_test(they_wait_for_the_whole_body),
		cmocka_unit_test(uncacheable_lets_them_go),
		cmocka_unit_test(too_large_lets_them_go),
		cmocka_unit_test(the_next_one_leads),
		cmocka_unit_test(one_that_waits_may_go_away),
		cmocka_unit_test(nobody_waits_for_ever),
		cmocka_unit_test(only_so_many_wait),
		cmocka_unit_test(it_can_be_off),
		cmocka_unit_test(some_never_wait),
		cmocka_unit_test(some_never_lead),
		cmocka_unit_test(other_variants_do_not_wait),
		cmocka_unit_test(what_is_stale_at_once_is_not_waited_for_again),
		cmocka_unit_test(stale_while_it_is_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
