/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exchanges that are over, for functions that only look. There is nothing to keep of them: the same
 * three stand for each, and none of them is live, so that nothing can be said in their name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/core.h"

static struct sluice_exchange *head_only(struct sluice_nf *nf)
{
	struct sluice_exchange *x = aligned_alloc(SLUICE_CACHE_LINE, nf->stride);

	if (!x)
		return NULL;
	memset(x, 0, nf->stride);
	x->nf = nf;
	x->phase = NF_SEEN;
	x->group = x->server = SLUICE_NONE16;
	return x;
}

int nf_sight_create(struct sluice_nf *nf)
{
	struct nf_sight *sight = calloc(1, sizeof(*sight));

	nf->sight = sight;
	if (!sight)
		return -ENOMEM;
	sight->request = head_only(nf);
	sight->response = head_only(nf);
	sight->asked = head_only(nf);
	return sight->request && sight->response && sight->asked ? 0 : -ENOMEM;
}

void nf_sight_free(struct sluice_nf *nf)
{
	if (!nf->sight)
		return;
	free(nf->sight->request);
	free(nf->sight->response);
	free(nf->sight->asked);
	free(nf->sight);
}

void nf_seen(struct sluice_nf *nf, const struct sluice_head *request,
	     const struct sluice_head *response, const struct sluice_head *asked,
	     const struct sluice_end *end)
{
	const struct nf_sight *sight = nf->sight;

	if (!nf->hooks.seen)
		return;
	sight->request->head = request;
	sight->request->end = end;
	sight->response->head = response;
	sight->asked->head = asked;
	nf->hooks.seen(sight->request, response ? sight->response : NULL);
	sight->request->head = sight->response->head = sight->asked->head = NULL;
	sight->request->end = NULL;
}

static const struct sluice_head *head_at(const struct sluice_nf *nf, unsigned worker, uint32_t arg)
{
	return arg == SLUICE_HEAD_NONE ? NULL : nf_message(nf, worker, arg);
}

void nf_on_seen(struct sluice_nf *nf, unsigned worker, const struct sluice_down *d)
{
	const struct sluice_head *request = head_at(nf, worker, d->arg);

	if (request)
		nf_seen(nf, request, head_at(nf, worker, d->response),
			head_at(nf, worker, d->asked), &d->end);
	else
		nf_complain(nf, "a head lies outside of the message region: it is not seen");
}
