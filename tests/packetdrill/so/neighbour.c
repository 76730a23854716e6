/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/so/neighbour.h"
#include "tests/support/net.h"

#include <string.h>

#define ETHER_BYTES 14
#define ARP_BYTES   28
#define ARP_REQUEST 1
#define ARP_REPLY   2

#define IP6_BYTES   40
#define ICMP6       58
#define ND_BYTES    24 /* RFC 4861 §4.3, §4.4 */
#define ND_SOLICIT  135
#define ND_ADVERT   136
#define ND_LAST     137
#define MLD_FIRST   130
#define MLD2_REPORT 143
#define HOP_BY_HOP  0

#define TARGET_MAC           2
#define SOLICITED_OVERRIDING 0x60

enum { TYPE_ARP = 0x0806, TYPE_IP6 = 0x86dd };

static bool is_arp(const uint8_t *frame, size_t len)
{
	return len >= ETHER_BYTES + ARP_BYTES && net_get(frame + 12, 2) == TYPE_ARP;
}

/* The ICMPv6 type, past the router alert that MLD has; 0 when it is none. */
static uint8_t icmp6_type(const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + ETHER_BYTES;

	if (len < ETHER_BYTES + IP6_BYTES + 9 || net_get(frame + 12, 2) != TYPE_IP6)
		return 0;
	if (ip[6] == HOP_BY_HOP && ip[IP6_BYTES] == ICMP6)
		return ip[IP6_BYTES + 8];
	return ip[6] == ICMP6 ? ip[IP6_BYTES] : 0;
}

bool neighbour_is_talk(const uint8_t *frame, size_t len)
{
	uint8_t type = icmp6_type(frame, len);

	return is_arp(frame, len) || (type >= MLD_FIRST && type <= ND_LAST) || type == MLD2_REPORT;
}

static size_t arp_answer(const uint8_t *frame, const uint8_t *mac, uint8_t *out)
{
	const uint8_t *question = frame + ETHER_BYTES;
	uint8_t *reply = out + ETHER_BYTES;

	if (net_get(question + 6, 2) != ARP_REQUEST)
		return 0;
	memcpy(out, frame, ETHER_BYTES + ARP_BYTES);
	reply[7] = ARP_REPLY;
	memcpy(reply + 8, mac, 6);
	memcpy(reply + 14, question + 24, 4);
	memcpy(reply + 18, question + 8, 10);
	return ETHER_BYTES + ARP_BYTES;
}

/* RFC 8200 §8.1: over the addresses, the length and the next header, too. */
static void put_checksum(uint8_t *ip, uint8_t *icmp, size_t len)
{
	uint16_t pseudo = net_sum(ip + 8, IP6_BYTES - 8, len + ICMP6);

	net_put(icmp + 2, 2, (uint16_t)~net_sum(icmp, len, pseudo));
}

static size_t nd_answer(const uint8_t *frame, const uint8_t *mac, uint8_t *out)
{
	const uint8_t *asked = frame + ETHER_BYTES;
	uint8_t *ip = out + ETHER_BYTES, *icmp = ip + IP6_BYTES;
	const size_t len = ND_BYTES + 8;

	memset(out, 0, ETHER_BYTES + IP6_BYTES + len);
	memcpy(out, frame, ETHER_BYTES + 8);
	ip[5] = (uint8_t)len;
	ip[7] = 255;
	memcpy(ip + 8, asked + IP6_BYTES + 8, 16);
	memcpy(ip + 24, asked + 8, 16);
	icmp[0] = ND_ADVERT;
	icmp[4] = SOLICITED_OVERRIDING;
	memcpy(icmp + 8, asked + IP6_BYTES + 8, 16);
	icmp[ND_BYTES] = TARGET_MAC;
	icmp[ND_BYTES + 1] = 1;
	memcpy(icmp + ND_BYTES + 2, mac, 6);
	put_checksum(ip, icmp, len);
	return ETHER_BYTES + IP6_BYTES + len;
}

size_t neighbour_answer(const uint8_t *frame, size_t len, const uint8_t *mac, uint8_t *out)
{
	size_t answer = 0;

	if (is_arp(frame, len))
		answer = arp_answer(frame, mac, out);
	else if (icmp6_type(frame, len) == ND_SOLICIT && len >= ETHER_BYTES + IP6_BYTES + ND_BYTES)
		answer = nd_answer(frame, mac, out);
	if (answer) {
		memcpy(out, frame + 6, 6);
		memcpy(out + 6, mac, 6);
	}
	return answer;
}
