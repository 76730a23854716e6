/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_scoreboard.h"

#include <stddef.h>

#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_slab.h"

/* ---- lists ---- */

static struct tcp_run_list *list_of(struct tcp_scoreboard *board, const struct tcp_run *run)
{
	if (run->state == TCP_RUN_SACKED)
		return NULL;
	return run->state == TCP_RUN_FLYING ? &board->flying : &board->lost;
}

/* Behind `at`; NULL: first. */
static void list_insert(struct tcp_run_list *list, struct tcp_run *at, struct tcp_run *run)
{
	run->before = at;
	run->after = at ? at->after : list->first;
	*(at ? &at->after : &list->first) = run;
	*(run->after ? &run->after->before : &list->last) = run;
}

static void list_remove(struct tcp_run_list *list, struct tcp_run *run)
{
	*(run->before ? &run->before->after : &list->first) = run->after;
	*(run->after ? &run->after->before : &list->last) = run->before;
}

static uint32_t size_of(const struct tcp_run *run)
{
	return run->hi - run->lo;
}

static void set_state(struct tcp_scoreboard *board, struct tcp_run *run, enum tcp_run_state state,
		      struct tcp_run *behind)
{
	struct tcp_run_list *list = list_of(board, run);

	if (list)
		list_remove(list, run);
	board->bytes[run->state] -= size_of(run);
	run->state = (uint8_t)state;
	board->bytes[run->state] += size_of(run);
	list = list_of(board, run);
	if (list)
		list_insert(list, behind, run);
}

/* ---- runs ---- */

void tcp_scoreboard_init(struct tcp_scoreboard *board, struct tcp_slab *slab)
{
	*board = (struct tcp_scoreboard){.slab = slab};
}

static struct tcp_run *run_new(struct tcp_scoreboard *board)
{
	return board->n < TCP_RUNS_MAX ? tcp_slab_take(board->slab) : NULL;
}

/* A run is needed that cannot be refused: tcp_scoreboard_ready has provided for it. */
static struct tcp_run *run_take(struct tcp_scoreboard *board)
{
	struct tcp_run *run = board->spare;

	board->spare = NULL;
	return run;
}

/* Between `prev` and what follows it, on no list yet. */
static void chain_insert(struct tcp_scoreboard *board, struct tcp_run *prev, struct tcp_run *run)
{
	run->prev = prev;
	run->next = prev ? prev->next : board->first;
	*(prev ? &prev->next : &board->first) = run;
	*(run->next ? &run->next->prev : &board->last) = run;
	board->n++;
}

static void run_free(struct tcp_scoreboard *board, struct tcp_run *run)
{
	struct tcp_run_list *list = list_of(board, run);

	if (list)
		list_remove(list, run);
	*(run->prev ? &run->prev->next : &board->first) = run->next;
	*(run->next ? &run->next->prev : &board->last) = run->prev;
	if (board->near == run)
		board->near = run->next ? run->next : run->prev;
	board->n--;
	tcp_slab_free(board->slab, run);
}

void tcp_scoreboard_clear(struct tcp_scoreboard *board)
{
	while (board->first)
		run_free(board, board->first);
	if (board->spare)
		tcp_slab_free(board->slab, board->spare);
	if (board->slab)
		tcp_scoreboard_init(board, board->slab);
}

/* `run` keeps what is before `at`; `right` becomes the rest. */
static void split(struct tcp_scoreboard *board, struct tcp_run *run, uint32_t at,
		  struct tcp_run *right)
{
	struct tcp_run_list *list = list_of(board, run);

	right->lo = at;
	right->hi = run->hi;
	right->stamp = run->stamp;
	right->state = run->state;
	right->resent = run->resent;
	run->hi = at;
	chain_insert(board, run, right);
	if (list)
		list_insert(list, run, right);
}

static bool try_split(struct tcp_scoreboard *board, struct tcp_run *run, uint32_t at)
{
	struct tcp_run *right = run_new(board);

	if (right)
		split(board, run, at, right);
	return right;
}

/* `run` takes in the one behind it, which is in the same state. */
static void join_next(struct tcp_scoreboard *board, struct tcp_run *run)
{
	run->hi = run->next->hi;
	run_free(board, run->next);
}

/* The first run that ends after `seq`. */
static struct tcp_run *find(struct tcp_scoreboard *board, uint32_t seq)
{
	struct tcp_run *run = board->near ? board->near : board->first;

	while (run && run->prev && seq_gt(run->lo, seq))
		run = run->prev;
	while (run && seq_le(run->hi, seq))
		run = run->next;
	return run;
}

/* ---- sending ---- */

/* There is no memory to tell them apart: all of it counts as sent now. */
static void join_last(struct tcp_scoreboard *board, uint32_t hi, const struct tcp_stamp *stamp)
{
	struct tcp_run *last = board->last;

	board->bytes[last->state] += hi - last->hi;
	last->hi = hi;
	if (last->stamp.sent_us == stamp->sent_us)
		return;
	last->stamp = *stamp;
	set_state(board, last, TCP_RUN_FLYING,
		  board->flying.last == last ? last->before : board->flying.last);
}

void tcp_scoreboard_push(struct tcp_scoreboard *board, uint32_t lo, uint32_t hi,
			 const struct tcp_stamp *stamp)
{
	struct tcp_run *last = board->last, *run;
	bool open = last && last->state == TCP_RUN_FLYING && !last->resent;

	if (open && (last->stamp.sent_us == stamp->sent_us || board->n >= TCP_RUNS_MAX)) {
		join_last(board, hi, stamp);
		return;
	}
	run = run_take(board);
	run->lo = lo;
	run->hi = hi;
	run->stamp = *stamp;
	run->state = TCP_RUN_FLYING;
	run->resent = false;
	chain_insert(board, last, run);
	list_insert(&board->flying, board->flying.last, run);
	board->bytes[TCP_RUN_FLYING] += hi - lo;
}

static bool same_flight(const struct tcp_run *run, const struct tcp_run *next)
{
	return run && next && run->state == TCP_RUN_FLYING && next->state == TCP_RUN_FLYING &&
	       run->resent && next->resent && run->stamp.sent_us == next->stamp.sent_us;
}

void tcp_scoreboard_resend(struct tcp_scoreboard *board, uint32_t lo, uint32_t hi,
			   const struct tcp_stamp *stamp)
{
	struct tcp_run *run = board->lost.first, *next;

	if (!run || run->lo != lo)
		run = find(board, lo);
	for (; run && seq_lt(run->lo, hi); run = next) {
		if (seq_gt(run->hi, hi))
			split(board, run, hi, run_take(board));
		next = run->next;
		if (run->state == TCP_RUN_SACKED)
			continue;
		run->stamp = *stamp;
		run->resent = true;
		set_state(board, run, TCP_RUN_FLYING,
			  board->flying.last == run ? run->before : board->flying.last);
		if (same_flight(run->prev, run))
			join_next(board, run->prev);
	}
}

bool tcp_scoreboard_next_lost(const struct tcp_scoreboard *board, uint32_t most, uint32_t *lo,
			      uint32_t *hi)
{
	const struct tcp_run *run = board->lost.first;

	if (!run)
		return false;
	*lo = run->lo;
	while (run->next && run->next->state == TCP_RUN_LOST && run->hi - *lo < most)
		run = run->next;
	*hi = run->hi - *lo > most ? *lo + most : run->hi;
	return true;
}

/* ---- what the peer says ---- */

static bool sent_later(const struct tcp_stamp *a, uint32_t a_end, const struct tcp_stamp *b,
		       uint32_t b_end)
{
	if (a->sent_us != b->sent_us)
		return seq_gt(a->sent_us, b->sent_us);
	return seq_gt(a_end, b_end);
}

static void note_latest(const struct tcp_run *run, uint32_t hi, struct tcp_news *news)
{
	if (run->resent && seq_gt(run->stamp.sent_us, news->resent_until_us))
		return;
	if (news->latest_known && !sent_later(&run->stamp, hi, &news->latest, news->latest_end))
		return;
	news->latest_known = true;
	news->latest = run->stamp;
	news->latest_end = hi;
	news->latest_resent = run->resent;
}

static void note_once(const struct tcp_run *run, uint32_t hi, struct tcp_news *news)
{
	if (!news->earliest_known || seq_lt(run->stamp.sent_us, news->earliest_us))
		news->earliest_us = run->stamp.sent_us;
	news->earliest_known = true;
	news->original |= seq_le(hi, news->recover);
	news->reordered |= seq_lt(hi, news->fack);
}

/* What of `run` is before `hi` was not known to be delivered. */
static void note_delivered(const struct tcp_run *run, uint32_t hi, struct tcp_news *news)
{
	news->delivered_bytes += hi - run->lo;
	news->end = news->delivered ? seq_max(news->end, hi) : hi;
	news->delivered = true;
	note_latest(run, hi, news);
	if (!run->resent)
		note_once(run, hi, news);
}

/* Joined with its neighbours; returns the run it has become part of. */
static struct tcp_run *set_sacked(struct tcp_scoreboard *board, struct tcp_run *run)
{
	set_state(board, run, TCP_RUN_SACKED, NULL);
	if (run->next && run->next->state == TCP_RUN_SACKED)
		join_next(board, run);
	if (run->prev && run->prev->state == TCP_RUN_SACKED) {
		run = run->prev;
		join_next(board, run);
	}
	return run;
}

/* Cut to what is reported. False when there is no memory for that. */
static struct tcp_run *cut(struct tcp_scoreboard *board, struct tcp_run *run, uint32_t lo,
			   uint32_t hi)
{
	if (seq_lt(run->lo, lo)) {
		if (!try_split(board, run, lo))
			return NULL;
		run = run->next;
	}
	if (seq_gt(run->hi, hi) && !try_split(board, run, hi))
		return NULL;
	return run;
}

void tcp_scoreboard_sack(struct tcp_scoreboard *board, uint32_t lo, uint32_t hi,
			 struct tcp_news *news)
{
	struct tcp_run *run = find(board, lo);

	for (; run && seq_lt(run->lo, hi); run = run->next) {
		struct tcp_run *part;

		board->near = run;
		if (run->state == TCP_RUN_SACKED)
			continue;
		part = cut(board, run, lo, hi);
		if (!part)
			continue;
		note_delivered(part, part->hi, news);
		run = set_sacked(board, part);
		board->near = run;
	}
}

void tcp_scoreboard_ack(struct tcp_scoreboard *board, uint32_t una, struct tcp_news *news)
{
	struct tcp_run *run;

	while ((run = board->first) && seq_lt(run->lo, una)) {
		uint32_t hi = seq_min(run->hi, una);

		if (run->state != TCP_RUN_SACKED)
			note_delivered(run, hi, news);
		board->bytes[run->state] -= hi - run->lo;
		run->lo = hi;
		if (hi == run->hi)
			run_free(board, run);
	}
	if (!board->first && board->spare)
		tcp_slab_free(board->slab, run_take(board));
}

/* ---- losses ---- */

void tcp_scoreboard_lose(struct tcp_scoreboard *board, struct tcp_run *run)
{
	set_state(board, run, TCP_RUN_LOST, board->lost.last);
}

void tcp_scoreboard_lose_first(struct tcp_scoreboard *board, uint32_t bytes)
{
	struct tcp_run *run = board->first;

	if (!run || run->state != TCP_RUN_FLYING)
		return;
	if (size_of(run) > bytes)
		try_split(board, run, run->lo + bytes);
	set_state(board, run, TCP_RUN_LOST, NULL);
}

/* In the order of their numbers, those that were lost before among them. */
static void lose_where(struct tcp_scoreboard *board, bool all, uint32_t since_us)
{
	for (struct tcp_run *run = board->first; run; run = run->next) {
		bool keeps = run->state == TCP_RUN_FLYING && !all && run != board->first &&
			     seq_gt(run->stamp.sent_us, since_us);

		if (run->state == TCP_RUN_SACKED || keeps)
			continue;
		set_state(board, run, TCP_RUN_LOST,
			  board->lost.last == run ? run->before : board->lost.last);
	}
}

void tcp_scoreboard_lose_all(struct tcp_scoreboard *board)
{
	lose_where(board, true, 0);
}

void tcp_scoreboard_lose_older(struct tcp_scoreboard *board, uint32_t since_us)
{
	lose_where(board, false, since_us);
}

void tcp_scoreboard_forget_reports(struct tcp_scoreboard *board)
{
	for (struct tcp_run *run = board->first; run; run = run->next) {
		if (run->state != TCP_RUN_SACKED)
			continue;
		run->resent = true; /* its time is not known any more */
		set_state(board, run, TCP_RUN_LOST, board->lost.last);
	}
}

/* Back where its time belongs. */
static void refloat(struct tcp_scoreboard *board, struct tcp_run *run)
{
	struct tcp_run *at = board->flying.last;

	while (at && sent_later(&at->stamp, at->hi, &run->stamp, run->hi))
		at = at->before;
	set_state(board, run, TCP_RUN_FLYING, at);
}

void tcp_scoreboard_find_lost(struct tcp_scoreboard *board)
{
	while (board->lost.first)
		refloat(board, board->lost.first);
}
