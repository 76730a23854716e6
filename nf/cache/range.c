/* SPDX-License-Identifier: BSD-3-Clause */
#include "range.h"

#include "nf/common/str.h"

#define UNIT "bytes="

static bool is_unit(struct sluice_str value)
{
	uint32_t len = sizeof(UNIT) - 1;

	return value.len > len && str_equal_nocase(str_make(value.ptr, len), sluice_str(UNIT));
}

/* "-500": the last 500 bytes. */
static enum range_kind take_suffix(int64_t count, uint64_t length, uint64_t *first, uint64_t *last)
{
	if (count < 0)
		return RANGE_IGNORED;
	if (count == 0 || length == 0)
		return RANGE_UNSATISFIABLE;
	*first = (uint64_t)count < length ? length - (uint64_t)count : 0;
	*last = length - 1;
	return RANGE_PART;
}

static enum range_kind take_pair(int64_t from, int64_t to, uint64_t length, uint64_t *first,
				 uint64_t *last)
{
	if (from < 0 || to < from)
		return RANGE_IGNORED;
	if ((uint64_t)from >= length)
		return RANGE_UNSATISFIABLE;
	*first = (uint64_t)from;
	*last = (uint64_t)to < length ? (uint64_t)to : length - 1;
	return RANGE_PART;
}

enum range_kind range_parse(struct sluice_str value, uint64_t length, uint64_t *first,
			    uint64_t *last)
{
	struct sluice_str spec, end;
	const char *dash;

	if (!is_unit(value))
		return RANGE_IGNORED;
	spec = str_trim(str_skip(value, sizeof(UNIT) - 1));
	dash = memchr(spec.ptr, '-', spec.len);
	if (!dash)
		return RANGE_IGNORED;
	end = str_make(dash + 1, spec.len - (size_t)(dash - spec.ptr) - 1);
	spec.len = (uint32_t)(dash - spec.ptr);
	if (!spec.len)
		return take_suffix(str_number(end, INT64_MAX / 16), length, first, last);
	return take_pair(str_number(spec, INT64_MAX / 16),
			 end.len ? str_number(end, INT64_MAX / 16) : INT64_MAX, length, first,
			 last);
}

/* The number before `stop`, which is taken off too. */
static bool take_number(struct sluice_str *s, char stop, uint64_t *out)
{
	const char *end = memchr(s->ptr, stop, s->len);
	uint32_t len = end ? (uint32_t)(end - s->ptr) : 0;
	int64_t number = len ? str_number(str_make(s->ptr, len), INT64_MAX / 16) : -1;

	if (number < 0)
		return false;
	*out = (uint64_t)number;
	*s = str_skip(*s, len + 1);
	return true;
}

bool range_parse_content(struct sluice_str value, uint64_t *first, uint64_t *last, uint64_t *whole)
{
	struct sluice_str rest;
	int64_t length;

	if (value.len < 6 || !str_equal_nocase(str_make(value.ptr, 6), sluice_str("bytes ")))
		return false;
	rest = str_skip(value, 6);
	if (!take_number(&rest, '-', first) || !take_number(&rest, '/', last))
		return false;
	length = str_number(rest, INT64_MAX / 16);
	*whole = (uint64_t)length;
	return length > 0 && *first <= *last && *last < *whole;
}
