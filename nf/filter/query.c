/* SPDX-License-Identifier: BSD-3-Clause */
/* The request in the spellings that rules see. */
#include "nf/filter/filter.h"

#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

struct sluice_str filter_form_decode(struct sluice_str text, char *room)
{
	uint32_t out = 0;

	for (uint32_t i = 0; i < text.len; ++i) {
		char c = text.ptr[i];

		if (c == '+')
			c = ' ';
		if (c == '%' && i + 2 < text.len && hex(text.ptr[i + 1]) >= 0 &&
		    hex(text.ptr[i + 2]) >= 0) {
			c = (char)(hex(text.ptr[i + 1]) << 4 | hex(text.ptr[i + 2]));
			i += 2;
		}
		room[out++] = c;
	}
	return (struct sluice_str){room, out};
}

struct sluice_str filter_view_target(struct filter_view *view)
{
	struct sluice_str query = sluice_query(view->x), path = view->path;
	char *room = view->filter->target_room;

	if (view->target_made)
		return view->target;
	view->target_made = true;
	if (path.len + query.len > FILTER_ROOM_BYTES)
		return view->target = sluice_target(view->x);
	memcpy(room, path.ptr, path.len);
	view->target = (struct sluice_str){room, path.len};
	if (query.len > 0) {
		room[path.len] = '?';
		view->target.len += 1 + filter_form_decode(query, room + path.len + 1).len;
	}
	return view->target;
}

/* What stands before the first `mark`; `rest` becomes what follows it. */
static struct sluice_str take_until(struct sluice_str *rest, char mark)
{
	const char *at = memchr(rest->ptr, mark, rest->len);
	struct sluice_str part = {rest->ptr, at ? (uint32_t)(at - rest->ptr) : rest->len};
	uint32_t step = at ? part.len + 1 : part.len;

	rest->ptr += step;
	rest->len -= step;
	return part;
}

bool filter_view_args(struct filter_view *view)
{
	struct filter *filter = view->filter;
	struct sluice_str query = sluice_query(view->x);
	char *room = filter->arg_room;

	if (view->args_made)
		return !view->args_over;
	view->args_made = true;
	view->args_over = query.len > FILTER_ROOM_BYTES;
	while (query.len > 0 && !view->args_over) {
		struct sluice_str pair = take_until(&query, '&'), name = take_until(&pair, '=');
		struct filter_arg *arg = &filter->arg[view->args];

		if (view->args == FILTER_ARGS_MAX) {
			view->args_over = true;
			break;
		}
		arg->name = filter_form_decode(name, room);
		arg->value = filter_form_decode(pair, room + arg->name.len);
		room += arg->name.len + arg->value.len;
		++view->args;
	}
	return !view->args_over;
}
