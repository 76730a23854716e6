/* SPDX-License-Identifier: BSD-3-Clause */
#include "mgmt/sluicectl/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/nearest/nearest.h"
#include "mgmt/sluicectl/render.h"
#include "mgmt/sluicectl/table.h"

struct show {
	const char *what;
	const struct view *view;
	const char *help;
};

static const struct show shows[] = {
	{"status", &view_of_status, "the daemon and its workers"},
	{"ports", &view_of_port, "network devices, their links and counters"},
	{"chains", &view_of_chain, "where clients come in, and what became of them"},
	{"functions", &view_of_function, "the processes of network functions"},
	{"applications", &view_of_application, "programs that use the stack by its socket API"},
	{"flows", &view_of_flow, "TCP connections, of clients and to servers"},
	{"upstreams", &view_of_upstream, "servers, their health and load"},
	{"stats", &view_of_stat, "every counter, with its meaning"},
	{"buffers", &view_of_buffer, "pools of packet memory, and who holds it"},
	{"cycles", &view_of_cycle, "where the workers' time goes, stage by stage"},
	{"errors", &view_of_error, "what went wrong lately"},
	{NULL, NULL, NULL},
};

static const char *const verbs[] = {"show", "reload", "function", "upstream", "cache", NULL};

/* --- words that make no sense ---------------------------------------------------------------- */

static int fail(char **error, const char *word, const char *what, const char *meant)
{
	int n = meant ? asprintf(error, "%s \"%s\"; did you mean \"%s\"?", what, word, meant)
		      : asprintf(error, "%s \"%s\"", what, word);

	if (n < 0)
		*error = NULL;
	return -1;
}

static int fail_plainly(char **error, const char *text)
{
	*error = strdup(text);
	return -1;
}

static int refuse_word(char **error, const char *word, const char *what, const char *const *known)
{
	struct nearest nearest;

	nearest_begin(&nearest, word);
	for (; *known; known++)
		nearest_offer(&nearest, *known);
	return fail(error, word, what, nearest_best(&nearest));
}

static int refuse_what(char **error, const char *word)
{
	struct nearest nearest;

	nearest_begin(&nearest, word);
	for (const struct show *show = shows; show->what; show++)
		nearest_offer(&nearest, show->what);
	nearest_offer(&nearest, "cache");
	return fail(error, word, "there is nothing to show called", nearest_best(&nearest));
}

/* --- understanding --------------------------------------------------------------------------- */

/* --- what functions are told --- */

/* All functions of that plugin, with one word. */
static int tell_plugin(const char *plugin, const char *word, struct command *out)
{
	out->rows = true;
	out->request = json_pack("{s:s, s:s, s:s, s:[s]}", "cmd", "function", "what", "tell",
				 "plugin", plugin, "words", word);
	return 0;
}

static int add_word(struct command *out, const char *word)
{
	json_t *words = json_object_get(out->request, "words");

	if (!json_array_append_new(words, json_string(word)))
		return 0;
	json_decref(out->request); /* not UTF-8 */
	out->request = NULL;
	return 0;
}

static int parse_purge(int count, char *const *words, const struct command_options *options,
		       struct command *out, char **error)
{
	if (options->tag && options->prefix)
		return fail_plainly(error, "either --tag or --prefix");
	if (count == 0)
		return fail_plainly(error, "purge what? URL…, --tag TAG… or --prefix URL…");
	tell_plugin("cache", options->soft ? "soft-purge" : "purge", out);
	add_word(out, options->tag ? "tag" : options->prefix ? "prefix" : "url");
	for (int i = 0; i < count && out->request; i++)
		add_word(out, words[i]);
	return 0;
}

static int parse_cache(int count, char *const *words, const struct command_options *options,
		       struct command *out, char **error)
{
	if (count == 0)
		return fail_plainly(error, "cache what? purge");
	if (strcmp(words[0], "purge") != 0)
		return fail(error, words[0], "caches have no command", "purge");
	return parse_purge(count - 1, words + 1, options, out, error);
}

static int parse_show_cache(int count, char *const *words, struct command *out, char **error)
{
	return count > 0 ? fail(error, words[0], "one word too many:", NULL)
			 : tell_plugin("cache", "show", out);
}

static int parse_show(int count, char *const *words, struct command *out, char **error)
{
	const struct show *show = shows;

	if (count == 0)
		return fail_plainly(error,
				    "show what? status, ports, chains, functions, "
				    "applications, flows, upstreams, stats, buffers, cycles, "
				    "errors or cache");
	if (!strcmp(words[0], "cache"))
		return parse_show_cache(count - 1, words + 1, out, error);
	while (show->what && strcmp(show->what, words[0]) != 0)
		show++;
	if (!show->what)
		return refuse_what(error, words[0]);
	if (count > 2)
		return fail(error, words[2], "one word too many:", NULL);
	out->show = show;
	out->prefix = count == 2 ? words[1] : NULL;
	out->request = json_pack("{s:s, s:s, s:s*}", "cmd", "show", "what", words[0], "prefix",
				 out->prefix);
	return 0;
}

static int parse_reload(int count, char *const *words, struct command *out, char **error)
{
	if (count > 0)
		return fail(error, words[0], "one word too many:", NULL);
	out->done = "reloaded";
	out->request = json_pack("{s:s}", "cmd", "reload");
	return 0;
}

/* --- functions --- */

static int function_request(const char *what, const char *name, struct command *out)
{
	out->request = json_pack("{s:s, s:s, s:s}", "cmd", "function", "what", what, "name", name);
	return 0;
}

static int parse_restart(int count, char *const *words, struct command *out, char **error)
{
	if (count > 1)
		return fail(error, words[1], "one word too many:", NULL);
	out->done = "restarted";
	return function_request("restart", words[0], out);
}

static int parse_drain(int count, char *const *words, struct command *out, char **error)
{
	if (count > 1)
		return fail(error, words[1], "one word too many:", NULL);
	out->done = "draining; \"function restart\" brings it back";
	return function_request("drain", words[0], out);
}

/* The daemon has another working directory. */
static int add_plugin(struct command *out, const char *plugin, char **error)
{
	char path[PATH_MAX];

	if (!strchr(plugin, '/'))
		snprintf(path, sizeof(path), "%s", plugin);
	else if (!realpath(plugin, path))
		return fail(error, plugin, strerror(errno), NULL);
	return json_object_set_new(out->request, "plugin", json_string(path)) ? -1 : 0;
}

static int parse_upgrade(int count, char *const *words, struct command *out, char **error)
{
	if (count > 1)
		return fail(error, words[1], "one word too many:", NULL);
	out->done = "upgraded";
	return function_request("upgrade", words[0], out);
}

static int parse_scale(int count, char *const *words, struct command *out, char **error)
{
	char *end;
	long n;

	if (count == 1)
		return fail_plainly(error, "scale it to how many instances?");
	n = strtol(words[1], &end, 10);
	if (*end || !words[1][0] || n < 1 || n > INT_MAX)
		return fail(error, words[1], "not a number of instances:", NULL);
	if (count > 2)
		return fail(error, words[2], "one word too many:", NULL);
	out->done = "scaled";
	function_request("scale", words[0], out);
	return out->request ? json_object_set_new(out->request, "instances", json_integer(n)) : 0;
}

static int parse_tell(int count, char *const *words, struct command *out, char **error)
{
	if (count == 1)
		return fail_plainly(error, "tell it what?");
	out->rows = true;
	out->request = json_pack("{s:s, s:s, s:s, s:[]}", "cmd", "function", "what", "tell", "name",
				 words[0], "words");
	for (int i = 1; i < count && out->request; i++)
		add_word(out, words[i]);
	return 0;
}

static int ask_which(char **error, const char *verb)
{
	if (asprintf(error, "%s which function? see \"sluicectl show functions\"", verb) < 0)
		*error = NULL;
	return -1;
}

static const struct function_verb {
	const char *verb;
	int (*parse)(int count, char *const *words, struct command *out, char **error);
} function_verbs[] = {
	{"restart", parse_restart}, {"upgrade", parse_upgrade}, {"scale", parse_scale},
	{"drain", parse_drain},     {"tell", parse_tell},       {NULL, NULL},
};

static int refuse_function_verb(char **error, const char *word)
{
	struct nearest nearest;

	nearest_begin(&nearest, word);
	for (const struct function_verb *verb = function_verbs; verb->verb; verb++)
		nearest_offer(&nearest, verb->verb);
	return fail(error, word, "functions have no command", nearest_best(&nearest));
}

static int parse_function(int count, char *const *words, struct command *out, char **error)
{
	const struct function_verb *verb = function_verbs;

	if (count == 0)
		return fail_plainly(
			error,
			"function what? restart NAME, upgrade NAME, scale NAME N, drain NAME or "
			"tell NAME WORD…");
	while (verb->verb && strcmp(words[0], verb->verb) != 0)
		verb++;
	if (!verb->verb)
		return refuse_function_verb(error, words[0]);
	return count == 1 ? ask_which(error, words[0])
			  : verb->parse(count - 1, words + 1, out, error);
}

/* --- upstreams --- */

static int show_group(const char *name, struct command *out)
{
	const struct show *show = shows;

	while (show->view != &view_of_upstream)
		show++;
	out->show = show;
	out->request =
		json_pack("{s:s, s:s, s:s}", "cmd", "show", "what", show->what, "group", name);
	return 0;
}

static int parse_weight(int count, char *const *words, struct command *out, char **error)
{
	char *end;
	long weight;

	if (count == 0)
		return fail_plainly(error, "what weight is it to have?");
	weight = strtol(words[0], &end, 10);
	if (*end || !words[0][0] || weight < 1 || weight > 256)
		return fail(error, words[0], "not a weight of 1 to 256:", NULL);
	if (count > 1)
		return fail(error, words[1], "one word too many:", NULL);
	return out->request ? json_object_set_new(out->request, "weight", json_integer(weight)) : 0;
}

static int parse_order(int count, char *const *words, struct command *out, char **error)
{
	(void)out;
	return count ? fail(error, words[0], "one word too many:", NULL) : 0;
}

static const struct upstream_verb {
	const char *verb, *done;
	int (*parse)(int count, char *const *words, struct command *out, char **error);
} upstream_verbs[] = {
	{"drain", "draining: only clients that belong to it", parse_order},
	{"up", "up again, as far as checks allow", parse_order},
	{"down", "down", parse_order},
	{"weight", "weighed", parse_weight},
	{NULL, NULL, NULL},
};

static int refuse_upstream_verb(char **error, const char *word)
{
	struct nearest nearest;

	nearest_begin(&nearest, word);
	for (const struct upstream_verb *verb = upstream_verbs; verb->verb; verb++)
		nearest_offer(&nearest, verb->verb);
	return fail(error, word, "servers have no command", nearest_best(&nearest));
}

static int parse_upstream(int count, char *const *words, struct command *out, char **error)
{
	const struct upstream_verb *verb = upstream_verbs;

	if (count == 0)
		return fail_plainly(error,
				    "which upstream? NAME [SERVER drain, up, down or weight N]");
	if (count == 1)
		return show_group(words[0], out);
	if (count == 2)
		return fail_plainly(error, "what of the server? drain, up, down or weight N");
	while (verb->verb && strcmp(words[2], verb->verb) != 0)
		verb++;
	if (!verb->verb)
		return refuse_upstream_verb(error, words[2]);
	out->done = verb->done;
	out->request = json_pack("{s:s, s:s, s:s, s:s}", "cmd", "upstream", "what", verb->verb,
				 "name", words[0], "server", words[1]);
	return verb->parse(count - 3, words + 3, out, error);
}

static bool takes_plugin(const struct command *command)
{
	const char *what = json_string_value(json_object_get(command->request, "what"));

	return what && !strcmp(what, "upgrade");
}

static int parse_words(int count, char *const *words, const struct command_options *options,
		       struct command *out, char **error)
{
	if (count == 0)
		return fail_plainly(error, "what is to be done? see \"sluicectl --help\"");
	if (strcmp(words[0], "show") == 0)
		return parse_show(count - 1, words + 1, out, error);
	if (strcmp(words[0], "reload") == 0)
		return parse_reload(count - 1, words + 1, out, error);
	if (strcmp(words[0], "function") == 0)
		return parse_function(count - 1, words + 1, out, error);
	if (strcmp(words[0], "upstream") == 0)
		return parse_upstream(count - 1, words + 1, out, error);
	if (strcmp(words[0], "cache") == 0)
		return parse_cache(count - 1, words + 1, options, out, error);
	return refuse_word(error, words[0], "there is no command", verbs);
}

int command_parse(int count, char *const *words, const struct command_options *options,
		  struct command *out, char **error)
{
	bool purge_only = options->soft || options->tag || options->prefix;

	*out = (struct command){0};
	if (parse_words(count, words, options, out, error))
		return -1;
	if (!out->request)
		return fail_plainly(error, "the words are not UTF-8 text");
	if (purge_only && strcmp(words[0], "cache") != 0)
		return fail_plainly(error, "--soft, --tag and --prefix are for \"cache purge\"");
	if (options->plugin && !takes_plugin(out))
		return fail_plainly(error, "--plugin is for \"function upgrade\"");
	return options->plugin ? add_plugin(out, options->plugin, error) : 0;
}

void command_free(struct command *command)
{
	json_decref(command->request);
}

/* --- printing --------------------------------------------------------------------------------- */

static void print_done(const char *done, const json_t *data, FILE *out)
{
	const json_t *version = json_object_get(data, "config_version");

	if (json_is_integer(version))
		fprintf(out, "%s: configuration version %lld\n", done,
			(long long)json_integer_value(version));
	else
		fprintf(out, "%s\n", done);
}

void command_print(const struct command *command, json_t *data, bool json, bool colour, FILE *out)
{
	const struct show *show = command->show;

	if (show && command->prefix && json_is_array(data))
		view_filter_json(show->view, data, command->prefix);
	if (json) {
		json_dumpf(data, out, JSON_INDENT(2) | JSON_ENCODE_ANY);
		fputc('\n', out);
	} else if (command->rows) {
		render_rows(data, colour, out);
	} else if (!show) {
		print_done(command->done, data, out);
	} else if (show->view == &view_of_status) {
		render_status(data, colour, out);
	} else {
		render_list(show->view, show->what, data, colour, out);
	}
}

void command_print_help(FILE *out)
{
	fputs("usage: sluicectl [-s SOCKET] [--json] COMMAND\n"
	      "\n"
	      "commands:\n",
	      out);
	for (const struct show *show = shows; show->what; show++)
		fprintf(out, "  show %-11s %s %s\n", show->what,
			show->view == &view_of_status ? "        " : "[PREFIX]", show->help);
	fputs("  show cache                what caches hold, and what they did\n"
	      "                            (PREFIX: only rows whose name begins so)\n"
	      "  reload                    read the configuration again; a wrong one changes "
	      "nothing\n"
	      "  function restart NAME     new processes for it; the old ones end what they have\n"
	      "  function upgrade NAME     the same, with its plugin's new file or another plugin; "
	      "one "
	      "that\n"
	      "                            fails in its first second is taken back\n"
	      "  function scale NAME N     that many processes\n"
	      "  function drain NAME       no processes, until it is restarted\n"
	      "  function tell NAME WORD…  whatever its plugin understands\n"
	      "  upstream NAME             its servers\n"
	      "  upstream NAME SERVER drain | up | down | weight N\n"
	      "                            until it is said otherwise, or the next reload\n"
	      "  cache purge URL…          forget what is stored for these targets, or\n"
	      "    --tag TAG…              all responses that have one of these tags, or\n"
	      "    --prefix URL…           all whose URLs begin so\n"
	      "    --soft                  they are only stale from now on\n"
	      "\n"
	      "options:\n"
	      "  -s, --socket SOCKET       the daemon's socket (/run/sluice/control.sock)\n"
	      "      --json                the answer as JSON, for programs\n"
	      "      --plugin FILE         for upgrade: a path with a slash, or a name in "
	      "plugin_dir\n"
	      "  -V, --version             the version\n"
	      "  -h, --help                this text\n"
	      "\n"
	      "exit status: 0 done, 1 refused or not reached, 2 not understood\n",
	      out);
}
