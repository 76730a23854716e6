/* SPDX-License-Identifier: BSD-3-Clause */
/* From a descriptor to a hook, and from what the hook returns to an answer. */
#include <stdlib.h>

#include "nf/sdk/core.h"
#include "nf/sdk/fault.h"
#include "nf/sdk/show.h"

typedef enum sluice_verdict head_hook(struct sluice_exchange *x);
typedef enum sluice_verdict body_hook(struct sluice_exchange *x, const struct sluice_span *spans,
				      unsigned n, bool end);

/* It answered SLUICE_LEAVE while this was on its way. */
static bool is_left(const struct sluice_exchange *x, uint32_t generation)
{
	return x && x->left && x->generation == generation;
}

static __attribute__((noinline)) struct sluice_exchange *
exchange_first(struct sluice_nf *nf, unsigned worker, uint32_t slot)
{
	struct sluice_exchange *x = nf_exchange_at(nf, worker, slot);

	if (!x)
		nf_complain(nf, "no memory for an exchange: it is reset");
	return x;
}

/* The exchange that is spoken of: as it is, or begun if the slot has a new user. */
static struct sluice_exchange *exchange_of(struct sluice_nf *nf, unsigned worker, uint32_t slot,
					   uint32_t generation)
{
	struct sluice_exchange *x = nf_exchange_known(nf, worker, slot);

	if (!x)
		x = exchange_first(nf, worker, slot);
	if (!x || ((x->live || x->left) && x->generation == generation))
		return x;
	if (x->live)
		nf_exchange_end(x);
	nf_exchange_begin(x, generation, nf->stride);
	return x;
}

/* The answer when there is no exchange to answer for. `piece`: of a body; NULL: to a head. */
static void refuse(struct sluice_nf *nf, unsigned worker, uint32_t slot, uint32_t generation,
		   const uint32_t *piece, enum sluice_verdict verdict)
{
	struct sluice_up up = {.exchange = slot,
			       .generation = generation,
			       .kind = piece ? SLUICE_UP_PIECE : SLUICE_UP_VERDICT,
			       .piece = piece ? *piece : 0,
			       .verdict = (uint8_t)verdict,
			       .group = SLUICE_NONE16,
			       .server = SLUICE_NONE16};

	nf->env->put(nf->env_ctx, worker, &up, NULL, true);
}

void nf_verdict_put(struct sluice_nf *nf, unsigned worker, uint32_t exchange, uint32_t generation,
		    enum sluice_verdict verdict)
{
	refuse(nf, worker, exchange, generation, NULL, verdict);
}

/* Runs the hook of a head, if there is one. */
static enum sluice_verdict run_head(struct sluice_exchange *x, const struct sluice_shown *from,
				    enum nf_phase phase, head_hook *hook)
{
	x->phase = (uint8_t)phase;
	if (!from->head) {
		nf_complain(x->nf,
			    "a head lies outside of the message region: its exchange is reset");
		return SLUICE_RESET;
	}
	nf_head_begin(x, from, phase);
	return hook ? hook(x) : SLUICE_PASS;
}

/* The exchange whose head that is; NULL: it is refused, for there is none any more, or no memory.
 */
static struct sluice_exchange *head_exchange(struct sluice_nf *nf, unsigned worker,
					     const struct sluice_shown *from)
{
	struct sluice_exchange *x = exchange_of(nf, worker, from->exchange, from->generation);

	if (x && !is_left(x, from->generation))
		return x;
	nf_verdict_put(nf, worker, from->exchange, from->generation,
		       x ? SLUICE_LEAVE : SLUICE_RESET);
	return NULL;
}

int nf_head(struct sluice_nf *nf, unsigned worker, const struct sluice_shown *head)
{
	struct sluice_exchange *x = head_exchange(nf, worker, head);

	if (!x)
		return NF_SAID;
	if (head->response)
		return nf_head_end(x, run_head(x, head, NF_RESPONSE_HEAD, nf->hooks.response_head));
	return nf_head_end(x, run_head(x, head, NF_REQUEST_HEAD, nf->hooks.request_head));
}

static struct sluice_shown head_of(const struct sluice_nf *nf, unsigned worker,
				   const struct sluice_down *d)
{
	bool response = d->kind == SLUICE_DOWN_RESPONSE_HEAD;

	return (struct sluice_shown){.head = nf_message(nf, worker, d->arg),
				     .asked = response ? d->slice[0].ref : 0,
				     .exchange = d->exchange,
				     .generation = d->generation,
				     .response = response,
				     .end = d->flags & SLUICE_DOWN_END};
}

static void on_head(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	const struct sluice_shown head = head_of(nf, worker, d);
	int verdict = nf_head(nf, worker, &head);

	if (verdict != NF_SAID)
		nf_verdict_put(nf, worker, d->exchange, d->generation,
			       (enum sluice_verdict)verdict);
}

static void on_open(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	const struct sluice_shown head = head_of(nf, worker, d);
	struct sluice_exchange *x = head_exchange(nf, worker, &head);

	if (!x)
		return;
	x->early_ended = head.end;
	x->early_taken = 0;
	answer_hook(x, run_head(x, &head, NF_OPEN, nf->hooks.open));
}

/* --- bodies --------------------------------------------------------------------------- */

static bool spans_grow(struct nf_worker *w)
{
	uint32_t size = w->spans_size ? w->spans_size * 2 : 64;
	struct sluice_span *grown = realloc(w->spans, size * sizeof(*grown));

	if (!grown)
		return false;
	w->spans = grown;
	w->spans_size = size;
	return true;
}

static const uint8_t *resolve_or_map(struct sluice_nf *nf, const struct sluice_slice *slice)
{
	const uint8_t *at = nf_resolve(nf, slice->ref, slice->len);

	if (at || !nf->env->map_more)
		return at;
	nf->env->map_more(nf->env_ctx);
	return nf_resolve(nf, slice->ref, slice->len);
}

static void spans_add(struct sluice_nf *nf, struct nf_worker *w, const struct sluice_down *d)
{
	for (unsigned i = 0; i < d->slices && i < SLUICE_DOWN_SLICES; i++) {
		const uint8_t *at = resolve_or_map(nf, &d->slice[i]);

		if (!at || (w->spans_count == w->spans_size && !spans_grow(w))) {
			w->spans_bad = true;
			return;
		}
		w->spans[w->spans_count++] = (struct sluice_span){at, d->slice[i].len};
	}
}

static enum sluice_verdict run_body(struct sluice_exchange *x, enum nf_phase phase, body_hook *hook,
				    bool end)
{
	struct sluice_nf *nf = x->nf;
	struct nf_worker *w = &nf->worker[x->worker];
	enum sluice_verdict verdict;

	if (w->spans_bad) {
		nf_complain(nf, "a piece of body lies in memory that is not mapped here: reset");
		return SLUICE_RESET;
	}
	if (!hook || (x->refused && phase == NF_REQUEST_BODY))
		return SLUICE_PASS;
	x->phase = (uint8_t)phase;
	nf->emitting = x;
	verdict = hook(x, w->spans, w->spans_count, end);
	nf->emitting = NULL;
	x->phase = NF_IDLE;
	return verdict;
}

static void on_body(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d,
		    enum nf_phase phase, body_hook *hook)
{
	struct nf_worker *w = &nf->worker[worker];
	struct sluice_exchange *x;

	spans_add(nf, w, d);
	if (d->flags & SLUICE_DOWN_MORE)
		return;
	x = exchange_of(nf, worker, d->exchange, d->generation);
	if (!x)
		refuse(nf, worker, d->exchange, d->generation, &d->arg, SLUICE_RESET);
	else if (!is_left(x, d->generation)) /* else the manager has passed it on already */
		answer_piece(x, d->arg, run_body(x, phase, hook, d->flags & SLUICE_DOWN_END));
	w->spans_count = 0;
	w->spans_bad = false;
}

/* A piece of the answer to an ask; one that cannot be read is as good as lost. */
static void on_ask_body(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	struct nf_worker *w = &nf->worker[worker];

	spans_add(nf, w, d);
	if (w->spans_bad)
		nf_complain(nf, "a piece of an answer lies in memory that is not mapped here");
	else
		ask_on_body(nf, worker, d, w->spans, w->spans_count);
	w->spans_count = 0;
	w->spans_bad = false;
}

/* --- the end ----------------------------------------------------------------------- */

static void on_done(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	struct sluice_exchange *x = nf_exchange_at(nf, worker, d->exchange);

	if (!x || !x->live || x->generation != d->generation)
		return; /* the function left it */
	x->phase = NF_IDLE;
	x->held = x->respond = false;
	x->head = NULL;
	x->end = &d->end;
	if (nf->hooks.done)
		nf->hooks.done(x, d->flags & SLUICE_DOWN_RESET);
	x->end = NULL;
	nf_exchange_end(x);
}

static void on_refused(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	struct sluice_exchange *x = exchange_of(nf, worker, d->exchange, d->generation);

	if (!x)
		return;
	x->phase = NF_REFUSED;
	x->head = nf_message(nf, worker, d->arg);
	x->end = &d->end;
	if (nf->hooks.refused && x->head)
		nf->hooks.refused(x);
	x->end = NULL;
	nf_exchange_end(x);
}

static void on_release(struct sluice_nf *nf, const struct sluice_down *d)
{
	FAULT_POINT(RELEASE);
	for (unsigned i = 0; i < d->slices && i < SLUICE_DOWN_SLICES; i++)
		answer_released(nf, d->slice[i].tag);
	FAULT_POINT(RELEASED);
}

void nf_event(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	switch (d->kind) {
	case SLUICE_DOWN_REQUEST_HEAD:
	case SLUICE_DOWN_RESPONSE_HEAD:
		on_head(nf, worker, d);
		break;
	case SLUICE_DOWN_OPEN:
		on_open(nf, worker, d);
		break;
	case SLUICE_DOWN_REQUEST_BODY:
		on_body(nf, worker, d, NF_REQUEST_BODY, nf->hooks.request_body);
		break;
	case SLUICE_DOWN_RESPONSE_BODY:
		on_body(nf, worker, d, NF_RESPONSE_BODY, nf->hooks.response_body);
		break;
	case SLUICE_DOWN_CLIENT_DATA:
		on_body(nf, worker, d, NF_CLIENT_DATA, nf->hooks.client_data);
		break;
	case SLUICE_DOWN_SERVER_DATA:
		on_body(nf, worker, d, NF_SERVER_DATA, nf->hooks.server_data);
		break;
	case SLUICE_DOWN_DONE:
		on_done(nf, worker, d);
		break;
	case SLUICE_DOWN_REFUSED:
		on_refused(nf, worker, d);
		break;
	case SLUICE_DOWN_SEEN:
		nf_on_seen(nf, worker, d);
		break;
	case SLUICE_DOWN_REPEATED:
		if (nf->hooks.repeated)
			nf->hooks.repeated(nf, d->repeated.tag, d->repeated.times);
		break;
	case SLUICE_DOWN_RELEASE:
		on_release(nf, d);
		break;
	case SLUICE_DOWN_ASK_HEAD:
		ask_on_head(nf, worker, d);
		break;
	case SLUICE_DOWN_ASK_BODY:
		on_ask_body(nf, worker, d);
		break;
	case SLUICE_DOWN_ASK_END:
		ask_on_end(nf, worker, d);
		break;
	default:
		nf_complain(nf, "a descriptor of an unknown kind");
	}
}
