/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/cookie.h"

#include <errno.h>
#include <string.h>

#include "nf/common/list.h"
#include "nf/common/text.h"

/* One "name=value" off the front of `rest`. */
static struct sluice_str next_pair(struct sluice_str *rest)
{
	const char *end = memchr(rest->ptr, ';', rest->len);
	uint32_t len = end ? (uint32_t)(end - rest->ptr) : rest->len;
	struct sluice_str pair = {rest->ptr, len};
	uint32_t step = end ? len + 1 : len;

	rest->ptr += step;
	rest->len -= step;
	return list_trim(pair);
}

static bool is_named(struct sluice_str pair, struct sluice_str name)
{
	return pair.len > name.len && pair.ptr[name.len] == '=' &&
	       !memcmp(pair.ptr, name.ptr, name.len);
}

int cookie_in(struct sluice_str field, struct sluice_str name, struct sluice_str *value)
{
	while (field.len) {
		struct sluice_str pair = next_pair(&field);

		if (is_named(pair, name)) {
			*value = (struct sluice_str){pair.ptr + name.len + 1,
						     pair.len - name.len - 1};
			return 0;
		}
	}
	return -ENOENT;
}

int cookie_find(const struct sluice_exchange *x, const char *name, struct sluice_str *value)
{
	unsigned i = sluice_field_first(x, SLUICE_FIELD_COOKIE);

	for (; i != SLUICE_NONE16; i = sluice_field_next(x, i))
		if (!cookie_in(sluice_field_value(x, i), sluice_str(name), value))
			return 0;
	return -ENOENT;
}

static void put_others(struct text *out, struct sluice_str field, struct sluice_str name)
{
	while (field.len) {
		struct sluice_str pair = next_pair(&field);

		if (!pair.len || is_named(pair, name))
			continue;
		if (out->used)
			text_put(out, sluice_str("; "));
		text_put(out, pair);
	}
}

int cookie_without(const struct sluice_exchange *x, const char *name, char *room, uint32_t size,
		   struct sluice_str *out)
{
	struct text text = {.room = room, .size = size};
	unsigned i = sluice_field_first(x, SLUICE_FIELD_COOKIE);

	for (; i != SLUICE_NONE16; i = sluice_field_next(x, i))
		put_others(&text, sluice_field_value(x, i), sluice_str(name));
	*out = text_str(&text);
	return text.full ? -ENOSPC : 0;
}
