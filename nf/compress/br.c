/* SPDX-License-Identifier: BSD-3-Clause */
#include <brotli/encode.h>

#include "coding.h"

static void *br_open(int level, unsigned window_bits)
{
	BrotliEncoderState *state = BrotliEncoderCreateInstance(NULL, NULL, NULL);

	if (!state)
		return NULL;
	if (BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, (uint32_t)level) &&
	    BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, window_bits))
		return state;
	BrotliEncoderDestroyInstance(state);
	return NULL;
}

static int br_run(void *state, enum coding_how how, struct coding_io *io)
{
	static const BrotliEncoderOperation operation[] = {
		BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH};

	if (!BrotliEncoderCompressStream(state, operation[how], &io->in_left, &io->in,
					 &io->out_left, &io->out, NULL))
		return -1;
	if (io->in_left > 0 || BrotliEncoderHasMoreOutput(state))
		return 0;
	return how != CODING_END || BrotliEncoderIsFinished(state);
}

static void br_close(void *state)
{
	if (state)
		BrotliEncoderDestroyInstance(state);
}

const struct coding coding_br = {"br", 0, 9, 4, br_open, br_run, br_close};
