/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_request [COUNT [PLUGINS [N]]]: COUNT requests (300,000) on kept connections, answered by
 * `static` with 64 bytes; stack, engine and inline functions in one process, without devices. The
 * time of the server's side is counted apart: what a request costs when a packet costs nothing.
 * Then the same with `noop` before it, once to eight times (or only N times); and 1 KB through
 * `proxy` from an origin on the other side (or only that: N is "proxy"). Fails when an answer is
 * not as it should be.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "chain/engine/engine.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"
#include "tests/bench/origin.h"
#include "tests/bench/pair.h"
#include "tests/bench/site.h"

#define COUNT_DEFAULT 300000u
#define CONNECTIONS   50u
#define STEP_US       20u
#define BODY_BYTES    64u
#define PROXY_BYTES   1024u

static const char question[] = "GET /64 HTTP/1.1\r\nHost: bench\r\n\r\n";

struct run {
	struct pair pair;
	struct origin origin;
	uint32_t body_bytes;
	uint32_t count, asked, answered, wrong, closed;
};
static struct run run;

/* ---- the clients ---- */

static void ask(struct tcp_conn *conn)
{
	struct rte_mbuf *m;

	if (run.asked == run.count)
		return;
	m = pair_payload(&run.pair, sizeof(question) - 1);
	if (m)
		memcpy(rte_pktmbuf_mtod(m, char *), question, sizeof(question) - 1);
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
	ask(conn);
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
	ask(conn);
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

static int clients_open(void)
{
	struct endpoint to = pair_endpoint(PAIR_SERVER, 80);
	struct tcp_conn *conn;

	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (tcp_connect(run.pair.side[PAIR_CLIENT].stack, &to, NULL, &handlers, NULL,
				&conn))
			return -1;
	return 0;
}

/* ---- what is measured ---- */

static void write_begin(FILE *f, const char *plugins)
{
	fprintf(f,
		"daemon = { plugin_dir = \"%s\"; };\n"
		"ports = ( { name = \"wire\"; device = \"net_null0\"; addresses = [ "
		"\"10.0.0.2/24\" ]; } );\n",
		plugins);
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
			"arena_mb = 1; },\n",
			i);
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

#define PROXY UINT_MAX /* in place of a number of functions */

static int conf_write(FILE *f, const char *plugins, unsigned before)
{
	write_begin(f, plugins);
	if (before == PROXY)
		write_proxy(f);
	else
		write_static(f, before);
	return fclose(f);
}

static int site_make(const char *plugins, unsigned before, struct site **out)
{
	char path[] = "/tmp/bench_request.XXXXXX";
	int fd = mkstemp(path), rc;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f || conf_write(f, plugins, before))
		return -1;
	rc = site_open(&run.pair, path, out);
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

/* Nanoseconds of the server's side for each request; 0: it failed. */
static double measure(const char *plugins, unsigned before, uint32_t count)
{
	struct pair_side *server = &run.pair.side[PAIR_SERVER];
	struct site *site;
	uint64_t began;
	bool well;

	run.count = count;
	run.asked = run.answered = run.wrong = run.closed = 0;
	run.body_bytes = before == PROXY ? PROXY_BYTES : BODY_BYTES;
	if (site_make(plugins, before, &site))
		return 0;
	if (clients_open())
		run.wrong++;
	while (!run.wrong && !run.closed && run.answered < count / 10)
		pair_turn(&run.pair, STEP_US);
	began = server->cpu_ns;
	while (!run.wrong && !run.closed && run.answered < count)
		pair_turn(&run.pair, STEP_US);
	well = good(site);
	site_close(site);
	pair_settle(&run.pair, 1000);
	return well ? (double)(server->cpu_ns - began) / (count - count / 10) : 0;
}

static bool chain(const char *plugins, unsigned before, uint32_t count, double *alone)
{
	double ns = measure(plugins, before, count);
	char name[64];

	snprintf(name, sizeof(name), "%u before static", before);
	pair_row(before ? name : "static", ns, 0, "ns a request");
	if (!before)
		*alone = ns;
	else if (*alone > 0)
		pair_row("", (ns - *alone) / before, 0, "ns each");
	return ns > 0;
}

static bool chains(const char *plugins, const char *only, uint32_t count)
{
	static const unsigned lengths[] = {0, 1, 2, 4, 8};
	double alone = 0;

	printf("a GET of %u bytes on %u connections, inline, no device\n\n", BODY_BYTES,
	       CONNECTIONS);
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if ((!only || (unsigned)atoi(only) == lengths[i]) &&
		    !chain(plugins, lengths[i], count, &alone))
			return false;
	return true;
}

static bool proxied(const char *plugins, uint32_t count)
{
	double ns = 0;

	if (!origin_open(&run.origin, &run.pair, PROXY_BYTES)) {
		ns = measure(plugins, PROXY, count);
		origin_close(&run.origin);
	}
	pair_row("1 KB through proxy, from an origin", ns, 0, "ns a request");
	return ns > 0;
}

int main(int argc, char **argv)
{
	const struct pair_conf conf = {.max_conns = 4096, .memory_bytes = 64ull << 20};
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT_DEFAULT;
	const char *plugins = argc > 2 ? argv[2] : "build/lib/sluice";
	const char *only = argc > 3 ? argv[3] : NULL;
	bool proxy_only = only && !strcmp(only, "proxy");

	if (!count || pair_start(&run.pair, &conf))
		return 2;
	if (!proxy_only && !chains(plugins, only, count))
		return 1;
	if ((!only || proxy_only) && !proxied(plugins, count))
		return 1;
	pair_stop(&run.pair);
	return 0;
}
