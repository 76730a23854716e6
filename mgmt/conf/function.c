/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions: where their plugins are, what they are configured with, and paths made of them. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/conf/key.h"
#include "mgmt/nearest/nearest.h"

char *beside(struct conf_arena *arena, const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	char joined[PATH_MAX];
	int folder = slash ? (int)(slash + 1 - path) : 0;

	if (name[0] == '/')
		folder = 0;
	if (snprintf(joined, sizeof(joined), "%.*s%s", folder, path, name) >= (int)sizeof(joined))
		return NULL;
	return conf_arena_text(arena, joined);
}

/* --- plugin files ------------------------------------------------------------------ */

static void read_plugin_dir(struct reader *reader, const struct key *key,
			    const config_setting_t *setting, void *field)
{
	const char *text = read_text(reader, key, setting);

	if (text)
		*(const char **)field =
			beside(reader->arena, reader_place(reader, setting).file, text);
}

/* ../lib/sluice, seen from the folder of the running binary. */
static const char *plugin_dir_default(struct conf_arena *arena)
{
	char exe[PATH_MAX], resolved[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	const char *dir;

	if (len < 0)
		return conf_arena_text(arena, "/usr/lib/sluice");
	exe[len] = '\0';
	dir = beside(arena, exe, "../lib/sluice");
	return dir && realpath(dir, resolved) ? conf_arena_text(arena, resolved) : dir;
}

void check_daemon(struct reader *reader, const config_setting_t *setting, void *group)
{
	struct conf_daemon *daemon = group;

	(void)setting;
	if (!daemon->plugin_dir)
		daemon->plugin_dir = plugin_dir_default(reader->arena);
}

/* "filter" is PLUGIN_DIR/filter.so; what has a slash is a path beside the configuration. */
static const char *plugin_file(struct reader *reader, const config_setting_t *setting,
			       const char *plugin)
{
	char joined[PATH_MAX];
	const char *dir = reader->conf->daemon.plugin_dir;

	if (strchr(plugin, '/'))
		return beside(reader->arena, reader_place(reader, setting).file, plugin);
	if (!dir ||
	    snprintf(joined, sizeof(joined), "%s/%s.so", dir, plugin) >= (int)sizeof(joined))
		return NULL;
	return conf_arena_text(reader->arena, joined);
}

static bool is_readable_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) == 0;
}

static void read_plugin(struct reader *reader, const struct key *key,
			const config_setting_t *setting, void *field)
{
	struct conf_function *function = field;

	function->plugin = read_text(reader, key, setting);
	if (!function->plugin)
		return;
	function->plugin_path = plugin_file(reader, setting, function->plugin);
	if (!function->plugin_path)
		reader_error(reader, setting, "%s \"%s\": the path of its file is too long",
			     key->name, function->plugin);
	else if (!is_readable_file(function->plugin_path))
		reader_error(reader, setting, "%s \"%s\" not found; looked at %s", key->name,
			     function->plugin, function->plugin_path);
}

static void read_plugin_config(struct reader *reader, const struct key *key,
			       const config_setting_t *setting, void *field)
{
	if (config_setting_is_group(setting))
		*(char **)field = export_json(reader, setting);
	else
		reader_type_error(reader, key, setting, "a group { … }");
}

/* --- paths ------------------------------------------------------------------------- */

static const struct conf_function *find_function(const struct conf *conf, const char *name)
{
	for (unsigned i = 0; i < conf->functions_count; i++)
		if (conf->functions[i].name && strcmp(conf->functions[i].name, name) == 0)
			return &conf->functions[i];
	return NULL;
}

static void refuse_function(struct reader *reader, const config_setting_t *setting,
			    const char *name)
{
	const struct conf *conf = reader->conf;
	struct nearest nearest;

	nearest_begin(&nearest, name);
	for (unsigned i = 0; i < conf->functions_count; i++)
		if (conf->functions[i].name)
			nearest_offer(&nearest, conf->functions[i].name);
	if (nearest_best(&nearest))
		reader_error(reader, setting,
			     "path: there is no function \"%s\"; did you mean \"%s\"?", name,
			     nearest.best);
	else
		reader_error(reader, setting, "path: there is no function \"%s\"", name);
}

static bool is_on_path(const struct conf_chain *chain, const struct conf_function *function)
{
	for (unsigned i = 0; i < chain->path_length; i++)
		if (chain->path[i] == function)
			return true;
	return false;
}

static void read_step(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      struct conf_chain *chain)
{
	const char *name = read_text(reader, key, setting);
	const struct conf_function *function = name ? find_function(reader->conf, name) : NULL;

	if (!name)
		return;
	if (!function)
		refuse_function(reader, setting, name);
	else if (is_on_path(chain, function))
		reader_error(reader, setting, "path: function \"%s\" stands there twice", name);
	else
		chain->path[chain->path_length++] = function;
}

static void read_path(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	struct conf_chain *chain = field;
	int length = config_setting_length(setting);

	if (!setting_is_sequence(setting)) {
		reader_type_error(reader, key, setting, "a list of functions [ \"NAME\", … ]");
		return;
	}
	if (length == 0 || length > key->max) {
		reader_error(reader, setting, "%s has %d functions; it may have %lld to %lld",
			     key->name, length, (long long)key->min, (long long)key->max);
		return;
	}
	chain->path = conf_arena_alloc(reader->arena, (size_t)length, sizeof(const void *));
	for (int i = 0; chain->path && i < length; i++)
		read_step(reader, key, config_setting_get_elem(setting, (unsigned)i), chain);
}

const struct key_type key_plugin = {"plugin", read_plugin};
const struct key_type key_plugin_dir = {"folder", read_plugin_dir};
const struct key_type key_plugin_config = {"group", read_plugin_config};
const struct key_type key_path = {"list of functions", read_path};
