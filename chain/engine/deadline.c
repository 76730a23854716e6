/* SPDX-License-Identifier: BSD-3-Clause */
/* How long an exchange may stay in each of its phases without progress, and what happens then. */
#include "chain/engine/answer.h"
#include "chain/engine/body.h"
#include "chain/engine/client.h"
#include "chain/engine/exchange.h"
#include "chain/engine/origin.h"
#include "chain/engine/stream.h"

static uint32_t response_timeout_ms(const struct exchange *x)
{
	const struct upstream_group *group =
		upstreams_group(x->engine->env.upstreams, x->origin.group);

	if (x->how.first_byte_ms)
		return x->how.first_byte_ms;
	return __atomic_load_n(&group->response_timeout_ms, __ATOMIC_RELAXED);
}

static uint32_t pending_timeout_ms(const struct exchange *x)
{
	const struct upstream_group *group =
		upstreams_group(x->engine->env.upstreams, x->origin.group);

	return __atomic_load_n(&group->pending_timeout_ms, __ATOMIC_RELAXED);
}

static uint32_t body_timeout_ms(const struct exchange *x)
{
	return x->how.idle_ms ? x->how.idle_ms : x->chain->body_timeout_ms;
}

/* How long the function that has its head may take, or the client whose early bytes it wants. */
static uint32_t hold_ms(const struct exchange *x)
{
	bool at_one = x->stage >= 0 && x->stage < x->chain->path_length;

	if (x->early_wanted)
		return x->chain->head_timeout_ms;
	return at_one ? x->chain->path[x->stage]->hold_ms : ENGINE_HOLD_MS;
}

/* How long it may stay in this phase without progress. */
static uint32_t limit_ms(const struct exchange *x)
{
	switch ((enum phase)x->phase) {
	case PHASE_WAIT:
		return body_ended(x, REQUEST) ? response_timeout_ms(x) : body_timeout_ms(x);
	case PHASE_BODY:
	case PHASE_DRAIN:
		return body_timeout_ms(x);
	case PHASE_TUNNEL:
		return x->chain->tunnel_timeout_ms;
	default:
		return x->pending ? pending_timeout_ms(x) : hold_ms(x);
	}
}

static uint64_t due_us(const struct exchange *x)
{
	return x->progress_us + (uint64_t)limit_ms(x) * 1000;
}

/* When all of it must be over; a tunnel has no such bound. */
static uint64_t total_due_us(const struct exchange *x)
{
	if (!x->how.total_ms || x->phase == PHASE_TUNNEL)
		return UINT64_MAX;
	return x->began_us + (uint64_t)x->how.total_ms * 1000;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void deadline_arm(struct exchange *x)
{
	uint64_t due;

	x->unarmed = false;
	due = earlier(earlier(due_us(x), total_due_us(x)), hedge_due_us(x));

	timer_start(&x->engine->timers, &x->timer, earlier(due, limits_rate_us(x)));
}

/* --- too long -------------------------------------------------------------------- */

static bool waits_for_instance(const struct exchange *x)
{
	for (uint8_t i = 0; i < x->chain->path_length; i++)
		if (x->hop[i].queued == &x->chain->path[i]->orphans)
			return true;
	return false;
}

static void timed_out(struct exchange *x)
{
	struct engine *engine = x->engine;

	if (x->pending) {
		line_timeout(x);
		return;
	}
	switch ((enum phase)x->phase) {
	case PHASE_WAIT:
		origin_timeout(x);
		return;
	case PHASE_BODY:
		engine_count(engine, timeouts_body);
		ending_why(x, x->answered ? SLUICE_ENDING_CLIENT_TIMEOUT
					  : SLUICE_ENDING_FUNCTION_TIMEOUT);
		if (x->answered) /* who does not read is not waited for any longer */
			exchange_end(x, CLIENT_RESET, true);
		else
			exchange_fail(x, 504);
		return;
	case PHASE_DRAIN:
		exchange_end(x, CLIENT_END, x->failed);
		return;
	case PHASE_TUNNEL:
		tunnel_timeout(x);
		return;
	default:
		if (x->early_wanted)
			engine_count(engine, timeouts_head);
		else
			engine_count(engine, timeouts_function);
		ending_why(x, x->early_wanted         ? SLUICE_ENDING_CLIENT_TIMEOUT
			      : waits_for_instance(x) ? SLUICE_ENDING_FUNCTION_FAILED
						      : SLUICE_ENDING_FUNCTION_TIMEOUT);
		exchange_fail(x, waits_for_instance(x) ? 503 : 504);
		return;
	}
}

static void took_too_long(struct exchange *x)
{
	engine_count(x->engine, timeouts_total);
	ending_why(x, SLUICE_ENDING_ORIGIN_TIMEOUT);
	if (x->phase == PHASE_CONNECT || x->phase == PHASE_WAIT)
		instead_offer(x, 504);
	else
		exchange_fail(x, 504);
}

static void too_slow(struct exchange *x)
{
	engine_count(x->engine, timeouts_rate);
	ending_why(x, SLUICE_ENDING_CLIENT_SLOW);
	if (x->answered)
		exchange_end(x, CLIENT_RESET, true);
	else
		exchange_fail(x, 408);
}

/* Progress only notes its time; the timer finds out how long ago that was. */
void deadline_passed(struct timer *timer)
{
	struct exchange *x = timer_owner(timer, struct exchange, timer);

	if (!exchange_alive(x))
		return;
	if (hedge_due_us(x) <= x->engine->timers.now_us)
		hedge_begin(x);
	if (total_due_us(x) <= x->engine->timers.now_us)
		took_too_long(x);
	else if (due_us(x) <= x->engine->timers.now_us)
		timed_out(x);
	else if (limits_too_slow(x))
		too_slow(x);
	else
		deadline_arm(x);
}
