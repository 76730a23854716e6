/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages to the manager. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "nf/sdk/host.h"

#define LOG_BURST      100
#define LOG_PER_SECOND 50

/* `wait`: until the manager has read enough. */
static int message_send(const void *message, size_t bytes, bool wait)
{
	struct pollfd fd = {.fd = SLUICE_HOST_SOCKET, .events = POLLOUT};

	while (send(SLUICE_HOST_SOCKET, message, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno != EINTR && (errno != EAGAIN || !wait))
			return -errno;
		if (errno == EAGAIN && poll(&fd, 1, -1) < 0 && errno != EINTR)
			return -errno;
	}
	return 0;
}

static int text_send(enum sluice_host_kind kind, uint32_t level, bool placed, const char *text,
		     bool wait)
{
	size_t len = strnlen(text, SLUICE_HOST_TEXT_MAX);
	size_t bytes = offsetof(struct sluice_host_text, text) + len;
	struct sluice_host_text message = {
		.header = {kind, (uint32_t)bytes}, .level = level, .placed = placed};

	memcpy(message.text, text, len);
	return message_send(&message, bytes, wait);
}

int say_answer(uint32_t number, uint32_t flags, const char *text, size_t len)
{
	size_t bytes = offsetof(struct sluice_host_answer, text) + len;
	struct sluice_host_answer message = {
		.header = {SLUICE_HOST_ANSWER, (uint32_t)bytes}, .number = number, .flags = flags};

	memcpy(message.text, text, len);
	return message_send(&message, bytes, false);
}

void say_error(const char *text, bool placed)
{
	if (text_send(SLUICE_HOST_ERROR, SLUICE_LOG_ERROR, placed, text, true))
		return; /* the manager is gone: it has no use for the sentence */
}

static int counter_send(const struct host *host, uint32_t i)
{
	struct sluice_host_counter message = {.header = {SLUICE_HOST_COUNTER, sizeof(message)},
					      .index = i};

	memcpy(message.name, host->nf->counter[i].name, sizeof(message.name));
	memcpy(message.help, host->nf->counter[i].help, sizeof(message.help));
	return message_send(&message, sizeof(message), true);
}

int say_ready(const struct host *host)
{
	struct sluice_host_ready ready = {
		.header = {SLUICE_HOST_READY, sizeof(ready)},
		.hooks = nf_hook_mask(host->nf),
		.counters = host->nf->counters_count,
	};
	int rc = 0;

	for (uint32_t i = 0; i < ready.counters && !rc; i++)
		rc = counter_send(host, i);
	return rc ? rc : message_send(&ready, sizeof(ready), true);
}

static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A line for which there is no room is counted, and the next that goes through tells. */
static bool log_allowed(struct host *host)
{
	uint64_t now = clock_us();
	uint64_t more = (now - host->log_us) * LOG_PER_SECOND / 1000000;

	if (more) {
		host->log_tokens = more > LOG_BURST - host->log_tokens
					   ? LOG_BURST
					   : host->log_tokens + (uint32_t)more;
		host->log_us = now;
	}
	if (!host->log_tokens) {
		host->log_dropped++;
		return false;
	}
	host->log_tokens--;
	return true;
}

void say_log(struct host *host, enum sluice_log_level level, const char *text)
{
	char dropped[64];

	if (!log_allowed(host))
		return;
	if (host->log_dropped) {
		snprintf(dropped, sizeof(dropped), "%u lines were dropped", host->log_dropped);
		if (text_send(SLUICE_HOST_LOG, SLUICE_LOG_WARN, false, dropped, false))
			return;
		host->log_dropped = 0;
	}
	if (text_send(SLUICE_HOST_LOG, level, false, text, false))
		host->log_dropped++;
}
