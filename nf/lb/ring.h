/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Consistent hashing: a circle of points, each server on it as often as its weight says.
 * A key belongs to the server of the next point.
 *
 * The points of a server follow from its address alone and the first ones stay when its
 * weight grows, so a change moves the keys of what has changed and no others; the circle is
 * the same in every instance and after every start. Servers that are down stay on it and
 * are stepped over: their keys spread over the rest and come back with them.
 */
#ifndef NF_LB_RING_H
#define NF_LB_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_POINTS_PER_WEIGHT 512
#define RING_POINTS_MAX        131072 /* fewer points per weight when there would be more */

struct ring_point {
	uint64_t at;
	uint32_t owner;
};

struct ring {
	struct ring_point *point;
	uint32_t count;
	uint64_t fingerprint; /* of what it was built from */
};

/* A server as the ring sees it. */
struct ring_server {
	uint64_t identity; /* ring_hash of its address and port */
	uint32_t weight;   /* 1 to 256 */
};

uint64_t ring_hash(const void *bytes, size_t len);

/* Builds it anew unless the servers are those it was built from. 0: as it was, 1: built; -ENOMEM:
 * as it was. */
int ring_build(struct ring *ring, const struct ring_server *servers, uint32_t count);
void ring_clear(struct ring *ring);

/* The index of the first server after `hash` for which usable() is true; -1: there is none. */
int64_t ring_find(const struct ring *ring, uint64_t hash,
		  bool (*usable)(const void *ctx, uint32_t owner), const void *ctx);

#endif
