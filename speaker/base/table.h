#ifndef RIBCAGE_BASE_TABLE_H
#define RIBCAGE_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An open-addressing hash table of 32-bit indices (into a slab or an array owned by the caller).
 * The caller computes hashes and compares keys; the table keeps the lower 32 hash bits beside each
 * index, so that growing needs no callback and most misses touch no object.
 * Iteration order is unspecified and must not reach the wire or a dump: sort first.
 */

struct table {
    uint32_t *slots;   /* index or 0 (empty); indices are never 0 */
    uint32_t *hashes;  /* low 32 bits of the hash of each slot */
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

typedef bool table_equal_fn(const void *context, uint32_t index, const void *key);

void table_init(struct table *t);
void table_deinit(struct table *t);
/* The index whose key equals `key`, or 0. */
uint32_t table_find(const struct table *t, uint64_t hash, table_equal_fn *equal,
                    const void *context, const void *key);
/* Makes room for `count` indices in all, at once. False: out of memory, nothing changed. */
bool table_reserve(struct table *t, uint32_t count);
/* Adds `index` (not 0, not present). False: out of memory, nothing changed. */
bool table_insert(struct table *t, uint64_t hash, uint32_t index);
/* Removes `index`, which must have been inserted with this hash. */
void table_remove(struct table *t, uint64_t hash, uint32_t index);

#endif
