/* SPDX-License-Identifier: BSD-3-Clause */
#include "users.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apr1.h"
#include "nf/common/pool.h"

#define FILE_BYTES_MAX (1 << 20)
#define USERS_MAX      10000

/* --- reading -------------------------------------------------------------------------- */

/* Whoever has no password yet is written "!" or "*": nobody's hash. */
static bool hash_good(const char *hash)
{
	if (apr1_is(hash))
		return true;
	return strlen(hash) >= 13 && hash[0] != '!' && hash[0] != '*' &&
	       crypt_checksalt(hash) != CRYPT_SALT_INVALID;
}

static int add(struct users *users, struct pool *pool, const struct sluice_conf *where,
	       const char *line, const char *place)
{
	const char *colon = strchr(line, ':');
	struct user *user = &users->user[users->count];

	if (!colon || colon == line)
		return sluice_conf_error(where, "%s: a line must be NAME:HASH", place);
	user->name = pool_text(pool, "%.*s", (int)(colon - line), line);
	user->hash = pool_text(pool, "%s", colon + 1);
	if (!user->name || !user->hash)
		return -ENOMEM;
	if (!hash_good(user->hash))
		return sluice_conf_error(where,
					 "%s: the hash of %s is of no known kind "
					 "(htpasswd -B writes one)",
					 place, user->name);
	++users->count;
	return 0;
}

static int add_line(struct users *users, struct pool *pool, const struct sluice_conf *group,
		    const char *file, unsigned number, char *line)
{
	char place[512];

	line[strcspn(line, "\r")] = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (users->count == USERS_MAX)
		return sluice_conf_error(group, "%s: more than %d users", file, USERS_MAX);
	snprintf(place, sizeof(place), "%s:%u", file, number);
	return add(users, pool, group, line, place);
}

static int read_file(struct users *users, struct pool *pool, const struct sluice_conf *group)
{
	const char *file;
	char *text, *line, *next;
	size_t len;
	FILE *stream;
	int err = sluice_conf_string(group, "file", NULL, &file);

	if (err || !file)
		return err;
	stream = fopen(file, "re");
	if (!stream)
		return sluice_conf_error_key(group, "file", "%s: %s", file, strerror(errno));
	text = pool_alloc(pool, FILE_BYTES_MAX, 1);
	len = text ? fread(text, 1, FILE_BYTES_MAX, stream) : 0;
	fclose(stream);
	if (!text)
		return -ENOMEM;
	if (len == FILE_BYTES_MAX || memchr(text, '\0', len))
		return sluice_conf_error_key(group, "file", "%s is no list of users", file);
	next = text;
	for (unsigned number = 1; !err && (line = strsep(&next, "\n")); ++number)
		err = add_line(users, pool, group, file, number, line);
	explicit_bzero(text, len);
	return err;
}

static int read_list(struct users *users, struct pool *pool, const struct sluice_conf *group)
{
	const struct sluice_conf *list = sluice_conf_list(group, "users");
	unsigned n = list ? sluice_conf_length(list) : 0;
	int err = !list && sluice_conf_has(group, "users") ? -EINVAL : 0;

	for (unsigned i = 0; !err && i < n && users->count < USERS_MAX; ++i) {
		const char *line;

		err = sluice_conf_string_at(list, i, &line);
		if (!err)
			err = add(users, pool, list, line, "users");
	}
	return err;
}

static int by_name(const void *a, const void *b)
{
	const struct user *left = a, *right = b;

	return strcmp(left->name, right->name);
}

/* The library may forbid it; and what it loads at the first use it loads now. */
static bool md5_works(const struct users *users)
{
	char out[APR1_BYTES];

	for (unsigned i = 0; i < users->count; ++i)
		if (apr1_is(users->user[i].hash))
			return apr1_make("", users->user[i].hash, out);
	return true;
}

int users_read(struct users *users, struct pool *pool, const struct sluice_conf *group)
{
	int err;

	users->room = pool_alloc(pool, 1, sizeof(*users->room));
	users->user = pool_alloc(pool, USERS_MAX, sizeof(*users->user));
	if (!users->room || !users->user)
		return -ENOMEM;
	err = read_file(users, pool, group);
	if (!err)
		err = read_list(users, pool, group);
	if (err)
		return err;
	if (users->count == 0)
		return sluice_conf_error(group, "basic needs users, by file or users");
	if (!md5_works(users))
		return sluice_conf_error(group,
					 "there is no MD5 for hashes that begin with $apr1$");
	qsort(users->user, users->count, sizeof(*users->user), by_name);
	for (unsigned i = 1; i < users->count; ++i)
		if (strcmp(users->user[i - 1].name, users->user[i].name) == 0)
			return sluice_conf_error(group, "%s is there twice", users->user[i].name);
	return 0;
}

/* --- asking --------------------------------------------------------------------------- */

/* All of both, whatever they have in common. */
static bool equal(const char *a, const char *b)
{
	size_t len = strlen(a);
	unsigned char differ = 0;

	if (strlen(b) != len)
		return false; /* lengths are those of the kind of hash, and no secret */
	for (size_t i = 0; i < len; ++i)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

static bool matches(const struct users *users, const char *hash, const char *password)
{
	char own[APR1_BYTES];
	const char *made;

	if (apr1_is(hash))
		return apr1_make(password, hash, own) && equal(own, hash);
	/* Not crypt_r, which sanitizers would call in a library that was loaded after them. */
	made = crypt_rn(password, hash, users->room, sizeof(*users->room));
	return made && made[0] != '*' && equal(made, hash);
}

bool users_check(const struct users *users, const char *name, const char *password)
{
	struct user wanted = {.name = name};
	const struct user *user =
		bsearch(&wanted, users->user, users->count, sizeof(*users->user), by_name);
	bool good = matches(users, user ? user->hash : users->user[0].hash, password) && user;

	explicit_bzero(users->room, sizeof(*users->room));
	return good;
}
