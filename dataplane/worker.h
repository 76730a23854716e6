/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: one CPU's run-to-completion loop over its queues, its stack and its engine.
 *
 * The control thread makes a worker, starts it, and then reaches what belongs to it only by
 * worker_call, which runs a function between two turns of the loop. Counters in `load` are
 * written by the worker alone and may be read relaxed by anyone.
 *
 * poll = "busy": the loop never sleeps, but lets others on its CPU run when there is nothing to
 * do. poll = "adaptive": after a short spin without work (idle.h) the worker sleeps in epoll until
 * a packet, an answer of a function, a timer or a call wakes it.
 */
#ifndef DATAPLANE_WORKER_H
#define DATAPLANE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain/ledger/home.h"
#include "dataplane/cycles.h"
#include "dataplane/memory.h"
#include "dataplane/port.h"

struct apps;
struct conf;
struct engine;
struct inline_parts;
struct io;
struct stack;
struct upstreams;
struct worker;

#define WORKERS_MAX 64

/* All workers and what they share. */
struct worker_set {
	struct region_table *regions;
	struct upstreams *upstreams;
	struct port *ports;
	unsigned ports_count;
	unsigned batch;       /* packets taken from a port at a time */
	int alarm_fd;         /* written when an application has offended */
	_Atomic bool foreign; /* payload may lie in memory that EAL does not know */
	struct worker *worker[WORKERS_MAX];
	struct ledger_home home[WORKERS_MAX]; /* of what each has sent; outlives them */
	unsigned count;
};

struct worker_load {
	uint64_t turns;       /* of the loop: progress, for the watchdog */
	uint64_t busy_cycles; /* of turns that did something */
	uint64_t idle_cycles; /* of turns that did not; sleep is in neither */
	uint64_t sleeps;
	uint64_t rx_packets, tx_packets;
	uint64_t tx_full_drops;   /* the device's ring and our queue were full */
	uint64_t handoffs;        /* packets given to the worker they belong to */
	uint64_t handoff_drops;   /* its ring was full */
	uint64_t rx_copied_bytes; /* on ports that cannot receive into the shared region */
	uint64_t tx_copied_bytes; /* on ports that cannot send several segments, or not from an
				     application's memory */
	struct cycles cycles;
};

/* Makes the worker with its stack and engine; pools must exist. 0, or -errno and a sentence. */
int worker_create(struct worker_set *set, unsigned index, const struct conf *conf,
		  struct memory_pools *pools, struct worker **out, char *error, size_t error_size)
	__attribute__((warn_unused_result));
/* After workers_stop, by the control thread. */
void worker_destroy(struct worker *worker);

/* Starts the loop on the worker's lcore. */
int worker_start(struct worker *worker) __attribute__((warn_unused_result));
/* Stops those that were started and waits for them. From then on the control thread is alone. */
void workers_stop(struct worker_set *set);

/* Runs `fn` on the worker's thread and waits for it. Control thread only. Before worker_start and
 * after workers_stop `fn` simply runs here. */
void worker_call(struct worker *worker, void (*fn)(struct worker *worker, void *ctx), void *ctx);

/* The same on every worker, one after the other. */
void workers_call(const struct worker_set *set, void (*fn)(struct worker *worker, void *ctx),
		  void *ctx);

/* Any thread: the worker looks at its rings, if it sleeps now. */
void worker_wake(struct worker *worker);

struct stack *worker_stack(struct worker *worker);
struct engine *worker_engine(struct worker *worker);
struct apps *worker_apps(struct worker *worker);
struct io *worker_io(struct worker *worker);
struct inline_parts *worker_inlines(struct worker *worker);
struct memory_pools *worker_pools(struct worker *worker);
struct region *worker_messages(struct worker *worker);
unsigned worker_index(const struct worker *worker);
unsigned worker_cpu(const struct worker *worker);
int worker_wake_fd(const struct worker *worker); /* functions write it */
/* Another eventfd that wakes it, until it is forgotten: an application's. 0 or -errno. */
int worker_watch(struct worker *worker, int event_fd) __attribute__((warn_unused_result));
void worker_forget(struct worker *worker, int event_fd);
const struct worker_load *worker_load(const struct worker *worker);

/* Sums over all workers of one of the counters that each writes alone: at `offset` in struct
 * engine_counters, in struct app_counters. Any thread. */
uint64_t workers_engine_sum(const struct worker_set *set, size_t offset);
uint64_t workers_apps_sum(const struct worker_set *set, size_t offset);

#endif
