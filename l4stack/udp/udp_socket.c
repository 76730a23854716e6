/* SPDX-License-Identifier: BSD-3-Clause */
/* The owner's side of sockets: bind, close, send. */
#include "l4stack/udp/udp_socket.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <stdlib.h>

#include "l4stack/base/pkt.h"
#include "l4stack/base/siphash.h"
#include "l4stack/ip/ip_packet.h"

#define EPHEMERAL_FIRST 49152u /* RFC 6335 §6 */
#define EPHEMERAL_COUNT 16384u
#define DATAGRAM_MOST   (65507 - UDP_HEADER_BYTES) /* behind an IPv4 header */

static bool answers_are_ours(const struct udp_proto *udp, const struct endpoint *local,
			     const struct endpoint *remote)
{
	const struct stack *stack = udp->stack;

	if (remote->addr.family == ADDR_NONE || !stack->ops->owns_flow)
		return true;
	return stack->ops->owns_flow(stack->ops_ctx, local, remote);
}

/* RFC 6056 §3.3.3: a hash of the peer says where to begin. */
static int port_choose(struct udp_proto *udp, struct endpoint *local, const struct endpoint *remote)
{
	uint64_t from = siphash24(udp->stack->conf.secret, &remote->addr, sizeof(remote->addr));

	for (unsigned i = 0; i < EPHEMERAL_COUNT; i++) {
		uint64_t at = from + udp->ports_tried++;

		local->port = (uint16_t)(EPHEMERAL_FIRST + at % EPHEMERAL_COUNT);
		if (!udp_find(udp, local, remote) && answers_are_ours(udp, local, remote))
			return 0;
	}
	return -EADDRNOTAVAIL;
}

static int conf_check(const struct udp_proto *udp, const struct udp_conf *conf)
{
	const struct addr *local = &conf->local.addr, *remote = &conf->remote.addr;

	if (local->family == ADDR_NONE || conf->queue > UDP_QUEUE_MAX)
		return -EINVAL;
	if (remote->family != ADDR_NONE && remote->family != local->family)
		return -EINVAL;
	if (!addr_is_any(local) && !ip_address_is_ours(udp->stack, local))
		return -EADDRNOTAVAIL;
	return udp->count == UDP_SOCKETS_MAX ? -ENFILE : 0;
}

static struct udp_socket *socket_make(struct udp_proto *udp, const struct udp_conf *conf,
				      const struct endpoint *local)
{
	uint16_t size = conf->queue ? conf->queue : UDP_QUEUE_DEFAULT;
	struct udp_socket *socket;

	socket = calloc(1, sizeof(*socket) + size * sizeof(struct udp_datagram));
	if (!socket)
		return NULL;
	socket->udp = udp;
	socket->local = *local;
	socket->remote = conf->remote;
	socket->size = size;
	udp->count++;
	SLIST_INSERT_HEAD(udp_bucket_of(udp, local->port), socket, in_bucket);
	return socket;
}

int udp_bind(struct stack *stack, const struct udp_conf *conf, const struct udp_handlers *handlers,
	     void *user, struct udp_socket **out)
{
	struct udp_proto *udp = stack->udp;
	struct endpoint local = conf->local;
	int err = conf_check(udp, conf);

	if (err)
		return err;
	if (local.port == 0)
		err = port_choose(udp, &local, &conf->remote);
	else if (udp_find(udp, &local, &conf->remote))
		err = -EADDRINUSE;
	if (err)
		return err;
	*out = socket_make(udp, conf, &local);
	if (!*out)
		return -ENOMEM;
	(*out)->handlers = *handlers;
	(*out)->user = user;
	return 0;
}

void udp_close(struct udp_socket *socket)
{
	struct udp_proto *udp = socket->udp;

	for (unsigned i = 0; i < socket->count; i++)
		rte_pktmbuf_free(socket->queue[(socket->head + i) % socket->size].data);
	if (socket->ready)
		STAILQ_REMOVE(&udp->ready, socket, udp_socket, in_ready);
	SLIST_REMOVE(udp_bucket_of(udp, socket->local.port), socket, udp_socket, in_bucket);
	udp->count--;
	free(socket);
}

struct endpoint udp_local(const struct udp_socket *socket)
{
	return socket->local;
}

/* ---- sending ---- */

/* The header in an mbuf of its own, before the data. NULL, and the data freed. */
static struct rte_mbuf *datagram_make(const struct udp_socket *socket, const struct endpoint *to,
				      struct rte_mbuf *data)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(socket->udp->stack->pools.header);
	struct udp_header *header;

	if (!pkt) {
		rte_pktmbuf_free(data);
		return NULL;
	}
	header = (struct udp_header *)rte_pktmbuf_append(pkt, sizeof(*header));
	if (data)
		pkt_chain(pkt, data);
	*header = (struct udp_header){
		.src = rte_cpu_to_be_16(socket->local.port),
		.dst = rte_cpu_to_be_16(to->port),
		.len = rte_cpu_to_be_16((uint16_t)pkt->pkt_len),
	};
	return pkt;
}

static int path_find(const struct udp_socket *socket, const struct addr *from,
		     const struct endpoint *to, struct ip_path *out)
{
	static const struct addr any_source;

	if (!from)
		from = addr_is_any(&socket->local.addr) ? &any_source : &socket->local.addr;
	return ip_path_find(socket->udp->stack, &to->addr, from, out);
}

static int datagram_check(const struct endpoint *to, const struct rte_mbuf *data)
{
	if (to->addr.family == ADDR_NONE || to->port == 0)
		return -EDESTADDRREQ;
	return data && data->pkt_len > DATAGRAM_MOST ? -EMSGSIZE : 0;
}

int udp_send(struct udp_socket *socket, const struct addr *from, const struct endpoint *to,
	     struct rte_mbuf *data)
{
	struct stack *stack = socket->udp->stack;
	struct ip_path path;
	struct rte_mbuf *pkt;
	int err;

	if (!to)
		to = &socket->remote;
	err = datagram_check(to, data);
	if (!err)
		err = path_find(socket, from, to, &path);
	if (err) {
		rte_pktmbuf_free(data);
		return err;
	}
	pkt = datagram_make(socket, to, data);
	if (!pkt)
		return -ENOBUFS;
	stack_count(stack, udp_datagrams_out);
	ip_output(stack, &path, IP_PROTOCOL_UDP, pkt, 0);
	ip_path_release(stack, &path);
	return 0;
}
