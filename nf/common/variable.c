/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/variable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "nf/common/cookie.h"
#include "nf/common/date.h"
#include "nf/common/network.h"
#include "nf/common/pool.h"
#include "nf/common/str.h"

#define VALUE(name)                                                            \
	static struct sluice_str value_##name(const struct variable *variable, \
					      const struct variable_source *from, char *scratch)

_Static_assert(VARIABLE_SCRATCH >= NETWORK_TEXT_BYTES && VARIABLE_SCRATCH >= DATE_BYTES,
	       "the longest that is written there");

struct sluice_str variable_number(uint64_t number, char *scratch)
{
	int len = snprintf(scratch, VARIABLE_SCRATCH, "%llu", (unsigned long long)number);

	return str_make(scratch, (size_t)len);
}

/* --- of the request ------------------------------------------------------------------- */

VALUE(host)
{
	(void)variable, (void)scratch;
	return sluice_host(from->x);
}

VALUE(path)
{
	(void)variable, (void)scratch;
	return from->path;
}

VALUE(query)
{
	(void)variable, (void)scratch;
	return sluice_query(from->x);
}

VALUE(target)
{
	(void)variable, (void)scratch;
	return sluice_target(from->x);
}

VALUE(method)
{
	(void)variable, (void)scratch;
	return sluice_method(from->x);
}

VALUE(version)
{
	uint8_t version = sluice_head(from->x)->version;

	(void)variable, (void)scratch;
	if (!version) /* of a request that was refused, and is not even that */
		return sluice_str("");
	return sluice_str(version == 10 ? "HTTP/1.0" : "HTTP/1.1");
}

VALUE(client)
{
	(void)variable;
	return network_peer_text(&sluice_head(from->x)->client, scratch);
}

VALUE(client_port)
{
	(void)variable;
	return variable_number(sluice_head(from->x)->client.port, scratch);
}

VALUE(local)
{
	(void)variable;
	return network_peer_text(&sluice_head(from->x)->local, scratch);
}

VALUE(local_port)
{
	(void)variable;
	return variable_number(sluice_head(from->x)->local.port, scratch);
}

/* The first field of that name. */
VALUE(field)
{
	unsigned i = field_first(from->x, &variable->argument);

	(void)scratch;
	return i == SLUICE_NONE16 ? sluice_str("") : sluice_field_value(from->x, i);
}

VALUE(cookie)
{
	struct sluice_str value;

	(void)scratch;
	return cookie_find(from->x, variable->argument.name, &value) ? sluice_str("") : value;
}

/* --- of the response ------------------------------------------------------------------ */

VALUE(status)
{
	(void)variable;
	return variable_number(sluice_head(from->x)->status, scratch);
}

/* --- of no head ----------------------------------------------------------------------- */

VALUE(time)
{
	(void)variable;
	return variable_number((uint64_t)sluice_wall_seconds(sluice_of(from->x)), scratch);
}

VALUE(date)
{
	(void)variable;
	date_format(sluice_wall_seconds(sluice_of(from->x)), scratch);
	return sluice_str(scratch);
}

VALUE(iso_time)
{
	(void)variable;
	date_format_iso(sluice_wall_seconds(sluice_of(from->x)), scratch);
	return sluice_str(scratch);
}

VALUE(request_id)
{
	(void)variable, (void)scratch;
	if (from->id[0] == '\0')
		unique_next(from->unique, from->id);
	return sluice_str(from->id);
}

VALUE(function)
{
	(void)variable, (void)scratch;
	return sluice_str(sluice_name(sluice_of(from->x)));
}

static const struct variable_kind kinds[] = {
	{"host", STAGE_REQUEST, ARGUMENT_NONE, value_host, false},
	{"path", STAGE_REQUEST, ARGUMENT_NONE, value_path, false},
	{"query", STAGE_REQUEST, ARGUMENT_NONE, value_query, false},
	{"target", STAGE_REQUEST, ARGUMENT_NONE, value_target, false},
	{"method", STAGE_REQUEST, ARGUMENT_NONE, value_method, false},
	{"version", STAGE_REQUEST, ARGUMENT_NONE, value_version, false},
	{"client", STAGE_REQUEST, ARGUMENT_NONE, value_client, false},
	{"client_port", STAGE_REQUEST, ARGUMENT_NONE, value_client_port, true},
	{"local", STAGE_REQUEST, ARGUMENT_NONE, value_local, false},
	{"local_port", STAGE_REQUEST, ARGUMENT_NONE, value_local_port, true},
	{"header", STAGE_REQUEST, ARGUMENT_FIELD, value_field, false},
	{"cookie", STAGE_REQUEST, ARGUMENT_TOKEN, value_cookie, false},
	{"status", STAGE_RESPONSE, ARGUMENT_NONE, value_status, true},
	{"response", STAGE_RESPONSE, ARGUMENT_FIELD, value_field, false},
	{"time", STAGE_ALWAYS, ARGUMENT_NONE, value_time, true},
	{"date", STAGE_ALWAYS, ARGUMENT_NONE, value_date, false},
	{"iso_time", STAGE_ALWAYS, ARGUMENT_NONE, value_iso_time, false},
	{"request_id", STAGE_ALWAYS, ARGUMENT_NONE, value_request_id, false},
	{"function", STAGE_ALWAYS, ARGUMENT_NONE, value_function, false},
	{0},
};

bool variable_is_steady(const struct variable *variable)
{
	static variable_value *const steady[] = {
		value_host,    value_path,   value_query, value_target, value_method,
		value_version, value_client, value_field, value_cookie,
	};

	if (variable->kind->stage != STAGE_REQUEST)
		return false;
	for (unsigned i = 0; i < sizeof(steady) / sizeof(steady[0]); ++i)
		if (variable->kind->value == steady[i])
			return true;
	return false;
}

/* --- finding ---------------------------------------------------------------------------- */

static const struct variable_kind *kind_of(const struct variable_kind *kind, struct sluice_str name)
{
	for (; kind && kind->name; ++kind)
		if (str_equal(sluice_str(kind->name), name))
			return kind;
	return NULL;
}

static int take_argument(struct pool *pool, const struct sluice_conf *where, struct sluice_str text,
			 struct variable *out)
{
	const char *argument = pool_text(pool, "%.*s", (int)text.len, text.ptr);

	if (!argument)
		return -ENOMEM;
	if (!read_is_token(argument))
		return sluice_conf_error(where, "${%s:%s}: \"%s\" is not a name", out->kind->name,
					 argument, argument);
	out->argument = out->kind->argument == ARGUMENT_FIELD
				? field_name_of(argument)
				: (struct field_name){.name = argument};
	return 0;
}

int variable_find(struct pool *pool, const struct sluice_conf *where, struct sluice_str name,
		  const struct variable_kind *own, struct variable *out)
{
	const char *colon = memchr(name.ptr, ':', name.len);
	struct sluice_str stem = {name.ptr, colon ? (uint32_t)(colon - name.ptr) : name.len};

	*out = (struct variable){.kind = kind_of(own, stem)};
	if (!out->kind)
		out->kind = kind_of(kinds, stem);
	if (!out->kind)
		return sluice_conf_error(where, "$%.*s is not known", (int)name.len, name.ptr);
	if (out->kind->argument == ARGUMENT_NONE && !colon)
		return 0;
	if (out->kind->argument == ARGUMENT_NONE)
		return sluice_conf_error(where, "$%s is complete without \":\"", out->kind->name);
	if (!colon)
		return sluice_conf_error(where, "$%s must be told which: ${%s:NAME}",
					 out->kind->name, out->kind->name);
	return take_argument(pool, where, str_skip(name, stem.len + 1), out);
}

struct sluice_str variable_get(const struct variable *variable, const struct variable_source *from,
			       char scratch[VARIABLE_SCRATCH])
{
	return variable->kind->value(variable, from, scratch);
}

bool variable_is_id(const struct variable *variable)
{
	return variable->kind->value == value_request_id;
}

bool variable_equal(const struct variable *a, const struct variable *b)
{
	if (a->kind != b->kind)
		return false;
	return !a->argument.name || strcasecmp(a->argument.name, b->argument.name) == 0;
}
