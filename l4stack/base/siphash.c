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

/* `end`: the last word, but for the addresses' length. */
static inline __attribute__((always_inline)) uint64_t
sip_tuple(const uint64_t key[2], const struct addr *local, const struct addr *remote, uint64_t end,
	  unsigned compress, unsigned final)
{
	struct sip s = sip_init(key);

	if (local->family == ADDR_IP4) {
		uint64_t remote_high = addr_ip4(remote);

		sip_word(&s, addr_ip4(local) | remote_high << 32, compress);
		sip_word(&s, end + (8ull << 56), compress);
	} else {
		sip_word(&s, load64(local->bytes), compress);
		sip_word(&s, load64(local->bytes + 8), compress);
		sip_word(&s, load64(remote->bytes), compress);
		sip_word(&s, load64(remote->bytes + 8), compress);
		sip_word(&s, end + (32ull << 56), compress);
	}
	return sip_final(&s, final);
}

static inline uint64_t ports_of(const struct endpoint *local, const struct endpoint *remote)
{
	return local->port | (uint64_t)remote->port << 16;
}

uint64_t siphash_tuple(const uint64_t key[2], const struct endpoint *local,
		       const struct endpoint *remote)
{
	uint64_t end = 4ull << 56 | ports_of(local, remote);

	return sip_tuple(key, &local->addr, &remote->addr, end, 1, 3);
}

uint64_t siphash24_tuple(const uint64_t key[2], const struct endpoint *local,
			 const struct endpoint *remote, uint8_t purpose)
{
	uint64_t end = 5ull << 56 | (uint64_t)purpose << 32 | ports_of(local, remote);

	return sip_tuple(key, &local->addr, &remote->addr, end, 2, 4);
}
