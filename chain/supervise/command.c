/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands to a function: every process of it is told, and each answers, fails to in time, or dies.
 * A process has one command at a time; what it says to an earlier one is nobody's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/supervise/instance.h"

#define ANSWER_US (UINT64_C(5) * 1000000)

/* The owner hears of it once. */
static void over(struct instance *i, int rc, const char *text, size_t len)
{
	const struct supervisor_conf *conf = &i->supervisor->conf;
	struct instance_command command = i->command;

	i->command = (struct instance_command){0};
	conf->owner->answered(conf->ctx, &i->info, command.token, rc, text, len);
	free(command.text);
}

void command_failed(struct instance *i, const char *why)
{
	if (i->command.number)
		over(i, -EPIPE, why, strlen(why));
}

void command_time(struct instance *i, uint64_t now_us)
{
	if (i->command.number && now_us >= i->command.deadline_us)
		command_failed(i, "did not answer within 5 s");
}

static int keep(struct instance_command *command, const char *text, size_t len)
{
	char *grown;

	if (len > SLUICE_HOST_ANSWER_MAX - command->len)
		return -EPROTO;
	grown = realloc(command->text, command->len + len + 1);
	if (!grown)
		return -ENOMEM;
	memcpy(grown + command->len, text, len);
	command->text = grown;
	command->len += len;
	return 0;
}

void command_answer(struct instance *i, const struct process_message *m)
{
	struct instance_command *command = &i->command;

	if (!command->number || m->number != command->number)
		return;
	if (keep(command, m->text, m->len))
		command_failed(i, "its answer is too long");
	else if (m->flags & SLUICE_HOST_ANSWER_END)
		over(i, m->flags & SLUICE_HOST_ANSWER_FAILED ? -EINVAL : 0, command->text,
		     command->len);
}

/* --- telling ----------------------------------------------------------------------- */

/* Those that are about to end keep nothing that matters. */
static bool is_told(const struct instance *i, uint16_t function)
{
	return i->info.function == function && i->announced && !i->retired;
}

static bool any_busy(const struct supervisor *s, uint16_t function)
{
	for (const struct instance *i = s->instances; i; i = i->next)
		if (is_told(i, function) && i->command.number)
			return true;
	return false;
}

static void tell(struct instance *i, uint64_t token, const char *words, size_t bytes,
		 uint64_t now_us)
{
	uint32_t number = ++i->supervisor->commands;
	int rc;

	if (!number) /* which means that there is none */
		number = ++i->supervisor->commands;
	i->command = (struct instance_command){
		.number = number, .token = token, .deadline_us = now_us + ANSWER_US};
	rc = process_command(&i->process, number, words, bytes);
	if (rc)
		command_failed(i, strerror(-rc));
}

static unsigned count_told(const struct supervisor *s, uint16_t function)
{
	unsigned count = 0;

	for (const struct instance *i = s->instances; i; i = i->next)
		count += is_told(i, function);
	return count;
}

int supervisor_command(struct supervisor *s, uint16_t function, uint64_t token, const char *words,
		       size_t bytes, uint64_t now_us)
{
	unsigned count = count_told(s, function);

	if (bytes > SLUICE_HOST_COMMAND_MAX)
		return -E2BIG;
	if (any_busy(s, function))
		return -EBUSY;
	for (struct instance *i = s->instances; i; i = i->next)
		if (is_told(i, function))
			tell(i, token, words, bytes, now_us);
	return (int)count;
}
