/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPUs that are ours: those that this process may run on (taskset, CPUAffinity=, cpusets).
 */
#ifndef DATAPLANE_CPUS_H
#define DATAPLANE_CPUS_H

#include <stddef.h>

struct conf;
struct conf_errors;

/* Does every CPU that the configuration names exist, and is it ours? -EINVAL with `errors` filled.
 * A file alone cannot tell: it may be right on another machine. */
int cpus_check(const struct conf *conf, struct conf_errors *errors)
	__attribute__((warn_unused_result));

/* Ours as a list, "0-3,8"; returns `out`. What does not fit is left out. */
const char *cpus_text(char *out, size_t size);

#endif
