/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a tuple to its connection, half-open record or TIME-WAIT entry. The lowest bits of a
 * reference tell them apart. Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_LOOKUP_H
#define L4STACK_TCP_TCP_LOOKUP_H

#include "l4stack/base/siphash.h"
#include "l4stack/tcp/tcp_conn.h"

#define TCP_REF_TIMEWAIT ((uintptr_t)1)
#define TCP_REF_HALF     ((uintptr_t)2)

static inline bool tcp_ref_is_conn(uintptr_t ref)
{
	return ref && !(ref & (TCP_REF_TIMEWAIT | TCP_REF_HALF));
}

static inline bool tcp_ref_is_half(uintptr_t ref)
{
	return ref & TCP_REF_HALF;
}

static inline struct tcp_half *tcp_ref_half(uintptr_t ref)
{
	return (struct tcp_half *)(ref & ~TCP_REF_HALF);
}

static inline bool tcp_ref_is_timewait(uintptr_t ref)
{
	return ref & TCP_REF_TIMEWAIT;
}

static inline struct tcp_timewait *tcp_ref_timewait(uintptr_t ref)
{
	return (struct tcp_timewait *)(ref & ~TCP_REF_TIMEWAIT);
}

static inline struct tcp_conn *tcp_ref_conn(uintptr_t ref)
{
	return (struct tcp_conn *)ref;
}

static inline bool tcp_conn_match(const struct tcp_conn *conn, const struct endpoint *local,
				  const struct endpoint *remote)
{
	return conn->local_port == local->port && conn->remote_port == remote->port &&
	       addr_equal(&conn->path.dst, &remote->addr) &&
	       addr_equal(&conn->path.src, &local->addr);
}

static inline uint64_t tcp_lookup_hash(const struct tcp_proto *tcp, const struct endpoint *local,
				       const struct endpoint *remote)
{
	return siphash_tuple(tcp->stack->conf.secret, local, remote);
}

/* Fetches what a lookup of this hash will find. */
static inline void tcp_lookup_prefetch(const struct tcp_proto *tcp, uint64_t hash)
{
	uintptr_t ref = tcp_table_guess(&tcp->table, hash);

	if (tcp_ref_is_conn(ref))
		tcp_conn_prefetch(tcp_ref_conn(ref));
	else if (tcp_ref_is_timewait(ref)) /* one that a SYN may take the place of */
		__builtin_prefetch(tcp_ref_timewait(ref));
}

/* 0 when there is none. */
uintptr_t tcp_lookup(const struct tcp_proto *tcp, uint64_t hash, const struct endpoint *local,
		     const struct endpoint *remote);

#endif
