/* SPDX-License-Identifier: BSD-3-Clause */
/* Slices of an application's arena on their way out: by reference, each under a lease that comes
 * back when its last byte was acknowledged. */
#include <rte_mbuf.h>

#include "chain/app/internal.h"

#define SEGMENT_BYTES (32u << 10) /* of one mbuf */
#define ROOM_MIN      (16u << 10)

void send_slice(struct app_conn *conn, const struct sluice_slice *slice)
{
	struct app *app = conn->app;
	struct lease *lease = ledger_lease_take(&app->holder, app->env.arena, slice);

	if (!lease)
		return; /* not reached: there was room */
	if (conn->tcp)
		STAILQ_INSERT_TAIL(&conn->out, lease, queue);
	else
		ledger_lease_drop(lease); /* its end is on the way to the application */
}

/* One with nothing on its way takes a little even when the stack's memory is all spoken for: it
 * would never hear of room. */
static uint32_t room_of(const struct app_conn *conn)
{
	uint32_t room = tcp_send_room(conn->tcp);

	return room || tcp_send_pending(conn->tcp) ? room : ROOM_MIN;
}

/* The first slice, or what there is room for of it. False: it has to wait. */
static bool send_some(struct app_conn *conn, uint32_t room)
{
	struct app *app = conn->app;
	struct lease *lease = STAILQ_FIRST(&conn->out);
	uint32_t before = lease->attached;
	struct rte_mbuf *chain =
		ledger_lease_attach(lease, app->apps->env.ref, room, SEGMENT_BYTES);

	if (!chain) {
		conn_starve(conn);
		return false;
	}
	app_count_add(app, payload_referenced_bytes, lease->attached - before);
	app->totals.bytes_out += lease->attached - before;
	if (tcp_send(conn->tcp, chain)) {
		rte_pktmbuf_free(chain);
		send_drop(conn); /* it is over, and `closed` is on the way */
		return false;
	}
	if (lease->attached == lease->len) {
		STAILQ_REMOVE_HEAD(&conn->out, queue);
		ledger_lease_drop(lease);
	}
	return true;
}

void send_run(struct app_conn *conn, bool all)
{
	bool moved = true;

	if (!conn->tcp || conn->state == APP_CONN_CONNECTING)
		return;
	while (moved && !send_done(conn)) {
		uint32_t room = all ? UINT32_MAX : room_of(conn);

		moved = room && send_some(conn, room);
	}
	if (send_done(conn) && conn->fin)
		tcp_shutdown(conn->tcp);
}

void send_drop(struct app_conn *conn)
{
	struct lease *lease;

	while ((lease = STAILQ_FIRST(&conn->out))) {
		STAILQ_REMOVE_HEAD(&conn->out, queue);
		ledger_lease_drop(lease);
	}
}

void send_tell_released(struct app *app)
{
	while (ledger_release_due(&app->holder)) {
		struct sluice_app_down *down = app_say(app);

		if (!down)
			return;
		down->kind = SLUICE_APP_RELEASE;
		while (down->count < SLUICE_APP_DOWN_TAGS &&
		       ledger_release_next(&app->holder, &down->tag[down->count]))
			down->count++;
	}
}
