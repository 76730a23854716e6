/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * poll and epoll. Counts, or -errno. `until_us` as in sock.h.
 */
#ifndef TESTS_PACKETDRILL_SO_POLL_H
#define TESTS_PACKETDRILL_SO_POLL_H

#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>

struct world;

int poll_wait(struct world *world, struct pollfd *fds, nfds_t count, uint64_t until_us);
int epoll_change(struct world *world, int epfd, int op, int fd, const struct epoll_event *event);
int epoll_collect(struct world *world, int epfd, struct epoll_event *events, int most,
		  uint64_t until_us);

#endif
