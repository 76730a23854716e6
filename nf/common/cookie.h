/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cookies of a request (RFC 6265 §4.2.1).
 */
#ifndef NF_COMMON_COOKIE_H
#define NF_COMMON_COOKIE_H

#include <sluice/nf.h>

/* The value of cookie `name` in a Cookie field's value; 0, or -ENOENT. */
int cookie_in(struct sluice_str field, struct sluice_str name, struct sluice_str *value);

/* The same in all Cookie fields of the head of this hook. */
int cookie_find(const struct sluice_exchange *x, const char *name, struct sluice_str *value);

/* All cookies of the head but those of that name, as the value of one Cookie field, in `room`. 0,
 * or -ENOSPC. */
int cookie_without(const struct sluice_exchange *x, const char *name, char *room, uint32_t size,
		   struct sluice_str *out);

#endif
