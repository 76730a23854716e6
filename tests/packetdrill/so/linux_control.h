/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What recvmsg tells beside the bytes.
 */
#ifndef TESTS_PACKETDRILL_SO_LINUX_CONTROL_H
#define TESTS_PACKETDRILL_SO_LINUX_CONTROL_H

#include <sys/socket.h>

struct sock;

/* Fills msg_control, whose room msg_controllen is; MSG_CTRUNC in msg_flags when it is too small. */
void linux_control_out(const struct sock *sock, struct msghdr *msg);

/* The same for MSG_ERRQUEUE: what writes are done. 0, or -EAGAIN when none is to be told of. */
int linux_control_note(struct sock *sock, struct msghdr *msg);

#endif
