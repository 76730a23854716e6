/* SPDX-License-Identifier: BSD-3-Clause */
/* Signatures (RFC 7515 §5.2) by the algorithms of RFC 7518 §3. */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "keys.h"
#include "nf/common/str.h"

#define ES256_HALF      32 /* §3.4: r and s, one after the other */
#define ES256_DER_BYTES 80
#define HS256_BYTES     32

static bool verify(const struct keys *keys, EVP_PKEY *pkey, struct sluice_str text,
		   const uint8_t *signature, size_t len)
{
	bool good;

	EVP_MD_CTX_reset(keys->md);
	good = EVP_DigestVerifyInit(keys->md, NULL, EVP_sha256(), NULL, pkey) == 1 &&
	       EVP_DigestVerify(keys->md, signature, len, (const uint8_t *)text.ptr, text.len) == 1;
	EVP_MD_CTX_reset(keys->md);
	return good;
}

/* OpenSSL wants them in DER. */
static int to_der(const uint8_t *signature, uint8_t *out)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, ES256_HALF, NULL);
	BIGNUM *s = BN_bin2bn(signature + ES256_HALF, ES256_HALF, NULL);
	int len = 0;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		len = i2d_ECDSA_SIG(sig, &out);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	return len;
}

static bool check_es256(const struct keys *keys, const struct key *key, struct sluice_str text,
			const uint8_t *signature, uint32_t len)
{
	uint8_t der[ES256_DER_BYTES];
	int der_len = len == 2 * ES256_HALF ? to_der(signature, der) : 0;

	return der_len > 0 && verify(keys, key->pkey, text, der, (size_t)der_len);
}

static bool check_hs256(const struct key *key, struct sluice_str text, const uint8_t *signature,
			uint32_t len)
{
	uint8_t made[EVP_MAX_MD_SIZE];
	unsigned made_len = 0;

	return len == HS256_BYTES &&
	       HMAC(EVP_sha256(), key->secret, (int)key->secret_len, (const uint8_t *)text.ptr,
		    text.len, made, &made_len) &&
	       made_len == len && CRYPTO_memcmp(made, signature, len) == 0;
}

static bool check(const struct keys *keys, const struct key *key, struct sluice_str text,
		  const uint8_t *signature, uint32_t len)
{
	switch (keys->alg) {
	case ALG_RS256:
		return verify(keys, key->pkey, text, signature, len);
	case ALG_ES256:
		return check_es256(keys, key, text, signature, len);
	case ALG_HS256:
		return check_hs256(key, text, signature, len);
	}
	return false;
}

bool keys_check(const struct keys *keys, struct sluice_str kid, struct sluice_str signed_part,
		const uint8_t *signature, uint32_t len)
{
	for (unsigned i = 0; i < keys->count; ++i) {
		const struct key *key = &keys->key[i];

		if (kid.len > 0 && key->kid && !str_equal(kid, sluice_str(key->kid)))
			continue;
		if (check(keys, key, signed_part, signature, len))
			return true;
	}
	return false;
}
