/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of a head's slot: its text area, its bases, its fields. The codec's own; the
 * parser and the edits build on it.
 *
 * Threads: that of the head.
 */
#ifndef CHAIN_HTTP_SLOT_H
#define CHAIN_HTTP_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "chain/http/target.h"
#include "chain/http/text.h"

/* Where a line stands: its first byte is at `off` of that base. */
struct http_place {
	uint16_t base;
	uint32_t off;
};

static inline struct sluice_text http_slot_text(struct http_place place, uint32_t off, uint32_t len)
{
	return (struct sluice_text){(uint16_t)(place.off + off), (uint16_t)len, place.base};
}

/* The next free byte of the text area, or NULL when fewer than `len` are free. */
uint8_t *http_slot_room(struct sluice_head *head, uint32_t len);

/* Copies `bytes` to the text area. False: no room. */
bool http_slot_copy(struct sluice_head *head, struct http_bytes bytes, struct sluice_text *out);

/* A base for text from `ref` on. False: all are in use. */
bool http_slot_base(struct sluice_head *head, uint64_t ref, uint16_t *base);

/* One more field at the end, not yet linked. NULL: no room. */
struct sluice_field *http_slot_field(struct sluice_head *head, uint16_t id, struct sluice_text name,
				     struct sluice_text value);

void http_slot_value(struct sluice_field *field, struct sluice_text value);

/* Makes first[] and next anew from the fields. */
void http_slot_link(struct sluice_head *head);
/* The same where only the last field is not linked yet. */
void http_slot_link_last(struct sluice_head *head);

/* Fills target, path, query and host from a target whose text stands at `place`; `host` and the
 * Host field only when the target names one. False: no room. */
bool http_slot_target(struct sluice_head *head, struct http_place place, const uint8_t *text,
		      uint32_t len, const struct http_target *target);

#endif
