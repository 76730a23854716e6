/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/unique.h"

#include <stdio.h>

int unique_init(struct unique *unique)
{
	*unique = (struct unique){.given = 0};
	return hash_key_take(&unique->key);
}

void unique_next(struct unique *unique, char out[UNIQUE_BYTES])
{
	uint64_t high[2] = {unique->given++, 0}, low[2] = {high[0], 1};

	snprintf(out, UNIQUE_BYTES, "%016llx%016llx",
		 (unsigned long long)hash_bytes(&unique->key, high, sizeof(high)),
		 (unsigned long long)hash_bytes(&unique->key, low, sizeof(low)));
}
