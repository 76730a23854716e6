/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the references of a head to bytes.
 *
 * The text of a head stands in RX payload (base[1] and up) and in the head's own text
 * area (base[0]). The codec keeps no pointers to payload: whoever calls gives the means
 * to find them. The references were made by the codec and are trusted.
 *
 * Threads: that of the head.
 */
#ifndef CHAIN_HTTP_TEXT_H
#define CHAIN_HTTP_TEXT_H

#include <stdint.h>

#include <sluice/abi.h>

struct http_memory {
	const uint8_t *(*at)(void *ctx,
			     uint64_t ref); /* never NULL for a reference of a live head */
	void *ctx;
};

/* A run of bytes that is not owned. */
struct http_bytes {
	const uint8_t *data;
	uint32_t len;
};

static inline const uint8_t *http_at(const struct http_memory *memory,
				     const struct sluice_head *head, uint16_t base, uint16_t off)
{
	if (base == 0)
		return (const uint8_t *)head + head->text_off + off;
	return memory->at(memory->ctx, head->base[base] + off);
}

static inline struct http_bytes http_text(const struct http_memory *memory,
					  const struct sluice_head *head, struct sluice_text text)
{
	if (text.len == 0)
		return (struct http_bytes){(const uint8_t *)"", 0};
	return (struct http_bytes){http_at(memory, head, text.base, text.off), text.len};
}

static inline struct http_bytes http_name(const struct http_memory *memory,
					  const struct sluice_head *head, uint16_t field)
{
	const struct sluice_field *f = &head->field[field];
	return http_text(memory, head,
			 (struct sluice_text){f->name_off, f->name_len, f->name_base});
}

static inline struct http_bytes http_value(const struct http_memory *memory,
					   const struct sluice_head *head, uint16_t field)
{
	const struct sluice_field *f = &head->field[field];
	return http_text(memory, head,
			 (struct sluice_text){f->value_off, f->value_len, f->value_base});
}

#endif
