/* SPDX-License-Identifier: BSD-3-Clause */
#include "condition.h"

#include "etag.h"
#include "fields.h"
#include "nf/common/date.h"
#include "nf/common/str.h"
#include "store.h"

static struct sluice_str stored(const struct object *object, enum sluice_field_id id)
{
	struct sluice_str value;

	return fields_by_id(object->head, id, 0, &value) ? value : str_make("", 0);
}

/* RFC 9110 §13.1.2: any line of the field may name it. */
static bool is_named(const struct sluice_exchange *x, struct sluice_str etag)
{
	unsigned i = sluice_field_first(x, SLUICE_FIELD_IF_NONE_MATCH);

	for (; i != SLUICE_NONE16; i = sluice_field_next(x, i))
		if (etag_list_has(sluice_field_value(x, i), etag))
			return true;
	return false;
}

/* RFC 9110 §13.1.3: a date that is none is ignored. */
static bool is_since(const struct sluice_exchange *x, const struct object *object, int64_t now)
{
	struct sluice_str value;
	int64_t since;

	return !sluice_field(x, SLUICE_FIELD_IF_MODIFIED_SINCE, &value) &&
	       !date_parse(value, now, &since) && object->modified <= since;
}

bool condition_not_modified(const struct sluice_exchange *x, const struct object *object,
			    int64_t now)
{
	if (object->status != 200)
		return false;
	if (sluice_field_first(x, SLUICE_FIELD_IF_NONE_MATCH) != SLUICE_NONE16)
		return is_named(x, stored(object, SLUICE_FIELD_ETAG));
	return is_since(x, object, now);
}

/* RFC 9110 §13.1.5: exactly the date; and a Last-Modified that is a strong validator (§8.8.2.2). */
static bool is_same_date(const struct object *object, struct sluice_str value, int64_t now)
{
	struct sluice_str modified = stored(object, SLUICE_FIELD_LAST_MODIFIED);
	int64_t at, date;

	return !date_parse(modified, now, &at) &&
	       !date_parse(stored(object, SLUICE_FIELD_DATE), now, &date) && at < date &&
	       str_equal(modified, value);
}

bool condition_range_holds(const struct sluice_exchange *x, const struct object *object,
			   int64_t now)
{
	struct sluice_str value;

	if (sluice_field(x, SLUICE_FIELD_IF_RANGE, &value))
		return true;
	if (etag_is_valid(value))
		return etag_equal_strong(value, stored(object, SLUICE_FIELD_ETAG));
	return is_same_date(object, value, now);
}
