/* SPDX-License-Identifier: BSD-3-Clause */
/* What is stale and may be served is asked about in the background. */
#include "cache_test.h"

#define SWR                                                              \
	{                                                                \
		"Cache-Control", "max-age=10, stale-while-revalidate=50" \
	}
#define TAG                     \
	{                       \
		"ETag", "\"1\"" \
	}

/* It knows where requests go. */
static struct harness *begin_routed(const char *config)
{
	struct harness *h = begin(config);
	uint16_t group = harness_group_add(h, "web", SLUICE_BALANCE_ROUND_ROBIN, 1);

	harness_routed(h, group, SLUICE_NONE16);
	return h;
}

/* One that is stale by five seconds, and has been served so: it is being asked about. */
static struct harness *stale(const char *config)
{
	struct harness *h = begin_routed(config);

	fetch(h, "/x?y", F(DATE, SWR, TAG), "old");
	seconds(h, 15);
	assert_null(harness_ask(h, 0));
	assert_hit(h, "/x?y", "old");
	assert_non_null(harness_ask(h, 0));
	return h;
}

static void by_the_same_request(void **state)
{
	struct harness *h = stale("refresh_ms = 1234;");
	struct harness_ask *a = harness_ask(h, 0);

	(void)state;
	assert_string_equal(harness_ask_head(a),
			    "GET /x?y\nHost: a.example\nIf-None-Match: \"1\"\n");
	assert_int_equal(harness_ask_timeout_ms(a), 1234);
	assert_int_equal(harness_ask_group(a), 0);
	assert_int_equal(counter(h, "refreshes"), 1);
	harness_destroy(h);
}

static void nothing_has_changed(void **state)
{
	static const char *const dates[] = {"Mon, 01 Jan 2024 00:00:15 GMT",
					    "Mon, 01 Jan 2024 00:00:30 GMT"};
	struct harness *h = stale("");

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_hit(h, "/x?y", "old"); /* others get it too, and it is asked once */
		assert_null(harness_ask(h, 1));
		harness_ask_answer(harness_ask(h, 0), 304, F(SWR, TAG, {"Date", dates[i]}));
		harness_ask_over(harness_ask(h, 0), 0);
		assert_int_equal(counter(h, "revalidations"), i + 1);
		assert_hit(h, "/x?y", "old");
		assert_null(harness_ask(h, 0)); /* it is fresh */
		seconds(h, 15);
		assert_hit(h, "/x?y", "old");
		assert_non_null(harness_ask(h, 0));
	}
	assert_int_equal(counter(h, "hits_stale"), 5);
	assert_int_equal(counter(h, "misses"), 1);
	harness_destroy(h);
}

static void something_new(void **state)
{
	struct harness *h = stale("");

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		harness_ask_answer(harness_ask(h, 0), 200,
				   F({"Date", "Mon, 01 Jan 2024 00:00:15 GMT"}, SWR,
				     {"Content-Length", "6"}, {"ETag", "\"2\""}));
		harness_ask_piece(harness_ask(h, 0), "new", 3);
		assert_hit(h, "/x?y", i ? "newer?" : "old");
		harness_ask_piece(harness_ask(h, 0), "er?", 3);
		harness_ask_over(harness_ask(h, 0), 0);
		assert_null(harness_ask(h, 0));
		assert_hit(h, "/x?y", "newer?");
		seconds(h, 15 + 15 * i);
		assert_hit(h, "/x?y", "newer?"); /* and that is asked about again */
		assert_non_null(
			strstr(harness_ask_head(harness_ask(h, 0)), "If-None-Match: \"2\""));
	}
	assert_int_equal(counter(h, "objects"), 1);
	harness_destroy(h);
}

/* From then on clients ask. */
static void it_fails(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 4; way++) {
		struct harness *h = stale("");

		if (way == 1)
			harness_ask_answer(harness_ask(h, 0), 503, F(DATE));
		if (way >= 2)
			harness_ask_answer(harness_ask(h, 0), 200,
					   F(DATE, SWR, {"Content-Length", "6"}));
		if (way >= 2)
			harness_ask_piece(harness_ask(h, 0), "new", 3);
		harness_ask_over(harness_ask(h, 0), way == 3 ? 0 : ETIMEDOUT);
		assert_missed(h, "/x?y");
		assert_null(harness_ask(h, 0));
		harness_destroy(h);
	}
}

/* What it says now is not to be kept, nor is what it said. */
static void no_more(void **state)
{
	struct harness *h = stale("");

	(void)state;
	harness_ask_answer(harness_ask(h, 0), 200, F({"Cache-Control", "no-store"}));
	harness_ask_piece(harness_ask(h, 0), "mine", 4);
	harness_ask_over(harness_ask(h, 0), 0);
	assert_int_equal(counter(h, "objects"), 0);
	assert_missed(h, "/x?y");
	harness_destroy(h);
}

/* An answer to what was asked before the target was changed is not stored. */
static void changed_meanwhile(void **state)
{
	struct harness *h = stale("");

	(void)state;
	origin(ask(h, "POST", "/x?y"), 200, F(DATE), "done");
	harness_ask_answer(harness_ask(h, 0), 200, F(DATE, SWR, {"Content-Length", "3"}));
	harness_ask_piece(harness_ask(h, 0), "new", 3);
	harness_ask_over(harness_ask(h, 0), 0);
	assert_missed(h, "/x?y");
	harness_destroy(h);
}

/* Those that may not have the stale one wait for what comes. */
static void others_wait(void **state)
{
	struct harness *h = stale("");
	exchange *x;

	(void)state;
	seconds(h, 50);
	x = get(h, "/x?y");
	assert_int_equal(harness_verdict(x), SLUICE_HOLD);
	harness_ask_answer(
		harness_ask(h, 0), 200,
		F({"Date", "Mon, 01 Jan 2024 00:01:05 GMT"}, SWR, {"Content-Length", "3"}));
	harness_ask_piece(harness_ask(h, 0), "new", 3);
	harness_ask_over(harness_ask(h, 0), 0);
	assert_answer(x, 200, "new");
	harness_destroy(h);
}

/* By the fields that its Vary names: another variant has another request. */
static void variants(void **state)
{
	struct harness *h = begin_routed("");
	static const char *const languages[] = {"de", "fr"};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		origin(harness_request(h, "GET", "/v", F(HOST, {"Accept-Language", languages[i]})),
		       200, F(DATE, SWR, TAG, {"Vary", "Accept-Language"}), languages[i]);
	seconds(h, 15);
	for (unsigned i = 0; i < 2; i++) {
		exchange *x =
			harness_request(h, "GET", "/v", F(HOST, {"Accept-Language", languages[i]}));

		assert_answer(x, 200, languages[i]);
		harness_done(x, false);
	}
	assert_non_null(strstr(harness_ask_head(harness_ask(h, 0)), "Accept-Language: de"));
	assert_non_null(harness_ask(h, 1));
	assert_non_null(strstr(harness_ask_head(harness_ask(h, 1)), "Accept-Language: fr"));
	harness_ask_answer(harness_ask(h, 1), 200,
			   F({"Date", "Mon, 01 Jan 2024 00:00:15 GMT"}, SWR,
			     {"Vary", "Accept-Language"}, {"Content-Length", "2"}));
	harness_ask_piece(harness_ask(h, 1), "FR", 2);
	harness_ask_over(harness_ask(h, 1), 0);
	assert_answer(harness_request(h, "GET", "/v", F(HOST, {"Accept-Language", "fr"})), 200,
		      "FR");
	assert_answer(harness_request(h, "GET", "/v", F(HOST, {"Accept-Language", "de"})), 200,
		      "de");
	harness_destroy(h);
}

/* Then it is as it was without: one gets the stale one, the next one asks. */
static void not_in_the_background(void **state)
{
	static const struct {
		const char *config;
		bool routed;
		struct harness_field field;
	} rows[] = {
		{"refresh_ms = 0;", true, {"Accept", "a"}},
		{"", false, {"Accept", "a"}}, /* nobody knows where to */
		{"", true, {"Cookie", "a=b"}},
	};

	(void)state;
	for (unsigned i = 0; i < ROWS(rows); i++) {
		struct harness *h =
			rows[i].routed ? begin_routed(rows[i].config) : begin(rows[i].config);

		origin(harness_request(h, "GET", "/x?y", F(HOST, rows[i].field)), 200,
		       F(DATE, SWR, TAG), "old");
		seconds(h, 15);
		assert_hit(h, "/x?y", "old");
		assert_null(harness_ask(h, 0));
		assert_missed(h, "/x?y");
		harness_destroy(h);
	}
}

/* At the end of the instance, and when the object goes, nothing is left behind. */
static void given_up(void **state)
{
	struct harness *h = stale("");

	(void)state;
	harness_ask_answer(harness_ask(h, 0), 200, F(DATE, SWR, {"Content-Length", "3"}));
	harness_destroy(h);
	h = stale("purge_from = [ \"192.0.2.0/24\" ];");
	harness_done(ask(h, "PURGE", "/x?y"), false);
	harness_ask_answer(harness_ask(h, 0), 304, F(SWR, TAG));
	harness_ask_over(harness_ask(h, 0), 0);
	assert_missed(h, "/x?y");
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_same_request),
		cmocka_unit_test(nothing_has_changed),
		cmocka_unit_test(something_new),
		cmocka_unit_test(it_fails),
		cmocka_unit_test(no_more),
		cmocka_unit_test(changed_meanwhile),
		cmocka_unit_test(others_wait),
		cmocka_unit_test(variants),
		cmocka_unit_test(not_in_the_background),
		cmocka_unit_test(given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
