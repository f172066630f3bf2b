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

uint64_t hash_bytes(const void *data, size_t size, uint64_t seed);
/* One 64-bit value mixed into another (order matters). */
uint64_t hash_mix(uint64_t hash, uint64_t value);

/* splitmix64: `state` is the whole generator and may be any value. */
uint64_t rng_next(uint64_t *state);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t rng_below(uint64_t *state, uint64_t bound);

#endif
