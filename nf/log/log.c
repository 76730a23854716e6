/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <errno.h>
#include <stdlib.h>

#include "nf/common/date.h"

static struct variable_source source_of(struct log *log, struct sluice_exchange *x)
{
	struct log_context *context = sluice_ctx(x);

	return (struct variable_source){.x = x, .unique = &log->unique, .id = context->id};
}

static enum sluice_verdict log_request(struct sluice_exchange *x)
{
	struct log *log = sluice_data(sluice_of(x));
	struct log_context *context = sluice_ctx(x);
	struct variable_source from = source_of(log, x);

	from.path = path_canonical(sluice_path(x), &log->path_room);
	if (request_rules_match(&log->skip, x, from.path) == PATTERN_YES) {
		++*log->counters.skipped;
		return SLUICE_LEAVE;
	}
	keep_note(&log->keep, STAGE_REQUEST, &from, &context->kept);
	return SLUICE_PASS;
}

static enum sluice_verdict log_response(struct sluice_exchange *x)
{
	struct log *log = sluice_data(sluice_of(x));
	struct log_context *context = sluice_ctx(x);
	struct variable_source from = source_of(log, x);

	keep_note(&log->keep, STAGE_RESPONSE, &from, &context->kept);
	return SLUICE_PASS;
}

static void put_prefix(const struct log *log, struct sluice_nf *nf, struct text *line)
{
	char time[DATE_BYTES];

	if (!log->prefix)
		return;
	date_format_iso(sluice_wall_seconds(nf), time);
	text_put(line, sluice_str(log->prefix));
	text_put(line, sluice_str(time));
	text_put(line, sluice_str(log->prefix_rest));
}

static void log_done(struct sluice_exchange *x, bool reset)
{
	struct log *log = sluice_data(sluice_of(x));
	struct log_context *context = sluice_ctx(x);
	struct template_source source = {.from = source_of(log, x), .kept = &context->kept};
	struct text line = {.room = log->line, .size = sizeof(log->line)};

	(void)reset; /* the ending says more */
	source.from.own = sluice_ending(x);
	put_prefix(log, sluice_of(x), &line);
	template_expand_by(&log->format, &source, log->put, &line);
	*log->counters.cut += context->kept.cut || line.full;
	log_sink_add(log, text_str(&line));
}

/* No function was shown it: what there is of it is noted now. */
static void log_refused(struct sluice_exchange *x)
{
	if (log_request(x) == SLUICE_PASS)
		log_done(x, true);
}

static void log_free(struct log *log)
{
	patterns_destroy(log->patterns);
	sluice_timer_free(log->sink.timer);
	pool_free(&log->pool);
	free(log);
}

static int log_init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct log *log = calloc(1, sizeof(*log));
	int err;

	if (!log)
		return -ENOMEM;
	err = log_read(log, nf, config);
	if (err) {
		log_free(log);
		return err;
	}
	patterns_report(log->patterns, nf);
	sluice_set_data(nf, log);
	return 0;
}

static void log_fini(struct sluice_nf *nf)
{
	struct log *log = sluice_data(nf);

	log_sink_flush(log);
	log_free(log);
}

static const struct sluice_nf_hooks log_hooks = {
	SLUICE_HOOKS,
	.name = "log",
	.summary = "writes a line for each exchange: who, what, how long, how it ended",
	.ctx_bytes = sizeof(struct log_context),
	.init = log_init,
	.fini = log_fini,
	.request_head = log_request,
	.response_head = log_response,
	.done = log_done,
	.refused = log_refused,
};
SLUICE_FUNCTION(log_hooks);
