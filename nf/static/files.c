/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/static/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nf/static/open.h"

#define FRESH_US   1000000
#define PATH_BYTES 4096

/* --- the cache -------------------------------------------------------------------------- */

int files_init(struct files *files, struct sluice_nf *nf)
{
	files->nf = nf;
	TAILQ_INIT(&files->round);
	return hash_key_take(&files->key);
}

static struct file **bucket_of(struct files *files, uint64_t hash)
{
	return &files->bucket[hash % FILES_BUCKETS];
}

static void drop(struct files *files, struct file *file)
{
	struct file **at = bucket_of(files, file->hash);

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	TAILQ_REMOVE(&files->round, file, round);
	--files->count;
	files->bytes -= file->body.size;
	if (file->body.buf)
		sluice_buf_unref(file->body.buf);
	free(file);
}

void files_free(struct files *files)
{
	struct file *file;

	while ((file = TAILQ_FIRST(&files->round)))
		drop(files, file);
}

/* One that was not used since the hand came by; false: there is none at all. */
static bool evict(struct files *files)
{
	struct file *file;

	while ((file = TAILQ_FIRST(&files->round)) && file->used) {
		file->used = false;
		TAILQ_REMOVE(&files->round, file, round);
		TAILQ_INSERT_TAIL(&files->round, file, round);
	}
	if (!file)
		return false;
	drop(files, file);
	++*files->counters.evictions;
	return true;
}

static struct file *look_up(struct files *files, const struct static_root *root,
			    struct sluice_str path, uint64_t hash)
{
	struct file *file = *bucket_of(files, hash);

	while (file && (file->hash != hash || file->root != root ||
			!sluice_str_equal((struct sluice_str){file->path, file->path_len}, path)))
		file = file->next;
	return file;
}

/* --- what the system says of a file -------------------------------------------------------- */

static int64_t modified_ns(const struct stat *stat)
{
	return (int64_t)stat->st_mtim.tv_sec * 1000000000 + stat->st_mtim.tv_nsec;
}

/* Two contents with one inode, size and time are one to us, as they are to other servers. */
static void describe(const struct stat *stat, struct static_body *body)
{
	body->size = (uint64_t)stat->st_size;
	body->dated = true;
	body->modified = stat->st_mtim.tv_sec;
	body->modified_ns = modified_ns(stat);
	date_format(body->modified, body->last_modified);
	snprintf(body->etag, sizeof(body->etag), "\"%llx-%llx-%llx\"",
		 (unsigned long long)stat->st_ino, (unsigned long long)stat->st_size,
		 (unsigned long long)modified_ns(stat));
}

static bool is_same(const struct file *file, const struct stat *stat)
{
	return file->device == stat->st_dev && file->inode == stat->st_ino &&
	       file->body.size == (uint64_t)stat->st_size &&
	       file->body.modified_ns == modified_ns(stat);
}

bool files_same(int fd, uint64_t size, int64_t modified)
{
	struct stat stat;

	return !open_stat(fd, &stat) && (uint64_t)stat.st_size == size &&
	       modified_ns(&stat) == modified;
}

static int status_of(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return 403;
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
		return 404;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		return 503;
	default:
		return 500;
	}
}

/* --- loading ---------------------------------------------------------------------------- */

static int read_all(int fd, struct sluice_buf *buf, uint64_t size)
{
	uint64_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, buf->data + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO; /* also: it became shorter meanwhile */
		done += (uint64_t)n;
	}
	return 0;
}

static struct sluice_buf *take_room(struct files *files, uint64_t size)
{
	struct sluice_buf *buf = NULL;

	while (files->bytes + size > files->bytes_max || files->count >= FILES_MAX)
		if (!evict(files))
			return NULL;
	do
		buf = sluice_buf_alloc(files->nf, (uint32_t)size);
	while (!buf && evict(files));
	return buf;
}

static struct file *insert(struct files *files, const struct static_root *root,
			   struct sluice_str path, uint64_t hash, const struct stat *stat)
{
	struct file *file = calloc(1, sizeof(*file) + path.len + 1);
	struct file **bucket = bucket_of(files, hash);

	if (!file)
		return NULL;
	file->hash = hash;
	file->root = root;
	file->path_len = path.len;
	memcpy(file->path, path.ptr, path.len);
	file->type = static_mime_type(file->path);
	file->device = stat->st_dev;
	file->inode = stat->st_ino;
	describe(stat, &file->body);
	file->next = *bucket;
	*bucket = file;
	TAILQ_INSERT_TAIL(&files->round, file, round);
	++files->count;
	files->bytes += file->body.size;
	return file;
}

/* NULL: it cannot be kept, and is sent as large ones are. */
static struct file *load(struct files *files, const struct static_root *root,
			 struct sluice_str path, uint64_t hash, int fd, const struct stat *stat)
{
	uint64_t size = (uint64_t)stat->st_size;
	struct sluice_buf *buf = NULL;
	struct file *file;

	if (size > files->largest || size > files->bytes_max)
		return NULL;
	if (size > 0) {
		buf = take_room(files, size);
		if (!buf)
			return NULL;
	}
	file = size == 0 || !read_all(fd, buf, size) ? insert(files, root, path, hash, stat) : NULL;
	if (file)
		file->body.buf = buf;
	else if (buf)
		sluice_buf_unref(buf);
	if (!file || files_same(fd, file->body.size, file->body.modified_ns))
		return file;
	drop(files, file); /* somebody wrote into it while it was read */
	return NULL;
}

static void give(struct files *files, struct file *file, struct found *out)
{
	file->checked_us = sluice_now_us(files->nf);
	file->lacks = 0;
	out->fresh_us = FRESH_US;
	out->body = &file->body;
	out->type = file->type;
	out->file = file;
}

static void give_open(struct files *files, int fd, const struct stat *stat, const char *path,
		      struct found *out)
{
	++*files->counters.streams;
	describe(stat, &out->own);
	out->body = &out->own;
	out->type = static_mime_type(path);
	out->fd = fd;
}

/* --- finding ------------------------------------------------------------------------------ */

/* It is open: kept as it was, read anew, or left open. */
static void settle(struct files *files, const struct static_root *root, struct sluice_str path,
		   uint64_t hash, int fd, const struct stat *stat, struct found *out)
{
	struct file *file = look_up(files, root, path, hash);

	if (file && !is_same(file, stat)) {
		drop(files, file);
		file = NULL;
	}
	if (file) {
		file->used = true;
	} else {
		file = load(files, root, path, hash, fd, stat);
		*files->counters.loads += file != NULL;
		out->read_bytes = file ? file->body.size : 0;
	}
	if (!file) {
		give_open(files, fd, stat, path.ptr, out);
		return;
	}
	close(fd);
	give(files, file, out);
}

/* Once: what is missing is in the configuration. */
static void tell(struct files *files)
{
	if (!files->told)
		sluice_log(files->nf, SLUICE_LOG_WARN,
			   "files below a root cannot be opened: allow = { read = [ … ]; } must "
			   "name it");
	files->told = true;
}

static uint64_t hash_of(const struct files *files, const struct static_root *root,
			struct sluice_str path)
{
	return hash_bytes(&files->key, path.ptr, path.len) + root->number;
}

static uint64_t age_us(const struct files *files, const struct file *file)
{
	return sluice_now_us(files->nf) - file->checked_us;
}

static bool is_fresh(const struct files *files, const struct file *file)
{
	return age_us(files, file) < FRESH_US;
}

static void give_fresh(struct files *files, struct file *file, struct found *out)
{
	++*files->counters.hits;
	file->used = true;
	out->fresh_us = FRESH_US - age_us(files, file);
	out->body = &file->body;
	out->type = file->type;
	out->file = file;
}

static int find_named(struct files *files, const struct static_root *root, struct sluice_str path,
		      struct found *out)
{
	uint64_t hash = hash_of(files, root, path);
	struct file *file = look_up(files, root, path, hash);
	struct stat stat;
	int fd;

	if (file && is_fresh(files, file)) {
		give_fresh(files, file, out);
		return 0;
	}
	fd = open_below(root->fd, path, root->dotfiles, root->links, &stat);
	if (fd < 0 && file)
		drop(files, file);
	if (fd == -EPERM)
		tell(files);
	if (fd < 0)
		return status_of(fd);
	if (S_ISDIR(stat.st_mode)) {
		close(fd);
		out->directory = true;
		return 0;
	}
	settle(files, root, path, hash, fd, &stat, out);
	return 0;
}

/* --- variants ----------------------------------------------------------------------------- */

/* One that is older than the file was made from another content. */
static bool is_of(const struct static_body *variant, int64_t modified)
{
	return variant->modified >= modified;
}

static bool open_variant(struct files *files, const struct static_root *root,
			 struct sluice_str path, int64_t modified, struct found *out)
{
	struct stat stat;
	int fd = open_below(root->fd, path, root->dotfiles, root->links, &stat);

	if (fd < 0)
		return false;
	if (!S_ISREG(stat.st_mode) || stat.st_mtim.tv_sec < modified) {
		close(fd);
		return false;
	}
	settle(files, root, path, hash_of(files, root, path), fd, &stat, out);
	return true;
}

static bool find_variant(struct files *files, const struct static_root *root,
			 struct sluice_str path, int64_t modified, struct found *out)
{
	struct file *file = look_up(files, root, path, hash_of(files, root, path));

	if (!file || !is_fresh(files, file))
		return open_variant(files, root, path, modified, out);
	if (!is_of(&file->body, modified))
		return false;
	give_fresh(files, file, out);
	return true;
}

/* The file is found: what `n` is of it takes its place, if it is there. */
static bool take_variant(struct files *files, const struct static_root *root,
			 struct sluice_str path, unsigned n, struct found *out)
{
	const struct variant_kind *kind = root->variant[n];
	struct found variant = {.fd = -1, .coding = kind->coding};
	char text[PATH_BYTES];
	int len = snprintf(text, sizeof(text), "%s%s", path.ptr, kind->suffix);
	struct sluice_str name = {text, (uint32_t)len};

	if (len >= (int)sizeof(text) || (out->file && out->file->lacks & 1u << n))
		return false;
	if (!find_variant(files, root, name, out->body->modified, &variant)) {
		if (out->file)
			out->file->lacks |= (uint8_t)(1u << n);
		return false;
	}
	if (out->fd >= 0)
		close(out->fd);
	variant.type = out->type;
	variant.read_bytes += out->read_bytes;
	if (variant.fresh_us > out->fresh_us)
		variant.fresh_us = out->fresh_us;
	*out = variant;
	if (out->fd >= 0)
		out->body = &out->own; /* where it lies now */
	return true;
}

static void choose_variant(struct files *files, const struct static_root *root,
			   struct sluice_str path, struct accept accept, struct found *out)
{
	int n;

	while ((n = accept_best(&accept, root->variants)) >= 0) {
		if (take_variant(files, root, path, (unsigned)n, out))
			return;
		accept.weight[n] = 0;
	}
}

int files_find(struct files *files, const struct static_root *root, struct sluice_str path,
	       const struct accept *accept, struct found *out)
{
	char text[PATH_BYTES];
	bool index = path.len == 0 || path.ptr[path.len - 1] == '/';
	int len = snprintf(text, sizeof(text), "%.*s%s", (int)path.len, path.ptr,
			   index ? root->index : "");
	struct sluice_str name = {text, (uint32_t)len};
	int status;

	*out = (struct found){.fd = -1};
	if (memchr(path.ptr, '\0', path.len) || len >= (int)sizeof(text))
		return 404;
	status = find_named(files, root, name, out);
	if (!status && out->directory && index)
		return 404; /* the index is a directory, or is called nothing */
	if (!status && !out->directory)
		choose_variant(files, root, name, *accept, out);
	return status;
}
