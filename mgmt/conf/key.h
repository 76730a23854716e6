/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table-driven reader: one row for each key of the configuration.
 *
 * A row (struct key) names the key, its type, its default as it would be written in the
 * file, its range, where it goes in the structure and what it is for. The rows are in
 * keys.c; reading, refusing, defaults and the printed reference all come from them. To add
 * a key: a member in conf.h, a row in keys.c.
 *
 * Keys are read in the order of the rows, not of the file, so that a type may look up
 * whatever stands in earlier rows (chains look up functions, routes look up ports).
 *
 * Private to mgmt/conf.
 */
#ifndef MGMT_CONF_KEY_H
#define MGMT_CONF_KEY_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mgmt/conf/arena.h"
#include "mgmt/conf/conf.h"

#define WHERE_MAX    256
#define KEY_NOWHERE  SIZE_MAX /* offset of a key that is checked but not kept */
#define KEY_REQUIRED NULL     /* instead of a default */
#define KEY_OPTIONAL ""       /* absent: the member stays zero */

struct reader {
	struct conf *conf;
	struct conf_errors *errors;
	struct conf_arena *arena;
	const char *file;      /* the one named to conf_load */
	char where[WHERE_MAX]; /* "upstreams.web": the group that is being read */
	bool network_bad;      /* ports or routes have errors: what follows from them is not said */
	const char *source, *source_copy; /* the last included file that was met */
};

struct key;

struct key_type {
	const char *label; /* "list of CPUs" */
	void (*read)(struct reader *reader, const struct key *key, const config_setting_t *setting,
		     void *field);
};

/* What the groups of a list, or one group, are made of. */
struct key_group {
	const struct key *keys; /* ended by a row without name */
	size_t size;            /* of the structure */
	size_t place;           /* offset of its struct conf_place; KEY_NOWHERE: none */
	bool named; /* its first member is `const char *name`, unlike any other in the list */
	/* After the keys were read. May be NULL. */
	void (*check)(struct reader *reader, const config_setting_t *setting, void *group);
};

struct key {
	const char *name;
	const struct key_type *type;
	const char *fallback;
	size_t offset;
	int64_t min, max;         /* of the number, or of the list's length */
	const char *const *words; /* ended by NULL */
	const struct key_group *group;
	size_t count; /* offset of a list's counter */
	const char *help;
};

extern const struct key conf_root_keys[];

struct conf_range {
	unsigned min, max;
};

/* --- key.c: groups ---------------------------------------------------------- */

/* Reads every key of `group` into `out` (zeroed), and refuses the keys it does not know. */
void read_group(struct reader *reader, const config_setting_t *setting,
		const struct key_group *group, void *out);

/* Where a setting stands, or what libconfig calls `source`. */
struct conf_place reader_place(struct reader *reader, const config_setting_t *setting);
struct conf_place reader_place_of(struct reader *reader, const char *source, unsigned line);

/* "FILE:LINE: WHERE: text" */
void reader_error(struct reader *reader, const config_setting_t *setting, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "KEY must be a string, not a list". */
void reader_type_error(struct reader *reader, const struct key *key,
		       const config_setting_t *setting, const char *wanted);

/* Adds ".name" or "[i]" to `where`; returns what reader_leave needs. */
size_t reader_enter(struct reader *reader, const config_setting_t *setting);
void reader_leave(struct reader *reader, size_t before);

/* True for lists and arrays, whose elements are reached alike. */
bool setting_is_sequence(const config_setting_t *setting);

/* --- types.c ----------------------------------------------------------------- */

extern const struct key_type key_uint, key_int, key_bool, key_text, key_name, key_enum, key_word,
	key_user, key_cpus, key_directory, key_uri_path, key_upgrades;

/* True and `*out`, which is in the key's range; or false after an error. */
bool read_integer(struct reader *reader, const struct key *key, const config_setting_t *setting,
		  long long *out);

/* A text of at least one character in the arena; NULL after an error. */
const char *read_text(struct reader *reader, const struct key *key,
		      const config_setting_t *setting);

/* --- key.c ------------------------------------------------------------------- */

extern const struct key_type key_one_group, key_groups;

/* --- net.c: ports and routes; endpoint.c: servers and listens -------------------- */

extern const struct key_type key_ports, key_addresses, key_network, key_via, key_server,
	key_listens, key_resolvers;

void check_port(struct reader *reader, const config_setting_t *setting, void *group);
void check_route(struct reader *reader, const config_setting_t *setting, void *group);
void check_tcp(struct reader *reader, const config_setting_t *setting, void *group);
void check_upstream(struct reader *reader, const config_setting_t *setting, void *group);

/* --- application.c --------------------------------------------------------------- */

extern const struct key_type key_app_user, key_app_group, key_app_listens, key_app_connects;

void check_application(struct reader *reader, const config_setting_t *setting, void *group);
/* After all was read: what takes part in more than one of its lists. */
void check_all(struct reader *reader, const config_setting_t *root, void *conf);

/* --- chain.c --------------------------------------------------------------------- */

void check_chain(struct reader *reader, const config_setting_t *setting, void *group);

/* --- function.c: plugin files, their config as JSON; path.c ----------------------- */

extern const struct key_type key_plugin, key_plugin_dir, key_plugin_config, key_instances, key_path;

void check_range(struct reader *reader, const config_setting_t *setting, void *group);
/* allow.c */
extern const struct key_type key_allow_read, key_allow_connect, key_allow_write;

void check_function(struct reader *reader, const config_setting_t *setting, void *group);
void check_daemon(struct reader *reader, const config_setting_t *setting, void *group);

/* --- json.c -------------------------------------------------------------------- */

/* The JSON of conf.h, in the arena; an empty group for NULL. NULL after an error. */
char *export_json(struct reader *reader, const config_setting_t *setting);

/* --- scan.c -------------------------------------------------------------------- */

/*
 * Looks through the text of `path` and of all it includes for what the parser would take
 * silently or die of: files that cannot be read, and integers that do not fit.
 */
void scan_file(struct reader *reader, const char *path);

/* A file whole, with a NUL behind it. Free it. NULL: errno says why. */
char *slurp_path(const char *path);

/* --- brackets.c ---------------------------------------------------------------- */

/* Makes [ ] that hold groups or lists into ( ). */
void brackets_relax(char *text);

/* The folder of `path` joined with `name`, unless `name` is absolute. In the arena, or NULL. */
char *beside(struct conf_arena *arena, const char *path, const char *name);

#endif
