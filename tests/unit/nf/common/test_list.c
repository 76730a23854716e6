/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nf/common/list.h"

/* The elements, each in brackets. */
static void divides(const char *text, const char *expected)
{
	struct sluice_str rest = sluice_str(text), element;
	char found[256] = "";

	while (list_next(&rest, &element)) {
		strcat(found, "[");
		strncat(found, element.ptr, element.len);
		strcat(found, "]");
	}
	assert_string_equal(found, expected);
}

static void test_elements(void **state)
{
	(void)state;
	divides("", "");
	divides("a", "[a]");
	divides("a,b", "[a][b]");
	divides(" a ,\tb c ", "[a][b c]");
	divides(", ,a,,", "[a]");
}

static void test_commas_that_do_not_divide(void **state)
{
	(void)state;
	divides("\"a,b\", W/\"c\"", "[\"a,b\"][W/\"c\"]");
	divides("\"a\\\",b\",c", "[\"a\\\",b\"][c]");
	divides("1.1 x (one, (two, three), four), 1.0 y",
		"[1.1 x (one, (two, three), four)][1.0 y]");
	divides("1.1 x (\\), still), 1.0 y", "[1.1 x (\\), still)][1.0 y]");
}

static void test_what_never_closes(void **state)
{
	(void)state;
	divides("\"a,b", "[\"a,b]");
	divides("(a,b", "[(a,b]");
	divides("a),b", "[a)][b]");
	divides("\"a\\", "[\"a\\]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_commas_that_do_not_divide),
		cmocka_unit_test(test_what_never_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
