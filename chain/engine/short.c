/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Short bodies of functions' answers. One that is all there when its head goes out is copied behind
 * it: that costs less than a reference to it does, here and in every layer below.
 */
#include <string.h>

#include "chain/engine/body.h"
#include "chain/engine/exchange.h"

#define SHORT_BYTES 256 /* below that the stack would copy, too */

/* All of the body, if it is short and no function is to be shown it. */
static struct lease *short_body(const struct exchange *x)
{
	const struct body *body = &x->body[RESPONSE];
	struct lease *lease = STAILQ_FIRST(&x->emits);

	if (!lease || x->emits_count > 1 || !x->emits_ended || lease->len > SHORT_BYTES)
		return NULL;
	return !body->stages && body->out_kind == HTTP_BODY_LENGTH && body->out_left == lease->len
		       ? lease
		       : NULL;
}

void short_append(struct exchange *x, struct rte_mbuf *head)
{
	struct lease *lease = short_body(x);
	char *at = lease ? rte_pktmbuf_append(head, (uint16_t)lease->len) : NULL;

	if (!at)
		return;
	memcpy(at, lease->data, lease->len);
	engine_count_add(x->engine, payload_copied_bytes, lease->len);
	frame_whole(x, lease->len);
	exchange_emits_drop(x);
}
