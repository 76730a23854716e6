/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/origin.h"

#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>

#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"

void origin_number(char *at, uint32_t number)
{
	for (unsigned i = 8; i-- > 0; number /= 10)
		at[i] = (char)('0' + number % 10);
}

static void answer(struct origin *origin, struct tcp_conn *conn)
{
	struct rte_mbuf *m = pair_payload(origin->pair, (uint16_t)origin->len);

	if (m)
		memcpy(rte_pktmbuf_mtod(m, char *), origin->answer, origin->len);
	if (m && origin->number_at)
		origin_number(rte_pktmbuf_mtod_offset(m, char *, origin->number_at), origin->asked);
	if (m && !tcp_send(conn, m))
		return;
	rte_pktmbuf_free(m);
	origin->wrong++;
}

static void on_readable(struct tcp_conn *conn, void *user)
{
	struct origin *origin = user;
	struct rte_mbuf *m = tcp_recv(conn, UINT32_MAX);

	if (!m) {
		tcp_close(conn); /* its end */
		return;
	}
	origin->asked++;
	if (m->next || m->data_len < 4 ||
	    memcmp(rte_pktmbuf_mtod_offset(m, char *, m->data_len - 4), "\r\n\r\n", 4) != 0)
		origin->wrong++;
	rte_pktmbuf_free(m);
	answer(origin, conn);
}

static void on_accepted(struct tcp_conn *conn, void *user)
{
	static const struct tcp_handlers handlers = {.readable = on_readable};

	tcp_set_handlers(conn, &handlers, user);
}

int origin_open(struct origin *origin, struct pair *pair, uint32_t body_bytes, bool differ)
{
	static const struct tcp_listen_handlers handlers = {.accepted = on_accepted};
	struct endpoint at = pair_endpoint(PAIR_CLIENT, ORIGIN_PORT);
	int head;

	*origin = (struct origin){.pair = pair};
	head = snprintf(origin->answer, sizeof(origin->answer),
			"HTTP/1.1 200 OK\r\nETag: \"00000000\"\r\n"
			"Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n"
			"Content-Type: application/octet-stream\r\n"
			"Content-Length: %u\r\n\r\n",
			body_bytes);
	origin->number_at = differ ? (uint32_t)strlen("HTTP/1.1 200 OK\r\nETag: \"") : 0;
	memset(origin->answer + head, 'b', body_bytes);
	origin->len = (uint32_t)head + body_bytes;
	return tcp_listen(pair->side[PAIR_CLIENT].stack, &at, NULL, &handlers, origin,
			  &origin->listener);
}

void origin_close(struct origin *origin)
{
	tcp_unlisten(origin->listener);
}
