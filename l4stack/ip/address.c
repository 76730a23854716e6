/* SPDX-License-Identifier: BSD-3-Clause */
/* Our addresses, the broadcast addresses that come with them, and the routes. */
#include <errno.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/siphash.h"
#include "l4stack/ip/ip4.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/ip/reassembly.h"
#include "l4stack/link/link.h"
#include "l4stack/link/ndp.h"

#define ROOM_FIRST 8

/* The counters of packet ids start anywhere (RFC 6864 §4.1 leaves them to us). */
static void ids_init(const struct stack *stack, struct ip_layer *ip)
{
	for (uint64_t i = 0; i < IP_ID_BUCKETS; i++)
		ip->ids[i] = (uint16_t)siphash24(stack->conf.secret, &i, sizeof(i));
	ip->id_key = siphash24(stack->conf.secret, "ip id", 5) | 1;
	ip->id6 = (uint32_t)siphash24(stack->conf.secret, "ip6 id", 6);
}

int ip_create(struct stack *stack, struct ip_layer **out)
{
	struct ip_layer *ip = calloc(1, sizeof(*ip));

	if (!ip)
		return -ENOMEM;
	ip->reassembly = reassembly_create(stack);
	if (!ip->reassembly) {
		free(ip);
		return -ENOMEM;
	}
	ip->generation = 1;
	memcpy(ip->narrow.key, stack->conf.secret, sizeof(ip->narrow.key));
	ids_init(stack, ip);
	*out = ip;
	return 0;
}

void ip_destroy(struct ip_layer *ip)
{
	for (unsigned i = 0; i < ip->address_count; i++)
		ip_claim_free(ip->addresses[i].claim);
	reassembly_destroy(ip->reassembly);
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

static struct ip_address *address_find(const struct ip_layer *ip, const struct addr *addr)
{
	unsigned at = address_position(ip, addr);

	if (at == ip->address_count || !addr_equal(&ip->addresses[at].addr, addr))
		return NULL;
	return &ip->addresses[at];
}

enum ip_address_kind ip_address_kind(const struct stack *stack, const struct addr *addr)
{
	const struct ip_address *found = address_find(stack->ip, addr);

	if (!found || found->kind == IP_ADDRESS_DUPLICATE)
		return IP_ADDRESS_OTHER;
	return found->kind;
}

bool ip_address_is_ours(const struct stack *stack, const struct addr *addr)
{
	const struct ip_address *found = address_find(stack->ip, addr);

	return found && found->kind >= IP_ADDRESS_LOCAL && found->kind <= IP_ADDRESS_DUPLICATE;
}

bool ip_is_local_on(const struct stack *stack, uint16_t port, const struct addr *addr)
{
	const struct ip_address *found = address_find(stack->ip, addr);

	return found && found->kind == IP_ADDRESS_LOCAL && found->port == port;
}

/* Room for an address and what comes with it: its broadcast address, or groups. */
static int addresses_grow(struct ip_layer *ip)
{
	unsigned room = ip->address_room ? ip->address_room * 2 : ROOM_FIRST;
	struct ip_address *addresses;

	if (ip->addresses && ip->address_count + 3 <= ip->address_room)
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
	broadcast.claim = NULL;
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

int ip_group_join(struct stack *stack, const struct addr *group)
{
	struct ip_layer *ip = stack->ip;
	struct ip_address address = {
		.addr = *group, .port = (uint16_t)(group->zone - 1), .kind = IP_ADDRESS_GROUP};
	int err;

	if (address_find(ip, group))
		return 0;
	err = addresses_grow(ip);
	if (err)
		return err;
	address_insert(ip, &address);
	link_group_join(stack, address.port, group);
	mld_groups_changed(stack, address.port);
	return 0;
}

static bool address_fits(const struct link_port *port, const struct addr *addr, unsigned prefix)
{
	if (!port || prefix == 0 || prefix > addr_bits(addr->family))
		return false;
	if (addr->family == ADDR_IP4)
		return ip4_is_host(addr_ip4(addr));
	return ip6_is_host(addr) && port->mtu >= IP6_MTU_MIN;
}

static enum ip_address_kind first_kind(const struct link_port *port, uint8_t family)
{
	bool probed = family == ADDR_IP6 || port->claim == STACK_CLAIM_PROBE;

	if (port->claim == STACK_CLAIM_SILENT || port->claim == STACK_CLAIM_ANNOUNCE)
		probed = false;
	return probed ? IP_ADDRESS_TENTATIVE : IP_ADDRESS_LOCAL;
}

/* What an address of IPv6 needs on its link before it is asked for: RFC 4862 §5.4.2. */
static int groups_join(struct stack *stack, const struct ip_address *address)
{
	struct addr all = ip6_all_nodes(address->port);
	struct addr node = ndp_solicited_node(address->port, &address->addr);
	int err = ip_group_join(stack, &all);

	return err ? err : ip_group_join(stack, &node);
}

/* A port that is new to a family or not: the address, the network it is on, its groups. */
static int address_put(struct stack *stack, struct ip_address *address)
{
	struct ip_layer *ip = stack->ip;
	bool routed = !addr_is_link_local(&address->addr);
	int err = address_find(ip, &address->addr) ? -EEXIST : addresses_grow(ip);

	if (!err && routed)
		err = connected_route_add(ip, address);
	if (!err && link_port(stack, address->port)->claim != STACK_CLAIM_SILENT) {
		address->claim = ip_claim_start(stack, address);
		err = address->claim ? 0 : -ENOMEM;
	}
	if (err)
		return err;
	address_insert(ip, address);
	generation_bump(ip);
	if (address->addr.family == ADDR_IP6)
		return groups_join(stack, address);
	broadcast_insert(ip, address);
	return 0;
}

/* RFC 4291 §2.1: a port that speaks IPv6 has a link-local address. */
static int link_local_add(struct stack *stack, uint16_t port, enum ip_address_kind kind)
{
	struct ip_address own = {
		.addr = ip6_link_local(port, link_port(stack, port)->mac),
		.port = port,
		.prefix = 64,
		.kind = (uint8_t)kind,
	};
	struct addr all = ip6_all_nodes(port);

	return address_find(stack->ip, &all) ? 0 : address_put(stack, &own);
}

int ip_address_add(struct stack *stack, uint16_t port, const struct addr *addr, unsigned prefix)
{
	const struct link_port *p = link_port(stack, port);
	struct ip_address address = {.port = port, .prefix = (uint8_t)prefix};
	int err = 0;

	if (!address_fits(p, addr, prefix))
		return -EINVAL;
	address.addr = addr_on_port(addr, port);
	address.kind = (uint8_t)first_kind(p, addr->family);
	if (address_find(stack->ip, &address.addr))
		return -EEXIST;
	if (addr->family == ADDR_IP6 && !addr_is_link_local(addr))
		err = link_local_add(stack, port, address.kind);
	return err ? err : address_put(stack, &address);
}

void ip_address_turn(struct stack *stack, const struct addr *addr, enum ip_address_kind kind)
{
	struct ip_address *found = address_find(stack->ip, addr);

	if (!found || found->kind != IP_ADDRESS_TENTATIVE)
		return;
	found->kind = (uint8_t)kind;
	generation_bump(stack->ip);
}

struct ip_claim *ip_address_claim(const struct stack *stack, uint16_t port, const struct addr *addr)
{
	const struct ip_address *found = address_find(stack->ip, addr);

	return found && found->port == port ? found->claim : NULL;
}

static bool info_make(const struct ip_address *address, struct stack_address_info *info)
{
	static const enum stack_address_state states[] = {
		[IP_ADDRESS_LOCAL] = STACK_ADDRESS_USED,
		[IP_ADDRESS_TENTATIVE] = STACK_ADDRESS_TENTATIVE,
		[IP_ADDRESS_DUPLICATE] = STACK_ADDRESS_DUPLICATE,
	};

	if (address->kind > IP_ADDRESS_DUPLICATE)
		return false;
	*info = (struct stack_address_info){
		.addr = address->addr,
		.port = address->port,
		.prefix = address->prefix,
		.state = states[address->kind],
	};
	return true;
}

void ip_addresses_each(const struct stack *stack,
		       void (*fn)(void *ctx, const struct stack_address_info *info), void *ctx)
{
	struct stack_address_info info;

	for (unsigned i = 0; i < stack->ip->address_count; i++)
		if (info_make(&stack->ip->addresses[i], &info))
			fn(ctx, &info);
}

/* The port that a next hop is on; -ENETUNREACH if on none. */
static int hop_port(const struct stack *stack, const struct addr *via, uint16_t *port)
{
	const struct route *route;

	if (ip_address_kind(stack, via) != IP_ADDRESS_OTHER)
		return -ENETUNREACH;
	if (addr_is_link_local(via)) {
		*port = (uint16_t)(via->zone - 1);
		return link_port(stack, *port) ? 0 : -ENETUNREACH;
	}
	route = route_lookup(&stack->ip->routes, via);
	if (!route || route->via.family != ADDR_NONE)
		return -ENETUNREACH;
	*port = route->port;
	return 0;
}

int ip_route_add(struct stack *stack, const struct addr *to, unsigned prefix,
		 const struct addr *via)
{
	struct ip_layer *ip = stack->ip;
	struct route route = {.net = *to, .via = *via, .prefix = (uint8_t)prefix};
	int err;

	if (to->family == ADDR_NONE || via->family != to->family || prefix > addr_bits(to->family))
		return -EINVAL;
	if (prefix > 0 && (addr_is_group(to) || addr_is_link_local(to)))
		return -EINVAL;
	err = hop_port(stack, via, &route.port);
	if (!err)
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

bool ip_on_link(const struct stack *stack, uint16_t port, const struct addr *addr)
{
	const struct route *route;

	if (addr_is_link_local(addr))
		return addr->zone == port + 1;
	route = route_lookup(&stack->ip->routes, addr);
	return route && route->via.family == ADDR_NONE && route->port == port;
}
