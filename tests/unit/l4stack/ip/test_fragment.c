/* SPDX-License-Identifier: BSD-3-Clause */
/* What we send in fragments, put together again the plain way. */
#include <string.h>

#include <rte_mbuf.h>

#include "tests/unit/l4stack/ip/rig.h"

#define UDP 17

static const char peer4[] = "10.0.0.2", own6[] = "fd10::1", peer6[] = "fd10::2";

static uint8_t payload[60000], whole[RIG_FRAME_MAX];

static int setup(void **state)
{
	rig_setup(state);
	rig_address(0, own6, 64);
	rig_meet(peer4, 2);
	rig_meet6(peer6, 2);
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 13 + i / 256);
	return 0;
}

/* A UDP datagram of `len` bytes in all, whose data is in segments of `cut`. */
static void send(const char *to, size_t len, size_t cut)
{
	struct addr dst = address(to), any = {0};
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(rig.header);
	uint8_t *udp = (uint8_t *)rte_pktmbuf_append(pkt, 8);
	struct ip_path path;

	memset(udp, 0, 8);
	plain_put(udp + 4, (uint16_t)len);
	assert_int_equal(rte_pktmbuf_chain(pkt, rig_mbuf(payload, len - 8, cut)), 0);
	assert_int_equal(ip_path_find(rig.stack, &dst, &any, &path), 0);
	ip_output(rig.stack, &path, UDP, pkt, 0);
	ip_path_release(rig.stack, &path);
}

/* Takes all that was sent as fragments of one datagram: in order, with no gap, each but the last
 * as long as can be. The length of the datagram, which is behind a network header in `whole`. */
static size_t fragments_take(bool ip6)
{
	size_t header = ip6 ? 40 : 20, got = 0;
	uint32_t id = 0;
	bool more = true;

	while (more) {
		static uint8_t frame[2048];
		const uint8_t *ip = frame + ETH, *data = ip + header + (ip6 ? 8 : 0);
		size_t len = rig_out(frame);
		uint16_t field = plain_get(ip6 ? ip + 42 : ip + 6);
		uint32_t this_id = ip6 ? (uint32_t)plain_get(ip + 44) << 16 | plain_get(ip + 46)
				       : plain_get(ip + 4);

		assert_true(len <= ETH + 1500);
		assert_true(got == 0 || id == this_id);
		id = this_id;
		more = ip6 ? field & 1 : field & 0x2000;
		assert_int_equal(ip6 ? field & 0xfff8 : (field & 0x1fff) * 8, got);
		assert_int_equal(ip6 ? ip[6] : ip[9], ip6 ? 44 : UDP);
		if (ip6)
			assert_int_equal(ip[40], UDP);
		else
			assert_int_equal(plain_sum(ip, 20, 0), 0xffff);
		if (got == 0)
			memcpy(whole, ip, header);
		memcpy(whole + header + got, data, len - (size_t)(data - frame));
		got += len - (size_t)(data - frame);
		assert_true(!more || len > ETH + 1500 - 8);
	}
	return got;
}

static void assert_sent(bool ip6, size_t len)
{
	size_t header = ip6 ? 40 : 20;
	uint32_t pseudo;

	assert_int_equal(fragments_take(ip6), len);
	pseudo = UDP + (uint32_t)len + plain_sum(whole + (ip6 ? 8 : 12), ip6 ? 32 : 8, 0);
	assert_int_equal(plain_sum(whole + header, len, pseudo), 0xffff);
	assert_memory_equal(whole + header + 8, payload, len - 8);
	assert_int_equal(rig.out_count, 0);
}

static void any_length(void **state)
{
	static const size_t lengths[] = {1461, 1481, 1488, 2960, 2961, 3000, 9000, 60000};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		for (size_t cut = 100; cut < 2000; cut = cut * 3 + 1) {
			if (lengths[i] > 1480) {
				send(peer4, lengths[i], lengths[i] > 9000 ? 0 : cut);
				assert_sent(false, lengths[i]);
			}
			if (lengths[i] > 1460) {
				send(peer6, lengths[i], lengths[i] > 9000 ? 0 : cut);
				assert_sent(true, lengths[i]);
			}
		}
	}
}

/* Devices that sum UDP would sum a fragment: it is done before. */
static void devices_do_not_sum(void **state)
{
	(void)state;
	rig_restart(STACK_TX_MULTI_SEG | STACK_TX_UDP_CSUM);
	rig_meet(peer4, 2);
	send(peer4, 4000, 0);
	assert_int_equal(rig.out[0]->ol_flags & RTE_MBUF_F_TX_L4_MASK, 0);
	assert_sent(false, 4000);
}

static void ids_differ(void **state)
{
	uint8_t a[4];

	(void)state;
	send(peer6, 3000, 0);
	memcpy(a, rte_pktmbuf_mtod_offset(rig.out[0], uint8_t *, ETH + 44), 4);
	assert_sent(true, 3000);
	send(peer6, 3000, 0);
	assert_memory_not_equal(a, rte_pktmbuf_mtod_offset(rig.out[0], uint8_t *, ETH + 44), 4);
	assert_sent(true, 3000);
}

static void a_long_one_is_counted_once(void **state)
{
	(void)state;
	send(peer4, 60000, 0);
	assert_sent(false, 60000);
	assert_int_equal(rig.counters->ip_fragmented, 1);
	assert_int_equal(rig.counters->ip_fragments_out, 41);
}

/* Without mbufs some are missing, and nothing leaks. */
static void without_mbufs(void **state)
{
	struct rte_mbuf *hoard[1024];
	unsigned n = 0;

	(void)state;
	while (rte_mempool_avail_count(rig.ref) > 1)
		hoard[n++] = rte_pktmbuf_alloc(rig.ref);
	send(peer4, 9000, 0);
	assert_int_equal(rig.counters->ip_no_mbuf, 1);
	rte_pktmbuf_free_bulk(hoard, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_length, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(devices_do_not_sum, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(ids_differ, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_long_one_is_counted_once, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(without_mbufs, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
