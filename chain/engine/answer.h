/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to clients. */
#ifndef CHAIN_ENGINE_ANSWER_H
#define CHAIN_ENGINE_ANSWER_H

#include "chain/engine/model.h"

/* --- respond.c ------------------------------------------------------------------- */
/* The response head went past the last function: to the client. */
void respond_begin(struct exchange *x);
/* A function answers: the head of its verdict, without the edits. */
void respond_build(struct exchange *x, const struct sluice_up *up);
/* 1xx to the client, if it may see it. False: no memory just now. */
bool respond_informational(struct exchange *x, const struct sluice_head *head);
/* An answer has begun. `x` may be NULL. */
void respond_counted(struct client *client, struct exchange *x, uint16_t status);
/* An answer of the engine's own (`x` may be NULL), and how the client goes on. */
enum client_fate respond_error(struct client *client, struct exchange *x, uint16_t status);
/* How a client goes on that was not told that its connection ends. What has become of its chain
 * since is seen when it is idle: until then it may send, as it was promised. */
enum client_fate respond_fate(const struct exchange *x);

/* --- instead.c ------------------------------------------------------------------- */
/* The function of `stage` answers in place of what it was shown: the origin is given up, and what
 * is left of the request goes nowhere. False: the exchange has ended. */
bool instead_begin(struct exchange *x, uint8_t stage);
/* The origin gives no answer: functions that look at answers are shown one of ours, which any of
 * them may better; else it ends with `status`. False: the exchange has ended. */
bool instead_offer(struct exchange *x, uint16_t status);
/* Nobody has bettered it. */
void instead_end(struct exchange *x);

/* --- recall.c -------------------------------------------------------------------- */
int recalls_create(struct engine *engine);
void recalls_destroy(struct engine *engine);
/* Answers what waits on an idle client's connection, if that is known. */
bool recall_answer(struct client *client);
/* What a function says of a head is good once more, or it is not. */
void recall_heard(struct hop *hop, const struct sluice_up *up);
/* Keeps this answer, head and short body, if it may be given again. */
void recall_keep(struct exchange *x, const struct rte_mbuf *answer);
/* What the instance called steady is so no longer. */
void recall_retract(struct instance *instance);
/* Functions, or paths, are others from here on. */
void recall_forget(struct engine *engine);

#endif
