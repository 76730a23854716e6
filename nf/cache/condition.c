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

static bool line(const struct vary_request *request, const char *name, unsigned i,
		 struct sluice_str *value)
{
	return request->line(request->ctx, sluice_str(name), i, value);
}

/* RFC 9110 §13.1.2: any line of the field may name it. */
static bool is_named(const struct vary_request *request, struct sluice_str etag)
{
	struct sluice_str value;

	for (unsigned i = 0; line(request, "If-None-Match", i, &value); i++)
		if (etag_list_has(value, etag))
			return true;
	return false;
}

/* RFC 9110 §13.1.3: a date that is none is ignored. */
static bool is_since(const struct vary_request *request, const struct object *object, int64_t now)
{
	struct sluice_str value;
	int64_t since;

	return line(request, "If-Modified-Since", 0, &value) && !date_parse(value, now, &since) &&
	       object->modified <= since;
}

bool condition_not_modified(const struct vary_request *request, const struct object *object,
			    int64_t now)
{
	struct sluice_str value;

	if (object->status != 200)
		return false;
	if (line(request, "If-None-Match", 0, &value))
		return is_named(request, stored(object, SLUICE_FIELD_ETAG));
	return is_since(request, object, now);
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

bool condition_range_holds(const struct vary_request *request, const struct object *object,
			   int64_t now)
{
	struct sluice_str value;

	if (!line(request, "If-Range", 0, &value))
		return true;
	if (etag_is_valid(value))
		return etag_equal_strong(value, stored(object, SLUICE_FIELD_ETAG));
	return is_same_date(object, value, now);
}
