/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must not be guessed: initial sequence numbers (RFC 6528), time stamp offsets
 * (RFC 7323 §5.4), ephemeral ports (RFC 6056). Internal to l4stack/tcp.
 */
#ifndef L4STACK_TCP_TCP_IDENT_H
#define L4STACK_TCP_TCP_IDENT_H

#include "l4stack/tcp/tcp_conn.h"

#define TCP_PORT_FIRST 16384u
#define TCP_PORT_LAST  65535u

void tcp_ident_init(struct tcp_proto *tcp);

/* Where a connection begins. */
struct tcp_ident {
	uint32_t iss;
	/* The same for every connection of a tuple: its time stamps go on from those of the last
	 * one. */
	uint32_t ts_offset;
};

struct tcp_ident tcp_ident_of(const struct tcp_proto *tcp, const struct endpoint *local,
			      const struct endpoint *remote);

/* The place of a connection to be. */
struct tcp_ident_place {
	uint64_t hash;      /* of the table */
	uint32_t iss_floor; /* 0, or what the ISN has to be after */
};

/* Chooses local->port, for which no connection to `remote` exists and whose packets come to
 * this stack. -EADDRNOTAVAIL. */
int tcp_ident_port(struct tcp_proto *tcp, struct endpoint *local, const struct endpoint *remote,
		   struct tcp_ident_place *out) __attribute__((warn_unused_result));

/* The same for a port that the owner chose. -EADDRINUSE: it is not free. */
int tcp_ident_port_check(struct tcp_proto *tcp, const struct endpoint *local,
			 const struct endpoint *remote, struct tcp_ident_place *out)
	__attribute__((warn_unused_result));

#endif
