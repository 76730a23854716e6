/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be said about addresses once the ports (and routes) have been read.
 *
 * Private to mgmt/conf.
 */
#ifndef MGMT_CONF_NET_H
#define MGMT_CONF_NET_H

#include "mgmt/conf/key.h"

/* For messages: a group whose name could not be read has none. */
#define NAME_OF(group) ((group)->name ? (group)->name : "?")

/* False when ports or routes have errors: conclusions from them would be noise. */
bool net_known(const struct reader *reader);

/* Why a host cannot have this address; NULL when it can. */
const char *net_unusable(const struct addr *addr, unsigned prefix);

/* The port that has this address; NULL: none. */
const struct conf_port *net_port_of(const struct conf *conf, const struct addr *addr);

bool net_is_connected(const struct conf *conf, const struct addr *addr);
bool net_is_routed(const struct conf *conf, const struct addr *addr);

#endif
