/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/ip/reassembly.h"

#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip4.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/stack_internal.h"

#define DATAGRAMS_MAX 64
#define FRAGMENTS_MAX 64  /* of one: 64 KB over the smallest MTU of IPv6 are 54 */
#define SEGMENTS_MAX  512 /* of all: each keeps a receive buffer */
#define UNIT          8
#define TIMEOUT_US    60000000 /* RFC 8200 §4.5, RFC 1122 §3.3.2 */

#define ECN_NONE 0
#define ECN_CE   3

struct piece {
	uint32_t offset, end;
	struct rte_mbuf *pkt; /* its data; of the first piece, behind the headers */
};

struct datagram {
	TAILQ_ENTRY(datagram) in_list;
	struct addr src, dst;
	uint32_t id;
	uint8_t protocol; /* of IPv4 */
	uint64_t due_us;
	bool refused;          /* no more of it is taken */
	uint8_t ecns;          /* a bit for each codepoint that was seen */
	uint32_t bytes;        /* of data that came */
	uint32_t total;        /* how many there are to be; 0: not yet known */
	struct fragment first; /* once pieces[0] is at offset 0 */
	unsigned count;
	struct piece pieces[FRAGMENTS_MAX]; /* by offset */
};

TAILQ_HEAD(datagram_list, datagram);

struct reassembly {
	struct stack *stack;
	struct stack_timer timer;         /* runs while there is a datagram: of the oldest */
	struct datagram_list busy, spare; /* busy: the oldest first */
	unsigned segments;                /* held in all pieces */
	struct datagram datagrams[DATAGRAMS_MAX];
};

/* ---- pieces ---- */

static void pieces_free(struct reassembly *r, struct datagram *d)
{
	for (unsigned i = 0; i < d->count; i++) {
		r->segments -= d->pieces[i].pkt->nb_segs;
		rte_pktmbuf_free(d->pieces[i].pkt);
	}
	d->count = 0;
}

static bool has_first(const struct datagram *d)
{
	return d->count > 0 && d->pieces[0].offset == 0;
}

static void datagram_end(struct reassembly *r, struct datagram *d)
{
	pieces_free(r, d);
	TAILQ_REMOVE(&r->busy, d, in_list);
	TAILQ_INSERT_HEAD(&r->spare, d, in_list);
}

/* Gives up a datagram; what it holds goes, and `reason` is charged with it. */
static void datagram_drop(struct reassembly *r, struct datagram *d, enum stack_counter reason)
{
	for (unsigned i = 0; i < d->count; i++)
		stack_count_id(r->stack, reason);
	datagram_end(r, d);
}

/* RFC 5722 §4: nor is anything taken that comes later. */
static void datagram_refuse(struct reassembly *r, struct datagram *d, struct rte_mbuf *pkt)
{
	for (unsigned i = 0; i < d->count; i++)
		stack_count(r->stack, ip_fragment_overlap);
	pieces_free(r, d);
	d->refused = true;
	stack_drop(r->stack, pkt, COUNTER_ip_fragment_overlap);
}

/* ---- time ---- */

/* RFC 792, RFC 4443 §3.3: told if the first fragment is there, which names the sender. */
static void timeout_tell(struct reassembly *r, struct datagram *d)
{
	static const struct icmp6_fault fault = {ICMP6_TIME_EXCEEDED, ICMP6_CODE_REASSEMBLY, 0};
	const struct fragment *first = &d->first;
	struct rte_mbuf *pkt = d->pieces[0].pkt;
	struct ip4_packet about4 = {first->rx, first->header_bytes, first->protocol, false};
	struct ip6_packet about6 = {first->rx, first->header_bytes, first->protocol, true, false};

	r->segments -= pkt->nb_segs;
	d->count--;
	memmove(d->pieces, d->pieces + 1, d->count * sizeof(d->pieces[0]));
	stack_count(r->stack, ip_reassembly_timeout);
	if (first->rx.dst.family == ADDR_IP6)
		icmp6_error(r->stack, &about6, pkt, &fault);
	else
		icmp4_time_exceeded(r->stack, &about4, pkt);
}

static void timeout(void *owner)
{
	struct reassembly *r = owner;
	struct datagram *d;

	while ((d = TAILQ_FIRST(&r->busy)) && d->due_us <= r->stack->now_us) {
		if (has_first(d))
			timeout_tell(r, d);
		datagram_drop(r, d, COUNTER_ip_reassembly_timeout);
	}
	if (d)
		stack_timer_start(r->stack, &r->timer, d->due_us);
}

/* ---- datagrams ---- */

/* RFC 791 names a datagram by its protocol too, RFC 8200 does not. */
static bool is_of(const struct datagram *d, const struct fragment *f)
{
	return d->id == f->id && addr_equal(&d->src, &f->rx.src) &&
	       addr_equal(&d->dst, &f->rx.dst) &&
	       (d->src.family == ADDR_IP6 || d->protocol == f->protocol);
}

static struct datagram *datagram_find(struct reassembly *r, const struct fragment *f)
{
	struct datagram *d;

	TAILQ_FOREACH (d, &r->busy, in_list)
		if (is_of(d, f))
			return d;
	return NULL;
}

static struct datagram *datagram_begin(struct reassembly *r, const struct fragment *f)
{
	struct datagram *d;

	if (TAILQ_EMPTY(&r->spare))
		datagram_drop(r, TAILQ_FIRST(&r->busy), COUNTER_ip_reassembly_evicted);
	d = TAILQ_FIRST(&r->spare);
	TAILQ_REMOVE(&r->spare, d, in_list);
	d->src = f->rx.src;
	d->dst = f->rx.dst;
	d->id = f->id;
	d->protocol = f->protocol;
	d->due_us = r->stack->now_us + TIMEOUT_US;
	d->refused = false;
	d->ecns = 0;
	d->bytes = d->total = d->count = 0;
	TAILQ_INSERT_TAIL(&r->busy, d, in_list);
	if (!stack_timer_running(&r->timer))
		stack_timer_start(r->stack, &r->timer, d->due_us);
	return d;
}

static void room_make(struct reassembly *r, unsigned segments)
{
	while (r->segments > 0 && r->segments + segments > SEGMENTS_MAX)
		datagram_drop(r, TAILQ_FIRST(&r->busy), COUNTER_ip_reassembly_evicted);
}

/* ---- a fragment ---- */

static uint32_t data_bytes(const struct fragment *f, const struct rte_mbuf *pkt)
{
	return pkt->pkt_len - f->header_bytes;
}

bool reassembly_length_ok(const struct fragment *f, const struct rte_mbuf *pkt)
{
	uint32_t bytes = data_bytes(f, pkt);

	return bytes > 0 && (!f->more || bytes % UNIT == 0);
}

bool reassembly_end_ok(const struct fragment *f, const struct rte_mbuf *pkt)
{
	return f->offset + pkt->pkt_len <= UINT16_MAX;
}

/* The last one tells the length, and what it says must fit what the others said. */
static bool length_agrees(struct datagram *d, const struct fragment *f, uint32_t end)
{
	if (f->more)
		return !d->total || end <= d->total;
	if ((d->total && d->total != end) || (d->count && d->pieces[d->count - 1].end > end))
		return false;
	d->total = end;
	return true;
}

enum place { PLACE_FREE, PLACE_TAKEN, PLACE_SAME };

/* Where it goes among the others; they come in order as a rule. */
static enum place place_find(const struct datagram *d, uint32_t offset, uint32_t end, unsigned *out)
{
	unsigned i = d->count;

	while (i > 0 && d->pieces[i - 1].offset >= offset)
		i--;
	*out = i;
	if (i < d->count && d->pieces[i].offset == offset && d->pieces[i].end == end)
		return PLACE_SAME;
	if ((i > 0 && d->pieces[i - 1].end > offset) || (i < d->count && d->pieces[i].offset < end))
		return PLACE_TAKEN;
	return PLACE_FREE;
}

static void piece_put(struct reassembly *r, struct datagram *d, unsigned at,
		      const struct fragment *f, struct rte_mbuf *pkt)
{
	uint32_t bytes = data_bytes(f, pkt);

	if (f->offset == 0)
		d->first = *f;
	else
		pkt = pkt_skip(pkt, f->header_bytes);
	memmove(d->pieces + at + 1, d->pieces + at, (d->count - at) * sizeof(d->pieces[0]));
	d->pieces[at] = (struct piece){f->offset, f->offset + bytes, pkt};
	d->count++;
	d->bytes += bytes;
	d->ecns |= (uint8_t)(1u << f->rx.ecn);
	r->segments += pkt->nb_segs;
}

/* RFC 3168 §5.3: no mark gets lost, and none comes to a datagram that asked for none. */
static bool ecn_join(const struct datagram *d, struct fragment *first)
{
	if (!(d->ecns & 1u << ECN_CE))
		return true;
	first->rx.ecn = ECN_CE;
	return !(d->ecns & 1u << ECN_NONE);
}

/* A device's word about a fragment's transport checksum would be about something else. */
static struct rte_mbuf *pieces_join(struct reassembly *r, struct datagram *d)
{
	struct rte_mbuf *whole = d->pieces[0].pkt, *last = rte_pktmbuf_lastseg(whole);

	whole->ol_flags &= ~RTE_MBUF_F_RX_L4_CKSUM_MASK;
	r->segments -= whole->nb_segs;
	for (unsigned i = 1; i < d->count; i++) {
		struct rte_mbuf *next = d->pieces[i].pkt;

		r->segments -= next->nb_segs;
		whole->nb_segs = (uint16_t)(whole->nb_segs + next->nb_segs);
		whole->pkt_len += next->pkt_len;
		last->next = next;
		last = rte_pktmbuf_lastseg(next);
	}
	d->count = 0;
	return whole;
}

static struct rte_mbuf *datagram_finish(struct reassembly *r, struct datagram *d,
					struct fragment *first)
{
	struct rte_mbuf *whole;

	*first = d->first;
	if (!ecn_join(d, first)) {
		datagram_drop(r, d, COUNTER_ip_fragment_overlap);
		return NULL;
	}
	whole = pieces_join(r, d);
	datagram_end(r, d);
	stack_count(r->stack, ip_reassembled);
	return whole;
}

struct rte_mbuf *reassembly_input(struct reassembly *r, const struct fragment *f,
				  struct rte_mbuf *pkt, struct fragment *first)
{
	uint32_t end = f->offset + data_bytes(f, pkt);
	struct datagram *d;
	enum place place;
	unsigned at;

	room_make(r, pkt->nb_segs);
	d = datagram_find(r, f);
	if (!d)
		d = datagram_begin(r, f);
	place = place_find(d, f->offset, end, &at);
	if (d->refused || (place == PLACE_FREE && d->count == FRAGMENTS_MAX)) {
		datagram_refuse(r, d, pkt);
		return NULL;
	}
	if (place == PLACE_TAKEN || !length_agrees(d, f, end)) {
		datagram_refuse(r, d, pkt);
		return NULL;
	}
	if (place == PLACE_SAME) {
		stack_drop(r->stack, pkt, COUNTER_ip_fragment_duplicate);
		return NULL;
	}
	piece_put(r, d, at, f, pkt);
	return d->bytes == d->total ? datagram_finish(r, d, first) : NULL;
}

/* ---- the whole ---- */

bool reassembled_is_ours(const struct stack *stack, const struct ip_rx *rx,
			 const struct rte_mbuf *pkt)
{
	struct endpoint local = {.addr = rx->dst}, remote = {.addr = rx->src};
	uint16_t ports[2];

	if (!stack->ops->owns_flow || !pkt_read(pkt, 0, sizeof(ports), ports))
		return true;
	remote.port = rte_be_to_cpu_16(ports[0]);
	local.port = rte_be_to_cpu_16(ports[1]);
	return stack->ops->owns_flow(stack->ops_ctx, &local, &remote);
}

struct reassembly *reassembly_create(struct stack *stack)
{
	struct reassembly *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->stack = stack;
	r->timer.fire = timeout;
	r->timer.owner = r;
	TAILQ_INIT(&r->busy);
	TAILQ_INIT(&r->spare);
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++)
		TAILQ_INSERT_TAIL(&r->spare, &r->datagrams[i], in_list);
	return r;
}

void reassembly_destroy(struct reassembly *r)
{
	struct datagram *d;

	if (!r)
		return;
	stack_timer_stop(r->stack, &r->timer);
	TAILQ_FOREACH (d, &r->busy, in_list)
		pieces_free(r, d);
	free(r);
}
