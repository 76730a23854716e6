/* SPDX-License-Identifier: BSD-3-Clause */
/* Applications: who may attach, where they may listen and connect, and what is wrong with that. */
#include "tests/unit/mgmt/conf/fixture.h"

#include <stdlib.h>
#include <string.h>

#define BASE                                                                                 \
	"daemon = { plugin_dir = \"plugins\"; memory_mb = 512; };\n"                         \
	"ports = ( { name = \"wan\"; device = \"net_null0\"; addresses = [ \"10.0.0.1/24\" " \
	"]; } );\n"
#define APPLICATION(more) BASE "applications = ( { name = \"echo\";\n" more " } );\n"

static void test_values(void **state)
{
	struct conf *conf;
	const struct conf_application *app;
	char text[ENDPOINT_TEXT_MAX];

	(void)state;
	fixture_write("t.conf", APPLICATION("user = \"root\"; group = \"root\";\n"
					    "listen = [ \"10.0.0.1:7000\", \"0.0.0.0:7001\" ];\n"
					    "connect = [ \"10.0.0.0/8:443\", \"10.1.0.0/16:*\" ];\n"
					    "max_connections = 100; arena_mb = 4; rx_mb = 2;\n"
					    "recv_buffer_kb = 32; send_buffer_kb = 128; "
					    "hang_ms = 0;"));
	conf = fixture_load("t.conf");
	assert_int_equal(conf->applications_count, 1);
	assert_int_equal(conf->chains_count, 0);
	app = &conf->applications[0];
	assert_string_equal(app->name, "echo");
	assert_string_equal(app->user, "root");
	assert_int_equal(app->uid, 0);
	assert_string_equal(app->group, "root");
	assert_int_equal(app->listens_count, 2);
	assert_string_equal(endpoint_format(&app->listens[1], text, sizeof(text)), "0.0.0.0:7001");
	assert_int_equal(app->connects_count, 2);
	assert_int_equal(app->connects[0].port, 443);
	assert_int_equal(app->connects[0].prefix, 8);
	assert_int_equal(app->connects[1].port, 0);
	assert_int_equal(app->max_connections, 100);
	assert_int_equal(app->arena_mb, 4);
	assert_int_equal(app->rx_mb, 2);
	assert_int_equal(app->recv_buffer_kb, 32);
	assert_int_equal(app->send_buffer_kb, 128);
	assert_int_equal(app->hang_ms, 0);
	conf_free(conf);
}

static void test_defaults(void **state)
{
	struct conf *conf;

	(void)state;
	fixture_write("t.conf", APPLICATION("listen = \"10.0.0.1:7000\";"));
	conf = fixture_load("t.conf");
	assert_null(conf->applications[0].user);
	assert_null(conf->applications[0].group);
	assert_int_equal(conf->applications[0].listens_count, 1);
	assert_int_equal(conf->applications[0].connects_count, 0);
	assert_int_equal(conf->applications[0].max_connections, 1024);
	conf_free(conf);
}

static const struct row {
	const char *text, *errors;
} rows[] = {
	{APPLICATION(""), "t.conf:3: applications.echo: it may neither listen nor connect"},
	{APPLICATION("listen = \"10.0.0.1\";"),
	 "t.conf:4: applications.echo: listen \"10.0.0.1\" must be ADDRESS:PORT"},
	{APPLICATION("listen = \"10.0.0.9:80\";"),
	 "t.conf:4: applications.echo: listen 10.0.0.9:80: no port has this address"},
	{APPLICATION("listen = [ \"10.0.0.1:80\",\n\"10.0.0.1:80\" ];"),
	 "t.conf:5: applications.echo: listen 10.0.0.1:80 stands there twice"},
	{APPLICATION("connect = \"10.0.0.0/8\";"),
	 "t.conf:4: applications.echo: connect \"10.0.0.0/8\" must be ADDRESS/PREFIX:PORT"},
	{APPLICATION("connect = \"10.0.0.0/33:80\";"),
	 "t.conf:4: applications.echo: connect \"10.0.0.0/33\": the prefix must be 0 to 32"},
	{APPLICATION("listen = \"10.0.0.1:80\"; user = \"nobody-of-that-name\";"),
	 "t.conf:4: applications.echo: user \"nobody-of-that-name\" does not exist on this "
	 "machine"},
	{APPLICATION("listen = \"10.0.0.1:80\"; max_connections = 65536;"),
	 "t.conf:3: applications up to this one may leave 4096 MB unread in a worker "
	 "(max_connections times recv_buffer_kb); memory_mb allows 256"},
	{BASE "functions = ( { name = \"guard\"; plugin = \"filter\"; } );\n"
	      "chains = ( { name = \"www\"; listen = \"10.0.0.1:80\"; path = [ \"guard\" ]; } );\n"
	      "applications = ( { name = \"echo\"; listen = \"10.0.0.1:80\"; } );\n",
	 "t.conf:5: applications.echo: listen 10.0.0.1:80 is already taken by chain \"www\""},
	{BASE "applications = ( { name = \"a\"; listen = \"10.0.0.1:80\"; },\n"
	      "{ name = \"b\"; listen = \"10.0.0.1:80\"; } );\n",
	 "t.conf:4: applications.b: listen 10.0.0.1:80 is already application \"a\"'s"},
	{BASE, "t.conf:1: there is nothing to do: no chains, no applications"},
};

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *errors;

		fixture_write("t.conf", rows[i].text);
		errors = fixture_errors("t.conf");
		if (strcmp(errors, rows[i].errors) != 0)
			print_error("row %zu:\n%s", i, rows[i].text);
		assert_string_equal(errors, rows[i].errors);
		free(errors);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_values), TEST(test_defaults),
					   TEST(test_errors)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
