/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "auth.h"
#include "nf/common/base64.h"
#include "nf/common/str.h"

#define KIND_BASIC        1
#define CREDENTIALS_BYTES (2 * AUTH_USER_BYTES)

/* RFC 7617 §2: the name has no colon; neither has control characters. */
static bool split(char *text, uint32_t len, struct auth_context *context)
{
	char *colon = memchr(text, ':', len);
	size_t name_len = colon ? (size_t)(colon - text) : 0;

	if (!colon || name_len >= AUTH_USER_BYTES || len - name_len - 1 >= AUTH_USER_BYTES)
		return false;
	for (uint32_t i = 0; i < len; ++i)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	memcpy(context->user, text, name_len);
	memcpy(context->password, colon + 1, len - name_len - 1);
	return name_len > 0;
}

static bool decode(struct sluice_str token, struct auth_context *context)
{
	char text[CREDENTIALS_BYTES];
	int64_t len = base64_decode(token, BASE64_PADDED, text, sizeof(text));
	bool good = len > 0 && split(text, (uint32_t)len, context);

	explicit_bzero(text, sizeof(text));
	return good;
}

static bool token_of(struct sluice_exchange *x, struct sluice_str *token)
{
	if (sluice_field(x, SLUICE_FIELD_AUTHORIZATION, token) || token->len < 6 ||
	    !str_equal_nocase(str_make(token->ptr, 6), sluice_str("basic ")))
		return false;
	*token = str_trim(str_skip(*token, 6));
	return true;
}

enum auth_result auth_basic_check(struct auth *auth, struct sluice_exchange *x, char *user)
{
	struct auth_context *context = sluice_ctx(x);
	struct sluice_str token;
	const char *known;

	if (!auth->basic.on || !token_of(x, &token))
		return AUTH_NONE;
	context->tag = seen_tag_of(&auth->seen, KIND_BASIC, token);
	known = seen_find(&auth->seen, &context->tag, sluice_wall_seconds(auth->nf));
	if (known) {
		++*auth->counters.remembered;
		memcpy(user, known, AUTH_USER_BYTES);
		return AUTH_GOOD;
	}
	if (!decode(token, context))
		return AUTH_BAD;
	return line_join(&auth->line, &context->place, x) ? AUTH_LATER : AUTH_BUSY;
}
