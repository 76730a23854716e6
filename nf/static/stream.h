/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an exchange waits for: a turn of the loop in which files may still be read, or the next
 * piece of a file. Belongs to the instance and its thread.
 */
#ifndef NF_STATIC_STREAM_H
#define NF_STATIC_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sluice/nf.h>

#include "nf/static/body.h"

struct static_nf;

enum visit_state { VISIT_IDLE, VISIT_WAITING, VISIT_SENDING };

/* The ctx of an exchange. */
struct visit {
	TAILQ_ENTRY(visit) line;
	struct sluice_exchange *x;
	enum visit_state state;
	int fd;
	uint64_t size; /* of the file, as long as nobody writes into it */
	int64_t modified_ns;
	uint64_t next, end;     /* in the file */
	struct sluice_buf *buf; /* a piece that is not sent yet */
	uint32_t filled;
};
TAILQ_HEAD(visit_line, visit);

int stream_init(struct static_nf *self) __attribute__((warn_unused_result));
void stream_free(struct static_nf *self);

/* This turn of the loop has not read too much yet; it read so much. */
bool stream_may_read(struct static_nf *self);
void stream_did_read(struct static_nf *self, uint64_t bytes);

/* The request is served by static_serve in a later turn. */
enum sluice_verdict stream_wait(struct static_nf *self, struct sluice_exchange *x);

/* Sends that part of the file that `body` tells of, from the next turn on; `fd` is closed in the
 * end. */
void stream_start(struct static_nf *self, struct sluice_exchange *x, int fd,
		  const struct static_body *body, const struct static_part *part);

/* For `writable` and `done`. */
void stream_advance_all(struct static_nf *self);
void stream_done(struct sluice_exchange *x, bool reset);

#endif
