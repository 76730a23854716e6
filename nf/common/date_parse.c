/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/date.h"

#include <errno.h>

#include "nf/common/str.h"

#define DAY_SECONDS 86400

struct parts {
	int year, month, day, hour, minute, second; /* month from 0 */
	bool short_year;
};

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
				   "Thursday", "Friday", "Saturday"};
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int plain[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return plain[month] + (month == 1 && is_leap(year));
}

/* Leap days in the years 1 to `year`. */
static int64_t leap_days(int64_t year)
{
	return year / 4 - year / 100 + year / 400;
}

static int64_t days_since_1970(const struct parts *p)
{
	int64_t n = (p->year - 1970) * INT64_C(365) + leap_days(p->year - 1) - leap_days(1969);

	for (int m = 0; m < p->month; m++)
		n += days_in_month(p->year, m);
	return n + p->day - 1;
}

static bool take_digits(struct sluice_str *s, uint32_t n, int *out)
{
	if (s->len < n)
		return false;
	*out = (int)str_number(str_make(s->ptr, n), 9999);
	*s = str_skip(*s, n);
	return *out >= 0;
}

/* Whatever the case: RFC 9111 §4.2 wants caches to be lenient there. */
static bool take_text(struct sluice_str *s, struct sluice_str text)
{
	if (s->len < text.len || !str_equal_nocase(str_make(s->ptr, text.len), text))
		return false;
	*s = str_skip(*s, text.len);
	return true;
}

/* The name of a day, whole or its first `letters`. Which day it is does not matter. */
static bool take_weekday(struct sluice_str *s, uint32_t letters)
{
	for (unsigned i = 0; i < 7; i++) {
		uint32_t len = letters ? letters : (uint32_t)strlen(days[i]);

		if (take_text(s, str_make(days[i], len)))
			return true;
	}
	return false;
}

static bool take_month(struct sluice_str *s, struct parts *p)
{
	for (p->month = 0; p->month < 12; p->month++)
		if (take_text(s, str_make(months + 3 * p->month, 3)))
			return true;
	return false;
}

static bool take_time(struct sluice_str *s, struct parts *p)
{
	return take_digits(s, 2, &p->hour) && take_text(s, sluice_str(":")) &&
	       take_digits(s, 2, &p->minute) && take_text(s, sluice_str(":")) &&
	       take_digits(s, 2, &p->second);
}

/* asctime writes days below ten with a space. */
static bool take_padded_day(struct sluice_str *s, struct parts *p)
{
	if (take_text(s, sluice_str(" ")))
		return take_digits(s, 1, &p->day);
	return take_digits(s, 2, &p->day);
}

static bool take_one(struct sluice_str *s, char what, struct parts *p)
{
	switch (what) {
	case 'a':
		return take_weekday(s, 3);
	case 'A':
		return take_weekday(s, 0);
	case 'b':
		return take_month(s, p);
	case 'd':
		return take_digits(s, 2, &p->day);
	case 'e':
		return take_padded_day(s, p);
	case 'Y':
		return take_digits(s, 4, &p->year);
	case 'y':
		p->short_year = true;
		return take_digits(s, 2, &p->year);
	default:
		return take_time(s, p);
	}
}

static bool take_form(struct sluice_str s, const char *form, struct parts *p)
{
	*p = (struct parts){0};
	for (; *form; form++) {
		if (*form == '%' ? !take_one(&s, *++form, p) : !take_text(&s, str_make(form, 1)))
			return false;
	}
	return s.len == 0;
}

/* The year that it is at `now`. */
static int year_at(int64_t now)
{
	struct parts p = {.year = 1970 + (int)(now / DAY_SECONDS / 366), .day = 1};

	while (p.year++, days_since_1970(&p) <= now / DAY_SECONDS)
		;
	return p.year - 1;
}

static void complete_year(struct parts *p, int64_t now)
{
	int year = year_at(now);

	p->year += year - year % 100;
	if (p->year > year + 50)
		p->year -= 100;
}

/* Second 60 is a leap second. */
static bool is_valid(const struct parts *p)
{
	return p->year >= 1 && p->day >= 1 && p->day <= days_in_month(p->year, p->month) &&
	       p->hour <= 23 && p->minute <= 59 && p->second <= 60;
}

int date_parse(struct sluice_str text, int64_t now, int64_t *seconds)
{
	static const char *const forms[] = {"%a, %d %b %Y %T GMT", "%A, %d-%b-%y %T GMT",
					    "%a %b %e %T %Y"};
	struct parts p;
	unsigned i = 0;

	while (i < 3 && !take_form(text, forms[i], &p))
		i++;
	if (i == 3)
		return -EINVAL;
	if (p.short_year)
		complete_year(&p, now);
	if (!is_valid(&p))
		return -EINVAL;
	*seconds = days_since_1970(&p) * DAY_SECONDS + p.hour * 3600 + p.minute * 60 + p.second;
	return 0;
}
