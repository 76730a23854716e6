/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients and origin servers, played by the test over the far stack. */
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/chain/engine/bench_internal.h"

/* --- events ---------------------------------------------------------------------- */

static void on_opened(struct tcp_conn *conn, void *user)
{
	struct peer *p = user;

	(void)conn;
	p->opened = true;
}

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct peer *p = user;

	(void)conn;
	p->conn = NULL;
	p->closed = true;
	p->reason = reason;
}

static const struct tcp_handlers handlers = {.opened = on_opened, .closed = on_closed};

static struct peer *peer_new(void)
{
	struct peer *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->next = bench.peers;
	bench.peers = p;
	return p;
}

static void on_accepted(struct tcp_conn *conn, void *user)
{
	unsigned origin = (unsigned)(uintptr_t)user;
	struct peer *p;

	if (bench.refuse[origin])
		return;
	p = peer_new();
	p->conn = conn;
	p->origin = origin;
	p->accepted = true;
	p->opened = true;
	tcp_set_handlers(conn, &handlers, p);
}

static const struct tcp_listen_handlers listen_handlers = {.accepted = on_accepted};

void origin_listen(unsigned origin, bool on)
{
	struct endpoint local;
	char text[32];

	if (!on) {
		tcp_unlisten(bench.listener[origin]);
		bench.listener[origin] = NULL;
		return;
	}
	snprintf(text, sizeof(text), "10.0.0.2:%u", 8000 + origin);
	assert_int_equal(endpoint_parse(text, &local), 0);
	assert_int_equal(tcp_listen(bench.far, &local, NULL, &listen_handlers,
				    (void *)(uintptr_t)origin, &bench.listener[origin]),
			 0);
}

/* --- one turn -------------------------------------------------------------------- */

static void in_append(struct peer *p, const void *bytes, size_t len)
{
	if (p->in_len + len > p->in_size) {
		p->in_size = (p->in_len + len) * 2;
		p->in = realloc(p->in, p->in_size);
		assert_non_null(p->in);
	}
	memcpy(p->in + p->in_len, bytes, len);
	p->in_len += len;
	p->in_total += len;
}

static void in_drop(struct peer *p, size_t n)
{
	p->in_len -= n;
	memmove(p->in, p->in + n, p->in_len);
}

static void peer_read(struct peer *p)
{
	struct rte_mbuf *chain, *m;

	if (p->paused)
		return;
	while ((chain = tcp_recv(p->conn, UINT32_MAX))) {
		for (m = chain; m; m = m->next)
			in_append(p, rte_pktmbuf_mtod(m, void *), m->data_len);
		rte_pktmbuf_free(chain);
	}
	if (tcp_recv_ended(p->conn))
		p->ended = true;
}

static void peer_write(struct peer *p)
{
	while (p->out_len && tcp_send_room(p->conn)) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pools.far);
		uint16_t n = p->out_len < 2000 ? (uint16_t)p->out_len : 2000;

		if (!m)
			return;
		memcpy(rte_pktmbuf_mtod(m, void *), p->out + p->out_at, n);
		m->data_len = n;
		m->pkt_len = n;
		if (tcp_send(p->conn, m)) {
			rte_pktmbuf_free(m);
			return;
		}
		p->out_len -= n;
		p->out_at = p->out_len ? p->out_at + n : 0;
	}
	if (p->shut && !p->out_len) {
		tcp_shutdown(p->conn);
		p->shut = false;
	}
}

/* An origin that needs no playing: requests without bodies, one answer for all. */
static void peer_serve(struct peer *p)
{
	uint8_t *end;

	while (bench.serve && p->accepted && (end = memmem(p->in, p->in_len, "\r\n\r\n", 4))) {
		in_drop(p, (size_t)(end - p->in) + 4);
		p->taken = true;
		p->served++;
		say(p, bench.serve);
	}
}

void peers_turn(void)
{
	for (struct peer *p = bench.peers; p; p = p->next) {
		if (!p->conn || !p->opened)
			continue;
		peer_read(p);
		peer_serve(p);
		if (p->conn)
			peer_write(p);
	}
}

void peers_end(void)
{
	for (struct peer *p = bench.peers; p; p = p->next)
		if (p->conn)
			tcp_abort(p->conn), p->conn = NULL;
}

void peers_free(void)
{
	struct peer *p;

	while ((p = bench.peers)) {
		bench.peers = p->next;
		free(p->in);
		free(p->out);
		free(p);
	}
}

/* --- opening --------------------------------------------------------------------- */

struct peer *client_open_at(uint16_t port)
{
	struct peer *p = peer_new();
	struct endpoint remote;
	char text[32];

	snprintf(text, sizeof(text), "10.0.0.1:%u", port);
	assert_int_equal(endpoint_parse(text, &remote), 0);
	p->taken = true;
	assert_int_equal(tcp_connect(bench.far, &remote, NULL, &handlers, p, &p->conn), 0);
	until(p->opened || p->closed);
	return p;
}

struct peer *client_open(void)
{
	struct peer *p = client_open_at(80);

	assert_true(p->opened);
	return p;
}

static struct peer *origin_new(unsigned origin)
{
	struct peer *oldest = NULL;

	for (struct peer *p = bench.peers; p; p = p->next)
		if (!p->taken && p->origin == origin)
			oldest = p;
	return oldest;
}

bool origin_has_new(unsigned origin)
{
	return origin_new(origin);
}

struct peer *origin_accept(unsigned origin)
{
	struct peer *p;

	until(origin_has_new(origin));
	p = origin_new(origin);
	p->taken = true;
	return p;
}

/* --- saying ---------------------------------------------------------------------- */

static uint8_t *out_room(struct peer *p, size_t len)
{
	if (p->out_at + p->out_len + len > p->out_size) {
		p->out_size = p->out_at + p->out_len + len;
		p->out = realloc(p->out, p->out_size);
		assert_non_null(p->out);
	}
	p->out_len += len;
	return p->out + p->out_at + p->out_len - len;
}

void say_bytes(struct peer *p, const void *bytes, size_t len)
{
	memcpy(out_room(p, len), bytes, len);
}

void say(struct peer *p, const char *text)
{
	say_bytes(p, text, strlen(text));
}

void say_pattern(struct peer *p, uint64_t seed, size_t len)
{
	uint8_t *out = out_room(p, len);

	for (size_t i = 0; i < len; i++)
		out[i] = pattern_at(seed + i);
}

void peer_shut(struct peer *p)
{
	p->shut = true;
}

void peer_abort(struct peer *p)
{
	tcp_abort(p->conn);
	p->conn = NULL;
}

void peer_pause(struct peer *p, bool paused)
{
	p->paused = paused;
}

/* --- hearing --------------------------------------------------------------------- */

static void nothing_more(const struct peer *p, size_t len)
{
	print_error("%zu bytes of %zu came (%s): %.*s\n", p->in_len, len,
		    p->closed ? tcp_close_reason_text(p->reason) : "and no more", (int)p->in_len,
		    (const char *)p->in);
	bench_in_vain(__FILE__, __LINE__, "bytes");
}

static void wait_bytes(struct peer *p, size_t len)
{
	uint64_t seen = p->in_total;
	unsigned steps = 0;

	while (p->in_len < len) {
		if (p->in_total != seen)
			steps = 0;
		seen = p->in_total;
		if (p->closed || steps++ > 100000)
			nothing_more(p, len);
		bench_step();
	}
}

void hear(struct peer *p, const char *text)
{
	size_t len = strlen(text);

	wait_bytes(p, len);
	if (memcmp(p->in, text, len) != 0)
		fail_msg("heard: %.*s\nnot: %s", (int)p->in_len, (const char *)p->in, text);
	in_drop(p, len);
}

const char *hear_head(struct peer *p)
{
	static char head[65536 * 2];
	size_t len = 0;
	const uint8_t *end;

	do {
		wait_bytes(p, len + 1);
		len = p->in_len;
		end = memmem(p->in, p->in_len, "\r\n\r\n", 4);
	} while (!end);
	len = (size_t)(end - p->in) + 4;
	assert_true(len < sizeof(head));
	memcpy(head, p->in, len);
	head[len] = 0;
	in_drop(p, len);
	return head;
}

void hear_pattern(struct peer *p, uint64_t seed, size_t len)
{
	for (size_t done = 0, n; done < len; done += n) {
		wait_bytes(p, 1);
		n = p->in_len < len - done ? p->in_len : len - done;
		for (size_t i = 0; i < n; i++)
			if (p->in[i] != pattern_at(seed + done + i))
				fail_msg("byte %zu is wrong", done + i);
		in_drop(p, n);
	}
}

static size_t hear_chunk_size(struct peer *p)
{
	const uint8_t *end;
	size_t len = 0, size;

	do {
		wait_bytes(p, len + 1);
		len = p->in_len;
		end = memmem(p->in, p->in_len, "\r\n", 2);
	} while (!end);
	size = strtoul((const char *)p->in, NULL, 16);
	in_drop(p, (size_t)(end - p->in) + 2);
	return size;
}

void hear_chunked(struct peer *p, uint64_t seed, size_t len, const char *trailers)
{
	size_t done = 0, n;

	while ((n = hear_chunk_size(p))) {
		assert_true(done + n <= len);
		hear_pattern(p, seed + done, n);
		hear(p, "\r\n");
		done += n;
	}
	assert_int_equal(done, len);
	hear(p, trailers);
	hear(p, "\r\n");
}

void head_has(const char *head, const char *line)
{
	if (!strstr(head, line))
		fail_msg("no %s in %s", line, head);
}

void head_lacks(const char *head, const char *line)
{
	if (strstr(head, line))
		fail_msg("%s in %s", line, head);
}

void hear_end(struct peer *p)
{
	until(p->ended || p->closed);
	if (p->in_len)
		fail_msg("there was more: %.*s", (int)p->in_len, (const char *)p->in);
	assert_true(p->ended);
}

void hear_reset(struct peer *p)
{
	until(p->closed);
	assert_int_equal(p->reason, TCP_CLOSED_RESET);
}

void hear_cut(struct peer *p)
{
	until(p->ended || p->closed);
	assert_true(p->ended);
	peer_shut(p);
	until(p->closed);
	assert_int_not_equal(p->reason, TCP_CLOSED_RESET);
}

void hear_nothing(struct peer *p, unsigned ms)
{
	bench_run_ms(ms);
	if (p->in_len || p->ended || p->closed)
		fail_msg("something came: %.*s%s", (int)p->in_len, (const char *)p->in,
			 p->ended    ? " and the end"
			 : p->closed ? " and a reset"
				     : "");
}
