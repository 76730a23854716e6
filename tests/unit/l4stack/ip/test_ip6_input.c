/* SPDX-License-Identifier: BSD-3-Clause */
/* What of IPv6 gets to a transport, and what does not. */
#include <string.h>

#include "tests/unit/l4stack/ip/rig.h"

#define TCP  6
#define NONE 59

static const char own[] = "fd10::1", peer[] = "fd10::2";
static const uint8_t tcp[20] = {0, 80, 0, 81, [12] = 0x50, [13] = 2};

static int setup(void **state)
{
	rig_setup(state);
	rig_address(0, own, 64);
	rig_meet6(peer, 2);
	return 0;
}

static size_t tcp_frame(uint8_t *frame, const char *src, const char *dst)
{
	size_t len = frame_ip6(frame, 2, 0, TCP, src, dst, tcp, sizeof(tcp));

	frame_ip6_l4_fix(frame, 40, TCP, 16);
	return len;
}

/* `chain` before a TCP header. */
static size_t chain_frame(uint8_t *frame, uint8_t first, const uint8_t *chain, size_t chain_len)
{
	uint8_t payload[256];
	size_t len;

	memcpy(payload, chain, chain_len);
	memcpy(payload + chain_len, tcp, sizeof(tcp));
	len = frame_ip6(frame, 2, 0, first, peer, own, payload, chain_len + sizeof(tcp));
	frame_ip6_l4_fix(frame, 40 + chain_len, TCP, 16);
	return len;
}
#define CHAIN_FRAME(frame, first, ...)                            \
	chain_frame(frame, first, (const uint8_t[]){__VA_ARGS__}, \
		    sizeof((const uint8_t[]){__VA_ARGS__}))

static void a_segment_arrives(void **state)
{
	uint8_t frame[256];
	size_t len = tcp_frame(frame, peer, own);

	(void)state;
	frame[ETH] = 0x60;
	frame[ETH + 1] = 0x30; /* traffic class 3: ECN */
	/* Padding of Ethernet is cut off. */
	rig_in(0, frame, len + 6);
	assert_int_equal(rig.tcp_inputs, 1);
	assert_int_equal(rig.tcp_len, 20);
	assert_int_equal(rig.tcp_rx.ecn, 3);
	assert_int_equal(rig.tcp_rx.ttl, 64);
	assert_memory_equal(rig.tcp_rx.src.bytes, address(peer).bytes, 16);
	assert_memory_equal(rig.tcp_rx.dst.bytes, address(own).bytes, 16);
	/* In pieces, behind headers that are in the first. */
	rig_in_cut(0, frame, len, ETH + 40);
	assert_int_equal(rig.tcp_inputs, 2);
}

static void extension_headers_are_passed(void **state)
{
	uint8_t frame[256];

	(void)state;
	rig_in(0, frame,
	       CHAIN_FRAME(frame, 0, 60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, TCP, 0, 0, 0,
			   9, 9, 9, 9));
	assert_int_equal(rig.tcp_inputs, 1);
	assert_int_equal(rig.tcp_len, 20);
}

static void lengths_that_lie(void **state)
{
	uint8_t frame[256];
	size_t len = tcp_frame(frame, peer, own);

	(void)state;
	rig_in(0, frame, ETH + 39);
	rig_in(0, frame, len - 1);
	rig_in_cut(0, frame, len, 50);
	rig_in(0, frame, CHAIN_FRAME(frame, 60, TCP, 255, 1, 4, 0, 0, 0, 0));
	assert_int_equal(rig.counters->ip6_truncated, 4);
	tcp_frame(frame, peer, own);
	plain_put(frame + ETH + 4, 0);
	rig_in(0, frame, len);
	frame[ETH] = 0x50;
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->ip6_bad_header, 2);
	assert_int_equal(rig.tcp_inputs, 0);
}

static void addresses_that_are_none(void **state)
{
	static const char *const sources[] = {"::", "::1", "ff02::1", "::ffff:10.0.0.2", "fd10::1"};
	uint8_t frame[256];
	size_t len;

	(void)state;
	for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		rig_in(0, frame, tcp_frame(frame, sources[i], own));
	assert_int_equal(rig.counters->ip6_bad_source, 5);
	rig_in(0, frame, tcp_frame(frame, peer, "fd10::9"));
	rig_in(0, frame, tcp_frame(frame, peer, "ff02::1:ff00:99"));
	assert_int_equal(rig.counters->ip6_not_for_us, 1);
	assert_int_equal(rig.counters->link_not_for_us, 1);
	/* For one host, in everyone's frame. */
	len = tcp_frame(frame, peer, own);
	memcpy(frame, (const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->ip6_link_broadcast, 1);
	/* TCP has no groups. */
	rig_in(0, frame, tcp_frame(frame, peer, "ff02::1"));
	assert_int_equal(rig.tcp_inputs, 0);
}

static void a_wrong_checksum(void **state)
{
	uint8_t frame[256];
	size_t len = tcp_frame(frame, peer, own);

	(void)state;
	frame[ETH + 50] ^= 1;
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->tcp_bad_csum, 1);
}

/* The next frame out is an ICMPv6 error that quotes the packet. */
static void assert_error(uint8_t type, uint8_t code, uint32_t word, const uint8_t *about,
			 size_t about_len)
{
	uint8_t frame[2048], *ip = frame + ETH;
	size_t len = rig_out(frame);
	uint32_t pseudo = (uint32_t)plain_sum(ip + 8, 32, 0) + 58 + (uint32_t)(len - ETH - 40);
	size_t quote = about_len - ETH < 1232 ? about_len - ETH : 1232;

	assert_int_equal(len, ETH + 48 + quote);
	assert_int_equal(ip[6], 58);
	assert_int_equal(ip[40], type);
	assert_int_equal(ip[41], code);
	assert_int_equal((uint32_t)plain_get(ip + 44) << 16 | plain_get(ip + 46), word);
	assert_int_equal(plain_sum(ip + 40, len - ETH - 40, pseudo), 0xffff);
	assert_memory_equal(ip + 48, about + ETH, quote);
}

static void what_is_refused_is_said(void **state)
{
	uint8_t frame[256];
	size_t len;

	(void)state;
	/* RFC 5095: a source route. */
	rig_in(0, frame, len = CHAIN_FRAME(frame, 43, TCP, 0, 0, 1, 0, 0, 0, 0));
	assert_error(4, 0, 42, frame, len);
	assert_int_equal(rig.counters->ip6_source_routed, 1);
	/* An option with action 2. */
	rig_in(0, frame, len = CHAIN_FRAME(frame, 60, TCP, 0, 0x9e, 4, 0, 0, 0, 0));
	assert_error(4, 2, 42, frame, len);
	/* With action 1: nothing is said. */
	rig_in(0, frame, CHAIN_FRAME(frame, 60, TCP, 0, 0x5e, 4, 0, 0, 0, 0));
	assert_int_equal(rig.counters->ip6_bad_option, 2);
	/* A protocol nobody has; no next header. */
	rig_in(0, frame, len = CHAIN_FRAME(frame, 200, 1, 2, 3, 4));
	assert_error(4, 1, 6, frame, len);
	rig_in(0, frame, CHAIN_FRAME(frame, NONE, 1, 2, 3, 4));
	assert_int_equal(rig.counters->ip6_unknown_protocol, 2);
	assert_int_equal(rig.out_count, 0);
}

/* RFC 4443 §2.4 (e): one who many may have got gets no answer, but for an option of action 2. */
static void a_group_is_not_answered(void **state)
{
	uint8_t frame[256], payload[40] = {TCP, 0, 0xde, 4};
	size_t len;

	(void)state;
	len = frame_ip6(frame, 2, 0, 60, peer, "ff02::1", payload, sizeof(payload));
	rig_in(0, frame, len);
	assert_int_equal(rig.out_count, 0);
	frame[ETH + 42] = 0x9e;
	rig_in(0, frame, len);
	assert_error(4, 2, 42, frame, len);
	len = frame_ip6(frame, 2, 0, 200, peer, "ff02::1", payload, sizeof(payload));
	rig_in(0, frame, len);
	assert_int_equal(rig.out_count, 0);
}

static void a_port_nobody_has(void **state)
{
	uint8_t frame[1600], payload[1400] = {0, 9, 0, 9, 1400 >> 8, 1400 & 0xff};
	size_t len = frame_ip6(frame, 2, 0, 17, peer, own, payload, sizeof(payload));

	(void)state;
	frame_ip6_l4_fix(frame, 40, 17, 6);
	rig_in(0, frame, len);
	assert_error(1, 4, 0, frame, len);
	assert_int_equal(rig.counters->udp_no_socket, 1);
	/* RFC 8200 §8.1 */
	plain_put(frame + ETH + 46, 0);
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->udp_bad_csum, 1);
	assert_int_equal(rig.out_count, 0);
}

static void errors_are_limited(void **state)
{
	uint8_t frame[256];

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		rig_in(0, frame, CHAIN_FRAME(frame, 200, 1, 2, 3, 4));
		if (rig.out_count)
			rig_out_drop();
	}
	assert_int_equal(rig.counters->icmp6_errors_out, 50);
	assert_int_equal(rig.counters->icmp6_errors_limited, 10);
}

/* RFC 6437: one label for a flow, another for the next, and the peer's addresses in order. */
static void what_we_send(void **state)
{
	uint8_t a[256], b[256];

	(void)state;
	rig_send(peer);
	rig_send(peer);
	rig_out(a);
	rig_out(b);
	assert_int_equal(a[ETH] >> 4, 6);
	assert_int_equal(a[ETH + 6], TCP);
	assert_int_equal(a[ETH + 7], 64);
	assert_int_equal(plain_get(a + ETH + 4), 20);
	assert_memory_equal(a + ETH + 8, address(own).bytes, 16);
	assert_memory_equal(a + ETH + 24, address(peer).bytes, 16);
	assert_true((a[ETH + 1] & 15) | a[ETH + 2] | a[ETH + 3]);
	assert_memory_equal(a + ETH, b + ETH, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_segment_arrives, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(extension_headers_are_passed, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(lengths_that_lie, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(addresses_that_are_none, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_wrong_checksum, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_is_refused_is_said, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_group_is_not_answered, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_port_nobody_has, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(errors_are_limited, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_we_send, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
