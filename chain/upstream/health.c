/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain/upstream/health.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/upstream/match.h"
#include "l4stack/stack.h"
#include "l4stack/tcp/tcp.h"

#define READMIT_MS   100        /* how late an ejection may end */
#define STAGGER_MS   7          /* between the first checks of neighbours */
#define STATUS_BYTES 12         /* "HTTP/1.1 200" */
#define ANSWER_MAX   (64 << 10) /* what is looked at for a text */

#define load(p) __atomic_load_n((p), __ATOMIC_RELAXED)

struct check {
	struct health *health;
	struct tcp_conn *conn; /* a check is under way */
	struct timer timer;    /* its timeout; else when the next one begins */
	uint32_t server;
	uint16_t in_a_row; /* results that speak against the present state */
	bool running, down;
	uint8_t got;
	char status[STATUS_BYTES + 1];
	uint32_t read; /* bytes of the answer */
	struct match match;
};

struct health {
	struct upstreams *upstreams;
	struct stack *stack;
	struct timers *timers;
	struct rte_mempool *data;
	struct check *check; /* by server */
	struct timer readmit;
	uint32_t applied;
	struct health_counters counters;
};

static const struct upstream_group *group_of(const struct check *check)
{
	const struct upstreams *upstreams = check->health->upstreams;

	return upstreams_group(upstreams, upstreams_group_of(upstreams, check->server));
}

/* --- results --------------------------------------------------------------------- */

static void result(struct check *check, bool healthy)
{
	struct health *health = check->health;
	const struct upstream_group *group = group_of(check);

	health->counters.checks++;
	health->counters.failures += !healthy;
	timer_start_ms(health->timers, &check->timer, load(&group->check_interval_ms));
	if (healthy != check->down) {
		check->in_a_row = 0;
		return;
	}
	if (++check->in_a_row < (healthy ? load(&group->check_rise) : load(&group->check_fall)))
		return;
	check->in_a_row = 0;
	check->down = !healthy;
	upstreams_checked(health->upstreams, check->server, healthy);
}

static void finish(struct check *check, bool healthy)
{
	if (check->conn)
		tcp_abort(check->conn);
	check->conn = NULL;
	result(check, healthy);
}

/* --- the exchange ---------------------------------------------------------------- */

static struct rte_mbuf *request(const struct check *check, const char *path)
{
	const struct upstream_group *group = group_of(check);
	struct rte_mbuf *m = group ? rte_pktmbuf_alloc(check->health->data) : NULL;
	const char *named = m ? load(&group->check_host) : NULL;
	char host[ENDPOINT_TEXT_MAX];
	struct endpoint endpoint;
	uint16_t room;
	int len;

	if (!m)
		return NULL;
	upstreams_endpoint(check->health->upstreams, check->server, &endpoint);
	room = rte_pktmbuf_tailroom(m);
	endpoint_format(&endpoint, host, sizeof(host));
	/* To HTTP/1.0 nobody answers in chunks: a body that is looked at comes as it is. */
	len = snprintf(rte_pktmbuf_mtod(m, char *), room,
		       "GET %s HTTP/1.%c\r\nHost: %s\r\nUser-Agent: sluice-health\r\n"
		       "Connection: close\r\n\r\n",
		       path, load(&group->check_body) ? '0' : '1', named ? named : host);
	if (len < 0 || len >= room) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	m->data_len = (uint16_t)len;
	m->pkt_len = (uint32_t)len;
	return m;
}

static void on_opened(struct tcp_conn *conn, void *user)
{
	struct check *check = user;
	const char *path = load(&group_of(check)->check_path);
	struct rte_mbuf *m;

	if (!path) {
		finish(check, true);
		return;
	}
	m = request(check, path);
	if (!m || tcp_send(conn, m)) {
		rte_pktmbuf_free(m);
		finish(check, false);
	}
}

static void status_append(struct check *check, const uint8_t *bytes, uint32_t len)
{
	uint32_t n = STATUS_BYTES - check->got;

	if (n > len)
		n = len;
	memcpy(check->status + check->got, bytes, n);
	check->got = (uint8_t)(check->got + n);
}

/* True: the text that the body must have was found. */
static bool answer_append(struct check *check, const struct rte_mbuf *chain, const char *text)
{
	bool found = false;

	for (const struct rte_mbuf *m = chain; m; m = m->next) {
		const uint8_t *bytes = rte_pktmbuf_mtod(m, const uint8_t *);

		status_append(check, bytes, m->data_len);
		check->read += m->data_len;
		if (text && !found)
			found = match_feed(&check->match, text, bytes, m->data_len);
	}
	return found;
}

static bool status_healthy(const struct check *check)
{
	const struct upstream_group *group = group_of(check);
	unsigned minor, status;

	return sscanf(check->status, "HTTP/1.%1u %3u", &minor, &status) == 2 &&
	       status >= load(&group->check_expect_min) && status <= load(&group->check_expect_max);
}

static void on_readable(struct tcp_conn *conn, void *user)
{
	struct check *check = user;
	const char *text = load(&group_of(check)->check_body);
	struct rte_mbuf *chain = tcp_recv(conn, text ? ANSWER_MAX : STATUS_BYTES - check->got);
	bool found = answer_append(check, chain, text), known = check->got == STATUS_BYTES;

	rte_pktmbuf_free(chain);
	if (known && (!text || found || !status_healthy(check)))
		finish(check, status_healthy(check));
	else if (tcp_recv_ended(conn) || check->read >= ANSWER_MAX)
		finish(check, false);
}

static void on_closed(struct tcp_conn *conn, void *user, enum tcp_close_reason reason)
{
	struct check *check = user;

	(void)conn;
	(void)reason;
	check->conn = NULL;
	result(check, false);
}

static const struct tcp_handlers handlers = {
	.opened = on_opened,
	.readable = on_readable,
	.closed = on_closed,
};

static void begin(struct check *check)
{
	struct health *health = check->health;
	struct tcp_conf conf = {.connect_timeout_ms = load(&group_of(check)->check_timeout_ms)};
	struct endpoint endpoint;

	check->got = 0;
	check->read = 0;
	check->match = (struct match){0};
	memset(check->status, 0, sizeof(check->status));
	timer_start_ms(health->timers, &check->timer, conf.connect_timeout_ms);
	upstreams_endpoint(health->upstreams, check->server, &endpoint);
	if (tcp_connect(health->stack, &endpoint, &conf, &handlers, check, &check->conn)) {
		check->conn = NULL;
		result(check, false);
	}
}

static void on_timer(struct timer *timer)
{
	struct check *check = timer_owner(timer, struct check, timer);

	if (check->conn)
		finish(check, false);
	else
		begin(check);
}

/* --- which servers --------------------------------------------------------------- */

static void pause_check(struct check *check)
{
	timer_stop(check->health->timers, &check->timer);
	if (check->conn)
		tcp_abort(check->conn);
	check->conn = NULL;
	check->running = false;
}

static void stop(struct check *check)
{
	if (!check->running)
		return;
	pause_check(check);
	check->down = false;
	check->in_a_row = 0;
	upstreams_checked(check->health->upstreams, check->server, true);
}

static void start(struct check *check)
{
	if (check->running)
		return;
	check->running = true;
	check->timer.fire = on_timer;
	timer_start_ms(check->health->timers, &check->timer,
		       check->server * STAGGER_MS % load(&group_of(check)->check_interval_ms));
}

static bool wanted(const struct health *health, uint32_t server)
{
	const struct upstream_group *group =
		upstreams_group(health->upstreams, upstreams_group_of(health->upstreams, server));

	return group && load(&group->check) && load(&group->check_interval_ms) &&
	       upstreams_present(health->upstreams, server);
}

static void on_readmit(struct timer *timer)
{
	struct health *health = timer_owner(timer, struct health, readmit);

	upstreams_readmit(health->upstreams, health->timers->now_us);
	upstreams_warm(health->upstreams, health->timers->now_us);
	timer_start_ms(health->timers, timer, READMIT_MS);
}

/* Ejections can happen on any worker at any time: looked for while some group has them. So with
 * slow starts. */
static void readmit_follow(struct health *health)
{
	const struct upstream_group *group;
	bool any = false;

	for (uint16_t i = 0; (group = upstreams_group(health->upstreams, i)); i++)
		any |= load(&group->max_fails) || load(&group->max_5xx) ||
		       load(&group->slow_start_ms);
	if (any && !wheel_timer_running(&health->readmit.wheel))
		timer_start_ms(health->timers, &health->readmit, READMIT_MS);
	else if (!any)
		timer_stop(health->timers, &health->readmit);
}

void health_poll(struct health *health)
{
	uint32_t applied = upstreams_applied(health->upstreams);

	if (applied == health->applied)
		return;
	health->applied = applied;
	for (uint32_t i = 0, n = upstreams_servers(health->upstreams); i < n; i++)
		if (wanted(health, i))
			start(&health->check[i]);
		else
			stop(&health->check[i]);
	readmit_follow(health);
}

void health_pause(struct health *health)
{
	for (uint32_t i = 0, n = upstreams_servers(health->upstreams); i < n; i++)
		if (health->check[i].running)
			pause_check(&health->check[i]);
	timer_stop(health->timers, &health->readmit);
	health->applied = 0;
}

int health_create(struct upstreams *upstreams, struct stack *stack, struct timers *timers,
		  struct rte_mempool *data, struct health **out)
{
	struct health *health = calloc(1, sizeof(*health));

	if (!health)
		return -ENOMEM;
	*health = (struct health){.upstreams = upstreams,
				  .stack = stack,
				  .timers = timers,
				  .data = data,
				  .readmit.fire = on_readmit};
	health->check = calloc(SLUICE_SERVERS_MAX, sizeof(*health->check));
	if (!health->check) {
		free(health);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < SLUICE_SERVERS_MAX; i++) {
		health->check[i].health = health;
		health->check[i].server = i;
	}
	*out = health;
	return 0;
}

void health_destroy(struct health *health)
{
	if (!health)
		return;
	for (uint32_t i = 0, n = upstreams_servers(health->upstreams); i < n; i++)
		stop(&health->check[i]);
	timer_stop(health->timers, &health->readmit);
	free(health->check);
	free(health);
}

const struct health_counters *health_counters(const struct health *health)
{
	return &health->counters;
}
