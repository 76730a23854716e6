/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define HALF (BENCH_RX_BYTES / 2)

uint64_t bench_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* --- regions ----------------------------------------------------------------------- */

static int file_make(uint64_t bytes)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);

	need(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0, "memfd");
	return fd;
}

static void rx_make(struct bench *b, unsigned worker)
{
	struct region_source *sources = calloc(2, sizeof(*sources));
	uint8_t *base = mmap(NULL, BENCH_RX_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t secret = BENCH_SECRET;
	char name[16];

	need(sources && base != MAP_FAILED, "rx");
	sources[0] = (struct region_source){file_make(HALF), 0, HALF};
	sources[1] = (struct region_source){file_make(3 * HALF), HALF, HALF};
	for (unsigned i = 0; i < 2; i++)
		need(mmap(base + i * HALF, HALF, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			  sources[i].fd, (off_t)sources[i].offset) != MAP_FAILED,
		     "rx");
	need(pwrite(sources[1].fd, &secret, sizeof(secret), 2 * HALF) == sizeof(secret), "secret");
	snprintf(name, sizeof(name), "rx.%u", worker);
	need(!region_enter(&b->regions, REGION_RX, name, base, BENCH_RX_BYTES, sources, 2,
			   &b->rx[worker]),
	     "rx");
}

static int arena_alloc(void *ctx, const char *name, uint64_t bytes, struct region **out)
{
	struct bench *b = ctx;
	struct region_source *source = calloc(1, sizeof(*source));
	void *base;

	if (b->crowded)
		*source = (struct region_source){file_make(2 * bytes), bytes, bytes};
	else
		*source = (struct region_source){file_make(bytes), 0, bytes};
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, source->fd,
		    (off_t)source->offset);
	need(base != MAP_FAILED, "arena");
	b->arenas++;
	return region_enter(&b->regions, REGION_ARENA, name, base, bytes, source, 1, out);
}

static void arena_free(void *ctx, struct region *arena)
{
	struct bench *b = ctx;

	b->arenas--;
	munmap(arena->base, arena->bytes);
	region_remove(&b->regions, arena);
}

/* --- the owner --------------------------------------------------------------------- */

static void on_up(void *ctx, const struct instance_info *instance)
{
	struct bench *b = ctx;

	b->last = *instance;
	b->ups++;
}

static void on_down(void *ctx, const struct instance_info *instance)
{
	struct bench *b = ctx;

	b->down_us = bench_us();
	snprintf(b->last_exit, sizeof(b->last_exit), "%s", instance->last_exit);
	b->downs++;
}

static void on_answered(void *ctx, const struct instance_info *instance, uint64_t token, int rc,
			const char *text, size_t len)
{
	struct bench *b = ctx;

	b->answer.token = token;
	b->answer.index = instance->index;
	b->answer.rc = rc;
	snprintf(b->answer.text, sizeof(b->answer.text), "%.*s", (int)len, text);
	b->answers++;
}

static void on_retire(void *ctx, const struct instance_info *instance, bool retired)
{
	struct bench *b = ctx;

	(void)instance;
	if (retired)
		b->retired++;
	else
		b->taken_back++;
}

static unsigned on_bound(void *ctx, const struct instance_info *instance)
{
	const struct bench *b = ctx;

	(void)instance;
	return b->bound;
}

static void on_changed(void *ctx, uint16_t id, const struct conf_errors *errors)
{
	struct bench *b = ctx;

	(void)id;
	snprintf(b->change_error, sizeof(b->change_error), "%s",
		 errors->count ? errors->text[0] : "");
	b->changes++;
}

static void on_log(void *ctx, int level, const char *function, const char *text)
{
	struct bench *b = ctx;

	snprintf(b->log[b->logs++ % 64], sizeof(b->log[0]), "%d %s: %s", level, function, text);
}

static bool on_shares(void *ctx, uint16_t reader, uint16_t writer)
{
	struct bench *b = ctx;

	(void)reader;
	(void)writer;
	return b->shares;
}

static void on_turn(void *ctx)
{
	struct bench *b = ctx;

	b->turns++;
}

static const struct supervisor_owner owner = {
	.up = on_up,
	.down = on_down,
	.answered = on_answered,
	.retire = on_retire,
	.bound = on_bound,
	.changed = on_changed,
	.arena_alloc = arena_alloc,
	.arena_free = arena_free,
	.log = on_log,
	.shares = on_shares,
	.turn = on_turn,
};

bool bench_logged(const struct bench *b, const char *text)
{
	for (unsigned i = 0; i < b->logs && i < 64; i++) {
		if (strstr(b->log[i], text))
			return true;
	}
	return false;
}

/* --- all of it --------------------------------------------------------------------- */

static void upstreams_fill(struct sluice_upstreams *u)
{
	snprintf(u->group[0].name, sizeof(u->group[0].name), "web");
	u->groups = 1;
}

struct bench *bench_create(void)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct supervisor_conf conf = {
		.host_path = SLUICE_NF,
		.workers = BENCH_WORKERS,
		.worker_wake_fds = b->wake,
		.regions = &b->regions,
		.rx = b->rx,
		.messages = b->messages,
		.link_sizes = {.entries = 256, .up_entries = 256, .up_text_bytes = 65536},
		.owner = &owner,
		.ctx = b,
	};

	for (unsigned w = 0; w < BENCH_WORKERS; w++) {
		b->wake[w] = eventfd(0, EFD_CLOEXEC);
		rx_make(b, w);
		need(!region_create_sealed(&b->regions, REGION_MESSAGES, "messages", 1 << 20,
					   &b->messages[w]),
		     "messages");
	}
	need(!region_create_sealed(&b->regions, REGION_UPSTREAMS, "upstreams",
				   sizeof(struct sluice_upstreams), &b->upstreams),
	     "upstreams");
	upstreams_fill((struct sluice_upstreams *)b->upstreams->base);
	conf.upstreams = b->upstreams;
	need(!supervisor_create(&conf, &b->supervisor), "supervisor");
	return b;
}

void bench_destroy(struct bench *b)
{
	supervisor_destroy(b->supervisor);
	need(b->arenas == 0, "arenas are left");
	for (unsigned w = 0; w < BENCH_WORKERS; w++) {
		munmap(b->rx[w]->base, b->rx[w]->bytes);
		region_remove(&b->regions, b->rx[w]);
		region_remove(&b->regions, b->messages[w]);
		close(b->wake[w]);
	}
	region_remove(&b->regions, b->upstreams);
	free(b);
}

struct conf_function bench_function(const char *name, const char *plugin_path, const char *config)
{
	const char *slash = strrchr(plugin_path, '/');

	return (struct conf_function){
		.name = name,
		.plugin = slash ? slash + 1 : plugin_path,
		.plugin_path = plugin_path,
		.instances = 1,
		.hang_ms = 1000,
		.arena_mb = 4,
		.cpu = -1,
		.config_json = (char *)(uintptr_t)config,
		.place = {"test.conf", 3},
	};
}

int bench_start(struct bench *b, uint16_t id, const struct conf_function *f,
		struct conf_errors *errors)
{
	int rc = supervisor_start(b->supervisor, id, f, bench_us());

	return rc ? rc : supervisor_wait_ready(b->supervisor, id, bench_us() + 20000000, errors);
}

bool bench_until(struct bench *b, const unsigned *counter, unsigned least, unsigned ms)
{
	uint64_t until = bench_us() + (uint64_t)ms * 1000, now;
	struct pollfd fd = {.fd = supervisor_fd(b->supervisor), .events = POLLIN};

	while (*counter < least && (now = bench_us()) < until) {
		uint64_t next = supervisor_next_us(b->supervisor);

		next = next < until ? next : until;
		poll(&fd, 1, next > now ? (int)((next - now) / 1000 + 1) : 0);
		supervisor_handle(b->supervisor, bench_us());
	}
	return *counter >= least;
}

void bench_run(struct bench *b, unsigned ms)
{
	unsigned never = 0;

	bench_until(b, &never, 1, ms);
}

#define ANY -1

struct search {
	uint16_t id;
	int index, state;
	const struct instance_info *found; /* the first */
	unsigned count;
};

static void search_one(void *ctx, const struct instance_info *info)
{
	struct search *s = ctx;

	if (info->function != s->id || (s->index != ANY && (int)info->index != s->index) ||
	    (s->state != ANY && (int)info->state != s->state))
		return;
	if (!s->count++)
		s->found = info;
}

const struct instance_info *bench_info(struct bench *b, uint16_t id)
{
	struct search s = {.id = id, .index = ANY, .state = ANY};

	supervisor_each(b->supervisor, search_one, &s);
	return s.found;
}

const struct instance_info *bench_at(struct bench *b, uint16_t id, unsigned index,
				     enum instance_state state)
{
	struct search s = {.id = id, .index = (int)index, .state = (int)state};

	supervisor_each(b->supervisor, search_one, &s);
	return s.found;
}

unsigned bench_count(struct bench *b, uint16_t id, enum instance_state state)
{
	struct search s = {.id = id, .index = ANY, .state = (int)state};

	supervisor_each(b->supervisor, search_one, &s);
	return s.count;
}

/* --- the worker -------------------------------------------------------------------- */

void bench_send(struct bench *b, uint16_t id, unsigned worker, const char *path)
{
	struct link *link = bench_info(b, id)->link[worker];
	struct sluice_head *head = (struct sluice_head *)b->messages[worker]->base;
	char *raw = (char *)b->rx[worker]->base + 4096;
	struct sluice_down *down = link_next(link);
	int n = sprintf(raw, "GET %s HTTP/1.1\r\n", path);

	need(down != NULL, "room in the ring");
	memset(head, 0, sizeof(*head));
	memset(head->first, 0xff, sizeof(head->first));
	head->version = 11;
	head->method = SLUICE_METHOD_GET;
	head->bases = 2;
	head->base[1] = sluice_ref(b->rx[worker]->id, 4096);
	head->method_text = (struct sluice_text){0, 3, 1};
	head->target = head->path = (struct sluice_text){4, (uint16_t)(n - 15), 1};
	head->group = head->server = SLUICE_NONE16;
	head->body_bytes = SLUICE_LENGTH_NONE;
	*down = (struct sluice_down){.exchange = ++b->exchange % 100,
				     .generation = b->exchange,
				     .kind = SLUICE_DOWN_REQUEST_HEAD,
				     .flags = SLUICE_DOWN_END};
	link_publish(link);
}

void bench_send_body(struct bench *b, uint16_t id, unsigned worker,
		     const struct sluice_slice *slice, bool end)
{
	struct link *link = bench_info(b, id)->link[worker];
	struct sluice_down *down = link_next(link);

	need(down != NULL, "room in the ring");
	*down = (struct sluice_down){.exchange = b->exchange % 100,
				     .generation = b->exchange,
				     .kind = SLUICE_DOWN_RESPONSE_BODY,
				     .flags = end ? SLUICE_DOWN_END : 0,
				     .slices = 1,
				     .arg = b->piece++,
				     .slice = {*slice}};
	link_publish(link);
}

void bench_release(struct bench *b, uint16_t id, unsigned worker, uint32_t tag)
{
	struct link *link = bench_info(b, id)->link[worker];
	struct sluice_down *down = link_next(link);

	*down = (struct sluice_down){.kind = SLUICE_DOWN_RELEASE, .slices = 1};
	down->slice[0].tag = tag;
	link_publish(link);
}

int bench_answer(struct bench *b, uint16_t id, unsigned worker, struct sluice_up *up, unsigned ms)
{
	struct link *link = bench_info(b, id)->link[worker];
	struct pollfd fd = {.fd = b->wake[worker], .events = POLLIN};
	uint64_t until = bench_us() + (uint64_t)ms * 1000, wakes;

	if (!link)
		return 0;
	link_sleep(link, true);
	while (!link_pending(link) && bench_us() < until) {
		if (poll(&fd, 1, (int)ms) > 0 && read(fd.fd, &wakes, sizeof(wakes)) < 0)
			break;
	}
	link_sleep(link, false);
	return link_poll(link, up, 1);
}

const char *bench_ask(struct bench *b, uint16_t id, const char *path)
{
	static char text[SLUICE_EDITS_MAX_BYTES + 1];
	struct link *link = bench_info(b, id)->link[0];
	struct sluice_edit edit;
	struct sluice_up up;

	bench_send(b, id, 0, path);
	if (bench_answer(b, id, 0, &up, 5000) != 1)
		return NULL;
	if (link_text(link, &up, text, sizeof(text) - 1))
		return NULL;
	text[up.text_len] = '\0';
	link_consume(link, 1);
	if (!up.text_len)
		return "";
	memcpy(&edit, text, sizeof(edit));
	text[sizeof(edit) + edit.name_len + edit.value_len] = '\0';
	return text + sizeof(edit) + edit.name_len;
}
