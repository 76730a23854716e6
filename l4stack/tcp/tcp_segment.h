/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments: read from a packet, and built from a connection's state and its payload.
 *
 * A segment goes out as a fresh header mbuf, followed by copies of small pieces of payload and
 * references to large ones. Payload is never written; nothing is kept of a segment
 * once it is sent. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_SEGMENT_H
#define L4STACK_TCP_TCP_SEGMENT_H

#include "l4stack/tcp/tcp_conn.h"
#include "l4stack/tcp/tcp_options.h"

/* RFC 9293 §3.1; RFC 3168 and RFC 9768 for the last three. */
enum tcp_flag {
	TCP_FIN = 1 << 0,
	TCP_SYN = 1 << 1,
	TCP_RST = 1 << 2,
	TCP_PSH = 1 << 3,
	TCP_ACK = 1 << 4,
	TCP_URG = 1 << 5,
	TCP_ECE = 1 << 6,
	TCP_CWR = 1 << 7,
	TCP_AE = 1 << 8,
};

struct tcp_header {
	uint16_t src, dst;
	uint32_t seq, ack;
	uint16_t offset_flags;
	uint16_t window, csum, urgent;
} __attribute__((packed));
_Static_assert(sizeof(struct tcp_header) == TCP_HEADER_BYTES, "RFC 9293 §3.1");

#define TCP_FLAGS_MASK 0x1ff /* of offset_flags */

/* A segment that came in. */
struct tcp_seg {
	struct rte_mbuf *pkt; /* payload; NULL when there is none, or when it was taken */
	uint32_t seq, ack;
	uint32_t len;    /* of the payload, in bytes */
	uint16_t flags;  /* enum tcp_flag */
	uint16_t window; /* as on the wire */
	uint8_t ecn;     /* the two bits of the IP header */
	struct tcp_options options;
	struct endpoint local, remote; /* not set while it is as usual: tcp_express.h */
	uint64_t hash;                 /* of the table, where that was or is to be asked; or 0 */
};

/* The length in sequence space: RFC 9293 §3.4. */
static inline uint32_t tcp_seg_span(const struct tcp_seg *seg)
{
	return seg->len + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);
}

/* Reads and strips the header; takes ownership of `pkt`. False when the header is not one;
 * then `pkt` is still in `out->pkt`. */
bool tcp_seg_parse(const struct ip_rx *rx, struct rte_mbuf *pkt, struct tcp_seg *out);

/* What a connection sends without payload. False when no mbuf was left. */
bool tcp_segment_send_ack(struct tcp_conn *conn);
bool tcp_segment_send_rst(struct tcp_conn *conn);
bool tcp_segment_send_keepalive(struct tcp_conn *conn);

/* A run of payload to send, and FIN after it. */
struct tcp_span {
	uint32_t seq;
	uint32_t len;
	struct rte_mbuf *at; /* where `seq` stands in the send queue; NULL when len is 0 */
	uint32_t off;
	bool fin, push;
};

/* SYN or SYN-ACK. `text` says what is behind it (its `seq`); what RFC 7413 lets go along moves it
 * on. False when no mbuf was left. */
bool tcp_segment_send_syn(struct tcp_conn *conn, struct tcp_span *text);

/*
 * Sends `span` as one packet, which the device or IP cuts when it is longer than the
 * MSS; `span` is moved on by what was sent, which is less than asked when the packet would have
 * too many pieces. False when no mbuf was left: then nothing was sent.
 */
bool tcp_segment_send_data(struct tcp_conn *conn, struct tcp_span *span);

/* The most payload of one packet. */
uint32_t tcp_segment_most(const struct tcp_conn *conn);

/* A segment of no connection. */
bool tcp_segment_send_reply(struct tcp_proto *tcp, const struct tcp_reply *reply);

#endif
