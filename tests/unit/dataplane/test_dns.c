/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers of DNS, byte by byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/dns.h"

#define HEAD(answers) "\0\1\x81\x80\0\1\0" answers "\0\0\0\0"
#define QUESTION      "\3web\7example\0\0\1\0\1"
#define NAME          "\xc0\x0c"

static int read_message(const char *bytes, size_t len, struct dns_answer *out)
{
	dns_answer_begin(out);
	return dns_read((const uint8_t *)bytes, (int)len, out);
}

#define read_text(text, out) read_message((text), sizeof(text) - 1, (out))

static void addresses_and_the_least_ttl(void **state)
{
	static const char message[] =
		HEAD("\3") QUESTION NAME "\0\5\0\1\0\0\0\x0a\0\2" NAME /* CNAME, 10 s */
			NAME "\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"        /* A, 60 s */
		NAME "\0\1\0\1\0\0\0\x1e\0\4\x0a\0\0\2";
	struct dns_answer answer;

	(void)state;
	assert_int_equal(read_text(message, &answer), 0);
	assert_int_equal(answer.count, 2);
	assert_int_equal(answer.ttl_s, 10);
	assert_int_equal(answer.address[0].family, ADDR_IP4);
	assert_memory_equal(answer.address[1].bytes, "\x0a\0\0\2", 4);
}

static void addresses_of_ip6(void **state)
{
	static const char message[] = HEAD("\1") QUESTION NAME
		"\0\x1c\0\1\0\0\0\5\0\x10\xfd\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\1";
	struct dns_answer answer;

	(void)state;
	assert_int_equal(read_text(message, &answer), 0);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.address[0].family, ADDR_IP6);
	assert_memory_equal(answer.address[0].bytes, "\xfd\x10", 2);
}

/* What is cut, wrong or of another kind is never an address. */
static void what_is_wrong(void **state)
{
	static const char message[] = HEAD("\2") QUESTION NAME
		"\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1" NAME "\0\1\0\1\0\0\0\x1e\0\4\x0a\0\0\2";
	static const char odd[] = HEAD("\1") QUESTION NAME "\0\1\0\1\0\0\0\x3c\0\3\x0a\0\0";
	struct dns_answer answer;

	(void)state;
	for (size_t len = 0; len < sizeof(message) - 1; len++)
		assert_int_equal(read_message(message, len, &answer), -EPROTO);
	assert_int_equal(read_text(odd, &answer), 0);
	assert_int_equal(answer.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_the_least_ttl),
		cmocka_unit_test(addresses_of_ip6),
		cmocka_unit_test(what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
