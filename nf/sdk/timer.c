/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers of a function: a heap of those that run, soonest first, and a list of all.
 *
 * There is room in the heap for every timer that was made, so that starting one cannot fail.
 */
#include <stdlib.h>

#include "nf/sdk/core.h"

#define IDLE UINT32_MAX

struct sluice_timer {
	LIST_ENTRY(sluice_timer) link;
	struct sluice_nf *nf;
	sluice_timer_fn *fn;
	void *user;
	uint64_t due_us, every_us; /* 0: once */
	uint32_t place;            /* in the heap; IDLE: it does not run */
};

/* --- the heap ---------------------------------------------------------------------- */

static void put_at(struct nf_timers *t, uint32_t place, struct sluice_timer *timer)
{
	t->heap[place] = timer;
	timer->place = place;
}

static void sift_up(struct nf_timers *t, uint32_t place, struct sluice_timer *timer)
{
	for (; place && t->heap[(place - 1) / 2]->due_us > timer->due_us; place = (place - 1) / 2)
		put_at(t, place, t->heap[(place - 1) / 2]);
	put_at(t, place, timer);
}

static void sift_down(struct nf_timers *t, uint32_t place, struct sluice_timer *timer)
{
	uint32_t child;

	while ((child = place * 2 + 1) < t->running) {
		if (child + 1 < t->running && t->heap[child + 1]->due_us < t->heap[child]->due_us)
			child++;
		if (t->heap[child]->due_us >= timer->due_us)
			break;
		put_at(t, place, t->heap[child]);
		place = child;
	}
	sift_up(t, place, timer);
}

static bool heap_grow(struct nf_timers *t)
{
	uint32_t room = t->room ? t->room * 2 : 16;
	struct sluice_timer **grown = realloc(t->heap, room * sizeof(*grown));

	if (!grown)
		return false;
	t->heap = grown;
	t->room = room;
	return true;
}

/* --- one timer --------------------------------------------------------------------- */

struct sluice_timer *sluice_timer_new(struct sluice_nf *nf, sluice_timer_fn *fn, void *user)
{
	struct nf_timers *t = &nf->timers;
	struct sluice_timer *timer;

	if (t->count == t->room && !heap_grow(t))
		return NULL;
	timer = malloc(sizeof(*timer));
	if (!timer)
		return NULL;
	*timer = (struct sluice_timer){.nf = nf, .fn = fn, .user = user, .place = IDLE};
	LIST_INSERT_HEAD(&t->all, timer, link);
	t->count++;
	return timer;
}

void sluice_timer_stop(struct sluice_timer *timer)
{
	struct nf_timers *t = &timer->nf->timers;
	uint32_t place = timer->place;

	if (place == IDLE)
		return;
	timer->place = IDLE;
	if (place < --t->running)
		sift_down(t, place, t->heap[t->running]);
}

void sluice_timer_free(struct sluice_timer *timer)
{
	if (!timer)
		return;
	sluice_timer_stop(timer);
	LIST_REMOVE(timer, link);
	timer->nf->timers.count--;
	free(timer);
}

static void run_at(struct sluice_timer *timer, uint64_t due_us)
{
	struct nf_timers *t = &timer->nf->timers;

	sluice_timer_stop(timer);
	timer->due_us = due_us;
	sift_up(t, t->running++, timer);
}

/* Never due in the turn in which it was started: a timer that starts itself ends that turn. */
static uint64_t length_us(uint32_t ms)
{
	return ms ? (uint64_t)ms * 1000 : 1;
}

void sluice_timer_start(struct sluice_timer *timer, uint32_t ms)
{
	timer->every_us = 0;
	run_at(timer, timer->nf->now_us + length_us(ms));
}

void sluice_timer_repeat(struct sluice_timer *timer, uint32_t ms)
{
	timer->every_us = (uint64_t)(ms ? ms : 1) * 1000;
	run_at(timer, timer->nf->now_us + timer->every_us);
}

bool sluice_timer_runs(const struct sluice_timer *timer)
{
	return timer->place != IDLE;
}

/* --- all of them ------------------------------------------------------------------- */

/* A beat that was missed is not made up for. */
static void fire(struct sluice_timer *timer, uint64_t now_us)
{
	uint64_t next = timer->due_us + timer->every_us;

	if (!timer->every_us)
		sluice_timer_stop(timer);
	else
		run_at(timer, next > now_us ? next : now_us + timer->every_us);
	timer->fn(timer->nf, timer->user); /* which may free it */
}

bool nf_timers_run(struct sluice_nf *nf)
{
	struct nf_timers *t = &nf->timers;
	bool any = false;

	while (t->running && t->heap[0]->due_us <= nf->now_us) {
		fire(t->heap[0], nf->now_us);
		any = true;
	}
	return any;
}

uint64_t nf_timers_next_us(const struct sluice_nf *nf)
{
	return nf->timers.running ? nf->timers.heap[0]->due_us : UINT64_MAX;
}

void nf_timers_free(struct sluice_nf *nf)
{
	while (!LIST_EMPTY(&nf->timers.all))
		sluice_timer_free(LIST_FIRST(&nf->timers.all));
	free(nf->timers.heap);
}
