/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of a view while they are gathered, and the texts they borrow.
 *
 * Control thread; a worker may append while the control thread waits in worker_call.
 */
#ifndef DATAPLANE_ROWS_H
#define DATAPLANE_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct view;

struct rows {
	void *data; /* `count` elements of `size` bytes */
	size_t size;
	unsigned count, room;
	void **kept; /* what rows refer to */
	unsigned kept_count, kept_room;
	bool failed; /* out of memory: rows are missing */
};

#define ROWS(type)                   \
	{                            \
		.size = sizeof(type) \
	}

/* The next element, zeroed; NULL when there is no memory. */
void *rows_add(struct rows *rows);
/* A text that lives as long as the rows; "" when there is no memory. */
const char *rows_text(struct rows *rows, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A list of `n` texts that lives as long; NULL when there is no memory. */
const char **rows_texts(struct rows *rows, unsigned n);
void rows_free(struct rows *rows);
/* The rows as JSON (mgmt/ctl/views.h), and their end. NULL when there is no memory. */
json_t *rows_finish(struct rows *rows, const struct view *view);

#endif
