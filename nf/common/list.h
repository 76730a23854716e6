/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Field values that are lists (RFC 9110 §5.6.1): element by element.
 */
#ifndef NF_COMMON_LIST_H
#define NF_COMMON_LIST_H

#include <stdbool.h>

#include <sluice/nf.h>

/*
 * The next element of `rest`, without white space around it; `rest` becomes what follows.
 * Commas in quoted strings and in comments divide nothing; empty elements are passed over.
 * False at the end.
 */
bool list_next(struct sluice_str *rest, struct sluice_str *element);

/* Without spaces and tabs at either end. */
struct sluice_str list_trim(struct sluice_str text);

#endif
