/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What packetdrill asks of a network stack that is a shared object: the binary interface
 * behind its option --so_filename, in our own words. The order of the members and their
 * types are the contract; none may be added, dropped or moved.
 *
 * The object exports packetdrill_interface_init, which fills the structure. Each function
 * is given `userdata` first, then the arguments of the libc function of its name, and
 * answers as that does: -1 and errno when it fails. What differs:
 *
 *  - netdev_send hands the stack one IP packet, without a link header;
 *  - netdev_receive takes the next packet that the stack sent. `count` is the room in
 *    bytes, then the length; `time_usecs` is when it was sent. When there is none:
 *    0 with a length of 0, or -1, after which packetdrill asks again;
 *  - usleep and gettimeofday are the stack's clock, not the machine's.
 *
 * Both sides include this header: the library in so/ and the player in play/.
 */
#ifndef TESTS_PACKETDRILL_PACKETDRILL_H
#define TESTS_PACKETDRILL_PACKETDRILL_H

#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct packetdrill_interface {
	void *userdata;
	void (*free)(void *userdata);
	int (*socket)(void *userdata, int domain, int type, int protocol);
	int (*bind)(void *userdata, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(void *userdata, int fd, int backlog);
	int (*accept)(void *userdata, int fd, struct sockaddr *addr, socklen_t *len);
	int (*connect)(void *userdata, int fd, const struct sockaddr *addr, socklen_t len);
	ssize_t (*read)(void *userdata, int fd, void *buf, size_t count);
	ssize_t (*readv)(void *userdata, int fd, const struct iovec *iov, int count);
	ssize_t (*recv)(void *userdata, int fd, void *buf, size_t len, int flags);
	ssize_t (*recvfrom)(void *userdata, int fd, void *buf, size_t len, int flags,
			    struct sockaddr *addr, socklen_t *addr_len);
	ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *userdata, int fd, const void *buf, size_t count);
	ssize_t (*writev)(void *userdata, int fd, const struct iovec *iov, int count);
	ssize_t (*send)(void *userdata, int fd, const void *buf, size_t len, int flags);
	ssize_t (*sendto)(void *userdata, int fd, const void *buf, size_t len, int flags,
			  const struct sockaddr *addr, socklen_t addr_len);
	ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *userdata, int fd, int command, ...);
	int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
	int (*close)(void *userdata, int fd);
	int (*shutdown)(void *userdata, int fd, int how);
	int (*getsockopt)(void *userdata, int fd, int level, int name, void *value, socklen_t *len);
	int (*setsockopt)(void *userdata, int fd, int level, int name, const void *value,
			  socklen_t len);
	int (*poll)(void *userdata, struct pollfd *fds, nfds_t count, int timeout_ms);
	int (*netdev_send)(void *userdata, const void *packet, size_t count);
	int (*netdev_receive)(void *userdata, void *packet, size_t *count, long long *time_usecs);
	int (*usleep)(void *userdata, useconds_t usec);
	int (*gettimeofday)(void *userdata, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *userdata, int size);
	int (*epoll_ctl)(void *userdata, int epfd, int op, int fd, struct epoll_event *event);
	int (*epoll_wait)(void *userdata, int epfd, struct epoll_event *events, int most,
			  int timeout_ms);
	int (*pipe)(void *userdata, int fds[2]);
	int (*splice)(void *userdata, int fd_in, loff_t *off_in, int fd_out, loff_t *off_out,
		      size_t len, unsigned flags);
};

typedef void (*packetdrill_interface_init_fn)(const char *flags,
					      struct packetdrill_interface *interface);

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface);

#endif
