/* SPDX-License-Identifier: BSD-3-Clause */
#include <zstd.h>

#include "coding.h"

static void *zstd_open(int level, unsigned window_bits)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();

	if (!ctx)
		return NULL;
	if (!ZSTD_isError(ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, (int)window_bits)))
		return ctx;
	ZSTD_freeCCtx(ctx);
	return NULL;
}

static int zstd_run(void *state, enum coding_how how, struct coding_io *io)
{
	static const ZSTD_EndDirective directive[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
	ZSTD_inBuffer in = {io->in, io->in_left, 0};
	ZSTD_outBuffer out = {io->out, io->out_left, 0};
	size_t left = ZSTD_compressStream2(state, &out, &in, directive[how]);

	if (ZSTD_isError(left))
		return -1;
	io->in += in.pos;
	io->in_left -= in.pos;
	io->out += out.pos;
	io->out_left -= out.pos;
	return io->in_left == 0 && (how == CODING_MORE ? io->out_left > 0 : left == 0);
}

static void zstd_close(void *state)
{
	ZSTD_freeCCtx(state);
}

const struct coding coding_zstd = {"zstd", 1, 9, 3, zstd_open, zstd_run, zstd_close};
