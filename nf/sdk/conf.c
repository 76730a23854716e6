/* SPDX-License-Identifier: BSD-3-Clause */
#include "nf/sdk/conf.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum node_type { NODE_GROUP, NODE_LIST, NODE_INT, NODE_FLOAT, NODE_BOOL, NODE_STRING };

/* By enum node_type: the word in the JSON, and the words for people. */
static const struct {
	const char *tag, *said;
} types[] = {
	[NODE_GROUP] = {"group", "a group"},
	[NODE_LIST] = {"list", "a list"},
	[NODE_INT] = {"int", "an integer"},
	[NODE_FLOAT] = {"float", "a number with a fraction"},
	[NODE_BOOL] = {"bool", "true or false"},
	[NODE_STRING] = {"string", "a string"},
};

/* `asked` changes under readers that see the node as constant: it is all they change. */
struct sluice_conf {
	struct conf_tree *tree;
	const char *key; /* NULL in a list */
	const char *file;
	unsigned line;
	enum node_type type;
	bool asked;
	union {
		int64_t integer;
		double number;
		bool boolean;
		const char *string;
		struct {
			struct sluice_conf *child;
			unsigned count;
		};
	};
};

struct conf_tree {
	struct sluice_conf root;
	json_t *json; /* the strings' memory */
	unsigned errors;
	char *error[CONF_TREE_ERRORS_MAX];
};

/* --- from JSON --------------------------------------------------------------------- */

static int node_read(struct conf_tree *tree, json_t *json, const char *key,
		     struct sluice_conf *node);

static int children_alloc(struct sluice_conf *node, size_t count)
{
	node->child = calloc(count ? count : 1, sizeof(*node->child));
	return node->child ? 0 : -ENOMEM;
}

static int group_read(struct conf_tree *tree, json_t *value, struct sluice_conf *node)
{
	const char *key;
	json_t *child;
	int rc = children_alloc(node, json_object_size(value));

	if (rc)
		return rc;
	json_object_foreach(value, key, child)
	{
		rc = node_read(tree, child, key, &node->child[node->count++]);
		if (rc)
			return rc;
	}
	return 0;
}

static int list_read(struct conf_tree *tree, json_t *value, struct sluice_conf *node)
{
	json_t *child;
	size_t i;
	int rc = children_alloc(node, json_array_size(value));

	if (rc)
		return rc;
	json_array_foreach(value, i, child)
	{
		rc = node_read(tree, child, NULL, &node->child[node->count++]);
		if (rc)
			return rc;
	}
	return 0;
}

static int value_read(struct conf_tree *tree, json_t *value, struct sluice_conf *node)
{
	switch (node->type) {
	case NODE_GROUP:
		return json_is_object(value) ? group_read(tree, value, node) : -EINVAL;
	case NODE_LIST:
		return json_is_array(value) ? list_read(tree, value, node) : -EINVAL;
	case NODE_INT:
		node->integer = json_integer_value(value);
		return json_is_integer(value) ? 0 : -EINVAL;
	case NODE_FLOAT:
		node->number = json_number_value(value);
		return json_is_number(value) ? 0 : -EINVAL;
	case NODE_BOOL:
		node->boolean = json_is_true(value);
		return json_is_boolean(value) ? 0 : -EINVAL;
	case NODE_STRING:
		node->string = json_string_value(value);
		return node->string ? 0 : -EINVAL;
	}
	return -EINVAL;
}

static int type_read(json_t *json, enum node_type *out)
{
	const char *tag = json_string_value(json_object_get(json, "t"));

	for (unsigned i = 0; tag && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(tag, types[i].tag) == 0) {
			*out = (enum node_type)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int node_read(struct conf_tree *tree, json_t *json, const char *key,
		     struct sluice_conf *node)
{
	const char *file = json_string_value(json_object_get(json, "f"));

	node->tree = tree;
	node->key = key;
	node->file = file ? file : "?";
	node->line = (unsigned)json_integer_value(json_object_get(json, "l"));
	if (type_read(json, &node->type)) {
		node->type = NODE_INT; /* nothing to free in it */
		return -EINVAL;
	}
	return value_read(tree, json_object_get(json, "v"), node);
}

static void node_free(struct sluice_conf *node)
{
	if (node->type != NODE_GROUP && node->type != NODE_LIST)
		return;
	for (unsigned i = 0; i < node->count; i++)
		node_free(&node->child[i]);
	free(node->child);
}

int conf_tree_parse(const char *json, size_t bytes, struct conf_tree **out)
{
	struct conf_tree *tree = calloc(1, sizeof(*tree));
	int rc = 0;

	if (!tree)
		return -ENOMEM;
	tree->root = (struct sluice_conf){.tree = tree, .type = NODE_GROUP, .file = "?"};
	if (bytes) {
		tree->json = json_loadb(json, bytes, 0, NULL);
		rc = tree->json ? node_read(tree, tree->json, NULL, &tree->root) : -EINVAL;
	}
	if (!rc && tree->root.type != NODE_GROUP)
		rc = -EINVAL;
	if (rc) {
		conf_tree_free(tree);
		return rc;
	}
	tree->root.asked = true;
	*out = tree;
	return 0;
}

void conf_tree_free(struct conf_tree *tree)
{
	if (!tree)
		return;
	node_free(&tree->root);
	json_decref(tree->json);
	for (unsigned i = 0; i < tree->errors && i < CONF_TREE_ERRORS_MAX; i++)
		free(tree->error[i]);
	free(tree);
}

const struct sluice_conf *conf_tree_root(const struct conf_tree *tree)
{
	return &tree->root;
}

/* The child of that name, marked as asked for; NULL when it is absent. */
static struct sluice_conf *ask(const struct sluice_conf *group, const char *key)
{
	if (!group || group->type != NODE_GROUP)
		return NULL;
	for (unsigned i = 0; i < group->count; i++) {
		if (strcmp(group->child[i].key, key) == 0) {
			group->child[i].asked = true;
			return &group->child[i];
		}
	}
	return NULL;
}

/* --- errors ------------------------------------------------------------------------ */

static int error_text(const struct sluice_conf *node, char *text)
{
	struct conf_tree *tree = node->tree;
	char *line = NULL;

	if (tree->errors < CONF_TREE_ERRORS_MAX && text &&
	    asprintf(&line, "%s:%u: %s", node->file, node->line, text) >= 0)
		tree->error[tree->errors] = line;
	tree->errors++;
	free(text);
	return -EINVAL;
}

/* NULL: no memory. */
static char *text_of(const char *format, va_list args)
{
	char *text;

	return vasprintf(&text, format, args) < 0 ? NULL : text;
}

int sluice_conf_error(const struct sluice_conf *node, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = text_of(format, args);
	va_end(args);
	return error_text(node, text);
}

int sluice_conf_error_key(const struct sluice_conf *group, const char *key, const char *format, ...)
{
	const struct sluice_conf *node = ask(group, key);
	va_list args;
	char *text;

	va_start(args, format);
	text = text_of(format, args);
	va_end(args);
	return error_text(node ? node : group, text);
}

static int error_type(const struct sluice_conf *node, const char *want)
{
	const char *is = types[node->type].said;

	if (node->key)
		return sluice_conf_error(node, "%s must be %s, not %s", node->key, want, is);
	return sluice_conf_error(node, "must be %s, not %s", want, is);
}

static void unknown_below(struct sluice_conf *node)
{
	if (!node->asked || (node->type != NODE_GROUP && node->type != NODE_LIST))
		return;
	for (unsigned i = 0; i < node->count; i++) {
		struct sluice_conf *child = &node->child[i];

		if (child->key && !child->asked)
			sluice_conf_error(child, "unknown key \"%s\"", child->key);
		else
			unknown_below(child);
	}
}

void conf_tree_unknown(struct conf_tree *tree)
{
	unknown_below(&tree->root);
}

unsigned conf_tree_errors(const struct conf_tree *tree)
{
	return tree->errors;
}

const char *conf_tree_error(const struct conf_tree *tree, unsigned i)
{
	if (i >= tree->errors || i >= CONF_TREE_ERRORS_MAX)
		return NULL;
	return tree->error[i] ? tree->error[i] : "out of memory";
}

/* --- readers ----------------------------------------------------------------------- */

int sluice_conf_int(const struct sluice_conf *group, const char *key, int64_t fallback, int64_t min,
		    int64_t max, int64_t *out)
{
	const struct sluice_conf *node = ask(group, key);

	*out = fallback;
	if (!node)
		return 0;
	if (node->type != NODE_INT)
		return error_type(node, "an integer");
	if (node->integer < min || node->integer > max)
		return sluice_conf_error(node, "%s is %lld; it may be %lld to %lld", key,
					 (long long)node->integer, (long long)min, (long long)max);
	*out = node->integer;
	return 0;
}

int sluice_conf_bool(const struct sluice_conf *group, const char *key, bool fallback, bool *out)
{
	const struct sluice_conf *node = ask(group, key);

	*out = fallback;
	if (!node)
		return 0;
	if (node->type != NODE_BOOL)
		return error_type(node, "true or false");
	*out = node->boolean;
	return 0;
}

int sluice_conf_float(const struct sluice_conf *group, const char *key, double fallback, double min,
		      double max, double *out)
{
	const struct sluice_conf *node = ask(group, key);
	double value;

	*out = fallback;
	if (!node)
		return 0;
	if (node->type != NODE_FLOAT && node->type != NODE_INT)
		return error_type(node, "a number");
	value = node->type == NODE_INT ? (double)node->integer : node->number;
	if (!(value >= min && value <= max))
		return sluice_conf_error(node, "%s is %g; it may be %g to %g", key, value, min,
					 max);
	*out = value;
	return 0;
}

int sluice_conf_string(const struct sluice_conf *group, const char *key, const char *fallback,
		       const char **out)
{
	const struct sluice_conf *node = ask(group, key);

	*out = fallback;
	if (!node)
		return 0;
	if (node->type != NODE_STRING)
		return error_type(node, "a string");
	*out = node->string;
	return 0;
}

static const struct sluice_conf *ask_type(const struct sluice_conf *group, const char *key,
					  enum node_type type)
{
	const struct sluice_conf *node = ask(group, key);

	if (node && node->type != type) {
		error_type(node, types[type].said);
		return NULL;
	}
	return node;
}

const struct sluice_conf *sluice_conf_list(const struct sluice_conf *group, const char *key)
{
	return ask_type(group, key, NODE_LIST);
}

const struct sluice_conf *sluice_conf_group(const struct sluice_conf *group, const char *key)
{
	return ask_type(group, key, NODE_GROUP);
}

unsigned sluice_conf_length(const struct sluice_conf *list)
{
	return list && list->type == NODE_LIST ? list->count : 0;
}

static struct sluice_conf *element(const struct sluice_conf *list, unsigned i, enum node_type type)
{
	struct sluice_conf *node = i < sluice_conf_length(list) ? &list->child[i] : NULL;

	if (!node)
		return NULL;
	node->asked = true;
	if (node->type == type)
		return node;
	error_type(node, types[type].said);
	return NULL;
}

const struct sluice_conf *sluice_conf_at(const struct sluice_conf *list, unsigned i)
{
	return element(list, i, NODE_GROUP);
}

int sluice_conf_string_at(const struct sluice_conf *list, unsigned i, const char **out)
{
	const struct sluice_conf *node = element(list, i, NODE_STRING);

	*out = node ? node->string : NULL;
	return node ? 0 : -EINVAL;
}

bool sluice_conf_has(const struct sluice_conf *group, const char *key)
{
	return ask(group, key) != NULL;
}
