/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/sluice-bench/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_memcpy.h>

#include "tests/bench/sluice-bench/answer.h"

#define OPENING_MOST 1024u  /* connections that are under way at once */
#define SWEEP_MOST   16384u /* connections that are looked at in one sweep */
/* Of all connections, in turn: a port comes again tens of thousands later, with numbers that are
 * higher, and by less than half of them all as long as a server keeps TIME-WAIT. */
#define ISN_STEP       16u
#define ACK_AFTER      (2 * FRAME_MSS)
#define ACK_WAITS      (8 * FRAME_MSS) /* for the next request, when so little is missing */
#define RESEND_MS      200
#define ARP_MS         2000
#define PREFETCH_AHEAD 4
#define TARGET_DIGITS  4

static uint32_t *slot_of(struct client *c, unsigned host, uint16_t port)
{
	return &c->slot[host * CLIENT_PORTS + port];
}

/* --- out --------------------------------------------------------------------------------- */

static void head_fill(const struct conn *conn, struct frame *f, uint32_t seq, uint8_t flags)
{
	f->tcp.src_port = rte_cpu_to_be_16(conn->port);
	f->tcp.sent_seq = rte_cpu_to_be_32(seq);
	f->tcp.recv_ack = rte_cpu_to_be_32(conn->rcv_nxt);
	f->tcp.tcp_flags = flags;
}

/* What came in several pieces goes back in one. */
static void make_single(struct rte_mbuf *m)
{
	if (m->nb_segs == 1)
		return;
	rte_pktmbuf_free(m->next);
	m->next = NULL;
	m->nb_segs = 1;
}

static void send_bare(struct client *c, struct conn *conn, struct rte_mbuf *m, uint32_t seq,
		      uint8_t flags)
{
	struct frame *f = rte_pktmbuf_mtod(m, struct frame *);

	make_single(m);
	*f = c->bare[conn->host];
	head_fill(conn, f, seq, flags);
	m->data_len = sizeof(*f);
	if (flags & RTE_TCP_SYN_FLAG)
		m->data_len += frame_syn_options(f);
	m->pkt_len = m->data_len;
	frame_offload(m);
	conn->unacked = 0;
	wire_send(c->wire, m);
}

/* Which target: that follows from the request's place on its connection, so that one that is sent
 * again is the same. */
static void target_fill(const struct client *c, uint8_t *text, uint32_t seq)
{
	uint32_t number = (uint32_t)((uint64_t)(seq * 2654435761u) * c->conf.paths >> 32);

	for (unsigned i = TARGET_DIGITS; i-- > 0; number /= 10)
		text[c->digits_at + i] = (uint8_t)('0' + number % 10);
}

static void send_ask(struct client *c, struct conn *conn, struct rte_mbuf *m, uint32_t seq)
{
	uint32_t bytes = sizeof(struct frame) + c->ask_len;
	struct frame *f = rte_pktmbuf_mtod(m, struct frame *);

	make_single(m);
	rte_memcpy(f, c->ask[conn->host], bytes);
	if (c->conf.paths)
		target_fill(c, (uint8_t *)(f + 1), seq);
	head_fill(conn, f, seq, RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG);
	m->data_len = (uint16_t)bytes;
	m->pkt_len = bytes;
	frame_offload(m);
	conn->unacked = 0;
	wire_send(c->wire, m);
}

static void ask(struct client *c, struct conn *conn, struct rte_mbuf *m, uint64_t due)
{
	uint32_t seq = conn->snd_nxt;

	conn->state = CONN_ASKED;
	conn->got = 0;
	conn->due_tsc = due;
	conn->sent_tsc = c->now;
	conn->snd_nxt += c->ask_len;
	c->counts.begun++;
	send_ask(c, conn, m, seq);
}

static void close_now(struct client *c, struct conn *conn, struct rte_mbuf *m)
{
	conn->state = CONN_CLOSING;
	conn->sent_tsc = c->now;
	send_bare(c, conn, m, conn->snd_nxt++, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG);
}

/* --- connections ------------------------------------------------------------------------- */

/* Ports in turn, so that each rests as long as can be; those of one address, then of the next. */
static void port_take(struct client *c, struct conn *conn)
{
	do {
		if (c->next_port == CLIENT_PORTS) {
			c->next_port = CLIENT_PORT_FIRST;
			c->next_host = (c->next_host + 1) % c->conf.hosts;
		}
		conn->port = (uint16_t)c->next_port++;
		conn->host = (uint8_t)c->next_host;
	} while (*slot_of(c, conn->host, conn->port));
	*slot_of(c, conn->host, conn->port) = (uint32_t)(conn - c->conn + 1);
}

static void conn_open(struct client *c, struct conn *conn, struct rte_mbuf *m)
{
	uint64_t due = c->now;

	port_take(c, conn);
	c->isn += ISN_STEP;
	conn->snd_una = c->isn;
	conn->snd_nxt = c->isn + 1;
	conn->rcv_nxt = 0;
	conn->got = 0;
	conn->state = CONN_OPENING;
	conn->due_tsc = due;
	conn->sent_tsc = due;
	c->open_count++;
	send_bare(c, conn, m, c->isn, RTE_TCP_SYN_FLAG);
}

/* The mbuf begins the next connection, where connections follow each other. */
static void conn_closed(struct client *c, struct conn *conn, struct rte_mbuf *m)
{
	*slot_of(c, conn->host, conn->port) = 0;
	conn->state = CONN_NONE;
	c->open_count--;
	c->counts.closed++;
	if (c->conf.mode == CLIENT_ONCE && !c->ending)
		conn_open(c, conn, m);
	else
		rte_pktmbuf_free(m);
}

static void conn_refused(struct client *c, struct conn *conn, struct rte_mbuf *m)
{
	c->counts.refused++;
	conn_closed(c, conn, m);
}

/* It can ask. */
static void conn_free(struct client *c, struct conn *conn, struct rte_mbuf *m)
{
	if (c->ending) {
		close_now(c, conn, m);
	} else if (c->conf.mode == CLIENT_OPEN) {
		conn->state = CONN_IDLE;
		c->idle[c->idle_count++] = (uint32_t)(conn - c->conn);
		rte_pktmbuf_free(m);
	} else {
		ask(c, conn, m, c->conf.mode == CLIENT_ONCE ? conn->due_tsc : c->now);
	}
}

/* --- in ---------------------------------------------------------------------------------- */

static void on_opened(struct client *c, struct conn *conn, struct rte_mbuf *m,
		      const struct frame *f)
{
	if ((f->tcp.tcp_flags & (RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG)) !=
		    (RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG) ||
	    rte_be_to_cpu_32(f->tcp.recv_ack) != conn->snd_nxt) {
		c->counts.gaps++;
		rte_pktmbuf_free(m);
		return;
	}
	conn->rcv_nxt = rte_be_to_cpu_32(f->tcp.sent_seq) + 1;
	conn->snd_una = conn->snd_nxt;
	c->counts.opened++;
	if (c->conf.mode == CLIENT_OPEN) {
		struct rte_mbuf *ack = rte_pktmbuf_alloc(c->wire->pool);

		if (ack)
			send_bare(c, conn, ack, conn->snd_nxt, RTE_TCP_ACK_FLAG);
	}
	conn_free(c, conn, m);
}

/* Heads of a server are equally long, but for a cache's, which tell an age: after the first, an
 * answer's length is known, and its head is only read when a frame says otherwise. */
static bool answer_begins(struct client *c, const char *text, uint32_t len, uint32_t whole)
{
	if (!c->answer_bytes || (whole < FRAME_MSS && whole != c->answer_bytes))
		return answer_read(c, text, len);
	return len >= sizeof(ANSWER_OK) - 1 && !memcmp(text, ANSWER_OK, sizeof(ANSWER_OK) - 1);
}

static void on_answered(struct client *c, struct conn *conn)
{
	c->counts.answered++;
	hist_add(&c->latency, c->now - conn->due_tsc);
	conn->state = CONN_IDLE;
}

/* What comes in order: the bytes of the one answer that is awaited. */
static void take_payload(struct client *c, struct conn *conn, const struct rte_mbuf *m,
			 uint32_t offset, uint32_t len)
{
	const char *text = rte_pktmbuf_mtod_offset(m, const char *, offset);

	conn->rcv_nxt += len;
	conn->unacked += len;
	if (conn->state != CONN_ASKED) {
		c->counts.wrong_length++;
		return;
	}
	if (!conn->got && !answer_begins(c, text, RTE_MIN(len, m->data_len - offset), len))
		c->counts.wrong_head++;
	if (c->every_byte && !answer_body(c, m, offset, len, conn->got))
		c->counts.wrong_byte++;
	conn->got += len;
	if (conn->got < c->answer_bytes)
		return;
	c->counts.wrong_length += conn->got > c->answer_bytes;
	c->counts.wrong_byte += c->conf.size && answer_last(m, offset + len) != c->conf.last;
	on_answered(c, conn);
}

static void on_ended(struct client *c, struct conn *conn, struct rte_mbuf *m)
{
	conn->rcv_nxt++;
	if (conn->state == CONN_CLOSING) {
		send_bare(c, conn, m, conn->snd_nxt, RTE_TCP_ACK_FLAG);
		m = rte_pktmbuf_alloc(c->wire->pool);
		if (m)
			conn_closed(c, conn, m);
		return;
	}
	c->counts.refused += c->conf.mode != CLIENT_ONCE || conn->state != CONN_IDLE;
	close_now(c, conn, m);
	conn->state = CONN_LAST;
}

/* A client whose device puts segments together says nothing in the middle of a short answer. */
static bool must_acknowledge(const struct client *c, const struct conn *conn)
{
	return conn->unacked >= ACK_AFTER &&
	       (conn->state != CONN_ASKED || c->answer_bytes - conn->got > ACK_WAITS);
}

/* What is acknowledged and said, before anything is answered to it. */
static void on_text(struct client *c, struct conn *conn, struct rte_mbuf *m, const struct frame *f)
{
	uint32_t offset, len = frame_payload(m, f, &offset);
	uint8_t flags = f->tcp.tcp_flags, state = conn->state;

	conn->snd_una = rte_be_to_cpu_32(f->tcp.recv_ack);
	if (rte_be_to_cpu_32(f->tcp.sent_seq) != conn->rcv_nxt) {
		c->counts.gaps++;
		send_bare(c, conn, m, conn->snd_nxt, RTE_TCP_ACK_FLAG);
		return;
	}
	if (len)
		take_payload(c, conn, m, offset, len);
	if (flags & RTE_TCP_FIN_FLAG)
		on_ended(c, conn, m);
	else if (conn->state == CONN_IDLE && state == CONN_ASKED && c->conf.mode != CLIENT_ONCE)
		conn_free(c, conn, m);
	else if (state == CONN_LAST && conn->snd_una == conn->snd_nxt)
		conn_closed(c, conn, m);
	else if (must_acknowledge(c, conn))
		send_bare(c, conn, m, conn->snd_nxt, RTE_TCP_ACK_FLAG);
	else
		rte_pktmbuf_free(m);
}

static struct conn *conn_of(struct client *c, const struct frame *f)
{
	uint32_t host = rte_be_to_cpu_32(f->ip.dst_addr) - rte_be_to_cpu_32(c->conf.from);
	uint32_t slot;

	if (host >= c->conf.hosts)
		return NULL;
	slot = *slot_of(c, host, rte_be_to_cpu_16(f->tcp.dst_port));
	return slot ? &c->conn[slot - 1] : NULL;
}

static void on_frame(struct client *c, struct rte_mbuf *m)
{
	const struct frame *f = rte_pktmbuf_mtod(m, const struct frame *);
	struct conn *conn;

	if (m->data_len < sizeof(*f) ||
	    f->eth.ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
	    f->ip.next_proto_id != IPPROTO_TCP) {
		wire_arp(c->wire, m, c->conf.from, c->conf.hosts, &c->server_mac);
		return;
	}
	conn = conn_of(c, f);
	if (!conn) {
		c->counts.strays++;
		rte_pktmbuf_free(m);
	} else if (f->tcp.tcp_flags & RTE_TCP_RST_FLAG) {
		conn_refused(c, conn, m);
	} else if (conn->state == CONN_OPENING) {
		on_opened(c, conn, m, f);
	} else {
		on_text(c, conn, m, f);
	}
}

static bool receive(struct client *c)
{
	struct rte_mbuf *frames[WIRE_BURST];
	uint16_t n = wire_receive(c->wire, frames);

	for (uint16_t i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + PREFETCH_AHEAD], void *));
		on_frame(c, frames[i]);
	}
	return n > 0;
}

/* --- asking ------------------------------------------------------------------------------ */

/* A request that finds nobody free waits, and its latency counts from when it was due. Who was free
 * last is asked first: of many connections few are active. */
static void ask_due(struct client *c)
{
	while (c->idle_count > c->conf.conns - c->conf.active && !c->ending) {
		double due = c->rate_start + (double)c->issued * c->rate_cycles;
		struct rte_mbuf *m;

		if (due > (double)c->now)
			return;
		m = rte_pktmbuf_alloc(c->wire->pool);
		if (!m)
			return;
		c->issued++;
		ask(c, &c->conn[c->idle[--c->idle_count]], m, (uint64_t)due);
	}
}

static void idle_close(struct client *c)
{
	for (uint32_t n = 0; n < WIRE_BURST && c->ending && c->idle_count; n++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(c->wire->pool);

		if (!m)
			return;
		close_now(c, &c->conn[c->idle[--c->idle_count]], m);
	}
}

/* Connections are opened some at a time: there are more of them than there is room on the wire. */
static void open_some(struct client *c)
{
	for (uint32_t n = 0; n < WIRE_BURST && c->begun < c->conf.conns &&
			     c->begun < c->counts.opened + OPENING_MOST;
	     n++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(c->wire->pool);

		if (!m)
			return;
		conn_open(c, &c->conn[c->begun++], m);
	}
}

bool client_turn(struct client *c)
{
	bool work;

	c->now = rte_rdtsc();
	work = receive(c);
	if (unlikely(c->begun < c->conf.conns && c->ask_len))
		open_some(c);
	if (c->conf.mode == CLIENT_OPEN) {
		ask_due(c);
		idle_close(c);
	}
	if (c->wire->waiting)
		wire_flush(c->wire);
	return work;
}

void client_end(struct client *c)
{
	c->ending = true;
}

/* --- again ------------------------------------------------------------------------------- */

static void resend(struct client *c, struct conn *conn)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(c->wire->pool);

	if (!m)
		return;
	conn->sent_tsc = c->now;
	c->counts.resent++;
	if (conn->state == CONN_OPENING)
		send_bare(c, conn, m, conn->snd_nxt - 1, RTE_TCP_SYN_FLAG);
	else if (conn->state == CONN_CLOSING || conn->state == CONN_LAST)
		send_bare(c, conn, m, conn->snd_nxt - 1, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG);
	else if (frame_before(conn->snd_una, conn->snd_nxt))
		send_ask(c, conn, m, conn->snd_nxt - c->ask_len);
	else
		send_bare(c, conn, m, conn->snd_nxt, RTE_TCP_ACK_FLAG);
}

void client_sweep(struct client *c)
{
	uint64_t patience = rte_get_tsc_hz() / 1000 * RESEND_MS;

	for (uint32_t n = RTE_MIN(c->conf.conns, SWEEP_MOST); n; n--) {
		struct conn *conn = &c->conn[c->swept];

		c->swept = (c->swept + 1) % c->conf.conns;
		if (conn->state != CONN_NONE && conn->state != CONN_IDLE &&
		    c->now - conn->sent_tsc > patience)
			resend(c, conn);
	}
	wire_flush(c->wire);
}

/* --- the beginning ----------------------------------------------------------------------- */

/* So that the server knows all of our addresses before the first connections come. */
static void ask_from_all(struct client *c)
{
	uint32_t from = rte_be_to_cpu_32(c->conf.from);

	for (uint32_t i = 0; i < c->conf.hosts; i++)
		wire_arp_ask(c->wire, rte_cpu_to_be_32(from + i), c->conf.server);
}

static int learn_server(struct client *c)
{
	static const struct rte_ether_addr unknown;
	uint64_t begin = rte_rdtsc(), asked = 0, ms = rte_get_tsc_hz() / 1000;

	while (rte_is_same_ether_addr(&c->server_mac, &unknown)) {
		uint64_t now = rte_rdtsc();

		if (now - begin > ms * ARP_MS)
			return -1;
		if (!asked || now - asked > ms * 20) {
			ask_from_all(c);
			asked = now;
		}
		client_turn(c);
	}
	return 0;
}

static void frames_make(struct client *c)
{
	const struct client_conf *conf = &c->conf;
	char text[CLIENT_ASK_MOST];
	int n = snprintf(text, sizeof(text), "GET %s%s HTTP/1.1\r\nHost: bench\r\n%s\r\n",
			 conf->path, conf->paths ? "?0000" : "",
			 conf->mode == CLIENT_ONCE ? "Connection: close\r\n" : "");

	c->digits_at = (uint32_t)(strlen("GET ") + strlen(conf->path) + strlen("?"));
	c->ask_len = (uint32_t)n;
	for (unsigned i = 0; i < conf->hosts; i++) {
		struct frame_ends ends = {
			.from_mac = c->wire->mac,
			.to_mac = c->server_mac,
			.from_ip = rte_cpu_to_be_32(rte_be_to_cpu_32(conf->from) + i),
			.to_ip = conf->server,
			.to_port = rte_cpu_to_be_16(conf->port),
		};

		frame_prepare(&c->bare[i], &ends, sizeof(struct rte_tcp_hdr));
		frame_prepare((struct frame *)c->ask[i], &ends,
			      (uint16_t)(sizeof(struct rte_tcp_hdr) + c->ask_len));
		memcpy(c->ask[i] + sizeof(struct frame), text, c->ask_len);
	}
}

int client_start(struct client *c, const struct client_conf *conf, struct wire *wire,
		 const char **error)
{
	uint32_t port = c->next_port < CLIENT_PORT_FIRST ? CLIENT_PORT_FIRST : c->next_port;

	*c = (struct client){.conf = *conf,
			     .wire = wire,
			     .isn = c->isn,
			     .next_port = port,
			     .next_host = c->next_host % conf->hosts};
	c->conn = aligned_alloc(64, conf->conns * sizeof(*c->conn));
	c->slot = calloc((size_t)conf->hosts * CLIENT_PORTS, sizeof(*c->slot));
	c->idle = calloc(conf->conns, sizeof(*c->idle));
	*error = "no memory";
	if (!c->conn || !c->slot || !c->idle)
		return -1;
	memset(c->conn, 0, conf->conns * sizeof(*c->conn));
	*error = "the server does not answer ARP";
	if (learn_server(c))
		return -1;
	frames_make(c);
	c->now = rte_rdtsc();
	c->rate_start = (double)c->now;
	c->rate_cycles = conf->rate > 0 ? (double)rte_get_tsc_hz() / conf->rate : 0;
	return 0;
}

void client_stop(struct client *c)
{
	free(c->conn);
	free(c->slot);
	free(c->idle);
	c->conn = NULL;
	c->slot = NULL;
	c->idle = NULL;
}
