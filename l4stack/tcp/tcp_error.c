/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors: RFC 9293 §3.9.2.2, believed as far as RFC 5927 allows: only about a segment
 * that is in flight.
 */
#include <rte_byteorder.h>
#include <string.h>

#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_lookup.h"
#include "l4stack/tcp/tcp_mtu.h"
#include "l4stack/tcp/tcp_proto.h"
#include "l4stack/tcp/tcp_recovery.h"
#include "l4stack/tcp/tcp_seq.h"

struct quoted {
	uint16_t local_port, remote_port;
	uint32_t seq;
};

static struct quoted read_quoted(const uint8_t bytes[8])
{
	struct {
		uint16_t ports[2];
		uint32_t seq;
	} raw;

	memcpy(&raw, bytes, sizeof(raw));
	return (struct quoted){
		.local_port = rte_be_to_cpu_16(raw.ports[0]),
		.remote_port = rte_be_to_cpu_16(raw.ports[1]),
		.seq = rte_be_to_cpu_32(raw.seq),
	};
}

/* RFC 5927 §4.1 */
static bool is_in_flight(const struct tcp_conn *conn, uint32_t seq)
{
	return seq_ge(seq, conn->snd_una) && seq_lt(seq, conn->snd_max);
}

static struct tcp_conn *find(const struct tcp_proto *tcp, const struct ip_error_info *error)
{
	struct quoted quoted = read_quoted(error->quoted);
	struct endpoint local = {error->local, quoted.local_port};
	struct endpoint remote = {error->remote, quoted.remote_port};
	uintptr_t ref = tcp_lookup(tcp, tcp_lookup_hash(tcp, &local, &remote), &local, &remote);
	struct tcp_conn *conn = tcp_ref_conn(ref);

	if (!tcp_ref_is_conn(ref) || !is_in_flight(conn, quoted.seq))
		return NULL;
	return conn;
}

/* RFC 1191: the segments that were too big are sent again at once, smaller; the network is not
 * congested, so the window stays. */
static void lower_mtu(struct tcp_conn *conn, uint16_t mtu)
{
	uint16_t floor = tcp_mtu_floor(conn); /* less is an attack */

	if (!tcp_mtu_told(conn, mtu > floor ? mtu : floor))
		return;
	stack_count(conn->tcp->stack, tcp_mtu_lowered);
	if (!conn->cc.mss) /* nothing is sent in its segments yet */
		return;
	tcp_conn_set_mss(conn);
	tcp_recovery_too_big(conn);
}

/* RFC 5927 §5.2: once synchronized, TCP finds out by itself whether the peer is gone. */
static void unreachable(struct tcp_conn *conn, enum ip_error kind)
{
	if (kind == IP_ERROR_UNREACHABLE_HARD && conn->state == TCP_SYN_SENT)
		tcp_conn_finish(conn, TCP_CLOSED_UNREACHABLE);
}

void tcp_proto_error(struct tcp_proto *tcp, const struct ip_error_info *error)
{
	struct tcp_conn *conn;

	tcp_input_staged(tcp);
	conn = find(tcp, error);
	if (!conn)
		return;
	stack_count(tcp->stack, tcp_unreachable_errors);
	if (error->kind == IP_ERROR_TOO_BIG)
		lower_mtu(conn, error->mtu);
	else
		unreachable(conn, error->kind);
}
