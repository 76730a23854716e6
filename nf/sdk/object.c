/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/object.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nf/sdk/core.h"

static int hooks_find(void *handle, const char *name, struct sluice_nf_hooks *out, char *error,
		      size_t size)
{
	void *symbol = dlsym(handle, SLUICE_ENTRY_SYMBOL);
	const struct sluice_nf_hooks *(*entry)(void);

	if (!symbol) {
		snprintf(error, size, "plugin %s has no SLUICE_FUNCTION", name);
		return -ENOEXEC;
	}
	memcpy(&entry, &symbol, sizeof(entry)); /* ISO C has no conversion between the two */
	return nf_hooks_read(entry(), name, out, error, size);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int object_load(const char *path, const char *file, struct object *out, char *error, size_t size)
{
	const char *name = last_part(file);
	int rc;

	*out = (struct object){.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
	if (!out->handle) {
		snprintf(error, size, "plugin %s cannot be loaded: %s", name, dlerror());
		return -ENOEXEC;
	}
	rc = hooks_find(out->handle, name, &out->hooks, error, size);
	if (rc)
		object_unload(out);
	return rc;
}

void object_unload(struct object *object)
{
	if (object->handle)
		dlclose(object->handle);
	*object = (struct object){0};
}
