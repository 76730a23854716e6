/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "nf/cache/etag.h"

static void what_is_a_tag(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{"\"\"", true},         {"\"a\"", true},    {"W/\"a\"", true},    {"\"a,b\"", true},
		{"\"\xc3\xa9\"", true}, {"", false},        {"a", false},         {"\"a", false},
		{"w/\"a\"", false},     {"\"a b\"", false}, {"W/a", false},       {"W/", false},
		{"\"a\"b", false},      {"\"a\", ", false}, {"\"a\x7f\"", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(etag_is_valid(sluice_str(rows[i].text)), rows[i].valid);
}

static void comparisons(void **state)
{
	static const struct {
		const char *a, *b;
		bool strong, weak;
	} rows[] = {
		{"W/\"1\"", "W/\"1\"", false, true},
		{"W/\"1\"", "W/\"2\"", false, false},
		{"W/\"1\"", "\"1\"", false, true},
		{"\"1\"", "W/\"1\"", false, true},
		{"\"1\"", "\"1\"", true, true},
		{"\"1\"", "\"2\"", false, false},
		{"1", "1", false, false},
		{"\"A\"", "\"a\"", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct sluice_str a = sluice_str(rows[i].a), b = sluice_str(rows[i].b);

		assert_int_equal(etag_equal_strong(a, b), rows[i].strong);
		assert_int_equal(etag_equal_weak(a, b), rows[i].weak);
	}
}

static void lists(void **state)
{
	static const struct {
		const char *list, *tag;
		bool found;
	} rows[] = {
		{"*", "\"a\"", true},
		{" * ", "", true},
		{"\"a\"", "\"a\"", true},
		{"\"b\", \"a\"", "\"a\"", true},
		{"\"b\" ,W/\"a\"", "\"a\"", true},
		{"\"x,y\",\"a\"", "\"a\"", true},
		{",, \"a\"", "\"a\"", false},
		{"\"b\",, \"a\"", "\"a\"", true},
		{"\"b\"", "\"a\"", false},
		{"a", "\"a\"", false},
		{"b, \"a\"", "\"a\"", false},
		{"\"b\" \"a\"", "\"a\"", false},
		{"\"a", "\"a\"", false},
		{"", "\"a\"", false},
		{"\"\"", "", false},
		{"*, \"a\"", "\"b\"", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (etag_list_has(sluice_str(rows[i].list), sluice_str(rows[i].tag)) !=
		    rows[i].found)
			fail_msg("%s in %s", rows[i].tag, rows[i].list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_tag),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
