/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static enum log_level log_most = LOG_LEVEL_INFO;
static bool log_journal;

/* sd-daemon(3): the kernel's priorities; and what a person reads. */
static const struct {
	int priority;
	const char *word;
} log_levels[] = {
	[LOG_LEVEL_ERROR] = {3, "error: "},
	[LOG_LEVEL_WARN] = {4, "warning: "},
	[LOG_LEVEL_INFO] = {6, ""},
	[LOG_LEVEL_DEBUG] = {7, "debug: "},
};

void log_open(enum log_level most)
{
	log_most = most;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

static void log_prefix(FILE *f, enum log_level level)
{
	struct timespec now;
	struct tm tm;

	if (log_journal) {
		fprintf(f, "<%d>", log_levels[level].priority);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	fprintf(f, "%02d:%02d:%02d.%03ld sluiced: %s", tm.tm_hour, tm.tm_min, tm.tm_sec,
		now.tv_nsec / 1000000, log_levels[level].word);
}

void log_line(enum log_level level, const char *format, ...)
{
	va_list args;

	if (level > log_most)
		return;
	flockfile(stderr);
	log_prefix(stderr, level);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	funlockfile(stderr);
}
