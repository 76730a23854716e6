/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function's `config` as JSON that keeps places: what conf.h says of config_json. It
 * crosses to the function's process, where the plugin reads it and can still name the line.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "mgmt/conf/key.h"

#define DEPTH_MAX 32

static json_t *export_node(struct reader *reader, const config_setting_t *setting, unsigned depth);

static json_t *refuse(struct reader *reader, const config_setting_t *setting, const char *why)
{
	reader_error(reader, setting, "config: %s", why);
	return NULL;
}

static json_t *export_members(struct reader *reader, const config_setting_t *setting,
			      unsigned depth)
{
	json_t *object = json_object();

	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);

		json_object_set_new(object, config_setting_name(member),
				    export_node(reader, member, depth + 1));
	}
	return object;
}

static json_t *export_elements(struct reader *reader, const config_setting_t *setting,
			       unsigned depth)
{
	json_t *array = json_array();

	for (int i = 0; i < config_setting_length(setting); i++)
		json_array_append_new(
			array, export_node(reader, config_setting_get_elem(setting, (unsigned)i),
					   depth + 1));
	return array;
}

static json_t *export_string(struct reader *reader, const config_setting_t *setting)
{
	json_t *string = json_string(config_setting_get_string(setting));

	return string ? string : refuse(reader, setting, "the string is not UTF-8 text");
}

static json_t *export_float(struct reader *reader, const config_setting_t *setting)
{
	double number = config_setting_get_float(setting);

	return isfinite(number) ? json_real(number)
				: refuse(reader, setting, "the number is too large");
}

static json_t *export_value(struct reader *reader, const config_setting_t *setting, unsigned depth,
			    const char **type)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		*type = "group";
		return export_members(reader, setting, depth);
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		*type = "int";
		return json_integer(config_setting_get_int64(setting));
	case CONFIG_TYPE_FLOAT:
		*type = "float";
		return export_float(reader, setting);
	case CONFIG_TYPE_STRING:
		*type = "string";
		return export_string(reader, setting);
	case CONFIG_TYPE_BOOL:
		*type = "bool";
		return json_boolean(config_setting_get_bool(setting));
	default:
		*type = "list";
		return export_elements(reader, setting, depth);
	}
}

static json_t *export_node(struct reader *reader, const config_setting_t *setting, unsigned depth)
{
	struct conf_place place = reader_place(reader, setting);
	const char *type = NULL;
	json_t *value;

	if (depth > DEPTH_MAX)
		return refuse(reader, setting, "groups and lists are nested too deep");
	value = export_value(reader, setting, depth, &type);
	if (!value)
		return NULL;
	return json_pack("{s:I, s:s, s:s, s:o}", "l", (json_int_t)place.line, "f", place.file, "t",
			 type, "v", value);
}

char *export_json(struct reader *reader, const config_setting_t *setting)
{
	json_t *node = export_node(reader, setting, 0);
	char *dump = node ? json_dumps(node, JSON_COMPACT) : NULL;
	char *text = dump ? conf_arena_text(reader->arena, dump) : NULL;

	free(dump);
	json_decref(node);
	return text;
}
