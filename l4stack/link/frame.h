/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet frames: RFC 894, RFC 2464, IEEE 802.1Q. What a frame is and whether a port takes it;
 * what is put before a packet. Pure functions. Private to link/.
 */
#ifndef L4STACK_LINK_FRAME_H
#define L4STACK_LINK_FRAME_H

#include "l4stack/base/counters.h"
#include "l4stack/link/link.h"

struct frame {
	uint16_t type; /* host order */
	uint8_t header_bytes;
	bool to_us; /* to this station alone */
};

/* COUNTER_NONE, or why the port does not take the frame. */
enum stack_counter frame_check(const struct link_port *port, const struct rte_mbuf *pkt,
			       struct frame *out);

/* Writes port->header_bytes. */
void frame_header_make(const struct link_port *port, const uint8_t dst[6], uint16_t type,
		       uint8_t header[LINK_HEADER_MAX]);

void frame_group_add(struct link_port *port, const struct addr *group);

#endif
