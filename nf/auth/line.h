/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The line in which requests wait for a costly hash.
 *
 * A password hash is slow on purpose, and a function has one thread: while it computes one, nothing
 * else moves in it. So hashes are computed one in a turn of the loop, and after one that took t it
 * is the turn of others for at least t * (100 / share - 1). The line is short: who finds it full is
 * told to come back. Belongs to one instance and its thread.
 */
#ifndef NF_AUTH_LINE_H
#define NF_AUTH_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sluice/nf.h>

struct line_place {
	TAILQ_ENTRY(line_place) link;
	struct sluice_exchange *x;
	bool waits;
};
TAILQ_HEAD(line_queue, line_place);

/* Computes for the one whose turn it is; it is out of the line already. */
typedef void line_turn(void *user, struct sluice_exchange *x);

struct line {
	struct line_queue queue;
	uint32_t count, most;
	uint32_t share; /* percent of the thread's time */
	struct sluice_timer *timer;
	line_turn *turn;
	void *user;
};

int line_init(struct line *line, struct sluice_nf *nf, line_turn *turn, void *user)
	__attribute__((warn_unused_result));

/* False: it is full. */
bool line_join(struct line *line, struct line_place *place, struct sluice_exchange *x);
/* The exchange is over. */
void line_leave(struct line *line, struct line_place *place);

#endif
