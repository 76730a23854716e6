/* SPDX-License-Identifier: BSD-3-Clause */
/* Every file in configs/ loads. */
#include "tests/unit/mgmt/conf/fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file, with the plugins of the fixture: its daemon group gets one more key. */
static void copy_with_plugins(const char *path)
{
	static const char group[] = "daemon = {";
	static char text[65536], changed[66000];
	FILE *file = fopen(path, "r");
	const char *at;

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	at = strstr(text, group);
	assert_non_null(at);
	at += strlen(group);
	snprintf(changed, sizeof(changed), "%.*s plugin_dir = \"plugins\";%s", (int)(at - text),
		 text, at);
	fixture_write("t.conf", changed);
}

static int is_config(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".conf") == 0;
}

static void test_configs(void **state)
{
	struct dirent **entries;
	int count = scandir(SLUICE_CONFIGS, &entries, is_config, alphasort);

	(void)state;
	assert_in_range(count, 3, 1000);
	for (int i = 0; i < count; i++) {
		char path[1024];
		struct conf *conf;

		snprintf(path, sizeof(path), "%s/%s", SLUICE_CONFIGS, entries[i]->d_name);
		print_message("%s\n", entries[i]->d_name);
		copy_with_plugins(path);
		conf = fixture_load("t.conf");
		assert_in_range(conf->chains_count + conf->applications_count, 1, 100);
		conf_free(conf);
		free(entries[i]);
	}
	free(entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_configs, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
