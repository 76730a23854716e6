/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/sluice-bench/wire.h"

#include <stdio.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#define DESCRIPTORS 1024
#define POOL_CACHE  256
#define NAME_BYTES  64
#define TX_WANTED \
	(RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
#define RX_WANTED RTE_ETH_RX_OFFLOAD_TCP_CKSUM

/* --- the beginning ----------------------------------------------------------------------- */

int wire_eal(const char *program, unsigned cpu, unsigned memory_mb)
{
	static char name[NAME_BYTES], lcores[NAME_BYTES], memory[NAME_BYTES];
	static char *args[] = {name,
			       lcores,
			       memory,
			       "--in-memory",
			       "--no-pci",
			       "--single-file-segments",
			       "--no-telemetry",
			       "--iova-mode=va",
			       "--log-level=error"};

	snprintf(name, sizeof(name), "%s", program);
	snprintf(lcores, sizeof(lcores), "--lcores=0@%u", cpu);
	snprintf(memory, sizeof(memory), "-m%u", memory_mb);
	if (rte_eal_init(RTE_DIM(args), args) >= 0)
		return 0;
	fprintf(stderr, "%s: DPDK does not start with %u MB of hugepages on CPU %u: %s\n", program,
		memory_mb, cpu, rte_strerror(rte_errno));
	return -1;
}

static int port_start(struct wire *wire)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	int rc = rte_eth_dev_info_get(wire->port, &info);

	if (rc)
		return rc;
	conf.txmode.offloads = info.tx_offload_capa & TX_WANTED;
	conf.rxmode.offloads = info.rx_offload_capa & RX_WANTED;
	rc = rte_eth_dev_configure(wire->port, 1, 1, &conf);
	if (!rc)
		rc = rte_eth_rx_queue_setup(wire->port, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL,
					    wire->pool);
	if (!rc)
		rc = rte_eth_tx_queue_setup(wire->port, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL);
	if (!rc)
		rc = rte_eth_dev_start(wire->port);
	return rc ? rc : rte_eth_macaddr_get(wire->port, &wire->mac);
}

int wire_open(struct wire *wire, const char *device, uint32_t buffers, uint16_t buffer_bytes)
{
	char name[NAME_BYTES];
	int rc;

	*wire = (struct wire){0};
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	wire->pool = rte_pktmbuf_pool_create(name, buffers, POOL_CACHE, 0,
					     (uint16_t)(buffer_bytes + RTE_PKTMBUF_HEADROOM),
					     SOCKET_ID_ANY);
	rc = wire->pool ? rte_dev_probe(device) : -rte_errno;
	if (!rc)
		rc = rte_eth_dev_get_port_by_name(name, &wire->port);
	if (!rc)
		rc = port_start(wire);
	if (rc)
		fprintf(stderr, "cannot open the device \"%s\": %s\n", device, strerror(-rc));
	return rc ? -1 : 0;
}

void wire_close(struct wire *wire)
{
	rte_pktmbuf_free_bulk(wire->out, wire->waiting);
	wire->waiting = 0;
	if (rte_eth_dev_stop(wire->port) == 0)
		(void)rte_eth_dev_close(wire->port);
}

/* --- frames ------------------------------------------------------------------------------ */

uint16_t wire_receive(struct wire *wire, struct rte_mbuf **frames)
{
	uint16_t n = rte_eth_rx_burst(wire->port, 0, frames, WIRE_BURST);

	wire->frames_in += n;
	return n;
}

void wire_flush(struct wire *wire)
{
	uint32_t sent = 0;

	while (sent < wire->waiting) {
		uint32_t left = wire->waiting - sent;
		uint16_t n = rte_eth_tx_burst(wire->port, 0, wire->out + sent,
					      (uint16_t)(left < WIRE_BURST ? left : WIRE_BURST));

		if (!n)
			break;
		sent += n;
	}
	wire->frames_out += sent;
	wire->waiting -= sent;
	if (wire->waiting && sent)
		memmove(wire->out, wire->out + sent, wire->waiting * sizeof(wire->out[0]));
}

/* --- ARP --------------------------------------------------------------------------------- */

struct arp_frame {
	struct rte_ether_hdr eth;
	struct rte_arp_hdr arp;
} __attribute__((packed, aligned(2)));

static void arp_answer(struct wire *wire, struct rte_mbuf *m)
{
	struct arp_frame *f = rte_pktmbuf_mtod(m, struct arp_frame *);
	struct rte_arp_ipv4 *d = &f->arp.arp_data;
	uint32_t ours = d->arp_tip;

	f->eth.dst_addr = d->arp_sha;
	f->eth.src_addr = wire->mac;
	f->arp.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	d->arp_tha = d->arp_sha;
	d->arp_tip = d->arp_sip;
	d->arp_sha = wire->mac;
	d->arp_sip = ours;
	m->ol_flags = 0;
	wire_send(wire, m);
}

void wire_arp(struct wire *wire, struct rte_mbuf *m, uint32_t ip, uint32_t ips,
	      struct rte_ether_addr *sender)
{
	const struct arp_frame *f = rte_pktmbuf_mtod(m, struct arp_frame *);

	if (m->data_len < sizeof(*f) || f->eth.ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP)) {
		rte_pktmbuf_free(m);
		return;
	}
	if (f->arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) &&
	    rte_be_to_cpu_32(f->arp.arp_data.arp_tip) - rte_be_to_cpu_32(ip) < ips) {
		arp_answer(wire, m);
		return;
	}
	if (sender && f->arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REPLY))
		*sender = f->arp.arp_data.arp_sha;
	rte_pktmbuf_free(m);
}

void wire_arp_ask(struct wire *wire, uint32_t ours, uint32_t whom)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(wire->pool);
	struct arp_frame *f;

	if (!m)
		return;
	f = (struct arp_frame *)rte_pktmbuf_append(m, sizeof(*f));
	*f = (struct arp_frame){
		.eth = {.src_addr = wire->mac, .ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP)},
		.arp = {.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
			.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
			.arp_hlen = RTE_ETHER_ADDR_LEN,
			.arp_plen = sizeof(uint32_t),
			.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST),
			.arp_data = {.arp_sha = wire->mac, .arp_sip = ours, .arp_tip = whom}},
	};
	memset(&f->eth.dst_addr, 0xff, sizeof(f->eth.dst_addr));
	wire_send(wire, m);
}
