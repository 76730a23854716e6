/* SPDX-License-Identifier: BSD-3-Clause */
/* Its own rings and indexes, used as they should not be. */
#include "hostile.h"

#define FLOOD_COUNT 20000

/* What it says next stands far beyond what its ring can hold. */
static enum sluice_verdict spoil_ring(const struct prey *prey)
{
	struct host *host = host_of(prey);

	for (unsigned i = 0; i < host->links; i++)
		host->link[i].out.produced += 2 * host->link[i].out.entries;
	return SLUICE_PASS;
}

/* Its loop turns, and takes nothing more: so it does while an answer has no room. */
static enum sluice_verdict read_nothing(const struct prey *prey)
{
	struct host *host = host_of(prey);

	for (unsigned i = 0; i < host->links; i++)
		host->link[i].out.kept++;
	return SLUICE_PASS;
}

/* It says that it has read what was never written. */
static enum sluice_verdict read_ahead(const struct prey *prey)
{
	struct host *host = host_of(prey);

	for (unsigned i = 0; i < host->links; i++)
		host->link[i].consumed += 2 * host->link[i].entries;
	return read_nothing(prey);
}

static enum sluice_verdict never_answer(const struct prey *prey)
{
	(void)prey;
	return SLUICE_HOLD;
}

static const struct nf_env *true_env;

static int swallow(void *ctx, unsigned worker, const struct sluice_up *up, const void *text,
		   bool must)
{
	struct host *host = ctx;

	(void)worker;
	(void)up;
	(void)text;
	(void)must;
	host->nf->env = true_env;
	return 0;
}

/* A body hook cannot hold: the answer that follows it is lost on its way. */
static enum sluice_verdict never_release(const struct prey *prey)
{
	static struct nf_env silent;
	struct sluice_nf *nf = sluice_of(prey->x);

	true_env = nf->env;
	silent = *nf->env;
	silent.put = swallow;
	nf->env = &silent;
	return SLUICE_PASS;
}

static enum sluice_verdict flood(const struct prey *prey)
{
	struct sluice_nf *nf = sluice_of(prey->x);
	struct sluice_up up = {.exchange = UINT32_MAX, .kind = SLUICE_UP_VERDICT};

	for (unsigned i = 0; i < FLOOD_COUNT; i++)
		nf->env->put(nf->env_ctx, prey->x->worker, &up, NULL, true);
	return SLUICE_PASS;
}

const struct attack ring_attacks[] = {
	{"spoil-ring", ON_REQUEST_HEAD, spoil_ring},
	{"read-ahead", ON_REQUEST_HEAD, read_ahead},
	{"read-nothing", ON_REQUEST_HEAD, read_nothing},
	{"never-answer", ON_REQUEST_HEAD, never_answer},
	{"never-release", ON_RESPONSE_BODY, never_release},
	{"flood", ON_REQUEST_HEAD, flood},
	{0},
};
