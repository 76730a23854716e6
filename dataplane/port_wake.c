/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port_wake.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <rte_ethdev.h>

#include "dataplane/driver.h"
#include "dataplane/port.h"

static void scan_open(struct port_wake_scan *scan)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	memset(scan, 0, sizeof(*scan));
	while (dir && (entry = readdir(dir))) {
		unsigned fd = (unsigned)atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd < PORT_WAKE_FDS)
			scan->open[fd / 64] |= UINT64_C(1) << fd % 64;
	}
	if (dir)
		closedir(dir);
}

void port_wake_before(struct port_wake_scan *scan)
{
	scan_open(scan);
}

static bool is_packet_socket(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       (domain == AF_PACKET || domain == AF_XDP);
}

/* net_af_packet and net_af_xdp open one socket for each queue, in order. */
static void wake_packet_sockets(const struct port_wake_scan *scan, struct port *port)
{
	struct port_wake_scan now;
	unsigned queue = 0;

	scan_open(&now);
	for (int fd = 0; fd < PORT_WAKE_FDS && queue < port->queues; fd++) {
		uint64_t bit = UINT64_C(1) << fd % 64;

		if (!(now.open[fd / 64] & bit) || (scan->open[fd / 64] & bit))
			continue;
		if (is_packet_socket(fd))
			port->wake_fd[queue++] = fd;
	}
}

static void wake_interrupts(struct port *port)
{
	for (uint16_t q = 0; q < port->queues; q++)
		port->wake_fd[q] = rte_eth_dev_rx_intr_ctl_q_get_fd(port->id, q);
}

void port_wake_after(const struct port_wake_scan *scan, struct port *port)
{
	for (unsigned q = 0; q < PORT_QUEUES_MAX; q++)
		port->wake_fd[q] = -1;
	if (port->traits->wake == DRIVER_WAKE_SOCKET)
		wake_packet_sockets(scan, port);
	else if (port->interrupts && port->traits->wake != DRIVER_WAKE_NONE)
		wake_interrupts(port);
}
