/* SPDX-License-Identifier: BSD-3-Clause */
/* The origin's side of an exchange: who is asked, when, and whether again. */
#ifndef CHAIN_ENGINE_ORIGIN_H
#define CHAIN_ENGINE_ORIGIN_H

#include "chain/engine/model.h"

/* --- origin.c -------------------------------------------------------------------- */
void origin_begin(struct exchange *x);
/* Something happened on its connection. False: the exchange has ended. */
bool origin_run(struct exchange *x);
/* The exchange is over with it. `reusable`: request and response are complete. */
void origin_release(struct exchange *x, bool reusable);
void origin_timeout(struct exchange *x);
/* It could not be reached, broke off, or sent what is no answer. */
void origin_failed(struct exchange *x);
/* It has said all that it will say, and that was not enough. False: the exchange has ended. */
bool origin_ended(struct exchange *x);

/* What can be read of its answer. */
struct source origin_source(struct exchange *x);

/* The request's head, written for a server. 0, -EAGAIN: no memory just now; or another -errno. */
int origin_request(struct exchange *x, struct rte_mbuf **chain);
const struct upstream_user_ops *origin_ops(void);
/* Its connection is given up, so that another server can be asked. */
void origin_drop(struct exchange *x);
/* Connects to `server`, or to those after it; it may have to wait for that. */
void origin_connect(struct exchange *x, uint32_t server);

/* --- private.c ------------------------------------------------------------------- */
/* Its connection is authenticated, and nobody else's. */
bool origin_is_private(const struct exchange *x);

/* --- line.c ---------------------------------------------------------------------- */
void lines_open(struct engine *engine);
void line_enter(struct exchange *x);
void line_leave(struct exchange *x); /* it may not be in line at all */
/* There may be room for the first one. */
void line_wake(struct engine *engine, uint16_t group);
void line_timeout(struct exchange *x);

/* --- reply.c --------------------------------------------------------------------- */
/* Its answer is awaited: looks at what has come of it. False: the exchange has ended. */
bool reply_listen(struct exchange *x);

/* --- retry.c --------------------------------------------------------------------- */
/* RFC 9110 §9.2.2: asking twice does no more than asking once; and all of the request is here. */
bool retry_harmless(const struct exchange *x);
bool retry_body_whole(const struct exchange *x); /* nothing of it was taken yet */
/* The next server to be tried after one that could not be connected; UPSTREAM_NONE. */
uint32_t retry_server(struct exchange *x);
/* Asks another server, if the exchange may for this reason (enum sluice_retry), the group's budget
 * allows and there is one. True: it does, or the exchange has ended. */
bool retry_for(struct exchange *x, uint8_t reason);
bool retry_misled(struct exchange *x);
/* The reason that an answer's status is; 0: none. */
uint8_t retry_reason(const struct exchange *x, uint16_t status);
/* It is no retry any more. */
void retry_over(struct exchange *x);

/* --- hedge.c --------------------------------------------------------------------- */
/* When a second server is to be asked; UINT64_MAX: never. */
uint64_t hedge_due_us(const struct exchange *x);
void hedge_begin(struct exchange *x);
/* Something happened: the rival is asked, taken or dropped. */
void hedge_run(struct exchange *x);
/* The origin is given up and the rival is what is waited for. False: there is none. */
bool hedge_take(struct exchange *x);
void hedge_drop(struct exchange *x); /* there may be none */

#endif
