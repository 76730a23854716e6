/* SPDX-License-Identifier: BSD-3-Clause */
#include "prefixes.h"

#include "nf/common/str.h"

bool prefixes_purge(struct prefixes *prefixes, struct sluice_str prefix, bool soft)
{
	struct prefix_note *note;

	if (prefix.len > PREFIX_BYTES)
		return false;
	note = &prefixes->note[++prefixes->purges % PREFIXES_NOTED];
	note->len = prefix.len;
	note->soft = soft;
	memcpy(note->text, prefix.ptr, prefix.len);
	return true;
}

static bool begins(struct sluice_str key, const struct prefix_note *note)
{
	return key.len >= note->len && !memcmp(key.ptr, note->text, note->len);
}

enum tags_end prefixes_judge(const struct prefixes *prefixes, struct sluice_str key, uint64_t seen)
{
	enum tags_end end = TAGS_GOOD;

	if (prefixes->purges - seen > PREFIXES_NOTED)
		return TAGS_GONE; /* what was noted then is forgotten */
	for (uint64_t number = seen + 1; number <= prefixes->purges; number++) {
		const struct prefix_note *note = &prefixes->note[number % PREFIXES_NOTED];

		if (!begins(key, note))
			continue;
		if (!note->soft)
			return TAGS_GONE;
		end = TAGS_STALE;
	}
	return end;
}
