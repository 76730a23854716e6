/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one function the library exports.
 *
 * Flags (packetdrill's --so_flags) are "name=value" with commas between: local=ADDRESS/PREFIX,
 * via=ADDRESS (the router that all packets go through), mtu=BYTES, and the buffers of a socket
 * that does not set its own: recv=BYTES, send=BYTES. The addresses, of either family, are
 * packetdrill's own when nothing is said; the receive buffer is what its public scripts
 * expect, and gives a window scale of 8.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packetdrill/packetdrill.h"
#include "tests/packetdrill/so/file.h"
#include "tests/packetdrill/so/world.h"

extern const struct packetdrill_interface interface_functions;

#define EXPORTED __attribute__((visibility("default")))

#define RECV_BYTES (15u << 20)
#define SEND_BYTES (4u << 20)

static int take_local(struct world_conf *conf, char *value)
{
	char *slash = strchr(value, '/');
	struct world_net *net;
	struct addr addr;

	if (slash)
		*slash = '\0';
	if (addr_parse(value, &addr))
		return -EINVAL;
	net = addr.family == ADDR_IP6 ? &conf->ip6 : &conf->ip4;
	net->local = addr;
	net->prefix = slash ? (unsigned)atoi(slash + 1) : addr_bits(addr.family);
	return 0;
}

static int take_via(struct world_conf *conf, const char *value)
{
	struct addr addr;

	if (addr_parse(value, &addr))
		return -EINVAL;
	if (addr.family == ADDR_IP6)
		conf->ip6.via = addr;
	else
		conf->ip4.via = addr;
	return 0;
}

static int take_flag(struct world_conf *conf, const char *name, char *value)
{
	if (!strcmp(name, "local"))
		return take_local(conf, value);
	if (!strcmp(name, "via"))
		return take_via(conf, value);
	if (!strcmp(name, "mtu"))
		conf->mtu = (uint16_t)atoi(value);
	else if (!strcmp(name, "recv"))
		conf->recv_bytes = (uint32_t)atoi(value);
	else if (!strcmp(name, "send"))
		conf->send_bytes = (uint32_t)atoi(value);
	else
		return -EINVAL;
	return 0;
}

static int take_flags(struct world_conf *conf, const char *flags)
{
	char text[256], *save = NULL;
	int err = 0;

	snprintf(text, sizeof(text), "%s", flags ? flags : "");
	for (char *name = strtok_r(text, ",", &save); name && !err;
	     name = strtok_r(NULL, ",", &save)) {
		char *equals = strchr(name, '=');

		if (!equals)
			return -EINVAL;
		*equals = '\0';
		err = take_flag(conf, name, equals + 1);
	}
	return err;
}

static int set_defaults(struct world_conf *conf)
{
	char local4[] = "192.168.0.1/16", local6[] = "fd3d:fa7b:d17d::1/48";
	int err = take_local(conf, local4);

	if (!err)
		err = take_local(conf, local6);
	if (!err)
		err = take_via(conf, "192.168.0.2");
	return err ? err : take_via(conf, "fd3d:fa7b:d17d:8888::1");
}

static struct world *start(const char *flags)
{
	struct world_conf conf = {.mtu = 1500, .recv_bytes = RECV_BYTES, .send_bytes = SEND_BYTES};
	struct world *world = NULL;
	int err = set_defaults(&conf);

	if (!err)
		err = take_flags(&conf, flags);
	if (!err)
		err = world_create(&conf, &world);
	if (!err)
		err = files_create(world);
	if (!err)
		return world;
	fprintf(stderr, "sluice: cannot start with \"%s\": %s\n", flags ? flags : "",
		strerror(-err));
	exit(EXIT_FAILURE);
}

EXPORTED void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface)
{
	*interface = interface_functions;
	interface->userdata = start(flags);
}
