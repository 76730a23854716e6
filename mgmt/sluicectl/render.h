/* SPDX-License-Identifier: BSD-3-Clause */
/* What the daemon answered, for people: from JSON and the rows of views.def to tables. */
#ifndef MGMT_SLUICECTL_RENDER_H
#define MGMT_SLUICECTL_RENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "mgmt/ctl/views.h"

/* An array of the view's objects as a table; "no PLURAL" when it is empty. */
void render_list(const struct view *view, const char *plural, const json_t *array, bool colour,
		 FILE *out);

/* Objects of texts and numbers: a column for each name, in the order of their first coming; "done"
 * when there are none. */
void render_rows(const json_t *array, bool colour, FILE *out);

/* The status: a line for each field, then the workers. */
void render_status(const json_t *status, bool colour, FILE *out);

#endif
