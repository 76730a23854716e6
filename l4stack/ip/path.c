/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <rte_branch_prediction.h>
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

/* ---- where a packet goes first ---- */

struct hop {
	struct addr addr; /* on the port's link */
	uint16_t port;
};

static bool hop_by_route(const struct ip_layer *ip, const struct addr *dst, struct hop *out)
{
	const struct route *route = route_lookup(&ip->routes, dst);

	if (!route)
		return false;
	*out = (struct hop){
		.addr = route->via.family != ADDR_NONE ? route->via : *dst,
		.port = route->port,
	};
	return true;
}

/* RFC 4007 §9: a link-local address is on the link of its zone, and on no route. */
static bool hop_find(const struct stack *stack, const struct addr *dst, struct hop *out)
{
	if (!addr_is_link_local(dst))
		return hop_by_route(stack->ip, dst, out);
	*out = (struct hop){.addr = *dst, .port = (uint16_t)(dst->zone - 1)};
	return link_port(stack, out->port);
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

static int look_up(const struct stack *stack, const struct addr *dst, const struct addr *src,
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
		.mtu = port->mtu,
		.offloads = port->offloads,
	};
	return 0;
}

/* ---- what was found last ---- */

static struct ip_way *way_of(struct ip_layer *ip, const struct addr *dst)
{
	uint32_t words[4];

	memcpy(words, dst->bytes, sizeof(words));
	return &ip->ways[ip_place(words[0] ^ words[1] ^ words[2] ^ words[3])];
}

static bool way_is(const struct stack *stack, const struct ip_way *way, const struct addr *dst,
		   const struct addr *src)
{
	return ip_path_valid(stack, &way->path) && addr_equal(&way->path.dst, dst) &&
	       addr_equal(&way->asked, src);
}

/* The neighbour that it leads to is known to all who come now. */
static void way_note_neighbour(struct stack *stack, const struct ip_path *path)
{
	struct ip_way *way = way_of(stack->ip, &path->dst);

	if (!ip_path_valid(stack, &way->path) || !ip_path_valid(stack, path) ||
	    !addr_equal(&way->path.dst, &path->dst) || way->path.port != path->port)
		return;
	way->neighbour = path->neighbour;
	way->neighbours_generation = neighbours_generation(stack);
}

/* NULL: it has to be looked up. */
static struct neighbour *way_neighbour(const struct stack *stack, const struct ip_way *way)
{
	if (!way->neighbour || way->neighbours_generation != neighbours_generation(stack))
		return NULL;
	neighbour_hold(way->neighbour);
	return way->neighbour;
}

int ip_path_find(struct stack *stack, const struct addr *dst, const struct addr *src,
		 struct ip_path *out)
{
	struct ip_way *way = way_of(stack->ip, dst);
	struct ip_path path;
	int err;

	if (unlikely(!way_is(stack, way, dst, src))) {
		err = look_up(stack, dst, src, &path);
		if (err)
			return err;
		*way = (struct ip_way){.asked = *src, .path = path};
	}
	*out = way->path;
	out->mtu = path_mtu_find(&stack->ip->narrow, dst, out->mtu, stack->now_us);
	out->neighbour = way_neighbour(stack, way);
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
	if (path->neighbour)
		way_note_neighbour(stack, path);
	return path->neighbour;
}
