/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function in the worker itself: placement = "inline".
 *
 * The same plugin behind the same rings, but turned by the worker between two turns of its own: no
 * process to wake, no cache line to move. As long as its rings are empty the engine calls it in
 * place (inline_event) and has the verdict at once. And no isolation: what the plugin spoils is
 * the daemon's, and while a hook runs the worker does nothing else.
 *
 * A function has one part in each worker, with a struct sluice_nf, rings and an arena of its own.
 *
 * Threads: parts are made and freed by the control thread; between inline_join and inline_leave,
 * which run on the worker, a part is the worker's. Its log is written there and read by the
 * control thread.
 */
#ifndef DATAPLANE_INLINE_H
#define DATAPLANE_INLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_errors;
struct conf_function;
struct engine_answer;
struct engine_sight;
struct inline_part;
struct link;
struct object;
struct region;
struct region_table;
struct sluice_down;
struct sluice_shown;

struct inline_part_conf {
	const struct conf_function *function;
	const struct object *object; /* the plugin; outlives the part */
	const struct region_table *regions;
	const struct region *messages; /* the worker's */
	struct region *arena;
	int wake_fd; /* the worker's */
};

/* Makes a part and runs the plugin's `init`. 0, or -errno with `errors` filled. */
int inline_create(const struct inline_part_conf *conf, struct inline_part **out,
		  struct conf_errors *errors) __attribute__((warn_unused_result));
/* Runs the plugin's `fini`. Nothing uses the link any more. */
void inline_free(struct inline_part *part);

struct link *inline_link(const struct inline_part *part);
struct region *inline_arena(const struct inline_part *part);
uint32_t inline_hooks(const struct inline_part *part);
/* The counter that the plugin named; NULL: it has no more. */
const char *inline_counter(const struct inline_part *part, unsigned i, const char **help);
/* As nf_command. In the worker. */
int inline_tell(struct inline_part *part, const char *words, size_t bytes, char **answer)
	__attribute__((warn_unused_result));
/* Writes what the plugin logged since to the daemon's log. Control thread. */
void inline_log(struct inline_part *part);

/* --- in the worker ---------------------------------------------------------------- */

struct inline_parts {
	struct inline_part *first;
};

void inline_join(struct inline_parts *parts, struct inline_part *part);
void inline_leave(struct inline_parts *parts, struct inline_part *part);
/* The table of regions has changed. */
void inline_regions(struct inline_parts *parts, const struct region_table *regions);

/* An engine_event; `ctx` is the part. A verdict is in `answer`, if it is the first that the hook
 * says and complete; all else waits in the ring for the part's turn. */
bool inline_event(void *ctx, uint64_t now_us, const struct sluice_down *down,
		  struct engine_answer *answer);

/* An engine_show: the same. */
int inline_show(void *ctx, uint64_t now_us, const struct sluice_shown *head,
		struct engine_answer *answer);
/* An engine_seen. */
bool inline_seen(void *ctx, uint64_t now_us, const struct engine_sight *sight);

/* Each part takes a batch of what it was sent, and answers. True if any had something to do. */
bool inline_turn(struct inline_parts *parts, uint64_t now_us);
/* When one wants its turn by time; UINT64_MAX: none does. */
uint64_t inline_next_us(const struct inline_parts *parts);

#endif
