/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stack: packets in, packets out, time passed in, stream events up.
 *
 * A stack belongs to one worker and shares nothing: every function here and in
 * tcp/tcp.h is called by the thread that owns the stack. It reads no clock, opens
 * no device and starts no thread, so that two stacks can be run against each
 * other in virtual time.
 *
 * One turn of the owner's loop:
 *
 *	stack_advance(stack, now_us);              the clock; timers that are due
 *	stack_input(stack, port, pkts, n);         for each port's burst
 *	stack_deliver(stack);                      events up: handlers of tcp.h are called from here
 *only
 *	... the owner's other work: tcp_send, tcp_recv, tcp_close ...
 *	stack_flush(stack);                        connections with something to say say it, once
 *
 * Events are delivered and segments are sent at these two points only, never from
 * inside tcp_send or stack_input: nothing is re-entered, and an ACK rides with the data.
 *
 * Payload is carried in mbufs. Mbufs that come in are owned by the stack from
 * stack_input on; mbufs that go out are owned by `output`.
 */
#ifndef L4STACK_STACK_H
#define L4STACK_STACK_H

#include <stdint.h>

#include "l4stack/base/addr.h"

struct rte_mbuf;
struct rte_mempool;
struct stack;

#define STACK_PORTS_MAX 64
#define STACK_ROOM_KEPT 64 /* of a port's room, for what is no new data: stack_port_room */

/* What the device does by itself; the stack does the rest in software. */
enum stack_offload {
	STACK_TX_IP_CSUM = 1 << 0,  /* IPv4 header checksum */
	STACK_TX_TCP_CSUM = 1 << 1, /* from the pseudo-header sum, as rte_mbuf asks */
	STACK_TX_UDP_CSUM = 1 << 2,
	STACK_TX_TSO = 1 << 3, /* segments up to 64 KB, cut by the device */
	STACK_TX_MULTI_SEG =
		1 << 4,         /* chained mbufs; without it packets are linearised (and counted) */
	STACK_RX_CSUM = 1 << 5, /* ol_flags tell; UNKNOWN is still checked in software */
};

struct stack_ops {
	/* Takes ownership of `pkt`, an Ethernet frame. Must not call back into the stack. */
	void (*output)(void *ctx, uint16_t port, struct rte_mbuf *pkt);
	/*
	 * May be NULL (one worker). True when packets of this flow, as seen on input
	 * (`remote` is the source), come to this stack: used to choose ephemeral ports.
	 */
	bool (*owns_flow)(void *ctx, const struct endpoint *local, const struct endpoint *remote);
};

/* Pools are made by the owner. None of their mbufs is visible to a network function
 * except through payload that was received (which comes from the ports' own pools). */
struct stack_pools {
	struct rte_mempool *
		header; /* small direct mbufs: frame headers and copied payload; >= 512 B of room */
	struct rte_mempool *control; /* the same, kept for ACKs, SYN, RST, ARP and ICMP when
					`header` is empty */
	struct rte_mempool
		*ref; /* mbufs without room, attached to payload that is sent by reference */
};

struct stack_conf {
	uint32_t max_conns;        /* as many again in TIME-WAIT; half-open ones of listeners have
				      a bound of their own */
	uint64_t secret[2];        /* keys the tables, the ISN, cookies, time stamps and ports; from
				      getrandom() in production */
	uint64_t memory_bytes;     /* budget of payload held by all connections, true size */
	uint32_t copy_below_bytes; /* payload pieces shorter than this are copied next to their
				      header; 0: a measured default */
};

/* How the addresses of a port come into use. */
enum stack_claim {
	STACK_CLAIM_USUAL,    /* IPv6 is probed (RFC 4862 §5.4), IPv4 is not; both are announced */
	STACK_CLAIM_PROBE,    /* both are probed: IPv4 takes 5 to 7 seconds (RFC 5227 §2.1) */
	STACK_CLAIM_ANNOUNCE, /* neither is probed */
	STACK_CLAIM_FOLLOW,   /* as USUAL, but another stack with the same port does the talking:
			       * nothing is sent, and no question about our addresses is answered */
	STACK_CLAIM_SILENT,   /* used at once, and not announced */
};

struct stack_port_conf {
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t offloads; /* enum stack_offload */
	const char *name;
	uint16_t
		vlan; /* 1 to 4094: frames carry this 802.1Q tag, others are not taken; 0: no tag */
	enum stack_claim claim;
};

/* 0 or -errno. `ops`, `ctx` and the pools must outlive the stack. */
int stack_create(const struct stack_conf *conf, const struct stack_pools *pools,
		 const struct stack_ops *ops, void *ctx, uint64_t now_us, struct stack **out)
	__attribute__((warn_unused_result));

/* Frees all that the stack holds, silently (no RST, no events). */
void stack_destroy(struct stack *stack);

/* Ports are numbered by the owner, below STACK_PORTS_MAX. -EEXIST, -EINVAL: also for a port without
 * STACK_TX_MULTI_SEG when the header pool's mbufs have no room for a whole frame. */
int stack_port_add(struct stack *stack, uint16_t port, const struct stack_port_conf *conf)
	__attribute__((warn_unused_result));

/*
 * An address of ours, with the prefix of the network it is on (adds the connected route). A port's
 * first IPv6 address brings its link-local address with it. An address that is probed is not used
 * before it has passed; when another station has it, it is never used and is counted in
 * ip_address_duplicates. -EEXIST, -EINVAL (also IPv6 on a port whose MTU is below 1280).
 */
int stack_address_add(struct stack *stack, uint16_t port, const struct addr *addr, unsigned prefix)
	__attribute__((warn_unused_result));

/* A route by longest prefix. `via` must be on a connected network, or link-local with its zone.
 * -ENETUNREACH if it is not. */
int stack_route_add(struct stack *stack, const struct addr *to, unsigned prefix,
		    const struct addr *via) __attribute__((warn_unused_result));
int stack_route_del(struct stack *stack, const struct addr *to, unsigned prefix)
	__attribute__((warn_unused_result));

void stack_advance(struct stack *stack, uint64_t now_us);
void stack_input(struct stack *stack, uint16_t port, struct rte_mbuf **pkts, unsigned n);
void stack_deliver(struct stack *stack);
void stack_flush(struct stack *stack);

/*
 * How many packets the port takes from now on before it has to drop any: after each flush, by
 * owners whose ports can be slower than the stack. Until the first call there is no end to it.
 *
 * What is sent uses it up. When STACK_ROOM_KEPT is left, connections send no new data through the
 * port, but ACKs, what was lost, what opens and closes; when nothing is left, nothing. They wait in
 * the order in which they came, and go on as soon as there is room again: then stack_next_us is
 * now. What is sent without a connection, as ARP, ICMP, UDP and SYN-ACK are, does not wait.
 */
void stack_port_room(struct stack *stack, uint16_t port, uint32_t packets);

/* When stack_advance has to be called next: now_us if there is work now, UINT64_MAX if never. */
uint64_t stack_next_us(const struct stack *stack);

/* Counters: one row of base/counters.def each. Owned by the worker; others may read them relaxed.
 */
struct stack_counters;
const struct stack_counters *stack_counters(const struct stack *stack);

/* Our addresses, for `show`: calls `fn` for each. */
enum stack_address_state { STACK_ADDRESS_TENTATIVE, STACK_ADDRESS_USED, STACK_ADDRESS_DUPLICATE };
struct stack_address_info {
	struct addr addr;
	uint16_t port;
	uint8_t prefix;
	enum stack_address_state state;
};
void stack_addresses_each(const struct stack *stack,
			  void (*fn)(void *ctx, const struct stack_address_info *info), void *ctx);

/* Resolved and pending neighbours, for `show`: calls `fn` for each. */
struct stack_neighbour_info {
	struct addr addr;
	uint8_t mac[6];
	uint16_t port;
	bool resolved;
};
void stack_neighbours_each(const struct stack *stack,
			   void (*fn)(void *ctx, const struct stack_neighbour_info *info),
			   void *ctx);

#endif
