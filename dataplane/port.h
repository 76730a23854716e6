/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports: DPDK devices, by their device string.
 *
 * The control thread opens and closes a port; then each worker has a queue of its own in each
 * port (or none, where the device has fewer queues than there are workers: see dispatch.h) and is
 * the only one to touch it.
 */
#ifndef DATAPLANE_PORT_H
#define DATAPLANE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/memory.h"

struct conf_port;
struct driver;

#define PORTS_MAX       64
#define PORT_QUEUES_MAX 64

struct port {
	const struct conf_port *conf;
	char name[64];     /* the configuration's, as of the start */
	uint16_t id;       /* DPDK's */
	uint16_t queues;   /* of each direction; queue i is worker i's */
	uint32_t offloads; /* enum stack_offload: what the device does */
	bool flattens;     /* it takes no packets of several segments: each is copied into one */
	uint8_t mac[6];
	uint16_t mtu;
	uint16_t descriptors; /* of each receive queue */
	bool interrupts;      /* rte_eth_dev_rx_intr_* work */
	bool reclaims;        /* rte_eth_tx_done_cleanup works */
	char driver[32];
	const struct driver *traits;
	int wake_fd[PORT_QUEUES_MAX]; /* see port_wake.h; -1: none. Not owned */
};

/* Bytes that a receive buffer of this port must have. */
uint32_t port_buffer_bytes(const struct conf_port *conf);

/* Probes, configures and starts the device. 0, or -errno and a sentence in `error`; a device that
 * got half way is left to the end of the process. */
int port_open(const struct conf_port *conf, struct memory_pools *pools, unsigned workers,
	      struct port *out, char *error, size_t error_size) __attribute__((warn_unused_result));
void port_close(struct port *port);

struct port_counters {
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_missed, rx_errors, tx_errors,
		rx_no_buffers;
};
void port_counters(const struct port *port, struct port_counters *out);
bool port_link_up(const struct port *port);

#endif
