/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions: where their plugins are, and what they are configured with. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/conf/key.h"

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

/* "filter" is PLUGIN_DIR/filter.so; what has a slash is a path. False: it is too long. */
static bool plugin_join(const struct conf *conf, const char *plugin, char *path, size_t size)
{
	const char *dir = conf->daemon.plugin_dir;
	int n;

	if (strchr(plugin, '/'))
		n = snprintf(path, size, "%s", plugin);
	else
		n = dir ? snprintf(path, size, "%s/%s.so", dir, plugin) : -1;
	return n >= 0 && (size_t)n < size;
}

/* A path is beside the configuration. */
static const char *plugin_file(struct reader *reader, const config_setting_t *setting,
			       const char *plugin)
{
	char joined[PATH_MAX];

	if (strchr(plugin, '/'))
		return beside(reader->arena, reader_place(reader, setting).file, plugin);
	if (!plugin_join(reader->conf, plugin, joined, sizeof(joined)))
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

int conf_plugin_find(const struct conf *conf, const char *plugin, char *path, size_t size,
		     char *error, size_t error_size)
{
	if (strchr(plugin, '/') && plugin[0] != '/')
		snprintf(error, error_size, "plugin \"%s\" is no path from \"/\" on", plugin);
	else if (!plugin_join(conf, plugin, path, size))
		snprintf(error, error_size, "plugin \"%s\": the path of its file is too long",
			 plugin);
	else if (!is_readable_file(path))
		snprintf(error, error_size, "plugin \"%s\" not found; looked at %s", plugin, path);
	else
		return 0;
	return -EINVAL;
}

static void read_plugin_config(struct reader *reader, const struct key *key,
			       const config_setting_t *setting, void *field)
{
	if (config_setting_is_group(setting))
		*(char **)field = export_json(reader, setting);
	else
		reader_type_error(reader, key, setting, "a group { … }");
}

/* --- how many ---------------------------------------------------------------------- */

void check_range(struct reader *reader, const config_setting_t *setting, void *group)
{
	const struct conf_range *range = group;

	if (range->max && range->min > range->max)
		reader_error(reader, setting, "min %u is above max %u", range->min, range->max);
}

/* A number, or from when to when. */
static void read_instances(struct reader *reader, const struct key *key,
			   const config_setting_t *setting, void *field)
{
	struct conf_function *function = field;
	struct conf_range range = {0};
	long long number;

	if (config_setting_is_group(setting)) {
		size_t before = reader_enter(reader, setting);

		read_group(reader, setting, key->group, &range);
		reader_leave(reader, before);
	} else if (config_setting_is_scalar(setting)) {
		if (read_integer(reader, key, setting, &number))
			range.min = range.max = (unsigned)number;
	} else {
		reader_type_error(reader, key, setting, "an integer or { min = …; max = …; }");
	}
	function->instances = range.min;
	function->instances_max = range.max;
}

/* An inline function is wherever there is a worker, and nobody's process. */
void check_function(struct reader *reader, const config_setting_t *setting, void *group)
{
	static const char *const of_processes[] = {"instances", "hang_ms", "cpu", "user"};
	const struct conf_function *function = group;
	const config_setting_t *allow = config_setting_get_member(setting, "allow");

	if (function->placement != CONF_INLINE)
		return;
	if (allow && (function->allow.read_count || function->allow.connect_count))
		reader_error(reader, allow,
			     "allow.read and allow.connect are for processes; placement is "
			     "\"inline\"");
	for (unsigned i = 0; i < sizeof(of_processes) / sizeof(of_processes[0]); i++) {
		const config_setting_t *at = config_setting_get_member(setting, of_processes[i]);

		if (at)
			reader_error(reader, at, "%s is for processes; placement is \"inline\"",
				     of_processes[i]);
	}
}

const struct key_type key_plugin = {"plugin", read_plugin};
const struct key_type key_plugin_dir = {"folder", read_plugin_dir};
const struct key_type key_instances = {"integer or group", read_instances};
const struct key_type key_plugin_config = {"group", read_plugin_config};
