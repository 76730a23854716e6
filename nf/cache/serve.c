/* SPDX-License-Identifier: BSD-3-Clause */
#include "serve.h"

#include "answer.h"
#include "crowd.h"
#include "fetch.h"

/* Why the object cannot be used as it is; NOTE_HIT: it can. */
static enum note_why judge(const struct cache *cache, const struct ask *ask,
			   const struct entry *entry, const struct object *object, bool *stale)
{
	*stale = false;
	if (!object)
		return entry && entry->newest ? NOTE_VARY_MISS : NOTE_URI_MISS;
	switch (fresh_judge(&object->fresh, &ask->cc, sluice_now_us(cache->nf), entry->leader)) {
	case FRESH_USE_STALE:
		*stale = true;
		return NOTE_HIT;
	case FRESH_USE:
		return NOTE_HIT;
	case FRESH_ASK_FOR_CLIENT:
		return NOTE_REQUEST;
	case FRESH_ASK_AS_STALE:
		break;
	}
	return NOTE_STALE;
}

static enum sluice_verdict hit(struct cache *cache, struct sluice_exchange *x,
			       const struct ask *ask, struct object *object, bool stale,
			       bool waited)
{
	struct note note = {0};

	if (waited) {
		note.why = visit_of(x)->why;
		note.collapsed = true;
		cache_count(cache->count.hits_collapsed);
	} else {
		cache_count(stale ? cache->count.hits_stale : cache->count.hits);
	}
	return answer_object(cache, x, ask, object, &note);
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
	struct vary_request request = ask_vary(x);
	uint64_t hash = store_hash(&cache->store, ask_key(ask));
	struct entry *entry = store_find(&cache->store, hash, ask_key(ask));
	struct object *object = entry ? store_match(entry, &request) : NULL;
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
