/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/base/counters.h"

_Static_assert(sizeof(struct stack_counters) == COUNTER_TOTAL * sizeof(uint64_t),
	       "a counter is found by its number");

const struct counter_info stack_counter_table[COUNTER_TOTAL] = {
#define COUNTER(counter, counter_unit, counter_help) \
	{.name = #counter, .unit = (counter_unit), .help = (counter_help)},
#include "l4stack/base/counters.def"
#undef COUNTER
};
