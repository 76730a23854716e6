/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of edits that were checked before, byte for byte.
 *
 * A function puts the same fields into one head after the other. Whether a list of fields is right
 * depends on nothing but its bytes: so one that was found good is recognised and not checked again,
 * and its text is copied at once. What a list makes of a head is the same either way; only where in
 * the slot its text lies is not.
 *
 * A list that edits Host, target or status is not kept: those depend on the head. Nor is one that
 * comes once only.
 *
 * Threads: that of the head.
 */
#ifndef CHAIN_HTTP_PROVEN_H
#define CHAIN_HTTP_PROVEN_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "chain/http/error.h"
#include "chain/http/text.h"

#define HTTP_PROVEN_BYTES 512 /* of a list */
#define HTTP_PROVEN_EDITS 16
#define HTTP_PROVENS      64

struct http_proven_edit {
	uint8_t op;
	uint16_t id;
	uint16_t name_off, name_len, value_off, value_len; /* in `text` */
};

/* A list that is right, ready to be applied. */
struct http_proven {
	uint32_t edits, text_bytes;
	bool asks_otherwise; /* http_edits_ask_otherwise */
	struct http_proven_edit edit[HTTP_PROVEN_EDITS];
	uint8_t text[HTTP_PROVEN_BYTES]; /* of each the line as it is written */
};

struct http_proven_list {
	uint64_t seen; /* the list that came to this place last and was not kept, mixed */
	uint32_t len;  /* 0: free */
	struct http_proven proven;
	uint8_t list[HTTP_PROVEN_BYTES];
};

struct http_provens {
	struct http_proven_list at[HTTP_PROVENS];
};

/* What became of a list. */
struct http_edited {
	enum http_error error;
	bool asks_otherwise; /* it was applied: http_edits_ask_otherwise */
};

/* http_edits_apply, by the short way for a list that is known. */
int http_provens_apply(struct http_provens *provens, struct sluice_head *head,
		       const struct http_memory *memory, const uint8_t *edits, uint32_t len,
		       struct http_edited *edited) __attribute__((warn_unused_result));

/* edits.c: a list that was applied, made ready. False: it is of those that are not kept. */
bool http_edits_prove(const uint8_t *edits, uint32_t len, struct http_proven *proven);
/* False: there may be no room, and nothing was changed. */
bool http_edits_apply_proven(struct sluice_head *head, const struct http_memory *memory,
			     const struct http_proven *proven);

#endif
