/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_mbuf.h>

#include "l4stack/ip/ip4.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"

/* Where packets to an address go first. */
struct hop {
	uint16_t port;
	struct addr addr; /* on the port's link */
};

static bool is_peer(const struct stack *stack, const struct addr *addr)
{
	if (addr->family == ADDR_NONE || ip_address_kind(stack, addr) != IP_ADDRESS_OTHER)
		return false;
	return addr->family == ADDR_IP6 ? ip6_is_host(addr) : ip4_is_host(addr_ip4(addr));
}

/* RFC 4007 §9: a link-local address is on the link of its zone, and on no route. */
static bool hop_find(const struct stack *stack, const struct addr *dst, struct hop *out)
{
	const struct route *route;

	out->addr = *dst;
	out->port = (uint16_t)(dst->zone - 1);
	if (addr_is_link_local(dst))
		return link_port(stack, out->port);
	route = route_lookup(&stack->ip->routes, dst);
	if (!route)
		return false;
	out->port = route->port;
	if (route->via.family != ADDR_NONE)
		out->addr = route->via;
	return true;
}

/* An address of ours is a good source on any port (the weak model of RFC 1122 §3.3.4.2), if its
 * scope lets it. IPv4's goes by the next hop, IPv6's by the peer (RFC 6724 §5). */
static const struct addr *source_check(const struct stack *stack, const struct hop *hop,
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
	struct hop hop;

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
	struct hop hop;

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
