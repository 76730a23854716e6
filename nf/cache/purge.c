/* SPDX-License-Identifier: BSD-3-Clause */
#include "purge.h"

#include "answer.h"
#include "nf/common/str.h"

static bool is_soft(const struct sluice_exchange *x)
{
	struct sluice_str value;

	return !sluice_field_named(x, "Soft-Purge", &value) && !str_equal(value, sluice_str("0"));
}

unsigned purge_tags(struct cache *cache, struct sluice_str tags, bool soft)
{
	unsigned n = tags_purge(&cache->tags, &cache->store.hash_key, tags, soft);

	sluice_unsteady(cache->nf);
	*cache->count.purges += n;
	return n;
}

/* The tags that the request names are purged; how many they are. */
static unsigned purge_named(struct cache *cache, const struct sluice_exchange *x, bool soft)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sluice_head(x)->fields; i++)
		if (tags_is_field(sluice_field_name(x, i)))
			n += purge_tags(cache, sluice_field_value(x, i), soft);
	return n;
}

bool purge_prefix(struct cache *cache, struct sluice_str prefix, bool soft)
{
	if (!prefixes_purge(&cache->prefixes, prefix, soft))
		return false;
	sluice_unsteady(cache->nf);
	cache_count(cache->count.purges);
	return true;
}

static void expire_all(struct cache *cache, struct entry *entry)
{
	sluice_unsteady(cache->nf);
	for (struct object *o = entry->newest; o; o = o->older)
		fresh_expire(&o->fresh, sluice_now_us(cache->nf));
	entry->invalidations++;
}

bool purge_target(struct cache *cache, struct sluice_str key, bool soft)
{
	struct store *store = &cache->store;
	struct entry *entry = store_find(store, store_hash(store, key), key);
	bool found = entry && entry->newest;

	if (found)
		cache_count(cache->count.purges);
	if (found && soft)
		expire_all(cache, entry);
	else if (entry)
		store_invalidate(store, entry);
	return found;
}

enum sluice_verdict purge_request(struct cache *cache, struct sluice_exchange *x,
				  const struct ask *ask)
{
	bool soft = is_soft(x), found;

	if (!networks_contain(&cache->set.purge_from, &sluice_head(x)->client))
		return answer_status(cache, x, 403, NULL);
	found = purge_named(cache, x, soft) > 0 || purge_target(cache, ask_key(ask), soft);
	return answer_status(cache, x, found ? 200 : 404, NULL);
}

struct purges purge_now(const struct cache *cache)
{
	return (struct purges){cache->tags.purges, cache->prefixes.purges};
}

static enum tags_end judge(const struct cache *cache, const struct object *object)
{
	struct purges seen = object->purges;
	struct sluice_str key = str_make(object->entry->key, object->entry->key_len);
	enum tags_end end = prefixes_judge(&cache->prefixes, key, seen.prefixes);
	enum tags_end tagged = TAGS_GOOD;

	if (seen.tags != cache->tags.purges)
		tagged = tags_judge(&cache->tags, &cache->store.hash_key, object->head, seen.tags);
	return tagged > end ? tagged : end;
}

bool purge_spared(struct cache *cache, struct object *object)
{
	struct purges now = purge_now(cache);
	enum tags_end end;

	if (object->purges.tags == now.tags && object->purges.prefixes == now.prefixes)
		return true;
	end = judge(cache, object);
	object->purges = now;
	switch (end) {
	case TAGS_GONE:
		store_remove(&cache->store, object);
		return false;
	case TAGS_STALE:
		fresh_expire(&object->fresh, sluice_now_us(cache->nf));
		break;
	case TAGS_GOOD:
		break;
	}
	return true;
}
