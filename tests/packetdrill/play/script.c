/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/play/script.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/packetdrill/play/lex.h"
#include "tests/packetdrill/play/report.h"

#define TOLERANCE_US 1500
#define REMOTE_ISN   0xfffff000u /* numbers pass zero soon */

/* ---- settings ---- */

static char *setting_value(struct lex *lex)
{
	const char *start = lex->at;
	size_t len = strcspn(start, " \t\r\n");
	char *value = keep(len + 1);

	memcpy(value, start, len);
	lex->at += len;
	lex_next(lex);
	return value;
}

static void take_setting(struct script *script, const char *name, char *value)
{
	if (!strcmp(name, "tolerance_usecs"))
		sscanf(value, "%ld", &script->tolerance_us);
	else if (!strcmp(name, "local_ip"))
		script->local = value;
	else if (!strcmp(name, "remote_ip"))
		script->remote = value;
	else if (!strcmp(name, "remote_isn"))
		sscanf(value, "%u", &script->remote_isn);
	else if (!strcmp(name, "so_flags"))
		snprintf(script->flags, sizeof(script->flags), "%s", value);
	else
		fail("there is no setting --%s", name);
}

/* --name=value: the value is everything to the next space. */
static void parse_settings(struct lex *lex, struct script *script)
{
	while (lex->token.kind == TOKEN_OPTION) {
		const char *name = lex->token.text;

		if (*lex->at != '=')
			fail("--%s=what?", name);
		lex->at++;
		take_setting(script, name, setting_value(lex));
	}
}

/* ---- times ---- */

static int64_t parse_us(struct lex *lex)
{
	double seconds = lex->token.number;

	if (lex->token.kind != TOKEN_INTEGER && lex->token.kind != TOKEN_FLOAT)
		lex_unexpected(lex, "a time");
	lex_next(lex);
	return (int64_t)llround(seconds * 1e6);
}

static struct when parse_when(struct lex *lex)
{
	struct when when = {.kind = WHEN_ABSOLUTE};

	if (lex_accept(lex, '*'))
		return (struct when){.kind = WHEN_ANY};
	if (lex_accept(lex, '+'))
		when.kind = WHEN_RELATIVE;
	when.from_us = when.to_us = parse_us(lex);
	if (lex_accept(lex, '~')) {
		when.is_range = true;
		lex_accept(lex, '+');
		when.to_us = parse_us(lex);
	}
	return when;
}

/* ---- events ---- */

static void parse_action(struct lex *lex, struct event *event)
{
	if (lex_is(lex, '<') || lex_is(lex, '>')) {
		event->kind = EVENT_PACKET;
		event->packet = packet_parse(lex);
	} else if (lex->token.kind == TOKEN_CODE) {
		event->kind = EVENT_CODE;
		event->code = lex->token.text;
		lex_next(lex);
	} else if (lex->token.kind == TOKEN_WORD || lex->token.kind == TOKEN_ELLIPSIS) {
		event->kind = EVENT_CALL;
		event->call = call_parse(lex);
	} else {
		lex_unexpected(lex, "a packet, a call or code");
	}
}

static struct event *parse_event(struct lex *lex)
{
	struct event *event = keep(sizeof(*event));

	event->line = lex->token.line;
	event->when = parse_when(lex);
	parse_action(lex, event);
	return event;
}

struct script *script_parse(const char *text)
{
	struct script *script = keep(sizeof(*script));
	struct event **link = &script->events;
	struct lex lex;

	script->tolerance_us = TOLERANCE_US;
	script->remote_isn = REMOTE_ISN;
	script->local = "192.168.0.1";
	script->remote = "192.0.2.1";
	lex_start(&lex, text);
	parse_settings(&lex, script);
	while (lex.token.kind != TOKEN_END) {
		*link = parse_event(&lex);
		link = &(*link)->next;
	}
	if (!script->events)
		fail("nothing happens here");
	return script;
}
