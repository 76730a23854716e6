/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/edit.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "chain/http/field.h"
#include "chain/http/slot.h"

static struct http_key key_of(struct http_bytes name)
{
	return (struct http_key){http_field_id(name.data, name.len), name};
}

static bool matches(const struct sluice_head *head, const struct http_memory *memory,
		    uint16_t field, const struct http_key *key)
{
	struct http_bytes name;

	if (head->field[field].id != key->id)
		return false;
	if (key->id != SLUICE_FIELD_OTHER)
		return true;
	if (head->field[field].name_len != key->name.len)
		return false;
	name = http_name(memory, head, field);
	return http_equal(name.data, name.len, key->name.data, key->name.len);
}

static uint16_t find_from(const struct sluice_head *head, const struct http_memory *memory,
			  uint16_t from, const struct http_key *key)
{
	for (uint16_t i = from; i < head->fields; i++)
		if (matches(head, memory, i, key))
			return i;
	return SLUICE_NONE16;
}

static uint16_t find(const struct sluice_head *head, const struct http_memory *memory,
		     const struct http_key *key)
{
	return key->id != SLUICE_FIELD_OTHER ? head->first[key->id]
					     : find_from(head, memory, 0, key);
}

uint16_t http_head_find(const struct sluice_head *head, const struct http_memory *memory,
			struct http_bytes name)
{
	struct http_key key = key_of(name);

	return find(head, memory, &key);
}

/* Closes the gaps from `from` on; says how many fields are gone. */
static uint32_t remove_from(struct sluice_head *head, const struct http_memory *memory,
			    uint16_t from, const struct http_key *key)
{
	uint16_t kept = from, removed;

	for (uint16_t i = from; i < head->fields; i++)
		if (!matches(head, memory, i, key))
			head->field[kept++] = head->field[i];
	removed = head->fields - kept;
	head->fields = kept;
	if (removed > 0) {
		head->same = 0;
		http_slot_link(head);
	}
	return removed;
}

uint32_t http_head_remove(struct sluice_head *head, const struct http_memory *memory,
			  struct http_bytes name)
{
	struct http_key key = key_of(name);
	uint16_t first = find(head, memory, &key);

	return first == SLUICE_NONE16 ? 0 : remove_from(head, memory, first, &key);
}

uint32_t http_head_remove_id(struct sluice_head *head, uint16_t id)
{
	struct http_key key = {.id = id};

	if (id == SLUICE_FIELD_OTHER || id >= SLUICE_FIELD_COUNT ||
	    head->first[id] == SLUICE_NONE16)
		return 0;
	return remove_from(head, NULL, head->first[id], &key);
}

static void note_host(struct sluice_head *head, uint16_t id, struct sluice_text value)
{
	if (id == SLUICE_FIELD_HOST)
		head->host = value;
}

static int add_key(struct sluice_head *head, const struct http_key *key, struct http_bytes value)
{
	uint8_t *room = http_slot_room(head, key->name.len + value.len);
	struct http_place place = {0, head->text_used};
	struct sluice_text name_text = http_slot_text(place, 0, key->name.len);
	struct sluice_text value_text = http_slot_text(place, key->name.len, value.len);

	if (head->fields == head->fields_size || room == NULL)
		return -ENOSPC;
	memcpy(room, key->name.data, key->name.len);
	memcpy(room + key->name.len, value.data, value.len);
	head->text_used += key->name.len + value.len;
	head->same = 0;
	http_slot_field(head, key->id, name_text, value_text);
	http_slot_link_last(head);
	note_host(head, key->id, value_text);
	return 0;
}

int http_head_set_key(struct sluice_head *head, const struct http_memory *memory,
		      const struct http_key *key, struct http_bytes value)
{
	uint16_t first = find(head, memory, key);
	struct sluice_text text;

	if (first == SLUICE_NONE16)
		return add_key(head, key, value);
	if (!http_slot_copy(head, value, &text))
		return -ENOSPC;
	head->same = 0;
	http_slot_value(&head->field[first], text);
	remove_from(head, memory, first + 1, key);
	note_host(head, key->id, text);
	return 0;
}

int http_head_add(struct sluice_head *head, struct http_bytes name, struct http_bytes value)
{
	struct http_key key = key_of(name);

	return add_key(head, &key, value);
}

int http_head_set(struct sluice_head *head, const struct http_memory *memory,
		  struct http_bytes name, struct http_bytes value)
{
	struct http_key key = key_of(name);

	return http_head_set_key(head, memory, &key, value);
}

int http_head_put_key(struct sluice_head *head, const struct http_memory *memory,
		      const struct http_key *key, struct http_bytes value)
{
	if ((http_field_flags(key->id) & SLUICE_FIELD_SINGLE) != 0)
		return http_head_set_key(head, memory, key, value);
	return add_key(head, key, value);
}

int http_head_put(struct sluice_head *head, const struct http_memory *memory,
		  struct http_bytes name, struct http_bytes value)
{
	struct http_key key = key_of(name);

	return http_head_put_key(head, memory, &key, value);
}

int http_head_target(struct sluice_head *head, struct http_bytes target)
{
	struct http_target parsed;
	struct sluice_text text;

	if (head->response || !http_target_check(head->method, target.data, target.len, &parsed))
		return -EINVAL;
	/* a target without a path is written out once more, with one */
	if (http_slot_room(head, 2 * target.len + 1) == NULL)
		return -ENOSPC;
	head->same = 0;
	http_slot_copy(head, target, &text);
	http_slot_target(head, (struct http_place){text.base, text.off}, target.data, target.len,
			 &parsed);
	return 0;
}

void http_head_status(struct sluice_head *head, uint16_t status)
{
	head->same = 0;
	head->status = status;
	head->reason = (struct sluice_text){0};
}

void http_head_build_response(struct sluice_head *head, uint16_t status, uint8_t request_method)
{
	head->response = 1;
	head->version = 11;
	head->method = request_method;
	http_head_status(head, status);
}

int http_head_build_request(struct sluice_head *head, uint8_t method)
{
	const char *name = http_method_name(method);
	struct http_bytes text = {(const uint8_t *)name, (uint32_t)strlen(name)};

	head->version = 11;
	head->method = method;
	return http_slot_copy(head, text, &head->method_text) ? 0 : -ENOSPC;
}
