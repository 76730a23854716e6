/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <unistd.h>

#include "log.h"

#define MANY_BYTES (SLUICE_WRITE_BYTES / 2)

/* The descriptor never waits: what it does not take now stays here, until there is no room. */
void log_sink_flush(struct log *log)
{
	struct log_sink *sink = &log->sink;

	if (sink->used == 0)
		return;
	if (write(sink->fd, sink->room, sink->used) >= 0) {
		*log->counters.lines += sink->lines;
		sink->used = sink->lines = 0;
		sluice_timer_stop(sink->timer);
	} else {
		sluice_timer_start(sink->timer, sink->flush_ms);
	}
}

static void on_timer(struct sluice_nf *nf, void *user)
{
	(void)nf;
	log_sink_flush(user);
}

int log_sink_start(struct log *log, struct sluice_nf *nf)
{
	log->sink.timer = sluice_timer_new(nf, on_timer, log);
	return log->sink.timer ? 0 : -ENOMEM;
}

static bool fits(const struct log_sink *sink, uint32_t len)
{
	return len < sizeof(sink->room) - sink->used;
}

void log_sink_add(struct log *log, struct sluice_str line)
{
	struct log_sink *sink = &log->sink;
	struct text text = {.room = sink->room, .used = sink->used, .size = sizeof(sink->room)};

	if (!fits(sink, line.len))
		log_sink_flush(log);
	if (sink->fd < 0 || !fits(sink, line.len)) {
		++*log->counters.dropped;
		return;
	}
	text_put(&text, line);
	text_put(&text, sluice_str("\n"));
	sink->used = text.used;
	++sink->lines;
	if (sink->used >= MANY_BYTES)
		log_sink_flush(log);
	else if (!sluice_timer_runs(sink->timer))
		sluice_timer_start(sink->timer, sink->flush_ms);
}
