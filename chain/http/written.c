/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/written.h"

#include <string.h>

#include "chain/http/mix.h"

static int write_anew(const struct sluice_head *head, const struct http_memory *memory,
		      const struct http_write *how, uint8_t *out, uint32_t size)
{
	return head->response ? http_write_response(head, memory, how, out, size)
			      : http_write_request(head, memory, how, out, size);
}

/* The caller's host would stand in it. */
static bool may_be_kept(const struct sluice_head *head)
{
	return head->same && (head->response || head->host.len > 0);
}

static struct http_written *place_of(struct http_writtens *writtens, const struct sluice_head *head,
				     const struct http_write *how)
{
	uint64_t mixed = head->same * 5 + how->length + how->connection;

	return &writtens->at[(http_mix_end(mixed) >> 40) % HTTP_WRITTENS];
}

static bool is_it(const struct http_written *written, const struct sluice_head *head,
		  const struct http_write *how)
{
	return written->same == head->same && written->length == how->length &&
	       written->framing == how->framing && written->connection == how->connection &&
	       written->dated == (how->date != NULL);
}

/* The line behind the first one. */
static uint16_t date_off(const struct sluice_head *head, const struct http_write *how,
			 const uint8_t *text, uint32_t len)
{
	const uint8_t *end;

	if (!head->response || !how->date || head->first[SLUICE_FIELD_DATE] != SLUICE_NONE16)
		return 0;
	end = memchr(text, '\n', len);
	return (uint16_t)(end + 1 + strlen("Date: ") - text);
}

static void keep(struct http_written *written, const struct sluice_head *head,
		 const struct http_write *how, const uint8_t *text, uint32_t len)
{
	if (len > HTTP_WRITTEN_BYTES)
		return;
	written->same = head->same;
	written->length = how->length;
	written->framing = how->framing;
	written->connection = how->connection;
	written->dated = how->date != NULL;
	written->bytes = (uint16_t)len;
	written->date_off = date_off(head, how, text, len);
	memcpy(written->text, text, len);
}

int http_writtens_head(struct http_writtens *writtens, const struct sluice_head *head,
		       const struct http_memory *memory, const struct http_write *how, uint8_t *out,
		       uint32_t size)
{
	struct http_written *written;
	int len;

	if (!may_be_kept(head))
		return write_anew(head, memory, how, out, size);
	written = place_of(writtens, head, how);
	if (is_it(written, head, how) && written->bytes <= size) {
		memcpy(out, written->text, written->bytes);
		if (written->date_off)
			memcpy(out + written->date_off, how->date, HTTP_DATE_BYTES);
		return written->bytes;
	}
	len = write_anew(head, memory, how, out, size);
	if (len > 0)
		keep(written, head, how, out, (uint32_t)len);
	return len;
}
