/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Received bytes on their way into memory that their application alone can read.
 *
 * The device puts packets of all connections into one region, which no application may see. So
 * bytes are copied here, once, and counted as copied; the application then reads them in place. A
 * device that steers an application's flows into a region of its own would make the copy needless:
 * then rx_place gives the slice where the mbuf's bytes are, and the block keeps the mbuf until
 * it is freed. Nothing outside of this file knows where received bytes come to lie.
 *
 * Blocks that the application holds, and the window: what finds no block stays in the
 * connection's receive queue, and its window closes.
 */
#include <string.h>

#include <rte_mbuf.h>

#include "chain/app/internal.h"

#define NO_BLOCK UINT32_MAX

/* --- blocks ------------------------------------------------------------------------------ */

static bool blocks_left(const struct app *app)
{
	return app->blocks < app->env.terms->blocks;
}

static struct app_block *block_take(struct app_conn *conn)
{
	struct app *app = conn->app;
	uint32_t number = app->block_free;
	struct app_block *block;

	if (number != NO_BLOCK)
		app->block_free = app->block[number].next;
	else
		number = app->blocks_fresh++;
	block = &app->block[number];
	/* The number stays, what is above it counts on. */
	block->tag = (block->tag & ~sluice_app_block(UINT32_MAX)) + (1u << SLUICE_APP_BLOCK_BITS) +
		     number;
	block->conn = conn_slot(conn);
	block->generation = conn->generation;
	block->held = true;
	app->blocks++;
	conn->blocks++;
	return block;
}

static void block_put(struct app *app, struct app_block *block)
{
	block->held = false;
	block->next = app->block_free;
	app->block_free = (uint32_t)(block - app->block);
	app->blocks--;
}

/* The connection may go on, and so may the first of those that found no block at all. */
static void wake(struct app *app, const struct app_block *block)
{
	struct app_conn *conn = &app->conn[block->conn], *dry = STAILQ_FIRST(&app->dry);

	if (conn->generation == block->generation && conn->state != APP_CONN_FREE) {
		if (conn->blocks-- == APP_CONN_BLOCKS)
			conn_ready(conn);
	}
	if (!dry)
		return;
	STAILQ_REMOVE_HEAD(&app->dry, dry);
	dry->is_dry = false;
	conn_ready(dry);
}

bool rx_free(struct app *app, uint32_t tag)
{
	uint32_t number = sluice_app_block(tag);
	struct app_block *block = number < app->blocks_fresh ? &app->block[number] : NULL;

	if (!block || !block->held || block->tag != tag)
		return false;
	block_put(app, block);
	wake(app, block);
	return true;
}

/* --- filling ----------------------------------------------------------------------------- */

/* Whole mbufs as far as they fit, so that none has to be shared; a part of one that never fits. */
static uint32_t fitting_bytes(const struct app_conn *conn)
{
	uint32_t bytes = 0;

	for (const struct rte_mbuf *m = tcp_recv_peek(conn->tcp); m; m = m->next) {
		if (bytes + m->data_len > SLUICE_APP_BLOCK_BYTES)
			break;
		bytes += m->data_len;
	}
	return bytes ? bytes : SLUICE_APP_BLOCK_BYTES;
}

/* Frees the chain. */
static uint32_t copy_out(struct rte_mbuf *chain, uint8_t *to)
{
	uint32_t bytes = 0;

	for (const struct rte_mbuf *m = chain; m; m = m->next) {
		memcpy(to + bytes, rte_pktmbuf_mtod(m, const void *), m->data_len);
		bytes += m->data_len;
	}
	rte_pktmbuf_free(chain);
	return bytes;
}

/* The next bytes of the connection, where the application can read them. False: no memory. */
static bool rx_place(struct app_conn *conn, struct sluice_slice *out)
{
	struct app *app = conn->app;
	struct rte_mbuf *chain = tcp_recv(conn->tcp, fitting_bytes(conn));
	struct app_block *block;
	uint64_t offset;

	if (!chain)
		return false;
	block = block_take(conn);
	offset = (uint64_t)(block - app->block) * SLUICE_APP_BLOCK_BYTES;
	out->ref = sluice_ref(app->env.rx->id, offset);
	out->tag = block->tag;
	out->len = copy_out(chain, app->env.rx->base + offset);
	app_count_add(app, payload_copied_bytes, out->len);
	app->totals.bytes_in += out->len;
	return true;
}

/* --- telling ----------------------------------------------------------------------------- */

/* As many slices as one descriptor takes. False: no memory, no block, or too many held. */
static bool gather(struct app_conn *conn, struct sluice_slice *slice, unsigned *n)
{
	while (*n < SLUICE_APP_DOWN_SLICES && tcp_recv_ready(conn->tcp)) {
		if (conn->blocks >= APP_CONN_BLOCKS)
			return false; /* goes on when it gives some back */
		if (!blocks_left(conn->app)) {
			app_count(conn->app, app_rx_full);
			conn_dry(conn);
			return false;
		}
		if (!rx_place(conn, &slice[*n])) {
			conn_starve(conn);
			return false;
		}
		(*n)++;
	}
	return true;
}

static void say_data(struct app_conn *conn, const struct sluice_slice *slice, unsigned n, bool end)
{
	struct sluice_app_down *down = app_say(conn->app);

	down->conn = conn_slot(conn);
	down->generation = conn->generation;
	down->kind = SLUICE_APP_DATA;
	down->flags = end ? SLUICE_APP_END : 0;
	down->count = (uint8_t)n;
	memcpy(down->slice, slice, n * sizeof(*slice));
	conn->told_end = end;
}

enum rx_result rx_run(struct app_conn *conn)
{
	bool more = true;

	while (more && conn->tcp) {
		struct sluice_slice slice[SLUICE_APP_DOWN_SLICES];
		unsigned n = 0;
		bool end;

		if (!tcp_recv_ready(conn->tcp) && (conn->told_end || !tcp_recv_ended(conn->tcp)))
			break;
		if (!conn->app->room)
			return RX_RING_FULL;
		more = gather(conn, slice, &n);
		end = tcp_recv_ended(conn->tcp) && !conn->told_end;
		if (n || end)
			say_data(conn, slice, n, end);
	}
	return RX_DONE;
}
