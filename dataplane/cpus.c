/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "mgmt/conf/conf.h"

#define LIST_MAX 1024

/* The last of the CPUs in a row that begins with `cpu`. */
static int row_end(const cpu_set_t *set, int cpu)
{
	while (cpu + 1 < CPU_SETSIZE && CPU_ISSET(cpu + 1, set))
		cpu++;
	return cpu;
}

static size_t add_row(char *out, size_t size, size_t used, int first, int last)
{
	char row[32];
	int n = last > first ? snprintf(row, sizeof(row), "%s%d-%d", used ? "," : "", first, last)
			     : snprintf(row, sizeof(row), "%s%d", used ? "," : "", first);

	if (used + (size_t)n < size)
		used += (size_t)snprintf(out + used, size - used, "%s", row);
	return used;
}

const char *cpus_text(char *out, size_t size)
{
	cpu_set_t ours;
	size_t used = 0;

	out[0] = '\0';
	if (sched_getaffinity(0, sizeof(ours), &ours))
		CPU_ZERO(&ours);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		int last = row_end(&ours, cpu);

		if (!CPU_ISSET(cpu, &ours))
			continue;
		used = add_row(out, size, used, cpu, last);
		cpu = last;
	}
	return out;
}

static bool is_ours(long cpu)
{
	cpu_set_t ours;

	return !sched_getaffinity(0, sizeof(ours), &ours) && cpu < CPU_SETSIZE &&
	       CPU_ISSET((size_t)cpu, &ours);
}

/* "worker" or "function "x"": who is to run there. */
static void check_cpu(long cpu, const char *who, const struct conf_place *place,
		      struct conf_errors *errors)
{
	char list[LIST_MAX];

	if (is_ours(cpu))
		return;
	cpus_text(list, sizeof(list));
	if (cpu >= sysconf(_SC_NPROCESSORS_CONF))
		conf_error(errors, place, "%s: there is no CPU %ld; sluiced may use %s", who, cpu,
			   list);
	else
		conf_error(errors, place,
			   "%s: CPU %ld is not ours, or it is offline; sluiced may use %s (see "
			   "taskset, CPUAffinity= and cpusets)",
			   who, cpu, list);
}

int cpus_check(const struct conf *conf, struct conf_errors *errors)
{
	unsigned before = errors->count;
	char who[CONF_NAME_MAX + 16];

	for (unsigned i = 0; i < conf->daemon.workers_count; i++)
		check_cpu((long)conf->daemon.workers[i], "workers", &conf->daemon.place, errors);
	for (unsigned i = 0; i < conf->functions_count; i++) {
		const struct conf_function *f = &conf->functions[i];

		snprintf(who, sizeof(who), "function \"%s\"", f->name);
		if (f->cpu >= 0)
			check_cpu(f->cpu, who, &f->place, errors);
	}
	return errors->count == before ? 0 : -EINVAL;
}
