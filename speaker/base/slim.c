/*
 * The slim hash table: open addressing, linear probing, deletion by shifting back; see table.c for
 * the same with stored hashes.
 *
 * The low 32 hash bits, scaled to the capacity, are a slot's home place, so that equal hashes stay
 * together when the capacity is no power of two; the bits from 32 up that fit beside an index are
 * its tag. Growing asks for the hashes in the order of the indices, which is that of the objects in
 * memory.
 *
 * Invariants: count <= 4/5 capacity, so every probe ends; an index is below the capacity and so
 * below 2^index_bits; between the home of an index and its slot there is no empty slot.
 */
#include "slim.h"

#include "arena.h"

#include <assert.h>

#define SLIM_CAPACITY_MIN 16u
#define SLIM_BATCH 16u
#define SLIM_CAPACITY_MAX (UINT32_C(1) << 31)

void slim_init(struct slim_table *t) {
    *t = (struct slim_table){0};
}

void slim_deinit(struct slim_table *t) {
    alloc_free(t->slots);
    slim_init(t);
}

static uint32_t slim_home(const struct slim_table *t, uint64_t hash) {
    return (uint32_t)(((hash & UINT32_MAX) * t->capacity) >> 32);
}

static uint32_t slim_after(const struct slim_table *t, uint32_t i) {
    return i + 1 < t->capacity ? i + 1 : 0;
}

/* Steps from slot `from` to slot `to`. */
static uint32_t slim_distance(const struct slim_table *t, uint32_t from, uint32_t to) {
    return to >= from ? to - from : to + t->capacity - from;
}

static uint32_t slim_index(const struct slim_table *t, uint32_t slot) {
    return slot & ((UINT32_C(1) << t->index_bits) - 1);
}

/* The slot of an index with this hash. */
static uint32_t slim_slot(const struct slim_table *t, uint64_t hash, uint32_t index) {
    return (uint32_t)(hash >> 32) << t->index_bits | index;
}

void slim_prefetch(const struct slim_table *t, uint64_t hash) {
    if (t->capacity > 0) {
        __builtin_prefetch(&t->slots[slim_home(t, hash)]);
    }
}

uint32_t slim_find(const struct slim_table *t, uint64_t hash, table_equal_fn *equal,
                   const void *context, const void *key) {
    if (t->capacity == 0) {
        return 0;
    }
    for (uint32_t i = slim_home(t, hash); t->slots[i] != 0; i = slim_after(t, i)) {
        uint32_t index = slim_index(t, t->slots[i]);
        if (t->slots[i] == slim_slot(t, hash, index) && equal(context, index, key)) {
            return index;
        }
    }
    return 0;
}

static void slim_place(struct slim_table *t, uint64_t hash, uint32_t index) {
    uint32_t i = slim_home(t, hash);
    assert(index < t->capacity);
    while (t->slots[i] != 0) {
        i = slim_after(t, i);
    }
    t->slots[i] = slim_slot(t, hash, index);
}

static uint32_t bits_of(uint32_t capacity) {
    return 32 - (uint32_t)__builtin_clz(capacity - 1);
}

/* 16, 20, 24, 28, 32, 40, … */
static uint32_t capacity_after(uint32_t capacity) {
    if (capacity == 0) {
        return SLIM_CAPACITY_MIN;
    }
    return capacity + (UINT32_C(1) << (31 - __builtin_clz(capacity))) / 4;
}

static void slim_place_batch(struct slim_table *t, const uint64_t *hashes, const uint32_t *indices,
                             uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        slim_place(t, hashes[i], indices[i]);
    }
}

/* Everything that is in the table. Places are far apart: a batch of them is fetched at a time. */
static void slim_refill(struct slim_table *t, slim_hash_fn *hash_of, const void *context) {
    uint64_t hashes[SLIM_BATCH];
    uint32_t indices[SLIM_BATCH], count = 0;
    for (uint32_t index = 1; index < t->limit; index++) {
        if (hash_of(context, index, &hashes[count])) {
            __builtin_prefetch(&t->slots[slim_home(t, hashes[count])], 1);
            indices[count++] = index;
        }
        if (count == SLIM_BATCH || index + 1 == t->limit) {
            slim_place_batch(t, hashes, indices, count);
            count = 0;
        }
    }
}

static bool slim_grow(struct slim_table *t, slim_hash_fn *hash_of, const void *context) {
    struct slim_table bigger = {.count = t->count, .limit = t->limit};
    bigger.capacity = capacity_after(t->capacity);
    if (bigger.capacity > SLIM_CAPACITY_MAX) {
        return false;
    }
    bigger.index_bits = bits_of(bigger.capacity);
    bigger.slots = alloc_zero(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots) {
        return false;
    }
    slim_refill(&bigger, hash_of, context);
    alloc_free(t->slots);
    *t = bigger;
    return true;
}

bool slim_insert(struct slim_table *t, uint64_t hash, uint32_t index, slim_hash_fn *hash_of,
                 const void *context) {
    assert(index != 0);
    if (t->count >= t->capacity / 5 * 4 && !slim_grow(t, hash_of, context)) {
        return false;
    }
    slim_place(t, hash, index);
    t->limit = index >= t->limit ? index + 1 : t->limit;
    t->count++;
    return true;
}

/* Moves later members of the run into the hole as long as that keeps them reachable. */
static void slim_close_hole(struct slim_table *t, uint32_t hole, slim_hash_fn *hash_of,
                            const void *context) {
    for (uint32_t i = slim_after(t, hole); t->slots[i] != 0; i = slim_after(t, i)) {
        uint64_t hash = 0;
        bool there = hash_of(context, slim_index(t, t->slots[i]), &hash);
        assert(there);
        if (slim_distance(t, slim_home(t, hash), i) >= slim_distance(t, hole, i)) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole] = 0;
}

void slim_remove(struct slim_table *t, uint64_t hash, uint32_t index, slim_hash_fn *hash_of,
                 const void *context) {
    assert(index != 0 && t->count > 0);
    uint32_t i = slim_home(t, hash);
    while (slim_index(t, t->slots[i]) != index) {
        assert(t->slots[i] != 0);
        i = slim_after(t, i);
    }
    assert(t->slots[i] == slim_slot(t, hash, index));
    slim_close_hole(t, i, hash_of, context);
    t->count--;
}
