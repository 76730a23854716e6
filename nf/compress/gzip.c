/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <zlib.h>

#include "coding.h"

#define GZIP_WRAPPER 16 /* added to the window: with gzip's head and end */
#define MEMORY_LEVEL 8

static void *gzip_open(int level, unsigned window_bits)
{
	z_stream *stream = calloc(1, sizeof(*stream));
	int bits = (int)(window_bits > 15 ? 15 : window_bits < 9 ? 9 : window_bits);

	if (stream && deflateInit2(stream, level, Z_DEFLATED, bits + GZIP_WRAPPER, MEMORY_LEVEL,
				   Z_DEFAULT_STRATEGY) == Z_OK)
		return stream;
	free(stream);
	return NULL;
}

static int gzip_run(void *state, enum coding_how how, struct coding_io *io)
{
	static const int flush[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
	z_stream *stream = state;
	int rc;

	stream->next_in = (Bytef *)(uintptr_t)io->in;
	stream->avail_in = (uInt)io->in_left;
	stream->next_out = io->out;
	stream->avail_out = (uInt)io->out_left;
	rc = deflate(stream, flush[how]);
	io->in = stream->next_in;
	io->in_left = stream->avail_in;
	io->out = stream->next_out;
	io->out_left = stream->avail_out;
	if (rc == Z_STREAM_ERROR)
		return -1;
	if (how == CODING_END)
		return rc == Z_STREAM_END;
	return io->in_left == 0 && io->out_left > 0;
}

static void gzip_close(void *state)
{
	if (!state)
		return;
	deflateEnd(state);
	free(state);
}

const struct coding coding_gzip = {"gzip", 1, 9, 5, gzip_open, gzip_run, gzip_close};
