/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/io.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_memory.h>
#include <rte_ring.h>

#include "dataplane/dispatch.h"
#include "dataplane/driver.h"
#include "dataplane/odd_pieces.h"
#include "l4stack/stack.h"

#define BURST        32  /* at most: `batch` of the configuration */
#define TX_QUEUE     512 /* packets that wait for a port's device */
#define HANDOFF_RING 4096
#define RING_SHARERS 4   /* of its room each worker counts on so much less */
#define TX_RETRY_US  100 /* before a device without room is asked again */
/* A device that takes nothing for so long has nobody at its other end. */
#define TX_PATIENCE_US 20000

struct tx_queue {
	unsigned count;
	uint64_t stuck_us; /* since when the device takes nothing; 0: it does */
	struct rte_mbuf *packet[TX_QUEUE];
};

struct io {
	struct worker_set *set;
	unsigned worker;
	struct memory_pools *pools;
	struct worker_load *load;
	uint64_t given;            /* workers that were given something in this turn, as bits */
	bool waits;                /* for room in another worker's ring */
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
	io->given |= UINT64_C(1) << to;
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
	got = n = rte_eth_rx_burst(port->id, (uint16_t)io->worker, pkts, (uint16_t)io->set->batch);
	if (!n)
		return 0;
	if (port->traits->private_rx)
		n = copy_shared(io, pkts, n);
	for (unsigned i = 0; i < n; i++)
		mark_pinned(pkts[i]);
	if (io->set->count > 1)
		n = sort_out(io, number, pkts, n);
	cycles_end_of(&io->load->cycles, CYCLES_RECEIVE);
	stack_input(stack, number, pkts, n);
	cycles_end_of(&io->load->cycles, CYCLES_STACK_IN);
	return got;
}

static unsigned receive_handed(struct io *io, struct stack *stack)
{
	struct rte_mbuf *pkts[BURST];
	unsigned n = rte_ring_sc_dequeue_burst(io->received, (void **)pkts, BURST, NULL);

	cycles_end_of(&io->load->cycles, CYCLES_RECEIVE);
	for (unsigned i = 0; i < n; i++)
		stack_input(stack, pkts[i]->port, &pkts[i], 1);
	cycles_end_of(&io->load->cycles, CYCLES_STACK_IN);
	return n;
}

unsigned io_receive(struct io *io, struct stack *stack)
{
	unsigned n = 0;

	for (unsigned p = 0; p < io->set->ports_count; p++)
		n += receive_port(io, stack, (uint16_t)p);
	if (io->received)
		n += receive_handed(io, stack);
	cycles_end_of(&io->load->cycles, CYCLES_RECEIVE);
	io->load->rx_packets += n;
	return n;
}

/* --- out --------------------------------------------------------------------------------- */

static bool must_prepare(const struct port *port, struct rte_mbuf *const *pkts, uint16_t n)
{
	uint64_t flags = 0;

	if (!(port->offloads & (STACK_TX_TCP_CSUM | STACK_TX_TSO | STACK_TX_IP_CSUM)))
		return false;
	if (!port->traits->plain_sums)
		return true;
	for (uint16_t i = 0; i < n; i++)
		flags |= pkts[i]->ol_flags;
	return flags & RTE_MBUF_F_TX_TCP_SEG;
}

/* How many of them the device can be given. */
static uint16_t prepare(const struct port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	return must_prepare(port, pkts, n) ? rte_eth_tx_prepare(port->id, queue, pkts, n) : n;
}

static void drop(struct io *io, struct rte_mbuf **pkts, unsigned n)
{
	rte_pktmbuf_free_bulk(pkts, n);
	io->load->tx_full_drops += n;
}

/* One burst from the start of `pkts`: how many are gone. A packet that the device refuses to
 * prepare would stand in the way for ever. */
static unsigned send_burst(struct io *io, const struct port *port, struct rte_mbuf **pkts,
			   unsigned count)
{
	uint16_t n = (uint16_t)RTE_MIN(count, (unsigned)BURST);

	n = prepare(port, (uint16_t)io->worker, pkts, n);
	if (!n) {
		drop(io, pkts, 1);
		return 1;
	}
	n = rte_eth_tx_burst(port->id, (uint16_t)io->worker, pkts, n);
	io->load->tx_packets += n;
	return n;
}

/* The port has no peer, as a vhost port before its guest comes, or an interface that is down. */
static void lose_patience(struct io *io, struct tx_queue *q, uint64_t now_us)
{
	if (!q->stuck_us)
		q->stuck_us = now_us;
	if (now_us - q->stuck_us < TX_PATIENCE_US)
		return;
	drop(io, q->packet, q->count);
	q->count = 0;
	q->stuck_us = 0;
}

static void flush_queue(struct io *io, const struct port *port, struct tx_queue *q)
{
	unsigned sent = 0, n = 1;

	while (n && sent < q->count) {
		n = send_burst(io, port, q->packet + sent, q->count - sent);
		sent += n;
	}
	if (!sent)
		return;
	q->stuck_us = 0;
	q->count -= sent;
	memmove(q->packet, q->packet + sent, q->count * sizeof(q->packet[0]));
}

/* Into buffers of that pool. NULL when there is no room for it. */
static struct rte_mbuf *copy_into(struct io *io, struct rte_mbuf *m, struct rte_mempool *pool)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);

	io->load->tx_copied_bytes += m->pkt_len;
	rte_pktmbuf_free(m);
	return copy;
}

/* Some of it lies where only a CPU can read it: in an application's arena. */
static bool is_foreign(const struct rte_mbuf *m)
{
	for (; m; m = m->next)
		if (RTE_MBUF_HAS_EXTBUF(m) && !rte_mem_virt2memseg(m->buf_addr, NULL))
			return true;
	return false;
}

static bool must_copy(const struct io *io, const struct port *port, const struct rte_mbuf *m)
{
	return !port->traits->cpu_tx &&
	       atomic_load_explicit(&io->set->foreign, memory_order_relaxed) && is_foreign(m);
}

/* Through the worker that owns the queue this one shares. */
static void send_by_other(struct io *io, const struct port *port, uint16_t number,
			  struct rte_mbuf *m)
{
	unsigned other = io->worker % port->queues;

	m->port = number;
	io->given |= UINT64_C(1) << other;
	if (rte_ring_mp_enqueue(io_of(io, other)->to_send, m) == 0)
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
		drop(io, &m, 1);
		return;
	}
	if (port->flattens && m->nb_segs > 1)
		m = copy_into(io, m, io->pools->flat); /* one piece */
	else if (must_copy(io, port, m))
		m = copy_into(io, m, io->pools->data);
	if (!m) {
		io->load->tx_full_drops++;
		return;
	}
	if (port->traits->even_pieces)
		odd_pieces_sum(m);
	q->packet[q->count++] = m;
}

static unsigned room_of(const struct tx_queue *q)
{
	return TX_QUEUE - q->count;
}

/* What any port may need. */
static unsigned least_room(const struct io *io)
{
	unsigned room = BURST;

	for (unsigned p = 0; p < io->set->ports_count; p++)
		room = RTE_MIN(room, room_of(&io->tx[p]));
	return room;
}

/* No more than there is room for: the others see that their ring fills. */
static void take_others(struct io *io)
{
	struct rte_mbuf *pkts[BURST];
	unsigned n = rte_ring_sc_dequeue_burst(io->to_send, (void **)pkts, least_room(io), NULL);

	for (unsigned i = 0; i < n; i++)
		io_output(io, pkts[i]->port, pkts[i]);
}

/* Those of them that sleep. What was put into their rings is seen before they are asked. */
static void wake_given(struct io *io)
{
	if (!io->given)
		return;
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned w = 0; w < io->set->count; w++)
		if (io->given >> w & 1)
			worker_wake(io->set->worker[w]);
	io->given = 0;
}

static void flush_own(struct io *io, struct stack *stack, uint16_t number, uint64_t now_us)
{
	struct tx_queue *q = &io->tx[number];

	if (q->count)
		flush_queue(io, &io->set->ports[number], q);
	if (q->count)
		lose_patience(io, q, now_us);
	stack_port_room(stack, number, room_of(q));
}

/* Of the ring to the worker that has the port's queue. Several workers may fill it. */
static void look_at_other(struct io *io, struct stack *stack, uint16_t number)
{
	unsigned other = io->worker % io->set->ports[number].queues;
	unsigned room = rte_ring_free_count(io_of(io, other)->to_send) / RING_SHARERS;

	io->waits |= room <= STACK_ROOM_KEPT;
	stack_port_room(stack, number, room);
}

void io_flush(struct io *io, struct stack *stack, uint64_t now_us)
{
	if (io->to_send)
		take_others(io);
	io->waits = false;
	for (uint16_t p = 0; p < io->set->ports_count; p++) {
		if (io->worker < io->set->ports[p].queues)
			flush_own(io, stack, p, now_us);
		else
			look_at_other(io, stack, p);
	}
	wake_given(io);
}

static bool was_given(const struct io *io)
{
	return io->received && (!rte_ring_empty(io->received) || !rte_ring_empty(io->to_send));
}

uint64_t io_next_us(const struct io *io, uint64_t now_us)
{
	if (was_given(io))
		return now_us;
	if (io->waits)
		return now_us + TX_RETRY_US;
	for (unsigned p = 0; p < io->set->ports_count; p++)
		if (io->tx[p].count)
			return now_us + TX_RETRY_US;
	return UINT64_MAX;
}

bool io_owns_flow(void *ctx, const struct endpoint *local, const struct endpoint *remote)
{
	const struct io *io = ctx;

	return io->set->count == 1 || dispatch_owns(local, remote, io->worker, io->set->count);
}

void io_reclaim(struct io *io)
{
	for (unsigned p = 0; p < io->set->ports_count; p++) {
		const struct port *port = &io->set->ports[p];

		if (port->reclaims && io->worker < port->queues)
			(void)rte_eth_tx_done_cleanup(port->id, (uint16_t)io->worker, 0);
	}
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
