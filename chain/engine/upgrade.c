/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may leave HTTP: by 101 Switching Protocols (RFC 9110 §7.8), or by a 2xx to CONNECT (§9.3.6).
 *
 * Nothing is a tunnel (tunnel.c) before the server has agreed: until then what the client sends
 * behind its request waits unread, and is taken for its next request if the server does not agree.
 */
#include <errno.h>
#include <string.h>

#include "chain/engine/body.h"
#include "chain/engine/stream.h"
#include "chain/http/chars.h"
#include "chain/http/list.h"

int upgrade_conf(struct chain *chain, const struct engine_chain *from)
{
	chain->connect = from->connect;
	if (from->upgrades_count > ENGINE_UPGRADES_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < from->upgrades_count; i++) {
		size_t len = strlen(from->upgrades[i]);

		if (len >= ENGINE_UPGRADE_MAX)
			return -EINVAL;
		memcpy(chain->upgrade[chain->upgrades++], from->upgrades[i], len + 1);
	}
	return 0;
}

static bool allows(const struct chain *chain, struct http_bytes protocol)
{
	for (unsigned i = 0; i < chain->upgrades; i++)
		if (http_equal_text(protocol.data, protocol.len, chain->upgrade[i]))
			return true;
	return false;
}

typedef bool protocol_fn(const struct exchange *x, struct http_bytes protocol);

/* How many protocols the Upgrade fields name, or 0 if one of them is not as it must be. */
static unsigned protocols(const struct exchange *x, const struct sluice_head *head,
			  protocol_fn *good)
{
	struct http_bytes protocol;
	unsigned count = 0;

	for (uint16_t i = head->first[SLUICE_FIELD_UPGRADE]; i != SLUICE_NONE16;
	     i = head->field[i].next) {
		struct http_list list = http_list_of(http_value(&x->engine->memory, head, i));

		for (; http_list_next(&list, &protocol); count++)
			if (!good(x, protocol))
				return 0;
	}
	return count;
}

static bool is_allowed(const struct exchange *x, struct http_bytes protocol)
{
	return allows(x->chain, protocol);
}

/* RFC 9110 §7.8: the request must be complete first; one with content goes on as it is. */
bool upgrade_offered(const struct exchange *x)
{
	const struct message *request = &x->message[REQUEST];

	return request->framing.upgrade && request->head->method != SLUICE_METHOD_CONNECT &&
	       !body_announced(&request->framing) && protocols(x, request->head, is_allowed) > 0;
}

static bool names(const struct exchange *x, const struct sluice_head *head,
		  struct http_bytes wanted)
{
	struct http_bytes protocol;

	for (uint16_t i = head->first[SLUICE_FIELD_UPGRADE]; i != SLUICE_NONE16;
	     i = head->field[i].next) {
		struct http_list list = http_list_of(http_value(&x->engine->memory, head, i));

		while (http_list_next(&list, &protocol))
			if (http_equal(protocol.data, protocol.len, wanted.data, wanted.len))
				return true;
	}
	return false;
}

static bool was_offered(const struct exchange *x, struct http_bytes protocol)
{
	return names(x, x->message[REQUEST].head, protocol);
}

/* RFC 9110 §15.2.2, §7.8; with framing fields nobody could say where the new protocol begins. */
bool upgrade_agreed(const struct exchange *x, const struct sluice_head *answer)
{
	return x->upgrade && answer->version == 11 &&
	       answer->first[SLUICE_FIELD_CONTENT_LENGTH] == SLUICE_NONE16 &&
	       answer->first[SLUICE_FIELD_TRANSFER_ENCODING] == SLUICE_NONE16 &&
	       protocols(x, answer, was_offered) > 0;
}

/* A 2xx to CONNECT is a tunnel to whoever reads it: one that a function made, or turned into
 * another status, would not be. */
bool upgrade_consistent(const struct exchange *x)
{
	const struct sluice_head *head = x->message[RESPONSE].head;
	bool says = head->status == 101 ||
		    (head->method == SLUICE_METHOD_CONNECT && head->status / 100 == 2);

	return says == x->message[RESPONSE].framing.upgrade;
}
