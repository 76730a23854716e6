/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/l4stack/ip/rig.h"

#include <rte_mbuf.h>

#define ICMP_CSUM 2

static uint8_t frame[2048], got[RIG_FRAME_MAX];

static size_t echo_frame(size_t data)
{
	uint8_t icmp[1480] = {8, 0, 0, 0, 0x12, 0x34, 0, 7};

	for (size_t i = 0; i < data; i++)
		icmp[8 + i] = (uint8_t)rand();
	size_t len = frame_ip4(frame, 1, 0, 1, "10.0.0.2", "10.0.0.1", icmp, 8 + data);
	frame_l4_fix(frame, ICMP_CSUM);
	return len;
}

/* An IPv4 packet from us to the asker whose checksums are right. */
static void assert_sent_to_asker(size_t len, uint8_t type)
{
	uint8_t mac[6];

	station_mac(mac, 1);
	assert_memory_equal(got, mac, 6);
	assert_int_equal(plain_get(got + ETH + 2), len - ETH);
	assert_int_equal(plain_sum(got + ETH, 20, 0), 0xffff);
	assert_memory_equal(got + ETH + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
	assert_int_equal(got[ETH + 9], 1);
	assert_int_equal(got[ETH + 20], type);
	assert_int_equal(plain_sum(got + ETH + 20, len - ETH - 20, 0), 0xffff);
}

static void assert_echo(size_t len)
{
	assert_int_equal(rig_out(got), len);
	assert_sent_to_asker(len, 0);
	assert_memory_equal(got + ETH + 24, frame + ETH + 24, len - ETH - 24);
}

static void answers_echoes(void **state)
{
	(void)state;
	rig_meet("10.0.0.2", 1);
	for (size_t data = 0; data <= 1472; data += data < 20 ? 1 : 97) {
		size_t len = echo_frame(data);

		rig_in(0, frame, len);
		assert_echo(len);
		/* A cut right behind the ICMP header or later. */
		rig_in_cut(0, frame, len, ETH + 28 + data % 2);
		assert_echo(len);
		rig_wait(100000);
	}
	assert_int_equal(rig.counters->payload_copied_bytes, 0);
}

static void does_not_answer_what_is_wrong(void **state)
{
	size_t len = echo_frame(100);

	(void)state;
	frame[ETH + 60] ^= 1;
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->icmp4_bad_csum, 1);
	frame_ip4(frame, 1, 0, 1, "10.0.0.2", "10.0.0.1", "\x8\0\xf7\xff\0\0\0", 7);
	rig_in(0, frame, ETH + 27);
	assert_int_equal(rig.counters->icmp4_truncated, 1);
	for (unsigned type = 0; type < 20; type++) {
		if (type == 3 || type == 8 || type == 11 || type == 12)
			continue;
		len = echo_frame(40);
		frame[ETH + 20] = (uint8_t)type;
		frame_l4_fix(frame, ICMP_CSUM);
		rig_in(0, frame, len);
	}
	assert_int_equal(rig.counters->icmp4_ignored, 16);
	assert_int_equal(rig.out_count, 0);
	assert_int_equal(rig.tcp_errors, 0);
}

static void echoes_are_limited(void **state)
{
	size_t len = echo_frame(0);
	unsigned answers = 0;

	(void)state;
	rig_meet("10.0.0.2", 1);
	for (int i = 0; i < 1000; i++) {
		rig_in(0, frame, len);
		while (rig.out_count > 0) {
			rig_out_drop();
			answers++;
		}
	}
	assert_int_equal(answers, 200);
	assert_int_equal(rig.counters->icmp4_echo_limited, 800);
	rig_wait(10000);
	rig_in(0, frame, len);
	assert_int_equal(rig.out_count, 1);
}

static void says_what_is_not_there(void **state)
{
	uint8_t payload[500];
	size_t len;

	(void)state;
	memset(payload, 0x5a, sizeof(payload));
	rig_meet("10.0.0.2", 1);
	len = frame_ip4(frame, 1, 0, 47, "10.0.0.2", "10.0.0.1", payload, sizeof(payload));
	rig_in(0, frame, len);
	assert_int_equal(rig_out(got), ETH + 28 + 128);
	assert_sent_to_asker(ETH + 28 + 128, 3);
	assert_int_equal(got[ETH + 21], 2);
	assert_memory_equal(got + ETH + 28, frame + ETH, 128);

	plain_put(payload + 4, 20);
	plain_put(payload + 6, 0);
	len = frame_ip4(frame, 1, 0, 17, "10.0.0.2", "10.0.0.1", payload, 20);
	rig_in(0, frame, len);
	assert_int_equal(rig_out(got), ETH + 28 + 40);
	assert_sent_to_asker(ETH + 28 + 40, 3);
	assert_int_equal(got[ETH + 21], 3);
	assert_memory_equal(got + ETH + 28, frame + ETH, 40);
	assert_int_equal(rig.counters->ip4_unknown_protocol, 1);
}

static void errors_out_are_limited(void **state)
{
	uint8_t payload[8] = {0};
	size_t len = frame_ip4(frame, 1, 0, 47, "10.0.0.2", "10.0.0.1", payload, sizeof(payload));

	(void)state;
	rig_meet("10.0.0.2", 1);
	for (int i = 0; i < 200; i++)
		rig_in(0, frame, len);
	assert_int_equal(rig.out_count, 50);
	assert_int_equal(rig.counters->icmp4_errors_limited, 150);
}

/* An error about a TCP packet of ours of `total` bytes, or one with a byte changed. */
struct error_spec {
	uint8_t type, code;
	uint16_t mtu, total;
	int change_at; /* in the quoted header; 0: nothing */
	uint8_t change_to;
	uint8_t quoted; /* bytes of the quote; 0: 28 */
};

static void error_in(const struct error_spec *spec)
{
	uint8_t icmp[64] = {spec->type, spec->code}, quote[64];
	size_t n = spec->quoted ? spec->quoted : 28;

	frame_ip4(quote, 1, 0, 6, "10.0.0.1", "192.0.2.7", "\1\2\3\4\5\6\7\10", 8);
	plain_put(quote + ETH + 2, spec->total ? spec->total : 1500);
	if (spec->change_at || spec->change_to)
		quote[ETH + spec->change_at] = spec->change_to;
	plain_put(icmp + 6, spec->mtu);
	memcpy(icmp + 8, quote + ETH, n);
	frame_ip4(frame, 1, 0, 1, "198.51.100.1", "10.0.0.1", icmp, 8 + n);
	frame_l4_fix(frame, ICMP_CSUM);
	rig_in(0, frame, ETH + 28 + n);
}

static void errors_reach_the_transport(void **state)
{
	static const struct {
		struct error_spec spec;
		enum ip_error kind;
		uint16_t mtu;
	} rows[] = {
		{{.type = 3, .code = 0}, IP_ERROR_UNREACHABLE_SOFT, 0},
		{{.type = 3, .code = 1}, IP_ERROR_UNREACHABLE_SOFT, 0},
		{{.type = 3, .code = 2}, IP_ERROR_UNREACHABLE_HARD, 0},
		{{.type = 3, .code = 3}, IP_ERROR_UNREACHABLE_HARD, 0},
		{{.type = 3, .code = 5}, IP_ERROR_UNREACHABLE_SOFT, 0},
		{{.type = 3, .code = 13}, IP_ERROR_UNREACHABLE_HARD, 0},
		{{.type = 11, .code = 0}, IP_ERROR_UNREACHABLE_SOFT, 0},
		{{.type = 12, .code = 0}, IP_ERROR_UNREACHABLE_SOFT, 0},
		{{.type = 3, .code = 4, .mtu = 1400}, IP_ERROR_TOO_BIG, 1400},
		{{.type = 3, .code = 4, .mtu = 68}, IP_ERROR_TOO_BIG, 68},
		{{.type = 3, .code = 4, .mtu = 0}, IP_ERROR_TOO_BIG, 1492},
		{{.type = 3, .code = 4, .mtu = 0, .total = 1492}, IP_ERROR_TOO_BIG, 1006},
		{{.type = 3, .code = 4, .mtu = 0, .total = 9000}, IP_ERROR_TOO_BIG, 8166},
		{{.type = 3, .code = 4, .mtu = 0, .total = 200}, IP_ERROR_TOO_BIG, 68},
	};
	struct addr local = address("10.0.0.1"), remote = address("192.0.2.7");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error_in(&rows[i].spec);
		assert_int_equal(rig.tcp_errors, i + 1);
		assert_int_equal(rig.tcp_error.kind, rows[i].kind);
		assert_int_equal(rig.tcp_error.mtu, rows[i].mtu);
		assert_true(addr_equal(&rig.tcp_error.local, &local));
		assert_true(addr_equal(&rig.tcp_error.remote, &remote));
		assert_memory_equal(rig.tcp_error.quoted, "\1\2\3\4\5\6\7\10", 8);
	}
}

static void errors_about_nothing_of_ours(void **state)
{
	static const struct error_spec rows[] = {
		{.type = 3, .code = 3, .change_to = 0x55},
		{.type = 3, .code = 3, .change_to = 0x44},
		{.type = 3, .code = 3, .change_to = 0x4f},
		{.type = 3, .code = 3, .change_at = 9, .change_to = 89},
		{.type = 3, .code = 3, .change_at = 9, .change_to = 1},
		{.type = 3, .code = 3, .change_at = 7, .change_to = 1},
		{.type = 3, .code = 3, .change_at = 15, .change_to = 9},
		{.type = 3, .code = 3, .quoted = 27},
		{.type = 3, .code = 3, .quoted = 19},
		{.type = 3, .code = 3, .quoted = 1},
		{.type = 3, .code = 4, .mtu = 67},
		{.type = 3, .code = 4, .mtu = 1500},
		{.type = 3, .code = 4, .mtu = 65535},
		{.type = 3, .code = 4, .total = 40},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error_in(&rows[i]);
		assert_int_equal(rig.counters->icmp4_bad_quote, i + 1);
	}
	error_in(&(struct error_spec){.type = 3, .code = 16});
	error_in(&(struct error_spec){.type = 4, .code = 0});
	error_in(&(struct error_spec){.type = 5, .code = 0});
	assert_int_equal(rig.counters->icmp4_ignored, 3);
	assert_int_equal(rig.tcp_errors, 0);
	assert_int_equal(rig.out_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_echoes),
		TEST(does_not_answer_what_is_wrong),
		TEST(echoes_are_limited),
		TEST(says_what_is_not_there),
		TEST(errors_out_are_limited),
		TEST(errors_reach_the_transport),
		TEST(errors_about_nothing_of_ours),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
