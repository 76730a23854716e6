/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that are refused before any function is shown them, and what functions hear of that. */
#include <string.h>

#include "tests/unit/chain/engine/bench.h"
#include "tests/unit/chain/engine/bench_internal.h"

#define HEADS (ENGINE_HOOK_REQUEST_HEAD | ENGINE_HOOK_RESPONSE_HEAD | ENGINE_HOOK_DONE)

/* What the head said, read while it may be. */
static struct {
	char method[32], target[64], host[32], agent[32];
	struct sluice_peer client;
	uint8_t version;
	unsigned times;
} told;

static struct fake *f(unsigned i)
{
	return bench.fakes[i];
}

static const struct sluice_end *end_of(unsigned i)
{
	return &f(i)->last[SLUICE_DOWN_REFUSED].end;
}

static void note(struct fake *fake, const struct sluice_down *down)
{
	const struct sluice_head *head;
	const char *agent;

	if (down->kind != SLUICE_DOWN_REFUSED) {
		fake_pass(fake, down);
		return;
	}
	head = fake_head(fake, down);
	strcpy(told.method, head_text(head, head->method_text));
	strcpy(told.target, head_text(head, head->target));
	strcpy(told.host, head_text(head, head->host));
	agent = head_field(head, "User-Agent");
	strcpy(told.agent, agent ? agent : "");
	told.client = head->client;
	told.version = head->version;
	told.times++;
}

/* The second function of the path wants to know. */
static void open_two(const struct options *options)
{
	memset(&told, 0, sizeof(told));
	bench_open(options);
	fake_up(0, HEADS);
	fake_up(1, HEADS | ENGINE_HOOK_REFUSED)->on = note;
}

static const struct options two = {.path = 2, .no_functions_up = true};

static void refused(const char *text, uint16_t status)
{
	struct peer *c = client_open();
	unsigned times = told.times;
	char line[32];

	say(c, text);
	snprintf(line, sizeof(line), "HTTP/1.1 %u ", status);
	head_has(hear_head(c), line);
	hear_cut(c);
	until(told.times > times);
	assert_int_equal(end_of(1)->status, status);
	assert_true(end_of(1)->received_bytes <= strlen(text));
	assert_true(end_of(1)->sent_bytes > 30);
	assert_int_equal(end_of(1)->server, SLUICE_NONE16);
	assert_int_not_equal(told.client.port, 0);
	assert_int_equal(told.client.family, 4);
}

static void told_is(const char *method, const char *target, const char *host, const char *agent)
{
	assert_string_equal(told.method, method);
	assert_string_equal(told.target, target);
	assert_string_equal(told.host, host);
	assert_string_equal(told.agent, agent);
}

/* As much of the head as is there. */
static void test_bad(void **state)
{
	(void)state;
	open_two(&two);
	refused("GET /x HTTP/1.1\r\nHost: a\r\nUser-Agent: u\r\nContent-Length: 1\r\n"
		"Content-Length: 2\r\n\r\n",
		400);
	told_is("GET", "/x", "a", "u");
	assert_int_equal(told.version, 11);
	assert_int_equal(end_of(1)->why, SLUICE_ENDING_REQUEST_BAD);
	refused("GET /y HTTP/1.1\r\nUser-Agent: u\r\nbad field: 1\r\nHost: late\r\n\r\n", 400);
	told_is("GET", "/y", "", "u");
	refused("GET /\r\n\r\n", 400);
	told_is("", "", "", "");
	assert_int_equal(told.version, 0);
	refused("\x16\x03\x01", 400);
	told_is("", "", "", "");
	refused("GET / HTTP/3.0\r\n\r\n", 505);
	assert_int_equal(f(0)->heads[0] + f(1)->heads[0] + f(1)->dones, 0);
	assert_int_equal(counted(offences), 0);
	bench_check_idle();
	bench_close();
}

static void test_too_large(void **state)
{
	struct options options = {.path = 2, .no_functions_up = true, .max_fields = 8};
	char text[2048];

	(void)state;
	open_two(&options);
	strcpy(text, "GET /many HTTP/1.1\r\nHost: a\r\n");
	for (unsigned i = 0; i < 10; i++)
		strcat(text, "X: y\r\n");
	strcat(text, "\r\n");
	refused(text, 431);
	told_is("GET", "/many", "a", "");
	bench_close();
}

/* Own answers: what is not done here. */
static void test_own_answer(void **state)
{
	(void)state;
	open_two(&two);
	refused("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501);
	assert_string_equal(told.method, "CONNECT");
	assert_int_equal(end_of(1)->why, SLUICE_ENDING_COMPLETE);
	bench_close();
}

static void test_too_slow(void **state)
{
	struct options options = {.path = 2, .no_functions_up = true, .head_ms = 100};
	struct peer *c;

	(void)state;
	open_two(&options);
	c = client_open();
	say(c, "GET /slow HTTP/1.1\r\nHost: a\r\nUser-Ag");
	head_has(hear_head(c), "HTTP/1.1 408 ");
	until(told.times == 1);
	told_is("GET", "/slow", "a", "");
	assert_int_equal(end_of(1)->status, 408);
	assert_int_equal(end_of(1)->why, SLUICE_ENDING_CLIENT_TIMEOUT);
	assert_in_range(end_of(1)->head_us, 99000, 200000);
	assert_int_equal(end_of(1)->received_bytes,
			 strlen("GET /slow HTTP/1.1\r\nHost: a\r\nUser-Ag"));
	bench_close();
}

/* It ends before its head does. */
static void test_half(void **state)
{
	struct peer *c;

	(void)state;
	open_two(&two);
	c = client_open();
	say(c, "GET /half HTTP/1.1\r\n");
	peer_shut(c);
	head_has(hear_head(c), "HTTP/1.1 400 ");
	until(told.times == 1);
	told_is("GET", "/half", "", "");
	assert_int_equal(end_of(1)->why, SLUICE_ENDING_CLIENT_GONE);
	bench_close();
}

/* The head stays until the function has read on; a full ring, or a death, loses nothing. */
static void test_held(void **state)
{
	struct options options = {.path = 2, .no_functions_up = true, .link_entries = 2};
	struct peer *c[8];

	(void)state;
	open_two(&options);
	f(1)->stopped = true;
	for (unsigned i = 0; i < 8; i++) {
		c[i] = client_open();
		say(c[i], "GET /held HTTP/1.1\r\n\r\n");
		head_has(hear_head(c[i]), "HTTP/1.1 400 ");
	}
	assert_int_equal(engine_exchanges(bench.engine), 8);
	f(1)->stopped = false;
	until(told.times == 8);
	told_is("GET", "/held", "", "");
	until(engine_exchanges(bench.engine) == 0);
	f(1)->stopped = true;
	c[0] = client_open();
	say(c[0], "GET /held HTTP/1.1\r\n\r\n");
	hear_head(c[0]);
	fake_down(f(1));
	until(engine_exchanges(bench.engine) == 0);
	bench_check_idle();
	c[0] = client_open();
	say(c[0], "GET /held HTTP/1.1\r\n\r\n");
	head_has(hear_head(c[0]), "HTTP/1.1 400 "); /* nobody is up to be told */
	bench_check_idle();
	bench_close();
}

/* Without places it is answered all the same. */
static void test_untold(void **state)
{
	struct options options = {.path = 2,
				  .no_functions_up = true,
				  .max_exchanges = 1,
				  .max_clients = 8,
				  .head_ms = 100};
	struct peer *a, *b;

	(void)state;
	open_two(&options);
	a = client_open();
	say(a, GET("/"));
	hear_head(origin_accept(0));
	b = client_open();
	say(b, "GET / HTTP/1.1\r\n\r\n");
	head_has(hear_head(b), "HTTP/1.1 503 ");
	assert_int_equal(counted(refusals_untold), 1);
	assert_int_equal(told.times, 0);
	bench_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad),        cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_own_answer), cmocka_unit_test(test_too_slow),
		cmocka_unit_test(test_half),       cmocka_unit_test(test_held),
		cmocka_unit_test(test_untold),
	};

	return cmocka_run_group_tests(tests, bench_start, bench_stop);
}
