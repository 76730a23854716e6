/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files below a root: found without leaving it, and kept in the arena while they are wanted.
 *
 * A name is walked piece by piece from the root's descriptor, and no piece is a link (unless the
 * root allows links) or "..": what is outside cannot be named. A file of up to `largest` bytes is
 * read whole, once, and sent from the arena to everybody; it is asked for its time, size and inode
 * again at most once a second. When room is short the hand of a clock goes round and takes what
 * was not used since it came by last. Larger files are opened for each answer.
 *
 * Ownership: the cache belongs to one instance and its thread. What files_find returns is valid
 * until the next call; buffers that are being sent stay until they are acknowledged, evicted or
 * not.
 */
#ifndef NF_STATIC_FILES_H
#define NF_STATIC_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sluice/nf.h>

#include "nf/common/accept.h"
#include "nf/common/hash.h"
#include "nf/static/body.h"

/* Contents that lie beside a file, coded: FILE.br, FILE.zst, FILE.gz. */
struct variant_kind {
	const char *coding, *suffix;
};
#define VARIANTS_MAX 3

struct static_root {
	int fd;          /* of the directory; -1: none */
	unsigned number; /* of the root, for the cache's key */
	const char *index;
	bool dotfiles, links;
	const struct variant_kind *variant[VARIANTS_MAX]; /* those to look for, in our order */
	unsigned variants;
};

#define FILES_BUCKETS 4096
#define FILES_MAX     4096

struct file {
	struct file *next; /* of its bucket */
	TAILQ_ENTRY(file) round;
	uint64_t hash;
	const struct static_root *root;
	bool used;
	uint64_t checked_us;
	uint64_t device, inode;
	struct static_body body;
	const char *type;
	uint8_t lacks; /* bit n: variant n was not there when it was checked */
	uint32_t path_len;
	char path[];
};

struct files_counters {
	uint64_t *hits, *loads, *evictions, *streams, *broken;
};

struct files {
	struct sluice_nf *nf;
	struct hash_key key;
	struct file *bucket[FILES_BUCKETS];
	TAILQ_HEAD(file_round, file) round; /* the hand stands at the first */
	unsigned count;
	uint64_t bytes, bytes_max;
	uint32_t largest;
	bool told;
	struct files_counters counters;
};

/* 0 or -errno. */
int files_init(struct files *files, struct sluice_nf *nf) __attribute__((warn_unused_result));
void files_free(struct files *files);

/* What a name leads to. */
struct found {
	const struct static_body *body; /* without `buf` when it is to be read from `fd` */
	const char *type;
	const char *coding;     /* NULL: none */
	struct file *file;      /* that is kept; NULL: none */
	int fd;                 /* the caller's to close; -1: the body is in the arena */
	bool directory;         /* its name lacks the slash at the end */
	struct static_body own; /* where `body` points for a large file */
	uint64_t read_bytes;    /* so much was read just now */
	uint64_t fresh_us; /* of what lies in the arena: so long the system is not asked again */
};

/* `path` is decoded, relative to the root, without a slash in front. `accept`: what the client
 * likes of the root's variants. 0, or the status that says why not: 403, 404, 500, 503. */
int files_find(struct files *files, const struct static_root *root, struct sluice_str path,
	       const struct accept *accept, struct found *out) __attribute__((warn_unused_result));

/* Nobody has written into the file since it was this. */
bool files_same(int fd, uint64_t size, int64_t modified_ns);

#endif
