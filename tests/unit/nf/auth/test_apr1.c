/* SPDX-License-Identifier: BSD-3-Clause */
/* Hashes as `openssl passwd -apr1` writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nf/auth/apr1.h"

static void test_known(void **state)
{
	static const struct {
		const char *password, *hash;
	} known[] = {
		{"secret", "$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0"},
		{"", "$apr1$saltsalt$a8ml/vK5HEjiZ5oypDWA7/"},
		{"a", "$apr1$saltsalt$OEnK0QmmvoDzFw9W2yFYT/"},
		{"a much longer password, of more than sixteen bytes",
		 "$apr1$saltsalt$pcX51PkWQdLS8HsU7NU5B."},
		{"secret", "$apr1$x$12YdXEY0/hH4rDNkmZupO0"},
	};
	char out[APR1_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(apr1_is(known[i].hash));
		assert_true(apr1_make(known[i].password, known[i].hash, out));
		assert_string_equal(out, known[i].hash);
		assert_true(apr1_make("another", known[i].hash, out));
		assert_string_not_equal(out, known[i].hash);
	}
}

static void test_kinds(void **state)
{
	(void)state;
	assert_false(apr1_is(""));
	assert_false(apr1_is("$apr1$"));
	assert_false(apr1_is("$apr1$salt"));
	assert_false(apr1_is("$apr1$$LrttParrLPdxvgutaSXWJ0"));
	assert_false(apr1_is("$apr1$saltsalts$LrttParrLPdxvgutaSXWJ0"));
	assert_false(apr1_is("$apr1$saltsalt$LrttParrLPdxvgutaSXWJ"));
	assert_false(apr1_is("$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0x"));
	assert_false(apr1_is("$apr1$saltsalt$LrttParrLPdxvgutaSXW:0"));
	assert_false(apr1_is("$1$saltsalt$LrttParrLPdxvgutaSXWJ0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
