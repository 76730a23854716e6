/* SPDX-License-Identifier: BSD-3-Clause */
/* How addresses come into use: probed, announced, given up. */
#include <errno.h>
#include <string.h>

#include "tests/unit/l4stack/ip/rig.h"

#define SOLICIT 135
#define ADVERT  136

static const char own[] = "fd20::1", own_group[] = "ff02::1:ff00:1";

static void count_states(void *ctx, const struct stack_address_info *info)
{
	unsigned *states = ctx;

	states[info->state] += info->port == 1;
}

static void assert_states(unsigned tentative, unsigned used, unsigned duplicate)
{
	unsigned states[3] = {0};

	stack_addresses_each(rig.stack, count_states, states);
	assert_int_equal(states[STACK_ADDRESS_TENTATIVE], tentative);
	assert_int_equal(states[STACK_ADDRESS_USED], used);
	assert_int_equal(states[STACK_ADDRESS_DUPLICATE], duplicate);
}

static void drop_all(void)
{
	while (rig.out_count)
		rig_out_drop();
}

/* Both of a port's first: the address and the link-local one. */
static void ip6_is_probed_first(void **state)
{
	struct addr to = address("fd20::2"), any = {0};
	struct ip_path path;

	(void)state;
	rig_port_claiming(1, STACK_CLAIM_USUAL);
	rig_address(1, own, 64);
	assert_states(2, 0, 0);
	assert_int_equal(ip_path_find(rig.stack, &to, &any, &path), -EADDRNOTAVAIL);
	rig_wait(1100000);
	assert_int_equal(rig.counters->ndp_probes_out, 2);
	assert_int_equal(rig.counters->ndp_announcements_out, 0);
	rig_wait(1000000);
	assert_states(0, 2, 0);
	assert_int_equal(ip_path_find(rig.stack, &to, &any, &path), 0);
	rig_wait(5000000);
	assert_int_equal(rig.counters->ndp_probes_out, 2);
	assert_int_equal(rig.counters->ndp_announcements_out, 4);
	assert_true(rig.counters->mld_reports_out >= 2);
	drop_all();
}

/* RFC 4862 §5.4.2: from no address, to those who could have it, and the group was joined before. */
static void what_a_probe_looks_like(void **state)
{
	uint8_t frame[256], *ip = frame + ETH;
	bool seen = false, reported = false;

	(void)state;
	rig_port_claiming(1, STACK_CLAIM_USUAL);
	rig_address(1, own, 64);
	rig_wait(1100000);
	while (rig.out_count) {
		rig_out(frame);
		reported |= ip[6] == 0 && ip[48] == 143;
		if (ip[6] != 58 || ip[40] != SOLICIT ||
		    memcmp(ip + 48, address(own).bytes, 16) != 0)
			continue;
		seen = true;
		assert_true(reported);
		assert_memory_equal(ip + 8, address("::").bytes, 16);
		assert_memory_equal(ip + 24, address(own_group).bytes, 16);
		assert_memory_equal(frame, ((const uint8_t[]){0x33, 0x33, 0xff, 0, 0, 1}), 6);
		assert_int_equal(plain_get(ip + 4), 24);
	}
	assert_true(seen);
}

static void a_duplicate_is_given_up(void **state)
{
	uint8_t frame[128];

	(void)state;
	rig_port_claiming(1, STACK_CLAIM_USUAL);
	rig_address(1, own, 64);
	rig_in(1, frame, frame_ndp(frame, 2, 1, ADVERT, 0x20, own, "ff02::1", own, true));
	assert_states(1, 0, 1);
	assert_int_equal(rig.counters->ip_address_duplicates, 1);
	rig_wait(5000000);
	assert_states(0, 1, 1);
	/* It is not answered for; the station that has it is one like any other. */
	drop_all();
	rig_in(1, frame, frame_ndp(frame, 3, 1, SOLICIT, 0, "fd20::3", own_group, own, true));
	assert_int_equal(rig.counters->ndp_adverts_out, 0);
	assert_int_equal(rig.counters->ip_address_conflicts, 0);
	drop_all();
}

/* RFC 4862 §5.4.3: who probes for the same address at the same time. */
static void two_who_want_one_address(void **state)
{
	uint8_t frame[128];

	(void)state;
	rig_port_claiming(1, STACK_CLAIM_USUAL);
	rig_address(1, own, 64);
	rig_in(1, frame, frame_ndp(frame, 2, 1, SOLICIT, 0, "::", own_group, own, false));
	assert_states(1, 0, 1);
	/* A plain question about an address that is not ours yet is not answered, and no conflict.
	 */
	rig_in(1, frame,
	       frame_ndp(frame, 2, 1, SOLICIT, 0, "fd20::2", own_group, "fe80::ff:fe00:1", true));
	assert_states(1, 0, 1);
	drop_all();
}

/* IPv4 is used at once, and announced twice: RFC 5227 §2.3. */
static void ip4_is_announced(void **state)
{
	uint8_t frame[64];

	(void)state;
	rig_port_claiming(1, STACK_CLAIM_USUAL);
	rig_address(1, "10.2.0.1", 24);
	assert_states(0, 1, 0);
	rig_wait(10000);
	assert_int_equal(rig_out(frame), ETH + 28);
	assert_memory_equal(frame, mac_broadcast, 6);
	assert_memory_equal(frame + ETH + 14, address("10.2.0.1").bytes, 4);
	assert_memory_equal(frame + ETH + 24, address("10.2.0.1").bytes, 4);
	assert_int_equal(rig.out_count, 0);
	rig_wait(10000000);
	assert_int_equal(rig.counters->arp_announcements_out, 2);
	drop_all();
}

static void ip4_is_probed_if_asked(void **state)
{
	uint8_t frame[64];

	(void)state;
	rig_port_claiming(1, STACK_CLAIM_PROBE);
	rig_address(1, "10.2.0.1", 24);
	assert_states(1, 0, 0);
	rig_wait(1100000);
	rig_out(frame);
	assert_memory_equal(frame + ETH + 14, address("0.0.0.0").bytes, 4);
	assert_memory_equal(frame + ETH + 24, address("10.2.0.1").bytes, 4);
	rig_wait(8000000);
	assert_int_equal(rig.counters->arp_probes_out, 3);
	assert_states(0, 1, 0);
	drop_all();
}

/* RFC 5227 §2.1.1: an answer, or another's probe. */
static void ip4_duplicates(void **state)
{
	uint8_t frame[64], mac[6];

	(void)state;
	station_mac(mac, 2);
	rig_port_claiming(1, STACK_CLAIM_PROBE);
	rig_address(1, "10.2.0.1", 24);
	rig_address(1, "10.2.0.3", 24);
	rig_in(1, frame, frame_arp(frame, mac_broadcast, 2, mac, "10.2.0.1", "10.2.0.1"));
	rig_in(1, frame, frame_arp(frame, mac_broadcast, 1, mac, "0.0.0.0", "10.2.0.3"));
	assert_states(0, 0, 2);
	assert_int_equal(rig.counters->ip_address_duplicates, 2);
	rig_wait(9000000);
	assert_states(0, 0, 2);
	assert_int_equal(rig.counters->arp_announcements_out, 0);
	drop_all();
}

/* RFC 5227 §2.4 (b): it is ours, and we say so, but not again for ten seconds. */
static void an_address_in_use_is_defended(void **state)
{
	uint8_t frame[64], mac[6];

	(void)state;
	station_mac(mac, 2);
	rig_port_claiming(1, STACK_CLAIM_USUAL);
	rig_address(1, "10.2.0.1", 24);
	rig_wait(5000000);
	drop_all();
	for (unsigned i = 0; i < 5; i++)
		rig_in(1, frame, frame_arp(frame, mac_broadcast, 1, mac, "10.2.0.1", "10.2.0.1"));
	assert_int_equal(rig.counters->ip_address_conflicts, 5);
	assert_int_equal(rig.out_count, 1);
	assert_states(0, 1, 0);
	drop_all();
}

/* Another stack speaks for the port: we wait as long, and say nothing. */
static void a_follower_is_silent(void **state)
{
	uint8_t frame[128];

	(void)state;
	rig_port_claiming(1, STACK_CLAIM_FOLLOW);
	rig_address(1, own, 64);
	rig_address(1, "10.2.0.1", 24);
	rig_wait(6000000);
	assert_states(0, 3, 0);
	rig_in(1, frame, frame_ndp(frame, 2, 1, SOLICIT, 0, "fd20::2", own_group, own, true));
	assert_int_equal(rig.out_count, 0);
	assert_int_equal(rig_neighbours(true), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ip6_is_probed_first, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_a_probe_looks_like, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_duplicate_is_given_up, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(two_who_want_one_address, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(ip4_is_announced, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(ip4_is_probed_if_asked, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(ip4_duplicates, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(an_address_in_use_is_defended, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(a_follower_is_silent, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
