/* SPDX-License-Identifier: BSD-3-Clause */
#include "seen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nf/common/pool.h"

int seen_init(struct seen *seen, struct pool *pool, uint32_t count)
{
	uint32_t rows = 1;
	int err = hash_key_take(&seen->key[0]);

	if (!err)
		err = hash_key_take(&seen->key[1]);
	if (err || count == 0)
		return err;
	while (rows * SEEN_WAYS < count)
		rows *= 2;
	seen->entry = pool_alloc(pool, (size_t)rows * SEEN_WAYS, sizeof(*seen->entry));
	seen->mask = rows - 1;
	return seen->entry ? 0 : -ENOMEM;
}

struct seen_tag seen_tag_of(const struct seen *seen, uint8_t kind, struct sluice_str text)
{
	struct seen_tag tag;

	for (unsigned i = 0; i < 2; ++i) {
		struct hash_key key = seen->key[i];

		key.k0 ^= kind;
		tag.word[i] = hash_bytes(&key, text.ptr, text.len);
	}
	return tag;
}

static struct seen_entry *row_of(const struct seen *seen, const struct seen_tag *tag)
{
	return &seen->entry[(tag->word[0] & seen->mask) * SEEN_WAYS];
}

/* Without a branch on where they differ. */
static bool same(const struct seen_tag *a, const struct seen_tag *b)
{
	return ((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1])) == 0;
}

const char *seen_find(const struct seen *seen, const struct seen_tag *tag, int64_t now)
{
	struct seen_entry *row = seen->entry ? row_of(seen, tag) : NULL;

	for (unsigned i = 0; row && i < SEEN_WAYS; ++i)
		if (row[i].until > now && same(&row[i].tag, tag))
			return row[i].user;
	return NULL;
}

void seen_add(struct seen *seen, const struct seen_tag *tag, const char *user, int64_t until)
{
	struct seen_entry *row = seen->entry ? row_of(seen, tag) : NULL, *place = row;

	if (!row)
		return;
	for (unsigned i = 0; i < SEEN_WAYS; ++i) {
		if (same(&row[i].tag, tag)) {
			place = &row[i];
			break;
		}
		if (row[i].until < place->until)
			place = &row[i];
	}
	*place = (struct seen_entry){.tag = *tag, .until = until};
	snprintf(place->user, sizeof(place->user), "%s", user);
}
