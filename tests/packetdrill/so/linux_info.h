/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP_INFO: Linux's structure, filled as far as the stack knows.
 */
#ifndef TESTS_PACKETDRILL_SO_LINUX_INFO_H
#define TESTS_PACKETDRILL_SO_LINUX_INFO_H

#include <sys/socket.h>

struct sock_info;

/* As much of it as there is room for; `len` becomes what was written. */
void linux_info_out(const struct sock_info *info, void *value, socklen_t *len);

#endif
