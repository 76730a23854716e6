/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/slot.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "chain/http/head.h"

int http_head_shape(struct sluice_head *head, uint64_t ref, uint32_t size_bytes,
		    uint32_t fields_size)
{
	uint64_t text_off = sizeof *head + (uint64_t)fields_size * sizeof head->field[0];
	uint64_t room;

	if (text_off >= size_bytes || fields_size >= SLUICE_NONE16)
		return -EINVAL;
	room = size_bytes - text_off;
	head->text_off = (uint32_t)text_off;
	head->text_size = room < HTTP_HEAD_BYTES_MAX ? (uint32_t)room : HTTP_HEAD_BYTES_MAX;
	head->fields_size = fields_size;
	head->base[0] = ref + text_off;
	head->group = head->server = 0;
	return 0;
}

void http_head_clear(struct sluice_head *head)
{
	memset(head, 0, offsetof(struct sluice_head, text_off));
	memset(head->first, 0xff, sizeof head->first);
	head->body_bytes = SLUICE_LENGTH_NONE;
	head->text_used = 0;
	head->bases = 1; /* which says which of base[] count */
}

int http_head_init(struct sluice_head *head, uint64_t ref, uint32_t size_bytes,
		   uint32_t fields_size)
{
	int error = http_head_shape(head, ref, size_bytes, fields_size);

	if (!error)
		http_head_clear(head);
	return error;
}

uint8_t *http_slot_room(struct sluice_head *head, uint32_t len)
{
	if (len > head->text_size - head->text_used)
		return NULL;
	return (uint8_t *)head + head->text_off + head->text_used;
}

bool http_slot_copy(struct sluice_head *head, struct http_bytes bytes, struct sluice_text *out)
{
	struct http_place place = {0, head->text_used};
	uint8_t *room = http_slot_room(head, bytes.len);

	if (room == NULL)
		return false;
	if (bytes.len > 0)
		memcpy(room, bytes.data, bytes.len);
	head->text_used += bytes.len;
	*out = http_slot_text(place, 0, bytes.len);
	return true;
}

bool http_slot_base(struct sluice_head *head, uint64_t ref, uint16_t *base)
{
	if (head->bases == SLUICE_HEAD_BASES)
		return false;
	*base = head->bases++;
	head->base[*base] = ref;
	return true;
}

void http_slot_value(struct sluice_field *field, struct sluice_text value)
{
	field->value_base = (uint8_t)value.base;
	field->value_off = value.off;
	field->value_len = value.len;
}

struct sluice_field *http_slot_field(struct sluice_head *head, uint16_t id, struct sluice_text name,
				     struct sluice_text value)
{
	struct sluice_field *field;

	if (head->fields == head->fields_size)
		return NULL;
	field = &head->field[head->fields++];
	*field = (struct sluice_field){.id = id,
				       .next = SLUICE_NONE16,
				       .name_base = (uint8_t)name.base,
				       .name_off = name.off,
				       .name_len = name.len};
	http_slot_value(field, value);
	return field;
}

/* From the last to the first, so that each field finds its successor in first[]. */
void http_slot_link(struct sluice_head *head)
{
	memset(head->first, 0xff, sizeof head->first);
	for (uint16_t i = head->fields; i-- > 0;) {
		struct sluice_field *field = &head->field[i];

		field->next = SLUICE_NONE16;
		if (field->id == SLUICE_FIELD_OTHER)
			continue;
		field->next = head->first[field->id];
		head->first[field->id] = i;
	}
}

void http_slot_link_last(struct sluice_head *head)
{
	uint16_t last = head->fields - 1;
	uint16_t *at = &head->first[head->field[last].id];

	head->field[last].next = SLUICE_NONE16;
	if (head->field[last].id == SLUICE_FIELD_OTHER)
		return;
	while (*at != SLUICE_NONE16)
		at = &head->field[*at].next;
	*at = last;
}

/* RFC 9112 §3.2.2: the target's host replaces what the Host field said. */
static void host_from_target(struct sluice_head *head, struct sluice_text host)
{
	uint16_t field = head->first[SLUICE_FIELD_HOST];

	head->host = host;
	if (field != SLUICE_NONE16)
		http_slot_value(&head->field[field], host);
}

/* "http://host" and "http://host?query" have no path: RFC 9112 §3.2.1 has "/" sent for it, §3.2.4
 * "*" for OPTIONS without a query. */
static bool make_path(struct sluice_head *head, const uint8_t *text,
		      const struct http_target *target)
{
	struct http_place place = {0, head->text_used};
	uint8_t *room = http_slot_room(head, 1 + target->rest_len);

	if (room == NULL)
		return false;
	room[0] = head->method == SLUICE_METHOD_OPTIONS && target->rest_len == 0 ? '*' : '/';
	memcpy(room + 1, text + target->rest_off, target->rest_len);
	head->text_used += 1 + target->rest_len;
	head->target = http_slot_text(place, 0, 1 + target->rest_len);
	head->path = http_slot_text(place, 0, 1);
	head->query = http_slot_text(place, target->query_len > 0 ? 2 : 0, target->query_len);
	return true;
}

bool http_slot_target(struct sluice_head *head, struct http_place place, const uint8_t *text,
		      uint32_t len, const struct http_target *target)
{
	if (target->host_len > 0 && target->host_off > 0 && target->path_len == 0) {
		if (!make_path(head, text, target))
			return false;
	} else {
		bool authority = target->rest_len == 0;

		head->target = authority
				       ? http_slot_text(place, 0, len)
				       : http_slot_text(place, target->rest_off, target->rest_len);
		head->path = http_slot_text(place, target->path_off, target->path_len);
		head->query = http_slot_text(place, target->query_off, target->query_len);
	}
	if (target->host_len > 0)
		host_from_target(head, http_slot_text(place, target->host_off, target->host_len));
	return true;
}
