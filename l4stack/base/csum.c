/* SPDX-License-Identifier: BSD-3-Clause */
#include "l4stack/base/csum.h"

#include <rte_mbuf.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "sums are taken in memory order");

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint64_t add_carry(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

/* Up to seven bytes, padded with zero. Headers and addresses end in four, which cost one load: a
 * copy of so few bytes, whose number the compiler does not know, costs more than the rest of their
 * sum. */
static inline uint64_t load_tail(const uint8_t *p, size_t len)
{
	uint64_t word = 0;
	uint32_t half;

	if (len == sizeof(half)) {
		memcpy(&half, p, sizeof(half));
		return half;
	}
	memcpy(&word, p, len);
	return word;
}

uint16_t csum_bytes(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t a = 0, b = 0;

	/* Two chains of add-with-carry, so that they run side by side. */
	for (; len >= 16; p += 16, len -= 16) {
		a = add_carry(a, load64(p));
		b = add_carry(b, load64(p + 8));
	}
	if (len >= 8) {
		a = add_carry(a, load64(p));
		p += 8;
		len -= 8;
	}
	if (len > 0)
		b = add_carry(b, load_tail(p, len));
	return csum_fold64(add_carry(a, b));
}

uint16_t csum_mbuf(const struct rte_mbuf *pkt, uint32_t offset, uint32_t len)
{
	uint32_t done = 0;
	uint16_t sum = 0;

	for (; pkt && offset >= pkt->data_len; pkt = pkt->next)
		offset -= pkt->data_len;
	for (; pkt && done < len; pkt = pkt->next, offset = 0) {
		uint32_t n = RTE_MIN(pkt->data_len - offset, len - done);
		uint16_t part = csum_bytes(rte_pktmbuf_mtod_offset(pkt, uint8_t *, offset), n);

		sum = csum_add(sum, done & 1 ? csum_swap(part) : part);
		done += n;
	}
	return sum;
}
