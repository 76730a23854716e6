/* SPDX-License-Identifier: BSD-3-Clause */
/* Edits, read as the manager reads them, made on a plain list of fields. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nf/sdk/harness_priv.h"

static void pair_free(struct harness_pair *pair)
{
	free(pair->name);
	free(pair->value);
}

void harness_fields_free(struct harness_exchange *x)
{
	for (unsigned i = 0; i < x->fields_count; i++)
		pair_free(&x->fields[i]);
	free(x->fields);
	x->fields = NULL;
	x->fields_count = 0;
}

static void pair_add(struct harness_exchange *x, struct sluice_str name, struct sluice_str value)
{
	x->fields = harness_grow(x->fields, (x->fields_count + 1) * sizeof(*x->fields));
	x->fields[x->fields_count++] = (struct harness_pair){
		harness_copy(name.ptr, name.len),
		harness_copy(value.ptr, value.len),
	};
}

static bool pair_is(const struct harness_pair *pair, struct sluice_str name)
{
	return strlen(pair->name) == name.len && strncasecmp(pair->name, name.ptr, name.len) == 0;
}

static void pairs_remove(struct harness_exchange *x, struct sluice_str name)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < x->fields_count; i++) {
		if (pair_is(&x->fields[i], name))
			pair_free(&x->fields[i]);
		else
			x->fields[kept++] = x->fields[i];
	}
	x->fields_count = kept;
}

void harness_fields_set(struct harness_exchange *x, const struct harness_field *fields)
{
	harness_fields_free(x);
	for (; fields->name; fields++)
		pair_add(x, sluice_str(fields->name), sluice_str(fields->value));
}

static void say(struct harness_exchange *x, const char *op, struct sluice_str name,
		struct sluice_str value, bool colon)
{
	harness_append(&x->edits, op, strlen(op));
	harness_append(&x->edits, name.ptr, name.len);
	harness_append(&x->edits, ": ", colon ? 2 : 0);
	harness_append(&x->edits, value.ptr, value.len);
	harness_append(&x->edits, "\n", 1);
}

static void peer_set(struct harness_exchange *x, const char *op, struct sluice_str value,
		     struct sluice_peer *peer)
{
	char text[64] = "";

	if (value.len != sizeof(*peer))
		harness_abort("an address of %u bytes", value.len);
	memcpy(peer, value.ptr, sizeof(*peer));
	inet_ntop(peer->family == 4 ? AF_INET : AF_INET6, peer->bytes, text, sizeof(text));
	snprintf(text + strlen(text), sizeof(text) - strlen(text), " %u", peer->port);
	say(x, op, sluice_str(""), sluice_str(text), false);
}

static void edit_make(struct harness_exchange *x, const struct sluice_edit *edit,
		      struct sluice_str name, struct sluice_str value)
{
	switch (edit->op) {
	case SLUICE_EDIT_SET:
		say(x, "set ", name, value, true);
		pairs_remove(x, name);
		pair_add(x, name, value);
		break;
	case SLUICE_EDIT_ADD:
		say(x, "add ", name, value, true);
		pair_add(x, name, value);
		break;
	case SLUICE_EDIT_REMOVE:
		say(x, "remove ", name, value, false);
		pairs_remove(x, name);
		break;
	case SLUICE_EDIT_TARGET:
		say(x, "target ", name, value, false);
		free(x->target);
		x->target = harness_copy(value.ptr, value.len);
		break;
	case SLUICE_EDIT_STATUS:
		say(x, "status ", name, value, false);
		x->status = (uint16_t)strtoul(value.ptr, NULL, 10);
		break;
	case SLUICE_EDIT_CLIENT:
		peer_set(x, "client ", value, &x->client);
		break;
	case SLUICE_EDIT_LOCAL:
		peer_set(x, "local ", value, &x->local);
		break;
	default:
		harness_abort("an edit of an unknown kind: %u", edit->op);
	}
}

void harness_edits_apply(struct harness_exchange *x, const uint8_t *text, size_t bytes)
{
	size_t at = 0;

	while (at + sizeof(struct sluice_edit) <= bytes) {
		struct sluice_edit edit;
		struct sluice_str name, value;

		memcpy(&edit, text + at, sizeof(edit));
		name = (struct sluice_str){(const char *)text + at + sizeof(edit), edit.name_len};
		value = (struct sluice_str){name.ptr + name.len, edit.value_len};
		edit_make(x, &edit, name, value);
		at += (sizeof(edit) + name.len + value.len + 7) & ~(size_t)7;
	}
	if (at != bytes)
		harness_abort("edits of %zu bytes end at %zu", bytes, at);
}
