/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Content codings as streams: gzip (RFC 1952), br (RFC 7932), zstd (RFC 8878). One file for each.
 *
 * A stream takes bytes and gives bytes; what it gives is only then all that it has taken when it
 * was told to flush. Its memory is bounded by the coding's window, which `open` is told of.
 */
#ifndef NF_COMPRESS_CODING_H
#define NF_COMPRESS_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coding_how { CODING_MORE, CODING_FLUSH, CODING_END };

/* What is to be taken and given; both move on. */
struct coding_io {
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
};

struct coding {
	const char *name; /* as Content-Encoding has it */
	int level_min, level_max, level_default;
	/* NULL: no memory. */
	void *(*open)(int level, unsigned window_bits);
	/* Takes and gives what it can. 1: `how` is done: all is taken, and all is given that it
	 * wants. 0: call again with more room. -1: it failed. */
	int (*run)(void *stream, enum coding_how how, struct coding_io *io);
	void (*close)(void *stream); /* NULL: nothing happens */
};

extern const struct coding coding_gzip, coding_br, coding_zstd;

#endif
