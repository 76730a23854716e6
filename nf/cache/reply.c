/* SPDX-License-Identifier: BSD-3-Clause */
#include "reply.h"

#include "etag.h"
#include "nf/common/date.h"
#include "nf/common/read.h"
#include "nf/common/str.h"

#define HOP     SLUICE_FIELD_HOP
#define FRAMING SLUICE_FIELD_FRAMING
#define SINGLE  SLUICE_FIELD_SINGLE

static const uint8_t field_flags[SLUICE_FIELD_COUNT] = {
#define FIELD(id, name, flags) [SLUICE_FIELD_##id] = (flags),
#include <sluice/fields.def>
#undef FIELD
};

void reply_collect(const struct sluice_exchange *x, struct fields_list *all)
{
	const struct sluice_head *head = sluice_head(x);

	fields_list_init(all);
	for (unsigned i = 0; i < head->fields; i++) {
		struct fields_item item = {sluice_field_name(x, i), sluice_field_value(x, i),
					   head->field[i].id};

		fields_list_add(all, &item);
	}
}

/* --- facts ------------------------------------------------------------------------ */

static int64_t date_of(struct sluice_str value, int64_t now, int64_t otherwise)
{
	int64_t seconds;

	return date_parse(value, now, &seconds) ? otherwise : seconds;
}

/* RFC 9111 §5.1: the first member of what should not be a list; what is no number is ignored. */
static int64_t age_of(struct sluice_str value)
{
	const char *comma = memchr(value.ptr, ',', value.len);
	int64_t age;

	if (comma)
		value.len = (uint32_t)(comma - value.ptr);
	age = str_number(str_trim(value), CC_SECONDS_MAX);
	return age < 0 ? 0 : age;
}

/* A second Expires is a mistake, and a mistake is in the past (RFC 9111 §4.2.1, §5.3). */
static int64_t expires_of(const struct fresh_response *out, struct sluice_str value)
{
	return out->expires == FRESH_ABSENT ? date_of(value, out->received, 0) : 0;
}

static void read_item(const struct fields_item *item, struct fresh_response *out)
{
	switch (item->id) {
	case SLUICE_FIELD_CACHE_CONTROL:
		cc_parse(&out->cc, item->value);
		break;
	case SLUICE_FIELD_DATE:
		out->date = date_of(item->value, out->received, FRESH_ABSENT);
		break;
	case SLUICE_FIELD_EXPIRES:
		out->expires = expires_of(out, item->value);
		break;
	case SLUICE_FIELD_LAST_MODIFIED:
		out->last_modified = date_of(item->value, out->received, FRESH_ABSENT);
		break;
	case SLUICE_FIELD_AGE:
		out->age = age_of(item->value);
		break;
	case SLUICE_FIELD_ETAG:
		out->has_etag = etag_is_valid(item->value);
		break;
	case SLUICE_FIELD_SET_COOKIE:
		out->sets_cookie = true;
		break;
	default:
		break;
	}
}

/* The directives of that field; false: there is none, or it is not well formed. */
static bool read_targeted(const struct fields_list *all, const char *name, struct cc *cc)
{
	cc_init(cc);
	for (unsigned i = 0; i < all->count; i++)
		if (str_equal_nocase(all->item[i].name, sluice_str(name)))
			cc_parse_strict(cc, all->item[i].value);
	return cc->values && !(cc->flags & CC_BAD);
}

/* RFC 9213 §2.2: the first of the list that is there counts, instead of Cache-Control and Expires.
 */
static void apply_targeted(const struct fields_list *all, const struct read_names *targeted,
			   struct fresh_response *out)
{
	struct cc cc;

	for (unsigned i = 0; i < targeted->count; i++)
		if (read_targeted(all, targeted->name[i], &cc)) {
			out->cc = cc;
			out->targeted = true;
			return;
		}
}

void reply_facts(const struct fields_list *all, uint16_t status, int64_t received,
		 const struct read_names *targeted, struct fresh_response *out)
{
	*out = (struct fresh_response){
		.status = status,
		.received = received,
		.date = FRESH_ABSENT,
		.expires = FRESH_ABSENT,
		.last_modified = FRESH_ABSENT,
	};
	cc_init(&out->cc);
	for (unsigned i = 0; i < all->count; i++)
		read_item(&all->item[i], out);
	apply_targeted(all, targeted, out);
}

/* --- what is kept ------------------------------------------------------------------- */

/* Is the name one of those in a Connection field? */
static bool is_of_connection(const struct fields_list *all, struct sluice_str name)
{
	for (unsigned i = 0; i < all->count; i++) {
		struct sluice_str rest = all->item[i].value;

		if (all->item[i].id != SLUICE_FIELD_CONNECTION)
			continue;
		while (rest.len) {
			const char *comma = memchr(rest.ptr, ',', rest.len);
			uint32_t len = comma ? (uint32_t)(comma - rest.ptr) : rest.len;

			if (str_equal_nocase(str_trim(str_make(rest.ptr, len)), name))
				return true;
			rest = str_skip(rest, comma ? len + 1 : len);
		}
	}
	return false;
}

bool reply_is_passing(uint16_t id)
{
	return (field_flags[id] & (HOP | FRAMING)) || id == SLUICE_FIELD_TRAILER ||
	       id == SLUICE_FIELD_AGE;
}

static bool is_proxy_info(struct sluice_str name)
{
	return str_equal_nocase(name, sluice_str("proxy-authentication-info"));
}

static bool is_kept(const struct fields_list *all, const struct fields_item *item,
		    const struct cc *cc)
{
	return !reply_is_passing(item->id) && !is_proxy_info(item->name) &&
	       !cc_names_field(cc, item->name) && !is_of_connection(all, item->name);
}

void reply_keep(const struct fields_list *all, const struct fresh_response *facts,
		struct fields_list *kept, char date[DATE_BYTES])
{
	fields_list_init(kept);
	kept->full = all->full;
	for (unsigned i = 0; i < all->count; i++)
		if (is_kept(all, &all->item[i], &facts->cc))
			fields_list_add(kept, &all->item[i]);
	if (facts->date != FRESH_ABSENT)
		return;
	date_format(facts->received, date);
	fields_list_add(kept, &(struct fields_item){sluice_str("Date"), sluice_str(date),
						    SLUICE_FIELD_DATE});
}

/* A 304 speaks of the stored content, whose coding and extent it cannot change. */
static bool is_news(const struct fields_item *item, bool cookies)
{
	return item->id != SLUICE_FIELD_CONTENT_ENCODING &&
	       item->id != SLUICE_FIELD_CONTENT_RANGE &&
	       (cookies || item->id != SLUICE_FIELD_SET_COOKIE);
}

static bool is_replaced(const struct fields_list *news, bool cookies, struct sluice_str name)
{
	for (unsigned i = 0; i < news->count; i++)
		if (is_news(&news->item[i], cookies) && str_equal_nocase(news->item[i].name, name))
			return true;
	return false;
}

void reply_merge(const struct fields *stored, const struct fields_list *news, bool cookies,
		 struct fields_list *merged)
{
	fields_list_init(merged);
	merged->full = news->full;
	for (unsigned i = 0; i < stored->count; i++) {
		struct fields_item item = {fields_name(stored, i), fields_value(stored, i),
					   stored->row[i].id};

		if (!is_replaced(news, cookies, item.name))
			fields_list_add(merged, &item);
	}
	for (unsigned i = 0; i < news->count; i++)
		if (is_news(&news->item[i], cookies))
			fields_list_add(merged, &news->item[i]);
}

struct sluice_str reply_value(const struct fields_list *all, enum sluice_field_id id)
{
	for (unsigned i = 0; i < all->count; i++)
		if (all->item[i].id == id)
			return all->item[i].value;
	return str_make("", 0);
}
