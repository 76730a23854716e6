/* SPDX-License-Identifier: BSD-3-Clause */
/* What the configuration may say. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/nf/common/plugin.h"

#define HASH "$5$rounds=1000$salt$7r4kPgzj.VTYxVZmVS6jGZ1LQW0k0kVTvjIVgS9kLg8"

static void refuses(const char *config, const char *error)
{
	struct harness *h = plugin_new();

	assert_int_not_equal(harness_start(h, config), 0);
	assert_string_equal(harness_error(h, 0), error);
	harness_destroy(h);
}

static void test_one_way_at_least(void **state)
{
	(void)state;
	refuses("", "test.conf:0: auth needs basic = { … }, jwt = { … } or both");
}

static void test_users(void **state)
{
	(void)state;
	harness_destroy(plugin_start("basic = { users = [ \"me:" HASH "\" ]; };"));
	refuses("basic = { };", "test.conf:1: basic needs users, by file or users");
	refuses("basic = { users = [ \"me\" ]; };", "test.conf:1: users: a line must be NAME:HASH");
	refuses("basic = { users = [ \"me:secret\" ]; };",
		"test.conf:1: users: the hash of me is of no known kind (htpasswd -B writes one)");
	refuses("basic = { users = [ \"me:$apr1$salt$ZxYV4kJ2yNRBzk5eK0tHw\" ]; };",
		"test.conf:1: users: the hash of me is of no known kind (htpasswd -B writes one)");
	refuses("basic = { users = [ \"me:$apr1$too_long_$ZxYV4kJ2yNRBzk5eK0tHw.\" ]; };",
		"test.conf:1: users: the hash of me is of no known kind (htpasswd -B writes one)");
	refuses("basic = { users = [ \"me:!locked.locked\" ]; };",
		"test.conf:1: users: the hash of me is of no known kind (htpasswd -B writes one)");
	refuses("basic = { users = [ \"me:" HASH "\", \"me:" HASH "\" ]; };",
		"test.conf:1: me is there twice");
	refuses("basic = {\nfile = \"/no/such/file\"; };",
		"test.conf:2: /no/such/file: No such file or directory");
}

static void test_a_file(void **state)
{
	char path[] = "/tmp/test_auth_XXXXXX", config[128], error[128];
	int fd = mkstemp(path);
	const char text[] = "# staff\nme:" HASH "\r\n\nyou:" HASH "\nbad\n";

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	snprintf(config, sizeof(config), "basic = { file = \"%s\"; };", path);
	snprintf(error, sizeof(error), "test.conf:1: %s:5: a line must be NAME:HASH", path);
	refuses(config, error);
	assert_int_equal(ftruncate(fd, sizeof(text) - 1 - 4), 0);
	harness_destroy(plugin_start(config));
	close(fd);
	unlink(path);
}

static void test_settings(void **state)
{
	(void)state;
	refuses("realm = \"a\\\"b\"; basic = { users = [ \"me:" HASH "\" ]; };",
		"test.conf:1: realm: \"a\"b\" cannot be quoted");
	refuses("user_header = \"Connection\"; basic = { users = [ \"me:" HASH "\" ]; };",
		"test.conf:0: Connection belongs to the connection: no rule can change it");
}

static void test_jwt(void **state)
{
	(void)state;
	refuses("jwt = { };", "test.conf:1: jwt needs alg = \"RS256\", \"ES256\" or \"HS256\"");
	refuses("jwt = { alg = \"none\"; };",
		"test.conf:1: alg: \"none\" is none of RS256, ES256, HS256");
	refuses("jwt = { alg = \"RS256\"; };",
		"test.conf:1: jwt needs one of key_file, jwks_file and secret_file");
	refuses("jwt = { alg = \"RS256\"; secret_file = \"/dev/null\"; };",
		"test.conf:1: RS256 has no secret: key_file or jwks_file");
	refuses("jwt = { alg = \"HS256\"; key_file = \"/dev/null\"; };",
		"test.conf:1: HS256 has a secret: secret_file or jwks_file");
	refuses("jwt = { alg = \"HS256\"; secret_file = \"/dev/null\"; };",
		"test.conf:1: /dev/null: a secret has at least 32 bytes");
	refuses("jwt = { alg = \"RS256\"; key_file = \"/dev/null\"; };",
		"test.conf:1: /dev/null has no public key for RS256");
	refuses("jwt = { alg = \"RS256\"; jwks_file = \"/dev/null\"; };",
		"test.conf:1: /dev/null:1: '[' or '{' expected near end of file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_way_at_least),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_a_file),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_jwt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
