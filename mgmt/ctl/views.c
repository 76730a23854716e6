/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/ctl/views.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the tables, from the rows -------------------------------------------------------- */

/* clang-format off */
#define VIEW(v) static const struct view_field v##_fields[] = {
#define FIELD(v, kind_, place_, member, title_, help_)                                          \
	{.name = #member, .title = (title_), .help = (help_), .kind = VIEW_##kind_,                \
	 .place = VIEW_##place_, .offset = offsetof(struct view_##v, member)},
#define VIEW_END(v)                                                                             \
	{.name = NULL}};                                                                           \
	const struct view view_of_##v = {#v, v##_fields, sizeof(struct view_##v)};
#include "mgmt/ctl/views.def"
#undef VIEW
#undef FIELD
#undef VIEW_END
/* clang-format on */

/* --- texts ------------------------------------------------------------------------------ */

/* For what is not UTF-8: every byte beyond ASCII as \xNN. */
static json_t *escaped(const char *text)
{
	char *copy = malloc(4 * strlen(text) + 1), *end = copy;
	json_t *json;

	if (!copy)
		return NULL;
	for (; *text; text++)
		if ((unsigned char)*text < 0x80)
			*end++ = *text;
		else
			end += sprintf(end, "\\x%02x", (unsigned char)*text);
	*end = '\0';
	json = json_string(copy);
	free(copy);
	return json;
}

static json_t *text_json(const char *text)
{
	json_t *json;

	if (!text)
		return json_null();
	json = json_string(text);
	return json ? json : escaped(text);
}

static json_t *texts_json(const struct view_texts *texts)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < texts->count; i++)
		if (json_array_append_new(array, text_json(texts->items[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *percent_json(double percent)
{
	return json_real(isfinite(percent) ? percent : 0);
}

/* Whoever sends a signal to pid -1 reaches everyone: "none" is no number on the wire. */
static json_t *number_json(int64_t number)
{
	return number == -1 ? json_null() : json_integer(number);
}

/* --- rows ------------------------------------------------------------------------------- */

static json_t *field_json(const struct view_field *field, const void *row)
{
	const void *member = (const unsigned char *)row + field->offset;

	switch (field->kind) {
	case VIEW_TEXT:
		return text_json(*(const char *const *)member);
	case VIEW_TEXTS:
		return texts_json(member);
	case VIEW_PERCENT:
		return percent_json(*(const double *)member);
	case VIEW_BOOL:
		return json_boolean(*(const bool *)member);
	case VIEW_NUMBER:
	case VIEW_BYTES:
	case VIEW_SECONDS:
	case VIEW_US:
	case VIEW_TIME:
		return number_json(*(const int64_t *)member);
	}
	return NULL;
}

json_t *view_json(const struct view *view, const void *row)
{
	json_t *object = json_object();

	for (const struct view_field *field = view->fields; field->name; field++)
		if (json_object_set_new(object, field->name, field_json(field, row)) != 0) {
			json_decref(object);
			return NULL;
		}
	return object;
}

json_t *view_list_json(const struct view *view, const void *rows, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++) {
		const void *row = (const unsigned char *)rows + i * view->size;

		if (json_array_append_new(array, view_json(view, row)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* --- filtering --------------------------------------------------------------------------- */

static bool is_name(const struct view_field *field)
{
	return field->kind == VIEW_TEXT && field->place == VIEW_COLUMN &&
	       strcmp(field->name, "state") != 0 && strcmp(field->name, "help") != 0;
}

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* `first` and `second` with a dot between them, without joining them. */
static bool pair_begins(const char *first, const char *second, const char *prefix)
{
	size_t len = strlen(first);

	return begins(prefix, first) && prefix[len] == '.' && begins(second, prefix + len + 1);
}

static bool matches(const struct view *view, const json_t *row, const char *prefix)
{
	const char *first = NULL, *second = NULL;

	for (const struct view_field *field = view->fields; field->name; field++) {
		const char *text = is_name(field)
					   ? json_string_value(json_object_get(row, field->name))
					   : NULL;

		if (!text)
			continue;
		if (begins(text, prefix))
			return true;
		if (!first)
			first = text;
		else if (!second)
			second = text;
	}
	return second && pair_begins(first, second, prefix);
}

void view_filter_json(const struct view *view, json_t *array, const char *prefix)
{
	size_t i = json_array_size(array);

	while (i-- > 0)
		if (!matches(view, json_array_get(array, i), prefix))
			json_array_remove(array, i);
}

/* --- the status -------------------------------------------------------------------------- */

json_t *view_status_json(const struct view_status *status, const struct view_worker *workers,
			 unsigned count)
{
	json_t *object = view_json(&view_of_status, status);

	if (object &&
	    json_object_set_new(object, "workers", view_workers_json(workers, count)) != 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}
