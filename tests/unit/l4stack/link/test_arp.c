/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP and the states of neighbours, as a station on the same wire sees them. */
#include <stdio.h>
#include <string.h>

#include "l4stack/link/neighbour.h"
#include "tests/unit/l4stack/ip/rig.h"

#include <rte_mbuf.h>

#define REQUEST 1
#define REPLY   2
#define SECOND  1000000u

static uint8_t own[6], a_mac[6], b_mac[6];

static void arp_in(const uint8_t *dst, unsigned op, const uint8_t *mac, const char *sender,
		   const char *target)
{
	uint8_t frame[64];

	rig_in(0, frame, frame_arp(frame, dst, op, mac, sender, target));
}

static void assert_arp_out(const uint8_t *dst, unsigned op, const char *sender, const char *target)
{
	uint8_t got[RIG_FRAME_MAX], want[64];
	size_t len = frame_arp(want, dst, op, own, sender, target);

	if (op == REPLY)
		memcpy(want + 32, dst, 6);
	assert_int_equal(rig_out(got), len);
	assert_memory_equal(got, want, len);
}

/* The next frame sent is an IPv4 packet to that station. */
static void assert_ip_out(const uint8_t *mac)
{
	uint8_t got[RIG_FRAME_MAX];

	assert_int_equal(rig_out(got), ETH + 40);
	assert_memory_equal(got, mac, 6);
	assert_memory_equal(got + 6, own, 6);
	assert_int_equal(plain_get(got + 12), 0x0800);
}

static void assert_silent(void)
{
	assert_int_equal(rig.out_count, 0);
}

static void answers_for_its_own_address(void **state)
{
	(void)state;
	arp_in(mac_broadcast, REQUEST, a_mac, "10.0.0.2", "10.0.0.1");
	assert_arp_out(a_mac, REPLY, "10.0.0.1", "10.0.0.2");
	assert_int_equal(rig_neighbours(true), 1);
}

static void is_silent_about_others(void **state)
{
	(void)state;
	arp_in(mac_broadcast, REQUEST, a_mac, "10.0.0.2", "10.0.0.3");
	assert_silent();
	assert_int_equal(rig_neighbours(false), 0);
	assert_int_equal(rig.counters->arp_not_for_us, 1);
}

/* An address of another port is not this wire's business. */
static void answers_on_the_right_port_only(void **state)
{
	(void)state;
	rig_port(1, STACK_TX_MULTI_SEG, "10.9.0.1", 24);
	arp_in(mac_broadcast, REQUEST, a_mac, "10.0.0.2", "10.9.0.1");
	assert_silent();
}

static void answers_probes_without_learning(void **state)
{
	(void)state;
	arp_in(mac_broadcast, REQUEST, a_mac, "0.0.0.0", "10.0.0.1");
	assert_arp_out(a_mac, REPLY, "10.0.0.1", "0.0.0.0");
	assert_int_equal(rig_neighbours(false), 0);
}

static void resolves(void **state)
{
	(void)state;
	rig_send("10.0.0.2");
	assert_arp_out(mac_broadcast, REQUEST, "10.0.0.1", "10.0.0.2");
	assert_silent();
	assert_int_equal(rig_neighbours(false), 1);
	assert_int_equal(rig_neighbours(true), 0);
	arp_in(own, REPLY, a_mac, "10.0.0.2", "10.0.0.1");
	assert_ip_out(a_mac);
	rig_send("10.0.0.2");
	assert_ip_out(a_mac);
	assert_silent();
	assert_int_equal(rig_neighbours(true), 1);
}

static void resolves_the_gateway(void **state)
{
	struct addr any = address("0.0.0.0"), gateway = address("10.0.0.254");

	(void)state;
	assert_int_equal(stack_route_add(rig.stack, &any, 0, &gateway), 0);
	rig_send("192.0.2.1");
	assert_arp_out(mac_broadcast, REQUEST, "10.0.0.1", "10.0.0.254");
	arp_in(own, REPLY, b_mac, "10.0.0.254", "10.0.0.1");
	assert_ip_out(b_mac);
}

/* Somebody who asks for us while we ask for him has answered. */
static void a_question_is_an_answer(void **state)
{
	(void)state;
	rig_send("10.0.0.2");
	rig_out_drop();
	arp_in(mac_broadcast, REQUEST, a_mac, "10.0.0.2", "10.0.0.1");
	assert_ip_out(a_mac);
	assert_arp_out(a_mac, REPLY, "10.0.0.1", "10.0.0.2");
}

static void keeps_the_newest_packets(void **state)
{
	(void)state;
	for (int i = 0; i < NEIGHBOUR_QUEUE_MAX + 3; i++)
		rig_send("10.0.0.2");
	assert_int_equal(rig.out_count, 1);
	rig_out_drop();
	assert_int_equal(rig.counters->neighbour_queue_full, 3);
	arp_in(own, REPLY, a_mac, "10.0.0.2", "10.0.0.1");
	for (int i = 0; i < NEIGHBOUR_QUEUE_MAX; i++)
		assert_ip_out(a_mac);
	assert_silent();
}

static void all_queues_together_are_bounded(void **state)
{
	char to[16];

	(void)state;
	for (int i = 2; i < 250; i++) {
		snprintf(to, sizeof(to), "10.0.0.%d", i);
		for (int j = 0; j < 5; j++)
			rig_send(to);
		while (rig.out_count > 0)
			rig_out_drop();
	}
	assert_int_equal(rte_mempool_in_use_count(rig.header), NEIGHBOUR_QUEUE_ALL_MAX);
}

static void gives_up(void **state)
{
	(void)state;
	rig_send("10.0.0.2");
	rig_send("10.0.0.2");
	rig_wait(10 * SECOND);
	assert_int_equal(rig.out_count, NEIGHBOUR_SOLICITS);
	for (int i = 0; i < NEIGHBOUR_SOLICITS; i++)
		assert_arp_out(mac_broadcast, REQUEST, "10.0.0.1", "10.0.0.2");
	assert_int_equal(rig.counters->neighbour_unreachable, 2);
	assert_int_equal(rig.tcp_errors, 2);
	assert_int_equal(rig.tcp_error.kind, IP_ERROR_UNREACHABLE_HARD);
	assert_true(addr_equal(&rig.tcp_error.remote,
			       &(struct addr){.family = ADDR_IP4, .bytes = {10, 0, 0, 2}}));
	assert_memory_equal(rig.tcp_error.quoted, "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(rig_neighbours(false), 0);
	rig_send("10.0.0.2");
	assert_arp_out(mac_broadcast, REQUEST, "10.0.0.1", "10.0.0.2");
}

/* Reachable for 30 s; the next packet starts a delay of 5 s, then the station is asked. */
static void checks_a_stale_neighbour(void **state)
{
	(void)state;
	rig_send("10.0.0.2");
	rig_out_drop();
	arp_in(own, REPLY, a_mac, "10.0.0.2", "10.0.0.1");
	assert_ip_out(a_mac);
	rig_wait(31 * SECOND);
	assert_silent();
	rig_send("10.0.0.2");
	assert_ip_out(a_mac);
	rig_wait(4 * SECOND);
	assert_silent();
	rig_wait(3 * SECOND / 2);
	assert_arp_out(a_mac, REQUEST, "10.0.0.1", "10.0.0.2");
	arp_in(own, REPLY, a_mac, "10.0.0.2", "10.0.0.1");
	rig_wait(29 * SECOND);
	rig_send("10.0.0.2");
	assert_ip_out(a_mac);
	assert_silent();
}

static void loses_a_neighbour_that_is_gone(void **state)
{
	(void)state;
	rig_meet("10.0.0.2", 1);
	rig_send("10.0.0.2");
	assert_ip_out(a_mac);
	rig_wait(12 * SECOND);
	for (int i = 0; i < NEIGHBOUR_SOLICITS; i++)
		assert_arp_out(a_mac, REQUEST, "10.0.0.1", "10.0.0.2");
	assert_silent();
	assert_int_equal(rig_neighbours(true), 0);
}

/* Held by a path, the entry remembers that there was somebody: a soft error. */
static void a_lost_neighbour_is_a_soft_error(void **state)
{
	struct addr to = address("10.0.0.2"), any = {0};
	struct ip_path path;

	(void)state;
	rig_meet("10.0.0.2", 1);
	assert_int_equal(ip_path_find(rig.stack, &to, &any, &path), 0);
	ip_output(rig.stack, &path, 6, rig_tcp(20, NULL, 0, 0), 0);
	rig_wait(12 * SECOND);
	ip_output(rig.stack, &path, 6, rig_tcp(20, NULL, 0, 0), 0);
	rig_wait(5 * SECOND);
	assert_int_equal(rig.tcp_errors, 1);
	assert_int_equal(rig.tcp_error.kind, IP_ERROR_UNREACHABLE_SOFT);
	ip_path_release(rig.stack, &path);
	assert_int_equal(rig_neighbours(false), 0);
}

static void a_transport_that_gets_through_spares_the_probe(void **state)
{
	struct addr to = address("10.0.0.2"), any = {0};
	struct ip_path path;

	(void)state;
	rig_meet("10.0.0.2", 1);
	assert_int_equal(ip_path_find(rig.stack, &to, &any, &path), 0);
	for (int i = 0; i < 50; i++) {
		ip_output(rig.stack, &path, 6, rig_tcp(20, NULL, 0, 0), 0);
		ip_path_confirm(rig.stack, &path);
		assert_ip_out(a_mac);
		rig_wait(2 * SECOND);
		assert_silent();
	}
	ip_path_release(rig.stack, &path);
}

static void forgets_who_is_not_needed(void **state)
{
	(void)state;
	rig_meet("10.0.0.2", 1);
	rig_wait(NEIGHBOUR_FORGET_US + SECOND);
	assert_int_equal(rig_neighbours(false), 0);
}

static void strangers_are_not_learned(void **state)
{
	(void)state;
	arp_in(mac_broadcast, REPLY, a_mac, "10.0.0.2", "10.0.0.2");
	arp_in(mac_broadcast, REQUEST, a_mac, "10.0.0.2", "10.0.0.2");
	arp_in(own, REPLY, a_mac, "10.0.0.2", "10.0.0.1");
	arp_in(mac_broadcast, REPLY, a_mac, "10.0.0.2", "10.0.0.1");
	assert_silent();
	assert_int_equal(rig_neighbours(false), 0);
	assert_int_equal(rig.counters->neighbour_unsolicited, 4);
}

/* While the old station is known to be there another cannot take its address; later it
 * can (that is how a router fails over), but it is asked when it is used. */
static void claims_to_an_address(void **state)
{
	(void)state;
	rig_send("10.0.0.2");
	rig_out_drop();
	arp_in(own, REPLY, a_mac, "10.0.0.2", "10.0.0.1");
	rig_out_drop();

	arp_in(mac_broadcast, REPLY, b_mac, "10.0.0.2", "10.0.0.2");
	arp_in(own, REPLY, b_mac, "10.0.0.2", "10.0.0.1");
	assert_int_equal(rig.counters->neighbour_override_refused, 2);
	rig_send("10.0.0.2");
	assert_ip_out(a_mac);

	rig_wait(2 * SECOND);
	arp_in(mac_broadcast, REPLY, b_mac, "10.0.0.2", "10.0.0.2");
	assert_int_equal(rig.counters->neighbour_moved, 1);
	rig_send("10.0.0.2");
	assert_ip_out(b_mac);
	rig_wait(6 * SECOND);
	assert_arp_out(b_mac, REQUEST, "10.0.0.1", "10.0.0.2");
}

/* An answer in a broadcast proves nothing: usable, but to be checked. */
static void an_answer_to_everyone_is_a_claim(void **state)
{
	(void)state;
	rig_send("10.0.0.2");
	rig_out_drop();
	arp_in(mac_broadcast, REPLY, a_mac, "10.0.0.2", "10.0.0.1");
	assert_ip_out(a_mac);
	rig_wait(6 * SECOND);
	assert_arp_out(a_mac, REQUEST, "10.0.0.1", "10.0.0.2");
}

static void impossible_senders(void **state)
{
	static const uint8_t zero[6];
	uint8_t group[6] = {3, 0, 0, 0, 0, 1}, frame[64];
	size_t len;

	(void)state;
	arp_in(mac_broadcast, REQUEST, a_mac, "10.0.0.1", "10.0.0.1");
	assert_int_equal(rig.counters->arp_conflict, 1);
	arp_in(mac_broadcast, REQUEST, a_mac, "192.168.0.1", "10.0.0.1");
	arp_in(mac_broadcast, REQUEST, a_mac, "10.0.0.255", "10.0.0.1");
	arp_in(mac_broadcast, REPLY, a_mac, "0.0.0.0", "10.0.0.1");
	assert_int_equal(rig.counters->arp_bad_sender, 3);
	/* A sender in the packet that differs from the frame's: a group, or nobody. */
	len = frame_arp(frame, mac_broadcast, REQUEST, a_mac, "10.0.0.2", "10.0.0.1");
	memcpy(frame + ETH + 8, group, 6);
	rig_in(0, frame, len);
	memcpy(frame + ETH + 8, zero, 6);
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->arp_bad_sender, 5);
	assert_silent();
	assert_int_equal(rig_neighbours(false), 0);
}

static void malformed(void **state)
{
	/* Where a byte of a good request is changed, and to what. */
	static const uint8_t changes[][2] = {{0, 1},  {1, 6}, {2, 0x86}, {3, 6}, {4, 8},
					     {5, 16}, {6, 1}, {7, 0},    {7, 3}};
	uint8_t good[64], frame[64];
	size_t len = frame_arp(good, mac_broadcast, REQUEST, a_mac, "10.0.0.2", "10.0.0.1");
	unsigned bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		memcpy(frame, good, len);
		frame[ETH + changes[i][0]] = changes[i][1];
		rig_in(0, frame, len);
		assert_int_equal(rig.counters->arp_malformed, ++bad);
	}
	for (size_t n = ETH; n < len; n++) {
		rig_in(0, good, n);
		assert_int_equal(rig.counters->arp_malformed, ++bad);
	}
	assert_silent();
	for (size_t cut = ETH; cut < len; cut++) {
		rig_in_cut(0, good, len, cut);
		rig_out_drop();
	}
}

/* Somebody asks for us from thousands of addresses: the table is bounded, and who is
 * held by a connection stays. */
static void a_flood_pushes_nobody_out_who_is_held(void **state)
{
	struct addr to = address("10.5.0.2"), any = {0};
	uint8_t frame[64];
	struct ip_path path;
	char from[16];

	(void)state;
	rig_port(5, STACK_TX_MULTI_SEG, "10.5.0.1", 16);
	rig_in(5, frame, frame_arp(frame, mac_broadcast, REQUEST, a_mac, "10.5.0.2", "10.5.0.1"));
	rig_out_drop();
	assert_int_equal(ip_path_find(rig.stack, &to, &any, &path), 0);
	ip_output(rig.stack, &path, 6, rig_tcp(20, NULL, 0, 0), 0);
	rig_out_drop();
	for (int i = 0; i < 3 * NEIGHBOURS_MAX; i++) {
		snprintf(from, sizeof(from), "10.5.%d.%d", 1 + i / 200, 1 + i % 200);
		rig_in(5, frame, frame_arp(frame, mac_broadcast, REQUEST, b_mac, from, "10.5.0.1"));
		while (rig.out_count > 0)
			rig_out_drop();
	}
	assert_int_equal(rig_neighbours(false), NEIGHBOURS_MAX);
	assert_int_equal(rig.counters->neighbour_evicted, 2 * NEIGHBOURS_MAX + 1);
	assert_true(rig.counters->arp_reply_limited > 0);
	ip_output(rig.stack, &path, 6, rig_tcp(20, NULL, 0, 0), 0);
	assert_int_equal(rig.out_count, 1);
	assert_memory_equal(rte_pktmbuf_mtod(rig.out[0], uint8_t *), a_mac, 6);
	ip_path_release(rig.stack, &path);
}

/* Every entry held: a packet to one more is dropped and counted. */
static void a_table_full_of_held_neighbours(void **state)
{
	static struct ip_path paths[NEIGHBOURS_MAX + 1];
	struct addr any = {0}, to;
	char text[16];

	(void)state;
	rig_port(5, STACK_TX_MULTI_SEG, "10.5.0.1", 16);
	for (int i = 0; i <= NEIGHBOURS_MAX; i++) {
		snprintf(text, sizeof(text), "10.5.%d.%d", 1 + i / 200, 1 + i % 200);
		to = address(text);
		assert_int_equal(ip_path_find(rig.stack, &to, &any, &paths[i]), 0);
		ip_output(rig.stack, &paths[i], 6, rig_tcp(20, NULL, 0, 0), 0);
		while (rig.out_count > 0)
			rig_out_drop();
	}
	assert_int_equal(rig.counters->neighbour_table_full, 1);
	assert_null(paths[NEIGHBOURS_MAX].neighbour);
	for (int i = 0; i <= NEIGHBOURS_MAX; i++)
		ip_path_release(rig.stack, &paths[i]);
}

static int setup(void **state)
{
	rig_mac(own, 0);
	station_mac(a_mac, 1);
	station_mac(b_mac, 2);
	return rig_group_setup(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_for_its_own_address),
		TEST(is_silent_about_others),
		TEST(answers_on_the_right_port_only),
		TEST(answers_probes_without_learning),
		TEST(resolves),
		TEST(resolves_the_gateway),
		TEST(a_question_is_an_answer),
		TEST(keeps_the_newest_packets),
		TEST(all_queues_together_are_bounded),
		TEST(gives_up),
		TEST(checks_a_stale_neighbour),
		TEST(loses_a_neighbour_that_is_gone),
		TEST(a_lost_neighbour_is_a_soft_error),
		TEST(a_transport_that_gets_through_spares_the_probe),
		TEST(forgets_who_is_not_needed),
		TEST(strangers_are_not_learned),
		TEST(claims_to_an_address),
		TEST(an_answer_to_everyone_is_a_claim),
		TEST(impossible_senders),
		TEST(malformed),
		TEST(a_flood_pushes_nobody_out_who_is_held),
		TEST(a_table_full_of_held_neighbours),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
