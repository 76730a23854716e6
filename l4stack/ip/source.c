/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of our addresses a peer is talked to from: RFC 6724 §5, as far as a host whose addresses
 * are all configured and permanent can tell one from another (rules 2, 5, 6 and 8). */
#include <string.h>

#include "l4stack/ip/ip_layer.h"

#define SCOPE_LINK   0x2
#define SCOPE_GLOBAL 0xe

/* RFC 4291 §2.7 for groups; RFC 6724 §3.1. */
static unsigned scope_of(const struct addr *a)
{
	if (addr_is_group(a))
		return a->bytes[1] & 0xf;
	return addr_is_link_local(a) ? SCOPE_LINK : SCOPE_GLOBAL;
}

/* RFC 6724 §2.1: the rows of the policy table that a source can have. */
static unsigned label_of(const struct addr *a)
{
	static const struct {
		struct addr net;
		unsigned prefix, label;
	} rows[] = {
		{{.bytes = {0x20, 0x02}, .family = ADDR_IP6}, 16, 2},
		{{.bytes = {0x20, 0x01}, .family = ADDR_IP6}, 32, 5},
		{{.bytes = {0xfc}, .family = ADDR_IP6}, 7, 13},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (addr_in_prefix(a, &rows[i].net, rows[i].prefix))
			return rows[i].label;
	return 1;
}

/* RFC 6724 §2.2: not further than the prefix of the source. */
static unsigned common_bits(const struct ip_address *source, const struct addr *peer)
{
	unsigned n = 0;

	while (n < source->prefix && addr_in_prefix(peer, &source->addr, n + 1))
		n++;
	return n;
}

/* Rule 2: the smaller scope, if it is large enough for the peer. */
static int scope_order(const struct addr *a, const struct addr *b, const struct addr *peer)
{
	unsigned a_scope = scope_of(a), b_scope = scope_of(b), need = scope_of(peer);

	if (a_scope == b_scope)
		return 0;
	if (a_scope < b_scope)
		return a_scope < need ? -1 : 1;
	return b_scope < need ? 1 : -1;
}

/* Whether `a` is a better source than `b`. */
static bool is_better(const struct ip_address *a, const struct ip_address *b,
		      const struct addr *peer)
{
	unsigned label = label_of(peer);
	bool a_label = label_of(&a->addr) == label, b_label = label_of(&b->addr) == label;
	int scope = scope_order(&a->addr, &b->addr, peer);

	if (scope)
		return scope > 0;
	if (a_label != b_label)
		return a_label;
	return common_bits(a, peer) > common_bits(b, peer);
}

/* IPv4 has no rules but that the network's own address is the natural one: RFC 1122 §3.3.4.3. */
static bool is_better_ip4(const struct ip_address *a, const struct ip_address *b,
			  const struct addr *peer)
{
	return addr_in_prefix(peer, &a->addr, a->prefix) &&
	       !addr_in_prefix(peer, &b->addr, b->prefix);
}

static bool is_candidate(const struct ip_address *a, uint16_t port, const struct addr *peer)
{
	return a->kind == IP_ADDRESS_LOCAL && a->port == port && a->addr.family == peer->family;
}

const struct addr *ip_source_for(const struct stack *stack, uint16_t port, const struct addr *peer)
{
	bool ip6 = peer->family == ADDR_IP6;
	const struct ip_address *best = NULL;

	for (unsigned i = 0; i < stack->ip->address_count; i++) {
		const struct ip_address *a = &stack->ip->addresses[i];

		if (!is_candidate(a, port, peer))
			continue;
		if (!best || (ip6 ? is_better(a, best, peer) : is_better_ip4(a, best, peer)))
			best = a;
	}
	return best ? &best->addr : NULL;
}
