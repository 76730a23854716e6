/* SPDX-License-Identifier: BSD-3-Clause */
/* Tokens: header, claims, signature (RFC 7519 §7.2, with the advice of RFC 8725). */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "auth.h"
#include "nf/common/base64.h"
#include "nf/common/cookie.h"
#include "nf/common/read.h"
#include "nf/common/str.h"

#define KIND_JWT        2
#define TOKEN_BYTES_MAX 8192

/* The three parts of a compact token. */
struct token {
	struct sluice_str header, payload, signature;
	struct sluice_str signed_part;
};

static bool split(struct sluice_str text, struct token *out)
{
	const char *first = memchr(text.ptr, '.', text.len), *second;

	if (!first || text.len > TOKEN_BYTES_MAX)
		return false;
	second = memchr(first + 1, '.', text.len - (size_t)(first + 1 - text.ptr));
	if (!second || memchr(second + 1, '.', text.len - (size_t)(second + 1 - text.ptr)))
		return false;
	out->header = str_make(text.ptr, (size_t)(first - text.ptr));
	out->payload = str_make(first + 1, (size_t)(second - first - 1));
	out->signature = str_skip(text, (uint32_t)(second + 1 - text.ptr));
	out->signed_part = str_make(text.ptr, (size_t)(second - text.ptr));
	return true;
}

/* NULL: no base64, no JSON, no object, or a name twice. */
static json_t *object_of(struct sluice_str part)
{
	char text[TOKEN_BYTES_MAX];
	int64_t len = base64_decode(part, BASE64_URL, text, sizeof(text));
	json_t *object =
		len > 0 ? json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

/* RFC 8725 §3.1: the algorithm is ours to name; "none" is nobody's. RFC 7515 §4.1.11: what is
 * critical and not understood is a reason to refuse. */
static bool header_good(const struct keys *keys, struct sluice_str part, char *kid)
{
	json_t *header = object_of(part);
	const char *alg = json_string_value(json_object_get(header, "alg"));
	const json_t *id = json_object_get(header, "kid");
	bool good = alg && strcmp(alg, keys_alg_names[keys->alg]) == 0 &&
		    !json_object_get(header, "crit") && (!id || json_is_string(id)) &&
		    (!id || json_string_length(id) < KEYS_KID_BYTES);

	snprintf(kid, KEYS_KID_BYTES, "%s", good && id ? json_string_value(id) : "");
	json_decref(header);
	return good;
}

static bool signature_good(const struct keys *keys, const struct token *token)
{
	uint8_t signature[1024];
	char kid[KEYS_KID_BYTES];
	int64_t len;

	if (!header_good(keys, token->header, kid))
		return false;
	len = base64_decode(token->signature, BASE64_URL, signature, sizeof(signature));
	return len > 0 &&
	       keys_check(keys, sluice_str(kid), token->signed_part, signature, (uint32_t)len);
}

/* --- claims --------------------------------------------------------------------------- */

/* 0: it is not there; 1: it is. -1: it is no number. */
static int time_of(const json_t *claims, const char *name, int64_t *out)
{
	const json_t *value = json_object_get(claims, name);
	double seconds = json_number_value(value);

	if (!value)
		return 0;
	if (!json_is_number(value) || seconds < 0 || seconds > 1e15)
		return -1;
	*out = (int64_t)seconds;
	return 1;
}

static bool times_hold(const struct auth_jwt *jwt, const json_t *claims, int64_t now,
		       int64_t *until)
{
	int64_t exp = 0, nbf = 0;
	int has_exp = time_of(claims, "exp", &exp), has_nbf = time_of(claims, "nbf", &nbf);

	if (has_exp < 0 || has_nbf < 0 || (has_exp == 0 && jwt->needs_exp))
		return false;
	*until = has_exp ? exp + jwt->leeway_s : INT64_MAX;
	return now < *until && (has_nbf == 0 || now + jwt->leeway_s >= nbf);
}

static bool is_text(const json_t *value, const char *text)
{
	return json_is_string(value) && json_string_length(value) == strlen(text) &&
	       strcmp(json_string_value(value), text) == 0;
}

/* RFC 7519 §4.1.3: one text, or a list of them. */
static bool audience_holds(const json_t *value, const char *audience)
{
	for (size_t i = 0; i < json_array_size(value); ++i)
		if (is_text(json_array_get(value, i), audience))
			return true;
	return is_text(value, audience);
}

static bool user_of(const json_t *value, char *user)
{
	const char *text = json_string_value(value);

	user[0] = '\0';
	if (!value)
		return true;
	if (!text || json_string_length(value) >= AUTH_USER_BYTES ||
	    strlen(text) != json_string_length(value) || !read_is_value(text))
		return false;
	snprintf(user, AUTH_USER_BYTES, "%s", text);
	return true;
}

bool auth_claims_hold(const struct auth_jwt *jwt, struct sluice_str payload, int64_t now,
		      char *user, int64_t *until)
{
	json_t *claims = object_of(payload);
	bool good =
		claims && times_hold(jwt, claims, now, until) &&
		(!jwt->issuer || is_text(json_object_get(claims, "iss"), jwt->issuer)) &&
		(!jwt->audience || audience_holds(json_object_get(claims, "aud"), jwt->audience)) &&
		user_of(json_object_get(claims, jwt->user_claim), user);

	json_decref(claims);
	return good;
}

/* --- requests ------------------------------------------------------------------------- */

/* RFC 6750 §2.1, or the cookie. */
static bool token_of(const struct auth_jwt *jwt, struct sluice_exchange *x, struct sluice_str *out)
{
	if (!sluice_field(x, SLUICE_FIELD_AUTHORIZATION, out) && out->len > 7 &&
	    str_equal_nocase(str_make(out->ptr, 7), sluice_str("bearer "))) {
		*out = str_trim(str_skip(*out, 7));
		return true;
	}
	return jwt->cookie && cookie_find(x, jwt->cookie, out) == 0;
}

enum auth_result auth_jwt_check(struct auth *auth, struct sluice_exchange *x, char *user)
{
	int64_t now = sluice_wall_seconds(auth->nf), until;
	struct sluice_str text;
	struct token token;
	struct seen_tag tag;
	const char *known;

	if (!auth->jwt.on || !token_of(&auth->jwt, x, &text))
		return AUTH_NONE;
	tag = seen_tag_of(&auth->seen, KIND_JWT, text);
	known = seen_find(&auth->seen, &tag, now);
	if (known) {
		++*auth->counters.remembered;
		memcpy(user, known, AUTH_USER_BYTES);
		return AUTH_GOOD;
	}
	if (!split(text, &token) || !signature_good(&auth->jwt.keys, &token) ||
	    !auth_claims_hold(&auth->jwt, token.payload, now, user, &until))
		return AUTH_BAD;
	seen_add(&auth->seen, &tag, user,
		 until < now + auth->remember_s ? until : now + auth->remember_s);
	return AUTH_GOOD;
}
