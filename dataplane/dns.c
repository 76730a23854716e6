/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/dns.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#define MESSAGE_MAX 4096
#define TIMEOUT_S   2
#define TRIES       2

void dns_servers_set(struct dns_servers *servers, const struct endpoint *list, unsigned count)
{
	servers->count = count < DNS_SERVERS_MAX ? count : DNS_SERVERS_MAX;
	for (unsigned i = 0; i < servers->count; i++)
		servers->server[i] = list[i];
}

/* --- answers ------------------------------------------------------------------------ */

void dns_answer_begin(struct dns_answer *out)
{
	*out = (struct dns_answer){.ttl_s = UINT32_MAX};
}

static void address_take(struct dns_answer *out, uint8_t family, const uint8_t *bytes, size_t len)
{
	struct addr *addr = &out->address[out->count];

	if (out->count == DNS_ADDRESSES_MAX)
		return;
	*addr = (struct addr){.family = family};
	memcpy(addr->bytes, bytes, len);
	out->count++;
}

static void record_take(const ns_rr *record, struct dns_answer *out)
{
	bool a = ns_rr_type(*record) == ns_t_a && ns_rr_rdlen(*record) == 4;
	bool aaaa = ns_rr_type(*record) == ns_t_aaaa && ns_rr_rdlen(*record) == 16;

	if (!a && !aaaa && ns_rr_type(*record) != ns_t_cname)
		return;
	if (ns_rr_ttl(*record) < out->ttl_s)
		out->ttl_s = ns_rr_ttl(*record);
	if (a || aaaa)
		address_take(out, a ? ADDR_IP4 : ADDR_IP6, ns_rr_rdata(*record),
			     ns_rr_rdlen(*record));
}

int dns_read(const uint8_t *message, int len, struct dns_answer *out)
{
	ns_msg parsed;
	ns_rr record;

	if (ns_initparse(message, len, &parsed))
		return -EPROTO;
	for (int i = 0; i < ns_msg_count(parsed, ns_s_an); i++) {
		if (ns_parserr(&parsed, ns_s_an, i, &record))
			return -EPROTO;
		record_take(&record, out);
	}
	return 0;
}

/* --- questions ---------------------------------------------------------------------- */

static void servers_use(struct __res_state *state, const struct dns_servers *servers)
{
	for (unsigned i = 0; i < servers->count; i++) {
		struct sockaddr_in *to = &state->nsaddr_list[i];

		*to = (struct sockaddr_in){.sin_family = AF_INET,
					   .sin_port = htons(servers->server[i].port)};
		memcpy(&to->sin_addr, servers->server[i].addr.bytes, 4);
	}
	if (servers->count)
		state->nscount = (int)servers->count;
	state->retrans = TIMEOUT_S;
	state->retry = TRIES;
}

static int why(const struct __res_state *state)
{
	switch (state->res_h_errno) {
	case HOST_NOT_FOUND:
	case NO_DATA:
		return -ENOENT;
	case TRY_AGAIN:
		return -ETIMEDOUT;
	default:
		return -EIO;
	}
}

static int ask_type(struct __res_state *state, const char *host, int type, struct dns_answer *out)
{
	uint8_t message[MESSAGE_MAX];
	int len = res_nquery(state, host, ns_c_in, type, message, sizeof(message));

	if (len < 0)
		return why(state);
	return dns_read(message, len < MESSAGE_MAX ? len : MESSAGE_MAX, out);
}

/* One kind of address is enough, unless nobody could be asked for the other. */
static int outcome(int a, int aaaa, const struct dns_answer *answer)
{
	if (a && a != -ENOENT)
		return a;
	if (aaaa && aaaa != -ENOENT)
		return aaaa;
	return answer->count ? 0 : -ENOENT;
}

int dns_ask(const struct dns_servers *servers, const char *host, struct dns_answer *out)
{
	struct __res_state state = {0};
	int a, aaaa;

	dns_answer_begin(out);
	if (res_ninit(&state))
		return -EIO;
	servers_use(&state, servers);
	a = ask_type(&state, host, ns_t_a, out);
	aaaa = ask_type(&state, host, ns_t_aaaa, out);
	res_nclose(&state);
	return outcome(a, aaaa, out);
}
