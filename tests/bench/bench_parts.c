/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_parts [TIMES]: what the parts of a request's way cost by themselves, warm, on one core: a
 * packet's headers, a head's parsing, a connection's lookup, a timer, a checksum, a lease (the
 * ring: bench_rings). Each is done TIMES times (1,000,000) in short rounds; the median round is
 * shown.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "chain/http/head.h"
#include "chain/ledger/ledger.h"
#include "dataplane/cycles.h"
#include "l4stack/base/csum.h"
#include "l4stack/base/wheel.h"
#include "l4stack/tcp/tcp_options.h"
#include "l4stack/tcp/tcp_segment.h"
#include "l4stack/tcp/tcp_table.h"
#include "tests/bench/median.h"
#include "tests/bench/pair.h"
#include "tests/unit/support/eal.h"

#define TIMES_DEFAULT 1000000u
#define ROUND         256 /* times; short, so that most rounds are not interrupted */
#define ROUNDS_MOST   65536
#define SLOT_BYTES    8192
#define SLOT_FIELDS   128
#define TIMERS        4096
#define ARENA_BYTES   (1u << 20)
#define LOOKUPS       4096
#define CLOCK_READS   13 /* in a turn, when it is measured */

static uint32_t times;
static uint64_t sink; /* what is computed is used: nothing is optimised away */
static bool failed;

/* --- rounds ------------------------------------------------------------------------------ */

/* Cycles for each of the times of the median round. */
static double cycles_of(void (*fn)(void *ctx, uint32_t n), void *ctx)
{
	static double round[ROUNDS_MOST];
	uint32_t rounds = times / ROUND + 1;

	rounds = rounds < ROUNDS_MOST ? rounds : ROUNDS_MOST;
	fn(ctx, ROUND);
	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t begin = rte_rdtsc();

		fn(ctx, ROUND);
		round[i] = (double)(rte_rdtsc() - begin) / ROUND;
	}
	return median(round, rounds);
}

static double ns(double cycles)
{
	return cycles * 1e9 / (double)rte_get_tsc_hz();
}

static void row(const char *name, double cycles)
{
	char unit[64];

	snprintf(unit, sizeof(unit), "ns   (%.0f cycles)", cycles);
	pair_row(name, ns(cycles), 1, unit);
}

/* --- packets ----------------------------------------------------------------------------- */

static const uint8_t tcp_bytes[] = {
	0xc0, 0x00, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, /* ports, numbers */
	0x08, 0x80, 0x18, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x01, 0x01,
	0x08, 0x0a, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x20, 0x00, /* NOP, NOP, time stamps */
	'G',  'E',  'T',  ' ',
};

/* The same packet again and again: what is stripped of it is put back. */
static void segment_round(void *ctx, uint32_t n)
{
	static const struct ip_rx rx = {.src = {.bytes = {10, 0, 0, 1}, .family = ADDR_IP4},
					.dst = {.bytes = {10, 0, 0, 2}, .family = ADDR_IP4}};
	struct rte_mbuf *m = ctx;
	struct tcp_seg seg;

	for (uint32_t i = 0; i < n; i++) {
		failed |= !tcp_seg_parse(&rx, m, &seg) || seg.len != 4;
		sink += seg.options.tsval;
		m->data_off = RTE_PKTMBUF_HEADROOM;
		m->data_len = sizeof(tcp_bytes);
		m->pkt_len = sizeof(tcp_bytes);
	}
}

static void options_round(void *ctx, uint32_t n)
{
	static const uint8_t syn[] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0,
				      1, 0, 0,    0,    0, 0, 1, 3,  3, 7};
	struct tcp_options options;

	(void)ctx;
	for (uint32_t i = 0; i < n; i++) {
		failed |= !tcp_options_parse(syn, sizeof(syn), &options);
		sink += options.mss;
	}
}

static void bench_packets(void)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create("packets", 31, 0, 0, 2176, 0);
	struct rte_mbuf *m = pool ? rte_pktmbuf_alloc(pool) : NULL;

	if (!m) {
		failed = true;
		return;
	}
	memcpy(rte_pktmbuf_append(m, sizeof(tcp_bytes)), tcp_bytes, sizeof(tcp_bytes));
	row("TCP: a segment's header with time stamps", cycles_of(segment_round, m));
	row("TCP: the options of a SYN", cycles_of(options_round, NULL));
	rte_pktmbuf_free(m);
}

/* --- heads ------------------------------------------------------------------------------- */

static const char short_head[] = "GET /64 HTTP/1.1\r\nHost: bench\r\n\r\n";
static const char long_head[] =
	"GET /articles/2024/05/a-rather-long-name-of-an-article.html?from=feed&page=2 HTTP/1.1\r\n"
	"Host: www.example.com\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0\r\n"
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
	"Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
	"Accept-Encoding: gzip, deflate, br\r\n"
	"Referer: https://www.example.com/articles/\r\n"
	"Connection: keep-alive\r\n"
	"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=all\r\n"
	"Upgrade-Insecure-Requests: 1\r\n"
	"Sec-Fetch-Dest: document\r\n"
	"Sec-Fetch-Mode: navigate\r\n"
	"Sec-Fetch-Site: same-origin\r\n"
	"If-None-Match: \"5f3a9c1e-2b\"\r\n"
	"Cache-Control: max-age=0\r\n\r\n";

struct text {
	const char *bytes;
	uint32_t len;
};

static void parse_round(void *ctx, uint32_t n)
{
	static uint64_t slot[SLOT_BYTES / sizeof(uint64_t)];
	const struct http_limits limits = HTTP_LIMITS_DEFAULT;
	const struct text *text = ctx;
	struct sluice_head *head = (struct sluice_head *)slot;
	struct http_run run = {(const uint8_t *)text->bytes, text->len, sluice_ref(1, 0)};

	for (uint32_t i = 0; i < n; i++) {
		struct http_head_parser parser;
		uint64_t taken;

		failed |= http_head_init(head, sluice_ref(2, 0), SLOT_BYTES, SLOT_FIELDS) != 0;
		http_head_reset(&parser, false, 0);
		failed |= http_head_feed(&parser, &limits, &run, 1, head, &taken) != HTTP_HEAD_DONE;
		sink += taken;
	}
}

static void bench_heads(void)
{
	struct text texts[] = {{short_head, sizeof(short_head) - 1},
			       {long_head, sizeof(long_head) - 1}};

	for (unsigned i = 0; i < 2; i++) {
		double cycles = cycles_of(parse_round, &texts[i]);
		char name[64];

		snprintf(name, sizeof(name), "HTTP: a head of %u bytes", texts[i].len);
		row(name, cycles);
		pair_row("", texts[i].len / ns(cycles), 2, "GB/s");
	}
}

/* --- table ------------------------------------------------------------------------------- */

struct lookup {
	struct tcp_table table;
	uint64_t hash[LOOKUPS];
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 29;
}

static bool any(uintptr_t ref, const void *key)
{
	return ref != (uintptr_t)key;
}

static void lookup_round(void *ctx, uint32_t n)
{
	static uint32_t at;
	const struct lookup *l = ctx;

	for (uint32_t i = 0; i < n; i++, at++)
		failed |= !tcp_table_find(&l->table, l->hash[at % LOOKUPS], any, NULL);
}

static int table_fill(struct lookup *l, uint32_t conns)
{
	int err = tcp_table_init(&l->table);

	for (uint32_t i = 0; i < conns && !err; i++)
		err = tcp_table_insert(&l->table, mix(i + 1), (uintptr_t)(i + 1) * 64);
	for (uint32_t i = 0; i < LOOKUPS; i++)
		l->hash[i] = mix(mix(i) % conns + 1);
	return err;
}

static void bench_table(void)
{
	static struct lookup lookup;

	for (uint32_t conns = 1000; conns <= 1000000; conns *= 10) {
		char name[64];

		failed |= table_fill(&lookup, conns) != 0;
		snprintf(name, sizeof(name), "table: one of %u connections", conns);
		row(name, cycles_of(lookup_round, &lookup));
		tcp_table_fini(&lookup.table);
	}
}

/* --- timers, checksums, leases ----------------------------------------------------------- */

static void on_timer(void *ctx, struct wheel_timer *timer)
{
	(void)ctx;
	sink += timer->due_us;
}

static void wheel_round(void *ctx, uint32_t n)
{
	static struct wheel_timer timer[TIMERS];
	static uint32_t at;

	for (uint32_t i = 0; i < n; i++, at++) {
		struct wheel_timer *t = &timer[at % TIMERS];

		wheel_start(ctx, t, 1 + mix(at) % 60000000);
		if (at % 2)
			wheel_stop(ctx, t);
	}
}

static void bench_wheel(void)
{
	struct wheel *wheel = wheel_create(1, on_timer, NULL);

	if (!wheel) {
		failed = true;
		return;
	}
	row("wheel: a timer started, every other one stopped", cycles_of(wheel_round, wheel));
	wheel_destroy(wheel);
}

static void csum_round(void *ctx, uint32_t n)
{
	static uint8_t bytes[1460];
	uint32_t len = *(const uint32_t *)ctx;

	for (uint32_t i = 0; i < n; i++)
		sink += csum_bytes(bytes, len);
}

struct leases {
	struct ledger *ledger;
	struct holder holder;
	struct region arena;
	struct rte_mempool *pool;
};

static void lease_round(void *ctx, uint32_t n)
{
	struct leases *l = ctx;
	struct sluice_slice slice = {sluice_ref(l->arena.id, 64), 1024, 1};

	for (uint32_t i = 0; i < n; i++) {
		struct lease *lease = ledger_lease_take(&l->holder, &l->arena, &slice);
		struct rte_mbuf *m =
			lease ? ledger_lease_attach(lease, l->pool, UINT32_MAX, UINT32_MAX) : NULL;
		uint32_t tag;

		if (lease)
			ledger_lease_drop(lease);
		rte_pktmbuf_free(m);
		failed |= !m || !ledger_release_next(&l->holder, &tag);
	}
}

static void bench_leases(void)
{
	static uint8_t memory[ARENA_BYTES];
	const struct ledger_conf conf = {.pieces = 16, .leases = 16, .leases_each = 8};
	struct leases l = {
		.arena = {.id = 7, .kind = REGION_ARENA, .base = memory, .bytes = sizeof(memory)},
		.pool = rte_pktmbuf_pool_create("leases", 1023, 64, 0, 0, 0),
	};

	if (!l.pool || ledger_create(&conf, &l.ledger)) {
		failed = true;
		return;
	}
	ledger_holder_open(l.ledger, &l.holder);
	row("ledger: a lease there and back", cycles_of(lease_round, &l));
	ledger_holder_close(&l.holder);
	ledger_destroy(l.ledger);
}

/* What a worker reads of the clock in a turn in which everything is done once. */
static void clock_round(void *ctx, uint32_t n)
{
	struct cycles *cycles = ctx;

	for (uint32_t i = 0; i < n; i++) {
		cycles_begin(cycles);
		for (unsigned stage = 0; stage < CLOCK_READS; stage++)
			cycles_end_of(cycles, stage % CYCLES_COUNT);
		cycles_end(cycles, true);
	}
	sink += cycles->turns;
}

static void bench_clock(void)
{
	static struct cycles cycles;

	row("show cycles: of a worker's turn", cycles_of(clock_round, &cycles));
}

static void bench_small(void)
{
	uint32_t header = 20, packet = 1460;

	bench_wheel();
	row("checksum: 20 bytes", cycles_of(csum_round, &header));
	row("checksum: 1,460 bytes", cycles_of(csum_round, &packet));
}

int main(int argc, char **argv)
{
	times = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : TIMES_DEFAULT;
	if (!times || eal_start()) {
		fprintf(stderr, "usage: bench_parts [TIMES]\n");
		return 2;
	}
	printf("parts, warm, on one core of %.2f GHz\n\n", (double)rte_get_tsc_hz() / 1e9);
	bench_packets();
	bench_heads();
	bench_table();
	bench_small();
	bench_leases();
	bench_clock();
	if (failed)
		printf("FAILED: a part did not do what it was asked\n");
	return failed || sink == 1;
}
