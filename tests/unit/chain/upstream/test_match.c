/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chain/upstream/match.h"

#define HEAD "HTTP/1.1 200 OK\r\nX: needle\r\n\r\n"

/* Fed in pieces of every size, so that texts and the head's end lie across them. */
static bool found(const char *answer, const char *text)
{
	size_t len = strlen(answer);
	bool whole = false;

	for (size_t piece = 1; piece <= len; piece++) {
		struct match match = {0};
		bool now = false;

		for (size_t at = 0; at < len && !now; at += piece)
			now = match_feed(&match, text, answer + at,
					 (uint32_t)(len - at < piece ? len - at : piece));
		if (piece > 1)
			assert_int_equal(now, whole);
		whole = now;
	}
	return whole;
}

static void only_bodies_are_searched(void **state)
{
	(void)state;
	assert_true(found(HEAD "a needle here", "needle"));
	assert_false(found(HEAD "nothing", "needle"));
	assert_false(found(HEAD, "needle"));
	assert_true(found(HEAD "needle", "needle"));
	assert_true(found("HTTP/1.0 200 OK\n\nneedle", "needle")); /* bare LF, from old servers */
}

static void beginnings_in_vain(void **state)
{
	(void)state;
	assert_true(found(HEAD "aaaaab", "aaab"));
	assert_true(found(HEAD "ababac", "abac"));
	assert_false(found(HEAD "nee\r\n\r\ndle", "needle"));
	assert_true(found(HEAD "x", "x"));
}

static void long_bodies(void **state)
{
	static char body[20000];
	struct match match = {0};

	(void)state;
	memset(body, 'x', sizeof(body));
	memcpy(body, HEAD, strlen(HEAD));
	memcpy(body + sizeof(body) - 6, "needle", 6);
	assert_true(match_feed(&match, "needle", body, sizeof(body)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_bodies_are_searched),
		cmocka_unit_test(beginnings_in_vain),
		cmocka_unit_test(long_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
