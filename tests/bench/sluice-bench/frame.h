/* SPDX-License-Identifier: BSD-3-Clause */
/* The frames that the load generator and the stateless responder speak: Ethernet, IPv4 and TCP
 * without options, the checksum left to the device. */
#ifndef TESTS_BENCH_SLUICE_BENCH_FRAME_H
#define TESTS_BENCH_SLUICE_BENCH_FRAME_H

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <stdbool.h>

#define FRAME_MSS          1460
#define FRAME_WINDOW_SHIFT 7
#define FRAME_WINDOW       0xffff /* 8 MB with that shift: never what holds a server up */

struct frame {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	struct rte_tcp_hdr tcp;
} __attribute__((packed, aligned(2)));

_Static_assert(sizeof(struct frame) == 54, "no padding");

struct frame_ends {
	struct rte_ether_addr from_mac, to_mac;
	uint32_t from_ip, to_ip; /* in network order */
	uint16_t from_port, to_port;
};

/* All of the frame's head, for `bytes` behind the IP header, TCP's own 20 included: what changes
 * from frame to frame is ports, numbers and flags. */
void frame_prepare(struct frame *frame, const struct frame_ends *ends, uint16_t tcp_bytes);

/* The length in IP and TCP and both checksums again, for another length. */
void frame_length(struct frame *frame, uint16_t tcp_bytes);

/* MSS and window scale, behind a SYN's header. Returns how many bytes: the offset is set. */
uint16_t frame_syn_options(struct frame *frame);

/* Payload of a frame that came in; its length. Never more than what is in the first segment's
 * packet; 0 for what is broken. */
uint32_t frame_payload(const struct rte_mbuf *m, const struct frame *frame, uint32_t *offset);

/* Numbers of TCP, which wrap. */
static inline bool frame_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* What the device has to know of a frame that goes out. */
static inline void frame_offload(struct rte_mbuf *m)
{
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
	m->tx_offload = 0;
	m->l2_len = sizeof(struct rte_ether_hdr);
	m->l3_len = sizeof(struct rte_ipv4_hdr);
	m->l4_len = sizeof(struct rte_tcp_hdr);
}

#endif
