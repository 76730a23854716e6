/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/tcp/tcp_proto.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdlib.h>

#include "l4stack/tcp/tcp_budget.h"
#include "l4stack/tcp/tcp_conn.h"
#include "l4stack/tcp/tcp_express.h"
#include "l4stack/tcp/tcp_half.h"
#include "l4stack/tcp/tcp_ident.h"
#include "l4stack/tcp/tcp_input.h"
#include "l4stack/tcp/tcp_listener.h"
#include "l4stack/tcp/tcp_timewait.h"

#define COPY_BELOW_DEFAULT 256u
#define RUNS_PER_CONN      4u
#define RUNS_BESIDES       (1u << 18)
#define ORPHANS_LEAST      64u
#define HEADERS_MOST       64u /* TCP's header with all its options */

/* A piece that is copied has to fit next to a header. */
static uint32_t copy_below(const struct stack_conf *conf, const struct stack_pools *pools)
{
	uint32_t room = rte_pktmbuf_data_room_size(pools->header);
	uint32_t most = room - RTE_MIN(room, RTE_PKTMBUF_HEADROOM + HEADERS_MOST);
	uint32_t want = conf->copy_below_bytes ? conf->copy_below_bytes : COPY_BELOW_DEFAULT;

	return RTE_MIN(want, most);
}

int tcp_proto_create(struct stack *stack, const struct stack_conf *conf, struct tcp_proto **out)
{
	struct tcp_proto *tcp = calloc(1, sizeof(*tcp));

	if (!tcp)
		return -ENOMEM;
	if (tcp_table_init(&tcp->table) || tcp_input_create(tcp) || tcp_express_create(tcp)) {
		tcp_input_destroy(tcp);
		tcp_table_fini(&tcp->table);
		free(tcp);
		return -ENOMEM;
	}
	tcp->stack = stack;
	tcp->share_bytes = conf->memory_bytes / 2;
	tcp->orphans_most = RTE_MAX(conf->max_conns / 2, ORPHANS_LEAST);
	tcp->syn_window = tcp_budget_syn_window(tcp->share_bytes, conf->max_conns);
	tcp->copy_below = copy_below(conf, &stack->pools);
	tcp_slab_init(&tcp->conns, sizeof(struct tcp_conn), conf->max_conns);
	tcp_slab_init(&tcp->runs, sizeof(struct tcp_run),
		      conf->max_conns * RUNS_PER_CONN + RUNS_BESIDES);
	tcp_half_init(tcp);
	tcp_timewait_init(tcp);
	tcp_ident_init(tcp);
	tcp_conn_list_init(&tcp->flush);
	tcp_conn_list_init(&tcp->deliver);
	tcp_conn_list_init(&tcp->stopped);
	*out = tcp;
	return 0;
}

static void conn_destroy(void *ctx, void *object)
{
	struct tcp_conn *conn = object;

	(void)ctx;
	if (conn->state != TCP_FREE)
		tcp_conn_free(conn);
}

void tcp_proto_destroy(struct tcp_proto *tcp)
{
	tcp_input_destroy(tcp);
	tcp_express_destroy(tcp);
	tcp_slab_each(&tcp->conns, conn_destroy, NULL);
	tcp_listener_destroy_all(tcp);
	tcp_half_fini(tcp);
	tcp_timewait_fini(tcp);
	tcp_slab_fini(&tcp->conns);
	tcp_slab_fini(&tcp->runs);
	tcp_table_fini(&tcp->table);
	free(tcp);
}

void tcp_proto_resume(struct tcp_proto *tcp)
{
	tcp->resumed = tcp->stopped.head;
}

bool tcp_proto_pending(const struct tcp_proto *tcp)
{
	return tcp->flush.head || tcp->deliver.head || tcp->reply_count || tcp->stage->n ||
	       tcp->resumed || !TAILQ_EMPTY(&tcp->halves.queues[0]);
}
