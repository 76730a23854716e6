/* SPDX-License-Identifier: BSD-3-Clause */
/* Received bytes: where the worker put them, until they are given back. */
#include <errno.h>

#include "nf/socket/app.h"

void free_flush(struct app_worker *w)
{
	if (!w->free.count)
		return;
	ring_say(w, &w->free);
	w->free.count = 0;
}

void free_tag(struct app_worker *w, uint32_t tag)
{
	w->free.tag[w->free.count++] = tag;
	if (w->free.count == SLUICE_APP_UP_TAGS)
		free_flush(w);
}

/* A block's own number is its place in the list: no memory is needed to remember it. */
static void append(struct sluice_conn *conn, struct app_worker *w, const struct sluice_slice *slice)
{
	uint32_t block = sluice_app_block(slice->tag);

	w->node[block] = (struct node){.next = NO_NODE, .len = slice->len, .tag = slice->tag};
	if (conn->last == NO_NODE)
		conn->first = block;
	else
		w->node[conn->last].next = block;
	conn->last = block;
}

void read_take(struct sluice_conn *conn, const struct sluice_app_down *down)
{
	for (unsigned i = 0; i < down->count; i++)
		append(conn, &conn->app->worker[conn->worker], &down->slice[i]);
	if (down->flags & SLUICE_APP_END)
		conn->ended = true;
	handle_tell(conn->app, &conn->handle, SLUICE_READ);
}

void read_drop(struct sluice_conn *conn)
{
	struct app_worker *w = &conn->app->worker[conn->worker];

	for (; conn->first != NO_NODE; conn->first = w->node[conn->first].next)
		free_tag(w, w->node[conn->first].tag);
	conn->last = NO_NODE;
}

static int nothing_left(const struct sluice_conn *conn)
{
	if (conn->error)
		return -conn->error;
	if (conn->ended)
		return 0;
	return conn->app->dead ? -EPIPE : -EAGAIN;
}

int sluice_read(struct sluice_conn *conn, struct sluice_lease *leases, unsigned max)
{
	struct app_worker *w = &conn->app->worker[conn->worker];
	unsigned n = 0;

	for (; n < max && conn->first != NO_NODE; n++) {
		const struct node *node = &w->node[conn->first];

		leases[n] = (struct sluice_lease){.data = w->rx + (uint64_t)conn->first *
									  SLUICE_APP_BLOCK_BYTES,
						  .len = node->len,
						  .worker = conn->worker,
						  .tag = node->tag};
		conn->first = node->next;
	}
	if (conn->first == NO_NODE)
		conn->last = NO_NODE;
	return n ? (int)n : nothing_left(conn);
}

void sluice_release(struct sluice_app *app, const struct sluice_lease *leases, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free_tag(&app->worker[leases[i].worker], leases[i].tag);
}
