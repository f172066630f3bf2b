/*
 * Content hashing and the one pseudo-random generator.
 *
 * Words of eight octets are folded in by multiply and rotate, the tail is padded with zeros and the
 * size is part of the state, so that "a" and "a\0" differ; a final avalanche lets callers use any
 * bits of the result. The quality needed is that of hash tables and digests whose inputs nobody
 * crafts: this is no defence against an adversary, and tables that hold remote content bound their
 * chains by growing, not by secrecy.
 */
#include "hash.h"

#include <string.h>

uint64_t hash_bytes(const void *data, size_t size, uint64_t seed) {
    const unsigned char *p = data;
    uint64_t h = seed ^ (size * HASH_PRIME_1 + HASH_PRIME_2);
    uint64_t word;
    for (; size >= sizeof word; size -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        h = hash_fold(h, word);
    }
    if (size > 0) {
        word = 0;
        memcpy(&word, p, size);
        h = hash_fold(h, word);
    }
    return hash_finish(h);
}

uint64_t rng_next(uint64_t *state) {
    uint64_t z = *state += HASH_PRIME_1;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

uint64_t rng_below(uint64_t *state, uint64_t bound) {
    if (bound == 0) {
        return 0;
    }
    /* The first 2^64 mod bound values would favour small results: draw again. Fewer than half of
     * all draws are refused, and the limit of 128 only guards against a broken generator. */
    uint64_t refused = (0 - bound) % bound;
    uint64_t v = rng_next(state);
    for (int i = 0; v < refused && i < 128; i++) {
        v = rng_next(state);
    }
    return v % bound;
}
