/* SPDX-License-Identifier: BSD-3-Clause */
#include "keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "nf/common/base64.h"
#include "nf/common/pool.h"
#include "nf/common/read.h"
#include "nf/common/str.h"

#define FILE_BYTES_MAX   65536
#define NUMBER_BYTES     1024 /* of a key of 8192 bits */
#define RSA_BITS_MIN     2048 /* RFC 7518 §3.3 */
#define SECRET_BYTES_MIN 32   /* §3.2 */

const char *const keys_alg_names[] = {"RS256", "ES256", "HS256", NULL};

/* --- files ---------------------------------------------------------------------------- */

static int read_file(struct pool *pool, const struct sluice_conf *group, const char *key,
		     const char *path, struct sluice_str *out)
{
	FILE *stream = fopen(path, "re");
	char *text;
	size_t len;

	if (!stream)
		return sluice_conf_error_key(group, key, "%s: %s", path, strerror(errno));
	text = pool_alloc(pool, FILE_BYTES_MAX, 1);
	len = text ? fread(text, 1, FILE_BYTES_MAX, stream) : 0;
	fclose(stream);
	if (!text)
		return -ENOMEM;
	if (len == FILE_BYTES_MAX)
		return sluice_conf_error_key(group, key, "%s is longer than any key", path);
	*out = str_make(text, len);
	return 0;
}

/* --- public keys ---------------------------------------------------------------------- */

static bool is_p256(const EVP_PKEY *pkey)
{
	char name[64];
	size_t len;

	return EVP_PKEY_get_group_name(pkey, name, sizeof(name), &len) == 1 &&
	       (strcmp(name, "prime256v1") == 0 || strcmp(name, "P-256") == 0);
}

static bool pkey_fits(const struct keys *keys, const EVP_PKEY *pkey)
{
	if (keys->alg == ALG_RS256)
		return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA &&
		       EVP_PKEY_get_bits(pkey) >= RSA_BITS_MIN;
	return keys->alg == ALG_ES256 && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC && is_p256(pkey);
}

/* False: it is no key of this algorithm; it is freed then. */
static bool add_pkey(struct keys *keys, const char *kid, EVP_PKEY *pkey)
{
	if (!pkey || !pkey_fits(keys, pkey)) {
		EVP_PKEY_free(pkey);
		return false;
	}
	keys->key[keys->count++] = (struct key){.kid = kid, .pkey = pkey};
	return true;
}

static int read_pem(struct keys *keys, struct pool *pool, const struct sluice_conf *group,
		    const char *path)
{
	struct sluice_str text;
	int err = read_file(pool, group, "key_file", path, &text);
	EVP_PKEY *pkey = NULL;
	BIO *bio;

	if (err)
		return err;
	bio = BIO_new_mem_buf(text.ptr, (int)text.len);
	if (bio)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	if (add_pkey(keys, NULL, pkey))
		return 0;
	return sluice_conf_error_key(group, "key_file", "%s has no public key for %s", path,
				     keys_alg_names[keys->alg]);
}

/* --- sets of keys --------------------------------------------------------------------- */

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* A number of a key: its bytes, or -1. */
static int64_t number(const json_t *jwk, const char *name, uint8_t *out)
{
	return base64_decode(sluice_str(member(jwk, name)), BASE64_URL, out, NUMBER_BYTES);
}

static EVP_PKEY *pkey_from(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx && params && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* RFC 7518 §6.3.1 */
static EVP_PKEY *rsa_of(const json_t *jwk)
{
	uint8_t n[NUMBER_BYTES], e[NUMBER_BYTES];
	int64_t n_len = number(jwk, "n", n), e_len = number(jwk, "e", e);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *bn = n_len > 0 ? BN_bin2bn(n, (int)n_len, NULL) : NULL;
	BIGNUM *be = e_len > 0 ? BN_bin2bn(e, (int)e_len, NULL) : NULL;
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey;

	if (build && bn && be && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	pkey = pkey_from("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(bn);
	BN_free(be);
	return pkey;
}

/* RFC 7518 §6.2.1: both coordinates in full length, as an uncompressed point. */
static EVP_PKEY *ec_of(const json_t *jwk)
{
	uint8_t x[NUMBER_BYTES], y[NUMBER_BYTES], point[65] = {4};
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};

	if (strcmp(member(jwk, "crv"), "P-256") != 0 || number(jwk, "x", x) != 32 ||
	    number(jwk, "y", y) != 32)
		return NULL;
	memcpy(point + 1, x, 32);
	memcpy(point + 33, y, 32);
	return pkey_from("EC", params);
}

static bool add_secret(struct keys *keys, struct pool *pool, const char *kid, const uint8_t *secret,
		       int64_t len)
{
	struct key *key = &keys->key[keys->count];

	if (len < SECRET_BYTES_MIN)
		return false;
	*key = (struct key){.kid = kid,
			    .secret = pool_alloc(pool, (size_t)len, 1),
			    .secret_len = (uint32_t)len};
	if (!key->secret)
		return false;
	memcpy(key->secret, secret, (size_t)len);
	++keys->count;
	return true;
}

/* One that is for something else is passed over (RFC 7517 §5). */
static bool wanted(const struct keys *keys, const json_t *jwk)
{
	static const char *const types[] = {"RSA", "EC", "oct"};
	const char *alg = member(jwk, "alg"), *use = member(jwk, "use");

	return strcmp(member(jwk, "kty"), types[keys->alg]) == 0 &&
	       (*alg == '\0' || strcmp(alg, keys_alg_names[keys->alg]) == 0) &&
	       (*use == '\0' || strcmp(use, "sig") == 0);
}

static bool add_jwk(struct keys *keys, struct pool *pool, const json_t *jwk)
{
	const char *kid = member(jwk, "kid");
	uint8_t secret[NUMBER_BYTES];

	kid = *kid ? pool_text(pool, "%s", kid) : NULL;
	switch (keys->alg) {
	case ALG_RS256:
		return add_pkey(keys, kid, rsa_of(jwk));
	case ALG_ES256:
		return add_pkey(keys, kid, ec_of(jwk));
	case ALG_HS256:
		return add_secret(keys, pool, kid, secret, number(jwk, "k", secret));
	}
	return false;
}

static int add_jwks(struct keys *keys, struct pool *pool, const struct sluice_conf *group,
		    const char *path, const json_t *set)
{
	const json_t *list = json_object_get(set, "keys");

	for (size_t i = 0; i < json_array_size(list); ++i) {
		const json_t *jwk = json_array_get(list, i);

		if (!wanted(keys, jwk))
			continue;
		if (keys->count == KEYS_MAX)
			return sluice_conf_error_key(group, "jwks_file", "%s: more than %d keys",
						     path, KEYS_MAX);
		if (!add_jwk(keys, pool, jwk))
			return sluice_conf_error_key(group, "jwks_file",
						     "%s: key %zu is no key for %s", path, i + 1,
						     keys_alg_names[keys->alg]);
	}
	if (keys->count == 0)
		return sluice_conf_error_key(group, "jwks_file", "%s has no key for %s", path,
					     keys_alg_names[keys->alg]);
	return 0;
}

static int read_jwks(struct keys *keys, struct pool *pool, const struct sluice_conf *group,
		     const char *path)
{
	struct sluice_str text;
	json_error_t error;
	json_t *set;
	int err = read_file(pool, group, "jwks_file", path, &text);

	if (err)
		return err;
	set = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
	if (!set)
		return sluice_conf_error_key(group, "jwks_file", "%s:%d: %s", path, error.line,
					     error.text);
	err = add_jwks(keys, pool, group, path, set);
	json_decref(set);
	return err;
}

/* A line's end after it is none of it. */
static int read_secret(struct keys *keys, struct pool *pool, const struct sluice_conf *group,
		       const char *path)
{
	struct sluice_str text;
	int err = read_file(pool, group, "secret_file", path, &text);

	if (err)
		return err;
	while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
		--text.len;
	if (add_secret(keys, pool, NULL, (const uint8_t *)text.ptr, text.len))
		return 0;
	return sluice_conf_error_key(group, "secret_file", "%s: a secret has at least %d bytes",
				     path, SECRET_BYTES_MIN);
}

/* --- all of it ------------------------------------------------------------------------ */

static int read_from(struct keys *keys, struct pool *pool, const struct sluice_conf *group)
{
	const char *pem, *jwks, *secret;

	if (sluice_conf_string(group, "key_file", NULL, &pem) ||
	    sluice_conf_string(group, "jwks_file", NULL, &jwks) ||
	    sluice_conf_string(group, "secret_file", NULL, &secret))
		return -EINVAL;
	if (!!pem + !!jwks + !!secret != 1)
		return sluice_conf_error(group,
					 "jwt needs one of key_file, jwks_file and secret_file");
	if (!jwks && (keys->alg == ALG_HS256) != !!secret)
		return sluice_conf_error(group, "%s has %s", keys_alg_names[keys->alg],
					 secret ? "no secret: key_file or jwks_file"
						: "a secret: secret_file or jwks_file");
	if (jwks)
		return read_jwks(keys, pool, group, jwks);
	return pem ? read_pem(keys, pool, group, pem) : read_secret(keys, pool, group, secret);
}

int keys_read(struct keys *keys, struct pool *pool, const struct sluice_conf *group)
{
	unsigned alg;
	int err;

	if (!sluice_conf_has(group, "alg"))
		return sluice_conf_error(group,
					 "jwt needs alg = \"RS256\", \"ES256\" or \"HS256\"");
	err = read_choice(group, "alg", keys_alg_names, ALG_RS256, &alg);
	if (err)
		return err;
	/* No file of configuration: it may not be there to be read any more. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	keys->alg = (enum keys_alg)alg;
	keys->md = EVP_MD_CTX_new();
	return keys->md ? read_from(keys, pool, group) : -ENOMEM;
}

void keys_free(struct keys *keys)
{
	for (unsigned i = 0; i < keys->count; ++i) {
		EVP_PKEY_free(keys->key[i].pkey);
		if (keys->key[i].secret)
			OPENSSL_cleanse(keys->key[i].secret, keys->key[i].secret_len);
	}
	EVP_MD_CTX_free(keys->md);
}
