/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lists of edits have made of heads that are known, kept for the next one.
 *
 * Functions say the same few lists of edits of the same few heads again and again. What one makes
 * of a head depends on nothing but the two: so a list that was checked and applied to a head of
 * some number (content.h), or to an answer of which nothing is said but its status, is recognised
 * byte by byte, and what it made is copied. Anything else goes the whole way (edit.h).
 *
 *	from = http_memo_from(head);
 *	if (!http_memo_recall(memos, head, edits, len, &asks_otherwise)) {
 *		rc = http_edits_apply(…);
 *		…
 *		http_memo_keep(memos, numbers, from, edits, len, head);
 *	}
 *
 * What comes once only is not kept.
 *
 * Threads: that of the head.
 */
#ifndef CHAIN_HTTP_MEMO_H
#define CHAIN_HTTP_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#include "chain/http/content.h"

#define HTTP_MEMO_BYTES 512 /* of a list */
#define HTTP_MEMOS      64

struct http_memo {
	uint64_t seen; /* what came to this place last and was not kept, mixed */
	uint64_t from;
	uint32_t len;        /* 0: free */
	bool asks_otherwise; /* of the list: http_edits_ask_otherwise */
	uint8_t edits[HTTP_MEMO_BYTES];
	struct http_content content;
};

struct http_memos {
	struct http_memo memo[HTTP_MEMOS];
};

/* What the head is, to look for; 0: nobody knows. */
uint64_t http_memo_from(const struct sluice_head *head);

/* Makes of a head what the list made of such a one. False: nothing is known. */
bool http_memo_recall(const struct http_memos *memos, struct sluice_head *head,
		      const uint8_t *edits, uint32_t len, bool *asks_otherwise);

/* The list has made this of a head that was `from`. It gets a number if it is kept. */
void http_memo_keep(struct http_memos *memos, struct http_numbers *numbers, uint64_t from,
		    const uint8_t *edits, uint32_t len, struct sluice_head *head);

#endif
