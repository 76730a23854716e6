/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_fast.h"

#include <rte_common.h>
#include <string.h>

#include "l4stack/base/siphash.h"
#include "l4stack/tcp/tcp_ident.h"
#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_listener.h"
#include "l4stack/tcp/tcp_recvq.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_seq.h"
#include "l4stack/tcp/tcp_timer.h"

#define COOKIE_BYTES 8
#define PENDING_MOST 256 /* RFC 7413 §5.1: connections whose handshake is not done */
#define GIVE_UP_US   63000000u
#define BLOCKED_S    3600u

/* ---- cookies ---- */

static uint64_t cookie_of(const struct tcp_proto *tcp, const struct addr *local,
			  const struct addr *remote)
{
	size_t len = remote->family == ADDR_IP6 ? 16 : 4;
	uint8_t both[32];

	memcpy(both, remote->bytes, len);
	memcpy(both + len, local->bytes, len);
	return siphash24(tcp->fast_key, both, 2 * len);
}

void tcp_set_fast_key(struct stack *stack, const uint64_t key[2])
{
	memcpy(stack->tcp->fast_key, key, sizeof(stack->tcp->fast_key));
}

void tcp_fast_give(const struct tcp_proto *tcp, const struct addr *local, const struct addr *remote,
		   struct tcp_options *out)
{
	uint64_t cookie = cookie_of(tcp, local, remote);

	out->fast_open_len = COOKIE_BYTES;
	memcpy(out->fast_open, &cookie, COOKIE_BYTES);
}

static bool is_good(const struct tcp_proto *tcp, const struct tcp_seg *syn)
{
	struct tcp_options good;

	if (!(syn->options.present & TCP_OPT_FAST_OPEN) ||
	    syn->options.fast_open_len != COOKIE_BYTES)
		return false;
	tcp_fast_give(tcp, &syn->local.addr, &syn->remote.addr, &good);
	return !memcmp(good.fast_open, syn->options.fast_open, COOKIE_BYTES);
}

/* ---- server ---- */

/* §4.2.2: the text behind the SYN. What is not taken is sent again. */
static void take_text(struct tcp_conn *conn, struct tcp_seg *seg)
{
	tcp_recvq_syn_window(conn);
	seg->seq++;
	if (seg->len && seg->len <= tcp_recv_window(conn) && tcp_input_text_in_order(conn, seg))
		conn->flags |= TCP_FAST_TEXT;
}

bool tcp_fast_open(struct tcp_listener *listener, struct tcp_seg *syn,
		   const struct tcp_ident *ident)
{
	struct tcp_proto *tcp = listener->tcp;
	struct tcp_conn *conn;

	if (!listener->conf.fast_open || !is_good(tcp, syn) || tcp->fast_pending >= PENDING_MOST)
		return false;
	conn = tcp_listener_conn(listener, syn, syn->hash, 0);
	if (!conn)
		return false;
	conn->flags |= TCP_FAST_OPEN;
	tcp->fast_pending++;
	stack_count(tcp->stack, tcp_fast_opens_in);
	tcp_conn_take_syn(conn, syn);
	tcp_conn_start(conn, ident->iss, ident->ts_offset);
	tcp_conn_begin(conn);
	tcp_timer_set(conn, TCP_TIMER_LIFE, GIVE_UP_US);
	take_text(conn, syn);
	tcp_conn_event(conn, TCP_EVENT_ACCEPT);
	return true;
}

void tcp_fast_done(struct tcp_conn *conn)
{
	if (tcp_has(conn, TCP_FAST_OPEN) && !tcp_has(conn, TCP_ACTIVE))
		conn->tcp->fast_pending--;
	conn->flags &= ~(uint32_t)TCP_FAST_OPEN;
}

/* ---- client ---- */

static struct tcp_fast_server *place_of(struct tcp_proto *tcp, const struct addr *server)
{
	uint64_t hash = siphash13(tcp->port_key, server, sizeof(*server));

	return &tcp->fast_servers[hash % RTE_DIM(tcp->fast_servers)];
}

static const struct tcp_fast_server *find(struct tcp_proto *tcp, const struct addr *addr)
{
	const struct tcp_fast_server *server = place_of(tcp, addr);

	return addr_equal(&server->addr, addr) ? server : NULL;
}

uint32_t tcp_fast_room(const struct stack *stack, const struct addr *remote)
{
	const struct tcp_fast_server *server = find(stack->tcp, remote);

	if (!server || !server->cookie_len ||
	    seq_gt(server->blocked_until_s, tcp_now_s(stack->tcp)))
		return 0;
	return server->mss - TCP_OPTIONS_MAX;
}

static struct tcp_fast_server *found_new(const struct tcp_conn *conn)
{
	struct tcp_fast_server *server = place_of(conn->tcp, &conn->path.dst);

	*server = (struct tcp_fast_server){.addr = conn->path.dst};
	return server;
}

void tcp_fast_ask(const struct tcp_conn *conn, struct tcp_options *options, struct tcp_span *text)
{
	const struct tcp_fast_server *server;
	uint32_t most = tcp_recvq_mtu_mss(conn->path.src.family, conn->path.mtu, conn->mss_most);

	if (!tcp_has(conn, TCP_FAST_OPEN) || conn->state != TCP_SYN_SENT ||
	    tcp_has(conn, TCP_SYN_RESENT))
		return;
	server = find(conn->tcp, &conn->path.dst);
	if (server && seq_gt(server->blocked_until_s, tcp_now_s(conn->tcp)))
		return;
	options->present |= TCP_OPT_FAST_OPEN;
	options->fast_open_len = server ? server->cookie_len : 0;
	if (!options->fast_open_len)
		return;
	memcpy(options->fast_open, server->cookie, options->fast_open_len);
	most = RTE_MIN(most, (uint32_t)server->mss) - TCP_OPTIONS_MAX;
	text->at = conn->snd_head;
	text->len = RTE_MIN(conn->snd_bytes, most);
}

void tcp_fast_learn(const struct tcp_conn *conn, const struct tcp_seg *syn_ack)
{
	const struct tcp_options *options = &syn_ack->options;
	struct tcp_fast_server *server;

	if (!tcp_has(conn, TCP_FAST_OPEN) || !(options->present & TCP_OPT_FAST_OPEN) ||
	    !options->fast_open_len || tcp_has(conn, TCP_SYN_RESENT))
		return;
	server = found_new(conn);
	server->mss = RTE_MAX(conn->peer_mss, (uint16_t)TCP_MSS_FLOOR);
	server->cookie_len = options->fast_open_len;
	memcpy(server->cookie, options->fast_open, options->fast_open_len);
}

void tcp_fast_blocked(struct tcp_conn *conn)
{
	if (!tcp_has(conn, TCP_FAST_OPEN) || !tcp_has(conn, TCP_ACTIVE) ||
	    tcp_has(conn, TCP_SYN_RESENT))
		return;
	found_new(conn)->blocked_until_s = tcp_now_s(conn->tcp) + BLOCKED_S;
}
