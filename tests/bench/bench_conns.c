/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_conns [COUNT]: opens COUNT connections (1,000,000), lets them be idle, closes them; two
 * stacks in one process. 200 of them, from all over the others, ask and are answered, 64 bytes each
 * way, in turns with 200 that are alone on two stacks of their own: a machine changes its speed
 * from one second to the next. Fails when one connection is refused, lost, reset or left over, or
 * an answer is not as it should be.
 */
#include <errno.h>
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

/* Connections between two stacks. */
struct crowd {
	struct pair pair;
	uint32_t count, opened, accepted, ended;
	uint32_t wrong; /* closed before its time, or not as it should */
	uint32_t n;     /* open now, or opening */
	uint32_t asked, to_ask, answered;
	struct tcp_conn **conns; /* the client's */
};

struct run {
	struct crowd all, alone;
	double open_ns, close_ns, longest_us;
	double alone_ns, beside_ns; /* the server's, of a question of the active ones */
	double share;               /* the one of the other, in percent */
	uint64_t server_open_cycles, server_close_cycles;
};
static struct run run;

/* ---- the owners ---- */

static void say(struct crowd *crowd, struct tcp_conn *conn, uint8_t what)
{
	struct rte_mbuf *m = pair_payload(&crowd->pair, MESSAGE_BYTES);

	if (m)
		memset(rte_pktmbuf_mtod(m, void *), what, MESSAGE_BYTES);
	if (m && !tcp_send(conn, m))
		return;
	rte_pktmbuf_free(m);
	crowd->wrong++;
}

/* What came is one message of that; false: nothing came. */
static bool hear(struct crowd *crowd, struct tcp_conn *conn, uint8_t what)
{
	struct rte_mbuf *m = tcp_recv(conn, UINT32_MAX);

	if (!m)
		return false;
	if (m->next || m->data_len != MESSAGE_BYTES ||
	    *rte_pktmbuf_mtod_offset(m, uint8_t *, MESSAGE_BYTES - 1) != what)
		crowd->wrong++;
	rte_pktmbuf_free(m);
	return true;
}

static void ask(struct crowd *crowd, struct tcp_conn *conn)
{
	if (crowd->asked == crowd->to_ask)
		return;
	crowd->asked++;
	say(crowd, conn, '?');
}

static void on_client_readable(struct tcp_conn *conn, void *user)
{
	struct crowd *crowd = user;

	if (!hear(crowd, conn, '!'))
		return;
	crowd->answered++;
	ask(crowd, conn);
}

static void on_opened(struct tcp_conn *conn, void *user)
{
	struct crowd *crowd = user;

	(void)conn;
	crowd->opened++;
}

static void on_server_readable(struct tcp_conn *conn, void *user)
{
	struct crowd *crowd = user;

	if (hear(crowd, conn, '?'))
		say(crowd, conn, '!');
	if (!tcp_recv_ended(conn))
		return;
	crowd->ended++;
	tcp_close(conn);
}

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct crowd *crowd = user;

	(void)conn;
	(void)reason;
	crowd->wrong++;
}

static const struct tcp_handlers client_handlers = {
	.opened = on_opened, .readable = on_client_readable, .closed = on_closed};
static const struct tcp_handlers server_handlers = {.readable = on_server_readable,
						    .closed = on_closed};

static void on_accepted(struct tcp_conn *conn, void *user)
{
	struct crowd *crowd = user;

	tcp_set_handlers(conn, &server_handlers, crowd);
	crowd->accepted++;
}

/* ---- a crowd ---- */

/* `number`: of several in this process. */
static int crowd_start(struct crowd *crowd, unsigned number, uint32_t count)
{
	struct pair_conf conf = {.number = number,
				 .max_conns = count + 2 * AT_ONCE, /* half may be closing */
				 .memory_bytes = 64ull << 20};

	crowd->count = count;
	crowd->conns = calloc(count, sizeof(struct tcp_conn *));
	return crowd->conns ? pair_start(&crowd->pair, &conf) : -ENOMEM;
}

static void crowd_stop(struct crowd *crowd)
{
	pair_stop(&crowd->pair);
	free(crowd->conns);
}

static int listen_all(struct crowd *crowd)
{
	static const struct tcp_listen_handlers handlers = {.accepted = on_accepted};
	struct tcp_listener *listener;

	for (uint32_t i = 0; i * CONNS_PER_PORT < crowd->count; i++) {
		struct endpoint at = pair_endpoint(PAIR_SERVER, (uint16_t)(PORT_FIRST + i));
		int err = tcp_listen(crowd->pair.side[PAIR_SERVER].stack, &at, NULL, &handlers,
				     crowd, &listener);

		if (err)
			return err;
	}
	return 0;
}

static int open_next(struct crowd *crowd)
{
	struct endpoint to =
		pair_endpoint(PAIR_SERVER, (uint16_t)(PORT_FIRST + crowd->n / CONNS_PER_PORT));
	int err = tcp_connect(crowd->pair.side[PAIR_CLIENT].stack, &to, NULL, &client_handlers,
			      crowd, &crowd->conns[crowd->n]);

	crowd->n += !err;
	return err;
}

static int crowd_open(struct crowd *crowd)
{
	int err = listen_all(crowd);

	while (!err && crowd->n < crowd->count) {
		for (uint32_t i = 0; !err && i < AT_ONCE && crowd->n < crowd->count; i++)
			err = open_next(crowd);
		pair_settle(&crowd->pair, STEP_US);
	}
	if (err)
		printf("FAILED: connection %u could not be opened: error %d\n", crowd->n, -err);
	return err;
}

static void crowd_close(struct crowd *crowd)
{
	while (crowd->n) {
		for (uint32_t i = 0; i < AT_ONCE && crowd->n; i++)
			tcp_close(crowd->conns[--crowd->n]);
		pair_settle(&crowd->pair, STEP_US);
	}
}

/* Nanoseconds of the server's CPU for each question of ACTIVE of them. */
static double crowd_is_active(struct crowd *crowd)
{
	uint32_t active = RTE_MIN(ACTIVE, crowd->n), questions = active * ROUNDS;
	uint64_t began = crowd->pair.side[PAIR_SERVER].cpu_ns;
	double ns;

	crowd->asked = crowd->answered = 0;
	crowd->to_ask = questions;
	for (uint32_t i = 0; i < active; i++)
		ask(crowd, crowd->conns[i * (crowd->n / active)]);
	while (crowd->answered < questions && !crowd->wrong)
		pair_turn(&crowd->pair, STEP_US);
	ns = (double)(crowd->pair.side[PAIR_SERVER].cpu_ns - began) / questions;
	for (unsigned i = 0; i < QUIET_TURNS; i++) /* the last ACKs, which were delayed */
		pair_turn(&crowd->pair, 1000);
	return ns;
}

/* ---- the phases ---- */

static double ns_since(uint64_t begin)
{
	return (double)(rte_rdtsc() - begin) * 1e9 / (double)rte_get_tsc_hz();
}

static int open_all(void)
{
	struct pair_side *server = &run.all.pair.side[PAIR_SERVER];
	uint64_t begin = rte_rdtsc();

	server->cycles = server->turn_most_ns = 0;
	if (crowd_open(&run.all))
		return -1;
	run.open_ns = ns_since(begin) / run.all.count;
	run.longest_us = (double)server->turn_most_ns / 1e3;
	run.server_open_cycles = server->cycles / run.all.count;
	return 0;
}

static void be_active(void)
{
	double alone[TIMES], beside[TIMES], share[TIMES];

	for (unsigned i = 0; i < TIMES; i++) {
		alone[i] = crowd_is_active(&run.alone);
		beside[i] = crowd_is_active(&run.all);
		share[i] = 100 * alone[i] / beside[i];
	}
	run.alone_ns = median(alone, TIMES);
	run.beside_ns = median(beside, TIMES);
	run.share = median(share, TIMES);
}

/* An hour, second by second: nobody says a word. */
static uint64_t idle(void)
{
	struct pair *pair = &run.all.pair;
	uint64_t before = pair->side[0].frames_in + pair->side[1].frames_in;
	uint64_t end_us = pair->now_us + IDLE_US;

	while (pair->now_us < end_us)
		pair_turn(pair, 1000000);
	return pair->side[0].frames_in + pair->side[1].frames_in - before;
}

static int close_all(void)
{
	struct pair_side *server = &run.all.pair.side[PAIR_SERVER];
	int err = pair_introduce(&run.all.pair); /* an hour later neighbours are forgotten */
	uint64_t begin = rte_rdtsc();

	if (err)
		return err;
	server->cycles = 0;
	crowd_close(&run.all);
	run.close_ns = ns_since(begin) / run.all.count;
	run.server_close_cycles = server->cycles / run.all.count;
	return 0;
}

/* ---- the report ---- */

static void report_part(const char *name, uint64_t bytes)
{
	pair_row(name, (double)bytes / run.all.count, 1, "bytes a connection");
}

static void report_memory(const struct pair_memory *memory)
{
	printf("\nmemory of the server's stack, all %u established\n", run.all.count);
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
	pair_row("alone", run.alone_ns, 0, "ns a question");
	pair_row("beside the others", run.beside_ns, 0, "ns a question");
	pair_row("beside, of alone", run.share, 0, "% throughput");
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

static unsigned expect_open(const struct crowd *crowd)
{
	return expect("opened", crowd->opened, crowd->count) +
	       expect("accepted", crowd->accepted, crowd->count) +
	       expect("connections of the server", tcp_count(crowd->pair.side[PAIR_SERVER].stack),
		      crowd->count);
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

static unsigned expect_closed(const struct crowd *crowd)
{
	return expect("ended", crowd->ended, crowd->count) +
	       expect("closed wrongly", crowd->wrong, 0) + expect_side(&crowd->pair.side[0]) +
	       expect_side(&crowd->pair.side[1]) +
	       expect("mbufs in use", pair_mbufs_in_use(&crowd->pair), 0);
}

static int benchmark(void)
{
	struct pair_memory memory;
	uint64_t idle_frames;
	unsigned failed;

	if (crowd_open(&run.alone) || open_all())
		return 1;
	be_active();
	memory = pair_memory_of(&run.all.pair.side[PAIR_SERVER]);
	idle_frames = idle();
	failed = expect_open(&run.alone) + expect_open(&run.all) +
		 expect("frames while idle", idle_frames, 0);
	if (close_all())
		return 1;
	crowd_close(&run.alone);
	failed += expect_closed(&run.alone) + expect_closed(&run.all);
	printf("idle connections: two stacks joined by memory, in virtual time\n\n");
	pair_row("connections established and closed", run.all.count, 0, "");
	pair_row("frames while idle for an hour", (double)idle_frames, 0, "");
	report_memory(&memory);
	report_time();
	if (run.all.count >= COUNT_DEFAULT)
		failed += expect("more than 1 GiB", memory.total > 1ull << 30, 0);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT_DEFAULT;
	int result;

	if (!count || crowd_start(&run.all, 0, count) ||
	    crowd_start(&run.alone, 1, RTE_MIN(ACTIVE, count)))
		return 2;
	result = benchmark();
	crowd_stop(&run.alone);
	crowd_stop(&run.all);
	return result;
}
