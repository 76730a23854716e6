/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/proxy/proxy.h"

#include <errno.h>

static int set_field(struct proxy *proxy, const struct proxy_set *set,
		     const struct template_source *source)
{
	struct text out = {.room = proxy->room, .size = sizeof(proxy->room)};

	template_expand(&set->value, source, &out);
	if (out.full)
		return -ENOSPC;
	return sluice_field_set(source->from.x, set->name, text_str(&out));
}

int proxy_edit(struct proxy *proxy, const struct proxy_edits *edits,
	       const struct template_source *source)
{
	int err = 0;

	for (unsigned i = 0; !err && i < edits->remove.count; ++i)
		err = sluice_field_remove(source->from.x, edits->remove.name[i]);
	for (unsigned i = 0; !err && i < edits->set_count; ++i)
		err = set_field(proxy, &edits->set[i], source);
	return err;
}

/* The query is kept unless the rewrite has one. */
int proxy_rewrite(struct proxy *proxy, const struct proxy_route *route,
		  const struct template_source *source)
{
	struct text out = {.room = proxy->room, .size = sizeof(proxy->room)};
	struct sluice_str query = sluice_query(source->from.x);

	if (!route->rewrites)
		return 0;
	template_expand(&route->rewrite, source, &out);
	if (query.len > 0 && !route->rewrite.has_query) {
		text_put(&out, sluice_str("?"));
		text_put(&out, query);
	}
	if (out.full)
		return -ENOSPC;
	if (out.used == 0 || out.room[0] != '/')
		return -EINVAL;
	return sluice_target_set(source->from.x, text_str(&out));
}
