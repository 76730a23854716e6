/* SPDX-License-Identifier: BSD-3-Clause */
#include "renew.h"

#include "etag.h"
#include "fetch.h"
#include "fields.h"
#include "nf/common/str.h"
#include "reply.h"

static struct sluice_str stored_value(const struct object *o, enum sluice_field_id id)
{
	struct sluice_str value;

	return fields_by_id(o->head, id, 0, &value) ? value : str_make("", 0);
}

static bool is_same(const struct object *o, const struct fields_list *news, enum sluice_field_id id)
{
	return str_equal(stored_value(o, id), reply_value(news, id));
}

/* RFC 9111 §4.3.4: is the 304 about this object? Without a validator nobody can tell. */
static bool is_confirmed(const struct object *o, const struct fields_list *news)
{
	if (reply_value(news, SLUICE_FIELD_ETAG).len)
		return is_same(o, news, SLUICE_FIELD_ETAG);
	return reply_value(news, SLUICE_FIELD_LAST_MODIFIED).len &&
	       is_same(o, news, SLUICE_FIELD_LAST_MODIFIED);
}

/* RFC 9111 §4.3.5: would GET bring what is stored? */
static bool is_described(const struct object *o, const struct fields_list *news)
{
	struct sluice_str length = reply_value(news, SLUICE_FIELD_CONTENT_LENGTH);

	return is_same(o, news, SLUICE_FIELD_ETAG) &&
	       is_same(o, news, SLUICE_FIELD_LAST_MODIFIED) &&
	       (!length.len || str_number(length, INT64_MAX / 16) == (int64_t)o->body.bytes);
}

void renew_times(struct cache *cache, struct object *o, const struct fresh_response *facts,
		 uint64_t request_us)
{
	fresh_object_make(&o->fresh, facts, &cache->set.rules, request_us,
			  sluice_now_us(cache->nf));
	o->modified = facts->last_modified != FRESH_ABSENT ? facts->last_modified
		      : facts->date != FRESH_ABSENT        ? facts->date
							   : facts->received;
}

/* The stored head with the new fields in it. What may not be kept any more goes. */
static void renew(struct cache *cache, const struct fetch *f, const struct fields_list *news)
{
	struct object *o = f->old;
	struct fields_list merged, kept;
	struct fresh_response facts;
	struct fields *head = NULL;
	char date[DATE_BYTES];

	reply_merge(o->head, news, cache->set.rules.store_set_cookie, &merged);
	reply_facts(&merged, o->status, sluice_wall_seconds(cache->nf), &cache->set.targeted,
		    &facts);
	reply_keep(&merged, &facts, &kept, date);
	facts.part = o->status == 206;
	if (!fresh_may_store(&facts, &cache->set.rules, f->authorized) &&
	    str_equal(stored_value(o, SLUICE_FIELD_VARY), reply_value(&merged, SLUICE_FIELD_VARY)))
		head = fields_make(&cache->store.mem, &kept);
	if (!head) {
		store_remove(&cache->store, o);
		return;
	}
	store_set_head(&cache->store, o, head);
	renew_times(cache, o, &facts, f->request_us);
	o->asked_late = false;
	o->erred_us = 0;
	store_make_room(&cache->store, 0);
	cache_count(cache->count.revalidations);
}

void renew_learn(struct cache *cache, const struct fetch *f, uint16_t status,
		 const struct fields_list *news)
{
	struct object *o = f->old;

	if (!o || !o->entry)
		return;
	if (status == 304 ? is_confirmed(o, news)
			  : status == 200 && o->status == 200 && is_described(o, news))
		renew(cache, f, news);
	else if (status == 200)
		store_remove(&cache->store, o);
}

/* RFC 9111 §4.3.4: one that carries another strong tag is not about it; the origin contradicts
 * itself, and what was stored is used no more. */
static bool is_contradicted(const struct object *o, const struct fields_list *news)
{
	struct sluice_str tag = reply_value(news, SLUICE_FIELD_ETAG);

	return tag.len && !etag_is_weak(tag) &&
	       !etag_equal_weak(tag, stored_value(o, SLUICE_FIELD_ETAG));
}

void renew_confirm(struct cache *cache, const struct fetch *f, const struct fields_list *news)
{
	struct object *o = f->old;

	if (!o->entry)
		return;
	if (is_contradicted(o, news))
		store_remove(&cache->store, o);
	else
		renew(cache, f, news);
}
