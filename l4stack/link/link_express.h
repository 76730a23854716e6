/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame as it nearly always is, recognised in one go: in one mbuf, to this station alone, with
 * the port's tag if it has one and no other. What is not that goes through link_input, which can
 * say what is wrong with it. Internal to l4stack.
 */
#ifndef L4STACK_LINK_LINK_EXPRESS_H
#define L4STACK_LINK_LINK_EXPRESS_H

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/link/link.h"

/* A device that takes tags out tells so in the mbuf: that is not usual here. */
static inline bool link_express_tag_ok(const struct link_port *port, const uint8_t *frame)
{
	uint16_t tag[2];

	if (!port->vlan)
		return true;
	memcpy(tag, frame + 12, sizeof(tag));
	return tag[0] == RTE_BE16(RTE_ETHER_TYPE_VLAN) &&
	       (rte_be_to_cpu_16(tag[1]) & 0xfff) == port->vlan;
}

/* Six bytes as a number, above two of zero. */
static inline uint64_t link_express_mac(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word)); /* what is behind them goes */
	return rte_cpu_to_le_64(word) << 16;
}
_Static_assert(offsetof(struct link_port, mac) + 8 <= sizeof(struct link_port), "is read so");

/* The frame's EtherType, as it stands there; 0: it is not usual, or shorter than `least` bytes
 * behind its header. */
static inline uint16_t link_express_read(const struct link_port *port, const struct rte_mbuf *pkt,
					 uint16_t least)
{
	const uint8_t *frame = rte_pktmbuf_mtod(pkt, const uint8_t *);
	uint64_t own = link_express_mac(port->mac);
	uint16_t type;

	if (pkt->nb_segs != 1 || pkt->data_len < port->header_bytes + least ||
	    pkt->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		return 0;
	if (link_express_mac(frame) != own || frame[6] & 1 || link_express_mac(frame + 6) == own ||
	    !link_express_tag_ok(port, frame))
		return 0;
	memcpy(&type, frame + port->header_bytes - sizeof(type), sizeof(type));
	return type;
}

#endif
