/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies: decoded, shown to functions piece by piece, framed, sent. */
#ifndef CHAIN_ENGINE_BODY_H
#define CHAIN_ENGINE_BODY_H

#include "chain/engine/model.h"

/* --- body.c ---------------------------------------------------------------------- */
/* One step of a body's decoder over what waits: payload in `out`, or the end, or why not. */
enum read_result { READ_NOTHING, READ_SOME, READ_END, READ_BAD, READ_CUT, READ_STARVED };
enum read_result body_decode(struct body *body, const struct source *source, uint32_t budget,
			     struct payload *out);
/* Its head is known and on its way. Again: nothing. False: the exchange has ended. */
bool body_begin(struct exchange *x, enum direction d, enum http_body_kind out_kind,
		uint64_t length);
/* Moves what can be moved. False: the exchange has ended. */
bool body_move(struct exchange *x, enum direction d);
/* As if there had been none. */
static inline void body_clear(struct exchange *x, enum direction d)
{
	x->body[d] = (struct body){0};
	x->begun &= (uint8_t) ~(1u << d);
	x->done &= (uint8_t) ~(1u << d);
}
/* All of it was given to its destination, or nothing more will be. */
static inline bool body_ended(const struct exchange *x, enum direction d)
{
	return x->done >> d & 1;
}
static inline void body_end(struct exchange *x, enum direction d)
{
	x->done |= (uint8_t)(1u << d);
}
/* It has begun, and is not over. */
static inline bool body_goes_on(const struct exchange *x, enum direction d)
{
	return (x->begun & ~x->done) >> d & 1;
}
/* One of the two. */
static inline bool bodies_go_on(const struct exchange *x)
{
	return x->begun & ~x->done;
}
void body_free(struct exchange *x, enum direction d);
/* The request is answered, and nobody is to have the rest of it: see body_discard. */
void body_give_up(struct exchange *x);
/* Payload comes in hand, or goes. */
void body_hand(struct exchange *x, enum direction d, int64_t charge);
/* Reads the rest of the request and throws it away. STOP: too much, or no request. */
enum discard { DISCARD_MORE, DISCARD_END, DISCARD_STOP };
enum discard body_discard(struct exchange *x);
/* The direction's source may have a body at all. */
static inline bool body_announced(const struct http_framing *framing)
{
	return framing->kind != HTTP_BODY_NONE &&
	       !(framing->kind == HTTP_BODY_LENGTH && framing->length == 0);
}

/* --- stage.c --------------------------------------------------------------------- */
#define STAGE_NONE UINT32_MAX
uint32_t stage_first(const struct exchange *x, enum direction d);
/* Includes the function if it wants this body. False: it does, has no instance, and the exchange
 * has ended. */
bool stage_choose(struct exchange *x, enum direction d, uint32_t stage);
/* Payload (and the end) for the function of `stage`, or past the last one. */
void stage_give(struct exchange *x, enum direction d, uint32_t stage, struct payload payload,
		bool end);
uint32_t stage_after(const struct exchange *x, enum direction d, uint32_t stage);
/* Of a stream: from here on the function is shown what comes, and what has come so far. */
void stage_join(struct hop *hop);
/* Shows the instances what waits before them. */
void stage_push(struct exchange *x, enum direction d);
/* The oldest piece was answered: with its own bytes, or with others. */
void stage_pass(struct hop *hop);
void stage_replace(struct hop *hop, struct payload payload, bool more);
/* Leaves the function out of all bodies from here on: what it held goes on as it was. */
void stage_bypass(struct hop *hop);
void stage_pieces_free(struct hop *hop); /* what the instance was shown */
void stage_queues_free(struct hop *hop); /* what it was not shown yet */

/* --- frame.c --------------------------------------------------------------------- */
/* Where a body goes; NULL: nowhere yet, or no more. */
struct tcp_conn *frame_destination(const struct exchange *x, enum direction d);
uint32_t frame_room(const struct tcp_conn *conn);
/* All of the answer's, which is so long, goes with its head. */
void frame_whole(struct exchange *x, uint32_t bytes);
/* The answer's body behind its head, if all of it came with that and nobody looks at it: then it
 * has ended. */
void frame_behind(struct exchange *x, struct rte_mbuf *head);
/* Sends what has come past the functions, and the end after it. False: the exchange has ended. */
bool frame_write(struct exchange *x, enum direction d, bool *moved);

/* --- short.c --------------------------------------------------------------------- */
/* The answer's body behind the head that is about to be sent, if all of it is there and it is
 * short: then it has ended. */
void short_append(struct exchange *x, struct rte_mbuf *head);

#endif
