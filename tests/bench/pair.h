/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two stacks joined by memory, in virtual time: what one sends is the next burst of the other.
 * Nothing is lost, nothing is late, and no device costs anything: what is measured is the stacks.
 *
 * Side 0 is the client, 10.0.0.1; side 1 the server, 10.0.0.2. The devices do checksums.
 */
#ifndef TESTS_BENCH_PAIR_H
#define TESTS_BENCH_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "l4stack/base/addr.h"

#define PAIR_CLIENT     0
#define PAIR_SERVER     1
#define PAIR_QUEUE_MOST 8192

struct rte_mbuf;
struct rte_mempool;
struct stack;

struct pair_side {
	struct stack *stack;
	struct pair *pair;
	unsigned index;
	void (*app)(void *ctx, uint64_t now_us); /* what stands on the stack; NULL: handlers only */
	void *app_ctx;
	uint32_t waiting;
	struct rte_mbuf *queue[PAIR_QUEUE_MOST]; /* frames that wait for this side */
	uint64_t cycles;                         /* spent in its stack */
	uint64_t cpu_ns;       /* the same as this thread's time: without others */
	uint64_t turn_most_ns; /* of that, in its longest turn */
	uint64_t frames_in;
	uint64_t overflows;
};

struct pair {
	uint64_t now_us;
	struct rte_mempool *header, *control, *ref, *payload;
	struct pair_side side[2];
};

struct pair_conf {
	unsigned number; /* of several in one process: only the first, 0, starts EAL */
	uint32_t max_conns;
	uint64_t memory_bytes; /* of each stack */
};

/* Starts EAL, makes the pools and the stacks. 0 or -errno; says on stderr what went wrong. */
int pair_start(struct pair *pair, const struct pair_conf *conf) __attribute__((warn_unused_result));
void pair_stop(struct pair *pair);

/* One connection, opened and closed: both sides know the other's hardware address then, for a
 * while. 0 or -errno. */
int pair_introduce(struct pair *pair) __attribute__((warn_unused_result));

/* One turn of both sides, then the clock goes on by `step_us`. */
void pair_turn(struct pair *pair, uint64_t step_us);

/* Turns until no frame is under way. */
void pair_settle(struct pair *pair, uint64_t step_us);

struct endpoint pair_endpoint(unsigned side, uint16_t port);

/* A payload mbuf with `len` bytes. */
struct rte_mbuf *pair_payload(struct pair *pair, uint16_t len);

/* Mbufs of all pools that are in use. */
unsigned pair_mbufs_in_use(const struct pair *pair);

/* What a side's stack holds for its connections, from its own books. */
struct pair_memory {
	uint64_t conns, table, timewaits, total;
	uint32_t conns_most, timewaits_most; /* objects that were ever needed at once */
};
struct pair_memory pair_memory_of(const struct pair_side *side);

/* Where the plugins of this program's build are. */
const char *pair_plugins(void);

/* A row of a report: name, value, unit. */
void pair_row(const char *name, double value, unsigned decimals, const char *unit);
void pair_row_text(const char *name, const char *text);

#endif
