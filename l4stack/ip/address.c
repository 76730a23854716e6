/* SPDX-License-Identifier: BSD-3-Clause */
/* Our addresses, the broadcast addresses that come with them, and the routes. */
#include <errno.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/siphash.h"
#include "l4stack/ip/ip4.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/link.h"

#define ROOM_FIRST 8

/* The counters of packet ids start anywhere (RFC 6864 §4.1 leaves them to us). */
static void ids_init(const struct stack *stack, struct ip_layer *ip)
{
	for (uint64_t i = 0; i < IP_ID_BUCKETS; i++)
		ip->ids[i] = (uint16_t)siphash24(stack->conf.secret, &i, sizeof(i));
	ip->id_key = siphash24(stack->conf.secret, "ip id", 5) | 1;
}

int ip_create(const struct stack *stack, struct ip_layer **out)
{
	struct ip_layer *ip = calloc(1, sizeof(*ip));

	if (!ip)
		return -ENOMEM;
	ip->generation = 1;
	ids_init(stack, ip);
	*out = ip;
	return 0;
}

void ip_destroy(struct ip_layer *ip)
{
	route_table_free(&ip->routes);
	free(ip->addresses);
	free(ip);
}

static void generation_bump(struct ip_layer *ip)
{
	if (++ip->generation == 0)
		ip->generation = 1;
}

static unsigned address_position(const struct ip_layer *ip, const struct addr *addr)
{
	unsigned low = 0, high = ip->address_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (addr_compare(&ip->addresses[middle].addr, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct ip_address *address_find(const struct ip_layer *ip, const struct addr *addr)
{
	unsigned at = address_position(ip, addr);

	if (at == ip->address_count || !addr_equal(&ip->addresses[at].addr, addr))
		return NULL;
	return &ip->addresses[at];
}

enum ip_address_kind ip_address_kind(const struct stack *stack, const struct addr *addr)
{
	const struct ip_address *found = address_find(stack->ip, addr);

	return found ? found->kind : IP_ADDRESS_OTHER;
}

bool ip_is_local_on(const struct stack *stack, uint16_t port, const struct addr *addr)
{
	const struct ip_address *found = address_find(stack->ip, addr);

	return found && found->kind == IP_ADDRESS_LOCAL && found->port == port;
}

/* Room for an address and its broadcast address. */
static int addresses_grow(struct ip_layer *ip)
{
	unsigned room = ip->address_room ? ip->address_room * 2 : ROOM_FIRST;
	struct ip_address *addresses;

	if (ip->addresses && ip->address_count + 2 <= ip->address_room)
		return 0;
	addresses = realloc(ip->addresses, room * sizeof(*addresses));
	if (!addresses)
		return -ENOMEM;
	ip->addresses = addresses;
	ip->address_room = room;
	return 0;
}

static void address_insert(struct ip_layer *ip, const struct ip_address *address)
{
	unsigned at = address_position(ip, &address->addr);

	memmove(&ip->addresses[at + 1], &ip->addresses[at],
		(ip->address_count - at) * sizeof(*address));
	ip->addresses[at] = *address;
	ip->address_count++;
}

/* RFC 919: the last address of a network, unless it has no more than two (RFC 3021). */
static void broadcast_insert(struct ip_layer *ip, const struct ip_address *address)
{
	struct ip_address broadcast = *address;
	uint32_t host_bits;

	if (address->prefix > 30)
		return;
	host_bits = rte_cpu_to_be_32(UINT32_MAX >> address->prefix);
	broadcast.addr = addr_from_ip4(addr_ip4(&address->addr) | host_bits);
	broadcast.kind = IP_ADDRESS_BROADCAST;
	if (!address_find(ip, &broadcast.addr))
		address_insert(ip, &broadcast);
}

/* Several addresses of a port may share its network's route; two ports may not. */
static int connected_route_add(struct ip_layer *ip, const struct ip_address *address)
{
	struct route route = {
		.net = address->addr, .port = address->port, .prefix = address->prefix};
	const struct route *old = route_exact(&ip->routes, &route.net, route.prefix);

	if (!old)
		return route_add(&ip->routes, &route);
	if (old->port != route.port || old->via.family != ADDR_NONE)
		return -EEXIST;
	return 0;
}

int ip_address_add(struct stack *stack, uint16_t port, const struct addr *addr, unsigned prefix)
{
	struct ip_layer *ip = stack->ip;
	struct ip_address address = {.port = port, .kind = IP_ADDRESS_LOCAL};
	int err;

	if (addr->family != ADDR_IP4)
		return -EAFNOSUPPORT;
	if (!link_port(stack, port) || prefix == 0 || prefix > 32 || !ip4_is_host(addr_ip4(addr)))
		return -EINVAL;
	if (address_find(ip, addr))
		return -EEXIST;
	address.addr = *addr;
	address.prefix = (uint8_t)prefix;
	err = addresses_grow(ip);
	if (!err)
		err = connected_route_add(ip, &address);
	if (err)
		return err;
	address_insert(ip, &address);
	broadcast_insert(ip, &address);
	generation_bump(ip);
	return 0;
}

int ip_route_add(struct stack *stack, const struct addr *to, unsigned prefix,
		 const struct addr *via)
{
	struct ip_layer *ip = stack->ip;
	const struct route *hop;
	struct route route = {.net = *to, .via = *via};
	int err;

	if (to->family != ADDR_IP4)
		return -EAFNOSUPPORT;
	if (via->family != to->family || prefix > addr_bits(to->family))
		return -EINVAL;
	hop = route_lookup(&ip->routes, via);
	if (!hop || hop->via.family != ADDR_NONE || ip_address_kind(stack, via) != IP_ADDRESS_OTHER)
		return -ENETUNREACH;
	route.port = hop->port;
	route.prefix = (uint8_t)prefix;
	err = route_add(&ip->routes, &route);
	if (!err)
		generation_bump(ip);
	return err;
}

/* Connected routes are as long there as their address is. */
int ip_route_del(struct stack *stack, const struct addr *to, unsigned prefix)
{
	struct ip_layer *ip = stack->ip;
	const struct route *route;
	int err;

	if (prefix > addr_bits(to->family))
		return -EINVAL;
	route = route_exact(&ip->routes, to, prefix);
	if (!route || route->via.family == ADDR_NONE)
		return -ENOENT;
	err = route_del(&ip->routes, to, prefix);
	if (!err)
		generation_bump(ip);
	return err;
}

const struct addr *ip_source_for(const struct stack *stack, uint16_t port, const struct addr *peer)
{
	const struct ip_layer *ip = stack->ip;
	const struct addr *first = NULL;

	for (unsigned i = 0; i < ip->address_count; i++) {
		const struct ip_address *a = &ip->addresses[i];

		if (a->kind != IP_ADDRESS_LOCAL || a->port != port ||
		    a->addr.family != peer->family)
			continue;
		if (addr_in_prefix(peer, &a->addr, a->prefix))
			return &a->addr;
		if (!first)
			first = &a->addr;
	}
	return first;
}

bool ip_on_link(const struct stack *stack, uint16_t port, const struct addr *addr)
{
	const struct route *route = route_lookup(&stack->ip->routes, addr);

	return route && route->via.family == ADDR_NONE && route->port == port;
}
