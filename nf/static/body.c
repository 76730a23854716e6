/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/static/static.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int alloc(struct sluice_nf *nf, const struct sluice_conf *where, uint32_t size,
		 struct static_body *out)
{
	out->size = size;
	if (size == 0)
		return 0;
	out->buf = sluice_buf_alloc(nf, size);
	if (out->buf)
		return 0;
	return sluice_conf_error(where,
				 "a body of %u bytes finds no room in the arena (%llu bytes)", size,
				 (unsigned long long)sluice_arena_bytes(nf));
}

/* A strong validator: 64-bit FNV-1a of the bytes, and their number. */
static void set_etag(struct static_body *body)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (uint64_t i = 0; i < body->size; ++i)
		hash = (hash ^ body->buf->data[i]) * UINT64_C(0x100000001b3);
	snprintf(body->etag, sizeof(body->etag), "\"%016llx-%llx\"", (unsigned long long)hash,
		 (unsigned long long)body->size);
}

int static_body_text(struct sluice_nf *nf, const struct sluice_conf *where, const char *text,
		     struct static_body *out)
{
	size_t len = strlen(text);
	int err = alloc(nf, where, (uint32_t)len, out);

	if (err)
		return err;
	if (len > 0)
		memcpy(out->buf->data, text, len);
	set_etag(out);
	return 0;
}

int static_body_generate(struct sluice_nf *nf, const struct sluice_conf *where, uint32_t size,
			 struct static_body *out)
{
	int err = alloc(nf, where, size, out);

	for (uint32_t i = 0; !err && i < size; ++i)
		out->buf->data[i] = (uint8_t)('a' + i % 26);
	return err;
}

static int read_all(int fd, struct static_body *body)
{
	uint64_t done = 0;

	while (done < body->size) {
		ssize_t n = read(fd, body->buf->data + done, body->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* it became shorter meanwhile */
		done += (uint64_t)n;
	}
	return 0;
}

static int load(struct sluice_nf *nf, const struct sluice_conf *where, const char *path, int fd,
		struct static_body *out)
{
	struct stat stat;
	int err;

	if (fstat(fd, &stat))
		return sluice_conf_error(where, "%s: %s", path, strerror(errno));
	if (!S_ISREG(stat.st_mode))
		return sluice_conf_error(where, "%s: not a regular file", path);
	if (stat.st_size > UINT32_MAX)
		return sluice_conf_error(where, "%s: files from 4 GiB on are not served", path);
	err = alloc(nf, where, (uint32_t)stat.st_size, out);
	if (err)
		return err;
	err = read_all(fd, out);
	if (err)
		return sluice_conf_error(where, "%s: %s", path, strerror(-err));
	out->dated = true;
	out->modified = stat.st_mtim.tv_sec;
	date_format(out->modified, out->last_modified);
	set_etag(out);
	return 0;
}

int static_body_file(struct sluice_nf *nf, const struct sluice_conf *where, const char *path,
		     struct static_body *out)
{
	/* What is no file (a pipe) must not make us wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err;

	if (fd < 0)
		return sluice_conf_error(where, "%s: %s", path, strerror(errno));
	err = load(nf, where, path, fd, out);
	close(fd);
	return err;
}

void static_body_free(struct static_body *body)
{
	if (body->buf)
		sluice_buf_unref(body->buf);
	body->buf = NULL;
}
