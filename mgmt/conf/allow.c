/* SPDX-License-Identifier: BSD-3-Clause */
/* What a function may do beyond its rings: files to read, connections to use, where to write. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "mgmt/conf/key.h"
#include "mgmt/conf/net.h"

#define UNIX_PREFIX "unix:"
#define UDP_PREFIX  "udp:"

#define SYSLOG_PREFIX  "syslog:"
#define SYSLOG_SOCKET  "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The list's elements, in the arena; NULL after an error. */
static void *elements(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      size_t size)
{
	int n = setting_is_sequence(setting) ? config_setting_length(setting) : -1;

	if (n < 0) {
		reader_type_error(reader, key, setting, "a list [ … ] of texts");
		return NULL;
	}
	if (n > CONF_ALLOW_MAX) {
		reader_error(reader, setting, "%s has %d entries; it may have %d", key->name, n,
			     CONF_ALLOW_MAX);
		return NULL;
	}
	return conf_arena_alloc(reader->arena, (size_t)n + 1, size);
}

/* --- read ------------------------------------------------------------------------------ */

static bool path_good(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      const char *path, size_t room)
{
	if (path[0] != '/')
		reader_error(reader, setting, "%s \"%s\" must begin with \"/\"", key->name, path);
	else if (strlen(path) >= room)
		reader_error(reader, setting, "%s: the path is longer than %zu bytes", key->name,
			     room - 1);
	else
		return true;
	return false;
}

static void read_path(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      struct conf_allow *allow)
{
	const char *path = read_text(reader, key, setting);
	struct stat st;

	if (!path || !path_good(reader, key, setting, path, CONF_ALLOW_TEXT_MAX))
		return;
	if (stat(path, &st))
		reader_error(reader, setting, "%s \"%s\": %s", key->name, path, strerror(errno));
	else
		allow->read[allow->read_count++] = path;
}

static void read_allow_read(struct reader *reader, const struct key *key,
			    const config_setting_t *setting, void *field)
{
	struct conf_allow *allow = field;

	allow->read = elements(reader, key, setting, sizeof(*allow->read));
	for (int i = 0; allow->read && i < config_setting_length(setting); i++)
		read_path(reader, key, config_setting_get_elem(setting, (unsigned)i), allow);
}

/* --- connect ----------------------------------------------------------------------------- */

static bool read_connection(struct reader *reader, const struct key *key,
			    const config_setting_t *setting, struct conf_connection *out)
{
	const char *text = read_text(reader, key, setting), *rest;

	if (!text)
		return false;
	*out = (struct conf_connection){.name = text, .kind = CONF_CONNECT_TCP};
	if (begins(text, UNIX_PREFIX)) {
		out->kind = CONF_CONNECT_UNIX;
		out->path = text + strlen(UNIX_PREFIX);
		return path_good(reader, key, setting, out->path,
				 sizeof(((struct sockaddr_un *)0)->sun_path));
	}
	rest = text;
	if (begins(text, UDP_PREFIX)) {
		out->kind = CONF_CONNECT_UDP;
		rest += strlen(UDP_PREFIX);
	}
	if (!endpoint_parse(rest, &out->endpoint) && out->endpoint.port)
		return true;
	reader_error(reader, setting,
		     "%s \"%s\" must be ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH", key->name,
		     text);
	return false;
}

static void read_allow_connect(struct reader *reader, const struct key *key,
			       const config_setting_t *setting, void *field)
{
	struct conf_allow *allow = field;

	allow->connect = elements(reader, key, setting, sizeof(*allow->connect));
	for (int i = 0; allow->connect && i < config_setting_length(setting); i++) {
		if (read_connection(reader, key, config_setting_get_elem(setting, (unsigned)i),
				    &allow->connect[allow->connect_count]))
			allow->connect_count++;
	}
}

/* --- write ------------------------------------------------------------------------------- */

/* The file need not be there, but its folder. */
static bool folder_good(struct reader *reader, const struct key *key,
			const config_setting_t *setting, const char *path)
{
	char folder[CONF_ALLOW_TEXT_MAX];
	struct stat st;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path + 1), path);
	if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	reader_error(reader, setting, "%s \"%s\": there is no folder %s", key->name, path, folder);
	return false;
}

static bool read_writing(struct reader *reader, const struct key *key,
			 const config_setting_t *setting, struct conf_writing *out)
{
	size_t socket_bytes = sizeof(((struct sockaddr_un *)0)->sun_path);
	const char *text = read_text(reader, key, setting);

	if (!text)
		return false;
	*out = (struct conf_writing){.name = text, .kind = CONF_WRITE_FILE, .path = text};
	if (strcmp(text, "journal") == 0) {
		out->kind = CONF_WRITE_JOURNAL;
		out->path = JOURNAL_SOCKET;
		return true;
	}
	if (strcmp(text, "syslog") == 0 || begins(text, SYSLOG_PREFIX)) {
		out->kind = CONF_WRITE_SYSLOG;
		out->path = text[6] ? text + strlen(SYSLOG_PREFIX) : SYSLOG_SOCKET;
		return path_good(reader, key, setting, out->path, socket_bytes);
	}
	return path_good(reader, key, setting, text, CONF_ALLOW_TEXT_MAX) &&
	       folder_good(reader, key, setting, text);
}

static void read_allow_write(struct reader *reader, const struct key *key,
			     const config_setting_t *setting, void *field)
{
	struct conf_allow *allow = field;

	allow->write = elements(reader, key, setting, sizeof(*allow->write));
	for (int i = 0; allow->write && i < config_setting_length(setting); i++) {
		if (read_writing(reader, key, config_setting_get_elem(setting, (unsigned)i),
				 &allow->write[allow->write_count]))
			allow->write_count++;
	}
}

const struct key_type key_allow_write = {"list of names", read_allow_write};
const struct key_type key_allow_read = {"list of paths", read_allow_read};
const struct key_type key_allow_connect = {"list of addresses", read_allow_connect};
