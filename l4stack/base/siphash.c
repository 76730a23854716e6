/* SPDX-License-Identifier: BSD-3-Clause */
/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012. */
#include "l4stack/base/siphash.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are loaded as they stand");

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline struct sip sip_init(const uint64_t key[2])
{
	return (struct sip){
		.v0 = key[0] ^ 0x736f6d6570736575ull,
		.v1 = key[1] ^ 0x646f72616e646f6dull,
		.v2 = key[0] ^ 0x6c7967656e657261ull,
		.v3 = key[1] ^ 0x7465646279746573ull,
	};
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word, unsigned rounds)
{
	s->v3 ^= word;
	for (unsigned i = 0; i < rounds; i++)
		sip_round(s);
	s->v0 ^= word;
}

static inline uint64_t sip_final(struct sip *s, unsigned rounds)
{
	s->v2 ^= 0xff;
	for (unsigned i = 0; i < rounds; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t sip_bytes(const uint64_t key[2], const uint8_t *p, size_t len,
				 unsigned compress, unsigned final)
{
	struct sip s = sip_init(key);
	uint64_t last = (uint64_t)len << 56, tail = 0;

	for (; len >= 8; p += 8, len -= 8)
		sip_word(&s, load64(p), compress);
	if (len > 0)
		memcpy(&tail, p, len);
	sip_word(&s, last | tail, compress);
	return sip_final(&s, final);
}

uint64_t siphash13(const uint64_t key[2], const void *data, size_t len)
{
	return sip_bytes(key, data, len, 1, 3);
}

uint64_t siphash24(const uint64_t key[2], const void *data, size_t len)
{
	return sip_bytes(key, data, len, 2, 4);
}

uint64_t siphash_tuple(const uint64_t key[2], const struct endpoint *local,
		       const struct endpoint *remote)
{
	uint64_t ports = local->port | (uint64_t)remote->port << 16;
	struct sip s = sip_init(key);

	if (local->addr.family == ADDR_IP4) {
		uint64_t remote_high = addr_ip4(&remote->addr);

		sip_word(&s, addr_ip4(&local->addr) | remote_high << 32, 1);
		sip_word(&s, 12ull << 56 | ports, 1);
	} else {
		sip_word(&s, load64(local->addr.bytes), 1);
		sip_word(&s, load64(local->addr.bytes + 8), 1);
		sip_word(&s, load64(remote->addr.bytes), 1);
		sip_word(&s, load64(remote->addr.bytes + 8), 1);
		sip_word(&s, 36ull << 56 | ports, 1);
	}
	return sip_final(&s, 3);
}
