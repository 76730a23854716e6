/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections as the script counts them, and what that is on the wire: ports, initial
 * sequence numbers, time stamps. What only the stack can choose is learned from what it
 * sends first.
 */
#ifndef TESTS_PACKETDRILL_PLAY_FLOW_H
#define TESTS_PACKETDRILL_PLAY_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/packetdrill/play/codec.h"
#include "tests/packetdrill/play/script.h"

#define FLOWS_MOST 16
#define TS_PAIRS   32 /* the last that were seen */

struct flow {
	bool active; /* the stack opened it: its ports are known */
	uint16_t local_port, remote_port;
	bool local_isn_known;
	uint32_t local_isn, remote_isn;
	bool ts_known;
	uint32_t ts_offset; /* the stack's clock, minus the script's */
	/* Where a time is off by a tick, the script's number still stands for what was sent. */
	struct {
		uint32_t script, wire;
	} ts[TS_PAIRS];
	unsigned ts_count;
};

struct flows {
	struct host local, remote;
	struct flow flows[FLOWS_MOST];
};

void flows_init(struct flows *flows, const struct script *script);
struct flow *flow_of(struct flows *flows, unsigned number);

/* The route of what we send, and the packet with the wire's numbers. */
void flow_to_wire(struct flows *flows, const struct packet *script, struct packet *wire,
		  struct route *route);

/* What the stack sent, with the script's numbers; `expected` says in what form, and its flow
 * learns what it does not know. */
void flow_from_wire(struct flows *flows, const struct packet *wire, const struct route *route,
		    const struct packet *expected, struct packet *out);

/* The packet was what was expected: its time stamp can be echoed. */
void flow_note_sent(struct flows *flows, const struct packet *expected, const struct packet *wire);

/* The flow it belongs to, 0: none. */
unsigned flow_number(const struct flows *flows, const struct route *route);

#endif
