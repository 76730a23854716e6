/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/common/accept.h"

#include <string.h>

#include "nf/common/list.h"
#include "nf/common/str.h"

#define WEIGHT_ONE     1000
#define IDENTITY_NAMED (1u << 31)

void accept_init(struct accept_reading *reading, const char *const *names, unsigned count)
{
	*reading = (struct accept_reading){.name = names, .count = count};
}

/* RFC 9110 §12.4.2: "0", "1", and up to three digits after a point. -1: something else. */
static int weight_of(struct sluice_str text)
{
	unsigned digits = 0, unit = 100;
	int weight;

	if (text.len == 0 || (text.ptr[0] != '0' && text.ptr[0] != '1') || text.len > 5)
		return -1;
	weight = text.ptr[0] == '1' ? WEIGHT_ONE : 0;
	if (text.len > 1 && text.ptr[1] != '.')
		return -1;
	for (digits = 2; digits < text.len; ++digits, unit /= 10) {
		if (!str_is_digit(text.ptr[digits]))
			return -1;
		weight += (text.ptr[digits] - '0') * (int)unit;
	}
	return weight <= WEIGHT_ONE ? weight : -1;
}

/* "gzip;q=0.5" in its two parts. False: it is not to be understood, and so does not count. */
static bool split(struct sluice_str element, struct sluice_str *name, unsigned *weight)
{
	const char *semicolon = memchr(element.ptr, ';', element.len);
	struct sluice_str rest;
	int found = WEIGHT_ONE;

	*name = element;
	if (semicolon) {
		name->len = (uint32_t)(semicolon - element.ptr);
		rest = str_trim(str_skip(element, name->len + 1));
		if (rest.len < 2 || str_lower(rest.ptr[0]) != 'q' || rest.ptr[1] != '=')
			return false;
		found = weight_of(str_skip(rest, 2));
	}
	*name = str_trim(*name);
	*weight = found < 0 ? 0 : (unsigned)found;
	return found >= 0 && name->len > 0;
}

/* RFC 9110 §8.4.1.3: "x-gzip" is "gzip". */
static bool is_coding(struct sluice_str text, const char *name)
{
	if (text.len > 2 && str_equal_nocase(str_make(text.ptr, 2), sluice_str("x-")) &&
	    strcmp(name, "gzip") == 0)
		text = str_skip(text, 2);
	return str_equal_nocase(text, sluice_str(name));
}

static void take(struct accept_reading *reading, struct sluice_str name, unsigned weight)
{
	if (str_equal(name, sluice_str("*"))) {
		reading->any = weight;
		reading->any_named = true;
	}
	if (str_equal_nocase(name, sluice_str("identity"))) {
		reading->accept.identity = weight;
		reading->named |= IDENTITY_NAMED;
	}
	for (unsigned i = 0; i < reading->count; ++i) {
		if (!is_coding(name, reading->name[i]))
			continue;
		reading->accept.weight[i] = weight;
		reading->named |= 1u << i;
	}
}

void accept_take(struct accept_reading *reading, struct sluice_str value)
{
	struct sluice_str element, name;
	unsigned weight;

	while (list_next(&value, &element))
		if (split(element, &name, &weight))
			take(reading, name, weight);
}

struct accept accept_end(struct accept_reading *reading)
{
	for (unsigned i = 0; i < reading->count; ++i)
		if (!(reading->named & 1u << i))
			reading->accept.weight[i] = reading->any;
	if (!(reading->named & IDENTITY_NAMED))
		reading->accept.identity = reading->any_named ? reading->any : 1;
	return reading->accept;
}

int accept_best(const struct accept *accept, unsigned count)
{
	int best = -1;

	for (unsigned i = 0; i < count; ++i)
		if (accept->weight[i] > 0 && accept->weight[i] >= accept->identity &&
		    (best < 0 || accept->weight[i] > accept->weight[best]))
			best = (int)i;
	return best;
}
