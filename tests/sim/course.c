/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Long transfers over links that are known, and what has to come of them: each one shows that an
 * algorithm does what it is there for.
 */
#include "tests/sim/course.h"

#include <rte_common.h>
#include <stdio.h>
#include <string.h>

#include "l4stack/base/counters.h"
#include "l4stack/tcp/tcp_conn.h"

#define PERCENT 10000u /* of a million */
#define MS      1000u
#define MB      1000000u
#define SEGMENT 1448u

#define AGAIN_BYTES    MB
#define START_UP_US    (2000 * MS)
#define STEADY_PERCENT 90

struct sim_course {
	const char *name, *congestion;
	struct link_conf link;
	uint32_t bytes;
	/* What is asked for. */
	uint32_t rate_percent;   /* of the link's, in payload, from beginning to end */
	uint32_t segments_extra; /* most that is sent again beyond what was lost or not kept */
	uint32_t
		waits_most_us; /* most that waits before the link, after the first second; 0: any */
	bool no_losses;
	void (*also)(struct sim *sim);
	struct sim_narrow {
		uint32_t mtu;      /* from the first second on; 0: as all the way */
		bool silent;       /* what is longer vanishes, and nobody is told */
		uint64_t again_us; /* when a second connection to that peer begins; 0: never */
	} narrow;
};

static const struct stack_counters *sender(const struct sim *sim)
{
	return stack_counters(sim->host[0].stack);
}

static void marks_are_answered(struct sim *sim)
{
	uint64_t marks = stack_counters(sim->host[1].stack)->tcp_ecn_marks_in;

	if (!marks || marks != sim->link[0].marked || !sender(sim)->tcp_ecn_reductions)
		sim_fail(sim, "%llu marks, %llu were seen, %llu reductions",
			 (unsigned long long)sim->link[0].marked, (unsigned long long)marks,
			 (unsigned long long)sender(sim)->tcp_ecn_reductions);
}

static void timeout_is_undone(struct sim *sim)
{
	if (sender(sim)->tcp_rtos == 0 || sender(sim)->tcp_spurious_rtos == 0)
		sim_fail(sim, "%llu timeouts, %llu found to be wrong",
			 (unsigned long long)sender(sim)->tcp_rtos,
			 (unsigned long long)sender(sim)->tcp_spurious_rtos);
}

/* What has arrived since the start-up was over: of 1514 bytes 1448 are payload. */
static void rate_is_reached(struct sim *sim)
{
	const struct sim_end *end = &sim->pair[0].end[1];
	uint64_t bytes = end->received - sim->steady_bytes;
	uint64_t percent =
		100000 * bytes / (end->whole_us - sim->steady_us) / sim->link[0].conf.bytes_per_ms;

	printf("%llu%% after the start-up\n", (unsigned long long)percent);
	if (percent < STEADY_PERCENT)
		sim_fail(sim, "%llu%% after the start-up", (unsigned long long)percent);
}

/* It is found once, and what the path does carry soon after. */
static void hole_is_measured(struct sim *sim)
{
	const struct tcp_conn *conn = sim->pair[0].end[0].conn;
	uint64_t holes = sender(sim)->tcp_black_holes, raised = sender(sim)->tcp_mtu_raised;

	if (holes != 1 || raised != 1 || (conn && conn->path.mtu != sim->box[0].mtu))
		sim_fail(sim, "%llu holes found, %llu MTUs raised", (unsigned long long)holes,
			 (unsigned long long)raised);
}

/* What looked like a hole was none. */
static void hole_is_forgotten(struct sim *sim)
{
	uint64_t holes = sender(sim)->tcp_black_holes, raised = sender(sim)->tcp_mtu_raised;

	if (!holes || raised != 1)
		sim_fail(sim, "%llu holes found, %llu MTUs raised", (unsigned long long)holes,
			 (unsigned long long)raised);
}

/* By the first connection; the second one begins with what was learned. */
static void mtu_is_learned_once(struct sim *sim)
{
	uint64_t lowered = sender(sim)->tcp_mtu_lowered, told = sim->box[0].told;

	if (lowered != 1 || !told || sim->pair[1].end[1].received != AGAIN_BYTES)
		sim_fail(sim, "%llu connections learned from %llu messages",
			 (unsigned long long)lowered, (unsigned long long)told);
}

static void no_timeouts(struct sim *sim)
{
	if (sender(sim)->tcp_rtos)
		sim_fail(sim, "%llu timeouts", (unsigned long long)sender(sim)->tcp_rtos);
}

/* 100 Mbit/s, 100 ms: 1.25 MB in flight fill it. */
#define LONG_FAT                                                                    \
	{                                                                           \
		.delay_us = 50 * MS, .bytes_per_ms = 12500, .queue_bytes = 625 * MS \
	}
/* 40 Mbit/s, 20 ms: 100 KB. */
#define SHORT .delay_us = 10 * MS, .bytes_per_ms = 5000
#define REORDERS                                                                                  \
	{                                                                                         \
		SHORT, .queue_bytes = 400 * MS, .reorder_ppm = 10 * PERCENT, .reorder_us = 3 * MS \
	}
#define REPEATS                                                               \
	{                                                                     \
		SHORT, .queue_bytes = 400 * MS, .duplicate_ppm = 20 * PERCENT \
	}
#define MARKS                                                          \
	{                                                              \
		SHORT, .queue_bytes = 1000 * MS, .mark_bytes = 60 * MS \
	}
#define LOSES                                                            \
	{                                                                \
		SHORT, .queue_bytes = 200 * MS, .loss_ppm = PERCENT / 10 \
	}
#define BURSTS                                                                                     \
	{                                                                                          \
		SHORT, .queue_bytes = 200 * MS, .burst_ppm = PERCENT / 50, .burst_most_us = 5 * MS \
	}
#define HOLDS                                                                                \
	{                                                                                    \
		SHORT, .queue_bytes = 400 * MS, .hold_at_us = 2000 * MS, .hold_us = 800 * MS \
	}
#define HOLE                                   \
	{                                      \
		SHORT, .queue_bytes = 400 * MS \
	}
#define DARK                                                                \
	{                                                                   \
		SHORT, .queue_bytes = 400 * MS, .black_from_us = 1000 * MS, \
		       .black_until_us = 4000 * MS                          \
	}

#define WIDE      \
	{         \
		0 \
	}
#define SILENT                              \
	{                                   \
		.mtu = 1400, .silent = true \
	}
#define TOLD                                       \
	{                                          \
		.mtu = 1400, .again_us = 9000 * MS \
	}

/* clang-format off */
static const struct sim_course courses[] = {
	{"long_fat_cubic", "cubic", LONG_FAT, 60 * MB, 80, 10, 0, false, rate_is_reached, WIDE},
	{"long_fat_newreno", "newreno", LONG_FAT, 60 * MB, 80, 10, 0, false, rate_is_reached, WIDE},
	{"long_fat_bbr", "bbr", LONG_FAT, 60 * MB, 76, 10, 120 * MS, false, rate_is_reached, WIDE},
	{"reorder_cubic", "cubic", REORDERS, 20 * MB, 80, 40, 0, true, no_timeouts, WIDE},
	{"reorder_newreno", "newreno", REORDERS, 20 * MB, 80, 40, 0, true, no_timeouts, WIDE},
	{"reorder_bbr", "bbr", REORDERS, 20 * MB, 80, 40, 0, true, no_timeouts, WIDE},
	{"duplicate_cubic", "cubic", REPEATS, 20 * MB, 80, 2, 0, true, no_timeouts, WIDE},
	{"duplicate_newreno", "newreno", REPEATS, 20 * MB, 80, 2, 0, true, no_timeouts, WIDE},
	{"duplicate_bbr", "bbr", REPEATS, 20 * MB, 80, 2, 0, true, no_timeouts, WIDE},
	{"mark_cubic", "cubic", MARKS, 20 * MB, 80, 0, 60 * MS, true, marks_are_answered, WIDE},
	{"mark_newreno", "newreno", MARKS, 20 * MB, 70, 0, 60 * MS, true, marks_are_answered, WIDE},
	{"loss_cubic", "cubic", LOSES, 20 * MB, 40, 10, 0, false, NULL, WIDE},
	{"loss_newreno", "newreno", LOSES, 20 * MB, 30, 10, 0, false, NULL, WIDE},
	{"loss_bbr", "bbr", LOSES, 20 * MB, 80, 10, 0, false, NULL, WIDE},
	{"burst_cubic", "cubic", BURSTS, 20 * MB, 30, 20, 0, false, NULL, WIDE},
	{"burst_newreno", "newreno", BURSTS, 20 * MB, 30, 20, 0, false, NULL, WIDE},
	{"burst_bbr", "bbr", BURSTS, 20 * MB, 60, 20, 0, false, NULL, WIDE},
	{"hold_cubic", "cubic", HOLDS, 20 * MB, 60, 20, 0, true, timeout_is_undone, WIDE},
	{"hold_newreno", "newreno", HOLDS, 20 * MB, 60, 20, 0, true, timeout_is_undone, WIDE},
	{"hold_bbr", "bbr", HOLDS, 20 * MB, 60, 20, 0, true, timeout_is_undone, WIDE},
	{"hole_cubic", "cubic", HOLE, 20 * MB, 50, 10, 0, false, hole_is_measured, SILENT},
	{"hole_newreno", "newreno", HOLE, 20 * MB, 50, 10, 0, false, hole_is_measured, SILENT},
	{"hole_bbr", "bbr", HOLE, 20 * MB, 50, 10, 0, false, hole_is_measured, SILENT},
	{"told_cubic", "cubic", HOLE, 20 * MB, 80, 200, 0, false, mtu_is_learned_once, TOLD},
	{"told_newreno", "newreno", HOLE, 20 * MB, 80, 200, 0, false, mtu_is_learned_once, TOLD},
	{"told_bbr", "bbr", HOLE, 20 * MB, 80, 200, 0, false, mtu_is_learned_once, TOLD},
	{"dark_cubic", "cubic", DARK, 20 * MB, 35, 10, 0, false, hole_is_forgotten, WIDE},
	{"dark_newreno", "newreno", DARK, 20 * MB, 35, 10, 0, false, hole_is_forgotten, WIDE},
	{"dark_bbr", "bbr", DARK, 20 * MB, 35, 10, 0, false, hole_is_forgotten, WIDE},
};
/* clang-format on */
#define COURSES (sizeof(courses) / sizeof(courses[0]))

const struct sim_course *sim_course_find(const char *name)
{
	for (size_t i = 0; i < COURSES; i++)
		if (!strcmp(courses[i].name, name))
			return &courses[i];
	return NULL;
}

const char *sim_course_name(const struct sim_course *course)
{
	return course->name;
}

/* ---- the way there ---- */

static void plan_pair(struct sim *sim, const struct sim_course *course, unsigned index)
{
	struct sim_pair *pair = &sim->pair[index];

	pair->kind = SIM_BULK;
	pair->begin_us = sim->now_us + (index ? course->narrow.again_us : 0);
	pair->conf = (struct tcp_conf){
		.congestion = course->congestion,
		.ecn = TCP_ECN_ASK,
		.send_buffer_bytes = course->no_losses ? 200 * MS : 6 * MB,
	};
	for (unsigned i = 0; i < 2; i++)
		pair->end[i] = (struct sim_end){
			.sim = sim,
			.pair = pair,
			.side = i,
			.send_stream = 2 * index + i + 1,
			.recv_stream = 2 * index + 2 - i,
			.piece_most = 2048,
			.leave_at_us = UINT64_MAX,
		};
	pair->end[0].send_total = index ? AGAIN_BYTES : course->bytes;
}

void sim_course_plan(struct sim *sim, const struct sim_course *course)
{
	struct link_conf conf = course->link, back = {.delay_us = conf.delay_us};

	sim->now_us = 1000 * MS;
	conf.hold_at_us += sim->now_us;
	conf.black_from_us += sim->now_us;
	conf.black_until_us += sim->now_us;
	sim->box[0] = (struct box){
		.from_us = sim->now_us + 1000 * MS,
		.mtu = course->narrow.mtu,
		.silent = course->narrow.silent,
	};
	sim->offloads = STACK_TX_MULTI_SEG | STACK_TX_IP_CSUM | STACK_TX_TCP_CSUM | STACK_TX_TSO |
			STACK_RX_CSUM;
	sim->host[0].rx.checks_csum = sim->host[1].rx.checks_csum = true;
	link_init(&sim->link[0], &conf, rng_next(&sim->rng));
	link_init(&sim->link[1], &back, rng_next(&sim->rng));
	sim->memory_bytes = 64 * MB;
	sim->server_conf.recv_buffer_bytes = sim->server_conf.recv_begin_bytes = 6 * MB;
	sim->pair_count = course->narrow.again_us ? 2 : 1;
	for (unsigned i = 0; i < sim->pair_count; i++)
		plan_pair(sim, course, i);
}

/* ---- on the way ---- */

static void check_wait(struct sim *sim, const struct sim_course *course)
{
	uint64_t free_at_us = sim->link[0].free_at_us;

	if (!course->waits_most_us || sim->now_us < 2000 * MS)
		return;
	if (free_at_us > sim->now_us + course->waits_most_us)
		sim_fail(sim, "%llu us of data wait before the link",
			 (unsigned long long)(free_at_us - sim->now_us));
}

/* No more than the rate allows, but for a burst: two turns of the timer, and what goes out without
 * being asked. */
static void check_pacing(struct sim *sim, const struct tcp_conn *conn)
{
	struct sim_pace *pace = &sim->pace;
	uint64_t rate = conn->cc.pacing_bytes_per_s, bytes = sim->check.payload_bytes - pace->bytes;
	uint64_t passed_us = sim->now_us - pace->at_us;

	pace->ahead_us -= RTE_MIN(passed_us, pace->ahead_us);
	pace->ahead_us = rate ? pace->ahead_us + bytes * 1000000 / rate : 0;
	pace->at_us = sim->now_us;
	pace->bytes = sim->check.payload_bytes;
	if (rate && pace->ahead_us > 2 * MS + 8ull * SEGMENT * 1000000 / rate)
		sim_fail(sim, "%llu us ahead of %llu bytes per second",
			 (unsigned long long)pace->ahead_us, (unsigned long long)rate);
}

static void note_steady(struct sim *sim)
{
	if (sim->steady_us || sim->now_us < sim->pair[0].begin_us + START_UP_US)
		return;
	sim->steady_us = sim->now_us;
	sim->steady_bytes = sim->pair[0].end[1].received;
}

void sim_course_watch(struct sim *sim, const struct sim_course *course)
{
	const struct tcp_conn *conn = sim->pair[0].end[0].conn;

	note_steady(sim);
	if (!conn || !conn->cc.mss)
		return;
	check_wait(sim, course);
	check_pacing(sim, conn);
	if (conn->cc.cwnd < conn->mss || conn->cc.cwnd > 64 * MB)
		sim_fail(sim, "a window of %u bytes", conn->cc.cwnd);
}

/* ---- the end ---- */

void sim_course_judge(struct sim *sim, const struct sim_course *course)
{
	const struct sim_end *end = &sim->pair[0].end[1];
	uint64_t took_us = end->whole_us - sim->pair[0].begin_us;
	uint64_t percent = 100000ull * course->bytes / took_us / course->link.bytes_per_ms;
	uint64_t bytes = course->bytes + (course->narrow.again_us ? AGAIN_BYTES : 0);
	uint64_t again = (sim->check.payload_bytes - bytes) / SEGMENT;
	/* The receiver may be short of memory. */
	uint64_t needed = sim->link[0].lost + sim->box[0].dropped + sim->box[0].told +
			  stack_counters(sim->host[1].stack)->tcp_ooo_drops;

	printf("%s: %llu%% of the link's rate; %llu segments sent again, %llu had to be\n",
	       course->name, (unsigned long long)percent, (unsigned long long)again,
	       (unsigned long long)needed);
	if (percent < course->rate_percent)
		sim_fail(sim, "%llu%% of the link's rate", (unsigned long long)percent);
	if (again > needed + course->segments_extra)
		sim_fail(sim, "%llu segments were sent again", (unsigned long long)again);
	if (course->no_losses && sim->link[0].lost)
		sim_fail(sim, "%llu frames were lost", (unsigned long long)sim->link[0].lost);
	if (course->also)
		course->also(sim);
}
