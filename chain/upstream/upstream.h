/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Upstream groups: origin servers by number, with their state and load.
 *
 * `struct upstreams` has two halves. The view (struct sluice_upstreams, <sluice/abi.h>) is a
 * region that functions map and read; names, addresses, weights, states and loads are in it.
 * The other half is the manager's own: timeouts, and why a server is down.
 *
 * Numbers: a group keeps its number for as long as its name is in the configuration, whatever
 * changes in it, and a server keeps its number in the group for as long as its address
 * stays. Numbers are not used again. A server that the configuration no longer has stays in
 * its place, in state DRAIN; a group that it no longer has loses its name, and exchanges that
 * were routed to it already still reach its servers.
 *
 * Threads: the control thread creates, applies and destroys. Workers and functions read at any
 * time. Workers count loads and failures, with relaxed atomics. Health checks run on one
 * worker (health.h), which alone brings ejected servers back.
 */
#ifndef CHAIN_UPSTREAM_UPSTREAM_H
#define CHAIN_UPSTREAM_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "l4stack/base/addr.h"

struct conf;
struct region;
struct upstreams;

#define UPSTREAM_NONE UINT32_MAX

/* `view`: a region of at least sizeof(struct sluice_upstreams) bytes, all zero, that outlives it.
 */
int upstreams_create(struct region *view, struct upstreams **out)
	__attribute__((warn_unused_result));
void upstreams_destroy(struct upstreams *upstreams);

/* Takes over the groups of a configuration, whole or not at all: -ENOSPC, -ENOMEM. */
int upstreams_apply(struct upstreams *upstreams, const struct conf *conf, uint32_t version)
	__attribute__((warn_unused_result));

const struct sluice_upstreams *upstreams_view(const struct upstreams *upstreams);

/* --- groups ---------------------------------------------------------------------- */

/* What a worker needs of a group. Members change when a configuration is applied, one by one. */
struct upstream_group {
	uint32_t connect_timeout_ms, response_timeout_ms, idle_timeout_ms;
	uint32_t keepalive, retries;
	uint32_t max_fails, eject_ms, max_5xx, panic_percent, slow_start_ms;
	uint32_t max_connections, max_pending, pending_timeout_ms, max_retries, retry_percent;
	uint32_t reuse; /* enum conf_reuse */
	uint32_t check; /* active checks are on */
	uint32_t check_interval_ms, check_timeout_ms, check_fall, check_rise;
	uint32_t check_expect_min, check_expect_max;
	/* These live as long as `upstreams`. */
	const char *check_path; /* NULL: connecting is enough */
	const char *check_host; /* NULL: its address */
	const char *check_body; /* NULL: any body */
	uint32_t capacity;      /* the control thread's: numbers set aside from group.first on */
};

/* NULL: there never was a group of that number. */
const struct upstream_group *upstreams_group(const struct upstreams *upstreams, uint16_t group);
/* The one group that there is; SLUICE_NONE16 when there is none, or a choice. */
uint16_t upstreams_only_group(const struct upstreams *upstreams);

/* --- servers --------------------------------------------------------------------- */

/* The number of a group's server from its place in the group; UPSTREAM_NONE: no such place. */
uint32_t upstreams_server(const struct upstreams *upstreams, uint16_t group, uint16_t place);
/* The place of a server in its group; SLUICE_NONE16: the group has moved on. */
uint16_t upstreams_place(const struct upstreams *upstreams, uint32_t server);
uint32_t upstreams_servers(const struct upstreams *upstreams); /* all numbers are below */
uint16_t upstreams_group_of(const struct upstreams *upstreams, uint32_t server);
void upstreams_endpoint(const struct upstreams *upstreams, uint32_t server, struct endpoint *out);
enum sluice_server_state upstreams_state(const struct upstreams *upstreams, uint32_t server);
/* Nothing is said against it but failures of late. */
bool upstreams_only_ejected(const struct upstreams *upstreams, uint32_t server);
/* The configuration still has it. */
bool upstreams_present(const struct upstreams *upstreams, uint32_t server);
/* Grows by one whenever a configuration was applied. */
uint32_t upstreams_applied(const struct upstreams *upstreams);

/* An exchange starts and stops using a server. */
void upstreams_begin(struct upstreams *upstreams, uint32_t server);
/* The same within the limits of the server and its group. False: they are reached. */
bool upstreams_admit(struct upstreams *upstreams, uint32_t server)
	__attribute__((warn_unused_result));
bool upstreams_full(const struct upstreams *upstreams, uint32_t server);
/* It is up, and not full. */
bool upstreams_has_room(const struct upstreams *upstreams, uint32_t server);
/* Some of the group's servers are up: if none can be had, it is for its limits. */
bool upstreams_busy(const struct upstreams *upstreams, uint16_t group);
/* An exchange gets in line, and leaves it; is tried again, and that is over. False: too many. */
bool upstreams_pend(struct upstreams *upstreams, uint16_t group)
	__attribute__((warn_unused_result));
void upstreams_unpend(struct upstreams *upstreams, uint16_t group);
bool upstreams_retry(struct upstreams *upstreams, uint16_t group)
	__attribute__((warn_unused_result));
void upstreams_unretry(struct upstreams *upstreams, uint16_t group);
void upstreams_end(struct upstreams *upstreams, uint32_t server);
/* It answered, `latency_us` after it was asked. */
void upstreams_success(struct upstreams *upstreams, uint32_t server, uint64_t latency_us,
		       uint64_t now_us);
/* It answered with that status: max_5xx of 5xx in a row eject it. */
void upstreams_status(struct upstreams *upstreams, uint32_t server, uint16_t status,
		      uint64_t now_us);
/* It could not be reached, broke off or sent what is no answer: max_fails of these in a row eject
 * it. */
void upstreams_failure(struct upstreams *upstreams, uint32_t server, uint64_t now_us);

/* A worker keeps one more idle connection to it, or one less (`change` is 1 or -1). */
void upstreams_idle(struct upstreams *upstreams, uint32_t server, int change);

/* Since the start, all workers: for `show`. */
struct upstream_totals {
	uint64_t exchanges, failures;
	uint32_t idle; /* connections kept now */
	bool ejected, failed_checks, by_hand;
	bool panics; /* it is used although it is not well */
};
struct upstream_group_totals {
	uint32_t active, pending, retrying;
	uint64_t pending_refused, retries_refused;
};
void upstreams_group_totals(const struct upstreams *upstreams, uint16_t group,
			    struct upstream_group_totals *out);

void upstreams_totals(const struct upstreams *upstreams, uint32_t server,
		      struct upstream_totals *out);

/* --- for the control thread: by hand ---------------------------------------------- */

/* What is said holds until upstreams_forget_orders, or the end of the process. */
enum upstream_order { UPSTREAM_TAKE_UP, UPSTREAM_TAKE_DOWN, UPSTREAM_DRAIN };
void upstreams_order(struct upstreams *upstreams, uint32_t server, enum upstream_order order);
void upstreams_weigh(struct upstreams *upstreams, uint32_t server, uint32_t weight);
void upstreams_forget_orders(struct upstreams *upstreams);
/* SLUICE_NONE16, UPSTREAM_NONE: there is none. */
uint16_t upstreams_group_named(const struct upstreams *upstreams, const char *name);
uint32_t upstreams_server_at(const struct upstreams *upstreams, uint16_t group,
			     const struct endpoint *endpoint);

/* --- for the control thread: names ------------------------------------------------ */

/* The addresses of a name, from now on: servers of that name get them with the next
 * upstreams_apply. 1: they are others than before; 0; -ENOMEM. */
#define UPSTREAM_ADDRESSES_MAX 64
int upstreams_resolved(struct upstreams *upstreams, const char *host, const struct addr *addresses,
		       unsigned count) __attribute__((warn_unused_result));

/* --- for health.c: why a server is down ------------------------------------------ */

void upstreams_checked(struct upstreams *upstreams, uint32_t server, bool healthy);
/* Ends ejections that are over; says when the next one is: UINT64_MAX, none. */
uint64_t upstreams_readmit(struct upstreams *upstreams, uint64_t now_us);
/* Slow start goes on for servers that came back. */
void upstreams_warm(struct upstreams *upstreams, uint64_t now_us);

#endif
