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

static inline bool net_same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

/* The chain that listens there; NULL: none. */
const struct conf_chain *net_chain_on(const struct conf *conf, const struct endpoint *endpoint);

/* False when ports or routes have errors: conclusions from them would be noise. */
bool net_known(const struct reader *reader);

/* Why a host cannot have this address; NULL when it can. */
const char *net_unusable(const struct addr *addr, unsigned prefix);

/* The port that has this address; NULL: none. */
const struct conf_port *net_port_of(const struct conf *conf, const struct addr *addr);

/* "10.0.0.0/8". False after an error. */
bool net_parse_network(struct reader *reader, const struct key *key,
		       const config_setting_t *setting, const char *text, struct addr *addr,
		       unsigned *prefix);
/* "10.0.0.1:80" (endpoint.c). False after an error. */
bool net_read_endpoint(struct reader *reader, const struct key *key,
		       const config_setting_t *setting, struct endpoint *out);

bool net_is_connected(const struct conf *conf, const struct addr *addr);
bool net_is_routed(const struct conf *conf, const struct addr *addr);

#endif
