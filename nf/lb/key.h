/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the consistent hash looks at: `hash_key` of the configuration.
 */
#ifndef NF_LB_KEY_H
#define NF_LB_KEY_H

#include <stdint.h>

#include <sluice/nf.h>

enum key_source { KEY_CLIENT, KEY_HEADER, KEY_COOKIE, KEY_PATH, KEY_HOST };

struct key_rule {
	enum key_source source;
	const char *name; /* of the header or cookie */
};

/* "client", "path", "host", "header:NAME", "cookie:NAME". 0, or -EINVAL. `text` must outlive the
 * rule. */
int key_rule_parse(const char *text, struct key_rule *out) __attribute__((warn_unused_result));

/* The hash of an exchange's key, from its request head. Without that header or cookie: of its
 * client. */
uint64_t key_hash(const struct key_rule *rule, const struct sluice_exchange *x);

#endif
