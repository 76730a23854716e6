/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/date.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY_SECONDS        86400
#define FIRST_SECOND       INT64_C(-62135596800) /* of year 1 */
#define LAST_SECOND        INT64_C(253402300799) /* of year 9999 */
#define TEXT_BYTES_MAX     40
#define DAYS_PER_400_YEARS 146097
#define DAYS_TO_1970       719468 /* from 0000-03-01 */

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct date {
	int year, month, day, hour, minute, second; /* month from 1 */
};

/* Days since 1970-01-01; the year is counted from March, so that the leap day is its last. */
static int64_t days_from(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - DAYS_TO_1970;
}

static void date_of(int64_t since_1970, struct date *out)
{
	int64_t n = since_1970 + DAYS_TO_1970;
	int64_t era = n / DAYS_PER_400_YEARS, d = n % DAYS_PER_400_YEARS;
	int64_t y = (d - d / 1460 + d / 36524 - d / (DAYS_PER_400_YEARS - 1)) / 365;
	int64_t day_of_year = d - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * day_of_year + 2) / 153;

	out->day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
	out->month = (int)(m < 10 ? m + 3 : m - 9);
	out->year = (int)(era * 400 + y + (out->month <= 2));
}

void date_format(int64_t unix_seconds, char out[DATE_BYTES])
{
	int64_t t = unix_seconds < FIRST_SECOND  ? FIRST_SECOND
		    : unix_seconds > LAST_SECOND ? LAST_SECOND
						 : unix_seconds;
	int64_t day = (t - FIRST_SECOND) / DAY_SECONDS + FIRST_SECOND / DAY_SECONDS;
	unsigned second = (unsigned)(t - day * DAY_SECONDS);
	struct date date;

	date_of(day, &date);
	/* 1 January of year 1 was a Monday. The remainders tell the compiler how wide a number can
	 * be. */
	snprintf(out, DATE_BYTES, "%s, %02u %s %04u %02u:%02u:%02u GMT",
		 days[(day - FIRST_SECOND / DAY_SECONDS + 1) % 7], (unsigned)date.day % 100,
		 months[date.month - 1], (unsigned)date.year % 10000, second / 3600 % 24,
		 second / 60 % 60, second % 60);
}

static int month_of(const char *name)
{
	for (int i = 0; i < 12; ++i)
		if (strcmp(name, months[i]) == 0)
			return i + 1;
	return 0;
}

/* RFC 9110: a year that would be more than 50 years ahead is one of the past. */
static int full_year(int two_digits, int64_t now)
{
	struct date today;
	int year;

	date_of(now / DAY_SECONDS, &today);
	year = today.year - today.year % 100 + two_digits;
	if (year > today.year + 50)
		return year - 100;
	return year <= today.year - 50 ? year + 100 : year;
}

static bool scan_fixdate(const char *text, struct date *out, char month[4])
{
	char zone[4];

	return sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3s", &out->day, month,
		      &out->year, &out->hour, &out->minute, &out->second, zone) == 7 &&
	       strcmp(zone, "GMT") == 0;
}

static bool scan_rfc850(const char *text, int64_t now, struct date *out, char month[4])
{
	char zone[4];

	if (sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d %3s", &out->day, month,
		   &out->year, &out->hour, &out->minute, &out->second, zone) != 7)
		return false;
	out->year = full_year(out->year, now);
	return strcmp(zone, "GMT") == 0;
}

static bool scan_asctime(const char *text, struct date *out, char month[4])
{
	return sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month, &out->day,
		      &out->hour, &out->minute, &out->second, &out->year) == 6;
}

static bool in_range(const struct date *date)
{
	return date->month >= 1 && date->day >= 1 && date->day <= 31 && date->year >= 1 &&
	       date->hour >= 0 && date->hour <= 23 && date->minute >= 0 && date->minute <= 59 &&
	       date->second >= 0 && date->second <= 60;
}

int date_parse(struct sluice_str text, int64_t now, int64_t *unix_seconds)
{
	char copy[TEXT_BYTES_MAX + 1], month[4] = "";
	struct date date = {0};

	if (text.len > TEXT_BYTES_MAX)
		return -EINVAL;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (!scan_fixdate(copy, &date, month) && !scan_rfc850(copy, now, &date, month) &&
	    !scan_asctime(copy, &date, month))
		return -EINVAL;
	date.month = month_of(month);
	if (!in_range(&date))
		return -EINVAL;
	*unix_seconds = days_from(date.year, date.month, date.day) * DAY_SECONDS +
			date.hour * 3600 + date.minute * 60 + date.second;
	return 0;
}
