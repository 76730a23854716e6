/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMPv6: echo, listener queries, and errors that are believed or not. */
#include <string.h>

#include "tests/unit/l4stack/ip/rig.h"

static const char own[] = "fd10::1", peer[] = "fd10::2";

static int setup(void **state)
{
	rig_setup(state);
	rig_address(0, own, 64);
	rig_meet6(peer, 2);
	return 0;
}

static void echo_in(const char *dst, size_t len, size_t cut)
{
	uint8_t frame[2048], message[1500] = {128, 0, 0, 0, 1, 2, 3, 4};

	for (size_t i = 8; i < len; i++)
		message[i] = (uint8_t)(i * 7);
	rig_in_cut(0, frame, frame_icmp6(frame, 2, 0, peer, dst, message, len), cut);
}

static void assert_echo(size_t len)
{
	uint8_t frame[2048], *ip = frame + ETH;
	size_t size = rig_out(frame);
	uint32_t pseudo = (uint32_t)plain_sum(ip + 8, 32, 0) + 58 + (uint32_t)len;

	assert_int_equal(size, ETH + 40 + len);
	assert_memory_equal(ip + 8, address(own).bytes, 16);
	assert_int_equal(ip[40], 129);
	assert_memory_equal(ip + 44, ((const uint8_t[]){1, 2, 3, 4}), 4);
	for (size_t i = 8; i < len; i++)
		assert_int_equal(ip[40 + i], (uint8_t)(i * 7));
	assert_int_equal(plain_sum(ip + 40, len, pseudo), 0xffff);
}

static void echo(void **state)
{
	(void)state;
	echo_in(own, 64, 0);
	assert_echo(64);
	echo_in(own, 8, 0);
	assert_echo(8);
	echo_in(own, 1400, 100);
	assert_echo(1400);
	assert_int_equal(rig.counters->payload_copied_bytes, 0);
}

/* RFC 4443 §4.2: a group is answered for by an address of the port. */
static void echo_to_a_group(void **state)
{
	(void)state;
	echo_in("ff02::1", 64, 0);
	assert_echo(64);
}

static void echoes_are_limited(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 210; i++) {
		echo_in(own, 64, 0);
		if (rig.out_count)
			rig_out_drop();
	}
	assert_int_equal(rig.counters->icmp6_echo_limited, 10);
}

static void messages_that_are_none(void **state)
{
	uint8_t frame[256], message[64] = {128};
	size_t len = frame_icmp6(frame, 2, 0, peer, own, message, 64);

	(void)state;
	frame[ETH + 60] ^= 1;
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->icmp6_bad_csum, 1);
	rig_in(0, frame, frame_icmp6(frame, 2, 0, peer, own, message, 7));
	assert_int_equal(rig.counters->icmp6_truncated, 1);
	message[0] = 200;
	rig_in(0, frame, frame_icmp6(frame, 2, 0, peer, own, message, 8));
	assert_int_equal(rig.counters->icmp6_ignored, 1);
	assert_int_equal(rig.out_count, 0);
}

/* ---- errors ---- */

struct error_spec {
	uint8_t type, code;
	uint32_t word;
	const char *src, *dst; /* of the packet quoted; NULL: ours to the peer */
	uint8_t protocol;      /* 0: TCP */
	uint16_t payload;      /* that it says it had; 0: 1400 */
	uint16_t quoted;       /* bytes of it; 0: 60 */
};

static void error_in(const struct error_spec *e)
{
	uint8_t frame[256], message[128] = {e->type, e->code}, *ip = message + 8;

	plain_put(message + 4, (uint16_t)(e->word >> 16));
	plain_put(message + 6, (uint16_t)e->word);
	ip[0] = 0x60;
	plain_put(ip + 4, e->payload ? e->payload : 1400);
	ip[6] = e->protocol ? e->protocol : 6;
	memcpy(ip + 8, address(e->src ? e->src : own).bytes, 16);
	memcpy(ip + 24, address(e->dst ? e->dst : peer).bytes, 16);
	memcpy(ip + 40, "\1\2\3\4\5\6\7\10", 8);
	rig_in(0, frame,
	       frame_icmp6(frame, 2, 0, "fd10::99", own, message,
			   8u + (e->quoted ? e->quoted : 60)));
}

static void errors_for_the_transport(void **state)
{
	static const struct {
		struct error_spec spec;
		enum ip_error kind;
		uint16_t mtu;
	} rows[] = {
		{{.type = 1, .code = 0}, IP_ERROR_UNREACHABLE_SOFT, 0},
		{{.type = 1, .code = 1}, IP_ERROR_UNREACHABLE_HARD, 0},
		{{.type = 1, .code = 3}, IP_ERROR_UNREACHABLE_SOFT, 0},
		{{.type = 1, .code = 4}, IP_ERROR_UNREACHABLE_HARD, 0},
		{{.type = 2, .word = 1280}, IP_ERROR_TOO_BIG, 1280},
		{{.type = 2, .word = 1400, .quoted = 48}, IP_ERROR_TOO_BIG, 1400},
		{{.type = 3, .code = 0}, IP_ERROR_UNREACHABLE_SOFT, 0},
		{{.type = 4, .code = 1}, IP_ERROR_UNREACHABLE_HARD, 0},
		{{.type = 4, .code = 0}, IP_ERROR_UNREACHABLE_SOFT, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error_in(&rows[i].spec);
		assert_int_equal(rig.tcp_errors, i + 1);
		assert_int_equal(rig.tcp_error.kind, rows[i].kind);
		assert_int_equal(rig.tcp_error.mtu, rows[i].mtu);
		assert_memory_equal(rig.tcp_error.quoted, "\1\2\3\4\5\6\7\10", 8);
		assert_memory_equal(rig.tcp_error.remote.bytes, address(peer).bytes, 16);
	}
}

static void errors_about_nothing_of_ours(void **state)
{
	static const struct error_spec rows[] = {
		{.type = 1, .src = "fd10::7"},
		{.type = 1, .dst = "fd10::1"},
		{.type = 1, .protocol = 89},
		{.type = 1, .protocol = 60},
		{.type = 1, .protocol = 58},
		{.type = 1, .quoted = 47},
		{.type = 1, .quoted = 39},
		/* RFC 8201 §4: less than 1280, or no less than what was sent. */
		{.type = 2, .word = 1279},
		{.type = 2, .word = 1440},
		{.type = 2, .word = 65536 + 1300},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error_in(&rows[i]);
		assert_int_equal(rig.counters->icmp6_bad_quote, i + 1);
	}
	error_in(&(struct error_spec){.type = 5});
	assert_int_equal(rig.counters->icmp6_ignored, 1);
	assert_int_equal(rig.tcp_errors, 0);
}

/* ---- listeners ---- */

static void query_in(const char *src, uint8_t hops)
{
	uint8_t frame[128], message[28] = {130, 0, 0, 0, 0, 100};
	size_t len = frame_icmp6(frame, 2, 1, src, "ff02::1", message, sizeof(message));

	frame[ETH + 7] = hops;
	rig_in(1, frame, len);
}

/* RFC 3810 §5.2: groups of the address and of the link-local one. */
static void a_query_is_answered(void **state)
{
	uint8_t frame[256], *ip = frame + ETH;

	(void)state;
	rig_port_claiming(1, STACK_CLAIM_USUAL);
	rig_address(1, "fd20::1:2345", 64);
	rig_wait(6000000);
	while (rig.out_count)
		rig_out_drop();
	query_in("fe80::9", 1);
	rig_wait(110000);
	assert_int_equal(rig.counters->mld_queries_in, 1);
	rig_out(frame);
	assert_int_equal(rig.out_count, 0);
	assert_int_equal(ip[6], 0);
	assert_int_equal(ip[7], 1);
	assert_memory_equal(ip + 8, address("fe80::ff:fe00:1").bytes, 16);
	assert_memory_equal(ip + 24, address("ff02::16").bytes, 16);
	assert_memory_equal(ip + 40, ((const uint8_t[]){58, 0, 5, 2, 0, 0, 1, 0}), 8);
	assert_int_equal(ip[48], 143);
	assert_int_equal(plain_get(ip + 54), 2);
	assert_int_equal(ip[56], 2);
	assert_memory_equal(ip + 60, address("ff02::1:ff00:1").bytes, 16);
	assert_memory_equal(ip + 80, address("ff02::1:ff01:2345").bytes, 16);
	query_in("fe80::9", 2);
	query_in("fd20::9", 1);
	assert_int_equal(rig.counters->mld_bad_query, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(echo, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(echo_to_a_group, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(echoes_are_limited, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(messages_that_are_none, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(errors_for_the_transport, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(errors_about_nothing_of_ours, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_query_is_answered, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
