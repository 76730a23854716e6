/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "nf/common/date.h"

#define EXAMPLE INT64_C(784111777) /* the date of RFC 9110's examples */

static void parses(const char *text, int64_t expected)
{
	int64_t seconds = -1;

	assert_int_equal(date_parse(sluice_str(text), EXAMPLE, &seconds), 0);
	assert_int_equal(seconds, expected);
}

static void test_all_three_forms(void **state)
{
	(void)state;
	parses("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE);
	parses("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE);
	parses("Sun Nov  6 08:49:37 1994", EXAMPLE);
	parses("Thu, 01 Jan 1970 00:00:00 GMT", 0);
	parses("Thu, 29 Feb 2024 23:59:59 GMT", 1709251199);
}

static void test_two_digit_years(void **state)
{
	(void)state;
	/* Seen from 1994: 44 is ahead by 50 years, 45 would be by 51. */
	parses("Friday, 01-Jan-44 00:00:00 GMT", INT64_C(2335219200));
	parses("Monday, 01-Jan-45 00:00:00 GMT", INT64_C(-788918400));
}

static void test_what_is_no_date(void **state)
{
	static const char *const wrong[] = {
		"",
		"0",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 06 Xxx 1994 08:49:37 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:-9:37 GMT",
		"Sun, 06 Nov 0000 08:49:37 GMT",
		"Sunday, 06 November 1994, around nine in the morning GMT",
	};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i)
		assert_int_equal(date_parse(sluice_str(wrong[i]), EXAMPLE, &seconds), -22);
}

static void formats(int64_t seconds, const char *expected)
{
	char text[DATE_BYTES];

	date_format(seconds, text);
	assert_string_equal(text, expected);
}

static void test_format(void **state)
{
	(void)state;
	formats(EXAMPLE, "Sun, 06 Nov 1994 08:49:37 GMT");
	formats(0, "Thu, 01 Jan 1970 00:00:00 GMT");
	formats(-1, "Wed, 31 Dec 1969 23:59:59 GMT");
	formats(INT64_MIN, "Mon, 01 Jan 0001 00:00:00 GMT");
	formats(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
}

/* Against the C library, through leap years and centuries, and back again. */
static void test_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t t = -4000000000; t < 8000000000; t += 8640007) {
		char ours[DATE_BYTES], theirs[64];
		time_t clock = (time_t)t;
		struct tm tm;

		date_format(t, ours);
		strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT",
			 gmtime_r(&clock, &tm));
		assert_string_equal(ours, theirs);
		parses(ours, t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_three_forms),
		cmocka_unit_test(test_two_digit_years),
		cmocka_unit_test(test_what_is_no_date),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_agrees_with_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
