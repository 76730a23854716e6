/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_lookup.h"

#include "l4stack/tcp/tcp_half.h"
#include "l4stack/tcp/tcp_timewait.h"

struct key {
	const struct endpoint *local, *remote;
};

static bool match(uintptr_t ref, const void *key)
{
	const struct key *k = key;
	const struct tcp_conn *conn = tcp_ref_conn(ref);

	if (tcp_ref_is_timewait(ref))
		return tcp_timewait_match(tcp_ref_timewait(ref), k->local, k->remote);
	if (tcp_ref_is_half(ref))
		return tcp_half_match(tcp_ref_half(ref), k->local, k->remote);
	return tcp_conn_match(conn, k->local, k->remote);
}

uintptr_t tcp_lookup(const struct tcp_proto *tcp, uint64_t hash, const struct endpoint *local,
		     const struct endpoint *remote)
{
	struct key key = {local, remote};

	return tcp_table_find(&tcp->table, hash, match, &key);
}
