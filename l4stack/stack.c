/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/stack.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"
#include "l4stack/stack_internal.h"
#include "l4stack/tcp/tcp_proto.h"
#include "l4stack/udp/udp_proto.h"

static void timer_fire(void *ctx, struct wheel_timer *wheel_timer)
{
	struct stack_timer *timer = (struct stack_timer *)wheel_timer;

	(void)ctx;
	timer->fire(timer->owner);
}

_Static_assert(offsetof(struct stack_timer, wheel) == 0, "timer_fire casts");

static void clock_set(struct stack *stack, uint64_t now_us)
{
	stack->now_us = now_us;
	stack->now_ms = (uint32_t)(now_us / 1000);
}

static int stack_init(struct stack *stack, uint64_t now_us)
{
	int err;

	clock_set(stack, now_us);
	memset(stack->room, 0xff, sizeof(stack->room));
	stack->counters = calloc(1, sizeof(*stack->counters));
	stack->wheel = wheel_create(now_us, timer_fire, stack);
	if (!stack->counters || !stack->wheel)
		return -ENOMEM;
	err = link_layer_create(stack, &stack->link);
	if (!err)
		err = ip_create(stack, &stack->ip);
	if (!err)
		err = udp_proto_create(stack, &stack->udp);
	if (!err)
		err = tcp_proto_create(stack, &stack->conf, &stack->tcp);
	return err;
}

int stack_create(const struct stack_conf *conf, const struct stack_pools *pools,
		 const struct stack_ops *ops, void *ctx, uint64_t now_us, struct stack **out)
{
	struct stack *stack = calloc(1, sizeof(*stack));
	int err;

	if (!stack)
		return -ENOMEM;
	stack->conf = *conf;
	stack->pools = *pools;
	stack->ops = ops;
	stack->ops_ctx = ctx;
	err = stack_init(stack, now_us);
	if (err) {
		stack_destroy(stack);
		return err;
	}
	*out = stack;
	return 0;
}

/* Top down: a layer may still use those below while it goes. */
void stack_destroy(struct stack *stack)
{
	if (!stack)
		return;
	if (stack->tcp)
		tcp_proto_destroy(stack->tcp);
	if (stack->udp)
		udp_proto_destroy(stack->udp);
	if (stack->ip)
		ip_destroy(stack->ip);
	if (stack->link)
		link_layer_destroy(stack->link);
	wheel_destroy(stack->wheel);
	free(stack->counters);
	free(stack);
}

int stack_port_add(struct stack *stack, uint16_t port, const struct stack_port_conf *conf)
{
	return link_port_add(stack, port, conf);
}

int stack_address_add(struct stack *stack, uint16_t port, const struct addr *addr, unsigned prefix)
{
	return ip_address_add(stack, port, addr, prefix);
}

int stack_route_add(struct stack *stack, const struct addr *to, unsigned prefix,
		    const struct addr *via)
{
	return ip_route_add(stack, to, prefix, via);
}

int stack_route_del(struct stack *stack, const struct addr *to, unsigned prefix)
{
	return ip_route_del(stack, to, prefix);
}

void stack_advance(struct stack *stack, uint64_t now_us)
{
	if (now_us > stack->now_us)
		clock_set(stack, now_us);
	wheel_advance(stack->wheel, stack->now_us);
}

static void burst_input(struct stack *stack, uint16_t port, struct rte_mbuf **pkts, unsigned n)
{
	tcp_proto_burst(stack->tcp, port, pkts, n);
	for (unsigned i = 0; i < n; i++) {
		i = tcp_proto_take(stack->tcp, pkts, i, n);
		if (i < n)
			link_input(stack, port, pkts[i]);
	}
}

void stack_input(struct stack *stack, uint16_t port, struct rte_mbuf **pkts, unsigned n)
{
	for (unsigned at = 0; at < n; at += TCP_BURST_MOST)
		burst_input(stack, port, pkts + at, RTE_MIN(n - at, TCP_BURST_MOST));
}

void stack_deliver(struct stack *stack)
{
	tcp_proto_deliver(stack->tcp);
	udp_proto_deliver(stack->udp);
}

void stack_flush(struct stack *stack)
{
	tcp_proto_flush(stack->tcp);
}

void stack_port_room(struct stack *stack, uint16_t port, uint32_t packets)
{
	bool was_short = stack->room[port] <= STACK_ROOM_KEPT;

	stack->room[port] = packets;
	if (was_short && packets > STACK_ROOM_KEPT) {
		stack_count(stack, link_waits);
		tcp_proto_resume(stack->tcp);
	}
}

uint64_t stack_next_us(const struct stack *stack)
{
	uint64_t next_us = wheel_next_us(stack->wheel);

	if (tcp_proto_pending(stack->tcp) || udp_proto_pending(stack->udp) ||
	    next_us < stack->now_us)
		return stack->now_us;
	return next_us;
}

const struct stack_counters *stack_counters(const struct stack *stack)
{
	return stack->counters;
}

void stack_neighbours_each(const struct stack *stack,
			   void (*fn)(void *ctx, const struct stack_neighbour_info *info),
			   void *ctx)
{
	neighbours_each(stack->link->neighbours, fn, ctx);
}

void stack_addresses_each(const struct stack *stack,
			  void (*fn)(void *ctx, const struct stack_address_info *info), void *ctx)
{
	ip_addresses_each(stack, fn, ctx);
}

void stack_drop(struct stack *stack, struct rte_mbuf *pkt, enum stack_counter reason)
{
	stack_count_id(stack, reason);
	rte_pktmbuf_free(pkt);
}
