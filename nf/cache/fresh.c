/* SPDX-License-Identifier: BSD-3-Clause */
#include "fresh.h"

#include <stddef.h>

#define SECOND_US INT64_C(1000000)

static bool is_one_of(uint16_t status, const uint16_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == status)
			return true;
	return false;
}

bool fresh_is_heuristic_status(uint16_t status)
{
	static const uint16_t list[] = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};

	return is_one_of(status, list, sizeof(list) / sizeof(list[0]));
}

/* Statuses whose meaning for a cache we know: for must-understand (RFC 9111 §5.2.2.3). */
static bool is_understood(uint16_t status)
{
	static const uint16_t list[] = {200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 400,
					401, 403, 404, 405, 410, 414, 500, 501, 502, 503, 504};

	return is_one_of(status, list, sizeof(list) / sizeof(list[0]));
}

bool fresh_is_timed(const struct fresh_response *r)
{
	return r->cc.max_age != CC_ABSENT || r->cc.s_maxage != CC_ABSENT ||
	       (!r->targeted && r->expires != FRESH_ABSENT);
}

static bool is_explicit(const struct fresh_response *r)
{
	return (r->cc.flags & CC_PUBLIC) || fresh_is_timed(r);
}

static bool is_status_storable(const struct fresh_response *r)
{
	if (r->status < 200 || r->status == 304 || (r->status == 206 && !r->part))
		return false;
	if ((r->cc.flags & CC_MUST_UNDERSTAND) && !is_understood(r->status))
		return false;
	return is_explicit(r) || fresh_is_heuristic_status(r->status);
}

/* must-understand comes with a no-store for those who do not know it. */
static bool is_forbidden(const struct fresh_response *r)
{
	uint32_t flags = r->cc.flags;

	if (flags & CC_MUST_UNDERSTAND)
		flags &= ~(uint32_t)CC_NO_STORE;
	return flags & (CC_NO_STORE | CC_PRIVATE | CC_BAD);
}

/* RFC 9111 §3.5 */
static bool is_shared_anyway(const struct fresh_response *r)
{
	return (r->cc.flags & (CC_PUBLIC | CC_MUST_REVALIDATE)) || r->cc.s_maxage != CC_ABSENT;
}

static bool is_useful(const struct fresh_response *r, const struct fresh_rules *rules)
{
	if (r->has_etag || r->last_modified != FRESH_ABSENT || r->cc.stale_while_revalidate > 0 ||
	    r->cc.stale_if_error > 0)
		return true;
	return !(r->cc.flags & CC_NO_CACHE) && fresh_lifetime_s(r, rules) > 0;
}

enum fresh_store fresh_may_store(const struct fresh_response *r, const struct fresh_rules *rules,
				 bool authorized)
{
	if (is_forbidden(r))
		return FRESH_NOT_ALLOWED;
	if (!is_status_storable(r))
		return FRESH_NOT_STATUS;
	if (authorized && !is_shared_anyway(r))
		return FRESH_NOT_SHARED;
	if (r->vary_never)
		return FRESH_NOT_MATCHING;
	if (r->sets_cookie && !(rules->store_set_cookie && is_explicit(r)))
		return FRESH_NOT_COOKIE;
	return is_useful(r, rules) ? FRESH_STORE : FRESH_NOT_USEFUL;
}

static int64_t date_of(const struct fresh_response *r)
{
	return r->date == FRESH_ABSENT ? r->received : r->date;
}

/* Errors that may be kept for a while although nobody said so. */
static bool is_negative(uint16_t status)
{
	return status >= 400 && fresh_is_heuristic_status(status);
}

/* RFC 9111 §4.2.2 */
static int64_t heuristic_s(const struct fresh_response *r, const struct fresh_rules *rules)
{
	int64_t since;

	if (r->last_modified == FRESH_ABSENT && is_negative(r->status))
		return rules->negative_s;
	if (r->last_modified == FRESH_ABSENT ||
	    (!fresh_is_heuristic_status(r->status) && !(r->cc.flags & CC_PUBLIC)))
		return 0;
	since = (date_of(r) - r->last_modified) / 100 * rules->heuristic_percent;
	if (since > rules->heuristic_max_s)
		since = rules->heuristic_max_s;
	return since > 0 ? since : 0;
}

/* RFC 9111 §4.2.1, in its order. What is given and wrong leaves nothing. */
int64_t fresh_lifetime_s(const struct fresh_response *r, const struct fresh_rules *rules)
{
	int64_t left;

	if (r->cc.flags & CC_BAD)
		return 0;
	if (r->cc.s_maxage != CC_ABSENT)
		return r->cc.s_maxage;
	if (r->cc.max_age != CC_ABSENT)
		return r->cc.max_age;
	if (r->targeted || r->expires == FRESH_ABSENT)
		return heuristic_s(r, rules);
	left = r->expires - date_of(r);
	if (left > CC_SECONDS_MAX)
		left = CC_SECONDS_MAX;
	return left > 0 ? left : 0;
}

/* RFC 9111 §4.2.3: the greater of what the clocks and what the Age fields say. */
static int64_t initial_age_us(const struct fresh_response *r, uint64_t delay_us)
{
	int64_t apparent = (r->received - date_of(r)) * SECOND_US;
	int64_t corrected = r->age * SECOND_US + (int64_t)delay_us;

	return apparent > corrected ? apparent : corrected;
}

void fresh_object_make(struct fresh_object *o, const struct fresh_response *r,
		       const struct fresh_rules *rules, uint64_t request_us, uint64_t response_us)
{
	*o = (struct fresh_object){
		.response_us = response_us,
		.initial_age_us = initial_age_us(r, response_us - request_us),
		.lifetime_s = fresh_lifetime_s(r, rules),
		.never_stale = (r->cc.flags & (CC_MUST_REVALIDATE | CC_PROXY_REVALIDATE)) ||
			       r->cc.s_maxage != CC_ABSENT,
		.always_validate = r->cc.flags & CC_NO_CACHE,
	};
	if (r->cc.stale_while_revalidate > 0)
		o->stale_while_revalidate_s = r->cc.stale_while_revalidate;
	o->stale_if_error_s =
		r->cc.stale_if_error != CC_ABSENT ? r->cc.stale_if_error : rules->stale_if_error_s;
}

int64_t fresh_age_us(const struct fresh_object *o, uint64_t now_us)
{
	return o->initial_age_us + (int64_t)(now_us - o->response_us);
}

/* Rounded down, so that 0 is already stale. */
int64_t fresh_ttl_s(const struct fresh_object *o, uint64_t now_us)
{
	int64_t left_us = o->lifetime_s * SECOND_US - fresh_age_us(o, now_us);

	return left_us >= 0 ? left_us / SECOND_US : -((SECOND_US - 1 - left_us) / SECOND_US);
}

/* RFC 9111 §5.2.1: what the request says about age. */
static bool is_refused_by_client(const struct cc *request, int64_t age_us, int64_t left_us)
{
	if (request->flags & (CC_NO_CACHE | CC_BAD))
		return true;
	if (request->max_age != CC_ABSENT && age_us > request->max_age * SECOND_US)
		return true;
	return request->min_fresh != CC_ABSENT && left_us < request->min_fresh * SECOND_US;
}

static bool is_stale_allowed(const struct fresh_object *o, const struct cc *request,
			     int64_t stale_us, bool fetching)
{
	if (o->never_stale)
		return false;
	if (request->flags & CC_MAX_STALE_ANY)
		return true;
	if (request->max_stale != CC_ABSENT && stale_us <= request->max_stale * SECOND_US)
		return true;
	return fetching && o->stale_while_revalidate_s &&
	       stale_us <= o->stale_while_revalidate_s * SECOND_US;
}

enum fresh_use fresh_judge(const struct fresh_object *o, const struct cc *request, uint64_t now_us,
			   bool fetching)
{
	int64_t age_us = fresh_age_us(o, now_us);
	int64_t left_us = o->lifetime_s * SECOND_US - age_us;

	if (is_refused_by_client(request, age_us, left_us))
		return FRESH_ASK_FOR_CLIENT;
	if (o->always_validate)
		return FRESH_ASK_AS_STALE;
	if (left_us > 0)
		return FRESH_USE;
	return is_stale_allowed(o, request, -left_us, fetching) ? FRESH_USE_STALE
								: FRESH_ASK_AS_STALE;
}

bool fresh_helps_on_error(const struct fresh_object *o, int64_t client_s, uint64_t now_us)
{
	int64_t most_s = client_s > o->stale_if_error_s ? client_s : o->stale_if_error_s;
	int64_t stale_us = fresh_age_us(o, now_us) - o->lifetime_s * SECOND_US;

	return !o->never_stale && !o->always_validate && most_s > 0 &&
	       stale_us <= most_s * SECOND_US;
}

void fresh_expire(struct fresh_object *o, uint64_t now_us)
{
	int64_t age_s = fresh_age_us(o, now_us) / SECOND_US;

	if (age_s < o->lifetime_s)
		o->lifetime_s = age_s;
}
