/* SPDX-License-Identifier: BSD-3-Clause */
/* The manager's side of an exchange: sends events, keeps the answers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nf/sdk/harness_priv.h"

#define GENERATION  1
#define SETTLES_MAX 1000000 /* turns of writable; more is a function that never ends */

/* --- answers ------------------------------------------------------------------------- */

static struct harness_exchange *exchange_find(struct harness *h, const struct sluice_up *up)
{
	for (struct harness_exchange *x = h->exchanges; x; x = x->next) {
		if (x->slot == up->exchange && up->generation == GENERATION)
			return x;
	}
	harness_abort("an answer for exchange %u, which does not exist", up->exchange);
}

static void sent_add(struct harness *h, uint32_t tag)
{
	if (h->sent_count == h->sent_size) {
		h->sent_size = h->sent_size ? h->sent_size * 2 : 64;
		h->sent = harness_grow(h->sent, h->sent_size * sizeof(*h->sent));
	}
	h->sent[h->sent_count++] = tag;
}

static void slices_take(struct harness *h, const struct sluice_up *up, struct harness_bytes *to)
{
	for (unsigned i = 0; i < up->slices; i++) {
		const uint8_t *at = nf_resolve(h->nf, up->slice[i].ref, up->slice[i].len);

		if (!at)
			harness_abort("a slice that is not in the arena");
		harness_append(to, at, up->slice[i].len);
		sent_add(h, up->slice[i].tag);
	}
}

static void respond(struct harness_exchange *x, const struct sluice_up *up)
{
	harness_fields_free(x);
	x->status = up->status;
	x->body_bytes = up->respond.body_bytes;
	slices_take(x->h, up, &x->body);
	x->body_ended = up->flags & SLUICE_UP_END;
}

static void on_verdict(struct harness_exchange *x, const struct sluice_up *up, const void *text)
{
	if (x->answered)
		harness_abort("a head was answered twice");
	if (x->response && (up->group != SLUICE_NONE16 || up->server != SLUICE_NONE16))
		harness_abort("a route for a response");
	x->answered = true;
	x->verdict = (enum sluice_verdict)up->verdict;
	x->group = up->group;
	x->server = up->server;
	x->left = x->verdict == SLUICE_LEAVE;
	x->steady_ms = up->steady_ms;
	x->steady_tag = up->piece;
	x->has_how = up->flags & SLUICE_UP_HOW;
	if (x->has_how)
		x->how = up->how;
	x->resized = up->flags & SLUICE_UP_RESIZE;
	if (x->verdict == SLUICE_RESPOND) {
		respond(x, up);
	} else {
		slices_take(x->h, up, &x->ahead);
		x->early_taken = up->piece;
	}
	harness_edits_apply(x, text, up->text_len);
}

static void on_emit(struct harness_exchange *x, const struct sluice_up *up)
{
	if (x->body_ended || x->body_cut)
		harness_abort("body after the end of the answer");
	x->body_cut = up->verdict == SLUICE_RESET;
	slices_take(x->h, up, &x->body);
	x->body_ended = up->flags & SLUICE_UP_END;
}

static void on_piece(struct harness_exchange *x, const struct sluice_up *up, const void *text)
{
	if (up->piece != x->pieces)
		harness_abort("an answer to piece %u, not %u", up->piece, x->pieces);
	if (up->verdict == SLUICE_REPLACE && x->piece_verdict != SLUICE_REPLACE)
		x->piece.len = 0;
	x->piece_verdict = (enum sluice_verdict)up->verdict;
	x->left = x->left || up->verdict == SLUICE_LEAVE;
	if (up->verdict == SLUICE_REPLACE) {
		slices_take(x->h, up, &x->piece);
		harness_append(&x->piece, "", 0);
	}
	if (up->verdict != SLUICE_RESPOND)
		return;
	harness_answer_forget(x);
	x->verdict = SLUICE_RESPOND;
	respond(x, up);
	harness_edits_apply(x, text, up->text_len);
}

static void on_ask(struct harness *h, const struct sluice_up *up, const void *text)
{
	if (up->kind == SLUICE_UP_ASK)
		harness_ask_begin(h, up, text);
	else
		harness_ask_dropped(h, up);
}

static bool is_of_exchange(const struct sluice_up *up)
{
	return up->kind == SLUICE_UP_VERDICT || up->kind == SLUICE_UP_PIECE ||
	       up->kind == SLUICE_UP_EMIT;
}

static int put(void *ctx, unsigned worker, const struct sluice_up *up, const void *text, bool must)
{
	struct harness *h = ctx;
	struct harness_exchange *x;

	(void)worker;
	if (!must && h->room == 0)
		return -EAGAIN;
	if (!must && h->room != UINT32_MAX)
		h->room--;
	x = is_of_exchange(up) ? exchange_find(h, up) : NULL;
	switch (up->kind) {
	case SLUICE_UP_ASK:
	case SLUICE_UP_ASK_DROP:
		on_ask(h, up, text);
		break;
	case SLUICE_UP_UNSTEADY:
		h->unsteady++;
		break;
	case SLUICE_UP_VERDICT:
		on_verdict(x, up, text);
		break;
	case SLUICE_UP_EMIT:
		on_emit(x, up);
		break;
	default:
		on_piece(x, up, text);
	}
	return 0;
}

static void keep_log(void *ctx, enum sluice_log_level level, const char *text)
{
	struct harness *h = ctx;

	(void)level;
	h->logs = harness_grow(h->logs, (h->logs_count + 1) * sizeof(*h->logs));
	h->logs[h->logs_count++] = harness_copy(text, strlen(text));
}

const struct nf_env harness_env = {.put = put, .log = keep_log, .writing = harness_writing};

/* --- events ------------------------------------------------------------------------ */

static void sent_release(struct harness *h)
{
	struct sluice_down down = {.kind = SLUICE_DOWN_RELEASE, .slices = 1};
	size_t n = h->sent_count;

	for (size_t i = 0; i < n; i++) {
		down.slice[0].tag = h->sent[i];
		nf_event(h->nf, 0, &down);
	}
	memmove(h->sent, h->sent + n, (h->sent_count - n) * sizeof(*h->sent));
	h->sent_count -= n;
}

void harness_settle(struct harness *h)
{
	for (unsigned i = 0; i < SETTLES_MAX; i++) {
		if (!h->hold_sent && h->sent_count)
			sent_release(h);
		if (!nf_room(h->nf, h->room > 0 && i == 0))
			return;
	}
	harness_abort("`writable` is turned away for ever");
}

void harness_acknowledge(struct harness *h)
{
	if (h->sent_count)
		sent_release(h);
	harness_settle(h);
}

void harness_event(struct harness_exchange *x, struct sluice_down *down)
{
	down->exchange = x->slot;
	down->generation = GENERATION;
	nf_event(x->h->nf, 0, down);
}

struct harness_exchange *harness_exchange_new(struct harness *h, const char *target)
{
	struct harness_exchange *x = harness_grow(NULL, sizeof(*x));

	*x = (struct harness_exchange){.h = h, .next = h->exchanges, .slot = h->slots++};
	x->target = harness_copy(target, strlen(target));
	harness_append(&x->body, "", 0);
	harness_append(&x->piece, "", 0);
	harness_append(&x->edits, "", 0);
	harness_append(&x->early, "", 0);
	harness_append(&x->ahead, "", 0);
	h->exchanges = x;
	return x;
}

void harness_exchange_free(struct harness_exchange *x)
{
	harness_fields_free(x);
	free(x->method);
	free(x->target);
	free(x->body.data);
	free(x->piece.data);
	free(x->edits.data);
	free(x->early.data);
	free(x->ahead.data);
	free(x);
}

void harness_answer_forget(struct harness_exchange *x)
{
	x->answered = false;
	x->verdict = SLUICE_HOLD;
	x->group = x->server = SLUICE_NONE16;
	x->edits.len = 0;
	x->edits.data[0] = '\0';
}

static void head_event(struct harness_exchange *x, const struct harness_line *line)
{
	struct sluice_down down = {
		.kind = line->response ? SLUICE_DOWN_RESPONSE_HEAD : SLUICE_DOWN_REQUEST_HEAD,
		.arg = harness_head_write(x->h, line),
	};

	if (!line->response)
		x->request = sluice_ref(HARNESS_REGION_MESSAGES, (uint64_t)down.arg * 64);
	else if (x->h->routed_group != SLUICE_NONE16)
		down.slice[0].ref = x->request;
	harness_answer_forget(x);
	x->response = line->response;
	harness_fields_set(x, line->fields);
	harness_event(x, &down);
	harness_settle(x->h);
}

struct harness_exchange *harness_request_version(struct harness *h, uint8_t version,
						 const char *method, const char *target,
						 const struct harness_field *fields)
{
	struct harness_exchange *x = harness_exchange_new(h, target);
	struct harness_line line = {
		.version = version, .method = method, .target = target, .fields = fields};

	x->method = harness_copy(method, strlen(method));
	head_event(x, &line);
	return x;
}

struct harness_exchange *harness_request(struct harness *h, const char *method, const char *target,
					 const struct harness_field *fields)
{
	return harness_request_version(h, 11, method, target, fields);
}

struct harness_exchange *harness_refused(struct harness *h, const char *method, const char *target,
					 const struct harness_field *fields,
					 const struct sluice_end *end)
{
	struct harness_exchange *x = harness_exchange_new(h, target);
	struct harness_line line = {
		.version = 11, .method = method, .target = target, .fields = fields};
	struct sluice_down down = {
		.kind = SLUICE_DOWN_REFUSED, .arg = harness_head_write(h, &line), .end = *end};

	harness_event(x, &down);
	x->left = true;
	harness_settle(h);
	return x;
}

enum sluice_verdict harness_response(struct harness_exchange *x, uint16_t status,
				     const struct harness_field *fields)
{
	struct harness_line line = {.response = true,
				    .version = 11,
				    .status = status,
				    .method = x->method,
				    .fields = fields};

	x->status = status;
	if (x->left)
		return SLUICE_PASS;
	head_event(x, &line);
	return x->verdict;
}

/* Copies the piece to RX memory, where a function finds it. */
void harness_slice(struct harness *h, const struct sluice_span *span, struct sluice_slice *slice)
{
	uint64_t offset;
	void *at = harness_take(&h->rx, span->len ? span->len : 1, &offset);

	memcpy(at, span->ptr, span->len);
	*slice = (struct sluice_slice){.ref = sluice_ref(h->rx.region, offset), .len = span->len};
}

enum sluice_verdict harness_body_event(struct harness_exchange *x, enum sluice_down_kind kind,
				       const struct sluice_span *spans, unsigned n, bool end)
{
	struct sluice_down down;
	unsigned i = 0;

	x->pieces++;
	x->piece.len = 0;
	x->piece_verdict = SLUICE_PASS;
	for (unsigned s = 0; s < n; s++)
		harness_append(&x->piece, spans[s].ptr, spans[s].len);
	if (x->left)
		return SLUICE_PASS;
	do {
		down = (struct sluice_down){.kind = (uint8_t)kind, .arg = x->pieces};
		for (; i < n && down.slices < SLUICE_DOWN_SLICES; i++)
			harness_slice(x->h, &spans[i], &down.slice[down.slices++]);
		down.flags = i < n ? SLUICE_DOWN_MORE : end ? SLUICE_DOWN_END : 0;
		harness_event(x, &down);
	} while (i < n);
	harness_settle(x->h);
	return x->piece_verdict;
}

enum sluice_verdict harness_request_body(struct harness_exchange *x, const void *bytes, size_t len,
					 bool end)
{
	struct sluice_span span = {bytes, (uint32_t)len};

	return harness_body_event(x, SLUICE_DOWN_REQUEST_BODY, &span, len > 0, end);
}

enum sluice_verdict harness_response_body(struct harness_exchange *x, const void *bytes, size_t len,
					  bool end)
{
	struct sluice_span span = {bytes, (uint32_t)len};

	return harness_body_event(x, SLUICE_DOWN_RESPONSE_BODY, &span, len > 0, end);
}

enum sluice_verdict harness_response_spans(struct harness_exchange *x,
					   const struct sluice_span *spans, unsigned n, bool end)
{
	return harness_body_event(x, SLUICE_DOWN_RESPONSE_BODY, spans, n, end);
}

void harness_done(struct harness_exchange *x, bool reset)
{
	struct sluice_end end = {.why = reset ? SLUICE_ENDING_FAILED : SLUICE_ENDING_COMPLETE,
				 .status = x->status,
				 .group = SLUICE_NONE16,
				 .server = SLUICE_NONE16};

	harness_end(x, &end, reset);
}

void harness_end(struct harness_exchange *x, const struct sluice_end *end, bool reset)
{
	struct sluice_down down = {
		.kind = SLUICE_DOWN_DONE, .flags = reset ? SLUICE_DOWN_RESET : 0, .end = *end};

	if (!x->left)
		harness_event(x, &down);
	x->left = true;
	harness_settle(x->h);
}

/* --- what came of it --------------------------------------------------------------- */

enum sluice_verdict harness_verdict(const struct harness_exchange *x)
{
	return x->verdict;
}

uint16_t harness_group(const struct harness_exchange *x)
{
	return x->group;
}

uint32_t harness_steady_ms(const struct harness_exchange *x)
{
	return x->steady_ms;
}

unsigned harness_unsteady(const struct harness *h)
{
	return h->unsteady;
}

void harness_repeated(struct harness_exchange *x, uint64_t times)
{
	struct sluice_down down = {.kind = SLUICE_DOWN_REPEATED,
				   .repeated = {.times = times, .tag = x->steady_tag}};

	harness_event(x, &down);
}

const struct sluice_how *harness_how(const struct harness_exchange *x)
{
	return x->has_how ? &x->how : NULL;
}

uint16_t harness_server(const struct harness_exchange *x)
{
	return x->server;
}

uint16_t harness_status(const struct harness_exchange *x)
{
	return x->status;
}

const char *harness_edits(const struct harness_exchange *x)
{
	return (const char *)x->edits.data;
}

const char *harness_target(const struct harness_exchange *x)
{
	return x->target;
}

const char *harness_field_at(const struct harness_exchange *x, const char *name, unsigned i)
{
	for (unsigned f = 0; f < x->fields_count; f++) {
		if (strcasecmp(x->fields[f].name, name) == 0 && i-- == 0)
			return x->fields[f].value;
	}
	return NULL;
}

const char *harness_field(const struct harness_exchange *x, const char *name)
{
	return harness_field_at(x, name, 0);
}

uint64_t harness_body_bytes(const struct harness_exchange *x)
{
	return x->body_bytes;
}

const uint8_t *harness_body(const struct harness_exchange *x, size_t *len)
{
	if (len)
		*len = x->body.len;
	return x->body.data;
}

const uint8_t *harness_piece(const struct harness_exchange *x, size_t *len)
{
	if (len)
		*len = x->piece.len;
	return x->piece.data;
}

bool harness_resized(const struct harness_exchange *x)
{
	return x->resized;
}

bool harness_body_ended(const struct harness_exchange *x)
{
	return x->body_ended;
}

bool harness_body_cut(const struct harness_exchange *x)
{
	return x->body_cut;
}
