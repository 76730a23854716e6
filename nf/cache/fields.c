/* SPDX-License-Identifier: BSD-3-Clause */
#include "fields.h"

#include "mem.h"
#include "nf/common/str.h"

void fields_list_add(struct fields_list *list, const struct fields_item *item)
{
	uint32_t bytes = item->name.len + 1 + item->value.len;

	if (list->count == FIELDS_MAX || bytes > FIELDS_BYTES_MAX - list->bytes) {
		list->full = true;
		return;
	}
	list->item[list->count++] = *item;
	list->bytes += bytes;
}

static uint32_t copy_text(char *text, uint32_t at, struct sluice_str s)
{
	memcpy(text + at, s.ptr, s.len);
	return at + s.len;
}

struct fields *fields_make(struct mem *mem, const struct fields_list *list)
{
	size_t rows = list->count * sizeof(struct fields_row);
	struct fields *f = list->full ? NULL : mem_get(mem, sizeof(*f) + rows + list->bytes);
	uint32_t at = 0;

	if (!f)
		return NULL;
	f->count = list->count;
	f->text = (char *)f + sizeof(*f) + rows;
	for (unsigned i = 0; i < list->count; i++) {
		const struct fields_item *item = &list->item[i];

		f->row[i] = (struct fields_row){
			.name = at,
			.value = at + item->name.len + 1,
			.name_len = (uint16_t)item->name.len,
			.value_len = (uint16_t)item->value.len,
			.id = item->id,
		};
		at = copy_text(f->text, at, item->name);
		f->text[at++] = '\0';
		at = copy_text(f->text, at, item->value);
	}
	return f;
}

struct sluice_str fields_name(const struct fields *fields, unsigned i)
{
	return str_make(fields->text + fields->row[i].name, fields->row[i].name_len);
}

struct sluice_str fields_value(const struct fields *fields, unsigned i)
{
	return str_make(fields->text + fields->row[i].value, fields->row[i].value_len);
}

bool fields_named(const struct fields *fields, struct sluice_str name, unsigned n,
		  struct sluice_str *value)
{
	for (unsigned i = 0; i < fields->count; i++) {
		if (!str_equal_nocase(fields_name(fields, i), name) || n--)
			continue;
		*value = fields_value(fields, i);
		return true;
	}
	return false;
}

bool fields_by_id(const struct fields *fields, uint16_t id, unsigned n, struct sluice_str *value)
{
	for (unsigned i = 0; i < fields->count; i++) {
		if (fields->row[i].id != id || n--)
			continue;
		*value = fields_value(fields, i);
		return true;
	}
	return false;
}
