/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/date.h"

#include <stdio.h>

#define DAY_SECONDS        86400
#define FIRST_SECOND       INT64_C(-62135596800) /* of year 1 */
#define LAST_SECOND        INT64_C(253402300799) /* of year 9999 */
#define DAYS_PER_400_YEARS 146097
#define DAYS_TO_1970       719468 /* from 0000-03-01 */

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct date {
	int year, month, day; /* month from 1 */
};

/* The year is counted from March, so that the leap day is its last. */
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

/* The remainders tell the compiler how wide a number can be. */
struct moment {
	struct date date;
	int64_t day; /* since 1 January of year 1, which was a Monday */
	unsigned hour, minute, second;
};

static struct moment moment_of(int64_t unix_seconds)
{
	int64_t t = unix_seconds < FIRST_SECOND  ? FIRST_SECOND
		    : unix_seconds > LAST_SECOND ? LAST_SECOND
						 : unix_seconds;
	int64_t day = (t - FIRST_SECOND) / DAY_SECONDS + FIRST_SECOND / DAY_SECONDS;
	unsigned second = (unsigned)(t - day * DAY_SECONDS);
	struct moment out = {.day = day - FIRST_SECOND / DAY_SECONDS,
			     .hour = second / 3600 % 24,
			     .minute = second / 60 % 60,
			     .second = second % 60};

	date_of(day, &out.date);
	return out;
}

void date_format(int64_t unix_seconds, char out[DATE_BYTES])
{
	struct moment m = moment_of(unix_seconds);

	snprintf(out, DATE_BYTES, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[(m.day + 1) % 7],
		 (unsigned)m.date.day % 100, months[m.date.month - 1],
		 (unsigned)m.date.year % 10000, m.hour % 24, m.minute % 60, m.second % 60);
}

void date_format_iso(int64_t unix_seconds, char out[DATE_BYTES])
{
	struct moment m = moment_of(unix_seconds);

	snprintf(out, DATE_BYTES, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)m.date.year % 10000,
		 (unsigned)m.date.month % 100, (unsigned)m.date.day % 100, m.hour % 24,
		 m.minute % 60, m.second % 60);
}

void date_format_clf(int64_t unix_seconds, char out[DATE_BYTES])
{
	struct moment m = moment_of(unix_seconds);

	snprintf(out, DATE_BYTES, "%02u/%s/%04u:%02u:%02u:%02u +0000", (unsigned)m.date.day % 100,
		 months[m.date.month - 1], (unsigned)m.date.year % 10000, m.hour % 24,
		 m.minute % 60, m.second % 60);
}
