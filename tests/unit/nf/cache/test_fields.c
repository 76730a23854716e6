/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "nf/cache/fields.h"
#include "nf/cache/mem.h"

static void add(struct fields_list *list, const char *name, const char *value, uint16_t id)
{
	fields_list_add(list, &(struct fields_item){sluice_str(name), sluice_str(value), id});
}

static void assert_text(struct sluice_str s, const char *text)
{
	assert_int_equal(s.len, strlen(text));
	assert_memory_equal(s.ptr, text, s.len);
}

static void keeps_what_it_was_given(void **state)
{
	struct mem mem = {0};
	struct fields_list list;
	struct fields *f;
	struct sluice_str value;

	(void)state;
	fields_list_init(&list);
	add(&list, "Vary", "a", SLUICE_FIELD_VARY);
	add(&list, "X-Empty", "", 0);
	add(&list, "vary", "b", SLUICE_FIELD_VARY);
	f = fields_make(&mem, &list);
	assert_int_equal(f->count, 3);
	assert_text(fields_name(f, 1), "X-Empty");
	assert_string_equal(fields_name(f, 1).ptr, "X-Empty");
	assert_text(fields_value(f, 1), "");
	assert_true(fields_by_id(f, SLUICE_FIELD_VARY, 0, &value));
	assert_text(value, "a");
	assert_true(fields_by_id(f, SLUICE_FIELD_VARY, 1, &value));
	assert_text(value, "b");
	assert_false(fields_by_id(f, SLUICE_FIELD_VARY, 2, &value));
	assert_true(fields_named(f, sluice_str("VARY"), 1, &value));
	assert_text(value, "b");
	assert_false(fields_named(f, sluice_str("var"), 0, &value));
	assert_true(mem.bytes >= sizeof(*f));
	mem_put(&mem, f);
	assert_int_equal(mem.bytes, 0);
}

static void none(void **state)
{
	struct mem mem = {0};
	struct fields_list list;
	struct fields *f;

	(void)state;
	fields_list_init(&list);
	f = fields_make(&mem, &list);
	assert_non_null(f);
	assert_int_equal(f->count, 0);
	mem_put(&mem, f);
}

static void bounded(void **state)
{
	static char text[FIELDS_BYTES_MAX + 1];
	struct mem mem = {0};
	struct fields_list list;

	(void)state;
	fields_list_init(&list);
	for (unsigned i = 0; i <= FIELDS_MAX; i++) {
		assert_false(list.full);
		add(&list, "a", "b", 0);
	}
	assert_true(list.full);
	assert_null(fields_make(&mem, &list));
	fields_list_init(&list);
	memset(text, 'x', FIELDS_BYTES_MAX);
	add(&list, "a", text, 0);
	assert_true(list.full);
	assert_null(fields_make(&mem, &list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_it_was_given),
		cmocka_unit_test(none),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
