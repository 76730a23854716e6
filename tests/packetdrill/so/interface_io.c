/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes in and out: the calls that move them.
 */
#include <errno.h>
#include <fcntl.h>
#include <rte_common.h>

#include "tests/packetdrill/so/call.h"
#include "tests/packetdrill/so/linux_addr.h"
#include "tests/packetdrill/so/linux_control.h"
#include "tests/packetdrill/so/pipe.h"

/* ---- reading ---- */

static ssize_t recv_vector(struct call *c, const struct iovec *iov, size_t count, int flags)
{
	unsigned how = 0;
	ssize_t done = 0, n;

	if (flags & MSG_DONTWAIT)
		c->until_us = SOCK_AT_ONCE;
	if (flags & MSG_ERRQUEUE)
		return -EAGAIN; /* what is there only recvmsg can tell */
	if (flags & MSG_OOB)
		return -EINVAL; /* urgent data is in line: RFC 6093 */
	call_limit(c, c->sock->options.recv_timeout_us);
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

ssize_t do_recvmsg(void *userdata, int fd, struct msghdr *msg, int flags)
{
	struct call c = call_enter(userdata, fd);
	ssize_t n;

	if (c.sock && flags & MSG_ERRQUEUE)
		return call_leave(&c, linux_control_note(c.sock, msg));
	n = c.sock ? recv_vector(&c, msg->msg_iov, msg->msg_iovlen, flags) : -EBADF;
	msg->msg_flags = 0;
	msg->msg_namelen = 0; /* a stream's is not told */
	if (n >= 0)
		linux_control_out(c.sock, msg);
	return call_leave(&c, n);
}

ssize_t do_readv(void *userdata, int fd, const struct iovec *iov, int count)
{
	struct call c = call_enter(userdata, fd);

	return call_leave(&c, c.sock ? recv_vector(&c, iov, (size_t)count, 0) : -EBADF);
}

ssize_t do_recv(void *userdata, int fd, void *buf, size_t len, int flags)
{
	struct call c = call_enter(userdata, fd);
	const struct iovec iov = {buf, len};

	return call_leave(&c, c.sock ? recv_vector(&c, &iov, 1, flags) : -EBADF);
}

ssize_t do_read(void *userdata, int fd, void *buf, size_t count)
{
	struct call c = call_enter(userdata, fd);
	const struct iovec iov = {buf, count};

	if (c.file && c.file->pipe)
		return call_leave(&c, pipe_read(c.file->pipe, buf, count));
	return call_leave(&c, c.sock ? recv_vector(&c, &iov, 1, 0) : -EBADF);
}

ssize_t do_recvfrom(void *userdata, int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
		    socklen_t *addr_len)
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
	call_limit(c, c->sock->options.send_timeout_us);
	for (size_t i = 0; i < count; i++) {
		bool more = flags & MSG_MORE || i + 1 < count;
		ssize_t n = sock_send(c->sock, iov[i].iov_base, iov[i].iov_len, more, c->until_us);

		if (n < 0)
			return done ? done : n;
		done += n;
		if ((size_t)n < iov[i].iov_len)
			break;
	}
	if (done && flags & MSG_EOR)
		sock_record_end(c->sock);
	if (done && flags & MSG_ZEROCOPY && c->sock->options.tell_writes)
		sock_note_write(c->sock);
	return done;
}

ssize_t do_sendmsg(void *userdata, int fd, const struct msghdr *msg, int flags)
{
	struct call c = call_enter(userdata, fd);

	return call_leave(&c,
			  c.sock ? send_vector(&c, msg->msg_iov, msg->msg_iovlen, flags) : -EBADF);
}

ssize_t do_writev(void *userdata, int fd, const struct iovec *iov, int count)
{
	struct call c = call_enter(userdata, fd);

	return call_leave(&c, c.sock ? send_vector(&c, iov, (size_t)count, 0) : -EBADF);
}

ssize_t do_send(void *userdata, int fd, const void *buf, size_t len, int flags)
{
	struct call c = call_enter(userdata, fd);
	const struct iovec iov = {(void *)(uintptr_t)buf, len};

	return call_leave(&c, c.sock ? send_vector(&c, &iov, 1, flags) : -EBADF);
}

ssize_t do_write(void *userdata, int fd, const void *buf, size_t count)
{
	struct call c = call_enter(userdata, fd);
	const struct iovec iov = {(void *)(uintptr_t)buf, count};

	if (c.file && c.file->pipe)
		return call_leave(&c, pipe_write(c.file->pipe, buf, count));
	return call_leave(&c, c.sock ? send_vector(&c, &iov, 1, 0) : -EBADF);
}

ssize_t do_sendto(void *userdata, int fd, const void *buf, size_t len, int flags,
		  const struct sockaddr *addr, socklen_t addr_len)
{
	struct call c;
	struct endpoint peer;
	int err;

	/* A connected socket's address is ignored. */
	if (!(flags & MSG_FASTOPEN))
		return do_send(userdata, fd, buf, len, flags);
	c = call_enter(userdata, fd);
	if (c.sock && c.sock->phase != SOCK_NEW && c.sock->phase != SOCK_DEFERRED) {
		world_leave(c.world);
		return do_send(userdata, fd, buf, len, flags & ~MSG_FASTOPEN);
	}
	err = c.sock ? linux_addr_in(addr, addr_len, &peer) : -EBADF;
	if (flags & MSG_DONTWAIT)
		c.until_us = SOCK_AT_ONCE;
	return call_leave(&c, err ? err : sock_connect_fast(c.sock, &peer, buf, len, c.until_us));
}

/* ---- pipes ---- */

int do_pipe(void *userdata, int fds[2])
{
	struct call c = call_enter(userdata, -1);

	return (int)call_leave(&c, file_open_pipe(c.world, fds));
}

static ssize_t splice_in(struct call *c, struct pipe *pipe, uint8_t *buf, size_t len)
{
	const struct iovec iov = {buf, RTE_MIN(len, pipe_room(pipe))};
	ssize_t n = iov.iov_len ? recv_vector(c, &iov, 1, 0) : -EAGAIN;

	return n > 0 ? pipe_write(pipe, buf, (size_t)n) : n;
}

static ssize_t splice_out(struct call *c, struct pipe *pipe, uint8_t *buf, size_t len)
{
	struct iovec iov = {buf, 0};
	ssize_t n;

	/* What is taken out of the pipe must go. */
	if (c->until_us == SOCK_AT_ONCE && c->sock->conn)
		len = RTE_MIN(len, (size_t)sock_send_room(c->sock));
	n = len ? pipe_read(pipe, buf, len) : -EAGAIN;
	if (n <= 0)
		return n;
	iov.iov_len = (size_t)n;
	return send_vector(c, &iov, 1, 0);
}

/* One of the two is a pipe, the other a socket. */
static ssize_t splice_any(struct call *in, int fd_out, size_t len, unsigned flags)
{
	static uint8_t buf[PIPE_BYTES];
	struct file *other = file_of(in->world, fd_out);
	struct call out = {in->world, other, other ? other->sock : NULL, in->until_us};

	if (!in->file || !other)
		return -EBADF;
	if (flags & SPLICE_F_NONBLOCK)
		in->until_us = out.until_us = SOCK_AT_ONCE;
	if (in->sock && other->pipe)
		return splice_in(in, other->pipe, buf, RTE_MIN(len, sizeof(buf)));
	if (in->file->pipe && out.sock)
		return splice_out(&out, in->file->pipe, buf, RTE_MIN(len, sizeof(buf)));
	return -EINVAL;
}

int do_splice(void *userdata, int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t len,
	      unsigned flags)
{
	struct call c = call_enter(userdata, fd_in);

	if (off_in || off_out)
		return (int)call_leave(&c, -ESPIPE);
	return (int)call_leave(&c, splice_any(&c, fd_out, len, flags));
}
