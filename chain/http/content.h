/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a head says, kept apart from its slot: start line and fields with where their text lies, and
 * the text that the slot itself holds. What belongs to the slot, to the connection or to the
 * exchange is not in it.
 *
 * Each content has a number (`same` in the head), which no other one gets: so what was made of a
 * head is found again by its number, without a look at the head. Whoever changes a head makes it 0.
 *
 * Threads: that of the heads.
 */
#ifndef CHAIN_HTTP_CONTENT_H
#define CHAIN_HTTP_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/abi.h>

#define HTTP_CONTENT_FIELDS 24
#define HTTP_CONTENT_BYTES  512 /* of text in the slot */

struct http_content {
	uint8_t line[offsetof(struct sluice_head, client)];
	uint16_t first[sizeof(((struct sluice_head *)0)->first) / sizeof(uint16_t)];
	uint16_t fields;
	uint32_t text_used;
	struct sluice_field field[HTTP_CONTENT_FIELDS];
	uint8_t text[HTTP_CONTENT_BYTES];
};

/* The last number that was given. Workers begin so far apart that none gives another's. */
struct http_numbers {
	uint64_t last;
};

static inline void http_numbers_open(struct http_numbers *numbers, unsigned worker)
{
	numbers->last = (uint64_t)worker << 48;
}

/* Gives the head a number, and keeps what it says. False: that is too much, and nothing was done.
 */
bool http_content_keep(struct http_content *content, struct http_numbers *numbers,
		       struct sluice_head *head);
/* Makes a head say that, whatever it said. False: its slot has no room for it. */
bool http_content_give(const struct http_content *content, struct sluice_head *head);

#endif
