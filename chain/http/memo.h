/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lists of edits have made of answers without a field, kept for the next one.
 *
 * Functions answer with the same few lists of edits again and again. What one makes of a blank
 * head depends on nothing but the list and the status: so a list that was checked and applied
 * once is recognised byte by byte, and its fields are copied. One that is not known, or long, or
 * for a head that has fields, goes the whole way (edit.h).
 *
 *	if (!http_memo_recall(memos, head, edits, len)) {
 *		rc = http_edits_apply(…);
 *		…
 *		http_memo_keep(…);
 *	}
 *
 * Threads: that of the head.
 */
#ifndef CHAIN_HTTP_MEMO_H
#define CHAIN_HTTP_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/abi.h>

#define HTTP_MEMO_BYTES  512 /* of a list, and of the text it makes */
#define HTTP_MEMO_FIELDS 12
#define HTTP_MEMOS       64

struct http_memo {
	uint32_t len; /* 0: free */
	uint16_t status, fields, text_used;
	uint16_t status_after; /* the list may have changed it */
	uint8_t edits[HTTP_MEMO_BYTES];
	struct sluice_field field[HTTP_MEMO_FIELDS];
	uint8_t text[HTTP_MEMO_BYTES];
};

struct http_memos {
	struct http_memo memo[HTTP_MEMOS];
};

/* An answer of which nothing is said but its status. */
static inline bool http_memo_blank(const struct sluice_head *head)
{
	return head->response && !head->fields && !head->text_used && !head->reason.len;
}

/* Makes of a blank head what the list made of one of this status. False: nothing is known. */
bool http_memo_recall(const struct http_memos *memos, struct sluice_head *head,
		      const uint8_t *edits, uint32_t len);

/* The list has made this of a blank head of that status. */
void http_memo_keep(struct http_memos *memos, uint16_t status, const uint8_t *edits, uint32_t len,
		    const struct sluice_head *head);

#endif
