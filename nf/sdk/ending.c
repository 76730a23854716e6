/* SPDX-License-Identifier: BSD-3-Clause */
/* How an exchange ended. */
#include "nf/sdk/core.h"

static const char *const names[SLUICE_ENDINGS] = {
#define ENDING(id, name, text) [SLUICE_ENDING_##id] = name,
#include <sluice/endings.def>
#undef ENDING
};

const struct sluice_end *sluice_ending(const struct sluice_exchange *x)
{
	return x->end;
}

const char *sluice_ending_name(uint8_t why)
{
	return names[why < SLUICE_ENDINGS ? why : SLUICE_ENDING_FAILED];
}
