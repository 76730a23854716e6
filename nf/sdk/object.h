/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A plugin's shared object: loaded, and its hooks as this library knows them.
 *
 * Ownership: the caller's; hooks are good until object_unload.
 */
#ifndef NF_SDK_OBJECT_H
#define NF_SDK_OBJECT_H

#include <stddef.h>

#include <sluice/nf.h>

struct object {
	void *handle;
	struct sluice_nf_hooks hooks;
};

/* `path` is what dlopen is given; the sentence in `error` names the last part of `file`. 0,
 * -ENOEXEC, or -EINVAL (another ABI). */
int object_load(const char *path, const char *file, struct object *out, char *error,
		size_t error_size) __attribute__((warn_unused_result));
void object_unload(struct object *object);

#endif
