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
	uint32_t generation; /* of addresses and routes: tcp_express.h */
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

#define TCP_RECENT_ODD 0x9e3779b97f4a7c15ull /* 2^64 over the golden ratio */

/* Of a tuple: what a slot is chosen by, by its highest bits. `addresses`: the remote one and the
 * local one above it, as they stand in a packet, of IPv6 a mixture of them; `ports`: likewise. */
static inline uint64_t tcp_recent_mix(uint64_t addresses, uint32_t ports)
{
	return (addresses ^ ports * TCP_RECENT_ODD) * TCP_RECENT_ODD;
}

/* Sixteen bytes each. */
static inline uint64_t tcp_recent_mix_ip6(const uint8_t *local, const uint8_t *remote)
{
	uint64_t l[2], r[2];

	__builtin_memcpy(l, local, sizeof(l));
	__builtin_memcpy(r, remote, sizeof(r));
	return r[0] ^ l[0] << 32 ^ (r[1] ^ l[1] * TCP_RECENT_ODD) * TCP_RECENT_ODD;
}

static inline uint64_t tcp_recent_tag(const struct addr *local, uint16_t local_port,
				      const struct addr *remote, uint16_t remote_port)
{
	uint32_t ports = (uint32_t)remote_port << 16 | local_port;
	uint64_t both = tcp_recent_word(remote, 0) | tcp_recent_word(local, 0) << 32;

	if (local->family == ADDR_IP6)
		both = tcp_recent_mix_ip6(local->bytes, remote->bytes);
	return tcp_recent_mix(both, ports);
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

static inline void tcp_recent_forget_all(struct tcp_recent *recent, uint32_t generation)
{
	__builtin_memset(recent, 0, sizeof(*recent));
	recent->generation = generation;
}

static inline void tcp_recent_forget(struct tcp_recent *recent, uint64_t tag,
				     const struct tcp_conn *conn)
{
	if (tcp_recent_find(recent, tag) == conn)
		tcp_recent_note(recent, tag, NULL);
}

#endif
