/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exchanges in line for a connection, while the limits of their group or its servers are reached:
 * first come, first served in each worker. Whoever gives a connection back wakes the first one;
 * other workers do so without knowing of us, so the lines are also looked at from time to time.
 */
#include "chain/engine/answer.h"
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"

#define LOOK_MS 5

static struct exchange_queue *line_of(struct exchange *x)
{
	return &x->engine->line[x->origin.group];
}

static void line_look(struct timer *timer)
{
	struct engine *engine = timer_owner(timer, struct engine, line_timer);

	for (uint16_t g = 0; engine->in_line && upstreams_group(engine->env.upstreams, g); g++)
		line_wake(engine, g);
	if (engine->in_line)
		timer_start_ms(&engine->timers, timer, LOOK_MS);
}

void lines_open(struct engine *engine)
{
	engine->line_timer.fire = line_look;
	for (unsigned g = 0; g < SLUICE_GROUPS_MAX; g++)
		TAILQ_INIT(&engine->line[g]);
}

void line_enter(struct exchange *x)
{
	struct engine *engine = x->engine;

	if (!upstreams_pend(engine->env.upstreams, x->origin.group)) {
		engine_count(engine, line_refused);
		ending_why(x, SLUICE_ENDING_NO_SERVER);
		instead_offer(x, 503);
		return;
	}
	engine_count(engine, line_entered);
	x->pending = true;
	TAILQ_INSERT_TAIL(line_of(x), x, waits);
	engine->in_line++;
	exchange_phase(x, PHASE_CONNECT);
	if (!wheel_timer_running(&engine->line_timer.wheel))
		timer_start_ms(&engine->timers, &engine->line_timer, LOOK_MS);
}

void line_leave(struct exchange *x)
{
	if (!x->pending)
		return;
	x->pending = false;
	TAILQ_REMOVE(line_of(x), x, waits);
	x->engine->in_line--;
	upstreams_unpend(x->engine->env.upstreams, x->origin.group);
}

void line_wake(struct engine *engine, uint16_t group)
{
	struct exchange *x = TAILQ_FIRST(&engine->line[group]);

	if (x)
		exchange_ready(x);
}

void line_timeout(struct exchange *x)
{
	engine_count(x->engine, line_timeouts);
	ending_why(x, SLUICE_ENDING_NO_SERVER);
	instead_offer(x, 503);
}
