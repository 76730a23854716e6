/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/eal_log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_log.h>

#include "dataplane/log.h"

static struct {
	pthread_mutex_t lock;
	bool held;
	bool by_driver; /* `why` is a driver's */
	char why[256];
} eal_log = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The first thing that a driver says is nearest to the cause. Above it EAL only says that it
 * failed; and where EAL is alone, its last word sums up the others. */
static void keep(const char *text, int length)
{
	if (eal_log.by_driver)
		return;
	eal_log.by_driver = strncmp(text, "EAL: ", 5) != 0;
	snprintf(eal_log.why, sizeof(eal_log.why), "%.*s", length, text);
}

static void line(const char *text, int length)
{
	pthread_mutex_lock(&eal_log.lock);
	if (eal_log.held)
		keep(text, length);
	log_line(eal_log.held ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "DPDK: %.*s", length, text);
	pthread_mutex_unlock(&eal_log.lock);
}

/* fopencookie(3). DPDK writes a line at a time. */
static ssize_t write_lines(void *cookie, const char *text, size_t size)
{
	const char *end = text + size;

	(void)cookie;
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		if (!stop)
			stop = end;
		if (stop > text)
			line(text, (int)(stop - text));
		text = stop + 1;
	}
	return (ssize_t)size;
}

void eal_log_open(void)
{
	FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_lines});

	if (stream)
		rte_openlog_stream(stream);
}

void eal_log_hold(void)
{
	pthread_mutex_lock(&eal_log.lock);
	eal_log.held = true;
	eal_log.by_driver = false;
	eal_log.why[0] = '\0';
	pthread_mutex_unlock(&eal_log.lock);
}

const char *eal_log_release(void)
{
	pthread_mutex_lock(&eal_log.lock);
	eal_log.held = false;
	pthread_mutex_unlock(&eal_log.lock);
	return eal_log.why;
}
