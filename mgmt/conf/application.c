/* SPDX-License-Identifier: BSD-3-Clause */
/* Applications: who may attach, where they may listen and connect, and what they may hold. */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/conf/key.h"
#include "mgmt/conf/net.h"

/* --- who --------------------------------------------------------------------------------- */

static void read_app_user(struct reader *reader, const struct key *key,
			  const config_setting_t *setting, void *field)
{
	struct conf_application *app = field;
	const char *name = read_text(reader, key, setting);
	const struct passwd *entry = name ? getpwnam(name) : NULL;

	if (name && !entry)
		reader_error(reader, setting, "%s \"%s\" does not exist on this machine", key->name,
			     name);
	app->user = name;
	app->uid = entry ? entry->pw_uid : 0;
}

static void read_app_group(struct reader *reader, const struct key *key,
			   const config_setting_t *setting, void *field)
{
	struct conf_application *app = field;
	const char *name = read_text(reader, key, setting);
	const struct group *entry = name ? getgrnam(name) : NULL;

	if (name && !entry)
		reader_error(reader, setting, "%s \"%s\" does not exist on this machine", key->name,
			     name);
	app->group = name;
	app->gid = entry ? entry->gr_gid : 0;
}

/* --- where it may listen ----------------------------------------------------------------- */

static const struct conf_application *app_on(const struct conf *conf,
					     const struct endpoint *endpoint)
{
	for (unsigned i = 0; i < conf->applications_count; i++)
		for (unsigned j = 0; j < conf->applications[i].listens_count; j++)
			if (net_same_endpoint(&conf->applications[i].listens[j], endpoint))
				return &conf->applications[i];
	return NULL;
}

/* True when an error was found. */
static bool refuse_listen(struct reader *reader, const config_setting_t *setting,
			  const struct conf_application *app, const struct endpoint *endpoint)
{
	const char *text = config_setting_get_string(setting);
	const struct conf_chain *chain = net_chain_on(reader->conf, endpoint);
	const struct conf_application *other = app_on(reader->conf, endpoint);

	if (chain)
		reader_error(reader, setting, "listen %s is already taken by chain \"%s\"", text,
			     NAME_OF(chain));
	else if (other == app)
		reader_error(reader, setting, "listen %s stands there twice", text);
	else if (other)
		reader_error(reader, setting, "listen %s is already application \"%s\"'s", text,
			     NAME_OF(other));
	else if (net_known(reader) && !addr_is_any(&endpoint->addr) &&
		 !net_port_of(reader->conf, &endpoint->addr))
		reader_error(reader, setting, "listen %s: no port has this address", text);
	else
		return false;
	return true;
}

static void read_listen(struct reader *reader, const struct key *key,
			const config_setting_t *setting, struct conf_application *app)
{
	struct endpoint endpoint;

	if (net_read_endpoint(reader, key, setting, &endpoint) &&
	    !refuse_listen(reader, setting, app, &endpoint))
		app->listens[app->listens_count++] = endpoint;
}

/* One text, or a list of them: how many, or -1 after an error. */
static int texts_count(struct reader *reader, const struct key *key,
		       const config_setting_t *setting)
{
	int n = setting_is_sequence(setting) ? config_setting_length(setting) : 1;

	if (n <= key->max)
		return n;
	reader_error(reader, setting, "%s has %d entries; it may have %lld", key->name, n,
		     (long long)key->max);
	return -1;
}

static const config_setting_t *text_at(const config_setting_t *setting, int i)
{
	return setting_is_sequence(setting) ? config_setting_get_elem(setting, (unsigned)i)
					    : setting;
}

static void read_app_listens(struct reader *reader, const struct key *key,
			     const config_setting_t *setting, void *field)
{
	struct conf_application *app = field;
	int n = texts_count(reader, key, setting);

	app->listens =
		n < 0 ? NULL
		      : conf_arena_alloc(reader->arena, (size_t)n + 1, sizeof(*app->listens));
	for (int i = 0; app->listens && i < n; i++)
		read_listen(reader, key, text_at(setting, i), app);
}

/* --- where it may connect ---------------------------------------------------------------- */

/* "443" or "*". */
static bool parse_port(const char *text, uint16_t *out)
{
	char *end;
	long port = strtol(text, &end, 10);

	*out = 0;
	if (!strcmp(text, "*"))
		return true;
	*out = (uint16_t)port;
	return text[0] >= '1' && text[0] <= '9' && !*end && port <= UINT16_MAX;
}

static void read_connect(struct reader *reader, const struct key *key,
			 const config_setting_t *setting, struct conf_application *app)
{
	struct conf_destination to;
	const char *text = read_text(reader, key, setting);
	char *network = text ? conf_arena_text(reader->arena, text) : NULL;
	char *colon = network ? strrchr(network, ':') : NULL;

	if (!text)
		return;
	if (!colon || !parse_port(colon + 1, &to.port)) {
		reader_error(reader, setting, "%s \"%s\" must be ADDRESS/PREFIX:PORT", key->name,
			     text);
		return;
	}
	*colon = '\0';
	if (net_parse_network(reader, key, setting, network, &to.addr, &to.prefix))
		app->connects[app->connects_count++] = to;
}

static void read_app_connects(struct reader *reader, const struct key *key,
			      const config_setting_t *setting, void *field)
{
	struct conf_application *app = field;
	int n = texts_count(reader, key, setting);

	app->connects =
		n < 0 ? NULL
		      : conf_arena_alloc(reader->arena, (size_t)n + 1, sizeof(*app->connects));
	for (int i = 0; app->connects && i < n; i++)
		read_connect(reader, key, text_at(setting, i), app);
}

/* --- all of it --------------------------------------------------------------------------- */

void check_application(struct reader *reader, const config_setting_t *setting, void *group)
{
	const struct conf_application *app = group;

	if (!app->listens_count && !app->connects_count &&
	    !config_setting_get_member(setting, "listen") &&
	    !config_setting_get_member(setting, "connect"))
		reader_error(reader, setting, "it may neither listen nor connect");
}

/* What their connections may leave unread together must not be most of what there is: windows
 * cannot be taken back. */
static void check_held(struct reader *reader)
{
	const struct conf *conf = reader->conf;
	uint64_t most_kb, held_kb = 0;

	if (!conf->daemon.workers_count)
		return;
	most_kb = (uint64_t)conf->daemon.memory_mb * 1024 / conf->daemon.workers_count / 2;
	for (unsigned i = 0; i < conf->applications_count; i++) {
		const struct conf_application *app = &conf->applications[i];

		held_kb += (uint64_t)app->max_connections * app->recv_buffer_kb;
		if (held_kb <= most_kb)
			continue;
		conf_error(reader->errors, &app->place,
			   "applications up to this one may leave %llu MB unread in a worker "
			   "(max_connections times recv_buffer_kb); memory_mb allows %llu",
			   (unsigned long long)held_kb / 1024, (unsigned long long)most_kb / 1024);
		return;
	}
}

static bool is_empty(const config_setting_t *root, const char *name)
{
	const config_setting_t *list = config_setting_get_member(root, name);

	return !list || (setting_is_sequence(list) && !config_setting_length(list));
}

void check_all(struct reader *reader, const config_setting_t *root, void *conf)
{
	(void)conf;
	if (is_empty(root, "chains") && is_empty(root, "applications"))
		reader_error(reader, root, "there is nothing to do: no chains, no applications");
	check_held(reader);
}

const struct key_type key_app_user = {"user", read_app_user};
const struct key_type key_app_group = {"group", read_app_group};
const struct key_type key_app_listens = {"address:port(s)", read_app_listens};
const struct key_type key_app_connects = {"network:port(s)", read_app_connects};
