/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys that check signatures, of the one algorithm that the configuration names: from a PEM file, a
 * JSON Web Key Set (RFC 7517), or a shared secret. Read at init, never changed after.
 */
#ifndef NF_AUTH_KEYS_H
#define NF_AUTH_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>

#include <sluice/nf.h>

struct pool;

#define KEYS_MAX       16
#define KEYS_KID_BYTES 128

enum keys_alg { ALG_RS256, ALG_ES256, ALG_HS256 };

struct key {
	const char *kid; /* NULL: it has none */
	EVP_PKEY *pkey;  /* of RS256 and ES256 */
	uint8_t *secret; /* of HS256 */
	uint32_t secret_len;
};

struct keys {
	enum keys_alg alg;
	struct key key[KEYS_MAX];
	unsigned count;
	EVP_MD_CTX *md;
};

extern const char *const keys_alg_names[]; /* by enum keys_alg, ended by NULL */

/* `alg`, and one of `key_file`, `jwks_file` and `secret_file` of `group`. 0, -ENOMEM or -EINVAL. */
int keys_read(struct keys *keys, struct pool *pool, const struct sluice_conf *group)
	__attribute__((warn_unused_result));
void keys_free(struct keys *keys);

/* RFC 7515 §5.2: one of the keys with that `kid` ("": all) made the signature of `signed_part`. */
bool keys_check(const struct keys *keys, struct sluice_str kid, struct sluice_str signed_part,
		const uint8_t *signature, uint32_t len);

#endif
