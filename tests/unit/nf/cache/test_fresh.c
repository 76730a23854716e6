/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "nf/cache/fresh.h"

#define NOW INT64_C(1704067200)
#define S   UINT64_C(1000000)

static const struct fresh_rules rules = {.heuristic_percent = 10, .heuristic_max_s = 86400};

static struct cc directives(const char *text)
{
	struct cc cc;

	cc_init(&cc);
	cc_parse(&cc, sluice_str(text));
	return cc;
}

static struct fresh_response response(uint16_t status, const char *cc)
{
	return (struct fresh_response){
		.status = status,
		.cc = directives(cc),
		.received = NOW,
		.date = NOW,
		.expires = FRESH_ABSENT,
		.last_modified = FRESH_ABSENT,
	};
}

static void what_may_be_stored(void **state)
{
	static const struct {
		uint16_t status;
		const char *cc;
		bool authorized;
		enum fresh_store want;
	} rows[] = {
		{200, "max-age=60", false, FRESH_STORE},
		{200, "s-maxage=60", false, FRESH_STORE},
		{200, "", false, FRESH_NOT_USEFUL},
		{200, "max-age=0", false, FRESH_NOT_USEFUL},
		{200, "public", false, FRESH_NOT_USEFUL},
		{200, "max-age=60, no-cache", false, FRESH_NOT_USEFUL},
		{200, "max-age=60, no-cache=\"x\"", false, FRESH_STORE},
		{200, "max-age=60, no-store", false, FRESH_NOT_ALLOWED},
		{200, "max-age=60, private", false, FRESH_NOT_ALLOWED},
		{200, "max-age=60, private=\"x\"", false, FRESH_STORE},
		{200, "max-age=60, max-age=61", false, FRESH_NOT_ALLOWED},
		{200, "max-age=x", false, FRESH_NOT_ALLOWED},
		{200, "max-age=60, must-understand, no-store", false, FRESH_STORE},
		{299, "max-age=60, must-understand, no-store", false, FRESH_NOT_STATUS},
		{299, "max-age=60", false, FRESH_STORE},
		{299, "", false, FRESH_NOT_STATUS},
		{206, "max-age=60", false, FRESH_NOT_STATUS},
		{304, "max-age=60", false, FRESH_NOT_STATUS},
		{103, "max-age=60", false, FRESH_NOT_STATUS},
		{302, "", false, FRESH_NOT_STATUS},
		{302, "max-age=60", false, FRESH_STORE},
		{404, "max-age=60", false, FRESH_STORE},
		{500, "max-age=60", false, FRESH_STORE},
		{200, "max-age=60", true, FRESH_NOT_SHARED},
		{200, "max-age=60, public", true, FRESH_STORE},
		{200, "max-age=60, must-revalidate", true, FRESH_STORE},
		{200, "s-maxage=60", true, FRESH_STORE},
		{200, "max-age=60, proxy-revalidate", true, FRESH_NOT_SHARED},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct fresh_response r = response(rows[i].status, rows[i].cc);

		if (fresh_may_store(&r, &rules, rows[i].authorized) != rows[i].want)
			fail_msg("%u \"%s\"", rows[i].status, rows[i].cc);
	}
}

static void what_else_decides(void **state)
{
	struct fresh_response r = response(200, "max-age=0");
	struct fresh_rules lax = rules;

	(void)state;
	r.has_etag = true;
	assert_int_equal(fresh_may_store(&r, &rules, false), FRESH_STORE);
	r.vary_never = true;
	assert_int_equal(fresh_may_store(&r, &rules, false), FRESH_NOT_MATCHING);
	r.vary_never = false;
	r.sets_cookie = true;
	assert_int_equal(fresh_may_store(&r, &rules, false), FRESH_NOT_COOKIE);
	lax.store_set_cookie = true;
	assert_int_equal(fresh_may_store(&r, &lax, false), FRESH_STORE);
	r = response(302, "");
	r.expires = NOW + 60;
	assert_int_equal(fresh_may_store(&r, &rules, false), FRESH_STORE);
	r.targeted = true;
	assert_int_equal(fresh_may_store(&r, &rules, false), FRESH_NOT_STATUS);
}

static void heuristic_statuses(void **state)
{
	static const uint16_t yes[] = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};
	static const uint16_t no[] = {201, 202, 302, 303, 304, 307, 400, 401, 403, 500, 503};

	(void)state;
	for (size_t i = 0; i < ROWS(yes); i++)
		assert_true(fresh_is_heuristic_status(yes[i]));
	for (size_t i = 0; i < ROWS(no); i++)
		assert_false(fresh_is_heuristic_status(no[i]));
}

/* Offsets are from NOW; 0: the field is absent. */
static void lifetimes(void **state)
{
	static const struct {
		const char *cc;
		int64_t date, expires, modified;
		bool targeted;
		int64_t want;
	} rows[] = {
		{"max-age=60", 0, 0, 0, false, 60},
		{"max-age=60, s-maxage=30", 0, 3600, 0, false, 30},
		{"max-age=60", 0, 3600, 0, false, 60},
		{"max-age=0", 0, 3600, -1000, false, 0},
		{"", 0, 3600, 0, false, 3600},
		{"", 600, 3600, 0, false, 3000},
		{"", -100, 3600, 0, false, 3700},
		{"", 0, -5, -1000, false, 0},
		{"", 0, 3600, 0, true, 0},
		{"", 0, 0, -1000, false, 100},
		{"", 0, 0, -86400 * 365, false, 86400},
		{"", 0, 0, 1000, false, 0},
		{"", 0, 0, 0, false, 0},
		{"max-age=x", 0, 3600, -1000, false, 0},
		{"must-revalidate", 0, 0, -1000, false, 100},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct fresh_response r = response(200, rows[i].cc);

		r.date = NOW + rows[i].date;
		r.expires = rows[i].expires ? NOW + rows[i].expires : FRESH_ABSENT;
		r.last_modified = rows[i].modified ? NOW + rows[i].modified : FRESH_ABSENT;
		r.targeted = rows[i].targeted;
		if (fresh_lifetime_s(&r, &rules) != rows[i].want)
			fail_msg("row %zu: %lld", i, (long long)fresh_lifetime_s(&r, &rules));
	}
}

static void heuristics_need_a_status_or_public(void **state)
{
	struct fresh_response r = response(302, "");

	(void)state;
	r.last_modified = NOW - 1000;
	assert_int_equal(fresh_lifetime_s(&r, &rules), 0);
	r = response(302, "public");
	r.last_modified = NOW - 1000;
	assert_int_equal(fresh_lifetime_s(&r, &rules), 100);
}

static void ages(void **state)
{
	static const struct {
		int64_t date, age; /* date: from NOW */
		uint64_t delay_us, later_us;
		int64_t want_us;
	} rows[] = {
		{0, 0, 0, 0, 0},           {0, 0, 0, 5 * S, 5 * S},     {0, 10, 0, 5 * S, 15 * S},
		{0, 10, 2 * S, 0, 12 * S}, {-30, 10, 2 * S, 0, 30 * S}, {30, 0, 0, 1, 1},
		{-30, 60, 0, 0, 60 * S},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct fresh_response r = response(200, "max-age=60");
		struct fresh_object o;

		r.date = NOW + rows[i].date;
		r.age = rows[i].age;
		fresh_object_make(&o, &r, &rules, 7 * S, 7 * S + rows[i].delay_us);
		assert_int_equal(fresh_age_us(&o, o.response_us + rows[i].later_us),
				 rows[i].want_us);
	}
}

static void a_response_without_date_is_as_old_as_its_way(void **state)
{
	struct fresh_response r = response(200, "max-age=60");
	struct fresh_object o;

	(void)state;
	r.date = FRESH_ABSENT;
	fresh_object_make(&o, &r, &rules, 0, 3 * S);
	assert_int_equal(fresh_age_us(&o, 3 * S), 3 * S);
}

static void time_to_live_rounds_down(void **state)
{
	struct fresh_response r = response(200, "max-age=60");
	struct fresh_object o;

	(void)state;
	fresh_object_make(&o, &r, &rules, 0, 0);
	assert_int_equal(fresh_ttl_s(&o, 0), 60);
	assert_int_equal(fresh_ttl_s(&o, 1), 59);
	assert_int_equal(fresh_ttl_s(&o, 60 * S), 0);
	assert_int_equal(fresh_ttl_s(&o, 60 * S + 1), -1);
	assert_int_equal(fresh_ttl_s(&o, 70 * S), -10);
}

static void who_may_have_it(void **state)
{
	static const struct {
		const char *response, *request;
		unsigned age_s;
		bool fetching;
		enum fresh_use want;
	} rows[] = {
		{"max-age=60", "", 0, false, FRESH_USE},
		{"max-age=60", "", 59, false, FRESH_USE},
		{"max-age=60", "", 60, false, FRESH_ASK_AS_STALE},
		{"max-age=60", "no-cache", 0, false, FRESH_ASK_FOR_CLIENT},
		{"max-age=60", "max-age=10", 10, false, FRESH_USE},
		{"max-age=60", "max-age=10", 11, false, FRESH_ASK_FOR_CLIENT},
		{"max-age=60", "max-age=0", 1, false, FRESH_ASK_FOR_CLIENT},
		{"max-age=60", "max-age=x", 1, false, FRESH_ASK_FOR_CLIENT},
		{"max-age=60", "min-fresh=50", 10, false, FRESH_USE},
		{"max-age=60", "min-fresh=50", 11, false, FRESH_ASK_FOR_CLIENT},
		{"max-age=60", "max-stale", 999, false, FRESH_USE_STALE},
		{"max-age=60", "max-stale=10", 70, false, FRESH_USE_STALE},
		{"max-age=60", "max-stale=10", 71, false, FRESH_ASK_AS_STALE},
		{"max-age=60, must-revalidate", "max-stale", 61, false, FRESH_ASK_AS_STALE},
		{"max-age=60, proxy-revalidate", "max-stale", 61, false, FRESH_ASK_AS_STALE},
		{"s-maxage=60", "max-stale", 61, false, FRESH_ASK_AS_STALE},
		{"max-age=60, must-revalidate", "", 30, false, FRESH_USE},
		{"max-age=60, no-cache", "", 0, false, FRESH_ASK_AS_STALE},
		{"max-age=60, no-cache", "max-stale", 0, false, FRESH_ASK_AS_STALE},
		{"max-age=60, stale-while-revalidate=30", "", 70, false, FRESH_ASK_AS_STALE},
		{"max-age=60, stale-while-revalidate=30", "", 90, true, FRESH_USE_STALE},
		{"max-age=60, stale-while-revalidate=30", "", 91, true, FRESH_ASK_AS_STALE},
		{"max-age=60, stale-while-revalidate=30, must-revalidate", "", 70, true,
		 FRESH_ASK_AS_STALE},
		{"max-age=60", "", 61, true, FRESH_ASK_AS_STALE},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct fresh_response r = response(200, rows[i].response);
		struct cc request = directives(rows[i].request);
		struct fresh_object o;

		fresh_object_make(&o, &r, &rules, 0, 0);
		if (fresh_judge(&o, &request, rows[i].age_s * S, rows[i].fetching) != rows[i].want)
			fail_msg("\"%s\" for \"%s\" at %u", rows[i].response, rows[i].request,
				 rows[i].age_s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_stored),
		cmocka_unit_test(what_else_decides),
		cmocka_unit_test(heuristic_statuses),
		cmocka_unit_test(lifetimes),
		cmocka_unit_test(heuristics_need_a_status_or_public),
		cmocka_unit_test(ages),
		cmocka_unit_test(a_response_without_date_is_as_old_as_its_way),
		cmocka_unit_test(time_to_live_rounds_down),
		cmocka_unit_test(who_may_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
