/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/memo.h"

#include <string.h>

#include "chain/http/edit.h"
#include "chain/http/mix.h"

#define BLANK (UINT64_C(1) << 63) /* no number of a content is so high */

/* An answer of which nothing is said but its status. */
static bool is_blank(const struct sluice_head *head)
{
	return head->response && head->bases == 1 && !head->fields && !head->text_used &&
	       !head->reason.len;
}

uint64_t http_memo_from(const struct sluice_head *head)
{
	if (head->same || !is_blank(head))
		return head->same;
	return BLANK | (uint64_t)head->version << 24 | (uint64_t)head->method << 16 | head->status;
}

static bool is_short(uint32_t len)
{
	return len >= sizeof(struct sluice_edit) && len <= HTTP_MEMO_BYTES;
}

/* Lists differ in their length, or in values: mostly at the end, or in the middle. One that comes
 * to the place of another goes the whole way. */
static unsigned place_of(uint64_t from, const uint8_t *edits, uint32_t len)
{
	uint64_t mixed = (http_load64(edits + len - 8) << 1) + http_load64(edits + (len - 8) / 2) +
			 http_load64(edits + (len - 8) / 4) + len + from * 5;

	return (unsigned)(http_mix_end(mixed) >> 40) % HTTP_MEMOS;
}

/* Its body's length follows from the head's framing, and no edit changes that. */
static bool give(const struct http_content *content, struct sluice_head *head)
{
	uint64_t body_bytes = head->body_bytes;
	bool given = http_content_give(content, head);

	head->body_bytes = body_bytes;
	return given;
}

bool http_memo_recall(const struct http_memos *memos, struct sluice_head *head,
		      const uint8_t *edits, uint32_t len, bool *asks_otherwise)
{
	uint64_t from = http_memo_from(head);
	const struct http_memo *memo;

	if (!from || !is_short(len))
		return false;
	memo = &memos->memo[place_of(from, edits, len)];
	if (memo->len != len || memo->from != from || memcmp(memo->edits, edits, len) != 0)
		return false;
	*asks_otherwise = memo->asks_otherwise;
	return give(&memo->content, head);
}

void http_memo_keep(struct http_memos *memos, struct http_numbers *numbers, uint64_t from,
		    const uint8_t *edits, uint32_t len, struct sluice_head *head)
{
	struct http_memo *memo;
	uint64_t mixed;

	if (!from || !is_short(len))
		return;
	memo = &memos->memo[place_of(from, edits, len)];
	mixed = http_mix(edits, len) + from;
	if (memo->seen != mixed) {
		memo->seen = mixed;
		return;
	}
	memo->len = 0;
	if (!http_content_keep(&memo->content, numbers, head))
		return;
	memo->from = from;
	memo->len = len;
	memo->asks_otherwise = http_edits_ask_otherwise(edits, len);
	memcpy(memo->edits, edits, len);
}
