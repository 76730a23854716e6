/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Early bytes: what the client of a stream says before the stream is open. A function that must
 * see them to decide (a PROXY header, a name in a TLS hello) is shown a copy, in one run, in the
 * slot of its connection; the bytes themselves wait in body[REQUEST].out, and go on by reference.
 */
#include <string.h>

#include "chain/engine/body.h"
#include "chain/engine/stream.h"

static struct sluice_head *head_of(const struct exchange *x)
{
	return x->message[REQUEST].head;
}

uint32_t early_room(const struct exchange *x)
{
	uint32_t has = x->body[REQUEST].out.bytes, most = head_of(x)->text_size;

	return has < most ? most - has : 0;
}

static void copy_out(const struct rte_mbuf *m, uint32_t from, uint32_t to, uint8_t *text)
{
	for (uint32_t at = 0; m && at < to; at += m->data_len, m = m->next) {
		uint32_t begin = from > at ? from - at : 0;
		uint32_t end = to - at < m->data_len ? to - at : m->data_len;

		if (begin < end)
			memcpy(text + at + begin,
			       rte_pktmbuf_mtod_offset(m, const uint8_t *, begin), end - begin);
	}
}

bool early_show(struct exchange *x)
{
	const struct payload *out = &x->body[REQUEST].out;
	struct sluice_head *head = head_of(x);
	uint32_t shown = head->text_used;
	uint32_t most = out->bytes < head->text_size ? out->bytes : head->text_size;

	if (most <= shown)
		return false;
	copy_out(out->first, shown, most, (uint8_t *)head + head->text_off);
	engine_count_add(x->engine, payload_copied_bytes, most - shown);
	head->text_used = most;
	return true;
}

bool early_complete(const struct exchange *x)
{
	const struct body *body = &x->body[REQUEST];

	return body->out_end && body->out.bytes == head_of(x)->text_used;
}

void early_forget(struct exchange *x)
{
	head_of(x)->text_used = 0;
}

bool early_full(const struct exchange *x)
{
	return head_of(x)->text_used == head_of(x)->text_size;
}

bool early_cut(struct exchange *x, uint32_t bytes)
{
	struct payload *out = &x->body[REQUEST].out;

	if (bytes > head_of(x)->text_used)
		return false;
	early_forget(x);
	while (bytes && bytes >= out->first->data_len) {
		struct payload first = payload_take(out, 1, 1);

		bytes -= first.bytes;
		body_hand(x, REQUEST, -(int64_t)first.charge);
		payload_free(&first);
	}
	if (!bytes)
		return true;
	out->first->data_off = (uint16_t)(out->first->data_off + bytes);
	out->first->data_len = (uint16_t)(out->first->data_len - bytes);
	out->bytes -= bytes;
	return true;
}

void early_prefix(struct exchange *x, struct payload payload)
{
	struct payload *out = &x->body[REQUEST].out;

	if (!payload.first)
		return;
	body_hand(x, REQUEST, payload.charge);
	payload_append(&payload, *out);
	*out = payload;
	early_forget(x);
}
