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
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_agrees_with_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
