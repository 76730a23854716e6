/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A descriptor for each queue of a port that tells when packets wait, so that an idle worker can
 * sleep: the driver's own receive interrupt where it has one, or the packet socket that the
 * driver opened. A queue without one is polled by time.
 *
 * Control thread, while a port is opened.
 */
#ifndef DATAPLANE_PORT_WAKE_H
#define DATAPLANE_PORT_WAKE_H

#include <stdint.h>

struct port;

#define PORT_WAKE_FDS 4096

/* Which descriptors were open before the device was: what is new after it belongs to its driver. */
struct port_wake_scan {
	uint64_t open[PORT_WAKE_FDS / 64];
};

void port_wake_before(struct port_wake_scan *scan);
void port_wake_after(const struct port_wake_scan *scan, struct port *port);

#endif
