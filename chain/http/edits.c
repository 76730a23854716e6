/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/edit.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "chain/http/field.h"
#include "chain/http/list.h"
#include "chain/http/proven.h"
#include "chain/http/scan.h"
#include "chain/http/slot.h"
#include "chain/http/target.h"

/* One record of the list. */
struct edit {
	uint8_t op;
	uint16_t id; /* as the function gave it */
	struct http_bytes name, value;
};

struct cursor {
	const uint8_t *edits;
	uint32_t len, at;
};

static bool at_end(const struct cursor *cursor)
{
	return cursor->at >= cursor->len;
}

/* False: the record goes beyond the list. The last one may come without its padding. */
static bool next_edit(struct cursor *cursor, struct edit *out)
{
	const uint8_t *text = cursor->edits + cursor->at + sizeof(struct sluice_edit);
	uint32_t left = cursor->len - cursor->at, size;
	struct sluice_edit record;

	if (left < sizeof record)
		return false;
	memcpy(&record, cursor->edits + cursor->at, sizeof record);
	size = (uint32_t)sizeof record + record.name_len + record.value_len;
	if (record.reserved != 0 || size > left)
		return false;
	*out = (struct edit){
		record.op,
		record.id,
		{text, record.name_len},
		http_trim((struct http_bytes){text + record.name_len, record.value_len})};
	cursor->at += (size + 7) & ~7u;
	return true;
}

/* Its number, if the one that the function gave is right. */
static uint16_t id_of(const struct edit *edit)
{
	return edit->id != SLUICE_FIELD_OTHER ? edit->id
					      : http_field_id(edit->name.data, edit->name.len);
}

/* --- checks ---------------------------------------------------------------------- */

/* The Host of a CONNECT is its target (RFC 9112 §3.2.3): an edit of the target changes both. */
static enum http_error check_host(const struct sluice_head *head, const struct edit *edit)
{
	if (head->response || head->method == SLUICE_METHOD_CONNECT ||
	    edit->op == SLUICE_EDIT_REMOVE)
		return HTTP_ERROR_EDIT_FIELD;
	return http_host_valid(edit->value.data, edit->value.len) ? HTTP_OK : HTTP_ERROR_EDIT_HOST;
}

/* What is known is a token. */
static bool check_name(const struct edit *edit, uint16_t id)
{
	const struct http_bytes *name = &edit->name;

	if (edit->id != SLUICE_FIELD_OTHER)
		return http_field_is(id, name->data, name->len);
	return name->len > 0 && http_scan_token(name->data, name->len) == name->len;
}

static enum http_error check_field(const struct sluice_head *head, const struct edit *edit)
{
	const struct http_bytes *value = &edit->value;
	uint16_t id = id_of(edit);

	if (!check_name(edit, id))
		return HTTP_ERROR_EDIT_NAME;
	if ((http_field_flags(id) & (SLUICE_FIELD_HOP | SLUICE_FIELD_FRAMING)) != 0)
		return HTTP_ERROR_EDIT_FIELD;
	if (http_scan_value(value->data, value->len) != value->len)
		return HTTP_ERROR_EDIT_VALUE;
	return id == SLUICE_FIELD_HOST ? check_host(head, edit) : HTTP_OK;
}

static enum http_error check_target(const struct sluice_head *head, const struct edit *edit)
{
	struct http_target target;

	if (head->response)
		return HTTP_ERROR_EDIT_OP;
	if (edit->name.len > 0)
		return HTTP_ERROR_EDIT_LIST;
	return http_target_check(head->method, edit->value.data, edit->value.len, &target)
		       ? HTTP_OK
		       : HTTP_ERROR_EDIT_TARGET;
}

/* 1xx are the manager's: they announce an answer, they are none. */
static enum http_error check_status(const struct sluice_head *head, const struct edit *edit)
{
	const uint8_t *digits = edit->value.data;

	if (!head->response)
		return HTTP_ERROR_EDIT_OP;
	if (edit->name.len > 0)
		return HTTP_ERROR_EDIT_LIST;
	if (edit->value.len != 3 || http_scan_class(digits, 3, HTTP_DIGIT) != 3)
		return HTTP_ERROR_EDIT_STATUS;
	return digits[0] >= '2' && digits[0] <= '5' ? HTTP_OK : HTTP_ERROR_EDIT_STATUS;
}

static enum http_error check_edit(const struct sluice_head *head, const struct edit *edit)
{
	switch (edit->op) {
	case SLUICE_EDIT_REMOVE:
		return edit->value.len > 0 ? HTTP_ERROR_EDIT_LIST : check_field(head, edit);
	case SLUICE_EDIT_SET:
	case SLUICE_EDIT_ADD:
		return check_field(head, edit);
	case SLUICE_EDIT_TARGET:
		return check_target(head, edit);
	case SLUICE_EDIT_STATUS:
		return check_status(head, edit);
	default:
		return HTTP_ERROR_EDIT_OP;
	}
}

/* What the list may need at most. */
struct room {
	uint64_t text;
	uint64_t fields;
};

static void add_room(struct room *room, const struct edit *edit)
{
	if (edit->op == SLUICE_EDIT_TARGET)
		room->text += 2ull * edit->value.len + 1;
	if (edit->op != SLUICE_EDIT_SET && edit->op != SLUICE_EDIT_ADD)
		return;
	room->text += edit->name.len + edit->value.len;
	room->fields++;
}

static bool fits(const struct sluice_head *head, const struct room *room)
{
	return room->text <= head->text_size - head->text_used &&
	       room->fields <= head->fields_size - head->fields;
}

static enum http_error check_all(const struct sluice_head *head, struct cursor cursor)
{
	struct room room = {0};
	struct edit edit;

	while (!at_end(&cursor)) {
		enum http_error error = HTTP_ERROR_EDIT_LIST;

		if (next_edit(&cursor, &edit))
			error = check_edit(head, &edit);
		if (error != HTTP_OK)
			return error;
		add_room(&room, &edit);
	}
	return fits(head, &room) ? HTTP_OK : HTTP_ERROR_EDIT_ROOM;
}

/* --- changes ---------------------------------------------------------------------- */

static int set_status(struct sluice_head *head, const uint8_t *digits)
{
	http_head_status(head, (uint16_t)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 +
					  digits[2] - '0'));
	return 0;
}

static int apply_edit(struct sluice_head *head, const struct http_memory *memory,
		      const struct edit *edit)
{
	struct http_key key;

	switch (edit->op) {
	case SLUICE_EDIT_SET:
		key = (struct http_key){id_of(edit), edit->name};
		return http_head_set_key(head, memory, &key, edit->value);
	case SLUICE_EDIT_ADD:
		key = (struct http_key){id_of(edit), edit->name};
		return http_head_put_key(head, memory, &key, edit->value);
	case SLUICE_EDIT_REMOVE:
		http_head_remove(head, memory, edit->name);
		return 0;
	case SLUICE_EDIT_TARGET:
		return http_head_target(head, edit->value);
	default:
		return set_status(head, edit->value.data);
	}
}

int http_edits_apply(struct sluice_head *head, const struct http_memory *memory,
		     const uint8_t *edits, uint32_t len, enum http_error *error)
{
	struct cursor cursor = {edits, len, 0};
	struct edit edit;
	int rc = 0;

	*error = check_all(head, cursor);
	if (*error != HTTP_OK)
		return *error == HTTP_ERROR_EDIT_ROOM ? -ENOSPC : -EINVAL;
	while (rc == 0 && !at_end(&cursor) && next_edit(&cursor, &edit))
		rc = apply_edit(head, memory, &edit);
	return rc;
}

/* --- once more --------------------------------------------------------------------- */

/* Whether one may stand in a list that is kept: it asks nothing of the head that it changes. */
static bool is_plain(const struct edit *edit)
{
	return (edit->op == SLUICE_EDIT_SET || edit->op == SLUICE_EDIT_ADD ||
		edit->op == SLUICE_EDIT_REMOVE) &&
	       id_of(edit) != SLUICE_FIELD_HOST;
}

static void prove(struct http_proven *proven, const struct edit *edit)
{
	struct http_proven_edit *to = &proven->edit[proven->edits++];
	uint32_t at = proven->text_bytes;

	*to = (struct http_proven_edit){.op = edit->op,
					.id = id_of(edit),
					.name_off = (uint16_t)at,
					.name_len = (uint16_t)edit->name.len,
					.value_off = (uint16_t)(at + edit->name.len + 2),
					.value_len = (uint16_t)edit->value.len};
	memcpy(proven->text + at, edit->name.data, edit->name.len);
	memcpy(proven->text + at + edit->name.len, ": ", 2);
	memcpy(proven->text + to->value_off, edit->value.data, edit->value.len);
	memcpy(proven->text + to->value_off + edit->value.len, "\r\n", 2);
	proven->text_bytes = to->value_off + edit->value.len + 2;
}

bool http_edits_prove(const uint8_t *edits, uint32_t len, struct http_proven *proven)
{
	struct cursor cursor = {edits, len, 0};
	struct edit edit;

	proven->edits = 0;
	proven->text_bytes = 0;
	while (!at_end(&cursor) && next_edit(&cursor, &edit)) {
		if (!is_plain(&edit) || proven->edits == HTTP_PROVEN_EDITS ||
		    edit.name.len + edit.value.len + 4 > sizeof(proven->text) - proven->text_bytes)
			return false;
		prove(proven, &edit);
	}
	return true;
}

/* Its text is in the slot already, at `place`. */
static void add_proven(struct sluice_head *head, const struct http_proven_edit *edit,
		       struct http_place place)
{
	http_slot_field(head, edit->id, http_slot_text(place, edit->name_off, edit->name_len),
			http_slot_text(place, edit->value_off, edit->value_len));
	http_slot_link_last(head);
}

/* Nothing of this name is there that it would have to take the place of. */
static bool only_adds(const struct sluice_head *head, const struct http_proven_edit *edit)
{
	if (edit->op == SLUICE_EDIT_ADD && !(http_field_flags(edit->id) & SLUICE_FIELD_SINGLE))
		return true;
	return edit->op != SLUICE_EDIT_REMOVE && edit->id != SLUICE_FIELD_OTHER &&
	       head->first[edit->id] == SLUICE_NONE16;
}

static void apply_proven(struct sluice_head *head, const struct http_memory *memory,
			 const struct http_proven *proven, const struct http_proven_edit *edit,
			 struct http_place place)
{
	const struct edit whole = {edit->op,
				   edit->id,
				   {proven->text + edit->name_off, edit->name_len},
				   {proven->text + edit->value_off, edit->value_len}};

	if (only_adds(head, edit))
		add_proven(head, edit, place);
	else
		(void)apply_edit(head, memory, &whole);
}

/* All texts twice: an edit that finds a field of its name copies its value once more. */
bool http_edits_apply_proven(struct sluice_head *head, const struct http_memory *memory,
			     const struct http_proven *proven)
{
	struct http_place place = {0, head->text_used};

	if (2 * proven->text_bytes > head->text_size - head->text_used ||
	    proven->edits > head->fields_size - head->fields)
		return false;
	memcpy(http_slot_room(head, proven->text_bytes), proven->text, proven->text_bytes);
	head->text_used += proven->text_bytes;
	head->same = 0;
	for (uint32_t i = 0; i < proven->edits; i++)
		apply_proven(head, memory, proven, &proven->edit[i], place);
	return true;
}

/* --- conditions -------------------------------------------------------------------- */

static const bool conditions[SLUICE_FIELD_COUNT] = {
	[SLUICE_FIELD_IF_MATCH] = true,
	[SLUICE_FIELD_IF_NONE_MATCH] = true,
	[SLUICE_FIELD_IF_RANGE] = true,
	[SLUICE_FIELD_IF_MODIFIED_SINCE] = true,
	[SLUICE_FIELD_IF_UNMODIFIED_SINCE] = true,
	[SLUICE_FIELD_RANGE] = true,
};

/* The number of an edit that is of no field is anything. */
static bool is_condition(uint16_t id)
{
	return id < SLUICE_FIELD_COUNT && conditions[id];
}

bool http_edits_ask_otherwise(const uint8_t *edits, uint32_t len)
{
	struct cursor cursor = {edits, len, 0};
	struct edit edit;

	while (!at_end(&cursor) && next_edit(&cursor, &edit)) {
		if (is_condition(id_of(&edit)))
			return true;
	}
	return false;
}

void http_head_ask_for_all(struct sluice_head *head)
{
	for (uint16_t id = 0; id < SLUICE_FIELD_COUNT; id++)
		if (is_condition(id))
			http_head_remove_id(head, id);
}

bool http_status_of_condition(uint16_t status)
{
	return status == 206 || status == 304 || status == 412 || status == 416;
}
