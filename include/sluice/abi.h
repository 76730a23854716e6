/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared-memory contract between the manager (sluiced) and a network function.
 *
 * Authors of functions do not need this header: they use <sluice/nf.h>. It is what the
 * NF library and the manager's worker are both built on, whole, with every size asserted.
 *
 * Who writes what (the MMU holds it; nobody else has a writable mapping):
 *
 *   region            written by       read by
 *   RX payload        NIC, manager     functions
 *   messages          manager          functions        struct sluice_head, one for each head
 *   upstreams         manager          functions        struct sluice_upstreams
 *   down              manager          one function     struct sluice_down_ctl, then the ring
 *   up                one function     manager          struct sluice_up_ctl, ring, texts, counters
 *   arena             one function     manager          payload that the function makes; mapped
 *                                                       too by those of its paths that see bodies
 *
 * There is one pair of down and up for each (worker, instance). A ring has one producer
 * and one consumer; each index lies on a page of whoever moves it. Indexes run freely and
 * are reduced modulo the (power of two) number of entries.
 *
 * What the function writes is untrusted: the manager copies a descriptor, then checks the
 * copy. What the manager writes is trusted by the function.
 *
 * A reference names a byte: region in the top 16 bits, offset in the low 48. There are no
 * pointers in shared memory.
 */
#ifndef SLUICE_ABI_H
#define SLUICE_ABI_H

#include <stdint.h>

#ifdef __cplusplus
#define SLUICE_ASSERT static_assert
#define SLUICE_ALIGN  alignas
extern "C" {
#else
#define SLUICE_ASSERT _Static_assert
#define SLUICE_ALIGN  _Alignas
#endif

#define SLUICE_ABI_VERSION 1

#define SLUICE_CACHE_LINE 64
#define SLUICE_PAGE       4096

/* --- references and slices ------------------------------------------------ */

#define SLUICE_REF_BITS 48
#define SLUICE_REF_NONE UINT64_MAX

static inline uint64_t sluice_ref(uint16_t region, uint64_t offset)
{
	return (uint64_t)region << SLUICE_REF_BITS | offset;
}

static inline uint16_t sluice_ref_region(uint64_t ref)
{
	return (uint16_t)(ref >> SLUICE_REF_BITS);
}

static inline uint64_t sluice_ref_offset(uint64_t ref)
{
	return ref & ((UINT64_C(1) << SLUICE_REF_BITS) - 1);
}

/* A run of payload bytes. `tag` is the producer's own number for an arena slice (its lease:
 * it comes back in SLUICE_DOWN_RELEASE when the last byte was acknowledged); 0 otherwise. */
struct sluice_slice {
	uint64_t ref;
	uint32_t len;
	uint32_t tag;
};
SLUICE_ASSERT(sizeof(struct sluice_slice) == 16, "ABI");

struct sluice_head;

/* --- how exchanges end -------------------------------------------------------- */

enum sluice_ending {
#define ENDING(id, name, text) SLUICE_ENDING_##id,
#include <sluice/endings.def>
#undef ENDING
	SLUICE_ENDINGS
};

#define SLUICE_END_REUSED 1          /* the server's connection had been used before */
#define SLUICE_NEVER_US   UINT32_MAX /* it did not come to that */

/* What SLUICE_DOWN_DONE tells. Times count from when the request's head was there. */
struct sluice_end {
	uint8_t why;      /* enum sluice_ending */
	uint8_t flags;    /* SLUICE_END_* */
	uint16_t status;  /* that the client was sent; 0: none */
	uint16_t group;   /* that the request was for; SLUICE_NONE16: none */
	uint16_t server;  /* the last one asked: upstreams' server[server]; SLUICE_NONE16: none */
	uint32_t head_us; /* before that: since the head's first byte */
	uint32_t connect_us; /* a server was chosen */
	uint32_t ask_us;     /* and sent the request's head */
	uint32_t reply_us;   /* a response's head was there, of whomever */
	uint32_t total_us;
	uint32_t sent_head_bytes;
	uint64_t received_bytes, sent_bytes; /* from and to the client, with heads */
};
SLUICE_ASSERT(sizeof(struct sluice_end) == 48, "ABI");

/* --- manager to function --------------------------------------------------- */

enum sluice_down_kind {
	/* arg: where its struct sluice_head is, in 64-byte units of the worker's message region. */
	SLUICE_DOWN_REQUEST_HEAD = 1,
	/* arg: piece number. END when the body ends with it (0 slices allowed). */
	SLUICE_DOWN_REQUEST_BODY,
	/* … and slice[0].ref (`slices` is 0): the head of the request as the origin got it; 0: none
	 * was asked. */
	SLUICE_DOWN_RESPONSE_HEAD,
	SLUICE_DOWN_RESPONSE_BODY,
	/* The exchange is over: forget it. RESET if it failed. `end`. Only with a `done` hook. */
	SLUICE_DOWN_DONE,
	/* slice[].tag: arena leases that are free again. */
	SLUICE_DOWN_RELEASE,
	/* Of a request of the function's own: `exchange` and `generation` are those of its ASK. The
	 * answer's head, as above; a piece of its body, to be looked at until the next turn and not
	 * answered; its end. ASK_END, arg: 0, or an errno that says why there is no more. */
	SLUICE_DOWN_ASK_HEAD,
	SLUICE_DOWN_ASK_BODY,
	SLUICE_DOWN_ASK_END,
	/* `tcp`: a client's connection. arg: as with REQUEST_HEAD. END: its client will send
	 * nothing after the early bytes. */
	SLUICE_DOWN_OPEN,
	/* `tcp`: bytes, as the two BODY kinds. */
	SLUICE_DOWN_CLIENT_DATA,
	SLUICE_DOWN_SERVER_DATA,
	/* A request that was refused before anybody was shown it. arg: as with REQUEST_HEAD, as
	 * much of it as there is; `end`. It is over: nothing is answered. */
	SLUICE_DOWN_REFUSED,
	/* An exchange that is over, for a function that only looks. arg: the head of the request as
	 * it came to this function; `response`: that of the response as it passed it; `asked`: the
	 * request's as the origin got it; each where arg says, or SLUICE_HEAD_NONE. `end`. Nothing
	 * is answered: the heads stay until the descriptor is consumed. */
	SLUICE_DOWN_SEEN,
	/* `repeated`: what the function called steady was said again. Only with a `repeated` hook.
	 */
	SLUICE_DOWN_REPEATED,
	SLUICE_DOWN_KINDS
};

enum sluice_down_flag {
	SLUICE_DOWN_END = 1 << 0,  /* body: the last piece. head: no body follows */
	SLUICE_DOWN_MORE = 1 << 1, /* body: the same piece goes on in the next descriptor */
	SLUICE_DOWN_RESET = 1 << 2,
};

/* A head as a function in the worker itself is shown it: REQUEST_HEAD and RESPONSE_HEAD without a
 * ring. It lies in no shared memory. */
struct sluice_shown {
	const struct sluice_head *head; /* NULL: it is not mapped here */
	uint64_t asked;                 /* of a response: as RESPONSE_HEAD has it */
	uint32_t exchange, generation;
	uint8_t response;
	uint8_t end; /* no body follows */
};

#define SLUICE_DOWN_SLICES 3
#define SLUICE_HEAD_NONE   UINT32_MAX

struct sluice_repeated {
	uint64_t times;
	uint32_t tag; /* `piece` of the steady verdict */
	uint32_t reserved;
};

struct sluice_down {
	union {
		uint32_t exchange; /* slot number in the worker: an index for its own table */
		uint32_t response; /* SEEN */
	};
	union {
		uint32_t generation; /* tells a slot's present user from an earlier one */
		uint32_t asked;      /* SEEN */
	};
	uint8_t kind;  /* enum sluice_down_kind */
	uint8_t flags; /* enum sluice_down_flag */
	uint8_t slices;
	uint8_t reserved;
	uint32_t arg;
	union {
		struct sluice_slice slice[SLUICE_DOWN_SLICES];
		struct sluice_end end; /* DONE, REFUSED, SEEN */
		struct sluice_repeated repeated;
	};
};
SLUICE_ASSERT(sizeof(struct sluice_down) == 64, "ABI");

/* --- function to manager --------------------------------------------------- */

enum sluice_up_kind {
	/* The answer to a HEAD or OPEN: `verdict`. That of an OPEN may have one slice (PASS,
	 * LEAVE): it goes to the server ahead of all else; `piece`: so many early bytes are taken
	 * away. */
	SLUICE_UP_VERDICT = 1,
	/* The answer to body piece `piece`, the oldest that is unanswered. `verdict` PASS: as it
	 * was. REPLACE: `slices` instead of it (0: nothing). LEAVE: it, and all that was shown
	 * besides, as it was; none of that is answered. RESET. RESPOND, of a request: as in a
	 * VERDICT; what was shown besides is still answered, and goes nowhere. */
	SLUICE_UP_PIECE,
	/* Body of a response begun with RESPOND: slices; END when complete. `verdict` RESET, alone:
	 * it cannot go on. */
	SLUICE_UP_EMIT,
	/* A request of its own to an upstream group. `exchange`: a number below SLUICE_ASKS_MAX
	 * that is not in use between it and this worker; `generation`: whatever it likes. Its text:
	 * struct sluice_ask_text, edits, body. Always answered by an ASK_END. */
	SLUICE_UP_ASK,
	/* Nothing more is wanted of that one, also no ASK_END: its number is free. */
	SLUICE_UP_ASK_DROP,
	/* What this instance called steady before this is so no longer. */
	SLUICE_UP_UNSTEADY,
};

enum sluice_up_flag {
	SLUICE_UP_END = 1 << 0,
	SLUICE_UP_MORE = 1 << 1, /* PIECE, REPLACE: its slices go on in the next descriptor */
	/* VERDICT, PASS: the body will not have the length that the head tells: none is told. */
	SLUICE_UP_RESIZE = 1 << 2,
	SLUICE_UP_HOW = 1 << 3, /* the VERDICT of a request head, PASS or LEAVE: `how` is given */
};

enum sluice_verdict {
	SLUICE_PASS = 0, /* on to the next function, with the edits made */
	SLUICE_LEAVE,    /* the same, and no more events of this exchange for this function */
	SLUICE_HOLD,     /* never on the ring: the answer comes later (sluice_resume) */
	SLUICE_RESPOND,  /* its own answer: `status`, edits are the head, slices the body */
	SLUICE_RESET,    /* end the exchange: reset, or 502 if nothing was answered yet */
	SLUICE_REPLACE,  /* body pieces and data only */
	SLUICE_WAIT,     /* open only: ask again when the client has sent more */
};

#define SLUICE_NONE16    UINT16_MAX
#define SLUICE_UP_SLICES 2

/* RESPOND has one slice at most: END when the body ends with it. */
struct sluice_up_respond {
	struct sluice_slice slice;
	uint64_t body_bytes; /* of all, or SLUICE_LENGTH_UNKNOWN, _NONE */
	uint64_t reserved;
};
SLUICE_ASSERT(sizeof(struct sluice_up_respond) == 32, "ABI");

enum sluice_retry {
	SLUICE_RETRY_RESET = 1 << 0,   /* the server ended the connection without an answer */
	SLUICE_RETRY_TIMEOUT = 1 << 1, /* no answer within first_byte_ms */
	SLUICE_RETRY_GATEWAY = 1 << 2, /* it answered with 502, 503 or 504 */
	SLUICE_RETRY_5XX = 1 << 3,     /* or with any other 5xx */
};

#define SLUICE_RETRIES_OF_GROUP UINT8_MAX

/* How an exchange is to be brought to its server. Of the times, 0 means: as the group or the chain
 * says; total and hedge: none. */
struct sluice_how {
	uint32_t connect_ms;    /* to be connected */
	uint32_t first_byte_ms; /* from the request's end to the head of the answer */
	uint32_t idle_ms;       /* between two pieces of a body */
	uint32_t total_ms;      /* for all of it */
	uint32_t hedge_ms;      /* without an answer for so long: a second server is asked too */
	uint8_t retries;        /* at most; SLUICE_RETRIES_OF_GROUP */
	uint8_t retry;          /* enum sluice_retry: when, beside connections that fail */
	uint16_t reserved;
	uint64_t reserved2;
};
SLUICE_ASSERT(sizeof(struct sluice_how) == 32, "ABI");

struct sluice_up {
	uint32_t exchange;
	uint32_t generation;
	uint8_t kind;  /* enum sluice_up_kind */
	uint8_t flags; /* enum sluice_up_flag */
	uint8_t slices;
	uint8_t verdict; /* enum sluice_verdict */
	uint32_t piece;
	uint32_t text_off; /* edits: a run of the text ring that does not wrap, 8-byte aligned */
	uint32_t text_len;
	uint16_t group;  /* VERDICT: route to this upstream group; SLUICE_NONE16: no change */
	uint16_t server; /* VERDICT: pick this one of the group, from 0; SLUICE_NONE16: no choice */
	uint16_t status; /* RESPOND */
	/* VERDICT of a head: it follows from the head alone, and for so long a request with the
	 * same head may be answered without asking; `piece` is the function's word for it. 0: ask.
	 */
	uint16_t steady_ms;
	union {
		struct sluice_slice slice[SLUICE_UP_SLICES];
		struct sluice_up_respond respond;
		struct sluice_how how;
	};
};
SLUICE_ASSERT(sizeof(struct sluice_up) == 64, "ABI");

/* Edits: a list of these in the text ring, each followed by its name, then its value, then
 * zero to seven bytes up to the next multiple of 8. Freed when the descriptor is consumed. */
enum sluice_edit_op {
	SLUICE_EDIT_SET = 1, /* replaces every field of that name by one */
	SLUICE_EDIT_ADD,     /* one more field, at the end */
	SLUICE_EDIT_REMOVE,  /* every field of that name */
	SLUICE_EDIT_TARGET,  /* request: the value is the new target */
	SLUICE_EDIT_STATUS,  /* response: the value is three digits */
	SLUICE_EDIT_CLIENT,  /* open: the value is a struct sluice_peer */
	SLUICE_EDIT_LOCAL,   /* likewise */
};

struct sluice_edit {
	uint8_t op;
	uint8_t reserved;
	uint16_t id;       /* enum sluice_field_id, or SLUICE_FIELD_OTHER: then by name */
	uint16_t name_len; /* always given, also for known ids; lower or mixed case, a token */
	uint16_t value_len;
};
SLUICE_ASSERT(sizeof(struct sluice_edit) == 8, "ABI");

#define SLUICE_EDITS_MAX_BYTES 16384 /* of one verdict, or of one ASK with its body */

#define SLUICE_ASKS_MAX 64 /* of one instance and one worker, at a time */

/* What the text of an ASK begins with; then `edits_bytes` of edits of an empty request head (its
 * target is one of them), then the body. */
struct sluice_ask_text {
	uint32_t timeout_ms; /* for all of it */
	uint32_t edits_bytes;
	uint32_t body_bytes;
	uint16_t group;
	uint8_t method; /* enum sluice_method: a known one */
	uint8_t reserved;
};
SLUICE_ASSERT(sizeof(struct sluice_ask_text) == 16, "ABI");

/* --- heads: parsed once, by the manager ------------------------------------- */

#define SLUICE_FIELD_HOP     1
#define SLUICE_FIELD_FRAMING 2
#define SLUICE_FIELD_SINGLE  4

enum sluice_field_id {
	SLUICE_FIELD_OTHER = 0,
#define FIELD(id, name, flags) SLUICE_FIELD_##id,
#include <sluice/fields.def>
#undef FIELD
	SLUICE_FIELD_COUNT
};
SLUICE_ASSERT(SLUICE_FIELD_COUNT <= 96, "first[] has room for 96");

enum sluice_method {
	SLUICE_METHOD_OTHER = 0,
	SLUICE_METHOD_GET,
	SLUICE_METHOD_HEAD,
	SLUICE_METHOD_POST,
	SLUICE_METHOD_PUT,
	SLUICE_METHOD_DELETE,
	SLUICE_METHOD_CONNECT,
	SLUICE_METHOD_OPTIONS,
	SLUICE_METHOD_TRACE,
	SLUICE_METHOD_PATCH,
	SLUICE_METHOD_PURGE,
};

/* A piece of a head: `len` bytes at head->base[base] + off. Empty when len is 0. */
struct sluice_text {
	uint16_t off;
	uint16_t len;
	uint16_t base;
};
SLUICE_ASSERT(sizeof(struct sluice_text) == 6, "ABI");

struct sluice_field {
	uint16_t id;   /* enum sluice_field_id */
	uint16_t next; /* the next field of the same known id; SLUICE_NONE16: none */
	uint8_t name_base, value_base;
	uint16_t name_off, name_len;   /* as it came; compare without case */
	uint16_t value_off, value_len; /* without white space around it */
	uint16_t reserved;
};
SLUICE_ASSERT(sizeof(struct sluice_field) == 16, "ABI");

struct sluice_peer {
	uint8_t family; /* 4 or 6 */
	uint8_t reserved;
	uint16_t port;     /* host byte order */
	uint8_t bytes[16]; /* network byte order */
};
SLUICE_ASSERT(sizeof(struct sluice_peer) == 20, "ABI");

#define SLUICE_LENGTH_NONE    UINT64_MAX       /* no body */
#define SLUICE_LENGTH_UNKNOWN (UINT64_MAX - 1) /* chunked, or until close */
#define SLUICE_HEAD_BASES     16

/*
 * The index of a request or response head. Most text stays where the NIC put it: base[1…]
 * refer to RX payload. base[0] is this slot's own text area, for fields that edits made
 * and for the rare line that lay across two packets.
 *
 * `same`: heads with the same number have the same start line and the same fields, so that who made
 * something of one before may make it of the next without a look. It says nothing of where their
 * text lies, of body_bytes, and of what follows from the connection or was chosen for the exchange.
 * A number is never given again. 0: nobody knows what this head is the same as.
 *
 * A connection of a `tcp` chain has one while it is opened: `client`, `local`, `group` and
 * `server` are as ever, there is no field, and the text area holds its early bytes: what the
 * client has sent so far, if a function asked to wait for that.
 */
struct sluice_head {
	uint8_t response; /* 0: request */
	uint8_t version;  /* 10 or 11 */
	uint8_t method;   /* enum sluice_method; of the request, in a response too */
	uint8_t bases;
	uint16_t status; /* response */
	uint16_t fields;
	uint64_t body_bytes; /* or SLUICE_LENGTH_NONE, SLUICE_LENGTH_UNKNOWN */
	uint64_t same;
	struct sluice_text method_text, target;
	struct sluice_text path, query; /* of target, without '?' */
	struct sluice_text host, reason;
	struct sluice_peer client, local; /* of the client's connection */
	uint32_t text_off; /* of the text area, from this structure's start; as base[0] says */
	uint32_t text_used, text_size;
	uint32_t fields_size; /* room in field[] */
	uint16_t first[96];   /* by enum sluice_field_id: its first field; SLUICE_NONE16: none */
	/* request: as functions before this one chose; response: the group that answered;
	 * SLUICE_NONE16: none */
	uint16_t group, server;
	uint64_t base[SLUICE_HEAD_BASES];
#ifndef __cplusplus /* which has no such members: <sluice/nf.h> reads them */
	struct sluice_field field[];
#endif
};
SLUICE_ASSERT(sizeof(struct sluice_head) == 440, "ABI");

/* --- rings ------------------------------------------------------------------- */

#define SLUICE_RING_MAGIC 0x534c4345u

/* Page 0 of the down region, then `entries` of struct sluice_down from offset SLUICE_PAGE. */
struct sluice_down_ctl {
	uint32_t magic;
	uint32_t abi;
	uint32_t entries;
	uint32_t up_entries;
	uint32_t up_text_bytes;
	SLUICE_ALIGN(64) uint32_t produced;      /* down ring: the manager's */
	SLUICE_ALIGN(64) uint32_t up_consumed;   /* up ring: the manager's */
	SLUICE_ALIGN(64) uint32_t worker_sleeps; /* 1: write the worker's eventfd after producing */
};
SLUICE_ASSERT(sizeof(struct sluice_down_ctl) == 256, "ABI");

/* Page 0 of the up region, then `up_entries` of struct sluice_up from SLUICE_PAGE, then the
 * text ring, then SLUICE_COUNTERS of uint64_t. */
#define SLUICE_COUNTERS 64
struct sluice_up_ctl {
	SLUICE_ALIGN(64) uint32_t produced;      /* up ring: the function's */
	SLUICE_ALIGN(64) uint32_t down_consumed; /* down ring: the function's */
	SLUICE_ALIGN(64) uint32_t nf_sleeps; /* 1: write the function's eventfd after producing */
	SLUICE_ALIGN(64) uint64_t loops;     /* heartbeat: one more for each turn of its loop */
	uint64_t busy_ns;                    /* time spent in hooks */
};
SLUICE_ASSERT(sizeof(struct sluice_up_ctl) == 256, "ABI");

/* --- upstream groups ----------------------------------------------------------- */

enum sluice_balance {
	SLUICE_BALANCE_ROUND_ROBIN = 0,
	SLUICE_BALANCE_LEAST,  /* fewest exchanges in flight, by weight */
	SLUICE_BALANCE_P2C,    /* the less loaded of two taken at random */
	SLUICE_BALANCE_HASH,   /* consistent: by what the function chooses as key */
	SLUICE_BALANCE_MAGLEV, /* likewise, by a table of places */
	SLUICE_BALANCE_EWMA,   /* of two the one that is likely to answer first */
	SLUICE_BALANCE_SOURCE, /* by the client's address, shared out by weight */
	SLUICE_BALANCES
};

#define SLUICE_NAME_MAX    64
#define SLUICE_GROUPS_MAX  1024
#define SLUICE_SERVERS_MAX 16384

enum sluice_server_state {
	SLUICE_SERVER_UP = 0,
	SLUICE_SERVER_DOWN = 1,
	SLUICE_SERVER_DRAIN = 2, /* it is not in the configuration any more: nothing new */
	SLUICE_SERVER_KEEP = 3,  /* drained by hand: only clients that belong to it already */
};

#define SLUICE_WARM 64

/* Written with relaxed atomics while functions read. Numbers of groups and servers are never
 * used again while the manager lives; a removed group has an empty name. */
struct sluice_server {
	struct sluice_peer addr;
	uint32_t state;      /* enum sluice_server_state */
	uint32_t weight;     /* 1 to 256 */
	uint32_t active;     /* exchanges in flight, all workers */
	uint32_t latency_us; /* smoothed time to the first byte of the response */
	uint32_t failures;   /* in a row */
	uint32_t peak_us;    /* like latency_us, but what is worse counts at once; at peak_at_us */
	uint32_t warm;       /* slow start: its share of the weight, of SLUICE_WARM; 0: all of it */
	uint64_t peak_at_us; /* by the manager's clock, which is not the functions' */
};
SLUICE_ASSERT(sizeof(struct sluice_server) == 56, "ABI");

struct sluice_group {
	char name[SLUICE_NAME_MAX];
	uint32_t balance; /* enum sluice_balance */
	uint32_t first;   /* its servers: server[first] … server[first + servers - 1] */
	uint32_t servers;
	uint32_t version; /* of the configuration that made it */
};
SLUICE_ASSERT(sizeof(struct sluice_group) == SLUICE_NAME_MAX + 16, "ABI");

struct sluice_upstreams {
	uint32_t groups; /* released after the group is written */
	uint32_t servers;
	uint32_t changes; /* one more for each change of weights or states */
	uint32_t reserved;
	struct sluice_group group[SLUICE_GROUPS_MAX];
	struct sluice_server server[SLUICE_SERVERS_MAX];
};
SLUICE_ASSERT(sizeof(struct sluice_upstreams) ==
		      16 + SLUICE_GROUPS_MAX * 80 + SLUICE_SERVERS_MAX * 56,
	      "ABI");

/* --- the handshake -------------------------------------------------------------------
 *
 * Over the SOCK_SEQPACKET socket that sluice-nf has as descriptor SLUICE_HOST_SOCKET. Each
 * message is one packet that begins with struct sluice_host_header; descriptors travel
 * beside it, in the order named.
 *
 *	manager                                host
 *	WELCOME  (config, its own eventfd)
 *	ALLOW…   (what it may do besides)
 *	REGION…  (one for each source)
 *	LINK…    (down, up, the worker's eventfd)
 *	GO
 *	                                       locks itself in, loads the plugin, runs init
 *	                                       COUNTER…, READY   or   ERROR…, and it exits
 *	REGION…  (another function's new arena)
 *	                                       LOG…
 *	COMMAND
 *	                                       ANSWER…  (the last with END; then the next COMMAND)
 *
 * What the host sends after it loaded the plugin is untrusted. A packet that does not begin
 * with a known kind is text that the function wrote to its standard error.
 */
#define SLUICE_HOST_SOCKET      3
#define SLUICE_HOST_WAKE        4 /* once it is locked in: its eventfd; the workers' follow */
#define SLUICE_HOST_SOURCES_MAX 64
#define SLUICE_HOST_TEXT_MAX    1024
#define SLUICE_HOST_COMMAND_MAX 4096  /* bytes of its words */
#define SLUICE_HOST_ANSWER_MAX  65536 /* of all its ANSWERs */

enum sluice_host_kind {
	SLUICE_HOST_WELCOME = 1,
	SLUICE_HOST_REGION,
	SLUICE_HOST_LINK,
	SLUICE_HOST_GO, /* a header alone */
	SLUICE_HOST_COUNTER,
	SLUICE_HOST_READY,
	SLUICE_HOST_ERROR,
	SLUICE_HOST_LOG,
	SLUICE_HOST_ALLOW,
	SLUICE_HOST_COMMAND,
	SLUICE_HOST_ANSWER,
};

/* The hooks that a function has; the bits of sluice_host_ready.hooks. */
enum sluice_hook {
	SLUICE_HOOK_REQUEST_HEAD = 1 << 0,
	SLUICE_HOOK_REQUEST_BODY = 1 << 1,
	SLUICE_HOOK_RESPONSE_HEAD = 1 << 2,
	SLUICE_HOOK_RESPONSE_BODY = 1 << 3,
	SLUICE_HOOK_DONE = 1 << 4,
	SLUICE_HOOK_OPEN = 1 << 5,
	SLUICE_HOOK_CLIENT_DATA = 1 << 6,
	SLUICE_HOOK_SERVER_DATA = 1 << 7,
	SLUICE_HOOK_REFUSED = 1 << 8,
	SLUICE_HOOK_SEEN = 1 << 9,
	SLUICE_HOOK_REPEATED = 1 << 10,
};

/* A function needs one of these to have a part in a chain of that protocol. */
#define SLUICE_HOOKS_HTTP                                                                  \
	(SLUICE_HOOK_REQUEST_HEAD | SLUICE_HOOK_REQUEST_BODY | SLUICE_HOOK_RESPONSE_HEAD | \
	 SLUICE_HOOK_RESPONSE_BODY | SLUICE_HOOK_SEEN)
#define SLUICE_HOOKS_TCP (SLUICE_HOOK_OPEN | SLUICE_HOOK_CLIENT_DATA | SLUICE_HOOK_SERVER_DATA)

enum sluice_region_kind {
	SLUICE_REGION_NONE = 0,
	SLUICE_REGION_RX,
	SLUICE_REGION_MESSAGES,
	SLUICE_REGION_UPSTREAMS,
	SLUICE_REGION_ARENA,
};

struct sluice_host_header {
	uint32_t kind;  /* enum sluice_host_kind */
	uint32_t bytes; /* of the whole message */
};

/* Flags of WELCOME. CHECK: a trial run: no shared memory but the upstreams, and an arena of its
 * own; the host says READY or ERROR and exits. STAY: it keeps the user that it runs as. */
#define SLUICE_HOST_CHECK 1
#define SLUICE_HOST_STAY  2

struct sluice_host_welcome {
	struct sluice_host_header header;
	uint32_t abi;
	uint32_t flags;
	uint32_t instance;
	uint32_t manager_pid;
	uint32_t uid, gid;
	uint32_t spin_us; /* how long an idle loop polls before it sleeps */
	uint32_t workers; /* LINK messages that follow */
	uint64_t config_bytes;
	uint64_t cpus[16]; /* where it may run, a bit for each CPU; all 0: where it is */
	char function[SLUICE_NAME_MAX];
	char plugin[1024];
};

#define SLUICE_ALLOW_MAX 48

enum sluice_host_allowed {
	SLUICE_ALLOW_READ = 1,
	SLUICE_ALLOW_TCP,
	SLUICE_ALLOW_UDP,
	SLUICE_ALLOW_UNIX,
	SLUICE_ALLOW_WRITE /* with a descriptor, except in a trial run */
};

struct sluice_host_allow {
	struct sluice_host_header header;
	uint32_t what;         /* enum sluice_host_allowed */
	struct sluice_peer to; /* TCP, UDP */
	char text[1024];       /* READ: the path; otherwise its name, of UNIX "unix:PATH" */
};

struct sluice_host_source {
	uint64_t offset, bytes;
};

/* A region of more than SLUICE_HOST_SOURCES_MAX sources comes in several messages, in order. */
struct sluice_host_region {
	struct sluice_host_header header;
	uint16_t id;
	uint8_t kind;     /* enum sluice_region_kind */
	uint8_t writable; /* 1: this instance's own arena */
	uint32_t sources; /* in this message */
	uint64_t done;    /* bytes of the region in earlier messages */
	uint64_t bytes;   /* of the whole region */
	struct sluice_host_source source[SLUICE_HOST_SOURCES_MAX];
};

struct sluice_host_link {
	struct sluice_host_header header;
	uint32_t worker;
	uint16_t messages; /* the region of this worker's heads */
	uint16_t reserved;
	uint64_t down_bytes, up_bytes;
};

struct sluice_host_counter {
	struct sluice_host_header header;
	uint32_t index;
	uint32_t reserved;
	char name[64];
	char help[128];
};

struct sluice_host_ready {
	struct sluice_host_header header;
	uint32_t hooks; /* enum sluice_hook */
	uint32_t counters;
};

/* ERROR and LOG. `text` is as long as the message says, without a NUL. */
struct sluice_host_text {
	struct sluice_host_header header;
	uint32_t level;  /* LOG: enum sluice_log_level of <sluice/nf.h> */
	uint32_t placed; /* ERROR: 1: begins with FILE:LINE */
	char text[SLUICE_HOST_TEXT_MAX];
};

/* Words, each ended by a NUL. `text` is as long as the message says. */
struct sluice_host_command {
	struct sluice_host_header header;
	uint32_t number; /* of its answer */
	uint32_t reserved;
	char text[SLUICE_HOST_COMMAND_MAX];
};

/* END: it is whole. FAILED: it is the sentence that says why; otherwise JSON, an array of objects
 * of texts and numbers. */
#define SLUICE_HOST_ANSWER_END    1
#define SLUICE_HOST_ANSWER_FAILED 2

struct sluice_host_answer {
	struct sluice_host_header header;
	uint32_t number;
	uint32_t flags;
	char text[SLUICE_HOST_TEXT_MAX];
};

SLUICE_ASSERT(sizeof(struct sluice_host_welcome) == 1264, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_region) == 1056, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_link) == 32, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_header) == 8, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_source) == 16, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_counter) == 208, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_ready) == 16, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_text) == 1040, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_allow) == 1056, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_command) == 4112, "ABI");
SLUICE_ASSERT(sizeof(struct sluice_host_answer) == 1040, "ABI");

#ifdef __cplusplus
}
#endif
#endif
