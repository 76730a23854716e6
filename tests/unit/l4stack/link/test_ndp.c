/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbor discovery on the wire: who is asked, who is answered, and what is believed. */
#include <string.h>

#include "tests/unit/l4stack/ip/rig.h"

#define SOLICIT   135
#define ADVERT    136
#define SOLICITED 0x40
#define OVERRIDE  0x20

static const char own[] = "fd10::1", peer[] = "fd10::2";
static const char own_group[] = "ff02::1:ff00:1", all[] = "ff02::1";

static int setup(void **state)
{
	rig_setup(state);
	rig_address(0, own, 64);
	return 0;
}

static void ndp_in(unsigned station, uint8_t type, uint8_t flags, const char *src, const char *dst,
		   const char *target, bool option)
{
	uint8_t frame[128];

	rig_in(0, frame, frame_ndp(frame, station, 0, type, flags, src, dst, target, option));
}

/* The next frame sent is a discovery message; checks what every one of them has. */
static const uint8_t *ndp_out(uint8_t type, const char *src, const char *dst)
{
	static uint8_t frame[256];
	uint8_t *ip = frame + ETH;
	size_t len = rig_out(frame);
	uint32_t pseudo = (uint32_t)plain_sum(ip + 8, 32, 0) + 58 + (uint32_t)(len - ETH - 40);

	assert_int_equal(plain_get(frame + 12), 0x86dd);
	assert_int_equal(plain_get(ip + 4), len - ETH - 40);
	assert_int_equal(ip[6], 58);
	assert_int_equal(ip[7], 255);
	assert_memory_equal(ip + 8, address(src).bytes, 16);
	assert_memory_equal(ip + 24, address(dst).bytes, 16);
	assert_int_equal(plain_sum(ip + 40, len - ETH - 40, pseudo), 0xffff);
	assert_int_equal(ip[40], type);
	return frame;
}

static void assert_to(const uint8_t *frame, const uint8_t mac[6])
{
	assert_memory_equal(frame, mac, 6);
}

static void a_question_is_answered(void **state)
{
	uint8_t mac[6], mine[6];
	const uint8_t *frame;

	(void)state;
	station_mac(mac, 2);
	rig_mac(mine, 0);
	ndp_in(2, SOLICIT, 0, peer, own_group, own, true);
	frame = ndp_out(ADVERT, own, peer);
	assert_to(frame, mac);
	assert_int_equal(frame[ETH + 44], SOLICITED | OVERRIDE);
	assert_memory_equal(frame + ETH + 48, address(own).bytes, 16);
	assert_memory_equal(frame + ETH + 64, ((const uint8_t[]){2, 1}), 2);
	assert_memory_equal(frame + ETH + 66, mine, 6);
	assert_int_equal(rig_neighbours(true), 1);
}

/* RFC 4861 §7.2.4: to a question from nowhere all are answered. */
static void a_probe_for_ours_is_answered_to_all(void **state)
{
	const uint8_t *frame;

	(void)state;
	ndp_in(2, SOLICIT, 0, "::", own_group, own, false);
	frame = ndp_out(ADVERT, own, all);
	assert_to(frame, (const uint8_t[]){0x33, 0x33, 0, 0, 0, 1});
	assert_int_equal(frame[ETH + 44], OVERRIDE);
	assert_int_equal(rig_neighbours(false), 0);
}

static void the_first_packet_asks_and_waits(void **state)
{
	const uint8_t *frame;
	uint8_t mac[6], out[128];

	(void)state;
	station_mac(mac, 2);
	rig_send(peer);
	frame = ndp_out(SOLICIT, own, "ff02::1:ff00:2");
	assert_to(frame, (const uint8_t[]){0x33, 0x33, 0xff, 0, 0, 2});
	assert_memory_equal(frame + ETH + 48, address(peer).bytes, 16);
	assert_int_equal(frame[ETH + 64], 1);
	ndp_in(2, ADVERT, SOLICITED | OVERRIDE, peer, own, peer, true);
	assert_int_equal(rig_out(out), ETH + 40 + 20);
	assert_memory_equal(out, mac, 6);
	/* Reachable: the next packet goes at once, and nothing is asked. */
	rig_send(peer);
	assert_int_equal(rig_out(out), ETH + 40 + 20);
	assert_int_equal(rig.out_count, 0);
}

static void nobody_answers(void **state)
{
	(void)state;
	rig_send(peer);
	rig_wait(3500000);
	assert_int_equal(rig.counters->ndp_solicits_out, 3);
	assert_int_equal(rig.tcp_errors, 1);
	assert_int_equal(rig.tcp_error.kind, IP_ERROR_UNREACHABLE_HARD);
	assert_true(addr_equal(&rig.tcp_error.remote, &(struct addr){0}) == false);
	assert_memory_equal(rig.tcp_error.remote.bytes, address(peer).bytes, 16);
}

/* RFC 4861 §7.3.3: a neighbour that was used is asked, alone, after a while. */
static void a_stale_neighbour_is_probed_by_unicast(void **state)
{
	const uint8_t *frame;
	uint8_t mac[6];

	(void)state;
	station_mac(mac, 2);
	rig_meet6(peer, 2);
	rig_send(peer);
	rig_out_drop();
	rig_wait(5100000);
	frame = ndp_out(SOLICIT, own, peer);
	assert_to(frame, mac);
	ndp_in(2, ADVERT, SOLICITED, peer, own, peer, false);
	rig_wait(4000000);
	assert_int_equal(rig.out_count, 0);
}

/* RFC 4861 §7.2.5: without Override, what is known stays. */
static void an_answer_that_does_not_override(void **state)
{
	uint8_t frame[128], mac[6];

	(void)state;
	station_mac(mac, 2);
	rig_meet6(peer, 2);
	rig_wait(2000000);
	ndp_in(3, ADVERT, 0, peer, all, peer, true);
	rig_send(peer);
	rig_out(frame);
	assert_memory_equal(frame, mac, 6);
	ndp_in(3, ADVERT, OVERRIDE, peer, all, peer, true);
	station_mac(mac, 3);
	rig_send(peer);
	rig_out(frame);
	assert_memory_equal(frame, mac, 6);
	assert_int_equal(rig.counters->neighbour_moved, 1);
}

static void strangers_are_not_learned(void **state)
{
	(void)state;
	ndp_in(2, ADVERT, OVERRIDE, peer, all, peer, true);
	assert_int_equal(rig.counters->neighbour_unsolicited, 1);
	ndp_in(2, SOLICIT, 0, "fd99::2", own_group, own, true);
	assert_int_equal(rig.counters->ndp_bad_sender, 1);
	assert_int_equal(rig_neighbours(false), 0);
	assert_int_equal(rig.out_count, 0);
}

static void messages_that_are_none(void **state)
{
	uint8_t frame[128];
	size_t len;

	(void)state;
	/* From beyond a router. */
	len = frame_ndp(frame, 2, 0, SOLICIT, 0, peer, own_group, own, true);
	frame[ETH + 7] = 254;
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->ndp_bad_hop_limit, 1);
	/* A code; an option of no length; a target that is a group; half a message. */
	len = frame_ndp(frame, 2, 0, SOLICIT, 0, peer, own_group, own, true);
	frame[ETH + 41] = 1;
	frame_ip6_l4_fix(frame, 40, 58, 2);
	rig_in(0, frame, len);
	len = frame_ndp(frame, 2, 0, SOLICIT, 0, peer, own_group, own, true);
	frame[ETH + 65] = 0;
	frame_ip6_l4_fix(frame, 40, 58, 2);
	rig_in(0, frame, len);
	ndp_in(2, SOLICIT, 0, peer, own_group, own_group, true);
	len = frame_icmp6(frame, 2, 0, peer, own, (const uint8_t[8]){SOLICIT}, 8);
	rig_in(0, frame, len);
	assert_int_equal(rig.counters->ndp_malformed, 4);
	/* A probe that tells a MAC; an answer to nobody in particular. */
	ndp_in(2, SOLICIT, 0, "::", own_group, own, true);
	ndp_in(2, ADVERT, SOLICITED, peer, all, peer, true);
	assert_int_equal(rig.counters->ndp_malformed, 6);
	assert_int_equal(rig.out_count, 0);
}

static void routers_are_not_followed(void **state)
{
	uint8_t frame[128], message[40] = {134};

	(void)state;
	rig_in(0, frame, frame_icmp6(frame, 2, 0, "fe80::9", all, message, 16));
	assert_int_equal(rig.counters->ndp_router_ignored, 1);
	message[0] = 137;
	rig_in(0, frame, frame_icmp6(frame, 2, 0, "fe80::9", own, message, 40));
	assert_int_equal(rig.counters->ndp_redirect_ignored, 1);
}

/* RFC 4291 §2.8, appendix A: the link-local address came with the first. */
static void the_link_local_address_is_ours(void **state)
{
	(void)state;
	ndp_in(2, SOLICIT, 0, "fe80::2", "ff02::1:ff00:0", "fe80::ff:fe00:0", true);
	ndp_out(ADVERT, "fe80::ff:fe00:0", "fe80::2");
	rig_wait(2000000);
	ndp_in(2, SOLICIT, 0, "fe80::2", "ff02::1:ff00:0", "fe80::ff:fe00:7", true);
	assert_int_equal(rig.out_count, 0);
}

static void floods_are_limited(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 250; i++) {
		ndp_in(2, SOLICIT, 0, peer, own_group, own, true);
		if (rig.out_count)
			rig_out_drop();
	}
	assert_int_equal(rig.counters->ndp_adverts_out, 200);
	assert_int_equal(rig.counters->ndp_reply_limited, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_question_is_answered, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_probe_for_ours_is_answered_to_all, setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(the_first_packet_asks_and_waits, setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(nobody_answers, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_stale_neighbour_is_probed_by_unicast, setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(an_answer_that_does_not_override, setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(strangers_are_not_learned, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(messages_that_are_none, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(routers_are_not_followed, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(the_link_local_address_is_ours, setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(floods_are_limited, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
