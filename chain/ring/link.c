/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/ring/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "chain/ring/memfd.h"

#define ENTRIES_MAX (1u << 20)
#define TEXT_MAX    (1u << 28)
#define WRITE_AHEAD 4

/* What a turn of the worker's loop touches comes first. */
struct link {
	struct sluice_down *ring;
	struct sluice_down_ctl *down;
	const struct sluice_up *up_ring;
	const struct sluice_up_ctl *up;
	uint32_t entries, up_entries;
	uint32_t produced, published; /* of the down ring: filled, and made visible */
	uint32_t consumed_seen;       /* as the instance last said */
	uint32_t up_consumed, up_polled;
	uint32_t up_produced_seen;
	bool broken; /* it lied about an index */
	int wake_fd;
	const uint8_t *text;
	const uint64_t *counters;
	uint32_t text_bytes;
	struct memfd down_memory, up_memory;
};

/* --- making ------------------------------------------------------------------------- */

static bool power_of_two(uint32_t n, uint32_t max)
{
	return n && (n & (n - 1)) == 0 && n <= max;
}

static bool text_bytes_good(uint32_t bytes)
{
	return !bytes || (power_of_two(bytes, TEXT_MAX) && bytes >= SLUICE_EDITS_MAX_BYTES);
}

static uint64_t up_text_at(const struct link_sizes *s)
{
	return SLUICE_PAGE + (uint64_t)s->up_entries * sizeof(struct sluice_up);
}

static uint64_t up_counters_at(const struct link_sizes *s)
{
	return up_text_at(s) + s->up_text_bytes;
}

static int link_memory(struct link *l, const struct link_sizes *s)
{
	uint64_t down = SLUICE_PAGE + (uint64_t)s->entries * sizeof(struct sluice_down);
	uint64_t up = up_counters_at(s) + SLUICE_COUNTERS * sizeof(uint64_t);
	int rc = memfd_make("sluice.down", down, true, &l->down_memory);

	if (rc)
		return rc;
	rc = memfd_make("sluice.up", up, false, &l->up_memory);
	if (rc)
		memfd_end(&l->down_memory);
	return rc;
}

static void link_lay_out(struct link *l, const struct link_sizes *s)
{
	uint8_t *down = l->down_memory.base;
	const uint8_t *up = l->up_memory.base;

	l->entries = s->entries;
	l->up_entries = s->up_entries;
	l->text_bytes = s->up_text_bytes;
	l->down = (struct sluice_down_ctl *)down;
	l->ring = (struct sluice_down *)(down + SLUICE_PAGE);
	l->up = (const struct sluice_up_ctl *)up;
	l->up_ring = (const struct sluice_up *)(up + SLUICE_PAGE);
	l->text = up + up_text_at(s);
	l->counters = (const uint64_t *)(up + up_counters_at(s));
	l->down->magic = SLUICE_RING_MAGIC;
	l->down->abi = SLUICE_ABI_VERSION;
	l->down->entries = s->entries;
	l->down->up_entries = s->up_entries;
	l->down->up_text_bytes = s->up_text_bytes;
}

int link_create(const struct link_sizes *s, int wake_nf_fd, struct link **out)
{
	struct link *l;
	int rc;

	if (!power_of_two(s->entries, ENTRIES_MAX) || !power_of_two(s->up_entries, ENTRIES_MAX) ||
	    !text_bytes_good(s->up_text_bytes))
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->wake_fd = wake_nf_fd;
	rc = link_memory(l, s);
	if (rc) {
		free(l);
		return rc;
	}
	link_lay_out(l, s);
	*out = l;
	return 0;
}

void link_destroy(struct link *l)
{
	if (!l)
		return;
	memfd_end(&l->down_memory);
	memfd_end(&l->up_memory);
	free(l);
}

int link_down_fd(const struct link *l)
{
	return l->down_memory.fd;
}

int link_up_fd(const struct link *l)
{
	return l->up_memory.fd;
}

uint64_t link_down_bytes(const struct link *l)
{
	return l->down_memory.bytes;
}

uint64_t link_up_bytes(const struct link *l)
{
	return l->up_memory.bytes;
}

/* --- down: to the instance --------------------------------------------------------- */

/* Its consumer index can only move from where it was seen to what was published. */
static void consumed_look(struct link *l)
{
	uint32_t now = __atomic_load_n(&l->up->down_consumed, __ATOMIC_ACQUIRE);

	if (now - l->consumed_seen > l->published - l->consumed_seen)
		l->broken = true;
	else
		l->consumed_seen = now;
}

uint32_t link_room(struct link *l)
{
	consumed_look(l);
	return l->broken ? 0 : l->entries - (l->produced - l->consumed_seen);
}

static bool full(const struct link *l)
{
	return l->broken || l->produced - l->consumed_seen == l->entries;
}

struct sluice_down *link_next(struct link *l)
{
	if (full(l))
		consumed_look(l);
	if (full(l))
		return NULL;
	/* The ring is longer than what a cache keeps: who writes it a turn later finds it gone. */
	__builtin_prefetch(&l->ring[(l->produced + WRITE_AHEAD) & (l->entries - 1)], 1);
	return &l->ring[l->produced++ & (l->entries - 1)];
}

void link_publish(struct link *l)
{
	if (l->published == l->produced)
		return;
	l->published = l->produced;
	__atomic_store_n(&l->down->produced, l->produced, __ATOMIC_RELEASE);
	link_wake(l);
}

/* The index first, then the look at the sleeper's word: it does the opposite. EAGAIN: it is as
 * awake as it can be; anything else is seen by the supervisor. */
void link_wake(struct link *l)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&l->up->nf_sleeps, __ATOMIC_RELAXED))
		eventfd_write(l->wake_fd, 1);
}

/* --- up: from the instance --------------------------------------------------------- */

/* How many wait beyond those polled, by the producer's word, which may only grow. */
static uint32_t up_waiting(struct link *l)
{
	uint32_t now, ahead;

	if (l->up_produced_seen != l->up_polled)
		return l->up_produced_seen - l->up_polled;
	now = __atomic_load_n(&l->up->produced, __ATOMIC_ACQUIRE);
	ahead = now - l->up_consumed;
	if (ahead > l->up_entries || ahead < l->up_polled - l->up_consumed) {
		l->broken = true;
		return 0;
	}
	l->up_produced_seen = now;
	return now - l->up_polled;
}

int link_poll(struct link *l, struct sluice_up *out, unsigned max)
{
	uint32_t n = up_waiting(l), at = l->up_polled & (l->up_entries - 1);
	uint32_t to_end = l->up_entries - at, first;

	if (l->broken)
		return -EPROTO;
	if (n > max)
		n = max;
	first = n < to_end ? n : to_end;
	memcpy(out, &l->up_ring[at], first * sizeof(*out));
	memcpy(out + first, l->up_ring, (n - first) * sizeof(*out));
	l->up_polled += n;
	return (int)n;
}

int link_text(const struct link *l, const struct sluice_up *up, void *dst, uint32_t size)
{
	uint64_t end = (uint64_t)up->text_off + up->text_len;

	if (end > l->text_bytes || up->text_off % 8 || up->text_len > size)
		return -EPROTO;
	memcpy(dst, l->text + up->text_off, up->text_len);
	return 0;
}

void link_consume(struct link *l, unsigned n)
{
	l->up_consumed += n;
	__atomic_store_n(&l->down->up_consumed, l->up_consumed, __ATOMIC_RELEASE);
}

bool link_pending(const struct link *l)
{
	return l->broken || __atomic_load_n(&l->up->produced, __ATOMIC_ACQUIRE) != l->up_polled;
}

void link_sleep(struct link *l, bool sleeps)
{
	__atomic_store_n(&l->down->worker_sleeps, sleeps, __ATOMIC_RELAXED);
	/* The word first, then the caller's look at the ring: the producer does the opposite. */
	if (sleeps)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* --- what can be seen -------------------------------------------------------------- */

uint64_t link_loops(const struct link *l)
{
	return __atomic_load_n(&l->up->loops, __ATOMIC_RELAXED);
}

uint64_t link_busy_ns(const struct link *l)
{
	return __atomic_load_n(&l->up->busy_ns, __ATOMIC_RELAXED);
}

uint64_t link_counter(const struct link *l, unsigned i)
{
	return i < SLUICE_COUNTERS ? __atomic_load_n(&l->counters[i], __ATOMIC_RELAXED) : 0;
}

uint32_t link_depth(const struct link *l)
{
	uint32_t consumed = __atomic_load_n(&l->up->down_consumed, __ATOMIC_RELAXED);
	uint32_t depth = __atomic_load_n(&l->down->produced, __ATOMIC_RELAXED) - consumed;

	return depth > l->entries ? l->entries : depth;
}

uint32_t link_up_depth(const struct link *l)
{
	uint32_t consumed = __atomic_load_n(&l->down->up_consumed, __ATOMIC_RELAXED);

	return __atomic_load_n(&l->up->produced, __ATOMIC_RELAXED) - consumed;
}

uint32_t link_down_consumed(const struct link *l)
{
	return __atomic_load_n(&l->up->down_consumed, __ATOMIC_RELAXED);
}

bool link_nf_sleeps(const struct link *l)
{
	return __atomic_load_n(&l->up->nf_sleeps, __ATOMIC_RELAXED) != 0;
}
