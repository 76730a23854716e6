/* SPDX-License-Identifier: BSD-3-Clause */
/* Servers that are known by name: each stands for as many as the name has addresses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/upstream/upstream_internal.h"
#include "mgmt/conf/conf.h"

static struct resolved *find(const struct upstreams *upstreams, const char *host)
{
	struct resolved *r = upstreams->resolved;

	while (r && strcmp(r->host, host))
		r = r->next;
	return r;
}

static struct resolved *find_or_make(struct upstreams *upstreams, const char *host)
{
	struct resolved *r = find(upstreams, host);
	size_t size = strlen(host) + 1;

	if (r)
		return r;
	r = calloc(1, sizeof(*r) + size);
	if (!r)
		return NULL;
	memcpy(r->host, host, size);
	r->next = upstreams->resolved;
	upstreams->resolved = r;
	return r;
}

static bool among(const struct addr *list, unsigned count, const struct addr *addr)
{
	for (unsigned i = 0; i < count; i++)
		if (addr_equal(&list[i], addr))
			return true;
	return false;
}

/* Servers of DNS give the same addresses in another order each time. */
static bool same(const struct resolved *r, const struct addr *addresses, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!among(r->address, r->count, &addresses[i]))
			return false;
	return r->count == count;
}

int upstreams_resolved(struct upstreams *upstreams, const char *host, const struct addr *addresses,
		       unsigned count)
{
	struct resolved *r = find_or_make(upstreams, host);
	unsigned kept = 0;

	if (!r)
		return -ENOMEM;
	if (same(r, addresses, count))
		return 0;
	for (unsigned i = 0; i < count && kept < UPSTREAM_ADDRESSES_MAX; i++)
		if (!among(r->address, kept, &addresses[i]))
			r->address[kept++] = addresses[i];
	r->count = kept;
	return 1;
}

void names_free(struct upstreams *upstreams)
{
	struct resolved *r;

	while ((r = upstreams->resolved)) {
		upstreams->resolved = r->next;
		free(r);
	}
}

/* --- the groups with addresses instead of names ----------------------------------- */

static void put(struct conf_upstream *to, const struct conf_server *from, const struct addr *addr)
{
	struct conf_server *server = &to->servers[to->servers_count];

	*server = *from;
	server->endpoint.addr = *addr;
	for (unsigned i = 0; i < to->servers_count; i++)
		if (addr_equal(&to->servers[i].endpoint.addr, addr) &&
		    to->servers[i].endpoint.port == server->endpoint.port)
			return;
	to->servers_count++;
}

static void put_all(const struct upstreams *upstreams, struct conf_upstream *to,
		    const struct conf_server *from)
{
	const struct resolved *r;

	if (!from->host) {
		to->servers[to->servers_count++] = *from;
		return;
	}
	r = find(upstreams, from->host);
	for (unsigned i = 0; r && i < r->count; i++)
		put(to, from, &r->address[i]);
}

static unsigned most(const struct conf_upstream *from)
{
	unsigned n = 0;

	for (unsigned i = 0; i < from->servers_count; i++)
		n += from->servers[i].host ? UPSTREAM_ADDRESSES_MAX : 1;
	return n;
}

void names_release(struct conf_upstream *groups, unsigned count)
{
	for (unsigned i = 0; groups && i < count; i++)
		free(groups[i].servers);
	free(groups);
}

struct conf_upstream *names_replace(const struct upstreams *upstreams, const struct conf *conf)
{
	struct conf_upstream *groups = calloc(conf->upstreams_count + 1, sizeof(*groups));

	for (unsigned i = 0; groups && i < conf->upstreams_count; i++) {
		const struct conf_upstream *from = &conf->upstreams[i];

		groups[i] = *from;
		groups[i].servers_count = 0;
		groups[i].servers = calloc(most(from) + 1, sizeof(*groups[i].servers));
		if (!groups[i].servers) {
			names_release(groups, i);
			return NULL;
		}
		for (unsigned k = 0; k < from->servers_count; k++)
			put_all(upstreams, &groups[i], &from->servers[k]);
	}
	return groups;
}
