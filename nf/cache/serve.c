/* SPDX-License-Identifier: BSD-3-Clause */
#include "serve.h"

#include "answer.h"
#include "crowd.h"
#include "fetch.h"
#include "purge.h"
#include "refresh.h"

#define ERROR_REST_US UINT64_C(1000000) /* an origin that has failed is not asked again at once */

static bool is_helped(const struct cache *cache, const struct ask *ask, const struct object *object)
{
	uint64_t now_us = sluice_now_us(cache->nf);

	return object->erred_us && now_us - object->erred_us < ERROR_REST_US &&
	       fresh_helps_on_error(&object->fresh, ask->cc.stale_if_error, now_us);
}

/* Does a client's fetch ask about it already? */
static bool is_fetched(const struct entry *entry, const struct object *object)
{
	return entry->leader && entry->leader->old == object;
}

/*
 * Why the object cannot be used as it is; NOTE_HIT: it can. What may be used while it is
 * revalidated is asked about in the background; where that cannot be, it is used once, and the next
 * request fetches, while others still use it.
 */
static enum note_why judge(struct cache *cache, const struct ask *ask, const struct entry *entry,
			   struct object *object, bool *stale)
{
	*stale = false;
	if (!object)
		return entry && entry->newest ? NOTE_VARY_MISS : NOTE_URI_MISS;
	switch (fresh_judge(&object->fresh, &ask->cc, sluice_now_us(cache->nf),
			    entry->leader || object->refreshing || !object->asked_late)) {
	case FRESH_USE_STALE:
		*stale = true;
		if (!is_fetched(entry, object) && !refresh_begin(cache, object))
			object->asked_late = true;
		return NOTE_HIT;
	case FRESH_USE:
		return NOTE_HIT;
	case FRESH_ASK_FOR_CLIENT:
		return NOTE_REQUEST;
	case FRESH_ASK_AS_STALE:
		break;
	}
	*stale = is_helped(cache, ask, object);
	return *stale ? NOTE_HIT : NOTE_STALE;
}

static struct answer_to answer_to(const struct ask *ask, const struct sluice_exchange *x)
{
	return (struct answer_to){.head = ask->head,
				  .conditional = ask->conditional,
				  .range = ask->range,
				  .plain = !ask->cc.values,
				  .fields = ask_vary(x)};
}

static struct entry *find_entry(struct cache *cache, const struct ask *ask)
{
	struct sluice_str key = ask_key(ask);

	return store_find(&cache->store, store_hash(&cache->store, key), key);
}

/* What is stored that could answer the request, if it is fresh; and its entry, which may have gone
 * with an object that was purged. */
static struct object *find(struct cache *cache, const struct sluice_exchange *x,
			   const struct ask *ask, struct entry **entry)
{
	struct answer_to to = answer_to(ask, x);
	struct object *object;

	*entry = find_entry(cache, ask);
	object = *entry ? store_match(*entry, &to.fields) : NULL;
	if (!object || !answer_is_covered(cache, &to, object))
		return NULL;
	if (purge_spared(cache, object))
		return object;
	*entry = find_entry(cache, ask);
	return NULL;
}

static enum sluice_verdict hit(struct cache *cache, struct sluice_exchange *x,
			       const struct ask *ask, struct object *object, bool stale,
			       bool waited)
{
	struct answer_to to = answer_to(ask, x);
	struct note note = {0};

	if (waited) {
		note.why = visit_of(x)->why;
		note.collapsed = true;
		cache_count(cache->count.hits_collapsed);
	} else {
		cache_count(stale ? cache->count.hits_stale : cache->count.hits);
	}
	return answer_object(cache, x, &to, object, &note);
}

static enum sluice_verdict miss(struct cache *cache, struct sluice_exchange *x,
				const struct ask *ask, struct object *object, enum note_why why)
{
	struct note note = {.why = why};

	if (ask->cc.flags & CC_ONLY_IF_CACHED) {
		cache_count(cache->count.gateway_timeouts);
		return answer_status(cache, x, 504, &note);
	}
	cache_count(cache->count.misses);
	return fetch_begin(cache, x, ask, object, why);
}

enum sluice_verdict serve_request(struct cache *cache, struct sluice_exchange *x,
				  const struct ask *ask, bool waited)
{
	struct entry *entry;
	struct object *object = find(cache, x, ask, &entry);
	bool stale;
	enum note_why why = judge(cache, ask, entry, object, &stale);

	if (why == NOTE_HIT)
		return hit(cache, x, ask, object, stale, waited);
	if (!waited && crowd_join(cache, x, ask, entry, why))
		return SLUICE_HOLD;
	return miss(cache, x, ask, object, why);
}

void serve_resume(struct cache *cache, struct visit *visit)
{
	struct sluice_exchange *x = visit->x;
	struct ask ask;

	ask_make(&ask, x, cache->set.client_directives);
	sluice_resume(x, serve_request(cache, x, &ask, true));
}
