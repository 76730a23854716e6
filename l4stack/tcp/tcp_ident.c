/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_ident.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "l4stack/base/siphash.h"
#include "l4stack/tcp/tcp_listener.h"
#include "l4stack/tcp/tcp_lookup.h"
#include "l4stack/tcp/tcp_timewait.h"

#define ISN_TICK_US 4 /* RFC 6528 §3 */

#define PORTS (TCP_PORT_LAST - TCP_PORT_FIRST + 1)

enum tuple_what { WHAT_ISN = 1, WHAT_TS, WHAT_PORT, WHAT_COUNTER, WHAT_COOKIE, WHAT_FAST };

/* What is hashed: the ports and the purpose, then the addresses, as long as they are. */
struct tuple {
	uint16_t local_port, remote_port;
	uint32_t what;
	uint8_t addrs[2 * sizeof(((struct addr *)0)->bytes)];
};

static uint64_t hash(const uint64_t key[2], const struct endpoint *local,
		     const struct endpoint *remote, enum tuple_what what)
{
	size_t len = addr_bits(local->addr.family) / 8;
	struct tuple t = {
		.local_port = local->port,
		.remote_port = remote->port,
		.what = what | (uint32_t)local->addr.family << 8,
	};

	memcpy(t.addrs, local->addr.bytes, len);
	memcpy(t.addrs + len, remote->addr.bytes, len);
	return siphash24(key, &t, offsetof(struct tuple, addrs) + 2 * len);
}

/* Keys of their own, so that nothing seen on the wire says anything about the table. */
static void derive(const uint64_t secret[2], uint64_t salt, uint64_t key[2])
{
	uint64_t in[2] = {salt, 0};

	key[0] = siphash24(secret, in, sizeof(in));
	in[1] = 1;
	key[1] = siphash24(secret, in, sizeof(in));
}

void tcp_ident_init(struct tcp_proto *tcp)
{
	const uint64_t *secret = tcp->stack->conf.secret;

	derive(secret, WHAT_ISN, tcp->isn_key);
	derive(secret, WHAT_PORT, tcp->port_key);
	derive(secret, WHAT_COOKIE, tcp->cookie_key);
	derive(secret, WHAT_FAST, tcp->fast_key);
}

uint32_t tcp_ident_isn(const struct tcp_proto *tcp, const struct endpoint *local,
		       const struct endpoint *remote)
{
	uint32_t clock = (uint32_t)(tcp->stack->now_us / ISN_TICK_US);

	return clock + (uint32_t)hash(tcp->isn_key, local, remote, WHAT_ISN);
}

uint32_t tcp_ident_ts_offset(const struct tcp_proto *tcp, const struct endpoint *local,
			     const struct endpoint *remote)
{
	return (uint32_t)hash(tcp->isn_key, local, remote, WHAT_TS);
}

static bool owned(const struct tcp_proto *tcp, const struct endpoint *local,
		  const struct endpoint *remote)
{
	const struct stack_ops *ops = tcp->stack->ops;

	return !ops->owns_flow || ops->owns_flow(tcp->stack->ops_ctx, local, remote);
}

/* Free, or held by a TIME-WAIT entry that may give way. */
static bool port_is_free(struct tcp_proto *tcp, const struct endpoint *local,
			 const struct endpoint *remote, uint32_t *iss_floor)
{
	uintptr_t ref;

	*iss_floor = 0;
	if (tcp_listener_on_port(tcp, local->port) || !owned(tcp, local, remote))
		return false;
	ref = tcp_lookup(tcp, tcp_lookup_hash(tcp, local, remote), local, remote);
	if (!ref)
		return true;
	return tcp_ref_is_timewait(ref) &&
	       tcp_timewait_reuse(tcp, tcp_ref_timewait(ref), iss_floor);
}

/* RFC 6056 §3.3.4: the double-hash algorithm. */
int tcp_ident_port(struct tcp_proto *tcp, struct endpoint *local, const struct endpoint *remote,
		   uint32_t *iss_floor)
{
	uint32_t offset, index;

	local->port = 0;
	offset = (uint32_t)hash(tcp->port_key, local, remote, WHAT_PORT);
	index = (uint32_t)hash(tcp->port_key, local, remote, WHAT_COUNTER) % TCP_PORT_COUNTERS;
	for (uint32_t i = 0; i < PORTS; i++) {
		uint32_t step = tcp->port_next[index]++;

		local->port = (uint16_t)(TCP_PORT_FIRST + (offset + step) % PORTS);
		if (port_is_free(tcp, local, remote, iss_floor))
			return 0;
	}
	return -EADDRNOTAVAIL;
}

int tcp_ident_port_check(struct tcp_proto *tcp, const struct endpoint *local,
			 const struct endpoint *remote, uint32_t *iss_floor)
{
	return port_is_free(tcp, local, remote, iss_floor) ? 0 : -EADDRINUSE;
}
