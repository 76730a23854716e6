/* SPDX-License-Identifier: BSD-3-Clause */
#include "sticky.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nf/common/cookie.h"
#include "nf/common/read.h"

#define COOKIES_BYTES 4096 /* more of them than this are left as they are */

/* --- configuration --------------------------------------------------------------- */

/* RFC 6265 §4.1.1: an attribute's value has no control characters and no semicolon. */
static bool is_attribute(const char *text)
{
	return read_is_value(text) && !strchr(text, ';');
}

static int read_attribute(const struct sluice_conf *group, const char *key, const char *fallback,
			  const char **out)
{
	int err = sluice_conf_string(group, key, fallback, out);

	if (!err && *out && !is_attribute(*out))
		err = sluice_conf_error_key(group, key, "%s: \"%s\" is not fit for a cookie", key,
					    *out);
	return err;
}

static void key_of(const char *secret, struct hash_key *key)
{
	static const struct hash_key first = {1, 1}, second = {2, 2};

	key->k0 = hash_bytes(&first, secret, strlen(secret));
	key->k1 = hash_bytes(&second, secret, strlen(secret));
}

struct attributes {
	const char *path, *domain;
	uint32_t max_age_s;
	unsigned same_site;
	bool http_only, secure;
};

static const char *const same_sites[] = {"lax", "strict", "none", "unset", NULL};

static int read_attributes(const struct sluice_conf *group, struct attributes *a)
{
	int bad = 0;

	bad |= read_attribute(group, "path", "/", &a->path);
	bad |= read_attribute(group, "domain", NULL, &a->domain);
	bad |= read_number(group, "max_age_s", 0, 0, 400 * 86400, &a->max_age_s);
	bad |= read_choice(group, "same_site", same_sites, 0, &a->same_site);
	bad |= sluice_conf_bool(group, "http_only", true, &a->http_only);
	bad |= sluice_conf_bool(group, "secure", false, &a->secure);
	if (!bad && a->same_site == 2 && !a->secure)
		bad = sluice_conf_error_key(group, "same_site",
					    "same_site: browsers refuse \"none\" without secure");
	return bad ? -EINVAL : 0;
}

static char *attributes_text(const struct attributes *a)
{
	static const char *const sites[] = {"; SameSite=Lax", "; SameSite=Strict",
					    "; SameSite=None", ""};
	char age[32] = "", *text;

	if (a->max_age_s)
		snprintf(age, sizeof(age), "; Max-Age=%u", a->max_age_s);
	if (asprintf(&text, "; Path=%s%s%s%s%s%s%s", a->path, a->domain ? "; Domain=" : "",
		     a->domain ? a->domain : "", age, a->http_only ? "; HttpOnly" : "",
		     a->secure ? "; Secure" : "", sites[a->same_site]) < 0)
		return NULL;
	return text;
}

static int read_name(const struct sluice_conf *group, struct sticky *out)
{
	int err = sluice_conf_string(group, "cookie", NULL, &out->name);

	if (err)
		return err;
	if (!out->name)
		return sluice_conf_error(group, "sticky needs cookie = \"NAME\"");
	if (!read_is_token(out->name))
		return sluice_conf_error_key(group, "cookie", "cookie: \"%s\" is not a name",
					     out->name);
	return 0;
}

int sticky_read(const struct sluice_conf *config, struct sticky *out)
{
	const struct sluice_conf *group = sluice_conf_group(config, "sticky");
	struct attributes attributes;
	const char *secret;
	int bad;

	*out = (struct sticky){0};
	if (!group)
		return sluice_conf_has(config, "sticky") ? -EINVAL : 0;
	bad = read_name(group, out);
	bad |= sluice_conf_string(group, "secret", "", &secret);
	bad |= sluice_conf_bool(group, "hide", true, &out->hide);
	bad |= sluice_conf_bool(group, "shared", false, &out->shared);
	bad |= read_attributes(group, &attributes);
	if (bad)
		return -EINVAL;
	key_of(secret, &out->key);
	out->attributes = attributes_text(&attributes);
	if (!out->attributes)
		return -ENOMEM;
	if (strlen(out->name) + strlen(out->attributes) + STICKY_VALUE_BYTES + 2 >
	    STICKY_FIELD_BYTES)
		return sluice_conf_error(group, "the cookie would be more than %d bytes",
					 STICKY_FIELD_BYTES);
	return 0;
}

void sticky_free(struct sticky *sticky)
{
	free((char *)(uintptr_t)sticky->attributes);
}

/* --- ids -------------------------------------------------------------------------- */

uint64_t sticky_id(const struct sticky *sticky, const struct sluice_peer *server)
{
	uint8_t bytes[19];

	bytes[0] = server->family;
	bytes[1] = (uint8_t)(server->port >> 8);
	bytes[2] = (uint8_t)server->port;
	memcpy(bytes + 3, server->bytes, 16);
	return hash_bytes(&sticky->key, bytes, sizeof(bytes));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sticky_asked(const struct sticky *sticky, const struct sluice_exchange *x, uint64_t *id)
{
	struct sluice_str value;

	if (cookie_find(x, sticky->name, &value) || value.len != STICKY_VALUE_BYTES)
		return false;
	*id = 0;
	for (uint32_t i = 0; i < value.len; i++) {
		int digit = hex_digit(value.ptr[i]);

		if (digit < 0)
			return false;
		*id = *id << 4 | (unsigned)digit;
	}
	return true;
}

/* --- fields ----------------------------------------------------------------------- */

int sticky_hide(const struct sticky *sticky, struct sluice_exchange *x)
{
	char room[COOKIES_BYTES];
	struct sluice_str rest, value;

	if (!sticky->hide || cookie_find(x, sticky->name, &value))
		return 0;
	if (cookie_without(x, sticky->name, room, sizeof(room), &rest))
		return -ENOSPC;
	return rest.len ? sluice_field_set(x, "Cookie", rest) : sluice_field_remove(x, "Cookie");
}

int sticky_set(const struct sticky *sticky, struct sluice_exchange *x, uint64_t id)
{
	char text[STICKY_FIELD_BYTES + 1];
	int err;

	snprintf(text, sizeof(text), "%s=%016llx%s", sticky->name, (unsigned long long)id,
		 sticky->attributes);
	err = sluice_field_add(x, "Set-Cookie", sluice_str(text));
	if (!err && !sticky->shared)
		err = sluice_field_add(x, "Cache-Control", sluice_str("private"));
	return err;
}
