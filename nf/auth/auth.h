/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * auth: who asks? Basic credentials (RFC 7617) and JSON Web Tokens (RFC 7519). README.md is its
 * manual.
 *
 * config.c reads the configuration; users.c the names and hashes; basic.c looks at credentials;
 * line.c is the line in which costly hashes wait; keys.c reads keys, jws.c checks signatures, jwt.c
 * claims; seen.c remembers what was found good; auth.c decides. Everything belongs to one instance
 * and its thread.
 */
#ifndef NF_AUTH_AUTH_H
#define NF_AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "keys.h"
#include "line.h"
#include "nf/common/path.h"
#include "nf/common/pool.h"
#include "nf/common/request_rule.h"
#include "seen.h"
#include "users.h"

#define AUTH_USER_BYTES 256 /* of a name */

struct auth_basic {
	bool on;
	struct users users;
};

struct auth_jwt {
	bool on;
	struct keys keys;
	const char *cookie;   /* where it may also be; NULL: only in Authorization */
	const char *issuer;   /* NULL: any */
	const char *audience; /* NULL: any */
	const char *user_claim;
	uint32_t leeway_s;
	bool needs_exp;
};

struct auth_counters {
	uint64_t *requests, *allowed, *refused, *skipped, *busy, *remembered, *hashed,
		*match_limits;
};

struct auth {
	struct sluice_nf *nf;
	struct pool pool;
	struct patterns *patterns;
	struct request_rules protect, skip;
	struct auth_basic basic;
	struct auth_jwt jwt;
	const char *challenge[2]; /* WWW-Authenticate; [1]: when a token was bad. "": none */
	const char *basic_challenge;
	const char *user_header; /* "": none */
	bool remove_credential;
	uint32_t remember_s;
	struct seen seen;
	struct line line;
	struct auth_counters counters;
	struct path_room path_room;
};

/* Of one exchange, while its credentials wait for their turn. */
struct auth_context {
	struct line_place place;
	char user[AUTH_USER_BYTES];
	char password[AUTH_USER_BYTES];
	struct seen_tag tag;
};

enum auth_result {
	AUTH_NONE, /* no credentials of that kind */
	AUTH_GOOD,
	AUTH_BAD,
	AUTH_LATER, /* it waits in line; auth_decide is called then */
	AUTH_BUSY,  /* the line is full */
};

/* Fills a zeroed `auth`. Errors are recorded; what was read so far is freed by the caller. */
int auth_read(struct auth *auth, struct sluice_nf *nf, const struct sluice_conf *config)
	__attribute__((warn_unused_result));

/* `user`: AUTH_USER_BYTES, of AUTH_GOOD. */
enum auth_result auth_basic_check(struct auth *auth, struct sluice_exchange *x, char *user);
enum auth_result auth_jwt_check(struct auth *auth, struct sluice_exchange *x, char *user);

/* The credentials that waited were looked at. */
void auth_decide(struct auth *auth, struct sluice_exchange *x, bool good);

/* The claims of a token whose signature is good; false: it is not for us, or not now. */
bool auth_claims_hold(const struct auth_jwt *jwt, struct sluice_str payload, int64_t now,
		      char *user, int64_t *until);

#endif
