/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/mgmt/conf/fixture.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sluice-conf-XXXXXX";

static const char *const plugins[] = {"filter", "cache", "proxy", "lb", "static", "noop"};

void fixture_write(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

int fixture_setup(void **state)
{
	char path[64];

	(void)state;
	strcpy(folder, "/tmp/sluice-conf-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) != 0 || mkdir("plugins", 0755) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(plugins) / sizeof(*plugins); i++) {
		snprintf(path, sizeof(path), "plugins/%s.so", plugins[i]);
		fixture_write(path, "");
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

int fixture_teardown(void **state)
{
	(void)state;
	if (chdir("/") != 0)
		return -1;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct conf *fixture_load(const char *name)
{
	struct conf_errors errors = {0};
	struct conf *conf = NULL;
	int result = conf_load(name, &conf, &errors);

	for (unsigned i = 0; i < errors.count && i < CONF_ERRORS_MAX; i++)
		print_error("%s\n", errors.text[i]);
	conf_errors_clear(&errors);
	assert_int_equal(result, 0);
	assert_non_null(conf);
	return conf;
}

char *fixture_errors(const char *name)
{
	struct conf_errors errors = {0};
	struct conf *conf = NULL;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(conf_load(name, &conf, &errors), -EINVAL);
	assert_null(conf);
	assert_int_not_equal(errors.count, 0);
	for (unsigned i = 0; i < errors.count && i < CONF_ERRORS_MAX; i++)
		fprintf(stream, "%s%s", i ? "\n" : "", errors.text[i]);
	fclose(stream);
	conf_errors_clear(&errors);
	return text;
}
