/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compress: gives bodies of responses a content coding that the client likes. README.md is its
 * manual.
 *
 * config.c reads the configuration; head.c looks at heads and changes
 * them; gzip.c, br.c and zstd.c are the codings; compress.c streams bodies through them. Everything
 * belongs to one instance and its thread.
 */
#ifndef NF_COMPRESS_COMPRESS_H
#define NF_COMPRESS_COMPRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sluice/nf.h>

#include "coding.h"
#include "nf/common/path.h"
#include "nf/common/pool.h"
#include "nf/common/request_rule.h"

#define COMPRESS_CODINGS 3
#define COMPRESS_SCRATCH 32768

struct compress_counters {
	uint64_t *responses, *compressed, *busy, *failed, *bytes_in, *bytes_out;
};

enum compress_flush { FLUSH_AUTO, FLUSH_ALWAYS, FLUSH_NEVER };

struct compress_context;
LIST_HEAD(compress_list, compress_context);

struct compress {
	struct pool pool;
	struct patterns *patterns;
	const struct coding *coding[COMPRESS_CODINGS]; /* in our order */
	const char *name[COMPRESS_CODINGS];
	int level[COMPRESS_CODINGS];
	unsigned codings;
	unsigned window_bits;
	struct sluice_str *types; /* "text/html", or with "*" at its end */
	unsigned types_count;
	uint32_t min_bytes, max_streams;
	enum compress_flush flush;
	struct request_rules skip;
	struct compress_list open; /* streams */
	uint32_t streams;          /* of them */
	struct compress_counters counters;
	struct path_room path_room;
	uint8_t scratch[COMPRESS_SCRATCH];
};

struct compress_context {
	LIST_ENTRY(compress_context) link; /* with a stream */
	const struct coding *coding;
	void *stream;   /* NULL: none */
	int8_t best;    /* place of the coding; -1: none */
	bool asks_weak; /* If-None-Match names a weak tag */
	bool flushes;
};

/* Fills a zeroed `compress`. Errors are recorded; what was read so far is freed by the caller. */
int compress_read(struct compress *compress, struct sluice_nf *nf, const struct sluice_conf *config)
	__attribute__((warn_unused_result));

/* Of a request. False: nothing is to be done for it. */
bool compress_request(struct compress *compress, const struct sluice_exchange *x,
		      struct compress_context *context);

/* A response of which there are several forms. */
bool compress_eligible(const struct compress *compress, const struct sluice_exchange *x);
/* The response is made one of these. 0 or -errno. */
int compress_vary(struct sluice_exchange *x);
int compress_edit(struct sluice_exchange *x, const char *coding);
int compress_weaken(struct sluice_exchange *x);

#endif
