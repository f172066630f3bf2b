/*
 * The slim hash table: open addressing, linear probing, deletion by shifting back; see table.c for
 * the same with stored hashes.
 *
 * The low hash bits are a slot's home place; the bits from 32 up that fit beside an index are its
 * tag. Both follow from the hash, which is asked for where an entry has to move.
 *
 * Invariants: capacity is 0 or a power of two; count <= 3/4 capacity, so every probe ends; an index
 * is below the capacity, so index_bits = log2 of the capacity; between the home of an index and its
 * slot there is no empty slot.
 */
#include "slim.h"

#include "arena.h"

#include <assert.h>

#define SLIM_BITS_MIN 3u
#define SLIM_BITS_MAX 31u

void slim_init(struct slim_table *t) {
    *t = (struct slim_table){0};
}

void slim_deinit(struct slim_table *t) {
    alloc_free(t->slots);
    slim_init(t);
}

static uint32_t slim_index(const struct slim_table *t, uint32_t slot) {
    return slot & (t->capacity - 1);
}

static uint32_t slim_tag(const struct slim_table *t, uint64_t hash) {
    return (uint32_t)(hash >> 32) << t->index_bits;
}

uint32_t slim_find(const struct slim_table *t, uint64_t hash, table_equal_fn *equal,
                   const void *context, const void *key) {
    if (t->capacity == 0) {
        return 0;
    }
    uint32_t mask = t->capacity - 1;
    uint32_t tag = slim_tag(t, hash);
    for (uint32_t i = (uint32_t)hash & mask; t->slots[i] != 0; i = (i + 1) & mask) {
        uint32_t index = t->slots[i] & mask;
        if ((t->slots[i] & ~mask) == tag && equal(context, index, key)) {
            return index;
        }
    }
    return 0;
}

static void slim_place(struct slim_table *t, uint64_t hash, uint32_t index) {
    uint32_t mask = t->capacity - 1;
    uint32_t i = (uint32_t)hash & mask;
    assert(index <= mask);
    while (t->slots[i] != 0) {
        i = (i + 1) & mask;
    }
    t->slots[i] = slim_tag(t, hash) | index;
}

static bool slim_grow(struct slim_table *t, slim_hash_fn *hash_of, const void *context) {
    struct slim_table bigger = {.count = t->count};
    bigger.index_bits = t->capacity ? t->index_bits + 1 : SLIM_BITS_MIN;
    if (bigger.index_bits > SLIM_BITS_MAX) {
        return false;
    }
    bigger.capacity = UINT32_C(1) << bigger.index_bits;
    bigger.slots = alloc_zero(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots) {
        return false;
    }
    for (uint32_t i = 0; i < t->capacity; i++) {
        if (t->slots[i] != 0) {
            uint32_t index = slim_index(t, t->slots[i]);
            slim_place(&bigger, hash_of(context, index), index);
        }
    }
    alloc_free(t->slots);
    *t = bigger;
    return true;
}

bool slim_insert(struct slim_table *t, uint64_t hash, uint32_t index, slim_hash_fn *hash_of,
                 const void *context) {
    assert(index != 0);
    if (t->count >= t->capacity / 4 * 3 && !slim_grow(t, hash_of, context)) {
        return false;
    }
    slim_place(t, hash, index);
    t->count++;
    return true;
}

/* Moves later members of the run into the hole as long as that keeps them reachable. */
static void slim_close_hole(struct slim_table *t, uint32_t hole, slim_hash_fn *hash_of,
                            const void *context) {
    uint32_t mask = t->capacity - 1;
    for (uint32_t i = (hole + 1) & mask; t->slots[i] != 0; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)hash_of(context, t->slots[i] & mask) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole] = 0;
}

void slim_remove(struct slim_table *t, uint64_t hash, uint32_t index, slim_hash_fn *hash_of,
                 const void *context) {
    assert(index != 0 && t->count > 0);
    uint32_t mask = t->capacity - 1;
    uint32_t i = (uint32_t)hash & mask;
    while ((t->slots[i] & mask) != index) {
        assert(t->slots[i] != 0);
        i = (i + 1) & mask;
    }
    assert((t->slots[i] & ~mask) == slim_tag(t, hash));
    slim_close_hole(t, i, hash_of, context);
    t->count--;
}
