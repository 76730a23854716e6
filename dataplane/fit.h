/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions and the chains they are put in: whether they have hooks for the chain's protocol. */
#ifndef DATAPLANE_FIT_H
#define DATAPLANE_FIT_H

#include <stdint.h>

struct conf;
struct conf_errors;

/* `hooks`: for each of conf->functions its enum sluice_hook; 0: not known. 0, or -EINVAL with
 * `errors` filled. */
int fit_check(const struct conf *conf, const uint32_t *hooks, struct conf_errors *errors)
	__attribute__((warn_unused_result));

#endif
