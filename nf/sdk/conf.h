/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function's `config`, as it is read by the readers of <sluice/nf.h>.
 *
 * It comes as JSON that keeps places (mgmt/conf/conf.h tells the form) and becomes a tree
 * that lives as long as the function: strings given out point into it. Each node knows
 * whether it was ever asked for. Errors are collected, "FILE:LINE: text".
 */
#ifndef NF_SDK_CONF_H
#define NF_SDK_CONF_H

#include <stddef.h>

#include <sluice/nf.h>

#define CONF_TREE_ERRORS_MAX 20

struct conf_tree;

/* 0, -ENOMEM, or -EINVAL for what is no such JSON. An empty text is an empty group. */
int conf_tree_parse(const char *json, size_t bytes, struct conf_tree **out)
	__attribute__((warn_unused_result));
void conf_tree_free(struct conf_tree *tree);

const struct sluice_conf *conf_tree_root(const struct conf_tree *tree);
/* An error for each key of a visited group that was never asked for. */
void conf_tree_unknown(struct conf_tree *tree);
unsigned
conf_tree_errors(const struct conf_tree *tree); /* how many; CONF_TREE_ERRORS_MAX are kept */
const char *conf_tree_error(const struct conf_tree *tree, unsigned i); /* NULL: no such */

#endif
