/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the daemon shows: plain structures that it fills, and their JSON.
 *
 * The structures are made from views.def, one member for each row there: struct
 * view_status, view_worker, view_port, view_chain, view_function, view_flow,
 * view_upstream, view_stat, view_buffer, view_error. The same rows make the JSON here and
 * the tables of sluicectl; to show one more thing, add a row and fill the member.
 *
 * Texts are borrowed for the time of the call; NULL is shown as "-". Any bytes may stand
 * in them: what is not UTF-8 is written as \xNN. A number of -1 means "none": null in JSON, "-" in
 * tables.
 */
#ifndef MGMT_CTL_VIEWS_H
#define MGMT_CTL_VIEWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view_texts {
	const char *const *items;
	unsigned count;
};

#define VIEW_TYPE_TEXT    const char *
#define VIEW_TYPE_TEXTS   struct view_texts
#define VIEW_TYPE_NUMBER  int64_t
#define VIEW_TYPE_BYTES   int64_t
#define VIEW_TYPE_SECONDS int64_t
#define VIEW_TYPE_US      int64_t
#define VIEW_TYPE_TIME    int64_t /* seconds since 1970 */
#define VIEW_TYPE_PERCENT double  /* 0 to 100 */
#define VIEW_TYPE_BOOL    bool

enum view_kind {
	VIEW_TEXT,
	VIEW_TEXTS,
	VIEW_NUMBER,
	VIEW_BYTES,
	VIEW_SECONDS,
	VIEW_US,
	VIEW_TIME,
	VIEW_PERCENT,
	VIEW_BOOL,
};

enum view_place { VIEW_COLUMN, VIEW_DETAIL, VIEW_JSON };

struct view_field {
	const char *name; /* the member, and the key in JSON; NULL ends a view */
	const char *title;
	const char *help;
	enum view_kind kind;
	enum view_place place;
	size_t offset;
};

struct view {
	const char *name;
	const struct view_field *fields;
	size_t size; /* of the structure */
};

/* clang-format off */
#define VIEW(v) struct view_##v {
#define FIELD(v, kind, place, member, title, help) VIEW_TYPE_##kind member;
#define VIEW_END(v) }; extern const struct view view_of_##v;
#include "mgmt/ctl/views.def"
#undef VIEW
#undef FIELD
#undef VIEW_END
/* clang-format on */

/* An object, or NULL when there is no memory. */
json_t *view_json(const struct view *view, const void *row);

/* An array of objects, or NULL. `rows` are `count` of the view's structures. */
json_t *view_list_json(const struct view *view, const void *rows, unsigned count);

/*
 * Takes out of an array, as view_list_json made it, the rows that do not begin with `prefix`
 * in one of their names: a text in a column, or the first two joined by a dot
 * ("tcp.segments_in").
 */
void view_filter_json(const struct view *view, json_t *array, const char *prefix);

/* The status, with the workers as an array in "workers". */
json_t *view_status_json(const struct view_status *status, const struct view_worker *workers,
			 unsigned count);

/* json_t *view_ports_json(const struct view_port *rows, unsigned count), and so on. */
#define VIEW_LIST(v, plural)                                                                    \
	static inline json_t *view_##plural##_json(const struct view_##v *rows, unsigned count) \
	{                                                                                       \
		return view_list_json(&view_of_##v, rows, count);                               \
	}
VIEW_LIST(worker, workers)
VIEW_LIST(port, ports)
VIEW_LIST(chain, chains)
VIEW_LIST(function, functions)
VIEW_LIST(application, applications)
VIEW_LIST(flow, flows)
VIEW_LIST(upstream, upstreams)
VIEW_LIST(stat, stats)
VIEW_LIST(buffer, buffers)
VIEW_LIST(cycle, cycles)
VIEW_LIST(error, errors)
#undef VIEW_LIST

#endif
