/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/play/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct report report;

static struct kept {
	struct kept *next;
	max_align_t bytes[];
} * kept;

void fail(const char *format, ...)
{
	va_list ap;

	printf("%s:%d: ", report.path, report.line);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	longjmp(report.back, 1);
}

void *keep(size_t bytes)
{
	struct kept *k = calloc(1, sizeof(*k) + bytes);

	if (!k)
		fail("no memory");
	k->next = kept;
	kept = k;
	return k->bytes;
}

void keep_free_all(void)
{
	while (kept) {
		struct kept *k = kept;

		kept = k->next;
		free(k);
	}
}
