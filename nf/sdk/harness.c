/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nf/sdk/harness_priv.h"

#define MEMORY_BYTES  (UINT64_C(1) << 30)
#define ARENA_DEFAULT (UINT64_C(16) << 20)
#define WALL_START    INT64_C(1704067200) /* 2024-01-01 00:00:00 UTC */

/* --- helpers ------------------------------------------------------------------------ */

_Noreturn void harness_abort(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("harness: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

void *harness_grow(void *memory, size_t bytes)
{
	void *grown = realloc(memory, bytes);

	if (!grown)
		harness_abort("out of memory");
	return grown;
}

char *harness_copy(const char *text, size_t len)
{
	char *copy = harness_grow(NULL, len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void harness_append(struct harness_bytes *b, const void *data, size_t len)
{
	if (b->len + len + 1 > b->size) {
		b->size = (b->len + len + 1) * 2;
		b->data = harness_grow(b->data, b->size);
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

static void memory_map(struct harness_memory *m, uint16_t region)
{
	int fd = memfd_create("harness", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)MEMORY_BYTES))
		harness_abort("no shared memory: %s", strerror(errno));
	m->write =
		mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	m->read = mmap(NULL, MEMORY_BYTES, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
	close(fd);
	if (m->write == MAP_FAILED || m->read == MAP_FAILED)
		harness_abort("no shared memory: %s", strerror(errno));
	m->region = region;
}

void *harness_take(struct harness_memory *m, size_t bytes, uint64_t *offset)
{
	uint64_t rounded = ((uint64_t)bytes + 63) & ~UINT64_C(63);

	if (rounded > MEMORY_BYTES - m->used)
		harness_abort("more than %llu bytes of heads and bodies in one harness",
			      (unsigned long long)MEMORY_BYTES);
	*offset = m->used;
	m->used += rounded;
	return m->write + *offset;
}

static void memory_unmap(struct harness_memory *m)
{
	munmap(m->write, MEMORY_BYTES);
	munmap((void *)(uintptr_t)m->read, MEMORY_BYTES);
}

/* --- the instance -------------------------------------------------------------------- */

static void peer_set(struct sluice_peer *peer, const char *address, uint16_t port)
{
	*peer = (struct sluice_peer){.port = port};
	if (inet_pton(AF_INET, address, peer->bytes) == 1)
		peer->family = 4;
	else if (inet_pton(AF_INET6, address, peer->bytes) == 1)
		peer->family = 6;
	else
		harness_abort("\"%s\" is not an address", address);
}

static void regions_make(struct harness *h)
{
	memory_map(&h->rx, HARNESS_REGION_RX);
	memory_map(&h->messages, HARNESS_REGION_MESSAGES);
	h->upstreams = calloc(1, sizeof(*h->upstreams));
	if (!h->upstreams)
		harness_abort("out of memory");
	nf_region_set(h->nf, HARNESS_REGION_RX, SLUICE_REGION_RX, h->rx.read, MEMORY_BYTES);
	nf_region_set(h->nf, HARNESS_REGION_MESSAGES, SLUICE_REGION_MESSAGES, h->messages.read,
		      MEMORY_BYTES);
	nf_region_set(h->nf, HARNESS_REGION_UPSTREAMS, SLUICE_REGION_UPSTREAMS, h->upstreams,
		      sizeof(*h->upstreams));
	h->nf->worker[0].messages = HARNESS_REGION_MESSAGES;
}

struct harness *harness_create(const struct sluice_nf_hooks *hooks)
{
	struct harness *h = calloc(1, sizeof(*h));
	struct sluice_nf_hooks known;
	char error[256];

	if (!h)
		harness_abort("out of memory");
	if (nf_hooks_read(hooks, hooks->name, &known, error, sizeof(error)))
		harness_abort("%s", error);
	if (nf_create(&known, "test", &harness_env, h, NULL, &h->nf))
		harness_abort("out of memory");
	regions_make(h);
	h->arena_bytes = ARENA_DEFAULT;
	h->room = UINT32_MAX;
	harness_set_time(h, 1000000, WALL_START);
	harness_client(h, "192.0.2.1", 12345);
	harness_local(h, "198.51.100.1", 80);
	harness_routed(h, SLUICE_NONE16, SLUICE_NONE16);
	return h;
}

void harness_destroy(struct harness *h)
{
	struct harness_exchange *x;

	if (!h)
		return;
	nf_free(h->nf);
	while ((x = h->exchanges)) {
		h->exchanges = x->next;
		harness_exchange_free(x);
	}
	for (unsigned i = 0; i < h->logs_count; i++)
		free(h->logs[i]);
	free(h->logs);
	harness_asks_free(h);
	harness_writing_free(h);
	free(h->sent);
	free(h->conf_error);
	free(h->answer);
	free(h->upstreams);
	free(h->arena);
	memory_unmap(&h->rx);
	memory_unmap(&h->messages);
	free(h);
}

void harness_set_arena(struct harness *h, uint64_t bytes)
{
	if (h->arena)
		harness_abort("harness_set_arena after harness_start");
	h->arena_bytes = (bytes + SLUICE_PAGE - 1) & ~(uint64_t)(SLUICE_PAGE - 1);
}

int harness_start(struct harness *h, const char *config)
{
	char *json;
	int rc;

	if (h->arena)
		harness_abort("harness_start a second time");
	h->arena = aligned_alloc(SLUICE_PAGE, h->arena_bytes);
	if (!h->arena || nf_arena_set(h->nf, HARNESS_REGION_ARENA, h->arena, h->arena_bytes))
		harness_abort("no arena of %llu bytes", (unsigned long long)h->arena_bytes);
	json = harness_conf_json(config ? config : "", &h->conf_error);
	if (!json)
		return -EINVAL;
	rc = nf_start(h->nf, json, strlen(json));
	free(json);
	return rc;
}

unsigned harness_errors(const struct harness *h)
{
	return h->conf_error ? 1 : nf_errors(h->nf);
}

const char *harness_error(const struct harness *h, unsigned i)
{
	if (h->conf_error)
		return i == 0 ? h->conf_error : NULL;
	return nf_error(h->nf, i);
}

struct sluice_nf *harness_nf(struct harness *h)
{
	return h->nf;
}

/* --- time, counters, logs ---------------------------------------------------------- */

void harness_set_time(struct harness *h, uint64_t now_us, int64_t wall_seconds)
{
	nf_time(h->nf, now_us, wall_seconds);
}

void harness_advance(struct harness *h, uint64_t us)
{
	uint64_t now = h->nf->now_us + us;
	uint64_t seconds = now / 1000000 - h->nf->now_us / 1000000;

	nf_time(h->nf, now, h->nf->wall_seconds + (int64_t)seconds);
	nf_timers_run(h->nf);
	harness_settle(h);
}

void harness_tick(struct harness *h)
{
	nf_tick(h->nf);
	harness_settle(h);
}

void harness_writable(struct harness *h)
{
	if (h->nf->hooks.writable)
		h->nf->hooks.writable(h->nf);
	harness_settle(h);
}

uint64_t harness_counter(const struct harness *h, const char *name)
{
	for (unsigned i = 0; i < h->nf->counters_count; i++) {
		if (strcmp(h->nf->counter[i].name, name) == 0)
			return h->nf->counters[i];
	}
	harness_abort("no counter \"%s\"", name);
}

unsigned harness_logs(const struct harness *h)
{
	return h->logs_count;
}

const char *harness_log(const struct harness *h, unsigned i)
{
	return i < h->logs_count ? h->logs[i] : NULL;
}

/* --- upstreams --------------------------------------------------------------------- */

uint16_t harness_group_add(struct harness *h, const char *name, enum sluice_balance balance,
			   unsigned servers)
{
	struct sluice_upstreams *u = h->upstreams;
	struct sluice_group *g = &u->group[u->groups];

	if (u->groups == SLUICE_GROUPS_MAX || servers > SLUICE_SERVERS_MAX - u->servers)
		harness_abort("too many upstreams");
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->balance = balance;
	g->first = u->servers;
	g->servers = servers;
	for (unsigned i = 0; i < servers; i++) {
		struct sluice_server *s = &u->server[u->servers++];

		*s = (struct sluice_server){.addr = {.family = 4, .port = 80}, .weight = 1};
		s->addr.bytes[0] = 10;
		s->addr.bytes[2] = (uint8_t)u->groups;
		s->addr.bytes[3] = (uint8_t)(i + 1);
	}
	u->changes++;
	return (uint16_t)u->groups++;
}

struct sluice_server *harness_server_of(struct harness *h, uint16_t group, unsigned server)
{
	if (group >= h->upstreams->groups || server >= h->upstreams->group[group].servers)
		harness_abort("no server %u in group %u", server, group);
	return &h->upstreams->server[h->upstreams->group[group].first + server];
}

void harness_upstreams_changed(struct harness *h)
{
	h->upstreams->changes++;
}

/* --- for requests to come ---------------------------------------------------------- */

void harness_client(struct harness *h, const char *address, uint16_t port)
{
	peer_set(&h->client, address, port);
}

void harness_local(struct harness *h, const char *address, uint16_t port)
{
	peer_set(&h->local, address, port);
}

void harness_routed(struct harness *h, uint16_t group, uint16_t server)
{
	h->routed_group = group;
	h->routed_server = server;
}

void harness_set_room(struct harness *h, uint32_t n)
{
	h->room = n;
	harness_settle(h);
}

void harness_hold_sent(struct harness *h, bool hold)
{
	h->hold_sent = hold;
	harness_settle(h);
}
