/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/ctl/views.h"

/* Room for one more of `size` bytes in a list that doubles. */
static bool grow(void **list, unsigned count, unsigned *room, size_t size)
{
	unsigned more = *room ? *room * 2 : 16;
	void *grown;

	if (count < *room)
		return true;
	grown = realloc(*list, more * size);
	if (!grown)
		return false;
	*list = grown;
	*room = more;
	return true;
}

void *rows_add(struct rows *rows)
{
	char *row;

	if (!grow(&rows->data, rows->count, &rows->room, rows->size)) {
		rows->failed = true;
		return NULL;
	}
	row = (char *)rows->data + rows->count++ * rows->size;
	memset(row, 0, rows->size);
	return row;
}

/* Takes over `memory`; NULL when it cannot be kept. */
static void *keep(struct rows *rows, void *memory)
{
	void *list = rows->kept;

	if (!memory || !grow(&list, rows->kept_count, &rows->kept_room, sizeof(void *))) {
		free(memory);
		return NULL;
	}
	rows->kept = list;
	return rows->kept[rows->kept_count++] = memory;
}

const char *rows_text(struct rows *rows, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	text = keep(rows, n < 0 ? NULL : text);
	return text ? text : "";
}

const char **rows_texts(struct rows *rows, unsigned n)
{
	return keep(rows, calloc(n + 1, sizeof(char *)));
}

void rows_free(struct rows *rows)
{
	for (unsigned i = 0; i < rows->kept_count; i++)
		free(rows->kept[i]);
	free(rows->kept);
	free(rows->data);
	*rows = (struct rows){.size = rows->size};
}

json_t *rows_finish(struct rows *rows, const struct view *view)
{
	json_t *json = rows->failed ? NULL : view_list_json(view, rows->data, rows->count);

	rows_free(rows);
	return json;
}
