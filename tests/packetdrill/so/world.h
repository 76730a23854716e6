/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One stack in virtual time, with the lock that its callers share.
 *
 * Threads. The thread that made the world drives it: time passes and packets move only
 * while it is inside a function of the interface. When the driver's own call blocks,
 * it runs time forward until the call can go on. Another thread's call that blocks sleeps
 * until the driver has made happen what it waits for; then the driver stands still, at that
 * moment of virtual time, until that thread has left the library or sleeps again. So all
 * that happens, happens at an exact time and in one order.
 */
#ifndef TESTS_PACKETDRILL_SO_WORLD_H
#define TESTS_PACKETDRILL_SO_WORLD_H

#include <pthread.h>

#include "tests/packetdrill/so/eal.h"
#include "tests/packetdrill/so/wire.h"

#define WORLD_NEVER UINT64_MAX

/* What does not happen in this time will not: some timers of the stack start again for ever. */
#define WORLD_PATIENCE_US (4 * 3600 * 1000000ull)

struct file;
struct world_waiter;

/* What `flags` can set: see init.c. */
struct world_net {
	struct addr local, via;
	unsigned prefix;
};

struct world_conf {
	struct world_net ip4, ip6;
	uint16_t mtu;
	uint32_t recv_bytes, send_bytes; /* of a socket that does not say */
};

struct world {
	pthread_mutex_t lock;
	pthread_cond_t idle; /* the thread that was woken has left, or sleeps again */
	pthread_t driver, woken;
	bool is_woken;
	bool tending; /* sockets are being looked after: one that is pushed turns the world */
	struct world_waiter *waiters;
	uint64_t now_us;
	uint32_t recv_bytes, send_bytes;
	struct stack *stack;
	struct wire wire;
	struct eal_pools pools;
	struct file *files;
};

/* 0, or -errno. */
int world_create(const struct world_conf *conf, struct world **out)
	__attribute__((warn_unused_result));

/* Frees it. Mbufs that stay in use are a leak of the stack's or ours: it aborts. */
void world_destroy(struct world *world);

/* Around each call of the interface. */
void world_enter(struct world *world);
void world_leave(struct world *world);

/* Events up, segments out; then those that waited for it. */
void world_turn(struct world *world);

/* Time passes. */
void world_advance(struct world *world, uint64_t until_us);

/* When something will happen by itself; WORLD_NEVER. */
uint64_t world_next_us(const struct world *world);

/* Until `ready(arg)`, which changes nothing. 0, -ETIMEDOUT at `deadline_us`, or -EDEADLK when
 * the driver waits for what cannot come. */
int world_wait(struct world *world, bool (*ready)(const void *arg), const void *arg,
	       uint64_t deadline_us) __attribute__((warn_unused_result));

/* Packets may come for any address, and any may be bound: it becomes one of ours. */
void world_adopt(struct world *world, const struct addr *addr);

#endif
