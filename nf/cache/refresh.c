/* SPDX-License-Identifier: BSD-3-Clause */
#include "refresh.h"

#include "again.h"
#include "crowd.h"
#include "fetch.h"
#include "nf/common/str.h"
#include "renew.h"
#include "reply.h"

/* --- what comes ------------------------------------------------------------------------ */

/* Nothing good will: from now on clients ask. */
static void failed(struct cache *cache, struct fetch *f)
{
	f->old->asked_late = true;
	f->old->erred_us = sluice_now_us(cache->nf);
}

/* The newest that the origin has said cannot be kept: nor is what was (as for a client's fetch). */
static void refused(struct cache *cache, struct fetch *f, uint64_t *counter)
{
	cache_count(counter);
	crowd_discourage(cache, f->entry->hash);
	store_remove(&cache->store, f->old);
}

static void take(struct cache *cache, struct fetch *f, const struct sluice_exchange *x,
		 const struct fields_list *all)
{
	uint64_t *counter;
	struct object *o = fetch_object(cache, x, f, all, &counter);

	if (!o) {
		refused(cache, f, counter);
		return;
	}
	if (o->fresh.stale_while_revalidate_s) {
		o->again = f->old->again; /* the same will do */
		f->old->again = NULL;
	}
	f->filling = o;
	f->old->asked_late = true; /* if it does not come whole */
	crowd_part(cache, f);
}

static void on_head(struct sluice_ask *ask, void *user)
{
	const struct sluice_exchange *x = sluice_ask_answer(ask);
	struct fetch *f = user;
	struct cache *cache = f->cache;
	uint16_t status = sluice_ask_status(ask);
	struct fields_list all;

	reply_collect(x, &all);
	if (status == 304 && f->validating)
		renew_confirm(cache, f, &all);
	else if (status == 304 || status >= 500)
		failed(cache, f);
	else
		take(cache, f, x, &all);
}

static void on_body(struct sluice_ask *ask, const struct sluice_span *spans, unsigned n, void *user)
{
	struct fetch *f = user;

	(void)ask;
	fetch_fill(f->cache, f, spans, n);
}

static void on_over(struct sluice_ask *ask, int error, void *user)
{
	struct fetch *f = user;
	struct cache *cache = f->cache;

	(void)ask;
	f->ask = NULL;
	if (error)
		failed(cache, f);
	if (error)
		fetch_drop_filling(cache, f);
	if (f->filling) {
		fetch_end(cache, f);
		return;
	}
	crowd_disband(cache, f);
	fetch_free(cache, f);
}

static const struct sluice_ask_hooks hooks = {.head = on_head, .body = on_body, .over = on_over};

/* --- asking ---------------------------------------------------------------------------- */

/* With the client's fields of the first request, which the object's secondary key is of. */
static struct fetch *make(struct cache *cache, struct object *object)
{
	struct entry *entry = object->entry;
	struct fetch *f = fetch_open(cache, str_make(entry->key, entry->key_len));

	if (!f)
		return NULL;
	f->old = object_ref(object);
	f->request = object->again->client;
	object->again->client = NULL;
	f->why = NOTE_STALE;
	f->kind = ASK_READ;
	f->may_store = f->plain = true;
	f->stale_if_error_s = CC_ABSENT;
	f->validating = fetch_can_validate(object);
	object->refreshing = true;
	TAILQ_INSERT_TAIL(&cache->refreshing, f, refreshes);
	return f;
}

static bool send(struct cache *cache, struct fetch *f)
{
	f->ask = again_ask(f->old->again, cache->nf, f->old);
	return f->ask && !sluice_ask_send(f->ask, NULL, 0, cache->set.refresh_ms, &hooks, f);
}

bool refresh_begin(struct cache *cache, struct object *object)
{
	struct fetch *f;

	if (object->refreshing)
		return true;
	if (!cache->set.refresh_ms || !object->again || !object->again->client)
		return false;
	f = make(cache, object);
	if (!f)
		return false;
	if (!send(cache, f)) {
		fetch_free(cache, f);
		return false;
	}
	f->leads = crowd_may_form(cache, f->entry);
	if (f->leads)
		f->entry->leader = f;
	cache_count(cache->count.refreshes);
	return true;
}

/* The same object may be asked about again. */
void refresh_leave(struct cache *cache, struct fetch *f)
{
	struct again *again = f->old->again;

	TAILQ_REMOVE(&cache->refreshing, f, refreshes);
	sluice_ask_drop(f->ask);
	f->old->refreshing = false;
	if (!again)
		return;
	again->client = f->request;
	f->request = NULL;
}
