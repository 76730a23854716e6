/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Active checks of origin servers, over the worker's own stack: a connection, or a GET whose
 * status is in range and whose body has a text, once in check_interval_ms. check_fall failures in a
 * row take a server out, check_rise successes bring it back. It also ends passive ejections in
 * time.
 *
 * Threads: one worker alone has this. The configuration is followed by itself: when a version
 * was applied, checks begin and end as it says.
 */
#ifndef CHAIN_UPSTREAM_HEALTH_H
#define CHAIN_UPSTREAM_HEALTH_H

#include <stdint.h>

#include "chain/upstream/timers.h"
#include "chain/upstream/upstream.h"

struct health;
struct rte_mempool;
struct stack;

int health_create(struct upstreams *upstreams, struct stack *stack, struct timers *timers,
		  struct rte_mempool *data, struct health **out)
	__attribute__((warn_unused_result));
void health_destroy(struct health *health);

/* Once for each turn of the loop. */
void health_poll(struct health *health);
/* Ends checks under way and begins no others, until the next poll. What is known stays. */
void health_pause(struct health *health);

struct health_counters {
	uint64_t checks, failures, ejections_ended;
};
const struct health_counters *health_counters(const struct health *health);

#endif
