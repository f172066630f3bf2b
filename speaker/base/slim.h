#ifndef RIBCAGE_BASE_SLIM_H
#define RIBCAGE_BASE_SLIM_H

#include "table.h"

/*
 * A hash table of 32-bit indices at four octets a slot, for tables so large that the hashes of
 * table.h, and its growing by doubling, would cost more than the objects' own work: growing and
 * deleting ask for hashes again, and growing adds a quarter. What an index leaves free of its slot
 * holds upper hash bits, so that most misses still touch no object.
 *
 * The indices are those of one slab all of whose objects are in the table, so they never exceed
 * its largest count by more than one.
 */

struct slim_table {
    uint32_t *slots; /* 0: empty; else tag << index_bits | index */
    uint32_t capacity;
    uint32_t count;
    uint32_t index_bits;
    uint32_t limit; /* every index ever inserted is below this */
};

/* False: the index is not in the table. */
typedef bool slim_hash_fn(const void *context, uint32_t index, uint64_t *ret_hash);

void slim_init(struct slim_table *t);
void slim_deinit(struct slim_table *t);
/* Before several are looked for: asks the processor for the place of this hash, and goes on. */
void slim_prefetch(const struct slim_table *t, uint64_t hash);
/* The index whose key equals `key`, or 0. */
uint32_t slim_find(const struct slim_table *t, uint64_t hash, table_equal_fn *equal,
                   const void *context, const void *key);
/* Adds `index` (not 0, not present: hash_of says so still). False: out of memory, nothing changed.
 */
bool slim_insert(struct slim_table *t, uint64_t hash, uint32_t index, slim_hash_fn *hash_of,
                 const void *context);
/* Removes `index`, which must have been inserted with this hash. */
void slim_remove(struct slim_table *t, uint64_t hash, uint32_t index, slim_hash_fn *hash_of,
                 const void *context);

#endif
