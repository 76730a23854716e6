/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "nf/common/base64.h"
#include "nf/common/date.h"
#include "nf/common/network.h"
#include "nf/common/str.h"

#define CREDENTIALS_BYTES 512

#define VALUE(name)                                                            \
	static struct sluice_str value_##name(const struct variable *variable, \
					      const struct variable_source *from, char *scratch)

static const struct sluice_end *end_of(const struct variable_source *from)
{
	return from->own;
}

/* What did not come to be is empty. */
static struct sluice_str us(uint32_t us, char *scratch)
{
	return us == SLUICE_NEVER_US ? sluice_str("") : variable_number(us, scratch);
}

VALUE(status)
{
	uint16_t status = end_of(from)->status;

	(void)variable;
	return status ? variable_number(status, scratch) : sluice_str("");
}

VALUE(ending)
{
	(void)variable, (void)scratch;
	return sluice_str(sluice_ending_name(end_of(from)->why));
}

VALUE(sent_bytes)
{
	(void)variable;
	return variable_number(end_of(from)->sent_bytes, scratch);
}

VALUE(body_bytes)
{
	const struct sluice_end *end = end_of(from);

	(void)variable;
	return variable_number(end->sent_bytes - end->sent_head_bytes, scratch);
}

VALUE(received_bytes)
{
	(void)variable;
	return variable_number(end_of(from)->received_bytes, scratch);
}

VALUE(head_us)
{
	(void)variable;
	return us(end_of(from)->head_us, scratch);
}

VALUE(connect_us)
{
	(void)variable;
	return us(end_of(from)->connect_us, scratch);
}

VALUE(ask_us)
{
	(void)variable;
	return us(end_of(from)->ask_us, scratch);
}

VALUE(reply_us)
{
	(void)variable;
	return us(end_of(from)->reply_us, scratch);
}

VALUE(total_us)
{
	(void)variable;
	return us(end_of(from)->total_us, scratch);
}

VALUE(total_s)
{
	uint32_t ms = end_of(from)->total_us / 1000;

	(void)variable;
	return str_make(scratch, (size_t)snprintf(scratch, VARIABLE_SCRATCH, "%u.%03u", ms / 1000,
						  ms % 1000));
}

VALUE(group)
{
	const struct sluice_upstreams *u = sluice_upstreams(sluice_of(from->x));
	uint16_t group = end_of(from)->group;

	(void)variable, (void)scratch;
	if (!u || group >= SLUICE_GROUPS_MAX)
		return sluice_str("");
	return str_make(u->group[group].name, strnlen(u->group[group].name, SLUICE_NAME_MAX));
}

VALUE(server)
{
	const struct sluice_upstreams *u = sluice_upstreams(sluice_of(from->x));
	uint16_t server = end_of(from)->server;
	char address[NETWORK_TEXT_BYTES];
	const struct sluice_peer *peer;
	struct sluice_str text;

	(void)variable;
	if (!u || server >= SLUICE_SERVERS_MAX)
		return sluice_str("");
	peer = &u->server[server].addr;
	text = network_peer_text(peer, address);
	return str_make(scratch, (size_t)snprintf(scratch, VARIABLE_SCRATCH,
						  peer->family == 6 ? "[%.*s]:%u" : "%.*s:%u",
						  (int)text.len, text.ptr, peer->port));
}

VALUE(reused)
{
	(void)variable, (void)scratch;
	return sluice_str(end_of(from)->flags & SLUICE_END_REUSED ? "1" : "0");
}

VALUE(clf_time)
{
	(void)variable;
	date_format_clf(sluice_wall_seconds(sluice_of(from->x)), scratch);
	return sluice_str(scratch);
}

/* The name in Basic credentials (RFC 7617 §2), whether they are right or not. */
VALUE(user)
{
	struct sluice_str value;
	char text[CREDENTIALS_BYTES];
	const char *colon;
	int64_t len;

	(void)variable;
	if (sluice_field(from->x, SLUICE_FIELD_AUTHORIZATION, &value) || value.len < 6 ||
	    !str_equal_nocase(str_make(value.ptr, 6), sluice_str("basic ")))
		return sluice_str("");
	len = base64_decode(str_trim(str_skip(value, 6)), BASE64_PADDED, text, sizeof(text));
	colon = len > 0 ? memchr(text, ':', (size_t)len) : NULL;
	if (!colon || colon - text > VARIABLE_SCRATCH)
		return sluice_str("");
	memcpy(scratch, text, (size_t)(colon - text));
	return str_make(scratch, (size_t)(colon - text));
}

const struct variable_kind log_values[] = {
	{"status", STAGE_END, ARGUMENT_NONE, value_status, true},
	{"ending", STAGE_END, ARGUMENT_NONE, value_ending, false},
	{"sent_bytes", STAGE_END, ARGUMENT_NONE, value_sent_bytes, true},
	{"body_bytes", STAGE_END, ARGUMENT_NONE, value_body_bytes, true},
	{"received_bytes", STAGE_END, ARGUMENT_NONE, value_received_bytes, true},
	{"head_us", STAGE_END, ARGUMENT_NONE, value_head_us, true},
	{"connect_us", STAGE_END, ARGUMENT_NONE, value_connect_us, true},
	{"ask_us", STAGE_END, ARGUMENT_NONE, value_ask_us, true},
	{"reply_us", STAGE_END, ARGUMENT_NONE, value_reply_us, true},
	{"total_us", STAGE_END, ARGUMENT_NONE, value_total_us, true},
	{"total_s", STAGE_END, ARGUMENT_NONE, value_total_s, true},
	{"group", STAGE_END, ARGUMENT_NONE, value_group, false},
	{"server", STAGE_END, ARGUMENT_NONE, value_server, false},
	{"reused", STAGE_END, ARGUMENT_NONE, value_reused, true},
	{"clf_time", STAGE_ALWAYS, ARGUMENT_NONE, value_clf_time, false},
	{"user", STAGE_REQUEST, ARGUMENT_NONE, value_user, false},
	{0},
};
