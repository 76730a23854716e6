/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket, server side: RUN_DIR/control.sock, a Unix stream socket of mode 0660.
 *
 * A client writes one JSON object on each line and gets one line back:
 *
 *	{"cmd":"show","what":"ports"}                         {"ok":true,"data":[…]}
 *	{"cmd":"show","what":"stats","prefix":"tcp"}          {"ok":true,"data":[…]}
 *	{"cmd":"reload"}                                      {"ok":true,"data":…}
 *	{"cmd":"function","what":"restart","name":"edge"}     {"ok":false,"error":"…"}
 *	{"cmd":"function","what":"tell","name":"edge",
 *	 "words":["show"]}                                    {"ok":true,"data":[…]}
 *
 * Requests of one client are answered in order, one at a time; those behind wait in the
 * socket. Everything is bounded: clients, the bytes of a request, the time that a client
 * may leave an answer unread.
 *
 * Ownership and threads: all functions are called by one thread, the daemon's control
 * thread. It has its own epoll; ctl_fd is one more descriptor in it (readable when there
 * is something to do). Nothing here blocks. The commands and `ctx` outlive the server.
 */
#ifndef MGMT_CTL_CTL_H
#define MGMT_CTL_CTL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_SOCKET_NAME "control.sock"
#define CTL_CLIENTS_MAX 32
#define CTL_REQUEST_MAX 8192 /* bytes of a line */
#define CTL_ERROR_MAX   8192
#define CTL_STALL_MS    10000 /* an answer that is not taken up for so long ends the connection */
#define CTL_LATER       1     /* a command's result: ctl_finish will be called */

struct ctl;

struct ctl_request {
	const char *what;   /* "ports"; "" when the request has none */
	const json_t *args; /* the whole request */
	uint64_t token;     /* for ctl_finish */
};

/*
 * Runs a command. 0: it is done, and `*data` (may be NULL) goes to the client; the
 * reference is given away. -errno: it failed, `error` says why in a sentence (or is left
 * empty). CTL_LATER: the answer comes with ctl_finish, after this function has returned.
 */
typedef int ctl_run(void *ctx, const struct ctl_request *request, json_t **data, char *error,
		    size_t error_size);

/* Ended by a row without cmd. `what` NULL: any, the command looks at it itself. */
struct ctl_command {
	const char *cmd;
	const char *what;
	ctl_run *run;
};

/*
 * Makes RUN_DIR (the last folder of it) and the socket. One that a dead daemon left is
 * replaced; one that answers is not: -EADDRINUSE. On errors, -errno and a sentence that
 * names the path in `error`.
 */
int ctl_create(const char *run_dir, const struct ctl_command *commands, void *ctx, char *error,
	       size_t error_size, struct ctl **out) __attribute__((warn_unused_result));

/* Closes all connections and removes the socket, if it is still this one. */
void ctl_destroy(struct ctl *ctl);

/* To be watched for EPOLLIN. */
int ctl_fd(const struct ctl *ctl);

/* Does what there is to do. Call it when ctl_fd is readable, and about every second. */
void ctl_handle(struct ctl *ctl, uint64_t now_ms);

/*
 * The answer to a request that was put off. `error` NULL: it went well, and `data` (may be
 * NULL) goes to the client; the reference is given away in any case. -ESTALE: the client
 * has gone.
 */
int ctl_finish(struct ctl *ctl, uint64_t token, json_t *data, const char *error);

#endif
