/* SPDX-License-Identifier: BSD-3-Clause */
#include "send.h"

#include <errno.h>

static void seek(struct visit *visit, uint64_t offset)
{
	const struct body *body = &visit->object->body;

	visit->next = offset;
	visit->piece = 0;
	while (visit->piece < body->count && offset >= body->piece[visit->piece].used)
		offset -= body->piece[visit->piece++].used;
	visit->piece_off = (uint32_t)offset;
}

/* What is left of the present piece and of the range. */
static uint32_t run_len(const struct visit *visit)
{
	const struct body_piece *piece = &visit->object->body.piece[visit->piece];
	uint64_t left = visit->end - visit->next;
	uint32_t here = piece->used - visit->piece_off;

	return left < here ? (uint32_t)left : here;
}

static void step(struct visit *visit, uint32_t len)
{
	visit->next += len;
	visit->piece_off += len;
	if (visit->piece_off < visit->object->body.piece[visit->piece].used)
		return;
	visit->piece++;
	visit->piece_off = 0;
}

/* False: no room now, more later. An answer that cannot go on at all is the manager's to end. */
static bool send_some(struct cache *cache, struct visit *visit)
{
	while (visit->next < visit->end) {
		struct sluice_buf *buf = visit->object->body.piece[visit->piece].buf;
		uint32_t len = run_len(visit);
		int rc = sluice_respond_body(visit->x, buf, visit->piece_off, len,
					     visit->next + len == visit->end);

		if (rc)
			return rc != -EAGAIN && rc != -ENOMEM;
		*cache->count.bytes_referenced += len;
		step(visit, len);
	}
	return true;
}

void send_start(struct cache *cache, struct visit *visit, struct object *object, uint64_t first,
		uint64_t end)
{
	visit->object = object_ref(object);
	visit->end = end;
	seek(visit, first);
	if (send_some(cache, visit)) {
		visit->object = NULL;
		object_unref(&cache->store, object);
		return;
	}
	visit->state = VISIT_SENDING;
	TAILQ_INSERT_TAIL(&cache->sending, visit, line);
	(*cache->count.sending)++;
}

void send_stop(struct cache *cache, struct visit *visit)
{
	TAILQ_REMOVE(&cache->sending, visit, line);
	(*cache->count.sending)--;
	visit->state = VISIT_NONE;
	object_unref(&cache->store, visit->object);
	visit->object = NULL;
}

void send_all(struct cache *cache)
{
	struct visit *visit = TAILQ_FIRST(&cache->sending), *next;

	for (; visit; visit = next) {
		next = TAILQ_NEXT(visit, line);
		if (send_some(cache, visit))
			send_stop(cache, visit);
	}
}

void send_forget_all(struct cache *cache)
{
	struct visit *visit;

	while ((visit = TAILQ_FIRST(&cache->sending)))
		send_stop(cache, visit);
}
