/* SPDX-License-Identifier: BSD-3-Clause */
#include "gcra.h"

static uint32_t left_of(const struct gcra_rate *rate, uint64_t debt_us)
{
	return (uint32_t)((rate->cost_us * rate->burst - debt_us) / rate->cost_us);
}

struct gcra_answer gcra_ask(const struct gcra_rate *rate, uint64_t regained_us, uint64_t now_us)
{
	uint64_t debt_us = regained_us > now_us ? regained_us - now_us : 0;
	uint64_t most_us = rate->cost_us * rate->burst, after_us = debt_us + rate->cost_us;
	struct gcra_answer answer = {.allowed = after_us <= most_us, .full_us = debt_us};

	if (!answer.allowed) {
		answer.wait_us = after_us - most_us;
		return answer;
	}
	answer.full_us = after_us;
	answer.regained_us = now_us + after_us;
	answer.left = left_of(rate, after_us);
	return answer;
}
