/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scenario, parsed: settings, then events in order. What a packet is here has the
 * script's own numbers: sequence numbers count from each side's SYN.
 */
#ifndef TESTS_PACKETDRILL_PLAY_SCRIPT_H
#define TESTS_PACKETDRILL_PLAY_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lex;

/* ---- packets ---- */

enum packet_flag {
	FLAG_FIN = 1 << 0,
	FLAG_SYN = 1 << 1,
	FLAG_RST = 1 << 2,
	FLAG_PSH = 1 << 3,
	FLAG_ACK = 1 << 4,
	FLAG_URG = 1 << 5,
	FLAG_ECE = 1 << 6,
	FLAG_CWR = 1 << 7,
	FLAG_AE = 1 << 8,
};

enum option_kind {
	OPTION_EOL = 0,
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_WSCALE = 3,
	OPTION_SACK_OK = 4,
	OPTION_SACK = 5,
	OPTION_TS = 8,
	OPTION_MD5 = 19, /* RFC 2385 */
	OPTION_FAST_OPEN = 34,
};

#define OPTIONS_MOST 40
#define SACK_MOST    4
#define COOKIE_MOST  16
#define ECN_ANY      4 /* the script does not say */
#define OPTION_BYTES 40

struct packet_option {
	uint8_t kind;   /* enum option_kind, or one that is not known */
	uint8_t blocks; /* SACK */
	uint8_t bytes;  /* of `raw`: cookies and unknown ones */
	uint32_t value, echo;
	uint32_t sack[SACK_MOST][2];
	uint8_t raw[OPTION_BYTES];
};

enum packet_kind { PACKET_TCP, PACKET_ICMP };

struct packet {
	enum packet_kind kind;
	bool outbound; /* the stack's */
	unsigned flow; /* from 1 on */
	bool fresh;    /* the flow begins anew */
	uint8_t ecn;   /* the two bits, or ECN_ANY */
	uint16_t flags;
	uint32_t seq, end, len, ack;
	bool has_window, has_urgent;
	uint32_t window, urgent;
	bool any_options;
	bool bad_checksum;
	unsigned option_count;
	struct packet_option options[OPTIONS_MOST];
	/* ICMP: of a packet that begins with `seq`. */
	uint8_t icmp_type, icmp_code;
	uint32_t mtu;
};

/* ---- calls ---- */

enum value_kind { VALUE_ANY, VALUE_NUMBER, VALUE_STRING, VALUE_LIST, VALUE_RECORD };

/* An argument; a record has a name for each item. */
struct value {
	enum value_kind kind;
	int64_t number;
	char *text;
	size_t count;
	struct value **items;
	char **names;
};

struct call {
	char *name;
	struct value *args; /* a list */
	bool blocks;
	double end_s; /* when it does */
	struct value *result;
	char *error; /* "EAGAIN"; NULL */
};

/* ---- events ---- */

enum when_kind { WHEN_ABSOLUTE, WHEN_RELATIVE, WHEN_ANY };

struct when {
	enum when_kind kind;
	bool is_range;
	int64_t from_us, to_us;
};

enum event_kind { EVENT_PACKET, EVENT_CALL, EVENT_CODE };

struct event {
	struct event *next;
	int line;
	struct when when;
	enum event_kind kind;
	union {
		struct packet *packet;
		struct call *call;
		char *code;
	};
};

struct script {
	char flags[256]; /* for packetdrill_interface_init */
	const char *local, *remote;
	int64_t tolerance_us;
	uint32_t remote_isn;
	struct event *events;
};

/* Fails when the text is not a scenario. */
struct script *script_parse(const char *text);

/* Parts of it. */
struct packet *packet_parse(struct lex *lex);
struct call *call_parse(struct lex *lex);

/* A packet as it would stand in a script. */
void packet_format(const struct packet *packet, char *buf, size_t size);

#endif
