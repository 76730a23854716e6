/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/origin.h"

#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>

#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"

static void answer(struct origin *origin, struct tcp_conn *conn)
{
	struct rte_mbuf *m = pair_payload(origin->pair, (uint16_t)origin->len);

	if (m)
		memcpy(rte_pktmbuf_mtod(m, char *), origin->answer, origin->len);
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

int origin_open(struct origin *origin, struct pair *pair, uint32_t body_bytes)
{
	static const struct tcp_listen_handlers handlers = {.accepted = on_accepted};
	struct endpoint at = pair_endpoint(PAIR_CLIENT, ORIGIN_PORT);
	int head;

	*origin = (struct origin){.pair = pair};
	head = snprintf(origin->answer, sizeof(origin->answer),
			"HTTP/1.1 200 OK\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n"
			"Content-Type: application/octet-stream\r\n"
			"Content-Length: %u\r\n\r\n",
			body_bytes);
	memset(origin->answer + head, 'b', body_bytes);
	origin->len = (uint32_t)head + body_bytes;
	return tcp_listen(pair->side[PAIR_CLIENT].stack, &at, NULL, &handlers, origin,
			  &origin->listener);
}

void origin_close(struct origin *origin)
{
	tcp_unlisten(origin->listener);
}
