/* SPDX-License-Identifier: BSD-3-Clause */
/* The manager's side of a connection: its opening, and its data. */
#include <string.h>

#include "nf/sdk/harness_priv.h"

/* As the manager fills the slot of a connection. */
static uint32_t slot_write(struct harness_exchange *x)
{
	struct harness *h = x->h;
	uint64_t offset;
	struct sluice_head *head =
		harness_take(&h->messages, sizeof(*head) + x->early.len, &offset);

	memset(head, 0, sizeof(*head));
	memset(head->first, 0xff, sizeof(head->first));
	head->bases = 1;
	head->base[0] = sluice_ref(h->messages.region, offset + sizeof(*head));
	head->text_off = sizeof(*head);
	head->text_used = head->text_size = (uint32_t)x->early.len;
	head->client = x->client;
	head->local = x->local;
	head->group = h->routed_group;
	head->server = h->routed_server;
	head->body_bytes = SLUICE_LENGTH_NONE;
	memcpy(head + 1, x->early.data, x->early.len);
	return (uint32_t)(offset / 64);
}

static void open_event(struct harness_exchange *x, bool end)
{
	struct sluice_down down = {
		.kind = SLUICE_DOWN_OPEN, .flags = end ? SLUICE_DOWN_END : 0, .arg = slot_write(x)};

	harness_answer_forget(x);
	harness_event(x, &down);
	harness_settle(x->h);
}

struct harness_exchange *harness_open(struct harness *h)
{
	struct harness_exchange *x = harness_exchange_new(h, "");

	x->client = h->client;
	x->local = h->local;
	open_event(x, false);
	return x;
}

enum sluice_verdict harness_early(struct harness_exchange *x, const void *bytes, size_t len,
				  bool end)
{
	if (x->verdict != SLUICE_WAIT)
		harness_abort("early bytes for a function that does not wait");
	harness_append(&x->early, bytes, len);
	open_event(x, end);
	return x->verdict;
}

uint32_t harness_early_taken(const struct harness_exchange *x)
{
	return x->early_taken;
}

const uint8_t *harness_ahead(const struct harness_exchange *x, size_t *len)
{
	if (len)
		*len = x->ahead.len;
	return x->ahead.data;
}

const struct sluice_peer *harness_open_client(const struct harness_exchange *x)
{
	return &x->client;
}

const struct sluice_peer *harness_open_local(const struct harness_exchange *x)
{
	return &x->local;
}

enum sluice_verdict harness_client_data(struct harness_exchange *x, const void *bytes, size_t len,
					bool end)
{
	struct sluice_span span = {bytes, (uint32_t)len};

	return harness_body_event(x, SLUICE_DOWN_CLIENT_DATA, &span, len > 0, end);
}

enum sluice_verdict harness_server_data(struct harness_exchange *x, const void *bytes, size_t len,
					bool end)
{
	struct sluice_span span = {bytes, (uint32_t)len};

	return harness_body_event(x, SLUICE_DOWN_SERVER_DATA, &span, len > 0, end);
}
