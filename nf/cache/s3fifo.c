/* SPDX-License-Identifier: BSD-3-Clause */
#include "s3fifo.h"

#include <stddef.h>

#define SMALL_PERCENT 10
#define USES_TO_STAY  2
#define GHOSTS_LEAST  64 /* while the main queue is still short */

void s3_init(struct s3fifo *s3, uint64_t bytes, struct s3_ghost *ghosts, uint64_t rows)
{
	*s3 = (struct s3fifo){
		.small_bytes = bytes / 100 * SMALL_PERCENT,
		.ghost = ghosts,
		.rows = rows,
	};
}

static struct s3_queue *queue_of(struct s3fifo *s3, const struct s3_item *item)
{
	return item->main ? &s3->main : &s3->small;
}

static void push(struct s3_queue *q, struct s3_item *item)
{
	item->newer = NULL;
	item->older = q->newest;
	if (q->newest)
		q->newest->newer = item;
	else
		q->oldest = item;
	q->newest = item;
	q->bytes += item->bytes;
	q->count++;
}

static void unlink_item(struct s3_queue *q, struct s3_item *item)
{
	if (item->newer)
		item->newer->older = item->older;
	else
		q->newest = item->older;
	if (item->older)
		item->older->newer = item->newer;
	else
		q->oldest = item->newer;
	item->newer = item->older = NULL;
	q->bytes -= item->bytes;
	q->count--;
}

static struct s3_ghost *row_of(const struct s3fifo *s3, uint64_t hash)
{
	return &s3->ghost[(hash & (s3->rows - 1)) * S3_GHOSTS_PER_ROW];
}

/* Never 0, which marks an empty place. */
static uint32_t mark_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

static uint32_t age_of(const struct s3fifo *s3, const struct s3_ghost *ghost)
{
	return s3->births - ghost->born;
}

static bool is_alive(const struct s3fifo *s3, const struct s3_ghost *ghost)
{
	uint64_t most = s3->main.count > GHOSTS_LEAST ? s3->main.count : GHOSTS_LEAST;

	return ghost->mark && age_of(s3, ghost) <= most;
}

static bool take_ghost(struct s3fifo *s3, uint64_t hash)
{
	struct s3_ghost *row = row_of(s3, hash);

	for (unsigned i = 0; i < S3_GHOSTS_PER_ROW; i++)
		if (row[i].mark == mark_of(hash) && is_alive(s3, &row[i])) {
			row[i].mark = 0;
			return true;
		}
	return false;
}

static void leave_ghost(struct s3fifo *s3, uint64_t hash)
{
	struct s3_ghost *row = row_of(s3, hash), *place = row;

	for (unsigned i = 1; i < S3_GHOSTS_PER_ROW && place->mark; i++)
		if (!row[i].mark || age_of(s3, &row[i]) > age_of(s3, place))
			place = &row[i];
	*place = (struct s3_ghost){mark_of(hash), ++s3->births};
}

bool s3_insert(struct s3fifo *s3, struct s3_item *item)
{
	item->uses = 0;
	item->main = take_ghost(s3, item->hash);
	push(queue_of(s3, item), item);
	return item->main;
}

void s3_remove(struct s3fifo *s3, struct s3_item *item)
{
	unlink_item(queue_of(s3, item), item);
}

void s3_resize(struct s3fifo *s3, struct s3_item *item, uint64_t bytes)
{
	queue_of(s3, item)->bytes += bytes - item->bytes;
	item->bytes = bytes;
}

/* The oldest of the small queue that nobody came back for; the others go on to the main queue. */
static struct s3_item *victim_of_small(struct s3fifo *s3)
{
	struct s3_item *item;

	while ((item = s3->small.oldest)) {
		unlink_item(&s3->small, item);
		if (item->uses < USES_TO_STAY) {
			leave_ghost(s3, item->hash);
			return item;
		}
		item->uses = 0;
		item->main = true;
		push(&s3->main, item);
	}
	return NULL;
}

/* Ends: each round takes a use from the item that it lets stay. */
static struct s3_item *victim_of_main(struct s3fifo *s3)
{
	struct s3_item *item;

	while ((item = s3->main.oldest)) {
		unlink_item(&s3->main, item);
		if (!item->uses)
			return item;
		item->uses--;
		push(&s3->main, item);
	}
	return NULL;
}

struct s3_item *s3_victim(struct s3fifo *s3)
{
	struct s3_item *item = NULL;

	if (s3->small.bytes > s3->small_bytes || !s3->main.count)
		item = victim_of_small(s3);
	return item ? item : victim_of_main(s3);
}
