/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port as the benchmarks use it: one queue each way, checksums and segmentation left to the
 * device. What cannot be sent at once waits; nothing is thrown away here.
 */
#ifndef TESTS_BENCH_SLUICE_BENCH_WIRE_H
#define TESTS_BENCH_SLUICE_BENCH_WIRE_H

#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#define WIRE_BURST 32
#define WIRE_QUEUE 4096

struct wire {
	uint16_t port;
	struct rte_ether_addr mac;
	struct rte_mempool *pool;
	uint32_t waiting;
	uint64_t frames_in, frames_out, overflows;
	struct rte_mbuf *out[WIRE_QUEUE];
};

/* EAL with `memory_mb` of hugepages, its one thread on that CPU. 0, or -1 and a sentence on stderr.
 */
int wire_eal(const char *program, unsigned cpu, unsigned memory_mb);

/* Opens the device (as DPDK writes them) with a pool of buffers of that size. 0, or -1 and a
 * sentence on stderr. */
int wire_open(struct wire *wire, const char *device, uint32_t buffers, uint16_t buffer_bytes)
	__attribute__((warn_unused_result));

void wire_close(struct wire *wire);

uint16_t wire_receive(struct wire *wire, struct rte_mbuf **frames);
void wire_flush(struct wire *wire);

/* Takes it over; it goes out with the next flush. */
static inline void wire_send(struct wire *wire, struct rte_mbuf *m)
{
	if (wire->waiting == WIRE_QUEUE)
		wire_flush(wire);
	if (wire->waiting == WIRE_QUEUE) {
		wire->overflows++;
		rte_pktmbuf_free(m);
		return;
	}
	wire->out[wire->waiting++] = m;
}

/* Answers a question for one of `ips` addresses from `ip` (network order) on in place, or frees it.
 * Of an answer the sender's hardware address is left in `sender`. */
void wire_arp(struct wire *wire, struct rte_mbuf *m, uint32_t ip, uint32_t ips,
	      struct rte_ether_addr *sender);
/* Asks for the hardware address of `whom`. */
void wire_arp_ask(struct wire *wire, uint32_t ours, uint32_t whom);

#endif
