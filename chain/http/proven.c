/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/proven.h"

#include <string.h>

#include "chain/http/edit.h"
#include "chain/http/mix.h"

static bool may_be_kept(uint32_t len)
{
	return len >= sizeof(struct sluice_edit) && len <= HTTP_PROVEN_BYTES;
}

/* Lists differ in their length or in values: mostly at the end, or in the middle. One that comes to
 * the place of another goes the whole way. */
static struct http_proven_list *place_of(struct http_provens *provens, const uint8_t *edits,
					 uint32_t len)
{
	uint64_t mixed = (http_load64(edits + len - 8) << 1) + http_load64(edits + (len - 8) / 2) +
			 http_load64(edits + (len - 8) / 4) + len;

	return &provens->at[(http_mix_end(mixed) >> 40) % HTTP_PROVENS];
}

static bool is_it(const struct http_proven_list *known, const uint8_t *edits, uint32_t len)
{
	return known->len == len && memcmp(known->list, edits, len) == 0;
}

/* A list comes to be kept when it comes the second time. */
static void keep(struct http_proven_list *place, const uint8_t *edits, uint32_t len)
{
	uint64_t mixed = http_mix(edits, len);

	if (place->seen != mixed) {
		place->seen = mixed;
		return;
	}
	place->len = 0;
	if (!http_edits_prove(edits, len, &place->proven))
		return;
	place->proven.asks_otherwise = http_edits_ask_otherwise(edits, len);
	place->len = len;
	memcpy(place->list, edits, len);
}

static int apply_anew(struct sluice_head *head, const struct http_memory *memory,
		      const uint8_t *edits, uint32_t len, struct http_edited *edited)
{
	int rc = http_edits_apply(head, memory, edits, len, &edited->error);

	if (!rc)
		edited->asks_otherwise = http_edits_ask_otherwise(edits, len);
	return rc;
}

int http_provens_apply(struct http_provens *provens, struct sluice_head *head,
		       const struct http_memory *memory, const uint8_t *edits, uint32_t len,
		       struct http_edited *edited)
{
	struct http_proven_list *place;
	int rc;

	if (!may_be_kept(len))
		return apply_anew(head, memory, edits, len, edited);
	place = place_of(provens, edits, len);
	if (is_it(place, edits, len) && http_edits_apply_proven(head, memory, &place->proven)) {
		*edited = (struct http_edited){.asks_otherwise = place->proven.asks_otherwise};
		return 0;
	}
	rc = apply_anew(head, memory, edits, len, edited);
	if (!rc)
		keep(place, edits, len);
	return rc;
}
