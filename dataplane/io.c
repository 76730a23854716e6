/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/dispatch.h"
#include "l4stack/stack.h"

#define BURST        32
#define TX_QUEUE     512 /* packets that wait for a port's device */
#define HANDOFF_RING 4096

struct tx_queue {
	unsigned count;
	struct rte_mbuf *packet[TX_QUEUE];
};

struct io {
	struct worker_set *set;
	unsigned worker;
	struct memory_pools *pools;
	struct worker_load *load;
	struct rte_ring *received; /* packets other workers found for us; NULL with one worker */
	struct rte_ring *to_send; /* packets of workers that have no queue of their own in a port */
	struct tx_queue tx[PORTS_MAX];
};

static struct rte_ring *ring_create(const char *what, unsigned worker, int node)
{
	char name[32];

	snprintf(name, sizeof(name), "%s.%u", what, worker);
	return rte_ring_create(name, HANDOFF_RING, node, RING_F_SC_DEQ);
}

int io_create(struct worker_set *set, unsigned worker, struct memory_pools *pools,
	      struct worker_load *load, struct io **out)
{
	struct io *io = calloc(1, sizeof(*io));

	if (!io)
		return -ENOMEM;
	*io = (struct io){.set = set, .worker = worker, .pools = pools, .load = load};
	if (set->count > 1) {
		io->received = ring_create("received", worker, pools->node);
		io->to_send = ring_create("tosend", worker, pools->node);
		if (!io->received || !io->to_send) {
			io_destroy(io);
			return -ENOMEM;
		}
	}
	*out = io;
	return 0;
}

static void ring_destroy(struct rte_ring *ring)
{
	struct rte_mbuf *m;

	while (ring && rte_ring_dequeue(ring, (void **)&m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void io_destroy(struct io *io)
{
	if (!io)
		return;
	for (unsigned p = 0; p < PORTS_MAX; p++)
		rte_pktmbuf_free_bulk(io->tx[p].packet, io->tx[p].count);
	ring_destroy(io->received);
	ring_destroy(io->to_send);
	free(io);
}

static struct io *io_of(const struct io *io, unsigned worker)
{
	return worker_io(io->set->worker[worker]);
}

/* --- in ---------------------------------------------------------------------------------- */

/* Some drivers clear ol_flags whole; that the payload is pinned apart must not be forgotten. */
static void mark_pinned(struct rte_mbuf *m)
{
	for (; m; m = m->next)
		m->ol_flags |= RTE_MBUF_F_EXTERNAL;
}

/* Into the shared region, once, where the device could not do it itself. */
static unsigned copy_shared(struct io *io, struct rte_mbuf **pkts, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *copy = rte_pktmbuf_copy(pkts[i], io->pools->rx, 0, UINT32_MAX);

		io->load->rx_copied_bytes += rte_pktmbuf_pkt_len(pkts[i]);
		rte_pktmbuf_free(pkts[i]);
		if (copy)
			pkts[kept++] = copy;
	}
	return kept;
}

static void hand_over(struct io *io, unsigned to, uint16_t port, struct rte_mbuf *m)
{
	m->port = port;
	io->load->handoffs++;
	if (rte_ring_mp_enqueue(io_of(io, to)->received, m) == 0)
		return;
	io->load->handoff_drops++;
	rte_pktmbuf_free(m);
}

static void hand_to_others(struct io *io, uint16_t port, const struct rte_mbuf *m)
{
	for (unsigned w = 0; w < io->set->count; w++) {
		struct rte_mbuf *copy;

		if (w == io->worker)
			continue;
		copy = rte_pktmbuf_copy(m, io->pools->data, 0, UINT32_MAX);
		if (copy)
			hand_over(io, w, port, copy);
	}
}

/* Keeps what is ours, in order; gives the rest to its owners. */
static unsigned sort_out(struct io *io, uint16_t port, struct rte_mbuf **pkts, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t owner = dispatch_owner(pkts[i], io->set->count);

		if (owner == DISPATCH_ALL)
			hand_to_others(io, port, pkts[i]);
		if (owner == DISPATCH_ALL || owner == io->worker)
			pkts[kept++] = pkts[i];
		else
			hand_over(io, owner, port, pkts[i]);
	}
	return kept;
}

static unsigned receive_port(struct io *io, struct stack *stack, uint16_t number)
{
	const struct port *port = &io->set->ports[number];
	struct rte_mbuf *pkts[BURST];
	unsigned n, got;

	if (io->worker >= port->queues)
		return 0;
	got = n = rte_eth_rx_burst(port->id, (uint16_t)io->worker, pkts, BURST);
	if (!n)
		return 0;
	if (!port->shares_rx)
		n = copy_shared(io, pkts, n);
	for (unsigned i = 0; i < n; i++)
		mark_pinned(pkts[i]);
	if (io->set->count > 1)
		n = sort_out(io, number, pkts, n);
	stack_input(stack, number, pkts, n);
	return got;
}

static unsigned receive_handed(struct io *io, struct stack *stack)
{
	struct rte_mbuf *pkts[BURST];
	unsigned n = rte_ring_sc_dequeue_burst(io->received, (void **)pkts, BURST, NULL);

	for (unsigned i = 0; i < n; i++)
		stack_input(stack, pkts[i]->port, &pkts[i], 1);
	return n;
}

unsigned io_receive(struct io *io, struct stack *stack)
{
	unsigned n = 0;

	for (unsigned p = 0; p < io->set->ports_count; p++)
		n += receive_port(io, stack, (uint16_t)p);
	if (io->received)
		n += receive_handed(io, stack);
	io->load->rx_packets += n;
	return n;
}

/* --- out --------------------------------------------------------------------------------- */

static uint16_t send_burst(const struct port *port, uint16_t queue, struct rte_mbuf **pkts,
			   uint16_t n)
{
	uint16_t ready = n;

	if (port->offloads & (STACK_TX_TCP_CSUM | STACK_TX_TSO | STACK_TX_IP_CSUM))
		ready = rte_eth_tx_prepare(port->id, queue, pkts, n);
	return rte_eth_tx_burst(port->id, queue, pkts, ready);
}

/* A packet that the device refuses to prepare would stand in the way for ever. */
static void drop_first(struct io *io, struct tx_queue *q)
{
	rte_pktmbuf_free(q->packet[0]);
	io->load->tx_full_drops++;
}

static void flush_queue(struct io *io, const struct port *port, struct tx_queue *q)
{
	unsigned sent = 0, n;

	while (sent < q->count) {
		unsigned want = RTE_MIN(q->count - sent, (unsigned)BURST);

		n = send_burst(port, (uint16_t)io->worker, q->packet + sent, (uint16_t)want);
		sent += n;
		io->load->tx_packets += n;
		if (n < want)
			break;
	}
	if (!sent && q->count == TX_QUEUE) {
		drop_first(io, q);
		sent = 1;
	}
	q->count -= sent;
	memmove(q->packet, q->packet + sent, q->count * sizeof(q->packet[0]));
}

/* Through the worker that owns the queue this one shares. */
static void send_by_other(struct io *io, const struct port *port, uint16_t number,
			  struct rte_mbuf *m)
{
	m->port = number;
	if (rte_ring_mp_enqueue(io_of(io, io->worker % port->queues)->to_send, m) == 0)
		return;
	io->load->tx_full_drops++;
	rte_pktmbuf_free(m);
}

void io_output(void *ctx, uint16_t number, struct rte_mbuf *m)
{
	struct io *io = ctx;
	const struct port *port = &io->set->ports[number];
	struct tx_queue *q = &io->tx[number];

	if (io->worker >= port->queues) {
		send_by_other(io, port, number, m);
		return;
	}
	if (q->count == TX_QUEUE)
		flush_queue(io, port, q);
	if (q->count == TX_QUEUE) {
		io->load->tx_full_drops++;
		rte_pktmbuf_free(m);
		return;
	}
	q->packet[q->count++] = m;
}

static void take_others(struct io *io)
{
	struct rte_mbuf *pkts[BURST];
	unsigned n = rte_ring_sc_dequeue_burst(io->to_send, (void **)pkts, BURST, NULL);

	for (unsigned i = 0; i < n; i++)
		io_output(io, pkts[i]->port, pkts[i]);
}

void io_flush(struct io *io)
{
	if (io->to_send)
		take_others(io);
	for (unsigned p = 0; p < io->set->ports_count; p++)
		if (io->tx[p].count)
			flush_queue(io, &io->set->ports[p], &io->tx[p]);
}

bool io_pending(const struct io *io)
{
	for (unsigned p = 0; p < io->set->ports_count; p++)
		if (io->tx[p].count)
			return true;
	return io->received && (!rte_ring_empty(io->received) || !rte_ring_empty(io->to_send));
}

bool io_owns_flow(void *ctx, const struct endpoint *local, const struct endpoint *remote)
{
	const struct io *io = ctx;

	return io->set->count == 1 || dispatch_owns(local, remote, io->worker, io->set->count);
}

void io_interrupts(struct io *io, bool on)
{
	for (unsigned p = 0; p < io->set->ports_count; p++) {
		const struct port *port = &io->set->ports[p];

		if (!port->interrupts || io->worker >= port->queues)
			continue;
		if (on)
			(void)rte_eth_dev_rx_intr_enable(port->id, (uint16_t)io->worker);
		else
			(void)rte_eth_dev_rx_intr_disable(port->id, (uint16_t)io->worker);
	}
}
