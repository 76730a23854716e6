/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of header fields and their numbers, by a small hash of length and end letters. */
#include <string.h>
#include <strings.h>

#include "nf/sdk/core.h"

struct known {
	const char *name;
	uint8_t len;
	uint8_t flags;
};

#define HOP     SLUICE_FIELD_HOP
#define FRAMING SLUICE_FIELD_FRAMING
#define SINGLE  SLUICE_FIELD_SINGLE
static const struct known known[SLUICE_FIELD_COUNT] = {
#define FIELD(id, text, bits) [SLUICE_FIELD_##id] = {text, sizeof(text) - 1, bits},
#include <sluice/fields.def>
#undef FIELD
};
#undef HOP
#undef FRAMING
#undef SINGLE

/* The names once more, to be compared eight bytes at a time, and 0x20 where they have letters:
 * those are equal in either case, everything else only as it is. */
#define NAME_BYTES 40
static char spelled[SLUICE_FIELD_COUNT][NAME_BYTES], letters[SLUICE_FIELD_COUNT][NAME_BYTES];

static void spell(unsigned id)
{
	for (unsigned i = 0; i < known[id].len; i++) {
		spelled[id][i] = known[id].name[i];
		letters[id][i] = known[id].name[i] >= 'a' ? 0x20 : 0;
	}
}

static bool word_is(unsigned id, const char *name, uint32_t at)
{
	uint64_t word, mask, expected;

	memcpy(&word, name + at, sizeof(word));
	memcpy(&mask, letters[id] + at, sizeof(mask));
	memcpy(&expected, spelled[id] + at, sizeof(expected));
	return (word | mask) == expected;
}

/* Of the same length. The last eight bytes overlap those before. */
static bool name_is(unsigned id, struct sluice_str name)
{
	if (name.len < sizeof(uint64_t))
		return strncasecmp(known[id].name, name.ptr, name.len) == 0;
	for (uint32_t i = 0; i + sizeof(uint64_t) < name.len; i += sizeof(uint64_t))
		if (!word_is(id, name.ptr, i))
			return false;
	return word_is(id, name.ptr, name.len - (uint32_t)sizeof(uint64_t));
}

/* Chains of known names with the same hash; made by the first who looks. */
static uint8_t bucket[256], after[SLUICE_FIELD_COUNT];

static uint8_t hash(const char *name, uint32_t len)
{
	return (uint8_t)(len * 37 + (name[0] | 0x20) * 7 + (name[len - 1] | 0x20) * 13 +
			 (name[len / 2] | 0x20));
}

static void buckets_fill(void)
{
	for (unsigned id = SLUICE_FIELD_COUNT - 1; id > SLUICE_FIELD_OTHER; id--) {
		uint8_t h = hash(known[id].name, known[id].len);

		after[id] = bucket[h];
		bucket[h] = (uint8_t)id;
		spell(id);
	}
}

enum sluice_field_id field_id(struct sluice_str name)
{
	static bool filled;

	if (!filled) {
		buckets_fill();
		filled = true;
	}
	if (!name.len)
		return SLUICE_FIELD_OTHER;
	for (unsigned id = bucket[hash(name.ptr, name.len)]; id; id = after[id]) {
		if (known[id].len == name.len && name_is(id, name))
			return (enum sluice_field_id)id;
	}
	return SLUICE_FIELD_OTHER;
}

unsigned field_flags(enum sluice_field_id id)
{
	return known[id].flags;
}

bool sluice_str_equal(struct sluice_str a, struct sluice_str b)
{
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

bool sluice_str_equal_nocase(struct sluice_str a, struct sluice_str b)
{
	return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}
