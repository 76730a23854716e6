/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The response to a fetch: what it ends, what is answered instead of it, and what of it is
 * stored.
 */
#include "again.h"
#include "answer.h"
#include "body.h"
#include "crowd.h"
#include "fetch.h"
#include "fields.h"
#include "nf/common/str.h"
#include "range.h"
#include "renew.h"
#include "reply.h"

/* --- responses that are not stored --------------------------------------------------- */

static void note_forward(struct cache *cache, struct sluice_exchange *x, const struct fetch *f,
			 bool stored)
{
	struct note note = {.why = f->why, .stored = stored};

	answer_note(cache, x, &note);
}

/* The response goes on without us. */
static enum sluice_verdict let_go(struct cache *cache, struct sluice_exchange *x, struct fetch *f)
{
	note_forward(cache, x, f, false);
	crowd_disband(cache, f);
	fetch_free(cache, f);
	return SLUICE_LEAVE;
}

static void invalidate_key(struct cache *cache, struct sluice_str key)
{
	struct store *store = &cache->store;
	struct entry *entry = store_find(store, store_hash(store, key), key);

	if (!entry)
		return;
	if (entry->newest)
		cache_count(cache->count.invalidations);
	store_invalidate(store, entry);
}

static void invalidate_named(struct cache *cache, const struct sluice_exchange *x,
			     const struct fetch *f, enum sluice_field_id id)
{
	struct sluice_str base = str_make(f->entry->key, f->entry->key_len), value;
	struct uri_key key;

	if (!sluice_field(x, id, &value) && uri_key_resolve(&key, base, value))
		invalidate_key(cache, str_make(key.text, key.len));
}

/* RFC 9111 §4.4: what a method that is not safe has changed, when it was not refused. */
static void invalidate_changed(struct cache *cache, struct sluice_exchange *x, struct fetch *f)
{
	if (sluice_head(x)->status >= 400)
		return;
	invalidate_key(cache, str_make(f->entry->key, f->entry->key_len));
	invalidate_named(cache, x, f, SLUICE_FIELD_LOCATION);
	invalidate_named(cache, x, f, SLUICE_FIELD_CONTENT_LOCATION);
}

/* --- responses that are answered instead of ---------------------------------------------- */

/* The fetch ends here: its client gets what was stored. Those that waited for it are served first,
 * from the same object. */
static enum sluice_verdict answer_old(struct cache *cache, struct sluice_exchange *x,
				      struct fetch *f)
{
	struct note note = {.why = f->why, .forward_status = sluice_head(x)->status};
	struct answer_to to = {.head = f->head,
			       .conditional = f->conditional,
			       .range = f->range,
			       .fields = fetch_vary(f)};
	struct fields *request = f->request;
	struct object *old = f->old;
	enum sluice_verdict verdict;

	f->request = NULL;
	f->old = NULL;
	crowd_disband(cache, f);
	fetch_free(cache, f);
	to.fields.ctx = request;
	verdict = answer_object(cache, x, &to, old, &note);
	object_unref(&cache->store, old);
	mem_put(&cache->store.mem, request);
	return verdict;
}

/* RFC 5861 §4: the origin does not feel well, and what is stored will do. */
static bool is_helped(const struct cache *cache, const struct fetch *f, uint16_t status)
{
	return f->old && f->request && f->kind == ASK_READ && f->why == NOTE_STALE &&
	       (status == 500 || (status >= 502 && status <= 504)) &&
	       fresh_helps_on_error(&f->old->fresh, f->stale_if_error_s, sluice_now_us(cache->nf));
}

/* --- responses that are stored ------------------------------------------------------------ */

static struct object *make_object(struct cache *cache, const struct fetch *f,
				  const struct fields_list *all, const struct fresh_response *facts,
				  const struct vary_key *vary)
{
	struct fields_list kept;
	char date[DATE_BYTES];
	struct fields *head;
	struct object *o;

	reply_keep(all, facts, &kept, date);
	head = fields_make(&cache->store.mem, &kept);
	if (!head)
		return NULL;
	o = object_new(&cache->store, facts->status, head, str_make(vary->text, vary->len));
	if (!o)
		return NULL;
	renew_times(cache, o, facts, f->request_us);
	if (store_make_room(&cache->store, 0))
		return o;
	object_unref(&cache->store, o);
	return NULL;
}

static bool is_fresh(const struct cache *cache, const struct object *o)
{
	return !o->fresh.always_validate && fresh_ttl_s(&o->fresh, sluice_now_us(cache->nf)) >= 0;
}

/* Whole. It is not stored if the target was changed since it was asked for. */
static void complete(struct cache *cache, struct fetch *f)
{
	struct object *o = f->filling;

	body_trim(&cache->store, &o->body);
	if (!is_fresh(cache, o)) /* waiting for such a one is of no use */
		crowd_discourage(cache, f->entry->hash);
	if (f->invalidations == f->entry->invalidations) {
		store_insert(&cache->store, f->entry, o);
		cache_count(cache->count.stores);
	}
	crowd_disband(cache, f);
	if (o->again) { /* for Vary, when it is asked for anew */
		o->again->client = f->request;
		f->request = NULL;
	}
	fetch_free(cache, f);
	store_make_room(&cache->store, 0);
}

/* The response goes on, but not into the store; the same will be so for the next one. */
static void give_up(struct cache *cache, struct fetch *f, uint64_t *counter)
{
	cache_count(counter);
	fetch_drop_filling(cache, f);
	crowd_discourage(cache, f->entry->hash);
	crowd_disband(cache, f);
}

/*
 * The answer to a plain request is the newest that the origin has said: what was stored goes,
 * unless the origin just does not feel well, and nobody waits for the next one.
 */
static enum sluice_verdict refuse(struct cache *cache, struct sluice_exchange *x, struct fetch *f,
				  uint64_t *counter)
{
	cache_count(counter);
	if (f->plain && f->old && sluice_head(x)->status < 500)
		store_remove(&cache->store, f->old);
	if (f->plain)
		crowd_discourage(cache, f->entry->hash);
	return let_go(cache, x, f);
}

/* RFC 9110 §6.6.1: whoever has a clock dates what has no date. */
static void add_date(struct cache *cache, struct sluice_exchange *x, const struct fields_list *all)
{
	struct sluice_str said = reply_value(all, SLUICE_FIELD_DATE);
	int64_t seconds, now = sluice_wall_seconds(cache->nf);
	char date[DATE_BYTES];

	if (!date_parse(said, now, &seconds))
		return;
	date_format(now, date);
	sluice_field_set(x, "Date", sluice_str(date));
}

static void make_vary(struct vary_key *key, const struct fetch *f, const struct fields_list *all)
{
	struct vary_request request = fetch_vary(f);

	vary_key_init(key);
	for (unsigned i = 0; i < all->count; i++)
		if (all->item[i].id == SLUICE_FIELD_VARY)
			vary_key_add(key, all->item[i].value, &request);
}

static bool has_body(const struct sluice_exchange *x)
{
	uint64_t bytes = sluice_head(x)->body_bytes;

	return bytes != SLUICE_LENGTH_NONE && bytes != 0;
}

static enum sluice_verdict store_response(struct cache *cache, struct sluice_exchange *x,
					  struct fetch *f, struct object *o)
{
	bool follows = has_body(x);

	f->filling = o;
	note_forward(cache, x, f, true);
	crowd_part(cache, f);
	if (follows)
		return SLUICE_PASS;
	complete(cache, f);
	return SLUICE_LEAVE;
}

/* What part of what a 206 has. */
struct part {
	uint64_t first, last, whole;
};

/* One whose words and length agree, and which is not just a part of the whole that is stored. */
static bool read_part(const struct sluice_exchange *x, const struct fetch *f,
		      const struct fields_list *all, struct part *part)
{
	struct sluice_str range = reply_value(all, SLUICE_FIELD_CONTENT_RANGE);
	struct sluice_str tag = reply_value(all, SLUICE_FIELD_ETAG), old_tag;

	*part = (struct part){0};
	if (sluice_head(x)->status != 206 || !f->range ||
	    !range_parse_content(range, &part->first, &part->last, &part->whole) ||
	    sluice_head(x)->body_bytes != part->last - part->first + 1)
		return false;
	return !f->old || f->old->status == 206 || !tag.len ||
	       !fields_by_id(f->old->head, SLUICE_FIELD_ETAG, 0, &old_tag) ||
	       !str_equal(tag, old_tag);
}

static bool is_too_long(const struct cache *cache, const struct sluice_exchange *x)
{
	uint64_t bytes = sluice_head(x)->body_bytes;

	return has_body(x) && bytes != SLUICE_LENGTH_UNKNOWN && bytes > cache->set.max_object_bytes;
}

struct object *fetch_object(struct cache *cache, const struct sluice_exchange *x, struct fetch *f,
			    const struct fields_list *all, uint64_t **counter)
{
	struct fresh_response facts;
	struct vary_key vary;
	struct part part;
	struct object *o;

	reply_facts(all, sluice_head(x)->status, sluice_wall_seconds(cache->nf),
		    &cache->set.targeted, &facts);
	make_vary(&vary, f, all);
	facts.vary_never = vary.never;
	facts.part = read_part(x, f, all, &part);
	*counter = cache->count.uncacheable;
	if (all->full || fresh_may_store(&facts, &cache->set.rules, f->authorized))
		return NULL;
	*counter = cache->count.too_large;
	if (is_too_long(cache, x))
		return NULL;
	*counter = cache->count.no_room;
	o = make_object(cache, f, all, &facts, &vary);
	if (!o)
		return NULL;
	o->purges = f->purges;
	o->first = part.first;
	o->whole = part.whole;
	f->expected = sluice_head(x)->body_bytes;
	return o;
}

static enum sluice_verdict take_content(struct cache *cache, struct sluice_exchange *x,
					struct fetch *f, const struct fields_list *all)
{
	uint64_t *counter;
	struct object *o = fetch_object(cache, x, f, all, &counter);

	add_date(cache, x, all);
	if (!o)
		return refuse(cache, x, f, counter);
	if (o->fresh.stale_while_revalidate_s && f->kind == ASK_READ && o->status != 206)
		o->again = again_make(&cache->store.mem, x);
	return store_response(cache, x, f, o);
}

/* Is what POST was answered with what GET would bring, and for how long? */
static bool is_content_of_target(struct cache *cache, const struct sluice_exchange *x,
				 const struct fetch *f, const struct fields_list *all)
{
	struct sluice_str base = str_make(f->entry->key, f->entry->key_len), value;
	struct fresh_response facts;
	struct uri_key key;

	if (sluice_head(x)->status != 200 ||
	    sluice_field(x, SLUICE_FIELD_CONTENT_LOCATION, &value) ||
	    !uri_key_resolve(&key, base, value) || !str_equal(str_make(key.text, key.len), base))
		return false;
	reply_facts(all, 200, sluice_wall_seconds(cache->nf), &cache->set.targeted, &facts);
	return fresh_is_timed(&facts);
}

static enum sluice_verdict take_change(struct cache *cache, struct sluice_exchange *x,
				       struct fetch *f, const struct fields_list *all)
{
	invalidate_changed(cache, x, f);
	if (!f->may_store || !is_content_of_target(cache, x, f, all))
		return let_go(cache, x, f);
	f->invalidations = f->entry->invalidations;
	return take_content(cache, x, f, all);
}

/* The answer to a GET or HEAD. */
static enum sluice_verdict take_answer(struct cache *cache, struct sluice_exchange *x,
				       struct fetch *f, const struct fields_list *all)
{
	uint16_t status = sluice_head(x)->status;

	if (status == 304 && f->validating) {
		renew_confirm(cache, f, all);
		return answer_old(cache, x, f);
	}
	if (is_helped(cache, f, status)) {
		cache_count(cache->count.hits_on_error);
		f->old->erred_us = sluice_now_us(cache->nf);
		return answer_old(cache, x, f);
	}
	if (f->head || status == 304) {
		renew_learn(cache, f, status, all);
		return let_go(cache, x, f);
	}
	return f->may_store ? take_content(cache, x, f, all) : let_go(cache, x, f);
}

enum sluice_verdict fetch_response(struct cache *cache, struct sluice_exchange *x)
{
	struct fetch *f = visit_of(x)->fetch;
	struct fields_list all;

	if (sluice_head(x)->status < 200)
		return SLUICE_PASS;
	reply_collect(x, &all);
	if (f->kind == ASK_READ)
		return take_answer(cache, x, f, &all);
	return take_change(cache, x, f, &all);
}

/* --- bodies ------------------------------------------------------------------------------------
 */

/* Bytes still to come with this span; 0: not known. */
static uint64_t left_of(const struct fetch *f)
{
	return f->expected == SLUICE_LENGTH_UNKNOWN ? 0 : f->expected - f->filling->body.bytes;
}

static bool is_too_large(const struct cache *cache, const struct fetch *f, uint32_t more)
{
	uint64_t most =
		f->expected == SLUICE_LENGTH_UNKNOWN ? cache->set.max_object_bytes : f->expected;

	return more > most - f->filling->body.bytes;
}

static void take_span(struct cache *cache, struct fetch *f, const struct sluice_span *span)
{
	if (is_too_large(cache, f, span->len)) {
		give_up(cache, f, cache->count.too_large);
		return;
	}
	if (body_append(&cache->store, &f->filling->body, span, left_of(f))) {
		give_up(cache, f, cache->count.no_room);
		return;
	}
	*cache->count.bytes_copied += span->len;
}

static bool is_whole(const struct fetch *f)
{
	return f->expected == SLUICE_LENGTH_UNKNOWN || f->filling->body.bytes == f->expected;
}

void fetch_fill(struct cache *cache, struct fetch *f, const struct sluice_span *spans, unsigned n)
{
	for (unsigned i = 0; i < n && f->filling; i++)
		take_span(cache, f, &spans[i]);
}

void fetch_end(struct cache *cache, struct fetch *f)
{
	if (f->filling && is_whole(f))
		complete(cache, f);
	else
		fetch_abort(cache, f);
}

void fetch_body(struct cache *cache, struct visit *visit, const struct sluice_span *spans,
		unsigned n, bool end)
{
	fetch_fill(cache, visit->fetch, spans, n);
	if (end)
		fetch_end(cache, visit->fetch);
}
