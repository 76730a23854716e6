/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/sluicectl/render.h"

#include <stdlib.h>
#include <string.h>

#include "mgmt/sluicectl/format.h"
#include "mgmt/sluicectl/table.h"

static enum table_align align_of(const struct view_field *field)
{
	return field->kind == VIEW_TEXT || field->kind == VIEW_TEXTS || field->kind == VIEW_TIME
		       ? TABLE_LEFT
		       : TABLE_RIGHT;
}

static void add_field(struct table *table, const struct view_field *field, const json_t *row)
{
	char *text = format_value(field->kind, json_object_get(row, field->name));
	bool said = text && text[0] && strcmp(text, "-") != 0;

	if (field->place == VIEW_COLUMN)
		table_cell(table, said ? text : "-");
	else if (field->place == VIEW_DETAIL && said)
		table_note(table, field->title, text);
	free(text);
}

static void add_row(struct table *table, const struct view *view, const json_t *row)
{
	/* Cells first: a note belongs to the row that was begun. */
	for (const struct view_field *field = view->fields; field->name; field++)
		if (field->place == VIEW_COLUMN)
			add_field(table, field, row);
	for (const struct view_field *field = view->fields; field->name; field++)
		if (field->place == VIEW_DETAIL)
			add_field(table, field, row);
}

void render_list(const struct view *view, const char *plural, const json_t *array, bool colour,
		 FILE *out)
{
	struct table *table;

	if (json_array_size(array) == 0) {
		fprintf(out, "no %s\n", plural);
		return;
	}
	table = table_create();
	for (const struct view_field *field = view->fields; field->name; field++)
		if (field->place == VIEW_COLUMN)
			table_column(table, field->title, align_of(field));
	for (size_t i = 0; i < json_array_size(array); i++)
		add_row(table, view, json_array_get(array, i));
	table_print(table, colour, out);
	table_free(table);
}

/* --- rows of any form ---------------------------------------------------------------------- */

/* The names that occur, as keys; each with a first value. */
static json_t *names_of(const json_t *array)
{
	json_t *names = json_object(), *row;
	size_t i;

	json_array_foreach(array, i, row) if (json_object_update_missing(names, row)) break;
	return names;
}

static void add_any(struct table *table, const json_t *value)
{
	char *text = format_value(VIEW_NUMBER, value);

	table_cell(table, text && text[0] ? text : "-");
	free(text);
}

static void rows_print(json_t *names, const json_t *array, bool colour, FILE *out)
{
	struct table *table = table_create();
	const char *name;
	json_t *row, *value;
	size_t i;

	json_object_foreach(names, name, value)
		table_column(table, name, json_is_integer(value) ? TABLE_RIGHT : TABLE_LEFT);
	json_array_foreach(array, i, row) json_object_foreach(names, name, value)
		add_any(table, json_object_get(row, name));
	table_print(table, colour, out);
	table_free(table);
}

void render_rows(const json_t *array, bool colour, FILE *out)
{
	json_t *names = names_of(array);

	if (json_object_size(names))
		rows_print(names, array, colour, out);
	else
		fputs("done\n", out);
	json_decref(names);
}

static int title_width(const struct view *view)
{
	size_t width = 0;

	for (const struct view_field *field = view->fields; field->name; field++)
		if (strlen(field->title) > width)
			width = strlen(field->title);
	return (int)width;
}

void render_status(const json_t *status, bool colour, FILE *out)
{
	int width = title_width(&view_of_status);
	const struct view_field *field = view_of_status.fields;

	for (; field->name; field++) {
		char *text = format_value(field->kind, json_object_get(status, field->name));

		fprintf(out, "%-*s  ", width, field->title);
		print_safely(text ? text : "-", out);
		fputc('\n', out);
		free(text);
	}
	fputc('\n', out);
	render_list(&view_of_worker, "workers", json_object_get(status, "workers"), colour, out);
}
