/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Challenge ACKs and their limits: RFC 5961 §7.
 *
 * A connection has a limit of its own, so that a stranger who makes one answer takes nothing from
 * the others. The stack's limit is there for the case that many are attacked at once. Were it the
 * same in each second, a stranger with a connection of his own could count what is left for
 * him and so learn whether his guesses at others' numbers were answered (CVE-2016-5696): so it is
 * another one each second, and only the key tells which.
 */
#include "l4stack/base/siphash.h"
#include "l4stack/tcp/tcp_input.h"

#define PER_CONN_SECOND 10
#define PER_CONN_BURST  10
#define STACK_LEAST     500
#define STACK_SPREAD    1000
#define PERIOD_US       1000000

static uint32_t allowance(const struct tcp_proto *tcp, uint64_t period)
{
	return STACK_LEAST +
	       (uint32_t)(siphash13(tcp->port_key, &period, sizeof(period)) % STACK_SPREAD);
}

bool tcp_challenge_take(struct tcp_proto *tcp)
{
	struct tcp_challenges *challenges = &tcp->challenges;
	uint64_t period = tcp->stack->now_us / PERIOD_US;

	if (period != challenges->period) {
		challenges->period = period;
		challenges->left = allowance(tcp, period);
	}
	if (challenges->left == 0) {
		stack_count(tcp->stack, tcp_challenge_limited);
		return false;
	}
	challenges->left--;
	stack_count(tcp->stack, tcp_challenge_acks);
	return true;
}

static bool may_answer(struct tcp_conn *conn)
{
	struct stack *stack = conn->tcp->stack;

	if (bucket_take(&conn->challenge_limit, stack->now_us, PER_CONN_SECOND, PER_CONN_BURST))
		return true;
	stack_count(stack, tcp_challenge_limited);
	return false;
}

void tcp_input_challenge(struct tcp_conn *conn)
{
	if (may_answer(conn) && tcp_challenge_take(conn->tcp))
		tcp_conn_owe_ack(conn);
}

void tcp_input_probed(struct tcp_conn *conn)
{
	if (may_answer(conn))
		tcp_conn_owe_ack(conn);
}
