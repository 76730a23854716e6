/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain/http/field.h"

#define CRLF       "\r\n"
#define DATE_BYTES 29 /* IMF-fixdate: RFC 9110 §5.6.7 */

/* The caller's buffer. Once something did not fit, it ends there. */
struct sink {
	uint8_t *start, *at, *end;
	bool full;
};

static struct sink sink_of(uint8_t *out, uint32_t size)
{
	return (struct sink){out, out, out + size, false};
}

/* Inline: nearly all that is put is a text of known length. */
static inline __attribute__((always_inline)) void put(struct sink *sink, const void *data,
						      uint32_t len)
{
	if (len > (size_t)(sink->end - sink->at)) {
		sink->end = sink->at;
		sink->full = true;
		return;
	}
	memcpy(sink->at, data, len);
	sink->at += len;
}

static inline __attribute__((always_inline)) void put_text(struct sink *sink, const char *text)
{
	put(sink, text, (uint32_t)strlen(text));
}

static void put_bytes(struct sink *sink, struct http_bytes bytes)
{
	if (bytes.len > 0)
		put(sink, bytes.data, bytes.len);
}

static void put_decimal(struct sink *sink, uint64_t number)
{
	char digits[20];
	uint32_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put(sink, digits + at, (uint32_t)sizeof digits - at);
}

static void put_hex(struct sink *sink, uint64_t number)
{
	char digits[16];
	uint32_t at = sizeof digits;

	do {
		digits[--at] = "0123456789abcdef"[number & 15];
		number >>= 4;
	} while (number > 0);
	put(sink, digits + at, (uint32_t)sizeof digits - at);
}

static int written(const struct sink *sink)
{
	return sink->full ? -ENOSPC : (int)(sink->at - sink->start);
}

/* --- heads -------------------------------------------------------------------- */

/* More than everything that does not come from the head itself: the version, three digits of
 * status and the longest reason, a date, and the longest framing and connection fields. */
#define OWN_BYTES 256

uint32_t http_write_bound(const struct sluice_head *head, const struct http_write *how)
{
	uint32_t bytes = OWN_BYTES + head->method_text.len + head->target.len + head->host.len +
			 head->reason.len + how->host.len;

	for (uint16_t i = 0; i < head->fields; i++)
		bytes += head->field[i].name_len + head->field[i].value_len + 4u;
	return bytes;
}

/* RFC 9110 §7.6.1. Host is written apart; in a response it means nothing. */
static bool is_forwarded(uint16_t id, const struct http_write *how)
{
	if (id == SLUICE_FIELD_UPGRADE)
		return how->connection == HTTP_CONNECTION_UPGRADE;
	return id != SLUICE_FIELD_HOST &&
	       (http_field_flags(id) & (SLUICE_FIELD_HOP | SLUICE_FIELD_FRAMING)) == 0;
}

/* Where its line would end if its text stood as it is written: "name: value", CRLF. */
static uint32_t line_end(const struct sluice_field *field)
{
	return field->value_off + field->value_len + 2u;
}

/* In the slot's own text area two bytes more may not be there. */
static bool may_be_line(const struct sluice_head *head, const struct sluice_field *field)
{
	return field->name_base == field->value_base &&
	       field->value_off == field->name_off + field->name_len + 2 &&
	       (field->name_base != 0 || line_end(field) <= head->text_used);
}

/* The field at `name` does stand so, byte for byte. */
static bool is_line(const struct sluice_field *field, const uint8_t *name)
{
	return memcmp(name + field->name_len, ": ", 2) == 0 &&
	       memcmp(name + field->name_len + 2 + field->value_len, CRLF, 2) == 0;
}

/* Lines that stand one after the other as they are to be written, from field `*i` on: those are
 * copied at once, and `*i` is the last one. NULL: the first does not. */
static const uint8_t *lines_from(const struct sluice_head *head, const struct http_memory *memory,
				 const struct http_write *how, uint16_t *i, uint32_t *len)
{
	const struct sluice_field *field = &head->field[*i], *next = field + 1;
	const uint8_t *first;

	if (!may_be_line(head, field))
		return NULL;
	first = http_at(memory, head, field->name_base, field->name_off);
	if (!is_line(field, first))
		return NULL;
	*len = line_end(field) - field->name_off;
	for (; *i + 1 < head->fields && next->name_base == field->name_base &&
	       next->name_off == line_end(next - 1) && is_forwarded(next->id, how) &&
	       may_be_line(head, next) && is_line(next, first + *len);
	     (*i)++, next++)
		*len += line_end(next) - next->name_off;
	return first;
}

static void put_fields(struct sink *sink, const struct sluice_head *head,
		       const struct http_memory *memory, const struct http_write *how)
{
	for (uint16_t i = 0; i < head->fields; i++) {
		const uint8_t *lines;
		uint32_t len;

		if (!is_forwarded(head->field[i].id, how))
			continue;
		lines = lines_from(head, memory, how, &i, &len);
		if (lines != NULL) {
			put(sink, lines, len);
			continue;
		}
		put_bytes(sink, http_name(memory, head, i));
		put(sink, ": ", 2);
		put_bytes(sink, http_value(memory, head, i));
		put(sink, CRLF, 2);
	}
}

static void put_framing(struct sink *sink, const struct http_write *how)
{
	if (how->framing == HTTP_BODY_CHUNKED)
		put_text(sink, "Transfer-Encoding: chunked" CRLF);
	if (how->framing != HTTP_BODY_LENGTH)
		return;
	put_text(sink, "Content-Length: ");
	put_decimal(sink, how->length);
	put(sink, CRLF, 2);
}

static void put_connection(struct sink *sink, uint8_t connection)
{
	switch (connection) {
	case HTTP_CONNECTION_CLOSE:
		put_text(sink, "Connection: close" CRLF);
		return;
	case HTTP_CONNECTION_KEEP_ALIVE:
		put_text(sink, "Connection: keep-alive" CRLF);
		return;
	case HTTP_CONNECTION_UPGRADE:
		put_text(sink, "Connection: upgrade" CRLF);
		return;
	default:
		return;
	}
}

static void put_rest(struct sink *sink, const struct sluice_head *head,
		     const struct http_memory *memory, const struct http_write *how)
{
	put_fields(sink, head, memory, how);
	put_framing(sink, how);
	put_connection(sink, how->connection);
	put(sink, CRLF, 2);
}

/* RFC 9112 §3.2: always there, empty when nobody knows the host. */
static void put_host(struct sink *sink, const struct sluice_head *head,
		     const struct http_memory *memory, const struct http_write *how)
{
	struct http_bytes host = how->host;

	if (head->host.len > 0)
		host = http_text(memory, head, head->host);
	put_text(sink, host.len > 0 ? "Host: " : "Host:");
	put_bytes(sink, host);
	put(sink, CRLF, 2);
}

int http_write_request(const struct sluice_head *head, const struct http_memory *memory,
		       const struct http_write *how, uint8_t *out, uint32_t size)
{
	struct sink sink = sink_of(out, size);

	if (how->framing == HTTP_BODY_UNTIL_CLOSE)
		return -EINVAL;
	put_bytes(&sink, http_text(memory, head, head->method_text));
	put(&sink, " ", 1);
	put_bytes(&sink, http_text(memory, head, head->target));
	put_text(&sink, " HTTP/1.1" CRLF);
	put_host(&sink, head, memory, how);
	put_rest(&sink, head, memory, how);
	return written(&sink);
}

static void put_status_line(struct sink *sink, uint16_t status)
{
	const char digits[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
			       (char)('0' + status % 10), ' '};

	put_text(sink, "HTTP/1.1 ");
	put(sink, digits, sizeof digits);
}

static void put_date(struct sink *sink, const char *date)
{
	if (date == NULL)
		return;
	put_text(sink, "Date: ");
	put(sink, date, DATE_BYTES);
	put(sink, CRLF, 2);
}

int http_write_response(const struct sluice_head *head, const struct http_memory *memory,
			const struct http_write *how, uint8_t *out, uint32_t size)
{
	struct sink sink = sink_of(out, size);

	put_status_line(&sink, head->status);
	if (head->reason.len > 0)
		put_bytes(&sink, http_text(memory, head, head->reason));
	else
		put_text(&sink, http_status_reason(head->status));
	put(&sink, CRLF, 2);
	if (head->first[SLUICE_FIELD_DATE] == SLUICE_NONE16)
		put_date(&sink, how->date);
	put_rest(&sink, head, memory, how);
	return written(&sink);
}

/* --- chunks --------------------------------------------------------------------- */

int http_write_chunk(bool first, uint64_t bytes, uint8_t *out, uint32_t size)
{
	struct sink sink = sink_of(out, size);

	if (!first)
		put(&sink, CRLF, 2);
	put_hex(&sink, bytes);
	put(&sink, CRLF, 2);
	return written(&sink);
}

int http_write_last_chunk(bool first, struct http_bytes trailers, uint8_t *out, uint32_t size)
{
	struct sink sink = sink_of(out, size);

	put_text(&sink, first ? "0" CRLF : CRLF "0" CRLF);
	put_bytes(&sink, trailers);
	put(&sink, CRLF, 2);
	return written(&sink);
}

/* --- answers of our own ----------------------------------------------------------- */

static uint32_t answer_text(uint16_t status, char *text, uint32_t size)
{
	return (uint32_t)snprintf(text, size, "%u %s\n", status, http_status_reason(status));
}

int http_write_answer(uint16_t status, bool close, bool head_only, const char *date, uint8_t *out,
		      uint32_t size)
{
	bool body = !http_response_without_body(status, SLUICE_METHOD_OTHER);
	struct sink sink = sink_of(out, size);
	struct http_write how = {.framing = HTTP_BODY_LENGTH};
	char text[64];

	how.length = answer_text(status, text, sizeof text);
	put_status_line(&sink, status);
	put_text(&sink, http_status_reason(status));
	put(&sink, CRLF, 2);
	put_date(&sink, date);
	if (body) {
		put_text(&sink, "Content-Type: text/plain" CRLF);
		put_framing(&sink, &how);
	}
	put_connection(&sink, close ? HTTP_CONNECTION_CLOSE : HTTP_CONNECTION_DEFAULT);
	put(&sink, CRLF, 2);
	if (body && !head_only)
		put(&sink, text, (uint32_t)how.length);
	return written(&sink);
}

int http_write_continue(uint8_t *out, uint32_t size)
{
	struct sink sink = sink_of(out, size);

	put_status_line(&sink, 100);
	put_text(&sink, http_status_reason(100));
	put_text(&sink, CRLF CRLF);
	return written(&sink);
}
