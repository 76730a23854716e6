/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads by hand: the text as it would come from the wire, and its index. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nf/sdk/harness_priv.h"

#define RAW_BASE 1 /* head->base[1]: the raw text */

static const char *const methods[] = {
	[SLUICE_METHOD_GET] = "GET",         [SLUICE_METHOD_HEAD] = "HEAD",
	[SLUICE_METHOD_POST] = "POST",       [SLUICE_METHOD_PUT] = "PUT",
	[SLUICE_METHOD_DELETE] = "DELETE",   [SLUICE_METHOD_CONNECT] = "CONNECT",
	[SLUICE_METHOD_OPTIONS] = "OPTIONS", [SLUICE_METHOD_TRACE] = "TRACE",
	[SLUICE_METHOD_PATCH] = "PATCH",     [SLUICE_METHOD_PURGE] = "PURGE",
};

static enum sluice_method method_of(const char *name)
{
	for (unsigned i = SLUICE_METHOD_GET; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i], name) == 0)
			return (enum sluice_method)i;
	}
	return SLUICE_METHOD_OTHER;
}

static unsigned count_of(const struct harness_field *fields)
{
	unsigned n = 0;

	while (fields[n].name)
		n++;
	return n;
}

static size_t raw_size(const struct harness_line *line)
{
	size_t bytes = 32;

	bytes += line->method ? strlen(line->method) : 0;
	bytes += line->target ? strlen(line->target) : 0;
	for (const struct harness_field *f = line->fields; f->name; f++)
		bytes += strlen(f->name) + strlen(f->value) + 4;
	if (bytes > UINT16_MAX)
		harness_abort("a head of more than 65535 bytes");
	return bytes;
}

/* The raw text while it is written. */
struct raw {
	char *text;
	uint16_t used;
};

static struct sluice_text raw_put(struct raw *raw, const char *text)
{
	struct sluice_text at = {raw->used, (uint16_t)strlen(text), RAW_BASE};

	memcpy(raw->text + raw->used, text, at.len);
	raw->used = (uint16_t)(raw->used + at.len);
	return at;
}

static struct sluice_text text_cut(struct sluice_text text, size_t from, size_t len)
{
	return (struct sluice_text){(uint16_t)(text.off + from), (uint16_t)len, text.base};
}

/* --- target and host --------------------------------------------------------------- */

static size_t host_length(const char *host, size_t len)
{
	const char *end = len && host[0] == '[' ? memchr(host, ']', len) : memchr(host, ':', len);

	if (!end)
		return len;
	return (size_t)(end - host) + (*end == ']');
}

/* `//authority` of an absolute target; 0: there is none. */
static size_t authority_of(const char *target, size_t *len)
{
	const char *scheme = strstr(target, "://");

	if (target[0] == '/' || !scheme)
		return 0;
	*len = strcspn(scheme + 3, "/?");
	return (size_t)(scheme + 3 - target);
}

static void target_split(struct sluice_head *head, const char *target)
{
	size_t len = 0, at = authority_of(target, &len);
	size_t path = at ? at + len : 0;
	size_t path_len = strcspn(target + path, "?");

	if (at)
		head->host = text_cut(head->target, at, host_length(target + at, len));
	head->path = text_cut(head->target, path, path_len);
	if (target[path + path_len] == '?')
		head->query = text_cut(head->target, path + path_len + 1,
				       strlen(target + path + path_len + 1));
}

/* --- fields ------------------------------------------------------------------------ */

static void field_chain(struct sluice_head *head, uint16_t i)
{
	uint16_t id = head->field[i].id, *link = &head->first[id];

	if (id == SLUICE_FIELD_OTHER)
		return;
	while (*link != SLUICE_NONE16)
		link = &head->field[*link].next;
	*link = i;
}

static void field_put(struct sluice_head *head, struct raw *raw, const struct harness_field *from)
{
	struct sluice_text name = raw_put(raw, from->name), value;
	struct sluice_field *f = &head->field[head->fields];

	raw_put(raw, ": ");
	value = raw_put(raw, from->value);
	raw_put(raw, "\r\n");
	*f = (struct sluice_field){
		.id = (uint16_t)field_id(sluice_str(from->name)),
		.next = SLUICE_NONE16,
		.name_base = RAW_BASE,
		.value_base = RAW_BASE,
		.name_off = name.off,
		.name_len = name.len,
		.value_off = value.off,
		.value_len = value.len,
	};
	field_chain(head, head->fields++);
	if (f->id == SLUICE_FIELD_HOST && !head->host.len)
		head->host = text_cut(value, 0, host_length(from->value, value.len));
}

static uint64_t body_of(const struct harness_line *line)
{
	uint64_t bytes = line->response ? SLUICE_LENGTH_UNKNOWN : SLUICE_LENGTH_NONE;

	for (const struct harness_field *f = line->fields; f->name; f++) {
		if (strcasecmp(f->name, "transfer-encoding") == 0)
			return SLUICE_LENGTH_UNKNOWN;
		if (strcasecmp(f->name, "content-length") == 0)
			bytes = strtoull(f->value, NULL, 10);
	}
	if (line->response &&
	    (line->status == 204 || line->status == 304 || strcmp(line->method, "HEAD") == 0))
		return SLUICE_LENGTH_NONE;
	return bytes;
}

static void line_write(struct sluice_head *head, struct raw *raw, const struct harness_line *line)
{
	char status[16];

	head->method = (uint8_t)method_of(line->method);
	if (line->response) {
		snprintf(status, sizeof(status), "HTTP/1.1 %u ", line->status);
		raw_put(raw, status);
		head->reason = raw_put(raw, "Text");
	} else {
		head->method_text = raw_put(raw, line->method);
		raw_put(raw, " ");
		head->target = raw_put(raw, line->target);
		raw_put(raw, line->version == 10 ? " HTTP/1.0" : " HTTP/1.1");
		target_split(head, line->target);
	}
	raw_put(raw, "\r\n");
}

/* Heads that say the same have the same number, as in the daemon. */
static uint64_t number_of(const struct raw *raw)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < raw->used; i++)
		number = (number ^ (uint8_t)raw->text[i]) * UINT64_C(0x100000001b3) + 1;
	return number | 1;
}

uint32_t harness_head_write(struct harness *h, const struct harness_line *line)
{
	unsigned count = count_of(line->fields);
	size_t bytes = sizeof(struct sluice_head) + count * sizeof(struct sluice_field);
	uint64_t offset, raw_offset;
	struct sluice_head *head = harness_take(&h->messages, bytes, &offset);
	struct raw raw = {.text = harness_take(&h->rx, raw_size(line), &raw_offset)};

	memset(head, 0, sizeof(*head));
	memset(head->first, 0xff, sizeof(head->first));
	head->response = line->response;
	head->version = line->version;
	head->status = line->status;
	head->bases = RAW_BASE + 1;
	head->base[0] = sluice_ref(h->messages.region, offset);
	head->base[RAW_BASE] = sluice_ref(h->rx.region, raw_offset);
	head->client = h->client;
	head->local = h->local;
	head->group = h->routed_group;
	head->server = h->routed_server;
	head->fields_size = count;
	head->body_bytes = body_of(line);
	line_write(head, &raw, line);
	for (unsigned i = 0; i < count; i++)
		field_put(head, &raw, &line->fields[i]);
	head->same = number_of(&raw);
	return (uint32_t)(offset / 64);
}
