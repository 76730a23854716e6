/* SPDX-License-Identifier: BSD-3-Clause */
#include "body.h"

#include <errno.h>
#include <string.h>

#include "store.h"

#define PIECE_FIRST 4096
#define TRIM_LEAST  1024 /* less is not worth a copy */

static int grow(struct store *store, struct body *body)
{
	uint32_t size = body->size ? body->size * 2 : 4;
	struct body_piece *piece = mem_get(&store->mem, size * sizeof(*piece));

	if (!piece)
		return -ENOMEM;
	if (body->count)
		memcpy(piece, body->piece, body->count * sizeof(*piece));
	mem_put(&store->mem, body->piece);
	body->piece = piece;
	body->size = size;
	return 0;
}

/* The next buffer: as much as is to come, or as much again as there is. */
static uint32_t next_size(const struct body *body, uint64_t left)
{
	uint64_t size = left ? left : body->bytes;

	if (!left && size < PIECE_FIRST)
		size = PIECE_FIRST;
	return size < BODY_PIECE_MAX ? (uint32_t)size : BODY_PIECE_MAX;
}

static int add_piece(struct store *store, struct body *body, uint64_t left)
{
	struct sluice_buf *buf;

	if (body->count == body->size && grow(store, body))
		return -ENOMEM;
	buf = store_buf(store, next_size(body, left));
	if (!buf)
		return -ENOMEM;
	body->piece[body->count++] = (struct body_piece){.buf = buf};
	return 0;
}

static uint32_t room_in(const struct body *body)
{
	const struct body_piece *last;

	if (!body->count)
		return 0;
	last = &body->piece[body->count - 1];
	return last->buf->size - last->used;
}

static uint32_t fill(struct body *body, const uint8_t *bytes, uint32_t len)
{
	struct body_piece *last = &body->piece[body->count - 1];
	uint32_t room = room_in(body), n = len < room ? len : room;

	memcpy(last->buf->data + last->used, bytes, n);
	last->used += n;
	body->bytes += n;
	return n;
}

int body_append(struct store *store, struct body *body, const struct sluice_span *span,
		uint64_t left)
{
	uint32_t done = 0;

	while (done < span->len) {
		if (!room_in(body) && add_piece(store, body, left ? left - done : 0))
			return -ENOMEM;
		done += fill(body, span->ptr + done, span->len - done);
	}
	return 0;
}

void body_trim(struct store *store, struct body *body)
{
	struct body_piece *last = body->count ? &body->piece[body->count - 1] : NULL;
	struct sluice_buf *exact;

	if (!last || room_in(body) < TRIM_LEAST || room_in(body) < last->buf->size / 4)
		return;
	exact = store_buf(store, last->used);
	if (!exact)
		return;
	memcpy(exact->data, last->buf->data, last->used);
	sluice_buf_unref(last->buf);
	last->buf = exact;
}

void body_free(struct store *store, struct body *body)
{
	for (uint32_t i = 0; i < body->count; i++)
		sluice_buf_unref(body->piece[i].buf);
	mem_put(&store->mem, body->piece);
	*body = (struct body){0};
}

uint64_t body_bytes(const struct body *body)
{
	uint64_t bytes = mem_size(body->piece);

	for (uint32_t i = 0; i < body->count; i++)
		bytes += body->piece[i].buf->size;
	return bytes;
}
