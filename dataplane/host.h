/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where sluice-nf is: beside this program.
 */
#ifndef DATAPLANE_HOST_H
#define DATAPLANE_HOST_H

#include <limits.h>
#include <stddef.h>

#define HOST_PATH_MAX PATH_MAX

void host_path(char *out, size_t size);

#endif
