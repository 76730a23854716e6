/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words of the command line: what each asks the daemon, and how the answer is printed.
 */
#ifndef MGMT_SLUICECTL_COMMAND_H
#define MGMT_SLUICECTL_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What the options say; all of them for some commands only. */
struct command_options {
	const char *plugin; /* a file or a name; NULL: none */
	bool soft, tag, prefix;
};

struct command {
	json_t *request;         /* NULL: the words make no sense */
	const char *prefix;      /* of the rows to show, or NULL */
	const struct show *show; /* what is shown, or NULL: something is done */
	const char *done;        /* printed when it was */
	bool rows;               /* functions answer with rows of their own */
};

/*
 * Understands the words behind the options, and the options. 0, or -1 with a sentence in `*error`
 * (free it). The words are borrowed by the command.
 */
int command_parse(int count, char *const *words, const struct command_options *options,
		  struct command *out, char **error) __attribute__((warn_unused_result));
void command_free(struct command *command);

/* Prints what the daemon answered. `data` may be changed. */
void command_print(const struct command *command, json_t *data, bool json, bool colour, FILE *out);

void command_print_help(FILE *out);

#endif
