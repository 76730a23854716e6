/* SPDX-License-Identifier: BSD-3-Clause */
#include "line.h"

#include <errno.h>
#include <time.h>

#define REST_MAX_MS 5000

/* The time that the thread itself has used: what others did meanwhile is not charged. */
static uint64_t thread_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint32_t rest_ms(const struct line *line, uint64_t used_us)
{
	uint64_t ms = used_us * (100 - line->share) / line->share / 1000 + 1;

	return ms < REST_MAX_MS ? (uint32_t)ms : REST_MAX_MS;
}

static void on_timer(struct sluice_nf *nf, void *user)
{
	struct line *line = user;
	struct line_place *first = TAILQ_FIRST(&line->queue);
	struct sluice_exchange *x;
	uint64_t begin;

	(void)nf;
	if (!first)
		return;
	x = first->x;
	line_leave(line, first);
	begin = thread_us();
	line->turn(line->user, x);
	/* Also when nobody waits: who comes next finds it running. */
	sluice_timer_start(line->timer, rest_ms(line, thread_us() - begin));
}

int line_init(struct line *line, struct sluice_nf *nf, line_turn *turn, void *user)
{
	TAILQ_INIT(&line->queue);
	line->turn = turn;
	line->user = user;
	line->timer = sluice_timer_new(nf, on_timer, line);
	return line->timer ? 0 : -ENOMEM;
}

bool line_join(struct line *line, struct line_place *place, struct sluice_exchange *x)
{
	if (line->count == line->most)
		return false;
	*place = (struct line_place){.x = x, .waits = true};
	TAILQ_INSERT_TAIL(&line->queue, place, link);
	++line->count;
	if (!sluice_timer_runs(line->timer))
		sluice_timer_start(line->timer, 1);
	return true;
}

void line_leave(struct line *line, struct line_place *place)
{
	if (!place->waits)
		return;
	TAILQ_REMOVE(&line->queue, place, link);
	place->waits = false;
	--line->count;
}
