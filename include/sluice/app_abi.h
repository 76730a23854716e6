/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared-memory contract between the manager (sluiced) and an application that attached.
 *
 * Authors of applications do not need this header: they use <sluice/socket.h>. It is what
 * libsluice and the manager's workers are both built on. The rings are those of
 * <sluice/abi.h> (struct sluice_down_ctl, struct sluice_up_ctl, one pair for each worker);
 * the descriptors in them are the ones below.
 *
 *	region            written by       read by
 *	RX                worker           the application    payload of its own connections, in
 *	                                                      blocks of SLUICE_APP_BLOCK_BYTES
 *	arena             the application  manager            what it sends, from where it lies
 *	down              worker           the application    struct sluice_app_down
 *	up                the application  worker             struct sluice_app_up
 *
 * What the application writes is untrusted: a descriptor is copied, then checked. One that makes
 * no sense ends the attachment. What the manager writes is trusted by the library.
 *
 * A connection has a slot in its worker, and a generation that tells the slot's present user
 * from an earlier one. It is the application's from ACCEPTED (or CONNECTING without an error)
 * until it says CLOSE, also when TCP has ended it before: CLOSED tells that, and the slot waits for
 * CLOSE. Hence every descriptor of the application names a connection that is its own.
 */
#ifndef SLUICE_APP_ABI_H
#define SLUICE_APP_ABI_H

#include <stddef.h>

#include <sluice/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_APP_ABI_VERSION 1

#define SLUICE_APP_SOCKET        "apps.sock" /* in the daemon's run_dir */
#define SLUICE_APP_BLOCK_BYTES   4096
#define SLUICE_APP_LISTENERS_MAX 64

/* The tag of a slice of RX: the block's number, and above it how often it was handed out. */
#define SLUICE_APP_BLOCK_BITS 20

static inline uint32_t sluice_app_block(uint32_t tag)
{
	return tag & ((1u << SLUICE_APP_BLOCK_BITS) - 1);
}

/* --- worker to application --------------------------------------------------------------- */

enum sluice_app_down_kind {
	/* The answer to LISTEN. arg: the listener's number; open.error: 0, or an errno. It comes
	 * again with an error when the worker stops listening by itself. */
	SLUICE_APP_LISTENING = 1,
	/* A connection came in. arg: the listener's number; open.local, open.remote. */
	SLUICE_APP_ACCEPTED,
	/* The answer to CONNECT. arg: the application's cookie; open.error: 0, or an errno: then
	 * there is no connection. */
	SLUICE_APP_CONNECTING,
	SLUICE_APP_CONNECTED, /* the handshake is done; open.local, open.remote */
	/* Bytes in order, in slices of RX. END: the peer will send no more (slices may be 0). */
	SLUICE_APP_DATA,
	/* TCP is done with it. open.error: 0, or an errno. */
	SLUICE_APP_CLOSED,
	/* tag[]: slices of the arena that were acknowledged, or will never be sent. */
	SLUICE_APP_RELEASE,
};

enum sluice_app_flag {
	SLUICE_APP_END =
		1 << 0, /* DATA; SEND: a FIN follows the slices, of which there may be none */
	SLUICE_APP_ABORT = 1 << 1, /* CLOSE: with a reset, and what waits is not sent */
};

#define SLUICE_APP_DOWN_SLICES 3
#define SLUICE_APP_DOWN_TAGS   12

struct sluice_app_open {
	struct sluice_peer local, remote;
	uint32_t error;
	uint32_t reserved;
};

struct sluice_app_down {
	uint32_t conn; /* the slot */
	uint32_t generation;
	uint8_t kind;  /* enum sluice_app_down_kind */
	uint8_t flags; /* enum sluice_app_flag */
	uint8_t count; /* of slices or tags */
	uint8_t reserved;
	uint32_t arg;
	union {
		struct sluice_slice slice[SLUICE_APP_DOWN_SLICES];
		uint32_t tag[SLUICE_APP_DOWN_TAGS];
		struct sluice_app_open open;
	};
};
SLUICE_ASSERT(sizeof(struct sluice_app_open) == 48, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_app_down) == sizeof(struct sluice_down), "one ring for both");
SLUICE_ASSERT(offsetof(struct sluice_app_down, slice) == 16, "ABI");

/* --- application to worker --------------------------------------------------------------- */

enum sluice_app_up_kind {
	/* conn: a listener's number that is free; peer: where. */
	SLUICE_APP_LISTEN = 1,
	SLUICE_APP_UNLISTEN, /* conn: the listener's number */
	SLUICE_APP_CONNECT,  /* arg: a cookie; peer: where to */
	SLUICE_APP_SEND,     /* slices of the arena, each under a tag of the application's */
	SLUICE_APP_CLOSE,    /* the slot is the worker's again; what was sent still goes out */
	SLUICE_APP_FREE,     /* tag[]: slices of RX that were read */
};

#define SLUICE_APP_UP_SLICES 2
#define SLUICE_APP_UP_TAGS   10

struct sluice_app_up {
	uint32_t conn;
	uint32_t generation;
	uint8_t kind;  /* enum sluice_app_up_kind */
	uint8_t flags; /* enum sluice_app_flag */
	uint8_t count; /* of slices or tags */
	uint8_t reserved;
	uint32_t arg;
	uint64_t no_text; /* 0: where struct sluice_up has its text */
	union {
		struct sluice_slice slice[SLUICE_APP_UP_SLICES];
		uint32_t tag[SLUICE_APP_UP_TAGS];
		struct sluice_peer peer;
	};
};
SLUICE_ASSERT(sizeof(struct sluice_app_up) == sizeof(struct sluice_up), "one ring for both");
SLUICE_ASSERT(offsetof(struct sluice_app_up, no_text) == offsetof(struct sluice_up, text_off) &&
		      offsetof(struct sluice_up, text_len) == 20,
	      "one ring for both");
SLUICE_ASSERT(offsetof(struct sluice_app_up, slice) == 24, "ABI");

/* --- the handshake ------------------------------------------------------------------------
 *
 * Over a SOCK_SEQPACKET connection to SLUICE_APP_SOCKET. Messages begin with struct
 * sluice_host_header; REGION, LINK, GO and ERROR are those of <sluice/abi.h>.
 *
 *	application                            manager
 *	HELLO
 *	                                       WELCOME
 *	                                       REGION   (the arena, writable)
 *	                                       REGION…  (RX, one for each worker)
 *	                                       LINK…    (down, up, the worker's eventfd)
 *	                                       GO
 *	                                  or   ERROR    (level: an errno)
 *
 * From then on the socket is the application's bell: the manager sends something, whatever it
 * is, to one that said it sleeps. The application sends nothing more. When either side ends,
 * the other sees it by the end of the socket.
 */
enum sluice_app_kind {
	SLUICE_APP_HELLO = 64,
	SLUICE_APP_WELCOME,
};

struct sluice_app_hello {
	struct sluice_host_header header;
	uint32_t abi;
	uint32_t reserved;
	char name[SLUICE_NAME_MAX]; /* of the application in the daemon's configuration */
};

struct sluice_app_welcome {
	struct sluice_host_header header;
	uint32_t abi;
	uint32_t workers;    /* LINK messages that follow */
	uint32_t conns;      /* most connections in each worker: slots are below this */
	uint32_t blocks;     /* of RX, in each worker */
	uint32_t send_bytes; /* most that may be on its way for one connection */
	uint32_t leases;     /* most slices on their way, in each worker */
};
SLUICE_ASSERT(sizeof(struct sluice_app_hello) == 80, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_app_welcome) == 32, "ABI");

#ifdef __cplusplus
}
#endif
#endif
