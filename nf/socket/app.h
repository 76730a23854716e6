/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of libsluice share.
 *
 *	attach.c   the handshake, memory, the end
 *	poll.c     events, sleeping and waking
 *	down.c     what the workers say
 *	open.c     listeners and connections: their beginning and end
 *	read.c     leases on received bytes
 *	write.c    slices of the arena on their way
 *
 * The daemon is trusted: what it writes is not checked but for what would be a difference of
 * versions.
 */
#ifndef NF_SOCKET_APP_H
#define NF_SOCKET_APP_H

#include <sys/queue.h>

#include <sluice/app_abi.h>
#include <sluice/socket.h>

#include "nf/sdk/arena.h"
#include "nf/sdk/outring.h"

#define WORKERS_MAX 64
#define NO_NODE     UINT32_MAX

/* Something that events are told of. */
struct handle {
	TAILQ_ENTRY(handle) ready;
	void *user;
	uint32_t kinds; /* to be told */
	int error;
	uint8_t of; /* enum handle_of */
	bool listed;
	bool hidden; /* the program does not have it yet: events wait */
};

enum handle_of { OF_APP, OF_LISTENER, OF_CONN };

struct sluice_listener {
	struct handle handle;
	struct sluice_app *app;
	uint32_t number;
	uint32_t answers;                   /* workers that listen */
	STAILQ_HEAD(, sluice_conn) waiting; /* to be accepted */
};

enum conn_state {
	CONN_ASKED, /* CONNECT went out: it has no slot yet */
	CONN_OPENING,
	CONN_OPEN,
	CONN_OVER,
};

struct sluice_conn {
	struct handle handle;
	LIST_ENTRY(sluice_conn) of_app;
	STAILQ_ENTRY(sluice_conn) waiting;
	TAILQ_ENTRY(sluice_conn) asked;
	struct sluice_app *app;
	uint16_t worker;
	uint8_t state; /* enum conn_state */
	bool ended;    /* the peer sends no more */
	bool shut;     /* we send no more */
	bool closed;   /* by the program, before it had a slot */
	uint32_t slot, generation, cookie;
	uint32_t first, last; /* blocks to be read; NO_NODE: none */
	uint32_t in_flight;   /* bytes written and not released */
	uint32_t wanted;      /* room that a write did not find; 0: none */
	int error;            /* after CONN_OVER */
	struct sluice_peer local, remote;
};

/* A block of RX that is not read yet. */
struct node {
	uint32_t next, len, tag;
};

struct slot {
	struct sluice_conn *conn; /* NULL: the program has closed it */
	uint32_t generation;
};

struct app_worker {
	const struct sluice_down_ctl *down;
	const struct sluice_app_down *ring;
	uint32_t entries, consumed;
	struct sluice_up_ctl *up;
	struct outring out;
	struct sluice_app_up free; /* tags that go back with the next one */
	uint32_t leases;           /* slices on their way */
	uint16_t rx_id;
	const uint8_t *rx;
	uint64_t rx_bytes;
	uint64_t down_bytes, up_bytes;
	int wake_fd;
	struct slot *slot;
	struct node *node;
};

struct sluice_app {
	int socket;
	bool dead;
	bool armed;     /* the workers think that we sleep */
	bool attached;  /* rings are there */
	bool hungry;    /* sluice_buf_alloc gave NULL */
	bool ring_full; /* a write found no room in a ring, or no lease */
	struct sluice_app_welcome limits;
	struct handle memory; /* of the program as a whole */
	TAILQ_HEAD(, handle) ready;
	LIST_HEAD(, sluice_conn) conns;
	TAILQ_HEAD(, sluice_conn) asked;
	uint32_t cookie, number; /* given last */
	unsigned turn;           /* the worker that connects next */
	struct sluice_listener *listener[SLUICE_APP_LISTENERS_MAX];
	struct arena *arena;
	uint8_t *arena_base;
	uint64_t arena_size;
	uint16_t arena_id;
	struct app_worker worker[WORKERS_MAX];
};

/* --- poll.c ------------------------------------------------------------------------------ */

void handle_tell(struct sluice_app *app, struct handle *handle, uint32_t kinds);
void handle_forget(struct sluice_app *app, struct handle *handle);

/* --- down.c ------------------------------------------------------------------------------ */

/* Takes all that the workers have said. True if there was anything. */
bool down_take(struct sluice_app *app);

/* --- open.c ------------------------------------------------------------------------------ */

struct sluice_conn *conn_make(struct sluice_app *app, unsigned worker); /* NULL: no memory */
void conn_seat(struct sluice_conn *conn, uint32_t slot, uint32_t generation);
void conn_forget(struct sluice_conn *conn);
void say_close(struct sluice_app *app, unsigned worker, uint32_t slot, uint32_t generation,
	       bool abort);
/* One that must be taken. */
void ring_say(struct app_worker *worker, const struct sluice_app_up *up);

/* --- read.c ------------------------------------------------------------------------------ */

void read_take(struct sluice_conn *conn, const struct sluice_app_down *down);
void read_drop(struct sluice_conn *conn); /* gives back what was not read */
void free_tag(struct app_worker *worker, uint32_t tag);
void free_flush(struct app_worker *worker);

/* --- write.c ----------------------------------------------------------------------------- */

void write_released(struct sluice_app *app, struct app_worker *worker, uint32_t tag);
/* Tells those that wait for room in a ring. */
void write_retry(struct sluice_app *app);

#endif
