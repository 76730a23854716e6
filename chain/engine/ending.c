/* SPDX-License-Identifier: BSD-3-Clause */
/* What functions are told of an exchange's end: why, and how long each part took. */
#include "chain/engine/exchange.h"

void ending_why(struct exchange *x, enum sluice_ending why)
{
	if (x->why == SLUICE_ENDING_COMPLETE)
		x->why = (uint8_t)why;
}

static uint32_t since(const struct exchange *x, uint64_t at_us)
{
	uint64_t us = at_us - x->began_us;

	if (!at_us)
		return SLUICE_NEVER_US;
	return us < SLUICE_NEVER_US ? (uint32_t)us : SLUICE_NEVER_US - 1;
}

static uint8_t why_of(const struct exchange *x)
{
	if (!x->failed)
		return SLUICE_ENDING_COMPLETE;
	return x->why == SLUICE_ENDING_COMPLETE ? SLUICE_ENDING_FAILED : x->why;
}

void ending_tell(const struct exchange *x, struct sluice_end *out)
{
	*out = (struct sluice_end){
		.why = why_of(x),
		.flags = x->origin.reused ? SLUICE_END_REUSED : 0,
		.status = x->status,
		.group = x->origin.group,
		.server = x->origin.server == UPSTREAM_NONE ? SLUICE_NONE16
							    : (uint16_t)x->origin.server,
		.head_us = x->head_us,
		.connect_us = since(x, x->connect_us),
		.ask_us = since(x, x->origin.sent ? x->origin.asked_us : 0),
		.reply_us = since(x, x->replied_us),
		.total_us = since(x, x->ended_us),
		.sent_head_bytes = (uint32_t)(x->bytes_out - x->body[RESPONSE].bytes),
		.received_bytes = x->bytes_in,
		.sent_bytes = x->bytes_out,
	};
}
