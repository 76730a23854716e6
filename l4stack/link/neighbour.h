/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: which hardware address belongs to an address on a connected network.
 *
 * Of either IP family: the states are those of RFC 4861 §7.3, the question is put by ARP
 * or by neighbour solicitation. The table is bounded and keyed; entries nobody
 * holds give way to new ones, the longest unused first. Packets that wait for an answer
 * are bounded for each neighbour and for all together.
 *
 * A `struct neighbour *` is valid from neighbour_get to neighbour_put. Called by the
 * stack's thread. Internal to l4stack.
 */
#ifndef L4STACK_LINK_NEIGHBOUR_H
#define L4STACK_LINK_NEIGHBOUR_H

#include "l4stack/link/link.h"

struct neighbour;
struct neighbours;

#define NEIGHBOURS_MAX          2048
#define NEIGHBOUR_QUEUE_MAX     256  /* packets that wait for one: a gateway, of many connections */
#define NEIGHBOUR_QUEUE_ALL_MAX 1024 /* and for all */

/* RFC 4861 §10 */
#define NEIGHBOUR_RETRANS_US   1000000u
#define NEIGHBOUR_SOLICITS     3
#define NEIGHBOUR_REACHABLE_US 30000000u
#define NEIGHBOUR_DELAY_US     5000000u

#define NEIGHBOUR_FORGET_US 600000000u /* a stale entry nobody holds is kept so long */
#define NEIGHBOUR_LOCK_US                                                      \
	1000000u /* after news of a neighbour, others cannot claim its address \
		  */

int neighbours_create(struct stack *stack, struct neighbours **out)
	__attribute__((warn_unused_result));
void neighbours_destroy(struct neighbours *neighbours);

/* Finds or makes the entry, and holds it. NULL when every entry is held. */
struct neighbour *neighbour_get(struct stack *stack, uint16_t port, const struct addr *addr);
void neighbour_put(struct neighbour *neighbour);

/* Changes when an entry is given up: until then what neighbour_get has found is there. */
uint64_t neighbours_generation(const struct stack *stack);

/* Holds an entry that was found in this generation. */
void neighbour_hold(struct neighbour *neighbour);

/* Sends a packet that starts at its network header, now or when the neighbour has
 * answered. Takes ownership. */
void neighbour_output(struct neighbour *neighbour, struct rte_mbuf *pkt);

/* The frame's header of packets to a neighbour: it begins with that. */
struct neighbour_way {
	bool open; /* it is known, and in no need of a check: packets go, and that is all */
	uint8_t header_bytes;
	uint8_t header[LINK_HEADER_MAX];
};

static inline const struct neighbour_way *neighbour_way(const struct neighbour *neighbour)
{
	return (const struct neighbour_way *)neighbour;
}

/* An upper layer has proof that packets sent to it arrive (RFC 4861 §7.3.1). */
void neighbour_confirm(struct neighbour *neighbour);

/* How an address binding was learned. */
enum neighbour_news {
	NEIGHBOUR_ANSWER,      /* an answer to us */
	NEIGHBOUR_ANSWER_SOFT, /* the same, without RFC 4861's Override: what is known stays */
	NEIGHBOUR_ASKS,        /* it asked us for our address */
	NEIGHBOUR_CLAIMS,      /* told to everyone */
	NEIGHBOUR_CLAIMS_SOFT,
};

/* Takes in a binding heard on the wire, as far as it is to be believed. `mac` may be NULL: the
 * neighbour is there, and does not say where. */
void neighbour_heard(struct stack *stack, uint16_t port, const struct addr *addr,
		     const uint8_t *mac, enum neighbour_news news);

void neighbours_each(const struct neighbours *neighbours,
		     void (*fn)(void *ctx, const struct stack_neighbour_info *info), void *ctx);

#endif
