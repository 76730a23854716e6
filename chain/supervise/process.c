/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/supervise/process.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEND_BUFFER (4 << 20) /* the whole handshake, so that sending it does not wait */
#define SEND_WAIT_S 1

static int spawn_attributes(posix_spawnattr_t *attributes)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP;
	sigset_t all, none;
	int rc;

	sigfillset(&all);
	sigemptyset(&none);
	rc = posix_spawnattr_setsigdefault(attributes, &all);
	if (!rc)
		rc = posix_spawnattr_setsigmask(attributes, &none);
	if (!rc)
		rc = posix_spawnattr_setflags(attributes, flags);
	return rc;
}

/* The child has our standard descriptors until it puts its own in their place, the socket, and
 * nothing else. */
static int spawn(const char *path, char *const *arguments, int socket, pid_t *pid)
{
	char *environment[] = {"LC_ALL=C.UTF-8", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc = posix_spawnattr_init(&attributes);

	if (rc)
		return -rc;
	rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		goto out_attributes;
	rc = spawn_attributes(&attributes);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(&actions, socket, SLUICE_HOST_SOCKET);
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(&actions, SLUICE_HOST_SOCKET + 1);
	if (!rc)
		rc = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
out_attributes:
	posix_spawnattr_destroy(&attributes);
	return -rc;
}

static void socket_prepare(int fd)
{
	struct timeval wait = {.tv_sec = SEND_WAIT_S};
	int bytes = SEND_BUFFER;

	/* Either may fail for one without rights: then sending waits a little more often. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)))
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)))
		return;
}

static int process_spawn(struct process *p, const char *path, char *const *arguments)
{
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	p->socket = pair[0];
	socket_prepare(p->socket);
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = p->wake_fd < 0 ? -errno : spawn(path, arguments, pair[1], &p->pid);
	close(pair[1]);
	if (rc)
		return rc;
	p->pidfd = pidfd_open(p->pid, 0);
	if (p->pidfd >= 0)
		return 0;
	rc = -errno;
	kill(p->pid, SIGKILL); /* not yet waited for: the number is still its own */
	waitpid(p->pid, NULL, 0);
	return rc;
}

int process_start(const char *host_path, const char *label, const char *mode, struct process *p)
{
	char name[128], word[16], program[] = "sluice-nf";
	char *arguments[] = {program, name, mode ? word : NULL, NULL};
	int rc;

	snprintf(name, sizeof(name), "%s", label);
	snprintf(word, sizeof(word), "%s", mode ? mode : "");
	*p = PROCESS_NONE;
	rc = process_spawn(p, host_path, arguments);
	if (rc)
		process_forget(p);
	return rc;
}

void process_signal(const struct process *p, int signal)
{
	if (p->pidfd >= 0 && pidfd_send_signal(p->pidfd, signal, NULL, 0))
		return; /* it ended meanwhile */
}

static void describe(const siginfo_t *info, char *how, size_t size)
{
	const char *name = info->si_code == CLD_EXITED ? NULL : sigabbrev_np(info->si_status);

	if (info->si_code == CLD_EXITED)
		snprintf(how, size, "exit %d", info->si_status);
	else if (info->si_status == SIGSYS)
		snprintf(how, size, "killed by SIGSYS: a system call that no function may make");
	else
		snprintf(how, size, "killed by SIG%s", name ? name : "?");
}

int process_ended(const struct process *p, bool wait, char *how, size_t size)
{
	siginfo_t info = {0};
	int rc;

	do {
		rc = waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | (wait ? 0 : WNOHANG));
	} while (rc && errno == EINTR);
	if (rc) {
		snprintf(how, size, "gone: %s", strerror(errno));
		return 1;
	}
	if (!info.si_pid)
		return 0;
	describe(&info, how, size);
	return 1;
}

void process_forget(struct process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	if (p->socket >= 0)
		close(p->socket);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	*p = PROCESS_NONE;
}
