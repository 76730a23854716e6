/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The listening socket and its file: one daemon for each path.
 *
 * Private to mgmt/ctl.
 */
#ifndef MGMT_CTL_SOCKET_H
#define MGMT_CTL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

struct ctl_socket {
	int fd; /* -1: not open */
	dev_t device;
	ino_t inode;   /* of the file we made: another daemon's is not removed */
	bool made_dir; /* and the folder it is in */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* 0, or -errno with a sentence in `error`; then it is closed. */
int ctl_socket_open(struct ctl_socket *sock, const char *run_dir, char *error, size_t error_size)
	__attribute__((warn_unused_result));
void ctl_socket_close(struct ctl_socket *sock);

#endif
