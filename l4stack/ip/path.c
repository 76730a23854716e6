/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_mbuf.h>

#include "l4stack/ip/ip4.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"

static bool is_peer(const struct stack *stack, const struct addr *addr)
{
	if (addr->family != ADDR_IP4 || !ip4_is_host(addr_ip4(addr)))
		return false;
	return ip_address_kind(stack, addr) == IP_ADDRESS_OTHER;
}

static const struct addr *next_hop(const struct route *route, const struct addr *dst)
{
	return route->via.family == ADDR_NONE ? dst : &route->via;
}

/* An address of ours is a good source on any port (the weak model of RFC 1122 §3.3.4.2). */
static const struct addr *source_check(const struct stack *stack, const struct route *route,
				       const struct addr *dst, const struct addr *src)
{
	if (src->family == ADDR_NONE)
		return ip_source_for(stack, route->port, next_hop(route, dst));
	return ip_address_kind(stack, src) == IP_ADDRESS_LOCAL ? src : NULL;
}

int ip_path_find(struct stack *stack, const struct addr *dst, const struct addr *src,
		 struct ip_path *out)
{
	const struct link_port *port;
	const struct route *route;
	const struct addr *source;

	if (!is_peer(stack, dst))
		return -ENETUNREACH;
	route = route_lookup(&stack->ip->routes, dst);
	if (!route)
		return -ENETUNREACH;
	source = source_check(stack, route, dst, src);
	if (!source)
		return -EADDRNOTAVAIL;
	port = link_port(stack, route->port);
	*out = (struct ip_path){
		.src = *source,
		.dst = *dst,
		.generation = stack->ip->generation,
		.port = route->port,
		.mtu = port->mtu,
		.offloads = port->offloads,
	};
	return 0;
}

bool ip_path_valid(const struct stack *stack, const struct ip_path *path)
{
	return path->generation == stack->ip->generation;
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
	const struct route *route;

	if (path->neighbour)
		return path->neighbour;
	route = route_lookup(&stack->ip->routes, &path->dst);
	if (!route || route->port != path->port) {
		*reason = COUNTER_ip_no_route;
		return NULL;
	}
	path->neighbour = neighbour_get(stack, route->port, next_hop(route, &path->dst));
	*reason = COUNTER_neighbour_table_full;
	return path->neighbour;
}

void ip_output(struct stack *stack, struct ip_path *path, uint8_t protocol, struct rte_mbuf *pkt,
	       uint16_t tso_segsz)
{
	ip4_output(stack, path, protocol, pkt, tso_segsz);
}
