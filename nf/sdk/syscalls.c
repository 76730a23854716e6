/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system calls that a function may make. Three filters, of which the strictest answer
 * counts: one for loading and init, a narrower one for the loop, and one that keeps the
 * function from reading the workers' eventfds (which would steal wake-ups).
 *
 * What nobody needs by mistake (exec, fork, sockets, ptrace, …) ends the process; anything
 * else that is not allowed fails with EPERM. mremap is not allowed: it would extend the
 * mapping of a region over what follows it in the file (malloc does without it).
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "nf/sdk/host.h"

#define LOW       UINT64_C(0xffffffff) /* the kernel looks at this much of an int */
#define ALL(list) list, sizeof(list) / sizeof(list[0])

static const int deadly[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(listen),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(kill),
	SCMP_SYS(tkill),
	SCMP_SYS(rt_sigqueueinfo),
	SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(reboot),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(open_by_handle_at),
};

/* Always: memory, time, signals to itself, the end. */
static const int plain[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(preadv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(munmap),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigpending),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(ppoll),
	SCMP_SYS(poll),
	SCMP_SYS(sched_yield),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getcpu),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(rseq),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(sched_getaffinity),
};

/* For the dynamic loader, for init that reads files, and for the lock itself. */
static const int loading[] = {
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	SCMP_SYS(fadvise64),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(seccomp),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self),
	SCMP_SYS(mmap),
	SCMP_SYS(mprotect),
};

#if HOST_SANITIZED
/* What the sanitizers' run-time library does besides, also while it reports. */
static const int sanitizers[] = {
	SCMP_SYS(openat),  SCMP_SYS(open),  SCMP_SYS(readlink),
	SCMP_SYS(madvise), SCMP_SYS(stat),  SCMP_SYS(newfstatat),
	SCMP_SYS(getcwd),  SCMP_SYS(prctl), SCMP_SYS(mincore),
};
#endif

/* Allowed when an argument, under the mask, has that value. */
struct guarded {
	int call;
	unsigned argument;
	uint64_t mask, value;
};

#define OPEN_MASK (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)

static const struct guarded guarded[] = {
	{SCMP_SYS(sendto), 0, LOW, SLUICE_HOST_SOCKET},
	{SCMP_SYS(recvmsg), 0, LOW, SLUICE_HOST_SOCKET},
	{SCMP_SYS(fcntl), 1, LOW, F_GETFL},
	{SCMP_SYS(fcntl), 1, LOW, F_GETFD},
	{SCMP_SYS(prlimit64), 2, UINT64_MAX, 0}, /* to read a limit, not to set it */
#if !HOST_SANITIZED
	/* Not MADV_REMOVE: it would take pages from under the device. */
	{SCMP_SYS(madvise), 2, LOW, MADV_DONTNEED},
#endif
};

static const struct guarded guarded_loading[] = {
	{SCMP_SYS(prctl), 0, LOW, PR_SET_NO_NEW_PRIVS}, /* as seccomp_load does */
	{SCMP_SYS(prctl), 0, LOW, PR_GET_SECCOMP},      {SCMP_SYS(prctl), 0, LOW, PR_SET_SECCOMP},
	{SCMP_SYS(openat), 2, OPEN_MASK, O_RDONLY},     {SCMP_SYS(open), 1, OPEN_MASK, O_RDONLY},
};

static const struct guarded guarded_running[] = {
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0},
	{SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
};

/* Where files may be opened: Landlock says which. */
static const struct guarded guarded_opening[] = {
	{SCMP_SYS(openat), 2, OPEN_MASK | O_PATH, O_RDONLY},
	{SCMP_SYS(open), 1, OPEN_MASK | O_PATH, O_RDONLY},
	{SCMP_SYS(getdents64), 0, 0, 0},
};

static int allow(scmp_filter_ctx filter, const int *list, unsigned count)
{
	int rc = 0;

	for (unsigned i = 0; i < count && !rc; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, list[i], 0);
	return rc;
}

static int allow_guarded(scmp_filter_ctx filter, const struct guarded *list, unsigned count)
{
	int rc = 0;

	for (unsigned i = 0; i < count && !rc; i++) {
		struct scmp_arg_cmp condition = {list[i].argument, SCMP_CMP_MASKED_EQ, list[i].mask,
						 list[i].value};

		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, list[i].call, 1, &condition);
	}
	return rc;
}

static int allow_common(scmp_filter_ctx filter)
{
	struct guarded self = {SCMP_SYS(tgkill), 0, LOW, (uint64_t)getpid()}; /* abort() */
	int rc = allow(filter, ALL(plain));

	if (!rc)
		rc = allow_guarded(filter, ALL(guarded));
	if (!rc)
		rc = allow_guarded(filter, &self, 1);
#if HOST_SANITIZED
	if (!rc)
		rc = allow(filter, ALL(sanitizers));
#endif
	return rc;
}

static int forbid_deadly(scmp_filter_ctx filter)
{
	int rc = 0;

	for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]) && !rc; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	return rc;
}

static int load(scmp_filter_ctx filter, int rc)
{
	if (!rc)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

int syscalls_for_loading(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc;

	if (!filter)
		return -ENOMEM;
	rc = forbid_deadly(filter);
	if (!rc)
		rc = allow_common(filter);
	if (!rc)
		rc = allow(filter, ALL(loading));
	if (!rc)
		rc = allow_guarded(filter, ALL(guarded_loading));
	return load(filter, rc);
}

/* One rule for each descriptor: a comparison of ranges would see the upper half of the register. */
static int forbid_reading(int first_fd, unsigned fds)
{
	static const int readers[] = {SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64),
				      SCMP_SYS(preadv)};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = 0;

	if (!filter)
		return -ENOMEM;
	for (unsigned i = 0; i < fds * 4 && !rc; i++) {
		struct scmp_arg_cmp fd = {0, SCMP_CMP_MASKED_EQ, LOW, (uint64_t)first_fd + i / 4};

		rc = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), readers[i % 4], 1, &fd);
	}
	return load(filter, rc);
}

int syscalls_for_running(int first_fd, unsigned fds, bool may_open)
{
	scmp_filter_ctx filter;
	int rc = fds ? forbid_reading(first_fd, fds) : 0;

	if (rc)
		return rc;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -ENOMEM;
	rc = forbid_deadly(filter);
	if (!rc)
		rc = allow_common(filter);
	if (!rc)
		rc = allow_guarded(filter, ALL(guarded_running));
	if (!rc && may_open)
		rc = allow_guarded(filter, ALL(guarded_opening));
	return load(filter, rc);
}
