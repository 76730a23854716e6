/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/memo.h"

#include <string.h>

#include "chain/http/chars.h"
#include "chain/http/slot.h"

/* A list is eight bytes at least. Lists differ in their length, or in values: mostly at the end, or
 * in the middle. One that takes the place of another costs time and nothing else. */
static unsigned place_of(uint16_t status, const uint8_t *edits, uint32_t len)
{
	uint64_t mixed =
		http_load64(edits + len - 8) + http_load64(edits + (len - 8) / 2) + len + status;

	return (unsigned)((mixed * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % HTTP_MEMOS;
}

static bool is_short(uint32_t len)
{
	return len >= sizeof(struct sluice_edit) && len <= HTTP_MEMO_BYTES;
}

static uint8_t *text_of(struct sluice_head *head)
{
	return (uint8_t *)head + head->text_off;
}

bool http_memo_recall(const struct http_memos *memos, struct sluice_head *head,
		      const uint8_t *edits, uint32_t len)
{
	const struct http_memo *memo;

	if (!is_short(len))
		return false;
	memo = &memos->memo[place_of(head->status, edits, len)];
	if (memo->len != len || memo->status != head->status ||
	    memcmp(memo->edits, edits, len) != 0 || memo->fields > head->fields_size ||
	    memo->text_used > head->text_size)
		return false;
	head->status = memo->status_after;
	head->fields = memo->fields;
	head->text_used = memo->text_used;
	memcpy(head->field, memo->field, memo->fields * sizeof(head->field[0]));
	memcpy(text_of(head), memo->text, memo->text_used);
	http_slot_link(head);
	return true;
}

void http_memo_keep(struct http_memos *memos, uint16_t status, const uint8_t *edits, uint32_t len,
		    const struct sluice_head *head)
{
	struct http_memo *memo;

	if (!is_short(len) || head->fields > HTTP_MEMO_FIELDS || head->text_used > HTTP_MEMO_BYTES)
		return;
	memo = &memos->memo[place_of(status, edits, len)];
	memo->len = len;
	memo->status = status;
	memo->status_after = head->status;
	memo->fields = head->fields;
	memo->text_used = (uint16_t)head->text_used;
	memcpy(memo->edits, edits, len);
	memcpy(memo->field, head->field, head->fields * sizeof(head->field[0]));
	memcpy(memo->text, (const uint8_t *)head + head->text_off, head->text_used);
}
