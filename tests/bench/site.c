/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "chain/engine/engine.h"
#include "chain/ring/region.h"
#include "chain/upstream/upstream.h"
#include "dataplane/inline.h"
#include "mgmt/conf/conf.h"
#include "nf/sdk/object.h"
#include "tests/unit/support/eal.h"

#define EXCHANGES      1024
#define MESSAGES_BYTES (32 << 20)
#define FUNCTIONS_MAX  16
#define ROUNDS_MAX     16 /* of inline functions in one turn, as in a worker */

struct part {
	struct object object;
	struct inline_part *inlined;
};

struct site {
	struct pair *pair;
	struct conf *conf;
	struct region_table regions;
	struct region *rx, *messages, *upstream_view;
	struct upstreams *upstreams;
	struct engine *engine;
	struct part part[FUNCTIONS_MAX];
	unsigned parts;
	struct inline_parts inlines;
	bool by_rings;
};

static void turn(void *ctx, uint64_t now_us)
{
	struct site *site = ctx;

	engine_poll(site->engine, now_us);
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		engine_publish(site->engine);
		if (!inline_turn(&site->inlines, now_us))
			break;
		engine_poll(site->engine, now_us);
	}
	engine_publish(site->engine);
}

/* --- memory ------------------------------------------------------------------------------ */

static int regions_open(struct site *site)
{
	uint8_t *extent[2] = {NULL, NULL};
	int rc;

	/* Small payload was copied behind its headers by the stack that sent it. */
	eal_extent(site->pair->payload, extent);
	eal_extent(site->pair->header, extent);
	rc = region_enter(&site->regions, REGION_RX, "rx.0", extent[0],
			  (uint64_t)(extent[1] - extent[0]), NULL, 0, &site->rx);
	if (!rc)
		rc = region_create_sealed(&site->regions, REGION_MESSAGES, "messages.0",
					  MESSAGES_BYTES, &site->messages);
	if (!rc)
		rc = region_create_sealed(&site->regions, REGION_UPSTREAMS, "upstreams",
					  sizeof(struct sluice_upstreams), &site->upstream_view);
	if (!rc)
		rc = upstreams_create(site->upstream_view, &site->upstreams);
	return rc ? rc : upstreams_apply(site->upstreams, site->conf, 1);
}

/* --- functions --------------------------------------------------------------------------- */

static int part_up(struct site *site, struct part *part, uint16_t id)
{
	struct engine_instance instance = {.id = id + 1u,
					   .function = id,
					   .hooks = inline_hooks(part->inlined),
					   .link = inline_link(part->inlined),
					   .arena = inline_arena(part->inlined)};

	if (!site->by_rings) {
		instance.event = inline_event;
		instance.show = inline_show;
		instance.seen = inline_seen;
		instance.event_ctx = part->inlined;
	}
	inline_join(&site->inlines, part->inlined);
	return engine_instance_up(site->engine, &instance);
}

static int function_open(struct site *site, uint16_t id, struct conf_errors *errors)
{
	const struct conf_function *f = &site->conf->functions[id];
	struct part *part = &site->part[id];
	struct inline_part_conf conf = {.function = f,
					.object = &part->object,
					.regions = &site->regions,
					.messages = site->messages,
					.wake_fd = -1};
	char error[256];
	int rc = object_load(f->plugin_path, f->plugin, &part->object, error, sizeof(error));

	if (rc) {
		fprintf(stderr, "%s\n", error);
		return rc;
	}
	site->parts++;
	rc = region_create_sealed(&site->regions, REGION_ARENA, f->name,
				  (uint64_t)f->arena_mb << 20, &conf.arena);
	if (!rc)
		rc = inline_create(&conf, &part->inlined, errors);
	if (!rc)
		rc = engine_function_add(site->engine, id, f);
	return rc ? rc : part_up(site, part, id);
}

static int functions_open(struct site *site, struct conf_errors *errors)
{
	int rc = 0;

	for (unsigned i = 0; i < site->conf->functions_count && !rc; i++)
		rc = function_open(site, (uint16_t)i, errors);
	inline_regions(&site->inlines, &site->regions);
	return rc;
}

/* --- the chain --------------------------------------------------------------------------- */

static int engine_open(struct site *site)
{
	struct pair *pair = site->pair;
	const struct engine_env env = {.stack = pair->side[PAIR_SERVER].stack,
				       .regions = &site->regions,
				       .rx = site->rx,
				       .messages = site->messages,
				       .upstreams = site->upstreams,
				       .data = pair->payload,
				       .ref = pair->ref,
				       .max_exchanges = EXCHANGES,
				       .recalls = site->conf->daemon.recalls};

	return engine_create(&env, pair->now_us, &site->engine);
}

static int chain_open(struct site *site)
{
	const struct conf_chain *c = &site->conf->chains[0];
	uint16_t path[FUNCTIONS_MAX];
	struct engine_chain chain = {
		.name = c->name,
		.listens = c->listens,
		.listens_count = c->listens_count,
		.path = path,
		.path_length = c->path_length,
		.head_timeout_ms = c->head_timeout_ms,
		.idle_timeout_ms = c->idle_timeout_ms,
		.body_timeout_ms = c->body_timeout_ms,
		.max_head_bytes = c->max_head_bytes,
		.max_fields = c->max_fields,
		.max_target_bytes = c->max_target_bytes,
	};

	for (unsigned i = 0; i < c->path_length; i++)
		path[i] = (uint16_t)(c->path[i] - site->conf->functions);
	return engine_chains_set(site->engine, 1, &chain, 1);
}

static int open_all(struct site *site, struct conf_errors *errors)
{
	int rc = regions_open(site);

	if (!rc)
		rc = engine_open(site);
	if (!rc)
		rc = functions_open(site, errors);
	return rc ? rc : chain_open(site);
}

int site_open(struct pair *pair, const char *conf_path, bool by_rings, struct site **out)
{
	struct site *site = calloc(1, sizeof(*site));
	struct conf_errors errors = {0};
	int rc = site ? conf_load(conf_path, &site->conf, &errors) : -ENOMEM;

	if (site) {
		site->pair = pair;
		site->by_rings = by_rings;
	}
	if (!rc)
		rc = open_all(site, &errors);
	for (unsigned i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	conf_errors_clear(&errors);
	if (rc) {
		fprintf(stderr, "the site did not open: %s\n", strerror(-rc));
		site_close(site);
		return -1;
	}
	pair->side[PAIR_SERVER].app = turn;
	pair->side[PAIR_SERVER].app_ctx = site;
	*out = site;
	return 0;
}

void site_close(struct site *site)
{
	if (!site)
		return;
	site->pair->side[PAIR_SERVER].app = NULL;
	engine_destroy(site->engine);
	for (unsigned i = 0; i < site->parts; i++) {
		if (site->part[i].inlined)
			inline_free(site->part[i].inlined);
		object_unload(&site->part[i].object);
	}
	upstreams_destroy(site->upstreams);
	for (unsigned i = 1; i < REGIONS_MAX; i++)
		if (site->regions.region[i])
			region_remove(&site->regions, site->regions.region[i]);
	conf_free(site->conf);
	free(site);
}

const struct engine *site_engine(const struct site *site)
{
	return site->engine;
}
