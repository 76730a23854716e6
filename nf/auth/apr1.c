/* SPDX-License-Identifier: BSD-3-Clause */
#include "apr1.h"

#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>

#define MAGIC        "$apr1$"
#define MAGIC_LEN    6
#define SALT_MAX     8
#define DIGEST_BYTES 16
#define DIGEST_CHARS 22
#define ROUNDS       1000

static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* What goes into the rounds, and what came out of the last one. */
struct making {
	EVP_MD_CTX *md;
	const char *password, *salt;
	size_t password_len, salt_len;
	uint8_t digest[DIGEST_BYTES];
	bool failed;
};

bool apr1_is(const char *hash)
{
	size_t salt = strncmp(hash, MAGIC, MAGIC_LEN) ? 0 : strcspn(hash + MAGIC_LEN, "$");
	const char *end = hash + MAGIC_LEN + salt;

	return salt > 0 && salt <= SALT_MAX && *end == '$' &&
	       strspn(end + 1, digits) == DIGEST_CHARS && end[1 + DIGEST_CHARS] == '\0';
}

/* --- the digest ------------------------------------------------------------------------- */

static void begin(struct making *m)
{
	m->failed |= !EVP_DigestInit_ex(m->md, EVP_md5(), NULL);
}

static void put(struct making *m, const void *bytes, size_t len)
{
	m->failed |= !EVP_DigestUpdate(m->md, bytes, len);
}

static void put_password(struct making *m)
{
	put(m, m->password, m->password_len);
}

static void put_salt(struct making *m)
{
	put(m, m->salt, m->salt_len);
}

static void end(struct making *m)
{
	m->failed |= !EVP_DigestFinal_ex(m->md, m->digest, NULL);
}

/* As many bytes of the digest as the password has. */
static void put_digest_of_length(struct making *m, const uint8_t *digest)
{
	for (size_t left = m->password_len; left > 0;) {
		size_t len = left < DIGEST_BYTES ? left : DIGEST_BYTES;

		put(m, digest, len);
		left -= len;
	}
}

static void first(struct making *m)
{
	uint8_t inner[DIGEST_BYTES];

	begin(m);
	put_password(m);
	put_salt(m);
	put_password(m);
	end(m);
	memcpy(inner, m->digest, sizeof(inner));
	begin(m);
	put_password(m);
	put(m, MAGIC, MAGIC_LEN);
	put_salt(m);
	put_digest_of_length(m, inner);
	for (size_t bits = m->password_len; bits > 0; bits >>= 1)
		put(m, bits & 1 ? "" : m->password, 1);
	end(m);
	explicit_bzero(inner, sizeof(inner));
}

static void again(struct making *m, unsigned round)
{
	uint8_t before[DIGEST_BYTES];

	memcpy(before, m->digest, sizeof(before));
	begin(m);
	if (round & 1)
		put_password(m);
	else
		put(m, before, sizeof(before));
	if (round % 3)
		put_salt(m);
	if (round % 7)
		put_password(m);
	if (round & 1)
		put(m, before, sizeof(before));
	else
		put_password(m);
	end(m);
}

/* --- its text --------------------------------------------------------------------------- */

static char *put_digits(char *at, uint32_t value, unsigned n)
{
	for (; n > 0; --n, value >>= 6)
		*at++ = digits[value & 63];
	return at;
}

/* Three bytes, five apart, are four digits; the one that is left over is two. */
static void write_digest(const uint8_t *d, char *at)
{
	for (unsigned i = 0; i < 5; ++i)
		at = put_digits(
			at, (uint32_t)d[i] << 16 | (uint32_t)d[i + 6] << 8 | d[i == 4 ? 5 : i + 12],
			4);
	*put_digits(at, d[11], 2) = '\0';
}

bool apr1_make(const char *password, const char *hash, char out[APR1_BYTES])
{
	const char *salt = hash + MAGIC_LEN;
	struct making m = {.md = EVP_MD_CTX_new(),
			   .password = password,
			   .salt = salt,
			   .password_len = strlen(password),
			   .salt_len = strcspn(salt, "$")};

	if (!m.md)
		return false;
	first(&m);
	for (unsigned round = 0; round < ROUNDS; ++round)
		again(&m, round);
	EVP_MD_CTX_free(m.md);
	memcpy(out, hash, MAGIC_LEN + m.salt_len + 1);
	write_digest(m.digest, out + MAGIC_LEN + m.salt_len + 1);
	explicit_bzero(m.digest, sizeof(m.digest));
	return !m.failed;
}
