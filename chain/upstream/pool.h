/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's connections to origin servers: opened, kept while idle, used again.
 *
 * pool_open gives a connection, either an idle one (`open` is true and it can be sent on at
 * once) or a new one (its `opened` or `closed` is called from stack_deliver). The user has it
 * until pool_keep, pool_close or pool_abort, or until its `closed` returned. While a
 * connection is idle the pool watches it: whatever comes on it ends it.
 *
 * `reused` tells that the connection served others before: one that dies before the first byte
 * of an answer may simply have been closed by the server at the wrong moment.
 *
 * Threads: the worker's. Nothing is allocated after pool_create.
 */
#ifndef CHAIN_UPSTREAM_POOL_H
#define CHAIN_UPSTREAM_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "chain/upstream/timers.h"
#include "chain/upstream/upstream.h"
#include "l4stack/tcp/tcp.h"

struct stack;
struct upstream_conn;
struct upstream_pool;

/* As tcp_handlers; all are called from stack_deliver. */
struct upstream_user_ops {
	void (*opened)(struct upstream_conn *conn, void *user);
	void (*readable)(struct upstream_conn *conn, void *user);
	void (*writable)(struct upstream_conn *conn, void *user);
	void (*closed)(struct upstream_conn *conn, void *user, enum tcp_close_reason reason);
};

struct upstream_conn {
	struct tcp_conn *tcp;
	struct upstream_pool *pool;
	const struct upstream_user_ops *ops;
	void *user;
	uint32_t server;
	bool open, reused;
	struct timer timer;              /* idle */
	TAILQ_ENTRY(upstream_conn) link; /* idle at its server, or free */
	TAILQ_ENTRY(upstream_conn) age;  /* idle, of all servers, oldest first */
};

struct pool_counters {
	uint64_t opened, reused, failed, idle_closed;
};

int pool_create(struct upstreams *upstreams, struct stack *stack, struct timers *timers,
		uint32_t connections, struct upstream_pool **out)
	__attribute__((warn_unused_result));
/* Aborts what is idle; the users must have given back the rest. */
void pool_destroy(struct upstream_pool *pool);

/* `fresh`: not an idle one. `connect_ms`: 0, as its group says. -ENOMEM: no connection is free;
 * else what tcp_connect says. */
int pool_open(struct upstream_pool *pool, uint32_t server, bool fresh, uint32_t connect_ms,
	      const struct upstream_user_ops *ops, void *user, struct upstream_conn **out)
	__attribute__((warn_unused_result));

/* The exchange is over and the server will take another: idle from here on (or closed, when there
 * are enough). */
void pool_keep(struct upstream_conn *conn);
void pool_close(struct upstream_conn *conn);
void pool_abort(struct upstream_conn *conn);

void pool_close_idle(struct upstream_pool *pool);
uint32_t pool_idle(const struct upstream_pool *pool);
uint32_t pool_used(const struct upstream_pool *pool); /* idle ones included */
const struct pool_counters *pool_counters(const struct upstream_pool *pool);

#endif
