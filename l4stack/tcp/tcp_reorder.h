/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was received out of order: runs of payload, sorted by sequence number, with gaps
 * between them.
 *
 * Bytes that were accepted stay: a segment that overlaps is trimmed to what is new. What was
 * told by SACK is given up in one case only: when the memory for all connections runs low (RFC 2018
 * §8 allows it). What the runs hold is charged like all that was received, and bounds their number.
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_REORDER_H
#define L4STACK_TCP_TCP_REORDER_H

#include "l4stack/tcp/tcp_conn.h"

struct tcp_options;

/*
 * Keeps what is new of [seq, seq + len), which starts after rcv_nxt, up to the next run; what
 * comes behind that is left in *chain. Returns the number one past the last byte that was kept or
 * already there without a break from `seq`: seq itself when nothing was.
 */
uint32_t tcp_reorder_insert(struct tcp_conn *conn, uint32_t seq, uint32_t len,
			    struct rte_mbuf **chain);

/* Where the first run starts: payload up to there is not known yet. */
uint32_t tcp_reorder_first(const struct tcp_conn *conn, uint32_t otherwise);

/* Moves what has become contiguous with rcv_nxt to the receive queue. True when a gap remains. */
bool tcp_reorder_pull(struct tcp_conn *conn);

/* [lo, hi) has come a second time: the next ACK says so (RFC 2883). */
void tcp_reorder_twice(struct tcp_conn *conn, uint32_t lo, uint32_t hi);

/* There is something for the SACK option to tell; what came twice was told, which is done once. */
static inline bool tcp_reorder_has_news(const struct tcp_conn *conn)
{
	return conn->reorder || conn->duplicate.lo != conn->duplicate.hi;
}
void tcp_reorder_told(struct tcp_conn *conn);

/* What came twice, and the runs as SACK blocks, the latest first (RFC 2018 §4, RFC 2883 §4). */
void tcp_reorder_blocks(const struct tcp_conn *conn, struct tcp_options *options);

void tcp_reorder_free(struct tcp_conn *conn);

/* Memory is short: what waits out of order goes, of the connections where it has waited longest
 * first, but not of `keep` (may be NULL), until enough is free. */
void tcp_reorder_prune(struct tcp_proto *tcp, const struct tcp_conn *keep);

#endif
