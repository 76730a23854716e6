/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands from the manager: one at a time, run between two turns of the loop. The answer goes out
 * as the socket has room; nothing waits for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/host.h"

void host_command_keep(struct host *host, const struct sluice_host_command *message)
{
	struct host_command *c = &host->command;
	size_t before = offsetof(struct sluice_host_command, text);

	if (c->waits || c->answer)
		return; /* the manager has given up the one before: so does it with this one */
	c->number = message->number;
	c->bytes = message->header.bytes - before;
	memcpy(c->words, message->text, c->bytes);
	c->waits = true;
}

static void answer_begin(struct host_command *c, int rc, char *answer)
{
	if (!answer)
		rc = -ENOMEM;
	c->failed = rc != 0;
	c->answer = answer ? answer : strdup("no memory");
	c->len = c->answer ? strlen(c->answer) : 0;
	c->sent = 0;
}

static void answer_end(struct host_command *c)
{
	free(c->answer);
	c->answer = NULL;
}

static void answer_send(struct host_command *c)
{
	bool end;
	int rc;

	do {
		size_t left = c->len - c->sent;
		size_t n = left < SLUICE_HOST_TEXT_MAX ? left : SLUICE_HOST_TEXT_MAX;
		uint32_t flags = c->failed ? SLUICE_HOST_ANSWER_FAILED : 0;

		end = n == left;
		rc = say_answer(c->number, flags | (end ? SLUICE_HOST_ANSWER_END : 0),
				c->answer + c->sent, n);
		c->sent += rc ? 0 : n;
	} while (!rc && !end);
	if (rc != -EAGAIN)
		answer_end(c);
}

bool host_command_turn(struct host *host)
{
	struct host_command *c = &host->command;
	char *answer;
	int rc;

	if (!c->waits && !c->answer)
		return false;
	if (c->waits) {
		c->waits = false;
		rc = nf_command(host->nf, c->words, c->bytes, &answer);
		answer_begin(c, rc, answer);
	}
	if (c->answer)
		answer_send(c);
	return true;
}

bool host_command_waits(const struct host *host)
{
	return host->command.waits || host->command.answer;
}
