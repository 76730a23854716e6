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

uint32_t tcp_ident_isn(const struct tcp_proto *tcp, const struct endpoint *local,
		       const struct endpoint *remote);

/* The same for every connection of a tuple: its time stamps go on from those of the last one. */
uint32_t tcp_ident_ts_offset(const struct tcp_proto *tcp, const struct endpoint *local,
			     const struct endpoint *remote);

/* Chooses local->port, for which no connection to `remote` exists and whose packets come to
 * this stack. `iss_floor` is 0, or what the ISN has to be after. -EADDRNOTAVAIL. */
int tcp_ident_port(struct tcp_proto *tcp, struct endpoint *local, const struct endpoint *remote,
		   uint32_t *iss_floor) __attribute__((warn_unused_result));

/* The same for a port that the owner chose. -EADDRINUSE: it is not free. */
int tcp_ident_port_check(struct tcp_proto *tcp, const struct endpoint *local,
			 const struct endpoint *remote, uint32_t *iss_floor)
	__attribute__((warn_unused_result));

#endif
