/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker's side of applications: owner of the TCP connections that they have on its stack.
 *
 * An application is a process that attached (chain/app/door.h). In each worker it has an account
 * (struct app): its rings, its connections, its part of RX memory, the leases on its arena. What
 * it receives is copied once into memory that it alone can read (rx.c; it is counted); what it
 * sends goes from its arena by reference (send.c). Everything it says is checked (request.c): a
 * lie ends its attachment, and costs nobody else anything.
 *
 * Threads: app_create and app_destroy are the control thread's; all else is the worker's, where
 * the control thread reaches it with a closure between two turns of the loop.
 *
 * Ownership: links, regions and terms belong to the control thread; an account uses them from
 * apps_attach to apps_detach, and its arena until app_leases is 0.
 *
 * One turn of the worker's loop, around the stack's (l4stack/stack.h):
 *
 *    stack_advance, stack_input, stack_deliver    handlers run: connections have something to say
 *    apps_poll                                    requests are taken, and it is said
 *    stack_flush
 *    apps_publish                                 rings made visible, sleepers woken
 */
#ifndef CHAIN_APP_APP_H
#define CHAIN_APP_APP_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/app_abi.h>

#include "l4stack/base/addr.h"

struct app;
struct apps;
struct ledger_home;
struct link;
struct region;
struct rte_mempool;
struct stack;

/* --- what an application may ------------------------------------------------------------- */

struct app_network {
	struct addr addr;
	unsigned prefix;
	uint16_t port; /* 0: any */
};

struct app_terms {
	char name[SLUICE_NAME_MAX];
	struct endpoint *listens; /* a zero address: every one */
	unsigned listens_count;
	struct app_network *connects;
	unsigned connects_count;
	uint32_t conns;  /* in each worker */
	uint32_t blocks; /* of RX, likewise */
	uint32_t leases; /* slices on their way, likewise */
	uint32_t recv_bytes, send_bytes;
	uint32_t hang_ms; /* its ring full for that long: it ends; 0: never */
};

bool app_may_listen(const struct app_terms *terms, const struct endpoint *local);
bool app_may_connect(const struct app_terms *terms, const struct endpoint *remote);

/* --- a worker's applications ------------------------------------------------------------- */

struct apps_env {
	struct stack *stack;
	struct rte_mempool *ref;  /* mbufs without room, attached to arenas */
	int alarm_fd;             /* written when an application has offended; not owned */
	struct ledger_home *home; /* of this worker's leases; NULL: no other thread frees mbufs */
};

int apps_create(const struct apps_env *env, struct apps **out) __attribute__((warn_unused_result));
/* Accounts that are left are detached: they are their owner's to destroy. */
void apps_destroy(struct apps *apps);

void apps_poll(struct apps *apps, uint64_t now_us);
void apps_publish(struct apps *apps);
bool apps_pending(const struct apps *apps);
/* When apps_poll is to be called next without an event: UINT64_MAX: never. */
uint64_t apps_next_us(const struct apps *apps);
/* Before the worker sleeps, and after; once set, apps_pending must be asked once more. */
void apps_sleep(struct apps *apps, bool sleeps);
/* No new connections, now and later: listeners are closed, and their applications told. */
void apps_drain(struct apps *apps);

/* --- accounts ---------------------------------------------------------------------------- */

struct app_link {
	uint32_t id; /* of the attachment, unique for the daemon's life */
	const struct app_terms *terms;
	struct link *link;
	struct region *arena;
	struct region *rx; /* terms->blocks blocks of it */
};

int app_create(const struct app_link *link, struct app **out) __attribute__((warn_unused_result));
void app_destroy(struct app *app);

void apps_attach(struct apps *apps, struct app *app);
/* Its listeners go and its connections are reset, but for those that it had closed. The link and
 * the RX region are not used after this. */
void apps_detach(struct app *app);
/* Slices of its arena that are still being sent. */
uint32_t app_leases(const struct app *app);
/* It has offended, and is to be ended: why, or NULL. */
const char *app_verdict(const struct app *app);

/* --- what can be seen -------------------------------------------------------------------- */

struct apps_counters {
#define COUNTER(name, unit, help) uint64_t name;
#include "chain/app/counters.def"
#undef COUNTER
};
const struct apps_counters *apps_counters(const struct apps *apps);

struct app_info {
	uint32_t conns, listeners;
	uint32_t blocks, leases; /* in use */
	uint32_t blocks_total, leases_total;
	uint32_t depth;       /* descriptors it has not consumed */
	uint64_t conns_total; /* opened, both ways */
	uint64_t bytes_in, bytes_out;
};
void app_info(const struct app *app, struct app_info *out);

struct app_flow_info {
	struct endpoint local, remote;
	const char *name; /* of the application */
};
void apps_flows_each(const struct apps *apps,
		     void (*fn)(void *ctx, const struct app_flow_info *info), void *ctx);

struct app_error_info {
	uint64_t at_us;
	uint32_t count;
	char name[SLUICE_NAME_MAX];
	char text[128];
};
void apps_errors_each(const struct apps *apps,
		      void (*fn)(void *ctx, const struct app_error_info *info), void *ctx);

#endif
