/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_conns [COUNT]: opens COUNT connections (1,000,000), lets them be idle, closes them; two
 * stacks in one process. 200 of them ask and are answered, 64 bytes each way, beside the others,
 * and before these are there and after they went: a machine changes its speed meanwhile. Fails when
 * one connection is refused, lost, reset or left over, or an answer is not as it should be.
 */
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l4stack/base/counters.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "l4stack/tcp/tcp_conn.h"
#include "tests/bench/median.h"
#include "tests/bench/pair.h"

#define COUNT_DEFAULT  1000000u
#define AT_ONCE        256u   /* connections that open or close in one turn */
#define PORT_FIRST     1000u  /* of the server: each one gives the client's ports anew */
#define CONNS_PER_PORT 40000u /* of 49152 */
#define STEP_US        100u
#define IDLE_US        (3600ull * 1000000)
#define ACTIVE         200u
#define ROUNDS         2000u /* questions of each of them */
#define TIMES          5u    /* all of that: the median counts */
#define MESSAGE_BYTES  64u
#define QUIET_TURNS    1000u /* of a millisecond */

/* The parts of a connection, as tcp_conn.h orders them. */
#define HOT_BYTES  offsetof(struct tcp_conn, cc)
#define WARM_BYTES (offsetof(struct tcp_conn, hash) - HOT_BYTES)
#define COLD_BYTES (sizeof(struct tcp_conn) - HOT_BYTES - WARM_BYTES)

struct run {
	struct pair pair;
	uint32_t count, opened, accepted, ended;
	uint32_t wrong; /* closed before its time, or not as it should */
	uint32_t n;     /* open now, or opening */
	uint32_t asked, to_ask, answered;
	struct tcp_conn **conns; /* the client's */
	double open_ns, close_ns, longest_us;
	double before_ns, beside_ns, after_ns; /* the server's, of a question of the active ones */
	uint64_t server_open_cycles, server_close_cycles;
};
static struct run run;

/* ---- the owners ---- */

static void say(struct tcp_conn *conn, uint8_t what)
{
	struct rte_mbuf *m = pair_payload(&run.pair, MESSAGE_BYTES);

	if (m)
		memset(rte_pktmbuf_mtod(m, void *), what, MESSAGE_BYTES);
	if (m && !tcp_send(conn, m))
		return;
	rte_pktmbuf_free(m);
	run.wrong++;
}

/* What came is one message of that; false: nothing came. */
static bool hear(struct tcp_conn *conn, uint8_t what)
{
	struct rte_mbuf *m = tcp_recv(conn, UINT32_MAX);

	if (!m)
		return false;
	if (m->next || m->data_len != MESSAGE_BYTES ||
	    *rte_pktmbuf_mtod_offset(m, uint8_t *, MESSAGE_BYTES - 1) != what)
		run.wrong++;
	rte_pktmbuf_free(m);
	return true;
}

static void ask(struct tcp_conn *conn)
{
	if (run.asked == run.to_ask)
		return;
	run.asked++;
	say(conn, '?');
}

static void on_client_readable(struct tcp_conn *conn, void *user)
{
	(void)user;
	if (!hear(conn, '!'))
		return;
	run.answered++;
	ask(conn);
}

static void on_opened(struct tcp_conn *conn, void *user)
{
	(void)conn;
	(void)user;
	run.opened++;
}

static void on_server_readable(struct tcp_conn *conn, void *user)
{
	(void)user;
	if (hear(conn, '?'))
		say(conn, '!');
	if (!tcp_recv_ended(conn))
		return;
	run.ended++;
	tcp_close(conn);
}

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	(void)conn;
	(void)user;
	(void)reason;
	run.wrong++;
}

static const struct tcp_handlers client_handlers = {
	.opened = on_opened, .readable = on_client_readable, .closed = on_closed};
static const struct tcp_handlers server_handlers = {.readable = on_server_readable,
						    .closed = on_closed};

static void on_accepted(struct tcp_conn *conn, void *user)
{
	tcp_set_handlers(conn, &server_handlers, user);
	run.accepted++;
}

/* ---- the phases ---- */

static int listen_all(void)
{
	static const struct tcp_listen_handlers handlers = {.accepted = on_accepted};
	struct tcp_listener *listener;

	for (uint32_t i = 0; i * CONNS_PER_PORT < run.count; i++) {
		struct endpoint at = pair_endpoint(PAIR_SERVER, (uint16_t)(PORT_FIRST + i));
		int err = tcp_listen(run.pair.side[PAIR_SERVER].stack, &at, NULL, &handlers, NULL,
				     &listener);

		if (err)
			return err;
	}
	return 0;
}

static int open_one(uint32_t i)
{
	struct endpoint to =
		pair_endpoint(PAIR_SERVER, (uint16_t)(PORT_FIRST + i / CONNS_PER_PORT));

	return tcp_connect(run.pair.side[PAIR_CLIENT].stack, &to, NULL, &client_handlers, NULL,
			   &run.conns[i]);
}

static double ns_since(uint64_t begin)
{
	return (double)(rte_rdtsc() - begin) * 1e9 / (double)rte_get_tsc_hz();
}

static int open_to(uint32_t count)
{
	while (run.n < count) {
		for (uint32_t i = 0; i < AT_ONCE && run.n < count; i++, run.n++)
			if (open_one(run.n))
				return -1;
		pair_settle(&run.pair, STEP_US);
	}
	return 0;
}

/* Nanoseconds of the server's CPU for each question of the active ones. */
static double be_active_once(void)
{
	uint32_t active = RTE_MIN(ACTIVE, run.n), questions = active * ROUNDS;
	uint64_t began = run.pair.side[PAIR_SERVER].cpu_ns;
	double ns;

	run.asked = run.answered = 0;
	run.to_ask = questions;
	for (uint32_t i = 0; i < active; i++)
		ask(run.conns[i]);
	while (run.answered < questions && !run.wrong)
		pair_turn(&run.pair, STEP_US);
	ns = (double)(run.pair.side[PAIR_SERVER].cpu_ns - began) / questions;
	for (unsigned i = 0; i < QUIET_TURNS; i++) /* the last ACKs, which were delayed */
		pair_turn(&run.pair, 1000);
	return ns;
}

static double be_active(void)
{
	double ns[TIMES];

	for (unsigned i = 0; i < TIMES; i++)
		ns[i] = be_active_once();
	return median(ns, TIMES);
}

static int open_all(void)
{
	uint64_t begin = rte_rdtsc();

	run.pair.side[PAIR_SERVER].cycles = run.pair.side[PAIR_SERVER].turn_most_ns = 0;
	if (open_to(run.count))
		return -1;
	run.open_ns = ns_since(begin) / run.count;
	run.longest_us = (double)run.pair.side[PAIR_SERVER].turn_most_ns / 1e3;
	run.server_open_cycles = run.pair.side[PAIR_SERVER].cycles / run.count;
	return 0;
}

/* An hour, second by second: nobody says a word. */
static uint64_t idle(void)
{
	uint64_t before = run.pair.side[0].frames_in + run.pair.side[1].frames_in;
	uint64_t end_us = run.pair.now_us + IDLE_US;

	while (run.pair.now_us < end_us)
		pair_turn(&run.pair, 1000000);
	return run.pair.side[0].frames_in + run.pair.side[1].frames_in - before;
}

/* The last ones first, until so many are left. */
static void close_to(uint32_t left)
{
	uint64_t begin = rte_rdtsc();

	run.pair.side[PAIR_SERVER].cycles = 0;
	while (run.n > left) {
		for (uint32_t i = 0; i < AT_ONCE && run.n > left; i++)
			tcp_close(run.conns[--run.n]);
		pair_settle(&run.pair, STEP_US);
	}
	run.close_ns += ns_since(begin) / run.count;
	run.server_close_cycles += run.pair.side[PAIR_SERVER].cycles / run.count;
}

static int close_all(void)
{
	int err = pair_introduce(&run.pair); /* an hour later neighbours are forgotten */

	if (err)
		return err;
	close_to(RTE_MIN(ACTIVE, run.count));
	run.after_ns = be_active();
	close_to(0);
	return 0;
}

/* ---- the report ---- */

static void report_part(const char *name, uint64_t bytes)
{
	pair_row(name, (double)bytes / run.count, 1, "bytes a connection");
}

static void report_memory(const struct pair_memory *memory)
{
	printf("\nmemory of the server's stack, all %u established\n", run.count);
	report_part("connections", memory->conns);
	report_part("table", memory->table);
	report_part("TIME-WAIT", memory->timewaits);
	report_part("together", memory->total);
	pair_row("in all", (double)memory->total / (1 << 20), 1, "MiB");
	printf("\none connection (struct tcp_conn)\n");
	pair_row("hot: each segment and each flush", HOT_BYTES, 0, "bytes");
	pair_row("warm: while data is sent", WARM_BYTES, 0, "bytes");
	pair_row("cold: opening, closing, books", COLD_BYTES, 0, "bytes");
	pair_row("together", sizeof(struct tcp_conn), 0, "bytes");
}

static void report_time(void)
{
	printf("\n%u of them active\n", ACTIVE);
	pair_row("before the others are there", run.before_ns, 0, "ns a question");
	pair_row("beside the others", run.beside_ns, 0, "ns a question");
	pair_row("after they went", run.after_ns, 0, "ns a question");
	pair_row("beside, of alone", 50 * (run.before_ns + run.after_ns) / run.beside_ns, 0,
		 "% throughput");
	printf("\ntime\n");
	pair_row("open, both sides", run.open_ns, 0, "ns a connection");
	pair_row("close, both sides", run.close_ns, 0, "ns a connection");
	pair_row("open, the server's stack", (double)run.server_open_cycles, 0,
		 "cycles a connection");
	pair_row("longest turn of the server's stack while opening", run.longest_us, 0,
		 "us of CPU");
	pair_row("close, the server's stack", (double)run.server_close_cycles, 0,
		 "cycles a connection");
}

static unsigned expect(const char *what, uint64_t is, uint64_t should)
{
	if (is == should)
		return 0;
	printf("FAILED: %s is %llu, not %llu\n", what, (unsigned long long)is,
	       (unsigned long long)should);
	return 1;
}

static unsigned expect_open(uint64_t idle_frames)
{
	return expect("opened", run.opened, run.count) +
	       expect("accepted", run.accepted, run.count) +
	       expect("connections of the server", tcp_count(run.pair.side[PAIR_SERVER].stack),
		      run.count) +
	       expect("frames while idle", idle_frames, 0);
}

static unsigned expect_side(const struct pair_side *side)
{
	const struct stack_counters *c = stack_counters(side->stack);

	return expect("connections left", tcp_count(side->stack), 0) +
	       expect("resets", c->tcp_resets_out + c->tcp_resets_in, 0) +
	       expect("SYNs refused", c->tcp_syn_drops, 0) +
	       expect("segments sent again", c->tcp_retransmits, 0) +
	       expect("frames lost", side->overflows, 0);
}

static unsigned expect_closed(void)
{
	return expect("ended", run.ended, run.count) + expect("closed wrongly", run.wrong, 0) +
	       expect_side(&run.pair.side[0]) + expect_side(&run.pair.side[1]) +
	       expect("mbufs in use", pair_mbufs_in_use(&run.pair), 0);
}

static int benchmark(void)
{
	struct pair_memory memory;
	uint64_t idle_frames;
	unsigned failed;

	if (listen_all() || open_to(RTE_MIN(ACTIVE, run.count))) {
		printf("FAILED: connection %u could not be opened\n", run.n);
		return 1;
	}
	run.before_ns = be_active();
	if (open_all()) {
		printf("FAILED: connection %u could not be opened\n", run.n);
		return 1;
	}
	run.beside_ns = be_active();
	memory = pair_memory_of(&run.pair.side[PAIR_SERVER]);
	idle_frames = idle();
	failed = expect_open(idle_frames);
	if (close_all())
		return 1;
	failed += expect_closed();
	printf("idle connections: two stacks joined by memory, in virtual time\n\n");
	pair_row("connections established and closed", run.count, 0, "");
	pair_row("frames while idle for an hour", (double)idle_frames, 0, "");
	report_memory(&memory);
	report_time();
	if (run.count >= COUNT_DEFAULT)
		failed += expect("more than 1 GiB", memory.total > 1ull << 30, 0);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct pair_conf conf = {.memory_bytes = 64ull << 20};
	int result;

	run.count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT_DEFAULT;
	conf.max_conns = run.count + 1; /* and one for introductions */
	run.conns = calloc(run.count ? run.count : 1, sizeof(struct tcp_conn *));
	if (!run.count || !run.conns || pair_start(&run.pair, &conf))
		return 2;
	result = benchmark();
	pair_stop(&run.pair);
	free(run.conns);
	return result;
}
