/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes out, and that it is the same whoever does the work: the device or we. */
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "tests/unit/l4stack/ip/rig.h"
#include "tests/unit/l4stack/ip/wire.h"

#include <rte_mbuf.h>

#define ALL_CSUM (STACK_TX_IP_CSUM | STACK_TX_TCP_CSUM | STACK_TX_UDP_CSUM)

static uint8_t payload[65536], got[RIG_FRAME_MAX];
static struct wire wires[2];
static const char *peer = "10.0.0.2";

static void path_to(const char *text, struct ip_path *path)
{
	struct addr to = address(text), any = {0};

	assert_int_equal(ip_path_find(rig.stack, &to, &any, path), 0);
}

static void send_tcp(size_t len, size_t piece, uint16_t tso_segsz)
{
	struct ip_path path;

	path_to(peer, &path);
	ip_output(rig.stack, &path, 6, rig_tcp(32, payload, len, piece), tso_segsz);
	ip_path_release(rig.stack, &path);
}

static struct rte_mbuf *udp_packet(size_t len)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(rig.header);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(pkt, (uint16_t)(8 + len));

	memcpy(p, payload, 8 + len);
	plain_put(p + 4, (uint16_t)(8 + len));
	plain_put(p + 6, 0);
	return pkt;
}

static void send_udp(size_t len)
{
	struct ip_path path;

	path_to(peer, &path);
	ip_output(rig.stack, &path, 17, udp_packet(len), 0);
	ip_path_release(rig.stack, &path);
}

static void drain(struct wire *wire)
{
	while (rig.out_count > 0)
		wire_send(wire, rig_take());
}

static void header_fields(void **state)
{
	struct ip_path path;
	size_t len;

	(void)state;
	rig_meet("10.0.0.2", 1);
	path_to("10.0.0.2", &path);
	path.ecn = 2;
	ip_output(rig.stack, &path, 6, rig_tcp(20, payload, 33, 0), 0);
	ip_path_release(rig.stack, &path);
	len = rig_out(got);
	assert_int_equal(len, ETH + 73);
	assert_int_equal(got[ETH], 0x45);
	assert_int_equal(got[ETH + 1], 2);
	assert_int_equal(plain_get(got + ETH + 2), 73);
	assert_int_equal(plain_get(got + ETH + 6), 0x4000);
	assert_int_equal(got[ETH + 8], 64);
	assert_int_equal(got[ETH + 9], 6);
	assert_memory_equal(got + ETH + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
	assert_int_equal(plain_sum(got + ETH, 20, 0), 0xffff);
	assert_int_equal(
		plain_sum(got + ETH + 20, 53, (uint32_t)plain_sum(got + ETH + 12, 8, 0) + 6 + 53),
		0xffff);
}

/* Ids go up by one for a peer, and tell nothing about packets to another. */
static void ids(void **state)
{
	struct ip_path a, b;
	uint16_t first_a, first_b;

	(void)state;
	rig_meet("10.0.0.2", 1);
	rig_meet("10.0.0.3", 2);
	path_to("10.0.0.2", &a);
	path_to("10.0.0.3", &b);
	for (uint16_t i = 0; i < 100; i++) {
		uint16_t id_a, id_b;

		ip_output(rig.stack, &a, 6, rig_tcp(20, NULL, 0, 0), 0);
		ip_output(rig.stack, &b, 6, rig_tcp(20, NULL, 0, 0), 0);
		rig_out(got);
		id_a = plain_get(got + ETH + 4);
		rig_out(got);
		id_b = plain_get(got + ETH + 4);
		if (i == 0) {
			first_a = id_a;
			first_b = id_b;
		}
		assert_int_equal(id_a, (uint16_t)(first_a + i));
		assert_int_equal(id_b, (uint16_t)(first_b + i));
	}
	ip_path_release(rig.stack, &a);
	ip_path_release(rig.stack, &b);
}

/* The same calls with the offloads of `mask`, each put on the wire by the device. */
static void play(uint32_t offloads, struct wire *wire)
{
	wire->count = 0;
	srand(11);
	rig_restart(offloads);
	rig_meet("10.0.0.2", 1);
	rig_address(0, "fd10::1", 64);
	rig_meet6("fd10::2", 1);
	for (int i = 0; i < 60; i++) {
		size_t piece = 61 + (size_t)rand() % 1500;
		int kind = rand() % 4;

		if (kind == 0)
			send_udp((size_t)rand() % 1400);
		else if (kind == 1)
			send_tcp((size_t)rand() % 1429, piece, 0);
		else
			send_tcp((size_t)rand() % 9000, piece, (uint16_t)(500 + rand() % 1500));
		drain(wire);
	}
}

static void assert_same_wire(const struct wire *a, const struct wire *b)
{
	assert_int_equal(a->count, b->count);
	for (unsigned i = 0; i < a->count; i++) {
		assert_int_equal(a->frames[i].len, b->frames[i].len);
		assert_memory_equal(a->frames[i].bytes, b->frames[i].bytes, a->frames[i].len);
	}
}

static void same_bytes_to(const char *to)
{
	peer = to;
	play(STACK_TX_MULTI_SEG, &wires[0]);
	assert_true(wires[0].count > 100);
	for (uint32_t offloads = 0; offloads <= STACK_TX_MULTI_SEG * 2 - 1; offloads++) {
		play(offloads, &wires[1]);
		assert_same_wire(&wires[0], &wires[1]);
	}
	peer = "10.0.0.2";
}

static void the_same_bytes_with_any_offload(void **state)
{
	(void)state;
	same_bytes_to("10.0.0.2");
}

static void the_same_bytes_over_ip6(void **state)
{
	(void)state;
	same_bytes_to("fd10::2");
	assert_int_equal(plain_get(wires[0].frames[0].bytes + 12), 0x86dd);
}

/* What was given to the port, but for the id and what follows from it. */
struct given {
	uint8_t bytes[RIG_FRAME_MAX];
	size_t len;
	uint64_t flags, offload;
	unsigned pieces;
};

static void give(struct ip_path *path, size_t len, uint16_t tso_segsz, size_t header,
		 struct given *out)
{
	struct rte_mbuf *pkt;

	ip_output(rig.stack, path, 6, rig_tcp(32, payload, len, 1000), tso_segsz);
	pkt = rig_take();
	out->flags = pkt->ol_flags;
	out->offload = pkt->tx_offload;
	out->pieces = pkt->nb_segs;
	out->len = pkt->pkt_len;
	assert_true(pkt_read(pkt, 0, pkt->pkt_len, out->bytes));
	if (!(out->flags & RTE_MBUF_F_TX_IP_CKSUM))
		assert_int_equal(plain_sum(out->bytes + header, 20, 0), 0xffff);
	memset(out->bytes + header + 4, 0, 2);
	memset(out->bytes + header + 10, 0, 2);
	rte_pktmbuf_free(pkt);
}

/* The first packet of a path finds its way, and the next ones know it. */
static void assert_later_is_as_first(const char *to, size_t len, uint16_t tso_segsz, size_t header)
{
	static struct given first, later;
	struct ip_path path;

	path_to(to, &path);
	path.ecn = 2;
	give(&path, len, tso_segsz, header, &first);
	give(&path, len, tso_segsz, header, &later);
	assert_int_equal(first.len, later.len);
	assert_memory_equal(first.bytes, later.bytes, first.len);
	assert_true(first.flags == later.flags && first.offload == later.offload);
	assert_int_equal(first.pieces, later.pieces);
	ip_path_release(rig.stack, &path);
}

static void later_packets_are_as_the_first(void **state)
{
	(void)state;
	for (uint32_t offloads = 0; offloads <= STACK_TX_MULTI_SEG * 2 - 1; offloads++) {
		rig_restart(offloads);
		rig_meet("10.0.0.2", 1);
		assert_later_is_as_first("10.0.0.2", 0, 0, ETH);
		assert_later_is_as_first("10.0.0.2", 77, 0, ETH);
		assert_later_is_as_first("10.0.0.2", 1448, 0, ETH);
		assert_later_is_as_first("10.0.0.2", 1448, 1448, ETH);
		if (!(offloads & STACK_TX_TSO && offloads & STACK_TX_MULTI_SEG))
			continue;
		assert_later_is_as_first("10.0.0.2", 1449, 1448, ETH);
		assert_later_is_as_first("10.0.0.2", 8192, 1448, ETH);
		assert_later_is_as_first("10.0.0.2", 8192, 1460, ETH); /* no such cut fits */
	}
}

/* An ARP question with the tag of VLAN 7. */
static void meet_tagged(const char *sender, const char *target)
{
	uint8_t frame[64], tagged[68], mac[6];
	size_t len;

	station_mac(mac, 1);
	len = frame_arp(frame, mac_broadcast, 1, mac, sender, target);
	memcpy(tagged, frame, 12);
	memcpy(tagged + 12, "\x81\0\0\x07", 4);
	memcpy(tagged + 16, frame + 12, len - 12);
	rig_in(1, tagged, len + 4);
	rig_out_drop();
}

static void later_packets_have_their_tag(void **state)
{
	struct stack_port_conf conf = {.mtu = 1500,
				       .offloads = STACK_TX_MULTI_SEG | STACK_TX_TCP_CSUM,
				       .name = "tagged",
				       .claim = STACK_CLAIM_SILENT,
				       .vlan = 7};
	struct addr addr = address("10.1.0.1");

	(void)state;
	rig_mac(conf.mac, 1);
	assert_int_equal(stack_port_add(rig.stack, 1, &conf), 0);
	assert_int_equal(stack_address_add(rig.stack, 1, &addr, 24), 0);
	meet_tagged("10.1.0.2", "10.1.0.1");
	assert_later_is_as_first("10.1.0.2", 77, 0, ETH + 4);
	assert_later_is_as_first("10.1.0.2", 1448, 0, ETH + 4);
}

static void work_goes_to_the_device(void **state)
{
	struct rte_mbuf *pkt;

	(void)state;
	rig_restart(STACK_TX_MULTI_SEG | STACK_TX_TSO | ALL_CSUM);
	rig_meet("10.0.0.2", 1);
	send_tcp(60000, 1448, 1448);
	assert_int_equal(rig.out_count, 1);
	pkt = rig_take();
	assert_true(pkt->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
	assert_int_equal(pkt->tso_segsz, 1448);
	rte_pktmbuf_free(pkt);
	/* More than an IPv4 packet can be: that has to be cut here. */
	send_tcp(65500, 1448, 1448);
	assert_int_equal(rig.out_count, 46);
	assert_int_equal(rig.counters->ip_segmented, 1);
	assert_int_equal(rig.counters->ip_segments_made, 46);
	assert_int_equal(rig.counters->ip_csum_in_software, 0);
	wires[0].count = 0;
	drain(&wires[0]);
}

/* The transport knows a smaller path than the port's MTU. */
static void cuts_below_the_mtu(void **state)
{
	(void)state;
	rig_meet("10.0.0.2", 1);
	send_tcp(1000, 0, 400);
	assert_int_equal(rig.out_count, 3);
	/* And never above it. */
	send_tcp(3000, 0, 60000);
	assert_int_equal(rig.out_count, 6);
	assert_int_equal(rig.out[3]->pkt_len, ETH + 1500);
	send_tcp(400, 0, 400);
	assert_int_equal(rig.out_count, 7);
	assert_int_equal(rig.counters->ip_segmented, 2);
}

static void too_big_to_send(void **state)
{
	(void)state;
	rig_meet("10.0.0.2", 1);
	send_tcp(1448, 0, 0);
	assert_int_equal(rig.out_count, 1);
	send_tcp(1449, 0, 0);
	assert_int_equal(rig.out_count, 1);
	assert_int_equal(rig.counters->ip_too_big, 1);
}

/* RFC 768: a checksum that comes out as zero is sent as all ones. */
static void udp_checksum_of_zero(void **state)
{
	struct ip_path path;
	struct rte_mbuf *pkt;
	uint8_t *p;

	(void)state;
	rig_meet("10.0.0.2", 1);
	path_to("10.0.0.2", &path);
	pkt = udp_packet(2);
	p = rte_pktmbuf_mtod(pkt, uint8_t *);
	plain_put(p + 8, 0);
	plain_put(p + 8, (uint16_t)~plain_sum(p, 10, 0x0a00 + 1 + 0x0a00 + 2 + 17 + 10));
	ip_output(rig.stack, &path, 17, pkt, 0);
	rig_out(got);
	assert_int_equal(plain_get(got + ETH + 26), 0xffff);
	ip_path_release(rig.stack, &path);
}

static void without_mbufs(void **state)
{
	static struct rte_mbuf *taken[2048]; /* the pool has fewer */
	struct rte_mbuf *pkt;
	struct ip_path path;
	unsigned n;

	(void)state;
	rig_meet("10.0.0.2", 1);
	path_to("10.0.0.2", &path);
	pkt = rig_tcp(20, payload, 5000, 0);
	n = rte_mempool_avail_count(rig.header) - 1;
	assert_int_equal(rte_pktmbuf_alloc_bulk(rig.header, taken, n), 0);
	ip_output(rig.stack, &path, 6, pkt, 1000);
	assert_int_equal(rig.counters->ip_no_mbuf, 1);
	rte_pktmbuf_free_bulk(taken, n);
	ip_path_release(rig.stack, &path);
}

static int setup(void **state)
{
	srand(9);
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)rand();
	return rig_group_setup(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(header_fields),
		TEST(ids),
		TEST(the_same_bytes_with_any_offload),
		TEST(the_same_bytes_over_ip6),
		TEST(later_packets_are_as_the_first),
		TEST(later_packets_have_their_tag),
		TEST(work_goes_to_the_device),
		TEST(cuts_below_the_mtu),
		TEST(too_big_to_send),
		TEST(udp_checksum_of_zero),
		TEST(without_mbufs),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
