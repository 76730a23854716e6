/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench_rings [COUNT [PLUGINS]]: COUNT descriptors (200,000) through the rings to a function and
 * back, one by one and 32 at once: as bare rings, and as heads that `noop` looks at and passes on.
 * The function's end is turned by this thread (inline), by a process on the same CPU, and by one on
 * another. Nanoseconds, medians of rounds. Fails when an answer is not what was asked.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain/http/head.h"
#include "chain/http/slot.h"
#include "chain/ring/link.h"
#include "chain/ring/region.h"
#include "dataplane/inline.h"
#include "mgmt/conf/conf.h"
#include "nf/sdk/object.h"
#include "tests/bench/clock.h"
#include "tests/bench/median.h"
#include "tests/bench/pair.h"
#include "tests/bench/pin.h"
#include "tests/unit/chain/ring/nf_side.h"

#define COUNT_DEFAULT 200000u
#define ROUNDS        7
#define ENTRIES       1024 /* of the rings of an inline part */
#define SLOT_BYTES    4096
#define SLOT_FIELDS   32

enum where { INLINE, SAME_CPU, OTHER_CPU, WHERES };
static const char *const where_name[WHERES] = {"in the worker", "process, same CPU",
					       "process, another CPU"};

struct hop {
	struct region_table regions;
	struct region *messages, *arena;
	struct object object;
	struct inline_part *part;
	struct inline_parts parts;
	struct link *link;
	struct nf_side nf; /* of bare rings */
	uint32_t answered; /* by their far end */
	enum where where;
	bool heads; /* through `noop`, not bare */
	int cpu[2]; /* ours, and another; -1: there is none */
	pid_t peer;
};

/* ---- the far end ---- */

static bool bare_turn(struct hop *hop)
{
	uint32_t produced = __atomic_load_n(&hop->nf.down->produced, __ATOMIC_ACQUIRE);
	uint32_t n = produced - hop->answered;

	for (uint32_t i = 0; i < n; i++) {
		const struct sluice_down *down = &hop->nf.ring[(hop->answered + i) % ENTRIES];

		hop->nf.up_ring[(hop->answered + i) % ENTRIES] = (struct sluice_up){
			.exchange = down->exchange, .generation = down->generation};
	}
	hop->answered = produced;
	__atomic_store_n(&hop->nf.up->down_consumed, produced, __ATOMIC_RELEASE);
	__atomic_store_n(&hop->nf.up->produced, produced, __ATOMIC_RELEASE);
	return n > 0;
}

static bool far_turn(struct hop *hop)
{
	return hop->heads ? inline_turn(&hop->parts, 0) : bare_turn(hop);
}

/* A process that has the same rings: they are shared memory. */
static void peer_start(struct hop *hop)
{
	hop->peer = fork();
	if (hop->peer)
		return;
	pin_or_say(hop->cpu[hop->where == OTHER_CPU]);
	for (;;) {
		if (!far_turn(hop) && hop->where == SAME_CPU)
			sched_yield();
	}
}

static void peer_end(struct hop *hop)
{
	kill(hop->peer, SIGKILL);
	waitpid(hop->peer, NULL, 0);
}

/* ---- our end ---- */

static void send_batch(struct hop *hop, unsigned batch, uint32_t generation)
{
	for (unsigned i = 0; i < batch; i++) {
		struct sluice_down *down = link_next(hop->link);

		*down = (struct sluice_down){.exchange = i,
					     .generation = generation,
					     .kind = SLUICE_DOWN_REQUEST_HEAD,
					     .flags = SLUICE_DOWN_END};
	}
	link_publish(hop->link);
}

static void let_it_turn(struct hop *hop)
{
	if (hop->where == INLINE)
		far_turn(hop);
	else if (hop->where == SAME_CPU)
		sched_yield();
}

/* False: an answer is wrong. */
static bool take_batch(struct hop *hop, unsigned batch, uint32_t generation)
{
	struct sluice_up up[32];
	bool good = true;

	for (unsigned have = 0; have < batch;) {
		int n = link_poll(hop->link, up, batch - have);

		if (n < 0)
			return false;
		for (int i = 0; i < n; i++)
			good = good && up[i].exchange == have + (unsigned)i &&
			       up[i].generation == generation;
		link_consume(hop->link, (unsigned)n);
		have += (unsigned)n;
		if (!n)
			let_it_turn(hop);
	}
	return good;
}

/* Of one round trip, in nanoseconds; 0: something was wrong. */
static double measure(struct hop *hop, unsigned batch, uint32_t count)
{
	static uint32_t generation;
	double round[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		uint64_t began = now_ns();

		for (uint32_t i = 0; i < count; i += batch) {
			send_batch(hop, batch, ++generation);
			let_it_turn(hop);
			if (!take_batch(hop, batch, generation))
				return 0;
		}
		round[r] = (double)(now_ns() - began) / count;
	}
	return median(round, ROUNDS);
}

/* ---- making ---- */

static int head_make(struct hop *hop)
{
	static const char text[] = "GET /64 HTTP/1.1\r\nHost: bench\r\n\r\n";
	const struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct sluice_head *head = (void *)hop->messages->base;
	struct http_run run = {.data = (const uint8_t *)hop->messages->base + SLOT_BYTES,
			       .len = sizeof(text) - 1,
			       .ref = sluice_ref(hop->messages->id, SLOT_BYTES)};
	struct http_head_parser parser;
	uint64_t taken;

	memcpy(hop->messages->base + SLOT_BYTES, text, sizeof(text));
	if (http_head_init(head, sluice_ref(hop->messages->id, 0), SLOT_BYTES, SLOT_FIELDS))
		return -1;
	http_head_reset(&parser, false, 0);
	return http_head_feed(&parser, &limits, &run, 1, head, &taken) == HTTP_HEAD_DONE ? 0 : -1;
}

static int function_make(struct hop *hop, const char *plugins)
{
	static char json[] = "{\"l\": 1, \"f\": \"\", \"t\": \"group\", \"v\": {}}";
	char path[512], error[256];
	const struct conf_function function = {
		.name = "noop", .plugin = "noop", .plugin_path = path, .config_json = json};
	struct inline_part_conf conf = {.function = &function,
					.object = &hop->object,
					.regions = &hop->regions,
					.messages = hop->messages,
					.arena = hop->arena,
					.wake_fd = -1};
	struct conf_errors errors = {0};

	snprintf(path, sizeof(path), "%s/noop.so", plugins);
	if (object_load(path, path, &hop->object, error, sizeof(error))) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	if (inline_create(&conf, &hop->part, &errors)) {
		fprintf(stderr, "%s\n", errors.count ? errors.text[0] : "no memory");
		return -1;
	}
	inline_join(&hop->parts, hop->part);
	hop->link = inline_link(hop->part);
	return 0;
}

static int bare_make(struct hop *hop)
{
	const struct link_sizes sizes = {ENTRIES, ENTRIES, SLUICE_EDITS_MAX_BYTES};

	if (link_create(&sizes, -1, &hop->link))
		return -1;
	nf_side_map(&hop->nf, hop->link);
	return 0;
}

static int hop_make(struct hop *hop, const char *plugins)
{
	if (!hop->heads)
		return bare_make(hop);
	if (region_create_sealed(&hop->regions, REGION_MESSAGES, "messages.0", 1 << 20,
				 &hop->messages) ||
	    region_create_sealed(&hop->regions, REGION_ARENA, "arena", 1 << 20, &hop->arena) ||
	    head_make(hop))
		return -1;
	return function_make(hop, plugins);
}

static void hop_end(struct hop *hop)
{
	if (!hop->heads) {
		nf_side_unmap(&hop->nf);
		link_destroy(hop->link);
		return;
	}
	inline_free(hop->part);
	object_unload(&hop->object);
	region_remove(&hop->regions, hop->messages);
	region_remove(&hop->regions, hop->arena);
}

/* ---- the table ---- */

static void cpus(int cpu[2])
{
	cpu_set_t set;
	int n = 0;

	cpu[0] = cpu[1] = -1;
	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE && n < 2; i++) {
		if (CPU_ISSET(i, &set))
			cpu[n++] = i;
	}
}

static bool kind(bool heads, enum where where, const int cpu[2], uint32_t count,
		 const char *plugins)
{
	static const unsigned batches[] = {1, 32};
	struct hop hop = {.where = where, .heads = heads, .cpu = {cpu[0], cpu[1]}};
	char name[96];
	bool good = true;

	if (where == OTHER_CPU && cpu[1] < 0)
		return true;
	if (hop_make(&hop, plugins))
		return false;
	if (where != INLINE)
		peer_start(&hop);
	for (unsigned i = 0; i < 2; i++) {
		double ns = measure(&hop, batches[i], count);

		snprintf(name, sizeof(name), "%s, %s, batch %u",
			 heads ? "hop" : "descriptor one way", where_name[where], batches[i]);
		pair_row(name, heads ? ns : ns / 2, 1, "ns");
		good = good && ns > 0;
	}
	if (where != INLINE)
		peer_end(&hop);
	hop_end(&hop);
	return good;
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : COUNT_DEFAULT;
	const char *plugins = argc > 2 ? argv[2] : pair_plugins();

	int cpu[2];

	cpus(cpu);
	pin_or_say(cpu[0]);
	printf("a descriptor through a ring; a head to `noop` and its verdict back\n\n");
	for (int heads = 0; heads < 2; heads++) {
		for (enum where where = INLINE; where < WHERES; where++) {
			if (kind(heads, where, cpu, count / 32 * 32, plugins))
				continue;
			printf("FAILED\n");
			return 1;
		}
	}
	return 0;
}
