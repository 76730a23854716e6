/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_cps [COUNT]: COUNT connections (1,000,000), each opened, asked one small question, answered
 * and closed by the server; two stacks in one process on one core. The cycles of the server's stack
 * are counted apart. Fails when one connection does not go as it should.
 */
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>

#include "l4stack/base/counters.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "l4stack/tcp/tcp_conn.h"
#include "tests/bench/pair.h"

#define COUNT_DEFAULT  1000000u
#define AT_ONCE        64u /* new connections of a turn */
#define PORT_FIRST     80u
#define PORTS          8u
#define QUESTION_BYTES 100u
#define ANSWER_BYTES   200u
#define STEP_US        50u
#define CONNS_MOST     100000u

struct run {
	struct pair pair;
	uint32_t count, begun, answered, done;
	uint32_t failed;
	double seconds;
};
static struct run run;

/* ---- the server: one answer, and no more ---- */

static void answer(struct tcp_conn *conn)
{
	struct rte_mbuf *m = pair_payload(&run.pair, ANSWER_BYTES);

	rte_pktmbuf_free(tcp_recv(conn, UINT32_MAX));
	if (!m || tcp_send(conn, m)) {
		rte_pktmbuf_free(m);
		run.failed++;
	}
	tcp_shutdown(conn);
}

static void on_server_readable(struct tcp_conn *conn, void *user)
{
	(void)user;
	if (tcp_recv_ended(conn))
		tcp_close(conn);
	else if (tcp_recv_ready(conn) >= QUESTION_BYTES)
		answer(conn);
}

static const struct tcp_handlers server_handlers = {.readable = on_server_readable};

static void on_accepted(struct tcp_conn *conn, void *user)
{
	tcp_set_handlers(conn, &server_handlers, user);
}

/* ---- the client ---- */

static void on_opened(struct tcp_conn *conn, void *user)
{
	struct rte_mbuf *m = pair_payload(&run.pair, QUESTION_BYTES);

	(void)user;
	if (m && !tcp_send(conn, m))
		return;
	rte_pktmbuf_free(m);
	run.failed++;
}

static void on_client_readable(struct tcp_conn *conn, void *user)
{
	(void)user;
	run.answered += tcp_recv_ready(conn) == ANSWER_BYTES;
	rte_pktmbuf_free(tcp_recv(conn, UINT32_MAX));
	if (!tcp_recv_ended(conn))
		return;
	run.done++;
	tcp_close(conn);
}

static void on_client_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	(void)conn;
	(void)user;
	(void)reason;
	run.failed++;
	run.done++;
}

static const struct tcp_handlers client_handlers = {
	.opened = on_opened, .readable = on_client_readable, .closed = on_client_closed};

/* ---- */

static int listen_all(void)
{
	static const struct tcp_listen_handlers handlers = {.accepted = on_accepted};
	struct tcp_listener *listener;
	int err = 0;

	for (uint16_t i = 0; !err && i < PORTS; i++) {
		struct endpoint at = pair_endpoint(PAIR_SERVER, (uint16_t)(PORT_FIRST + i));

		err = tcp_listen(run.pair.side[PAIR_SERVER].stack, &at, NULL, &handlers, NULL,
				 &listener);
	}
	return err;
}

static int open_one(void)
{
	struct endpoint to = pair_endpoint(PAIR_SERVER, (uint16_t)(PORT_FIRST + run.begun % PORTS));
	struct tcp_conn *conn;

	run.begun++;
	return tcp_connect(run.pair.side[PAIR_CLIENT].stack, &to, NULL, &client_handlers, NULL,
			   &conn);
}

static int benchmark(void)
{
	uint64_t begin = rte_rdtsc();

	while (run.done < run.count) {
		for (uint32_t i = 0; i < AT_ONCE && run.begun < run.count; i++)
			if (open_one())
				return -1;
		pair_turn(&run.pair, STEP_US);
		if (run.pair.now_us > (uint64_t)run.count * STEP_US * 100 + 600000000)
			return -1;
	}
	pair_settle(&run.pair, STEP_US);
	run.seconds = (double)(rte_rdtsc() - begin) / (double)rte_get_tsc_hz();
	return 0;
}

static void report(void)
{
	const struct pair_side *server = &run.pair.side[PAIR_SERVER];
	const struct pair_side *client = &run.pair.side[PAIR_CLIENT];
	double server_cycles = (double)server->cycles / run.count;

	printf("connections a second: open, %u bytes asked, %u answered, close; one core\n\n",
	       QUESTION_BYTES, ANSWER_BYTES);
	pair_row("connections", run.count, 0, "");
	pair_row("both stacks", run.count / run.seconds, 0, "connections a second");
	pair_row("the server's stack alone", (double)rte_get_tsc_hz() / server_cycles, 0,
		 "connections a second");
	pair_row("the server's stack", server_cycles, 0, "cycles a connection");
	pair_row("the client's stack", (double)client->cycles / run.count, 0,
		 "cycles a connection");
	pair_row("frames to the server", (double)server->frames_in / run.count, 2, "a connection");
	pair_row("frames to the client", (double)client->frames_in / run.count, 2, "a connection");
	pair_row("the core", (double)rte_get_tsc_hz() / 1e9, 2, "GHz");
}

static bool verdict(void)
{
	const struct stack_counters *c = stack_counters(run.pair.side[PAIR_SERVER].stack);

	if (!run.failed && run.answered == run.count && run.done == run.count &&
	    !c->tcp_syn_drops && !c->tcp_retransmits && !pair_mbufs_in_use(&run.pair) &&
	    !tcp_count(run.pair.side[0].stack) && !tcp_count(run.pair.side[1].stack))
		return true;
	printf("FAILED: %u wrong, %u of %u answered, %llu SYNs refused, %llu segments sent again, "
	       "%u mbufs in use, %u and %u connections left\n",
	       run.failed, run.answered, run.count, (unsigned long long)c->tcp_syn_drops,
	       (unsigned long long)c->tcp_retransmits, pair_mbufs_in_use(&run.pair),
	       tcp_count(run.pair.side[0].stack), tcp_count(run.pair.side[1].stack));
	return false;
}

int main(int argc, char **argv)
{
	const struct pair_conf conf = {.max_conns = CONNS_MOST, .memory_bytes = 64ull << 20};
	bool good;

	run.count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT_DEFAULT;
	if (!run.count || pair_start(&run.pair, &conf))
		return 2;
	if (listen_all() || benchmark()) {
		printf("FAILED: stopped after %u of %u connections\n", run.done, run.count);
		return 1;
	}
	report();
	good = verdict();
	pair_stop(&run.pair);
	return good ? 0 : 1;
}
