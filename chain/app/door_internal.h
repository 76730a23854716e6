/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the door share.
 *
 *	door.c      the socket, who comes, events
 *	attach.c    what one who is let in gets, and how it is taken back
 *	packet.c    the packets of the handshake
 *	socket.c    the Unix socket itself
 */
#ifndef CHAIN_APP_DOOR_INTERNAL_H
#define CHAIN_APP_DOOR_INTERNAL_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <sluice/app_abi.h>

#include "chain/app/app.h"
#include "chain/app/door.h"
#include "chain/ring/link.h"
#include "chain/ring/region.h"
#include "mgmt/conf/conf.h"

#define DOOR_WAITING_MAX   16      /* who have not said who they are */
#define DOOR_HELLO_US      2000000 /* how long they may take */
#define DOOR_REPENTANCE_US 1000000 /* after an offence */

enum guest_state {
	GUEST_WAITING, /* its HELLO has not come */
	GUEST_ATTACHED,
	GUEST_LEAVING, /* gone; its arena is still being sent from */
};

/* What one worker has for it. */
struct guest_worker {
	struct link *link;
	struct region *rx;
	int wake_fd; /* the application writes it */
	struct app *app;
};

struct guest {
	TAILQ_ENTRY(guest) list;
	struct door *door;
	uint32_t id;
	uint8_t state; /* enum guest_state */
	int socket, pidfd;
	struct ucred who;
	struct place *place; /* its application; NULL: not known yet */
	struct app_terms terms;
	struct region *arena;
	struct guest_worker *worker; /* one for each */
	uint64_t since_us;
};

/* An application of the configuration, or one that was in it. */
struct place {
	TAILQ_ENTRY(place) list;
	char name[SLUICE_NAME_MAX];
	const struct conf_application *conf; /* NULL: not in it any more */
	struct guest *guest;                 /* who is attached */
	uint32_t attached, offences;
	uint64_t closed_until_us;
	char last_end[128];
};

struct door {
	struct door_conf conf;
	int epoll_fd, alarm_fd;
	int listen_fd; /* -1: closed */
	char path[108];
	uint32_t last_id;
	unsigned waiting;
	TAILQ_HEAD(, guest) guests;
	TAILQ_HEAD(, place) places;
	uint64_t now_us;
};

/* Its descriptor is watched no more. */
void epoll_forget(const struct door *door, int fd);
void door_log(const struct door *door, int level, const char *name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* --- attach.c ---------------------------------------------------------------------------- */

/* Gives it all that its place says. 0, or -errno: then nothing is left of it. */
int guest_attach(struct guest *guest) __attribute__((warn_unused_result));
/* Takes it back but for what is being sent. `why`: for the log. */
void guest_detach(struct guest *guest, const char *why);
/* True when nothing is left to wait for; then it is freed. */
bool guest_sweep(struct guest *guest);
void guest_free(struct guest *guest);
bool guest_terms_same(const struct conf_application *a, const struct conf_application *b);

/* --- packet.c ---------------------------------------------------------------------------- */

int packet_hello(int socket, char *name, size_t size) __attribute__((warn_unused_result));
int packet_welcome(const struct guest *guest) __attribute__((warn_unused_result));
void packet_error(int socket, int error, const char *text);

/* --- socket.c ---------------------------------------------------------------------------- */

int door_listen(struct door *door, char *error, size_t size) __attribute__((warn_unused_result));
void door_unlisten(struct door *door);
/* Does the peer of that socket belong to the group? */
bool socket_in_group(int socket, const struct ucred *who, gid_t gid);

#endif
