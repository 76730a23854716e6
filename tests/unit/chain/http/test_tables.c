/* SPDX-License-Identifier: BSD-3-Clause */
/* Fields, methods, classes of bytes, scans, lists, errors. */
#include <ctype.h>
#include <stdlib.h>

#include "chain/http/error.h"
#include "chain/http/field.h"
#include "chain/http/list.h"
#include "chain/http/scan.h"
#include "fixture.h"

static uint16_t id_of(const char *name)
{
	return http_field_id((const uint8_t *)name, (uint32_t)strlen(name));
}

static void check_known_field(uint16_t id)
{
	const char *name = http_field_name(id);
	char other[64];
	size_t n = strlen(name);

	assert_int_equal(id_of(name), id);
	for (size_t i = 0; i <= n; i++)
		other[i] = (char)toupper(name[i]);
	assert_int_equal(id_of(other), id);
	assert_int_equal(http_field_id((const uint8_t *)name, (uint32_t)n - 1), SLUICE_FIELD_OTHER);
	for (size_t i = 0; i < n; i++) {
		strcpy(other, name);
		other[i] = '!';
		assert_int_equal(id_of(other), SLUICE_FIELD_OTHER);
	}
	strcat(strcpy(other, name), "x");
	assert_int_equal(id_of(other), SLUICE_FIELD_OTHER);
}

static void fields_are_found_by_name(void **state)
{
	(void)state;
	for (uint16_t id = 1; id < SLUICE_FIELD_COUNT; id++)
		check_known_field(id);
	assert_int_equal(id_of(""), SLUICE_FIELD_OTHER);
	assert_int_equal(id_of("h"), SLUICE_FIELD_OTHER);
	assert_int_equal(id_of("x-unknown"), SLUICE_FIELD_OTHER);
	assert_int_equal(id_of("accept\rencoding"), SLUICE_FIELD_OTHER); /* '\r' | 0x20 is '-' */
	assert_string_equal(http_field_name(SLUICE_FIELD_OTHER), "");
	assert_string_equal(http_field_name(60000), "");
}

/* Any byte in any place: only letters have another case. */
static void a_name_is_compared_by_letters(void **state)
{
	(void)state;
	for (uint16_t id = 1; id < SLUICE_FIELD_COUNT; id++) {
		uint32_t len = (uint32_t)strlen(http_field_name(id));
		uint8_t name[64];

		memcpy(name, http_field_name(id), len);
		for (uint32_t at = 0; at < len * 256; at++) {
			uint8_t was = name[at / 256], byte = (uint8_t)at;
			bool same = byte == was || (was >= 'a' && was <= 'z' && byte == was - 0x20);

			name[at / 256] = byte;
			assert_int_equal(http_field_is(id, name, len), same);
			name[at / 256] = was;
		}
		assert_false(http_field_is(id, name, len - 1));
		assert_false(http_field_is(SLUICE_FIELD_OTHER, name, len));
		assert_false(http_field_is(SLUICE_FIELD_COUNT, name, len));
	}
}

static void fields_have_flags(void **state)
{
	(void)state;
	assert_int_equal(http_field_flags(SLUICE_FIELD_HOST), SLUICE_FIELD_SINGLE);
	assert_int_equal(http_field_flags(SLUICE_FIELD_CONTENT_LENGTH), SLUICE_FIELD_FRAMING);
	assert_int_equal(http_field_flags(SLUICE_FIELD_TRANSFER_ENCODING),
			 SLUICE_FIELD_FRAMING | SLUICE_FIELD_HOP);
	assert_int_equal(http_field_flags(SLUICE_FIELD_COOKIE), 0);
	assert_int_equal(http_field_flags(SLUICE_FIELD_OTHER), 0);
	assert_int_equal(http_field_flags(60000), 0);
	assert_true(http_field_forbidden_in_trailers(SLUICE_FIELD_CONTENT_LENGTH));
	assert_true(http_field_forbidden_in_trailers(SLUICE_FIELD_TE));
	assert_true(http_field_forbidden_in_trailers(SLUICE_FIELD_HOST));
	assert_false(http_field_forbidden_in_trailers(SLUICE_FIELD_ETAG));
	assert_false(http_field_forbidden_in_trailers(SLUICE_FIELD_OTHER));
	assert_false(http_field_forbidden_in_trailers(60000));
}

static void methods_have_case(void **state)
{
	(void)state;
	for (uint8_t id = 1; id <= SLUICE_METHOD_PURGE; id++) {
		const char *name = http_method_name(id);

		assert_int_equal(http_method_id((const uint8_t *)name, (uint32_t)strlen(name)), id);
	}
	assert_int_equal(http_method_id((const uint8_t *)"get", 3), SLUICE_METHOD_OTHER);
	assert_int_equal(http_method_id((const uint8_t *)"GETS", 4), SLUICE_METHOD_OTHER);
	assert_int_equal(http_method_id((const uint8_t *)"", 0), SLUICE_METHOD_OTHER);
	assert_string_equal(http_method_name(SLUICE_METHOD_OTHER), "");
	assert_string_equal(http_method_name(255), "");
}

static void some_methods_may_be_repeated(void **state)
{
	(void)state;
	assert_true(http_method_idempotent(SLUICE_METHOD_GET));
	assert_true(http_method_idempotent(SLUICE_METHOD_PUT));
	assert_false(http_method_idempotent(SLUICE_METHOD_POST));
	assert_false(http_method_idempotent(SLUICE_METHOD_PATCH));
	assert_false(http_method_idempotent(SLUICE_METHOD_CONNECT));
	assert_false(http_method_idempotent(SLUICE_METHOD_PURGE));
	assert_false(http_method_idempotent(SLUICE_METHOD_OTHER));
}

/* The grammar's own words, next to the table. */
static void bytes_have_classes(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool digit = c >= '0' && c <= '9';
		bool visible = c > ' ' && c < 0x7f;
		bool token = alpha || digit || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
		bool host = alpha || digit || (c != 0 && strchr("-._~!$&'()*+;=", c) != NULL);

		assert_int_equal(http_is((uint8_t)c, HTTP_TOKEN), token);
		assert_int_equal(http_is((uint8_t)c, HTTP_VALUE),
				 visible || c == ' ' || c == '\t' || c >= 0x80);
		assert_int_equal(http_is((uint8_t)c, HTTP_TARGET), visible && c != '#');
		assert_int_equal(http_is((uint8_t)c, HTTP_HOST), host);
		assert_int_equal(http_is((uint8_t)c, HTTP_DIGIT), digit);
		assert_int_equal(http_is((uint8_t)c, HTTP_HEX), isxdigit(c) != 0 && c < 0x80);
		assert_int_equal(http_is((uint8_t)c, HTTP_SPACE), c == ' ' || c == '\t');
		if (http_is((uint8_t)c, HTTP_HEX))
			assert_int_equal(http_hex((uint8_t)c),
					 strtol((char[2]){(char)c, 0}, NULL, 16));
	}
	assert_true(http_equal_text((const uint8_t *)"aBc-[", 5, "AbC-["));
	assert_false(http_equal_text((const uint8_t *)"a[", 2, "a{"));
	assert_false(http_equal_text((const uint8_t *)"ab", 2, "abc"));
	/* longer than a word of the machine */
	assert_true(http_equal_text((const uint8_t *)"Transfer-ENCODING", 17, "transfer-encoding"));
	assert_false(
		http_equal_text((const uint8_t *)"transfer[encoding", 17, "transfer{encoding"));
	assert_false(
		http_equal_text((const uint8_t *)"[ransfer-encoding", 17, "{ransfer-encoding"));
	assert_false(
		http_equal_text((const uint8_t *)"transfer-encodin@", 17, "transfer-encodin`"));
}

/* Every byte at every place of every length up to 100, for every set this CPU has. */
static void check_set(const struct http_scan *set, const struct http_scan *plain)
{
	for (uint32_t len = 0; len <= 100; len++) {
		uint8_t *data = malloc(len > 0 ? len : 1);

		assert_non_null(data);
		memset(data, 'a', len);
		assert_int_equal(set->value(data, len), len);
		assert_int_equal(set->target(data, len), len);
		for (uint32_t at = 0; at < len; at++) {
			for (int c = 0; c < 256; c++) {
				data[at] = (uint8_t)c;
				if (set->value(data, len) != plain->value(data, len) ||
				    set->target(data, len) != plain->target(data, len))
					fail_msg("%s: byte %d at %u of %u", set->name, c, at, len);
			}
			data[at] = 'a';
		}
		free(data);
	}
}

static void every_scan_gives_the_same(void **state)
{
	const struct http_scan *set;
	bool used = false;

	(void)state;
	assert_string_equal(http_scan_set(0)->name, "plain");
	for (uint32_t i = 0; (set = http_scan_set(i)) != NULL; i++) {
		check_set(set, http_scan_set(0));
		used = used || set == http_scan;
	}
	assert_true(used);
}

static void every_scan_stops_at_the_first(void **state)
{
	const struct http_scan *set;
	uint8_t data[96];

	(void)state;
	memset(data, '\n', sizeof data);
	for (uint32_t i = 0; (set = http_scan_set(i)) != NULL; i++) {
		for (uint32_t n = 0; n < sizeof data; n++) {
			memset(data, 'a', n);
			memset(data + n, '\n', sizeof data - n);
			assert_int_equal(set->value(data, sizeof data), n);
			assert_int_equal(set->target(data, sizeof data), n);
		}
	}
}

static void lists_are_split(void **state)
{
	static const char *const expected[] = {"a", "b c", "", "", "d"};
	struct http_list list = http_list_of(http_bytes_of(" a\t, b c,, \t ,d"));
	struct http_bytes element;

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		assert_true(http_list_next(&list, &element));
		assert_int_equal(element.len, strlen(expected[i]));
		assert_memory_equal(element.data, expected[i], element.len);
	}
	assert_false(http_list_next(&list, &element));
	list = http_list_of(http_bytes_of(""));
	assert_true(http_list_next(&list, &element));
	assert_int_equal(element.len, 0);
	assert_false(http_list_next(&list, &element));
}

static void errors_have_rows(void **state)
{
	(void)state;
	for (int i = 1; i < HTTP_ERROR_COUNT; i++) {
		enum http_error error = (enum http_error)i;
		uint16_t status = http_error_status(error, false);

		assert_true(strlen(http_error_text(error)) > 0);
		assert_true(status >= 400 && status <= 505);
		assert_int_equal(http_error_status(error, true), status == 500 ? 500 : 502);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(http_error_counter(error),
						http_error_counter((enum http_error)j));
	}
	assert_int_equal(http_error_status(HTTP_OK, false), 0);
	assert_int_equal(http_error_status(HTTP_OK, true), 0);
	assert_int_equal(http_error_status(HTTP_ERROR_TARGET_LENGTH, false), 414);
	assert_int_equal(http_error_status(HTTP_ERROR_HEAD_BYTES, false), 431);
	assert_int_equal(http_error_status(HTTP_ERROR_VERSION, false), 505);
	assert_int_equal(http_error_status(HTTP_ERROR_CODING_UNKNOWN, false), 501);
	assert_int_equal(http_error_status(HTTP_ERROR_EXPECTATION, false), 417);
	assert_string_equal(http_error_counter(HTTP_ERROR_BARE_LF), "bare_lf");
	assert_string_equal(http_error_text((enum http_error)9999), "no error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_by_name),
		cmocka_unit_test(a_name_is_compared_by_letters),
		cmocka_unit_test(fields_have_flags),
		cmocka_unit_test(methods_have_case),
		cmocka_unit_test(some_methods_may_be_repeated),
		cmocka_unit_test(bytes_have_classes),
		cmocka_unit_test(every_scan_gives_the_same),
		cmocka_unit_test(every_scan_stops_at_the_first),
		cmocka_unit_test(lists_are_split),
		cmocka_unit_test(errors_have_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
