/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was received in order and waits for the owner, and the window that follows from it.
 *
 * Every mbuf is charged at its true size. A connection may hold twice its limit of that:
 * full segments fit with room to spare; where small ones do not, they are copied
 * together. The right edge of the window never moves left (RFC 9293 §3.8.6).
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_RECVQ_H
#define L4STACK_TCP_TCP_RECVQ_H

#include <rte_branch_prediction.h>

#include "l4stack/tcp/tcp_chain.h"
#include "l4stack/tcp/tcp_conn.h"

#define TCP_RECV_LIMIT_MIN 4096u

static inline uint32_t tcp_recv_window(const struct tcp_conn *conn)
{
	return conn->rcv_edge - conn->rcv_nxt;
}

/* The MSS to advertise, by what the port carries: the way here may be wider than the way there.
 * RFC 9293 §3.7.1. */
static inline uint32_t tcp_recvq_mss(const struct tcp_conn *conn)
{
	return conn->mss_own;
}
uint32_t tcp_recvq_path_mss(const struct stack *stack, const struct ip_path *path, uint16_t most);

/* The payload of packets of `mtu` bytes. */
uint32_t tcp_recvq_mtu_mss(uint8_t family, uint16_t mtu, uint16_t most);

/* The shift with which a window of `limit` bytes can be told: RFC 7323 §2.2. */
uint8_t tcp_recvq_wscale(uint32_t limit);

/* RFC 9293 §3.8.6.2.2: a step of the edge that is worth telling. */
static inline uint32_t tcp_recvq_step(const struct tcp_conn *conn)
{
	return RTE_MIN(conn->recv_limit / 2, tcp_recvq_mss(conn));
}

/* The window field of the segment that is built now; the edge moves accordingly. A SYN's is
 * not scaled. */
uint16_t tcp_recvq_window_any(struct tcp_conn *conn);
uint16_t tcp_recvq_syn_window(struct tcp_conn *conn);

static inline uint32_t tcp_recvq_sub(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 0;
}

/* False: the edge cannot move by `least`. The bytes alone tell that nearly always. */
static inline bool tcp_recvq_may_gain(const struct tcp_conn *conn, uint32_t least)
{
	return tcp_recvq_sub(conn->recv_limit, conn->rcv_ready) >= tcp_recv_window(conn) + least;
}

/* The edge nearly always stays, but for the field's grain. */
static inline uint16_t tcp_recvq_window(struct tcp_conn *conn)
{
	uint32_t window = tcp_recv_window(conn);
	uint32_t field = (window + (1u << conn->rcv_wscale) - 1) >> conn->rcv_wscale;

	if (unlikely(!window || field > UINT16_MAX || tcp_has(conn, TCP_WINDOW_SHUT) ||
		     tcp_recvq_may_gain(conn, tcp_recvq_step(conn))))
		return tcp_recvq_window_any(conn);
	conn->rcv_edge = conn->rcv_nxt + (field << conn->rcv_wscale);
	return (uint16_t)field;
}

/* True when the window could grow enough to tell the peer: RFC 9293 §3.8.6.2.2. */
bool tcp_recvq_update_pays(const struct tcp_conn *conn, uint32_t step);

static inline bool tcp_recvq_update_due(const struct tcp_conn *conn)
{
	uint32_t half = conn->recv_limit / 2, two = 2 * tcp_recvq_mss(conn);
	uint32_t step = half < two ? half : two;

	return tcp_recvq_may_gain(conn, step) && tcp_recvq_update_pays(conn, step);
}

/* tcp_chain_measure; where memory is short and the chain wastes it, its bytes are moved together.
 */
struct rte_mbuf *tcp_recvq_measure(struct tcp_conn *conn, struct rte_mbuf *chain,
				   struct rte_mbuf **last, struct tcp_chain_size *size);

enum tcp_recvq_admission {
	TCP_RECVQ_REFUSED, /* no room: the chain is still the caller's */
	TCP_RECVQ_MERGED, /* its bytes were copied behind `tail`: the chain is still the caller's */
	TCP_RECVQ_ADMITTED, /* it is charged, and the caller's to link */
};

/* Payload that is to be held behind `tail` (NULL: there is none). What is not in order has less
 * room, so that the segment all others wait for always finds some. */
enum tcp_recvq_admission tcp_recvq_admit(struct tcp_conn *conn, struct rte_mbuf *tail,
					 const struct rte_mbuf *chain,
					 const struct tcp_chain_size *size, bool in_order);

/* The books of mbufs that come and go. */
static inline void tcp_recvq_charge(struct tcp_conn *conn, uint32_t charge)
{
	conn->rcv_charge += charge;
	conn->tcp->recv_held_bytes += charge;
}

static inline void tcp_recvq_uncharge(struct tcp_conn *conn, uint32_t charge)
{
	conn->rcv_charge -= charge;
	conn->tcp->recv_held_bytes -= charge;
}

/* Links payload that was charged when it came. */
static inline void tcp_recvq_link(struct tcp_conn *conn, struct rte_mbuf *head,
				  struct rte_mbuf *tail, uint32_t bytes)
{
	if (head) {
		if (conn->rcv_tail)
			conn->rcv_tail->next = head;
		else
			conn->rcv_head = head;
		conn->rcv_tail = tail;
	}
	conn->rcv_nxt += bytes;
	conn->rcv_ready += bytes;
	conn->bytes_in += bytes;
	stack_count_add(conn->tcp->stack, tcp_bytes_in, bytes);
}

/* One mbuf, and plenty of memory: then nothing is to be weighed. */
static inline bool tcp_recvq_is_small(const struct tcp_conn *conn, const struct rte_mbuf *m)
{
	uint32_t charge = tcp_mbuf_charge(m);

	return !m->next && conn->rcv_charge + charge <= conn->recv_limit &&
	       conn->tcp->recv_held_bytes + charge <= conn->tcp->share_bytes / 8 * 6;
}

bool tcp_recvq_append_any(struct tcp_conn *conn, struct rte_mbuf **chain);

/* Appends payload that starts at rcv_nxt, which moves. False when there is no room. What is left in
 * *chain is still the caller's, in either case. */
static inline bool tcp_recvq_append(struct tcp_conn *conn, struct rte_mbuf **chain)
{
	struct rte_mbuf *m = *chain;

	if (!tcp_recvq_is_small(conn, m))
		return tcp_recvq_append_any(conn, chain);
	tcp_recvq_charge(conn, tcp_mbuf_charge(m));
	tcp_recvq_link(conn, m, m, m->data_len);
	*chain = NULL;
	return true;
}

struct rte_mbuf *tcp_recvq_take_some(struct tcp_conn *conn, uint32_t max_bytes);

/* All there is. With nothing out of order, which it is for, all that is charged is in this queue.
 */
static inline struct rte_mbuf *tcp_recvq_take_all(struct tcp_conn *conn)
{
	struct rte_mbuf *chain = conn->rcv_head;

	tcp_recvq_uncharge(conn, conn->rcv_charge);
	conn->rcv_head = conn->rcv_tail = NULL;
	conn->rcv_ready = 0;
	return chain;
}

static inline struct rte_mbuf *tcp_recvq_take(struct tcp_conn *conn, uint32_t max_bytes)
{
	if (max_bytes < conn->rcv_ready || conn->reorder)
		return tcp_recvq_take_some(conn, max_bytes);
	return tcp_recvq_take_all(conn);
}

void tcp_recvq_free(struct tcp_conn *conn);

/* Frees a chain with its charge. */
void tcp_recvq_free_chain(struct tcp_conn *conn, struct rte_mbuf *chain);

#endif
