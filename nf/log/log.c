/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nf/common/date.h"

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

/* Values that are only known while their head is. */
static void note(struct log *log, struct variable_source *from, struct sluice_exchange *response)
{
	struct variable_source answer = *from;

	keep_note(&log->keep, STAGE_REQUEST, from, &log->kept);
	answer.x = response;
	if (response)
		keep_note(&log->keep, STAGE_RESPONSE, &answer, &log->kept);
}

static void kept_clear(struct kept *kept)
{
	memset(kept, 0, offsetof(struct kept, room));
}

static void log_seen(struct sluice_exchange *x, struct sluice_exchange *response)
{
	struct log *log = sluice_data(sluice_of(x));
	char id[UNIQUE_BYTES] = "";
	struct template_source source = {
		.from = {.x = x, .unique = &log->unique, .id = id, .own = sluice_ending(x)},
		.kept = &log->kept};
	struct text line = {.room = log->line, .size = sizeof(log->line)};

	source.from.path = path_canonical(sluice_path(x), &log->path_room);
	if (request_rules_match(&log->skip, x, source.from.path) == PATTERN_YES) {
		++*log->counters.skipped;
		return;
	}
	kept_clear(&log->kept);
	note(log, &source.from, response);
	put_prefix(log, sluice_of(x), &line);
	template_expand_by(&log->format, &source, log->put, &line);
	*log->counters.cut += log->kept.cut || line.full;
	log_sink_add(log, text_str(&line));
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
	.init = log_init,
	.fini = log_fini,
	.seen = log_seen,
};
SLUICE_FUNCTION(log_hooks);
