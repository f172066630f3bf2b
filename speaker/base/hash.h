#ifndef RIBCAGE_BASE_HASH_H
#define RIBCAGE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * Content hashing and seeded pseudo-random numbers.
 *
 * Not cryptographic. Hashes depend on content and seed only, never on a pointer, so that two runs
 * with the same inputs and seed behave the same; and hash order never reaches the wire or a dump.
 */

/* The same for the same octets, size and seed. */
uint64_t hash_bytes(const void *data, size_t size, uint64_t seed);

#define HASH_PRIME_1 UINT64_C(0x9E3779B97F4A7C15)
#define HASH_PRIME_2 UINT64_C(0xC2B2AE3D27D4EB4F)

static inline uint64_t hash_rotate(uint64_t v, unsigned bits) {
    return v << bits | v >> (64 - bits);
}
/* One step of hash_bytes; not yet fit for use. */
static inline uint64_t hash_fold(uint64_t h, uint64_t word) {
    h ^= hash_rotate(word * HASH_PRIME_2, 31) * HASH_PRIME_1;
    return hash_rotate(h, 27) * HASH_PRIME_1 + HASH_PRIME_2;
}
/* Its end: all bits depend on all bits. */
static inline uint64_t hash_finish(uint64_t h) {
    h ^= h >> 33;
    h *= UINT64_C(0xFF51AFD7ED558CCD);
    h ^= h >> 33;
    h *= UINT64_C(0xC4CEB9FE1A85EC53);
    return h ^ h >> 33;
}
/* One 64-bit value mixed into another (order matters). Inline: tables of all prefixes use it. */
static inline uint64_t hash_mix(uint64_t hash, uint64_t value) {
    return hash_finish(hash_fold(hash, value));
}

/* splitmix64: `state` is the whole generator and may be any value. */
uint64_t rng_next(uint64_t *state);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t rng_below(uint64_t *state, uint64_t bound);

#endif
