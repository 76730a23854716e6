/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/write.h"

#include <string.h>
#include <time.h>

#define LAST_SECOND UINT64_C(253402300799) /* of the year 9999 */

static void put_number(char *at, int digits, int number)
{
	while (digits-- > 0) {
		at[digits] = (char)('0' + number % 10);
		number /= 10;
	}
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale. */
static void format(char *text, const struct tm *tm)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	memcpy(text, "ddd, 00 mmm 0000 00:00:00 GMT", HTTP_DATE_BYTES + 1);
	memcpy(text, days + 3 * tm->tm_wday, 3);
	put_number(text + 5, 2, tm->tm_mday);
	memcpy(text + 8, months + 3 * tm->tm_mon, 3);
	put_number(text + 12, 4, tm->tm_year + 1900);
	put_number(text + 17, 2, tm->tm_hour);
	put_number(text + 20, 2, tm->tm_min);
	put_number(text + 23, 2, tm->tm_sec);
}

const char *http_date_text(struct http_date *date, uint64_t unix_seconds)
{
	uint64_t second = unix_seconds < LAST_SECOND ? unix_seconds : LAST_SECOND;
	time_t time = (time_t)second;
	struct tm tm;

	if (date->text[0] != '\0' && date->second == second)
		return date->text;
	gmtime_r(&time, &tm);
	format(date->text, &tm);
	date->second = second;
	return date->text;
}
