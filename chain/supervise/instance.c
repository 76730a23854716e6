/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/supervise/instance.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define STOP_US    (UINT64_C(1) * 1000000) /* from SIGTERM to SIGKILL */
#define BACKOFF_US UINT64_C(10000)
#define SETTLED_US (UINT64_C(1) * 1000000) /* who lived that long is started again at once */
#define WORTH      16 /* a life so many times the wait before it makes the next one short again */
#define BEAT_US    UINT64_C(100000) /* how often the heartbeat is looked at, at the least */

void instance_state_set(struct instance *i, enum instance_state state, uint64_t now_us)
{
	i->info.state = state;
	i->info.since_us = now_us;
}

/* In the order of places, a newcomer before the one that has its place. */
static struct instance **place_in_list(struct supervisor *s, uint16_t function_id, unsigned index)
{
	struct instance **at = &s->instances, **end;

	while (*at && (*at)->info.function != function_id)
		at = &(*at)->next;
	for (end = at; *end && (*end)->info.function == function_id; end = &(*end)->next)
		if ((*end)->info.index >= index)
			break;
	return end;
}

int instance_create(struct supervisor *s, uint16_t function_id,
		    const struct conf_function *function, unsigned index, struct instance **out)
{
	struct instance *i = calloc(1, sizeof(*i)), **at = place_in_list(s, function_id, index);

	if (!i)
		return -ENOMEM;
	i->supervisor = s;
	i->function = function;
	i->key = ++s->keys;
	i->process = PROCESS_NONE;
	i->info.function = function_id;
	i->info.function_name = function->name;
	i->info.cpu = function->cpu;
	i->info.plugin = function->plugin;
	i->info.index = index;
	i->info.state = INSTANCE_WAITING;
	i->next = *at;
	*at = i;
	*out = i;
	return 0;
}

void instance_free(struct instance *i)
{
	struct instance **at = &i->supervisor->instances;

	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	conf_errors_clear(&i->errors);
	free(i);
}

void instances_sweep(struct supervisor *s)
{
	struct instance *next;

	for (struct instance *i = s->instances; i; i = next) {
		next = i->next;
		if (i->remove && !i->process.pid)
			instance_free(i);
	}
}

/* --- death ------------------------------------------------------------------------- */

static void owner_down(struct instance *i)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;

	command_failed(i, "ended before it answered");
	if (i->announced)
		conf->owner->down(conf->ctx, &i->info);
	i->announced = false;
}

void instance_stop(struct instance *i, uint64_t now_us)
{
	i->remove = true;
	if (i->info.state == INSTANCE_STOPPING || !i->process.pid)
		return;
	instance_state_set(i, INSTANCE_STOPPING, now_us);
	i->deadline_us = now_us + STOP_US;
	owner_down(i);
	process_signal(&i->process, SIGTERM);
}

void instance_kill(struct instance *i, const char *reason)
{
	snprintf(i->reason, sizeof(i->reason), "%s", reason);
	process_signal(&i->process, SIGKILL);
}

/* Dead before it was ever up: its own words are the reason, or there are none. */
static void stillborn(struct instance *i)
{
	char text[256];

	if (i->errors.count)
		return;
	snprintf(text, sizeof(text), "plugin %s ended before it was ready: %s", i->info.plugin,
		 i->info.last_exit);
	supervise_error(&i->errors, i->function, false, text);
}

static uint64_t backoff_after(uint64_t before_us, uint64_t lived_us)
{
	if (lived_us >= SETTLED_US && lived_us >= WORTH * before_us)
		return 0;
	if (lived_us >= WORTH * before_us)
		return BACKOFF_US;
	return 2 * before_us < INSTANCE_BACKOFF_MAX_US ? 2 * before_us : INSTANCE_BACKOFF_MAX_US;
}

static void wait_for_next_life(struct instance *i, uint64_t lived_us, uint64_t now_us)
{
	i->backoff_us = backoff_after(i->backoff_us, lived_us);
	i->restart_us = i->kept ? UINT64_MAX : now_us + i->backoff_us;
	instance_state_set(i, INSTANCE_WAITING, now_us);
	if (i->kept)
		return;
	instance_log(i, 1, "instance %u ended: %s; starts again in %u ms", i->info.index,
		     i->info.last_exit, (unsigned)(i->backoff_us / 1000));
}

void instance_buried(struct instance *i, const char *how, uint64_t now_us)
{
	uint64_t lived_us = i->info.state == INSTANCE_UP ? now_us - i->info.since_us : 0;

	snprintf(i->info.last_exit, sizeof(i->info.last_exit), "%s",
		 i->reason[0] ? i->reason : how);
	if (i->info.state != INSTANCE_STOPPING)
		instance_messages(i, now_us);
	if (!i->ever_up && !i->remove)
		stillborn(i);
	change_failed(i, now_us); /* before the owner looks for another that takes over */
	owner_down(i);
	instance_belongings_free(i);
	i->remove = i->remove || (i->retired && !i->kept);
	if (i->remove || !i->ever_up)
		instance_state_set(i, INSTANCE_FAILED, now_us);
	else
		wait_for_next_life(i, lived_us, now_us);
}

/* --- time -------------------------------------------------------------------------- */

static bool asleep_with_nothing(const struct instance *i)
{
	for (unsigned w = 0; w < i->supervisor->conf.workers; w++) {
		if (link_depth(i->info.link[w]) || !link_nf_sleeps(i->info.link[w]))
			return false;
	}
	return true;
}

/*
 * A function may leave its ring alone while its answers wait for room: the worker takes them, and
 * then it goes on. With no answer under way it has no reason to.
 */
static bool leaves_ring(const struct link *link, uint32_t seen)
{
	return link_depth(link) && !link_up_depth(link) && link_down_consumed(link) == seen;
}

/* What every worker sent it is taken in time. */
static void appetite(struct instance *i, uint64_t now_us)
{
	char reason[64];

	for (unsigned w = 0; w < i->supervisor->conf.workers; w++) {
		struct link *link = i->info.link[w];

		if (!leaves_ring(link, i->taken[w])) {
			i->taken[w] = link_down_consumed(link);
			i->taken_us[w] = now_us;
		} else if (now_us - i->taken_us[w] >= (uint64_t)i->function->hang_ms * 1000) {
			snprintf(reason, sizeof(reason), "took nothing from its ring for %u ms",
				 i->function->hang_ms);
			instance_kill(i, reason);
			i->taken_us[w] = now_us;
			return;
		}
	}
}

static void heartbeat(struct instance *i, uint64_t now_us)
{
	uint64_t loops = i->supervisor->conf.workers ? link_loops(i->info.link[0]) : 0;
	char reason[64];

	if (loops != i->loops || asleep_with_nothing(i)) {
		i->loops = loops;
		i->alive_us = now_us;
		appetite(i, now_us);
	} else if (now_us - i->alive_us >= (uint64_t)i->function->hang_ms * 1000) {
		snprintf(reason, sizeof(reason), "no turn of its loop for %u ms",
			 i->function->hang_ms);
		instance_kill(i, reason);
		i->alive_us = now_us;
	}
	i->looked_us = now_us;
	command_time(i, now_us);
	instance_unmute(i);
}

static void drained(struct instance *i, uint64_t now_us)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;

	if (!i->kept && !conf->owner->bound(conf->ctx, &i->info))
		instance_stop(i, now_us);
}

void instance_time(struct instance *i, uint64_t now_us)
{
	switch (i->info.state) {
	case INSTANCE_STARTING:
		if (now_us < i->deadline_us)
			break;
		instance_kill(i, "not ready after 30000 ms");
		i->deadline_us = UINT64_MAX;
		break;
	case INSTANCE_UP:
		heartbeat(i, now_us);
		break;
	case INSTANCE_DRAINING:
		heartbeat(i, now_us);
		drained(i, now_us);
		break;
	case INSTANCE_STOPPING:
		if (now_us < i->deadline_us)
			break;
		process_signal(&i->process, SIGKILL);
		i->deadline_us = UINT64_MAX;
		break;
	case INSTANCE_WAITING:
		if (now_us < i->restart_us)
			break;
		i->info.restarts++;
		instance_launch(i, now_us);
		break;
	case INSTANCE_FAILED:
		break;
	}
}

static uint64_t beat_us(const struct instance *i)
{
	uint64_t quarter = (uint64_t)i->function->hang_ms * 1000 / 4;

	return quarter < BEAT_US ? quarter : BEAT_US;
}

uint64_t instance_next_us(const struct instance *i)
{
	switch (i->info.state) {
	case INSTANCE_STARTING:
	case INSTANCE_STOPPING:
		return i->deadline_us;
	case INSTANCE_UP:
	case INSTANCE_DRAINING:
		return i->looked_us + beat_us(i);
	case INSTANCE_WAITING:
		return i->restart_us;
	case INSTANCE_FAILED:
		break;
	}
	return UINT64_MAX;
}
