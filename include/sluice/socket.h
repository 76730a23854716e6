/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets on the daemon's TCP stack, without a copy between the program and the network.
 *
 * A program attaches to a running sluiced (`applications` in its configuration says who may,
 * and what), listens and connects there, reads received bytes where the daemon put them, and
 * sends from memory of its own that the daemon's device reads. Nothing here blocks but
 * sluice_attach and a sluice_poll that was given time; nothing but these and sluice_poll makes a
 * system call, except for the one that wakes a worker that sleeps.
 *
 *	struct sluice_app *app;
 *	struct sluice_listener *listener;
 *	struct sluice_event event[64];
 *
 *	sluice_attach(NULL, "echo", &app);
 *	sluice_listen(app, "10.10.1.1:7000", NULL, &listener);
 *	for (;;) {
 *		int n = sluice_poll(app, event, 64, -1);
 *		for (int i = 0; i < n; i++)
 *			... sluice_accept, sluice_read, sluice_write, sluice_close ...
 *	}
 *
 * Ownership.
 *   Leases     sluice_read hands out leases: bytes in memory that the daemon wrote and that this
 *              program can only read. They stay until sluice_release, also after the connection
 *              was closed. While many are held the peer's window closes.
 *   Buffers    sluice_buf_alloc takes a buffer from the program's arena, with one reference that
 *              is the caller's (sluice_buf_unref). What is given to sluice_write holds another one
 *              until the peer has acknowledged it: until then the bytes must not change.
 *   Handles    a listener is valid until sluice_unlisten, a connection until sluice_close or
 *              sluice_abort. One that failed, or was ended by the peer, still is to be closed.
 *
 * Threads: an attachment belongs to one thread at a time.
 *
 * Errors: int functions return 0 (or a count) or -errno. -EAGAIN: not now, an event will tell.
 * -EPIPE of any of them: the daemon is gone, or has ended the attachment (its log and `sluicectl
 * show errors` say why): sluice_detach, and sluice_attach again.
 *
 * When a program ends, by whatever means, its listeners go at once, its connections are reset, and
 * its memory returns; connections that it had closed are finished by the daemon.
 */
#ifndef SLUICE_SOCKET_H
#define SLUICE_SOCKET_H

#ifdef SLUICE_NF_H
#error "a program is an application, or a network function: not both"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/abi.h>
#include <sluice/buf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sluice_app;      /* the attachment */
struct sluice_listener; /* where connections come in */
struct sluice_conn;     /* a connection */

/* --- the attachment ---------------------------------------------------------------------- */

#define SLUICE_SOCKET_DEFAULT "/run/sluice/apps.sock"

/* Attaches as the application `name`. `path`: the daemon's socket; NULL: SLUICE_SOCKET_DEFAULT.
 * Waits for the daemon's answer, a few milliseconds. -ENOENT: no such application. -EACCES: not for
 * this user. -EBUSY: another process is attached under that name. -ECONNREFUSED: no daemon. */
int sluice_attach(const char *path, const char *name, struct sluice_app **out)
	__attribute__((warn_unused_result));
/* Ends it, with all its handles, leases and buffers. Connections that were not closed are reset. */
void sluice_detach(struct sluice_app *app);

/* --- events ------------------------------------------------------------------------------ */

enum sluice_event_kind {
	SLUICE_ACCEPT = 1 << 0, /* listener: sluice_accept has something */
	SLUICE_READ = 1 << 1,   /* bytes came, or their end */
	SLUICE_WRITE = 1 << 2,  /* after sluice_write gave -EAGAIN: there is more room */
	SLUICE_HANGUP = 1 << 3, /* the connection is over; what came before can still be read */
	SLUICE_ERROR = 1 << 4,  /* `error` says what: also of a listener that cannot be */
	SLUICE_OPEN = 1 << 6, /* the listener listens in every worker, or the connection is open */
	SLUICE_MEMORY = 1 << 5, /* after sluice_buf_alloc gave NULL: buffers came back. No handle */
};

struct sluice_event {
	struct sluice_conn *conn;         /* whose it is: one of them, */
	struct sluice_listener *listener; /* or neither (SLUICE_MEMORY) */
	void *user;                       /* of the handle */
	uint32_t kinds;                   /* enum sluice_event_kind, all that are new */
	int error;                        /* an errno, with SLUICE_ERROR */
};

/*
 * What is new since it was told last, at most `max` events, one for each handle; waits for
 * `timeout_ms` for the first (0: not at all, -1: for ever). The number, or -EPIPE. An event is told
 * once: read (accept, write) until -EAGAIN, or remember. Those that were given are not taken back
 * when a handle is closed: who closes one while handling another's event must look out for it.
 *
 * What was written and released since the last call goes out at its beginning.
 */
int sluice_poll(struct sluice_app *app, struct sluice_event *events, unsigned max, int timeout_ms)
	__attribute__((warn_unused_result));
/* For an event loop of one's own (epoll, poll, libuv): readable when sluice_poll should be called.
 * Only to wait on: do not read it. It tells after a sluice_poll that gave 0, not before: call it
 * until it does. */
int sluice_fd(const struct sluice_app *app);
/* Makes visible what was written and released since the last sluice_poll. */
void sluice_flush(struct sluice_app *app);

/* --- listening and connecting ------------------------------------------------------------ */

/* `endpoint`: "10.10.1.1:7000"; "0.0.0.0:7000" is every address of the daemon's. What the daemon
 * says to it comes as SLUICE_OPEN, or as SLUICE_ERROR: EACCES, EADDRINUSE, EADDRNOTAVAIL; later,
 * when the daemon stops, ESHUTDOWN. Here: -EINVAL, -ENOSPC, -ENOMEM. */
int sluice_listen(struct sluice_app *app, const char *endpoint, void *user,
		  struct sluice_listener **out) __attribute__((warn_unused_result));
/* Connections that were not accepted yet are reset. */
void sluice_unlisten(struct sluice_listener *listener);
int sluice_accept(struct sluice_listener *listener, struct sluice_conn **out)
	__attribute__((warn_unused_result));

/* SLUICE_OPEN tells that it is open and can be written to; SLUICE_ERROR that it cannot be: EACCES,
 * ECONNREFUSED, ETIMEDOUT, ENETUNREACH… Here: -EINVAL, -ENOMEM, -EAGAIN. */
int sluice_connect(struct sluice_app *app, const char *endpoint, void *user,
		   struct sluice_conn **out) __attribute__((warn_unused_result));

/* FIN after what was written; reading goes on. */
int sluice_shutdown(struct sluice_conn *conn) __attribute__((warn_unused_result));
/* Both directions: what was written still goes out. The handle is gone. */
void sluice_close(struct sluice_conn *conn);
/* With a reset, at once. The handle is gone. */
void sluice_abort(struct sluice_conn *conn);

void sluice_set_user(struct sluice_conn *conn, void *user);
void *sluice_user(const struct sluice_conn *conn);
struct sluice_app *sluice_app_of(const struct sluice_conn *conn);
/* Zero until it is open. */
const struct sluice_peer *sluice_local(const struct sluice_conn *conn);
const struct sluice_peer *sluice_remote(const struct sluice_conn *conn);

/* --- reading ----------------------------------------------------------------------------- */

/* A run of received bytes in place. `worker` and `tag` are the library's. */
struct sluice_lease {
	const uint8_t *data;
	uint32_t len; /* at least 1 */
	uint32_t worker, tag;
};

/* The next leases in order, at most `max`: how many. 0: the peer has ended its side, and all was
 * read. -EAGAIN; -ECONNRESET, -ETIMEDOUT: it broke, and what came before was read. */
int sluice_read(struct sluice_conn *conn, struct sluice_lease *leases, unsigned max)
	__attribute__((warn_unused_result));
/* Gives leases back, in any order, each once. */
void sluice_release(struct sluice_app *app, const struct sluice_lease *leases, unsigned n);

/* --- writing ----------------------------------------------------------------------------- */

/* A buffer of the arena for `size` bytes. NULL: the arena is full until something is acknowledged.
 */
struct sluice_buf *sluice_buf_alloc(struct sluice_app *app, uint32_t size);
uint64_t sluice_arena_bytes(const struct sluice_app *app); /* all of it */
uint64_t sluice_arena_used(const struct sluice_app *app);

struct sluice_piece {
	struct sluice_buf *buf;
	uint32_t off, len;
};
#define SLUICE_PIECES_MAX 64

/* Sends bytes of a buffer, or those of several: all, or with -EAGAIN nothing. They are sent from
 * where they lie. -EINVAL: not in the buffer, nothing at all, or more than the connection may ever
 * have on its way (sluice_write_limit). -EAGAIN also before it is open, -EPIPE also after
 * sluice_shutdown; -ECONNRESET. */
int sluice_write(struct sluice_conn *conn, struct sluice_buf *buf, uint32_t off, uint32_t len)
	__attribute__((warn_unused_result));
int sluice_writev(struct sluice_conn *conn, const struct sluice_piece *pieces, unsigned n)
	__attribute__((warn_unused_result));
/* How many bytes can be written now, and at most (`send_buffer_kb` of the configuration). */
uint32_t sluice_write_room(const struct sluice_conn *conn);
uint32_t sluice_write_limit(const struct sluice_conn *conn);
/* Bytes written and not acknowledged yet. */
uint32_t sluice_write_pending(const struct sluice_conn *conn);

#ifdef __cplusplus
}
#endif
#endif
