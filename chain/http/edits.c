/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/edit.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "chain/http/field.h"
#include "chain/http/list.h"
#include "chain/http/scan.h"
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

/* --- conditions -------------------------------------------------------------------- */

static const uint16_t conditions[] = {
	SLUICE_FIELD_IF_MATCH,          SLUICE_FIELD_IF_NONE_MATCH,       SLUICE_FIELD_IF_RANGE,
	SLUICE_FIELD_IF_MODIFIED_SINCE, SLUICE_FIELD_IF_UNMODIFIED_SINCE, SLUICE_FIELD_RANGE,
};

#define CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

static bool is_condition(uint16_t id)
{
	for (unsigned i = 0; i < CONDITIONS; i++)
		if (conditions[i] == id)
			return true;
	return false;
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
	for (unsigned i = 0; i < CONDITIONS; i++)
		http_head_remove_id(head, conditions[i]);
}

bool http_status_of_condition(uint16_t status)
{
	return status == 206 || status == 304 || status == 412 || status == 416;
}
