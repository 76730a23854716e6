/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of a function that runs: newcomers beside those they replace, a second of trial, and
 * the way back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/supervise/instance.h"

#define READY_US (UINT64_C(10) * 1000000) /* for newcomers to be ready */
#define TRIAL_US (UINT64_C(1) * 1000000)  /* that they must live then */

struct change {
	struct change *next;
	uint16_t function;
	const struct conf_function *to;
	uint64_t ready_by_us;
	bool over; /* the owner is to be told */
	struct conf_errors errors;
};

/* --- one instance ------------------------------------------------------------------- */

static void put_aside(struct instance *i, bool retired)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;

	i->info.state = retired ? INSTANCE_DRAINING : INSTANCE_UP; /* as long as before */
	conf->owner->retire(conf->ctx, &i->info, retired);
}

void instance_retire(struct instance *i, bool keep, uint64_t now_us)
{
	i->retired = true;
	i->kept = keep;
	if (i->info.state == INSTANCE_UP)
		put_aside(i, true);
	else if (!keep && i->info.state != INSTANCE_DRAINING)
		instance_stop(i, now_us);
	else if (i->info.state == INSTANCE_WAITING)
		i->restart_us = UINT64_MAX;
}

static void take_back(struct instance *i, uint64_t now_us)
{
	i->retired = i->kept = false;
	if (i->info.state == INSTANCE_DRAINING)
		put_aside(i, false);
	else if (i->info.state == INSTANCE_WAITING)
		i->restart_us = now_us;
}

/* The change is well: nobody will ask for it again. */
static void let_go(struct instance *i, uint64_t now_us)
{
	i->kept = false;
	if (i->info.state != INSTANCE_DRAINING)
		instance_stop(i, now_us);
}

/* --- its end ------------------------------------------------------------------------ */

static void commit(struct supervisor *s, struct change *c, uint64_t now_us)
{
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->change == c)
			i->change = NULL;
		else if (i->info.function == c->function && i->kept)
			let_go(i, now_us);
	}
	c->over = true;
}

/* `dead`: the newcomer that is gone already; NULL: none is. */
static void undo(struct supervisor *s, struct change *c, struct instance *dead, uint64_t now_us)
{
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->info.function == c->function && i->kept)
			take_back(i, now_us);
	}
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->change != c)
			continue;
		i->change = NULL;
		if (i == dead)
			i->remove = true;
		else
			instance_retire(i, false, now_us);
	}
	c->over = true;
}

void change_failed(struct instance *i, uint64_t now_us)
{
	struct change *c = i->change;
	char text[256];

	if (!c)
		return;
	for (unsigned e = 0; e < i->errors.count && e < CONF_ERRORS_MAX; e++)
		process_error_copy(&c->errors, i->errors.text[e]);
	if (i->ever_up) {
		snprintf(text, sizeof(text),
			 "its new process ended in its first second (%s); all is as it was before",
			 i->info.last_exit);
		supervise_error(&c->errors, c->to, false, text);
	}
	undo(i->supervisor, c, i, now_us);
}

void change_cancel(struct supervisor *s, uint16_t function)
{
	for (struct change *c = s->changes; c; c = c->next) {
		if (c->function != function || c->over)
			continue;
		supervise_error(&c->errors, c->to, false, "it was removed meanwhile");
		for (struct instance *i = s->instances; i; i = i->next) {
			if (i->change == c)
				i->change = NULL;
		}
		c->over = true;
	}
}

/* --- its course --------------------------------------------------------------------- */

void change_ready(struct instance *i, uint64_t now_us)
{
	if (i->retired) {
		put_aside(i, true);
		return;
	}
	if (!i->change)
		return;
	for (struct instance *o = i->supervisor->instances; o; o = o->next) {
		if (o != i && o->info.function == i->info.function &&
		    o->info.index == i->info.index && !o->retired && !o->remove)
			instance_retire(o, true, now_us);
	}
}

/* Up for long enough; but one that makes no turn of its loop now, or is being killed, is no success
 * yet. */
static bool stood_trial(const struct instance *i, uint64_t now_us)
{
	return i->info.state == INSTANCE_UP && now_us >= i->info.since_us + TRIAL_US &&
	       i->alive_us == i->looked_us && !i->reason[0];
}

static bool all_stood_trial(const struct supervisor *s, const struct change *c, uint64_t now_us)
{
	for (const struct instance *i = s->instances; i; i = i->next) {
		if (i->change == c && !stood_trial(i, now_us))
			return false;
	}
	return true;
}

static bool any_starting(const struct supervisor *s, const struct change *c)
{
	for (const struct instance *i = s->instances; i; i = i->next) {
		if (i->change == c && i->info.state == INSTANCE_STARTING)
			return true;
	}
	return false;
}

void changes_time(struct supervisor *s, uint64_t now_us)
{
	char text[64];

	for (struct change *c = s->changes; c; c = c->next) {
		if (c->over)
			continue;
		if (all_stood_trial(s, c, now_us)) {
			commit(s, c, now_us);
		} else if (now_us >= c->ready_by_us && any_starting(s, c)) {
			snprintf(text, sizeof(text), "was not ready after %u s",
				 (unsigned)(READY_US / 1000000));
			supervise_error(&c->errors, c->to, false, text);
			undo(s, c, NULL, now_us);
		}
	}
}

/* When this newcomer is to be looked at; after its first second that goes with the heartbeat. */
static uint64_t newcomer_next_us(const struct instance *i, uint64_t ready_by_us)
{
	if (i->info.state == INSTANCE_STARTING)
		return ready_by_us;
	return i->looked_us < i->info.since_us + TRIAL_US ? i->info.since_us + TRIAL_US
							  : UINT64_MAX;
}

uint64_t changes_next_us(const struct supervisor *s)
{
	uint64_t first = UINT64_MAX;

	for (const struct change *c = s->changes; c; c = c->next) {
		if (c->over)
			return 0;
		for (const struct instance *i = s->instances; i; i = i->next) {
			uint64_t us =
				i->change == c ? newcomer_next_us(i, c->ready_by_us) : UINT64_MAX;

			first = us < first ? us : first;
		}
	}
	return first;
}

static struct change *take_one_that_is_over(struct supervisor *s)
{
	struct change **at = &s->changes, *c;

	while (*at && !(*at)->over)
		at = &(*at)->next;
	c = *at;
	if (c)
		*at = c->next;
	return c;
}

static void change_free(struct change *c)
{
	conf_errors_clear(&c->errors);
	free(c);
}

/* What the owner does then may begin or end changes: the list is looked at anew each time. */
void changes_tell(struct supervisor *s)
{
	struct change *c;

	while ((c = take_one_that_is_over(s))) {
		if (s->conf.owner->changed)
			s->conf.owner->changed(s->conf.ctx, c->function, &c->errors);
		change_free(c);
	}
}

void changes_drop(struct supervisor *s)
{
	struct change *c;

	for (struct instance *i = s->instances; i; i = i->next)
		i->change = NULL;
	while ((c = s->changes)) {
		s->changes = c->next;
		change_free(c);
	}
}

/* --- its beginning ------------------------------------------------------------------ */

bool supervisor_changing(const struct supervisor *s, uint16_t id)
{
	for (const struct change *c = s->changes; c; c = c->next) {
		if (c->function == id)
			return true;
	}
	return false;
}

static int change_begin(struct supervisor *s, uint16_t id, const struct conf_function *to,
			uint64_t now_us, struct change **out)
{
	struct change *c;

	if (supervisor_changing(s, id))
		return -EBUSY;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct change){
		.next = s->changes, .function = id, .to = to, .ready_by_us = now_us + READY_US};
	*out = s->changes = c;
	return 0;
}

/* Who has that place, or had it last and still lives. */
static struct instance *at_place(const struct supervisor *s, uint16_t id, unsigned index,
				 bool retired)
{
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->info.function == id && i->info.index == index && !i->remove && !i->change &&
		    i->retired == retired)
			return i;
	}
	return NULL;
}

static int newcomer_create(struct supervisor *s, struct change *c, unsigned index)
{
	const struct instance *before = at_place(s, c->function, index, false);
	struct instance *i;
	int rc = instance_create(s, c->function, c->to, index, &i);

	if (rc)
		return rc;
	i->change = c;
	if (!before)
		return 0;
	i->info.restarts = before->info.restarts + 1;
	snprintf(i->info.last_exit, sizeof(i->info.last_exit), "%s", before->info.last_exit);
	return 0;
}

/* One that fails at once takes the others out of the change. */
static void newcomers_launch(struct supervisor *s, const struct change *c, uint64_t now_us)
{
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->change == c)
			instance_launch(i, now_us);
	}
}

/* There was no memory for all of them: none was launched. */
static void change_abandon(struct supervisor *s, struct change *c)
{
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->change == c) {
			i->change = NULL;
			i->remove = true;
		}
	}
	instances_sweep(s);
	s->changes = c->next;
	change_free(c);
}

int supervisor_upgrade(struct supervisor *s, uint16_t id, const struct conf_function *function,
		       unsigned n, uint64_t now_us)
{
	struct change *c;
	int rc = change_begin(s, id, function, now_us, &c);

	if (rc)
		return rc;
	for (unsigned index = 0; index < n && !rc; index++)
		rc = newcomer_create(s, c, index);
	if (rc)
		change_abandon(s, c);
	else
		newcomers_launch(s, c, now_us);
	return rc;
}

/* One that has not gone yet comes back: that is quicker, and it knows its streams. */
static bool take_back_place(struct supervisor *s, uint16_t id, unsigned index,
			    const struct conf_function *function, uint64_t now_us)
{
	struct instance *i = at_place(s, id, index, true);

	if (!i || i->info.state != INSTANCE_DRAINING || i->function != function)
		return false;
	take_back(i, now_us);
	return true;
}

static void retire_from(struct supervisor *s, uint16_t id, unsigned n, uint64_t now_us)
{
	for (struct instance *i = s->instances; i; i = i->next) {
		if (i->info.function == id && i->info.index >= n && !i->retired && !i->remove)
			instance_retire(i, false, now_us);
	}
	instances_sweep(s);
}

int supervisor_scale(struct supervisor *s, uint16_t id, const struct conf_function *function,
		     unsigned n, uint64_t now_us)
{
	struct change *c;
	int rc = change_begin(s, id, function, now_us, &c);

	if (rc)
		return rc;
	for (unsigned index = 0; index < n && !rc; index++) {
		if (!at_place(s, id, index, false) &&
		    !take_back_place(s, id, index, function, now_us))
			rc = newcomer_create(s, c, index);
	}
	if (rc) {
		change_abandon(s, c);
		return rc;
	}
	newcomers_launch(s, c, now_us);
	retire_from(s, id, n, now_us);
	return 0;
}
