/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log: a line for each exchange. README.md is its manual.
 *
 * config.c reads the configuration; format.c makes templates of the formats; values.c has the
 * variables that only a log has; write.c writes values down so that no value looks like more than
 * one, or like another line; sink.c gathers lines and hands them over; log.c notes and tells.
 * Everything belongs to one instance and its thread.
 */
#ifndef NF_LOG_LOG_H
#define NF_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/path.h"
#include "nf/common/pool.h"
#include "nf/common/request_rule.h"
#include "nf/common/template.h"
#include "nf/common/unique.h"

#define LOG_LINE_BYTES 16384

struct log_counters {
	uint64_t *lines, *dropped, *skipped, *cut;
};

/* Lines on their way: gathered here, and handed over when there are many or time has passed. */
struct log_sink {
	int fd; /* negative: a trial run */
	uint32_t flush_ms;
	struct sluice_timer *timer;
	uint32_t used;
	uint32_t lines; /* in `room` */
	char room[SLUICE_WRITE_BYTES];
};

struct log {
	struct pool pool;
	struct patterns *patterns;
	struct keep keep;
	struct template format;
	template_put *put;
	const char *prefix; /* of syslog's lines, up to the time; NULL: none */
	const char *prefix_rest;
	struct request_rules skip;
	struct unique unique;
	struct log_counters counters;
	struct log_sink sink;
	struct path_room path_room;
	struct kept kept; /* of the exchange whose line is made */
	char line[LOG_LINE_BYTES];
};

/* Fills a zeroed `log`. Errors are recorded; what was read so far is freed by the caller. */
int log_read(struct log *log, struct sluice_nf *nf, const struct sluice_conf *config)
	__attribute__((warn_unused_result));

/* The template of `format`, `text` and `fields`, and how values are written in it. */
int log_format_read(struct log *log, const struct sluice_conf *config)
	__attribute__((warn_unused_result));

/* Variables of the end; their source's `own` is a struct sluice_end. */
extern const struct variable_kind log_values[];

/* In lines of text: as nginx writes them, "-" for nothing. In JSON: strings, numbers, null. */
template_put log_put_text, log_put_json;

int log_sink_start(struct log *log, struct sluice_nf *nf) __attribute__((warn_unused_result));
/* A line without its end. Counts what becomes of it. */
void log_sink_add(struct log *log, struct sluice_str line);
/* Hands over what there is. */
void log_sink_flush(struct log *log);

#endif
