/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP as the stack's coordinator (stack.c) sees it. Internal to l4stack.
 */
#ifndef L4STACK_TCP_TCP_PROTO_H
#define L4STACK_TCP_TCP_PROTO_H

#include <stdint.h>

#include "l4stack/ip/ip.h"
#include "l4stack/stack.h"

struct tcp_proto; /* all of TCP's state in one stack */

int tcp_proto_create(struct stack *stack, const struct stack_conf *conf, struct tcp_proto **out)
	__attribute__((warn_unused_result));
void tcp_proto_destroy(struct tcp_proto *tcp);

void tcp_proto_input(struct tcp_proto *tcp, const struct ip_rx *rx, struct rte_mbuf *pkt);

#define TCP_BURST_MOST 32

/*
 * A burst of at most TCP_BURST_MOST frames from a port: its headers are read and its connections
 * fetched, and nothing else. Then those from number `from` on are taken, as long as each is for
 * a connection that is known; returns the number of the first that is not, or `n`. That one goes
 * through the layers: nothing has happened to it yet.
 */
void tcp_proto_burst(struct tcp_proto *tcp, uint16_t port, struct rte_mbuf *const *pkts,
		     unsigned n);
unsigned tcp_proto_take(struct tcp_proto *tcp, struct rte_mbuf *const *pkts, unsigned from,
			unsigned n);
void tcp_proto_error(struct tcp_proto *tcp, const struct ip_error_info *error);
void tcp_proto_deliver(struct tcp_proto *tcp);
void tcp_proto_flush(struct tcp_proto *tcp);

/* A port has room again: what waits for it may go on. */
void tcp_proto_resume(struct tcp_proto *tcp);

/* True when events or segments wait for deliver or flush: then stack_next_us is now. */
bool tcp_proto_pending(const struct tcp_proto *tcp);
#endif
