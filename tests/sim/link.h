/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A link between two hosts in virtual time: each direction loses, repeats, delays,
 * reorders, spoils and marks frames as its settings and the seed say.
 */
#ifndef TESTS_SIM_LINK_H
#define TESTS_SIM_LINK_H

#include <stddef.h>

#include "tests/sim/rng.h"

struct link_conf {
	uint32_t loss_ppm;
	uint32_t burst_ppm;     /* chance for the link to go dead */
	uint32_t burst_most_us; /* for so long at most */
	uint32_t duplicate_ppm, corrupt_ppm;
	uint32_t reorder_ppm, reorder_us; /* held back by up to so much */
	uint32_t delay_us, jitter_us;
	uint32_t bytes_per_ms;                  /* 0: no limit */
	uint32_t queue_bytes;                   /* with a limit: what waits at most */
	uint64_t black_from_us, black_until_us; /* nothing gets through meanwhile */
	/* Frames that may be marked are, instead of lost (RFC 3168 §5): by chance, or when so much
	 * waits; 0: not for that. */
	uint32_t mark_ppm, mark_bytes;
	/* What would arrive in that time arrives at its end. */
	uint64_t hold_at_us, hold_us;
};

struct link_frame {
	uint64_t at_us, order;
	uint32_t len;
	uint8_t bytes[];
};

/* One direction. */
struct link {
	struct link_conf conf;
	struct rng rng;
	uint64_t dead_until_us;
	uint64_t free_at_us; /* when the last byte accepted so far has left */
	uint64_t order, last_us;
	struct link_frame **heap;
	size_t n, room;
	uint64_t carried, lost, marked;
};

void link_init(struct link *link, const struct link_conf *conf, uint64_t seed);
void link_fini(struct link *link);
void link_send(struct link *link, const uint8_t *bytes, uint32_t len, uint64_t now_us);

/* When the next frame arrives; UINT64_MAX: none is under way. */
uint64_t link_next_us(const struct link *link);

/* The next frame that has arrived by `now_us`, the caller's to free; NULL when there is none. */
struct link_frame *link_receive(struct link *link, uint64_t now_us);

#endif
