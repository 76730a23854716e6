/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions: where their plugins are, and what they are configured with. */
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

/* An inline function is wherever there is a worker, and nobody's process. */
void check_function(struct reader *reader, const config_setting_t *setting, void *group)
{
	static const char *const of_processes[] = {"instances", "hang_ms", "cpu", "user", "allow"};
	const struct conf_function *function = group;

	if (function->placement != CONF_INLINE)
		return;
	for (unsigned i = 0; i < sizeof(of_processes) / sizeof(of_processes[0]); i++) {
		const config_setting_t *at = config_setting_get_member(setting, of_processes[i]);

		if (at)
			reader_error(reader, at, "%s is for processes; placement is \"inline\"",
				     of_processes[i]);
	}
}

const struct key_type key_plugin = {"plugin", read_plugin};
const struct key_type key_plugin_dir = {"folder", read_plugin_dir};
const struct key_type key_plugin_config = {"group", read_plugin_config};
