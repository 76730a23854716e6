/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections that belong to one user. NTLM and Negotiate authenticate the connection, not the
 * request, against all rules (RFC 9110 §11.1): whoever came next over it would be taken for the
 * one before. Such a connection serves nobody else.
 */
#include <strings.h>

#include "chain/engine/origin.h"

static bool begins(struct http_bytes value, const char *scheme, uint32_t len)
{
	return value.len >= len && !strncasecmp((const char *)value.data, scheme, len) &&
	       (value.len == len || value.data[len] == ' ');
}

static bool names_one(const struct exchange *x, const struct sluice_head *head, uint16_t id)
{
	for (uint16_t i = head->first[id]; i != SLUICE_NONE16; i = head->field[i].next) {
		struct http_bytes value = http_value(&x->engine->memory, head, i);

		if (begins(value, "ntlm", 4) || begins(value, "negotiate", 9))
			return true;
	}
	return false;
}

static bool has(const struct sluice_head *head, uint16_t id)
{
	return head && head->first[id] != SLUICE_NONE16;
}

bool origin_is_private(const struct exchange *x)
{
	const struct sluice_head *request = x->message[REQUEST].head;
	const struct sluice_head *response = x->message[RESPONSE].head;

	return (has(request, SLUICE_FIELD_AUTHORIZATION) &&
		names_one(x, request, SLUICE_FIELD_AUTHORIZATION)) ||
	       (has(response, SLUICE_FIELD_WWW_AUTHENTICATE) &&
		names_one(x, response, SLUICE_FIELD_WWW_AUTHENTICATE));
}
