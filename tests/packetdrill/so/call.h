/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call of the interface: entered, with its socket, if it is one; and left with a result,
 * -errno turned into -1 and errno.
 */
#ifndef TESTS_PACKETDRILL_SO_CALL_H
#define TESTS_PACKETDRILL_SO_CALL_H

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "tests/packetdrill/so/file.h"
#include "tests/packetdrill/so/sock.h"
#include "tests/packetdrill/so/world.h"

struct call {
	struct world *world;
	struct file *file;
	struct sock *sock;
	uint64_t until_us; /* SOCK_AT_ONCE: it does not block */
};

struct call call_enter(void *userdata, int fd);
ssize_t call_leave(const struct call *c, ssize_t result);

/* It waits no longer than the socket's own time-out; 0: none. */
void call_limit(struct call *c, uint64_t timeout_us);

/* interface_io.c: bytes in and out, of sockets and pipes. */
ssize_t do_read(void *userdata, int fd, void *buf, size_t count);
ssize_t do_readv(void *userdata, int fd, const struct iovec *iov, int count);
ssize_t do_recv(void *userdata, int fd, void *buf, size_t len, int flags);
ssize_t do_recvfrom(void *userdata, int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
		    socklen_t *addr_len);
ssize_t do_recvmsg(void *userdata, int fd, struct msghdr *msg, int flags);
ssize_t do_write(void *userdata, int fd, const void *buf, size_t count);
ssize_t do_writev(void *userdata, int fd, const struct iovec *iov, int count);
ssize_t do_send(void *userdata, int fd, const void *buf, size_t len, int flags);
ssize_t do_sendto(void *userdata, int fd, const void *buf, size_t len, int flags,
		  const struct sockaddr *addr, socklen_t addr_len);
ssize_t do_sendmsg(void *userdata, int fd, const struct msghdr *msg, int flags);
int do_pipe(void *userdata, int fds[2]);
int do_splice(void *userdata, int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t len,
	      unsigned flags);

#endif
