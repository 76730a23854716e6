/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports on AF_PACKET sockets (net_af_packet): what the driver needs to be told about its frames,
 * and the MTU and the state of the interface behind it.
 *
 * The driver copies every packet whole into one buffer and refuses a pool whose buffers are
 * smaller than its frames; DPDK itself refuses any MTU above 1500 for it. So the frames' size
 * follows from the port's MTU here, the pools' from the frames', and the interface is asked
 * directly.
 *
 * Control thread.
 */
#ifndef DATAPLANE_PACKET_SOCKET_H
#define DATAPLANE_PACKET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_port;

/* Bytes of the rings' frames: what the device string says, or enough for the MTU. */
uint32_t packet_socket_frame_bytes(const struct conf_port *port);

/* The device string with what it leaves open. */
void packet_socket_device(const struct conf_port *port, char *out, size_t size);

/* Gives the interface the port's MTU. 0; -EINVAL: it, or the frames, cannot have it. */
int packet_socket_set_mtu(const struct conf_port *port) __attribute__((warn_unused_result));

/* The driver says "up" for ever; the interface knows. */
bool packet_socket_link_up(const struct conf_port *port);

#endif
