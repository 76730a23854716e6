/* SPDX-License-Identifier: BSD-3-Clause */
/* RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10 §3 and §4): lists of the
 * rules that count this request, each by its name. */
#include "limit.h"

#include <stdio.h>

#include "nf/common/text.h"

#define ITEM_BYTES 128

static void put_policy(const struct limit_rule *rule, struct text *out)
{
	char item[ITEM_BYTES];

	snprintf(item, sizeof(item), "%s\"%s\";q=%u;w=%u", out->used ? ", " : "", rule->name,
		 rule->rate.burst, rule->window_s);
	text_put(out, sluice_str(item));
}

static void put_state(const struct limit_rule *rule, uint32_t left, uint32_t full_s,
		      struct text *out)
{
	char item[ITEM_BYTES];

	snprintf(item, sizeof(item), "%s\"%s\";r=%u;t=%u", out->used ? ", " : "", rule->name, left,
		 full_s);
	text_put(out, sluice_str(item));
}

int limit_tell(const struct limit *limit, struct sluice_exchange *x, const struct limit_seen *seen)
{
	char policies[LIMIT_RULES_MAX * ITEM_BYTES], states[LIMIT_RULES_MAX * ITEM_BYTES];
	struct text policy = {.room = policies, .size = sizeof(policies)};
	struct text state = {.room = states, .size = sizeof(states)};
	int err;

	if (!seen->rules)
		return 0;
	for (unsigned i = 0; i < limit->rules_count; ++i) {
		if (!(seen->rules & 1u << i))
			continue;
		put_policy(&limit->rules[i], &policy);
		put_state(&limit->rules[i], seen->rule[i].left, seen->rule[i].full_s, &state);
	}
	err = sluice_field_add(x, "RateLimit-Policy", text_str(&policy));
	return err ? err : sluice_field_add(x, "RateLimit", text_str(&state));
}
