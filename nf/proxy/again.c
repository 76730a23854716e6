/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests that came before: what was made of one is made of the next whose head says the same, if
 * it is of the same client and what its route does follows from that.
 */
#include <string.h>

#include "nf/proxy/proxy.h"

static struct proxy_again *place_of(struct proxy *proxy, const struct sluice_head *head)
{
	return &proxy->again[proxy_mix(&head->client, head->same) & (PROXY_AGAIN - 1)];
}

static bool is_it(const struct proxy_again *again, const struct sluice_head *head)
{
	return again->same == head->same && again->client.family == head->client.family &&
	       !memcmp(again->client.bytes, head->client.bytes, sizeof(again->client.bytes));
}

const struct proxy_route *proxy_recall(struct proxy *proxy, struct sluice_exchange *x)
{
	const struct sluice_head *head = sluice_head(x);
	const struct proxy_again *again = place_of(proxy, head);

	if (!head->same || !is_it(again, head) || sluice_edits_repeat(x, &again->edits))
		return NULL;
	return again->route;
}

void proxy_keep(struct proxy *proxy, const struct sluice_exchange *x,
		const struct proxy_route *route)
{
	const struct sluice_head *head = sluice_head(x);
	struct proxy_again *again = place_of(proxy, head);

	if (!head->same || !route->steady)
		return;
	again->same = sluice_edits_keep(x, 0, &again->edits) ? head->same : 0;
	again->client = head->client;
	again->route = route;
}
