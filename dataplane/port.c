/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "dataplane/port_wake.h"
#include "l4stack/stack.h"
#include "mgmt/conf/conf.h"

#define DESCRIPTORS_DEFAULT 1024

/* Drivers that need mbufs with payload behind their headers. */
static const char *const private_drivers[] = {"net_af_xdp"};

/* DPDK's name for an offload, and the stack's. */
static const struct {
	uint64_t dpdk;
	uint32_t stack;
} tx_offloads[] = {
	{RTE_ETH_TX_OFFLOAD_IPV4_CKSUM, STACK_TX_IP_CSUM},
	{RTE_ETH_TX_OFFLOAD_TCP_CKSUM, STACK_TX_TCP_CSUM},
	{RTE_ETH_TX_OFFLOAD_UDP_CKSUM, STACK_TX_UDP_CSUM},
	{RTE_ETH_TX_OFFLOAD_TCP_TSO, STACK_TX_TSO},
	{RTE_ETH_TX_OFFLOAD_MULTI_SEGS, STACK_TX_MULTI_SEG},
};

#define RX_CSUM (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)

static int fail(char *error, size_t size, const struct conf_port *conf, const char *what, int rc)
{
	snprintf(error, size, "%s:%u: port \"%s\" (device \"%s\"): %s: %s", conf->place.file,
		 conf->place.line, conf->name, conf->device, what, strerror(-rc));
	return rc;
}

/* The device's name is what stands before the first comma. */
static void device_name(const char *device, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)strcspn(device, ","), device);
}

static bool driver_is_private(const char *driver)
{
	for (unsigned i = 0; i < RTE_DIM(private_drivers); i++)
		if (!strcmp(driver, private_drivers[i]))
			return true;
	return false;
}

static int probe(struct port *port, char *error, size_t size)
{
	char name[64];
	int rc;

	device_name(port->conf->device, name, sizeof(name));
	if (rte_eth_dev_get_port_by_name(name, &port->id) == 0)
		return 0; /* on the bus when EAL started */
	rc = rte_dev_probe(port->conf->device);
	if (rc)
		return fail(error, size, port->conf, "cannot open the device", rc);
	rc = rte_eth_dev_get_port_by_name(name, &port->id);
	return rc ? fail(error, size, port->conf, "no such network device", rc) : 0;
}

static uint64_t choose_tx(struct port *port, const struct rte_eth_dev_info *info)
{
	uint64_t dpdk = 0;

	for (unsigned i = 0; i < RTE_DIM(tx_offloads); i++) {
		if (!(info->tx_offload_capa & tx_offloads[i].dpdk))
			continue;
		if (!port->conf->offload && tx_offloads[i].stack != STACK_TX_MULTI_SEG)
			continue;
		dpdk |= tx_offloads[i].dpdk;
		port->offloads |= tx_offloads[i].stack;
	}
	return dpdk;
}

static uint64_t choose_rx(struct port *port, const struct rte_eth_dev_info *info)
{
	uint64_t dpdk = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;

	if (port->conf->offload && (info->rx_offload_capa & RX_CSUM) == RX_CSUM) {
		dpdk |= RX_CSUM;
		port->offloads |= STACK_RX_CSUM;
	}
	return dpdk;
}

static void choose_rss(struct rte_eth_conf *eth, const struct rte_eth_dev_info *info,
		       unsigned queues)
{
	uint64_t want = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;

	if (queues < 2 || !(info->flow_type_rss_offloads & want))
		return;
	eth->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	eth->rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & want;
}

/* With receive interrupts where the driver has them: that is what an idle worker sleeps on. */
static int configure(struct port *port, struct rte_eth_conf *eth)
{
	int rc;

	eth->intr_conf.rxq = 1;
	rc = rte_eth_dev_configure(port->id, port->queues, port->queues, eth);
	port->interrupts = rc == 0;
	if (rc == 0)
		return 0;
	eth->intr_conf.rxq = 0;
	return rte_eth_dev_configure(port->id, port->queues, port->queues, eth);
}

static int setup_queues(struct port *port, struct memory_pools *pools,
			const struct rte_eth_dev_info *info, const struct rte_eth_conf *eth)
{
	uint16_t rxd =
		port->conf->descriptors ? (uint16_t)port->conf->descriptors : DESCRIPTORS_DEFAULT;
	uint16_t txd = rxd;
	struct rte_eth_rxconf rx = info->default_rxconf;
	struct rte_eth_txconf tx = info->default_txconf;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rxd, &txd);

	port->descriptors = rxd;
	rx.offloads = eth->rxmode.offloads;
	tx.offloads = eth->txmode.offloads;
	for (uint16_t q = 0; q < port->queues && !rc; q++) {
		struct rte_mempool *pool = port->shares_rx ? pools[q].rx : pools[q].private_rx;

		rc = rte_eth_rx_queue_setup(port->id, q, rxd, (unsigned)pools[q].node, &rx, pool);
		if (!rc)
			rc = rte_eth_tx_queue_setup(port->id, q, txd, (unsigned)pools[q].node, &tx);
	}
	return rc;
}

static int need_private_rx(const struct port *port, struct memory_pools *pools)
{
	int rc = 0;

	for (uint16_t q = 0; q < port->queues && !rc && !port->shares_rx; q++)
		rc = memory_private_rx(&pools[q]);
	return rc;
}

static int start(struct port *port, struct memory_pools *pools, unsigned workers, char *error,
		 size_t size)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf eth = {0};
	struct rte_ether_addr mac;
	int rc = rte_eth_dev_info_get(port->id, &info);

	if (rc)
		return fail(error, size, port->conf, "cannot ask the device what it can do", rc);
	snprintf(port->driver, sizeof(port->driver), "%s", info.driver_name);
	port->shares_rx = !driver_is_private(port->driver);
	port->queues = RTE_MIN(info.max_rx_queues, info.max_tx_queues);
	if (port->queues > workers)
		port->queues = (uint16_t)workers;
	eth.txmode.offloads = choose_tx(port, &info);
	eth.rxmode.offloads = choose_rx(port, &info);
	choose_rss(&eth, &info, port->queues);
	rc = configure(port, &eth);
	if (rc)
		return fail(error, size, port->conf, "cannot configure the device", rc);
	/* A virtual device may have no MTU of its own; then packets are simply kept within ours. */
	(void)rte_eth_dev_set_mtu(port->id, port->mtu);
	rc = need_private_rx(port, pools);
	if (!rc)
		rc = setup_queues(port, pools, &info, &eth);
	if (rc)
		return fail(error, size, port->conf, "cannot set up its queues", rc);
	rc = rte_eth_dev_start(port->id);
	if (rc)
		return fail(error, size, port->conf, "cannot start the device", rc);
	/* Neighbor solicitations come to groups (RFC 4861 §2.3); the stack knows which are ours. A
	 * device that cannot has no filter either. */
	(void)rte_eth_allmulticast_enable(port->id);
	rte_eth_macaddr_get(port->id, &mac);
	memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
	return 0;
}

int port_open(const struct conf_port *conf, struct memory_pools *pools, unsigned workers,
	      struct port *port, char *error, size_t error_size)
{
	struct port_wake_scan scan;
	int rc;

	*port = (struct port){.conf = conf, .mtu = (uint16_t)conf->mtu, .id = RTE_MAX_ETHPORTS};
	snprintf(port->name, sizeof(port->name), "%s", conf->name);
	port_wake_before(&scan);
	rc = probe(port, error, error_size);
	if (!rc)
		rc = start(port, pools, workers, error, error_size);
	if (rc) {
		port_close(port);
		return rc;
	}
	port_wake_after(&scan, port);
	return 0;
}

void port_close(struct port *port)
{
	struct rte_eth_dev_info info;

	if (!rte_eth_dev_is_valid_port(port->id))
		return;
	if (rte_eth_dev_info_get(port->id, &info))
		info.device = NULL;
	(void)rte_eth_dev_stop(port->id);
	(void)rte_eth_dev_close(port->id);
	if (info.device)
		(void)rte_dev_remove(info.device);
	port->id = RTE_MAX_ETHPORTS;
}

void port_counters(const struct port *port, struct port_counters *out)
{
	struct rte_eth_stats s = {0};

	(void)rte_eth_stats_get(port->id, &s);
	*out = (struct port_counters){
		.rx_packets = s.ipackets,
		.tx_packets = s.opackets,
		.rx_bytes = s.ibytes,
		.tx_bytes = s.obytes,
		.rx_missed = s.imissed,
		.rx_errors = s.ierrors,
		.tx_errors = s.oerrors,
		.rx_no_buffers = s.rx_nombuf,
	};
}

bool port_link_up(const struct port *port)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(port->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}
