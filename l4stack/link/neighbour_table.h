/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of neighbour.h: where entries are found, made and given up. Private to link/.
 *
 * An entry is on the free list, or in a bucket; in a bucket and held by nobody it is on
 * the unused list too, the longest unused first.
 */
#ifndef L4STACK_LINK_NEIGHBOUR_TABLE_H
#define L4STACK_LINK_NEIGHBOUR_TABLE_H

#include <sys/queue.h>

#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"
#include "l4stack/stack_internal.h"

#define NEIGHBOUR_BUCKETS 2048 /* a power of two */

enum neighbour_state {
	NEIGHBOUR_IDLE,       /* nothing known, nothing asked */
	NEIGHBOUR_INCOMPLETE, /* asked, no answer yet: packets wait */
	NEIGHBOUR_REACHABLE,  /* known, and heard of not long ago */
	NEIGHBOUR_STALE,      /* known, to be checked when it is used */
	NEIGHBOUR_DELAY,      /* used; upper layers have time to confirm it */
	NEIGHBOUR_PROBE,      /* asked, by unicast; packets go to the known address */
};

/* A packet that waits; not in use: in the table's `spare`. */
struct neighbour_packet {
	STAILQ_ENTRY(neighbour_packet) link;
	struct rte_mbuf *pkt;
};
STAILQ_HEAD(neighbour_packets, neighbour_packet);

struct neighbour {
	struct neighbour_way way; /* first: neighbour_way */
	uint8_t state;            /* enum neighbour_state */
	uint8_t solicits;
	bool was_known; /* it has answered at some time */
	uint16_t port;
	uint16_t queued;
	uint32_t holders;
	uint64_t confirmed_us;
	struct stack *stack;
	/* Apart from that. */
	struct addr addr;
	struct stack_timer timer;
	SLIST_ENTRY(neighbour) in_bucket;
	TAILQ_ENTRY(neighbour) in_list; /* free or unused */
	struct neighbour_packets queue; /* `queued` of them, the oldest first */
};

TAILQ_HEAD(neighbour_list, neighbour);
SLIST_HEAD(neighbour_bucket, neighbour);

struct neighbours {
	struct stack *stack;
	uint64_t key[2];
	uint64_t generation; /* of entries given up */
	struct neighbour_packets spare;
	struct neighbour_list free, unused;
	struct neighbour_bucket buckets[NEIGHBOUR_BUCKETS];
	struct neighbour entries[NEIGHBOURS_MAX];
	struct neighbour_packet packets[NEIGHBOUR_QUEUE_ALL_MAX];
};

struct neighbour *neighbour_find(struct neighbours *table, uint16_t port, const struct addr *addr);

/* A new entry, IDLE and held by nobody; takes an unused one when none is free. NULL when
 * every entry is held. */
struct neighbour *neighbour_make(struct neighbours *table, uint16_t port, const struct addr *addr);

/* Gives up an entry that nobody holds, with what waits in it. */
void neighbour_forget(struct neighbours *table, struct neighbour *n);

/* The oldest packet of those, which goes to the caller; NULL: there is none. */
struct rte_mbuf *neighbour_packet_take(struct neighbours *table, struct neighbour_packets *queue);

/* The timer of an entry is the state machine's: neighbour.c. */
void neighbour_timeout(void *owner);

#endif
