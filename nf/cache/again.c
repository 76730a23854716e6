/* SPDX-License-Identifier: BSD-3-Clause */
#include "again.h"

#include "fields.h"
#include "nf/common/str.h"
#include "reply.h"
#include "store.h"

static bool is_personal(const struct sluice_exchange *asked)
{
	return sluice_field_first(asked, SLUICE_FIELD_AUTHORIZATION) != SLUICE_NONE16 ||
	       sluice_field_first(asked, SLUICE_FIELD_COOKIE) != SLUICE_NONE16;
}

static bool is_plain_get(const struct sluice_exchange *asked)
{
	const struct sluice_head *head = sluice_head(asked);

	return head->method == SLUICE_METHOD_GET &&
	       (head->body_bytes == SLUICE_LENGTH_NONE || head->body_bytes == 0);
}

/* Conditions and ranges were one client's. */
static bool is_kept(const struct fields_item *item)
{
	switch (item->id) {
	case SLUICE_FIELD_IF_NONE_MATCH:
	case SLUICE_FIELD_IF_MODIFIED_SINCE:
	case SLUICE_FIELD_IF_RANGE:
	case SLUICE_FIELD_RANGE:
		return false;
	default:
		return !reply_is_passing(item->id);
	}
}

static struct fields *copy_fields(struct mem *mem, const struct sluice_exchange *asked)
{
	struct fields_list all, kept;

	reply_collect(asked, &all);
	fields_list_init(&kept);
	kept.full = all.full;
	for (unsigned i = 0; i < all.count; i++)
		if (is_kept(&all.item[i]))
			fields_list_add(&kept, &all.item[i]);
	return fields_make(mem, &kept);
}

struct again *again_make(struct mem *mem, const struct sluice_exchange *x)
{
	const struct sluice_exchange *asked = sluice_asked(x);
	struct sluice_str target;
	struct again *again;

	if (!asked || sluice_routed(x) == SLUICE_NONE16 || is_personal(asked) ||
	    !is_plain_get(asked))
		return NULL;
	target = sluice_target(asked);
	again = mem_get(mem, sizeof(*again) + target.len);
	if (!again)
		return NULL;
	again->group = sluice_routed(x);
	again->target_len = target.len;
	memcpy(again->target, target.ptr, target.len);
	again->sent = copy_fields(mem, asked);
	if (again->sent)
		return again;
	again_free(mem, again);
	return NULL;
}

void again_free(struct mem *mem, struct again *again)
{
	if (!again)
		return;
	mem_put(mem, again->client);
	mem_put(mem, again->sent);
	mem_put(mem, again);
}

/* --- asking ---------------------------------------------------------------------------- */

static int add_sent(struct sluice_ask *ask, const struct fields *sent)
{
	int rc = 0;

	for (unsigned i = 0; i < sent->count && !rc; i++)
		rc = sluice_ask_field(ask, fields_name(sent, i).ptr, fields_value(sent, i));
	return rc;
}

static int add_validator(struct sluice_ask *ask, const struct object *old, enum sluice_field_id id,
			 const char *condition)
{
	struct sluice_str value;

	return fields_by_id(old->head, id, 0, &value) ? sluice_ask_field(ask, condition, value) : 0;
}

/* RFC 9111 §4.3.1 */
static int add_all(struct sluice_ask *ask, const struct again *again, const struct object *old)
{
	int rc = add_sent(ask, again->sent);

	if (!rc)
		rc = add_validator(ask, old, SLUICE_FIELD_ETAG, "If-None-Match");
	return rc ? rc : add_validator(ask, old, SLUICE_FIELD_LAST_MODIFIED, "If-Modified-Since");
}

struct sluice_ask *again_ask(const struct again *again, struct sluice_nf *nf,
			     const struct object *old)
{
	struct sluice_ask *ask = sluice_ask_new(nf, NULL, again->group, SLUICE_METHOD_GET,
						str_make(again->target, again->target_len));

	if (!ask || !add_all(ask, again, old))
		return ask;
	sluice_ask_drop(ask);
	return NULL;
}
