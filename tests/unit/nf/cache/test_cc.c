/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "nf/cache/cc.h"

static struct cc parse(const char *text)
{
	struct cc cc;

	cc_init(&cc);
	cc_parse(&cc, sluice_str(text));
	return cc;
}

static void flags(void **state)
{
	static const struct {
		const char *text;
		uint32_t flags;
	} rows[] = {
		{"", 0},
		{",, ,", 0},
		{"no-store", CC_NO_STORE},
		{"NO-STORE", CC_NO_STORE},
		{" no-store ", CC_NO_STORE},
		{"no-cache, private", CC_NO_CACHE | CC_PRIVATE},
		{"public,must-revalidate", CC_PUBLIC | CC_MUST_REVALIDATE},
		{"proxy-revalidate , must-understand,no-store",
		 CC_PROXY_REVALIDATE | CC_MUST_UNDERSTAND | CC_NO_STORE},
		{"only-if-cached", CC_ONLY_IF_CACHED},
		{"max-stale", CC_MAX_STALE_ANY},
		{"no-store=1", CC_NO_STORE},
		{"no-store, no-store", CC_NO_STORE},
		{"no-stored", 0},
		{"foo, bar=1, baz=\"no-store, private\"", 0},
		{"a=\"b\\\"c, no-store\", public", CC_PUBLIC},
		{"no-cache=\"set-cookie\"", 0},
		{"private=x-a", 0},
		{"no-cache=\"\"", CC_NO_CACHE},
		{"private=\"a\\b\"", CC_PRIVATE},
		{"no-store foo", CC_BAD},
		{"private=\"unclosed", CC_BAD},
		{"foo=\"unclosed, no-store", CC_BAD},
		{"max-age", CC_BAD},
		{"max-age=", CC_BAD},
		{"max-age=-1", CC_BAD},
		{"max-age=1.5", CC_BAD},
		{"max-age=10a", CC_BAD},
		{"max-age=a10", CC_BAD},
		{"max-age= 10", CC_BAD},
		{"max-age =10", CC_BAD},
		{"max-age='10'", CC_BAD},
		{"max-age=10;public", CC_BAD},
		{"max-age=10, max-age=20", CC_BAD},
		{"max-age=10, max-age=10", 0},
		{"unknown value, public", CC_PUBLIC},
		{"=3, public", CC_PUBLIC},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct cc cc = parse(rows[i].text);

		if (cc.flags != rows[i].flags)
			fail_msg("\"%s\": flags %x, not %x", rows[i].text, cc.flags, rows[i].flags);
	}
}

static void numbers(void **state)
{
	struct cc cc = parse("max-age=10, s-maxage=20, max-stale=30, min-fresh=40, "
			     "stale-while-revalidate=50, stale-if-error=60");

	(void)state;
	assert_int_equal(cc.max_age, 10);
	assert_int_equal(cc.s_maxage, 20);
	assert_int_equal(cc.max_stale, 30);
	assert_int_equal(cc.min_fresh, 40);
	assert_int_equal(cc.stale_while_revalidate, 50);
	assert_int_equal(cc.stale_if_error, 60);
	assert_int_equal(cc.values, 6);
	cc = parse("Max-Age=\"007\"");
	assert_int_equal(cc.max_age, 7);
	assert_int_equal(cc.s_maxage, CC_ABSENT);
	cc = parse("max-age=99999999999999999999999999");
	assert_true(cc.max_age == CC_SECONDS_MAX);
	cc = parse("max-age=0");
	assert_int_equal(cc.max_age, 0);
}

static void several_lines_add_up(void **state)
{
	struct cc cc = parse("max-age=10");

	(void)state;
	cc_parse(&cc, sluice_str("public"));
	cc_parse(&cc, sluice_str("no-cache=\"a, B\""));
	assert_int_equal(cc.max_age, 10);
	assert_int_equal(cc.flags, CC_PUBLIC);
	cc_parse(&cc, sluice_str("max-age=11"));
	assert_int_equal(cc.flags, CC_PUBLIC | CC_BAD);
}

static void names_of_fields(void **state)
{
	struct cc cc = parse("no-cache=\"Set-Cookie, x-a\", private=X-B");

	(void)state;
	assert_true(cc_names_field(&cc, sluice_str("set-cookie")));
	assert_true(cc_names_field(&cc, sluice_str("X-A")));
	assert_true(cc_names_field(&cc, sluice_str("x-b")));
	assert_false(cc_names_field(&cc, sluice_str("x")));
	assert_false(cc_names_field(&cc, sluice_str("")));
}

static void more_lists_than_kept_hold_for_all(void **state)
{
	struct cc cc = parse("private=a, private=b, private=c, private=d, private=e");

	(void)state;
	assert_int_equal(cc.flags, CC_PRIVATE);
}

/* RFC 9213 §2.1 */
static void structured(void **state)
{
	static const struct {
		const char *value;
		int64_t max_age;
		bool bad;
	} rows[] = {
		{"max-age=10", 10, false},
		{"foobar, max-age=10", 10, false},
		{"max-age=10, a=?1, b=(x y), c=:YQ==:, d=\"x\";p=1", 10, false},
		{"max-age=10;p=1", 10, false},
		{"max-age=\"10\"", CC_ABSENT, true},
		{"max-age", CC_ABSENT, true},
		{"max-age=10, &&&&&", 10, true},
		{"Max-Age=10", CC_ABSENT, true},
		{"max-age =10", CC_ABSENT, true},
		{"max-age= 10", CC_ABSENT, true},
		{"max-age=10 public", CC_ABSENT, true},
		{"", CC_ABSENT, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct cc cc;

		cc_init(&cc);
		cc_parse_strict(&cc, sluice_str(rows[i].value));
		if (!!(cc.flags & CC_BAD) != rows[i].bad || cc.max_age != rows[i].max_age)
			fail_msg("%s: %d", rows[i].value, (int)cc.max_age);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags),
		cmocka_unit_test(numbers),
		cmocka_unit_test(several_lines_add_up),
		cmocka_unit_test(names_of_fields),
		cmocka_unit_test(more_lists_than_kept_hold_for_all),
		cmocka_unit_test(structured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
