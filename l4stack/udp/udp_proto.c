/* SPDX-License-Identifier: BSD-3-Clause */
/* The stack's side of sockets: RFC 768. */
#include "l4stack/udp/udp_proto.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/base/siphash.h"
#include "l4stack/ip/ip_packet.h"
#include "l4stack/udp/udp_socket.h"

int udp_proto_create(struct stack *stack, struct udp_proto **out)
{
	struct udp_proto *udp = calloc(1, sizeof(*udp));

	if (!udp)
		return -ENOMEM;
	udp->stack = stack;
	STAILQ_INIT(&udp->ready);
	*out = udp;
	return 0;
}

void udp_proto_destroy(struct udp_proto *udp)
{
	for (unsigned i = 0; i < UDP_BUCKETS; i++)
		while (!SLIST_EMPTY(&udp->buckets[i]))
			udp_close(SLIST_FIRST(&udp->buckets[i]));
	free(udp);
}

/* ---- the table ---- */

struct udp_bucket *udp_bucket_of(struct udp_proto *udp, uint16_t port)
{
	uint64_t hash = siphash13(udp->stack->conf.secret, &port, sizeof(port));

	return &udp->buckets[hash % UDP_BUCKETS];
}

static bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

struct udp_socket *udp_find(struct udp_proto *udp, const struct endpoint *local,
			    const struct endpoint *remote)
{
	struct udp_socket *s;

	SLIST_FOREACH (s, udp_bucket_of(udp, local->port), in_bucket)
		if (endpoint_equal(&s->local, local) && endpoint_equal(&s->remote, remote))
			return s;
	return NULL;
}

/* How much a socket says of a datagram's ends; 0: it is not for it. */
static unsigned match(const struct udp_socket *s, const struct endpoint *local,
		      const struct endpoint *remote)
{
	bool any = addr_is_any(&s->local.addr), all = s->remote.addr.family == ADDR_NONE;

	if (s->local.port != local->port || s->local.addr.family != local->addr.family)
		return 0;
	if ((!any && !addr_equal(&s->local.addr, &local->addr)) ||
	    (!all && !endpoint_equal(&s->remote, remote)))
		return 0;
	return 1u + !any + 2u * !all;
}

/* The socket that `remote`'s datagrams to `local` belong to: the one that says most about both. */
static struct udp_socket *lookup(struct udp_proto *udp, const struct endpoint *local,
				 const struct endpoint *remote)
{
	struct udp_socket *s, *best = NULL;
	unsigned most = 0;

	SLIST_FOREACH (s, udp_bucket_of(udp, local->port), in_bucket) {
		unsigned n = match(s, local, remote);

		if (n > most) {
			most = n;
			best = s;
		}
	}
	return best;
}

/* It has something for its owner, who hears of it in stack_deliver. */
static void mark(struct udp_socket *socket)
{
	if (socket->ready)
		return;
	socket->ready = true;
	STAILQ_INSERT_TAIL(&socket->udp->ready, socket, in_ready);
}

/* ---- in ---- */

/* RFC 768: in IPv4 a checksum of zero was not computed; in IPv6 there has to be one (RFC 8200
 * §8.1). The packet is cut to its length. */
static enum stack_counter datagram_check(const struct udp_proto *udp, const struct ip_rx *rx,
					 struct rte_mbuf *pkt, struct udp_header *header)
{
	uint16_t len;

	if (!pkt_read(pkt, 0, UDP_HEADER_BYTES, header))
		return COUNTER_udp_malformed;
	len = rte_be_to_cpu_16(header->len);
	if (len < UDP_HEADER_BYTES || len > pkt->pkt_len)
		return COUNTER_udp_malformed;
	pkt_truncate(pkt, len);
	if (header->csum == 0)
		return rx->src.family == ADDR_IP6 ? COUNTER_udp_bad_csum : COUNTER_NONE;
	return ip_transport_csum_ok(udp->stack, rx, IP_PROTOCOL_UDP, pkt) ? COUNTER_NONE
									  : COUNTER_udp_bad_csum;
}

static void queue_push(struct udp_socket *socket, const struct ip_rx *rx, uint16_t port,
		       struct rte_mbuf *pkt)
{
	struct udp_datagram *d;

	if (socket->count == socket->size) {
		stack_drop(socket->udp->stack, pkt, COUNTER_udp_queue_full);
		return;
	}
	d = &socket->queue[(socket->head + socket->count++) % socket->size];
	*d = (struct udp_datagram){.remote = {rx->src, port}, .local = rx->dst, .data = pkt};
	mark(socket);
}

bool udp_proto_input(struct udp_proto *udp, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	struct udp_header header = {0};
	struct endpoint local = {.addr = rx->dst}, remote = {.addr = rx->src};
	struct udp_socket *socket;
	enum stack_counter fault = datagram_check(udp, rx, pkt, &header);

	stack_count(udp->stack, udp_datagrams_in);
	if (fault != COUNTER_NONE) {
		stack_drop(udp->stack, pkt, fault);
		return true;
	}
	local.port = rte_be_to_cpu_16(header.dst);
	remote.port = rte_be_to_cpu_16(header.src);
	socket = lookup(udp, &local, &remote);
	if (!socket) {
		stack_count(udp->stack, udp_no_socket);
		return false;
	}
	queue_push(socket, rx, remote.port, pkt_skip(pkt, UDP_HEADER_BYTES));
	return true;
}

/* ---- errors ---- */

static enum udp_error error_of(enum ip_error kind)
{
	if (kind == IP_ERROR_TOO_BIG)
		return UDP_ERROR_TOO_BIG;
	return kind == IP_ERROR_UNREACHABLE_HARD ? UDP_ERROR_REFUSED : UDP_ERROR_UNREACHABLE;
}

void udp_proto_error(struct udp_proto *udp, const struct ip_error_info *error)
{
	uint16_t ports[2];
	struct endpoint local = {.addr = error->local}, remote = {.addr = error->remote};
	struct udp_socket *socket;

	memcpy(ports, error->quoted, sizeof(ports));
	local.port = rte_be_to_cpu_16(ports[0]);
	remote.port = rte_be_to_cpu_16(ports[1]);
	socket = lookup(udp, &local, &remote);
	if (!socket)
		return;
	stack_count(udp->stack, udp_errors);
	socket->failed = true;
	socket->failed_remote = remote;
	socket->error = error_of(error->kind);
	socket->mtu = error->mtu;
	mark(socket);
}

/* ---- up ---- */

static void error_deliver(struct udp_socket *socket)
{
	struct endpoint remote = socket->failed_remote;

	if (!socket->failed)
		return;
	socket->failed = false;
	if (socket->handlers.error)
		socket->handlers.error(socket, socket->user, &remote, socket->error, socket->mtu);
}

static void datagram_deliver(struct udp_socket *socket)
{
	struct udp_datagram d = socket->queue[socket->head];

	socket->head = (uint16_t)((socket->head + 1) % socket->size);
	socket->count--;
	if (socket->handlers.received)
		socket->handlers.received(socket, socket->user, &d.remote, &d.local, d.data);
	else
		rte_pktmbuf_free(d.data);
}

void udp_proto_deliver(struct udp_proto *udp)
{
	struct udp_socket *socket;

	while ((socket = STAILQ_FIRST(&udp->ready))) {
		STAILQ_REMOVE_HEAD(&udp->ready, in_ready);
		socket->ready = false;
		error_deliver(socket);
		while (socket->count > 0)
			datagram_deliver(socket);
	}
}

bool udp_proto_pending(const struct udp_proto *udp)
{
	return !STAILQ_EMPTY(&udp->ready);
}
