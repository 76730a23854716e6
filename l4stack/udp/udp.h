/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP sockets, as their owner sees them: RFC 768, RFC 8085.
 *
 * Threads: the stack's own, as in stack.h. Datagrams that came are queued and given to the
 * handlers in stack_deliver; udp_send sends at once. Nothing is allocated for a datagram: a
 * socket's queue is as long as it was made, and what comes while it is full is dropped
 * and counted.
 *
 * Payload is a chain of mbufs whose first has pkt_len and nb_segs right. What is received belongs
 * to the handler; what is sent belongs to the stack, which never writes into it.
 */
#ifndef L4STACK_UDP_UDP_H
#define L4STACK_UDP_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "l4stack/base/addr.h"

struct rte_mbuf;
struct stack;
struct udp_socket;

#define UDP_SOCKETS_MAX   1024
#define UDP_QUEUE_MAX     4096
#define UDP_QUEUE_DEFAULT 64

enum udp_error { UDP_ERROR_UNREACHABLE, UDP_ERROR_REFUSED, UDP_ERROR_TOO_BIG };

/* All may be NULL. */
struct udp_handlers {
	/* `local` is the address it was sent to. The handler owns `data`, which may be empty. */
	void (*received)(struct udp_socket *socket, void *user, const struct endpoint *remote,
			 const struct addr *local, struct rte_mbuf *data);
	/* ICMP says that a datagram to `remote` did not arrive. TOO_BIG: `mtu` of the path. Of
	 * several since the last stack_deliver, the last is told. */
	void (*error)(struct udp_socket *socket, void *user, const struct endpoint *remote,
		      enum udp_error error, uint16_t mtu);
};

struct udp_conf {
	/* A zero address of its family: every address. Port 0: an ephemeral one (RFC 6056). */
	struct endpoint local;
	/* Family ADDR_NONE: from and to everybody. Else only this peer is heard, and the
	 * ephemeral port is one whose answers come to this stack. */
	struct endpoint remote;
	uint16_t queue; /* datagrams that wait; 0: UDP_QUEUE_DEFAULT */
};

/* -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL, -ENOMEM, -ENFILE (UDP_SOCKETS_MAX). */
int udp_bind(struct stack *stack, const struct udp_conf *conf, const struct udp_handlers *handlers,
	     void *user, struct udp_socket **out) __attribute__((warn_unused_result));

/* Frees what waits. Not from inside the socket's own handlers. */
void udp_close(struct udp_socket *socket);

/*
 * Sends a datagram to `to`, or to the socket's peer if NULL, from `from`, or from the address
 * that suits if NULL. What is longer than the path's MTU goes out in fragments. Takes ownership
 * of `data` always (NULL: an empty datagram). -EMSGSIZE, -ENETUNREACH, -EADDRNOTAVAIL,
 * -EDESTADDRREQ, -ENOBUFS.
 */
int udp_send(struct udp_socket *socket, const struct addr *from, const struct endpoint *to,
	     struct rte_mbuf *data);

/* Where it is bound: with the port that was chosen. */
struct endpoint udp_local(const struct udp_socket *socket);

#endif
