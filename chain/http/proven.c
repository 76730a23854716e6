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

	return &provens->at[(mixed * UINT64_C(0x9e3779b97f4a7c15) >> 40) % HTTP_PROVENS];
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
	place->len = len;
	memcpy(place->list, edits, len);
}

int http_provens_apply(struct http_provens *provens, struct sluice_head *head,
		       const struct http_memory *memory, const uint8_t *edits, uint32_t len,
		       enum http_error *error)
{
	struct http_proven_list *place;
	int rc;

	if (!may_be_kept(len))
		return http_edits_apply(head, memory, edits, len, error);
	place = place_of(provens, edits, len);
	if (is_it(place, edits, len) && http_edits_apply_proven(head, memory, &place->proven)) {
		*error = HTTP_OK;
		return 0;
	}
	rc = http_edits_apply(head, memory, edits, len, error);
	if (!rc)
		keep(place, edits, len);
	return rc;
}
