/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/field.h"

#include <string.h>

enum { HOP = SLUICE_FIELD_HOP, FRAMING = SLUICE_FIELD_FRAMING, SINGLE = SLUICE_FIELD_SINGLE };

struct known {
	const char *name;
	uint8_t len;
};

static const struct known fields[SLUICE_FIELD_COUNT] = {
	[SLUICE_FIELD_OTHER] = {"", 0},
#define FIELD(id, name, flags) [SLUICE_FIELD_##id] = {name, sizeof(name) - 1},
#include <sluice/fields.def>
#undef FIELD
};

const uint8_t http_field_flags_of[SLUICE_FIELD_COUNT] = {
#define FIELD(id, name, flags) [SLUICE_FIELD_##id] = flags,
#include <sluice/fields.def>
#undef FIELD
};

/* The names once more, ready to be compared eight bytes at a time, and where they have letters: a
 * letter is equal in either case, everything else only as it is. */
#define NAME_BYTES 40
static struct {
	uint8_t name[NAME_BYTES];
	uint8_t letters[NAME_BYTES]; /* 0x20 at each */
} ready[SLUICE_FIELD_COUNT];

static void make_ready(uint32_t id)
{
	memcpy(ready[id].name, fields[id].name, fields[id].len);
	for (uint32_t i = 0; i < fields[id].len; i++)
		if (fields[id].name[i] >= 'a' && fields[id].name[i] <= 'z')
			ready[id].letters[i] = 0x20;
}

#define FIELD(id, name, flags) _Static_assert(sizeof(name) <= NAME_BYTES, "a name fits");
#include <sluice/fields.def>
#undef FIELD

static bool word_is(const uint8_t *name, uint16_t id, uint32_t at)
{
	return (http_load64(name + at) | http_load64(ready[id].letters + at)) ==
	       http_load64(ready[id].name + at);
}

/* Fewer than eight bytes. */
static bool short_is(const uint8_t *name, uint16_t id, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if ((name[i] | ready[id].letters[i]) != ready[id].name[i])
			return false;
	return true;
}

/* Of the same length. The last eight bytes overlap those before. */
static bool name_is(const uint8_t *name, uint16_t id, uint32_t len)
{
	if (len < sizeof(uint64_t))
		return short_is(name, id, len);
	for (uint32_t i = 0; i + sizeof(uint64_t) < len; i += sizeof(uint64_t))
		if (!word_is(name, id, i))
			return false;
	return word_is(name, id, len - (uint32_t)sizeof(uint64_t));
}

/* Open addressing, at most 38% full; filled before main and constant from then on. 0: free. */
#define SLOTS 256
static uint8_t slots[SLOTS];

/* Sees the letters without their case: what else it confuses, the comparison tells apart. */
static uint32_t slot_of(const uint8_t *name, uint32_t len)
{
	uint32_t ends = (name[0] | 0x20u) | (name[len - 1] | 0x20u) << 8;
	uint32_t middle = (name[len / 2] | 0x20u) << 16;

	return ((ends | middle | len << 24) * 0x9e3779b1u) >> 24;
}

__attribute__((constructor)) static void fill_slots(void)
{
	for (uint32_t id = 1; id < SLUICE_FIELD_COUNT; id++) {
		uint32_t slot = slot_of((const uint8_t *)fields[id].name, fields[id].len);

		while (slots[slot] != 0)
			slot = (slot + 1) % SLOTS;
		slots[slot] = (uint8_t)id;
		make_ready(id);
	}
}

bool http_field_is(uint16_t id, const uint8_t *name, uint32_t len)
{
	return id > SLUICE_FIELD_OTHER && id < SLUICE_FIELD_COUNT && fields[id].len == len &&
	       name_is(name, id, len);
}

uint16_t http_field_id(const uint8_t *name, uint32_t len)
{
	uint32_t slot;

	if (len == 0)
		return SLUICE_FIELD_OTHER;
	for (slot = slot_of(name, len); slots[slot] != 0; slot = (slot + 1) % SLOTS)
		if (http_field_is(slots[slot], name, len))
			return slots[slot];
	return SLUICE_FIELD_OTHER;
}

const char *http_field_name(uint16_t id)
{
	return id < SLUICE_FIELD_COUNT ? fields[id].name : "";
}

/* RFC 9110 §6.5.1 names the kinds; these are the known fields of each. */
static const bool no_trailer[SLUICE_FIELD_COUNT] = {
	/* routing */
	[SLUICE_FIELD_HOST] = true,
	[SLUICE_FIELD_FORWARDED] = true,
	[SLUICE_FIELD_X_FORWARDED_FOR] = true,
	[SLUICE_FIELD_X_FORWARDED_HOST] = true,
	[SLUICE_FIELD_X_FORWARDED_PROTO] = true,
	/* request modifiers */
	[SLUICE_FIELD_CACHE_CONTROL] = true,
	[SLUICE_FIELD_EXPECT] = true,
	[SLUICE_FIELD_MAX_FORWARDS] = true,
	[SLUICE_FIELD_PRAGMA] = true,
	[SLUICE_FIELD_RANGE] = true,
	[SLUICE_FIELD_IF_MATCH] = true,
	[SLUICE_FIELD_IF_MODIFIED_SINCE] = true,
	[SLUICE_FIELD_IF_NONE_MATCH] = true,
	[SLUICE_FIELD_IF_RANGE] = true,
	[SLUICE_FIELD_IF_UNMODIFIED_SINCE] = true,
	/* authentication */
	[SLUICE_FIELD_AUTHORIZATION] = true,
	[SLUICE_FIELD_WWW_AUTHENTICATE] = true,
	[SLUICE_FIELD_COOKIE] = true,
	[SLUICE_FIELD_SET_COOKIE] = true,
	/* response control */
	[SLUICE_FIELD_AGE] = true,
	[SLUICE_FIELD_DATE] = true,
	[SLUICE_FIELD_EXPIRES] = true,
	[SLUICE_FIELD_LOCATION] = true,
	[SLUICE_FIELD_RETRY_AFTER] = true,
	[SLUICE_FIELD_VARY] = true,
	[SLUICE_FIELD_WARNING] = true,
	[SLUICE_FIELD_CDN_CACHE_CONTROL] = true,
	[SLUICE_FIELD_SURROGATE_CONTROL] = true,
	/* content format */
	[SLUICE_FIELD_CONTENT_ENCODING] = true,
	[SLUICE_FIELD_CONTENT_RANGE] = true,
	[SLUICE_FIELD_CONTENT_TYPE] = true,
	[SLUICE_FIELD_TRAILER] = true,
};

bool http_field_forbidden_in_trailers(uint16_t id)
{
	if (id >= SLUICE_FIELD_COUNT)
		return false;
	return no_trailer[id] || (http_field_flags(id) & (HOP | FRAMING)) != 0;
}

#define METHOD(id) [SLUICE_METHOD_##id] = {#id, sizeof(#id) - 1}

static const struct known methods[] = {
	[SLUICE_METHOD_OTHER] = {"", 0},
	METHOD(GET),
	METHOD(HEAD),
	METHOD(POST),
	METHOD(PUT),
	METHOD(DELETE),
	METHOD(CONNECT),
	METHOD(OPTIONS),
	METHOD(TRACE),
	METHOD(PATCH),
	METHOD(PURGE),
};
#define METHODS (sizeof methods / sizeof methods[0])

uint8_t http_method_id(const uint8_t *name, uint32_t len)
{
	for (uint32_t id = 1; id < METHODS; id++)
		if (methods[id].len == len && memcmp(methods[id].name, name, len) == 0)
			return (uint8_t)id;
	return SLUICE_METHOD_OTHER;
}

const char *http_method_name(uint8_t method)
{
	return method < METHODS ? methods[method].name : "";
}

bool http_method_idempotent(uint8_t method)
{
	switch (method) {
	case SLUICE_METHOD_GET:
	case SLUICE_METHOD_HEAD:
	case SLUICE_METHOD_PUT:
	case SLUICE_METHOD_DELETE:
	case SLUICE_METHOD_OPTIONS:
	case SLUICE_METHOD_TRACE:
		return true;
	default:
		return false;
	}
}
