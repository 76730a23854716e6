/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * htpasswd's own hash: "$apr1$SALT$…", a thousand rounds of MD5, which crypt(5) does not know. It
 * is read for the sake of the files that there are; it is no good hash for new ones.
 */
#ifndef NF_AUTH_APR1_H
#define NF_AUTH_APR1_H

#include <stdbool.h>

#define APR1_BYTES 38 /* the longest, with its NUL */

bool apr1_is(const char *hash);
/* The hash of `password` with the salt of `hash`, which is one. False: there is no MD5 here. */
bool apr1_make(const char *password, const char *hash, char out[APR1_BYTES]);

#endif
