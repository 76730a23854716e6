/* SPDX-License-Identifier: BSD-3-Clause */
/* Every packet of a flow has one owner, whoever asks; what is cut short is read no further. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_mbuf.h>

#include "dataplane/dispatch.h"
#include "tests/support/net.h"

#define WORKERS 5
#define ETH     14
#define TCP     6
#define UDP     17

static uint8_t frame[256];
static unsigned length;

/* The frame in a buffer of exactly its size, so that a byte too far is seen. */
static uint32_t owner_of(unsigned len)
{
	uint8_t *bytes = malloc(len ? len : 1);
	struct rte_mbuf m = {.buf_addr = bytes, .data_len = (uint16_t)len, .pkt_len = len};
	uint32_t owner;

	memcpy(bytes, frame, len);
	owner = dispatch_owner(&m, WORKERS);
	free(bytes);
	return owner;
}

static unsigned put_ethernet(unsigned type, bool vlan)
{
	memset(frame, 0, sizeof(frame));
	if (vlan) {
		net_put(frame + 12, 2, 0x8100);
		net_put(frame + 14, 2, 7);
	}
	net_put(frame + (vlan ? 16 : 12), 2, type);
	return vlan ? ETH + 4 : ETH;
}

static void put_ip4(unsigned at, unsigned words, uint8_t protocol, const struct endpoint *from,
		    const struct endpoint *to)
{
	frame[at] = (uint8_t)(0x40 | words);
	frame[at + 9] = protocol;
	memcpy(frame + at + 12, from->addr.bytes, 4);
	memcpy(frame + at + 16, to->addr.bytes, 4);
	net_put(frame + at + 4 * words, 2, from->port);
	net_put(frame + at + 4 * words + 2, 2, to->port);
	length = at + 4 * words + 20;
}

static void put_ip6(unsigned at, uint8_t protocol, const struct endpoint *from,
		    const struct endpoint *to)
{
	frame[at] = 0x60;
	frame[at + 6] = protocol;
	memcpy(frame + at + 8, from->addr.bytes, 16);
	memcpy(frame + at + 24, to->addr.bytes, 16);
	net_put(frame + at + 40, 2, from->port);
	net_put(frame + at + 42, 2, to->port);
	length = at + 60;
}

static struct endpoint endpoint_any(enum addr_family family)
{
	struct endpoint e = {.addr.family = (uint8_t)family, .port = (uint16_t)rand()};

	for (int i = 0; i < (family == ADDR_IP4 ? 4 : 16); i++)
		e.addr.bytes[i] = (uint8_t)rand();
	return e;
}

/* One worker owns what `remote` sends to `local`: the one that dispatch_owner names. */
static void assert_owner(uint32_t owner, const struct endpoint *local,
			 const struct endpoint *remote)
{
	assert_true(owner < WORKERS);
	for (unsigned w = 0; w < WORKERS; w++)
		assert_int_equal(dispatch_owns(local, remote, w, WORKERS), w == owner);
}

static void input_and_choice_of_port_agree(void **state)
{
	unsigned seen[WORKERS] = {0};

	(void)state;
	for (int i = 0; i < 2000; i++) {
		enum addr_family family = i % 2 ? ADDR_IP4 : ADDR_IP6;
		struct endpoint local = endpoint_any(family), remote = endpoint_any(family);
		unsigned at = put_ethernet(family == ADDR_IP4 ? 0x0800 : 0x86dd, i % 3 == 0);
		uint8_t protocol = i % 5 ? TCP : UDP;
		uint32_t owner;

		if (family == ADDR_IP4)
			put_ip4(at, 5 + (unsigned)i % 11, protocol, &remote, &local);
		else
			put_ip6(at, protocol, &remote, &local);
		owner = owner_of(length);
		assert_owner(owner, &local, &remote);
		seen[owner]++;
	}
	for (unsigned w = 0; w < WORKERS; w++)
		assert_true(seen[w] > 2000 / WORKERS / 2);
}

/* An ICMP error quotes a packet of ours. */
static void errors_find_the_flow_they_speak_of(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct endpoint local = endpoint_any(ADDR_IP4), remote = endpoint_any(ADDR_IP4);
		struct endpoint router = endpoint_any(ADDR_IP4);
		unsigned at = put_ethernet(0x0800, false);

		put_ip4(at, 5, 1, &router, &local);
		net_put(frame + at + 20, 2, 0x0304);
		put_ip4(at + 28, 5, TCP, &local, &remote);
		assert_owner(owner_of(length), &local, &remote);
	}
}

static void what_has_no_flow(void **state)
{
	struct endpoint a = endpoint_any(ADDR_IP4), b = endpoint_any(ADDR_IP4);
	unsigned at = put_ethernet(0x0800, false);

	(void)state;
	put_ip4(at, 5, TCP, &a, &b);
	/* The first fragment, then the last: one worker for both. */
	net_put(frame + at + 6, 2, 0x2000);
	assert_int_equal(owner_of(length), 0);
	net_put(frame + at + 6, 2, 0x00b9);
	assert_int_equal(owner_of(length), 0);
	put_ethernet(0x0800, false);
	put_ip4(at, 5, 1, &a, &b);
	net_put(frame + at + 20, 2, 0x0800);
	assert_int_equal(owner_of(length), 0);
	put_ethernet(0x88cc, false);
	assert_int_equal(owner_of(64), 0);
}

static void what_everybody_must_see(void **state)
{
	struct endpoint a = endpoint_any(ADDR_IP6), b = endpoint_any(ADDR_IP6);

	(void)state;
	put_ethernet(0x0806, false);
	assert_int_equal(owner_of(42), DISPATCH_ALL);
	a.port = 135 << 8; /* a neighbour solicitation's type stands there */
	put_ip6(put_ethernet(0x86dd, false), 58, &a, &b);
	assert_int_equal(owner_of(length), DISPATCH_ALL);
}

static void frames_cut_anywhere(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		struct endpoint a = endpoint_any(ADDR_IP6), b = endpoint_any(ADDR_IP6);
		unsigned at = put_ethernet(i % 2 ? 0x0800 : 0x86dd, i % 3 == 0);

		if (i % 2) {
			put_ip4(at, (unsigned)rand() % 16, i % 4 == 1 ? 1 : TCP, &a, &b);
			put_ip4(length + 8 - 20, (unsigned)rand() % 16, TCP, &b, &a);
		} else {
			put_ip6(at, (uint8_t)rand(), &a, &b);
		}
		for (unsigned len = 0; len <= length; len++) {
			uint32_t owner = owner_of(len);

			assert_true(owner < WORKERS || owner == DISPATCH_ALL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_and_choice_of_port_agree),
		cmocka_unit_test(errors_find_the_flow_they_speak_of),
		cmocka_unit_test(what_has_no_flow),
		cmocka_unit_test(what_everybody_must_see),
		cmocka_unit_test(frames_cut_anywhere),
	};

	srand(3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
