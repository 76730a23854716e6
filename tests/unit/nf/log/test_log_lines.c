/* SPDX-License-Identifier: BSD-3-Clause */
/* What is written, and when. */
#include "log_test.h"

#define TEXT(text) "to = \"out\"; format = \"text\"; text = \"" text "\";"

static const struct sluice_end good = {
	.status = 200,
	.group = SLUICE_NONE16,
	.server = SLUICE_NONE16,
	.head_us = 10,
	.connect_us = 200,
	.ask_us = 3000,
	.reply_us = 40000,
	.total_us = 1500000,
	.sent_head_bytes = 100,
	.received_bytes = 70,
	.sent_bytes = 1100,
};

static void exchange(struct harness *h, const char *target, const struct harness_field *fields,
		     const struct sluice_end *end)
{
	harness_seen(h, &(struct harness_sight){
				.method = "GET",
				.target = target,
				.fields = fields,
				.status = end->status,
				.response = HARNESS_FIELDS({"Content-Type", "text/html"}),
				.end = *end,
			});
}

static void assert_line(const char *config, const struct harness_field *fields,
			const struct sluice_end *end, const char *line)
{
	struct harness *h = log_start(config);

	exchange(h, "/a?b=c", fields, end);
	assert_string_equal(harness_written(h), "");
	harness_advance(h, FLUSH_US);
	assert_string_equal(harness_written(h), line);
	assert_int_equal(harness_counter(h, "lines"), 1);
	harness_destroy(h);
}

static void test_combined(void **state)
{
	const struct harness_field *fields =
		HARNESS_FIELDS({"Host", "a.example"}, {"User-Agent", "curl/\"8\" \\"},
			       {"Authorization", "Basic dXNlcjpwYXNz"});

	(void)state;
	assert_line("to = \"out\";", fields, &good,
		    "192.0.2.1 - user [01/Jan/2024:00:00:00 +0000] \"GET /a?b=c HTTP/1.1\" 200 "
		    "1000 \"-\" \"curl/\\x228\\x22 \\x5C\"\n");
	assert_line(
		"to = \"out\"; format = \"common\";", HARNESS_NO_FIELDS, &good,
		"192.0.2.1 - - [01/Jan/2024:00:00:00 +0000] \"GET /a?b=c HTTP/1.1\" 200 1000\n");
}

static void test_json(void **state)
{
	struct sluice_end never = good;

	(void)state;
	never.status = 0;
	never.why = SLUICE_ENDING_CLIENT_GONE;
	never.ask_us = never.reply_us = SLUICE_NEVER_US;
	assert_line(
		"to = \"out\"; format = \"json\";",
		HARNESS_FIELDS({"Host", "a"}, {"User-Agent", "\"\\\t\xc3\xa9\xff"}), &never,
		"{\"iso_time\":\"2024-01-01T00:00:00Z\",\"client\":\"192.0.2.1\","
		"\"client_port\":12345,\"method\":\"GET\",\"host\":\"a\",\"target\":\"/a?b=c\","
		"\"version\":\"HTTP/1.1\",\"status\":null,\"ending\":\"client_gone\","
		"\"received_bytes\":70,\"sent_bytes\":1100,\"body_bytes\":1000,"
		"\"header:Referer\":\"\",\"header:User-Agent\":\"\\\"\\\\\\u0009\xc3\xa9\\u00ff\","
		"\"group\":\"\",\"server\":\"\",\"reused\":0,\"head_us\":10,"
		"\"connect_us\":200,\"ask_us\":null,\"reply_us\":null,\"total_us\":1500000}\n");
	assert_line("to = \"out\"; format = \"json\"; fields = [ \"status\", "
		    "\"response:Content-Type\" ];",
		    HARNESS_NO_FIELDS, &good,
		    "{\"status\":200,\"response:Content-Type\":\"text/html\"}\n");
}

static void test_own_text(void **state)
{
	struct sluice_end end = good;

	(void)state;
	end.flags = SLUICE_END_REUSED;
	assert_line(TEXT("$method|$host|$path|$query|$total_s|$reused|${cookie:s}|$ending|$user"),
		    HARNESS_FIELDS({"Host", "a.example"}, {"Cookie", "s=1"}), &end,
		    "GET|a.example|/a|b=c|1.500|1|1|complete|-\n");
}

static void test_servers(void **state)
{
	struct harness *h = log_start(TEXT("$group $server"));
	struct sluice_end end = good;

	(void)state;
	end.group = harness_group_add(h, "web", SLUICE_BALANCE_P2C, 2);
	end.server = 1;
	exchange(h, "/", HARNESS_NO_FIELDS, &end);
	harness_advance(h, FLUSH_US);
	assert_string_equal(harness_written(h), "web 10.0.0.2:80\n");
	harness_destroy(h);
}

static void test_every_ending_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(sluice_ending_name(SLUICE_ENDING_COMPLETE), "complete");
	assert_string_equal(sluice_ending_name(SLUICE_ENDING_NO_MEMORY), "no_memory");
	assert_string_equal(sluice_ending_name(255), "failed");
	for (uint8_t why = 0; why < SLUICE_ENDINGS; ++why)
		assert_true(strlen(sluice_ending_name(why)) > 3);
}

static void test_syslog(void **state)
{
	struct harness *h = plugin_new();
	const char *line;

	(void)state;
	harness_allow_write(h, "syslog");
	plugin_start_in(h, "to = \"syslog\"; format = \"text\"; text = \"$status\"; app = \"edge\";"
			   "facility = 20;");
	exchange(h, "/", HARNESS_NO_FIELDS, &good);
	harness_advance(h, FLUSH_US);
	line = harness_written(h);
	assert_ptr_equal(strstr(line, "<166>1 2024-01-01T00:00:00Z "), line);
	assert_non_null(strstr(line, " edge - access - 200\n"));
	harness_destroy(h);
}

static void test_skip(void **state)
{
	struct harness *h = log_start("to = \"out\"; skip = ( { path_exact = \"/health\"; } );");

	(void)state;
	exchange(h, "/health", HARNESS_NO_FIELDS, &good);
	assert_int_equal(harness_counter(h, "skipped"), 1);
	exchange(h, "/", HARNESS_NO_FIELDS, &good);
	harness_advance(h, FLUSH_US);
	assert_int_equal(harness_counter(h, "lines"), 1);
	harness_destroy(h);
}

static void test_many_lines_do_not_wait(void **state)
{
	struct harness *h = log_start(TEXT("0123456789012345678901234567890123456789"));
	unsigned lines = 0;

	(void)state;
	/* Half of what is gathered goes at once; a packet of that size does not fit the pipe here.
	 */
	for (unsigned i = 0; i < 700; ++i) {
		exchange(h, "/", HARNESS_NO_FIELDS, &good);
		if (i % 50 == 0)
			harness_advance(h, FLUSH_US);
		for (const char *p = harness_written(h); *p; ++p)
			lines += *p == '\n';
	}
	assert_true(lines > 600);
	assert_int_equal(lines, harness_counter(h, "lines"));
	assert_int_equal(harness_counter(h, "dropped"), 0);
	harness_destroy(h);
}

static void test_a_stalled_receiver_costs_lines_only(void **state)
{
	struct harness *h = log_start(TEXT("0123456789012345678901234567890123456789"));
	uint64_t written, dropped;

	(void)state;
	for (unsigned i = 0; i < 9000; ++i) {
		exchange(h, "/", HARNESS_NO_FIELDS, &good);
		if (i % 100 == 0)
			harness_advance(h, FLUSH_US);
	}
	written = harness_counter(h, "lines");
	dropped = harness_counter(h, "dropped");
	assert_true(written > 0 && dropped > 1000);
	/* When it reads again, all that was not dropped comes. */
	(void)harness_written(h);
	harness_advance(h, FLUSH_US);
	(void)harness_written(h);
	exchange(h, "/", HARNESS_NO_FIELDS, &good);
	harness_advance(h, FLUSH_US);
	assert_true(strlen(harness_written(h)) > 0 || harness_counter(h, "lines") > written);
	harness_destroy(h);
}

static void test_what_does_not_fit_is_cut(void **state)
{
	static char huge[9000];
	struct harness *h = log_start(TEXT("${header:A} $status"));
	const char *line;

	(void)state;
	memset(huge, 'a', sizeof(huge) - 1);
	exchange(h, "/", HARNESS_FIELDS({"A", huge}), &good);
	harness_advance(h, FLUSH_US);
	line = harness_written(h);
	assert_int_equal(strlen(line), 3072 + strlen(" 200\n"));
	assert_string_equal(line + 3072, " 200\n");
	assert_int_equal(harness_counter(h, "cut"), 1);
	harness_destroy(h);
}

/* A value of one is never left for the next; what there is no response for is empty. */
static void test_nothing_is_left(void **state)
{
	struct harness *h = log_start(TEXT("${header:A} ${response:Content-Type} $status"));
	struct harness_sight sight = {.method = "GET", .target = "/", .end = good};

	(void)state;
	exchange(h, "/", HARNESS_FIELDS({"A", "1"}), &good);
	sight.end.status = 502;
	harness_seen(h, &sight);
	harness_advance(h, FLUSH_US);
	assert_string_equal(harness_written(h), "1 text/html 200\n- - 502\n");
	harness_destroy(h);
}

/* No function was shown it. */
static void test_refused(void **state)
{
	struct harness *h =
		log_start(TEXT("$client $method $target ${header:User-Agent} $status "
			       "$ending $head_us") "skip = ( { path_exact = \"/health\"; } );");
	struct sluice_end end = {.why = SLUICE_ENDING_REQUEST_BAD,
				 .status = 431,
				 .group = SLUICE_NONE16,
				 .server = SLUICE_NONE16,
				 .head_us = 10};

	(void)state;
	harness_seen(h, &(struct harness_sight){.method = "GET",
						.target = "/x",
						.fields = HARNESS_FIELDS({"User-Agent", "u"}),
						.end = end});
	harness_seen(h, &(struct harness_sight){.method = "GET", .target = "/health", .end = end});
	harness_advance(h, FLUSH_US);
	assert_string_equal(harness_written(h), "192.0.2.1 GET /x u 431 request_bad 10\n");
	assert_int_equal(harness_counter(h, "skipped"), 1);
	harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_combined),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nothing_is_left),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_own_text),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_every_ending_has_a_name),
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_many_lines_do_not_wait),
		cmocka_unit_test(test_a_stalled_receiver_costs_lines_only),
		cmocka_unit_test(test_what_does_not_fit_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
