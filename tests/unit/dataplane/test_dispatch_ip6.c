/* SPDX-License-Identifier: BSD-3-Clause */
/* Which worker an IPv6 frame belongs to, and errors, discovery and the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <rte_mbuf.h>

#include "dataplane/dispatch.h"
#include "tests/support/net.h"

#define WORKERS 4
#define ETH     14
#define TCP     6
#define ICMP6   58

static uint8_t frame[256];

static uint32_t owner(size_t len)
{
	struct rte_mbuf m = {
		.buf_addr = frame, .data_len = (uint16_t)len, .pkt_len = (uint32_t)len};

	return dispatch_owner(&m, WORKERS);
}

static void ip6_put(uint8_t *ip, uint8_t protocol, const struct addr *src, const struct addr *dst)
{
	memset(ip, 0, 40);
	ip[0] = 0x60;
	ip[6] = protocol;
	memcpy(ip + 8, src->bytes, 16);
	memcpy(ip + 24, dst->bytes, 16);
}

static const struct addr ours = {.bytes = {0xfd, 0x10, [15] = 1}, .family = ADDR_IP6};

static struct addr peer_of(unsigned i)
{
	struct addr peer = {.bytes = {0xfd, 0x10, [14] = (uint8_t)i, [15] = 2}, .family = ADDR_IP6};

	return peer;
}

static uint32_t tcp6_owner(const struct addr *peer, unsigned remote_port)
{
	memset(frame, 0, sizeof(frame));
	net_put(frame + 12, 2, 0x86dd);
	ip6_put(frame + ETH, TCP, peer, &ours);
	net_put(frame + ETH + 40, 2, remote_port);
	net_put(frame + ETH + 42, 2, 80);
	return owner(ETH + 60);
}

static void a_flow_has_one_owner(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		struct addr peer = peer_of(i);
		struct endpoint local = {ours, 80}, remote = {peer, (uint16_t)(5000 + i)};
		uint32_t w = tcp6_owner(&peer, 5000 + i);

		assert_true(w < WORKERS);
		assert_true(dispatch_owns(&local, &remote, w, WORKERS));
		seen |= 1u << w;
	}
	assert_int_equal(seen, (1 << WORKERS) - 1);
}

/* An error about a packet of ours comes to the connection's worker. */
static void errors_follow_the_flow(void **state)
{
	struct addr router = {.bytes = {0xfd, 0x99}, .family = ADDR_IP6};

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		struct addr peer = peer_of(i);
		uint32_t w = tcp6_owner(&peer, 5000 + i);
		uint8_t *icmp = frame + ETH + 40;

		ip6_put(frame + ETH, ICMP6, &router, &ours);
		icmp[0] = 2;
		ip6_put(icmp + 8, TCP, &ours, &peer);
		net_put(icmp + 48, 2, 80);
		net_put(icmp + 50, 2, 5000 + i);
		assert_int_equal(owner(ETH + 40 + 8 + 48), w);
	}
}

static void discovery_is_everybodys(void **state)
{
	struct addr peer = peer_of(1);

	(void)state;
	tcp6_owner(&peer, 1);
	frame[ETH + 6] = ICMP6;
	for (unsigned type = 133; type <= 137; type++) {
		frame[ETH + 40] = (uint8_t)type;
		assert_int_equal(owner(ETH + 64), DISPATCH_ALL);
	}
	net_put(frame + 12, 2, 0x0806);
	assert_int_equal(owner(ETH + 28), DISPATCH_ALL);
}

/* Echo, listener queries, fragments, what is cut off: once, by the first. */
static void the_rest_is_the_firsts(void **state)
{
	struct addr peer = peer_of(1);

	(void)state;
	tcp6_owner(&peer, 1);
	frame[ETH + 6] = ICMP6;
	frame[ETH + 40] = 128;
	assert_int_equal(owner(ETH + 64), 0);
	frame[ETH + 6] = 0;
	assert_int_equal(owner(ETH + 64), 0);
	frame[ETH + 6] = 44;
	assert_int_equal(owner(ETH + 64), 0);
	assert_int_equal(owner(ETH + 43), 0);
	assert_int_equal(owner(13), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_has_one_owner),
		cmocka_unit_test(errors_follow_the_flow),
		cmocka_unit_test(discovery_is_everybodys),
		cmocka_unit_test(the_rest_is_the_firsts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
