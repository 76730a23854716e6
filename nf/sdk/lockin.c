/* SPDX-License-Identifier: BSD-3-Clause */
/* From the rights that the manager started us with to those that a plugin may have. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nf/sdk/host.h"

#define FILES_MAX  1024
#define HEAP_BYTES (UINT64_C(4) << 30) /* address space beyond the regions */

static int cpus_set(const struct host *host)
{
	cpu_set_t set;
	unsigned count = 0;

	CPU_ZERO(&set);
	for (unsigned cpu = 0; cpu < sizeof(host->welcome.cpus) * 8 && cpu < CPU_SETSIZE; cpu++) {
		if (host->welcome.cpus[cpu / 64] >> cpu % 64 & 1) {
			CPU_SET(cpu, &set);
			count++;
		}
	}
	return count && sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static int limit(int what, rlim_t value)
{
	struct rlimit now, want = {value, value};

	if (getrlimit((__rlimit_resource_t)what, &now))
		return -errno;
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
		want = (struct rlimit){now.rlim_max, now.rlim_max};
	return setrlimit((__rlimit_resource_t)what, &want) ? -errno : 0;
}

static int limits_set(const struct host *host)
{
	int rc = limit(RLIMIT_CORE, 0);

	if (!rc)
		rc = limit(RLIMIT_NOFILE, FILES_MAX);
	if (!rc)
		rc = limit(RLIMIT_FSIZE, 0);
	/* The sanitizers' shadow memory is larger than any limit. */
	if (!rc && !HOST_SANITIZED)
		rc = limit(RLIMIT_AS, host->mapped_bytes + HEAP_BYTES);
	return rc;
}

static int user_set(const struct host *host)
{
	const struct sluice_host_welcome *w = &host->welcome;

	if (w->flags & SLUICE_HOST_STAY)
		return 0;
	if (setgroups(0, NULL) || setresgid(w->gid, w->gid, w->gid) ||
	    setresuid(w->uid, w->uid, w->uid))
		return -errno;
	return w->uid && setuid(0) == 0 ? -EPERM : 0;
}

/* Leaving root's uid leaves its capabilities too; this is for whoever keeps it. */
static int capabilities_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

/* After the user changed: that clears both the signal and the mark. */
static int parent_watch(const struct host *host)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return (uint32_t)getppid() == host->welcome.manager_pid ? 0 : -EPIPE;
}

int lockin_begin(struct host *host)
{
	static const char *const what[] = {"cpus",   "limits",       "allow.read",
					   "user",   "capabilities", "processes",
					   "parent", "landlock",     "system calls"};
	unsigned step = 0;
	int rc = cpus_set(host);

	if (!rc && ++step)
		rc = limits_set(host);
	if (!rc && ++step)
		rc = allow_find_paths(host);
	if (!rc && ++step)
		rc = user_set(host);
	if (!rc && ++step)
		rc = capabilities_drop();
	if (!rc)
		allow_connect(
			host); /* with the rights of its user: what it may not reach, it may not */
	if (!rc && ++step)
		rc = limit(RLIMIT_NPROC, 0);
	if (!rc && ++step)
		rc = parent_watch(host);
	if (!rc && ++step)
		rc = landlock_read_only();
	if (!rc && ++step)
		rc = syscalls_for_loading();
	return rc ? host_fail(host, rc, "cannot lock itself in: %s: %s", what[step], strerror(-rc))
		  : 0;
}

int lockin_finish(struct host *host)
{
	int rc = allow_lock(host);

	if (rc == -ENOSYS)
		return host_fail(host, rc, "allow.read needs Landlock, which this kernel has not");
	if (!rc)
		rc = syscalls_for_running(SLUICE_HOST_WAKE + 1, host->links, allow_reads(host));
	return rc ? host_fail(host, rc, "cannot lock itself in after init: %s", strerror(-rc)) : 0;
}
