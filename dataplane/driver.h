/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What DPDK does not tell about its drivers, but what must be known to use them well.
 *
 * Pure: a table.
 */
#ifndef DATAPLANE_DRIVER_H
#define DATAPLANE_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

/* What tells that packets wait in a queue. */
enum driver_wake {
	DRIVER_WAKE_EDGE,   /* a descriptor that nobody reads: only its changes say something */
	DRIVER_WAKE_LEVEL,  /* a descriptor that is readable while packets wait */
	DRIVER_WAKE_SOCKET, /* the socket that the driver opened for the queue; like LEVEL */
	DRIVER_WAKE_NONE,   /* none: it is polled by time */
};

struct driver {
	const char *name;
	enum driver_wake wake;
	bool private_rx;    /* needs mbufs with payload behind their headers */
	bool lazy_rx;       /* takes buffers from the pool only when there is a packet */
	bool packet_socket; /* see packet_socket.h */
	bool peer_mac;      /* the address that it reports is that of the other end */
	bool socket_file;   /* a Unix socket that its argument iface= names is its own */
	bool keeps_sent;    /* frees what was sent only when its ring is nearly full */
	bool cpu_tx;        /* reads what it sends by the CPU: from wherever that lies */
	bool plain_sums;    /* takes the pseudo header's sum as rte_mbuf.h has it: only what it is
			     * to cut has to be prepared */
	bool even_pieces;   /* sums only packets whose pieces begin at even offsets: odd_pieces.h */
	uint32_t broken;    /* enum stack_offload: offered, but not to be used */
	uint16_t descriptors; /* when the configuration leaves the choice; 0: 1024 */
};

/* The driver of a device string, or by its own name. Never NULL: most need no special care. */
const struct driver *driver_find(const char *device);

#endif
