/* SPDX-License-Identifier: BSD-3-Clause */
/* The config of a test, written in the configuration's own language. */
#include <jansson.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nf/sdk/harness_priv.h"

#define FILE_NAME "test.conf"

static json_t *node_of(const config_setting_t *setting);

static json_t *members_of(const config_setting_t *setting)
{
	json_t *object = json_object();

	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);

		json_object_set_new(object, config_setting_name(member), node_of(member));
	}
	return object;
}

static json_t *elements_of(const config_setting_t *setting)
{
	json_t *array = json_array();

	for (int i = 0; i < config_setting_length(setting); i++)
		json_array_append_new(array,
				      node_of(config_setting_get_elem(setting, (unsigned)i)));
	return array;
}

static json_t *value_of(const config_setting_t *setting, const char **type)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		*type = "group";
		return members_of(setting);
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		*type = "int";
		return json_integer(config_setting_get_int64(setting));
	case CONFIG_TYPE_FLOAT:
		*type = "float";
		return json_real(config_setting_get_float(setting));
	case CONFIG_TYPE_BOOL:
		*type = "bool";
		return json_boolean(config_setting_get_bool(setting));
	case CONFIG_TYPE_STRING:
		*type = "string";
		return json_string(config_setting_get_string(setting));
	default:
		*type = "list";
		return elements_of(setting);
	}
}

static json_t *node_of(const config_setting_t *setting)
{
	const char *type = NULL;
	json_t *value = value_of(setting, &type);

	return json_pack("{s:i, s:s, s:s, s:o}", "l", (int)config_setting_source_line(setting), "f",
			 FILE_NAME, "t", type, "v", value);
}

char *harness_conf_json(const char *config, char **error)
{
	char *text = NULL;
	config_t parsed;
	json_t *node;

	config_init(&parsed);
	if (config_read_string(&parsed, config)) {
		node = node_of(config_root_setting(&parsed));
		text = node ? json_dumps(node, JSON_COMPACT) : NULL;
		json_decref(node);
		if (!text)
			*error = strdup(FILE_NAME ":1: not UTF-8 text");
	} else if (asprintf(error, FILE_NAME ":%d: %s", config_error_line(&parsed),
			    config_error_text(&parsed)) < 0) {
		harness_abort("out of memory");
	}
	config_destroy(&parsed);
	return text;
}
