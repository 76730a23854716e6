/* SPDX-License-Identifier: BSD-3-Clause */
/* The vectors of RFC 4648 §10, and what is not base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nf/common/base64.h"

static void assert_decodes(const char *text, enum base64_kind kind, const char *bytes)
{
	char out[64];
	int64_t len = base64_decode(sluice_str(text), kind, out, sizeof(out));

	assert_int_equal(len, strlen(bytes));
	assert_memory_equal(out, bytes, strlen(bytes));
}

static void test_vectors(void **state)
{
	static const char *const rows[][3] = {
		{"", "", ""},
		{"Zg==", "Zg", "f"},
		{"Zm8=", "Zm8", "fo"},
		{"Zm9v", "Zm9v", "foo"},
		{"Zm9vYg==", "Zm9vYg", "foob"},
		{"Zm9vYmE=", "Zm9vYmE", "fooba"},
		{"+/+/", "-_-_", "\xfb\xff\xbf"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i) {
		assert_decodes(rows[i][0], BASE64_PADDED, rows[i][2]);
		assert_decodes(rows[i][1], BASE64_URL, rows[i][2]);
	}
}

static void test_what_is_none(void **state)
{
	static const char *const padded[] = {"Z",    "Zg",       "Zg=",   "Zg===", "Zh==",
					     "Zm9=", "Zm9v=",    "Z===",  "====",  "Zm 9v",
					     "-_-_", "Zg==Zg==", "Zm9v\n"};
	static const char *const url[] = {"Z", "Zg==", "Zh", "Zm9", "+/+/", "Zm9v "};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(padded) / sizeof(padded[0]); ++i)
		if (base64_decode(sluice_str(padded[i]), BASE64_PADDED, out, sizeof(out)) >= 0)
			fail_msg("%s is taken", padded[i]);
	for (size_t i = 0; i < sizeof(url) / sizeof(url[0]); ++i)
		if (base64_decode(sluice_str(url[i]), BASE64_URL, out, sizeof(out)) >= 0)
			fail_msg("%s is taken", url[i]);
}

static void test_room(void **state)
{
	char out[3];

	(void)state;
	assert_int_equal(base64_decode(sluice_str("Zm9v"), BASE64_URL, out, 3), 3);
	assert_int_equal(base64_decode(sluice_str("Zm9v"), BASE64_URL, out, 2), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
