/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/upstream/match.h"

#include <string.h>

#define STEP 1024

/* What of `len` bytes is still head. */
static uint32_t skip_head(struct match *match, const char *bytes, uint32_t len)
{
	uint32_t i = 0;

	for (; i < len && match->newlines < 2; i++) {
		if (bytes[i] == '\n')
			match->newlines++;
		else if (bytes[i] != '\r')
			match->newlines = 0;
	}
	return i;
}

/* The text may begin in one piece and end in the next: what it could begin with is kept. */
static bool search(struct match *match, const char *text, const char *bytes, uint32_t len)
{
	char room[MATCH_TEXT_MAX + STEP];
	size_t text_len = strlen(text), all = match->kept + len, keep = text_len - 1;

	memcpy(room, match->tail, match->kept);
	memcpy(room + match->kept, bytes, len);
	if (memmem(room, all, text, text_len))
		return true;
	if (keep > all)
		keep = all;
	memcpy(match->tail, room + all - keep, keep);
	match->kept = (uint8_t)keep;
	return false;
}

bool match_feed(struct match *match, const char *text, const void *bytes, uint32_t len)
{
	const char *p = bytes;
	uint32_t skipped = skip_head(match, p, len);

	for (p += skipped, len -= skipped; len > 0;) {
		uint32_t n = len < STEP ? len : STEP;

		if (search(match, text, p, n))
			return true;
		p += n;
		len -= n;
	}
	return false;
}
