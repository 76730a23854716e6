/* SPDX-License-Identifier: BSD-3-Clause */
#include "purge.h"

#include "answer.h"
#include "nf/common/str.h"

static bool is_soft(const struct sluice_exchange *x)
{
	struct sluice_str value;

	return !sluice_field_named(x, "Soft-Purge", &value) && !str_equal(value, sluice_str("0"));
}

/* The tags that the request names are purged; how many they are. */
static unsigned purge_tags(struct cache *cache, const struct sluice_exchange *x, bool soft)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sluice_head(x)->fields; i++)
		if (tags_is_field(sluice_field_name(x, i)))
			n += tags_purge(&cache->tags, &cache->store.hash_key,
					sluice_field_value(x, i), soft);
	return n;
}

static void expire_all(struct cache *cache, struct entry *entry)
{
	for (struct object *o = entry->newest; o; o = o->older)
		fresh_expire(&o->fresh, sluice_now_us(cache->nf));
	entry->invalidations++;
}

static bool purge_target(struct cache *cache, const struct ask *ask, bool soft)
{
	struct store *store = &cache->store;
	struct entry *entry = store_find(store, store_hash(store, ask_key(ask)), ask_key(ask));
	bool found = entry && entry->newest;

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
	found = purge_tags(cache, x, soft) > 0 || purge_target(cache, ask, soft);
	if (found)
		cache_count(cache->count.purges);
	return answer_status(cache, x, found ? 200 : 404, NULL);
}

bool purge_spared(struct cache *cache, struct object *object)
{
	uint64_t seen = object->purges_seen;

	if (seen == cache->tags.purges)
		return true;
	object->purges_seen = cache->tags.purges;
	switch (tags_judge(&cache->tags, &cache->store.hash_key, object->head, seen)) {
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
