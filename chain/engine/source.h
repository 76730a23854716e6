/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where heads and bodies are read from: a connection, or what was left in one that its peer
 * has reset. A server that answers early and closes does just that, and its answer is no
 * worse for it.
 *
 * Threads: the worker's. A source is made on the spot and not kept.
 */
#ifndef CHAIN_ENGINE_SOURCE_H
#define CHAIN_ENGINE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "chain/engine/payload.h"
#include "l4stack/tcp/tcp.h"

struct source {
	struct tcp_conn *conn;   /* NULL: gone */
	struct payload *rest;    /* what was left in it then; may be NULL */
	struct rte_mempool *ref; /* mbufs without room, to share one between two owners */
	bool ended;              /* it is gone, and had ended in order */
};

/* Bytes that can be taken now. */
static inline uint32_t source_ready(const struct source *source)
{
	if (source->conn)
		return tcp_recv_ready(source->conn);
	return source->rest ? source->rest->bytes : 0;
}

/* They are looked at where they lie, up to the next source_take. */
static inline const struct rte_mbuf *source_peek(const struct source *source)
{
	if (source->conn)
		return tcp_recv_peek(source->conn);
	return source->rest ? source->rest->first : NULL;
}

/* The peer has ended it, in order, and all was taken. */
static inline bool source_ended(const struct source *source)
{
	if (source->conn)
		return tcp_recv_ended(source->conn);
	return source->ended && !source_ready(source);
}

/* Nothing more comes, and there was no end. */
static inline bool source_broken(const struct source *source)
{
	return !source->conn && !source->ended && !source_ready(source);
}

/* Bytes still wait, but none will follow them. */
static inline bool source_no_more(const struct source *source)
{
	return !source->conn || tcp_recv_last(source->conn);
}

/* At most `bytes`; less, or nothing, when mbufs are short. */
struct payload source_take(const struct source *source, uint32_t bytes);

#endif
