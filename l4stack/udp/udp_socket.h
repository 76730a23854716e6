/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets and the table they are found in. Private to udp/.
 */
#ifndef L4STACK_UDP_UDP_SOCKET_H
#define L4STACK_UDP_UDP_SOCKET_H

#include <sys/queue.h>

#include "l4stack/stack_internal.h"
#include "l4stack/udp/udp.h"
#include "l4stack/udp/udp_proto.h"

#define UDP_BUCKETS      256
#define UDP_HEADER_BYTES 8

struct udp_header {
	uint16_t src, dst, len, csum;
} __attribute__((packed));
_Static_assert(sizeof(struct udp_header) == UDP_HEADER_BYTES, "RFC 768");

struct udp_datagram {
	struct endpoint remote;
	struct addr local;
	struct rte_mbuf *data;
};

struct udp_socket {
	struct udp_proto *udp;
	struct udp_handlers handlers;
	void *user;
	struct endpoint local, remote; /* remote: family ADDR_NONE for all */
	SLIST_ENTRY(udp_socket) in_bucket;
	STAILQ_ENTRY(udp_socket) in_ready;
	bool ready, failed;
	struct endpoint failed_remote;
	enum udp_error error;
	uint16_t mtu;
	uint16_t size, head, count; /* of the queue */
	struct udp_datagram queue[];
};

SLIST_HEAD(udp_bucket, udp_socket);

struct udp_proto {
	struct stack *stack;
	unsigned count;
	uint32_t ports_tried;
	STAILQ_HEAD(, udp_socket) ready; /* with something for their owners */
	struct udp_bucket buckets[UDP_BUCKETS];
};

/* A socket bound to just this. NULL. */
struct udp_socket *udp_find(struct udp_proto *udp, const struct endpoint *local,
			    const struct endpoint *remote);

struct udp_bucket *udp_bucket_of(struct udp_proto *udp, uint16_t port);

#endif
