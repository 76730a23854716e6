/* SPDX-License-Identifier: BSD-3-Clause */
/* Heads from client to origin and back, without functions. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/chain/engine/bench.h"

static const struct options plain;

static void test_get(void **state)
{
	struct peer *c, *o;
	const char *head;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "GET /a?b=1 HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n");
	o = origin_accept(0);
	hear(o, "GET /a?b=1 HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n");
	say(o, "HTTP/1.1 200 OK\r\nServer: o\r\nContent-Length: 5\r\n\r\nhello");
	head = hear_head(c);
	head_has(head, "HTTP/1.1 200 OK\r\n");
	head_has(head, "Content-Length: 5\r\n");
	head_has(head, "Server: o\r\n");
	head_has(head, "Date: ");
	hear(c, "hello");
	bench_run_ms(10);
	assert_int_equal(counted(requests), 1);
	assert_int_equal(counted(payload_referenced_bytes), 5);
	assert_int_equal(counted(payload_copied_bytes), 0);
	bench_check_idle();
	bench_close();
}

static void test_keep_alive(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/0"));
	o = origin_accept(0);
	for (unsigned i = 0; i < 5; i++) {
		hear_head(o);
		say(o, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
		head_lacks(hear_head(c), "Connection:");
		hear(c, "hi");
		say(c, GET("/next"));
	}
	hear_head(o);
	assert_int_equal(counted(origin_opened), 1);
	assert_int_equal(counted(origin_reused), 5);
	bench_close();
}

static void test_pipelining(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c,
	    GET("/1") GET("/2") "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" GET(
		    "/4"));
	o = origin_accept(0);
	for (unsigned i = 1; i <= 4; i++) {
		char answer[64], line[32];

		snprintf(line, sizeof(line), " /%u HTTP/1.1\r\n", i);
		head_has(hear_head(o), line);
		if (i == 3)
			hear(o, "abc");
		hear_nothing(o, 5);
		snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%u",
			 i);
		say(o, answer);
		hear_head(c);
		hear(c, answer + strlen(answer) - 1);
	}
	bench_close();
}

static void test_without_body(void **state)
{
	struct peer *c, *o;
	const char *head;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	head_has(hear_head(c), "Content-Length: 1000\r\n");
	say(c, GET("/204"));
	hear_head(o);
	say(o, "HTTP/1.1 204 No Content\r\n\r\n");
	head = hear_head(c);
	head_has(head, "HTTP/1.1 204 ");
	head_lacks(head, "Content-Length");
	say(c, GET("/304"));
	hear_head(o);
	say(o, "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
	head_has(hear_head(c), "ETag: \"x\"\r\n");
	say(c, GET("/empty"));
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	head_has(hear_head(c), "Content-Length: 0\r\n");
	say(c, GET("/last"));
	hear_head(o);
	assert_int_equal(counted(origin_opened), 1);
	bench_close();
}

static void test_http10(void **state)
{
	struct peer *c, *o;
	const char *head;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "GET / HTTP/1.0\r\n\r\n");
	o = origin_accept(0);
	head = hear_head(o);
	head_has(head, "GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\n");
	say(o, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	       "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
	head = hear_head(c);
	head_lacks(head, "Transfer-Encoding");
	head_has(head, "Connection: close\r\n");
	hear(c, "abcde");
	hear_end(c);
	c = client_open();
	say(c, "GET / HTTP/1.0\r\nHost: b\r\nConnection: keep-alive\r\n\r\n");
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
	head_has(hear_head(c), "Connection: keep-alive\r\n");
	hear(c, "x");
	say(c, "GET / HTTP/1.0\r\nHost: b\r\n\r\n");
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
	head_has(hear_head(c), "Connection: close\r\n");
	hear(c, "x");
	hear_end(c);
	bench_close();
}

static void test_connection_close(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	o = origin_accept(0);
	head_lacks(hear_head(o), "Connection");
	say(o, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
	head_has(hear_head(c), "Connection: close\r\n");
	hear(c, "x");
	hear_end(c);
	until(o->ended || o->closed);
	bench_close();
}

static void test_informational(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
	o = origin_accept(0);
	head_has(hear_head(o), "Expect: 100-continue\r\n");
	say(o, "HTTP/1.1 100 Continue\r\n\r\n");
	head_has(hear_head(c), "HTTP/1.1 100 Continue\r\n");
	say(c, "body");
	hear(o, "body");
	say(o, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
	       "0\r\n\r\n");
	head_has(hear_head(c), "Link: </a>\r\n");
	head_has(hear_head(c), "HTTP/1.1 200 OK\r\n");
	assert_int_equal(counted(responses_informational), 2);
	c = client_open();
	say(c, "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
	hear_head(o);
	say(o, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	head_has(hear_head(c), "HTTP/1.1 200 OK\r\n");
	bench_close();
}

static void refused(const char *request, const char *status_line)
{
	struct peer *c = client_open();

	say(c, request);
	head_has(hear_head(c), status_line);
	until(c->ended || c->closed);
	assert_true(c->ended);
}

static void test_refused(void **state)
{
	static char longer[40000];

	(void)state;
	bench_open(&plain);
	refused("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
	refused("GET /\r\n\r\n", "HTTP/1.1 400 ");
	refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
		"chunked\r\n\r\n",
		"HTTP/1.1 400 ");
	refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 ");
	refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"HTTP/1.1 501 ");
	refused("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "HTTP/1.1 501 ");
	memset(longer, 'x', 10000);
	memcpy(longer, "GET /", 5);
	strcpy(longer + 10000, " HTTP/1.1\r\nHost: a\r\n\r\n");
	refused(longer, "HTTP/1.1 414 ");
	memset(longer, 'x', sizeof(longer) - 1);
	memcpy(longer, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 28);
	refused(longer, "HTTP/1.1 431 ");
	assert_int_equal(counted(requests), 0);
	assert_int_equal(counted(requests_bad), 7);
	assert_int_equal(counted(http_length_and_coding), 1);
	assert_int_equal(counted(requests_connect), 1);
	assert_false(origin_has_new(0));
	bench_close();
}

/* What still comes from a client that was refused does not keep it from reading the answer. */
static void test_refused_while_sending(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "BAD\r\n\r\n");
	say_pattern(c, 0, 100000);
	head_has(hear_head(c), "HTTP/1.1 400 ");
	until(c->ended || c->closed);
	assert_true(c->ended);
	bench_close();
}

static void test_trickling_head(void **state)
{
	const char *head = "GET /slow HTTP/1.1\r\nHost: a.example\r\nX-Field: value of it\r\n\r\n";
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	for (const char *p = head; *p; p++) {
		say_bytes(c, p, 1);
		bench_run_ms(1);
		if (p[1]) {
			assert_int_equal(engine_exchanges(bench.engine), 0);
			assert_false(origin_has_new(0));
		}
	}
	o = origin_accept(0);
	hear(o, head);
	bench_close();
}

/* More than a small slot takes: fields, and text in many segments. */
static void test_large_heads(void **state)
{
	static char head[32768];
	struct options options = {.max_fields = 1000, .max_head_bytes = 60000};
	struct peer *c, *o;
	int len;

	(void)state;
	bench_open(&options);
	len = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\n");
	for (unsigned i = 0; i < 600; i++)
		len += snprintf(head + len, sizeof(head) - (size_t)len,
				"X-Field-%u: some value %u\r\n", i, i);
	snprintf(head + len, sizeof(head) - (size_t)len, "\r\n");
	c = client_open();
	say(c, head);
	o = origin_accept(0);
	hear(o, head);
	memcpy(head, "HTTP/1.1 200 OK\r\nETag: \"1\"\r\n", 28);
	head[22] = 'g';
	say(o, "HTTP/1.1 200 OK\r\n");
	say(o, strstr(head, "X-Field-1:"));
	head_has(hear_head(c), "X-Field-599: some value 599\r\n");
	peer_shut(o);
	hear(c, "0\r\n\r\n");
	bench_close();
}

static void test_client_half_closes(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	peer_shut(c);
	o = origin_accept(0);
	hear_head(o);
	bench_run_ms(20);
	say(o, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	hear_head(c);
	hear(c, "hi");
	hear_end(c);
	bench_close();
}

static void test_client_half_says(void **state)
{
	struct peer *c;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, "GET / HTTP/1.1\r\nHo");
	peer_shut(c);
	head_has(hear_head(c), "HTTP/1.1 400 ");
	bench_close();
}

static void test_client_goes(void **state)
{
	struct peer *c, *o;

	(void)state;
	bench_open(&plain);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	peer_abort(c);
	hear_reset(o);
	assert_int_equal(counted(exchanges_client_gone), 1);
	c = client_open();
	say(c, GET("/"));
	o = origin_accept(0);
	hear_head(o);
	say(o, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	say_pattern(o, 0, 5000);
	hear_head(c);
	peer_abort(c);
	hear_reset(o);
	bench_check_idle();
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_pipelining),
		cmocka_unit_test(test_without_body),
		cmocka_unit_test(test_http10),
		cmocka_unit_test(test_connection_close),
		cmocka_unit_test(test_informational),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_while_sending),
		cmocka_unit_test(test_trickling_head),
		cmocka_unit_test(test_large_heads),
		cmocka_unit_test(test_client_half_closes),
		cmocka_unit_test(test_client_half_says),
		cmocka_unit_test(test_client_goes),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
