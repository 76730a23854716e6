/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests of the function's own. Each has a number between the instance and one worker; what
 * comes for a number is for the ask whose generation it has, and for nobody if that was dropped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/core.h"

/* `self` is what the calls for heads work on: of the request until it is sent, then of its answer.
 */
struct sluice_ask {
	LIST_ENTRY(sluice_ask) of_exchange;
	struct sluice_exchange *x; /* NULL: none */
	const struct sluice_ask_hooks *hooks;
	void *user;
	uint32_t number;
	uint16_t group, status;
	uint8_t method;
	bool sent;
	struct sluice_exchange self;
};

/* --- making ------------------------------------------------------------------------ */

static struct sluice_ask **place_free(struct nf_worker *w)
{
	for (unsigned i = 0; i < SLUICE_ASKS_MAX; i++)
		if (!w->ask[i])
			return &w->ask[i];
	return NULL;
}

struct sluice_ask *sluice_ask_new(struct sluice_nf *nf, struct sluice_exchange *x, uint16_t group,
				  enum sluice_method method, struct sluice_str target)
{
	uint16_t worker = x ? x->worker : 0;
	struct nf_worker *w = &nf->worker[worker];
	struct sluice_ask **place = place_free(w);
	struct sluice_ask *ask = place && (!x || x->live) ? calloc(1, sizeof(*ask)) : NULL;

	if (!ask)
		return NULL;
	ask->x = x;
	ask->number = (uint32_t)(place - w->ask);
	ask->group = group;
	ask->method = (uint8_t)method;
	ask->self.nf = nf;
	ask->self.worker = worker;
	ask->self.live = true;
	ask->self.phase = NF_REQUEST_HEAD;
	ask->self.generation = ++w->ask_generation;
	*place = ask;
	if (x) {
		LIST_INSERT_HEAD(&x->asks, ask, of_exchange);
		x->asking = true;
	}
	if (!sluice_target_set(&ask->self, target))
		return ask;
	sluice_ask_drop(ask);
	return NULL;
}

int sluice_ask_field(struct sluice_ask *ask, const char *name, struct sluice_str value)
{
	return sluice_field_add(&ask->self, name, value);
}

/* --- the end ----------------------------------------------------------------------- */

/* Nobody finds it any more. */
static void take_out(struct sluice_ask *ask)
{
	if (ask->x)
		LIST_REMOVE(ask, of_exchange);
	ask->self.nf->worker[ask->self.worker].ask[ask->number] = NULL;
}

static void ask_free(struct sluice_ask *ask)
{
	edits_drop(&ask->self);
	free(ask);
}

static struct sluice_up up_of(const struct sluice_ask *ask, enum sluice_up_kind kind)
{
	return (struct sluice_up){.exchange = ask->number,
				  .generation = ask->self.generation,
				  .kind = (uint8_t)kind,
				  .group = SLUICE_NONE16,
				  .server = SLUICE_NONE16};
}

void sluice_ask_drop(struct sluice_ask *ask)
{
	struct sluice_up up;

	if (!ask)
		return;
	up = up_of(ask, SLUICE_UP_ASK_DROP);
	if (ask->sent)
		ask->self.nf->env->put(ask->self.nf->env_ctx, ask->self.worker, &up, NULL, true);
	take_out(ask);
	ask_free(ask);
}

void nf_asks_drop(struct sluice_exchange *x)
{
	while (!LIST_EMPTY(&x->asks))
		sluice_ask_drop(LIST_FIRST(&x->asks));
}

void nf_asks_free(struct nf_worker *w)
{
	for (unsigned i = 0; i < SLUICE_ASKS_MAX; i++) {
		struct sluice_ask *ask = w->ask[i];

		if (!ask)
			continue;
		take_out(ask);
		ask_free(ask);
	}
}

/* --- sending ----------------------------------------------------------------------- */

/* The whole text in one piece, as the manager wants it. 0 or -errno. */
static int text_put(struct sluice_ask *ask, const void *body, uint32_t len, uint32_t timeout_ms)
{
	const struct nf_edits *edits = ask->self.edits;
	struct sluice_ask_text is = {.timeout_ms = timeout_ms,
				     .edits_bytes = edits->bytes,
				     .body_bytes = len,
				     .group = ask->group,
				     .method = ask->method};
	struct sluice_up up = up_of(ask, SLUICE_UP_ASK);
	uint8_t *text;
	int rc;

	if (len > SLUICE_EDITS_MAX_BYTES - sizeof(is) ||
	    edits->bytes > SLUICE_EDITS_MAX_BYTES - sizeof(is) - len)
		return -ENOSPC;
	up.text_len = (uint32_t)sizeof(is) + edits->bytes + len;
	text = malloc(up.text_len);
	if (!text)
		return -ENOMEM;
	memcpy(text, &is, sizeof(is));
	memcpy(text + sizeof(is), edits->text, edits->bytes);
	if (len)
		memcpy(text + sizeof(is) + edits->bytes, body, len);
	rc = ask->self.nf->env->put(ask->self.nf->env_ctx, ask->self.worker, &up, text, false);
	free(text);
	return rc;
}

int sluice_ask_send(struct sluice_ask *ask, const void *body, uint32_t len, uint32_t timeout_ms,
		    const struct sluice_ask_hooks *hooks, void *user)
{
	struct sluice_nf *nf = ask->self.nf;
	int rc = ask->sent || !timeout_ms ? -EINVAL : text_put(ask, body, len, timeout_ms);

	if (rc == -EAGAIN)
		nf->wants_room = true;
	if (rc)
		return rc;
	ask->hooks = hooks;
	ask->user = user;
	ask->sent = true;
	ask->self.phase = NF_IDLE;
	edits_drop(&ask->self);
	*nf->copied_bytes += len;
	return 0;
}

/* --- the answer -------------------------------------------------------------------- */

const struct sluice_exchange *sluice_ask_answer(const struct sluice_ask *ask)
{
	return &ask->self;
}

uint16_t sluice_ask_status(const struct sluice_ask *ask)
{
	return ask->status;
}

/* The ask that a descriptor is for; NULL: it was dropped. */
static struct sluice_ask *ask_of(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	struct sluice_ask *ask =
		d->exchange < SLUICE_ASKS_MAX ? nf->worker[worker].ask[d->exchange] : NULL;

	return ask && ask->sent && ask->self.generation == d->generation ? ask : NULL;
}

void ask_on_head(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	struct sluice_ask *ask = ask_of(nf, worker, d);

	if (!ask)
		return;
	ask->self.head = nf_message(nf, worker, d->arg);
	if (!ask->self.head) {
		nf_complain(nf, "the head of an answer lies outside of the message region");
		return;
	}
	ask->status = ask->self.head->status;
	if (ask->hooks->head)
		ask->hooks->head(ask, ask->user);
	ask = ask_of(nf, worker, d); /* it may have been dropped */
	if (ask)
		ask->self.head = NULL;
}

void ask_on_body(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d,
		 const struct sluice_span *spans, unsigned n)
{
	struct sluice_ask *ask = ask_of(nf, worker, d);

	if (ask && ask->hooks->body)
		ask->hooks->body(ask, spans, n, ask->user);
}

void ask_on_end(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	struct sluice_ask *ask = ask_of(nf, worker, d);

	if (!ask)
		return;
	take_out(ask);
	ask->x = NULL;
	ask->hooks->over(ask, -(int)d->arg, ask->user);
	ask_free(ask);
	nf->room_came = true; /* for one more */
}
