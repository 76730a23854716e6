/* SPDX-License-Identifier: BSD-3-Clause */
/* `sluicectl function tell NAME rules [FROM]`: every rule with its hits, also those for which there
 * is no counter. */
#include "nf/filter/filter.h"

#include <string.h>

#define ROWS_MAX 100 /* they fit into one answer, whatever the names */

static const char *const actions[] = {
	[FILTER_ALLOW] = "allow", [FILTER_DENY] = "deny",   [FILTER_TAG] = "tag",
	[FILTER_LOG] = "log",     [FILTER_SCORE] = "score",
};

static int tell_rule(const struct filter_rule *rule, struct sluice_command *command)
{
	int err = sluice_row_text(command, "rule", sluice_str(rule->name));

	if (!err)
		err = sluice_row_text(command, "action", sluice_str(actions[rule->action]));
	if (!err)
		err = sluice_row_number(command, "level", rule->level);
	if (!err)
		err = sluice_row_number(command, "hits", (int64_t)*rule->hits);
	sluice_row_end(command);
	return err;
}

/* The place of the rule that is named, or the first; rules_count: there is none. */
static unsigned find(const struct filter *filter, const char *name)
{
	unsigned i = 0;

	while (name[0] && i < filter->rules_count && strcmp(filter->rules[i].name, name) != 0)
		++i;
	return i;
}

/* As many as the answer has room for; the next question begins with the last that was told. */
int filter_command(struct sluice_nf *nf, struct sluice_command *command)
{
	const struct filter *filter = sluice_data(nf);
	const char *name = sluice_word(command, 1);
	unsigned first = find(filter, name), last;

	if (strcmp(sluice_word(command, 0), "rules") != 0 || sluice_words(command) > 2)
		return sluice_refuse(command, "a filter knows \"rules\" and \"rules NAME\"");
	if (name[0] && first == filter->rules_count)
		return sluice_refuse(command, "there is no rule \"%s\"", name);
	last = filter->rules_count - first < ROWS_MAX ? filter->rules_count : first + ROWS_MAX;
	for (unsigned i = first; i < last; ++i) {
		int err = tell_rule(&filter->rules[i], command);

		if (err)
			return err;
	}
	return 0;
}
