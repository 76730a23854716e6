/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/sluicectl/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Three digits are enough: "1.2", "12.3", "123". */
static const char *scaled(double value, const char *unit, char *buf, size_t size)
{
	snprintf(buf, size, "%.*f %s", value < 99.95 ? 1 : 0, value, unit);
	return buf;
}

const char *format_bytes(int64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB"};
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(buf, size, "%lld B", (long long)bytes);
		return buf;
	}
	for (; value >= 1023.5 && i + 1 < sizeof(units) / sizeof(*units); i++)
		value /= 1024;
	return scaled(value, units[i], buf, size);
}

const char *format_seconds(int64_t seconds, char *buf, size_t size)
{
	long long s = seconds;

	if (s < 60)
		snprintf(buf, size, "%llds", s);
	else if (s < 3600)
		snprintf(buf, size, "%lldm %02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, size, "%lldh %02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(buf, size, "%lldd %02lldh", s / 86400, s / 3600 % 24);
	return buf;
}

const char *format_us(int64_t us, char *buf, size_t size)
{
	if (us <= 0)
		snprintf(buf, size, "-");
	else if (us < 1000)
		snprintf(buf, size, "%lld us", (long long)us);
	else if (us < 1000000)
		scaled((double)us / 1000, "ms", buf, size);
	else
		scaled((double)us / 1000000, "s", buf, size);
	return buf;
}

const char *format_time(int64_t seconds, char *buf, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds <= 0 || !localtime_r(&t, &tm) ||
	    strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(buf, size, "-");
	return buf;
}

/* --- from JSON ------------------------------------------------------------------------------ */

static char *format_texts(const json_t *array)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *item = json_string_value(json_array_get(array, i));

		fprintf(stream, "%s%s", i ? ", " : "", item ? item : "-");
	}
	fclose(stream);
	return text;
}

static const char *format_number(enum view_kind kind, int64_t number, char *buf, size_t size)
{
	switch (kind) {
	case VIEW_BYTES:
		return format_bytes(number, buf, size);
	case VIEW_SECONDS:
		return format_seconds(number, buf, size);
	case VIEW_US:
		return format_us(number, buf, size);
	case VIEW_TIME:
		return format_time(number, buf, size);
	default:
		snprintf(buf, size, "%lld", (long long)number);
		return buf;
	}
}

char *format_value(enum view_kind kind, const json_t *value)
{
	char buf[FORMAT_TEXT_MAX];

	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (json_is_array(value))
		return format_texts(value);
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? "yes" : "no");
	if (kind == VIEW_PERCENT && json_is_number(value)) {
		snprintf(buf, sizeof(buf), "%.1f%%", json_number_value(value));
		return strdup(buf);
	}
	if (json_is_integer(value))
		return strdup(format_number(kind, json_integer_value(value), buf, sizeof(buf)));
	return strdup("-");
}
