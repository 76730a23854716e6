/* SPDX-License-Identifier: BSD-3-Clause */
/* What IPv4 lets through to the transport, and what not. */
#include <string.h>

#include "tests/unit/l4stack/ip/rig.h"

#include <rte_mbuf.h>

#define TCP_CSUM 16
#define UDP_CSUM 6

static uint8_t frame[2048];

/* A TCP segment with some payload, and everything right. */
static size_t good_frame(size_t payload)
{
	uint8_t tcp[1480];

	for (size_t i = 0; i < 20 + payload; i++)
		tcp[i] = (uint8_t)(i * 7);
	size_t len = frame_ip4(frame, 1, 0, 6, "10.0.0.2", "10.0.0.1", tcp, 20 + payload);
	frame_l4_fix(frame, TCP_CSUM);
	return len;
}

static unsigned dropped(enum stack_counter reason)
{
	return (unsigned)counter_read(rig.counters, reason);
}

static void hands_over_what_is_right(void **state)
{
	size_t len = good_frame(33);
	struct addr src = address("10.0.0.2"), dst = address("10.0.0.1");

	(void)state;
	frame[ETH + 1] = 0xb9; /* DSCP, ECN 01 */
	frame[ETH + 8] = 0;    /* RFC 1122 §3.2.1.7: not dropped for its TTL */
	frame_ip4_fix(frame);
	rig_in(0, frame, len);
	assert_int_equal(rig.tcp_inputs, 1);
	assert_int_equal(rig.tcp_len, 53);
	assert_memory_equal(rig.tcp_bytes, frame + ETH + 20, 53);
	assert_true(addr_equal(&rig.tcp_rx.src, &src) && addr_equal(&rig.tcp_rx.dst, &dst));
	assert_int_equal(rig.tcp_rx.port, 0);
	assert_int_equal(rig.tcp_rx.ecn, 1);
	assert_int_equal(rig.tcp_rx.ttl, 0);
}

static void trims_padding(void **state)
{
	size_t len = good_frame(1);

	(void)state;
	memset(frame + len, 0xee, 10);
	for (size_t cut = ETH + 20; cut < len + 10; cut++) {
		rig_in_cut(0, frame, len + 10, cut);
		assert_int_equal(rig.tcp_len, 21);
	}
	assert_int_equal(rig.tcp_inputs, 10 + len - ETH - 20);
}

static void takes_any_cut(void **state)
{
	size_t len = good_frame(1400);

	(void)state;
	for (size_t cut = ETH + 20; cut < 400; cut += 13) {
		rig_in_cut(0, frame, len, cut);
		assert_int_equal(rig.tcp_len, 1420);
		assert_memory_equal(rig.tcp_bytes, frame + ETH + 20, 1420);
	}
	assert_int_equal(rig.counters->tcp_bad_csum, 0);
}

/* One byte of the header changed, its checksum right again: the reason of the drop. */
static void wrong_headers(void **state)
{
	static const struct {
		uint8_t offset, value;
		enum stack_counter reason;
	} rows[] = {
		{0, 0x55, COUNTER_ip4_bad_header},        {0, 0x65, COUNTER_ip4_bad_header},
		{0, 0x44, COUNTER_ip4_bad_header},        {0, 0x40, COUNTER_ip4_bad_header},
		{2, 0xff, COUNTER_ip4_truncated},         {3, 19, COUNTER_ip4_bad_header},
		{6, 0x20, COUNTER_ip_fragment_malformed}, {12, 224, COUNTER_ip4_bad_source},
		{12, 127, COUNTER_ip4_bad_source},        {12, 0, COUNTER_ip4_bad_source},
		{12, 255, COUNTER_ip4_bad_source},        {12, 240, COUNTER_ip4_bad_source},
		{15, 1, COUNTER_ip4_bad_source},          {15, 255, COUNTER_ip4_bad_source},
		{19, 3, COUNTER_ip4_not_for_us},          {19, 255, COUNTER_ip4_not_for_us},
		{16, 224, COUNTER_ip4_not_for_us},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = good_frame(33);
		unsigned before = dropped(rows[i].reason);

		frame[ETH + rows[i].offset] = rows[i].value;
		frame_ip4_fix(frame);
		rig_in(0, frame, len);
		assert_int_equal(dropped(rows[i].reason), before + 1);
	}
	assert_int_equal(rig.tcp_inputs, 0);
}

static void short_packets(void **state)
{
	size_t len = good_frame(0);

	(void)state;
	for (size_t n = ETH; n < len; n++)
		rig_in(0, frame, n);
	assert_int_equal(rig.counters->ip4_truncated, 40);
	/* All there, but the header is not in one piece. */
	for (size_t cut = ETH; cut < ETH + 20; cut++)
		rig_in_cut(0, frame, len, cut);
	assert_int_equal(rig.counters->ip4_truncated, 60);
	assert_int_equal(rig.tcp_inputs, 0);
}

static void wrong_checksums(void **state)
{
	(void)state;
	for (size_t i = 0; i < 20; i++) {
		size_t len = good_frame(33);

		frame[ETH + i] ^= 0x10;
		rig_in(0, frame, len);
	}
	assert_int_equal(rig.counters->ip4_bad_csum + rig.counters->ip4_bad_header +
				 rig.counters->ip4_truncated,
			 20);
	for (size_t i = 0; i < 53; i++) {
		size_t len = good_frame(33);

		frame[ETH + 20 + i] ^= 0x10;
		rig_in(0, frame, len);
		assert_int_equal(rig.counters->tcp_bad_csum, i + 1);
	}
	assert_int_equal(rig.tcp_inputs, 0);
}

static void a_broadcast_frame_to_one_host(void **state)
{
	size_t len = good_frame(0);

	(void)state;
	memcpy(frame, mac_broadcast, 6);
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->ip4_link_broadcast, 1);
}

/* A frame with these option bytes, padded to a multiple of four. */
static void options_in(const uint8_t *options, size_t len)
{
	uint8_t payload[60] = {0};
	size_t padded = (len + 3) / 4 * 4, n;

	memcpy(payload, options, len);
	n = frame_ip4(frame, 1, 0, 6, "10.0.0.2", "10.0.0.1", payload, padded + 20);
	frame[ETH] = (uint8_t)(0x45 + padded / 4);
	frame_ip4_fix(frame);
	plain_put(frame + ETH + 20 + padded + TCP_CSUM,
		  (uint16_t)~plain_sum(frame + ETH + 12, 8, 6 + 20));
	rig_in(0, frame, n);
}
#define OPTIONS_IN(...) \
	options_in((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void options(void **state)
{
	(void)state;
	OPTIONS_IN(1, 1, 1, 0);
	OPTIONS_IN(7, 7, 4, 0, 0, 0, 0, 0);
	OPTIONS_IN(148, 4, 0, 0);
	OPTIONS_IN(0, 131, 3, 4);
	assert_int_equal(rig.tcp_inputs, 4);
	assert_int_equal(rig.tcp_len, 20);
	OPTIONS_IN(131, 7, 4, 10, 0, 0, 9);
	OPTIONS_IN(1, 137, 7, 4, 10, 0, 0, 9);
	OPTIONS_IN(7, 0, 4, 0);
	OPTIONS_IN(7, 1, 4, 0);
	OPTIONS_IN(7, 5, 4, 0);
	OPTIONS_IN(1, 1, 1, 7);
	assert_int_equal(rig.counters->ip4_bad_options, 6);
	assert_int_equal(rig.tcp_inputs, 4);
}

static void flagged_in(uint16_t port, size_t len, uint64_t flags)
{
	struct rte_mbuf *pkt = rig_mbuf(frame, len, 0);

	pkt->ol_flags |= flags;
	stack_input(rig.stack, port, &pkt, 1);
}

/* A device that checks is believed, if the port says that it does. */
static void the_devices_word(void **state)
{
	const uint64_t good = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	size_t len;

	(void)state;
	rig_restart(STACK_TX_MULTI_SEG | STACK_RX_CSUM);
	len = good_frame(9);
	flagged_in(0, len, 0);
	flagged_in(0, len, good);
	assert_int_equal(rig.tcp_inputs, 2);
	flagged_in(0, len, RTE_MBUF_F_RX_IP_CKSUM_BAD);
	assert_int_equal(rig.counters->ip4_bad_csum, 1);
	flagged_in(0, len, RTE_MBUF_F_RX_L4_CKSUM_BAD);
	assert_int_equal(rig.counters->tcp_bad_csum, 1);

	frame[ETH + 10] ^= 1;
	frame[ETH + 20 + TCP_CSUM] ^= 1;
	flagged_in(0, len, good);
	flagged_in(0, len, RTE_MBUF_F_RX_IP_CKSUM_NONE | RTE_MBUF_F_RX_L4_CKSUM_NONE);
	assert_int_equal(rig.tcp_inputs, 4);
	flagged_in(0, len, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	assert_int_equal(rig.counters->ip4_bad_csum, 2);
	flagged_in(0, len, RTE_MBUF_F_RX_IP_CKSUM_GOOD);
	assert_int_equal(rig.counters->tcp_bad_csum, 2);

	rig_restart(STACK_TX_MULTI_SEG);
	flagged_in(0, len, good);
	assert_int_equal(rig.counters->ip4_bad_csum, 1);
	len = good_frame(9);
	flagged_in(0, len, RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_BAD);
	assert_int_equal(rig.tcp_inputs, 5);
}

static size_t udp_frame(uint16_t length_field)
{
	uint8_t udp[20] = {0x12, 0x34, 0, 53};
	size_t len;

	plain_put(udp + 4, length_field);
	len = frame_ip4(frame, 1, 0, 17, "10.0.0.2", "10.0.0.1", udp, sizeof(udp));
	frame_l4_fix(frame, UDP_CSUM);
	return len;
}

static void udp_has_no_sockets(void **state)
{
	(void)state;
	rig_meet("10.0.0.2", 1);
	rig_in(0, frame, udp_frame(20));
	assert_int_equal(rig.counters->udp_no_socket, 1);
	assert_int_equal(rig.out_count, 1);
	rig_in(0, frame, udp_frame(21));
	rig_in(0, frame, udp_frame(7));
	assert_int_equal(rig.counters->udp_malformed, 2);
	udp_frame(20);
	frame[ETH + 30] ^= 1;
	rig_in(0, frame, ETH + 40);
	assert_int_equal(rig.counters->udp_bad_csum, 1);
	plain_put(frame + ETH + 20 + UDP_CSUM, 0); /* none was computed */
	rig_in(0, frame, ETH + 40);
	assert_int_equal(rig.counters->udp_no_socket, 2);
	assert_int_equal(rig.counters->udp_datagrams_in, 5);
	assert_int_equal(rig.out_count, 2);
	frame_ip4(frame, 1, 0, 17, "10.0.0.2", "10.0.0.1", frame, 7);
	rig_in(0, frame, ETH + 27);
	assert_int_equal(rig.counters->udp_malformed, 3);
}

/* Whatever port it comes in by, an address of ours is ours. */
static void an_address_of_another_port(void **state)
{
	uint8_t tcp[20] = {0};
	size_t len;

	(void)state;
	rig_port(1, STACK_TX_MULTI_SEG, "10.9.0.1", 24);
	len = frame_ip4(frame, 1, 0, 6, "10.0.0.2", "10.9.0.1", tcp, sizeof(tcp));
	frame_l4_fix(frame, TCP_CSUM);
	rig_in(0, frame, len);
	assert_int_equal(rig.tcp_inputs, 1);
	/* But a source of ours is a lie, on any. */
	len = frame_ip4(frame, 1, 0, 6, "10.9.0.1", "10.0.0.1", tcp, sizeof(tcp));
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->ip4_bad_source, 1);
}

/* Addresses are not looked up for each packet; but what they are may change. */
static void what_was_let_through_once(void **state)
{
	uint8_t tcp[20] = {0};
	size_t len = frame_ip4(frame, 1, 0, 6, "10.9.0.1", "10.0.0.1", tcp, sizeof(tcp));

	(void)state;
	frame_l4_fix(frame, TCP_CSUM);
	rig_in(0, frame, len);
	rig_in(0, frame, len);
	assert_int_equal(rig.tcp_inputs, 2);
	rig_port(1, STACK_TX_MULTI_SEG, "10.9.0.1", 24);
	rig_in(0, frame, len);
	assert_int_equal(rig.tcp_inputs, 2);
	assert_int_equal(rig.counters->ip4_bad_source, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hands_over_what_is_right),
		TEST(trims_padding),
		TEST(takes_any_cut),
		TEST(wrong_headers),
		TEST(short_packets),
		TEST(wrong_checksums),
		TEST(a_broadcast_frame_to_one_host),
		TEST(options),
		TEST(the_devices_word),
		TEST(udp_has_no_sockets),
		TEST(an_address_of_another_port),
		TEST(what_was_let_through_once),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
