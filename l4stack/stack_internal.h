/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the layers of one stack share. Internal to l4stack: each layer reaches its own
 * state through here and nobody else's.
 */
#ifndef L4STACK_STACK_INTERNAL_H
#define L4STACK_STACK_INTERNAL_H

#include "l4stack/base/counters.h"
#include "l4stack/base/wheel.h"
#include "l4stack/stack.h"

struct tcp_proto;
struct udp_proto;
struct ip_layer;   /* addresses, routes, reassembly, ICMP: ip/ */
struct link_layer; /* ports, neighbours: link/ */

/* Everyone's timers are in one wheel; the owner of a timer is called through this. */
struct stack_timer {
	struct wheel_timer wheel;
	void (*fire)(void *owner);
	void *owner;
};

struct stack {
	uint64_t now_us;
	uint32_t now_ms; /* the same, for what is short: it wraps */
	struct wheel *wheel;
	struct stack_counters *counters;
	const struct stack_ops *ops;
	void *ops_ctx;
	struct stack_pools pools;
	struct stack_conf conf;
	struct link_layer *link;
	struct ip_layer *ip;
	struct udp_proto *udp;
	struct tcp_proto *tcp;
	uint64_t room[STACK_PORTS_MAX]; /* packets that each port takes; UINT64_MAX: any number */
};

/* A packet was given to a port. */
static inline void stack_room_use(struct stack *stack, uint16_t port)
{
	stack->room[port] -= stack->room[port] > 0;
}

/* Starts or restarts; `fire` and `owner` are set before. */
static inline void stack_timer_start(struct stack *stack, struct stack_timer *timer,
				     uint64_t due_us)
{
	wheel_start(stack->wheel, &timer->wheel, due_us);
}

static inline void stack_timer_stop(struct stack *stack, struct stack_timer *timer)
{
	wheel_stop(stack->wheel, &timer->wheel);
}

static inline bool stack_timer_running(const struct stack_timer *timer)
{
	return wheel_timer_running(&timer->wheel);
}

/* Frees a packet and counts why. */
void stack_drop(struct stack *stack, struct rte_mbuf *pkt, enum stack_counter reason);
#endif
