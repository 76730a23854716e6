/* SPDX-License-Identifier: BSD-3-Clause */
#include "compress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- heads ------------------------------------------------------------------------------ */

static enum sluice_verdict compress_on_request(struct sluice_exchange *x)
{
	struct compress *compress = sluice_data(sluice_of(x));

	return compress_request(compress, x, sluice_ctx(x)) ? SLUICE_PASS : SLUICE_LEAVE;
}

/* Some clients hold what we made: the origin confirms it by a tag that is not ours. */
static enum sluice_verdict not_modified(struct sluice_exchange *x,
					const struct compress_context *context)
{
	if (context->asks_weak && context->best >= 0 && compress_weaken(x))
		return SLUICE_RESET;
	return SLUICE_LEAVE;
}

static bool open_stream(struct compress *compress, struct compress_context *context)
{
	if (compress->streams >= compress->max_streams) {
		++*compress->counters.busy;
		return false;
	}
	context->coding = compress->coding[context->best];
	context->stream =
		context->coding->open(compress->level[context->best], compress->window_bits);
	if (!context->stream)
		return false;
	LIST_INSERT_HEAD(&compress->open, context, link);
	++compress->streams;
	return true;
}

static bool flushes(const struct compress *compress, const struct sluice_exchange *x)
{
	if (compress->flush == FLUSH_AUTO)
		return sluice_head(x)->body_bytes == SLUICE_LENGTH_UNKNOWN;
	return compress->flush == FLUSH_ALWAYS;
}

static enum sluice_verdict compress_on_response(struct sluice_exchange *x)
{
	struct compress *compress = sluice_data(sluice_of(x));
	struct compress_context *context = sluice_ctx(x);

	++*compress->counters.responses;
	if (sluice_head(x)->status == 304)
		return not_modified(x, context);
	if (!compress_eligible(compress, x))
		return SLUICE_LEAVE;
	if (context->best < 0 || sluice_head(x)->method == SLUICE_METHOD_HEAD ||
	    !open_stream(compress, context))
		return compress_vary(x) ? SLUICE_RESET : SLUICE_LEAVE;
	if (compress_edit(x, context->coding->name))
		return SLUICE_RESET;
	context->flushes = flushes(compress, x);
	sluice_body_resize(x);
	++*compress->counters.compressed;
	return SLUICE_PASS;
}

/* --- bodies ----------------------------------------------------------------------------- */

static int emit(struct compress *compress, struct sluice_exchange *x, size_t len)
{
	struct sluice_buf *buf;
	int err;

	if (len == 0)
		return 0;
	buf = sluice_buf_alloc(sluice_of(x), (uint32_t)len);
	if (!buf)
		return -ENOMEM;
	memcpy(buf->data, compress->scratch, len);
	err = sluice_body_emit(x, buf, 0, (uint32_t)len);
	sluice_buf_unref(buf);
	*compress->counters.bytes_out += len;
	return err;
}

/* Takes all of one span, and gives what comes of it. */
static int feed(struct compress *compress, struct sluice_exchange *x,
		const struct sluice_span *span, enum coding_how how)
{
	const struct compress_context *context = sluice_ctx(x);
	struct coding_io io = {.in = span->ptr, .in_left = span->len};
	int rc, err;

	do {
		io.out = compress->scratch;
		io.out_left = sizeof(compress->scratch);
		rc = context->coding->run(context->stream, how, &io);
		err = rc < 0 ? -EIO : emit(compress, x, sizeof(compress->scratch) - io.out_left);
	} while (!err && rc == 0);
	*compress->counters.bytes_in += span->len;
	return err;
}

static void close_stream(struct compress *compress, struct compress_context *context)
{
	if (!context->stream)
		return;
	context->coding->close(context->stream);
	context->stream = NULL;
	LIST_REMOVE(context, link);
	--compress->streams;
}

static enum sluice_verdict compress_on_body(struct sluice_exchange *x,
					    const struct sluice_span *spans, unsigned n, bool end)
{
	struct compress *compress = sluice_data(sluice_of(x));
	struct compress_context *context = sluice_ctx(x);
	enum coding_how last = end ? CODING_END : context->flushes ? CODING_FLUSH : CODING_MORE;
	static const struct sluice_span nothing = {(const uint8_t *)"", 0};
	int err = 0;

	if (!context->stream)
		return SLUICE_LEAVE;
	for (unsigned i = 0; !err && i < n; ++i)
		err = feed(compress, x, &spans[i], CODING_MORE);
	if (!err && last != CODING_MORE)
		err = feed(compress, x, &nothing, last);
	if (end || err)
		close_stream(compress, context);
	*compress->counters.failed += err != 0;
	return err ? SLUICE_RESET : SLUICE_REPLACE;
}

static void compress_on_done(struct sluice_exchange *x, bool reset)
{
	(void)reset;
	close_stream(sluice_data(sluice_of(x)), sluice_ctx(x));
}

/* --- life ------------------------------------------------------------------------------- */

static void compress_free(struct compress *compress)
{
	patterns_destroy(compress->patterns);
	pool_free(&compress->pool);
	free(compress);
}

static int compress_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct compress *compress = calloc(1, sizeof(*compress));
	int err;

	if (!compress)
		return -ENOMEM;
	err = compress_read(compress, nf, config);
	if (err) {
		compress_free(compress);
		return err;
	}
	patterns_report(compress->patterns, nf);
	sluice_set_data(nf, compress);
	return 0;
}

static void compress_fini(struct sluice_nf *nf)
{
	struct compress *compress = sluice_data(nf);

	while (!LIST_EMPTY(&compress->open))
		close_stream(compress, LIST_FIRST(&compress->open));
	compress_free(compress);
}

static const struct sluice_nf_hooks compress_hooks = {
	SLUICE_HOOKS,
	.name = "compress",
	.summary = "compresses responses: gzip, brotli, zstd",
	.ctx_bytes = sizeof(struct compress_context),
	.init = compress_init,
	.fini = compress_fini,
	.request_head = compress_on_request,
	.response_head = compress_on_response,
	.response_body = compress_on_body,
	.done = compress_on_done,
};
SLUICE_FUNCTION(compress_hooks);
