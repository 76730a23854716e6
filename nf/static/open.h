/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening what lies below a directory, and nothing else. Any thread.
 */
#ifndef NF_STATIC_OPEN_H
#define NF_STATIC_OPEN_H

#include <stdbool.h>
#include <sys/stat.h>

#include <sluice/nf.h>

/* "a/b.txt" below `root`: a descriptor to read, or -errno. -EACCES also for what begins with a dot,
 * unless `dotfiles`; -ELOOP for a link, unless `links`. `stat` is what it is; neither a file nor a
 * directory is -EACCES. "" is the root itself. */
int open_below(int root, struct sluice_str path, bool dotfiles, bool links, struct stat *stat)
	__attribute__((warn_unused_result));

/* 0 or -errno. */
int open_stat(int fd, struct stat *stat) __attribute__((warn_unused_result));

#endif
