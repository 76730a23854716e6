/* SPDX-License-Identifier: BSD-3-Clause */
/* What upstream.c (the configuration's side) and state.c (the workers' side) share. */
#ifndef CHAIN_UPSTREAM_UPSTREAM_INTERNAL_H
#define CHAIN_UPSTREAM_UPSTREAM_INTERNAL_H

#include "chain/upstream/upstream.h"

/* Why a server is not up. */
enum server_reason {
	REASON_REMOVED = 1 << 0, /* not in the configuration any more */
	REASON_CHECK = 1 << 1,   /* active checks failed */
	REASON_EJECTED = 1 << 2, /* too many failed exchanges in a row */
};

struct server_state {
	uint64_t ejected_until_us;
	uint64_t exchanges, failures; /* since the start */
	uint32_t idle;                /* connections kept, all workers */
	uint32_t reasons;
	uint32_t seen; /* the control thread's: `round` of the last configuration that has it */
	uint16_t group;
};

struct text {
	struct text *next;
	char bytes[];
};

struct upstreams {
	struct sluice_upstreams *view;
	uint32_t applied;
	uint32_t round; /* the control thread's: one more for each call of upstreams_apply */
	uint32_t group_seen[SLUICE_GROUPS_MAX];
	uint32_t ejected;   /* servers with REASON_EJECTED */
	struct text *texts; /* every check_path there ever was: a worker may still read it */
	struct upstream_group group[SLUICE_GROUPS_MAX];
	struct server_state server[SLUICE_SERVERS_MAX];
};

/* Sets or clears a reason, and the state that follows. True when it was otherwise before. */
bool server_reason_set(struct upstreams *upstreams, uint32_t server, uint32_t reason, bool on);

#define load(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

#endif
