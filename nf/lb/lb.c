/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The function lb: names the server that is to answer. See README.md.
 *
 * Groups are kept from their first use on. All of it runs on the function's thread.
 */
#include <errno.h>
#include <stdlib.h>

#include <sluice/nf.h>

#include "group.h"
#include "key.h"
#include "lb.h"
#include "sticky.h"

#define BALANCE_OF_GROUP (-1)

struct lb_counters {
#define COUNTER(name, help) uint64_t *name;
#include "counters.def"
#undef COUNTER
};

struct lb {
	uint16_t upstream; /* for exchanges that nobody routed; SLUICE_NONE16: none */
	int balance;       /* enum sluice_balance, or BALANCE_OF_GROUP */
	unsigned load_percent;
	struct sticky sticky;
	struct key_rule key;
	uint64_t random;
	struct lb_counters count;
	uint64_t uncounted; /* where counters go that there was no room for */
	struct group *group[SLUICE_GROUPS_MAX];
};

static uint64_t *counter_or(struct sluice_nf *nf, const char *name, const char *help,
			    uint64_t *otherwise)
{
	uint64_t *counter = sluice_counter(nf, name, help);

	return counter ? counter : otherwise;
}

static void take_counters(struct sluice_nf *nf, struct lb *lb)
{
#define COUNTER(name, help) lb->count.name = counter_or(nf, #name, help, &lb->uncounted);
#include "counters.def"
#undef COUNTER
}

static int read_upstream(struct sluice_nf *nf, const struct sluice_conf *config, struct lb *lb)
{
	const char *name;
	int rc = sluice_conf_string(config, "upstream", NULL, &name), number;

	lb->upstream = SLUICE_NONE16;
	if (rc || !name)
		return rc;
	number = sluice_group_find(nf, name);
	if (number < 0)
		return sluice_conf_error(config, "upstream: there is no upstream group \"%s\"",
					 name);
	lb->upstream = (uint16_t)number;
	return 0;
}

static int read_balance(const struct sluice_conf *config, struct lb *lb)
{
	static const char *const names[SLUICE_BALANCES] = {"round_robin", "least", "p2c",   "hash",
							   "maglev",      "ewma",  "source"};
	struct sluice_str text;
	const char *given;
	int rc = sluice_conf_string(config, "balance", NULL, &given);

	lb->balance = BALANCE_OF_GROUP;
	if (rc || !given)
		return rc;
	text = sluice_str(given);
	for (int i = 0; i < SLUICE_BALANCES; i++)
		if (sluice_str_equal(text, sluice_str(names[i]))) {
			lb->balance = i;
			return 0;
		}
	return sluice_conf_error_key(config, "balance",
				     "balance: \"%s\" is not one of round_robin, least, p2c, "
				     "hash, maglev, ewma, source",
				     given);
}

static int read_key(const struct sluice_conf *config, struct lb *lb)
{
	const char *text;
	int rc = sluice_conf_string(config, "hash_key", "client", &text);

	if (rc)
		return rc;
	if (key_rule_parse(text, &lb->key))
		return sluice_conf_error(config,
					 "hash_key: \"%s\" is not one of client, path, host, "
					 "header:NAME, cookie:NAME",
					 text);
	return 0;
}

/* As HAProxy's hash-balance-factor. */
static int read_load(const struct sluice_conf *config, struct lb *lb)
{
	int64_t percent;
	int rc = sluice_conf_int(config, "load_percent", 0, 0, 65535, &percent);

	if (rc)
		return rc;
	if (percent > 0 && percent <= 100)
		return sluice_conf_error_key(config, "load_percent",
					     "load_percent: %u is no bound: 0, or more than 100",
					     (unsigned)percent);
	lb->load_percent = (unsigned)percent;
	return 0;
}

/* Every key is looked at, so that all errors are told at once. */
static int read_config(struct sluice_nf *nf, const struct sluice_conf *config, struct lb *lb)
{
	int64_t seed = 1;
	int bad = 0;

	bad |= read_upstream(nf, config, lb);
	bad |= read_balance(config, lb);
	bad |= read_key(config, lb);
	bad |= read_load(config, lb);
	bad |= sticky_read(config, &lb->sticky);
	bad |= sluice_conf_int(config, "seed", 1, 0, INT64_MAX, &seed);
	lb->random = (uint64_t)seed;
	return bad ? -EINVAL : 0;
}

static int init(struct sluice_nf *nf, const struct sluice_conf *config)
{
	struct lb *lb = calloc(1, sizeof(*lb));

	if (!lb)
		return -ENOMEM;
	if (read_config(nf, config, lb)) {
		sticky_free(&lb->sticky);
		free(lb);
		return -EINVAL;
	}
	take_counters(nf, lb);
	sluice_set_data(nf, lb);
	return 0;
}

static void fini(struct sluice_nf *nf)
{
	struct lb *lb = sluice_data(nf);

	if (!lb)
		return;
	for (unsigned i = 0; i < SLUICE_GROUPS_MAX; i++)
		group_free(lb->group[i]);
	sticky_free(&lb->sticky);
	free(lb);
}

/* The group's servers as they are now; NULL when there is no memory for them. */
static struct group *group_at(struct lb *lb, const struct sluice_nf *nf, uint16_t number)
{
	struct group **slot = &lb->group[number];
	int rc;

	if (!*slot)
		*slot = group_new(lb->balance, lb->load_percent,
				  lb->sticky.name ? &lb->sticky : NULL);
	if (!*slot)
		return NULL;
	rc = group_refresh(*slot, sluice_upstreams(nf), number);
	if (rc > 0)
		(*lb->count.refreshes)++;
	return rc < 0 ? NULL : *slot;
}

static void count_pick(struct lb *lb, int balance)
{
	uint64_t *const counter[] = {
		[SLUICE_BALANCE_ROUND_ROBIN] = lb->count.picked_round_robin,
		[SLUICE_BALANCE_LEAST] = lb->count.picked_least,
		[SLUICE_BALANCE_P2C] = lb->count.picked_p2c,
		[SLUICE_BALANCE_HASH] = lb->count.picked_hash,
		[SLUICE_BALANCE_MAGLEV] = lb->count.picked_maglev,
		[SLUICE_BALANCE_EWMA] = lb->count.picked_ewma,
		[SLUICE_BALANCE_SOURCE] = lb->count.picked_source,
	};

	(*counter[balance])++;
}

static const struct key_rule by_client = {.source = KEY_CLIENT};

static uint64_t hash_of(const struct lb *lb, const struct group *group,
			const struct sluice_exchange *x)
{
	if (!group_hashes(group))
		return 0;
	return key_hash(group->balance == SLUICE_BALANCE_SOURCE ? &by_client : &lb->key, x);
}

/* By the group's balance. */
static int pick_new(struct lb *lb, struct sluice_exchange *x, struct group *group)
{
	int server =
		group_pick(group, hash_of(lb, group, x), sluice_now_us(sluice_of(x)), &lb->random);

	if (server != GROUP_NO_SERVER)
		count_pick(lb, group->balance);
	return server;
}

/* --- cookies ---------------------------------------------------------------------- */

/* What the response has to know of its request. */
struct context {
	uint16_t group, server; /* that it was sent to; its client is to be told */
};

static int pick_kept(struct lb *lb, struct sluice_exchange *x, const struct group *group,
		     uint16_t number)
{
	int server = GROUP_NO_SERVER;
	uint64_t id;

	if (!sticky_asked(&lb->sticky, x, &id))
		return server;
	server = group_find(group, sluice_upstreams(sluice_of(x)), number, id);
	(*(server == GROUP_NO_SERVER ? lb->count.sticky_lost : lb->count.sticky_kept))++;
	return server;
}

/* The verdict: who has a server already is not told again. */
static enum sluice_verdict pick_sticky(struct lb *lb, struct sluice_exchange *x,
				       struct group *group, uint16_t number, int *server)
{
	struct context *context = sluice_ctx(x);

	*server = pick_kept(lb, x, group, number);
	if (sticky_hide(&lb->sticky, x))
		(*lb->count.edit_errors)++;
	if (*server != GROUP_NO_SERVER)
		return SLUICE_LEAVE;
	*server = pick_new(lb, x, group);
	context->group = number;
	context->server = (uint16_t)*server;
	return *server == GROUP_NO_SERVER ? SLUICE_LEAVE : SLUICE_PASS;
}

/* The manager may have had to go to another server than the one that was picked. */
static uint16_t server_that_answered(struct sluice_exchange *x)
{
	const struct context *context = sluice_ctx(x);
	const struct sluice_head *head = sluice_head(x);

	return head->group == context->group && head->server != SLUICE_NONE16 ? head->server
									      : context->server;
}

static enum sluice_verdict tell(struct sluice_exchange *x)
{
	struct lb *lb = sluice_data(sluice_of(x));
	const struct context *context = sluice_ctx(x);
	struct group *group = group_at(lb, sluice_of(x), context->group);
	uint16_t server = server_that_answered(x);

	if (!group || !group->id || server >= group->places ||
	    sticky_set(&lb->sticky, x, group->id[server]))
		(*lb->count.edit_errors)++;
	else
		(*lb->count.sticky_set)++;
	return SLUICE_LEAVE;
}

/* --- all of it -------------------------------------------------------------------- */

static bool is_request(const struct sluice_exchange *x)
{
	return sluice_head(x)->method_text.len > 0;
}

/* Without a pick the manager chooses, or answers 503: there is nothing more to do here then. */
static enum sluice_verdict pick(struct lb *lb, struct sluice_exchange *x, uint16_t number)
{
	struct group *group = group_at(lb, sluice_of(x), number);
	enum sluice_verdict verdict = SLUICE_LEAVE;
	int server = GROUP_NO_SERVER;

	if (group && lb->sticky.name && is_request(x))
		verdict = pick_sticky(lb, x, group, number, &server);
	else if (group)
		server = pick_new(lb, x, group);
	if (server == GROUP_NO_SERVER)
		(*lb->count.no_server)++;
	else
		sluice_pick(x, (uint16_t)server);
	return verdict;
}

static enum sluice_verdict choose(struct sluice_exchange *x)
{
	struct lb *lb = sluice_data(sluice_of(x));
	uint16_t number = sluice_routed(x);

	if (number == SLUICE_NONE16 && lb->upstream != SLUICE_NONE16) {
		number = lb->upstream;
		sluice_route(x, number);
	}
	if (number < SLUICE_GROUPS_MAX)
		return pick(lb, x, number);
	(*lb->count.no_group)++;
	return SLUICE_LEAVE;
}

const struct sluice_nf_hooks lb_hooks = {
	SLUICE_HOOKS,
	.name = "lb",
	.summary = "chooses the server of an upstream group",
	.ctx_bytes = sizeof(struct context),
	.init = init,
	.fini = fini,
	.request_head = choose,
	.response_head = tell,
	.open = choose,
};

SLUICE_FUNCTION(lb_hooks);
