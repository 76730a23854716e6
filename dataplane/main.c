/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sluiced: the manager. Reads its arguments and its configuration, then checks or runs.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/supervise/supervise.h"
#include "dataplane/cpus.h"
#include "dataplane/fit.h"
#include "dataplane/host.h"
#include "dataplane/log.h"
#include "dataplane/run.h"
#include "mgmt/conf/conf.h"

#define CONF_DEFAULT "/etc/sluice/sluice.conf"

static const char usage[] =
	"usage: sluiced [-c FILE]        run, until SIGTERM\n"
	"       sluiced -t [-c FILE]     check the configuration, functions' parts too\n"
	"       sluiced --help-config    every key of the configuration, with range and default\n"
	"\n"
	"options:\n"
	"  -c, --config FILE    the configuration (" CONF_DEFAULT ")\n"
	"  -t, --check          say what is wrong with it as FILE:LINE: text, and exit 0 or 1\n"
	"  -d, --debug          log the lines that functions write for debugging, too\n"
	"      --version        the version\n"
	"  -h, --help           this text\n"
	"\n"
	"SIGHUP reads the configuration again; a wrong one changes nothing. SIGTERM drains, then "
	"stops.\n"
	"sluicectl shows and steers what runs.\n";

struct arguments {
	const char *conf;
	bool check;
	bool debug;
};

static void print_errors(const struct conf_errors *errors)
{
	for (unsigned i = 0; i < errors->count && i < CONF_ERRORS_MAX; i++)
		fprintf(stderr, "%s\n", errors->text[i]);
	if (errors->count > CONF_ERRORS_MAX)
		fprintf(stderr, "… and %u more\n", errors->count - CONF_ERRORS_MAX);
}

/* Each plugin reads its own part, in a process of its own. */
static int check_functions(const struct conf *conf, struct conf_errors *errors)
{
	const char **groups = calloc(conf->upstreams_count + 1, sizeof(*groups));
	uint32_t *hooks = calloc(conf->functions_count + 1, sizeof(*hooks));
	char host[HOST_PATH_MAX];
	int rc = groups && hooks ? 0 : -ENOMEM;

	if (rc)
		goto out;
	for (unsigned i = 0; i < conf->upstreams_count; i++)
		groups[i] = conf->upstreams[i].name;
	host_path(host, sizeof(host));
	for (unsigned i = 0; i < conf->functions_count; i++)
		if (supervise_check(host, conf->daemon.user, &conf->functions[i], groups,
				    conf->upstreams_count, &hooks[i], errors))
			rc = -EINVAL;
	if (!rc)
		rc = fit_check(conf, hooks, errors);
out:
	free(groups);
	free(hooks);
	return rc;
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

static void print_right(const char *path, const struct conf *conf)
{
	unsigned apps = conf->applications_count;

	printf("%s is right: %u port%s, %u function%s, %u chain%s", path, conf->ports_count,
	       plural(conf->ports_count), conf->functions_count, plural(conf->functions_count),
	       conf->chains_count, plural(conf->chains_count));
	if (apps)
		printf(", %u application%s", apps, plural(apps));
	printf("\n");
}

static int check(struct conf *conf, const char *path)
{
	struct conf_errors errors = {0};
	int rc = check_functions(conf, &errors);

	print_errors(&errors);
	if (!rc)
		print_right(path, conf);
	conf_errors_clear(&errors);
	conf_free(conf);
	return rc;
}

enum { OPTION_VERSION = 256, OPTION_HELP_CONFIG };

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 't'},
	{"debug", no_argument, NULL, 'd'},
	{"help", no_argument, NULL, 'h'},
	{"help-config", no_argument, NULL, OPTION_HELP_CONFIG},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

/* -1: go on; else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *out)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:tdh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			out->conf = optarg;
			break;
		case 't':
			out->check = true;
			break;
		case 'd':
			out->debug = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case OPTION_HELP_CONFIG:
			conf_print_reference(stdout);
			return 0;
		case OPTION_VERSION:
			puts("sluiced " SLUICE_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sluiced: what is \"%s\"?\n%s", argv[optind], usage);
		return 2;
	}
	return -1;
}

/* What the file alone can tell, and what this machine must have. */
static int load(const char *path, struct conf **out, struct conf_errors *errors)
{
	int rc = conf_load(path, out, errors);

	if (rc)
		return rc;
	rc = cpus_check(*out, errors);
	if (rc)
		conf_free(*out);
	return rc;
}

int main(int argc, char **argv)
{
	struct arguments args = {.conf = CONF_DEFAULT};
	struct conf_errors errors = {0};
	struct conf *conf = NULL;
	int rc = read_arguments(argc, argv, &args);

	if (rc >= 0)
		return rc;
	log_open(args.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	rc = load(args.conf, &conf, &errors);
	print_errors(&errors);
	conf_errors_clear(&errors);
	if (!rc)
		rc = args.check ? check(conf, args.conf) : daemon_run(args.conf, conf);
	return rc ? 1 : 0;
}
