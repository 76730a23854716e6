/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "dataplane/driver.h"
#include "dataplane/eal_log.h"
#include "dataplane/packet_socket.h"
#include "dataplane/port_wake.h"
#include "l4stack/stack.h"
#include "mgmt/conf/conf.h"
#include "mgmt/conf/device.h"

#define DESCRIPTORS_DEFAULT 1024
#define TX_KEPT             4  /* fewer descriptors than these need not be given back */
#define TX_FREE_MIN         32 /* below that a mark makes no sense */
#define BUFFER_EXTRA        64 /* what a frame has besides its packet */
#define BUFFER_DEFAULT      2048
#define DEVICE_MAX          512

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

/* A virtual device may check TCP alone. What it checked is marked in each packet. */
#define RX_CSUM (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)

/* With what DPDK said of it, if anything; many drivers return -1 for everything, which is not
 * to be taken for an errno.
 */
static int fail(char *error, size_t size, const struct conf_port *conf, const char *what, int rc)
{
	const char *why = eal_log_release();
	const char *reason = rc == -1 && why[0] ? "DPDK's driver refuses" : strerror(-rc);

	snprintf(error, size, "%s:%u: port \"%s\" (device \"%s\"): %s: %s%s%s%s", conf->place.file,
		 conf->place.line, conf->name, conf->device, what, reason, why[0] ? " (DPDK: " : "",
		 why, why[0] ? ")" : "");
	return rc;
}

uint32_t port_buffer_bytes(const struct conf_port *conf)
{
	const struct driver *driver = driver_find(conf->device);
	uint32_t bytes = 0;

	if (driver->packet_socket)
		bytes = packet_socket_frame_bytes(conf);
	else if (driver->private_rx)
		bytes = conf->mtu + BUFFER_EXTRA;
	return RTE_MAX(bytes, (uint32_t)BUFFER_DEFAULT);
}

static int probe_device(const struct conf_port *conf)
{
	char device[DEVICE_MAX];

	if (!driver_find(conf->device)->packet_socket)
		return rte_dev_probe(conf->device);
	packet_socket_device(conf, device, sizeof(device));
	return rte_dev_probe(device);
}

static int probe(struct port *port, char *error, size_t size)
{
	char name[64];
	int rc;

	device_name(port->conf->device, name, sizeof(name));
	if (rte_eth_dev_get_port_by_name(name, &port->id) == 0)
		return 0; /* on the bus when EAL started */
	rc = probe_device(port->conf);
	if (rc)
		return fail(error, size, port->conf, "cannot open the device", rc);
	rc = rte_eth_dev_get_port_by_name(name, &port->id);
	return rc ? fail(error, size, port->conf, "no such network device", rc) : 0;
}

/* A packet of several segments has no equal in software. */
static bool tx_wanted(const struct port *port, uint32_t offload)
{
	if (port->traits->broken & offload)
		return false;
	return port->conf->offload || offload == STACK_TX_MULTI_SEG;
}

static uint64_t choose_tx(struct port *port, const struct rte_eth_dev_info *info)
{
	uint64_t dpdk = 0;

	for (unsigned i = 0; i < RTE_DIM(tx_offloads); i++) {
		if (!(info->tx_offload_capa & tx_offloads[i].dpdk) ||
		    !tx_wanted(port, tx_offloads[i].stack))
			continue;
		dpdk |= tx_offloads[i].dpdk;
		port->offloads |= tx_offloads[i].stack;
	}
	return dpdk;
}

static uint64_t choose_rx(struct port *port, const struct rte_eth_dev_info *info)
{
	uint64_t dpdk = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;

	if (port->conf->offload && (info->rx_offload_capa & RX_CSUM)) {
		dpdk |= info->rx_offload_capa & RX_CSUM;
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

static uint16_t descriptors(const struct port *port)
{
	if (port->conf->descriptors)
		return (uint16_t)port->conf->descriptors;
	return port->traits->descriptors ? port->traits->descriptors : DESCRIPTORS_DEFAULT;
}

/* The ring may be smaller than what was asked for, and then the mark is too high. */
static int setup_tx(const struct port *port, uint16_t q, uint16_t descriptors_wanted, unsigned node,
		    struct rte_eth_txconf tx)
{
	uint16_t free = descriptors_wanted;
	int rc = -EINVAL;

	if (!port->traits->keeps_sent)
		return rte_eth_tx_queue_setup(port->id, q, descriptors_wanted, node, &tx);
	for (; rc == -EINVAL && free >= TX_FREE_MIN; free /= 2) {
		tx.tx_free_thresh = free - TX_KEPT;
		rc = rte_eth_tx_queue_setup(port->id, q, descriptors_wanted, node, &tx);
	}
	return rc;
}

static int setup_queues(struct port *port, struct memory_pools *pools,
			const struct rte_eth_dev_info *info, const struct rte_eth_conf *eth)
{
	uint16_t rxd = descriptors(port), txd = rxd;
	struct rte_eth_rxconf rx = info->default_rxconf;
	struct rte_eth_txconf tx = info->default_txconf;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rxd, &txd);

	port->descriptors = rxd;
	rx.offloads = eth->rxmode.offloads;
	tx.offloads = eth->txmode.offloads;
	for (uint16_t q = 0; q < port->queues && !rc; q++) {
		struct rte_mempool *pool = port->traits->private_rx ? pools[q].flat : pools[q].rx;

		rc = rte_eth_rx_queue_setup(port->id, q, rxd, (unsigned)pools[q].node, &rx, pool);
		if (!rc)
			rc = setup_tx(port, q, txd, (unsigned)pools[q].node, tx);
	}
	return rc;
}

static int need_flat(struct port *port, struct memory_pools *pools)
{
	int rc = 0;

	port->flattens = !(port->offloads & STACK_TX_MULTI_SEG);
	if (!port->flattens && !port->traits->private_rx)
		return 0;
	for (uint16_t q = 0; q < port->queues && !rc; q++)
		rc = memory_flat(&pools[q]);
	return rc;
}

static unsigned mtu_most(const struct rte_eth_dev_info *info)
{
	unsigned frame = info->max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN;

	return RTE_MIN((unsigned)info->max_mtu, frame);
}

/* A virtual device may have no MTU of its own; then packets are simply kept within ours. */
static int set_mtu(struct port *port, const struct rte_eth_dev_info *info, char *error, size_t size)
{
	char what[64];
	int rc = port->traits->packet_socket ? packet_socket_set_mtu(port->conf)
					     : rte_eth_dev_set_mtu(port->id, port->mtu);

	if (rc == 0 || rc == -ENOTSUP)
		return 0;
	snprintf(what, sizeof(what), "it cannot have an MTU of %u", port->mtu);
	if (!port->traits->packet_socket && port->mtu > mtu_most(info))
		snprintf(what, sizeof(what), "it cannot have an MTU of %u, only up to %u",
			 port->mtu, mtu_most(info));
	return fail(error, size, port->conf, what, rc);
}

/* Of a tap the other end is the kernel, unless it stands in for an interface. The first byte's
 * second bit says that the address was given to nobody else. */
static void read_mac(struct port *port)
{
	struct rte_ether_addr mac = {0};
	char remote[64];

	(void)rte_eth_macaddr_get(port->id, &mac);
	memcpy(port->mac, mac.addr_bytes, sizeof(port->mac));
	if (!port->traits->peer_mac ||
	    device_argument(port->conf->device, "remote", remote, sizeof(remote)))
		return;
	port->mac[0] |= RTE_ETHER_LOCAL_ADMIN_ADDR;
	port->mac[5] ^= 1;
}

/* Neighbor solicitations come to groups (RFC 4861 §2.3), and the stack knows which are ours.
 * A device that can hear neither all groups nor everything has no filter. */
static void hear_groups(const struct port *port)
{
	if (rte_eth_allmulticast_enable(port->id))
		(void)rte_eth_promiscuous_enable(port->id);
}

static uint16_t queues_for(const struct rte_eth_dev_info *info, unsigned workers)
{
	uint16_t most = RTE_MIN(info->max_rx_queues, info->max_tx_queues);

	return most > workers ? (uint16_t)workers : most;
}

static int start(struct port *port, struct memory_pools *pools, unsigned workers, char *error,
		 size_t size)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf eth = {0};
	int rc = rte_eth_dev_info_get(port->id, &info);

	if (rc)
		return fail(error, size, port->conf, "cannot ask the device what it can do", rc);
	snprintf(port->driver, sizeof(port->driver), "%s", info.driver_name);
	port->traits = driver_find(port->driver);
	port->queues = queues_for(&info, workers);
	eth.txmode.offloads = choose_tx(port, &info);
	eth.rxmode.offloads = choose_rx(port, &info);
	choose_rss(&eth, &info, port->queues);
	rc = configure(port, &eth);
	if (rc)
		return fail(error, size, port->conf, "cannot configure the device", rc);
	rc = set_mtu(port, &info, error, size);
	if (rc)
		return rc;
	rc = need_flat(port, pools);
	if (!rc)
		rc = setup_queues(port, pools, &info, &eth);
	if (rc)
		return fail(error, size, port->conf, "cannot set up its queues", rc);
	rc = rte_eth_dev_start(port->id);
	if (rc)
		return fail(error, size, port->conf, "cannot start the device", rc);
	hear_groups(port);
	port->reclaims = rte_eth_tx_done_cleanup(port->id, 0, 0) >= 0;
	read_mac(port);
	return 0;
}

/* Not every driver stands being closed before it was started: net_virtio_user's interrupt may still
 * be handled by DPDK's thread. But a file must go. */
static void give_up(struct port *port)
{
	if (driver_find(port->conf->device)->socket_file)
		port_close(port);
}

int port_open(const struct conf_port *conf, struct memory_pools *pools, unsigned workers,
	      struct port *port, char *error, size_t error_size)
{
	struct port_wake_scan scan;
	int rc;

	*port = (struct port){.conf = conf, .mtu = (uint16_t)conf->mtu, .id = RTE_MAX_ETHPORTS};
	snprintf(port->name, sizeof(port->name), "%s", conf->name);
	port_wake_before(&scan);
	eal_log_hold();
	rc = probe(port, error, error_size);
	if (!rc) {
		eal_log_hold(); /* anew: what was said until here did not matter */
		rc = start(port, pools, workers, error, error_size);
	}
	if (rc) {
		give_up(port);
		return rc;
	}
	(void)eal_log_release();
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

	if (port->traits->packet_socket)
		return packet_socket_link_up(port->conf);
	return rte_eth_link_get_nowait(port->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}
