/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_reorder.h"

#include <stdlib.h>
#include <string.h>

#include "l4stack/tcp/tcp_budget.h"
#include "l4stack/tcp/tcp_chain.h"
#include "l4stack/tcp/tcp_options.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_seq.h"

#define RUNS_FIRST 6

struct run {
	uint32_t lo, hi;
	struct rte_mbuf *head, *tail;
};

struct tcp_reorder {
	struct tcp_reorder *prev, *next; /* of the stack's */
	struct tcp_conn *conn;
	uint32_t n, room;
	uint32_t recent[TCP_SACK_BLOCKS_MAX]; /* a byte of the runs that grew last */
	struct run runs[];
};

/* ---- the stack's list ---- */

/* The neighbours in the list point to `q`: it is new, or was moved. */
static void list_set(struct tcp_proto *tcp, struct tcp_reorder *q)
{
	*(q->prev ? &q->prev->next : &tcp->reorder_first) = q;
	*(q->next ? &q->next->prev : &tcp->reorder_last) = q;
}

static void list_remove(struct tcp_proto *tcp, struct tcp_reorder *q)
{
	*(q->prev ? &q->prev->next : &tcp->reorder_first) = q->next;
	*(q->next ? &q->next->prev : &tcp->reorder_last) = q->prev;
}

/* Room for one more run. There are as many as what they hold may cost: each has an mbuf at least,
 * beside whose charge this is little. */
static bool grow(struct tcp_conn *conn)
{
	struct tcp_reorder *q = conn->reorder;
	uint32_t room = q ? q->room * 2 : RUNS_FIRST;

	if (q && q->n < q->room)
		return true;
	q = realloc(q, sizeof(*q) + room * sizeof(q->runs[0]));
	if (!q)
		return false;
	if (!conn->reorder)
		*q = (struct tcp_reorder){.conn = conn, .prev = conn->tcp->reorder_last};
	list_set(conn->tcp, q);
	q->room = room;
	conn->reorder = q;
	return true;
}

/* The first run that ends at `seq` or after it. A peer that leaves thousands of holes makes no
 * segment dear. */
static uint32_t find_reaching(const struct tcp_reorder *q, uint32_t seq)
{
	uint32_t lo = 0, hi = q ? q->n : 0;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (seq_ge(q->runs[mid].hi, seq))
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static void note_recent(struct tcp_reorder *q, uint32_t seq)
{
	memmove(q->recent + 1, q->recent, sizeof(q->recent) - sizeof(q->recent[0]));
	q->recent[0] = seq;
}

static void run_remove(struct tcp_reorder *q, uint32_t i)
{
	q->n--;
	memmove(&q->runs[i], &q->runs[i + 1], (q->n - i) * sizeof(q->runs[0]));
}

/* A piece of payload that is new, trimmed to a gap. */
struct piece {
	uint32_t lo, hi;
	struct rte_mbuf *head, *tail;
};

static bool run_append(struct tcp_conn *conn, struct run *run, struct piece *piece,
		       const struct tcp_chain_size *size)
{
	switch (tcp_recvq_admit(conn, run->tail, piece->head, size, false)) {
	case TCP_RECVQ_ADMITTED:
		run->tail->next = piece->head;
		run->tail = piece->tail;
		break;
	case TCP_RECVQ_MERGED:
		rte_pktmbuf_free(piece->head);
		break;
	default:
		return false;
	}
	run->hi = piece->hi;
	return true;
}

/* Appends to run `i`, and joins it with the next one when the gap is closed. */
static bool extend(struct tcp_conn *conn, uint32_t i, struct piece *piece,
		   const struct tcp_chain_size *size)
{
	struct tcp_reorder *q = conn->reorder;
	struct run *run = &q->runs[i], *next = run + 1;

	if (!run_append(conn, run, piece, size))
		return false;
	if (i + 1 < q->n && run->hi == next->lo) {
		run->tail->next = next->head;
		run->tail = next->tail;
		run->hi = next->hi;
		run_remove(q, i + 1);
	}
	return true;
}

static bool prepend(struct tcp_conn *conn, struct run *run, struct piece *piece,
		    const struct tcp_chain_size *size)
{
	if (!tcp_recvq_admit(conn, NULL, piece->head, size, false))
		return false;
	piece->tail->next = run->head;
	run->head = piece->head;
	run->lo = piece->lo;
	return true;
}

static bool insert_run(struct tcp_conn *conn, uint32_t i, const struct piece *piece,
		       const struct tcp_chain_size *size)
{
	struct tcp_reorder *q;

	if (!grow(conn) || !tcp_recvq_admit(conn, NULL, piece->head, size, false))
		return false;
	q = conn->reorder;
	memmove(&q->runs[i + 1], &q->runs[i], (q->n - i) * sizeof(q->runs[0]));
	q->runs[i] = (struct run){piece->lo, piece->hi, piece->head, piece->tail};
	q->n++;
	return true;
}

static void drop_if_empty(struct tcp_conn *conn)
{
	if (conn->reorder && conn->reorder->n == 0)
		tcp_reorder_free(conn);
}

static bool place(struct tcp_conn *conn, uint32_t i, bool behind, struct piece *piece)
{
	const struct tcp_reorder *q = conn->reorder;
	struct tcp_chain_size size;
	bool placed;

	piece->head = tcp_recvq_measure(conn, piece->head, &piece->tail, &size);
	if (behind)
		placed = extend(conn, i, piece, &size);
	else if (q && i < q->n && conn->reorder->runs[i].lo == piece->hi)
		placed = prepend(conn, &conn->reorder->runs[i], piece, &size);
	else
		placed = insert_run(conn, i, piece, &size);
	if (placed) {
		note_recent(conn->reorder, piece->lo);
		stack_count(conn->tcp->stack, tcp_ooo_segments);
	} else {
		rte_pktmbuf_free(piece->head);
		drop_if_empty(conn);
		stack_count(conn->tcp->stack, tcp_ooo_drops);
	}
	return placed;
}

/* The piece takes its bytes, and leaves what is behind them. */
static void piece_cut(struct tcp_conn *conn, struct piece *piece, uint32_t seq,
		      struct rte_mbuf **chain)
{
	struct rte_mempool *pool = conn->tcp->stack->pools.ref;

	piece->head = tcp_chain_skip(*chain, piece->lo - seq);
	*chain = tcp_chain_split(piece->head, piece->hi - piece->lo, pool);
}

uint32_t tcp_reorder_insert(struct tcp_conn *conn, uint32_t seq, uint32_t len,
			    struct rte_mbuf **chain)
{
	const struct tcp_reorder *q = conn->reorder;
	struct piece piece = {.lo = seq, .hi = seq + len};
	uint32_t i = find_reaching(q, seq), next;
	bool behind = q && i < q->n && seq_le(q->runs[i].lo, seq);

	if (behind) {
		piece.lo = q->runs[i].hi;
		tcp_reorder_twice(conn, seq, seq_min(piece.lo, piece.hi));
	}
	if (seq_ge(piece.lo, piece.hi)) {
		rte_pktmbuf_free(*chain);
		*chain = NULL;
		note_recent(conn->reorder, seq);
		stack_count(conn->tcp->stack, tcp_duplicate_segments);
		return piece.hi;
	}
	next = i + behind;
	if (q && next < q->n && seq_lt(q->runs[next].lo, piece.hi))
		piece.hi = q->runs[next].lo;
	piece_cut(conn, &piece, seq, chain);
	return place(conn, i, behind, &piece) ? piece.hi : piece.lo;
}

uint32_t tcp_reorder_first(const struct tcp_conn *conn, uint32_t otherwise)
{
	return conn->reorder ? conn->reorder->runs[0].lo : otherwise;
}

bool tcp_reorder_pull(struct tcp_conn *conn)
{
	struct tcp_reorder *q = conn->reorder;
	struct run *run;

	if (!q || q->runs[0].lo != conn->rcv_nxt)
		return q;
	run = &q->runs[0];
	tcp_recvq_link(conn, run->head, run->tail, run->hi - run->lo);
	run_remove(q, 0);
	drop_if_empty(conn);
	return conn->reorder;
}

static const struct run *run_of(const struct tcp_reorder *q, uint32_t seq)
{
	uint32_t i = find_reaching(q, seq + 1);

	return i < q->n && seq_le(q->runs[i].lo, seq) ? &q->runs[i] : NULL;
}

/* Each run once, after the `first` blocks; those say what came twice, and it is said of the run
 * as well that it is there (RFC 2883 §4). */
static void add_block(struct tcp_options *options, unsigned first, const struct run *run)
{
	for (unsigned i = first; i < options->sack_blocks; i++)
		if (options->sack[i].lo == run->lo && options->sack[i].hi == run->hi)
			return;
	options->sack[options->sack_blocks++] = (struct tcp_sack_block){run->lo, run->hi};
}

/* RFC 2883 §4: a contiguous stretch is one report, however many segments it came in. */
void tcp_reorder_twice(struct tcp_conn *conn, uint32_t lo, uint32_t hi)
{
	struct tcp_sack_block *known = &conn->duplicate;

	if (!tcp_has(conn, TCP_USE_SACK))
		return;
	if (known->lo != known->hi && seq_le(lo, known->hi) && seq_ge(hi, known->lo)) {
		lo = seq_min(lo, known->lo);
		hi = seq_max(hi, known->hi);
	}
	*known = (struct tcp_sack_block){lo, hi};
}

void tcp_reorder_told(struct tcp_conn *conn)
{
	conn->duplicate.lo = conn->duplicate.hi;
}

void tcp_reorder_blocks(const struct tcp_conn *conn, struct tcp_options *options)
{
	const struct tcp_reorder *q = conn->reorder;
	unsigned twice = conn->duplicate.lo != conn->duplicate.hi;

	options->sack[0] = conn->duplicate;
	options->sack_blocks = (uint8_t)twice;
	for (unsigned i = 0; q && i < TCP_SACK_BLOCKS_MAX; i++) {
		const struct run *run = run_of(q, q->recent[i]);

		if (run && options->sack_blocks < TCP_SACK_BLOCKS_MAX)
			add_block(options, twice, run);
	}
}

void tcp_reorder_free(struct tcp_conn *conn)
{
	struct tcp_reorder *q = conn->reorder;

	if (!q)
		return;
	for (uint32_t i = 0; i < q->n; i++)
		tcp_recvq_free_chain(conn, q->runs[i].head);
	list_remove(conn->tcp, q);
	free(q);
	conn->reorder = NULL;
}

void tcp_reorder_prune(struct tcp_proto *tcp, const struct tcp_conn *keep)
{
	struct tcp_reorder *q = tcp->reorder_first, *next;

	for (; q && tcp_budget_recv_above(tcp, 6); q = next) {
		next = q->next;
		if (q->conn == keep)
			continue;
		stack_count(tcp->stack, tcp_ooo_pruned);
		tcp_reorder_free(q->conn);
	}
}
