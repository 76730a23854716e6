/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients like best. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nf/common/accept.h"

static const char *const names[] = {"zstd", "br", "gzip"};

static const char *best(const char *value)
{
	struct accept_reading reading;
	struct accept accept;
	int place;

	accept_init(&reading, names, 3);
	if (value)
		accept_take(&reading, sluice_str(value));
	accept = accept_end(&reading);
	place = accept_best(&accept, 3);
	return place < 0 ? "" : names[place];
}

static void test_choices(void **state)
{
	static const struct {
		const char *value, *best;
	} rows[] = {
		{NULL, ""},
		{"", ""},
		{"gzip", "gzip"},
		{"GZip", "gzip"},
		{"x-gzip", "gzip"},
		{"gzip, deflate, br, zstd", "zstd"},
		{"gzip;q=1.0, br;q=0.9", "gzip"},
		{"gzip;q=0.5, br;q=0.501", "br"},
		{"gzip ; q=0.5 , br ; Q=0.7", "br"},
		{"gzip;q=0", ""},
		{"gzip;q=0.000, br;q=0.001", "br"},
		{"*", "zstd"},
		{"*;q=0", ""},
		{"*;q=0, gzip", "gzip"},
		{"*;q=0.5, zstd;q=0", "br"},
		{"identity", ""},
		{"identity;q=1, gzip;q=0.5", ""},
		{"identity;q=0.5, gzip;q=0.5", "gzip"},
		{"identity;q=0, gzip;q=0.1", "gzip"},
		{"gzip;q=1.001", ""},
		{"gzip;q=2", ""},
		{"gzip;q=0.1234", ""},
		{"gzip;q=.5", ""},
		{"gzip;q=", ""},
		{"gzip;level=1", ""},
		{"gzip;q=-1", ""},
		{"compress, deflate", ""},
		{", ,gzip,,", "gzip"},
		{"gzipp, g", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i)
		if (strcmp(best(rows[i].value), rows[i].best) != 0)
			fail_msg("\"%s\": %s, not %s", rows[i].value, best(rows[i].value),
				 rows[i].best);
}

static void test_several_fields(void **state)
{
	struct accept_reading reading;
	struct accept accept;

	(void)state;
	accept_init(&reading, names, 3);
	accept_take(&reading, sluice_str("gzip;q=0.5"));
	accept_take(&reading, sluice_str("br"));
	accept = accept_end(&reading);
	assert_int_equal(accept_best(&accept, 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_several_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
