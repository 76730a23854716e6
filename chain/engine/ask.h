/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests of functions' own (SLUICE_UP_ASK): to an upstream group, over the same pool of
 * connections as exchanges; the answer goes to the function that asked, and to nobody else.
 *
 *    ask.c          from the function: checked, written; back to it; the end
 *    ask_answer.c   the server's side: connected, asked, its answer read
 *
 * An instance has SLUICE_ASKS_MAX of them, by number. What it was shown is freed when it has read
 * on; until then at most ASK_SHOWN_MAX pieces and ASK_IN_HAND_MAX bytes are kept for it, and then
 * its server's window closes.
 */
#ifndef CHAIN_ENGINE_ASK_H
#define CHAIN_ENGINE_ASK_H

#include "chain/engine/model.h"

#define ASK_SHOWN_MAX   8
#define ASK_IN_HAND_MAX (64u << 10) /* true size */

enum ask_state {
	ASK_FREE,
	ASK_CONNECT,
	ASK_WAIT, /* for the answer's head */
	ASK_HEAD, /* it is there, to be shown */
	ASK_BODY,
	ASK_END,  /* its end is to be shown */
	ASK_OVER, /* and was: until the instance has read on */
};

struct ask_shown {
	struct payload payload;
	uint64_t mark; /* instance->produced after it */
};

struct ask {
	struct task task;
	struct instance *instance;
	uint32_t number;
	/* from here on: zero at its begin */
	uint32_t generation; /* the function's */
	uint8_t state;       /* enum ask_state */
	uint32_t error;      /* an errno */
	struct reach origin;
	struct rte_mbuf *text; /* the request, whole */
	struct sluice_head *request, *answer;
	struct rte_mbuf *pin; /* the answer's text */
	struct http_framing framing;
	struct body body;
	struct payload in; /* to be shown */
	struct ask_shown shown[ASK_SHOWN_MAX];
	unsigned shown_count;
	uint64_t mark; /* of its last descriptor */
	struct timer timer;
	uint8_t trailers[ENGINE_TRAILER_BYTES];
};

static inline struct engine *ask_engine(const struct ask *ask)
{
	return ask->instance->engine;
}

/* --- ask.c ----------------------------------------------------------------------- */
void ask_ready(struct ask *ask);
/* A descriptor for the instance; NULL: its ring is full, and the ask runs again. */
struct sluice_down *ask_entry(struct ask *ask, enum sluice_down_kind kind, uint8_t flags);
/* There is no more: `error` is 0 or an errno. */
void ask_finish(struct ask *ask, uint32_t error);

/* --- ask_answer.c ---------------------------------------------------------------- */
void ask_connect(struct ask *ask, uint32_t server);
/* Something happened: goes on as far as it can. */
void ask_move(struct ask *ask);
/* The connection is not needed any more. `complete`: all of the answer was read. */
void ask_release(struct ask *ask, bool complete);

/* --- for the rest of the engine -------------------------------------------------- */
int asks_create(struct instance *instance);
void asks_destroy(struct instance *instance);
/* Nothing can be said to it any more. */
void asks_drop(struct instance *instance);
/* It asks, or wants no answer any more. */
void ask_asked(struct instance *instance, const struct sluice_up *up);
void ask_dropped(struct instance *instance, const struct sluice_up *up);
void asks_read_on(struct instance *instance);
/* Something is freed when it has read on. */
bool asks_watched(const struct instance *instance);

#endif
