/* SPDX-License-Identifier: BSD-3-Clause */
/* The static function with a file on the disk. */
#ifndef TESTS_UNIT_NF_STATIC_STATIC_TEST_H
#define TESTS_UNIT_NF_STATIC_STATIC_TEST_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/nf/common/plugin.h"

#define FILE_MODIFIED      784111777
#define FILE_LAST_MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"

/* A file with this content, last modified at FILE_MODIFIED. Its name replaces the XXXXXX of `path`.
 */
static inline void file_make(char *path, const char *suffix, const void *content, size_t len)
{
	struct timespec times[2] = {{.tv_sec = FILE_MODIFIED}, {.tv_sec = FILE_MODIFIED}};
	int fd = mkstemps(path, (int)strlen(suffix));

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, len), (ssize_t)len);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static inline struct harness_exchange *get(struct harness *h, const char *target)
{
	return harness_request(h, "GET", target, HARNESS_FIELDS({"Host", "a.example"}));
}

#endif
