/* SPDX-License-Identifier: BSD-3-Clause */
/* Exchanges that are over, for functions that only look. */
#include "nf/sdk/harness_priv.h"

static const struct harness_field *fields_of(const struct harness_field *fields)
{
	static const struct harness_field none[] = {{0}};

	return fields ? fields : none;
}

static uint32_t request_write(struct harness *h, const struct harness_sight *sight,
			      const char *target, const struct harness_field *fields)
{
	struct harness_line line = {.version = target ? 11 : 0,
				    .method = target ? sight->method : "",
				    .target = target ? target : "",
				    .fields = fields_of(fields)};

	return harness_head_write(h, &line);
}

static uint32_t response_write(struct harness *h, const struct harness_sight *sight)
{
	struct harness_line line = {.response = true,
				    .version = 11,
				    .status = sight->status,
				    .method = sight->method,
				    .fields = fields_of(sight->response)};

	return harness_head_write(h, &line);
}

void harness_seen(struct harness *h, const struct harness_sight *sight)
{
	struct sluice_down down = {.kind = SLUICE_DOWN_SEEN,
				   .arg = request_write(h, sight, sight->target, sight->fields),
				   .response = SLUICE_HEAD_NONE,
				   .asked = SLUICE_HEAD_NONE,
				   .end = sight->end};

	if (sight->status)
		down.response = response_write(h, sight);
	if (sight->asked_target)
		down.asked = request_write(h, sight, sight->asked_target, sight->asked);
	nf_event(h->nf, 0, &down);
	harness_settle(h);
}
