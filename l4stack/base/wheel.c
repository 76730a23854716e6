/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ten levels of 64 slots. A timer stands at the level of the highest six-bit digit in
 * which its due tick differs from the wheel's tick, in the slot of that digit. From this
 * follows all that the code relies on:
 *  - every slot of a level is later than the wheel's own digit there, never earlier;
 *  - a lower level that is not empty comes before every higher one;
 *  - a timer moves down at most once for each level in its life;
 *  - ten digits hold 2^60 ticks, more than 2^64 µs: no due time needs clamping.
 */
#include "l4stack/base/wheel.h"

#include <stddef.h>
#include <stdlib.h>

#define TICK_US     1000
#define DIGIT_BITS  6
#define LEVEL_SLOTS (1u << DIGIT_BITS)
#define LEVELS      10

struct wheel {
	uint64_t tick;               /* the last one reached */
	uint32_t levels_used;        /* bit n: level n has timers */
	uint64_t slots_used[LEVELS]; /* bit n: the list of slot n is not empty */
	struct wheel_timer *slots[LEVELS * LEVEL_SLOTS];
	wheel_fire_fn *fire;
	void *ctx;
};

static uint64_t due_tick(uint64_t due_us)
{
	return due_us / TICK_US + (due_us % TICK_US != 0);
}

static unsigned level_of(uint64_t tick, uint64_t due)
{
	uint64_t differ = (tick ^ due) | (LEVEL_SLOTS - 1);

	return (63u - (unsigned)__builtin_clzll(differ)) / DIGIT_BITS;
}

static void list_push(struct wheel_timer **head, struct wheel_timer *timer)
{
	timer->next = *head;
	timer->prev_link = head;
	if (*head)
		(*head)->prev_link = &timer->next;
	*head = timer;
}

static void list_remove(struct wheel_timer *timer)
{
	*timer->prev_link = timer->next;
	if (timer->next)
		timer->next->prev_link = timer->prev_link;
	timer->prev_link = NULL;
}

/* Only the first of a list is linked from the wheel itself. */
static bool is_slot(const struct wheel *wheel, struct wheel_timer *const *link)
{
	uintptr_t at = (uintptr_t)link;

	return at >= (uintptr_t)wheel->slots &&
	       at < (uintptr_t)(wheel->slots + LEVELS * LEVEL_SLOTS);
}

static void slot_mark_empty(struct wheel *wheel, unsigned index)
{
	unsigned level = index / LEVEL_SLOTS;

	wheel->slots_used[level] &= ~(1ull << (index % LEVEL_SLOTS));
	if (!wheel->slots_used[level])
		wheel->levels_used &= ~(1u << level);
}

static void slot_insert(struct wheel *wheel, struct wheel_timer *timer, uint64_t due)
{
	unsigned level = level_of(wheel->tick, due);
	unsigned slot = (due >> (level * DIGIT_BITS)) % LEVEL_SLOTS;

	list_push(&wheel->slots[level * LEVEL_SLOTS + slot], timer);
	wheel->slots_used[level] |= 1ull << slot;
	wheel->levels_used |= 1u << level;
}

/* Moves a slot's list to `head`, so that whoever fires may stop any of its members. */
static void slot_take(struct wheel *wheel, unsigned index, struct wheel_timer **head)
{
	*head = wheel->slots[index];
	wheel->slots[index] = NULL;
	if (*head)
		(*head)->prev_link = head;
	slot_mark_empty(wheel, index);
}

struct wheel *wheel_create(uint64_t now_us, wheel_fire_fn *fire, void *ctx)
{
	struct wheel *wheel = calloc(1, sizeof(*wheel));

	if (!wheel)
		return NULL;
	wheel->tick = now_us / TICK_US;
	wheel->fire = fire;
	wheel->ctx = ctx;
	return wheel;
}

void wheel_destroy(struct wheel *wheel)
{
	free(wheel);
}

void wheel_stop(struct wheel *wheel, struct wheel_timer *timer)
{
	struct wheel_timer **link = timer->prev_link;

	if (!link)
		return;
	list_remove(timer);
	if (is_slot(wheel, link) && !*link)
		slot_mark_empty(wheel, (unsigned)(link - wheel->slots));
}

void wheel_start(struct wheel *wheel, struct wheel_timer *timer, uint64_t due_us)
{
	uint64_t due = due_tick(due_us);

	wheel_stop(wheel, timer);
	timer->due_us = due_us;
	slot_insert(wheel, timer, due > wheel->tick ? due : wheel->tick + 1);
}

/* The earliest slot in use and the first tick of its span. False when there is none. */
static bool first_slot(const struct wheel *wheel, unsigned *index, uint64_t *tick)
{
	unsigned level, slot, shift;

	if (!wheel->levels_used)
		return false;
	level = (unsigned)__builtin_ctz(wheel->levels_used);
	slot = (unsigned)__builtin_ctzll(wheel->slots_used[level]);
	shift = level * DIGIT_BITS;
	*index = level * LEVEL_SLOTS + slot;
	*tick = (wheel->tick >> shift >> DIGIT_BITS << DIGIT_BITS | slot) << shift;
	return true;
}

static void slot_fire(struct wheel *wheel, unsigned index)
{
	struct wheel_timer *due;

	slot_take(wheel, index, &due);
	while (due) {
		struct wheel_timer *timer = due;

		list_remove(timer);
		wheel->fire(wheel->ctx, timer);
	}
}

/* The wheel has come to the slot's span: its timers move to lower levels. */
static void slot_cascade(struct wheel *wheel, unsigned index)
{
	struct wheel_timer *timers;

	slot_take(wheel, index, &timers);
	while (timers) {
		struct wheel_timer *timer = timers;
		uint64_t due = due_tick(timer->due_us);

		list_remove(timer);
		slot_insert(wheel, timer, due > wheel->tick ? due : wheel->tick);
	}
}

void wheel_advance(struct wheel *wheel, uint64_t now_us)
{
	uint64_t now = now_us / TICK_US, tick;
	unsigned index;

	while (first_slot(wheel, &index, &tick) && tick <= now) {
		wheel->tick = tick;
		if (index < LEVEL_SLOTS)
			slot_fire(wheel, index);
		else
			slot_cascade(wheel, index);
	}
	if (now > wheel->tick)
		wheel->tick = now;
}

uint64_t wheel_next_us(const struct wheel *wheel)
{
	uint64_t tick;
	unsigned index;

	if (!first_slot(wheel, &index, &tick))
		return UINT64_MAX;
	return tick > UINT64_MAX / TICK_US ? UINT64_MAX : tick * TICK_US;
}
