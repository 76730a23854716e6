/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/packet_socket.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mgmt/conf/conf.h"
#include "mgmt/conf/device.h"

#define FRAME_DEFAULT   2048
#define FRAME_STEP      1024 /* four of which are a page: blocks of four frames are whole pages */
#define FRAMES_OF_BLOCK 4
#define FRAME_EXTRA     128 /* the kernel's header, Ethernet's, a VLAN tag */
#define FRAME_ARGUMENT  "framesz"
#define BLOCK_ARGUMENT  "blocksz"
#define IFNAME_ARGUMENT "iface"

static uint32_t frame_for(unsigned mtu)
{
	uint32_t bytes = mtu + FRAME_EXTRA;

	return bytes <= FRAME_DEFAULT ? FRAME_DEFAULT
				      : (bytes + FRAME_STEP - 1) / FRAME_STEP * FRAME_STEP;
}

uint32_t packet_socket_frame_bytes(const struct conf_port *port)
{
	char text[16];

	if (device_argument(port->device, FRAME_ARGUMENT, text, sizeof(text)))
		return (uint32_t)strtoul(text, NULL, 0);
	return frame_for(port->mtu);
}

void packet_socket_device(const struct conf_port *port, char *out, size_t size)
{
	uint32_t frame = frame_for(port->mtu);
	char text[16];

	snprintf(out, size, "%s", port->device);
	if (frame == FRAME_DEFAULT ||
	    device_argument(port->device, FRAME_ARGUMENT, text, sizeof(text)) ||
	    device_argument(port->device, BLOCK_ARGUMENT, text, sizeof(text)))
		return;
	snprintf(out, size, "%s," BLOCK_ARGUMENT "=%u," FRAME_ARGUMENT "=%u", port->device,
		 frame * FRAMES_OF_BLOCK, frame);
}

static int interface_ask(const char *name, unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
	rc = ioctl(fd, what, request) ? -errno : 0;
	close(fd);
	return rc;
}

int packet_socket_set_mtu(const struct conf_port *port)
{
	struct ifreq request = {.ifr_mtu = (int)port->mtu};
	char name[IFNAMSIZ];

	if (port->mtu + FRAME_EXTRA > packet_socket_frame_bytes(port))
		return -EINVAL;
	if (!device_argument(port->device, IFNAME_ARGUMENT, name, sizeof(name)))
		return -ENODEV;
	return interface_ask(name, SIOCSIFMTU, &request);
}

bool packet_socket_link_up(const struct conf_port *port)
{
	struct ifreq request = {0};
	char name[IFNAMSIZ];

	return device_argument(port->device, IFNAME_ARGUMENT, name, sizeof(name)) &&
	       interface_ask(name, SIOCGIFFLAGS, &request) == 0 &&
	       (request.ifr_flags & IFF_RUNNING);
}
