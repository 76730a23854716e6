/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/ip/ip4.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"

static bool is_peer(const struct stack *stack, const struct addr *addr)
{
	if (addr->family == ADDR_NONE || ip_address_kind(stack, addr) != IP_ADDRESS_OTHER)
		return false;
	return addr->family == ADDR_IP6 ? ip6_is_host(addr) : ip4_is_host(addr_ip4(addr));
}

/* The last one of a slot need not be looked up again, as long as the routes stay as they are. */
static struct ip_hop *hop_slot(struct ip_layer *ip, const struct addr *dst)
{
	uint32_t words[4], mixed;

	memcpy(words, dst->bytes, sizeof(words));
	mixed = (words[0] ^ words[1] ^ words[2] ^ words[3]) * 0x9e3779b1u;
	return &ip->hops[mixed >> 16 & (IP_HOPS - 1)];
}

static bool hop_by_route(const struct ip_layer *ip, const struct addr *dst, struct ip_hop *out)
{
	const struct route *route = route_lookup(&ip->routes, dst);

	if (!route)
		return false;
	*out = (struct ip_hop){
		.dst = *dst,
		.addr = route->via.family != ADDR_NONE ? route->via : *dst,
		.port = route->port,
		.generation = ip->generation,
	};
	return true;
}

/* RFC 4007 §9: a link-local address is on the link of its zone, and on no route. */
static bool hop_find(const struct stack *stack, const struct addr *dst, struct ip_hop *out)
{
	struct ip_hop *known = hop_slot(stack->ip, dst);

	if (addr_is_link_local(dst)) {
		*out = (struct ip_hop){.addr = *dst, .port = (uint16_t)(dst->zone - 1)};
		return link_port(stack, out->port);
	}
	if (known->generation != stack->ip->generation || !addr_equal(&known->dst, dst)) {
		struct ip_hop found;

		if (!hop_by_route(stack->ip, dst, &found))
			return false;
		*known = found;
	}
	*out = *known;
	return true;
}

/* An address of ours is a good source on any port (the weak model of RFC 1122 §3.3.4.2), if its
 * scope lets it. IPv4's goes by the next hop, IPv6's by the peer (RFC 6724 §5). */
static const struct addr *source_check(const struct stack *stack, const struct ip_hop *hop,
				       const struct addr *dst, const struct addr *src)
{
	if (src->family == ADDR_NONE)
		return ip_source_for(stack, hop->port, dst->family == ADDR_IP4 ? &hop->addr : dst);
	if (src->family != dst->family || (src->zone && src->zone != hop->port + 1))
		return NULL;
	return ip_address_kind(stack, src) == IP_ADDRESS_LOCAL ? src : NULL;
}

int ip_path_find(struct stack *stack, const struct addr *dst, const struct addr *src,
		 struct ip_path *out)
{
	const struct link_port *port;
	const struct addr *source;
	struct ip_hop hop;

	if (!is_peer(stack, dst) || !hop_find(stack, dst, &hop))
		return -ENETUNREACH;
	source = source_check(stack, &hop, dst, src);
	if (!source)
		return -EADDRNOTAVAIL;
	port = link_port(stack, hop.port);
	*out = (struct ip_path){
		.src = *source,
		.dst = *dst,
		.generation = stack->ip->generation,
		.port = hop.port,
		.mtu = path_mtu_find(&stack->ip->narrow, dst, port->mtu, stack->now_us),
		.offloads = port->offloads,
	};
	return 0;
}

uint16_t ip_path_port_mtu(const struct stack *stack, const struct ip_path *path)
{
	return link_port(stack, path->port)->mtu;
}

void ip_path_learn_mtu(struct stack *stack, const struct ip_path *path, uint16_t mtu)
{
	if (mtu < ip_path_port_mtu(stack, path))
		path_mtu_set(&stack->ip->narrow, &path->dst, mtu, stack->now_us);
	else
		path_mtu_forget(&stack->ip->narrow, &path->dst);
}

void ip_path_release(struct stack *stack, struct ip_path *path)
{
	(void)stack;
	if (path->neighbour)
		neighbour_put(path->neighbour);
	path->neighbour = NULL;
	path->generation = 0;
}

void ip_path_confirm(struct stack *stack, struct ip_path *path)
{
	(void)stack;
	if (path->neighbour)
		neighbour_confirm(path->neighbour);
}

struct neighbour *ip_path_neighbour(struct stack *stack, struct ip_path *path,
				    enum stack_counter *reason)
{
	struct ip_hop hop;

	if (path->neighbour)
		return path->neighbour;
	if (!hop_find(stack, &path->dst, &hop) || hop.port != path->port) {
		*reason = COUNTER_ip_no_route;
		return NULL;
	}
	path->neighbour = neighbour_get(stack, hop.port, &hop.addr);
	*reason = COUNTER_neighbour_table_full;
	return path->neighbour;
}
