/* SPDX-License-Identifier: BSD-3-Clause */
#include "tags.h"

#include "fields.h"
#include "nf/common/str.h"

bool tags_is_field(struct sluice_str name)
{
	return str_equal_nocase(name, sluice_str("cache-tag")) ||
	       str_equal_nocase(name, sluice_str("surrogate-key"));
}

static bool is_between(char c)
{
	return c == ',' || str_is_space(c);
}

/* The next tag, taken off; false: there is none. */
static bool take_tag(struct sluice_str *rest, struct sluice_str *tag)
{
	uint32_t len = 0;

	while (rest->len && is_between(rest->ptr[0]))
		*rest = str_skip(*rest, 1);
	while (len < rest->len && !is_between(rest->ptr[len]))
		len++;
	*tag = str_make(rest->ptr, len);
	*rest = str_skip(*rest, len);
	return len > 0;
}

unsigned tags_purge(struct tags *tags, const struct hash_key *key, struct sluice_str text,
		    bool soft)
{
	struct sluice_str tag;
	unsigned n = 0;

	for (; take_tag(&text, &tag); n++) {
		uint64_t number = ++tags->purges;

		tags->note[number % TAGS_NOTED] =
			(struct tag_note){hash_bytes(key, tag.ptr, tag.len), number, soft};
	}
	return n;
}

static enum tags_end judge_tag(const struct tags *tags, uint64_t hash, uint64_t seen)
{
	enum tags_end end = TAGS_GOOD;

	for (uint64_t number = seen + 1; number <= tags->purges; number++) {
		const struct tag_note *note = &tags->note[number % TAGS_NOTED];

		if (note->hash != hash)
			continue;
		if (!note->soft)
			return TAGS_GONE;
		end = TAGS_STALE;
	}
	return end;
}

static enum tags_end judge_value(const struct tags *tags, const struct hash_key *key,
				 struct sluice_str value, uint64_t seen)
{
	enum tags_end end = TAGS_GOOD;
	struct sluice_str tag;

	while (take_tag(&value, &tag)) {
		enum tags_end one = TAGS_GONE; /* what was noted then is forgotten */

		if (tags->purges - seen <= TAGS_NOTED)
			one = judge_tag(tags, hash_bytes(key, tag.ptr, tag.len), seen);
		if (one > end)
			end = one;
	}
	return end;
}

enum tags_end tags_judge(const struct tags *tags, const struct hash_key *key,
			 const struct fields *head, uint64_t seen)
{
	enum tags_end end = TAGS_GOOD;

	for (unsigned i = 0; i < head->count; i++) {
		enum tags_end one = TAGS_GOOD;

		if (tags_is_field(fields_name(head, i)))
			one = judge_value(tags, key, fields_value(head, i), seen);
		if (one > end)
			end = one;
	}
	return end;
}
