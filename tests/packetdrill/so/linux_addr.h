/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux's socket addresses, of either family, and ours. The only place that knows them.
 */
#ifndef TESTS_PACKETDRILL_SO_LINUX_ADDR_H
#define TESTS_PACKETDRILL_SO_LINUX_ADDR_H

#include <sys/socket.h>

#include "l4stack/base/addr.h"

/* The family of a socket's domain; ADDR_NONE: not one of ours. */
enum addr_family linux_addr_family(int domain);

/* 0, -EINVAL, -EAFNOSUPPORT. A mapped IPv4 address is IPv4. */
int linux_addr_in(const struct sockaddr *addr, socklen_t len, struct endpoint *out);

/* As accept(2) has it: cut to the room, the true length in `len`. Both may be NULL. On a socket
 * of IPv6, an IPv4 address is a mapped one. */
void linux_addr_out(const struct endpoint *endpoint, bool is_ip6, struct sockaddr *addr,
		    socklen_t *len);

#endif
