/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections through the proxy: PROXY headers in and out, and where they lead. */
#include <string.h>

#include "tests/unit/nf/proxy/proxy_test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

#define V2_IP4                                                             \
	SIGNATURE "\x21\x11\0\x0f\xc0\0\2\x09\xc6\x33\x64\7\x10\x92\0\x19" \
		  "\4\0\0"

static struct harness_exchange *opened(struct harness *h, const void *early, size_t len)
{
	struct harness_exchange *x = harness_open(h);

	if (len)
		harness_early(x, early, len, false);
	return x;
}

static void is_refused(const char *header, size_t len)
{
	struct harness *h = proxy_start("upstream = \"web\"; accept_proxy = \"always\";");
	struct harness_exchange *x = opened(h, header, len);

	if (harness_verdict(x) != SLUICE_RESET)
		fail_msg("not refused: %s", header);
	assert_int_equal(harness_counter(h, "headers_bad"), 1);
	harness_destroy(h);
}

static void is_client(const struct harness_exchange *x, uint8_t first, uint16_t port)
{
	assert_int_equal(harness_open_client(x)->bytes[0], first);
	assert_int_equal(harness_open_client(x)->port, port);
}

static void test_leads_to_its_group(void **state)
{
	struct harness *h = proxy_start("upstream = \"api\";");
	struct harness_exchange *x = harness_open(h);
	size_t len;

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_int_equal(harness_group(x), API);
	harness_ahead(x, &len);
	assert_int_equal(len, 0);
	x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Host", "a"}));
	assert_int_equal(harness_group(x), API); /* requests, too: there are no routes */
	harness_destroy(h);
}

static void test_without_a_group_it_refuses(void **state)
{
	struct harness *h = proxy_start("routes = ( { upstream = \"web\"; } );");

	(void)state;
	assert_int_equal(harness_verdict(harness_open(h)), SLUICE_RESET);
	assert_int_equal(harness_counter(h, "no_route"), 1);
	harness_destroy(h);
}

static void test_v1_in(void **state)
{
	static const char line[] = "PROXY TCP4 192.0.2.9 198.51.100.7 4242 25\r\nEHLO";
	struct harness *h = proxy_start("upstream = \"web\"; accept_proxy = \"always\";");
	struct harness_exchange *x = harness_open(h);

	(void)state;
	for (size_t i = 0; i < sizeof(line) - 6; i++) {
		assert_int_equal(harness_verdict(x), SLUICE_WAIT);
		harness_early(x, line + i, 1, false);
	}
	harness_early(x, "\nEHLO", 5, false);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_int_equal(harness_early_taken(x), sizeof(line) - 5);
	assert_string_equal(harness_edits(x), "client 192.0.2.9 4242\nlocal 198.51.100.7 25\n");
	assert_int_equal(harness_group(x), WEB);
	assert_int_equal(harness_counter(h, "headers_in"), 1);
	harness_destroy(h);
}

static void test_v1_of_ip6_and_unknown(void **state)
{
	static const char ip6[] = "PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n";
	static const char unknown[] = "PROXY UNKNOWN ff:: what ever\r\n";
	struct harness *h = proxy_start("upstream = \"web\"; accept_proxy = \"always\";");
	struct harness_exchange *x = opened(h, ip6, sizeof(ip6) - 1);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_int_equal(harness_open_client(x)->family, 6);
	is_client(x, 0x20, 65535);
	x = opened(h, unknown, sizeof(unknown) - 1);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_string_equal(harness_edits(x), "");
	assert_int_equal(harness_early_taken(x), sizeof(unknown) - 1);
	harness_destroy(h);
}

static void test_v2_in(void **state)
{
	struct harness *h = proxy_start("upstream = \"web\"; accept_proxy = \"always\";");
	struct harness_exchange *x = opened(h, V2_IP4, 20);

	(void)state;
	assert_int_equal(harness_verdict(x), SLUICE_WAIT);
	harness_early(x, &V2_IP4[20], 11, false);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_int_equal(harness_early_taken(x), 31); /* with what follows the addresses */
	is_client(x, 192, 4242);
	assert_int_equal(harness_open_local(x)->port, 25);
	x = opened(h, SIGNATURE "\x20\0\0\0", 16); /* a check of its own */
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_int_equal(harness_early_taken(x), 16);
	assert_string_equal(harness_edits(x), "");
	harness_destroy(h);
}

static void test_what_is_no_header(void **state)
{
	static const char *const lines[] = {
		"GET / HTTP/1.1\r\n",
		"PROXX",
		"PROXY \r\n",
		"PROXY TCP4\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
		"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
		"PROXY TCP4 ::1 ::1 1 2\r\n",
		"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY UNKNOWN "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		is_refused(lines[i], strlen(lines[i]));
	is_refused(SIGNATURE "\x11\x11\0\0", 16);
	is_refused(SIGNATURE "\x22\x11\0\0", 16);
	is_refused(SIGNATURE "\x21\x11\0\4abcd", 20);
	is_refused(SIGNATURE "\x21\xf1\0\0", 16);
}

static void test_one_that_ends_early(void **state)
{
	struct harness *h = proxy_start("upstream = \"web\"; accept_proxy = \"always\";");
	struct harness_exchange *x = harness_open(h);

	(void)state;
	assert_int_equal(harness_early(x, "PROXY", 5, true), SLUICE_RESET);
	harness_destroy(h);
}

/* Of others nothing is expected, and nothing is taken. */
static void test_only_from_those_trusted(void **state)
{
	struct harness *h = proxy_start("upstream = \"web\"; accept_proxy = \"trusted\"; "
					"trusted = [ \"10.0.0.0/8\" ];");

	(void)state;
	assert_int_equal(harness_verdict(harness_open(h)), SLUICE_LEAVE);
	harness_client(h, "10.1.2.3", 5);
	assert_int_equal(harness_verdict(harness_open(h)), SLUICE_WAIT);
	harness_destroy(h);
}

static void test_out(void **state)
{
	static const char line[] = "PROXY TCP4 192.0.2.1 198.51.100.1 12345 80\r\n";
	struct harness *h = proxy_start("upstream = \"web\"; send_proxy = \"v1\";");
	struct harness_exchange *x = harness_open(h);
	size_t len;

	(void)state;
	assert_memory_equal(harness_ahead(x, &len), line, sizeof(line) - 1);
	assert_int_equal(len, sizeof(line) - 1);
	harness_destroy(h);

	h = proxy_start("upstream = \"web\"; send_proxy = \"v2\";");
	x = harness_open(h);
	assert_memory_equal(harness_ahead(x, &len),
			    SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\x30\x39\0\x50", 28);
	assert_int_equal(len, 28);
	assert_int_equal(harness_counter(h, "headers_out"), 1);
	harness_destroy(h);
}

/* What came in is what goes out, in the other version. */
static void test_in_and_out(void **state)
{
	static const char ip6[] = "PROXY TCP6 2001:db8::1 2001:db8::2 65535 7\r\n";
	struct harness *h = proxy_start("upstream = \"web\"; accept_proxy = \"always\"; "
					"send_proxy = \"v2\";");
	struct harness_exchange *x = opened(h, ip6, sizeof(ip6) - 1);
	const uint8_t *out;
	size_t len;

	(void)state;
	out = harness_ahead(x, &len);
	assert_int_equal(len, 52);
	assert_memory_equal(out, SIGNATURE "\x21\x21\0\x24\x20\1\x0d\xb8", 20);
	assert_memory_equal(out + 48, "\xff\xff\0\7", 4);
	harness_destroy(h);
}

static void test_config(void **state)
{
	(void)state;
	plugin_refuses("upstream = \"wbe\";", "test.conf:0: upstream \"wbe\" is not defined");
	plugin_refuses("routes = ( ); send_proxy = \"v3\";",
		       "test.conf:1: send_proxy: \"v3\" is none of none, v1, v2");
	plugin_refuses("routes = ( ); accept_proxy = \"yes\";",
		       "test.conf:1: accept_proxy: \"yes\" is none of never, trusted, always");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leads_to_its_group),
		cmocka_unit_test(test_without_a_group_it_refuses),
		cmocka_unit_test(test_v1_in),
		cmocka_unit_test(test_v1_of_ip6_and_unknown),
		cmocka_unit_test(test_v2_in),
		cmocka_unit_test(test_what_is_no_header),
		cmocka_unit_test(test_one_that_ends_early),
		cmocka_unit_test(test_only_from_those_trusted),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_in_and_out),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
