/* SPDX-License-Identifier: BSD-3-Clause */
/* Upgrade and CONNECT: who may, what agrees, and bytes both ways to the end. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

#define OFFER                                                                  \
	"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n" \
	"Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n"
#define AGREED                                                        \
	"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" \
	"Upgrade: WebSocket\r\nSec-WebSocket-Accept: s\r\n\r\n"
#define CONNECT "CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n"

static const struct options upgrade = {.upgrade = "websocket"};

static struct peer *switched(struct peer *c)
{
	struct peer *o;
	const char *head;

	say(c, OFFER);
	o = origin_accept(0);
	head = hear_head(o);
	head_has(head, "Connection: upgrade\r\n");
	head_has(head, "Upgrade: websocket\r\n");
	head_has(head, "Sec-WebSocket-Key: k\r\n");
	say(o, AGREED);
	head = hear_head(c);
	head_has(head, "HTTP/1.1 101 Switching Protocols\r\n");
	head_has(head, "Connection: upgrade\r\n");
	head_has(head, "Upgrade: WebSocket\r\n");
	head_has(head, "Sec-WebSocket-Accept: s\r\n");
	head_lacks(head, "Content-Length");
	head_lacks(head, "Transfer-Encoding");
	return o;
}

static void test_both_ways(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&upgrade);
	c = client_open();
	o = switched(c);
	say(c, "GET / HTTP/1.1\r\n\r\n"); /* only bytes now */
	hear(o, "GET / HTTP/1.1\r\n\r\n");
	say(o, "\x81\x02hi");
	hear(c, "\x81\x02hi");
	say_pattern(c, 1, 300000);
	say_pattern(o, 2, 300000);
	hear_pattern(o, 1, 300000);
	hear_pattern(c, 2, 300000);
	assert_int_equal(counted(payload_copied_bytes), 0);
	assert_int_equal(counted(tunnels), 1);
	peer_shut(c);
	hear_end(o);
	say(o, "bye");
	hear(c, "bye");
	peer_shut(o);
	hear_end(c);
	assert_int_equal(counted(exchanges_failed), 0);
	bench_close();
}

/* What the client says before the server has agreed is the tunnel's, and not lost. */
static void test_eager_client(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&upgrade);
	c = client_open();
	say(c, OFFER "eager");
	o = origin_accept(0);
	hear_head(o);
	hear_nothing(o, 20);
	say(o, AGREED "prompt");
	hear_head(c);
	hear(c, "prompt");
	hear(o, "eager");
	peer_shut(o);
	hear_end(c);
	say(c, "more");
	peer_shut(c);
	hear(o, "more");
	hear_end(o);
	bench_close();
}

/* Without agreement it is the next request, whoever hoped for something else. */
static void test_not_agreed(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&upgrade);
	c = client_open();
	say(c, OFFER GET("/second"));
	o = origin_accept(0);
	hear_head(o);
	say(o, OK(2) "no");
	hear_head(c);
	hear(c, "no");
	head_has(hear_head(o), "GET /second HTTP/1.1\r\n");
	say(o, OK(3) "yes");
	hear_head(c);
	hear(c, "yes");
	assert_int_equal(counted(tunnels), 0);
	bench_close();
}

static void not_offered(const struct options *options, const char *request)
{
	struct peer *c, *o;
	const char *head;

	bench_open(options);
	c = client_open();
	say(c, request);
	o = origin_accept(0);
	head = hear_head(o);
	head_lacks(head, "Upgrade");
	head_lacks(head, "upgrade");
	if (strstr(request, "hello"))
		hear(o, "hello");
	say(o, AGREED);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	assert_int_equal(counted(tunnels), 0);
	assert_int_equal(counted(responses_bad), 1);
	bench_close();
}

#define UPGRADE_TO(method, version, more, protocol)      \
	method " / HTTP/" version "\r\nHost: a\r\n" more \
	       "Connection: upgrade\r\nUpgrade: " protocol "\r\n\r\n"

static void test_not_offered(void **state)
{
	static const struct options none;

	(void)state;
	not_offered(&none, OFFER);
	not_offered(&upgrade, UPGRADE_TO("GET", "1.1", "", "h2c"));
	not_offered(&upgrade, UPGRADE_TO("GET", "1.1", "", "websocket, h2c"));
	not_offered(&upgrade, UPGRADE_TO("GET", "1.1", "", ""));
	not_offered(&upgrade, UPGRADE_TO("GET", "1.0", "", "websocket"));
	not_offered(&upgrade, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
	not_offered(&upgrade,
		    UPGRADE_TO("POST", "1.1", "Content-Length: 5\r\n", "websocket") "hello");
}

static void disagreed(const char *answer)
{
	struct peer *c, *o;

	bench_open(&upgrade);
	c = client_open();
	say(c, OFFER);
	o = origin_accept(0);
	hear_head(o);
	say(o, answer);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	until(o->closed || o->ended);
	assert_int_equal(counted(tunnels), 0);
	bench_close();
}

static void test_wrong_agreement(void **state)
{
	(void)state;
	disagreed("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n");
	disagreed("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket, h2c\r\n\r\n");
	disagreed("HTTP/1.1 101 X\r\nConnection: upgrade\r\n\r\n");
	disagreed("HTTP/1.0 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
	disagreed("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
		  "Content-Length: 0\r\n\r\n");
	disagreed("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n");
}

static void test_resets(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&upgrade);
	c = client_open();
	o = switched(c);
	peer_abort(c);
	hear_reset(o);
	c = client_open();
	o = switched(c);
	peer_abort(o);
	hear_reset(c);
	assert_int_equal(counted(tunnels_reset), 2);
	assert_int_equal(counted(responses_cut), 0);
	bench_close();
}

static void test_idle(void **state)
{
	static const struct options options = {
		.upgrade = "websocket", .tunnel_ms = 3000, .body_ms = 500, .idle_ms = 500};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	o = switched(c);
	bench_run_ms(2500);
	say(o, "still here");
	hear(c, "still here");
	bench_run_ms(2500);
	assert_int_equal(counted(timeouts_tunnel), 0);
	bench_run_ms(1000);
	hear_reset(c);
	hear_reset(o);
	assert_int_equal(counted(timeouts_tunnel), 1);
	bench_close();
}

/* Functions see the request and the 101, and nothing of what follows. */
static void test_functions(void **state)
{
	static const struct options options = {.upgrade = "websocket", .path = 2};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	o = switched(c);
	say(c, "ping");
	hear(o, "ping");
	assert_int_equal(bench.fakes[0]->heads[0], 1);
	assert_int_equal(bench.fakes[0]->heads[1], 1);
	fake_down(bench.fakes[0]);
	say(o, "pong");
	hear(c, "pong");
	peer_shut(c);
	hear_end(o);
	peer_shut(o);
	hear_end(c);
	until(bench.fakes[1]->dones == 1);
	bench_close();
}

static void test_connect(void **state)
{
	static const struct options options = {.connect = true};
	struct peer *c, *o;
	const char *head;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, CONNECT "early");
	o = origin_accept(0);
	head = hear_head(o);
	head_has(head, "CONNECT far.example:443 HTTP/1.1\r\n");
	head_has(head, "Host: far.example:443\r\n");
	hear_nothing(o, 20);
	say(o, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere");
	head = hear_head(c);
	head_has(head, "HTTP/1.1 200 OK\r\n");
	head_lacks(head, "Content-Length");
	head_lacks(head, "Connection");
	hear(c, "there");
	hear(o, "early");
	peer_shut(c);
	hear_end(o);
	peer_shut(o);
	hear_end(c);
	bench_close();
}

static void test_connect_refused_by_the_server(void **state)
{
	static const struct options options = {.connect = true};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	c = client_open();
	say(c, CONNECT GET("/next"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
	head_has(hear_head(c), "HTTP/1.1 403 ");
	hear(c, "no");
	head_has(hear_head(o), "GET /next HTTP/1.1\r\n");
	say(o, OK(2) "ok");
	head_has(hear_head(c), "HTTP/1.1 200 ");
	bench_close();
}

static void answers_200(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	if (down->kind != SLUICE_DOWN_REQUEST_HEAD) {
		fake_pass(fake, down);
		return;
	}
	up.status = 200;
	up.respond.body_bytes = 0;
	up.flags |= SLUICE_UP_END;
	fake_say(fake, &up);
}

static void instead_of_101(struct fake *fake, const struct sluice_down *down)
{
	struct sluice_up up = fake_answer(down, SLUICE_RESPOND);

	if (down->kind != SLUICE_DOWN_RESPONSE_HEAD) {
		fake_pass(fake, down);
		return;
	}
	up.status = 403;
	up.respond.body_bytes = 0;
	up.flags |= SLUICE_UP_END;
	fake_say(fake, &up);
}

/* A server that has switched is asked nothing more, although the client has not. */
static void test_function_answers_instead(void **state)
{
	static const struct options options = {.upgrade = "websocket", .path = 1};
	struct peer *c, *o;

	(void)state;
	bench_open(&options);
	bench.fakes[0]->on = instead_of_101;
	c = client_open();
	say(c, OFFER);
	o = origin_accept(0);
	hear_head(o);
	say(o, AGREED);
	head_has(hear_head(c), "HTTP/1.1 403 ");
	say(c, OFFER);
	hear_head(origin_accept(0));
	until(o->ended || o->closed);
	assert_int_equal(counted(tunnels), 0);
	bench_close();
}

/* A 200 to CONNECT that a function makes would leave the client in a tunnel to nowhere. */
static void test_function_answers_connect(void **state)
{
	static const struct options options = {.connect = true, .path = 1};
	struct peer *c;

	(void)state;
	bench_open(&options);
	bench.fakes[0]->on = answers_200;
	c = client_open();
	say(c, CONNECT);
	head_has(hear_head(c), "HTTP/1.1 502 ");
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_eager_client),
		cmocka_unit_test(test_not_agreed),
		cmocka_unit_test(test_not_offered),
		cmocka_unit_test(test_wrong_agreement),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_connect_refused_by_the_server),
		cmocka_unit_test(test_function_answers_instead),
		cmocka_unit_test(test_function_answers_connect),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
