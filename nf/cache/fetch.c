/* SPDX-License-Identifier: BSD-3-Clause */
#include "fetch.h"

#include "crowd.h"
#include "fields.h"
#include "purge.h"
#include "refresh.h"
#include "reply.h"

#define FAILURES_MOST 2

/* --- begin and end ---------------------------------------------------------------- */

static bool line(const void *ctx, struct sluice_str name, unsigned n, struct sluice_str *value)
{
	return fields_named(ctx, name, n, value);
}

struct vary_request fetch_vary(const struct fetch *fetch)
{
	return (struct vary_request){line, fetch->request};
}

static struct fields *copy_request(struct cache *cache, const struct sluice_exchange *x)
{
	struct fields_list list;

	reply_collect(x, &list);
	return fields_make(&cache->store.mem, &list);
}

/* The response to POST may be stored where it says that it is what GET would bring (RFC 9110
 * §9.3.3). */
static bool wants_store(const struct ask *ask)
{
	return (ask->kind == ASK_READ || ask->post) && !ask->head && !(ask->cc.flags & CC_NO_STORE);
}

struct fetch *fetch_open(struct cache *cache, struct sluice_str key)
{
	struct store *store = &cache->store;
	struct fetch *f = mem_get(&store->mem, sizeof(*f));

	if (!f)
		return NULL;
	f->entry = store_open(store, store_hash(store, key), key);
	if (!f->entry) {
		mem_put(&store->mem, f);
		return NULL;
	}
	f->cache = cache;
	f->invalidations = f->entry->invalidations;
	f->purges = purge_now(cache);
	f->request_us = sluice_now_us(cache->nf);
	TAILQ_INIT(&f->waiters);
	return f;
}

static struct fetch *fetch_new(struct cache *cache, struct sluice_exchange *x,
			       const struct ask *ask)
{
	struct fetch *f = fetch_open(cache, ask_key(ask));

	if (!f)
		return NULL;
	if (wants_store(ask) || ask->kind == ASK_READ)
		f->request = copy_request(cache, x);
	f->may_store = f->request && wants_store(ask);
	f->visit = visit_of(x);
	f->kind = ask->kind;
	f->head = ask->head;
	f->authorized = ask->authorized;
	f->conditional = ask->conditional;
	f->range = ask->range;
	f->stale_if_error_s = ask->cc.stale_if_error;
	f->plain = !ask->authorized && !ask->range;
	f->visit->state = VISIT_FETCHING;
	f->visit->fetch = f;
	TAILQ_INSERT_TAIL(&cache->fetching, f->visit, line);
	return f;
}

void fetch_drop_filling(struct cache *cache, struct fetch *f)
{
	if (f->filling)
		object_unref(&cache->store, f->filling);
	f->filling = NULL;
}

static void visit_leave(struct cache *cache, struct visit *visit)
{
	TAILQ_REMOVE(&cache->fetching, visit, line);
	visit->state = VISIT_NONE;
	visit->fetch = NULL;
}

void fetch_free(struct cache *cache, struct fetch *f)
{
	struct store *store = &cache->store;

	if (f->visit)
		visit_leave(cache, f->visit);
	else
		refresh_leave(cache, f);
	fetch_drop_filling(cache, f);
	if (f->old)
		object_unref(store, f->old);
	store_close(store, f->entry);
	mem_put(&store->mem, f->request);
	mem_put(&store->mem, f);
}

/* What is in flight counts too. NULL: there is no room for it. */
static struct fetch *fetch_admit(struct cache *cache, struct sluice_exchange *x,
				 const struct ask *ask)
{
	struct fetch *f = fetch_new(cache, x, ask);

	if (!f || store_make_room(&cache->store, 0))
		return f;
	fetch_free(cache, f);
	return NULL;
}

/* --- asking whether what is stored is still good (RFC 9111 §4.3.1) ------------------- */

bool fetch_can_validate(const struct object *old)
{
	struct sluice_str value;

	return fields_by_id(old->head, SLUICE_FIELD_ETAG, 0, &value) ||
	       fields_by_id(old->head, SLUICE_FIELD_LAST_MODIFIED, 0, &value);
}

static bool set_validator(struct sluice_exchange *x, const struct object *old,
			  enum sluice_field_id id, const char *condition)
{
	struct sluice_str value;

	if (!fields_by_id(old->head, id, 0, &value))
		return false;
	return !sluice_field_set(x, condition, value);
}

/* Our conditions take the place of the client's, which is answered by what comes of it. Its Range
 * stays: what has changed it gets as it wants it. */
static void validate(struct fetch *f, struct sluice_exchange *x)
{
	if (!f->old || !f->request || f->head || !fetch_can_validate(f->old))
		return;
	sluice_field_remove(x, "If-None-Match");
	sluice_field_remove(x, "If-Modified-Since");
	f->validating = set_validator(x, f->old, SLUICE_FIELD_ETAG, "If-None-Match");
	f->validating |= set_validator(x, f->old, SLUICE_FIELD_LAST_MODIFIED, "If-Modified-Since");
}

/* Where there is no room the exchange goes its way without us. */
enum sluice_verdict fetch_begin(struct cache *cache, struct sluice_exchange *x,
				const struct ask *ask, struct object *old, enum note_why why)
{
	struct fetch *f;

	if (old)
		object_ref(old);
	f = fetch_admit(cache, x, ask);
	if (!f) {
		if (old)
			object_unref(&cache->store, old);
		cache_count(cache->count.no_room);
		return SLUICE_LEAVE;
	}
	f->old = old;
	f->why = why;
	validate(f, x);
	f->leads = f->may_store && !f->entry->leader && (!f->conditional || f->validating) &&
		   crowd_may_lead(cache, ask, f->entry->hash, why);
	if (f->leads)
		f->entry->leader = f;
	return SLUICE_PASS;
}

/* The waiters of a fetch whose client went away are not to suffer for it. When it was not the
 * client they are not to fail one after the other. */
void fetch_abort(struct cache *cache, struct fetch *f)
{
	if (f->filling)
		cache_count(cache->count.cut_short);
	fetch_drop_filling(cache, f);
	if (f->failures < FAILURES_MOST)
		crowd_pass_on(cache, f);
	else
		crowd_disband(cache, f);
	fetch_free(cache, f);
}

void fetch_forget_all(struct cache *cache)
{
	struct visit *visit;
	struct fetch *f;

	while ((f = TAILQ_FIRST(&cache->refreshing)))
		fetch_free(cache, f);
	while ((visit = TAILQ_FIRST(&cache->fetching)))
		fetch_free(cache, visit->fetch);
}
