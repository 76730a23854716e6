/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/read.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nf/common/pool.h"

bool read_is_token(const char *text)
{
	const char *p = text;

	while (*p != '\0' && (isalnum((unsigned char)*p) || strchr("!#$%&'*+-.^_`|~", *p) != NULL))
		++p;
	return p > text && *p == '\0';
}

bool read_is_value(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; ++p)
		if ((*p < ' ' && *p != '\t') || *p == 0x7f)
			return false;
	return true;
}

static int none_of(const struct sluice_conf *group, const char *key, const char *text,
		   const char *const *names)
{
	char all[256] = "";
	size_t used = 0;

	for (unsigned i = 0; names[i] && used < sizeof(all); ++i)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "",
					 names[i]);
	return sluice_conf_error_key(group, key, "%s: \"%s\" is none of %s", key, text, all);
}

int read_choice(const struct sluice_conf *group, const char *key, const char *const *names,
		unsigned fallback, unsigned *out)
{
	const char *text;
	int err = sluice_conf_string(group, key, names[fallback], &text);

	*out = fallback;
	if (err)
		return err;
	for (unsigned i = 0; names[i]; ++i) {
		if (strcmp(text, names[i]) == 0) {
			*out = i;
			return 0;
		}
	}
	return none_of(group, key, text, names);
}

int read_number(const struct sluice_conf *group, const char *key, uint32_t fallback, uint32_t min,
		uint32_t max, uint32_t *out)
{
	int64_t number = fallback;
	int err = sluice_conf_int(group, key, fallback, min, max, &number);

	*out = err ? fallback : (uint32_t)number;
	return err;
}

int read_tokens(struct pool *pool, const struct sluice_conf *group, const char *key,
		const char *what, struct read_names *out)
{
	const struct sluice_conf *list = sluice_conf_list(group, key);
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = 0;

	out->count = n;
	out->name = pool_alloc(pool, n, sizeof(*out->name));
	if (!out->name)
		return -ENOMEM;
	for (unsigned i = 0; i < n; ++i) {
		if (sluice_conf_string_at(list, i, &out->name[i]))
			err = -EINVAL;
		else if (!read_is_token(out->name[i]))
			err = sluice_conf_error(list, "\"%s\" is not a %s", out->name[i], what);
	}
	return err;
}
