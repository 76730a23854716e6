/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/systemd/sd.h"

#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "mgmt/systemd/feeder.h"

#define STATUS_MAX 256

void sd_tell_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

/* The time tells this reload from an earlier one (Type=notify-reload of later versions). */
void sd_tell_reloading(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reloading",
		   (unsigned long long)now.tv_sec * 1000000 +
			   (unsigned long long)now.tv_nsec / 1000);
}

void sd_tell_stopping(const char *status, uint64_t us)
{
	sd_notifyf(0, "STOPPING=1\nSTATUS=%s\nEXTEND_TIMEOUT_USEC=%llu", status,
		   (unsigned long long)us);
}

void sd_tell_status(const char *format, ...)
{
	char text[STATUS_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	sd_notifyf(0, "STATUS=%s", text);
}

bool sd_feed(uint64_t *last, const uint64_t *now, unsigned workers)
{
	unsigned stalled;

	if (!feeder_check(last, now, workers, &stalled))
		return false;
	sd_notify(0, "WATCHDOG=1");
	return true;
}

uint64_t sd_watchdog_us(void)
{
	uint64_t us = 0;

	return sd_watchdog_enabled(0, &us) > 0 ? us : 0;
}
