/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "auth.h"
#include "nf/common/read.h"

#define REMEMBER_S_DEFAULT 300
#define REMEMBER_DEFAULT   4096
#define WAITING_DEFAULT    64
#define SHARE_DEFAULT      25
#define LEEWAY_S_DEFAULT   30

static int read_basic(struct auth *auth, const struct sluice_conf *config)
{
	const struct sluice_conf *group = sluice_conf_group(config, "basic");
	int errors = 0;

	if (!group)
		return sluice_conf_has(config, "basic") ? -EINVAL : 0;
	auth->basic.on = true;
	errors |= users_read(&auth->basic.users, &auth->pool, group);
	errors |= read_number(group, "max_waiting", WAITING_DEFAULT, 1, 1024, &auth->line.most);
	errors |= read_number(group, "hash_share_percent", SHARE_DEFAULT, 1, 90, &auth->line.share);
	return errors ? -EINVAL : 0;
}

static int read_cookie(const struct sluice_conf *group, struct auth_jwt *jwt)
{
	int err = sluice_conf_string(group, "cookie", NULL, &jwt->cookie);

	if (err || !jwt->cookie || read_is_token(jwt->cookie))
		return err;
	return sluice_conf_error_key(group, "cookie", "cookie: \"%s\" is not a name", jwt->cookie);
}

static int read_jwt(struct auth *auth, const struct sluice_conf *config)
{
	const struct sluice_conf *group = sluice_conf_group(config, "jwt");
	struct auth_jwt *jwt = &auth->jwt;
	int errors = 0;

	if (!group)
		return sluice_conf_has(config, "jwt") ? -EINVAL : 0;
	jwt->on = true;
	errors |= read_cookie(group, jwt);
	errors |= sluice_conf_string(group, "issuer", NULL, &jwt->issuer);
	errors |= sluice_conf_string(group, "audience", NULL, &jwt->audience);
	errors |= sluice_conf_string(group, "user_claim", "sub", &jwt->user_claim);
	errors |= read_number(group, "leeway_s", LEEWAY_S_DEFAULT, 0, 3600, &jwt->leeway_s);
	errors |= sluice_conf_bool(group, "require_exp", true, &jwt->needs_exp);
	errors |= keys_read(&jwt->keys, &auth->pool, group);
	return errors ? -EINVAL : 0;
}

/* RFC 7617 §2, RFC 6750 §3: realm is a quoted string. */
static int read_realm(struct auth *auth, const struct sluice_conf *config)
{
	const char *realm;
	int err = sluice_conf_string(config, "realm", "sluice", &realm);

	if (err)
		return err;
	if (strpbrk(realm, "\"\\") || !read_is_value(realm) || strlen(realm) > 200)
		return sluice_conf_error_key(config, "realm", "realm: \"%s\" cannot be quoted",
					     realm);
	auth->basic_challenge =
		pool_text(&auth->pool, "Basic realm=\"%s\", charset=\"UTF-8\"", realm);
	auth->challenge[0] = pool_text(&auth->pool, "Bearer realm=\"%s\"", realm);
	auth->challenge[1] =
		pool_text(&auth->pool, "Bearer realm=\"%s\", error=\"invalid_token\"", realm);
	return auth->basic_challenge && auth->challenge[0] && auth->challenge[1] ? 0 : -ENOMEM;
}

static int read_user_header(struct auth *auth, const struct sluice_conf *config)
{
	int err = sluice_conf_string(config, "user_header", "X-User", &auth->user_header);

	if (err || auth->user_header[0] == '\0')
		return err;
	return field_check(config, auth->user_header, FIELD_SET_IN_REQUEST);
}

static int read_settings(struct auth *auth, const struct sluice_conf *config)
{
	uint32_t remember;
	int errors = 0;

	errors |= read_realm(auth, config);
	errors |= read_user_header(auth, config);
	errors |= sluice_conf_bool(config, "remove_credential", false, &auth->remove_credential);
	errors |=
		read_number(config, "remember_s", REMEMBER_S_DEFAULT, 0, 86400, &auth->remember_s);
	errors |= read_number(config, "remember", REMEMBER_DEFAULT, 0, 1 << 18, &remember);
	errors |= seen_init(&auth->seen, &auth->pool, auth->remember_s ? remember : 0);
	errors |=
		request_rules_read(&auth->pool, auth->patterns, config, "protect", &auth->protect);
	errors |= request_rules_read(&auth->pool, auth->patterns, config, "skip", &auth->skip);
	return errors ? -EINVAL : 0;
}

static int read_counters(struct auth_counters *c, struct sluice_nf *nf)
{
	c->requests = sluice_counter(nf, "requests", "request heads looked at");
	c->allowed = sluice_counter(nf, "allowed", "requests with good credentials");
	c->refused = sluice_counter(nf, "refused", "requests without them: 401");
	c->skipped = sluice_counter(nf, "skipped", "requests that need none");
	c->busy = sluice_counter(nf, "busy", "requests for which the line was full: 503");
	c->remembered = sluice_counter(nf, "remembered", "credentials that were known already");
	c->hashed = sluice_counter(nf, "hashed", "password hashes computed");
	c->match_limits = sluice_counter(nf, "match_limits", "matches given up at match_limit");
	return c->requests && c->allowed && c->refused && c->skipped && c->busy && c->remembered &&
			       c->hashed && c->match_limits
		       ? 0
		       : -ENOSPC;
}

int auth_read(struct auth *auth, struct sluice_nf *nf, const struct sluice_conf *config)
{
	uint32_t match_limit;
	int errors = read_number(config, "match_limit", PATTERN_MATCH_LIMIT_DEFAULT, 1, UINT32_MAX,
				 &match_limit);
	int err = patterns_create(match_limit, &auth->patterns);

	if (!err)
		err = read_counters(&auth->counters, nf);
	if (err)
		return err;
	errors |= read_settings(auth, config);
	errors |= read_basic(auth, config);
	errors |= read_jwt(auth, config);
	if (!errors && !auth->basic.on && !auth->jwt.on)
		return sluice_conf_error(config, "auth needs basic = { … }, jwt = { … } or both");
	return errors ? -EINVAL : 0;
}
