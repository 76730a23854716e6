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
#include "tests/packetdrill/so/call.h"
#include "tests/packetdrill/so/linux_addr.h"
#include "tests/packetdrill/so/linux_options.h"
#include "tests/packetdrill/so/poll.h"

#define TICK_US 1 /* what it takes to look at the clock */

/* ---- opening and closing ---- */

static int open_socket(struct world *world, int domain, int type)
{
	struct sock *sock = sock_new(world);
	int fd;

	if (!sock)
		return -ENOMEM;
	sock->is_ip6 = domain == AF_INET6;
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
	struct call c = call_enter(userdata, -1);
	bool is_tcp = (type & 15) == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP);

	if (linux_addr_family(domain) == ADDR_NONE)
		return (int)call_leave(&c, -EAFNOSUPPORT);
	return (int)call_leave(&c, is_tcp ? open_socket(c.world, domain, type) : -EPROTONOSUPPORT);
}

static int do_bind(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call c = call_enter(userdata, fd);
	struct endpoint local;
	int err = c.sock ? linux_addr_in(addr, len, &local) : -EBADF;

	if (!err && !addr_is_any(&local.addr))
		world_adopt(c.world, &local.addr);
	return (int)call_leave(&c, err ? err : sock_bind(c.sock, &local));
}

static int do_listen(void *userdata, int fd, int backlog)
{
	struct call c = call_enter(userdata, fd);

	(void)backlog;
	return (int)call_leave(&c, c.sock ? sock_listen(c.sock) : -EBADF);
}

static int accept_one(struct call *c, struct sockaddr *addr, socklen_t *len)
{
	struct sock *sock;
	int fd;

	call_limit(c, c->sock->options.recv_timeout_us);
	fd = sock_accept(c->sock, c->until_us, &sock);
	if (fd)
		return fd;
	fd = file_open_sock(c->world, sock);
	if (fd < 0)
		sock_close(sock);
	else
		linux_addr_out(&sock->peer, sock->is_ip6, addr, len);
	return fd;
}

static int do_accept(void *userdata, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct call c = call_enter(userdata, fd);

	return (int)call_leave(&c, c.sock ? accept_one(&c, addr, len) : -EBADF);
}

static int do_connect(void *userdata, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call c = call_enter(userdata, fd);
	struct endpoint peer;
	int err = c.sock ? linux_addr_in(addr, len, &peer) : -EBADF;

	return (int)call_leave(&c, err ? err : sock_connect(c.sock, &peer, c.until_us));
}

static int do_close(void *userdata, int fd)
{
	struct call c = call_enter(userdata, fd);

	return (int)call_leave(&c, file_close(c.world, fd));
}

static int do_shutdown(void *userdata, int fd, int how)
{
	struct call c = call_enter(userdata, fd);

	if (!c.sock)
		return (int)call_leave(&c, -EBADF);
	return (int)call_leave(&c, sock_shutdown(c.sock, how != SHUT_WR, how != SHUT_RD));
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
	struct call c = call_enter(userdata, fd);
	va_list ap;
	int arg;

	va_start(ap, command);
	arg = command == F_SETFL ? va_arg(ap, int) : 0;
	va_end(ap);
	return (int)call_leave(&c, c.file ? change_file(c.file, command, arg) : -EBADF);
}

static int do_ioctl(void *userdata, int fd, unsigned long request, ...)
{
	struct call c = call_enter(userdata, fd);
	va_list ap;
	int *value;

	va_start(ap, request);
	value = va_arg(ap, int *);
	va_end(ap);
	return (int)call_leave(&c, c.sock ? linux_ioctl(c.sock, request, value) : -EBADF);
}

static int do_getsockopt(void *userdata, int fd, int level, int name, void *value, socklen_t *len)
{
	struct call c = call_enter(userdata, fd);

	return (int)call_leave(&c,
			       c.sock ? linux_option_get(c.sock, level, name, value, len) : -EBADF);
}

static int do_setsockopt(void *userdata, int fd, int level, int name, const void *value,
			 socklen_t len)
{
	struct call c = call_enter(userdata, fd);

	int err = c.sock ? linux_option_set(c.sock, level, name, value, len) : -EBADF;

	world_turn(c.world);
	return (int)call_leave(&c, err);
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
	struct call c = call_enter(userdata, -1);

	return (int)call_leave(&c, poll_wait(c.world, fds, count, until(c.world, timeout_ms)));
}

static int do_epoll_create(void *userdata, int size)
{
	struct call c = call_enter(userdata, -1);

	(void)size;
	return (int)call_leave(&c, file_open_epoll(c.world));
}

static int do_epoll_ctl(void *userdata, int epfd, int op, int fd, struct epoll_event *event)
{
	struct call c = call_enter(userdata, -1);

	return (int)call_leave(&c, epoll_change(c.world, epfd, op, fd, event));
}

static int do_epoll_wait(void *userdata, int epfd, struct epoll_event *events, int most,
			 int timeout_ms)
{
	struct call c = call_enter(userdata, -1);

	return (int)call_leave(
		&c, epoll_collect(c.world, epfd, events, most, until(c.world, timeout_ms)));
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
	struct call c = call_enter(userdata, -1);

	return (int)call_leave(&c, packet_in(c.world, packet, count));
}

/* Time runs to the next packet. A length of 0 when the stack will never send one. */
static int do_netdev_receive(void *userdata, void *packet, size_t *count, long long *time_usecs)
{
	struct call c = call_enter(userdata, -1);
	uint64_t sent_us = c.world->now_us, give_up_us = sent_us + WORLD_PATIENCE_US;

	while (!c.world->wire.first && world_next_us(c.world) <= give_up_us)
		world_advance(c.world, world_next_us(c.world));
	*count = wire_take(&c.world->wire, packet, *count, &sent_us);
	*time_usecs = (long long)sent_us;
	return (int)call_leave(&c, 0);
}

static int do_usleep(void *userdata, useconds_t usec)
{
	struct call c = call_enter(userdata, -1);

	world_advance(c.world, c.world->now_us + usec);
	return (int)call_leave(&c, 0);
}

static int do_gettimeofday(void *userdata, struct timeval *tv, struct timezone *tz)
{
	struct call c = call_enter(userdata, -1);

	(void)tz;
	tv->tv_sec = (time_t)(c.world->now_us / 1000000);
	tv->tv_usec = (suseconds_t)(c.world->now_us % 1000000);
	if (pthread_equal(c.world->driver, pthread_self()))
		world_advance(c.world, c.world->now_us + TICK_US);
	return (int)call_leave(&c, 0);
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
