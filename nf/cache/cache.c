/* SPDX-License-Identifier: BSD-3-Clause */
#include "cache.h"

#include <errno.h>
#include <stdlib.h>

#include "answer.h"
#include "ask.h"
#include "command.h"
#include "crowd.h"
#include "fetch.h"
#include "purge.h"
#include "send.h"
#include "serve.h"

#define TICK_MS 50

/* --- begin and end of the instance --------------------------------------------------- */

static uint64_t *counter_or(struct sluice_nf *nf, const char *name, const char *help,
			    uint64_t *otherwise)
{
	uint64_t *counter = sluice_counter(nf, name, help);

	return counter ? counter : otherwise;
}

static void take_counters(struct sluice_nf *nf, struct cache *cache)
{
#define COUNTER(name, help) cache->count.name = counter_or(nf, #name, help, &cache->uncounted);
#include "counters.def"
#undef COUNTER
}

static void show_gauges(struct cache *cache)
{
	*cache->count.evictions = cache->store.evictions;
	*cache->count.ghost_returns = cache->store.ghost_returns;
	*cache->count.objects = cache->store.objects;
	*cache->count.bytes_used = store_used(&cache->store);
	*cache->count.bytes_limit = cache->store.limit;
	*cache->count.waiting = cache->waiters;
}

static int start(struct sluice_nf *nf, const struct sluice_conf *config, struct cache *cache)
{
	int rc = settings_read(&cache->set, config, sluice_arena_bytes(nf));

	if (!rc)
		rc = store_init(&cache->store, nf, cache->set.memory_bytes,
				cache->set.max_variants);
	if (rc)
		return rc;
	cache->nf = nf;
	cache->store.mem.bytes += mem_size(cache);
	TAILQ_INIT(&cache->fetching);
	TAILQ_INIT(&cache->refreshing);
	TAILQ_INIT(&cache->waiting);
	TAILQ_INIT(&cache->sending);
	take_counters(nf, cache);
	show_gauges(cache);
	return 0;
}

static int init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct cache *cache = calloc(1, sizeof(*cache));
	int rc;

	if (!cache)
		return -ENOMEM;
	rc = start(nf, config, cache);
	if (rc) {
		settings_free(&cache->set);
		free(cache);
		return rc;
	}
	sluice_set_data(nf, cache);
	return 0;
}

static void fini(struct sluice_nf *nf)
{
	struct cache *cache = sluice_data(nf);

	send_forget_all(cache);
	fetch_forget_all(cache);
	store_fini(&cache->store);
	settings_free(&cache->set);
	free(cache);
}

/* --- requests --------------------------------------------------------------------------- */

static enum sluice_verdict bypass(struct cache *cache)
{
	cache_count(cache->count.bypasses);
	return SLUICE_LEAVE;
}

static enum sluice_verdict request_head(struct sluice_exchange *x)
{
	struct cache *cache = cache_of(x);
	struct ask ask;

	visit_of(x)->x = x;
	ask_make(&ask, x, cache->set.client_directives);
	if (ask.kind == ASK_PURGE && cache->set.purge)
		return purge_request(cache, x, &ask);
	if (ask.kind == ASK_READ)
		return serve_request(cache, x, &ask, false);
	if (ask.kind == ASK_OTHER)
		return bypass(cache);
	return fetch_begin(cache, x, &ask, NULL, NOTE_METHOD);
}

/* --- responses --------------------------------------------------------------------------- */

static enum sluice_verdict response_head(struct sluice_exchange *x)
{
	return visit_of(x)->state == VISIT_FETCHING ? fetch_response(cache_of(x), x) : SLUICE_LEAVE;
}

static enum sluice_verdict response_body(struct sluice_exchange *x, const struct sluice_span *spans,
					 unsigned n, bool end)
{
	if (visit_of(x)->state == VISIT_FETCHING)
		fetch_body(cache_of(x), visit_of(x), spans, n, end);
	return SLUICE_PASS;
}

/* Whatever has the exchange lets go of it. */
static void done(struct sluice_exchange *x, bool reset)
{
	struct cache *cache = cache_of(x);
	struct visit *visit = visit_of(x);

	(void)reset;
	switch (visit->state) {
	case VISIT_FETCHING:
		fetch_abort(cache, visit->fetch);
		break;
	case VISIT_WAITING:
		crowd_leave(cache, visit);
		break;
	case VISIT_SENDING:
		send_stop(cache, visit);
		break;
	case VISIT_NONE:
		break;
	}
}

static void writable(struct sluice_nf *nf)
{
	send_all(sluice_data(nf));
}

static void tick(struct sluice_nf *nf)
{
	struct cache *cache = sluice_data(nf);

	crowd_expire(cache);
	send_all(cache);
	show_gauges(cache);
}

const struct sluice_nf_hooks cache_hooks = {
	SLUICE_HOOKS,
	.name = "cache",
	.summary = "stores responses and answers from them (RFC 9111)",
	.ctx_bytes = sizeof(struct visit),
	.init = init,
	.fini = fini,
	.request_head = request_head,
	.response_head = response_head,
	.response_body = response_body,
	.done = done,
	.tick_ms = TICK_MS,
	.tick = tick,
	.writable = writable,
	.command = command_run,
	.repeated = answer_repeated,
};

SLUICE_FUNCTION(cache_hooks);
