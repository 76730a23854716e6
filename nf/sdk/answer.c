/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers: verdicts, bodies of answers, bodies that replace others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/core.h"
#include "nf/sdk/fault.h"

static struct sluice_up up_of(const struct sluice_exchange *x, enum sluice_up_kind kind)
{
	return (struct sluice_up){.exchange = x->slot,
				  .generation = x->generation,
				  .kind = (uint8_t)kind,
				  .group = SLUICE_NONE16,
				  .server = SLUICE_NONE16};
}

static int up_put(struct sluice_exchange *x, const struct sluice_up *up, const void *text,
		  bool must)
{
	return x->nf->env->put(x->nf->env_ctx, x->worker, up, text, must);
}

/* --- slices under lease ------------------------------------------------------------ */

bool answer_within(const struct sluice_buf *buf, uint32_t off, uint32_t len)
{
	return len == 0 || (buf && off <= buf->size && len <= buf->size - off);
}

static uint64_t in_flight(const struct sluice_exchange *x)
{
	return x->leased ? x->in_flight_bytes : 0;
}

struct sluice_slice answer_slice(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off,
				 uint32_t len)
{
	struct sluice_nf *nf = x->nf;
	struct arena_lease what = {x->worker, x->slot, x->generation, len};
	uint32_t tag = arena_lease(nf->arena, buf, &what);

	if (!tag)
		return (struct sluice_slice){.ref = SLUICE_REF_NONE};
	x->in_flight_bytes = in_flight(x) + len;
	x->leased = true;
	return (struct sluice_slice){
		.ref = sluice_ref(nf->arena_region, arena_offset(nf->arena, buf) + off),
		.len = len,
		.tag = tag,
	};
}

static void lease_end(struct sluice_nf *nf, uint32_t tag)
{
	struct arena_lease was;
	struct sluice_exchange *x;

	if (!nf->arena || arena_release(nf->arena, tag, &was))
		return;
	x = nf_exchange_at(nf, was.worker, was.slot);
	if (x && x->live && x->generation == was.generation)
		x->in_flight_bytes -= was.len;
}

void answer_released(struct sluice_nf *nf, uint32_t tag)
{
	lease_end(nf, tag);
	nf->room_came = true;
}

void answer_forget(struct sluice_exchange *x)
{
	if (x->early_count)
		lease_end(x->nf, x->early.tag);
	for (unsigned i = 1; i < x->early_count; i++)
		lease_end(x->nf, x->more[i - 1].tag);
	x->early_count = 0;
	free(x->more);
	x->more = NULL;
}

/* --- an answer of its own ------------------------------------------------------------ */

static bool has_no_body(const struct sluice_exchange *x)
{
	bool head =
		x->phase == NF_RESPONSE_HEAD ? x->head->method == SLUICE_METHOD_HEAD : x->asks_head;

	return head || x->status == 204 || x->status == 304 ||
	       x->body_bytes == SLUICE_LENGTH_NONE || x->body_bytes == 0;
}

static bool may_respond(const struct sluice_exchange *x)
{
	switch ((enum nf_phase)x->phase) {
	case NF_REQUEST_HEAD:
	case NF_RESPONSE_HEAD:
		return x->live && x->head;
	case NF_REQUEST_BODY:
		return x->live;
	default:
		return false;
	}
}

int sluice_respond(struct sluice_exchange *x, uint16_t status, uint64_t body_bytes)
{
	if (!may_respond(x) || status < 200 || status > 599)
		return -EINVAL;
	answer_drop(x);
	edits_drop(x);
	x->respond = x->begun = true;
	x->status = status;
	x->body_bytes = body_bytes;
	x->body_sent = 0;
	x->no_body = has_no_body(x);
	x->body_ended = x->no_body;
	return 0;
}

static int turn_away(struct sluice_exchange *x)
{
	x->nf->wants_room = true;
	return -EAGAIN;
}

int answer_early(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off, uint32_t len)
{
	struct sluice_slice *slice = &x->early;

	if (x->early_count == NF_EARLY_MAX)
		return turn_away(x);
	if (x->early_count && !x->more)
		x->more = malloc((NF_EARLY_MAX - 1) * sizeof(*x->more));
	if (x->early_count && !x->more)
		return -ENOMEM;
	if (x->early_count)
		slice = &x->more[x->early_count - 1];
	*slice = answer_slice(x, buf, off, len);
	if (slice->ref == SLUICE_REF_NONE)
		return -ENOMEM;
	x->early_count++;
	return 0;
}

static int emit(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off, uint32_t len,
		bool end)
{
	struct sluice_up up = up_of(x, SLUICE_UP_EMIT);

	if (len) {
		up.slice[0] = answer_slice(x, buf, off, len);
		up.slices = 1;
		if (up.slice[0].ref == SLUICE_REF_NONE)
			return -ENOMEM;
	}
	up.flags = end ? SLUICE_UP_END : 0;
	if (up_put(x, &up, NULL, false) == 0)
		return 0;
	if (len)
		lease_end(x->nf, up.slice[0].tag);
	return turn_away(x);
}

static bool length_is_known(const struct sluice_exchange *x)
{
	return x->body_bytes != SLUICE_LENGTH_UNKNOWN;
}

/* What the declared length says of `len` more bytes: too many, or the last although others were
 * promised. */
static bool length_refuses(const struct sluice_exchange *x, uint32_t len, bool end)
{
	uint64_t left = x->body_bytes - x->body_sent;

	return length_is_known(x) && (len > left || (end && len < left));
}

/* 1: there is something to send. */
static int respond_check(const struct sluice_exchange *x, const struct sluice_buf *buf,
			 uint32_t off, uint32_t len, bool end)
{
	if (!x->live || !x->respond || !answer_within(buf, off, len))
		return -EINVAL;
	if (x->no_body || (x->body_ended && len == 0) || (len == 0 && !end))
		return 0;
	if (x->body_ended || length_refuses(x, len, end))
		return -EINVAL;
	return 1;
}

int sluice_respond_body(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off,
			uint32_t len, bool end)
{
	bool last = end || (length_is_known(x) && x->body_sent + len == x->body_bytes);
	int rc = respond_check(x, buf, off, len, end);

	if (rc != 1)
		return rc;
	rc = 0;
	if (len && in_flight(x) >= SLUICE_RESPOND_WINDOW_BYTES)
		return turn_away(x);
	if (x->answering)
		rc = emit(x, buf, off, len, last);
	else if (len)
		rc = answer_early(x, buf, off, len);
	if (rc)
		return rc;
	x->body_sent += len;
	x->body_ended = last;
	x->answering = x->answering && !last;
	return 0;
}

int sluice_respond_text(struct sluice_exchange *x, struct sluice_str text, bool end)
{
	struct sluice_buf *buf;
	int rc;

	if (x->no_body || !text.len)
		return sluice_respond_body(x, NULL, 0, 0, end);
	buf = sluice_buf_alloc(x->nf, text.len);
	if (!buf)
		return -EAGAIN;
	memcpy(buf->data, text.ptr, text.len);
	rc = sluice_respond_body(x, buf, 0, text.len, end);
	if (!rc)
		*x->nf->copied_bytes += text.len;
	sluice_buf_unref(buf);
	return rc;
}

int sluice_respond_cut(struct sluice_exchange *x)
{
	struct sluice_up up = up_of(x, SLUICE_UP_EMIT);

	if (!x->live || !x->answering)
		return -EINVAL;
	up.verdict = SLUICE_RESET;
	x->answering = false;
	x->body_ended = true;
	return up_put(x, &up, NULL, true);
}

void sluice_body_resize(struct sluice_exchange *x)
{
	x->resize = true;
}

void sluice_steady(struct sluice_exchange *x, uint32_t ms, uint32_t tag)
{
	if (x->phase != NF_REQUEST_HEAD && x->phase != NF_RESPONSE_HEAD)
		return;
	x->steady_ms = (uint16_t)(ms < SLUICE_STEADY_MS_MAX ? ms : SLUICE_STEADY_MS_MAX);
	x->steady_tag = tag;
}

/* --- verdicts ---------------------------------------------------------------------- */

/* A verdict that makes no sense here is the function's mistake: the exchange ends. */
static enum sluice_verdict head_verdict(struct sluice_exchange *x, enum sluice_verdict verdict)
{
	switch (verdict) {
	case SLUICE_PASS:
	case SLUICE_LEAVE:
	case SLUICE_RESET:
		return verdict;
	case SLUICE_RESPOND:
		if (x->respond)
			return verdict;
		nf_complain(x->nf, "SLUICE_RESPOND without sluice_respond: the exchange is reset");
		return SLUICE_RESET;
	default:
		if (verdict == SLUICE_WAIT && x->phase == NF_OPEN)
			return verdict;
		nf_complain(x->nf, "a verdict that a head hook cannot give: the exchange is reset");
		return SLUICE_RESET;
	}
}

/* The slices that found no place in the verdict, two by two. */
static void more_emit(struct sluice_exchange *x)
{
	for (unsigned i = 1; i < x->early_count; i += SLUICE_UP_SLICES) {
		struct sluice_up up = up_of(x, SLUICE_UP_EMIT);

		while (up.slices < SLUICE_UP_SLICES && i + up.slices < x->early_count) {
			up.slice[up.slices] = x->more[i + up.slices - 1];
			up.slices++;
		}
		if (x->body_ended && i + up.slices == x->early_count)
			up.flags = SLUICE_UP_END;
		up_put(x, &up, NULL, true);
	}
	x->early_count = 0;
}

static void respond_fill(const struct sluice_exchange *x, struct sluice_up *up)
{
	up->status = x->status;
	/* HEAD, and nobody knows how long the body would be: then no length is named. */
	up->respond.body_bytes =
		x->no_body && !length_is_known(x) ? SLUICE_LENGTH_NONE : x->body_bytes;
	if (x->early_count) {
		up->respond.slice = x->early;
		up->slices = 1;
	}
	if (x->body_ended && x->early_count <= 1)
		up->flags = SLUICE_UP_END;
}

/* What was taken out of the stream, and what goes ahead of it. */
static void open_fill(const struct sluice_exchange *x, struct sluice_up *up)
{
	up->piece = x->early_taken;
	up->slices = (uint8_t)x->early_count;
	if (x->early_count)
		up->respond.slice = x->early;
}

static void how_fill(const struct sluice_exchange *x, struct sluice_up *up)
{
	if (!x->has_how)
		return;
	up->flags |= SLUICE_UP_HOW;
	up->how = x->how;
}

void sluice_unsteady(struct sluice_nf *nf)
{
	struct sluice_up up = {.kind = SLUICE_UP_UNSTEADY};

	for (unsigned i = 0; nf->steady_workers; i++, nf->steady_workers >>= 1)
		if (nf->steady_workers & 1)
			nf->env->put(nf->env_ctx, i, &up, NULL, true);
}

static void steady_fill(struct sluice_exchange *x, struct sluice_up *up)
{
	if (!x->steady_ms)
		return;
	x->nf->steady_workers |= UINT64_C(1) << x->worker;
	up->steady_ms = x->steady_ms;
	up->piece = x->steady_tag;
}

/* What was said before it asks to wait is forgotten: it will be asked again. */
static void forget(struct sluice_exchange *x)
{
	edits_drop(x);
	x->group = x->server = SLUICE_NONE16;
}

/* The verdict goes out, with its text and whatever found no place in it. */
static void verdict_put(struct sluice_exchange *x, struct sluice_up *up)
{
	if (x->edited && up->verdict != SLUICE_RESET)
		up->text_len = x->edits->bytes;
	up_put(x, up, x->edited ? x->edits->text : NULL, true);
	FAULT_POINT(PUT);
	more_emit(x);
	answer_drop(x);
	edits_drop(x);
	x->respond = up->verdict == SLUICE_RESPOND;
	x->answering = x->respond && !x->body_ended;
	x->begun = false;
	x->nf->room_came = true; /* for an answer that was turned away before its verdict */
}

static void answered(struct sluice_exchange *x, enum sluice_verdict verdict)
{
	x->phase = NF_IDLE;
	x->held = false;
	x->head = NULL;
	if (verdict == SLUICE_LEAVE)
		nf_exchange_end(x);
}

static void head_put(struct sluice_exchange *x, enum sluice_verdict verdict)
{
	struct sluice_up up = up_of(x, SLUICE_UP_VERDICT);

	up.verdict = (uint8_t)verdict;
	if (verdict == SLUICE_WAIT)
		forget(x);
	if (nf_chooses(x)) { /* when the answer to a response comes, the choice was made */
		up.group = x->group;
		up.server = x->server;
	}
	if (verdict == SLUICE_PASS && x->resize)
		up.flags = SLUICE_UP_RESIZE;
	if (verdict == SLUICE_RESPOND)
		respond_fill(x, &up);
	else if (x->phase == NF_OPEN && (verdict == SLUICE_PASS || verdict == SLUICE_LEAVE))
		open_fill(x, &up);
	else
		answer_drop(x);
	if (verdict == SLUICE_PASS || verdict == SLUICE_LEAVE)
		how_fill(x, &up);
	steady_fill(x, &up);
	verdict_put(x, &up);
	x->steady_ms = 0;
	x->chose = x->resize = x->has_how = false;
}

void answer_head(struct sluice_exchange *x, enum sluice_verdict verdict)
{
	FAULT_POINT(ANSWERED);
	verdict = head_verdict(x, verdict);
	head_put(x, verdict);
	answered(x, verdict);
}

void answer_hook(struct sluice_exchange *x, enum sluice_verdict verdict)
{
	if (verdict == SLUICE_HOLD)
		x->held = true;
	else
		answer_head(x, verdict);
}

void sluice_resume(struct sluice_exchange *x, enum sluice_verdict verdict)
{
	if (x->live && x->held && verdict != SLUICE_HOLD)
		answer_head(x, verdict);
	else
		nf_complain(x->nf, "sluice_resume for an exchange that is not held");
}

/* --- pieces of body ---------------------------------------------------------------- */

int sluice_body_emit(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off, uint32_t len)
{
	struct sluice_nf *nf = x->nf;
	struct sluice_slice slice;

	if (nf->emitting != x || !answer_within(buf, off, len))
		return -EINVAL;
	if (!len)
		return 0;
	if (nf->emit_count == NF_EMIT_MAX)
		return -ENOSPC;
	slice = answer_slice(x, buf, off, len);
	if (slice.ref == SLUICE_REF_NONE)
		return -ENOMEM;
	nf->emit[nf->emit_count++] = slice;
	return 0;
}

static void piece_replace(struct sluice_exchange *x, struct sluice_up *up)
{
	struct sluice_nf *nf = x->nf;
	unsigned i = 0;

	do {
		for (up->slices = 0; up->slices < SLUICE_UP_SLICES && i < nf->emit_count; i++)
			up->slice[up->slices++] = nf->emit[i];
		up->flags = i < nf->emit_count ? SLUICE_UP_MORE : 0;
		up_put(x, up, NULL, true);
	} while (i < nf->emit_count);
	nf->emit_count = 0;
}

static void emitted_drop(struct sluice_nf *nf)
{
	while (nf->emit_count)
		lease_end(nf, nf->emit[--nf->emit_count].tag);
}

/* `begun`: sluice_respond was called in this hook. */
static bool piece_verdict_allowed(const struct sluice_exchange *x, enum sluice_verdict verdict,
				  bool begun)
{
	return verdict == SLUICE_PASS || verdict == SLUICE_REPLACE || verdict == SLUICE_RESET ||
	       (verdict == SLUICE_LEAVE && !x->answering) || (verdict == SLUICE_RESPOND && begun);
}

static void piece_respond(struct sluice_exchange *x, struct sluice_up *up)
{
	respond_fill(x, up);
	x->refused = true;
	verdict_put(x, up);
}

/* An answer that was begun in this hook, and not given. */
static void begun_drop(struct sluice_exchange *x)
{
	answer_drop(x);
	edits_drop(x);
	x->respond = x->begun = false;
}

void answer_piece(struct sluice_exchange *x, uint32_t piece, enum sluice_verdict verdict)
{
	struct sluice_up up = up_of(x, SLUICE_UP_PIECE);
	bool begun = x->respond && !x->answering && !x->refused;

	if (!piece_verdict_allowed(x, verdict, begun)) {
		nf_complain(x->nf, "a verdict that a body hook cannot give: the exchange is reset");
		verdict = SLUICE_RESET;
	}
	if (begun && verdict != SLUICE_RESPOND)
		begun_drop(x);
	up.piece = piece;
	up.verdict = (uint8_t)verdict;
	if (verdict == SLUICE_REPLACE) {
		piece_replace(x, &up);
		return;
	}
	emitted_drop(x->nf);
	if (verdict == SLUICE_RESPOND) {
		piece_respond(x, &up);
		return;
	}
	up_put(x, &up, NULL, true);
	if (verdict != SLUICE_LEAVE)
		return;
	nf_exchange_end(x);
	x->left = true;
}
