/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/driver.h"

#include <string.h>

#include "l4stack/stack.h"

/* Of DPDK 22.11.
 *
 * net_af_xdp: its umem is the mempool itself.
 * net_memif: its rings are made with interrupts masked. net_pcap: files.
 * net_virtio: to prepare a packet it sums the pseudo header once more, in the place where the stack
 * has left that sum; what it is to cut it needs without the length.
 * net_tap: the kernel's end of the tap has the address that the driver reports. A receive
 * descriptor is a piece of a readv. It sums segments as if none had an odd length, and its TSO
 * counts the Ethernet header against the MTU and so refuses every full segment, for ever. Both
 * would be done in software there too.
 * net_vhost: for a guest that wants its packets summed it does that itself: odd_pieces.h. */
static const struct driver drivers[] = {
	{.name = "net_af_packet",
	 .wake = DRIVER_WAKE_SOCKET,
	 .lazy_rx = true,
	 .packet_socket = true,
	 .cpu_tx = true},
	{.name = "net_af_xdp", .wake = DRIVER_WAKE_SOCKET, .private_rx = true, .cpu_tx = true},
	{.name = "net_memif", .wake = DRIVER_WAKE_NONE, .lazy_rx = true, .cpu_tx = true},
	{.name = "net_null", .wake = DRIVER_WAKE_NONE, .lazy_rx = true, .cpu_tx = true},
	{.name = "net_pcap", .wake = DRIVER_WAKE_NONE, .lazy_rx = true, .cpu_tx = true},
	{.name = "net_tap",
	 .wake = DRIVER_WAKE_LEVEL,
	 .peer_mac = true,
	 .broken = STACK_TX_TCP_CSUM | STACK_TX_UDP_CSUM | STACK_TX_TSO,
	 .descriptors = 32,
	 .cpu_tx = true},
	{.name = "net_vhost",
	 .wake = DRIVER_WAKE_EDGE,
	 .lazy_rx = true,
	 .socket_file = true,
	 .cpu_tx = true,
	 .even_pieces = true},
	{.name = "net_virtio", .wake = DRIVER_WAKE_EDGE, .keeps_sent = true, .plain_sums = true},
};

static const struct driver ordinary = {.name = "", .wake = DRIVER_WAKE_EDGE};

const struct driver *driver_find(const char *device)
{
	for (unsigned i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strncmp(device, drivers[i].name, strlen(drivers[i].name)))
			return &drivers[i];
	return &ordinary;
}
