/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets out and in again over net_ring, whose far end is its near end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "dataplane/driver.h"
#include "dataplane/io.h"
#include "l4stack/stack.h"
#include "tests/unit/support/eal.h"

#define POOL       4096
#define DEVICE     "net_ring0"
#define RING_ROOM  1024 /* net_ring's, of which one place is never filled */
#define SEEN_MAX   64
#define PAYLOAD    100
#define PATIENT_US 20000
#define TX_QUEUE   512
#define RING_SHARE 1023 /* of an empty ring between two workers, what one of them counts on */

/* --- fakes ------------------------------------------------------------------------------- */

struct worker {
	struct io *io;
	unsigned woken;
};

static struct worker workers[2];

struct io *worker_io(struct worker *worker)
{
	return worker->io;
}

void worker_wake(struct worker *worker)
{
	worker->woken++;
}

static struct rte_mbuf *seen[SEEN_MAX];
static unsigned seen_count, marked_count;
static uint16_t seen_port;

/* net_ring gives back the very buffer that was sent; in life it is one of the receive pool, whose
 * payload lies apart, and is marked so. */
static void unmark(struct rte_mbuf *m)
{
	marked_count += (m->ol_flags & RTE_MBUF_F_EXTERNAL) != 0;
	m->ol_flags &= ~RTE_MBUF_F_EXTERNAL;
}

void stack_input(struct stack *stack, uint16_t port, struct rte_mbuf **pkts, unsigned n)
{
	(void)stack;
	seen_port = port;
	for (unsigned i = 0; i < n; i++) {
		assert_true(seen_count < SEEN_MAX);
		unmark(pkts[i]);
		seen[seen_count++] = pkts[i];
	}
}

static unsigned room;

void stack_port_room(struct stack *stack, uint16_t port, uint32_t packets)
{
	(void)stack;
	assert_int_equal(port, 0);
	room = packets;
}

/* --- the bench --------------------------------------------------------------------------- */

static struct rte_mempool *rx, *data, *flat;
static struct driver traits;
static struct port port;
static struct worker_load load[2];
static struct memory_pools pools[2];
static struct worker_set set;

static struct rte_mbuf *frame(uint16_t type, uint8_t last)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(data);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, PAYLOAD);

	memset(p, 0, PAYLOAD);
	p[12] = (uint8_t)(type >> 8);
	p[13] = (uint8_t)type;
	p[PAYLOAD - 1] = last;
	return m;
}

static uint8_t last_byte(const struct rte_mbuf *m)
{
	return *rte_pktmbuf_mtod_offset(m, uint8_t *, m->pkt_len - 1);
}

static void forget_seen(void)
{
	rte_pktmbuf_free_bulk(seen, seen_count);
	seen_count = marked_count = 0;
}

static void make_workers(unsigned count)
{
	set.count = count;
	for (unsigned w = 0; w < count; w++) {
		set.worker[w] = &workers[w];
		assert_int_equal(io_create(&set, w, &pools[w], &load[w], &workers[w].io), 0);
	}
}

static int setup(void **state)
{
	(void)state;
	traits = (struct driver){.name = ""};
	memset(workers, 0, sizeof(workers));
	memset(load, 0, sizeof(load));
	room = 0;
	for (unsigned w = 0; w < 2; w++)
		pools[w] = (struct memory_pools){.rx = rx, .data = data, .flat = flat, .worker = w};
	port.queues = 1;
	port.flattens = false;
	port.traits = &traits;
	set = (struct worker_set){.ports = &port, .ports_count = 1, .batch = 32};
	return 0;
}

static int teardown(void **state)
{
	struct rte_mbuf *m;

	(void)state;
	forget_seen();
	while (rte_eth_rx_burst(port.id, 0, &m, 1))
		rte_pktmbuf_free(m);
	for (unsigned w = 0; w < set.count; w++)
		io_destroy(workers[w].io);
	assert_int_equal(rte_mempool_in_use_count(rx), 0);
	assert_int_equal(rte_mempool_in_use_count(data), 0);
	assert_int_equal(rte_mempool_in_use_count(flat), 0);
	return 0;
}

static int open_port(void)
{
	struct rte_eth_conf conf = {0};

	return rte_dev_probe(DEVICE) || rte_eth_dev_get_port_by_name(DEVICE, &port.id) ||
	       rte_eth_dev_configure(port.id, 1, 1, &conf) ||
	       rte_eth_rx_queue_setup(port.id, 0, RING_ROOM, 0, NULL, rx) ||
	       rte_eth_tx_queue_setup(port.id, 0, RING_ROOM, 0, NULL) || rte_eth_dev_start(port.id);
}

static int group_setup(void **state)
{
	(void)state;
	if (eal_start())
		return -1;
	rx = eal_pool("rx", POOL, 2048);
	data = eal_pool("data", POOL, 2048);
	flat = eal_pool("flat", 8, 2048);
	return rx && data && flat ? open_port() : -1;
}

/* --- tests ------------------------------------------------------------------------------- */

static void out_and_in_again(void **state)
{
	(void)state;
	make_workers(1);
	for (uint8_t i = 0; i < 40; i++)
		io_output(workers[0].io, 0, frame(0x88b5, i));
	assert_int_equal(io_next_us(workers[0].io, 1000), 1100);
	io_flush(workers[0].io, NULL, 1000);
	assert_true(io_next_us(workers[0].io, 1000) == UINT64_MAX);
	assert_int_equal(io_receive(workers[0].io, NULL), 32); /* a burst at a time */
	assert_int_equal(io_receive(workers[0].io, NULL), 8);
	assert_int_equal(seen_port, 0);
	assert_int_equal(marked_count, 40);
	for (uint8_t i = 0; i < 40; i++)
		assert_int_equal(last_byte(seen[i]), i);
	assert_int_equal(load[0].rx_packets, 40);
	assert_int_equal(load[0].tx_packets, 40);
}

static void as_many_as_a_batch_may_have(void **state)
{
	(void)state;
	make_workers(1);
	set.batch = 1;
	for (uint8_t i = 0; i < 2; i++)
		io_output(workers[0].io, 0, frame(0x88b5, i));
	io_flush(workers[0].io, NULL, 1000);
	assert_int_equal(io_receive(workers[0].io, NULL), 1);
	assert_int_equal(io_receive(workers[0].io, NULL), 1);
	assert_int_equal(last_byte(seen[1]), 1);
}

/* A device that takes one segment gets the same bytes, copied and counted. */
static void chains_become_one_piece(void **state)
{
	struct rte_mbuf *m = frame(0x88b5, 1);

	(void)state;
	port.flattens = true;
	make_workers(1);
	assert_int_equal(rte_pktmbuf_chain(m, frame(0, 7)), 0);
	io_output(workers[0].io, 0, m);
	io_output(workers[0].io, 0, frame(0x88b5, 8));
	io_flush(workers[0].io, NULL, 0);
	assert_int_equal(io_receive(workers[0].io, NULL), 2);
	assert_int_equal(seen[0]->nb_segs, 1);
	assert_int_equal(seen[0]->pkt_len, 2 * PAYLOAD);
	assert_int_equal(*rte_pktmbuf_mtod_offset(seen[0], uint8_t *, PAYLOAD - 1), 1);
	assert_int_equal(last_byte(seen[0]), 7);
	assert_ptr_equal(seen[0]->pool, flat);
	assert_ptr_equal(seen[1]->pool, data);
	assert_int_equal(load[0].tx_copied_bytes, 2 * PAYLOAD);
}

static void without_room_for_the_copy(void **state)
{
	(void)state;
	port.flattens = true;
	make_workers(1);
	for (uint8_t i = 0; i < 10; i++) {
		struct rte_mbuf *m = frame(0x88b5, i);

		assert_int_equal(rte_pktmbuf_chain(m, frame(0, i)), 0);
		io_output(workers[0].io, 0, m);
	}
	io_flush(workers[0].io, NULL, 0);
	assert_int_equal(load[0].tx_packets, 8);
	assert_int_equal(load[0].tx_full_drops, 2);
}

/* The ring is full and nobody takes anything: what waits is dropped in the end, not kept. */
static void a_device_without_a_peer(void **state)
{
	struct io *io;

	(void)state;
	make_workers(1);
	io = workers[0].io;
	for (unsigned i = 0; i < RING_ROOM + 9; i++)
		io_output(io, 0, frame(0x88b5, 0));
	io_flush(io, NULL, 1000);
	assert_int_equal(load[0].tx_packets, RING_ROOM - 1);
	io_flush(io, NULL, 1000 + PATIENT_US - 1);
	assert_int_equal(load[0].tx_full_drops, 0);
	io_flush(io, NULL, 1000 + PATIENT_US);
	assert_int_equal(load[0].tx_full_drops, 10);
	assert_true(io_next_us(io, 0) == UINT64_MAX);
}

static void a_late_peer_gets_what_waits(void **state)
{
	struct io *io;

	(void)state;
	make_workers(1);
	io = workers[0].io;
	for (unsigned i = 0; i < RING_ROOM + 9; i++)
		io_output(io, 0, frame(0x88b5, 0));
	io_flush(io, NULL, 1000);
	assert_int_equal(io_receive(io, NULL), 32);
	io_flush(io, NULL, 1000 + PATIENT_US);
	assert_int_equal(load[0].tx_packets, RING_ROOM + 9);
	assert_int_equal(load[0].tx_full_drops, 0);
}

/* What stays takes room away, and what was lost on its way here does not. */
static void the_stack_is_told_the_room(void **state)
{
	struct io *io;

	(void)state;
	make_workers(1);
	io = workers[0].io;
	io_flush(io, NULL, 1000);
	assert_int_equal(room, TX_QUEUE);
	for (unsigned i = 0; i < RING_ROOM + 9; i++)
		io_output(io, 0, frame(0x88b5, 0));
	io_flush(io, NULL, 1000);
	assert_int_equal(room, TX_QUEUE - 10);
	assert_int_equal(io_receive(io, NULL), 32);
	io_flush(io, NULL, 1000);
	assert_int_equal(room, TX_QUEUE);
	assert_int_equal(load[0].tx_full_drops, 0);
}

/* As much as was told is never dropped, whatever the device does. */
static void what_was_told_is_kept(void **state)
{
	struct io *io;

	(void)state;
	make_workers(1);
	io = workers[0].io;
	for (unsigned i = 0; i < RING_ROOM + 99; i++)
		io_output(io, 0, frame(0x88b5, 0));
	io_flush(io, NULL, 1000);
	assert_int_equal(room, TX_QUEUE - 100);
	for (unsigned i = room; i; i--)
		io_output(io, 0, frame(0x88b5, 0));
	io_flush(io, NULL, 1000);
	assert_int_equal(room, 0);
	assert_int_equal(load[0].tx_full_drops, 0);
	io_output(io, 0, frame(0x0806, 0)); /* which does not ask */
	assert_int_equal(load[0].tx_full_drops, 1);
}

/* Where the device cannot receive into the shared region, once, and counted. */
static void payload_comes_into_the_region(void **state)
{
	(void)state;
	traits.private_rx = true;
	make_workers(1);
	io_output(workers[0].io, 0, frame(0x88b5, 9));
	io_flush(workers[0].io, NULL, 0);
	assert_int_equal(io_receive(workers[0].io, NULL), 1);
	assert_ptr_equal(seen[0]->pool, rx);
	assert_int_equal(last_byte(seen[0]), 9);
	assert_int_equal(load[0].rx_copied_bytes, PAYLOAD);
}

/* Two workers, one queue: the second has none, sends through the first and is told by it. */
static void the_second_worker_has_no_queue(void **state)
{
	(void)state;
	make_workers(2);
	io_output(workers[1].io, 0, frame(0x0806, 5));
	io_flush(workers[1].io, NULL, 0);
	assert_int_equal(workers[0].woken, 1);
	assert_int_equal(io_next_us(workers[0].io, 77), 77);
	io_flush(workers[0].io, NULL, 0);
	assert_int_equal(load[0].tx_packets, 1);
	assert_int_equal(io_receive(workers[0].io, NULL), 1); /* ARP: everybody's */
	io_flush(workers[0].io, NULL, 0);
	assert_int_equal(workers[1].woken, 1);
	assert_int_equal(io_next_us(workers[1].io, 77), 77);
	assert_int_equal(io_receive(workers[1].io, NULL), 1);
	assert_int_equal(seen_count, 2);
	assert_int_equal(last_byte(seen[1]), 5);
	assert_int_equal(load[0].handoffs, 1);
}

/* It goes by the ring to the worker that has one, and comes back when that has room again. */
static void the_second_worker_is_told_of_the_ring(void **state)
{
	struct io *first, *second;

	(void)state;
	make_workers(2);
	first = workers[0].io;
	second = workers[1].io;
	io_flush(second, NULL, 0);
	assert_int_equal(room, RING_SHARE);
	for (unsigned i = 0; i < RING_ROOM - 1 + TX_QUEUE; i++)
		io_output(first, 0, frame(0x88b5, 0));
	for (unsigned i = 0; i < POOL - RING_ROOM - TX_QUEUE; i++)
		io_output(second, 0, frame(0x88b5, 0));
	io_flush(first, NULL, 0);
	assert_int_equal(load[0].tx_packets, RING_ROOM - 1);
	assert_int_equal(load[0].tx_full_drops, 0);
	io_flush(second, NULL, 0);
	assert_int_equal(room, RING_SHARE - (POOL - RING_ROOM - TX_QUEUE) / 4);
	assert_int_equal(load[1].tx_full_drops, 0);
}

/* Nobody tells the second worker that the first has emptied the ring: it looks again, soon. */
static void the_second_worker_looks_again(void **state)
{
	struct io *first, *second;

	(void)state;
	make_workers(2);
	first = workers[0].io;
	second = workers[1].io;
	for (unsigned i = 0; i < POOL - 256; i++)
		io_output(second, 0, frame(0x88b5, 0));
	io_flush(second, NULL, 0);
	assert_int_equal(room, STACK_ROOM_KEPT - 1);
	assert_int_equal(io_next_us(second, 1000), 1100);
	io_flush(first, NULL, 0);
	io_flush(second, NULL, 0);
	assert_true(room > STACK_ROOM_KEPT);
	assert_true(io_next_us(second, 1000) == UINT64_MAX);
}

/* What is still in a ring between two workers at the end is given back: see teardown. */
static void handed_over_and_never_taken(void **state)
{
	(void)state;
	make_workers(2);
	for (unsigned i = 0; i < 20; i++)
		io_output(workers[1].io, 0, frame(0x0806, 0));
	io_flush(workers[0].io, NULL, 0);
	assert_int_equal(io_receive(workers[0].io, NULL), 20);
	io_output(workers[1].io, 0, frame(0x0806, 0));
	io_output(workers[0].io, 0, frame(0x0806, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(out_and_in_again),
		TEST(as_many_as_a_batch_may_have),
		TEST(chains_become_one_piece),
		TEST(without_room_for_the_copy),
		TEST(a_device_without_a_peer),
		TEST(a_late_peer_gets_what_waits),
		TEST(the_stack_is_told_the_room),
		TEST(what_was_told_is_kept),
		TEST(payload_comes_into_the_region),
		TEST(the_second_worker_has_no_queue),
		TEST(the_second_worker_is_told_of_the_ring),
		TEST(the_second_worker_looks_again),
		TEST(handed_over_and_never_taken),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
