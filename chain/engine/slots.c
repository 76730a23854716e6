/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/engine/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/http/head.h"
#include "chain/ring/region.h"

#define ARG_UNIT 64 /* of a descriptor's reference to a head */

/* An eighth of the region is for large slots, one at least. */
static void slots_divide(struct slots *slots)
{
	uint64_t bytes = slots->region->bytes;

	slots->larges = (uint32_t)(bytes / 8 / SLOT_LARGE_BYTES);
	if (!slots->larges && bytes >= SLOT_LARGE_BYTES + 4 * SLOT_SMALL_STRIDE)
		slots->larges = 1;
	slots->smalls = (uint32_t)((bytes - (uint64_t)slots->larges * SLOT_LARGE_BYTES) /
				   SLOT_SMALL_STRIDE);
	slots->large_offset = (uint64_t)slots->smalls * SLOT_SMALL_STRIDE;
}

int slots_create(struct slots *slots, struct region *region)
{
	*slots = (struct slots){.region = region};
	slots_divide(slots);
	slots->free_small = calloc(slots->smalls + 1, sizeof(*slots->free_small));
	slots->free_large = calloc(slots->larges + 1, sizeof(*slots->free_large));
	if (!slots->free_small || !slots->free_large) {
		slots_destroy(slots);
		return -ENOMEM;
	}
	for (uint32_t i = slots->smalls; i-- > 0;)
		slots->free_small[slots->small_free++] = i;
	for (uint32_t i = slots->larges; i-- > 0;)
		slots->free_large[slots->large_free++] = i;
	return 0;
}

void slots_destroy(struct slots *slots)
{
	free(slots->free_small);
	free(slots->free_large);
	*slots = (struct slots){0};
}

static uint8_t *small_at(const struct slots *slots, uint32_t number)
{
	return slots->region->base + (uint64_t)number * SLOT_SMALL_STRIDE;
}

uint64_t slots_ref(const struct slots *slots, const void *ptr)
{
	return sluice_ref(slots->region->id,
			  (uint64_t)((const uint8_t *)ptr - slots->region->base));
}

uint32_t slots_arg(const struct slots *slots, const struct sluice_head *head)
{
	return (uint32_t)(sluice_ref_offset(slots_ref(slots, head)) / ARG_UNIT);
}

static struct sluice_head *head_open(struct slots *slots, void *at, uint32_t bytes, uint32_t fields)
{
	struct sluice_head *head = at;

	if (http_head_shape(head, slots_ref(slots, at), bytes, fields))
		return NULL;
	head->group = head->server = SLUICE_NONE16;
	return head;
}

static struct sluice_head *small_take(struct slots *slots)
{
	uint32_t number = slots->free_small[--slots->small_free];

	return head_open(slots, small_at(slots, number), SLOT_SMALL_BYTES, SLOT_SMALL_FIELDS);
}

struct sluice_head *slots_small_bare(struct slots *slots)
{
	return slots->small_free > slots->reserved ? small_take(slots) : NULL;
}

static struct sluice_head *cleared(struct sluice_head *head)
{
	if (head)
		http_head_clear(head);
	return head;
}

struct sluice_head *slots_small(struct slots *slots)
{
	return cleared(slots_small_bare(slots));
}

bool slots_reserve(struct slots *slots)
{
	if (slots->small_free <= slots->reserved)
		return false;
	slots->reserved++;
	return true;
}

void slots_unreserve(struct slots *slots)
{
	slots->reserved--;
}

struct sluice_head *slots_small_reserved_bare(struct slots *slots)
{
	slots->reserved--;
	return small_take(slots);
}

struct sluice_head *slots_small_reserved(struct slots *slots)
{
	return cleared(slots_small_reserved_bare(slots));
}

struct sluice_head *slots_large(struct slots *slots, uint32_t fields)
{
	uint32_t most =
		(SLOT_LARGE_BYTES - HTTP_HEAD_BYTES_MAX - (uint32_t)sizeof(struct sluice_head)) /
		(uint32_t)sizeof(struct sluice_field);
	uint32_t number;

	if (!slots->large_free)
		return NULL;
	number = slots->free_large[--slots->large_free];
	return cleared(head_open(slots,
				 slots->region->base + slots->large_offset +
					 (uint64_t)number * SLOT_LARGE_BYTES,
				 SLOT_LARGE_BYTES, fields < most ? fields : most));
}

static uint64_t offset_of(const struct slots *slots, const void *ptr)
{
	return (uint64_t)((const uint8_t *)ptr - slots->region->base);
}

bool slots_is_small(const struct slots *slots, const struct sluice_head *head)
{
	return offset_of(slots, head) < slots->large_offset;
}

void slots_free(struct slots *slots, struct sluice_head *head)
{
	uint64_t offset = offset_of(slots, head);

	if (slots_is_small(slots, head))
		slots->free_small[slots->small_free++] = (uint32_t)(offset / SLOT_SMALL_STRIDE);
	else
		slots->free_large[slots->large_free++] =
			(uint32_t)((offset - slots->large_offset) / SLOT_LARGE_BYTES);
}

/* The same head with another text area and another number of fields. */
static void head_move(struct sluice_head *to, const struct sluice_head *from)
{
	struct sluice_head shape = *to;

	memcpy(to, from, sizeof(*from));
	to->text_off = shape.text_off;
	to->text_size = shape.text_size;
	to->fields_size = shape.fields_size;
	to->base[0] = shape.base[0];
	memcpy(to->field, from->field, from->fields * sizeof(from->field[0]));
	memcpy((uint8_t *)to + to->text_off, (const uint8_t *)from + from->text_off,
	       from->text_used);
}

struct sluice_head *slots_grow(struct slots *slots, struct sluice_head *head)
{
	struct sluice_head *large;

	if (!slots_is_small(slots, head))
		return NULL;
	large = slots_large(slots, UINT32_MAX);
	if (!large)
		return NULL;
	head_move(large, head);
	slots_free(slots, head);
	return large;
}

/* A quarter of all stays for heads that come. */
static bool plenty(const struct slots *slots)
{
	return slots->small_free > slots->reserved + slots->smalls / 4;
}

static bool fits(const struct sluice_head *to, const struct sluice_head *from)
{
	return from->fields <= to->fields_size && from->text_used <= to->text_size;
}

struct sluice_head *slots_copy_head(struct slots *slots, const struct sluice_head *head)
{
	struct sluice_head *copy = plenty(slots) ? small_take(slots) : NULL;

	if (copy && !fits(copy, head)) {
		slots_free(slots, copy);
		copy = slots_large(slots, UINT32_MAX);
	}
	if (copy)
		head_move(copy, head);
	return copy;
}

uint32_t slots_copy_take(struct slots *slots, uint8_t **bytes)
{
	uint32_t number;

	if (slots->small_free <= slots->reserved || slots->small_free < slots->smalls / 4 * 3)
		return UINT32_MAX;
	number = slots->free_small[--slots->small_free];
	*bytes = small_at(slots, number);
	return number;
}

void slots_copy_free(struct slots *slots, uint32_t slot)
{
	slots->free_small[slots->small_free++] = slot;
}

uint32_t slots_used(const struct slots *slots)
{
	return slots_total(slots) - slots->small_free - slots->large_free;
}

uint32_t slots_total(const struct slots *slots)
{
	return slots->smalls + slots->larges;
}
