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
