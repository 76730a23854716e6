/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/conf.h"
#include "nf/sdk/core.h"

/* The least that a plugin of this ABI brings: the struct as it was first published. */
#define HOOKS_LEAST offsetof(struct sluice_nf_hooks, writable)

int nf_hooks_read(const struct sluice_nf_hooks *from, const char *plugin,
		  struct sluice_nf_hooks *to, char *error, size_t error_size)
{
	if (from->abi != SLUICE_ABI_VERSION) {
		snprintf(error, error_size, "plugin %s was built for ABI %u, this is %u", plugin,
			 from->abi, SLUICE_ABI_VERSION);
		return -EINVAL;
	}
	if (from->size < HOOKS_LEAST || from->size > sizeof(*to)) {
		snprintf(error, error_size,
			 "plugin %s was built with another SDK: its hooks have %u bytes, not %zu",
			 plugin, from->size, sizeof(*to));
		return -EINVAL;
	}
	memset(to, 0, sizeof(*to));
	memcpy(to, from, from->size);
	return 0;
}

int nf_create(const struct sluice_nf_hooks *hooks, const char *name, const struct nf_env *env,
	      void *env_ctx, uint64_t *counters, struct sluice_nf **out)
{
	struct sluice_nf *nf = aligned_alloc(SLUICE_CACHE_LINE, sizeof(*nf));
	uint32_t bytes = (uint32_t)sizeof(struct sluice_exchange) + hooks->ctx_bytes;

	if (!nf)
		return -ENOMEM;
	memset(nf, 0, sizeof(*nf));
	nf->hooks = *hooks;
	snprintf(nf->name, sizeof(nf->name), "%s", name);
	nf->env = env;
	nf->env_ctx = env_ctx;
	nf->counters = counters ? counters : nf->own_counters;
	nf->tick_us = UINT64_MAX;
	nf->stride = (bytes + SLUICE_CACHE_LINE - 1) / SLUICE_CACHE_LINE * SLUICE_CACHE_LINE;
	nf->copied_bytes = sluice_counter(nf, "copied_bytes", "payload that the library copied");
	if (hooks->seen && nf_sight_create(nf)) {
		nf_free(nf);
		return -ENOMEM;
	}
	*out = nf;
	return 0;
}

static void worker_free(struct sluice_nf *nf, unsigned worker)
{
	struct nf_worker *w = &nf->worker[worker];

	nf_asks_free(w);
	for (uint32_t c = 0; c < w->chunks_count; c++) {
		for (unsigned i = 0; w->chunks[c] && i < NF_CHUNK; i++)
			nf_exchange_end(nf_exchange_at(nf, worker, c * NF_CHUNK + i));
		free(w->chunks[c]);
		w->chunks[c] = NULL;
	}
	free(w->chunks);
	free(w->spans);
}

void nf_free(struct sluice_nf *nf)
{
	struct nf_edits *edits;

	if (!nf)
		return;
	if (nf->started && nf->hooks.fini)
		nf->hooks.fini(nf);
	for (unsigned w = 0; w < NF_WORKERS_MAX; w++)
		worker_free(nf, w);
	while ((edits = nf->spare_edits)) {
		nf->spare_edits = edits->next;
		free(edits);
	}
	nf_timers_free(nf);
	free(nf->asked);
	nf_sight_free(nf);
	arena_destroy(nf->arena);
	conf_tree_free(nf->conf);
	free(nf);
}

/* --- memory --------------------------------------------------------------------------- */

void nf_region_set(struct sluice_nf *nf, uint16_t id, uint8_t kind, const void *base,
		   uint64_t bytes)
{
	if (id >= NF_REGIONS_MAX)
		return;
	nf->region[id] = (struct nf_region){base, bytes, kind};
	if (kind == SLUICE_REGION_UPSTREAMS)
		nf->upstreams = base;
}

int nf_arena_set(struct sluice_nf *nf, uint16_t id, void *base, uint64_t bytes)
{
	nf->arena_region = id;
	nf_region_set(nf, id, SLUICE_REGION_ARENA, base, bytes);
	return arena_create(base, bytes, &nf->arena);
}

const uint8_t *nf_resolve(const struct sluice_nf *nf, uint64_t ref, uint32_t len)
{
	uint16_t id = sluice_ref_region(ref);
	uint64_t offset = sluice_ref_offset(ref);
	const struct nf_region *r = &nf->region[id % NF_REGIONS_MAX];

	if (id >= NF_REGIONS_MAX || !r->base || offset > r->bytes || len > r->bytes - offset)
		return NULL;
	return r->base + offset;
}

struct sluice_buf *sluice_buf_alloc(struct sluice_nf *nf, uint32_t size)
{
	struct sluice_buf *buf = nf->arena ? arena_alloc(nf->arena, size) : NULL;

	if (!buf)
		nf->wants_room = true;
	return buf;
}

uint64_t sluice_arena_bytes(const struct sluice_nf *nf)
{
	return nf->arena ? arena_bytes(nf->arena) : 0;
}

uint64_t sluice_arena_used(const struct sluice_nf *nf)
{
	return nf->arena ? arena_used(nf->arena) : 0;
}

/* --- start ------------------------------------------------------------------------- */

int nf_start(struct sluice_nf *nf, const char *config_json, size_t bytes)
{
	int rc = conf_tree_parse(config_json, bytes, &nf->conf);

	if (rc) {
		snprintf(nf->start_error, sizeof(nf->start_error), "the config cannot be read: %s",
			 strerror(-rc));
		return -EINVAL;
	}
	if (nf->hooks.init)
		rc = nf->hooks.init(nf, conf_tree_root(nf->conf));
	if (!rc)
		conf_tree_unknown(nf->conf);
	nf->started = !rc && !conf_tree_errors(nf->conf);
	if (nf->started && nf->hooks.tick && nf->hooks.tick_ms)
		nf->tick_us = nf->now_us + (uint64_t)nf->hooks.tick_ms * 1000;
	if (nf->started)
		return 0;
	if (!conf_tree_errors(nf->conf))
		snprintf(nf->start_error, sizeof(nf->start_error), "init failed: %s",
			 rc < 0 ? strerror(-rc) : "no reason given");
	if (!rc && nf->hooks.fini)
		nf->hooks.fini(nf);
	return -EINVAL;
}

unsigned nf_errors(const struct sluice_nf *nf)
{
	unsigned found = nf->conf ? conf_tree_errors(nf->conf) : 0;

	return nf->start_error[0] ? 1 : found;
}

const char *nf_error(const struct sluice_nf *nf, unsigned i)
{
	if (nf->start_error[0])
		return i == 0 ? nf->start_error : NULL;
	return nf->conf ? conf_tree_error(nf->conf, i) : NULL;
}

#define HOOKS_OF_EXCHANGES(EACH)           \
	EACH(request_head, REQUEST_HEAD)   \
	EACH(request_body, REQUEST_BODY)   \
	EACH(response_head, RESPONSE_HEAD) \
	EACH(response_body, RESPONSE_BODY) \
	EACH(done, DONE)                   \
	EACH(open, OPEN)                   \
	EACH(client_data, CLIENT_DATA)     \
	EACH(server_data, SERVER_DATA)     \
	EACH(refused, REFUSED)             \
	EACH(repeated, REPEATED)           \
	EACH(seen, SEEN)

uint32_t nf_hook_mask(const struct sluice_nf *nf)
{
	uint32_t mask = 0;

#define HAS(hook, bit) mask |= nf->hooks.hook ? SLUICE_HOOK_##bit : 0u;
	HOOKS_OF_EXCHANGES(HAS)
#undef HAS
	return mask;
}

void sluice_leave_out(struct sluice_nf *nf, uint32_t hooks)
{
	if (nf->started)
		return;
#define LEAVE_OUT(hook, bit)           \
	if (hooks & SLUICE_HOOK_##bit) \
		nf->hooks.hook = NULL;
	HOOKS_OF_EXCHANGES(LEAVE_OUT)
#undef LEAVE_OUT
}

/* --- time and room ----------------------------------------------------------------- */

void nf_time(struct sluice_nf *nf, uint64_t now_us, int64_t wall_seconds)
{
	nf->now_us = now_us;
	nf->wall_seconds = wall_seconds;
}

void nf_tick(struct sluice_nf *nf)
{
	if (nf->hooks.tick)
		nf->hooks.tick(nf);
}

bool nf_due(struct sluice_nf *nf)
{
	bool any = nf_timers_run(nf);

	if (nf->tick_us > nf->now_us)
		return any;
	nf_tick(nf);
	nf->tick_us = nf->now_us + (uint64_t)nf->hooks.tick_ms * 1000;
	return true;
}

uint64_t nf_next_us(const struct sluice_nf *nf)
{
	uint64_t timer_us = nf_timers_next_us(nf);

	return timer_us < nf->tick_us ? timer_us : nf->tick_us;
}

bool nf_room(struct sluice_nf *nf, bool came)
{
	nf->room_came = nf->room_came || came;
	if (!nf->wants_room || !nf->room_came)
		return false;
	nf->wants_room = nf->room_came = false;
	if (nf->hooks.writable)
		nf->hooks.writable(nf);
	return true;
}

/* --- the instance, as the function sees it ----------------------------------------- */

void sluice_set_data(struct sluice_nf *nf, void *data)
{
	nf->data = data;
}

void *sluice_data(const struct sluice_nf *nf)
{
	return nf->data;
}

const char *sluice_name(const struct sluice_nf *nf)
{
	return nf->name;
}

uint64_t sluice_now_us(const struct sluice_nf *nf)
{
	return nf->now_us;
}

int64_t sluice_wall_seconds(const struct sluice_nf *nf)
{
	return nf->wall_seconds;
}

void sluice_log(struct sluice_nf *nf, enum sluice_log_level level, const char *format, ...)
{
	char text[SLUICE_HOST_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	nf->env->log(nf->env_ctx, level, text);
}

void nf_complain(struct sluice_nf *nf, const char *what)
{
	nf->env->log(nf->env_ctx, SLUICE_LOG_ERROR, what);
}

uint64_t *sluice_counter(struct sluice_nf *nf, const char *name, const char *help)
{
	struct nf_counter *c = &nf->counter[nf->counters_count % SLUICE_COUNTERS];

	if (nf->counters_count == SLUICE_COUNTERS || nf->started)
		return NULL;
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->help, sizeof(c->help), "%s", help ? help : "");
	return &nf->counters[nf->counters_count++];
}

int sluice_connection(const struct sluice_nf *nf, const char *name)
{
	return nf->env->connection ? nf->env->connection(nf->env_ctx, name) : -ENOENT;
}

int sluice_writing(const struct sluice_nf *nf, const char *name)
{
	return nf->env->writing ? nf->env->writing(nf->env_ctx, name) : -ENOENT;
}

const struct sluice_upstreams *sluice_upstreams(const struct sluice_nf *nf)
{
	return nf->upstreams;
}

/* The newest of that name: a group that a reload replaced may still be draining. */
int sluice_group_find(struct sluice_nf *nf, const char *name)
{
	const struct sluice_upstreams *u = nf->upstreams;
	uint32_t i = u ? __atomic_load_n(&u->groups, __ATOMIC_ACQUIRE) : 0;

	if (!name[0])
		return -ENOENT;
	while (i-- > 0) {
		if (strncmp(u->group[i].name, name, SLUICE_NAME_MAX) == 0)
			return (int)i;
	}
	return -ENOENT;
}
