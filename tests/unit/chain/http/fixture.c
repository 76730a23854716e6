/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* A run's region is its number, from 1 on; region 0 is the slot's. */
static const uint8_t *at(void *ctx, uint64_t ref)
{
	const struct fixture *fixture = ctx;
	uint16_t region = sluice_ref_region(ref);

	assert_in_range(region, 1, fixture->runs);
	assert_in_range(sluice_ref_offset(ref), 0, fixture->run[region - 1].len);
	return fixture->block[region - 1] + sluice_ref_offset(ref);
}

struct fixture *fixture_new(void)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	assert_non_null(fixture);
	fixture->head = malloc(FIXTURE_SLOT_BYTES);
	assert_non_null(fixture->head);
	fixture->limits = HTTP_LIMITS_DEFAULT;
	fixture->memory = (struct http_memory){at, fixture};
	return fixture;
}

static void drop_runs(struct fixture *fixture)
{
	for (uint32_t i = 0; i < fixture->runs; i++)
		free(fixture->block[i]);
	fixture->runs = 0;
}

void fixture_free(struct fixture *fixture)
{
	drop_runs(fixture);
	free(fixture->head);
	free(fixture);
}

static void add_run(struct fixture *fixture, const char *data, uint32_t len)
{
	uint32_t i = fixture->runs++;

	assert_true(i < FIXTURE_RUNS_MAX);
	fixture->block[i] = malloc(len > 0 ? len : 1);
	assert_non_null(fixture->block[i]);
	memcpy(fixture->block[i], data, len);
	fixture->run[i] =
		(struct http_run){fixture->block[i], len, sluice_ref((uint16_t)(i + 1), 0)};
}

static void begin(struct fixture *fixture, int request_method)
{
	drop_runs(fixture);
	assert_int_equal(http_head_init(fixture->head, sluice_ref(0, 64), FIXTURE_SLOT_BYTES,
					FIXTURE_FIELDS),
			 0);
	http_head_reset(&fixture->parser, request_method >= 0,
			(uint8_t)(request_method >= 0 ? request_method : 0));
	fixture->taken = 0;
}

static enum http_head_result feed(struct fixture *fixture, uint32_t first, uint32_t n)
{
	uint64_t taken;

	fixture->result = http_head_feed(&fixture->parser, &fixture->limits, &fixture->run[first],
					 n, fixture->head, &taken);
	fixture->taken += taken;
	return fixture->result;
}

static enum http_head_result feed_all(struct fixture *fixture, bool one_call)
{
	if (one_call)
		return feed(fixture, 0, fixture->runs);
	for (uint32_t i = 0; i < fixture->runs; i++)
		if (feed(fixture, i, 1) != HTTP_HEAD_MORE)
			break;
	return fixture->result;
}

enum http_head_result fixture_parse_pieces(struct fixture *fixture, struct bytes message,
					   int request_method, uint32_t size, bool one_call)
{
	begin(fixture, request_method);
	for (uint32_t i = 0; i < message.len; i += size)
		add_run(fixture, message.data + i, message.len - i < size ? message.len - i : size);
	return feed_all(fixture, one_call);
}

enum http_head_result fixture_parse(struct fixture *fixture, struct bytes message,
				    int request_method)
{
	return fixture_parse_pieces(fixture, message, request_method, message.len, true);
}

enum http_head_result fixture_parse_cut(struct fixture *fixture, struct bytes message,
					int request_method, uint32_t where, bool one_call)
{
	begin(fixture, request_method);
	add_run(fixture, message.data, where);
	add_run(fixture, message.data + where, message.len - where);
	return feed_all(fixture, one_call);
}

void fixture_request(struct fixture *fixture, const char *message)
{
	struct bytes bytes = {message, (uint32_t)strlen(message)};

	if (fixture_parse(fixture, bytes, -1) != HTTP_HEAD_DONE)
		fail_msg("refused (%s): %s", http_error_text(fixture->parser.error), message);
}

void fixture_response(struct fixture *fixture, const char *message, uint8_t request_method)
{
	struct bytes bytes = {message, (uint32_t)strlen(message)};

	if (fixture_parse(fixture, bytes, request_method) != HTTP_HEAD_DONE)
		fail_msg("refused (%s): %s", http_error_text(fixture->parser.error), message);
}

/* --- as text --------------------------------------------------------------------- */

struct paper {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void print(struct paper *paper, const char *format,
							...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(paper->at, paper->left, format, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < paper->left);
	paper->at += n;
	paper->left -= (size_t)n;
}

static void print_bytes(struct paper *paper, struct http_bytes bytes)
{
	print(paper, "%.*s", (int)bytes.len, (const char *)bytes.data);
}

static void print_text(struct paper *paper, const struct fixture *fixture, const char *label,
		       struct sluice_text text)
{
	print(paper, "%s[", label);
	print_bytes(paper, http_text(&fixture->memory, fixture->head, text));
	print(paper, "]\n");
}

static void print_fields(struct paper *paper, const struct fixture *fixture)
{
	const struct sluice_head *head = fixture->head;

	for (uint16_t i = 0; i < head->fields; i++) {
		print(paper, "%u>%u ", head->field[i].id, head->field[i].next);
		print_bytes(paper, http_name(&fixture->memory, head, i));
		print(paper, "=");
		print_bytes(paper, http_value(&fixture->memory, head, i));
		print(paper, "\n");
	}
	for (uint16_t id = 0; id < SLUICE_FIELD_COUNT; id++)
		if (head->first[id] != SLUICE_NONE16)
			print(paper, "first %u: %u\n", id, head->first[id]);
}

static void print_head(struct paper *paper, const struct fixture *fixture)
{
	const struct sluice_head *head = fixture->head;

	print(paper, "response %u version %u method %u status %u taken %lu\n", head->response,
	      head->version, head->method, head->status, (unsigned long)fixture->taken);
	print_text(paper, fixture, "method", head->method_text);
	print_text(paper, fixture, "target", head->target);
	print_text(paper, fixture, "path", head->path);
	print_text(paper, fixture, "query", head->query);
	print_text(paper, fixture, "host", head->host);
	print_text(paper, fixture, "reason", head->reason);
	print_fields(paper, fixture);
}

void fixture_dump(const struct fixture *fixture, char *out)
{
	struct paper paper = {out, FIXTURE_DUMP};

	print(&paper, "%d %s\n", fixture->result, http_error_counter(fixture->parser.error));
	if (fixture->result == HTTP_HEAD_DONE)
		print_head(&paper, fixture);
}

void fixture_fields(const struct fixture *fixture, char *out, size_t size)
{
	struct paper paper = {out, size};

	out[0] = '\0';
	for (uint16_t i = 0; i < fixture->head->fields; i++) {
		print_bytes(&paper, http_name(&fixture->memory, fixture->head, i));
		print(&paper, ": ");
		print_bytes(&paper, http_value(&fixture->memory, fixture->head, i));
		print(&paper, "\n");
	}
}

bool fixture_text_is(const struct fixture *fixture, struct sluice_text text, const char *expected)
{
	struct http_bytes bytes = http_text(&fixture->memory, fixture->head, text);

	return bytes.len == strlen(expected) && memcmp(bytes.data, expected, bytes.len) == 0;
}

/* --- every way to cut --------------------------------------------------------------- */

static char whole[FIXTURE_DUMP], cut[FIXTURE_DUMP];

static void compare(const struct fixture *fixture, const char *how, uint32_t where)
{
	fixture_dump(fixture, cut);
	if (strcmp(whole, cut) != 0)
		fail_msg("cut %s %u gives\n%s\ninstead of\n%s", how, where, cut, whole);
}

void fixture_parse_all(struct fixture *fixture, struct bytes message, int request_method)
{
	fixture_parse(fixture, message, request_method);
	fixture_dump(fixture, whole);
	assert_true(fixture->result == HTTP_HEAD_BAD || fixture->parser.joined_bytes == 0);
	for (uint32_t i = 1; i < message.len; i++) {
		fixture_parse_cut(fixture, message, request_method, i, true);
		compare(fixture, "at", i);
		fixture_parse_cut(fixture, message, request_method, i, false);
		compare(fixture, "in two calls at", i);
	}
	for (uint32_t size = 1; size < 20; size++) {
		fixture_parse_pieces(fixture, message, request_method, size, true);
		compare(fixture, "every", size);
		fixture_parse_pieces(fixture, message, request_method, size, false);
		compare(fixture, "in calls every", size);
	}
	fixture_parse(fixture, message, request_method);
}

void list_put(struct list *list, struct sluice_edit edit, struct bytes name, struct bytes value)
{
	edit.name_len = (uint16_t)name.len;
	edit.value_len = (uint16_t)value.len;
	memcpy(list->bytes + list->len, &edit, sizeof edit);
	list->len += (uint32_t)sizeof edit;
	memcpy(list->bytes + list->len, name.data, name.len);
	list->len += name.len;
	memcpy(list->bytes + list->len, value.data, value.len);
	list->len += value.len;
	while (list->len % 8 != 0)
		list->bytes[list->len++] = 0xee;
}

void list_put_text(struct list *list, uint8_t op, const char *name, const char *value)
{
	list_put(list, (struct sluice_edit){.op = op}, (struct bytes){name, (uint32_t)strlen(name)},
		 (struct bytes){value, (uint32_t)strlen(value)});
}
