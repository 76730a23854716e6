/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/http/head.h"

#include <string.h>

#include "chain/http/field.h"
#include "chain/http/line.h"
#include "chain/http/slot.h"

enum state { START, FIELDS, DONE, BAD };

/* One call of http_head_feed. */
struct feed {
	struct http_head_parser *parser;
	const struct http_limits *limits;
	struct sluice_head *head;
	uint64_t taken;
};

/* Where that call is in a run, and the base made for the run's lines, if any yet. */
struct cursor {
	const struct http_run *run;
	uint32_t pos;
	uint16_t base; /* 0: none yet */
	uint32_t base_pos;
};

void http_head_reset(struct http_head_parser *parser, bool response, uint8_t request_method)
{
	*parser = (struct http_head_parser){.response = response, .method = request_method};
}

static void fail(struct http_head_parser *parser, enum http_error error)
{
	parser->error = (uint8_t)error;
	parser->state = BAD;
}

/* --- the start line ---------------------------------------------------------- */

/* RFC 9112 §2.2: one empty line before a request is forgiven, no more. */
static enum http_error empty_start(struct http_head_parser *parser)
{
	if (parser->response)
		return HTTP_ERROR_STATUS_LINE;
	if (parser->skipped_line)
		return HTTP_ERROR_EMPTY_LINES;
	parser->skipped_line = 1;
	return HTTP_OK;
}

static enum http_error index_target(struct feed *feed, const uint8_t *text, uint32_t len,
				    struct http_place place)
{
	struct http_target target;

	if (len > feed->limits->max_target_bytes)
		return HTTP_ERROR_TARGET_LENGTH;
	if (!http_target_parse(feed->head->method, text, len, &target))
		return HTTP_ERROR_TARGET;
	if (!http_slot_target(feed->head, place, text, len, &target))
		return HTTP_ERROR_HEAD_TEXT;
	feed->parser->target_host = target.host_len > 0;
	return HTTP_OK;
}

static enum http_error request_line(struct feed *feed, const uint8_t *line, uint32_t len,
				    struct http_place place)
{
	struct sluice_head *head = feed->head;
	struct http_request_line got;
	enum http_error error = http_line_request(line, len, &got);

	if (error != HTTP_OK)
		return error;
	head->response = 0;
	head->version = got.version;
	head->method = http_method_id(line, got.method_len);
	head->method_text = http_slot_text(place, 0, got.method_len);
	place.off += got.target_off;
	return index_target(feed, line + got.target_off, got.target_len, place);
}

static enum http_error status_line(struct feed *feed, const uint8_t *line, uint32_t len,
				   struct http_place place)
{
	struct sluice_head *head = feed->head;
	struct http_status_line got;
	enum http_error error = http_line_status(line, len, &got);

	if (error != HTTP_OK)
		return error;
	head->response = 1;
	head->version = got.version;
	head->method = feed->parser->method;
	head->status = got.status;
	head->reason = http_slot_text(place, got.reason_off, got.reason_len);
	return HTTP_OK;
}

static enum http_error start_line(struct feed *feed, const uint8_t *line, uint32_t len,
				  struct http_place place)
{
	enum http_error error;

	if (len == 0)
		return empty_start(feed->parser);
	error = feed->parser->response ? status_line(feed, line, len, place)
				       : request_line(feed, line, len, place);
	if (error == HTTP_OK)
		feed->parser->state = FIELDS;
	return error;
}

/* --- fields -------------------------------------------------------------------- */

/* RFC 9112 §3.2: one, and valid; what it says gives way to a target that names a host. */
static enum http_error index_host(struct feed *feed, const uint8_t *value, uint32_t len,
				  struct sluice_field *field)
{
	struct sluice_head *head = feed->head;

	if (feed->parser->hosts++ > 0)
		return HTTP_ERROR_HOST_SEVERAL;
	if (!http_host_valid(value, len))
		return HTTP_ERROR_HOST;
	if (feed->parser->target_host)
		http_slot_value(field, head->host);
	else
		head->host =
			(struct sluice_text){field->value_off, field->value_len, field->value_base};
	return HTTP_OK;
}

static enum http_error field_line(struct feed *feed, const uint8_t *line, uint32_t len,
				  struct http_place place)
{
	struct sluice_head *head = feed->head;
	struct sluice_field *field = NULL;
	struct http_field_line got;
	enum http_error error = http_line_field(line, len, head->fields == 0, &got);
	uint16_t id;

	if (error != HTTP_OK)
		return error;
	id = http_field_id(line, got.name_len);
	if (head->fields < feed->limits->max_fields)
		field = http_slot_field(head, id, http_slot_text(place, 0, got.name_len),
					http_slot_text(place, got.value_off, got.value_len));
	if (field == NULL)
		return HTTP_ERROR_HEAD_FIELDS;
	if (id == SLUICE_FIELD_HOST && !feed->parser->response)
		return index_host(feed, line + got.value_off, got.value_len, field);
	return HTTP_OK;
}

static enum http_error end_of_head(struct feed *feed)
{
	struct http_head_parser *parser = feed->parser;

	if (!parser->response && feed->head->version == 11 && parser->hosts == 0)
		return HTTP_ERROR_HOST_MISSING;
	http_slot_link(feed->head);
	parser->state = DONE;
	return HTTP_OK;
}

/* --- lines ------------------------------------------------------------------------ */

/* A line without its line end, at `place`. */
static void take_line(struct feed *feed, const uint8_t *line, uint32_t len, struct http_place place)
{
	enum http_error error;

	if (feed->parser->state == START)
		error = start_line(feed, line, len, place);
	else if (len == 0)
		error = end_of_head(feed);
	else
		error = field_line(feed, line, len, place);
	if (error != HTTP_OK)
		fail(feed->parser, error);
}

/* RFC 9112 §2.2 lets a recipient take a bare LF for a line end; not this one. */
static bool ends_in_crlf(const uint8_t *line, uint32_t len)
{
	return len >= 2 && line[len - 2] == '\r';
}

/* The line that was joined at the end of the text area is complete. */
static void take_joined(struct feed *feed)
{
	struct http_place place = {0, feed->head->text_used};
	const uint8_t *line = http_slot_room(feed->head, 0);
	uint32_t len = feed->parser->line_bytes;

	feed->parser->line_bytes = 0;
	if (!ends_in_crlf(line, len)) {
		fail(feed->parser, HTTP_ERROR_BARE_LF);
		return;
	}
	feed->head->text_used += len - 2;
	take_line(feed, line, len - 2, place);
}

static void join(struct feed *feed, const uint8_t *data, uint32_t len)
{
	struct http_head_parser *parser = feed->parser;
	uint8_t *room = http_slot_room(feed->head, parser->line_bytes + len);

	if (room == NULL) {
		fail(parser, HTTP_ERROR_HEAD_TEXT);
		return;
	}
	memcpy(room + parser->line_bytes, data, len);
	parser->line_bytes += len;
	parser->joined_bytes += len;
	if (data[len - 1] == '\n')
		take_joined(feed);
}

/* Every line of a run shares one base: a head is never longer than offsets reach. */
static bool find_base(struct feed *feed, struct cursor *at)
{
	if (at->base != 0)
		return true;
	if (!http_slot_base(feed->head, at->run->ref + at->pos, &at->base))
		return false;
	at->base_pos = at->pos;
	return true;
}

static void take_in_place(struct feed *feed, const struct cursor *at, uint32_t len)
{
	const uint8_t *line = at->run->data + at->pos;
	struct http_place place = {at->base, at->pos - at->base_pos};

	if (ends_in_crlf(line, len))
		take_line(feed, line, len - 2, place);
	else
		fail(feed->parser, HTTP_ERROR_BARE_LF);
}

/* --- runs -------------------------------------------------------------------------- */

/* What does not even begin like HTTP (TLS, for one) is told at its first byte. */
static enum http_error check_first_byte(const struct http_head_parser *parser, uint8_t byte)
{
	if (parser->line_bytes > 0 || byte == '\r' || byte == '\n')
		return HTTP_OK;
	if (parser->response)
		return byte == 'H' ? HTTP_OK : http_line_bad_byte(byte, HTTP_ERROR_STATUS_LINE);
	return http_is(byte, HTTP_TOKEN) ? HTTP_OK : http_line_bad_byte(byte, HTTP_ERROR_METHOD);
}

/* A request line that fills the whole head is a target too long (RFC 9110 §15.5.15). */
static enum http_error count_bytes(struct feed *feed, uint32_t len)
{
	struct http_head_parser *parser = feed->parser;
	uint32_t max = feed->limits->max_head_bytes;

	if (max > HTTP_HEAD_BYTES_MAX)
		max = HTTP_HEAD_BYTES_MAX;
	if (parser->head_bytes > max || len > max - parser->head_bytes)
		return parser->state == START && !parser->response ? HTTP_ERROR_TARGET_LENGTH
								   : HTTP_ERROR_HEAD_BYTES;
	parser->head_bytes += len;
	feed->taken += len;
	return HTTP_OK;
}

/* Up to the next LF, or the rest of the run. */
static void take_piece(struct feed *feed, struct cursor *at)
{
	const uint8_t *data = at->run->data + at->pos;
	uint32_t left = at->run->len - at->pos;
	const uint8_t *lf = memchr(data, '\n', left);
	uint32_t len = lf != NULL ? (uint32_t)(lf - data) + 1 : left;
	enum http_error error = HTTP_OK;

	if (feed->parser->state == START)
		error = check_first_byte(feed->parser, data[0]);
	if (error == HTTP_OK)
		error = count_bytes(feed, len);
	if (error != HTTP_OK)
		fail(feed->parser, error);
	else if (lf != NULL && feed->parser->line_bytes == 0 && find_base(feed, at))
		take_in_place(feed, at, len);
	else
		join(feed, data, len);
	at->pos += len;
}

static void take_run(struct feed *feed, const struct http_run *run)
{
	struct cursor at = {.run = run};

	while (at.pos < run->len && feed->parser->state < DONE)
		take_piece(feed, &at);
}

enum http_head_result http_head_feed(struct http_head_parser *parser,
				     const struct http_limits *limits, const struct http_run *runs,
				     size_t n, struct sluice_head *head, uint64_t *taken)
{
	struct feed feed = {parser, limits, head, 0};

	for (size_t i = 0; i < n && parser->state < DONE; i++)
		take_run(&feed, &runs[i]);
	*taken = feed.taken;
	if (parser->state == BAD)
		return HTTP_HEAD_BAD;
	return parser->state == DONE ? HTTP_HEAD_DONE : HTTP_HEAD_MORE;
}
