/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads, parsed where they lie. */

#include "chain/engine/head.h"
#include "chain/engine/core.h"

#define RUNS_MAX 16

static struct http_run run_of(const struct engine *engine, const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	return (struct http_run){
		.data = data, .len = m->data_len, .ref = engine_payload_ref(engine, data)};
}

/* Up to `most` runs of a chain; where the next ones begin. */
static const struct rte_mbuf *runs_of(const struct engine *engine, const struct rte_mbuf *m,
				      struct http_run *runs, unsigned most, unsigned *n)
{
	for (*n = 0; m && *n < most; m = m->next, (*n)++)
		runs[*n] = run_of(engine, m);
	return m;
}

/* Text that no region holds cannot be referred to. It does not come from a port of ours. */
static bool runs_mapped(const struct http_run *runs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (runs[i].ref == SLUICE_REF_NONE)
			return false;
	return true;
}

static enum http_head_result parse(struct engine *engine, const struct http_limits *limits,
				   struct http_head_parser *parser, const struct rte_mbuf *chain,
				   struct sluice_head *head, uint32_t *bytes)
{
	enum http_head_result result = HTTP_HEAD_MORE;
	struct http_run runs[RUNS_MAX];
	uint64_t taken;
	unsigned n;

	*bytes = 0;
	while (chain && result == HTTP_HEAD_MORE) {
		chain = runs_of(engine, chain, runs, RUNS_MAX, &n);
		if (!runs_mapped(runs, n)) {
			engine_count(engine, heads_unmapped);
			parser->error = HTTP_ERROR_HEAD_TEXT;
			return HTTP_HEAD_BAD;
		}
		result = http_head_feed(parser, limits, runs, n, head, &taken);
		*bytes += (uint32_t)taken;
	}
	return result;
}

/* --- those that came before ------------------------------------------------------- */

static struct http_known_of known_of(const struct http_limits *limits,
				     const struct sluice_head *request)
{
	return (struct http_known_of){
		.limits = limits, .response = request, .method = request ? request->method : 0};
}

/* Its first piece, if that can be referred to. */
static bool run_first(const struct engine *engine, const struct source *source,
		      struct http_run *run)
{
	const struct rte_mbuf *first = source_peek(source);

	if (!first)
		return false;
	*run = run_of(engine, first);
	return run->ref != SLUICE_REF_NONE;
}

void head_recall(const struct engine *engine, const struct source *source,
		 const struct http_limits *limits, const struct sluice_head *request,
		 struct sluice_head *head, uint32_t *bytes, struct http_framing *framing)
{
	struct http_known_of of = known_of(limits, request);
	struct http_run run;

	*bytes = 0;
	if (run_first(engine, source, &run))
		*bytes = http_known_recall(&engine->knowns, &of, &run, head, framing);
}

void head_remember(struct engine *engine, const struct source *source,
		   const struct http_limits *limits, const struct sluice_head *request,
		   struct sluice_head *head, uint32_t bytes, const struct http_framing *framing)
{
	struct http_known_of of = known_of(limits, request);
	struct http_run run;

	if (run_first(engine, source, &run))
		http_known_keep(&engine->knowns, &engine->numbers, &of, &run, bytes, head, framing);
}

/* --- read ------------------------------------------------------------------------- */

static void reset(struct http_head_parser *parser, const struct sluice_head *request)
{
	http_head_reset(parser, request, request ? request->method : 0);
}

static bool wants_room(const struct slots *slots, const struct sluice_head *head,
		       const struct http_head_parser *parser)
{
	return slots_is_small(slots, head) &&
	       (parser->error == HTTP_ERROR_HEAD_FIELDS || parser->error == HTTP_ERROR_HEAD_TEXT);
}

enum http_head_result head_read(struct engine *engine, const struct source *source,
				const struct http_limits *limits, const struct sluice_head *request,
				struct sluice_head **head, uint32_t *bytes, uint8_t *error)
{
	const struct rte_mbuf *chain = source_peek(source);
	struct http_head_parser parser;
	struct sluice_head *large = NULL;
	enum http_head_result result;

	http_head_clear(*head);
	reset(&parser, request);
	result = parse(engine, limits, &parser, chain, *head, bytes);
	if (result == HTTP_HEAD_BAD && wants_room(&engine->slots, *head, &parser))
		large = slots_large(&engine->slots, limits->max_fields + SLOT_SMALL_FIELDS);
	if (large) {
		slots_free(&engine->slots, *head);
		*head = large;
		reset(&parser, request);
		result = parse(engine, limits, &parser, chain, large, bytes);
	}
	if (result == HTTP_HEAD_DONE)
		engine_count_add(engine, head_joined_bytes, parser.joined_bytes);
	*error = parser.error;
	return result;
}

/* --- taking ---------------------------------------------------------------------- */

/* Where the last run of the first `bytes` begins. */
static const uint8_t *last_run(const struct rte_mbuf *m, uint32_t bytes)
{
	for (; bytes > m->data_len; m = m->next)
		bytes -= m->data_len;
	return rte_pktmbuf_mtod(m, const uint8_t *);
}

/* The text at `from` was copied: what refers to it follows. */
static void text_moved(const struct engine *engine, struct sluice_head *head, const uint8_t *from,
		       const struct rte_mbuf *to)
{
	uint64_t old = engine_payload_ref(engine, from);
	uint64_t now = engine_payload_ref(engine, rte_pktmbuf_mtod(to, uint8_t *));

	for (uint16_t i = 1; i < head->bases; i++)
		if (head->base[i] >= old && head->base[i] - old < to->data_len)
			head->base[i] += now - old;
}

/* Whole mbufs are taken without another one. The mbuf belongs to both from here on: to the body,
 * which may get a next one, and to who looks at the head. */
bool head_take_shared(const struct source *source, uint32_t bytes, uint64_t most,
		      struct rte_mbuf **pin, struct payload *body)
{
	const struct rte_mbuf *peeked = source_peek(source);
	struct rte_mbuf *m;

	if (!source->conn || peeked->data_len <= bytes || peeked->data_len - bytes > most)
		return false;
	*body = source_take(source, peeked->data_len);
	m = body->first;
	rte_mbuf_refcnt_update(m, 1);
	m->data_off = (uint16_t)(m->data_off + bytes);
	m->data_len = (uint16_t)(m->data_len - bytes);
	body->bytes -= bytes;
	*pin = m;
	return true;
}

enum head_taken head_take(struct engine *engine, const struct source *source,
			  struct sluice_head *head, uint32_t bytes, struct rte_mbuf **pin)
{
	const uint8_t *run = last_run(source_peek(source), bytes);
	struct payload taken = source_take(source, bytes);

	*pin = NULL;
	if (!taken.first)
		return HEAD_LATER;
	if (taken.bytes < bytes) {
		payload_free(&taken);
		engine_count(engine, heads_lost);
		return HEAD_LOST;
	}
	if (rte_pktmbuf_mtod(taken.last, const uint8_t *) != run)
		text_moved(engine, head, run, taken.last);
	*pin = taken.first;
	return HEAD_TAKEN;
}
