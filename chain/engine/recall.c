/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers that are given again. Where every function that has seen a request has said that its
 * word follows from the head alone (sluice_steady), the next request with the same head, byte for
 * byte, on the same chain gets the same bytes: no head is parsed, no exchange begun, no function
 * asked. An answer is kept for as long as all of them allow, and never past the second that its
 * Date names. Whatever could change it (an instance, a chain) makes all be forgotten.
 *
 * Of an answer the head is kept as it was sent, with the body behind it if that is short (short.c);
 * a longer body is a lease that is shared by all packets that refer to it. Nobody writes there: the
 * device, or the CPU that plays it, has it in its caches, where a copy would have to be fetched
 * from ours each time.
 *
 * What is said again is counted here as any answer is; functions that count are told of it from
 * time to time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/engine/answer.h"
#include "chain/engine/body.h"
#include "chain/engine/client.h"
#include "chain/engine/core.h"
#include "chain/engine/instance.h"
#include "chain/http/mix.h"

#define WAYS       4u
#define ASKED_MAX  1024u
#define ANSWER_MAX 1400u      /* head and short body: one packet */
#define BODY_MAX   (64 << 10) /* of a lease */
#define SWEEP_MS   100

struct heard {
	struct instance *instance;
	uint32_t tag;
	uint64_t told; /* of `times` */
};

struct recall {
	TAILQ_ENTRY(recall) age;
	const struct chain *chain; /* NULL: free */
	uint64_t hash, until_us;
	struct lease *body;  /* that follows `answer`; NULL: none */
	uint64_t times;      /* given again */
	uint32_t body_bytes; /* in either way */
	uint16_t asked_bytes, answer_bytes, status;
	bool keeps; /* the connection */
	uint8_t heard_count;
	uint8_t asked[ASKED_MAX], answer[ANSWER_MAX];
	struct heard heard[ENGINE_PATH_MAX];
};
TAILQ_HEAD(recall_queue, recall);

struct recalls {
	struct engine *engine;
	struct timer timer;       /* runs while something is kept */
	struct recall_queue kept; /* oldest first */
	uint32_t sets;            /* of WAYS; a power of two */
	struct recall recall[];
};

/* --- found ----------------------------------------------------------------------- */

/* Of a number made by http_mix the upper bits are the better ones. */
static struct recall *set_of(struct recalls *all, uint64_t hash)
{
	return &all->recall[(hash >> 32 & (all->sets - 1)) * WAYS];
}

static bool is_asked(const struct recall *recall, const struct chain *chain, const uint8_t *bytes,
		     uint32_t len)
{
	return recall->chain == chain && recall->asked_bytes == len &&
	       !memcmp(recall->asked, bytes, len);
}

static struct recall *find(struct recalls *all, const struct chain *chain, uint64_t hash,
			   const uint8_t *bytes, uint32_t len)
{
	struct recall *set = set_of(all, hash);

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].hash == hash && is_asked(&set[i], chain, bytes, len))
			return &set[i];
	return NULL;
}

/* What begins in this mbuf. A client that asks the same again is known without a look-up, also when
 * more requests follow in the same packet. */
static struct recall *known(struct recalls *all, struct client *client, const struct rte_mbuf *m)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(m, const uint8_t *);
	struct recall *last = client->recalled;

	if (last && last->asked_bytes <= m->data_len &&
	    is_asked(last, client->chain, bytes, last->asked_bytes))
		return last;
	if (m->data_len > ASKED_MAX)
		return NULL;
	return find(all, client->chain, http_mix(bytes, m->data_len), bytes, m->data_len);
}

/* --- forgotten ------------------------------------------------------------------- */

/* False: no room in its ring. */
static bool heard_tell(struct heard *heard, uint64_t times)
{
	struct instance *instance = heard->instance;
	struct sluice_down *down;

	if (heard->told == times || instance->broken || !(instance->hooks & ENGINE_HOOK_REPEATED))
		return true;
	down = instance_entry(instance, SLUICE_DOWN_REPEATED);
	if (!down)
		return false;
	down->repeated = (struct sluice_repeated){.times = times - heard->told, .tag = heard->tag};
	heard->told = times;
	return true;
}

static bool all_told(struct recall *recall)
{
	for (unsigned i = 0; i < recall->heard_count; i++)
		if (!heard_tell(&recall->heard[i], recall->times))
			return false;
	return true;
}

static void forget(struct recalls *all, struct recall *recall)
{
	TAILQ_REMOVE(&all->kept, recall, age);
	if (recall->body)
		ledger_lease_drop(recall->body);
	recall->chain = NULL;
}

void recall_forget(struct engine *engine)
{
	struct recalls *all = engine->recalls;
	struct recall *recall;

	while (all && (recall = TAILQ_FIRST(&all->kept))) {
		all_told(recall);
		forget(all, recall);
	}
}

static bool was_heard(const struct recall *recall, const struct instance *instance)
{
	for (unsigned i = 0; i < recall->heard_count; i++)
		if (recall->heard[i].instance == instance)
			return true;
	return false;
}

void recall_retract(struct instance *instance)
{
	struct recalls *all = instance->engine->recalls;
	struct recall *recall = all ? TAILQ_FIRST(&all->kept) : NULL, *next;

	for (; recall; recall = next) {
		next = TAILQ_NEXT(recall, age);
		if (!was_heard(recall, instance))
			continue;
		all_told(recall);
		forget(all, recall);
	}
}

/* Tells how often, and forgets what is past its time. Who has no room to hear of it is told the
 * next time. */
static void on_timer(struct timer *timer)
{
	struct recalls *all = timer_owner(timer, struct recalls, timer);
	struct timers *timers = &all->engine->timers;
	struct recall *recall = TAILQ_FIRST(&all->kept), *next;

	for (; recall; recall = next) {
		next = TAILQ_NEXT(recall, age);
		if (all_told(recall) && recall->until_us <= timers->now_us)
			forget(all, recall);
	}
	if (!TAILQ_EMPTY(&all->kept))
		timer_start_ms(timers, timer, SWEEP_MS);
}

/* --- given again ----------------------------------------------------------------- */

/* It is good, and an exchange would now be begun and kept in the same way. */
static bool may_say(const struct client *client, const struct recall *recall)
{
	const struct chain *chain = client->chain;
	const struct engine *engine = client->engine;

	if (recall->until_us <= engine->timers.now_us || chain->draining || engine->draining ||
	    limits_spent(client, 1))
		return false;
	return tcp_send_room(client->conn) >= recall->answer_bytes + recall->body_bytes;
}

/* NULL: no mbufs just now. */
static struct rte_mbuf *answer_of(struct engine *engine, const struct recall *recall)
{
	struct rte_mbuf *m = text_chain(engine, recall->answer, recall->answer_bytes);

	if (!m || !recall->body)
		return m;
	m->next = ledger_lease_whole(recall->body, engine->env.ref);
	if (m->next)
		return m;
	rte_pktmbuf_free(m);
	return NULL;
}

static void said(struct client *client, struct recall *recall)
{
	struct engine *engine = client->engine;
	struct engine_chain_info *info = &client->chain->info;
	uint32_t bytes = recall->answer_bytes + (recall->body ? recall->body_bytes : 0);

	recall->times++;
	client->recalled = recall;
	client->requests++;
	client->bytes_in += recall->asked_bytes;
	client->bytes_out += bytes;
	info->exchanges_total++;
	info->bytes_in += recall->asked_bytes;
	info->bytes_out += bytes;
	engine_count(engine, requests);
	engine_count(engine, responses_function);
	engine_count(engine, responses_recalled);
	if (recall->body)
		engine_count_add(engine, payload_referenced_bytes, recall->body_bytes);
	else
		engine_count_add(engine, payload_copied_bytes, recall->body_bytes);
	respond_counted(client, NULL, recall->status);
}

/* False: neither is done, for lack of mbufs. */
static bool exchange_bytes(struct client *client, const struct recall *recall)
{
	struct rte_mbuf *answer = answer_of(client->engine, recall), *asked;

	if (!answer)
		return false;
	asked = tcp_recv(client->conn, recall->asked_bytes);
	if (!asked) {
		rte_pktmbuf_free(answer);
		return false;
	}
	rte_pktmbuf_free(asked);
	if (tcp_send(client->conn, answer)) {
		rte_pktmbuf_free(answer); /* `closed` follows */
		engine_count(client->engine, sends_failed);
	}
	return true;
}

bool recall_answer(struct client *client)
{
	struct recalls *all = client->engine->recalls;
	struct recall *recall;

	if (!all || TAILQ_EMPTY(&all->kept) || client->state != CLIENT_IDLE)
		return false;
	recall = known(all, client, tcp_recv_peek(client->conn));
	if (!recall || !may_say(client, recall) || !exchange_bytes(client, recall))
		return false;
	said(client, recall);
	if (recall->keeps)
		client_idle(client);
	else
		client_linger(client);
	return true;
}

/* --- kept ------------------------------------------------------------------------ */

void recall_heard(struct hop *hop, const struct sluice_up *up)
{
	struct exchange *x = hop->exchange;

	if (!up->steady_ms) {
		x->unsteady = true;
		return;
	}
	if (!x->steady_ms || up->steady_ms < x->steady_ms)
		x->steady_ms = up->steady_ms;
	if (x->phase == PHASE_REQUEST)
		hop->steady_tag = up->piece;
}

/* A request that is nothing but its head, in one piece. */
static bool asks_simply(const struct exchange *x)
{
	const struct message *request = &x->message[REQUEST];
	uint8_t method = request->head->method;

	return (method == SLUICE_METHOD_GET || method == SLUICE_METHOD_HEAD) &&
	       request->framing.kind == HTTP_BODY_NONE && !request->framing.expect_continue &&
	       !request->pin->next && request->pin->data_len <= ASKED_MAX;
}

/* Nobody but functions had to do with it, and they all said so. Who looks wants to see every one.
 */
static bool is_steady(const struct exchange *x)
{
	return x->steady_ms && !x->unsteady && !x->chain->watchers && !x->kills && !x->suspected &&
	       !x->failing && x->responder != RESPONDER_ORIGIN && !x->connect_us &&
	       !x->chain->draining && !x->engine->draining;
}

/* All of its body is in the head's mbuf, or in `*lease`, or there is none. */
static bool is_whole(const struct exchange *x, struct lease **lease)
{
	const struct body *body = &x->body[RESPONSE];

	*lease = NULL;
	if (body_ended(x, RESPONSE))
		return true;
	if (!x->emits_ended || body->stages || x->emits_count > 1)
		return false;
	*lease = STAILQ_FIRST(&x->emits);
	if (!*lease)
		return body->out_kind == HTTP_BODY_NONE ||
		       (body->out_kind == HTTP_BODY_LENGTH && !body->out_left);
	return body->out_kind == HTTP_BODY_LENGTH && body->out_left == (*lease)->len &&
	       (*lease)->len <= BODY_MAX;
}

/* Free, or it may be forgotten now. */
static bool vacate(struct recalls *all, struct recall *recall)
{
	if (!recall->chain)
		return true;
	if (!all_told(recall))
		return false;
	forget(all, recall);
	return true;
}

/* The one that says the same, else a free one, else the one that is over first. */
static struct recall *place_for(struct recalls *all, const struct exchange *x, uint64_t hash)
{
	const struct rte_mbuf *pin = x->message[REQUEST].pin;
	struct recall *set = set_of(all, hash), *best;

	best = find(all, x->chain, hash, rte_pktmbuf_mtod(pin, const uint8_t *), pin->data_len);
	for (unsigned i = 0; !best && i < WAYS; i++)
		if (!set[i].chain)
			best = &set[i];
	for (unsigned i = 0; !best && i < WAYS; i++)
		if (set[i].until_us <= all->engine->timers.now_us)
			best = &set[i];
	if (!best)
		best = &set[hash >> 62];
	return vacate(all, best) ? best : NULL;
}

static void heard_keep(struct recall *recall, const struct exchange *x)
{
	recall->heard_count = 0;
	for (unsigned i = 0; i < x->chain->path_length; i++)
		if (x->hop[i].instance && x->hop[i].saw)
			recall->heard[recall->heard_count++] = (struct heard){
				.instance = x->hop[i].instance, .tag = x->hop[i].steady_tag};
}

static void answer_keep(struct recall *recall, const struct rte_mbuf *answer, struct lease *lease,
			uint32_t copied)
{
	recall->answer_bytes = answer->data_len;
	recall->body_bytes = lease ? lease->len : copied;
	recall->body = NULL;
	memcpy(recall->answer, rte_pktmbuf_mtod(answer, const void *), answer->data_len);
	if (!lease)
		return;
	ledger_lease_share(lease);
	recall->body = lease;
}

static void keep(struct recalls *all, struct exchange *x, const struct rte_mbuf *answer,
		 struct lease *lease, uint64_t until_us)
{
	const struct rte_mbuf *pin = x->message[REQUEST].pin;
	const uint8_t *asked = rte_pktmbuf_mtod(pin, const uint8_t *);
	uint64_t hash = http_mix(asked, pin->data_len);
	struct recall *recall = place_for(all, x, hash);

	if (!recall)
		return;
	recall->chain = x->chain;
	recall->hash = hash;
	recall->until_us = until_us;
	recall->times = 0;
	recall->status = x->message[RESPONSE].head->status;
	recall->keeps = x->keep_client;
	recall->asked_bytes = pin->data_len;
	memcpy(recall->asked, asked, pin->data_len);
	answer_keep(recall, answer, lease, (uint32_t)x->body[RESPONSE].bytes);
	heard_keep(recall, x);
	if (TAILQ_EMPTY(&all->kept))
		timer_start_ms(&x->engine->timers, &all->timer, SWEEP_MS);
	TAILQ_INSERT_TAIL(&all->kept, recall, age);
}

void recall_keep(struct exchange *x, const struct rte_mbuf *answer)
{
	struct engine *engine = x->engine;
	uint64_t until_us = engine->timers.now_us + x->steady_ms * UINT64_C(1000);
	struct lease *lease;

	if (!engine->recalls || !is_steady(x) || !asks_simply(x) || answer->next ||
	    answer->data_len > ANSWER_MAX || !is_whole(x, &lease))
		return;
	if (until_us > engine->date_at_us + 1000000)
		until_us = engine->date_at_us + 1000000;
	if (until_us > engine->timers.now_us)
		keep(engine->recalls, x, answer, lease, until_us);
}

/* --- life ------------------------------------------------------------------------ */

static uint32_t sets_for(uint32_t recalls)
{
	uint32_t sets = 1;

	while (sets * WAYS < recalls)
		sets *= 2;
	return sets;
}

int recalls_create(struct engine *engine)
{
	uint32_t sets = sets_for(engine->env.recalls);
	struct recalls *all;

	if (!engine->env.recalls)
		return 0;
	all = calloc(1, sizeof(*all) + (size_t)sets * WAYS * sizeof(all->recall[0]));
	if (!all)
		return -ENOMEM;
	all->engine = engine;
	all->timer.fire = on_timer;
	all->sets = sets;
	TAILQ_INIT(&all->kept);
	engine->recalls = all;
	return 0;
}

void recalls_destroy(struct engine *engine)
{
	if (!engine->recalls)
		return;
	recall_forget(engine);
	timer_stop(&engine->timers, &engine->recalls->timer);
	free(engine->recalls);
	engine->recalls = NULL;
}
