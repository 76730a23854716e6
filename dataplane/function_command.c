/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words from the control socket to functions, and what they answer.
 *
 *	{"cmd":"function","what":"tell","name":"edge","words":["purge","url","http://a/b"]}
 *	{"cmd":"function","what":"tell","plugin":"cache","words":["show"]}
 *
 * The second is for all functions of that plugin. Every process and every inline part is told, and
 * who asked gets an answer when the last of them has given its own: their rows, each with the names
 * of its function and instance; or the first complaint.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/supervise/supervise.h"
#include "dataplane/clock.h"
#include "dataplane/daemon.h"
#include "dataplane/log.h"
#include "mgmt/ctl/ctl.h"

struct told {
	struct told *next;
	uint64_t number; /* as the supervisor knows it */
	uint64_t token;  /* of who asked */
	unsigned left;   /* processes that have not answered */
	json_t *rows;
	char error[CTL_ERROR_MAX]; /* "": nobody complained */
};

/* --- answers ----------------------------------------------------------------------------- */

static void complain(struct told *told, const struct instance_info *from, const char *text,
		     size_t len)
{
	if (told->error[0])
		return;
	snprintf(told->error, sizeof(told->error), "function \"%s\", instance %u: %.*s",
		 from->function_name, from->index, (int)len, text);
}

static bool is_flat(json_t *row)
{
	const char *key;
	json_t *value;

	json_object_foreach(row, key, value) if (!json_is_string(value) &&
						 !json_is_integer(value)) return false;
	return json_is_object(row);
}

/* Who says it comes first; a function cannot say that it is another. */
static int row_take(struct told *told, const struct instance_info *from, json_t *row)
{
	json_t *whole = json_pack("{s:s, s:i}", "function", from->function_name, "instance",
				  (int)from->index);
	int rc = whole ? json_object_update_missing(whole, row) : -1;

	if (!rc)
		return json_array_append_new(told->rows, whole);
	json_decref(whole);
	return rc;
}

static int rows_take(struct told *told, const struct instance_info *from, json_t *rows)
{
	json_t *row;
	size_t i;

	if (!json_is_array(rows))
		return -1;
	json_array_foreach(rows, i, row) if (!is_flat(row) || row_take(told, from, row)) return -1;
	return 0;
}

static void take(struct told *told, const struct instance_info *from, int rc, const char *text,
		 size_t len)
{
	static const char nonsense[] = "its answer makes no sense";
	json_t *rows;

	if (rc) {
		complain(told, from, text, len);
		return;
	}
	rows = json_loadb(text, len, 0, NULL);
	if (rows_take(told, from, rows))
		complain(told, from, nonsense, strlen(nonsense));
	json_decref(rows);
}

void function_answered(void *ctx, const struct instance_info *from, uint64_t number, int rc,
		       const char *text, size_t len)
{
	struct daemon *d = ctx;

	for (struct told *told = d->told; told; told = told->next) {
		if (told->number != number)
			continue;
		take(told, from, rc, text, len);
		told->left--;
		return;
	}
}

/* --- telling ----------------------------------------------------------------------------- */

struct words {
	size_t bytes;
	char text[SLUICE_HOST_COMMAND_MAX];
};

static int words_add(struct words *words, const json_t *word)
{
	const char *text = json_string_value(word);
	size_t bytes = text ? strlen(text) + 1 : 0;

	if (!text || bytes > sizeof(words->text) - words->bytes)
		return text ? -E2BIG : -EINVAL;
	memcpy(words->text + words->bytes, text, bytes);
	words->bytes += bytes;
	return 0;
}

static int words_read(struct words *words, const json_t *list, char *error, size_t size)
{
	json_t *word;
	size_t i;
	int rc = json_array_size(list) ? 0 : -EINVAL;

	words->bytes = 0;
	json_array_foreach(list, i, word) if (!rc) rc = words_add(words, word);
	if (rc == -E2BIG)
		snprintf(error, size, "functions are told %d bytes at most",
			 SLUICE_HOST_COMMAND_MAX);
	else if (rc)
		snprintf(error, size, "tell it what?");
	return rc;
}

static void answered_inline(void *ctx, const struct instance_info *from, int rc, const char *text)
{
	take(ctx, from, rc, text, strlen(text));
}

static int tell(struct daemon *d, struct told *told, uint16_t id, const struct words *words)
{
	const struct conf_function *conf = d->functions[id].conf;
	int rc;

	if (conf->placement == CONF_INLINE) {
		inline_command(d, id, words->text, words->bytes, answered_inline, told);
		return 0;
	}
	rc = supervisor_command(d->supervisor, id, told->number, words->text, words->bytes,
				clock_monotonic_us());
	if (rc == 0)
		snprintf(told->error, sizeof(told->error), "function \"%s\" has no process now",
			 conf->name);
	else if (rc == -EBUSY)
		snprintf(told->error, sizeof(told->error),
			 "function \"%s\" has not answered an earlier command yet", conf->name);
	told->left += rc > 0 ? (unsigned)rc : 0;
	return rc < 0 ? rc : 0;
}

static bool is_meant(const struct function *f, const char *name, const char *plugin)
{
	return functions_in_use(f) && ((name && !strcmp(f->conf->name, name)) ||
				       (plugin && !strcmp(f->conf->plugin, plugin)));
}

/* -ENOENT: there is none. */
static int tell_all(struct daemon *d, struct told *told, const struct ctl_request *request,
		    const struct words *words)
{
	const char *name = json_string_value(json_object_get(request->args, "name"));
	const char *plugin = json_string_value(json_object_get(request->args, "plugin"));
	bool any = false;
	int rc = 0;

	for (unsigned id = 0; id < ENGINE_FUNCTIONS_MAX && !rc; id++) {
		if (!is_meant(&d->functions[id], name, plugin))
			continue;
		any = true;
		rc = tell(d, told, (uint16_t)id, words);
	}
	if (!any && name)
		snprintf(told->error, sizeof(told->error), "there is no function \"%s\"", name);
	else if (!any)
		snprintf(told->error, sizeof(told->error), "there is no function of plugin \"%s\"",
			 plugin ? plugin : "");
	return any ? rc : -ENOENT;
}

/* --- the command ------------------------------------------------------------------------- */

static struct told *told_new(struct daemon *d, uint64_t token)
{
	struct told *told = calloc(1, sizeof(*told));

	if (!told)
		return NULL;
	*told = (struct told){
		.next = d->told, .number = ++d->told_made, .token = token, .rows = json_array()};
	d->told = told;
	return told;
}

static void told_free(struct daemon *d, struct told *told)
{
	struct told **at = &d->told;

	while (*at != told)
		at = &(*at)->next;
	*at = told->next;
	json_decref(told->rows);
	free(told);
}

/* Everybody has answered already, or nobody is asked. */
static int at_once(struct daemon *d, struct told *told, int rc, json_t **data, char *error,
		   size_t size)
{
	snprintf(error, size, "%s", told->error);
	if (!rc && told->error[0])
		rc = -EINVAL;
	if (!rc)
		*data = json_incref(told->rows);
	told_free(d, told);
	return rc;
}

int function_tell(struct daemon *d, const struct ctl_request *request, json_t **data, char *error,
		  size_t size)
{
	struct told *told;
	struct words words;
	int rc = words_read(&words, json_object_get(request->args, "words"), error, size);

	if (rc)
		return rc;
	told = told_new(d, request->token);
	if (!told)
		return -ENOMEM;
	rc = tell_all(d, told, request, &words);
	return told->left ? CTL_LATER : at_once(d, told, rc, data, error, size);
}

void functions_answer(struct daemon *d)
{
	struct told *told, *next;

	for (told = d->told; told; told = next) {
		bool failed = told->error[0];

		next = told->next;
		if (told->left)
			continue;
		if (ctl_finish(d->ctl, told->token, failed ? NULL : json_incref(told->rows),
			       failed ? told->error : NULL))
			log_info("who told a function something has gone before its answer");
		told_free(d, told);
		next = d->told; /* who asked may have asked again */
	}
}

void functions_told_free(struct daemon *d)
{
	while (d->told)
		told_free(d, d->told);
}
