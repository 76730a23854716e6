/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/conf/key.h"

static const struct key_group root_group = {
	.keys = conf_root_keys,
	.size = sizeof(struct conf),
	.place = KEY_NOWHERE,
	.check = check_all,
};

/* Files are included from the folder of the one that was named. */
static void set_include_dir(config_t *config, struct conf_arena *arena, const char *path)
{
	char *folder = beside(arena, path, "");

	if (folder && folder[0])
		config_set_include_dir(config, folder);
}

static void parse_error(struct reader *reader, const config_t *config)
{
	struct conf_place place = reader_place_of(reader, config_error_file(config),
						  (unsigned)config_error_line(config));

	conf_error(reader->errors, &place, "%s", config_error_text(config));
}

static bool parse(struct reader *reader, config_t *config)
{
	char *text = slurp_path(reader->file);
	bool good;

	if (!text) {
		conf_error(reader->errors, &(struct conf_place){reader->file, 1},
			   "cannot be read again: %s", strerror(errno));
		return false;
	}
	brackets_relax(text);
	good = config_read_string(config, text) == CONFIG_TRUE;
	if (!good)
		parse_error(reader, config);
	free(text);
	return good;
}

static void read_config(struct reader *reader)
{
	config_t config;

	config_init(&config);
	set_include_dir(&config, reader->arena, reader->file);
	if (parse(reader, &config))
		read_group(reader, config_root_setting(&config), &root_group, reader->conf);
	config_destroy(&config);
}

static void read_all(struct reader *reader, const char *path)
{
	unsigned before = reader->errors->count;

	reader->conf = conf_arena_alloc(reader->arena, 1, sizeof(*reader->conf));
	reader->file = conf_arena_text(reader->arena, path);
	if (reader->conf && reader->file) {
		reader->conf->arena = reader->arena;
		scan_file(reader, reader->file);
		if (reader->errors->count == before)
			read_config(reader);
	}
	if (conf_arena_failed(reader->arena))
		conf_error(reader->errors, &(struct conf_place){path, 1}, "out of memory");
}

int conf_load(const char *path, struct conf **out, struct conf_errors *errors)
{
	struct reader reader = {.errors = errors, .arena = conf_arena_create()};
	unsigned before = errors->count;

	*out = NULL;
	if (!reader.arena) {
		conf_error(errors, &(struct conf_place){path, 1}, "out of memory");
		return -EINVAL;
	}
	read_all(&reader, path);
	if (errors->count != before) {
		conf_arena_free(reader.arena);
		return -EINVAL;
	}
	*out = reader.conf;
	return 0;
}

void conf_free(struct conf *conf)
{
	if (conf)
		conf_arena_free(conf->arena);
}
