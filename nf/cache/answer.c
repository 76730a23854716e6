/* SPDX-License-Identifier: BSD-3-Clause */
#include "answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "condition.h"
#include "fields.h"
#include "nf/common/str.h"
#include "range.h"
#include "send.h"

#define STEADY_BYTES (1u << 20) /* of a body; what is longer the manager would not repeat */

void answer_note(struct cache *cache, struct sluice_exchange *x, const struct note *note)
{
	char room[NOTE_BYTES];

	if (cache->set.cache_status)
		sluice_field_add(x, "Cache-Status", note_text(note, cache->set.name, room));
}

/* The stored fields; those that the manager would refuse were not stored. */
static int add_all(struct sluice_exchange *x, const struct fields *head)
{
	for (unsigned i = 0; i < head->count; i++) {
		int rc = sluice_field_add(x, fields_name(head, i).ptr, fields_value(head, i));

		if (rc)
			return rc;
	}
	return 0;
}

/* RFC 9110 §15.4.5: what a 304 is to have, and the date if there is no tag. */
static bool is_for_304(uint16_t id, bool has_etag)
{
	switch (id) {
	case SLUICE_FIELD_CACHE_CONTROL:
	case SLUICE_FIELD_CDN_CACHE_CONTROL:
	case SLUICE_FIELD_CONTENT_LOCATION:
	case SLUICE_FIELD_DATE:
	case SLUICE_FIELD_ETAG:
	case SLUICE_FIELD_EXPIRES:
	case SLUICE_FIELD_VARY:
		return true;
	case SLUICE_FIELD_LAST_MODIFIED:
		return !has_etag;
	default:
		return false;
	}
}

static int add_for_304(struct sluice_exchange *x, const struct fields *head)
{
	struct sluice_str etag;
	bool has_etag = fields_by_id(head, SLUICE_FIELD_ETAG, 0, &etag);

	for (unsigned i = 0; i < head->count; i++) {
		int rc = 0;

		if (is_for_304(head->row[i].id, has_etag))
			rc = sluice_field_add(x, fields_name(head, i).ptr, fields_value(head, i));
		if (rc)
			return rc;
	}
	return 0;
}

static void add_age(struct cache *cache, struct sluice_exchange *x, const struct object *object)
{
	int64_t age = fresh_age_us(&object->fresh, sluice_now_us(cache->nf)) / 1000000;
	char text[24];

	if (age > CC_SECONDS_MAX)
		age = CC_SECONDS_MAX;
	snprintf(text, sizeof(text), "%" PRId64, age < 0 ? 0 : age);
	sluice_field_add(x, "Age", sluice_str(text));
}

/* The end of every answer from an object. A head that does not fit is not answered with in part. */
static enum sluice_verdict close_head(struct cache *cache, struct sluice_exchange *x,
				      const struct object *object, const struct note *note, int rc)
{
	if (rc)
		return SLUICE_RESET;
	add_age(cache, x, object);
	answer_note(cache, x, note);
	return SLUICE_RESPOND;
}

static enum sluice_verdict answer_304(struct cache *cache, struct sluice_exchange *x,
				      const struct object *object, const struct note *note)
{
	int rc = sluice_respond(x, 304, SLUICE_LENGTH_NONE);

	cache_count(cache->count.not_modified);
	return close_head(cache, x, object, note, rc ? rc : add_for_304(x, object->head));
}

/* `length`: of the whole. */
static void set_content_range(struct sluice_exchange *x, const char *part, uint64_t length)
{
	char text[80];

	snprintf(text, sizeof(text), "bytes %s/%" PRIu64, part, length);
	sluice_field_set(x, "Content-Range", sluice_str(text));
}

static enum sluice_verdict answer_416(struct cache *cache, struct sluice_exchange *x,
				      const struct object *object, const struct note *note)
{
	int rc = sluice_respond(x, 416, 0);

	set_content_range(x, "*", object_whole(object));
	return close_head(cache, x, object, note, rc);
}

static enum sluice_verdict answer_206(struct cache *cache, struct sluice_exchange *x,
				      struct object *object, const struct note *note,
				      uint64_t first, uint64_t last)
{
	int rc = sluice_respond(x, 206, last - first + 1);
	enum sluice_verdict verdict;
	char part[48];

	snprintf(part, sizeof(part), "%" PRIu64 "-%" PRIu64, first, last);
	cache_count(cache->count.partial);
	verdict = close_head(cache, x, object, note, rc ? rc : add_all(x, object->head));
	set_content_range(x, part, object_whole(object));
	if (verdict == SLUICE_RESPOND)
		send_start(cache, visit_of(x), object, first - object->first,
			   last + 1 - object->first);
	return verdict;
}

/* To HEAD too: the manager sends its length and leaves the body out. */
static enum sluice_verdict answer_whole(struct cache *cache, struct sluice_exchange *x, bool head,
					struct object *object, const struct note *note)
{
	bool empty = object->status == 204;
	int rc = sluice_respond(x, object->status, empty ? SLUICE_LENGTH_NONE : object->body.bytes);
	enum sluice_verdict verdict =
		close_head(cache, x, object, note, rc ? rc : add_all(x, object->head));

	if (verdict == SLUICE_RESPOND && !head && object->body.bytes)
		send_start(cache, visit_of(x), object, 0, object->body.bytes);
	return verdict;
}

/* Which of its bytes the request asks for. */
static enum range_kind find_range(struct cache *cache, const struct answer_to *to,
				  const struct object *object, uint64_t *first, uint64_t *last)
{
	struct sluice_str value;

	if (!to->range || (object->status != 200 && object->status != 206) ||
	    !to->fields.line(to->fields.ctx, sluice_str("Range"), 0, &value) ||
	    !condition_range_holds(&to->fields, object, sluice_wall_seconds(cache->nf)))
		return RANGE_IGNORED;
	return range_parse(value, object_whole(object), first, last);
}

bool answer_is_covered(struct cache *cache, const struct answer_to *to, const struct object *object)
{
	uint64_t first, last;

	if (object->status != 206)
		return true;
	return find_range(cache, to, object, &first, &last) == RANGE_PART &&
	       first >= object->first && last < object->first + object->body.bytes;
}

/* --- the same again ----------------------------------------------------------------------- */

/* A fresh object, to a plain request: the same until its age is another one. What it was comes back
 * as a tag: bytes of body, and which of these it was. */
enum said { SAID_WHOLE, SAID_NOT_MODIFIED, SAID_KINDS };

static void say_steady(struct cache *cache, struct sluice_exchange *x, const struct answer_to *to,
		       const struct object *object, const struct note *note, uint32_t said)
{
	int64_t age_us = fresh_age_us(&object->fresh, sluice_now_us(cache->nf));
	uint64_t bytes = to->head ? 0 : object->body.bytes;

	if (!to->plain || note->why != NOTE_HIT || note->ttl_s < 1 || age_us < 0 ||
	    bytes > STEADY_BYTES)
		return;
	if (said == SAID_NOT_MODIFIED)
		bytes = 0;
	sluice_steady(x, (uint32_t)((1000000 - age_us % 1000000) / 1000),
		      (uint32_t)bytes * SAID_KINDS + said);
}

void answer_repeated(struct sluice_nf *nf, uint32_t tag, uint64_t times)
{
	struct cache *cache = sluice_data(nf);

	*cache->count.hits += times;
	*cache->count.bytes_referenced += tag / SAID_KINDS * times;
	if (tag % SAID_KINDS == SAID_NOT_MODIFIED)
		*cache->count.not_modified += times;
}

enum sluice_verdict answer_object(struct cache *cache, struct sluice_exchange *x,
				  const struct answer_to *to, struct object *object,
				  struct note *note)
{
	uint64_t first = 0, last = 0;
	enum range_kind range;

	s3_use(&object->item);
	note->has_ttl = true;
	note->ttl_s = fresh_ttl_s(&object->fresh, sluice_now_us(cache->nf));
	if (to->conditional &&
	    condition_not_modified(&to->fields, object, sluice_wall_seconds(cache->nf))) {
		say_steady(cache, x, to, object, note, SAID_NOT_MODIFIED);
		return answer_304(cache, x, object, note);
	}
	range = find_range(cache, to, object, &first, &last);
	if (range == RANGE_PART)
		return answer_206(cache, x, object, note, first, last);
	if (range == RANGE_UNSATISFIABLE)
		return answer_416(cache, x, object, note);
	say_steady(cache, x, to, object, note, SAID_WHOLE);
	return answer_whole(cache, x, to->head, object, note);
}

enum sluice_verdict answer_status(struct cache *cache, struct sluice_exchange *x, uint16_t status,
				  const struct note *note)
{
	if (sluice_respond(x, status, 0))
		return SLUICE_RESET;
	if (note)
		answer_note(cache, x, note);
	return SLUICE_RESPOND;
}
