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
	REASON_DOWN = 1 << 3,    /* taken out by hand */
	REASON_DRAIN = 1 << 4,   /* drained by hand */
	REASON_BY_HAND = REASON_DOWN | REASON_DRAIN,
};

struct server_state {
	uint64_t ejected_until_us;
	uint64_t exchanges, failures; /* since the start */
	uint32_t idle;                /* connections kept, all workers */
	uint32_t reasons;
	uint32_t fives;           /* answers of 5xx in a row */
	uint32_t warming;         /* slow start: 1, it is under way */
	uint64_t warm_since_us;   /* since when; 0: since the next look */
	uint32_t max_connections; /* 0: any number */
	/* the control thread's */
	uint32_t conf_weight;
	bool weighed;  /* by hand */
	uint32_t seen; /* `round` of the last configuration that has it */
	uint16_t group;
};

struct text {
	struct text *next;
	char bytes[];
};

/* What goes on in a group, all workers. */
struct group_load {
	uint32_t active, pending, retrying;
	uint32_t looks; /* one more for each look at which of its servers are well */
	uint64_t pending_refused, retries_refused;
};

struct resolved {
	struct resolved *next;
	unsigned count;
	struct addr address[UPSTREAM_ADDRESSES_MAX];
	char host[];
};

struct upstreams {
	struct sluice_upstreams *view;
	struct resolved *resolved; /* the control thread's */
	uint32_t warming;          /* servers in slow start */
	struct group_load load[SLUICE_GROUPS_MAX];
	uint32_t applied;
	uint32_t round; /* the control thread's: one more for each call of upstreams_apply */
	uint32_t group_seen[SLUICE_GROUPS_MAX];
	bool kept[SLUICE_SERVERS_MAX]; /* likewise: those of one group that have a place already */
	uint32_t ejected;              /* servers with REASON_EJECTED */
	struct text *texts; /* every check_path there ever was: a worker may still read it */
	struct upstream_group group[SLUICE_GROUPS_MAX];
	struct server_state server[SLUICE_SERVERS_MAX];
};

/* Whatever its group does as a whole: the states of its servers follow from their reasons. */
void group_look(struct upstreams *upstreams, uint16_t group);

/* Sets or clears a reason, and the server's own state. True when it was otherwise before. */
bool server_reason_change(struct upstreams *upstreams, uint32_t server, uint32_t reason, bool on);
/* The same, and what follows for its group. True when it was otherwise before. */
bool server_reason_set(struct upstreams *upstreams, uint32_t server, uint32_t reason, bool on);

/* --- names.c --------------------------------------------------------------------- */
struct conf_upstream;
/* The configuration's groups, with an address for each server. NULL: no memory. */
struct conf_upstream *names_replace(const struct upstreams *upstreams, const struct conf *conf);
void names_release(struct conf_upstream *groups, unsigned count);
void names_free(struct upstreams *upstreams);

#define load(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

#endif
