/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 9111 as a conversation: a response comes, time passes, the same is asked for again. */
#include "cache_test.h"

#define EXPIRES_60 "Mon, 01 Jan 2024 00:01:00 GMT"
#define PAST       "Sun, 31 Dec 2023 00:00:00 GMT"

struct row {
	const char *response[3][2]; /* fields */
	const char *request[2];     /* of both requests */
	const char *again[2];       /* of the second */
	uint16_t status;
	unsigned after_s;
	bool hit;
};

#define CC(text)                      \
	{                             \
		"Cache-Control", text \
	}

static const struct row rows[] = {
	{{CC("max-age=60")}, {0}, {0}, 200, 59, true},
	{{CC("max-age=60")}, {0}, {0}, 200, 60, false},
	{{CC("s-maxage=60, max-age=0")}, {0}, {0}, 200, 59, true},
	{{CC("s-maxage=1, max-age=60")}, {0}, {0}, 200, 2, false},
	{{{"Expires", EXPIRES_60}}, {0}, {0}, 200, 59, true},
	{{{"Expires", EXPIRES_60}}, {0}, {0}, 200, 60, false},
	{{{"Expires", PAST}}, {0}, {0}, 200, 0, false},
	{{{"Expires", "0"}, {"Last-Modified", PAST}}, {0}, {0}, 200, 0, false},
	{{{"Expires", EXPIRES_60}, CC("max-age=5")}, {0}, {0}, 200, 6, false},
	{{{"Last-Modified", PAST}}, {0}, {0}, 200, 8639, true},
	{{{"Last-Modified", PAST}}, {0}, {0}, 200, 8640, false},
	{{{"Last-Modified", PAST}}, {0}, {0}, 302, 1, false},
	{{{"X", "y"}}, {0}, {0}, 200, 0, false},
	{{CC("max-age=60, no-store")}, {0}, {0}, 200, 0, false},
	{{CC("max-age=60, private")}, {0}, {0}, 200, 0, false},
	{{CC("max-age=60, no-cache")}, {0}, {0}, 200, 0, false},
	{{CC("max-age=60"), CC("no-store")}, {0}, {0}, 200, 0, false},
	{{CC("max-age=60, foo=\"no-store\"")}, {0}, {0}, 200, 1, true},
	{{CC("max-age=60"), {"Vary", "*"}}, {0}, {0}, 200, 0, false},
	{{CC("max-age=60"), {"Vary", "A"}, {"Vary", "*"}}, {0}, {0}, 200, 0, false},
	{{CC("max-age=60"), {"Vary", "X-V"}}, {"X-V", "1"}, {0}, 200, 1, true},
	{{CC("max-age=60"), {"Vary", "X-V"}}, {0}, {"X-V", "1"}, 200, 1, false},
	{{CC("max-age=60"), {"Set-Cookie", "a=b"}}, {0}, {0}, 200, 1, true},
	{{{"Last-Modified", PAST}, {"Set-Cookie", "a=b"}}, {0}, {0}, 200, 0, false},
	{{CC("max-age=60"), {"Pragma", "no-cache"}}, {0}, {0}, 200, 1, true},
	{{CC("max-age=60")}, {"Authorization", "Basic YTpi"}, {0}, 200, 0, false},
	{{CC("max-age=60, public")}, {"Authorization", "Basic YTpi"}, {0}, 200, 1, true},
	{{CC("s-maxage=60")}, {"Authorization", "Basic YTpi"}, {0}, 200, 1, true},
	{{CC("max-age=60, must-revalidate")}, {"Authorization", "Basic YTpi"}, {0}, 200, 1, true},
	{{CC("max-age=60")}, {0}, {"Authorization", "Basic YTpi"}, 200, 1, true},
	{{CC("max-age=60")}, {0}, CC("no-cache"), 200, 1, false},
	{{CC("max-age=60")}, {0}, {"Pragma", "no-cache"}, 200, 1, false},
	{{CC("max-age=60")}, {0}, CC("max-age=10"), 200, 11, false},
	{{CC("max-age=60")}, {0}, CC("max-age=10"), 200, 10, true},
	{{CC("max-age=60")}, {0}, CC("min-fresh=30"), 200, 31, false},
	{{CC("max-age=60")}, {0}, CC("max-stale"), 200, 600, true},
	{{CC("max-age=60")}, {0}, CC("max-stale=5"), 200, 66, false},
	{{CC("max-age=60, must-revalidate")}, {0}, CC("max-stale"), 200, 61, false},
	{{CC("max-age=60, proxy-revalidate")}, {0}, CC("max-stale"), 200, 61, false},
	{{CC("s-maxage=60")}, {0}, CC("max-stale"), 200, 61, false},
	{{CC("max-age=60")}, CC("no-store"), {0}, 200, 0, false},
	{{CC("max-age=60")}, {0}, CC("no-store"), 200, 1, true},
	{{CC("max-age=60")}, {0}, {0}, 302, 1, true},
	{{CC("max-age=60")}, {0}, {0}, 404, 1, true},
	{{CC("max-age=60")}, {0}, {0}, 500, 1, true},
	{{CC("max-age=60")}, {0}, {0}, 299, 1, true},
	{{CC("max-age=60"), {"Content-Range", "bytes 0-4/9"}}, {0}, {0}, 206, 0, false},
	{{CC("max-age=60, must-understand, no-store")}, {0}, {0}, 200, 1, true},
	{{CC("max-age=60, must-understand, no-store")}, {0}, {0}, 299, 1, false},
	{{CC("public"), {"Last-Modified", PAST}}, {0}, {0}, 302, 60, true},
	{{CC("max-age=60, max-age=60")}, {0}, {0}, 200, 1, true},
	{{CC("max-age=60, max-age=61")}, {0}, {0}, 200, 1, false},
	{{CC("max-age=60"), {"Age", "30"}}, {0}, {0}, 200, 29, true},
	{{CC("max-age=60"), {"Age", "30"}}, {0}, {0}, 200, 30, false},
	{{CC("max-age=60"), {"Age", "30, 70"}}, {0}, {0}, 200, 1, true},
	{{CC("max-age=60"), {"Age", "x"}}, {0}, {0}, 200, 59, true},
	{{CC("max-age=60"), {"CDN-Cache-Control", "max-age=5"}}, {0}, {0}, 200, 6, true},
};

/* Host, then what is given; room for three more. */
static const struct harness_field *request_of(const char *const a[2], const char *const b[2],
					      struct harness_field out[4])
{
	unsigned n = 0;

	memset(out, 0, 4 * sizeof(*out));
	out[n++] = (struct harness_field)HOST;
	if (a[0])
		out[n++] = (struct harness_field){a[0], a[1]};
	if (b && b[0])
		out[n++] = (struct harness_field){b[0], b[1]};
	return out;
}

static void the_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct harness *h = begin("");
		struct harness_field request[4], response[5] = {DATE};
		exchange *x =
			harness_request(h, "GET", "/", request_of(rows[i].request, NULL, request));

		for (unsigned k = 0; k < 3 && rows[i].response[k][0]; k++)
			response[k + 1] = (struct harness_field){rows[i].response[k][0],
								 rows[i].response[k][1]};
		origin(x, rows[i].status, response, "hello");
		seconds(h, rows[i].after_s);
		x = harness_request(h, "GET", "/",
				    request_of(rows[i].request, rows[i].again, request));
		if (is_answered(x) != rows[i].hit)
			fail_msg("row %zu: %s", i, rows[i].response[0][1]);
		harness_destroy(h);
	}
}

static void no_cookies_if_they_are_not_allowed(void **state)
{
	struct harness *h = begin("store_set_cookie = false;");

	(void)state;
	fetch(h, "/", F(DATE, CC("max-age=60"), {"Set-Cookie", "a=b"}), "hello");
	assert_missed(h, "/");
	harness_destroy(h);
}

static void clients_may_have_no_say(void **state)
{
	struct harness *h = begin("client_directives = false;");
	exchange *x;

	(void)state;
	fetch(h, "/", F(DATE, CC("max-age=60")), "hello");
	x = harness_request(h, "GET", "/", F(HOST, CC("no-cache"), {"Pragma", "no-cache"}));
	assert_answer(x, 200, "hello");
	harness_destroy(h);
}

static void heuristics_by_config(void **state)
{
	struct harness *h = begin("heuristic_percent = 50; heuristic_max_s = 100;");

	(void)state;
	fetch(h, "/", F(DATE, {"Last-Modified", PAST}), "hello");
	seconds(h, 99);
	assert_hit(h, "/", "hello");
	seconds(h, 1);
	assert_missed(h, "/");
	harness_destroy(h);
	h = begin("heuristic_percent = 0;");
	fetch(h, "/", F(DATE, {"Last-Modified", PAST}), "hello");
	assert_missed(h, "/");
	harness_destroy(h);
}

/* RFC 9213 */
static void targeted_directives(void **state)
{
	static const struct {
		const char *cdn;
		unsigned after_s;
		bool hit;
	} table[] = {
		{"max-age=600", 500, true}, {"max-age=5", 6, false}, {"no-store", 0, false},
		{"max-age=x", 50, true},    {"", 50, true},          {"foo=\"", 50, true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(table); i++) {
		struct harness *h = begin("targeted = [ \"X-Ours\", \"CDN-Cache-Control\" ];");

		fetch(h, "/",
		      F(DATE, CC("max-age=60"), {"Expires", PAST},
			{"CDN-Cache-Control", table[i].cdn}),
		      "hello");
		seconds(h, table[i].after_s);
		assert_int_equal(is_answered(get(h, "/")), table[i].hit);
		harness_destroy(h);
	}
}

/* A correct clock of the cache, a wrong one of the origin. */
static void apparent_age(void **state)
{
	struct harness *h = begin("");

	(void)state;
	seconds(h, 40);
	fetch(h, "/", F(DATE, CC("max-age=60")), "hello");
	assert_field(get(h, "/"), "Age", "40");
	seconds(h, 20);
	assert_missed(h, "/");
	harness_destroy(h);
}

static void the_way_to_the_origin_counts(void **state)
{
	struct harness *h = begin("");
	exchange *x = assert_miss(h, "/");

	(void)state;
	seconds(h, 5);
	origin(x, 200,
	       F({"Date", "Mon, 01 Jan 2024 00:00:05 GMT"}, CC("max-age=60"), {"Age", "10"}),
	       "hello");
	assert_field(get(h, "/"), "Age", "15");
	harness_destroy(h);
}

static void requests_with_a_body_pass(void **state)
{
	struct harness *h = begin("");
	exchange *x = harness_request(h, "GET", "/", F(HOST, {"Content-Length", "3"}));

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	x = ask(h, "OPTIONS", "/");
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rules),
		cmocka_unit_test(no_cookies_if_they_are_not_allowed),
		cmocka_unit_test(clients_may_have_no_say),
		cmocka_unit_test(heuristics_by_config),
		cmocka_unit_test(targeted_directives),
		cmocka_unit_test(apparent_age),
		cmocka_unit_test(the_way_to_the_origin_counts),
		cmocka_unit_test(requests_with_a_body_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
