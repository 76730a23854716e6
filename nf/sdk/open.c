/* SPDX-License-Identifier: BSD-3-Clause */
/* The opening of a connection: its addresses, its early bytes, and what goes ahead of them. */
#include <errno.h>

#include "nf/sdk/core.h"

#define SEND_MAX (64u << 10)

static bool opens(const struct sluice_exchange *x)
{
	return x->live && x->phase == NF_OPEN && x->head;
}

static int put_peer(struct sluice_exchange *x, enum sluice_edit_op op,
		    const struct sluice_peer *peer)
{
	struct sluice_edit edit = {.op = (uint8_t)op, .value_len = sizeof(*peer)};

	if (!opens(x) || (peer->family != 4 && peer->family != 6))
		return -EINVAL;
	return edits_put(x, &edit, "", peer);
}

int sluice_open_client(struct sluice_exchange *x, const struct sluice_peer *client)
{
	return put_peer(x, SLUICE_EDIT_CLIENT, client);
}

int sluice_open_local(struct sluice_exchange *x, const struct sluice_peer *local)
{
	return put_peer(x, SLUICE_EDIT_LOCAL, local);
}

struct sluice_str sluice_early(const struct sluice_exchange *x)
{
	struct sluice_text all = {0};

	if (!opens(x))
		return sluice_str("");
	all.len = (uint16_t)x->head->text_used;
	return sluice_text(x, &all);
}

bool sluice_early_ended(const struct sluice_exchange *x)
{
	return opens(x) && x->early_ended;
}

int sluice_early_take(struct sluice_exchange *x, uint32_t bytes)
{
	if (!opens(x) || bytes > x->head->text_used)
		return -EINVAL;
	x->early_taken = bytes;
	return 0;
}

int sluice_open_send(struct sluice_exchange *x, struct sluice_buf *buf, uint32_t off, uint32_t len)
{
	if (!opens(x) || x->early_count || len > SEND_MAX || !answer_within(buf, off, len))
		return -EINVAL;
	return len ? answer_early(x, buf, off, len) : 0;
}
