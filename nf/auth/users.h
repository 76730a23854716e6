/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names and the crypt(5) hashes of their passwords, as htpasswd writes them. Read at init.
 */
#ifndef NF_AUTH_USERS_H
#define NF_AUTH_USERS_H

#include <stdbool.h>

#include <sluice/nf.h>

struct pool;
struct crypt_data;

struct user {
	const char *name, *hash;
};

struct users {
	struct user *user; /* sorted by name */
	unsigned count;
	struct crypt_data *room;
};

/* `file` and `users` of `group`: lines NAME:HASH. 0, -ENOMEM or -EINVAL. */
int users_read(struct users *users, struct pool *pool, const struct sluice_conf *group)
	__attribute__((warn_unused_result));

/* Takes as long for a name that is not there as for one that is. */
bool users_check(const struct users *users, const char *name, const char *password);

#endif
