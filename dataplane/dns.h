/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One question to DNS, by the C library's resolver: all addresses of a name (RFC 1035, RFC 3596)
 * and for how long they hold. Blocks until there is an answer, or nobody gives one for seconds.
 */
#ifndef DATAPLANE_DNS_H
#define DATAPLANE_DNS_H

#include <stdint.h>

#include "l4stack/base/addr.h"

#define DNS_NAME_MAX      256
#define DNS_ADDRESSES_MAX 64
#define DNS_SERVERS_MAX   3

struct dns_servers {
	struct endpoint server[DNS_SERVERS_MAX];
	unsigned count; /* 0: those of /etc/resolv.conf */
};

struct dns_answer {
	struct addr address[DNS_ADDRESSES_MAX];
	unsigned count;
	uint32_t ttl_s; /* the least of all records on the way */
};

void dns_servers_set(struct dns_servers *servers, const struct endpoint *list, unsigned count);

/* 0; -ENOENT: there is no such name, or it has no address; -ETIMEDOUT, -EPROTO, -EIO. */
int dns_ask(const struct dns_servers *servers, const char *host, struct dns_answer *out)
	__attribute__((warn_unused_result));

/* Adds the addresses of a message to `out`, which begins as dns_answer_begin makes it. -EPROTO: it
 * is no message. */
void dns_answer_begin(struct dns_answer *out);
int dns_read(const uint8_t *message, int len, struct dns_answer *out)
	__attribute__((warn_unused_result));

#endif
