/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/write.h"

#include <stddef.h>

#define LOWEST 100
#define BEYOND 600

static const char *const reasons[BEYOND - LOWEST] = {
#define STATUS(number, reason) [(number)-LOWEST] = (reason),
#include "chain/http/statuses.def"
#undef STATUS
};

const char *http_status_reason(uint16_t status)
{
	const char *reason = NULL;

	if (status >= LOWEST && status < BEYOND)
		reason = reasons[status - LOWEST];
	return reason != NULL ? reason : "Unknown";
}
