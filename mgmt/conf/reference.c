/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference of all keys, printed from the rows that read them. */
#include <string.h>

#include "mgmt/conf/key.h"

static void print_words(FILE *out, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		fprintf(out, "%s\"%s\"", i ? " | " : "", words[i]);
}

static void print_range(FILE *out, const struct key *key)
{
	if (key->words)
		print_words(out, key->words);
	else if (key->type == &key_uint || key->type == &key_int || key->type == &key_cpus)
		fprintf(out, "%s, %lld to %lld", key->type->label, (long long)key->min,
			(long long)key->max);
	else
		fprintf(out, "%s", key->type->label);
}

static void print_fallback(FILE *out, const struct key *key)
{
	if (key->fallback == KEY_REQUIRED)
		fprintf(out, "; required");
	else if (key->fallback[0])
		fprintf(out, "; default %s", key->fallback);
}

static void print_keys(FILE *out, const struct key *keys, int depth);

static void print_key(FILE *out, const struct key *key, int depth)
{
	int width = 28 - 2 * depth;

	fprintf(out, "%*s%-*s%s\n%30s", 2 * depth, "", width, key->name, key->help, "");
	print_range(out, key);
	print_fallback(out, key);
	fputc('\n', out);
	if (key->group)
		print_keys(out, key->group->keys, depth + 1);
}

static void print_keys(FILE *out, const struct key *keys, int depth)
{
	for (; keys->name; keys++) {
		print_key(out, keys, depth);
		if (depth == 0 && keys[1].name)
			fputc('\n', out);
	}
}

void conf_print_reference(FILE *out)
{
	print_keys(out, conf_root_keys, 0);
}
