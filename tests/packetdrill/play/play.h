/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scenario while it is played against a stack behind the public interface.
 *
 * Time is the stack's. An event that is due later lets time pass; a packet that is
 * expected is taken when it is due, and its own time is compared. The stream of bytes
 * that the script writes and sends is a pattern, which is checked wherever it comes out.
 */
#ifndef TESTS_PACKETDRILL_PLAY_PLAY_H
#define TESTS_PACKETDRILL_PLAY_PLAY_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/packetdrill/packetdrill.h"
#include "tests/packetdrill/play/flow.h"
#include "tests/packetdrill/play/script.h"

#define PLAY_FDS 64

struct play_fd {
	bool used;
	int live; /* the stack's number for it */
	uint32_t written, read;
};

/* What a call gave. */
struct call_result {
	int64_t value;
	int error;
	int64_t end_us;
};

/* The one call that may block, in a thread of its own. */
struct play_thread {
	bool running;
	pthread_t thread;
	_Atomic int tid;
	_Atomic bool done;
	struct play *play;
	const struct event *event;
	struct call_result result;
	int64_t begin_us, end_us; /* when it shall end */
};

struct play {
	const struct script *script;
	struct packetdrill_interface stack;
	struct flows flows;
	int64_t start_us; /* the stack's clock at the first event */
	int64_t last_us;  /* when the last event was */
	const struct event *event, *last;
	struct play_fd fds[PLAY_FDS];
	int subject; /* the connection that assertions are about */
	struct play_thread blocked;
	char *text; /* room for long texts */
};

/* Fails, or returns when all was as expected. */
void play_script(struct play *play);

/* play.c, for the others. */
int64_t play_now_us(struct play *play);
void play_settle(struct play *play);
void play_check_time(const struct play *play, const struct when *when, int64_t base_us,
		     int64_t at_us, const char *what);

/* play_packet.c */
void play_packet_in(struct play *play, const struct packet *packet);
void play_packet_out(struct play *play, const struct event *event, int64_t base_us);
void play_no_packet_left(struct play *play, int64_t until_us);

/* play_call.c */
struct call_result call_run(struct play *play, const struct call *call);
void call_check(struct play *play, const struct event *event, const struct call_result *result);

/* play_code.c: assertions. */
void play_code(struct play *play, const char *code);

/* The two patterns: what the script writes to sockets, and what it sends in packets. */
static inline uint8_t play_written_byte(uint32_t at)
{
	return (uint8_t)(at * 57 + (at >> 8) * 11 + 1);
}

static inline uint8_t play_sent_byte(uint32_t at)
{
	return (uint8_t)(at * 131 + (at >> 8) * 7);
}

#endif
