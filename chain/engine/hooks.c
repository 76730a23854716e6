/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which functions of a path have which hooks, a bit for each: so that an exchange comes to those
 * that want something, and to no others. A bit more than is wanted costs a look; one that is
 * missing would be a function left out: who has not come up yet may want everything, and of several
 * instances each may have hooks of its own.
 */
#include "chain/engine/path.h"

static uint32_t hooks_of(const struct function *function)
{
	const struct instance *instance;
	uint32_t hooks = function->hooks;

	if (!function->known)
		return UINT32_MAX & ~(uint32_t)ENGINE_HOOK_SEEN;
	LIST_FOREACH (instance, &function->instances, of_function)
		hooks |= instance->hooks;
	return hooks;
}

static uint32_t stages_with(const struct chain *chain, uint32_t hook)
{
	uint32_t stages = 0;

	for (unsigned i = 0; i < chain->path_length; i++)
		if (hooks_of(chain->path[i]) & hook)
			stages |= 1u << i;
	return stages;
}

/* `called`: in place. */
static uint32_t lights_with(const struct chain *chain, uint32_t hook, bool called)
{
	const struct instance *light;
	uint32_t stages = 0;

	for (unsigned i = 0; i < chain->path_length; i++) {
		light = chain->light[i];
		if (light && light->hooks & hook && called == !!light->show)
			stages |= 1u << i;
	}
	return stages;
}

static void lights_chain(struct chain *chain, enum direction d, uint32_t hook)
{
	chain->lights[d] = lights_with(chain, hook, true);
	chain->by_ring[d] = lights_with(chain, hook, false);
}

void hooks_chain(struct chain *chain)
{
	bool stream = chain->stream;

	chain->heads[REQUEST] = stages_with(chain, ENGINE_HOOK_REQUEST_HEAD);
	chain->heads[RESPONSE] = stages_with(chain, ENGINE_HOOK_RESPONSE_HEAD);
	chain->bodies[REQUEST] =
		stages_with(chain, stream ? ENGINE_HOOK_CLIENT_DATA : ENGINE_HOOK_REQUEST_BODY);
	chain->bodies[RESPONSE] =
		stages_with(chain, stream ? ENGINE_HOOK_SERVER_DATA : ENGINE_HOOK_RESPONSE_BODY);
	chain->watchers = stream ? 0 : stages_with(chain, ENGINE_HOOK_SEEN);
	if (stream)
		return;
	for (unsigned i = 0; i < chain->path_length; i++)
		chain->light[i] = chain->path[i]->light;
	lights_chain(chain, REQUEST, ENGINE_HOOK_REQUEST_HEAD);
	lights_chain(chain, RESPONSE, ENGINE_HOOK_RESPONSE_HEAD);
}

void hooks_changed(struct function *function)
{
	struct chain *chain;

	light_choose(function);
	LIST_FOREACH (chain, &function->engine->chains, link)
		hooks_chain(chain);
}
