/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/supervise/sinks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mgmt/conf/conf.h"

#define PIPE_BYTES   (256 << 10)
#define PACKET_BYTES (64 << 10)
#define FIELD_BYTES  128
#define LOOK_S       1
#define FILE_MODE    0640

struct sink {
	enum conf_write_kind kind;
	char path[CONF_ALLOW_TEXT_MAX];
	char name[64]; /* of the function */
	int from;      /* the pipe */
	int to;        /* -1: not open now */
	char packet[PACKET_BYTES];
};

/* How many threads there are. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned sinks;

static void count(int n)
{
	pthread_mutex_lock(&lock);
	sinks += (unsigned)n;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* --- opening ---------------------------------------------------------------------------- */

static void sink_close(struct sink *sink)
{
	if (sink->to >= 0)
		close(sink->to);
	sink->to = -1;
}

static void open_socket(struct sink *sink)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	memcpy(to.sun_path, sink->path, strnlen(sink->path, sizeof(to.sun_path) - 1));
	sink->to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sink->to >= 0 && connect(sink->to, (struct sockaddr *)&to, sizeof(to)))
		sink_close(sink);
}

static void open_to(struct sink *sink)
{
	if (sink->kind == CONF_WRITE_FILE)
		sink->to = open(sink->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
				FILE_MODE);
	else
		open_socket(sink);
}

/* The name leads to another file now, or to none. */
static bool moved(const struct sink *sink)
{
	struct stat named, ours;

	return fstat(sink->to, &ours) || stat(sink->path, &named) || named.st_ino != ours.st_ino ||
	       named.st_dev != ours.st_dev;
}

static void look(struct sink *sink)
{
	if (sink->to >= 0 && sink->kind == CONF_WRITE_FILE && moved(sink))
		sink_close(sink);
	if (sink->to < 0)
		open_to(sink);
}

/* --- writing ---------------------------------------------------------------------------- */

static void write_file(struct sink *sink, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(sink->to, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* a full disk: these lines are lost */
		bytes += n;
		len -= (size_t)n;
	}
}

/* One whose receiver was started anew is connected again. */
static void send_datagram(struct sink *sink, struct iovec *parts, size_t n)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = n};

	if (sink->to >= 0 && sendmsg(sink->to, &message, MSG_NOSIGNAL) >= 0)
		return;
	sink_close(sink);
	open_to(sink);
	if (sink->to >= 0 && sendmsg(sink->to, &message, MSG_NOSIGNAL) < 0)
		sink_close(sink);
}

/* RFC 5424 is the function's to write; the journal has a protocol of its own, by lines. */
static void send_line(struct sink *sink, char *line, size_t len)
{
	char fields[FIELD_BYTES];
	struct iovec parts[3] = {{fields, 0}, {line, len}, {"\n", 1}};

	if (sink->kind == CONF_WRITE_SYSLOG) {
		send_datagram(sink, parts + 1, 1);
		return;
	}
	parts[0].iov_len = (size_t)snprintf(
		fields, sizeof(fields), "PRIORITY=6\nSYSLOG_IDENTIFIER=%s\nMESSAGE=", sink->name);
	send_datagram(sink, parts, 3);
}

static void write_packet(struct sink *sink, size_t len)
{
	char *line = sink->packet, *end = sink->packet + len;

	if (sink->kind == CONF_WRITE_FILE) {
		if (sink->to >= 0)
			write_file(sink, line, len);
		return;
	}
	while (line < end) {
		char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t n = (size_t)((stop ? stop : end) - line);

		if (n > 0)
			send_line(sink, line, n);
		line += n + 1;
	}
}

static void *sink_run(void *arg)
{
	struct sink *sink = arg;
	time_t looked = 0;
	bool over;
	ssize_t n;

	do {
		struct timespec now;

		n = recv(sink->from, sink->packet, sizeof(sink->packet), 0);
		over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec != looked || sink->to < 0)
			look(sink);
		looked = now.tv_sec;
		if (n > 0)
			write_packet(sink, (size_t)n);
	} while (!over);
	sink_close(sink);
	close(sink->from);
	free(sink);
	count(-1);
	return NULL;
}

/* --- making ------------------------------------------------------------------------------ */

/* The first of `end` is ours; the other never waits. */
static int pipe_make(int end[2])
{
	struct timeval each = {.tv_sec = LOOK_S};
	int bytes = PIPE_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, end))
		return -errno;
	if (setsockopt(end[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) &&
	    setsockopt(end[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)))
		return -errno;
	if (setsockopt(end[0], SOL_SOCKET, SO_RCVTIMEO, &each, sizeof(each)) ||
	    shutdown(end[1], SHUT_RD) || fcntl(end[1], F_SETFL, O_NONBLOCK))
		return -errno;
	return 0;
}

/* Signals are for the control thread. */
static int thread_start(struct sink *sink)
{
	sigset_t all, before;
	pthread_t thread;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	count(1);
	rc = pthread_create(&thread, NULL, sink_run, sink);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		count(-1);
	else
		pthread_detach(thread);
	return -rc;
}

int sink_open(const struct conf_writing *to, const char *name, int *fd)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	int end[2] = {-1, -1}, rc = sink ? pipe_make(end) : -ENOMEM;

	if (!rc) {
		sink->kind = to->kind;
		sink->from = end[0];
		sink->to = -1;
		snprintf(sink->path, sizeof(sink->path), "%s", to->path);
		snprintf(sink->name, sizeof(sink->name), "%s", name);
		look(sink); /* it is there from now on */
		rc = sink->to < 0 && to->kind == CONF_WRITE_FILE ? -errno : thread_start(sink);
	}
	if (!rc) {
		*fd = end[1];
		return 0;
	}
	if (sink)
		sink_close(sink);
	for (unsigned i = 0; i < 2; i++)
		if (end[i] >= 0)
			close(end[i]);
	free(sink);
	return rc;
}

void sinks_wait(unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&lock);
	while (sinks && pthread_cond_timedwait(&changed, &lock, &until) == 0)
		;
	pthread_mutex_unlock(&lock);
}
