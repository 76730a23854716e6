/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/field.h"

#include <errno.h>
#include <strings.h>

#include "nf/common/pool.h"

#define HOP     SLUICE_FIELD_HOP
#define FRAMING SLUICE_FIELD_FRAMING
#define SINGLE  SLUICE_FIELD_SINGLE
static const struct {
	const char *name;
	unsigned flags;
} known[SLUICE_FIELD_COUNT] = {
	[SLUICE_FIELD_OTHER] = {"", 0},
#define FIELD(id, text, bits) [SLUICE_FIELD_##id] = {text, bits},
#include <sluice/fields.def>
#undef FIELD
};
#undef HOP
#undef FRAMING
#undef SINGLE

struct field_name field_name_of(const char *name)
{
	for (unsigned id = SLUICE_FIELD_OTHER + 1; id < SLUICE_FIELD_COUNT; ++id)
		if (strcasecmp(name, known[id].name) == 0)
			return (struct field_name){name, (uint16_t)id};
	return (struct field_name){name, SLUICE_FIELD_OTHER};
}

static unsigned scan(const struct sluice_exchange *x, const struct field_name *name, unsigned i)
{
	unsigned fields = sluice_head(x)->fields;

	for (; i < fields; ++i)
		if (sluice_str_equal_nocase(sluice_field_name(x, i), sluice_str(name->name)))
			return i;
	return SLUICE_NONE16;
}

unsigned field_first(const struct sluice_exchange *x, const struct field_name *name)
{
	if (name->id != SLUICE_FIELD_OTHER)
		return sluice_field_first(x, name->id);
	return scan(x, name, 0);
}

unsigned field_after(const struct sluice_exchange *x, const struct field_name *name, unsigned i)
{
	if (name->id != SLUICE_FIELD_OTHER)
		return sluice_field_next(x, i);
	return scan(x, name, i + 1);
}

int field_check(const struct sluice_conf *where, const char *name, enum field_use use)
{
	struct field_name field = field_name_of(name);

	if (!read_is_token(name))
		return sluice_conf_error(where, "\"%s\" is not a field name", name);
	if (known[field.id].flags & (SLUICE_FIELD_HOP | SLUICE_FIELD_FRAMING))
		return sluice_conf_error(
			where, "%s belongs to the connection: no rule can change it", name);
	if (field.id == SLUICE_FIELD_HOST && use != FIELD_SET_IN_REQUEST)
		return sluice_conf_error(where, "%s can only be set, and only in a request", name);
	return 0;
}

static int read_pair(const struct sluice_conf *group, enum field_use use, struct field_pair *out)
{
	int err = sluice_conf_string(group, "name", NULL, &out->name);

	if (sluice_conf_string(group, "value", NULL, &out->value) || err)
		return -EINVAL;
	out->where = group;
	if (!out->name || !out->value)
		return sluice_conf_error(group, "a field needs name and value");
	if (!read_is_value(out->value))
		return sluice_conf_error(group, "the value of %s has control characters",
					 out->name);
	return field_check(group, out->name, use);
}

int field_pairs_read(struct pool *pool, const struct sluice_conf *group, const char *key,
		     enum field_use use, struct field_pairs *out)
{
	const struct sluice_conf *list = sluice_conf_list(group, key);
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = 0;

	out->count = n;
	out->pair = pool_alloc(pool, n, sizeof(*out->pair));
	if (!out->pair)
		return -ENOMEM;
	for (unsigned i = 0; i < n; ++i) {
		const struct sluice_conf *element = sluice_conf_at(list, i);

		if (!element || read_pair(element, use, &out->pair[i]))
			err = -EINVAL;
	}
	return err;
}

int field_names_read(struct pool *pool, const struct sluice_conf *group, const char *key,
		     enum field_use use, struct read_names *out)
{
	int err = read_tokens(pool, group, key, "field name", out);

	if (err)
		return err;
	for (unsigned i = 0; i < out->count; ++i)
		if (field_check(sluice_conf_list(group, key), out->name[i], use))
			err = -EINVAL;
	return err;
}
