/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "nf/cache/range.h"

static void ranges(void **state)
{
	static const struct {
		const char *text;
		uint64_t length;
		enum range_kind kind;
		uint64_t first, last;
	} rows[] = {
		{"bytes=0-0", 10, RANGE_PART, 0, 0},
		{"bytes=0-9", 10, RANGE_PART, 0, 9},
		{"bytes=2-4", 10, RANGE_PART, 2, 4},
		{"bytes=5-", 10, RANGE_PART, 5, 9},
		{"bytes=5-99", 10, RANGE_PART, 5, 9},
		{"bytes=-3", 10, RANGE_PART, 7, 9},
		{"bytes=-99", 10, RANGE_PART, 0, 9},
		{"Bytes= 2-4 ", 10, RANGE_PART, 2, 4},
		{"bytes=0-99999999999999999999999999", 10, RANGE_PART, 0, 9},
		{"bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=99999999999999999999999999-", 10, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=10-12", 10, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=-5", 0, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=4-2", 10, RANGE_IGNORED, 0, 0},
		{"bytes=0-1,3-4", 10, RANGE_IGNORED, 0, 0},
		{"bytes=", 10, RANGE_IGNORED, 0, 0},
		{"bytes=-", 10, RANGE_IGNORED, 0, 0},
		{"bytes=5", 10, RANGE_IGNORED, 0, 0},
		{"bytes=a-5", 10, RANGE_IGNORED, 0, 0},
		{"bytes=1-b", 10, RANGE_IGNORED, 0, 0},
		{"bytes=--5", 10, RANGE_IGNORED, 0, 0},
		{"bytes=1 -5", 10, RANGE_IGNORED, 0, 0},
		{"lines=1-5", 10, RANGE_IGNORED, 0, 0},
		{"bytes 1-5", 10, RANGE_IGNORED, 0, 0},
		{"", 10, RANGE_IGNORED, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t first = 0, last = 0;
		enum range_kind kind =
			range_parse(sluice_str(rows[i].text), rows[i].length, &first, &last);

		if (kind != rows[i].kind || first != rows[i].first || last != rows[i].last)
			fail_msg("\"%s\" of %u", rows[i].text, (unsigned)rows[i].length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
