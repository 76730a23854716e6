/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A representation: what is sent, whole or in part.
 */
#ifndef NF_STATIC_BODY_H
#define NF_STATIC_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/date.h"

#define STATIC_ETAG_BYTES 56

struct static_body {
	struct sluice_buf *buf; /* NULL when size is 0, or when it is read while it is sent */
	uint64_t size;
	char etag[STATIC_ETAG_BYTES]; /* with its quotes; "": none */
	bool dated;
	int64_t modified;    /* Unix seconds, when it is dated */
	int64_t modified_ns; /* of a file below a root */
	char last_modified[DATE_BYTES];
};

struct static_part {
	uint64_t off, len;
};

/* The media type of a file by the end of its name. */
const char *static_mime_type(const char *path);

#endif
