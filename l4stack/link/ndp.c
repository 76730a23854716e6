/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/link/ndp.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <string.h>

#include "l4stack/base/pkt.h"
#include "l4stack/ip/ip6.h"
#include "l4stack/link/link.h"
#include "l4stack/link/neighbour.h"

#define REPLIES_PER_SECOND 1000
#define REPLIES_BURST      200

#define TYPE_SOLICIT  135
#define TYPE_ADVERT   136
#define TYPE_REDIRECT 137

#define OPTION_SOURCE_MAC 1
#define OPTION_TARGET_MAC 2
#define OPTION_UNIT       8

#define FLAG_SOLICITED RTE_BE32(1u << 30)
#define FLAG_OVERRIDE  RTE_BE32(1u << 29)

#define HOP_LIMIT   255 /* no router lets such a packet through: RFC 4861 §6.1 */
#define MESSAGE_MAX 512

/* RFC 4861 §4.3, §4.4: solicitation and advertisement differ in the flags only. */
struct ndp_message {
	uint8_t type, code;
	uint16_t csum;
	uint32_t flags;
	uint8_t target[16];
	uint8_t options[];
};

struct ndp_mac_option {
	uint8_t type, units;
	uint8_t mac[6];
};
_Static_assert(sizeof(struct ndp_message) == 24, "RFC 4861 §4.3");
_Static_assert(sizeof(struct ndp_mac_option) == OPTION_UNIT, "RFC 4861 §4.6.1");

/* A message that was found to be in order. `mac` is NULL when it does not tell one. */
struct ndp_news {
	const struct ip_rx *rx;
	struct addr target;
	uint32_t flags;
	const uint8_t *mac;
};

struct addr ndp_solicited_node(uint16_t port, const struct addr *addr)
{
	struct addr group = {
		.bytes = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff},
		.family = ADDR_IP6,
	};

	memcpy(group.bytes + 13, addr->bytes + 13, 3);
	return addr_on_port(&group, port);
}

/* ---- out ---- */

/* NULL when no mbuf is left. With `option`, the port's own address follows. */
static struct rte_mbuf *message_make(struct stack *stack, uint16_t port, uint8_t type,
				     const struct addr *target, uint8_t option,
				     struct ndp_message **out)
{
	struct rte_mbuf *pkt = rte_pktmbuf_alloc(stack->pools.control);
	uint16_t len = sizeof(struct ndp_message) + (option ? OPTION_UNIT : 0);
	struct ndp_mac_option own = {.type = option, .units = 1};
	struct ndp_message *m;

	if (!pkt) {
		stack_count(stack, link_no_mbuf);
		return NULL;
	}
	m = (struct ndp_message *)rte_pktmbuf_append(pkt, len);
	*m = (struct ndp_message){.type = type};
	memcpy(m->target, target->bytes, sizeof(m->target));
	if (option) {
		memcpy(own.mac, link_port(stack, port)->mac, sizeof(own.mac));
		memcpy(m->options, &own, sizeof(own));
	}
	*out = m;
	return pkt;
}

void ndp_solicit(struct stack *stack, uint16_t port, const struct addr *target, const uint8_t *mac)
{
	const struct addr *source = ip_source_for(stack, port, target);
	struct addr to = mac ? *target : ndp_solicited_node(port, target);
	struct ndp_message *m;
	struct rte_mbuf *pkt;

	/* None of the port's addresses may be used yet: the question is put again later. */
	if (!source)
		return;
	pkt = message_make(stack, port, TYPE_SOLICIT, target, OPTION_SOURCE_MAC, &m);
	if (!pkt)
		return;
	stack_count(stack, ndp_solicits_out);
	ip6_send_on_link(stack,
			 &(struct ip6_on_link){.port = port,
					       .src = source,
					       .dst = &to,
					       .mac = mac,
					       .hop_limit = HOP_LIMIT},
			 pkt);
}

void ndp_probe(struct stack *stack, uint16_t port, const struct addr *addr)
{
	struct addr to = ndp_solicited_node(port, addr), none = {.family = ADDR_IP6};
	struct ndp_message *m;
	struct rte_mbuf *pkt = message_make(stack, port, TYPE_SOLICIT, addr, 0, &m);

	if (!pkt)
		return;
	stack_count(stack, ndp_probes_out);
	ip6_send_on_link(stack,
			 &(struct ip6_on_link){
				 .port = port, .src = &none, .dst = &to, .hop_limit = HOP_LIMIT},
			 pkt);
}

static void advertise(struct stack *stack, uint16_t port, const struct addr *addr,
		      const struct addr *to, const uint8_t *mac, uint32_t flags)
{
	struct ndp_message *m;
	struct rte_mbuf *pkt = message_make(stack, port, TYPE_ADVERT, addr, OPTION_TARGET_MAC, &m);

	if (!pkt)
		return;
	m->flags = flags;
	ip6_send_on_link(
		stack,
		&(struct ip6_on_link){
			.port = port, .src = addr, .dst = to, .mac = mac, .hop_limit = HOP_LIMIT},
		pkt);
}

void ndp_announce(struct stack *stack, uint16_t port, const struct addr *addr)
{
	struct addr all = ip6_all_nodes(port);

	stack_count(stack, ndp_announcements_out);
	advertise(stack, port, addr, &all, NULL, FLAG_OVERRIDE);
}

/* ---- in ---- */

/* Every option has a length that is not 0 (RFC 4861 §4.6); those of one kind are looked at. */
static bool options_read(const uint8_t *p, uint32_t len, uint8_t wanted, const uint8_t **mac)
{
	*mac = NULL;
	while (len > 0) {
		uint32_t bytes = len >= 2 ? p[1] * (uint32_t)OPTION_UNIT : 0;

		if (bytes == 0 || bytes > len)
			return false;
		if (p[0] == wanted && bytes == OPTION_UNIT)
			*mac = p + 2;
		p += bytes;
		len -= bytes;
	}
	return true;
}

static bool mac_is_station(const uint8_t *mac)
{
	return rte_is_valid_assigned_ether_addr((const struct rte_ether_addr *)mac);
}

/* RFC 4861 §7.1.1, §7.1.2. */
static bool addresses_ok(const struct ndp_news *news, uint8_t type)
{
	const struct ip_rx *rx = news->rx;
	struct addr node = ndp_solicited_node(rx->port, &news->target);
	bool to_group = addr_is_group(&rx->dst);

	if (addr_is_group(&news->target) || addr_is_any(&news->target))
		return false;
	if (type == TYPE_ADVERT)
		return !(to_group && news->flags & FLAG_SOLICITED);
	return !addr_is_any(&rx->src) || (addr_equal(&rx->dst, &node) && !news->mac);
}

static enum stack_counter message_check(const struct ndp_message *m, uint32_t len,
					struct ndp_news *news)
{
	uint8_t option = m->type == TYPE_SOLICIT ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC;
	struct addr target = addr_from_ip6(m->target);

	news->target = addr_on_port(&target, news->rx->port);
	news->flags = m->type == TYPE_ADVERT ? m->flags : 0;
	if (m->code != 0 ||
	    !options_read(m->options, len - (uint32_t)sizeof(*m), option, &news->mac) ||
	    !addresses_ok(news, m->type))
		return COUNTER_ndp_malformed;
	return news->mac && !mac_is_station(news->mac) ? COUNTER_ndp_bad_sender : COUNTER_NONE;
}

/* RFC 4861 §7.2.4. Who asks from no address wants to know whether it is free: all are told. */
static void solicit_answer(struct stack *stack, const struct ndp_news *news)
{
	const struct ip_rx *rx = news->rx;
	struct addr all = ip6_all_nodes(rx->port);
	bool probe = addr_is_any(&rx->src);

	if (link_port(stack, rx->port)->claim == STACK_CLAIM_FOLLOW)
		return;
	if (!bucket_take(&stack->link->ndp_limit, stack->now_us, REPLIES_PER_SECOND,
			 REPLIES_BURST)) {
		stack_count(stack, ndp_reply_limited);
		return;
	}
	stack_count(stack, ndp_adverts_out);
	if (probe)
		advertise(stack, rx->port, &news->target, &all, NULL, FLAG_OVERRIDE);
	else
		advertise(stack, rx->port, &news->target, &rx->src, news->mac,
			  FLAG_SOLICITED | FLAG_OVERRIDE);
}

static void solicit_take(struct stack *stack, const struct ndp_news *news)
{
	enum ip_address_kind kind = ip_address_kind(stack, &news->target);
	const struct ip_rx *rx = news->rx;
	bool probe = addr_is_any(&rx->src);

	stack_count(stack, ndp_solicits_in);
	/* RFC 4862 §5.4.3: of an address that is not yet ours, only other probes tell something. */
	if (kind == IP_ADDRESS_TENTATIVE && probe) {
		stack_count(stack, ndp_conflict);
		ip_claim_conflict(stack, rx->port, &news->target);
	}
	if (kind != IP_ADDRESS_LOCAL || !ip_is_local_on(stack, rx->port, &news->target)) {
		stack_count(stack, ndp_not_for_us);
		return;
	}
	if (!probe && !ip_on_link(stack, rx->port, &rx->src)) {
		stack_count(stack, ndp_bad_sender);
		return;
	}
	if (news->mac)
		neighbour_heard(stack, rx->port, &rx->src, news->mac, NEIGHBOUR_ASKS);
	solicit_answer(stack, news);
}

static enum neighbour_news advert_news(uint32_t flags)
{
	if (flags & FLAG_SOLICITED)
		return flags & FLAG_OVERRIDE ? NEIGHBOUR_ANSWER : NEIGHBOUR_ANSWER_SOFT;
	return flags & FLAG_OVERRIDE ? NEIGHBOUR_CLAIMS : NEIGHBOUR_CLAIMS_SOFT;
}

static void advert_take(struct stack *stack, const struct ndp_news *news)
{
	enum ip_address_kind kind = ip_address_kind(stack, &news->target);

	stack_count(stack, ndp_adverts_in);
	if (kind == IP_ADDRESS_LOCAL || kind == IP_ADDRESS_TENTATIVE) {
		stack_count(stack, ndp_conflict);
		ip_claim_conflict(stack, news->rx->port, &news->target);
	} else {
		neighbour_heard(stack, news->rx->port, &news->target, news->mac,
				advert_news(news->flags));
	}
}

static void neighbour_message(struct stack *stack, const struct ip_rx *rx,
			      const struct ndp_message *m, uint32_t len)
{
	struct ndp_news news = {.rx = rx};
	enum stack_counter fault = message_check(m, len, &news);

	if (fault != COUNTER_NONE)
		stack_count_id(stack, fault);
	else if (m->type == TYPE_SOLICIT)
		solicit_take(stack, &news);
	else
		advert_take(stack, &news);
}

void ndp_input(struct stack *stack, const struct ip_rx *rx, struct rte_mbuf *pkt)
{
	union {
		struct ndp_message message;
		uint8_t bytes[MESSAGE_MAX];
	} room;
	uint8_t type = *rte_pktmbuf_mtod(pkt, const uint8_t *);
	uint32_t len = pkt->pkt_len;
	bool whole =
		len >= sizeof(room.message) && pkt_read(pkt, 0, RTE_MIN(len, sizeof(room)), &room);

	rte_pktmbuf_free(pkt);
	if (rx->ttl != HOP_LIMIT)
		stack_count(stack, ndp_bad_hop_limit);
	else if (type == TYPE_REDIRECT)
		stack_count(stack, ndp_redirect_ignored);
	else if (type != TYPE_SOLICIT && type != TYPE_ADVERT)
		stack_count(stack, ndp_router_ignored);
	else if (!whole || len > sizeof(room))
		stack_count(stack, ndp_malformed);
	else
		neighbour_message(stack, rx, &room.message, len);
}
