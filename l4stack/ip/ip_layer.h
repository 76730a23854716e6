/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of ip/ share, and what link/ and stack.c ask of them. The transports
 * use ip.h.
 *
 * Owns addresses, routes and the rate limits of ICMP. Called by the stack's thread.
 * Internal to l4stack.
 */
#ifndef L4STACK_IP_IP_LAYER_H
#define L4STACK_IP_IP_LAYER_H

#include "l4stack/base/bucket.h"
#include "l4stack/ip/ip.h"
#include "l4stack/ip/path_mtu.h"
#include "l4stack/ip/route.h"
#include "l4stack/link/link.h"
#include "l4stack/stack_internal.h"

#define IP_ID_BUCKETS 256
#define IP_PAIRS      256
#define IP_WAYS       256

/* What an address is to us; addresses that are no more than somebody else's are not kept. */
enum ip_address_kind {
	IP_ADDRESS_OTHER,
	IP_ADDRESS_LOCAL,     /* ours, and in use */
	IP_ADDRESS_TENTATIVE, /* to be ours, if nobody else has it: RFC 4862 §5.4 */
	IP_ADDRESS_DUPLICATE, /* was to be ours; to all who ask it is OTHER */
	IP_ADDRESS_BROADCAST, /* of a network we are on */
	IP_ADDRESS_GROUP,     /* of IPv6, which a port listens to */
};

struct ip_claim;
struct reassembly;

struct ip_address {
	struct addr addr;
	uint16_t port;
	uint8_t prefix;
	uint8_t kind;           /* enum ip_address_kind */
	struct ip_claim *claim; /* of an address of ours that is probed or announced; or NULL */
};

/* Reports of the groups of a port: mld.c. */
struct mld_port {
	struct stack_timer timer;
	struct stack *stack;
	uint16_t port;
	uint8_t changes_left; /* reports still to be sent unasked */
};

/* Of two addresses of IPv4 that a packet came with, and that may be in one, as of a generation. */
struct ip_pair {
	uint32_t src, dst; /* in network order */
	uint32_t generation;
};

/* The path that was found last for a peer, as of its generation; and the neighbour that it leads
 * to, which is not held: as of a generation of the neighbours. */
struct ip_way {
	struct addr asked; /* for this source */
	uint64_t neighbours_generation;
	struct neighbour *neighbour; /* NULL: nobody has asked yet */
	struct ip_path path;
};

struct ip_layer {
	struct ip_address *addresses; /* by addr_compare */
	unsigned address_count, address_room;
	struct route_table routes;
	struct path_mtus narrow;
	uint32_t generation; /* of routes and addresses; never 0 */
	struct ip_pair pairs[IP_PAIRS];
	struct ip_way ways[IP_WAYS];
	uint64_t id_key;
	uint16_t ids[IP_ID_BUCKETS];
	uint32_t id6;
	struct bucket echo_limit, error_limit, echo6_limit, error6_limit;
	struct reassembly *reassembly;
	struct mld_port mld[STACK_PORTS_MAX];
};

/* The upper bits of a product hear of all bits below them, and of their own: the last octet, in
 * which the hosts of a network differ, is on top of such a word. */
static inline uint8_t ip_place(uint32_t word)
{
	_Static_assert(IP_PAIRS == UINT8_MAX + 1 && IP_WAYS == UINT8_MAX + 1, "a place for each");
	return (uint8_t)(word * 0x9e3779b1u >> 24);
}

/* Where such a pair is kept: the last one of that place. */
static inline struct ip_pair *ip_pair_of(struct ip_layer *ip, uint32_t src, uint32_t dst)
{
	return &ip->pairs[ip_place(src ^ dst)];
}

static inline bool ip_pair_is(const struct ip_layer *ip, const struct ip_pair *pair, uint32_t src,
			      uint32_t dst)
{
	return pair->src == src && pair->dst == dst && pair->generation == ip->generation;
}

int ip_create(struct stack *stack, struct ip_layer **out) __attribute__((warn_unused_result));
void ip_destroy(struct ip_layer *ip);

/* As stack.h says of stack_address_add, stack_route_add and stack_route_del. */
int ip_address_add(struct stack *stack, uint16_t port, const struct addr *addr, unsigned prefix)
	__attribute__((warn_unused_result));
int ip_route_add(struct stack *stack, const struct addr *to, unsigned prefix,
		 const struct addr *via) __attribute__((warn_unused_result));
int ip_route_del(struct stack *stack, const struct addr *to, unsigned prefix)
	__attribute__((warn_unused_result));

enum ip_address_kind ip_address_kind(const struct stack *stack, const struct addr *addr);

/* True for an address of ours, in use or not yet. */
bool ip_address_is_ours(const struct stack *stack, const struct addr *addr);

void ip_addresses_each(const struct stack *stack,
		       void (*fn)(void *ctx, const struct stack_address_info *info), void *ctx);

/* An address of ours turns from TENTATIVE to LOCAL or DUPLICATE. */
void ip_address_turn(struct stack *stack, const struct addr *addr, enum ip_address_kind kind);

/* Listens to a group of IPv6 on its port. 0, -ENOMEM. */
int ip_group_join(struct stack *stack, const struct addr *group)
	__attribute__((warn_unused_result));

/* Begins to claim an address that was added: RFC 4862 §5.4, RFC 5227. NULL when there is no
 * memory. Freed with the layer. */
struct ip_claim *ip_address_claim(const struct stack *stack, uint16_t port,
				  const struct addr *addr); /* NULL: there is none */
struct ip_claim *ip_claim_start(struct stack *stack, const struct ip_address *address);
void ip_claim_free(struct ip_claim *claim);

/* Another station on the port uses an address of ours, or wants it too while we do not have it. */
void ip_claim_conflict(struct stack *stack, uint16_t port, const struct addr *addr);

/* Tells the routers on a port's link which groups it listens to (RFC 3810): soon, and again. */
void mld_groups_changed(struct stack *stack, uint16_t port);

/* True for an address of ours on this very port. */
bool ip_is_local_on(const struct stack *stack, uint16_t port, const struct addr *addr);

/* The port's own address to talk to `peer` from: RFC 6724 §5; of IPv4, one on its network or else
 * the port's first. NULL when the port has none of that family that is in use. */
const struct addr *ip_source_for(const struct stack *stack, uint16_t port, const struct addr *peer);

/* True when `addr` is on a network the port is connected to. */
bool ip_on_link(const struct stack *stack, uint16_t port, const struct addr *addr);

/* Routes and addresses are as they were when it was found. */
static inline bool ip_path_valid(const struct stack *stack, const struct ip_path *path)
{
	return path->generation == stack->ip->generation;
}

/* The neighbour that packets of the path go to, held by the path. NULL: `*reason` says why. */
struct neighbour *ip_path_neighbour(struct stack *stack, struct ip_path *path,
				    enum stack_counter *reason);

/* A packet from the link that starts at its IPv4 header; takes ownership. `to_us` is false
 * when the frame went to a group. */
void ip4_input(struct stack *stack, uint16_t port, struct rte_mbuf *pkt, bool to_us);

void ip6_input(struct stack *stack, uint16_t port, struct rte_mbuf *pkt, bool to_us);

/* A packet of ours, at its network header, that the link could not deliver: tells the
 * transport and frees it. */
void ip_undeliverable(struct stack *stack, uint16_t port, struct rte_mbuf *pkt, enum ip_error kind);

#endif
