/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "tests/packetdrill/so/file.h"

#define START_US     1000000000ull
#define MAX_CONNS    256
#define MEMORY_BYTES (1ull << 30) /* an account, so large that no connection feels it */

/* The key of Fast Open's cookies that packetdrill's public scripts are written for. */
static const uint64_t fast_key[2] = {0xb2b2b2b2a1a1a1a1, 0xd4d4d4d4c3c3c3c3};

/* A call that blocks. */
struct world_waiter {
	struct world_waiter *next;
	bool (*ready)(const void *arg);
	const void *arg;
	uint64_t deadline_us;
	pthread_t thread;
	pthread_cond_t wake;
	bool woken;
};

/* ---- birth and death ---- */

static int add_net(struct world *world, const struct world_net *net)
{
	const struct addr any = {.family = net->local.family};
	int err = stack_address_add(world->stack, WIRE_PORT, &net->local, net->prefix);

	return err ? err : stack_route_add(world->stack, &any, 0, &net->via);
}

static int make_stack(struct world *world, const struct world_conf *conf)
{
	static const struct stack_ops ops = {.output = wire_output};
	const struct stack_conf stack_conf = {
		.max_conns = MAX_CONNS,
		.memory_bytes = MEMORY_BYTES,
		.secret = {0x736c75696365, 0x7061636b6574},
	};
	const struct stack_pools pools = {world->pools.header, world->pools.control,
					  world->pools.ref};
	struct stack_port_conf port = {
		.mtu = conf->mtu,
		.offloads = STACK_TX_MULTI_SEG,
		.name = "wire",
		.claim = STACK_CLAIM_SILENT,
	};
	int err =
		stack_create(&stack_conf, &pools, &ops, &world->wire, world->now_us, &world->stack);

	if (err)
		return err;
	world->wire.stack = world->stack;
	tcp_set_fast_key(world->stack, fast_key);
	memcpy(port.mac, wire_stack_mac, sizeof(port.mac));
	err = stack_port_add(world->stack, WIRE_PORT, &port);
	if (!err)
		err = add_net(world, &conf->ip4);
	/* RFC 8200 §5: no IPv6 on a link that is too narrow. */
	return err || conf->mtu < 1280 ? err : add_net(world, &conf->ip6);
}

int world_create(const struct world_conf *conf, struct world **out)
{
	struct world *world = calloc(1, sizeof(*world));
	int err;

	if (!world)
		return -ENOMEM;
	pthread_mutex_init(&world->lock, NULL);
	pthread_cond_init(&world->idle, NULL);
	world->driver = pthread_self();
	world->now_us = START_US;
	world->recv_bytes = conf->recv_bytes;
	world->send_bytes = conf->send_bytes;
	if (eal_start(&world->pools)) {
		free(world);
		return -EIO;
	}
	wire_init(&world->wire, world->pools.rx, &world->now_us);
	err = make_stack(world, conf);
	if (err) {
		world_destroy(world);
		return err;
	}
	*out = world;
	return 0;
}

void world_destroy(struct world *world)
{
	unsigned in_use;

	stack_destroy(world->stack);
	wire_fini(&world->wire);
	in_use = eal_pools_in_use(&world->pools);
	if (in_use) {
		fprintf(stderr, "sluice: %u mbufs were not given back\n", in_use);
		abort();
	}
	pthread_cond_destroy(&world->idle);
	pthread_mutex_destroy(&world->lock);
	free(world);
}

void world_adopt(struct world *world, const struct addr *addr)
{
	/* One that is ours already is refused, which is as well. */
	(void)!stack_address_add(world->stack, WIRE_PORT, addr, addr_bits(addr->family));
}

/* ---- threads ---- */

static bool is_driver(const struct world *world)
{
	return pthread_equal(world->driver, pthread_self());
}

/* The thread that was woken lets the driver go on. */
static void give_back(struct world *world)
{
	if (!world->is_woken || !pthread_equal(world->woken, pthread_self()))
		return;
	world->is_woken = false;
	pthread_cond_signal(&world->idle);
}

void world_enter(struct world *world)
{
	pthread_mutex_lock(&world->lock);
}

void world_leave(struct world *world)
{
	give_back(world);
	pthread_mutex_unlock(&world->lock);
}

static bool is_due(const struct world *world, const struct world_waiter *waiter)
{
	return !waiter->woken &&
	       (waiter->ready(waiter->arg) || waiter->deadline_us <= world->now_us);
}

static struct world_waiter *first_due(const struct world *world)
{
	struct world_waiter *waiter = world->waiters;

	while (waiter && !is_due(world, waiter))
		waiter = waiter->next;
	return waiter;
}

/* One after the other; the driver's part. */
static void wake_waiters(struct world *world)
{
	struct world_waiter *waiter;

	if (!is_driver(world))
		return;
	while ((waiter = first_due(world))) {
		waiter->woken = true;
		world->woken = waiter->thread;
		world->is_woken = true;
		pthread_cond_signal(&waiter->wake);
		while (world->is_woken)
			pthread_cond_wait(&world->idle, &world->lock);
	}
}

/* ---- time ---- */

void world_turn(struct world *world)
{
	do {
		stack_advance(world->stack, world->now_us);
		stack_deliver(world->stack);
		stack_flush(world->stack);
	} while (wire_answer(&world->wire) || stack_next_us(world->stack) <= world->now_us);
	wake_waiters(world);
	if (!world->tending) {
		world->tending = true;
		files_tend(world);
		world->tending = false;
	}
}

uint64_t world_next_us(const struct world *world)
{
	uint64_t next_us = RTE_MIN(stack_next_us(world->stack), files_due_us(world));

	for (const struct world_waiter *w = world->waiters; w; w = w->next)
		if (w->deadline_us < next_us)
			next_us = w->deadline_us;
	return next_us;
}

void world_advance(struct world *world, uint64_t until_us)
{
	while (world->now_us < until_us) {
		uint64_t next_us = world_next_us(world);

		if (next_us > until_us)
			next_us = until_us;
		if (next_us > world->now_us) {
			files_spend(world, next_us - world->now_us);
			world->now_us = next_us;
		}
		world_turn(world);
	}
}

/* ---- blocking ---- */

static int run_forward(struct world *world, bool (*ready)(const void *arg), const void *arg,
		       uint64_t deadline_us)
{
	uint64_t give_up_us = world->now_us + WORLD_PATIENCE_US;

	while (!ready(arg)) {
		uint64_t next_us = world_next_us(world);

		if (world->now_us >= deadline_us)
			return -ETIMEDOUT;
		if (next_us > deadline_us)
			next_us = deadline_us;
		if (next_us > give_up_us)
			return -EDEADLK;
		world_advance(world, next_us);
	}
	return 0;
}

static void unlink_waiter(struct world *world, const struct world_waiter *waiter)
{
	struct world_waiter **link = &world->waiters;

	while (*link != waiter)
		link = &(*link)->next;
	*link = waiter->next;
}

static void sleep_until(struct world *world, bool (*ready)(const void *arg), const void *arg,
			uint64_t deadline_us)
{
	struct world_waiter waiter = {
		.next = world->waiters,
		.ready = ready,
		.arg = arg,
		.deadline_us = deadline_us,
		.thread = pthread_self(),
	};

	pthread_cond_init(&waiter.wake, NULL);
	world->waiters = &waiter;
	give_back(world);
	while (!waiter.woken)
		pthread_cond_wait(&waiter.wake, &world->lock);
	unlink_waiter(world, &waiter);
	pthread_cond_destroy(&waiter.wake);
}

int world_wait(struct world *world, bool (*ready)(const void *arg), const void *arg,
	       uint64_t deadline_us)
{
	if (ready(arg))
		return 0;
	if (is_driver(world))
		return run_forward(world, ready, arg, deadline_us);
	sleep_until(world, ready, arg, deadline_us);
	return ready(arg) ? 0 : -ETIMEDOUT;
}
