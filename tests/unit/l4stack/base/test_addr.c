/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l4stack/base/addr.h"

static struct addr parsed(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void texts_come_back(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "10.0.0.1", "255.255.255.255",
					    "fd10::1", "::",       "fe80::1:2:3:4"};
	char buf[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct addr a = parsed(texts[i]);

		assert_string_equal(addr_format(&a, buf, sizeof(buf)), texts[i]);
	}
}

static void wrong_texts_are_refused(void **state)
{
	static const char *const addrs[] = {"",          "10.0.0",   "10.0.0.256",
					    "10.0.0.1 ", "fd10:::1", "x"};
	static const char *const endpoints[] = {
		"",
		"10.0.0.1",
		"10.0.0.1:",
		"10.0.0.1:65536",
		"10.0.0.1:-1",
		"10.0.0.1:+1",
		"10.0.0.1: 1",
		"10.0.0.1:1x",
		"fd10::1:80",
		"[fd10::1]",
		"[fd10::1]80",
		"[10.0.0.1]:80",
		"[fd10::1:80",
		":80",
		"10.0.0.1:000080",
		"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:80"};
	struct addr a;
	struct endpoint e;

	(void)state;
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
		assert_int_equal(addr_parse(addrs[i], &a), -EINVAL);
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
		assert_int_equal(endpoint_parse(endpoints[i], &e), -EINVAL);
}

static void endpoints_come_back(void **state)
{
	static const char *const texts[] = {"10.0.0.1:80", "[fd10::1]:65535", "0.0.0.0:0"};
	char buf[ENDPOINT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct endpoint e;

		assert_int_equal(endpoint_parse(texts[i], &e), 0);
		assert_string_equal(endpoint_format(&e, buf, sizeof(buf)), texts[i]);
	}
}

static void formats_never_overrun(void **state)
{
	struct addr a = parsed("192.168.100.200");
	struct addr none = {0};
	char buf[8] = "zzzzzzz";

	(void)state;
	assert_string_equal(addr_format(&a, buf, 5), "192.");
	assert_int_equal(buf[5], 'z');
	assert_string_equal(addr_format(&none, buf, sizeof(buf)), "-");
}

static void prefixes(void **state)
{
	struct addr net = parsed("10.1.128.0"), in = parsed("10.1.255.1"),
		    out = parsed("10.1.127.1");
	struct addr net6 = parsed("fd10::"), in6 = parsed("fd10::ffff");

	(void)state;
	assert_true(addr_in_prefix(&in, &net, 17));
	assert_false(addr_in_prefix(&out, &net, 17));
	assert_true(addr_in_prefix(&out, &net, 0));
	assert_true(addr_in_prefix(&in, &in, 32));
	assert_false(addr_in_prefix(&in, &net, 32));
	assert_false(addr_in_prefix(&in, &net, 33));
	assert_true(addr_in_prefix(&in6, &net6, 112));
	assert_true(addr_in_prefix(&in6, &in6, 128));
	assert_false(addr_in_prefix(&in6, &net6, 113));
	assert_false(addr_in_prefix(&in6, &net, 0));
}

static void masks(void **state)
{
	struct addr a = parsed("10.255.255.255"), a6 = parsed("ffff:ffff::ffff");
	char buf[ADDR_TEXT_MAX];
	struct addr m;

	(void)state;
	m = addr_mask(&a, 0);
	assert_string_equal(addr_format(&m, buf, sizeof(buf)), "0.0.0.0");
	m = addr_mask(&a, 13);
	assert_string_equal(addr_format(&m, buf, sizeof(buf)), "10.248.0.0");
	m = addr_mask(&a, 32);
	assert_true(addr_equal(&m, &a));
	m = addr_mask(&a6, 20);
	assert_string_equal(addr_format(&m, buf, sizeof(buf)), "ffff:f000::");
	m = addr_mask(&a6, 128);
	assert_true(addr_equal(&m, &a6));
}

static void order(void **state)
{
	struct addr a = parsed("10.0.0.1"), b = parsed("10.0.0.2"), c = parsed("::1");

	(void)state;
	assert_true(addr_compare(&a, &b) < 0);
	assert_true(addr_compare(&b, &a) > 0);
	assert_true(addr_compare(&b, &c) < 0);
	assert_int_equal(addr_compare(&c, &c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(wrong_texts_are_refused),
		cmocka_unit_test(endpoints_come_back),
		cmocka_unit_test(formats_never_overrun),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(masks),
		cmocka_unit_test(order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
