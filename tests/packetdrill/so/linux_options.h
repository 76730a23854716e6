/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * getsockopt, setsockopt, and ioctl's questions, as Linux has them. 0 or -errno.
 * What a script may set without effect on what it checks is accepted and ignored.
 */
#ifndef TESTS_PACKETDRILL_SO_LINUX_OPTIONS_H
#define TESTS_PACKETDRILL_SO_LINUX_OPTIONS_H

#include <sys/socket.h>

struct sock;

int linux_option_set(struct sock *sock, int level, int name, const void *value, socklen_t len);
int linux_option_get(struct sock *sock, int level, int name, void *value, socklen_t *len);
int linux_ioctl(const struct sock *sock, unsigned long request, int *value);

#endif
