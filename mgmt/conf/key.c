/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/conf/key.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mgmt/nearest/nearest.h"

bool setting_is_sequence(const config_setting_t *setting)
{
	return config_setting_is_list(setting) || config_setting_is_array(setting);
}

static const char *type_text(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "an integer";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	default:
		return "a list";
	}
}

/* --- places ------------------------------------------------------------------ */

/*
 * libconfig names an included file as it was written, relative to the folder of the first;
 * this gives the path. Neighbours are mostly from the same file: the last one is remembered.
 */
static const char *included_file(struct reader *reader, const char *source)
{
	if (reader->source != source) {
		const char *copy = beside(reader->arena, reader->file, source);

		if (!copy)
			return reader->file;
		reader->source = source;
		reader->source_copy = copy;
	}
	return reader->source_copy;
}

struct conf_place reader_place_of(struct reader *reader, const char *source, unsigned line)
{
	struct conf_place place = {.file = reader->file, .line = line};

	if (source && strcmp(source, reader->file) != 0)
		place.file = included_file(reader, source);
	return place;
}

struct conf_place reader_place(struct reader *reader, const config_setting_t *setting)
{
	return reader_place_of(reader, config_setting_source_file(setting),
			       config_setting_source_line(setting));
}

void reader_error(struct reader *reader, const config_setting_t *setting, const char *format, ...)
{
	struct conf_place place = reader_place(reader, setting);
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	conf_error(reader->errors, &place, "%s%s%s", reader->where, reader->where[0] ? ": " : "",
		   text);
}

void reader_type_error(struct reader *reader, const struct key *key,
		       const config_setting_t *setting, const char *wanted)
{
	reader_error(reader, setting, "%s must be %s, not %s", key->name, wanted,
		     type_text(setting));
}

/* A group in a list goes by its name, if it has one that can be read. */
static const char *element_name(const config_setting_t *setting)
{
	const config_setting_t *name = NULL;

	if (config_setting_is_group(setting))
		name = config_setting_get_member(setting, "name");
	return name ? config_setting_get_string(name) : NULL;
}

size_t reader_enter(struct reader *reader, const config_setting_t *setting)
{
	size_t before = strlen(reader->where);
	char *end = reader->where + before;
	size_t room = sizeof(reader->where) - before;
	const char *name = config_setting_name(setting);

	if (!name)
		name = element_name(setting);
	if (name)
		snprintf(end, room, "%s%.64s", before ? "." : "", name);
	else if (config_setting_index(setting) >= 0)
		snprintf(end, room, "[%d]", config_setting_index(setting));
	return before;
}

void reader_leave(struct reader *reader, size_t before)
{
	reader->where[before] = '\0';
}

/* --- a group ------------------------------------------------------------------- */

static const struct key *find_key(const struct key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

static void refuse_unknown(struct reader *reader, const config_setting_t *setting,
			   const struct key *keys)
{
	struct nearest nearest;

	nearest_begin(&nearest, config_setting_name(setting));
	for (; keys->name; keys++)
		nearest_offer(&nearest, keys->name);
	if (nearest_best(&nearest))
		reader_error(reader, setting, "unknown key \"%s\"; did you mean \"%s\"?",
			     nearest.word, nearest.best);
	else
		reader_error(reader, setting, "unknown key \"%s\"", nearest.word);
}

/* A default is written in the row as in a file, and read by the same code. */
static void read_fallback(struct reader *reader, const struct key *key, void *field)
{
	config_t config;
	char text[128];

	if (key->fallback[0] == '\0')
		return;
	snprintf(text, sizeof(text), "%s = %s;", key->name, key->fallback);
	config_init(&config);
	if (config_read_string(&config, text) == CONFIG_TRUE)
		key->type->read(reader, key, config_lookup(&config, key->name), field);
	else
		conf_error(reader->errors, &(struct conf_place){reader->file, 1},
			   "the default of %s cannot be read", key->name);
	config_destroy(&config);
}

static void read_key(struct reader *reader, const config_setting_t *parent, const struct key *key,
		     void *out)
{
	const config_setting_t *setting = config_setting_get_member(parent, key->name);
	void *field = key->offset == KEY_NOWHERE ? NULL : (unsigned char *)out + key->offset;

	if (setting)
		key->type->read(reader, key, setting, field);
	else if (key->fallback == KEY_REQUIRED)
		reader_error(reader, parent, "%s is missing", key->name);
	else
		read_fallback(reader, key, field);
}

void read_group(struct reader *reader, const config_setting_t *setting,
		const struct key_group *group, void *out)
{
	int members = config_setting_length(setting);

	if (group->place != KEY_NOWHERE) {
		struct conf_place place = reader_place(reader, setting);

		memcpy((unsigned char *)out + group->place, &place, sizeof(place));
	}
	for (const struct key *key = group->keys; key->name; key++)
		read_key(reader, setting, key, out);
	for (int i = 0; i < members; i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);

		if (!find_key(group->keys, config_setting_name(member)))
			refuse_unknown(reader, member, group->keys);
	}
	if (group->check)
		group->check(reader, setting, out);
}

/* --- the types that are made of groups -------------------------------------------- */

static void read_one_group(struct reader *reader, const struct key *key,
			   const config_setting_t *setting, void *field)
{
	size_t before;

	if (!config_setting_is_group(setting)) {
		reader_type_error(reader, key, setting, "a group { … }");
		return;
	}
	before = reader_enter(reader, setting);
	read_group(reader, setting, key->group, field);
	reader_leave(reader, before);
}

static const char *name_at(const unsigned char *items, size_t size, unsigned i)
{
	const char *name;

	memcpy(&name, items + i * size, sizeof(name));
	return name;
}

/* Is the name of the last of `count` items that of an earlier one? */
static bool is_twin(const unsigned char *items, size_t size, unsigned count)
{
	const char *name = name_at(items, size, count - 1);

	for (unsigned i = 0; name && i + 1 < count; i++) {
		const char *other = name_at(items, size, i);

		if (other && strcmp(name, other) == 0)
			return true;
	}
	return false;
}

static void read_item(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      unsigned char *items, unsigned *count)
{
	const struct key_group *group = key->group;
	size_t before = reader_enter(reader, setting);

	if (!config_setting_is_group(setting)) {
		reader_error(reader, setting, "must be a group { … }, not %s", type_text(setting));
	} else {
		unsigned char *item = items + (*count)++ * group->size;

		read_group(reader, setting, group, item);
		if (group->named && is_twin(items, group->size, *count))
			reader_error(reader, config_setting_get_member(setting, "name"),
				     "the name is used twice");
	}
	reader_leave(reader, before);
}

static void read_groups(struct reader *reader, const struct key *key,
			const config_setting_t *setting, void *field)
{
	int length = config_setting_length(setting);
	unsigned *count = (void *)((unsigned char *)field - key->offset + key->count);
	unsigned char *items;
	size_t before;

	if (!setting_is_sequence(setting)) {
		reader_type_error(reader, key, setting, "a list of groups ( { … }, { … } )");
		return;
	}
	if (length < key->min || length > key->max) {
		reader_error(reader, setting, "%s has %d groups; it may have %lld to %lld",
			     key->name, length, (long long)key->min, (long long)key->max);
		return;
	}
	items = conf_arena_alloc(reader->arena, (size_t)length + 1, key->group->size);
	if (!items)
		return;
	memcpy(field, &items, sizeof(items));
	before = reader_enter(reader, setting);
	for (int i = 0; i < length; i++)
		read_item(reader, key, config_setting_get_elem(setting, (unsigned)i), items, count);
	reader_leave(reader, before);
}

const struct key_type key_one_group = {"group", read_one_group};
const struct key_type key_groups = {"list of groups", read_groups};
