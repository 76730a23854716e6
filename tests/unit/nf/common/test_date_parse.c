/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nf/common/date.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define NOW         INT64_C(1704067200) /* 2024-01-01 */

static void reads_all_three_forms(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
		{"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
		{"sUN, 06 NOV 1994 08:49:37 gmt", 784111777},
		{"Sun Nov  6 08:49:37 1994", 784111777},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
		{"Wed, 31 Dec 1969 23:59:59 GMT", -1},
		{"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
		{"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
		{"Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799)},
		{"Mon, 01 Jan 0001 00:00:00 GMT", INT64_C(-62135596800)},
		{"Wednesday, 31-Dec-25 00:00:00 GMT", 1767139200},
		{"Mon Nov 16 08:49:37 2026", 1794818977},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t seconds = 1;

		assert_int_equal(date_parse(sluice_str(rows[i].text), NOW, &seconds), 0);
		assert_true(seconds == rows[i].seconds);
	}
}

static void two_digit_years_are_near(void **state)
{
	static const struct {
		const char *year;
		int64_t seconds;
	} rows[] = {
		{"24", 1704067200}, {"74", INT64_C(3281990400)}, {"75", 157766400},
		{"99", 915148800},  {"00", 946684800},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t seconds = 0;

		snprintf(text, sizeof(text), "Friday, 01-Jan-%s 00:00:00 GMT", rows[i].year);
		assert_int_equal(date_parse(sluice_str(text), NOW, &seconds), 0);
		assert_true(seconds == rows[i].seconds);
	}
}

static void refuses_what_is_nearly_right(void **state)
{
	static const char *const rows[] = {
		"",
		"0",
		"-1",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994  08:49:37 GMT",
		"Sun,06 Nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 08:49 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:00 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Tue, 29 Feb 1900 12:00:00 GMT",
		"Wed, 29 Feb 2023 12:00:00 GMT",
		"Sun, 06 Non 1994 08:49:37 GMT",
		"Sun, -6 Nov 1994 08:49:37 GMT",
		"Xyz, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06-Nov-1994 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT",
		"Sunday, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov 06 08:49:37 1994 GMT",
		"Sun Nov  6 08:49:37 94",
		"Sun, 06 Nov 0000 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t seconds;

		if (!date_parse(sluice_str(rows[i]), NOW, &seconds))
			fail_msg("taken for a date: \"%s\"", rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_three_forms),
		cmocka_unit_test(two_digit_years_are_near),
		cmocka_unit_test(refuses_what_is_nearly_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
