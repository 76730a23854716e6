/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/cache/fields.h"
#include "nf/cache/mem.h"
#include "nf/cache/tags.h"

#include "table.h"

static const struct hash_key key = {1, 2};
static struct tags tags;
static struct mem mem;

static struct fields *head_of(const char *name, const char *value)
{
	struct fields_list list;
	struct fields_item item = {sluice_str(name), sluice_str(value), 0};

	fields_list_init(&list);
	fields_list_add(&list, &item);
	return fields_make(&mem, &list);
}

static enum tags_end judge(const char *name, const char *value, uint64_t seen)
{
	struct fields *head = head_of(name, value);
	enum tags_end end = tags_judge(&tags, &key, head, seen);

	mem_put(&mem, head);
	return end;
}

static unsigned purge(const char *text, bool soft)
{
	return tags_purge(&tags, &key, sluice_str(text), soft);
}

static void by_name(void **state)
{
	static const struct {
		const char *name, *value;
		enum tags_end end;
	} rows[] = {
		{"Cache-Tag", "red, green", TAGS_GONE},
		{"cache-tag", "green", TAGS_GONE},
		{"Surrogate-Key", "blue green", TAGS_GONE},
		{"Cache-Tag", "greenish", TAGS_GOOD},
		{"Cache-Tag", "Green", TAGS_GOOD},
		{"Cache-Tag", "", TAGS_GOOD},
		{"X-Tag", "green", TAGS_GOOD},
		{"Cache-Tag", "white", TAGS_STALE},
		{"Cache-Tag", "white,green", TAGS_GONE},
	};

	(void)state;
	tags = (struct tags){0};
	assert_int_equal(purge(" ,green,, black ", false), 2);
	assert_int_equal(purge("white", true), 1);
	assert_int_equal(purge(" , ", false), 0);
	for (size_t i = 0; i < ROWS(rows); i++)
		if (judge(rows[i].name, rows[i].value, 0) != rows[i].end)
			fail_msg("%s: %s", rows[i].name, rows[i].value);
}

/* What was stored after a purge is none of its business. */
static void by_time(void **state)
{
	(void)state;
	tags = (struct tags){0};
	purge("a", false);
	assert_int_equal(judge("Cache-Tag", "a", tags.purges), TAGS_GOOD);
	purge("b", false);
	assert_int_equal(judge("Cache-Tag", "a", 1), TAGS_GOOD);
	assert_int_equal(judge("Cache-Tag", "b", 1), TAGS_GONE);
}

/* What is forgotten counts against all that have tags. */
static void too_many(void **state)
{
	(void)state;
	tags = (struct tags){0};
	for (unsigned i = 0; i < TAGS_NOTED; i++)
		purge("other", false);
	assert_int_equal(judge("Cache-Tag", "a", 0), TAGS_GOOD);
	purge("other", false);
	assert_int_equal(judge("Cache-Tag", "a", 0), TAGS_GONE);
	assert_int_equal(judge("X", "a", 0), TAGS_GOOD);
	assert_int_equal(judge("Cache-Tag", "a", 1), TAGS_GOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),
		cmocka_unit_test(by_time),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
