/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>

#include "dataplane/cycles.h"
#include "dataplane/daemon.h"
#include "dataplane/rows.h"
#include "dataplane/show.h"
#include "mgmt/ctl/views.h"

static const struct {
	const char *name, *help;
} stages[] = {
#define X(stage, name, help) {name, help},
	CYCLES_STAGES(X)
#undef X
};

/* One worker's counters at a moment. */
struct reading {
	uint64_t busy, idle, measured, turns;
	uint64_t stage[CYCLES_COUNT];
};

static uint64_t load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void reading_take(const struct worker_load *from, struct reading *r)
{
	*r = (struct reading){.busy = load(&from->busy_cycles),
			      .idle = load(&from->idle_cycles),
			      .turns = load(&from->cycles.turns)};
	for (unsigned i = 0; i < CYCLES_COUNT; i++) {
		r->stage[i] = load(&from->cycles.stage[i]);
		r->measured += r->stage[i];
	}
}

static void add_row(struct rows *rows, unsigned cpu, const struct reading *r, const char *stage,
		    double cycles, double per_turn, const char *help)
{
	struct view_cycle *v = rows_add(rows);
	double all = (double)(r->busy + r->idle);

	if (!v)
		return;
	*v = (struct view_cycle){
		.cpu = cpu,
		.stage = stage,
		.share = all > 0 ? 100.0 * cycles / all : 0,
		.cycles = (int64_t)cycles,
		.per_turn = (int64_t)per_turn,
		.help = help,
	};
}

/* Of the turns that were measured the share of each stage, of all turns that worked the whole. */
static void add_worker(struct rows *rows, struct worker *w)
{
	struct reading r;

	reading_take(worker_load(w), &r);
	for (unsigned i = 0; i < CYCLES_COUNT; i++) {
		double part = r.measured ? (double)r.stage[i] / (double)r.measured : 0;
		double per_turn = r.turns ? (double)r.stage[i] / (double)r.turns : 0;

		add_row(rows, worker_cpu(w), &r, stages[i].name, part * (double)r.busy, per_turn,
			stages[i].help);
	}
	add_row(rows, worker_cpu(w), &r, "idle", (double)r.idle, 0,
		"turns that found nothing; sleep is not in here");
}

json_t *show_cycles(struct daemon *d)
{
	struct rows rows = ROWS(struct view_cycle);

	for (unsigned i = 0; i < d->set.count; i++)
		add_worker(&rows, d->set.worker[i]);
	return rows_finish(&rows, &view_of_cycle);
}
