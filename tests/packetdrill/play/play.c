/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/play/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/packetdrill/play/report.h"

#define NAP_US  1000000000 /* useconds_t has 32 bits */
#define STEP_US 1000       /* while a call blocks: it must not return unseen */

int64_t play_now_us(struct play *play)
{
	struct timeval tv;

	play->stack.gettimeofday(play->stack.userdata, &tv, NULL);
	return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec - play->start_us;
}

/* ---- times ---- */

void play_check_time(const struct play *play, const struct when *when, int64_t base_us,
		     int64_t at_us, const char *what)
{
	int64_t slack = play->script->tolerance_us;

	if (when->kind == WHEN_ANY)
		return;
	if (at_us >= base_us + when->from_us - slack && at_us <= base_us + when->to_us + slack)
		return;
	if (when->is_range)
		fail("%s was due at %.6f to %.6f, and came at %.6f (%+.6f)", what,
		     (double)(base_us + when->from_us) / 1e6, (double)(base_us + when->to_us) / 1e6,
		     (double)at_us / 1e6, (double)(at_us - base_us) / 1e6);
	fail("%s was due at %.6f, and came at %.6f (%+.6f)", what,
	     (double)(base_us + when->from_us) / 1e6, (double)at_us / 1e6,
	     (double)(at_us - base_us) / 1e6);
}

static void sleep_us(struct play *play, int64_t us)
{
	for (; us > 0; us -= NAP_US)
		play->stack.usleep(play->stack.userdata, (useconds_t)(us < NAP_US ? us : NAP_US));
}

static void pass_until(struct play *play, int64_t due_us)
{
	int64_t now_us = play_now_us(play);

	while (play->blocked.running && now_us < due_us) {
		sleep_us(play, due_us - now_us < STEP_US ? due_us - now_us : STEP_US);
		play_settle(play);
		now_us = play_now_us(play);
	}
	sleep_us(play, due_us - now_us);
}

/* ---- the call that blocks ---- */

static char thread_state(int tid)
{
	char path[64], line[256] = "";
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return 'X';
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	end = strrchr(line, ')');
	return end ? end[2] : '?';
}

static void *thread_main(void *arg)
{
	struct play_thread *blocked = arg;

	blocked->tid = (int)syscall(SYS_gettid);
	blocked->result = call_run(blocked->play, blocked->event->call);
	blocked->done = true;
	return NULL;
}

static void thread_end(struct play *play)
{
	struct play_thread *blocked = &play->blocked;
	struct when when = {.from_us = blocked->end_us, .to_us = blocked->end_us};
	int line = report.line;

	pthread_join(blocked->thread, NULL);
	blocked->running = false;
	report.line = blocked->event->line;
	call_check(play, blocked->event, &blocked->result);
	play_check_time(play, &when, 0, blocked->result.end_us, "the end of the call");
	report.line = line;
}

/* Until the thread sleeps inside the stack, or has come back from it. */
void play_settle(struct play *play)
{
	struct play_thread *blocked = &play->blocked;

	if (!blocked->running)
		return;
	while (!blocked->done && (!blocked->tid || thread_state(blocked->tid) != 'S'))
		sched_yield();
	if (blocked->done)
		thread_end(play);
}

static void thread_begin(struct play *play, const struct event *event, int64_t base_us)
{
	struct play_thread *blocked = &play->blocked;

	if (blocked->running)
		fail("only one call at a time may block");
	memset(blocked, 0, sizeof(*blocked));
	blocked->play = play;
	blocked->event = event;
	blocked->end_us = base_us + (int64_t)(event->call->end_s * 1e6);
	if (pthread_create(&blocked->thread, NULL, thread_main, blocked))
		fail("no thread for a call that blocks");
	blocked->running = true;
	play_settle(play);
}

/* ---- events ---- */

/* Packets we send are as far from each other as the script says, whatever the calls between
 * their times took. */
static int64_t base_of(struct play *play, const struct event *event)
{
	return event->when.kind == WHEN_ABSOLUTE || !play->last ? 0 : play->last_us;
}

static void play_call_event(struct play *play, const struct event *event, int64_t base_us)
{
	struct call_result result;

	if (event->call->blocks) {
		thread_begin(play, event, base_us);
		return;
	}
	result = call_run(play, event->call);
	call_check(play, event, &result);
}

static void play_event(struct play *play, const struct event *event)
{
	int64_t base_us = base_of(play, event);

	report.line = event->line;
	play->event = event;
	if (event->when.kind != WHEN_ANY)
		pass_until(play, base_us + event->when.from_us);
	if (event->kind == EVENT_PACKET && event->packet->outbound) {
		play_packet_out(play, event, base_us);
	} else {
		play->last_us = event->when.kind == WHEN_ANY ? play_now_us(play)
							     : base_us + event->when.from_us;
		if (event->kind == EVENT_PACKET)
			play_packet_in(play, event->packet);
		else if (event->kind == EVENT_CALL)
			play_call_event(play, event, base_us);
		else
			play_code(play, event->code);
	}
	play_settle(play);
	play->last = event;
}

void play_script(struct play *play)
{
	play->start_us = 0;
	play->start_us = play_now_us(play);
	flows_init(&play->flows, play->script);
	for (const struct event *event = play->script->events; event; event = event->next)
		play_event(play, event);
	if (play->blocked.running)
		fail("the call of line %d still blocks", play->blocked.event->line);
	play_no_packet_left(play, play_now_us(play));
}
