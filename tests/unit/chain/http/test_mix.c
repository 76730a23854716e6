/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads that differ in a few digits, wherever these stand, get numbers whose upper halves differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "chain/http/mix.h"

#define TARGETS 256
#define DIGITS  4

static const char head[] = "GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\n"
			   "User-Agent: something/1.0 (x; y)\r\nCookie: a=b; c=d; e=f\r\n\r\n";

/* Of 256 places, those that heads of this length with digits there come to. Thrown at random, 256
 * things come to 162. */
static unsigned places_of(uint32_t len, uint32_t digits_at, unsigned shift)
{
	char text[sizeof(head)], digits[DIGITS + 1];
	bool used[TARGETS] = {false};
	unsigned places = 0;

	memcpy(text, head, sizeof(head));
	for (unsigned i = 0; i < TARGETS; i++) {
		unsigned place;

		snprintf(digits, sizeof(digits), "%04u", i);
		memcpy(text + digits_at, digits, DIGITS);
		place = http_mix((const uint8_t *)text, len) >> shift & (TARGETS - 1);
		places += !used[place];
		used[place] = true;
	}
	return places;
}

static void what_is_alike_is_spread(void **state)
{
	(void)state;
	for (uint32_t len = 2 * sizeof(uint64_t); len < sizeof(head); len++)
		for (uint32_t at = 0; at + DIGITS <= len; at++) {
			assert_true(places_of(len, at, 32) > TARGETS / 2);
			assert_true(places_of(len, at, 40) > TARGETS / 2);
		}
}

static void length_counts(void **state)
{
	static const uint8_t same[64];

	(void)state;
	assert_true(http_mix(same, 16) != http_mix(same, 24));
	assert_true(http_mix(same, 3) != http_mix(same, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_alike_is_spread),
		cmocka_unit_test(length_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
