/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Failing: one scenario ends, with a text that says where and what; the next one goes on.
 * Only the main thread may fail.
 */
#ifndef TESTS_PACKETDRILL_PLAY_REPORT_H
#define TESTS_PACKETDRILL_PLAY_REPORT_H

#include <setjmp.h>
#include <stddef.h>

struct report {
	const char *path;
	int line;
	jmp_buf back;
};
extern struct report report;

/* Prints "path:line: ..." and leaves the scenario. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Memory that is freed when the scenario is over; zeroed. Fails when there is none. */
void *keep(size_t bytes);
void keep_free_all(void);

#endif
