/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments of both families: what is joined, what is refused, and what is held. */
#include <string.h>

#include <rte_mbuf.h>

#include "tests/unit/l4stack/ip/rig.h"

#define ICMP4    1
#define TCP      6
#define UDP      17
#define FRAGMENT 44
#define ICMP6    58
#define DATA     3000

static const char own4[] = "10.0.0.1", peer4[] = "10.0.0.2", own6[] = "fd10::1",
		  peer6[] = "fd10::2";

/* A TCP packet of DATA bytes with a right checksum, to be cut. */
static uint8_t data4[DATA], data6[DATA];
static uint8_t frame[2048];

static void data_make(uint8_t *data, bool ip6)
{
	uint8_t whole[ETH + 40 + DATA];
	size_t header = ETH + (ip6 ? 40 : 20);

	for (size_t i = 0; i < DATA; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	data[12] = 0x50;
	if (ip6) {
		frame_ip6(whole, 2, 0, TCP, peer6, own6, data, DATA);
		frame_ip6_l4_fix(whole, 40, TCP, 16);
	} else {
		frame_ip4(whole, 2, 0, TCP, peer4, own4, data, DATA);
		frame_l4_fix(whole, 16);
	}
	memcpy(data, whole + header, DATA);
}

static int setup(void **state)
{
	rig_setup(state);
	rig_address(0, own6, 64);
	rig_meet(peer4, 2);
	rig_meet6(peer6, 2);
	data_make(data4, false);
	data_make(data6, true);
	return 0;
}

static size_t ip4_piece(unsigned id, uint8_t protocol, const uint8_t *data, unsigned from,
			unsigned len, bool more)
{
	size_t size = frame_ip4(frame, 2, 0, protocol, peer4, own4, data, len);

	plain_put(frame + ETH + 4, (uint16_t)id);
	plain_put(frame + ETH + 6, (uint16_t)(from / 8 | (more ? 0x2000 : 0)));
	frame_ip4_fix(frame);
	return size;
}

static size_t ip6_piece(unsigned id, uint8_t protocol, const uint8_t *data, unsigned from,
			unsigned len, bool more)
{
	uint8_t bytes[8 + DATA] = {protocol};

	plain_put(bytes + 2, (uint16_t)(from | more));
	plain_put(bytes + 6, (uint16_t)id);
	memcpy(bytes + 8, data, len);
	return frame_ip6(frame, 2, 0, FRAGMENT, peer6, own6, bytes, 8 + len);
}

/* A cut of the packet. */
static void cut_in(bool ip6, unsigned id, unsigned from, unsigned len)
{
	bool more = from + len < DATA;

	rig_in(0, frame,
	       ip6 ? ip6_piece(id, TCP, data6 + from, from, len, more)
		   : ip4_piece(id, TCP, data4 + from, from, len, more));
}

static void assert_whole(unsigned times)
{
	assert_int_equal(rig.tcp_inputs, times);
	assert_int_equal(rig.tcp_len, DATA);
	assert_int_equal(rig.counters->tcp_bad_csum, 0);
	assert_int_equal(rig.counters->ip_reassembled, times);
}

static void in_any_order(void **state)
{
	static const uint8_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		for (unsigned k = 0; k < 3; k++) {
			unsigned from = orders[i % 6][k] * 1000u;

			assert_int_equal(rig.tcp_inputs, i);
			cut_in(i / 6, i, from, 1000);
		}
		assert_whole(i + 1);
		assert_memory_equal(rig.tcp_bytes, i / 6 ? data6 : data4, DATA);
		assert_int_equal(rig.tcp_rx.src.family, i / 6 ? ADDR_IP6 : ADDR_IP4);
	}
	assert_int_equal(rig.counters->ip4_fragments_in, 18);
	assert_int_equal(rig.counters->ip6_fragments_in, 18);
	assert_int_equal(rte_mempool_in_use_count(rig.rx), 0);
}

/* Padding of short frames is no data; segments of a packet may end anywhere. */
static void padding_and_pieces(void **state)
{
	size_t len;

	(void)state;
	cut_in(false, 1, 0, 1480);
	cut_in(false, 1, 1480, 1512 - 8);
	len = ip4_piece(1, TCP, data4 + 2984, 2984, 16, false);
	rig_in(0, frame, len + 10);
	assert_whole(1);
	len = ip6_piece(2, TCP, data6, 0, 1504, true);
	rig_in_cut(0, frame, len, ETH + 40 + 8 + 20);
	len = ip6_piece(2, TCP, data6 + 1504, 1504, 1496, false);
	rig_in_cut(0, frame, len, ETH + 48);
	assert_whole(2);
	assert_memory_equal(rig.tcp_bytes, data6, DATA);
}

static void what_comes_twice_counts_once(void **state)
{
	(void)state;
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		cut_in(ip6, 1, 0, 1000);
		cut_in(ip6, 1, 0, 1000);
		cut_in(ip6, 1, 1000, 1000);
		cut_in(ip6, 1, 1000, 1000);
		cut_in(ip6, 1, 2000, 1000);
	}
	assert_whole(2);
	assert_int_equal(rig.counters->ip_fragment_duplicate, 4);
}

/* RFC 5722: the datagram goes, and what still comes of it. */
static void overlaps_are_refused(void **state)
{
	static const struct {
		uint16_t from, len;
	} rows[] = {{992, 1000}, {8, 8}, {0, 1008}, {0, 8}, {504, 1000}};

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		cut_in(i % 2, i, 0, 1000);
		cut_in(i % 2, i, rows[i / 2].from, rows[i / 2].len);
		cut_in(i % 2, i, 1000, 1000);
		cut_in(i % 2, i, 2000, 1000);
		cut_in(i % 2, i, 0, 1000);
		assert_int_equal(rig.counters->ip_fragment_overlap, 5 * (i + 1));
	}
	assert_int_equal(rig.tcp_inputs, 0);
	assert_int_equal(rte_mempool_in_use_count(rig.rx), 0);
}

static void lengths_that_disagree(void **state)
{
	(void)state;
	/* Data behind the end. */
	rig_in(0, frame, ip4_piece(1, TCP, data4, 8, 8, false));
	rig_in(0, frame, ip4_piece(1, TCP, data4, 16, 8, true));
	/* An end before the data. */
	rig_in(0, frame, ip6_piece(1, TCP, data6, 16, 24, true));
	rig_in(0, frame, ip6_piece(1, TCP, data6, 8, 8, false));
	/* Two ends. */
	rig_in(0, frame, ip4_piece(2, TCP, data4, 8, 8, false));
	rig_in(0, frame, ip4_piece(2, TCP, data4, 24, 8, false));
	assert_int_equal(rig.counters->ip_fragment_overlap, 6);
	assert_int_equal(rte_mempool_in_use_count(rig.rx), 0);
}

/* The next frame is an ICMPv6 error of this kind. */
static void assert_error6(uint8_t type, uint8_t code, unsigned pointer)
{
	uint8_t out[2048];

	rig_out(out);
	assert_int_equal(out[ETH + 6], ICMP6);
	assert_int_equal(out[ETH + 40], type);
	assert_int_equal(out[ETH + 41], code);
	assert_int_equal(plain_get(out + ETH + 46), pointer);
}

static void malformed(void **state)
{
	(void)state;
	/* No data; not in units of eight; beyond 64 KB. */
	rig_in(0, frame, ip4_piece(1, TCP, data4, 8, 0, true));
	rig_in(0, frame, ip4_piece(1, TCP, data4, 8, 9, true));
	rig_in(0, frame, ip4_piece(1, TCP, data4, 65528, 1000, false));
	assert_int_equal(rig.out_count, 0);
	rig_in(0, frame, ip6_piece(1, TCP, data6, 8, 9, true));
	assert_error6(4, 0, 4);
	rig_in(0, frame, ip6_piece(1, TCP, data6, 65528, 1000, false));
	assert_error6(4, 0, 42);
	assert_int_equal(rig.counters->ip_fragment_malformed, 5);
	assert_int_equal(rte_mempool_in_use_count(rig.rx), 0);
}

/* RFC 7112; and no fragment in a fragment. */
static void first_fragments_have_all_headers(void **state)
{
	static const uint8_t options[16] = {TCP, 1, 1, 4}, nested[8] = {TCP, 0, 0, 1};

	(void)state;
	rig_in(0, frame, ip6_piece(1, 60, options, 0, 8, true));
	assert_error6(4, 3, 0);
	rig_in(0, frame, ip6_piece(2, FRAGMENT, nested, 0, 8, true));
	assert_error6(4, 3, 0);
	assert_int_equal(rig.counters->ip6_headers_cut, 2);
	/* Headers behind the fragment header are read when the datagram is whole. */
	rig_in(0, frame,
	       ip6_piece(3, 60, (uint8_t[24]){TCP, 0, 1, 4, [8 + 12] = 0x50}, 0, 24, true));
	rig_in(0, frame, ip6_piece(3, 60, data6, 24, 8, false));
	assert_int_equal(rig.counters->ip_reassembled, 1);
	assert_int_equal(rig.counters->tcp_bad_csum, 1);
}

/* RFC 6980 */
static void discovery_in_fragments(void **state)
{
	uint8_t whole[128];
	size_t len = frame_ndp(whole, 2, 0, 135, 0, peer6, own6, own6, true);

	(void)state;
	rig_in(0, frame, ip6_piece(1, ICMP6, whole + ETH + 40, 0, 16, true));
	rig_in(0, frame,
	       ip6_piece(1, ICMP6, whole + ETH + 56, 16, (unsigned)(len - ETH - 56), false));
	assert_int_equal(rig.counters->ndp_fragmented, 1);
	assert_int_equal(rig.out_count, 0);
}

/* The one that has the first fragment is told; nothing stays. */
static void time_runs_out(void **state)
{
	uint8_t out[2048];

	(void)state;
	cut_in(false, 1, 0, 1000);
	cut_in(false, 2, 1000, 1000);
	rig_wait(1000000);
	cut_in(true, 1, 0, 1000);
	cut_in(true, 1, 1000, 1000);
	rig_in(0, frame, ip4_piece(9, ICMP4, data4, 0, 1000, true));
	rig_wait(58900000);
	assert_int_equal(rig.out_count, 0);
	/* The peers are asked for again, after so long. */
	rig_wait(100000);
	rig_out(out);
	assert_int_equal(out[ETH + 9], ICMP4);
	assert_int_equal(out[ETH + 20], 11);
	assert_int_equal(out[ETH + 21], 1);
	assert_int_equal(rig.counters->ip_reassembly_timeout, 2);
	rig_wait(1000000);
	assert_error6(3, 1, 0);
	assert_int_equal(rig.counters->ip_reassembly_timeout, 5);
	assert_int_equal(rte_mempool_in_use_count(rig.rx), 0);
	/* A late one begins anew. */
	cut_in(true, 1, 2000, 1000);
	assert_int_equal(rig.tcp_inputs, 0);
}

/* The oldest give way, and those that come are whole. */
static void memory_is_bounded(void **state)
{
	(void)state;
	for (unsigned id = 0; id < 1000; id++)
		cut_in(id % 2, id, 1000, 1000);
	assert_int_equal(rte_mempool_in_use_count(rig.rx), 64);
	assert_int_equal(rig.counters->ip_reassembly_evicted, 1000 - 64);
	for (unsigned part = 0; part < 3; part++)
		cut_in(false, 7777, part * 1000, 1000);
	assert_whole(1);
}

/* A datagram in more pieces than any path cuts. */
static void crumbs_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		cut_in(false, 1, i * 8, 8);
	assert_int_equal(rte_mempool_in_use_count(rig.rx), 0);
	assert_int_equal(rig.counters->ip_fragment_overlap, 100);
}

/* Buffers, whoever they are of: a fragment in many segments takes as many. */
static void segments_are_bounded(void **state)
{
	(void)state;
	for (unsigned id = 0; id < 60; id++) {
		size_t len = ip4_piece(id, TCP, data4, 8, 1400, true);

		rig_in_cut(0, frame, len, 34);
	}
	assert_true(rte_mempool_in_use_count(rig.rx) <= 1023);
	assert_true(rig.counters->ip_reassembly_evicted > 0);
}

/* RFC 3168 §5.3 */
static void marks_are_kept(void **state)
{
	size_t len;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		len = ip4_piece(1, TCP, data4 + i * 1000, i * 1000, 1000, i < 2);
		frame[ETH + 1] = i == 1 ? 3 : 2;
		frame_ip4_fix(frame);
		rig_in(0, frame, len);
	}
	assert_whole(1);
	assert_int_equal(rig.tcp_rx.ecn, 3);
	for (unsigned i = 0; i < 3; i++) {
		len = ip4_piece(2, TCP, data4 + i * 1000, i * 1000, 1000, i < 2);
		frame[ETH + 1] = i == 1 ? 3 : 0;
		frame_ip4_fix(frame);
		rig_in(0, frame, len);
	}
	assert_whole(1);
}

/* Protocols name IPv4's datagrams, not IPv6's (RFC 8200 §4.5). */
static void names(void **state)
{
	(void)state;
	cut_in(false, 1, 0, 1000);
	rig_in(0, frame, ip4_piece(1, UDP, data4, 1000, 1000, true));
	cut_in(false, 1, 2000, 1000);
	assert_int_equal(rig.tcp_inputs, 0);
	cut_in(false, 1, 1000, 1000);
	assert_whole(1);
	cut_in(true, 1, 0, 1000);
	rig_in(0, frame, ip6_piece(1, UDP, data6 + 1000, 1000, 1000, true));
	cut_in(true, 1, 2000, 1000);
	assert_whole(2);
}

/* Nothing that was cut short, in any way, is held for ever or believed. */
static void noise(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		unsigned a, b;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		a = seed >> 33 & 0xff;
		b = seed >> 41 & 0x3f;
		rig_in(0, frame,
		       seed >> 63 ? ip6_piece(b / 8, TCP, data6 + a * 8, a * 8, b * 8, b & 1)
				  : ip4_piece(b / 8, TCP, data4 + a * 8, a * 8, b * 8, b & 1));
		while (rig.out_count)
			rig_out_drop();
	}
	assert_true(rte_mempool_in_use_count(rig.rx) <= 1023);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_any_order, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(padding_and_pieces, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_comes_twice_counts_once, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(overlaps_are_refused, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(lengths_that_disagree, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(malformed, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(first_fragments_have_all_headers, setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(discovery_in_fragments, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(time_runs_out, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(memory_is_bounded, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(crumbs_are_refused, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(segments_are_bounded, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(marks_are_kept, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(names, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(noise, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
