/* SPDX-License-Identifier: BSD-3-Clause */
/* Range requests (RFC 9110 §14): one range. Several are answered with the whole, as §14.2 allows.
 */
#include "nf/static/static.h"

#include <strings.h>

#define NUMBER_NONE UINT64_MAX
#define NUMBER_MAX  (UINT64_MAX / 16) /* beyond every body: larger ones are as good as this */

/* Digits at the front of `text`, which becomes the rest; NUMBER_NONE: there are none. */
static uint64_t take_number(struct sluice_str *text)
{
	uint64_t n = 0;
	uint32_t i = 0;

	for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9'; ++i) {
		n = n * 10 + (uint64_t)(text->ptr[i] - '0');
		if (n > NUMBER_MAX)
			n = NUMBER_MAX;
	}
	text->ptr += i;
	text->len -= i;
	return i > 0 ? n : NUMBER_NONE;
}

/* "bytes=FIRST-LAST": false when it is anything else, and so to be ignored. */
static bool parse(struct sluice_str value, uint64_t *first, uint64_t *last)
{
	static const char unit[] = "bytes=";
	const uint32_t unit_len = sizeof(unit) - 1;

	if (value.len < unit_len || strncasecmp(value.ptr, unit, unit_len) != 0)
		return false;
	value.ptr += unit_len;
	value.len -= unit_len;
	*first = take_number(&value);
	if (value.len == 0 || value.ptr[0] != '-')
		return false;
	++value.ptr;
	--value.len;
	*last = take_number(&value);
	if (value.len > 0 || (*first == NUMBER_NONE && *last == NUMBER_NONE))
		return false;
	return *first == NUMBER_NONE || *last == NUMBER_NONE || *first <= *last;
}

/* False: not satisfiable. */
static bool place(uint64_t first, uint64_t last, uint64_t size, struct static_part *out)
{
	if (first == NUMBER_NONE) { /* the last bytes */
		uint64_t n = last < size ? last : size;

		*out = (struct static_part){size - n, n};
		return n > 0;
	}
	if (first >= size)
		return false;
	if (last >= size) /* also NUMBER_NONE: until the end */
		last = size - 1;
	*out = (struct static_part){first, last - first + 1};
	return true;
}

uint16_t static_range(struct sluice_exchange *x, const struct static_body *body,
		      struct static_part *out)
{
	struct sluice_str value;
	uint64_t first, last;

	*out = (struct static_part){0, body->size};
	if (sluice_field(x, SLUICE_FIELD_RANGE, &value) || !parse(value, &first, &last) ||
	    !static_if_range(x, body))
		return 200;
	return place(first, last, body->size, out) ? 206 : 416;
}
