/* SPDX-License-Identifier: BSD-3-Clause */
#include "crowd.h"

#include "fetch.h"
#include "fields.h"
#include "serve.h"

static const struct hint *hint_at(const struct cache *cache, uint64_t hash)
{
	return &cache->hint[hash & (HINTS - 1)];
}

static bool is_discouraged(const struct cache *cache, uint64_t hash)
{
	const struct hint *hint = hint_at(cache, hash);

	return hint->hash == hash && sluice_now_us(cache->nf) < hint->until_us;
}

void crowd_discourage(struct cache *cache, uint64_t hash)
{
	cache->hint[hash & (HINTS - 1)] =
		(struct hint){hash, sluice_now_us(cache->nf) + cache->set.uncacheable_us};
}

bool crowd_may_form(const struct cache *cache, const struct entry *entry)
{
	return cache->set.collapse && !entry->leader && !is_discouraged(cache, entry->hash);
}

/* Its response may have to be whole, shared, and no older than the request. */
bool crowd_may_lead(const struct cache *cache, const struct ask *ask, uint64_t hash,
		    enum note_why why)
{
	return cache->set.collapse && ask->kind == ASK_READ && why != NOTE_REQUEST && !ask->head &&
	       !ask->range && !ask->authorized && !(ask->cc.flags & CC_NO_STORE) &&
	       !is_discouraged(cache, hash);
}

/* Would the two requests have different responses, as far as is known by now? */
static bool is_of_another_kind(const struct fetch *leader, const struct sluice_exchange *x)
{
	struct vary_request mine = ask_vary(x), its = fetch_vary(leader);
	const struct object *known = leader->entry->newest;
	struct sluice_str vary;
	struct vary_key key;

	if (leader->filling)
		return !vary_matches(object_vary(leader->filling), &mine);
	if (!known)
		return false;
	vary_key_init(&key);
	for (unsigned i = 0; fields_by_id(known->head, SLUICE_FIELD_VARY, i, &vary); i++)
		vary_key_add(&key, vary, &its);
	return key.never || !vary_matches((struct sluice_str){key.text, key.len}, &mine);
}

bool crowd_join(struct cache *cache, struct sluice_exchange *x, const struct ask *ask,
		struct entry *entry, enum note_why why)
{
	struct fetch *leader = entry ? entry->leader : NULL;
	struct visit *visit = visit_of(x);

	if (!leader || why == NOTE_REQUEST || cache->waiters >= cache->set.collapse_waiters ||
	    (ask->cc.flags & (CC_ONLY_IF_CACHED | CC_NO_STORE)) || is_of_another_kind(leader, x))
		return false;
	visit->state = VISIT_WAITING;
	visit->fetch = leader;
	visit->why = why;
	visit->since_us = sluice_now_us(cache->nf);
	TAILQ_INSERT_TAIL(&leader->waiters, visit, peer);
	TAILQ_INSERT_TAIL(&cache->waiting, visit, line);
	cache->waiters++;
	cache_count(cache->count.waits);
	return true;
}

void crowd_leave(struct cache *cache, struct visit *visit)
{
	TAILQ_REMOVE(&visit->fetch->waiters, visit, peer);
	TAILQ_REMOVE(&cache->waiting, visit, line);
	cache->waiters--;
	visit->state = VISIT_NONE;
	visit->fetch = NULL;
}

static void serve_anew(struct cache *cache, struct visit *visit)
{
	crowd_leave(cache, visit);
	serve_resume(cache, visit);
}

static void resign(struct fetch *leader)
{
	if (leader->leads)
		leader->entry->leader = NULL;
	leader->leads = false;
}

void crowd_disband(struct cache *cache, struct fetch *leader)
{
	struct visit *visit;

	resign(leader);
	while ((visit = TAILQ_FIRST(&leader->waiters)))
		serve_anew(cache, visit);
}

void crowd_pass_on(struct cache *cache, struct fetch *leader)
{
	struct entry *entry = leader->entry;
	struct visit *visit;

	resign(leader);
	while (!entry->leader && (visit = TAILQ_FIRST(&leader->waiters)))
		serve_anew(cache, visit);
	TAILQ_FOREACH (visit, &leader->waiters, peer)
		visit->fetch = entry->leader;
	if (entry->leader)
		TAILQ_CONCAT(&entry->leader->waiters, &leader->waiters, peer);
}

void crowd_part(struct cache *cache, struct fetch *leader)
{
	struct visit *visit = TAILQ_FIRST(&leader->waiters), *next;

	for (; visit; visit = next) {
		struct vary_request request = ask_vary(visit->x);

		next = TAILQ_NEXT(visit, peer);
		if (!vary_matches(object_vary(leader->filling), &request))
			serve_anew(cache, visit);
	}
}

void crowd_expire(struct cache *cache)
{
	uint64_t now_us = sluice_now_us(cache->nf);
	struct visit *visit;

	while ((visit = TAILQ_FIRST(&cache->waiting)) &&
	       now_us - visit->since_us >= cache->set.collapse_wait_us) {
		cache_count(cache->count.wait_timeouts);
		serve_anew(cache, visit);
	}
}
