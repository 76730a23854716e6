/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How an address of ours comes into use: others are asked whether they have it, then told that
 * it is ours. Duplicate address detection (RFC 4862 §5.4) and address conflict detection for
 * IPv4 (RFC 5227) are one procedure with different numbers.
 */
#include <stdlib.h>

#include "l4stack/base/siphash.h"
#include "l4stack/ip/ip_layer.h"
#include "l4stack/link/arp.h"
#include "l4stack/link/ndp.h"

#define SECOND 1000000u

struct claim_rule {
	uint32_t delay_us; /* at most, before the first probe */
	uint8_t probes;
	uint32_t probe_min_us, probe_max_us; /* between two probes */
	uint32_t wait_us;                    /* after the last */
	uint8_t announcements;
	uint32_t announce_us; /* between them */
	uint32_t defend_us;   /* an address in use is defended no more often; 0: it is not */
	void (*probe)(struct stack *stack, uint16_t port, const struct addr *addr);
	void (*announce)(struct stack *stack, uint16_t port, const struct addr *addr);
};

/* RFC 5227 §1.1 */
static const struct claim_rule rule_ip4 = {
	.delay_us = SECOND,
	.probes = 3,
	.probe_min_us = SECOND,
	.probe_max_us = 2 * SECOND,
	.wait_us = 2 * SECOND,
	.announcements = 2,
	.announce_us = 2 * SECOND,
	.defend_us = 10 * SECOND,
	.probe = arp_probe,
	.announce = arp_announce,
};

/* RFC 4861 §10, RFC 4862 §5.1 */
static const struct claim_rule rule_ip6 = {
	.delay_us = SECOND,
	.probes = 1,
	.wait_us = SECOND,
	.announcements = 2,
	.announce_us = SECOND,
	.probe = ndp_probe,
	.announce = ndp_announce,
};

struct ip_claim {
	struct stack_timer timer;
	struct stack *stack;
	const struct claim_rule *rule;
	struct addr addr;
	uint16_t port;
	uint8_t probes_left, announcements_left;
	uint64_t defended_us;
};

static bool is_silent(const struct ip_claim *claim)
{
	return link_port(claim->stack, claim->port)->claim == STACK_CLAIM_FOLLOW;
}

/* Up to `span_us`, different for each address, time and stack. */
static uint64_t chance_us(const struct ip_claim *claim, uint64_t span_us)
{
	uint64_t hash = siphash13(claim->stack->conf.secret, &claim->addr, sizeof(claim->addr)) ^
			claim->probes_left * 0x9e3779b97f4a7c15ull;

	return hash % (span_us + 1);
}

static void wait(struct ip_claim *claim, uint64_t us)
{
	stack_timer_start(claim->stack, &claim->timer, claim->stack->now_us + us);
}

static void probe(struct ip_claim *claim)
{
	const struct claim_rule *rule = claim->rule;

	if (!is_silent(claim))
		rule->probe(claim->stack, claim->port, &claim->addr);
	if (--claim->probes_left == 0)
		wait(claim, rule->wait_us);
	else
		wait(claim, rule->probe_min_us +
				    chance_us(claim, rule->probe_max_us - rule->probe_min_us));
}

static void announce(struct ip_claim *claim)
{
	if (is_silent(claim))
		return;
	claim->rule->announce(claim->stack, claim->port, &claim->addr);
	if (--claim->announcements_left > 0)
		wait(claim, claim->rule->announce_us);
}

static void claim_timeout(void *owner)
{
	struct ip_claim *claim = owner;

	if (claim->probes_left > 0) {
		probe(claim);
		return;
	}
	ip_address_turn(claim->stack, &claim->addr, IP_ADDRESS_LOCAL);
	/* What was reported of its groups came from no address: RFC 3590 §4. */
	if (addr_is_link_local(&claim->addr))
		mld_groups_changed(claim->stack, claim->port);
	announce(claim);
}

struct ip_claim *ip_claim_start(struct stack *stack, const struct ip_address *address)
{
	struct ip_claim *claim = calloc(1, sizeof(*claim));
	const struct claim_rule *rule = address->addr.family == ADDR_IP6 ? &rule_ip6 : &rule_ip4;

	if (!claim)
		return NULL;
	*claim = (struct ip_claim){
		.timer = {.fire = claim_timeout, .owner = claim},
		.stack = stack,
		.rule = rule,
		.addr = address->addr,
		.port = address->port,
		.announcements_left = rule->announcements,
	};
	if (address->kind == IP_ADDRESS_TENTATIVE) {
		claim->probes_left = rule->probes;
		/* Who does not ask himself must not be sure before the one who does. */
		wait(claim, is_silent(claim) ? rule->delay_us : chance_us(claim, rule->delay_us));
	} else {
		wait(claim, 0);
	}
	return claim;
}

void ip_claim_free(struct ip_claim *claim)
{
	if (!claim)
		return;
	stack_timer_stop(claim->stack, &claim->timer);
	free(claim);
}

/* RFC 5227 §2.4 (b): say once more whose it is, but do not quarrel. */
static void defend(struct ip_claim *claim)
{
	uint64_t now_us = claim->stack->now_us;

	if (!claim->rule->defend_us || is_silent(claim))
		return;
	if (claim->defended_us && claim->defended_us + claim->rule->defend_us > now_us)
		return;
	claim->defended_us = now_us;
	claim->rule->announce(claim->stack, claim->port, &claim->addr);
}

void ip_claim_conflict(struct stack *stack, uint16_t port, const struct addr *addr)
{
	struct ip_claim *claim = ip_address_claim(stack, port, addr);

	if (ip_address_kind(stack, addr) == IP_ADDRESS_LOCAL)
		stack_count(stack, ip_address_conflicts);
	if (!claim)
		return;
	if (ip_address_kind(stack, addr) == IP_ADDRESS_LOCAL) {
		defend(claim);
		return;
	}
	stack_count(stack, ip_address_duplicates);
	stack_timer_stop(stack, &claim->timer);
	ip_address_turn(stack, addr, IP_ADDRESS_DUPLICATE);
}
