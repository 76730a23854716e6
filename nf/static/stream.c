/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that are not kept: read piece by piece into the arena while they are sent, so much in each
 * turn of the loop and no more; and requests that wait for the next turn because this one has read
 * enough.
 */
#include "nf/static/stream.h"

#include <errno.h>
#include <unistd.h>

#include "nf/static/static.h"

#define PIECE_BYTES (64 << 10)
#define TURN_BYTES  (1 << 20)
#define AGAIN_MS    1

bool stream_may_read(struct static_nf *self)
{
	uint64_t now_us = sluice_now_us(self->nf);

	if (self->turn_us != now_us) {
		self->turn_us = now_us;
		self->turn_bytes = 0;
	}
	return self->turn_bytes < TURN_BYTES;
}

void stream_did_read(struct static_nf *self, uint64_t bytes)
{
	self->turn_bytes += bytes;
}

/* --- waiting for a turn ------------------------------------------------------------------- */

enum sluice_verdict stream_wait(struct static_nf *self, struct sluice_exchange *x)
{
	struct visit *visit = sluice_ctx(x);

	visit->x = x;
	visit->state = VISIT_WAITING;
	TAILQ_INSERT_TAIL(&self->waiting, visit, line);
	sluice_timer_start(self->timer, AGAIN_MS);
	return SLUICE_HOLD;
}

static void serve_waiting(struct static_nf *self)
{
	struct visit *visit;

	while ((visit = TAILQ_FIRST(&self->waiting)) && stream_may_read(self)) {
		TAILQ_REMOVE(&self->waiting, visit, line);
		visit->state = VISIT_IDLE;
		sluice_resume(visit->x, static_serve(self, visit->x));
	}
}

/* --- sending ------------------------------------------------------------------------------ */

static void stop(struct static_nf *self, struct visit *visit)
{
	if (visit->state == VISIT_WAITING)
		TAILQ_REMOVE(&self->waiting, visit, line);
	if (visit->state == VISIT_SENDING) {
		TAILQ_REMOVE(&self->sending, visit, line);
		close(visit->fd);
		if (visit->buf)
			sluice_buf_unref(visit->buf);
	}
	visit->buf = NULL;
	visit->state = VISIT_IDLE;
}

/* The next piece. -EAGAIN: no room, or enough for this turn; any other: the file is not what it
 * was. */
static int fill(struct static_nf *self, struct visit *visit)
{
	uint64_t left = visit->end - visit->next;
	uint32_t want = left < PIECE_BYTES ? (uint32_t)left : PIECE_BYTES;
	ssize_t n;

	if (!stream_may_read(self))
		return -EAGAIN;
	visit->buf = sluice_buf_alloc(self->nf, want);
	if (!visit->buf)
		return -EAGAIN;
	do
		n = pread(visit->fd, visit->buf->data, want, (off_t)visit->next);
	while (n < 0 && errno == EINTR);
	if (n <= 0 || !files_same(visit->fd, visit->size, visit->modified_ns))
		return -EIO;
	visit->filled = (uint32_t)n;
	stream_did_read(self, (uint64_t)n);
	return 0;
}

static int send_piece(struct visit *visit)
{
	bool last = visit->next + visit->filled == visit->end;
	int rc = sluice_respond_body(visit->x, visit->buf, 0, visit->filled, last);

	if (rc)
		return rc;
	sluice_buf_unref(visit->buf);
	visit->buf = NULL;
	visit->next += visit->filled;
	return 0;
}

/* 0: all is sent. */
static int pump(struct static_nf *self, struct visit *visit)
{
	int rc = 0;

	while (!rc && visit->next < visit->end) {
		if (!visit->buf)
			rc = fill(self, visit);
		if (!rc)
			rc = send_piece(visit);
	}
	return rc == -ENOMEM ? -EAGAIN : rc;
}

/* Of two contents, none is sent in part with the other: the answer is cut. */
static void give_up(struct static_nf *self, struct visit *visit)
{
	++*self->files.counters.broken;
	(void)sluice_respond_cut(visit->x);
}

static void advance(struct static_nf *self, struct visit *visit)
{
	int rc = pump(self, visit);

	if (rc == -EAGAIN)
		return;
	if (rc)
		give_up(self, visit);
	stop(self, visit);
}

/* Each in its turn: the one that goes first now goes last the next time. */
void stream_advance_all(struct static_nf *self)
{
	struct visit *first = TAILQ_FIRST(&self->sending), *visit, *next;

	if (first) {
		TAILQ_REMOVE(&self->sending, first, line);
		TAILQ_INSERT_TAIL(&self->sending, first, line);
	}
	for (visit = TAILQ_FIRST(&self->sending); visit; visit = next) {
		next = TAILQ_NEXT(visit, line);
		advance(self, visit);
	}
}

static void on_timer(struct sluice_nf *nf, void *user)
{
	struct static_nf *self = user;

	(void)nf;
	serve_waiting(self);
	stream_advance_all(self);
	if (!TAILQ_EMPTY(&self->waiting) || !TAILQ_EMPTY(&self->sending))
		sluice_timer_start(self->timer, AGAIN_MS);
}

void stream_start(struct static_nf *self, struct sluice_exchange *x, int fd,
		  const struct static_body *body, const struct static_part *part)
{
	struct visit *visit = sluice_ctx(x);

	*visit = (struct visit){
		.x = x,
		.state = VISIT_SENDING,
		.fd = fd,
		.size = body->size,
		.modified_ns = body->modified_ns,
		.next = part->off,
		.end = part->off + part->len,
	};
	TAILQ_INSERT_TAIL(&self->sending, visit, line);
	sluice_timer_start(self->timer, AGAIN_MS);
}

int stream_init(struct static_nf *self)
{
	TAILQ_INIT(&self->waiting);
	TAILQ_INIT(&self->sending);
	self->timer = sluice_timer_new(self->nf, on_timer, self);
	return self->timer ? 0 : -ENOMEM;
}

/* What is being sent ends with the instance; its files are closed. */
void stream_free(struct static_nf *self)
{
	struct visit *visit;

	while ((visit = TAILQ_FIRST(&self->sending)))
		stop(self, visit);
}

void stream_done(struct sluice_exchange *x, bool reset)
{
	(void)reset;
	stop(sluice_data(sluice_of(x)), sluice_ctx(x));
}
