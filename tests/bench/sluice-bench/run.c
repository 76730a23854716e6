/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/sluice-bench/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <rte_cycles.h>

#define SWEEP_MS 20
#define OPEN_MS  10000 /* on a machine that has other things to do as well */
#define CLOSE_MS 10000
#define LATE_MS  10000
#define PER_MS   20 /* connections that are waited for a millisecond longer */

struct span {
	uint64_t cycles, busy_cycles, turns;
	uint64_t frames_in, frames_out;
	long switches; /* the CPU was taken from us */
};

/* Too large for a stack. */
static struct client client;
static struct origin *origin;

static uint64_t ms_cycles(uint64_t ms)
{
	return rte_get_tsc_hz() / 1000 * ms;
}

static long switches(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_nivcsw;
}

/* Turns for so long, or until `done`. */
static void turns(struct client *c, uint64_t ms, bool (*done)(const struct client *),
		  struct span *span)
{
	uint64_t begin = rte_rdtsc(), now = begin, sweep = begin + ms_cycles(SWEEP_MS), before;

	while (now - begin < ms_cycles(ms) && !(done && done(c))) {
		bool work = client_turn(c);

		if (origin)
			work |= origin_turn(origin);
		if (now > sweep) {
			client_sweep(c);
			if (origin)
				origin_sweep(origin);
			sweep = now + ms_cycles(SWEEP_MS);
		}
		before = now;
		now = rte_rdtsc();
		span->busy_cycles += work ? now - before : 0;
		span->turns++;
	}
	span->cycles += now - begin;
}

static bool is_open(const struct client *c)
{
	return c->counts.opened >= c->conf.conns;
}

static bool is_closed(const struct client *c)
{
	return c->open_count == 0;
}

static bool has_answer(const struct client *c)
{
	return c->counts.answered > 0;
}

static void measure(const struct command *command, struct span *span)
{
	struct wire *wire = client.wire;

	*span = (struct span){.frames_in = wire->frames_in, .frames_out = wire->frames_out};
	client.counts = (struct client_counts){0};
	memset(&client.latency, 0, sizeof(client.latency));
	span->switches = switches();
	turns(&client, command->ms, NULL, span);
	turns(&client, LATE_MS, has_answer, span); /* all that time others may have had the CPUs */
	span->switches = switches() - span->switches;
	span->frames_in = wire->frames_in - span->frames_in;
	span->frames_out = wire->frames_out - span->frames_out;
}

static void print_origin(void)
{
	const struct origin_counts *n = &origin->counts;

	printf("\"origin\": {\"opened\": %" PRIu64 ", \"requests\": %" PRIu64
	       ", \"bytes\": %" PRIu64 ", \"resent\": %" PRIu64 ", \"wrong\": %" PRIu64 "}, ",
	       n->opened, n->requests, n->bytes, n->resent, n->wrong);
}

static void counts_add(struct client_counts *to, const struct client_counts *from)
{
	uint64_t *a = (uint64_t *)to;
	const uint64_t *b = (const uint64_t *)from;

	for (unsigned i = 0; i < sizeof(*to) / sizeof(*a); i++)
		a[i] += b[i];
}

static double us(uint64_t cycles)
{
	return (double)cycles * 1e6 / (double)rte_get_tsc_hz();
}

static void print_latency(const struct hist *h)
{
	printf("\"latency_us\": {\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f, "
	       "\"p99.99\": %.3f, \"max\": %.3f}, ",
	       us(hist_at(h, 0.5)), us(hist_at(h, 0.9)), us(hist_at(h, 0.99)),
	       us(hist_at(h, 0.999)), us(hist_at(h, 0.9999)), us(h->most));
}

/* `measured` is what the time was taken of, `whole` all from the first to the last frame. */
static void print_result(const struct span *span, const struct client_counts *measured,
			 const struct client_counts *whole)
{
	double seconds = (double)span->cycles / (double)rte_get_tsc_hz();

	printf("{\"seconds\": %.6f, \"requests\": %" PRIu64 ", \"rate\": %.1f, ", seconds,
	       measured->answered, (double)measured->answered / seconds);
	print_latency(&client.latency);
	printf("\"frames_in\": %" PRIu64 ", \"frames_out\": %" PRIu64 ", ", span->frames_in,
	       span->frames_out);
	printf("\"busy\": %.4f, \"turns\": %" PRIu64 ", \"switches\": %ld, ",
	       (double)span->busy_cycles / (double)span->cycles, span->turns, span->switches);
	printf("\"answer_bytes\": %u, \"requests_whole\": %" PRIu64 ", \"opened\": %" PRIu64
	       ", \"stalled\": %u, ",
	       client.answer_bytes, whole->answered, whole->opened, client.open_count);
	if (origin)
		print_origin();
	printf("\"wrong_head\": %" PRIu64 ", \"wrong_length\": %" PRIu64
	       ", \"wrong_byte\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"resent\": %" PRIu64
	       ", \"gaps\": %" PRIu64 ", \"strays\": %" PRIu64 ", \"overflows\": %" PRIu64 "}\n",
	       whole->wrong_head, whole->wrong_length, whole->wrong_byte, whole->refused,
	       whole->resent, whole->gaps, whole->strays, client.wire->overflows);
}

const char *run_command(const struct command *command, struct wire *wire, struct origin *behind)
{
	struct client_counts whole, measured;
	struct span span, rest = {0};
	const char *error = NULL;

	origin = behind;
	if (origin) {
		origin->segment = command->segment;
		origin->train = command->train;
		origin->counts = (struct origin_counts){0};
	}
	if (client_start(&client, &command->client, wire, &error)) {
		client_stop(&client);
		return error;
	}
	turns(&client, OPEN_MS + command->client.conns / PER_MS, is_open, &rest);
	if (!is_open(&client)) {
		client_stop(&client);
		return "the server does not take so many connections";
	}
	client.every_byte = true;
	turns(&client, command->warm_ms, NULL, &rest);
	whole = client.counts;
	client.every_byte = false;
	measure(command, &span);
	client.every_byte = true;
	measured = client.counts;
	counts_add(&whole, &measured);
	client.counts = (struct client_counts){0};
	client_end(&client);
	turns(&client, CLOSE_MS + command->client.conns / PER_MS, is_closed, &rest);
	counts_add(&whole, &client.counts);
	print_result(&span, &measured, &whole);
	client_stop(&client);
	return NULL;
}
