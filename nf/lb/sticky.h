/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cookie that keeps a client with its server. Its value is the server's address under a keyed
 * hash: the same in every instance and after every start, it tells nothing, and without the secret
 * nobody can make one up.
 */
#ifndef NF_LB_STICKY_H
#define NF_LB_STICKY_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/nf.h>

#include "nf/common/hash.h"

#define STICKY_VALUE_BYTES 16
#define STICKY_FIELD_BYTES 512

struct sticky {
	const char *name;       /* of the cookie; NULL: none is set */
	const char *attributes; /* "; Path=/; HttpOnly": what follows the value */
	struct hash_key key;
	bool hide;   /* servers do not see the cookie */
	bool shared; /* caches may keep answers that set it */
};

/* `config`: the function's, with or without `sticky`. 0, or -EINVAL. sticky_free in any case. */
int sticky_read(const struct sluice_conf *config, struct sticky *out)
	__attribute__((warn_unused_result));
void sticky_free(struct sticky *sticky);

uint64_t sticky_id(const struct sticky *sticky, const struct sluice_peer *server);

/* The id in the request's cookie. False: it has none, or what is no id. */
bool sticky_asked(const struct sticky *sticky, const struct sluice_exchange *x, uint64_t *id);

/* Takes the cookie out of the request, if servers are not to see it. 0 or -errno. */
int sticky_hide(const struct sticky *sticky, struct sluice_exchange *x);

/* Sets it in the response. 0 or -errno. */
int sticky_set(const struct sticky *sticky, struct sluice_exchange *x, uint64_t id);

#endif
