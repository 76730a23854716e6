/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text put together in room that the caller has. What does not fit is left out whole, and
 * `full` says so: nothing that was cut off is ever sent.
 */
#ifndef NF_COMMON_TEXT_H
#define NF_COMMON_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sluice/nf.h>

struct text {
	char *room;
	uint32_t used, size;
	bool full;
};

static inline void text_put(struct text *text, struct sluice_str part)
{
	if (text->full || part.len > text->size - text->used) {
		text->full = true;
		return;
	}
	memcpy(text->room + text->used, part.ptr, part.len);
	text->used += part.len;
}

static inline struct sluice_str text_str(const struct text *text)
{
	return (struct sluice_str){text->room, text->used};
}

#endif
