/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_rto.h"

void tcp_rto_init(struct tcp_rto *rto)
{
	*rto = (struct tcp_rto){.rto_us = TCP_RTO_INITIAL_US};
}

void tcp_rto_backoff(struct tcp_rto *rto)
{
	rto->rto_us = tcp_rto_clamp(rto->rto_us * 2, 1, TCP_RTO_MAX_US);
}
