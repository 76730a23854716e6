/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The counters of a stack, made from counters.def.
 *
 * One writer, the thread that owns the stack; any thread may read. Loads and stores are
 * relaxed and there is no read-modify-write instruction: on x86 a count is a plain add.
 */
#ifndef L4STACK_BASE_COUNTERS_H
#define L4STACK_BASE_COUNTERS_H

#include <stdint.h>

enum stack_counter {
#define COUNTER(name, unit, help) COUNTER_##name,
#include "l4stack/base/counters.def"
#undef COUNTER
	COUNTER_TOTAL,
	/* As a verdict: the packet is good, nothing to count. */
	COUNTER_NONE = COUNTER_TOTAL,
};

struct stack_counters {
#define COUNTER(name, unit, help) uint64_t name;
#include "l4stack/base/counters.def"
#undef COUNTER
};

struct counter_info {
	const char *name, *unit, *help;
};

/* By enum stack_counter. */
extern const struct counter_info stack_counter_table[COUNTER_TOTAL];

static inline uint64_t counter_read(const struct stack_counters *counters, enum stack_counter id)
{
	return __atomic_load_n((const uint64_t *)counters + id, __ATOMIC_RELAXED);
}

static inline void counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* stack_count(stack, tcp_rtos); */
#define stack_count(stack, name)        counter_add(&(stack)->counters->name, 1)
#define stack_count_add(stack, name, n) counter_add(&(stack)->counters->name, (n))

/* The same, for a reason that was found elsewhere. */
#define stack_count_id(stack, id) counter_add((uint64_t *)(stack)->counters + (id), 1)

#endif
