/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/upstream/pool.h"

#include <errno.h>
#include <stdlib.h>

#include "mgmt/conf/conf.h"

TAILQ_HEAD(conn_list, upstream_conn);

struct upstream_pool {
	struct upstreams *upstreams;
	struct stack *stack;
	struct timers *timers;
	struct upstream_conn *conns;
	struct conn_list free;
	struct conn_list by_age;
	struct conn_list *idle; /* by server: the last one used comes first */
	uint16_t *idle_count;   /* by server */
	uint32_t used, idle_total;
	struct pool_counters counters;
};

static void idle_expired(struct timer *timer);

int pool_create(struct upstreams *upstreams, struct stack *stack, struct timers *timers,
		uint32_t connections, struct upstream_pool **out)
{
	struct upstream_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	*pool = (struct upstream_pool){.upstreams = upstreams, .stack = stack, .timers = timers};
	TAILQ_INIT(&pool->free);
	TAILQ_INIT(&pool->by_age);
	pool->conns = calloc(connections, sizeof(*pool->conns));
	pool->idle = calloc(SLUICE_SERVERS_MAX, sizeof(*pool->idle));
	pool->idle_count = calloc(SLUICE_SERVERS_MAX, sizeof(*pool->idle_count));
	if (!pool->conns || !pool->idle || !pool->idle_count) {
		pool_destroy(pool);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < SLUICE_SERVERS_MAX; i++)
		TAILQ_INIT(&pool->idle[i]);
	for (uint32_t i = connections; i-- > 0;)
		TAILQ_INSERT_HEAD(&pool->free, &pool->conns[i], link);
	*out = pool;
	return 0;
}

void pool_destroy(struct upstream_pool *pool)
{
	if (!pool)
		return;
	while (!TAILQ_EMPTY(&pool->by_age))
		pool_abort(TAILQ_FIRST(&pool->by_age));
	free(pool->conns);
	free(pool->idle);
	free(pool->idle_count);
	free(pool);
}

static void idle_remove(struct upstream_conn *conn)
{
	struct upstream_pool *pool = conn->pool;

	timer_rest(&conn->timer);
	TAILQ_REMOVE(&pool->idle[conn->server], conn, link);
	TAILQ_REMOVE(&pool->by_age, conn, age);
	pool->idle_count[conn->server]--;
	pool->idle_total--;
	upstreams_idle(pool->upstreams, conn->server, -1);
	conn->ops = NULL;
}

static void idle_readable(struct upstream_conn *conn, void *user)
{
	(void)user;
	pool_abort(conn); /* its end, or bytes that nobody asked for */
}

/* An idle connection has these for its user. */
static const struct upstream_user_ops idle_ops = {.readable = idle_readable};

static bool is_idle(const struct upstream_conn *conn)
{
	return conn->ops == &idle_ops;
}

/* Its structure becomes free; the TCP connection was ended by the caller, or by its peer. */
static void conn_free(struct upstream_conn *conn)
{
	struct upstream_pool *pool = conn->pool;

	if (is_idle(conn)) {
		idle_remove(conn);
		pool->counters.idle_closed++;
	}
	timer_stop(pool->timers, &conn->timer);
	TAILQ_INSERT_HEAD(&pool->free, conn, link);
	pool->used--;
}

/* --- events ---------------------------------------------------------------------- */

static void on_opened(struct tcp_conn *tcp, void *user)
{
	struct upstream_conn *conn = user;

	(void)tcp;
	conn->open = true;
	if (conn->ops->opened)
		conn->ops->opened(conn, conn->user);
}

static void on_readable(struct tcp_conn *tcp, void *user)
{
	struct upstream_conn *conn = user;

	(void)tcp;
	if (conn->ops->readable)
		conn->ops->readable(conn, conn->user);
}

static void on_writable(struct tcp_conn *tcp, void *user)
{
	struct upstream_conn *conn = user;

	(void)tcp;
	if (conn->ops->writable)
		conn->ops->writable(conn, conn->user);
}

static void on_closed(struct tcp_conn *tcp, void *user, enum tcp_close_reason reason)
{
	struct upstream_conn *conn = user;

	(void)tcp;
	conn->pool->counters.failed += !conn->open;
	if (conn->ops->closed)
		conn->ops->closed(conn, conn->user, reason);
	conn->tcp = NULL;
	conn_free(conn);
}

static const struct tcp_handlers handlers = {
	.opened = on_opened,
	.readable = on_readable,
	.writable = on_writable,
	.closed = on_closed,
};

/* --- opening --------------------------------------------------------------------- */

/* An idle connection that looks alive; those that do not are ended on the way. */
static struct upstream_conn *idle_take(struct upstream_pool *pool, uint32_t server)
{
	struct upstream_conn *conn;

	while ((conn = TAILQ_FIRST(&pool->idle[server]))) {
		if (!tcp_recv_ready(conn->tcp) && !tcp_recv_ended(conn->tcp)) {
			idle_remove(conn);
			return conn;
		}
		pool_abort(conn);
	}
	return NULL;
}

static int connect_new(struct upstream_pool *pool, struct upstream_conn *conn, uint32_t server,
		       uint32_t connect_ms)
{
	const struct upstream_group *group =
		upstreams_group(pool->upstreams, upstreams_group_of(pool->upstreams, server));
	struct tcp_conf conf = {
		.connect_timeout_ms =
			connect_ms ? connect_ms
				   : __atomic_load_n(&group->connect_timeout_ms, __ATOMIC_RELAXED),
	};
	struct endpoint endpoint;

	upstreams_endpoint(pool->upstreams, server, &endpoint);
	return tcp_connect(pool->stack, &endpoint, &conf, &handlers, conn, &conn->tcp);
}

/* A free structure; when there is none the connection that was idle the longest makes room. */
static struct upstream_conn *conn_take(struct upstream_pool *pool)
{
	struct upstream_conn *conn;

	if (TAILQ_EMPTY(&pool->free) && !TAILQ_EMPTY(&pool->by_age))
		pool_close(TAILQ_FIRST(&pool->by_age));
	conn = TAILQ_FIRST(&pool->free);
	if (!conn)
		return NULL;
	TAILQ_REMOVE(&pool->free, conn, link);
	pool->used++;
	*conn = (struct upstream_conn){.pool = pool, .timer.fire = idle_expired};
	return conn;
}

static int open_fresh(struct upstream_pool *pool, uint32_t server, uint32_t connect_ms,
		      struct upstream_conn **out)
{
	struct upstream_conn *conn = conn_take(pool);
	int error;

	if (!conn)
		return -ENOMEM;
	conn->server = server;
	error = connect_new(pool, conn, server, connect_ms);
	if (error) {
		pool->counters.failed++;
		conn_free(conn);
		return error;
	}
	pool->counters.opened++;
	*out = conn;
	return 0;
}

int pool_open(struct upstream_pool *pool, uint32_t server, bool fresh, uint32_t connect_ms,
	      const struct upstream_user_ops *ops, void *user, struct upstream_conn **out)
{
	struct upstream_conn *conn = fresh ? NULL : idle_take(pool, server);
	int error = 0;

	if (conn) {
		conn->reused = true;
		pool->counters.reused++;
	} else {
		error = open_fresh(pool, server, connect_ms, &conn);
	}
	if (error)
		return error;
	conn->ops = ops;
	conn->user = user;
	*out = conn;
	return 0;
}

/* --- giving back ----------------------------------------------------------------- */

static void idle_expired(struct timer *timer)
{
	pool_close(timer_owner(timer, struct upstream_conn, timer));
}

void pool_keep(struct upstream_conn *conn)
{
	struct upstream_pool *pool = conn->pool;
	const struct upstream_group *group =
		upstreams_group(pool->upstreams, upstreams_group_of(pool->upstreams, conn->server));

	if (pool->idle_count[conn->server] >=
		    __atomic_load_n(&group->keepalive, __ATOMIC_RELAXED) ||
	    __atomic_load_n(&group->reuse, __ATOMIC_RELAXED) == CONF_REUSE_NEVER ||
	    !upstreams_present(pool->upstreams, conn->server)) {
		pool_close(conn);
		return;
	}
	conn->ops = &idle_ops;
	conn->user = NULL;
	TAILQ_INSERT_HEAD(&pool->idle[conn->server], conn, link);
	TAILQ_INSERT_TAIL(&pool->by_age, conn, age);
	pool->idle_count[conn->server]++;
	pool->idle_total++;
	upstreams_idle(pool->upstreams, conn->server, 1);
	timer_start_ms(pool->timers, &conn->timer,
		       __atomic_load_n(&group->idle_timeout_ms, __ATOMIC_RELAXED));
}

void pool_close(struct upstream_conn *conn)
{
	tcp_close(conn->tcp);
	conn_free(conn);
}

void pool_abort(struct upstream_conn *conn)
{
	tcp_abort(conn->tcp);
	conn_free(conn);
}

void pool_close_idle(struct upstream_pool *pool)
{
	while (!TAILQ_EMPTY(&pool->by_age))
		pool_close(TAILQ_FIRST(&pool->by_age));
}

uint32_t pool_idle(const struct upstream_pool *pool)
{
	return pool->idle_total;
}

uint32_t pool_used(const struct upstream_pool *pool)
{
	return pool->used;
}

const struct pool_counters *pool_counters(const struct upstream_pool *pool)
{
	return &pool->counters;
}
