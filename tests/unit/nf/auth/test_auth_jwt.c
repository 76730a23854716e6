/* SPDX-License-Identifier: BSD-3-Clause */
/* Tokens made here, of every algorithm, right ones and wrong ones. */
#include <stdlib.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "tests/unit/nf/common/plugin.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static EVP_PKEY *rsa, *ec;
static char file[] = "/tmp/test_jwt_XXXXXX";

/* --- making tokens ---------------------------------------------------------------------- */

static void put_base64(char *to, const void *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *p = bytes;
	char *end = to + strlen(to);

	for (size_t i = 0; i < len; i += 3) {
		uint32_t word = (uint32_t)p[i] << 16 | (i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0) |
				(i + 2 < len ? p[i + 2] : 0);

		for (unsigned d = 0; d < 4 && i + d <= len; ++d)
			*end++ = digits[word >> (18 - 6 * d) & 63];
	}
	*end = '\0';
}

static size_t sign_pkey(EVP_PKEY *pkey, const char *text, uint8_t *out)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t len = 1024;

	assert_int_equal(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(md, out, &len, (const uint8_t *)text, strlen(text)), 1);
	EVP_MD_CTX_free(md);
	return len;
}

/* r and s, one after the other. */
static size_t sign_ec(const char *text, uint8_t *out)
{
	uint8_t der[1024];
	const uint8_t *p = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)sign_pkey(ec, text, der));

	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32), 32);
	ECDSA_SIG_free(sig);
	return 64;
}

static const char *token(const char *alg, const char *header, const char *claims)
{
	static char text[4096];
	uint8_t signature[1024];
	unsigned hmac_len = 0;
	size_t len = 0;

	text[0] = '\0';
	put_base64(text, header, strlen(header));
	strcat(text, ".");
	put_base64(text, claims, strlen(claims));
	if (strcmp(alg, "RS256") == 0)
		len = sign_pkey(rsa, text, signature);
	else if (strcmp(alg, "ES256") == 0)
		len = sign_ec(text, signature);
	else if (HMAC(EVP_sha256(), SECRET, (int)strlen(SECRET), (const uint8_t *)text,
		      strlen(text), signature, &hmac_len))
		len = hmac_len;
	strcat(text, ".");
	put_base64(text, signature, len);
	return text;
}

static void file_set(const char *text)
{
	FILE *stream = fopen(file, "w");

	fputs(text, stream);
	fclose(stream);
}

static void file_set_key(EVP_PKEY *pkey)
{
	FILE *stream = fopen(file, "w");

	PEM_write_PUBKEY(stream, pkey);
	fclose(stream);
}

/* --- asking ------------------------------------------------------------------------------- */

static struct harness *start(const char *alg, const char *key, const char *more)
{
	char config[512];

	snprintf(config, sizeof(config), "jwt = { alg = \"%s\"; %s = \"%s\"; %s }; realm = \"r\";",
		 alg, key, file, more);
	return plugin_start(config);
}

static struct harness_exchange *ask(struct harness *h, const char *text)
{
	char field[4200];

	snprintf(field, sizeof(field), "Bearer %s", text);
	return harness_request(h, "GET", "/", HARNESS_FIELDS({"Authorization", field}));
}

static void assert_passes(struct harness *h, const char *text, const char *user)
{
	struct harness_exchange *x = ask(h, text);
	char edits[128];

	snprintf(edits, sizeof(edits), "set X-User: %s\n", user);
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_string_equal(harness_edits(x), edits);
}

static void assert_refused(struct harness *h, const char *text)
{
	struct harness_exchange *x = ask(h, text);

	assert_int_equal(harness_verdict(x), SLUICE_RESPOND);
	assert_int_equal(harness_status(x), 401);
	assert_field(x, "WWW-Authenticate", "Bearer realm=\"r\", error=\"invalid_token\"");
}

static const char *hs256(const char *claims)
{
	return token("HS256", "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", claims);
}

#define GOOD "{\"sub\":\"me\",\"exp\":1704067300}"

/* --- tests ---------------------------------------------------------------------------------- */

static void test_each_algorithm(void **state)
{
	static const char *const algs[] = {"RS256", "ES256", "HS256"};
	char header[64], text[4096];
	struct harness *h;

	(void)state;
	for (unsigned i = 0; i < 3; ++i) {
		if (i == 2)
			file_set(SECRET "\n");
		else
			file_set_key(i == 0 ? rsa : ec);
		h = start(algs[i], i == 2 ? "secret_file" : "key_file", "");
		snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", algs[i]);
		snprintf(text, sizeof(text), "%s", token(algs[i], header, GOOD));
		assert_passes(h, text, "me");
		assert_passes(h, text, "me");
		assert_int_equal(harness_counter(h, "remembered"), 1);
		/* One bit of the signature, and one of the claims. */
		text[strlen(text) - 5] ^= 1;
		assert_refused(h, text);
		text[strlen(text) - 5] ^= 1;
		text[strlen(header) * 4 / 3 + 6] ^= 1;
		assert_refused(h, text);
		harness_destroy(h);
	}
}

/* RFC 8725 §2.1: a public key is no secret of HMAC, and "none" is no algorithm. */
static void test_the_algorithm_is_ours(void **state)
{
	struct harness *h;
	char text[4096];

	(void)state;
	file_set(SECRET);
	h = start("HS256", "secret_file", "");
	assert_refused(h, token("HS256", "{\"alg\":\"none\"}", GOOD));
	assert_refused(h, token("HS256", "{\"alg\":\"HS512\"}", GOOD));
	assert_refused(h, token("HS256", "{\"alg\":[\"HS256\"]}", GOOD));
	assert_refused(h, token("HS256", "{}", GOOD));
	assert_refused(h, token("HS256", "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", GOOD));
	assert_refused(h, token("HS256", "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", GOOD));
	snprintf(text, sizeof(text), "%s", hs256(GOOD));
	*(strrchr(text, '.') + 1) = '\0';
	assert_refused(h, text);
	harness_destroy(h);
	file_set_key(rsa);
	h = start("RS256", "key_file", "");
	assert_refused(h, hs256(GOOD));
	assert_refused(h, token("ES256", "{\"alg\":\"ES256\"}", GOOD));
	harness_destroy(h);
}

static void test_what_is_no_token(void **state)
{
	static const char *const texts[] = {"",   "a",        "a.b",         "a.b.c.d",
					    "..", "e30.e30.", "e30.e30.e30", "!.!.!"};
	struct harness *h;

	(void)state;
	file_set(SECRET);
	h = start("HS256", "secret_file", "");
	for (size_t i = 1; i < sizeof(texts) / sizeof(texts[0]); ++i)
		assert_refused(h, texts[i]);
	assert_refused(h, hs256("[]"));
	assert_refused(h, hs256("\"me\""));
	assert_refused(h, hs256("{\"exp\":1704067300,\"sub\":1}"));
	assert_refused(h, hs256("{\"exp\":1704067300,\"sub\":\"a\\nb\"}"));
	assert_refused(h, hs256("{\"exp\":1704067300,\"sub\":\"a\\u0000b\"}"));
	harness_destroy(h);
}

static void test_no_token(void **state)
{
	struct harness *h;
	struct harness_exchange *x;

	(void)state;
	file_set(SECRET);
	h = start("HS256", "secret_file", "");
	x = harness_request(h, "GET", "/", HARNESS_NO_FIELDS);
	assert_int_equal(harness_status(x), 401);
	assert_field(x, "WWW-Authenticate", "Bearer realm=\"r\"");
	harness_destroy(h);
}

static void test_times(void **state)
{
	struct harness *h;

	(void)state;
	file_set(SECRET);
	h = start("HS256", "secret_file", "leeway_s = 10;");
	assert_passes(h, hs256("{\"sub\":\"a\",\"exp\":1704067191}"), "a");
	assert_refused(h, hs256("{\"sub\":\"a\",\"exp\":1704067190}"));
	assert_passes(h, hs256("{\"sub\":\"b\",\"exp\":1704067300,\"nbf\":1704067210}"), "b");
	assert_refused(h, hs256("{\"sub\":\"b\",\"exp\":1704067300,\"nbf\":1704067211}"));
	assert_refused(h, hs256("{\"sub\":\"c\"}"));
	assert_refused(h, hs256("{\"sub\":\"c\",\"exp\":\"1704067300\"}"));
	assert_refused(h, hs256("{\"sub\":\"c\",\"exp\":-1}"));
	harness_destroy(h);
	h = start("HS256", "secret_file", "require_exp = false;");
	assert_passes(h, hs256("{\"sub\":\"c\"}"), "c");
	harness_destroy(h);
}

/* What is remembered ends with the token. */
static void test_memory_ends_with_the_token(void **state)
{
	struct harness *h;
	char text[4096];

	(void)state;
	file_set(SECRET);
	h = start("HS256", "secret_file", "leeway_s = 0;");
	snprintf(text, sizeof(text), "%s", hs256("{\"sub\":\"a\",\"exp\":1704067205}"));
	assert_passes(h, text, "a");
	harness_advance(h, UINT64_C(4) * 1000000);
	assert_passes(h, text, "a");
	harness_advance(h, UINT64_C(1) * 1000000);
	assert_refused(h, text);
	harness_destroy(h);
}

static void test_issuer_and_audience(void **state)
{
	struct harness *h;

	(void)state;
	file_set(SECRET);
	h = start("HS256", "secret_file",
		  "issuer = \"us\"; audience = \"api\"; require_exp = false;");
	assert_passes(h, hs256("{\"sub\":\"a\",\"iss\":\"us\",\"aud\":\"api\"}"), "a");
	assert_passes(h, hs256("{\"sub\":\"a\",\"iss\":\"us\",\"aud\":[\"web\",\"api\"]}"), "a");
	assert_refused(h, hs256("{\"sub\":\"a\",\"iss\":\"us\",\"aud\":\"apis\"}"));
	assert_refused(h, hs256("{\"sub\":\"a\",\"iss\":\"us\",\"aud\":[\"web\"]}"));
	assert_refused(h, hs256("{\"sub\":\"a\",\"iss\":\"us\"}"));
	assert_refused(h, hs256("{\"sub\":\"a\",\"iss\":\"them\",\"aud\":\"api\"}"));
	assert_refused(h, hs256("{\"sub\":\"a\",\"aud\":\"api\"}"));
	harness_destroy(h);
}

static void test_a_cookie_and_another_claim(void **state)
{
	struct harness *h;
	struct harness_exchange *x;
	char field[4200];

	(void)state;
	file_set(SECRET);
	h = start("HS256", "secret_file", "cookie = \"t\"; user_claim = \"email\";");
	snprintf(field, sizeof(field), "a=b; t=%s",
		 hs256("{\"email\":\"me@a.example\",\"exp\":1704067300}"));
	x = harness_request(h, "GET", "/", HARNESS_FIELDS({"Cookie", field}));
	assert_int_equal(harness_verdict(x), SLUICE_LEAVE);
	assert_field(x, "X-User", "me@a.example");
	harness_destroy(h);
}

static void put_number(char *to, EVP_PKEY *pkey, const char *name)
{
	uint8_t bytes[512];
	BIGNUM *bn = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &bn), 1);
	put_base64(to, bytes, (size_t)BN_bn2bin(bn, bytes));
	BN_free(bn);
}

static void test_a_set_of_keys(void **state)
{
	char n[1024] = "", e[16] = "", set[4096], text[4096];
	struct harness *h;

	(void)state;
	put_number(n, rsa, OSSL_PKEY_PARAM_RSA_N);
	put_number(e, rsa, OSSL_PKEY_PARAM_RSA_E);
	snprintf(set, sizeof(set),
		 "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":\"\"},"
		 "{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AA\",\"e\":\"AQAB\"},"
		 "{\"kty\":\"RSA\",\"kid\":\"k1\",\"alg\":\"RS256\",\"n\":\"%s\",\"e\":\"%s\"}]}",
		 n, e);
	file_set(set);
	h = start("RS256", "jwks_file", "");
	snprintf(text, sizeof(text), "%s",
		 token("RS256", "{\"alg\":\"RS256\",\"kid\":\"k1\"}", GOOD));
	assert_passes(h, text, "me");
	snprintf(text, sizeof(text), "%s", token("RS256", "{\"alg\":\"RS256\"}", GOOD));
	assert_passes(h, text, "me");
	snprintf(text, sizeof(text), "%s",
		 token("RS256", "{\"alg\":\"RS256\",\"kid\":\"k2\"}", GOOD));
	assert_refused(h, text);
	snprintf(text, sizeof(text), "%s", token("RS256", "{\"alg\":\"RS256\",\"kid\":1}", GOOD));
	assert_refused(h, text);
	harness_destroy(h);
}

static void test_curve_keys_of_a_set(void **state)
{
	uint8_t point[65];
	char x[64] = "", y[64] = "", set[512];
	struct harness *h;
	size_t len;

	(void)state;
	assert_int_equal(EVP_PKEY_get_octet_string_param(ec, OSSL_PKEY_PARAM_PUB_KEY, point,
							 sizeof(point), &len),
			 1);
	assert_int_equal(len, 65);
	put_base64(x, point + 1, 32);
	put_base64(y, point + 33, 32);
	snprintf(set, sizeof(set),
		 "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}]}", x, y);
	file_set(set);
	h = start("ES256", "jwks_file", "");
	assert_passes(h, token("ES256", "{\"alg\":\"ES256\"}", GOOD), "me");
	harness_destroy(h);
}

static int make_keys(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	close(fd);
	rsa = EVP_RSA_gen(2048);
	ec = EVP_EC_gen("P-256");
	return rsa && ec ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	return unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_algorithm),
		cmocka_unit_test(test_the_algorithm_is_ours),
		cmocka_unit_test(test_what_is_no_token),
		cmocka_unit_test(test_no_token),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_memory_ends_with_the_token),
		cmocka_unit_test(test_issuer_and_audience),
		cmocka_unit_test(test_a_cookie_and_another_claim),
		cmocka_unit_test(test_a_set_of_keys),
		cmocka_unit_test(test_curve_keys_of_a_set),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
