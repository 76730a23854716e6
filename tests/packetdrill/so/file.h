/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * File descriptors of a world: sockets, epoll sets and the ends of pipes. Numbers are the lowest
 * free, from FILE_FIRST on, as a process that has just started would be given them.
 */
#ifndef TESTS_PACKETDRILL_SO_FILE_H
#define TESTS_PACKETDRILL_SO_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define FILE_FIRST   3
#define FILE_MOST    256
#define FILE_WATCHES 32

struct pipe;
struct sock;
struct world;

struct file_watch {
	int fd; /* 0: free */
	struct epoll_event event;
	bool told;                  /* what was there when it was watched */
	unsigned news_in, news_out; /* of the socket, when it was told last */
};

struct file {
	struct sock *sock; /* or: */
	struct file_watch *watches;
	struct pipe *pipe;
	bool nonblock, is_write_end;
};

/* The table of a world; 0, -ENOMEM. */
int files_create(struct world *world) __attribute__((warn_unused_result));

/* Closes what is open. */
void files_destroy(struct world *world);

/* -EMFILE. Takes over the socket. */
int file_open_sock(struct world *world, struct sock *sock);
int file_open_epoll(struct world *world);
int file_open_pipe(struct world *world, int fds[2]);
int file_close(struct world *world, int fd);

/* NULL: not open. */
struct file *file_of(const struct world *world, int fd);
struct sock *file_sock(const struct world *world, int fd);

/* sock_time.c's functions for every socket that is open. */
void files_spend(struct world *world, uint64_t us);
uint64_t files_due_us(const struct world *world);
void files_tend(struct world *world);

#endif
