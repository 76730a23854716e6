/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/link/link.h"

#include <errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/arp.h"
#include "l4stack/link/frame.h"
#include "l4stack/link/neighbour.h"
#include "l4stack/stack_internal.h"

#define MTU_MIN  576 /* every IPv4 host takes that much: RFC 791 §3.1 */
#define VLAN_MAX 4094

int link_layer_create(struct stack *stack, struct link_layer **out)
{
	struct link_layer *link = calloc(1, sizeof(*link));
	int err;

	if (!link)
		return -ENOMEM;
	err = neighbours_create(stack, &link->neighbours);
	if (err) {
		free(link);
		return err;
	}
	*out = link;
	return 0;
}

void link_layer_destroy(struct link_layer *link)
{
	neighbours_destroy(link->neighbours);
	free(link);
}

static bool mac_is_station(const uint8_t mac[6])
{
	return rte_is_valid_assigned_ether_addr((const struct rte_ether_addr *)mac);
}

/* A port without scatter-gather gets whole frames in one header mbuf. */
static bool pool_fits(const struct stack *stack, const struct stack_port_conf *conf)
{
	uint16_t room = rte_pktmbuf_data_room_size(stack->pools.header);

	return (conf->offloads & STACK_TX_MULTI_SEG) ||
	       room >= RTE_PKTMBUF_HEADROOM + LINK_HEADER_MAX + conf->mtu;
}

int link_port_add(struct stack *stack, uint16_t port, const struct stack_port_conf *conf)
{
	struct link_port *p;

	if (port >= STACK_PORTS_MAX || conf->mtu < MTU_MIN || !mac_is_station(conf->mac))
		return -EINVAL;
	if (conf->vlan > VLAN_MAX)
		return -EINVAL;
	if (!pool_fits(stack, conf))
		return -EINVAL;
	p = &stack->link->ports[port];
	if (p->used)
		return -EEXIST;
	p->used = true;
	p->mtu = conf->mtu;
	p->offloads = conf->offloads;
	p->vlan = conf->vlan;
	p->header_bytes = conf->vlan ? LINK_HEADER_MAX : LINK_HEADER;
	p->claim = (uint8_t)conf->claim;
	memcpy(p->mac, conf->mac, sizeof(p->mac));
	snprintf(p->name, sizeof(p->name), "%s", conf->name ? conf->name : "");
	return 0;
}

void link_input(struct stack *stack, uint16_t port, struct rte_mbuf *pkt)
{
	const struct link_port *p = link_port(stack, port);
	enum stack_counter fault = COUNTER_link_bad_port;
	struct frame frame = {0};

	stack_count(stack, link_packets_in);
	stack_count_add(stack, link_bytes_in, pkt->pkt_len);
	if (p)
		fault = frame_check(p, pkt, &frame);
	if (fault != COUNTER_NONE) {
		stack_drop(stack, pkt, fault);
		return;
	}
	pkt_pull(pkt, frame.header_bytes);
	switch (frame.type) {
	case RTE_ETHER_TYPE_IPV4:
		ip4_input(stack, port, pkt, frame.to_us);
		break;
	case RTE_ETHER_TYPE_IPV6:
		ip6_input(stack, port, pkt, frame.to_us);
		break;
	case RTE_ETHER_TYPE_ARP:
		arp_input(stack, port, pkt, frame.to_us);
		break;
	default:
		stack_drop(stack, pkt, COUNTER_link_unknown_type);
	}
}

void link_header_make(const struct stack *stack, uint16_t port, const uint8_t dst[6], uint16_t type,
		      uint8_t header[LINK_HEADER_MAX])
{
	frame_header_make(&stack->link->ports[port], dst, type, header);
}

void link_group_join(struct stack *stack, uint16_t port, const struct addr *group)
{
	frame_group_add(&stack->link->ports[port], group);
}

static struct rte_mbuf *frame_linearise(struct stack *stack, struct rte_mbuf *pkt)
{
	uint32_t len = pkt->pkt_len - pkt->data_len;
	struct rte_mbuf *flat = pkt_linearise(pkt, stack->pools.header);

	if (!flat) {
		stack_count(stack, link_no_mbuf);
		return NULL;
	}
	stack_count(stack, link_linearised);
	stack_count_add(stack, payload_copied_bytes, len);
	return flat;
}

void link_output(struct stack *stack, uint16_t port, const uint8_t header[LINK_HEADER_MAX],
		 struct rte_mbuf *pkt)
{
	const struct link_port *p = &stack->link->ports[port];

	if (p->header_bytes == LINK_HEADER) /* a length that the compiler knows */
		memcpy(pkt_push(pkt, LINK_HEADER), header, LINK_HEADER);
	else
		memcpy(pkt_push(pkt, p->header_bytes), header, p->header_bytes);
	if (pkt->nb_segs > 1 && !(p->offloads & STACK_TX_MULTI_SEG)) {
		pkt = frame_linearise(stack, pkt);
		if (!pkt)
			return;
	}
	link_give(stack, port, pkt);
}
