/* SPDX-License-Identifier: BSD-3-Clause */
/* The manager's side of a function's own requests: keeps them, and sends what the test answers. */
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/harness_priv.h"

struct harness_ask {
	struct harness *h;
	struct harness_ask *next;
	uint32_t number, generation;
	struct sluice_ask_text is;
	struct harness_bytes head, body;
};

static const char *method_name(uint8_t method)
{
	static const char *const names[] = {
		[SLUICE_METHOD_GET] = "GET",       [SLUICE_METHOD_HEAD] = "HEAD",
		[SLUICE_METHOD_POST] = "POST",     [SLUICE_METHOD_PUT] = "PUT",
		[SLUICE_METHOD_DELETE] = "DELETE", [SLUICE_METHOD_OPTIONS] = "OPTIONS",
		[SLUICE_METHOD_TRACE] = "TRACE",   [SLUICE_METHOD_PATCH] = "PATCH",
		[SLUICE_METHOD_PURGE] = "PURGE",
	};

	if (method >= sizeof(names) / sizeof(names[0]) || !names[method])
		harness_abort("sluice_ask_new with a method that cannot be asked for");
	return names[method];
}

static void line_add(struct harness_ask *ask, const char *separator, const uint8_t *text,
		     const struct sluice_edit *edit)
{
	harness_append(&ask->head, text, edit->name_len);
	harness_append(&ask->head, separator, strlen(separator));
	harness_append(&ask->head, text + edit->name_len, edit->value_len);
	harness_append(&ask->head, "\n", 1);
}

static void head_read(struct harness_ask *ask, const uint8_t *text)
{
	const char *method = method_name(ask->is.method);
	struct sluice_edit edit;

	harness_append(&ask->head, method, strlen(method));
	for (uint32_t at = 0; at < ask->is.edits_bytes;) {
		memcpy(&edit, text + at, sizeof(edit));
		line_add(ask, edit.op == SLUICE_EDIT_TARGET ? " " : ": ", text + at + sizeof(edit),
			 &edit);
		at += (uint32_t)(sizeof(edit) + edit.name_len + edit.value_len + 7) & ~7u;
	}
}

void harness_ask_begin(struct harness *h, const struct sluice_up *up, const uint8_t *text)
{
	struct harness_ask *ask = harness_grow(NULL, sizeof(*ask)), **end = &h->asks;

	*ask = (struct harness_ask){.h = h, .number = up->exchange, .generation = up->generation};
	memcpy(&ask->is, text, sizeof(ask->is));
	head_read(ask, text + sizeof(ask->is));
	harness_append(&ask->body, text + sizeof(ask->is) + ask->is.edits_bytes,
		       ask->is.body_bytes);
	while (*end)
		end = &(*end)->next;
	*end = ask;
}

static void ask_free(struct harness_ask *ask)
{
	struct harness_ask **at = &ask->h->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	free(ask->head.data);
	free(ask->body.data);
	free(ask);
}

void harness_ask_dropped(struct harness *h, const struct sluice_up *up)
{
	for (struct harness_ask *ask = h->asks; ask; ask = ask->next) {
		if (ask->number != up->exchange || ask->generation != up->generation)
			continue;
		ask_free(ask);
		return;
	}
}

void harness_asks_free(struct harness *h)
{
	while (h->asks)
		ask_free(h->asks);
}

/* --- for the test ------------------------------------------------------------------ */

struct harness_ask *harness_ask(struct harness *h, unsigned i)
{
	struct harness_ask *ask = h->asks;

	while (ask && i--)
		ask = ask->next;
	return ask;
}

const char *harness_ask_head(const struct harness_ask *ask)
{
	return (const char *)ask->head.data;
}

const char *harness_ask_body(const struct harness_ask *ask)
{
	return (const char *)ask->body.data;
}

uint16_t harness_ask_group(const struct harness_ask *ask)
{
	return ask->is.group;
}

uint32_t harness_ask_timeout_ms(const struct harness_ask *ask)
{
	return ask->is.timeout_ms;
}

static void event(struct harness_ask *ask, struct sluice_down *down)
{
	struct harness *h = ask->h;

	down->exchange = ask->number;
	down->generation = ask->generation;
	nf_event(h->nf, 0, down); /* which may drop it */
	harness_settle(h);
}

void harness_ask_answer(struct harness_ask *ask, uint16_t status,
			const struct harness_field *fields)
{
	struct harness_line line = {.response = true,
				    .version = 11,
				    .status = status,
				    .method = method_name(ask->is.method),
				    .fields = fields};
	struct sluice_down down = {.kind = SLUICE_DOWN_ASK_HEAD,
				   .arg = harness_head_write(ask->h, &line)};

	event(ask, &down);
}

void harness_ask_piece(struct harness_ask *ask, const void *bytes, size_t len)
{
	struct sluice_down down = {.kind = SLUICE_DOWN_ASK_BODY, .slices = 1};
	struct sluice_span span = {bytes, (uint32_t)len};

	harness_slice(ask->h, &span, &down.slice[0]);
	event(ask, &down);
}

void harness_ask_over(struct harness_ask *ask, int error)
{
	struct sluice_down down = {.kind = SLUICE_DOWN_ASK_END,
				   .exchange = ask->number,
				   .generation = ask->generation,
				   .arg = (uint32_t)error};
	struct harness *h = ask->h;

	ask_free(ask);
	nf_event(h->nf, 0, &down);
	harness_settle(h);
}
