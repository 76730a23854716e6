/* SPDX-License-Identifier: BSD-3-Clause */
/* Exchanges from begin to end. */
#ifndef CHAIN_ENGINE_EXCHANGE_H
#define CHAIN_ENGINE_EXCHANGE_H

#include "chain/engine/model.h"

/* --- exchange.c ------------------------------------------------------------------ */
int exchanges_create(struct engine *engine);
void exchanges_destroy(struct engine *engine);
/* One is free for this chain. When few are left each chain has its share, so that one that stands
 * still does not stop the others. */
bool exchange_available(const struct chain *chain, const struct engine *engine);
/* The first client in line that could begin now. */
void exchange_waiting_wake(struct engine *engine);
/* `head` and what pins it are the exchange's from here on. */
void exchange_begin(struct client *client, struct sluice_head *head, struct rte_mbuf *pin,
		    const struct http_framing *framing);
/* The client's, from here on; exchange_available was true. */
struct exchange *exchange_take(struct client *client);
void exchange_ready(struct exchange *x);
void exchange_phase(struct exchange *x, enum phase phase);
static inline void exchange_progress(struct exchange *x)
{
	x->progress_us = x->engine->timers.now_us;
}
void exchange_message_free(struct exchange *x, enum direction d);
/* What a function gave of its answer and was not sent. */
void exchange_emits_drop(struct exchange *x);
/* Ends it with `status` if nothing was answered yet, else with a reset. */
void exchange_fail(struct exchange *x, uint16_t status);
/* Ends it; the answer is complete, or there will be none. */
void exchange_end(struct exchange *x, enum client_fate fate, bool failed);
/* The client is gone. */
void exchange_client_gone(struct exchange *x);
/* One hop of an exchange that is over has let go. */
void exchange_hop_over(struct exchange *x);

/* --- deadline.c ------------------------------------------------------------------ */
/* Its phase, or the time since which it stands still, is another one. */
void deadline_arm(struct exchange *x);
/* Its timer's. */
void deadline_passed(struct timer *timer);

/* --- ending.c -------------------------------------------------------------------- */
/* Why it is going to fail; what was said first counts. */
void ending_why(struct exchange *x, enum sluice_ending why);
/* For functions, when it is over. */
void ending_tell(const struct exchange *x, struct sluice_end *out);

#endif
