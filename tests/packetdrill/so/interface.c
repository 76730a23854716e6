/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The functions that packetdrill calls: each takes the lock, finds the descriptor,
 * and turns -errno into -1 and errno. Nothing else happens here.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/packetdrill/packetdrill.h"
#include "tests/packetdrill/so/file.h"
#include "tests/packetdrill/so/linux_addr.h"
#include "tests/packetdrill/so/linux_options.h"
#include "tests/packetdrill/so/poll.h"
#include "tests/packetdrill/so/sock.h"
#include "tests/packetdrill/so/world.h"

#define TICK_US 1 /* what it takes to look at the clock */

/* A call: entered, with its socket, if it is one. */
struct call {
	struct world *world;
	struct file *file;
	struct sock *sock;
	uint64_t until_us; /* SOCK_AT_ONCE: it does not block */
};

static struct call enter(void *userdata, int fd)
{
	struct call c = {.world = userdata};

	world_enter(c.world);
	c.file = file_of(c.world, fd);
	c.sock = c.file ? c.file->sock : NULL;
	if (c.file && !c.file->nonblock)
		c.until_us = WORLD_NEVER;
	return c;
}

static ssize_t leave(const struct call *c, ssize_t result)
{
	world_leave(c->world);
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

static void limit(struct call *c, uint64_t timeout_us)
{
	if (c->until_us != SOCK_AT_ONCE && timeout_us)
		c->until_us = c->world->now_us + timeout_us;
}

/* ---- opening and closing ---- */

static int open_socket(struct world *world, int type)
{
	struct sock *sock = sock_new(world);
	int fd;

	if (!sock)
		return -ENOMEM;
	fd = file_open_sock(world, sock);
	if (fd < 0) {
		sock_close(sock);
		return fd;
	}
	file_of(world, fd)->nonblock = type & SOCK_NONBLOCK;
	return fd;
}

static int do_socket(void *userdata, int domain, int type, int protocol)
{
	struct call c = enter(userdata, -1);
	bool is_tcp = (type & 15) == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP);

	if (linux_addr_family(domain) == ADDR_NONE)
		return (int)leave(&c, -EAFNOSUPPORT);
	return (int)leave(&c, is_tcp ? open_socket(c.world, type) : -EPROTONOSUPPORT);
}

static int do_bind(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call c = enter(userdata, fd);
	struct endpoint local;
	int err = c.sock ? linux_addr_in(addr, len, &local) : -EBADF;

	return (int)leave(&c, err ? err : sock_bind(c.sock, &local));
}

static int do_listen(void *userdata, int fd, int backlog)
{
	struct call c = enter(userdata, fd);

	(void)backlog;
	return (int)leave(&c, c.sock ? sock_listen(c.sock) : -EBADF);
}

static int accept_one(struct call *c, struct sockaddr *addr, socklen_t *len)
{
	struct sock *sock;
	int fd;

	limit(c, c->sock->options.recv_timeout_us);
	fd = sock_accept(c->sock, c->until_us, &sock);
	if (fd)
		return fd;
	fd = file_open_sock(c->world, sock);
	if (fd < 0)
		sock_close(sock);
	else
		linux_addr_out(&sock->peer, addr, len);
	return fd;
}

static int do_accept(void *userdata, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct call c = enter(userdata, fd);

	return (int)leave(&c, c.sock ? accept_one(&c, addr, len) : -EBADF);
}

static int do_connect(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call c = enter(userdata, fd);
	struct endpoint peer;
	int err = c.sock ? linux_addr_in(addr, len, &peer) : -EBADF;

	return (int)leave(&c, err ? err : sock_connect(c.sock, &peer, c.until_us));
}

static int do_close(void *userdata, int fd)
{
	struct call c = enter(userdata, fd);

	return (int)leave(&c, file_close(c.world, fd));
}

static int do_shutdown(void *userdata, int fd, int how)
{
	struct call c = enter(userdata, fd);

	if (!c.sock)
		return (int)leave(&c, -EBADF);
	return (int)leave(&c, sock_shutdown(c.sock, how != SHUT_WR, how != SHUT_RD));
}

/* ---- reading ---- */

static ssize_t recv_vector(struct call *c, const struct iovec *iov, size_t count, int flags)
{
	unsigned how = 0;
	ssize_t done = 0, n;

	if (flags & MSG_DONTWAIT)
		c->until_us = SOCK_AT_ONCE;
	if (flags & MSG_OOB)
		return -EINVAL; /* urgent data is in line: RFC 6093 */
	limit(c, c->sock->options.recv_timeout_us);
	how |= flags & MSG_PEEK ? SOCK_PEEK : 0;
	how |= flags & MSG_WAITALL ? SOCK_WAIT_ALL : 0;
	how |= flags & MSG_TRUNC ? SOCK_DISCARD : 0;
	for (size_t i = 0; i < count; i++) {
		n = sock_recv(c->sock, iov[i].iov_base, iov[i].iov_len, how, c->until_us);
		if (n < 0)
			return done ? done : n;
		done += n;
		if ((size_t)n < iov[i].iov_len)
			break;
		if (!(flags & MSG_WAITALL))
			c->until_us = SOCK_AT_ONCE;
	}
	return done;
}

static ssize_t do_recvmsg(void *userdata, int fd, struct msghdr *msg, int flags)
{
	struct call c = enter(userdata, fd);

	msg->msg_flags = 0;
	msg->msg_controllen = 0;
	return leave(&c, c.sock ? recv_vector(&c, msg->msg_iov, msg->msg_iovlen, flags) : -EBADF);
}

static ssize_t do_readv(void *userdata, int fd, const struct iovec *iov, int count)
{
	struct call c = enter(userdata, fd);

	return leave(&c, c.sock ? recv_vector(&c, iov, (size_t)count, 0) : -EBADF);
}

static ssize_t do_recv(void *userdata, int fd, void *buf, size_t len, int flags)
{
	struct call c = enter(userdata, fd);
	const struct iovec iov = {buf, len};

	return leave(&c, c.sock ? recv_vector(&c, &iov, 1, flags) : -EBADF);
}

static ssize_t do_read(void *userdata, int fd, void *buf, size_t count)
{
	return do_recv(userdata, fd, buf, count, 0);
}

static ssize_t do_recvfrom(void *userdata, int fd, void *buf, size_t len, int flags,
			   struct sockaddr *addr, socklen_t *addr_len)
{
	(void)addr; /* a stream's is not told */
	if (addr_len)
		*addr_len = 0;
	return do_recv(userdata, fd, buf, len, flags);
}

/* ---- writing ---- */

static ssize_t send_vector(struct call *c, const struct iovec *iov, size_t count, int flags)
{
	ssize_t done = 0;

	if (flags & MSG_DONTWAIT)
		c->until_us = SOCK_AT_ONCE;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP; /* RFC 6093: new programs should not */
	limit(c, c->sock->options.send_timeout_us);
	for (size_t i = 0; i < count; i++) {
		bool more = flags & MSG_MORE || i + 1 < count;
		ssize_t n = sock_send(c->sock, iov[i].iov_base, iov[i].iov_len, more, c->until_us);

		if (n < 0)
			return done ? done : n;
		done += n;
		if ((size_t)n < iov[i].iov_len)
			break;
	}
	return done;
}

static ssize_t do_sendmsg(void *userdata, int fd, const struct msghdr *msg, int flags)
{
	struct call c = enter(userdata, fd);

	return leave(&c, c.sock ? send_vector(&c, msg->msg_iov, msg->msg_iovlen, flags) : -EBADF);
}

static ssize_t do_writev(void *userdata, int fd, const struct iovec *iov, int count)
{
	struct call c = enter(userdata, fd);

	return leave(&c, c.sock ? send_vector(&c, iov, (size_t)count, 0) : -EBADF);
}

static ssize_t do_send(void *userdata, int fd, const void *buf, size_t len, int flags)
{
	struct call c = enter(userdata, fd);
	const struct iovec iov = {(void *)(uintptr_t)buf, len};

	return leave(&c, c.sock ? send_vector(&c, &iov, 1, flags) : -EBADF);
}

static ssize_t do_write(void *userdata, int fd, const void *buf, size_t count)
{
	return do_send(userdata, fd, buf, count, 0);
}

static ssize_t do_sendto(void *userdata, int fd, const void *buf, size_t len, int flags,
			 const struct sockaddr *addr, socklen_t addr_len)
{
	(void)addr; /* a connected socket's is ignored */
	(void)addr_len;
	return do_send(userdata, fd, buf, len, flags);
}

/* ---- settings ---- */

static int change_file(struct file *file, int command, int arg)
{
	switch (command) {
	case F_GETFL:
		return O_RDWR | (file->nonblock ? O_NONBLOCK : 0);
	case F_SETFL:
		file->nonblock = arg & O_NONBLOCK;
		return 0;
	case F_GETFD:
	case F_SETFD:
		return 0;
	default:
		return -EINVAL;
	}
}

static int do_fcntl(void *userdata, int fd, int command, ...)
{
	struct call c = enter(userdata, fd);
	va_list ap;
	int arg;

	va_start(ap, command);
	arg = command == F_SETFL ? va_arg(ap, int) : 0;
	va_end(ap);
	return (int)leave(&c, c.file ? change_file(c.file, command, arg) : -EBADF);
}

static int do_ioctl(void *userdata, int fd, unsigned long request, ...)
{
	struct call c = enter(userdata, fd);
	va_list ap;
	int *value;

	va_start(ap, request);
	value = va_arg(ap, int *);
	va_end(ap);
	return (int)leave(&c, c.sock ? linux_ioctl(c.sock, request, value) : -EBADF);
}

static int do_getsockopt(void *userdata, int fd, int level, int name, void *value, socklen_t *len)
{
	struct call c = enter(userdata, fd);

	return (int)leave(&c, c.sock ? linux_option_get(c.sock, level, name, value, len) : -EBADF);
}

static int do_setsockopt(void *userdata, int fd, int level, int name, const void *value,
			 socklen_t len)
{
	struct call c = enter(userdata, fd);

	int err = c.sock ? linux_option_set(c.sock, level, name, value, len) : -EBADF;

	world_turn(c.world);
	return (int)leave(&c, err);
}

/* ---- waiting ---- */

static uint64_t until(const struct world *world, int timeout_ms)
{
	if (timeout_ms == 0)
		return SOCK_AT_ONCE;
	return timeout_ms < 0 ? WORLD_NEVER : world->now_us + (uint64_t)timeout_ms * 1000;
}

static int do_poll(void *userdata, struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct call c = enter(userdata, -1);

	return (int)leave(&c, poll_wait(c.world, fds, count, until(c.world, timeout_ms)));
}

static int do_epoll_create(void *userdata, int size)
{
	struct call c = enter(userdata, -1);

	(void)size;
	return (int)leave(&c, file_open_epoll(c.world));
}

static int do_epoll_ctl(void *userdata, int epfd, int op, int fd, struct epoll_event *event)
{
	struct call c = enter(userdata, -1);

	return (int)leave(&c, epoll_change(c.world, epfd, op, fd, event));
}

static int do_epoll_wait(void *userdata, int epfd, struct epoll_event *events, int most,
			 int timeout_ms)
{
	struct call c = enter(userdata, -1);

	return (int)leave(&c,
			  epoll_collect(c.world, epfd, events, most, until(c.world, timeout_ms)));
}

/* ---- packets and time ---- */

static int packet_in(struct world *world, const void *packet, size_t count)
{
	struct addr addr;
	int err = wire_destination(packet, count, &addr);

	if (err)
		return err;
	world_adopt(world, &addr);
	err = wire_input(&world->wire, packet, count);
	world_turn(world);
	return err;
}

static int do_netdev_send(void *userdata, const void *packet, size_t count)
{
	struct call c = enter(userdata, -1);

	return (int)leave(&c, packet_in(c.world, packet, count));
}

/* Time runs to the next packet. A length of 0 when the stack will never send one. */
static int do_netdev_receive(void *userdata, void *packet, size_t *count, long long *time_usecs)
{
	struct call c = enter(userdata, -1);
	uint64_t sent_us = c.world->now_us, give_up_us = sent_us + WORLD_PATIENCE_US;

	while (!c.world->wire.first && world_next_us(c.world) <= give_up_us)
		world_advance(c.world, world_next_us(c.world));
	*count = wire_take(&c.world->wire, packet, *count, &sent_us);
	*time_usecs = (long long)sent_us;
	return (int)leave(&c, 0);
}

static int do_usleep(void *userdata, useconds_t usec)
{
	struct call c = enter(userdata, -1);

	world_advance(c.world, c.world->now_us + usec);
	return (int)leave(&c, 0);
}

static int do_gettimeofday(void *userdata, struct timeval *tv, struct timezone *tz)
{
	struct call c = enter(userdata, -1);

	(void)tz;
	tv->tv_sec = (time_t)(c.world->now_us / 1000000);
	tv->tv_usec = (suseconds_t)(c.world->now_us % 1000000);
	if (pthread_equal(c.world->driver, pthread_self()))
		world_advance(c.world, c.world->now_us + TICK_US);
	return (int)leave(&c, 0);
}

/* ---- not here ---- */

static int do_pipe(void *userdata, int fds[2])
{
	(void)userdata;
	(void)fds;
	errno = ENOSYS;
	return -1;
}

static int do_splice(void *userdata, int fd_in, loff_t *off_in, int fd_out, loff_t *off_out,
		     size_t len, unsigned flags)
{
	(void)userdata;
	(void)fd_in;
	(void)off_in;
	(void)fd_out;
	(void)off_out;
	(void)len;
	(void)flags;
	errno = ENOSYS;
	return -1;
}

/* ---- the table ---- */

static void do_free(void *userdata)
{
	struct world *world = userdata;

	world_enter(world);
	files_destroy(world);
	world_leave(world);
	world_destroy(world);
}

const struct packetdrill_interface interface_functions = {
	.free = do_free,
	.socket = do_socket,
	.bind = do_bind,
	.listen = do_listen,
	.accept = do_accept,
	.connect = do_connect,
	.read = do_read,
	.readv = do_readv,
	.recv = do_recv,
	.recvfrom = do_recvfrom,
	.recvmsg = do_recvmsg,
	.write = do_write,
	.writev = do_writev,
	.send = do_send,
	.sendto = do_sendto,
	.sendmsg = do_sendmsg,
	.fcntl = do_fcntl,
	.ioctl = do_ioctl,
	.close = do_close,
	.shutdown = do_shutdown,
	.getsockopt = do_getsockopt,
	.setsockopt = do_setsockopt,
	.poll = do_poll,
	.netdev_send = do_netdev_send,
	.netdev_receive = do_netdev_receive,
	.usleep = do_usleep,
	.gettimeofday = do_gettimeofday,
	.epoll_create = do_epoll_create,
	.epoll_ctl = do_epoll_ctl,
	.epoll_wait = do_epoll_wait,
	.pipe = do_pipe,
	.splice = do_splice,
};
