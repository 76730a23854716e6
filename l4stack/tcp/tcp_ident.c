/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_ident.h"

#include <errno.h>

#include "l4stack/base/siphash.h"
#include "l4stack/tcp/tcp_listener.h"
#include "l4stack/tcp/tcp_lookup.h"
#include "l4stack/tcp/tcp_timewait.h"

#define ISN_TICK_US 4 /* RFC 6528 §3 */

#define PORTS (TCP_PORT_LAST - TCP_PORT_FIRST + 1)

enum what { WHAT_ISN = 1, WHAT_PORT, WHAT_COOKIE, WHAT_FAST };

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

/* RFC 6528 §3; each half of what is hashed is as good as the other. */
struct tcp_ident tcp_ident_of(const struct tcp_proto *tcp, const struct endpoint *local,
			      const struct endpoint *remote)
{
	uint64_t hash = siphash24_tuple(tcp->isn_key, local, remote, WHAT_ISN);

	return (struct tcp_ident){
		.iss = (uint32_t)(tcp->stack->now_us / ISN_TICK_US) + (uint32_t)hash,
		.ts_offset = (uint32_t)(hash >> 32),
	};
}

static bool owned(const struct tcp_proto *tcp, const struct endpoint *local,
		  const struct endpoint *remote)
{
	const struct stack_ops *ops = tcp->stack->ops;

	return !ops->owns_flow || ops->owns_flow(tcp->stack->ops_ctx, local, remote);
}

/* Free, or held by a TIME-WAIT entry that may give way. */
static bool port_is_free(struct tcp_proto *tcp, const struct endpoint *local,
			 const struct endpoint *remote, struct tcp_ident_place *out)
{
	uintptr_t ref;

	*out = (struct tcp_ident_place){0};
	if (tcp_listener_on_port(tcp, local->port) || !owned(tcp, local, remote))
		return false;
	out->hash = tcp_lookup_hash(tcp, local, remote);
	ref = tcp_lookup(tcp, out->hash, local, remote);
	if (!ref)
		return true;
	return tcp_ref_is_timewait(ref) &&
	       tcp_timewait_reuse(tcp, tcp_ref_timewait(ref), &out->iss_floor);
}

/* RFC 6056 §3.3.4: the double-hash algorithm; the halves of one hash are the two. */
int tcp_ident_port(struct tcp_proto *tcp, struct endpoint *local, const struct endpoint *remote,
		   struct tcp_ident_place *out)
{
	uint64_t hash;
	uint32_t index;

	local->port = 0;
	hash = siphash24_tuple(tcp->port_key, local, remote, WHAT_PORT);
	index = (uint32_t)(hash >> 32) % TCP_PORT_COUNTERS;
	for (uint32_t i = 0; i < PORTS; i++) {
		uint32_t step = tcp->port_next[index]++;

		local->port = (uint16_t)(TCP_PORT_FIRST + ((uint32_t)hash + step) % PORTS);
		if (port_is_free(tcp, local, remote, out))
			return 0;
	}
	return -EADDRNOTAVAIL;
}

int tcp_ident_port_check(struct tcp_proto *tcp, const struct endpoint *local,
			 const struct endpoint *remote, struct tcp_ident_place *out)
{
	return port_is_free(tcp, local, remote, out) ? 0 : -EADDRINUSE;
}
