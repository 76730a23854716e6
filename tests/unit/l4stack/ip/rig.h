/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack on a bench, for the tests of link/ and ip/: frames go in and come out as bytes,
 * and a transport that only writes down what it is told stands where TCP would.
 *
 * Frames are built and summed here the slow and plain way, not with the code under test.
 */
#ifndef TESTS_UNIT_L4STACK_IP_RIG_H
#define TESTS_UNIT_L4STACK_IP_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "l4stack/base/counters.h"
#include "l4stack/ip/ip.h"
#include "l4stack/stack.h"

#define RIG_OUT_MAX   256
#define RIG_FRAME_MAX 70000
#define ETH           14

struct rig {
	struct stack *stack;
	const struct stack_counters *counters;
	struct rte_mempool *header, *control, *ref, *rx;
	uint64_t now_us;
	struct rte_mbuf *out[RIG_OUT_MAX]; /* what the stack sent and nobody took yet */
	uint16_t out_port[RIG_OUT_MAX];
	unsigned out_count;
	int tcp_create_error; /* what the transport says to its creation */
	/* What the transport was told. */
	unsigned tcp_inputs, tcp_errors, tcp_resumes;
	struct ip_rx tcp_rx;
	struct ip_error_info tcp_error;
	uint8_t tcp_bytes[4096];
	uint32_t tcp_len;
};
extern struct rig rig;

/* The port n's own address is 02:00:00:00:00:n; stations are 02:00:00:00:01:n. */
extern const uint8_t mac_broadcast[6];
void rig_mac(uint8_t mac[6], unsigned port);
void station_mac(uint8_t mac[6], unsigned station);

/* cmocka's: group, each test. Each test has port 0, 10.0.0.1/24, with scatter-gather
 * only; afterwards no mbuf may be in use. */
int rig_group_setup(void **state);
int rig_setup(void **state);
int rig_teardown(void **state);

/* Begins anew with other offloads on port 0. */
void rig_restart(uint32_t offloads);

/* Another address of a port. Ports of the rig do not probe and announce but where `claim` says. */
void rig_address(uint16_t port, const char *addr, unsigned prefix);
void rig_port_claiming(uint16_t port, enum stack_claim claim);
void rig_port(uint16_t port, uint32_t offloads, const char *addr, unsigned prefix);
struct addr address(const char *text);

/* An mbuf from the receive pool; with `cut`, in segments of so many bytes. */
struct rte_mbuf *rig_mbuf(const uint8_t *bytes, size_t len, size_t cut);
void rig_in(uint16_t port, const uint8_t *bytes, size_t len);
void rig_in_cut(uint16_t port, const uint8_t *bytes, size_t len, size_t cut);

/* Takes the oldest frame sent, as it is or as bytes. The test fails when there is none. */
struct rte_mbuf *rig_take(void);
size_t rig_out(uint8_t *bytes);
void rig_out_drop(void);

/* Lets `us` pass in steps of 1 ms. */
void rig_wait(uint64_t us);

/* Builders return the length. Addresses as text. */
size_t frame_arp(uint8_t *out, const uint8_t *dst, unsigned op, const uint8_t *sender_mac,
		 const char *sender, const char *target);
size_t frame_ip4(uint8_t *out, unsigned station, unsigned port, uint8_t protocol, const char *src,
		 const char *dst, const void *payload, size_t len);
void frame_ip4_fix(uint8_t *frame); /* the header's checksum, after a change */
uint16_t plain_sum(const uint8_t *p, size_t len, uint32_t start); /* host order */
void plain_put(uint8_t *at, uint16_t host_order);
uint16_t plain_get(const uint8_t *at);
/* Writes the TCP, UDP or ICMP checksum of a frame with a 20-byte IP header. */
void frame_l4_fix(uint8_t *frame, size_t csum_offset);

/* The same for IPv6. `l4`: where the transport is behind the Ethernet header. An NDP message has
 * hop limit 255; its option, if any, tells the station's MAC. */
size_t frame_ip6(uint8_t *out, unsigned station, unsigned port, uint8_t protocol, const char *src,
		 const char *dst, const void *payload, size_t len);
void frame_ip6_l4_fix(uint8_t *frame, size_t l4, uint8_t protocol, size_t csum_offset);
size_t frame_icmp6(uint8_t *out, unsigned station, unsigned port, const char *src, const char *dst,
		   const void *message, size_t len);
size_t frame_ndp(uint8_t *out, unsigned station, unsigned port, uint8_t type, uint8_t flags,
		 const char *src, const char *dst, const char *target, bool mac_option);

/* As rig_meet, by a solicitation for fd10::1, which port 0 must have. */
void rig_meet6(const char *addr, unsigned station);

/* Tells the stack of a neighbour by asking it for its own address, 10.0.0.1. */
void rig_meet(const char *addr, unsigned station);

/* A minimal TCP packet as ip_output takes it: `header_bytes` of header, then `payload`. */
struct rte_mbuf *rig_tcp(size_t header_bytes, const uint8_t *payload, size_t len, size_t cut);

/* Sends one small TCP packet along a new path to `dst`. */
void rig_send(const char *dst);

unsigned rig_neighbours(bool resolved_only);

#endif
