/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heads as they were written, kept for the next one that says the same.
 *
 * What http_write_request and http_write_response make of a head depends on what it says and how it
 * is to be written: so the text of a head that has a number (content.h) is copied when it was
 * written so before. Of what is added without the head, only the date is another one each time: it
 * is put where it stood.
 *
 * Threads: that of the heads.
 */
#ifndef CHAIN_HTTP_WRITTEN_H
#define CHAIN_HTTP_WRITTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "chain/http/write.h"

#define HTTP_WRITTEN_BYTES 1024
#define HTTP_WRITTENS      64

struct http_written {
	uint64_t same; /* 0: free */
	uint64_t length;
	uint8_t framing, connection;
	bool dated; /* a date was there to be added */
	uint16_t bytes;
	uint16_t date_off; /* 0: none was */
	uint8_t text[HTTP_WRITTEN_BYTES];
};

struct http_writtens {
	struct http_written at[HTTP_WRITTENS];
};

/* Writes a head, as write.h does. */
int http_writtens_head(struct http_writtens *writtens, const struct sluice_head *head,
		       const struct http_memory *memory, const struct http_write *how, uint8_t *out,
		       uint32_t size);

#endif
