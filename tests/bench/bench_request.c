/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_request [COUNT [PLUGINS [ROW [THREADS]]]]: what a request costs when a packet costs
 * nothing: stack, engine and inline functions in one process, without devices; the time of the
 * server's side is counted apart. COUNT requests (300,000), answered by `static` with 64 bytes,
 *
 *    again   as it is when nothing is set: the answer is given again without asking anybody
 *    once    the same, each on a connection of its own, which the client closes
 *    close   likewise, and the server closes it, as it is asked to
 *    0 … 8   asked each time (daemon.recalls = 0), with so many of `noop` before
 *    watch   the same with eight that only watch
 *    ring0   `static` asked by its ring, as a process is
 *    ring1   one of `noop` before it, likewise
 *    ring8   eight
 *    proxy   1 KB through `proxy`, from an origin on the other side
 *    differ  the same with heads that never came before, both ways
 *
 * or only ROW; each in ROUNDS rounds, in turns, and shown are medians; or that by THREADS threads
 * at once, each on a CPU of its own with stacks, engine and pools of its own, as the workers of a
 * daemon. Fails when an answer is not as it should be.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "chain/engine/engine.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "tests/bench/median.h"
#include "tests/bench/origin.h"
#include "tests/bench/pair.h"
#include "tests/bench/pin.h"
#include "tests/bench/site.h"
#include "tests/unit/support/eal.h"

#define COUNT_DEFAULT 300000u
#define CONNECTIONS   50u
#define STEP_US       20u
#define BODY_BYTES    64u
#define PROXY_BYTES   1024u
#define RECALLS       1024u
#define THREADS_MOST  16u
#define ONCE_MOST     4000u /* in a round: ports are not used again so soon */
#define ROUNDS        5u

static const char question[] = "GET /64 HTTP/1.1\r\nHost: bench\r\n\r\n";
static const char other[] = "GET /00000000 HTTP/1.1\r\nHost: bench\r\n\r\n"; /* with a number */
#define NUMBER_AT 5
static const char last[] = "GET /64 HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";

struct row {
	const char *name, *title;
	unsigned before; /* of `noop` */
	bool recalls, once, close, proxy, differ, watch, rings;
};

struct run {
	struct pair pair;
	const struct row *row;
	struct origin origin;
	uint32_t body_bytes;
	uint32_t count, opening, asked, answered, wrong, closed;
};
static _Thread_local struct run run;
static pthread_barrier_t *together; /* of several threads */

/* ---- the clients ---- */

static const char *question_of(const struct row *row)
{
	return row->differ ? other : row->close ? last : question;
}

static void ask(struct tcp_conn *conn)
{
	const char *text = question_of(run.row);
	size_t len = strlen(text);
	struct rte_mbuf *m;

	if (run.asked == run.count)
		return;
	m = pair_payload(&run.pair, (uint16_t)len);
	if (m)
		memcpy(rte_pktmbuf_mtod(m, char *), text, len);
	if (m && run.row->differ)
		origin_number(rte_pktmbuf_mtod_offset(m, char *, NUMBER_AT), run.asked);
	if (m && !tcp_send(conn, m)) {
		run.asked++;
		return;
	}
	rte_pktmbuf_free(m);
	run.wrong++;
}

static void on_opened(struct tcp_conn *conn, void *user)
{
	(void)user;
	run.opening--;
	ask(conn);
}

static void client_open(void);

static void go_on(struct tcp_conn *conn)
{
	if (!run.row->once) {
		ask(conn);
		return;
	}
	tcp_close(conn);
	if (run.asked + run.opening < run.count)
		client_open();
}

/* Head and body come in one segment. */
static void on_readable(struct tcp_conn *conn, void *user)
{
	static const char begin[] = "HTTP/1.1 200 OK\r\n";
	struct rte_mbuf *chain = tcp_recv(conn, UINT32_MAX);
	uint8_t bytes[sizeof(begin) - 1];
	uint32_t len = 0;

	(void)user;
	for (const struct rte_mbuf *m = chain; m; m = m->next)
		len += m->data_len;
	if (len < sizeof(bytes) + run.body_bytes ||
	    memcmp(rte_pktmbuf_mtod(chain, char *), begin, sizeof(bytes)) != 0)
		run.wrong++;
	rte_pktmbuf_free(chain);
	run.answered++;
	go_on(conn);
}

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	(void)conn;
	(void)user;
	(void)reason;
	run.closed++;
}

static const struct tcp_handlers handlers = {
	.opened = on_opened, .readable = on_readable, .closed = on_closed};

static void client_open(void)
{
	struct endpoint to = pair_endpoint(PAIR_SERVER, 80);
	struct tcp_conn *conn;

	run.opening++;
	if (tcp_connect(run.pair.side[PAIR_CLIENT].stack, &to, NULL, &handlers, NULL, &conn))
		run.wrong++;
}

/* ---- what is measured ---- */

static void write_begin(FILE *f, const char *plugins)
{
	fprintf(f,
		"daemon = { plugin_dir = \"%s\"; recalls = %u; };\n"
		"ports = ( { name = \"wire\"; device = \"net_null0\"; addresses = [ "
		"\"10.0.0.2/24\" ]; } );\n",
		plugins, run.row->recalls ? RECALLS : 0);
}

static void write_chain(FILE *f)
{
	fprintf(f,
		"chains = ( { name = \"www\"; listen = \"10.0.0.2:80\"; protocol = \"http\"; path "
		"= [ ");
}

static void write_static(FILE *f, unsigned before)
{
	fprintf(f, "functions = (");
	for (unsigned i = 0; i < before; i++)
		fprintf(f,
			"  { name = \"noop%u\"; plugin = \"noop\"; placement = \"inline\"; "
			"arena_mb = 1; config = { mode = \"%s\"; }; },\n",
			i, run.row->watch ? "watch" : "pass");
	fprintf(f,
		"  { name = \"pages\"; plugin = \"static\"; placement = \"inline\"; arena_mb = 4;\n"
		"    config = { responses = ( { path = \"/64\"; size_bytes = 64; } ); }; } );\n");
	write_chain(f);
	for (unsigned i = 0; i < before; i++)
		fprintf(f, "\"noop%u\", ", i);
	fprintf(f, "\"pages\" ]; } );\n");
}

static void write_proxy(FILE *f)
{
	fprintf(f,
		"upstreams = ( { name = \"web\"; keepalive = 256; health = { on = false; };\n"
		"  servers = ( { address = \"10.0.0.1:%u\"; } ); } );\n"
		"functions = ( { name = \"route\"; plugin = \"proxy\"; placement = \"inline\";\n"
		"  config = { routes = ( { upstream = \"web\"; } ); }; } );\n",
		ORIGIN_PORT);
	write_chain(f);
	fprintf(f, "\"route\" ]; } );\n");
}

static int conf_write(FILE *f, const char *plugins)
{
	write_begin(f, plugins);
	if (run.row->proxy)
		write_proxy(f);
	else
		write_static(f, run.row->before);
	return fclose(f);
}

static int site_make(const char *plugins, struct site **out)
{
	char path[] = "/tmp/bench_request.XXXXXX";
	int fd = mkstemp(path), rc;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f || conf_write(f, plugins))
		return -1;
	rc = site_open(&run.pair, path, run.row->rings, out);
	unlink(path);
	return rc;
}

static bool good(const struct site *site)
{
	const struct engine_counters *c = engine_counters(site_engine(site));

	run.wrong += run.origin.wrong;
	if (!run.wrong && !run.closed && run.answered == run.count && !c->offences)
		return true;
	printf("FAILED: %u of %u answered, %u wrong, %u connections closed, %" PRIu64 " offences\n",
	       run.answered, run.count, run.wrong, run.closed, c->offences);
	return false;
}

static void run_until(uint32_t answered)
{
	while (!run.wrong && !run.closed && run.answered < answered)
		pair_turn(&run.pair, STEP_US);
}

/* For all threads that measure: none is alone at the beginning. */
static void all_wait(void)
{
	if (together)
		pthread_barrier_wait(together);
}

/* Nanoseconds of the server's side for each request; 0: it failed. */
static double measure(const char *plugins)
{
	struct pair_side *server = &run.pair.side[PAIR_SERVER];
	struct site *site;
	uint64_t began;
	bool well;

	run.opening = run.asked = run.answered = run.wrong = run.closed = 0;
	run.body_bytes = run.row->proxy ? PROXY_BYTES : BODY_BYTES;
	if (site_make(plugins, &site)) {
		all_wait();
		return 0;
	}
	for (unsigned i = 0; i < CONNECTIONS; i++)
		client_open();
	all_wait();
	run_until(run.count / 10);
	began = server->cpu_ns;
	run_until(run.count);
	well = good(site);
	site_close(site);
	pair_settle(&run.pair, 1000);
	return well ? (double)(server->cpu_ns - began) / (run.count - run.count / 10) : 0;
}

static double measure_row(const struct row *row, const char *plugins, uint32_t count)
{
	double ns = 0;

	run.row = row;
	run.count = row->once && count > ONCE_MOST ? ONCE_MOST : count;
	if (!row->proxy)
		return measure(plugins);
	if (!origin_open(&run.origin, &run.pair, PROXY_BYTES, row->differ)) {
		ns = measure(plugins);
		origin_close(&run.origin);
	}
	return ns;
}

static const struct row rows[] = {
	{"again", "static, given again", .recalls = true},
	{"once", "the same, a connection each", .recalls = true, .once = true},
	{"close", "the same, closed by the server", .recalls = true, .once = true, .close = true},
	{"0", "static", .before = 0},
	{"1", "1 noop before static", .before = 1},
	{"2", "2 before static", .before = 2},
	{"4", "4 before static", .before = 4},
	{"8", "8 before static", .before = 8},
	{"watch", "8 that watch before static", .before = 8, .watch = true},
	{"ring0", "static by its ring", .rings = true},
	{"ring1", "1 noop before it, by its ring, too", .before = 1, .rings = true},
	{"ring8", "8 before it", .before = 8, .rings = true},
	{"proxy", "1 KB through proxy, from an origin", .proxy = true},
	{"differ", "the same, no head like another", .proxy = true, .differ = true},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* `only`: a name, or NULL for all. */
static bool is_wanted(const struct row *row, const char *only)
{
	return !only || !strcmp(only, row->name);
}

static double took_ns[ROWS][ROUNDS];

/* In turns: the machine is quicker at one time than at another. */
static bool measure_round(unsigned round, const char *plugins, const char *only, uint32_t count)
{
	for (unsigned i = 0; i < ROWS; i++) {
		if (!is_wanted(&rows[i], only))
			continue;
		took_ns[i][round] = measure_row(&rows[i], plugins, count);
		if (took_ns[i][round] <= 0)
			return false;
	}
	return true;
}

/* What each of the functions before has added, round by round. */
static double each_ns(const struct row *row, const double *with, const double *without)
{
	double ns[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++)
		ns[r] = (with[r] - without[r]) / row->before;
	return median(ns, ROUNDS);
}

static void row_print(const struct row *row, const double *ns, const double *without)
{
	double sorted[ROUNDS];

	memcpy(sorted, ns, sizeof(sorted));
	pair_row(row->title, median(sorted, ROUNDS), 0, "ns a request");
	if (row->before && without)
		pair_row("", each_ns(row, ns, without), 0, "ns each");
}

static bool measure_rows(const char *plugins, const char *only, uint32_t count)
{
	const double *without = NULL;

	for (unsigned round = 0; round < ROUNDS; round++)
		if (!measure_round(round, plugins, only, count / ROUNDS))
			return false;
	for (unsigned i = 0; i < ROWS; i++) {
		if (!is_wanted(&rows[i], only))
			continue;
		if (!rows[i].before)
			without = took_ns[i];
		row_print(&rows[i], took_ns[i], without);
	}
	return true;
}

/* ---- several threads ---- */

struct thread {
	pthread_t id;
	unsigned number;
	const struct row *row;
	const char *plugins;
	uint32_t count;
	double ns;
};

static const struct pair_conf pair_conf = {.max_conns = 4096, .memory_bytes = 64ull << 20};

/* The CPU of that number, of those that the process may use. */
static void pin_number(unsigned number)
{
	cpu_set_t all;
	int cpu = -1;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	for (unsigned i = 0; i <= number; i++)
		do
			cpu = (cpu + 1) % CPU_SETSIZE;
		while (!CPU_ISSET(cpu, &all));
	pin_or_say(cpu);
}

/* What it takes from pools it keeps near: so it has to be known to DPDK. */
static void *thread_main(void *arg)
{
	struct thread *t = arg;
	struct pair_conf conf = pair_conf;

	conf.number = t->number + 1;
	pin_number(t->number);
	if (rte_thread_register() || pair_start(&run.pair, &conf)) {
		all_wait();
		return NULL;
	}
	t->ns = measure_row(t->row, t->plugins, t->count);
	pair_stop(&run.pair);
	rte_thread_unregister();
	return NULL;
}

static const struct row *row_of(const char *name)
{
	for (unsigned i = 0; i < ROWS; i++)
		if (!strcmp(name, rows[i].name))
			return &rows[i];
	return NULL;
}

/* One after the other is made, for it is the measuring that they do at once. */
static bool measure_threads(const char *plugins, const struct row *row, uint32_t count, unsigned n)
{
	struct thread threads[THREADS_MOST] = {0};
	pthread_barrier_t barrier;
	bool well = true;

	pthread_barrier_init(&barrier, NULL, n);
	together = &barrier;
	for (unsigned i = 0; i < n; i++) {
		threads[i] = (struct thread){
			.number = i, .row = row, .plugins = plugins, .count = count};
		if (pthread_create(&threads[i].id, NULL, thread_main, &threads[i]))
			return false;
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i].id, NULL);
		pair_row(row->title, threads[i].ns, 0, "ns a request");
		well = well && threads[i].ns > 0;
	}
	pthread_barrier_destroy(&barrier);
	return well;
}

static int usage(void)
{
	fprintf(stderr, "usage: bench_request [COUNT [PLUGINS [ROW [THREADS]]]]\n");
	return 2;
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT_DEFAULT;
	const char *plugins = argc > 2 ? argv[2] : pair_plugins();
	const struct row *row = argc > 4 ? row_of(argv[3]) : NULL;
	unsigned threads = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
	bool well;

	if (!count || (argc > 4 && (!row || !threads || threads > THREADS_MOST)))
		return usage();
	if (threads ? eal_start() : pair_start(&run.pair, &pair_conf))
		return 2;
	printf("a GET of %u bytes on %u connections, inline, no device\n\n", BODY_BYTES,
	       CONNECTIONS);
	well = threads ? measure_threads(plugins, row, count, threads)
		       : measure_rows(plugins, argc > 3 ? argv[3] : NULL, count);
	if (!threads)
		pair_stop(&run.pair);
	return well ? 0 : 1;
}
