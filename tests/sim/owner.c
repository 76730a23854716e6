/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The owners of connections: they send their stream, check what they receive, and close.
 */
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>

#include "l4stack/tcp/tcp_conn.h"
#include "l4stack/tcp/tcp_ident.h"
#include "tests/sim/pattern.h"
#include "tests/sim/sim.h"

static bool leaves_early(const struct sim_pair *pair)
{
	return pair->kind == SIM_ABORT || pair->kind == SIM_CLOSE;
}

static struct sim_end *other(const struct sim_end *end)
{
	return &end->pair->end[!end->side];
}

/* ---- receiving ---- */

static void verify(struct sim_end *end, const struct rte_mbuf *chain)
{
	for (; chain; chain = chain->next) {
		if (chain->data_len == 0)
			sim_fail(end->sim, "an empty mbuf was delivered");
		if (!pattern_matches(end->recv_stream, end->received,
				     rte_pktmbuf_mtod(chain, const uint8_t *), chain->data_len))
			sim_fail(end->sim, "wrong data at %llu", (unsigned long long)end->received);
		end->received += chain->data_len;
	}
}

static void echo(struct sim_end *end, struct rte_mbuf *chain)
{
	uint32_t bytes = 0;

	for (const struct rte_mbuf *m = chain; m; m = m->next)
		bytes += m->data_len;
	if (tcp_send(end->conn, chain)) {
		rte_pktmbuf_free(chain);
		sim_fail(end->sim, "the echo was refused");
	}
	end->sent += bytes;
}

/* It takes no more than it can send on. */
static bool waits_for_room(const struct sim_end *end)
{
	return end->pair->kind == SIM_ECHO && end->side == 1 && !tcp_send_room(end->conn);
}

static uint32_t read_limit(const struct sim_end *end)
{
	if (waits_for_room(end))
		return 0;
	if (!end->read_each_us)
		return UINT32_MAX;
	return end->sim->now_us >= end->read_at_us ? end->read_bytes : 0;
}

static void receive(struct sim_end *end)
{
	uint32_t limit = read_limit(end), ready = tcp_recv_ready(end->conn);
	struct rte_mbuf *chain;

	if (limit == 0 || ready == 0)
		return;
	if (end->read_each_us)
		end->read_at_us = end->sim->now_us + end->read_each_us;
	chain = tcp_recv(end->conn, limit);
	if (!chain)
		return;
	verify(end, chain);
	end->whole_us = end->sim->now_us;
	if (end->pair->kind == SIM_ECHO && end->side == 1)
		echo(end, chain);
	else
		rte_pktmbuf_free(chain);
}

/* ---- sending ---- */

/* How much of its stream it may have sent by now. */
static uint64_t allowance(const struct sim_end *end)
{
	const struct sim_pair *pair = end->pair;
	uint64_t rounds;

	switch (pair->kind) {
	case SIM_REQUESTS:
		rounds = end->side ? end->received / pair->request_bytes
				   : end->received / pair->response_bytes + 1;
		if (rounds > pair->rounds)
			rounds = pair->rounds;
		return rounds * (end->side ? pair->response_bytes : pair->request_bytes);
	case SIM_HALF_CLOSE:
		return end->side && !end->ended ? 0 : end->send_total;
	case SIM_ECHO:
		return end->side ? 0 : end->send_total;
	default:
		return end->send_total;
	}
}

static struct rte_mbuf *piece(struct sim_end *end, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(end->sim->pools->payload);

	if (m)
		pattern_fill(end->send_stream, end->sent,
			     (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len), len);
	return m;
}

static void send_some(struct sim_end *end)
{
	uint64_t allowed = allowance(end);

	while (end->sent < allowed && tcp_send_room(end->conn)) {
		uint64_t len = rng_range(&end->sim->rng, 1, end->piece_most);
		struct rte_mbuf *m;

		if (len > allowed - end->sent)
			len = allowed - end->sent;
		m = piece(end, (uint32_t)len);
		if (!m)
			return;
		if (tcp_send(end->conn, m)) {
			rte_pktmbuf_free(m);
			sim_fail(end->sim, "data was refused");
			return;
		}
		end->sent += len;
	}
}

/* ---- the course of a connection ---- */

static void leave(struct sim_end *end)
{
	struct tcp_conn *conn = end->conn;

	end->conn = NULL;
	if (end->pair->kind == SIM_ABORT)
		tcp_abort(conn);
	else
		tcp_close(conn);
}

static bool may_shut(const struct sim_end *end)
{
	if (end->pair->kind == SIM_ECHO && end->side == 1)
		return end->ended;
	if (end->pair->kind == SIM_REQUESTS && end->side == 0)
		return end->received == other(end)->send_total;
	return end->sent == end->send_total;
}

void sim_end_work(struct sim_end *end)
{
	if (!end->conn)
		return;
	if (end->sim->now_us >= end->leave_at_us) {
		leave(end);
		return;
	}
	receive(end);
	if (tcp_recv_ended(end->conn))
		end->ended = true;
	if (!end->opened || end->shut)
		return;
	if (!(end->pair->kind == SIM_ECHO && end->side == 1))
		send_some(end);
	if (may_shut(end)) {
		end->shut = true;
		tcp_shutdown(end->conn);
	}
}

uint64_t sim_end_next_us(const struct sim_end *end)
{
	uint64_t next_us = end->conn ? end->leave_at_us : UINT64_MAX;

	if (end->conn && end->read_each_us && tcp_recv_ready(end->conn) && !waits_for_room(end) &&
	    end->read_at_us < next_us)
		next_us = end->read_at_us;
	return next_us;
}

static void on_opened(struct tcp_conn *conn, void *user)
{
	struct sim_end *end = user;

	if (end->conn != conn || end->opened)
		sim_fail(end->sim, "opened twice, or a stranger");
	end->opened = true;
}

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct sim_end *end = user;

	if (end->conn != conn || end->closed)
		sim_fail(end->sim, "closed twice, or a stranger");
	receive(end);
	end->ended = end->ended || tcp_recv_ended(conn);
	end->conn = NULL;
	end->closed = true;
	end->reason = reason;
}

static void on_readable(struct tcp_conn *conn, void *user)
{
	struct sim_end *end = user;

	(void)conn;
	sim_end_work(end);
}

static const struct tcp_handlers handlers = {
	.opened = on_opened,
	.readable = on_readable,
	.writable = on_readable,
	.closed = on_closed,
};

static struct sim_pair *pair_of(struct sim *sim, uint16_t client_port)
{
	for (unsigned i = 0; i < sim->pair_count; i++)
		if (sim->pair[i].begun && sim->pair[i].client_port == client_port)
			return &sim->pair[i];
	return NULL;
}

void sim_accepted(struct tcp_conn *conn, void *user)
{
	struct sim_host *host = user;
	struct tcp_info info;
	struct sim_pair *pair;

	tcp_info(conn, &info);
	pair = pair_of(host->sim, info.remote.port);
	/* RFC 7413 §2.1: a SYN that comes once more, when all is over, opens once more. */
	if (pair && pair->end[1].opened && host->sim->fast) {
		tcp_abort(conn);
		return;
	}
	if (!pair || pair->end[1].opened) {
		sim_fail(host->sim, "accepted a stranger");
		return;
	}
	pair->end[1].conn = conn;
	pair->end[1].opened = true;
	tcp_set_handlers(conn, &handlers, &pair->end[1]);
	sim_end_work(&pair->end[1]);
}

/* The client's numbers begin near the end of their space, and with one connection the server's
 * do too: its clock, of which they are made, is put forward. */
static void wrap(struct sim *sim, struct tcp_conn *conn, const struct tcp_info *info)
{
	struct sim_host *server = &sim->host[1];
	uint32_t near = UINT32_MAX - (uint32_t)rng_range(&sim->rng, 0, 20000);
	uint32_t isn = tcp_ident_of(server->stack->tcp, &info->remote, &info->local).iss;

	tcp_conn_start(conn, near, conn->ts_offset);
	if (sim->pair_count == 1)
		server->clock_us += (uint64_t)(near - isn) * 4;
}

static bool sends_at_once(const struct sim_pair *pair)
{
	return pair->kind == SIM_BULK || pair->end[0].sim->fast;
}

void sim_pair_begin(struct sim *sim, struct sim_pair *pair)
{
	const struct endpoint server = {
		.addr = sim_addr(sim, 1),
		.port = SIM_SERVER_PORT,
	};
	struct sim_end *client = &pair->end[0];
	struct tcp_info info;
	int err;

	pair->begun = true;
	err = tcp_connect(sim->host[0].stack, &server, &pair->conf, &handlers, client,
			  &client->conn);
	if (err) {
		sim_fail(sim, "tcp_connect: %d", err);
		return;
	}
	tcp_info(client->conn, &info);
	pair->client_port = info.local.port;
	check_expect(&sim->check, info.local.port, client->send_stream, client->recv_stream);
	if (sim->wraps)
		wrap(sim, client->conn, &info);
	/* RFC 9293 §3.10.2: what is sent before it is open goes out when it is. */
	if (sends_at_once(pair) && (sim->fast || rng_percent(&sim->rng, 30)))
		send_some(client);
}

/* ---- the end ---- */

bool sim_pair_done(const struct sim_pair *pair)
{
	return pair->begun && !pair->end[0].conn && !pair->end[1].conn;
}

/* All data arrived, both ways, and the peer knows: only the last ACK was lost, time and again,
 * until the peer was out of TIME-WAIT. It happens on the worst of links. */
static bool lost_the_last_ack(const struct sim_end *end)
{
	const struct sim_end *peer = other(end);

	return end->closed && peer->closed && peer->reason == TCP_CLOSED_NORMAL &&
	       end->received == peer->send_total && peer->received == end->send_total;
}

static bool end_verdict(const struct sim_end *end, char *error, size_t size)
{
	const struct sim_end *peer = other(end);
	const char *name = end->side ? "server" : "client";
	int n = 0;

	if (lost_the_last_ack(end))
		return true;
	if (!end->opened)
		n = snprintf(error, size, "the %s was never opened", name);
	else if (!end->closed || end->reason != TCP_CLOSED_NORMAL)
		n = snprintf(error, size, "the %s: %s after %llu bytes", name,
			     tcp_close_reason_text(end->reason), (unsigned long long)end->received);
	else if (end->received != peer->send_total)
		n = snprintf(error, size, "the %s received %llu of %llu bytes", name,
			     (unsigned long long)end->received,
			     (unsigned long long)peer->send_total);
	return n == 0;
}

bool sim_pair_verdict(const struct sim_pair *pair, char *error, size_t size)
{
	if (leaves_early(pair))
		return true;
	return end_verdict(&pair->end[0], error, size) && end_verdict(&pair->end[1], error, size);
}
