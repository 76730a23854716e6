/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the origin is told of the client, from request to request: Via and the Forwarded fields.
 * They follow from the client's address and the Host alone, unless the request brings such fields
 * of its own. So the edits that were made for a client are kept, and made again.
 */
#include <string.h>

#include "nf/proxy/proxy.h"

/* The request has none of the fields that ours would go behind, or instead of. */
static bool brings_none(const struct sluice_head *head)
{
	return head->first[SLUICE_FIELD_X_FORWARDED_FOR] == SLUICE_NONE16 &&
	       head->first[SLUICE_FIELD_X_FORWARDED_PROTO] == SLUICE_NONE16 &&
	       head->first[SLUICE_FIELD_X_FORWARDED_HOST] == SLUICE_NONE16 &&
	       head->first[SLUICE_FIELD_FORWARDED] == SLUICE_NONE16;
}

static struct proxy_same *place_of(struct proxy *proxy, const struct sluice_head *head)
{
	return &proxy->same[proxy_mix(&head->client, 0) & (PROXY_SAME - 1)];
}

static bool is_same(const struct proxy_same *same, const struct sluice_head *head,
		    struct sluice_str host)
{
	return same->used && same->version == head->version &&
	       same->client.family == head->client.family && same->host_len == host.len &&
	       !memcmp(same->client.bytes, head->client.bytes, sizeof(same->client.bytes)) &&
	       !memcmp(same->host, host.ptr, host.len);
}

static void keep(struct proxy_same *same, const struct sluice_exchange *x, uint32_t from,
		 struct sluice_str host)
{
	const struct sluice_head *head = sluice_head(x);

	same->used = host.len <= sizeof(same->host) && sluice_edits_keep(x, from, &same->edits);
	if (!same->used)
		return;
	same->client = head->client;
	same->version = head->version;
	same->host_len = host.len;
	memcpy(same->host, host.ptr, host.len);
}

static int tell_anew(struct proxy *proxy, struct sluice_exchange *x)
{
	int err = proxy_forwarded(proxy, x);

	return err ? err : proxy_via(proxy, x);
}

int proxy_tell(struct proxy *proxy, struct sluice_exchange *x)
{
	const struct sluice_head *head = sluice_head(x);
	struct sluice_str host = {"", 0};
	struct proxy_same *same;
	uint32_t from;
	int err;

	if (!brings_none(head))
		return tell_anew(proxy, x);
	(void)sluice_field(x, SLUICE_FIELD_HOST, &host);
	same = place_of(proxy, head);
	if (is_same(same, head, host))
		return sluice_edits_repeat(x, &same->edits);
	from = sluice_edits_now(x);
	err = tell_anew(proxy, x);
	if (!err)
		keep(same, x, from, host);
	return err;
}
