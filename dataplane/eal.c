/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/eal.h"

#include <errno.h>
#include <limits.h>
#include <numa.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf_pool_ops.h>

#include "dataplane/cpus.h"
#include "dataplane/eal_log.h"
#include "mgmt/conf/conf.h"

#define EAL_ARGS_MAX 64
#define HUGEPAGE_MB  2
/* Headroom for arenas of functions that a reload brings; without hugepages it costs nothing until
 * touched. */
#define EAL_SPARE_MB 1024
/* With hugepages: what rings, tables and devices take beside the buffers; and the reach for the
 * next page that an arena may begin on. */
#define EAL_BASE_MB  48
#define EAL_ROUND_MB 2
/* Each arena may live twice for a while: the old one until its last byte is acknowledged. */
#define EAL_ARENA_COPIES 2

/* EAL keeps pointers into its arguments, and permutes them: they live, in order, for as long as it
 * does. */
static struct eal_args {
	char *arg[EAL_ARGS_MAX + 1];
	char *made[EAL_ARGS_MAX];
	int count;
} eal_args;

static void eal_arg(struct eal_args *args, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void eal_arg(struct eal_args *args, const char *format, ...)
{
	va_list list;

	if (args->count == EAL_ARGS_MAX)
		return;
	va_start(list, format);
	if (vasprintf(&args->made[args->count], format, list) >= 0) {
		args->arg[args->count] = args->made[args->count];
		args->count++;
	}
	va_end(list);
}

static unsigned hugepages_free_mb(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	unsigned pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%u", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * HUGEPAGE_MB;
}

/* A process has one arena; inline there is one in each worker. */
static unsigned arenas_of(const struct conf *conf, const struct conf_function *function)
{
	return function->placement == CONF_INLINE ? conf->daemon.workers_count
						  : function->instances_max;
}

static unsigned arenas_mb(const struct conf *conf)
{
	unsigned mb = 0;

	for (unsigned i = 0; i < conf->functions_count; i++)
		mb += conf->functions[i].arena_mb * arenas_of(conf, &conf->functions[i]);
	return mb;
}

static unsigned overhead_mb(const struct conf *conf)
{
	unsigned mb = EAL_BASE_MB + conf->daemon.workers_count * EAL_ROUND_MB;

	for (unsigned i = 0; i < conf->functions_count; i++)
		mb += arenas_of(conf, &conf->functions[i]) * EAL_ROUND_MB;
	return mb;
}

/* Unless they must be used, hugepages that have no room for second arenas are left to others: a
 * function that dies with its bytes under way would not come up again before they are gone. */
static unsigned spare_mb(const struct conf *conf)
{
	return conf->daemon.hugepages == CONF_HUGEPAGES_AUTO
		       ? (EAL_ARENA_COPIES - 1) * arenas_mb(conf)
		       : 0;
}

static int choose_memory(const struct conf *conf, struct eal_info *info, char *error, size_t size)
{
	unsigned want = conf->daemon.memory_mb + arenas_mb(conf) + overhead_mb(conf);
	unsigned huge = hugepages_free_mb();

	info->hugepages =
		conf->daemon.hugepages != CONF_HUGEPAGES_OFF && huge >= want + spare_mb(conf);
	if (conf->daemon.hugepages == CONF_HUGEPAGES_ON && !info->hugepages) {
		snprintf(
			error, size,
			"hugepages = \"on\", but %u MB of 2 MB pages are free and %u MB are needed "
			"(memory_mb, the arenas of all functions and some more)",
			huge, want);
		return -ENOMEM;
	}
	info->memory_mb = info->hugepages
				  ? want
				  : conf->daemon.memory_mb + EAL_ARENA_COPIES * arenas_mb(conf) +
					    EAL_SPARE_MB;
	return 0;
}

static bool device_is_pci(const char *device)
{
	unsigned domain, bus, slot, function;

	return sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &function) == 4 ||
	       sscanf(device, "%x:%x.%x", &bus, &slot, &function) == 3;
}

static void arg_devices(struct eal_args *args, const struct conf *conf)
{
	unsigned pci = 0;

	for (unsigned i = 0; i < conf->ports_count; i++)
		if (device_is_pci(conf->ports[i].device)) {
			eal_arg(args, "-a%s", conf->ports[i].device);
			pci++;
		}
	if (pci)
		return;
	eal_arg(args, "--no-pci");
	eal_arg(args, "--iova-mode=va");
}

/* lcore 0 floats over all CPUs that are ours; lcore i + 1 is worker i on its own. */
static void arg_lcores(struct eal_args *args, const struct conf *conf)
{
	char ours[1024], text[4096];
	int n = snprintf(text, sizeof(text), "--lcores=(0)@(%s)", cpus_text(ours, sizeof(ours)));

	for (unsigned i = 0; i < conf->daemon.workers_count && n < (int)sizeof(text); i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ",(%u)@%u", i + 1,
			      conf->daemon.workers[i]);
	eal_arg(args, "%s", text);
}

/* Nothing is left in the file system either way. */
static void arg_memory(struct eal_args *args, const struct eal_info *info)
{
	if (info->hugepages) {
		eal_arg(args, "--in-memory");
		eal_arg(args, "--single-file-segments");
	} else {
		eal_arg(args, "--no-huge");
		eal_arg(args, "--no-shconf");
	}
	eal_arg(args, "-m%u", info->memory_mb);
}

static const char *eal_trouble(int err)
{
	switch (err) {
	case ENOMEM:
		return "not enough memory";
	case EACCES:
	case EPERM:
		return "not permitted (root, or the capabilities of the systemd unit, are needed)";
	default:
		return rte_strerror(err);
	}
}

int eal_start(const struct conf *conf, struct eal_info *info, char *error, size_t error_size)
{
	struct eal_args *args = &eal_args;
	int rc = choose_memory(conf, info, error, error_size);

	if (rc)
		return rc;
	eal_arg(args, "sluiced");
	arg_memory(args, info);
	arg_lcores(args, conf);
	arg_devices(args, conf);
	eal_arg(args, "--no-telemetry");
	eal_arg(args, "--log-level=error");
	/* Or it would make its folder in one that all daemons share. */
	setenv("RUNTIME_DIRECTORY", conf->daemon.run_dir, 1);
	eal_log_open();
	eal_log_hold();
	if (rte_eal_init(args->count, args->arg) < 0) {
		snprintf(error, error_size, "cannot start DPDK: %s (%s)", eal_trouble(rte_errno),
			 eal_log_release());
		return -EIO;
	}
	(void)eal_log_release();
	info->running = true;
	/* The buffer that was freed last is taken first: it is in the cache still, and what was
	 * never needed is never touched. */
	rc = rte_mbuf_set_user_mempool_ops("lf_stack");
	if (rc)
		snprintf(error, error_size, "DPDK has no mempool driver \"lf_stack\"");
	return rc;
}

/* EAL makes RUNTIME_DIRECTORY/dpdk/rte, even when it keeps nothing there. */
static void remove_empty_folders(void)
{
	char path[PATH_MAX];
	char *slash;

	snprintf(path, sizeof(path), "%s", rte_eal_get_runtime_dir());
	slash = strrchr(path, '/');
	if (!slash || rmdir(path))
		return;
	*slash = '\0';
	if (rmdir(path))
		return; /* somebody else's are in it */
}

void eal_stop(bool in_order)
{
	if (in_order)
		rte_eal_cleanup();
	while (eal_args.count)
		free(eal_args.made[--eal_args.count]);
	remove_empty_folders();
}

int eal_node_of_cpu(unsigned cpu)
{
	int node = numa_available() < 0 ? 0 : numa_node_of_cpu((int)cpu);

	return node < 0 ? 0 : node;
}
