/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/packetdrill/play/flow.h"

#include "tests/packetdrill/play/report.h"

#define SERVER_PORT 8080
#define CLIENT_PORT 40000

void flows_init(struct flows *flows, const struct script *script)
{
	*flows = (struct flows){0};
	if (host_parse(script->local, &flows->local) || host_parse(script->remote, &flows->remote))
		fail("--local_ip or --remote_ip is not an address");
	for (unsigned i = 0; i < FLOWS_MOST; i++) {
		flows->flows[i].local_port = SERVER_PORT;
		flows->flows[i].remote_port = (uint16_t)(CLIENT_PORT + i);
		flows->flows[i].remote_isn = script->remote_isn;
	}
}

struct flow *flow_of(struct flows *flows, unsigned number)
{
	if (number == 0 || number > FLOWS_MOST)
		fail("flows are c1 to c%d", FLOWS_MOST);
	return &flows->flows[number - 1];
}

/* ---- to the wire ---- */

static uint32_t ts_to_wire(const struct flow *flow, uint32_t script)
{
	unsigned n = flow->ts_count < TS_PAIRS ? flow->ts_count : TS_PAIRS;

	if (!flow->ts_known)
		fail("ecr %u: the script has not seen a TS val yet", script);
	for (unsigned i = 1; i <= n; i++)
		if (flow->ts[(flow->ts_count - i) % TS_PAIRS].script == script)
			return flow->ts[(flow->ts_count - i) % TS_PAIRS].wire;
	return script + flow->ts_offset;
}

static void option_to_wire(const struct flow *flow, struct packet_option *option)
{
	for (int i = 0; option->kind == OPTION_SACK && i < option->blocks; i++) {
		option->sack[i][0] += flow->local_isn;
		option->sack[i][1] += flow->local_isn;
	}
	if (option->kind == OPTION_TS && option->echo)
		option->echo = ts_to_wire(flow, option->echo);
}

void flow_to_wire(struct flows *flows, const struct packet *script, struct packet *wire,
		  struct route *route)
{
	struct flow *flow = flow_of(flows, script->flow);

	if (script->fresh) {
		flow->local_isn_known = flow->ts_known = false;
		flow->ts_count = 0;
	}
	*wire = *script;
	*route = (struct route){flows->remote, flows->local, flow->remote_port, flow->local_port};
	wire->seq += script->kind == PACKET_ICMP ? flow->local_isn : flow->remote_isn;
	if (script->flags & FLAG_ACK)
		wire->ack += flow->local_isn;
	for (unsigned i = 0; i < wire->option_count; i++)
		option_to_wire(flow, &wire->options[i]);
}

/* ---- from the wire ---- */

static bool is_flow(const struct flow *flow, const struct route *route)
{
	return flow->local_port == route->src_port && flow->remote_port == route->dst_port;
}

unsigned flow_number(const struct flows *flows, const struct route *route)
{
	for (unsigned i = 0; i < FLOWS_MOST; i++)
		if (is_flow(&flows->flows[i], route))
			return i + 1;
	return 0;
}

/* A connection that the stack opens: its ports are what it says. */
static void learn_ports(struct flow *flow, const struct packet *wire, const struct route *route)
{
	if ((wire->flags & (FLAG_SYN | FLAG_ACK)) != FLAG_SYN || flow->local_isn_known)
		return;
	flow->local_port = route->src_port;
	flow->remote_port = route->dst_port;
}

static void learn_isn(struct flow *flow, const struct packet *wire, const struct packet *expected)
{
	if (!(wire->flags & FLAG_SYN) || flow->local_isn_known)
		return;
	flow->local_isn = wire->seq - expected->seq;
	flow->local_isn_known = true;
}

static const struct packet_option *find_ts(const struct packet *packet)
{
	for (unsigned i = 0; i < packet->option_count; i++)
		if (packet->options[i].kind == OPTION_TS)
			return &packet->options[i];
	return NULL;
}

void flow_note_sent(struct flows *flows, const struct packet *expected, const struct packet *wire)
{
	const struct packet_option *mine = find_ts(expected), *theirs = find_ts(wire);
	struct flow *flow = flow_of(flows, expected->flow);
	unsigned at = flow->ts_count % TS_PAIRS;

	if (!mine || !theirs)
		return;
	flow->ts[at].script = mine->value;
	flow->ts[at].wire = theirs->value;
	flow->ts_count++;
}

static void learn_ts(struct flow *flow, const struct packet *wire, const struct packet *expected)
{
	const struct packet_option *mine = find_ts(expected), *theirs = find_ts(wire);

	if (!mine || !theirs || flow->ts_known)
		return;
	flow->ts_offset = theirs->value - mine->value;
	flow->ts_known = true;
}

static void option_from_wire(const struct flow *flow, struct packet_option *option)
{
	for (int i = 0; option->kind == OPTION_SACK && i < option->blocks; i++) {
		option->sack[i][0] -= flow->remote_isn;
		option->sack[i][1] -= flow->remote_isn;
	}
	if (option->kind == OPTION_TS)
		option->value -= flow->ts_offset;
}

void flow_from_wire(struct flows *flows, const struct packet *wire, const struct route *route,
		    const struct packet *expected, struct packet *out)
{
	struct flow *flow = flow_of(flows, expected->flow);

	learn_ports(flow, wire, route);
	*out = *wire;
	out->outbound = true;
	out->flow = flow_number(flows, route);
	if (out->flow)
		flow = flow_of(flows, out->flow);
	learn_isn(flow, wire, expected);
	learn_ts(flow, wire, expected);
	out->seq -= flow->local_isn;
	out->end = out->seq + out->len;
	if (wire->flags & FLAG_ACK)
		out->ack -= flow->remote_isn;
	out->has_window = true;
	out->has_urgent = wire->flags & FLAG_URG;
	for (unsigned i = 0; i < out->option_count; i++)
		option_from_wire(flow, &out->options[i]);
}
