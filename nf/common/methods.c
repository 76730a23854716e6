/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/methods.h"

#include <string.h>

static const char *const known_names[] = {
	[SLUICE_METHOD_OTHER] = "",          [SLUICE_METHOD_GET] = "GET",
	[SLUICE_METHOD_HEAD] = "HEAD",       [SLUICE_METHOD_POST] = "POST",
	[SLUICE_METHOD_PUT] = "PUT",         [SLUICE_METHOD_DELETE] = "DELETE",
	[SLUICE_METHOD_CONNECT] = "CONNECT", [SLUICE_METHOD_OPTIONS] = "OPTIONS",
	[SLUICE_METHOD_TRACE] = "TRACE",     [SLUICE_METHOD_PATCH] = "PATCH",
	[SLUICE_METHOD_PURGE] = "PURGE",
};

static uint32_t known_bit(const char *name)
{
	for (unsigned i = 1; i < sizeof(known_names) / sizeof(known_names[0]); ++i)
		if (strcmp(name, known_names[i]) == 0)
			return 1u << i;
	return 0;
}

int methods_read(struct pool *pool, const struct sluice_conf *group, const char *key,
		 struct methods *out)
{
	int err = read_tokens(pool, group, key, "method", &out->names);

	out->known = 0;
	if (err)
		return err;
	for (unsigned i = 0; i < out->names.count; ++i)
		out->known |= known_bit(out->names.name[i]);
	return 0;
}

bool methods_contain(const struct methods *methods, const struct sluice_exchange *x)
{
	const struct sluice_head *head = sluice_head(x);

	if (methods->names.count == 0)
		return true;
	if (head->method != SLUICE_METHOD_OTHER)
		return (methods->known >> head->method & 1) != 0;
	for (unsigned i = 0; i < methods->names.count; ++i)
		if (sluice_str_equal(sluice_method(x), sluice_str(methods->names.name[i])))
			return true;
	return false;
}
