/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connections that were heard of last, before the table: found by a tag that costs a
 * few instructions, where the table's keyed hash and its search cost a hundred.
 *
 * A hint, and no more. A stranger can choose tuples with equal tags; all he gets is that
 * one connection puts the other out, and it is looked up in the table as if this were not
 * here. Whoever takes a hint compares the tuple. A connection leaves with its place in the table.
 * Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_RECENT_H
#define L4STACK_TCP_TCP_RECENT_H

#include <stdint.h>

#include "l4stack/base/addr.h"

#define TCP_RECENT_BITS 12

struct tcp_conn;

struct tcp_recent {
	struct {
		uint64_t tag;
		struct tcp_conn *conn;
	} slots[1u << TCP_RECENT_BITS];
};

static inline uint64_t tcp_recent_word(const struct addr *addr, unsigned at)
{
	uint64_t word;

	__builtin_memcpy(&word, addr->bytes + at, sizeof(word));
	return word;
}

/* Of a tuple: what a slot is chosen by, by its highest bits. IPv4's eight bytes are the first. */
static inline uint64_t tcp_recent_tag(const struct addr *local, uint16_t local_port,
				      const struct addr *remote, uint16_t remote_port)
{
	const uint64_t odd = 0x9e3779b97f4a7c15ull; /* 2^64 over the golden ratio */
	uint64_t tag = tcp_recent_word(remote, 0) ^ tcp_recent_word(local, 0) << 32;

	if (local->family == ADDR_IP6)
		tag ^= (tcp_recent_word(remote, 8) ^ tcp_recent_word(local, 8) * odd) * odd;
	return (tag ^ ((uint64_t)local_port << 16 | remote_port) * odd) * odd;
}

static inline struct tcp_conn *tcp_recent_find(const struct tcp_recent *recent, uint64_t tag)
{
	uint64_t at = tag >> (64 - TCP_RECENT_BITS);

	return recent->slots[at].tag == tag ? recent->slots[at].conn : NULL;
}

static inline void tcp_recent_note(struct tcp_recent *recent, uint64_t tag, struct tcp_conn *conn)
{
	uint64_t at = tag >> (64 - TCP_RECENT_BITS);

	recent->slots[at].tag = tag;
	recent->slots[at].conn = conn;
}

static inline void tcp_recent_forget(struct tcp_recent *recent, uint64_t tag,
				     const struct tcp_conn *conn)
{
	if (tcp_recent_find(recent, tag) == conn)
		tcp_recent_note(recent, tag, NULL);
}

#endif
