/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/sock.h"

#include <errno.h>
#include <rte_common.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/tcp/tcp.h"
#include "tests/packetdrill/so/world.h"

static const struct tcp_handlers handlers;

/* ---- birth ---- */

struct sock *sock_new(struct world *world)
{
	struct sock *sock = calloc(1, sizeof(*sock));

	if (!sock)
		return NULL;
	sock->world = world;
	sock->accept_last = &sock->accept_first;
	sock->info.state = "CLOSED";
	sock->info.congestion = "";
	sock->options.keep_idle_s = 7200;
	sock->options.keep_each_s = 75;
	sock->options.keep_count = 9;
	sock->options.fast_opens = 1; /* public scripts are written for listeners that take them */
	return sock;
}

int sock_bind(struct sock *sock, const struct endpoint *local)
{
	if (sock->phase != SOCK_NEW || sock->local.addr.family)
		return -EINVAL;
	sock->local = *local;
	return 0;
}

static bool is_any(const struct addr *addr)
{
	const struct addr any = {.family = addr->family};

	return addr_equal(addr, &any);
}

static uint32_t recv_most(const struct sock *sock)
{
	const struct sock_options *o = &sock->options;
	uint32_t bytes = o->recv_bytes ? o->recv_bytes : sock->world->recv_bytes;

	return o->window_most ? RTE_MIN(bytes, o->window_most) : bytes;
}

/* Until the last of the SYNs has had its time, which doubles with each. */
static uint32_t connect_timeout_ms(const struct sock *sock)
{
	uint32_t retries = sock->options.syn_retries;

	return retries ? ((2u << retries) - 1) * 1000 : 0;
}

static struct tcp_conf conf_of(const struct sock *sock)
{
	const struct sock_options *o = &sock->options;
	uint32_t recv_bytes = recv_most(sock);

	return (struct tcp_conf){
		.connect_timeout_ms = connect_timeout_ms(sock),
		.local = is_any(&sock->local.addr) ? (struct endpoint){.port = sock->local.port}
						   : sock->local,
		.mss_most = o->max_segment,
		.fast_open = sock->fast,
		.trust_path = true, /* as Linux does, unless told otherwise */
		.congestion = o->congestion[0] ? o->congestion : NULL,
		.recv_buffer_bytes = recv_bytes,
		.recv_begin_bytes = recv_bytes, /* scripts know windows that do not grow */
		/* A smaller one that is asked for can be asked for at any time: sock_send_room. */
		.send_buffer_bytes = RTE_MAX(o->send_bytes, sock->world->send_bytes),
	};
}

/* ---- the stack's events ---- */

static void note_open(struct sock *sock)
{
	sock->opened_us = sock->sent_us = sock->recv_us = sock->acked_us = sock->world->now_us;
}

static void on_opened(struct tcp_conn *conn, void *user)
{
	struct sock *sock = user;
	struct tcp_info info;

	tcp_info(conn, &info);
	sock->local = info.local;
	sock->phase = SOCK_CONNECTED;
	sock->news_out++;
	note_open(sock);
}

static int error_of(enum tcp_close_reason reason)
{
	static const int errors[] = {
		[TCP_CLOSED_RESET] = ECONNRESET,  [TCP_CLOSED_REFUSED] = ECONNREFUSED,
		[TCP_CLOSED_TIMEOUT] = ETIMEDOUT, [TCP_CLOSED_UNREACHABLE] = EHOSTUNREACH,
		[TCP_CLOSED_NO_MEMORY] = ENOBUFS,
	};

	return errors[reason];
}

/* A peer that had ended has not gone away under a reader: only a writer can notice. */
static int closed_error(const struct sock *sock, enum tcp_close_reason reason)
{
	if (reason == TCP_CLOSED_RESET && !sock->shut_write && tcp_recv_ended(sock->conn))
		return EPIPE;
	return error_of(reason);
}

/* The connection is gone when this returns: what can still be read is kept. */
static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct sock *sock = user;

	sock_get_info(sock, &sock->info);
	sock->info.state = "CLOSED";
	sock->left = tcp_recv(conn, UINT32_MAX);
	sock->error = closed_error(sock, reason);
	sock->conn = NULL;
	sock_notes_tend(sock);
	sock->phase = SOCK_OVER;
	sock->ended = reason == TCP_CLOSED_NORMAL;
	sock->news_in++;
	sock->news_out++;
}

static void on_readable(struct tcp_conn *conn, void *user)
{
	struct sock *sock = user;

	(void)conn;
	sock->news_in++;
	sock->recv_us = sock->world->now_us;
}

/* Room is news to one that found none. */
static void on_writable(struct tcp_conn *conn, void *user)
{
	struct sock *sock = user;

	(void)conn;
	sock->acked_us = sock->world->now_us;
	/* MSG_MORE was said of what would follow at once, not for ever. */
	if (sock->more) {
		sock->more = false;
		sock_apply_gather(sock);
	}
	if (!sock->was_full || !(sock_events(sock) & SOCK_WRITABLE))
		return;
	sock->was_full = false;
	sock->news_out++;
}

static const struct tcp_handlers handlers = {
	.opened = on_opened,
	.readable = on_readable,
	.writable = on_writable,
	.closed = on_closed,
};

/* ---- passive ---- */

static void on_accepted(struct tcp_conn *conn, void *user)
{
	struct sock *listener = user, *sock = sock_new(listener->world);
	struct tcp_info info;

	if (!sock)
		return;
	tcp_info(conn, &info);
	sock->conn = conn;
	sock->phase = SOCK_CONNECTED;
	sock->local = info.local;
	sock->peer = info.remote;
	sock->options = listener->options;
	sock->is_ip6 = listener->is_ip6;
	note_open(sock);
	tcp_set_handlers(conn, &handlers, sock);
	sock_apply(sock);
	listener->news_in++;
	*listener->accept_last = sock;
	listener->accept_last = &sock->accept_next;
}

static const struct tcp_listen_handlers listen_handlers = {.accepted = on_accepted};

int sock_listen(struct sock *sock)
{
	struct tcp_conf conf = conf_of(sock);
	int err;

	if (sock->phase == SOCK_LISTENING)
		return 0;
	if (sock->phase != SOCK_NEW)
		return -EINVAL;
	conf.fast_open = sock->options.fast_opens;
	if (!sock->local.addr.family)
		sock->local.addr.family = sock->is_ip6 ? ADDR_IP6 : ADDR_IP4;
	if (!sock->local.port)
		sock->local.port = SOCK_DEFAULT_FIRST;
	err = tcp_listen(sock->world->stack, &sock->local, &conf, &listen_handlers, sock,
			 &sock->listener);
	if (!err)
		sock->phase = SOCK_LISTENING;
	return err;
}

static bool is_acceptable(const struct sock *listener, const struct sock *sock)
{
	uint64_t until_us = sock->opened_us + listener->options.accept_after_s * 1000000ull;

	return sock_unread(sock) || !sock->conn || sock_peer_has_ended(sock) ||
	       sock->world->now_us >= until_us;
}

/* Where the next one is linked that accept() gives; it points to NULL when there is none. */
static struct sock **next_accepted(struct sock *listener)
{
	struct sock **link = &listener->accept_first;

	while (*link && !is_acceptable(listener, *link))
		link = &(*link)->accept_next;
	return link;
}

static bool can_accept(const void *arg)
{
	return *next_accepted((struct sock *)(uintptr_t)arg);
}

/* How long a call may take: now, an error; or what the socket's own time-out leaves. */
static int wait_until(struct sock *sock, bool (*ready)(const void *arg), uint64_t until_us,
		      int at_once_error)
{
	int err;

	if (ready(sock))
		return 0;
	if (until_us == SOCK_AT_ONCE)
		return at_once_error;
	err = world_wait(sock->world, ready, sock, until_us);
	return err == -ETIMEDOUT ? at_once_error : err;
}

int sock_accept(struct sock *sock, uint64_t until_us, struct sock **out)
{
	struct sock **link;
	int err;

	if (sock->phase != SOCK_LISTENING)
		return -EINVAL;
	err = wait_until(sock, can_accept, until_us, -EAGAIN);
	if (err)
		return err;
	link = next_accepted(sock);
	*out = *link;
	*link = (*out)->accept_next;
	if (!*link)
		sock->accept_last = link;
	return 0;
}

/* ---- active ---- */

static bool has_connected(const void *arg)
{
	const struct sock *sock = arg;

	return sock->phase != SOCK_CONNECTING;
}

static int connect_begin(struct sock *sock, const struct endpoint *peer)
{
	struct tcp_conf conf = conf_of(sock);
	struct tcp_info info;
	int err = tcp_connect(sock->world->stack, peer, &conf, &handlers, sock, &sock->conn);

	if (err)
		return err;
	tcp_info(sock->conn, &info);
	sock->local = info.local;
	sock->peer = *peer;
	sock->phase = SOCK_CONNECTING;
	sock_apply(sock);
	return 0;
}

/* What is given to tcp_send before the first turn goes along with the SYN. */
static ssize_t begin_with_text(struct sock *sock, const struct endpoint *peer, const void *buf,
			       size_t len)
{
	uint32_t room = tcp_fast_room(sock->world->stack, &peer->addr);
	ssize_t done = 0;
	int err;

	sock->fast = true;
	err = connect_begin(sock, peer);
	if (!err && room)
		done = sock_give(sock, buf, RTE_MIN(len, (size_t)room));
	world_turn(sock->world);
	return err ? err : done;
}

/* Blocking, the rest follows when it is open; not blocking, it is for another call. */
ssize_t sock_connect_fast(struct sock *sock, const struct endpoint *peer, const void *buf,
			  size_t len, uint64_t until_us)
{
	ssize_t done, rest;
	int err;

	if (len && !buf)
		return -EFAULT;
	done = begin_with_text(sock, peer, buf, len);
	if (done < 0 || until_us == SOCK_AT_ONCE)
		return done ? done : -EINPROGRESS;
	err = wait_until(sock, has_connected, until_us, -EINPROGRESS);
	if (!err && sock->phase != SOCK_CONNECTED)
		err = -sock_take_error(sock);
	if (err || (size_t)done == len)
		return err ? err : done;
	rest = sock_send(sock, (const uint8_t *)buf + done, len - (size_t)done, false, until_us);
	return rest < 0 ? rest : done + rest;
}

/* With a cookie nothing is said before there is something to say. */
static bool may_defer(const struct sock *sock, const struct endpoint *peer)
{
	return sock->options.fast_connect && sock->phase == SOCK_NEW &&
	       tcp_fast_room(sock->world->stack, &peer->addr);
}

int sock_connect(struct sock *sock, const struct endpoint *peer, uint64_t until_us)
{
	bool again = sock->phase == SOCK_CONNECTING;
	int err;

	if (may_defer(sock, peer)) {
		sock->peer = *peer;
		sock->phase = SOCK_DEFERRED;
		return 0;
	}
	if (sock->phase == SOCK_CONNECTED)
		return -EISCONN;
	if (sock->phase != SOCK_NEW && !again)
		return sock->error ? -sock_take_error(sock) : -EINVAL;
	if (!again) {
		sock->fast = sock->options.fast_connect;
		err = connect_begin(sock, peer);
		if (err)
			return err;
		world_turn(sock->world);
	}
	err = wait_until(sock, has_connected, until_us, again ? -EALREADY : -EINPROGRESS);
	if (err)
		return err;
	return sock->phase == SOCK_CONNECTED ? 0 : -sock_take_error(sock);
}

/* ---- closing ---- */

int sock_shutdown(struct sock *sock, bool read, bool write)
{
	if (sock->phase != SOCK_CONNECTED)
		return -ENOTCONN;
	sock->shut_read |= read;
	sock->shut_write |= write;
	if (write) {
		sock_record_release_all(sock);
		tcp_shutdown(sock->conn);
		world_turn(sock->world);
	}
	return 0;
}

/* All was acknowledged, our FIN too. */
static bool has_lingered(const void *arg)
{
	const struct sock *sock = arg;
	struct tcp_info info;

	if (!sock->conn)
		return true;
	tcp_info(sock->conn, &info);
	return strcmp(info.state, "FIN-WAIT-1") != 0 && strcmp(info.state, "CLOSING") != 0 &&
	       strcmp(info.state, "LAST-ACK") != 0;
}

static void linger(struct sock *sock)
{
	uint64_t until_us = sock->world->now_us + sock->options.linger_s * 1000000ull;

	tcp_shutdown(sock->conn);
	world_turn(sock->world);
	/* What was not acknowledged in time goes on in the background. */
	(void)!world_wait(sock->world, has_lingered, sock, until_us);
}

static void close_conn(struct sock *sock)
{
	const struct sock_options *o = &sock->options;

	if (o->linger && o->linger_s && tcp_recv_ready(sock->conn) == 0 &&
	    sock->phase == SOCK_CONNECTED)
		linger(sock);
	if (!sock->conn)
		return;
	if (o->linger && !o->linger_s)
		tcp_abort(sock->conn);
	else
		tcp_close(sock->conn);
	sock->conn = NULL;
}

static void close_listener(struct sock *sock)
{
	tcp_unlisten(sock->listener);
	while (sock->accept_first) {
		struct sock *waiting = sock->accept_first;

		sock->accept_first = waiting->accept_next;
		if (waiting->conn)
			tcp_abort(waiting->conn);
		rte_pktmbuf_free(waiting->left);
		free(waiting);
	}
}

void sock_close(struct sock *sock)
{
	struct world *world = sock->world;

	if (sock->listener)
		close_listener(sock);
	sock_record_release_all(sock);
	if (sock->conn)
		close_conn(sock);
	rte_pktmbuf_free(sock->left);
	free(sock);
	world_turn(world);
}

/* ---- what it is ---- */

int sock_take_error(struct sock *sock)
{
	int error = sock->error;

	sock->error = 0;
	return error;
}

uint32_t sock_unread(const struct sock *sock)
{
	uint32_t bytes = sock->conn ? tcp_recv_ready(sock->conn) : 0;

	for (const struct rte_mbuf *m = sock->left; m; m = m->next)
		bytes += m->data_len;
	return bytes;
}

bool sock_peer_has_ended(const struct sock *sock)
{
	return sock->conn ? tcp_recv_ended(sock->conn) : sock->ended;
}

static uint32_t send_limit(const struct sock *sock)
{
	return sock->options.send_bytes ? sock->options.send_bytes : sock->world->send_bytes;
}

/* FIN is sent, too, but is no byte of the queue. */
static uint32_t unsent(const struct tcp_info *info)
{
	return info->send_queue_bytes > info->sent_bytes ? info->send_queue_bytes - info->sent_bytes
							 : 0;
}

uint32_t sock_unsent(const struct sock *sock)
{
	struct tcp_info info;

	tcp_info(sock->conn, &info);
	return unsent(&info);
}

static uint32_t sub_floor(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 0;
}

uint32_t sock_send_room(const struct sock *sock)
{
	uint32_t room =
		sub_floor(send_limit(sock), tcp_send_pending(sock->conn) + sock->record_bytes);
	uint32_t most = sock->options.unsent_most;

	if (most)
		room = RTE_MIN(room, sub_floor(most, sock_unsent(sock)));
	return RTE_MIN(room, tcp_send_room(sock->conn));
}

/* Writable is what has a third of its room, or half of the unsent, so that a writer that
 * wakes wakes for something. */
static bool is_roomy(const struct sock *sock)
{
	uint32_t room =
		sub_floor(send_limit(sock), tcp_send_pending(sock->conn) + sock->record_bytes);
	uint32_t most = sock->options.unsent_most;

	if ((uint64_t)room * 3 < send_limit(sock) || !tcp_send_room(sock->conn))
		return false;
	return !most || (uint64_t)sock_unsent(sock) * 2 < most;
}

enum sock_event sock_events(const struct sock *sock)
{
	unsigned events = 0;
	bool over = sock->phase == SOCK_OVER, ended = sock_peer_has_ended(sock);
	uint32_t least = sock->options.recv_least;

	if (sock->phase == SOCK_NEW)
		return SOCK_WRITABLE | SOCK_HUNG_UP;
	if (sock->phase == SOCK_DEFERRED)
		return SOCK_WRITABLE;
	if (sock->phase == SOCK_LISTENING)
		return can_accept(sock) ? SOCK_READABLE : 0;
	if (sock->phase == SOCK_CONNECTING)
		return 0;
	if (over || ended || sock->shut_read || sock_unread(sock) >= RTE_MAX(least, 1u))
		events |= SOCK_READABLE;
	if (over || sock->shut_write || is_roomy(sock))
		events |= SOCK_WRITABLE;
	if (over || ended || sock->shut_read)
		events |= SOCK_PEER_ENDED;
	if (over || (sock->shut_write && (ended || sock->shut_read)))
		events |= SOCK_HUNG_UP;
	events |= sock->notes.told ? SOCK_NOTED : 0;
	return events | (sock->error ? SOCK_ERROR : 0);
}

void sock_get_info(const struct sock *sock, struct sock_info *out)
{
	struct tcp_info info;

	*out = sock->info;
	if (sock->phase == SOCK_LISTENING)
		out->state = "LISTEN";
	if (!sock->conn)
		return;
	tcp_info(sock->conn, &info);
	*out = (struct sock_info){
		.state = info.state,
		.congestion = info.congestion,
		.mss = info.mss,
		.srtt_us = info.srtt_us,
		.rttvar_us = info.rttvar_us,
		.rto_us = info.rto_us,
		.cwnd_bytes = info.cwnd_bytes,
		.ssthresh_bytes = info.ssthresh_bytes,
		.timestamps = info.timestamps,
		.sack = info.sack,
		.wscale = info.wscale,
		.ecn = info.ecn,
		.fast_text = info.fast_text,
		.recovering = info.recovering,
		.mending = info.mending,
		.reduced = info.reduced,
		.disordered = info.disordered,
		.recv_mss = info.recv_mss,
		.min_rtt_us = info.min_rtt_us,
		.lost_bytes = info.lost_bytes,
		.resent_bytes = info.resent_bytes,
		.delivered_bytes = info.delivered_bytes,
		.busy_us = sock->busy_us,
		.window_us = sock->window_us,
		.buffer_us = sock->buffer_us,
		.wscale_send = info.wscale_send,
		.wscale_recv = info.wscale_recv,
		.retries = info.retries,
		.probes = info.keep_probes,
		.advertised_mss = info.mss_offered,
		.path_mtu = info.path_mtu,
		.unacked_bytes = info.sent_bytes,
		.sacked_bytes = info.sacked_bytes,
		.unsent_bytes = unsent(&info) + sock->record_bytes,
		.pipe_bytes = info.flight_bytes,
		.send_queue_bytes = info.send_queue_bytes + sock->record_bytes,
		.recv_window_bytes = info.recv_window_bytes,
		.send_window_bytes = info.send_window_bytes,
		.retransmits = (uint32_t)info.retransmits,
		.bytes_in = info.bytes_in,
		.bytes_out = info.bytes_out,
		.idle_sent_us = sock->world->now_us - sock->sent_us,
		.idle_recv_us = sock->world->now_us - sock->recv_us,
		.idle_acked_us = sock->world->now_us - sock->acked_us,
	};
}

int sock_set_congestion(struct sock *sock, const char *name)
{
	const struct tcp_conf conf = {.congestion = name};
	int err = tcp_conf_check(&conf);

	if (!err && sock->conn)
		err = tcp_set_congestion(sock->conn, name);
	if (!err)
		snprintf(sock->options.congestion, sizeof(sock->options.congestion), "%s", name);
	return err;
}

void sock_set_fast_key(struct sock *sock, const uint64_t key[2])
{
	tcp_set_fast_key(sock->world->stack, key);
}

static enum tcp_gather gather_of(const struct sock *sock)
{
	if (sock->options.cork || sock->more)
		return TCP_GATHER_FULL;
	return sock->options.nodelay ? TCP_GATHER_FLUSH : TCP_GATHER_NAGLE;
}

void sock_apply_gather(struct sock *sock)
{
	if (sock->conn)
		tcp_set_gather(sock->conn, gather_of(sock));
}

void sock_quick_ack(struct sock *sock)
{
	if (sock->conn)
		tcp_set_quick_ack(sock->conn, !sock->options.slow_acks);
}

void sock_push(struct sock *sock)
{
	sock->more = false;
	if (sock->conn)
		tcp_set_gather(sock->conn, TCP_GATHER_FLUSH);
	world_turn(sock->world);
}

void sock_apply(struct sock *sock)
{
	const struct sock_options *o = &sock->options;
	uint32_t idle_ms = o->keepalive ? o->keep_idle_s * 1000 : 0;

	if (!sock->conn)
		return;
	sock_apply_gather(sock);
	tcp_set_recv_buffer(sock->conn, recv_most(sock));
	tcp_set_user_timeout(sock->conn, o->user_timeout_ms);
	tcp_set_keepalive(sock->conn, idle_ms, o->keep_each_s * 1000, (uint8_t)o->keep_count);
}
