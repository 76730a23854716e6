/* SPDX-License-Identifier: BSD-3-Clause */
/* The types that keys have: numbers, words, names. */
#include <ctype.h>
#include <jansson.h>
#include <pwd.h>
#include <string.h>

#include "mgmt/conf/key.h"

static bool is_integer(const config_setting_t *setting)
{
	int type = config_setting_type(setting);

	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

bool read_integer(struct reader *reader, const struct key *key, const config_setting_t *setting,
		  long long *out)
{
	if (!is_integer(setting)) {
		reader_type_error(reader, key, setting, "an integer");
		return false;
	}
	*out = config_setting_get_int64(setting);
	if (*out >= key->min && *out <= key->max)
		return true;
	reader_error(reader, setting, "%s is %lld; it may be %lld to %lld", key->name, *out,
		     (long long)key->min, (long long)key->max);
	return false;
}

static void read_uint(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	long long number;

	if (read_integer(reader, key, setting, &number))
		*(unsigned *)field = (unsigned)number;
}

static void read_int(struct reader *reader, const struct key *key, const config_setting_t *setting,
		     void *field)
{
	long long number;

	if (read_integer(reader, key, setting, &number))
		*(int *)field = (int)number;
}

static void read_bool(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
		*(bool *)field = config_setting_get_bool(setting);
	else
		reader_type_error(reader, key, setting, "true or false");
}

static bool is_utf8(const char *text)
{
	json_t *json = json_string(text);

	json_decref(json);
	return json != NULL;
}

const char *read_text(struct reader *reader, const struct key *key, const config_setting_t *setting)
{
	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		reader_type_error(reader, key, setting, "a string");
		return NULL;
	}
	if (config_setting_get_string(setting)[0] == '\0') {
		reader_error(reader, setting, "%s is empty", key->name);
		return NULL;
	}
	if (!is_utf8(config_setting_get_string(setting))) {
		reader_error(reader, setting, "%s is not UTF-8 text", key->name);
		return NULL;
	}
	return conf_arena_text(reader->arena, config_setting_get_string(setting));
}

static void read_any_text(struct reader *reader, const struct key *key,
			  const config_setting_t *setting, void *field)
{
	*(const char **)field = read_text(reader, key, setting);
}

static bool is_name(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_.-", text[i]))
			return false;
	return len < CONF_NAME_MAX;
}

static void read_name(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	const char *text = read_text(reader, key, setting);

	if (text && !is_name(text))
		reader_error(reader, setting,
			     "%s \"%s\" is not a name: letters, digits, \"_\", \".\" and \"-\", "
			     "at most %d",
			     key->name, text, CONF_NAME_MAX - 1);
	else
		*(const char **)field = text;
}

/* --- words --------------------------------------------------------------------- */

static int find_word(const char *const *words, const char *text)
{
	for (int i = 0; words && words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}

/* "a", "b" or "c" */
static const char *word_choice(struct reader *reader, const char *const *words)
{
	char text[256] = "";
	char *end = text;

	for (int i = 0; words[i]; i++) {
		const char *glue = i == 0 ? "" : words[i + 1] ? ", " : " or ";
		size_t room = sizeof(text) - (size_t)(end - text);

		if (strlen(glue) + strlen(words[i]) + 3 > room)
			break;
		end = stpcpy(stpcpy(stpcpy(stpcpy(end, glue), "\""), words[i]), "\"");
	}
	return conf_arena_text(reader->arena, text);
}

static void refuse_word(struct reader *reader, const struct key *key,
			const config_setting_t *setting, const char *text)
{
	const char *choice = word_choice(reader, key->words);

	if (choice)
		reader_error(reader, setting, "%s is \"%s\"; it may be %s", key->name, text,
			     choice);
}

/* The index of the word that the setting is, or -1 after an error. */
static int read_choice(struct reader *reader, const struct key *key,
		       const config_setting_t *setting)
{
	const char *text = read_text(reader, key, setting);
	int i = text ? find_word(key->words, text) : -1;

	if (text && i < 0)
		refuse_word(reader, key, setting, text);
	return i;
}

static void read_enum(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	int i = read_choice(reader, key, setting);

	if (i >= 0)
		*(unsigned *)field = (unsigned)i;
}

static void read_word(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	int i = read_choice(reader, key, setting);

	if (i >= 0 && field)
		*(const char **)field = key->words[i];
}

/* --- the system's ------------------------------------------------------------- */

static void read_user(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	const char *user = read_text(reader, key, setting);

	if (user && !getpwnam(user))
		reader_error(reader, setting, "%s \"%s\" does not exist on this machine", key->name,
			     user);
	*(const char **)field = user;
}

static void read_directory(struct reader *reader, const struct key *key,
			   const config_setting_t *setting, void *field)
{
	const char *path = read_text(reader, key, setting);

	if (path && path[0] != '/')
		reader_error(reader, setting, "%s \"%s\" must begin with \"/\"", key->name, path);
	else if (path && (long long)strlen(path) > key->max)
		reader_error(reader, setting, "%s is longer than %lld characters", key->name,
			     (long long)key->max);
	*(const char **)field = path;
}

static void read_uri_path(struct reader *reader, const struct key *key,
			  const config_setting_t *setting, void *field)
{
	const char *path = read_text(reader, key, setting);
	bool good = path && path[0] == '/';

	for (const char *c = path; good && *c; c++)
		good = *c > ' ' && *c < 0x7f;
	if (path && !good)
		reader_error(reader, setting, "%s \"%s\" must begin with \"/\" and hold no spaces",
			     key->name, path);
	*(const char **)field = path;
}

static bool cpu_is_twin(const unsigned *cpus, unsigned count)
{
	for (unsigned i = 0; i + 1 < count; i++)
		if (cpus[i] == cpus[count - 1])
			return true;
	return false;
}

static void read_cpu(struct reader *reader, const struct key *key, const config_setting_t *setting,
		     struct conf_daemon *daemon)
{
	long long cpu;

	if (!read_integer(reader, key, setting, &cpu))
		return;
	daemon->workers[daemon->workers_count++] = (unsigned)cpu;
	if (cpu_is_twin(daemon->workers, daemon->workers_count))
		reader_error(reader, setting, "%s names CPU %lld twice", key->name, cpu);
}

static void read_cpus(struct reader *reader, const struct key *key, const config_setting_t *setting,
		      void *field)
{
	struct conf_daemon *daemon = field;
	int length = config_setting_length(setting);

	if (!setting_is_sequence(setting)) {
		reader_type_error(reader, key, setting, "a list of CPUs [ 1, 2 ]");
		return;
	}
	if (length == 0)
		reader_error(reader, setting, "%s is empty", key->name);
	daemon->workers = conf_arena_alloc(reader->arena, (size_t)length + 1, sizeof(unsigned));
	for (int i = 0; daemon->workers && i < length; i++)
		read_cpu(reader, key, config_setting_get_elem(setting, (unsigned)i), daemon);
}

/* --- protocols of Upgrade: RFC 9110 §7.8 ------------------------------------------ */

static bool is_protocol(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("!#$%&'*+-.^_`|~/", text[i]))
			return false;
	return len < CONF_UPGRADE_MAX;
}

static void read_upgrade(struct reader *reader, const struct key *key,
			 const config_setting_t *setting, struct conf_chain *chain)
{
	const char *text = read_text(reader, key, setting);

	if (text && !is_protocol(text))
		reader_error(reader, setting, "%s \"%s\" is not a protocol: NAME or NAME/VERSION",
			     key->name, text);
	else if (text)
		chain->upgrades[chain->upgrades_count++] = text;
}

static void read_upgrades(struct reader *reader, const struct key *key,
			  const config_setting_t *setting, void *field)
{
	struct conf_chain *chain = field;
	bool list = setting_is_sequence(setting);
	int length = list ? config_setting_length(setting) : 1;

	if (length > key->max) {
		reader_error(reader, setting, "%s has %d entries; it may have %lld", key->name,
			     length, (long long)key->max);
		return;
	}
	chain->upgrades = conf_arena_alloc(reader->arena, (size_t)length + 1, sizeof(char *));
	for (int i = 0; chain->upgrades && i < length; i++)
		read_upgrade(reader, key,
			     list ? config_setting_get_elem(setting, (unsigned)i) : setting, chain);
}

const struct key_type key_uint = {"integer", read_uint};
const struct key_type key_int = {"integer", read_int};
const struct key_type key_bool = {"true or false", read_bool};
const struct key_type key_text = {"string", read_any_text};
const struct key_type key_name = {"name", read_name};
const struct key_type key_enum = {"word", read_enum};
const struct key_type key_word = {"word", read_word};
const struct key_type key_user = {"user", read_user};
const struct key_type key_cpus = {"list of CPUs", read_cpus};
const struct key_type key_directory = {"folder", read_directory};
const struct key_type key_uri_path = {"URI path", read_uri_path};
const struct key_type key_upgrades = {"protocol(s)", read_upgrades};
