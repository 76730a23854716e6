/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The chain of IPv6 extension headers: RFC 8200 §4. Pure functions over bytes. Private to ip/.
 */
#ifndef L4STACK_IP_IP6_EXT_H
#define L4STACK_IP_IP6_EXT_H

#include <stdbool.h>
#include <stdint.h>

enum ip6_walk_end {
	IP6_WALK_UPPER,     /* at a header that is none of IPv6's own: `protocol` */
	IP6_WALK_FRAGMENT,  /* at a fragment header that is not atomic (RFC 6946) */
	IP6_WALK_TRUNCATED, /* the bytes end inside a header */
	IP6_WALK_MALFORMED, /* too many, or hop-by-hop options not in the first place */
	IP6_WALK_ROUTED,    /* a routing header that is not at its end: RFC 5095, RFC 8200 §4.4 */
	IP6_WALK_OPTION,    /* an option that is not known and says to drop the packet */
};

struct ip6_walk {
	enum ip6_walk_end end;
	uint8_t protocol;
	uint32_t at;       /* where the header is that the walk ended at */
	uint32_t named_at; /* where the field is that named it */
	uint32_t bad_at;   /* where the field to blame is */
	uint8_t action;    /* OPTION: the two highest bits of its type, RFC 8200 §4.2 */
};

#define IP6_FRAGMENT_HEADER 8

struct ip6_fragment {
	uint8_t protocol; /* of the fragmentable part */
	uint16_t offset;  /* in bytes */
	bool more;
	uint32_t id; /* network order */
};

/*
 * Walks over the first `len` bytes of an IPv6 packet from offset `from`, where a header of the
 * kind `protocol` is; `named_at` is where that was said. All offsets are from the IPv6 header.
 */
void ip6_walk(const uint8_t *bytes, uint32_t len, uint32_t from, uint8_t protocol,
	      uint32_t named_at, struct ip6_walk *out);

/* The fragment header at `bytes`: eight of them. */
void ip6_fragment_read(const uint8_t *bytes, struct ip6_fragment *out);
void ip6_fragment_write(uint8_t *bytes, const struct ip6_fragment *fragment);

#endif
