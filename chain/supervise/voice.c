/* SPDX-License-Identifier: BSD-3-Clause */
/* What a process says: that it is ready, its counters, why it cannot begin, lines for the log. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "chain/supervise/instance.h"

#define HOOKS_ALL                                                                        \
	(SLUICE_HOOKS_HTTP | SLUICE_HOOKS_TCP | SLUICE_HOOK_DONE | SLUICE_HOOK_REFUSED | \
	 SLUICE_HOOK_REPEATED)
#define MESSAGES    64  /* taken in one go */
#define LINES_BURST 200 /* of log; the host has a lower limit, but may lie */
#define LINES_RATE  100 /* per second */

void instance_log(const struct instance *i, int level, const char *format, ...)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;
	char text[SLUICE_HOST_TEXT_MAX + 64];
	va_list args;

	if (!conf->owner->log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	conf->owner->log(conf->ctx, level, i->info.function_name, text);
}

static void on_ready(struct instance *i, const struct sluice_host_ready *ready, uint64_t now_us)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;

	if (i->info.state != INSTANCE_STARTING)
		return;
	i->info.hooks = ready->hooks & HOOKS_ALL;
	i->ever_up = true;
	i->announced = true;
	i->loops = conf->workers ? link_loops(i->info.link[0]) : 0;
	i->alive_us = i->looked_us = now_us;
	for (unsigned w = 0; w < conf->workers; w++) {
		i->taken[w] = link_down_consumed(i->info.link[w]);
		i->taken_us[w] = now_us;
	}
	instance_state_set(i, INSTANCE_UP, now_us);
	conf->owner->up(conf->ctx, &i->info);
	change_ready(i, now_us);
}

static void on_counter(struct instance *i, const struct sluice_host_counter *c)
{
	if (i->info.state != INSTANCE_STARTING)
		return;
	memcpy(i->info.counter_name[c->index], c->name, sizeof(c->name));
	memcpy(i->info.counter_help[c->index], c->help, sizeof(c->help));
}

static bool line_allowed(struct instance *i, uint64_t now_us)
{
	uint64_t more = (now_us - i->lines_us) * LINES_RATE / 1000000;

	if (more) {
		more += i->lines;
		i->lines = more < LINES_BURST ? (uint32_t)more : LINES_BURST;
		i->lines_us = now_us;
	}
	if (!i->lines) {
		i->lines_dropped++;
		return false;
	}
	i->lines--;
	return true;
}

static void on_text(struct instance *i, const struct process_message *m, uint64_t now_us)
{
	if (m->kind == SLUICE_HOST_ERROR && !i->ever_up) {
		supervise_error(&i->errors, i->function, m->placed, m->text);
		return;
	}
	if (!line_allowed(i, now_us))
		return;
	if (i->lines_dropped)
		instance_log(i, 1, "%u lines were dropped", i->lines_dropped);
	i->lines_dropped = 0;
	instance_log(i, m->level > 3 ? 3 : (int)m->level, "%s", m->text);
}

static int message_take(struct instance *i, uint64_t now_us)
{
	struct process_message m;
	int rc = process_receive(&i->process, &m);

	if (rc)
		return rc == -EPROTO ? 0 : rc;
	if (m.kind == SLUICE_HOST_READY)
		on_ready(i, &m.ready, now_us);
	else if (m.kind == SLUICE_HOST_COUNTER)
		on_counter(i, &m.counter);
	else if (m.kind == SLUICE_HOST_ANSWER)
		command_answer(i, &m);
	else
		on_text(i, &m, now_us);
	return 0;
}

static void unwatch(const struct instance *i)
{
	epoll_ctl(i->supervisor->epoll_fd, EPOLL_CTL_DEL, i->process.socket, NULL);
}

void instance_messages(struct instance *i, uint64_t now_us)
{
	int rc = 0;

	for (unsigned n = 0; n < MESSAGES && !rc; n++)
		rc = message_take(i, now_us);
	if (rc == -EPIPE) {
		unwatch(i); /* it has nothing more to say; the pidfd tells when it is gone */
	} else if (i->lines_dropped && !i->muted && i->announced) {
		unwatch(i); /* it fills its socket meanwhile, and that is its own affair */
		i->muted = true;
	}
}

void instance_unmute(struct instance *i)
{
	if (i->muted && instance_watch(i, i->process.socket, false) == 0)
		i->muted = false;
}
