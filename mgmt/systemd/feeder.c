/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/systemd/feeder.h"

#include <string.h>

bool feeder_check(uint64_t *last, const uint64_t *now, unsigned workers, unsigned *stalled)
{
	for (unsigned i = 0; i < workers; i++)
		if (now[i] == last[i]) {
			*stalled = i;
			return false;
		}
	memcpy(last, now, workers * sizeof(*last));
	return true;
}
