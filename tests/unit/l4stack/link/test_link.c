/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports and Ethernet frames. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"
#include "tests/unit/l4stack/ip/rig.h"

#include <rte_mbuf.h>

static void frames_that_go_no_further(void **state)
{
	uint8_t good[128], frame[128], own[6], payload[28] = {0};
	size_t len = frame_ip4(good, 1, 0, 6, "10.0.0.2", "10.0.0.1", payload, sizeof(payload));

	(void)state;
	rig_mac(own, 0);
	rig_in(3, good, len);
	assert_int_equal(rig.counters->link_bad_port, 1);
	rig_in(64, good, len);
	assert_int_equal(rig.counters->link_bad_port, 2);
	rig_in(0, good, ETH - 1);
	assert_int_equal(rig.counters->link_truncated, 1);
	rig_in_cut(0, good, len, ETH - 1);
	assert_int_equal(rig.counters->link_truncated, 2);

	memcpy(frame, good, len);
	frame[5] ^= 1;
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->link_not_for_us, 1);

	memcpy(frame, good, len);
	memcpy(frame + 6, own, 6);
	rig_in(0, frame, len);
	frame[6] |= 1;
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->link_own_source, 2);

	memcpy(frame, good, len);
	plain_put(frame + 12, 0x88cc);
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->link_unknown_type, 1);
	assert_int_equal(rig.counters->link_packets_in, 8);
	assert_int_equal(rig.counters->ip4_packets_in, 0);
}

static void ports_that_cannot_be(void **state)
{
	struct stack_port_conf good = {
		.mac = {2, 0, 0, 0, 0, 9}, .mtu = 1500, .offloads = STACK_TX_MULTI_SEG};
	struct stack_port_conf conf = good;

	(void)state;
	assert_int_equal(stack_port_add(rig.stack, 0, &good), -EEXIST);
	assert_int_equal(stack_port_add(rig.stack, 64, &good), -EINVAL);
	conf.mtu = 500;
	assert_int_equal(stack_port_add(rig.stack, 1, &conf), -EINVAL);
	conf = good;
	conf.mac[0] = 3;
	assert_int_equal(stack_port_add(rig.stack, 1, &conf), -EINVAL);
	memset(conf.mac, 0, 6);
	assert_int_equal(stack_port_add(rig.stack, 1, &conf), -EINVAL);
	/* Frames in one piece that no header mbuf has room for. */
	conf = good;
	conf.mtu = 9000;
	conf.offloads = 0;
	assert_int_equal(stack_port_add(rig.stack, 1, &conf), -EINVAL);
	conf.offloads = STACK_TX_MULTI_SEG;
	assert_int_equal(stack_port_add(rig.stack, 1, &conf), 0);
	assert_int_equal(stack_port_add(rig.stack, 63, &good), 0);
}

static struct rte_mbuf *sent_to(const char *text, const uint8_t *payload, size_t len, size_t cut)
{
	struct addr to = address(text), any = {0};
	struct ip_path path;

	assert_int_equal(ip_path_find(rig.stack, &to, &any, &path), 0);
	ip_output(rig.stack, &path, 6, rig_tcp(20, payload, len, cut), 0);
	ip_path_release(rig.stack, &path);
	return rig_take();
}

static void a_port_without_scatter_gather_gets_one_piece(void **state)
{
	uint8_t payload[1000], chained[RIG_FRAME_MAX], flat[RIG_FRAME_MAX];
	struct rte_mbuf *pkt;

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)rand();
	rig_meet("10.0.0.2", 1);
	pkt = sent_to("10.0.0.2", payload, sizeof(payload), 333);
	assert_int_equal(pkt->nb_segs, 5);
	memcpy(chained, rte_pktmbuf_read(pkt, 0, pkt->pkt_len, flat), pkt->pkt_len);
	rte_pktmbuf_free(pkt);
	assert_int_equal(rig.counters->payload_copied_bytes, 0);

	rig_restart(0);
	rig_meet("10.0.0.2", 1);
	pkt = sent_to("10.0.0.2", payload, sizeof(payload), 333);
	assert_int_equal(pkt->nb_segs, 1);
	assert_int_equal(pkt->pkt_len, ETH + 40 + sizeof(payload));
	assert_memory_equal(rte_pktmbuf_mtod(pkt, uint8_t *), chained, pkt->pkt_len);
	rte_pktmbuf_free(pkt);
	assert_int_equal(rig.counters->payload_copied_bytes, sizeof(payload));
	assert_int_equal(rig.counters->link_linearised, 1);
}

static void frames_are_counted(void **state)
{
	(void)state;
	rig_meet("10.0.0.2", 1);
	assert_int_equal(rig.counters->link_packets_in, 1);
	assert_int_equal(rig.counters->link_bytes_in, 42);
	assert_int_equal(rig.counters->link_packets_out, 1);
	assert_int_equal(rig.counters->link_bytes_out, 42);
}

/* Any bytes at all, and good frames with a few bytes changed: nothing may happen but
 * that a packet is dropped, delivered or answered. */
static void any_bytes_at_all(void **state)
{
	uint8_t own[6], mac[6], bytes[160], payload[64];

	(void)state;
	rig_mac(own, 0);
	station_mac(mac, 1);
	srand(3);
	for (int i = 0; i < 60000; i++) {
		size_t len = (size_t)rand() % sizeof(bytes) + 1;
		int kind = rand() % 5;

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)rand();
		memcpy(payload, bytes, sizeof(payload));
		if (kind == 1)
			memcpy(bytes, own, 6);
		if (kind == 2)
			len = frame_arp(bytes, rand() % 2 ? own : mac_broadcast, 1 + i % 2, mac,
					"10.0.0.2", i % 3 ? "10.0.0.1" : "10.0.0.2");
		if (kind >= 3)
			len = frame_ip4(bytes, 1, 0, (uint8_t[]){1, 6, 17, 2}[i % 4], "10.0.0.2",
					"10.0.0.1", payload, sizeof(payload));
		for (int j = rand() % 3; j > 0; j--)
			bytes[(size_t)rand() % len] = (uint8_t)rand();
		if (kind == 4)
			frame_ip4_fix(bytes);
		rig_in_cut(0, bytes, len, (size_t)rand() % 100);
		while (rig.out_count > 0)
			rig_out_drop();
		if (i % 16 == 0)
			rig_wait(1000);
	}
	assert_int_equal(rig.counters->link_packets_in, 60000);
}

static int setup(void **state)
{
	return rig_group_setup(state);
}

/* IEEE 802.1Q: a port of VLAN 7, 10.7.0.1. */
static void vlan_port(void)
{
	struct stack_port_conf conf = {.mtu = 1500,
				       .offloads = STACK_TX_MULTI_SEG,
				       .vlan = 7,
				       .claim = STACK_CLAIM_SILENT};

	rig_mac(conf.mac, 1);
	assert_int_equal(stack_port_add(rig.stack, 1, &conf), 0);
	rig_address(1, "10.7.0.1", 24);
}

/* It takes what has its tag, and tags what it sends. */
static void a_port_of_a_vlan(void **state)
{
	uint8_t frame[64], tagged[68], mac[6], out[128];
	size_t len;

	(void)state;
	station_mac(mac, 2);
	vlan_port();
	len = frame_arp(frame, mac_broadcast, 1, mac, "10.7.0.2", "10.7.0.1");
	rig_in(1, frame, len);
	assert_int_equal(rig.counters->link_other_vlan, 1);
	memcpy(tagged, frame, 12);
	memcpy(tagged + 12, (const uint8_t[]){0x81, 0, 0x60, 7}, 4);
	memcpy(tagged + 16, frame + 12, len - 12);
	rig_in(1, tagged, len + 4);
	assert_int_equal(rig_out(out), len + 4);
	assert_memory_equal(out, mac, 6);
	assert_memory_equal(out + 12, ((const uint8_t[]){0x81, 0, 0, 7, 8, 6}), 6);
	tagged[15] = 8;
	rig_in(1, tagged, len + 4);
	assert_int_equal(rig.counters->link_other_vlan, 2);
	assert_int_equal(rig.out_count, 0);
}

/* The same, with the tag taken out by the device. */
static void a_tag_the_device_took(void **state)
{
	uint8_t frame[64], mac[6];
	struct rte_mbuf *pkt;

	(void)state;
	station_mac(mac, 2);
	vlan_port();
	pkt = rig_mbuf(frame, frame_arp(frame, mac_broadcast, 1, mac, "10.7.0.2", "10.7.0.1"), 0);
	pkt->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	pkt->vlan_tci = 7;
	stack_input(rig.stack, 1, &pkt, 1);
	rig_out_drop();
	assert_int_equal(rig.counters->arp_requests_in, 1);
}

static void tags_where_there_should_be_none(void **state)
{
	uint8_t frame[64], tagged[72], mac[6];
	size_t len;

	(void)state;
	station_mac(mac, 2);
	len = frame_arp(frame, mac_broadcast, 1, mac, "10.0.0.2", "10.0.0.1");
	memcpy(tagged, frame, 12);
	memcpy(tagged + 12, (const uint8_t[]){0x81, 0, 0, 7, 0x81, 0, 0, 1}, 8);
	memcpy(tagged + 20, frame + 12, len - 12);
	rig_in(0, tagged, len + 8);
	tagged[12] = 0x88;
	tagged[13] = 0xa8;
	rig_in(0, tagged, len + 8);
	assert_int_equal(rig.counters->link_stacked_tags, 2);
	tagged[12] = 0x81;
	tagged[13] = 0;
	memcpy(tagged + 16, frame + 12, len - 12);
	rig_in(0, tagged, len + 4);
	assert_int_equal(rig.counters->link_other_vlan, 1);
	rig_in(0, tagged, 17);
	assert_int_equal(rig.counters->link_truncated, 1);
	/* §6.9: VLAN 0 is a priority, and no VLAN. */
	tagged[15] = 0;
	rig_in(0, tagged, len + 4);
	assert_int_equal(rig.counters->arp_requests_in, 1);
	rig_out_drop();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_port_of_a_vlan),
		TEST(a_tag_the_device_took),
		TEST(tags_where_there_should_be_none),
		TEST(frames_that_go_no_further),
		TEST(ports_that_cannot_be),
		TEST(a_port_without_scatter_gather_gets_one_piece),
		TEST(frames_are_counted),
		TEST(any_bytes_at_all),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
