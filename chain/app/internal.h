/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of chain/app's worker side share.
 *
 *	apps.c      a worker's applications, and a turn of each
 *	account.c   one application in one worker: its beginning and its end
 *	request.c   what it says, checked
 *	conn.c      a connection: its events, and what is told of them
 *	listen.c    listening and connecting
 *	rx.c        received bytes on their way into its memory
 *	send.c      slices of its arena on their way out
 *	terms.c     what it may
 *	info.c      what can be seen
 *
 * Nothing is queued for an application that does not take it: what is to be said is the state of
 * a connection (`tell`, bytes in its receive queue), and is said when its ring has room.
 */
#ifndef CHAIN_APP_INTERNAL_H
#define CHAIN_APP_INTERNAL_H

#include <sys/queue.h>

#include "chain/app/app.h"
#include "chain/ledger/ledger.h"
#include "chain/ring/link.h"
#include "chain/ring/region.h"
#include "l4stack/tcp/tcp.h"

#define APP_CONNECT_MS  10000
#define APP_CONN_BLOCKS 64   /* of RX that one connection may hold */
#define APP_RETRY_US    1000 /* when there was no buffer */
#define APP_ERRORS_MAX  16

enum app_conn_state {
	APP_CONN_FREE = 0,
	APP_CONN_CONNECTING,
	APP_CONN_OPEN,
	APP_CONN_OVER,    /* TCP is done with it; the application has not closed it yet */
	APP_CONN_CLOSING, /* the application is done with it; what it sent is still to go out */
};

enum app_tell {
	APP_TELL_ACCEPTED = 1 << 0,
	APP_TELL_CONNECTED = 1 << 1,
	APP_TELL_CLOSED = 1 << 2,
};

struct app_conn {
	STAILQ_ENTRY(app_conn) ready, dry;
	SLIST_ENTRY(app_conn) free;
	struct app *app;
	struct tcp_conn *tcp;   /* NULL: over */
	struct lease_queue out; /* slices that TCP had no room for yet */
	uint32_t generation;
	uint32_t blocks; /* of RX that it holds */
	uint8_t state;   /* enum app_conn_state */
	uint8_t tell;    /* enum app_tell: what is to be told */
	bool is_ready, is_dry;
	bool fin;      /* a FIN follows `out` */
	bool told_end; /* the peer's FIN */
	uint8_t listener;
	int error; /* with APP_TELL_CLOSED */
	struct endpoint local, remote;
};
STAILQ_HEAD(app_conn_queue, app_conn);

struct app_block {
	uint32_t next; /* free: the next free one */
	uint32_t tag;  /* as it was handed out last */
	uint32_t conn; /* the slot that it was filled for */
	uint32_t generation;
	bool held;
};

struct app_listener {
	struct tcp_listener *tcp; /* NULL: free */
	struct app *app;
	bool tell_gone; /* it was closed by us */
};

struct app {
	struct apps *apps; /* NULL: not attached yet */
	TAILQ_ENTRY(app) of_apps;
	struct app_link env;
	struct ledger *ledger;
	struct holder holder;
	bool detached;
	bool crowd;          /* it may be waiting for room in its own ring */
	const char *verdict; /* it has offended: nothing more is taken from it */
	uint32_t room;       /* in its ring, this turn */
	uint64_t full_since_us;
	struct app_conn_queue ready; /* with something to do, or to tell */
	struct app_conn_queue dry;   /* without memory to do it */
	struct app_conn *conn;
	SLIST_HEAD(, app_conn) conns_free;
	uint32_t conns_fresh; /* never used yet, from here on */
	uint32_t conns;       /* in use */
	struct app_block *block;
	uint32_t block_free; /* UINT32_MAX: none */
	uint32_t blocks_fresh, blocks;
	struct app_listener listener[SLUICE_APP_LISTENERS_MAX];
	uint32_t listeners;
	struct app_info totals;
};

struct apps {
	struct apps_env env;
	TAILQ_HEAD(, app) list;
	uint64_t now_us, retry_us; /* UINT64_MAX: nobody waits for a buffer */
	bool draining;
	struct apps_counters counters;
	struct app_error_info error[APP_ERRORS_MAX];
	uint32_t errors; /* ever */
};

#define app_count(app, name)        ((void)((app)->apps->counters.name++))
#define app_count_add(app, name, n) ((void)((app)->apps->counters.name += (n)))

/* It said what it may not: counted, logged, and nothing more is taken from it. */
#define app_offend(app, kind, text) \
	app_offence((app), &(app)->apps->counters.app_offences_##kind, (text))
void app_offence(struct app *app, uint64_t *counter, const char *text);

/* --- apps.c ------------------------------------------------------------------------------ */

/* The next descriptor of its ring; NULL: it is full. */
struct sluice_app_down *app_say(struct app *app);

/* --- request.c --------------------------------------------------------------------------- */

/* Takes what it said, as far as there is room for the answers. `all`: to the end, without. */
void request_poll(struct app *app, bool all);

/* --- conn.c ------------------------------------------------------------------------------ */

extern const struct tcp_handlers conn_handlers;

struct app_conn *conn_new(struct app *app); /* NULL: it has as many as it may */
void conn_free(struct app_conn *conn);
static inline uint32_t conn_slot(const struct app_conn *conn)
{
	return (uint32_t)(conn - conn->app->conn);
}
void conn_endpoints(struct app_conn *conn);
void conn_ready(struct app_conn *conn);  /* conn_run is to be called */
void conn_dry(struct app_conn *conn);    /* the same, when a block comes back */
void conn_starve(struct app_conn *conn); /* the same, a little later: the daemon had no buffer */
/* Does what there is to do. False: the ring is full, and it is not done. */
bool conn_run(struct app_conn *conn);
/* The application is done with it. */
void conn_close(struct app_conn *conn, bool abort);
/* The end of the attachment. */
void conn_end(struct app_conn *conn);

/* --- listen.c ---------------------------------------------------------------------------- */

void listen_open(struct app *app, uint32_t number, const struct endpoint *local);
void listen_close(struct app *app, uint32_t number);
void listen_drain(struct app *app);
void listen_tell(struct app *app); /* of listeners that we closed */
void connect_open(struct app *app, uint32_t cookie, const struct endpoint *remote);
struct sluice_peer app_peer(const struct endpoint *endpoint);

/* --- rx.c -------------------------------------------------------------------------------- */

enum rx_result { RX_DONE, RX_RING_FULL };

/* Tells of what was received, as far as there are blocks. */
enum rx_result rx_run(struct app_conn *conn);
/* A block comes back. False: it was not held. */
bool rx_free(struct app *app, uint32_t tag);

/* --- send.c ------------------------------------------------------------------------------ */

/* A slice that was checked. */
void send_slice(struct app_conn *conn, const struct sluice_slice *slice);
/* Gives TCP what it has room for, and the FIN when it is due. `all`: whatever the room. */
void send_run(struct app_conn *conn, bool all);
void send_drop(struct app_conn *conn); /* what waits goes back */
static inline bool send_done(const struct app_conn *conn)
{
	return STAILQ_EMPTY(&conn->out);
}
/* Tags that are due to the application. */
void send_tell_released(struct app *app);

#endif
