/* SPDX-License-Identifier: BSD-3-Clause */
/* sluicectl: asks a running sluiced, over its control socket. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mgmt/sluicectl/call.h"
#include "mgmt/sluicectl/command.h"
#include "mgmt/sluicectl/table.h"

#define SOCKET_DEFAULT "/run/sluice/control.sock"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct options {
	const char *socket;
	struct command_options command;
	bool json;
	bool ended; /* --help, --version: all is said */
};

static void print_error(char *error)
{
	fputs("sluicectl: ", stderr);
	if (!error)
		fputs("out of memory\n", stderr);
	/* Errors of a configuration come as lines. */
	for (char *line = error ? strtok(error, "\n") : NULL; line; line = strtok(NULL, "\n")) {
		print_safely(line, stderr);
		fputc('\n', stderr);
	}
	free(error);
}

/* False when an option was not understood; getopt has said so. */
static bool parse_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"plugin", required_argument, NULL, 'p'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{"soft", no_argument, NULL, 'o'},
		{"tag", no_argument, NULL, 't'},
		{"prefix", no_argument, NULL, 'x'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "s:Vh", names, NULL)) != -1)
		switch (option) {
		case 's':
			options->socket = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'p':
			options->command.plugin = optarg;
			break;
		case 'o':
			options->command.soft = true;
			break;
		case 't':
			options->command.tag = true;
			break;
		case 'x':
			options->command.prefix = true;
			break;
		case 'V':
			puts("sluicectl " SLUICE_VERSION);
			options->ended = true;
			break;
		case 'h':
			command_print_help(stdout);
			options->ended = true;
			break;
		default:
			return false;
		}
	return true;
}

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && no[0]);
}

static int run(const struct options *options, const struct command *command)
{
	json_t *data = NULL;
	char *error = NULL;

	if (call_daemon(options->socket, command->request, &data, &error) != 0) {
		print_error(error);
		return EXIT_REFUSED;
	}
	command_print(command, data, options->json, wants_colour(), stdout);
	json_decref(data);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_REFUSED;
}

int main(int argc, char **argv)
{
	struct options options = {.socket = SOCKET_DEFAULT};
	struct command command;
	char *error = NULL;
	int status;

	if (!parse_options(argc, argv, &options))
		return EXIT_USAGE;
	if (options.ended)
		return EXIT_DONE;
	if (command_parse(argc - optind, argv + optind, &options.command, &command, &error) != 0) {
		print_error(error);
		command_free(&command);
		return EXIT_USAGE;
	}
	status = run(&options, &command);
	command_free(&command);
	return status;
}
