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

#define BALANCE_OF_GROUP (-1)

struct lb_counters {
#define COUNTER(name, help) uint64_t *name;
#include "counters.def"
#undef COUNTER
};

struct lb {
	uint16_t upstream; /* for exchanges that nobody routed; SLUICE_NONE16: none */
	int balance;       /* enum sluice_balance, GROUP_MAGLEV, or BALANCE_OF_GROUP */
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
	static const char *const names[] = {"round_robin", "least", "p2c", "hash", "maglev"};
	struct sluice_str text;
	const char *given;
	int rc = sluice_conf_string(config, "balance", NULL, &given);

	lb->balance = BALANCE_OF_GROUP;
	if (rc || !given)
		return rc;
	text = sluice_str(given);
	for (int i = 0; i <= GROUP_MAGLEV; i++)
		if (sluice_str_equal(text, sluice_str(names[i]))) {
			lb->balance = i;
			return 0;
		}
	return sluice_conf_error(
		config, "balance: \"%s\" is not one of round_robin, least, p2c, hash, maglev",
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

/* Every key is looked at, so that all errors are told at once. */
static int read_config(struct sluice_nf *nf, const struct sluice_conf *config, struct lb *lb)
{
	int64_t seed = 1;
	int bad = 0;

	bad |= read_upstream(nf, config, lb);
	bad |= read_balance(config, lb);
	bad |= read_key(config, lb);
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
	free(lb);
}

/* The group's servers as they are now; NULL when there is no memory for them. */
static struct group *group_at(struct lb *lb, const struct sluice_nf *nf, uint16_t number)
{
	struct group **slot = &lb->group[number];
	int rc;

	if (!*slot)
		*slot = group_new(lb->balance);
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
		[GROUP_MAGLEV] = lb->count.picked_maglev,
	};

	(*counter[balance])++;
}

static void pick(struct lb *lb, struct sluice_exchange *x, uint16_t number)
{
	const struct sluice_nf *nf = sluice_of(x);
	struct group *group = group_at(lb, nf, number);
	uint64_t hash = 0;
	int server = GROUP_NO_SERVER;

	if (group && group->balance >= SLUICE_BALANCE_HASH)
		hash = key_hash(&lb->key, x);
	if (group)
		server = group_pick(group, hash, sluice_now_us(nf), &lb->random);
	if (server == GROUP_NO_SERVER) {
		(*lb->count.no_server)++;
		return;
	}
	count_pick(lb, group->balance);
	sluice_pick(x, (uint16_t)server);
}

/* Without a pick the manager answers 503, so there is nothing more to do here then. */
static enum sluice_verdict choose(struct sluice_exchange *x)
{
	struct lb *lb = sluice_data(sluice_of(x));
	uint16_t number = sluice_routed(x);

	if (number == SLUICE_NONE16 && lb->upstream != SLUICE_NONE16) {
		number = lb->upstream;
		sluice_route(x, number);
	}
	if (number < SLUICE_GROUPS_MAX)
		pick(lb, x, number);
	else
		(*lb->count.no_group)++;
	return SLUICE_LEAVE;
}

const struct sluice_nf_hooks lb_hooks = {
	SLUICE_HOOKS,   .name = "lb", .summary = "chooses the server of an upstream group",
	.init = init,   .fini = fini, .request_head = choose,
	.open = choose,
};

SLUICE_FUNCTION(lb_hooks);
