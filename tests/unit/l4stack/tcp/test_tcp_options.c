/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

struct row {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	bool sound;
	uint32_t present;
};

static const struct row rows[] = {
	{"none", BYTES(0), true, 0},
	{"no-ops", BYTES(1, 1, 1, 1), true, 0},
	{"mss", BYTES(2, 4, 5, 180), true, TCP_OPT_MSS},
	{"mss too short", BYTES(2, 3, 5), false, 0},
	{"mss too long", BYTES(2, 5, 5, 180, 0), false, 0},
	{"window scale", BYTES(1, 3, 3, 7), true, TCP_OPT_WSCALE},
	{"sack permitted", BYTES(4, 2, 1, 1), true, TCP_OPT_SACK_OK},
	{"time stamps, aligned", BYTES(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2), true, TCP_OPT_TS},
	{"time stamps, not aligned", BYTES(8, 10, 0, 0, 0, 1, 0, 0, 0, 2), true, TCP_OPT_TS},
	{"time stamps, short", BYTES(8, 9, 0, 0, 0, 1, 0, 0, 0), false, 0},
	{"one block", BYTES(5, 10, 0, 0, 0, 1, 0, 0, 0, 9), true, TCP_OPT_SACK},
	{"a block and a half", BYTES(5, 14, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1), false, 0},
	{"no block", BYTES(5, 2, 1, 1), false, 0},
	{"a cookie is asked for", BYTES(34, 2, 1, 1), true, TCP_OPT_FAST_OPEN},
	{"a cookie", BYTES(34, 6, 1, 2, 3, 4), true, TCP_OPT_FAST_OPEN},
	{"a cookie of an odd length", BYTES(34, 7, 1, 2, 3, 4, 5, 1), true, 0},
	{"a cookie too short", BYTES(34, 4, 1, 2), true, 0},
	{"a cookie too long", BYTES(34, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	 true, 0},
	{"unknown is skipped", BYTES(254, 4, 1, 2, 2, 4, 5, 180), true, TCP_OPT_MSS},
	{"after the end nothing counts", BYTES(0, 2, 4, 5, 180), true, 0},
	{"length missing", BYTES(1, 1, 2), false, 0},
	{"length zero", BYTES(254, 0, 0, 0), false, 0},
	{"length one", BYTES(254, 1, 0, 0), false, 0},
	{"beyond the header", BYTES(254, 9, 0, 0), false, 0},
	{"what stood before a fault is kept", BYTES(2, 4, 5, 180, 3, 9), false, TCP_OPT_MSS},
};

static void test_parse_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tcp_options o;
		bool sound = tcp_options_parse(rows[i].bytes, rows[i].len, &o);

		if (sound != rows[i].sound || o.present != rows[i].present)
			fail_msg("%s: sound %d, present %#x", rows[i].name, sound, o.present);
	}
}

static void test_parse_values(void **state)
{
	struct tcp_options o;

	(void)state;
	assert_true(tcp_options_parse(BYTES(2, 4, 0x05, 0xb4, 3, 3, 20), &o));
	assert_int_equal(o.mss, 1460);
	assert_int_equal(o.wscale, TCP_WSCALE_MAX); /* RFC 7323 §2.3 */
	assert_true(tcp_options_parse(BYTES(1, 1, 8, 10, 1, 2, 3, 4, 0xff, 0xfe, 0, 1), &o));
	assert_int_equal(o.tsval, 0x01020304);
	assert_int_equal(o.tsecr, 0xfffe0001);
	assert_true(tcp_options_parse(
		BYTES(5, 18, 0, 0, 0, 1, 0, 0, 0, 9, 0xff, 0, 0, 0, 0xff, 0, 0, 8), &o));
	assert_int_equal(o.sack_blocks, 2);
	assert_int_equal(o.sack[0].hi, 9);
	assert_int_equal(o.sack[1].lo, 0xff000000);
}

/* No bytes from the wire do harm: every length and value of one option, at every cut. */
static void test_parse_all_lengths(void **state)
{
	uint8_t bytes[TCP_OPTIONS_MAX];
	struct tcp_options o;

	(void)state;
	for (unsigned kind = 0; kind < 256; kind++)
		for (unsigned len = 0; len < 256; len++)
			for (size_t cut = 0; cut <= sizeof(bytes); cut += 5) {
				memset(bytes, 0xff, sizeof(bytes));
				bytes[0] = (uint8_t)kind;
				bytes[1] = (uint8_t)len;
				tcp_options_parse(bytes, cut, &o);
				assert_true(!(o.present & TCP_OPT_SACK) ||
					    o.sack_blocks <= TCP_SACK_BLOCKS_MAX);
			}
}

static void round_trip(uint32_t present, uint8_t blocks, size_t expected_len)
{
	struct tcp_options in = {
		.present = present,
		.mss = 1400,
		.wscale = 9,
		.tsval = 77,
		.tsecr = 0x80000000,
		.sack_blocks = blocks,
		.sack = {{1, 2}, {3, 4}, {5, 6}, {7, 8}},
	};
	uint8_t bytes[TCP_OPTIONS_MAX];
	struct tcp_options out;
	size_t len = tcp_options_build(&in, bytes);

	assert_int_equal(len, expected_len);
	assert_true(tcp_options_parse(bytes, len, &out));
	assert_int_equal(out.present, present);
	if (present & TCP_OPT_MSS)
		assert_int_equal(out.mss, 1400);
	if (present & TCP_OPT_WSCALE)
		assert_int_equal(out.wscale, 9);
	if (present & TCP_OPT_TS)
		assert_true(out.tsval == 77 && out.tsecr == 0x80000000);
	if (present & TCP_OPT_SACK)
		assert_int_equal(out.sack[out.sack_blocks - 1].hi, out.sack_blocks * 2);
}

static void test_build(void **state)
{
	(void)state;
	round_trip(0, 0, 0);
	round_trip(TCP_OPT_MSS, 0, 4);
	round_trip(TCP_OPT_TS, 0, 12);
	round_trip(TCP_OPT_SACK_OK, 0, 4);
	round_trip(TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_TS, 0, 20);
	round_trip(TCP_OPT_MSS | TCP_OPT_WSCALE | TCP_OPT_TS | TCP_OPT_SACK_OK, 0, 20);
	round_trip(TCP_OPT_SACK, 1, 12);
	round_trip(TCP_OPT_SACK, 4, 36);
	round_trip(TCP_OPT_TS | TCP_OPT_SACK, 3, 40);
	round_trip(TCP_OPT_TS | TCP_OPT_SACK, 4, 40); /* only three fit */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_table),
		cmocka_unit_test(test_parse_values),
		cmocka_unit_test(test_parse_all_lengths),
		cmocka_unit_test(test_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
