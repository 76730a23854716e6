/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one function the library exports.
 *
 * Flags (packetdrill's --so_flags) are "name=value" with commas between: local=ADDRESS/PREFIX,
 * via=ADDRESS (the router that all packets go through), mtu=BYTES. The defaults are
 * packetdrill's own: 192.168.0.1/16 via 192.168.0.2, 1500.
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

static int take_local(struct world_conf *conf, char *value)
{
	char *slash = strchr(value, '/');

	if (slash)
		*slash = '\0';
	if (addr_parse(value, &conf->local))
		return -EINVAL;
	conf->prefix = slash ? (unsigned)atoi(slash + 1) : addr_bits(conf->local.family);
	return 0;
}

static int take_flag(struct world_conf *conf, const char *name, char *value)
{
	if (!strcmp(name, "local"))
		return take_local(conf, value);
	if (!strcmp(name, "via"))
		return addr_parse(value, &conf->via);
	if (!strcmp(name, "mtu")) {
		conf->mtu = (uint16_t)atoi(value);
		return 0;
	}
	return -EINVAL;
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

static struct world *start(const char *flags)
{
	struct world_conf conf = {.prefix = 16, .mtu = 1500};
	struct world *world = NULL;
	int err = addr_parse("192.168.0.1", &conf.local);

	if (!err)
		err = addr_parse("192.168.0.2", &conf.via);
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
