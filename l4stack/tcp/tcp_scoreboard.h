/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scoreboard: what is in flight, when it was sent, and what the peer has said of it
 * (RFC 6675 §3; RFC 8985 §5.2). Pure.
 *
 * Everything between SND.UNA and SND.NXT is covered by runs: stretches of bytes that went out
 * at the same time and fare alike. A run is as long as what one flush sent; it is split when the
 * peer reports a part of it, and runs that the peer holds are joined, so that there are
 * only as many as there is to tell. Each run is in one of three states:
 *
 *	FLYING   in the network, as far as we know; on the list `flying`, by time of transmission
 *	LOST     to be sent again; on the list `lost`, in the order in which that should happen
 *	SACKED   the peer holds it
 *
 * "Pipe" (RFC 6675 §4) is the sum of the flying ones, SetPipe nothing but keeping it: what is
 * lost does not count, and counts again once it is sent again. The first of `lost` is what
 * NextSeg's first rule names; its third and fourth rule are not needed beside RACK and TLP.
 *
 * Runs come from a slab. The number of them is bounded: beyond it a report that would split a run
 * is not taken, and new data joins the last run, which costs speed, not correctness.
 */
#ifndef L4STACK_TCP_TCP_SCOREBOARD_H
#define L4STACK_TCP_TCP_SCOREBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "l4stack/tcp/tcp_slab.h"

#define TCP_RUNS_MAX 4096

enum tcp_run_state { TCP_RUN_FLYING, TCP_RUN_LOST, TCP_RUN_SACKED, TCP_RUN_STATES };

/* What is noted of a transmission: the time, and how far delivery was (tcp_rate.h). Times are µs
 * in 32 bits, which is enough for what lives for minutes. */
struct tcp_stamp {
	uint32_t sent_us;
	uint32_t delivered, delivered_us, first_sent_us;
	bool app_limited;
};

struct tcp_run {
	struct tcp_run *next, *prev;    /* by sequence number */
	struct tcp_run *after, *before; /* on `flying` or `lost` */
	uint32_t lo, hi;                /* [lo, hi) */
	struct tcp_stamp stamp;         /* of the last transmission */
	uint8_t state;                  /* enum tcp_run_state */
	bool resent;
};
_Static_assert(sizeof(struct tcp_run) == 64, "a cache line");

struct tcp_run_list {
	struct tcp_run *first, *last;
};

struct tcp_scoreboard {
	struct tcp_run *first, *last;
	struct tcp_run_list flying, lost;
	struct tcp_run *near;  /* where the peer's last report was */
	struct tcp_run *spare; /* so that what was sent can always be noted */
	struct tcp_slab *slab;
	uint32_t bytes[TCP_RUN_STATES];
	uint32_t n;
};

/* What one ACK tells. The first three are set before; the scoreboard adds the rest. */
struct tcp_news {
	uint32_t fack;            /* the highest number known to be delivered before this ACK */
	uint32_t recover;         /* what was sent before the loss ends here */
	uint32_t resent_until_us; /* of what was sent again later than this, the original came */
	uint32_t delivered_bytes; /* not known to be delivered before */
	uint32_t acked_bytes;     /* of sequence space, by number */
	uint32_t end;             /* the highest number newly delivered */
	bool delivered;           /* anything */
	bool original;            /* something before `recover` that was sent only once */
	bool reordered;           /* the same, below `fack`: RFC 8985 §6.2 step 3 */
	bool latest_known, latest_resent, earliest_known;
	uint32_t latest_end;
	struct tcp_stamp latest; /* the transmission, of those delivered, that was sent last */
	uint32_t earliest_us;    /* the one that was sent first, of those sent only once */
};

void tcp_scoreboard_init(struct tcp_scoreboard *board, struct tcp_slab *slab);
void tcp_scoreboard_clear(struct tcp_scoreboard *board);

/* Makes sure that the next push or resend can be noted. False: no memory. */
static inline bool tcp_scoreboard_ready(struct tcp_scoreboard *board)
{
	if (!board->spare)
		board->spare = tcp_slab_take(board->slab);
	return board->spare;
}

/* New data [lo, hi) went out, behind all that is there. */
void tcp_scoreboard_push(struct tcp_scoreboard *board, uint32_t lo, uint32_t hi,
			 const struct tcp_stamp *stamp);

/* The same when nothing is there. */
static inline void tcp_scoreboard_push_single(struct tcp_scoreboard *board, uint32_t lo,
					      uint32_t hi, const struct tcp_stamp *stamp)
{
	struct tcp_run *run = board->spare;

	board->spare = NULL;
	*run = (struct tcp_run){.lo = lo, .hi = hi, .stamp = *stamp, .state = TCP_RUN_FLYING};
	board->first = board->last = run;
	board->flying = (struct tcp_run_list){run, run};
	board->bytes[TCP_RUN_FLYING] = hi - lo;
	board->n = 1;
}

/* [lo, hi), which is there, went out again. */
void tcp_scoreboard_resend(struct tcp_scoreboard *board, uint32_t lo, uint32_t hi,
			   const struct tcp_stamp *stamp);

/* The peer has reported [lo, hi); or has acknowledged all before `una`. */
void tcp_scoreboard_sack(struct tcp_scoreboard *board, uint32_t lo, uint32_t hi,
			 struct tcp_news *news);
void tcp_scoreboard_ack(struct tcp_scoreboard *board, uint32_t una, struct tcp_news *news);

/* All that was sent went out at one time, once, and flies: the usual case of one who answers. */
static inline bool tcp_scoreboard_is_single(const struct tcp_scoreboard *board)
{
	const struct tcp_run *run = board->first;

	return run && run == board->last && run->state == TCP_RUN_FLYING && !run->resent;
}

/* tcp_scoreboard_ack of all of it, in that case. Returns the stamp it had. */
static inline struct tcp_stamp tcp_scoreboard_ack_single(struct tcp_scoreboard *board)
{
	struct tcp_stamp stamp = board->first->stamp;

	tcp_slab_free(board->slab, board->first);
	if (board->spare)
		tcp_slab_free(board->slab, board->spare);
	board->first = board->last = board->near = board->spare = NULL;
	board->flying.first = board->flying.last = NULL;
	board->bytes[TCP_RUN_FLYING] = 0;
	board->n = 0;
	return stamp;
}

/* A flying run is lost; the first `bytes` are, if they are not reported or lost already. */
void tcp_scoreboard_lose(struct tcp_scoreboard *board, struct tcp_run *run);
void tcp_scoreboard_lose_first(struct tcp_scoreboard *board, uint32_t bytes);

/* Everything is lost that the peer does not hold; with `reported`, that too (RFC 2018 §8). What
 * was sent later than `since_us` stays, except the first run, unless all is lost. */
void tcp_scoreboard_lose_all(struct tcp_scoreboard *board);
void tcp_scoreboard_lose_older(struct tcp_scoreboard *board, uint32_t since_us);
void tcp_scoreboard_forget_reports(struct tcp_scoreboard *board);

/* Nothing is lost after all. */
void tcp_scoreboard_find_lost(struct tcp_scoreboard *board);

/* The next bytes to send again, one stretch of at most `most`. False when nothing is lost. */
bool tcp_scoreboard_next_lost(const struct tcp_scoreboard *board, uint32_t most, uint32_t *lo,
			      uint32_t *hi);

static inline uint32_t tcp_scoreboard_flying(const struct tcp_scoreboard *board)
{
	return board->bytes[TCP_RUN_FLYING];
}

static inline uint32_t tcp_scoreboard_lost(const struct tcp_scoreboard *board)
{
	return board->bytes[TCP_RUN_LOST];
}

static inline uint32_t tcp_scoreboard_sacked(const struct tcp_scoreboard *board)
{
	return board->bytes[TCP_RUN_SACKED];
}

#endif
