/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/inline.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "chain/engine/engine.h"
#include "chain/ring/link.h"
#include "chain/ring/region.h"
#include "chain/supervise/sinks.h"
#include "chain/supervise/supervise.h"
#include "dataplane/log.h"
#include "mgmt/conf/conf.h"
#include "nf/sdk/core.h"
#include "nf/sdk/object.h"
#include "nf/sdk/ringend.h"
#include "nf/sdk/show.h"
#include "nf/sdk/wall.h"

#define RING_ENTRIES 1024
#define TEXT_BYTES   (1 << 18)
#define LOG_LINES    32 /* between two looks of the control thread; a power of two */
#define LOG_BYTES    240
#define CALLS_TIMED  64 /* of so many calls in place one is timed, for all of them */
#define NOT_QUIET    UINT64_MAX

/* What the plugin says, on its way to the control thread: one writer, one reader. */
struct lines {
	_Atomic uint32_t written, read;
	_Atomic uint32_t dropped;
	struct {
		enum sluice_log_level level;
		char text[LOG_BYTES];
	} line[LOG_LINES];
};

struct inline_part {
	/* What each call in place looks at. */
	_Alignas(SLUICE_CACHE_LINE) struct sluice_nf *nf;
	/* While the engine calls, and nothing was said: it takes the first word. */
	struct engine_answer *answer;
	/* Nothing is on its way in either ring while the worker has produced so many. */
	uint64_t quiet;
	uint32_t untimed; /* calls until one is timed */
	uint64_t since;   /* of the call that is timed */
	struct ringend end;
	double ns_per_cycle;
	struct inline_part *next; /* in its worker */
	struct link *link;
	struct region *arena;
	void *down, *up; /* the function's mappings of its rings */
	struct wall wall;
	const struct conf_allow *allow;
	int writing[CONF_ALLOW_MAX]; /* as allow->write; -1: not open */
	struct lines lines;
};

/* --- the plugin's environment -------------------------------------------------------- */

/* It is all of the answer: the head of one whose body goes on is sent with what comes of that. */
static bool is_whole(const struct sluice_up *up)
{
	return up->kind == SLUICE_UP_VERDICT &&
	       (up->verdict != SLUICE_RESPOND || (up->flags & SLUICE_UP_END)) &&
	       up->text_len <= SLUICE_EDITS_MAX_BYTES;
}

static void hand_over(struct engine_answer *answer, const struct sluice_up *up, const void *text)
{
	answer->up = *up;
	answer->given = true;
	if (up->text_len)
		memcpy(answer->text, text, up->text_len);
}

/* Whatever goes by the ring, all that follows goes behind it. */
static int put(void *ctx, unsigned worker, const struct sluice_up *up, const void *text, bool must)
{
	struct inline_part *part = ctx;
	int rc = 0;

	(void)worker;
	if (part->answer && is_whole(up)) {
		hand_over(part->answer, up, text);
	} else {
		rc = outring_put(&part->end.out, up, text, must);
		if (rc)
			return rc;
		part->quiet = NOT_QUIET;
	}
	part->answer = NULL;
	return 0;
}

static void log_keep(void *ctx, enum sluice_log_level level, const char *text)
{
	struct lines *lines = &((struct inline_part *)ctx)->lines;
	uint32_t at = atomic_load_explicit(&lines->written, memory_order_relaxed);

	if (at - atomic_load_explicit(&lines->read, memory_order_acquire) == LOG_LINES) {
		atomic_fetch_add_explicit(&lines->dropped, 1, memory_order_relaxed);
		return;
	}
	lines->line[at % LOG_LINES].level = level;
	snprintf(lines->line[at % LOG_LINES].text, LOG_BYTES, "%s", text);
	atomic_store_explicit(&lines->written, at + 1, memory_order_release);
}

void inline_log(struct inline_part *part)
{
	struct lines *lines = &part->lines;
	uint32_t written = atomic_load_explicit(&lines->written, memory_order_acquire);
	uint32_t at = atomic_load_explicit(&lines->read, memory_order_relaxed);
	uint32_t dropped = atomic_exchange_explicit(&lines->dropped, 0, memory_order_relaxed);

	for (; at != written; at++)
		log_line((enum log_level)lines->line[at % LOG_LINES].level, "[%s] %s",
			 part->nf->name, lines->line[at % LOG_LINES].text);
	atomic_store_explicit(&lines->read, at, memory_order_release);
	if (dropped)
		log_warn("[%s] %u lines were dropped", part->nf->name, dropped);
}

static int writing_of(void *ctx, const char *name)
{
	const struct inline_part *part = ctx;

	for (unsigned i = 0; i < part->allow->write_count; i++)
		if (!strcmp(part->allow->write[i].name, name))
			return part->writing[i];
	return -ENOENT;
}

_Static_assert(NF_SAID == ENGINE_TOLD, "what nf_head returns is passed on");

/* All regions are mapped here, and kept up to date: there is no map_more. */
static const struct nf_env env = {.put = put, .log = log_keep, .writing = writing_of};

/* --- making ------------------------------------------------------------------------------ */

static int rings_make(struct inline_part *part, const struct inline_part_conf *conf)
{
	struct link_sizes sizes = {
		.entries = RING_ENTRIES, .up_entries = RING_ENTRIES, .up_text_bytes = TEXT_BYTES};
	int rc = link_create(&sizes, -1, &part->link);

	if (rc)
		return rc;
	part->down = mmap(NULL, link_down_bytes(part->link), PROT_READ, MAP_SHARED,
			  link_down_fd(part->link), 0);
	part->up = mmap(NULL, link_up_bytes(part->link), PROT_READ | PROT_WRITE, MAP_SHARED,
			link_up_fd(part->link), 0);
	if (part->down == MAP_FAILED || part->up == MAP_FAILED)
		return -errno;
	return ringend_open(&part->end, part->down, part->up, conf->messages->id, conf->wake_fd);
}

static int writing_open(struct inline_part *part, const struct conf_function *f)
{
	int rc = 0;

	for (unsigned i = 0; i < f->allow.write_count && !rc; i++)
		rc = sink_open(&f->allow.write[i], f->name, &part->writing[i]);
	return rc;
}

static void regions_set(struct inline_part *part, const struct region_table *table)
{
	for (uint16_t id = 1; id < REGIONS_MAX; id++) {
		const struct region *r = table->region[id];

		if (id == part->nf->arena_region)
			continue;
		nf_region_set(part->nf, id, r ? r->kind : SLUICE_REGION_NONE, r ? r->base : NULL,
			      r ? r->bytes : 0);
	}
}

static __attribute__((noinline)) void time_set(struct inline_part *part, uint64_t now_us)
{
	nf_time(part->nf, now_us, wall_seconds(&part->wall, now_us));
}

static int nf_make(struct inline_part *part, const struct inline_part_conf *conf)
{
	int rc = nf_create(&conf->object->hooks, conf->function->name, &env, part,
			   ringend_counters(&part->end), &part->nf);

	if (rc)
		return rc;
	part->nf->worker[0].messages = conf->messages->id;
	rc = nf_arena_set(part->nf, conf->arena->id, conf->arena->base, conf->arena->bytes);
	if (!rc)
		regions_set(part, conf->regions);
	return rc;
}

static int nf_begin(struct inline_part *part, const struct conf_function *f,
		    struct conf_errors *errors)
{
	bool placed;
	int rc;

	time_set(part, 0);
	rc = nf_start(part->nf, f->config_json, strlen(f->config_json));
	if (!rc)
		return 0;
	placed = part->nf->start_error[0] == '\0';
	for (unsigned i = 0; nf_error(part->nf, i); i++)
		supervise_error(errors, f, placed, nf_error(part->nf, i));
	return rc;
}

static int part_make(struct inline_part *part, const struct inline_part_conf *conf,
		     struct conf_errors *errors)
{
	int rc = rings_make(part, conf);

	if (!rc)
		rc = writing_open(part, conf->function);
	if (!rc)
		rc = nf_make(part, conf);
	if (rc) {
		supervise_error(errors, conf->function, false, strerror(-rc));
		return rc;
	}
	return nf_begin(part, conf->function, errors);
}

int inline_create(const struct inline_part_conf *conf, struct inline_part **out,
		  struct conf_errors *errors)
{
	struct inline_part *part = aligned_alloc(SLUICE_CACHE_LINE, sizeof(*part));
	int rc;

	if (!part)
		return -ENOMEM;
	memset(part, 0, sizeof(*part));
	part->down = part->up = MAP_FAILED;
	part->arena = conf->arena;
	part->allow = &conf->function->allow;
	part->untimed = 1;
	part->ns_per_cycle = rte_get_tsc_hz() ? 1e9 / (double)rte_get_tsc_hz() : 0;
	for (unsigned i = 0; i < CONF_ALLOW_MAX; i++)
		part->writing[i] = -1;
	rc = part_make(part, conf, errors);
	if (rc)
		inline_free(part);
	else
		*out = part;
	return rc;
}

void inline_free(struct inline_part *part)
{
	if (part->nf)
		inline_log(part);
	nf_free(part->nf);
	for (unsigned i = 0; i < CONF_ALLOW_MAX; i++)
		if (part->writing[i] >= 0)
			close(part->writing[i]);
	ringend_close(&part->end);
	if (part->down != MAP_FAILED)
		munmap(part->down, link_down_bytes(part->link));
	if (part->up != MAP_FAILED)
		munmap(part->up, link_up_bytes(part->link));
	if (part->link)
		link_destroy(part->link);
	free(part);
}

/* --- what can be seen -------------------------------------------------------------------- */

struct link *inline_link(const struct inline_part *part)
{
	return part->link;
}

struct region *inline_arena(const struct inline_part *part)
{
	return part->arena;
}

uint32_t inline_hooks(const struct inline_part *part)
{
	return nf_hook_mask(part->nf);
}

const char *inline_counter(const struct inline_part *part, unsigned i, const char **help)
{
	if (i >= part->nf->counters_count)
		return NULL;
	*help = part->nf->counter[i].help;
	return part->nf->counter[i].name;
}

/* --- in the worker ----------------------------------------------------------------------- */

void inline_join(struct inline_parts *parts, struct inline_part *part)
{
	part->next = parts->first;
	parts->first = part;
}

void inline_leave(struct inline_parts *parts, struct inline_part *part)
{
	struct inline_part **at = &parts->first;

	while (*at && *at != part)
		at = &(*at)->next;
	if (*at)
		*at = part->next;
}

int inline_tell(struct inline_part *part, const char *words, size_t bytes, char **answer)
{
	return nf_command(part->nf, words, bytes, answer);
}

void inline_regions(struct inline_parts *parts, const struct region_table *regions)
{
	for (struct inline_part *part = parts->first; part; part = part->next)
		regions_set(part, regions);
}

static void busy_add(struct inline_part *part, uint64_t cycles)
{
	struct sluice_up_ctl *up = part->end.up;
	uint64_t ns = (uint64_t)((double)cycles * part->ns_per_cycle);

	__atomic_store_n(&up->busy_ns, up->busy_ns + ns, __ATOMIC_RELAXED);
	part->end.handled = 0;
}

static bool part_events(struct inline_part *part)
{
	uint64_t since;

	if (!ringend_pending(&part->end))
		return false;
	since = rte_rdtsc();
	ringend_turn(&part->end, part->nf, 0);
	busy_add(part, rte_rdtsc() - since);
	return true;
}

/* Each CALLS_TIMED-th call is timed, for all of them: the one that finds `untimed` at 0. */
static inline void call_begin(struct inline_part *part)
{
	if (!--part->untimed)
		part->since = rte_rdtsc();
}

static __attribute__((noinline)) void call_timed(struct inline_part *part)
{
	busy_add(part, (rte_rdtsc() - part->since) * CALLS_TIMED);
	part->untimed = CALLS_TIMED;
}

static inline void call_end(struct inline_part *part)
{
	if (!part->untimed)
		call_timed(part);
}

/* It is the time that the engine says. */
static void time_follow(struct inline_part *part, uint64_t now_us)
{
	if (part->nf->now_us != now_us)
		time_set(part, now_us);
}

/* The worker's own turn sees what changed in the rings, and put() what is said meanwhile. */
static bool is_quiet(const struct inline_part *part)
{
	return ringend_produced(&part->end) == part->quiet;
}

static void quiet_set(struct inline_part *part)
{
	part->quiet = outring_waits(&part->end.out) ? NOT_QUIET : part->end.consumed;
}

bool inline_event(void *ctx, uint64_t now_us, const struct sluice_down *down,
		  struct engine_answer *answer)
{
	struct inline_part *part = ctx;

	if (!is_quiet(part))
		return false;
	time_follow(part, now_us);
	part->answer = answer;
	call_begin(part);
	nf_event(part->nf, 0, down);
	call_end(part);
	part->answer = NULL;
	return true;
}

/* A verdict that says nothing else, behind something. */
static __attribute__((noinline)) int put_behind(struct inline_part *part,
						const struct sluice_shown *head, int verdict)
{
	nf_verdict_put(part->nf, 0, head->exchange, head->generation, (enum sluice_verdict)verdict);
	return ENGINE_TOLD;
}

int inline_show(void *ctx, uint64_t now_us, const struct sluice_shown *head,
		struct engine_answer *answer)
{
	struct inline_part *part = ctx;
	int verdict;

	if (!is_quiet(part))
		return ENGINE_NOT_SHOWN;
	part->answer = answer;
	time_follow(part, now_us);
	call_begin(part);
	verdict = nf_show(part->nf, nf_exchange_known(part->nf, 0, head->exchange), head);
	if (verdict == NF_UNUSUAL)
		verdict = nf_head(part->nf, 0, head);
	call_end(part);
	if (verdict != NF_SAID && !part->answer)
		verdict = put_behind(part, head, verdict);
	part->answer = NULL;
	return verdict;
}

bool inline_seen(void *ctx, uint64_t now_us, const struct engine_sight *sight)
{
	struct inline_part *part = ctx;

	if (ringend_pending(&part->end))
		return false;
	time_follow(part, now_us);
	call_begin(part);
	nf_seen(part->nf, sight->request, sight->response, sight->asked, &sight->end);
	call_end(part);
	return true;
}

static bool part_turn(struct inline_part *part, uint64_t now_us)
{
	bool came = outring_flush(&part->end.out), work;

	time_set(part, now_us);
	work = part_events(part);
	work = nf_room(part->nf, came) || work;
	work = nf_due(part->nf) || work;
	work = outring_fresh(&part->end.out) || work; /* said when it was called in place */
	ringend_publish(&part->end, false);
	quiet_set(part);
	return work;
}

bool inline_turn(struct inline_parts *parts, uint64_t now_us)
{
	bool work = false;

	for (struct inline_part *part = parts->first; part; part = part->next)
		work = part_turn(part, now_us) || work;
	return work;
}

uint64_t inline_next_us(const struct inline_parts *parts)
{
	uint64_t next = UINT64_MAX;

	for (const struct inline_part *part = parts->first; part; part = part->next)
		if (nf_next_us(part->nf) < next)
			next = nf_next_us(part->nf);
	return next;
}
