/*
 * The hash table of indices: open addressing, linear probing, deletion by shifting back.
 *
 * Both arrays are one allocation. The stored 32 hash bits give a slot's home place (low bits) and
 * let a probe pass over most strangers without looking at their objects; growing and deleting need
 * nothing but them. There are no tombstones, so a table that churns for days probes no further than
 * a fresh one.
 *
 * Invariants: capacity is 0 or a power of two; count <= 3/4 capacity, so every probe ends; between
 * the home of an index and its slot there is no empty slot.
 */
#include "table.h"

#include "arena.h"

#include <assert.h>

#define TABLE_CAPACITY_MIN 8u
#define TABLE_CAPACITY_MAX (UINT32_C(1) << 31)

void table_init(struct table *t) {
    *t = (struct table){0};
}

void table_deinit(struct table *t) {
    alloc_free(t->slots);
    table_init(t);
}

uint32_t table_find(const struct table *t, uint64_t hash, table_equal_fn *equal,
                    const void *context, const void *key) {
    if (t->capacity == 0) {
        return 0;
    }
    uint32_t mask = t->capacity - 1;
    uint32_t low = (uint32_t)hash;
    for (uint32_t i = low & mask; t->slots[i] != 0; i = (i + 1) & mask) {
        if (t->hashes[i] == low && equal(context, t->slots[i], key)) {
            return t->slots[i];
        }
    }
    return 0;
}

static void table_place(struct table *t, uint32_t low, uint32_t index) {
    uint32_t mask = t->capacity - 1;
    uint32_t i = low & mask;
    while (t->slots[i] != 0) {
        i = (i + 1) & mask;
    }
    t->slots[i] = index;
    t->hashes[i] = low;
}

static bool table_grow(struct table *t, uint32_t capacity) {
    struct table bigger = {.capacity = capacity, .count = t->count};
    bigger.slots = alloc_zero(bigger.capacity, 2 * sizeof *bigger.slots);
    if (!bigger.slots) {
        return false;
    }
    bigger.hashes = bigger.slots + bigger.capacity;
    for (uint32_t i = 0; i < t->capacity; i++) {
        if (t->slots[i] != 0) {
            table_place(&bigger, t->hashes[i], t->slots[i]);
        }
    }
    alloc_free(t->slots);
    *t = bigger;
    return true;
}

bool table_reserve(struct table *t, uint32_t count) {
    uint32_t capacity = t->capacity ? t->capacity : TABLE_CAPACITY_MIN;
    while (count > capacity / 4 * 3) {
        if (capacity >= TABLE_CAPACITY_MAX) {
            return false;
        }
        capacity *= 2;
    }
    return count == 0 || capacity == t->capacity || table_grow(t, capacity);
}

bool table_insert(struct table *t, uint64_t hash, uint32_t index) {
    assert(index != 0);
    if (t->count >= t->capacity / 4 * 3 && !table_reserve(t, t->count + 1)) {
        return false;
    }
    table_place(t, (uint32_t)hash, index);
    t->count++;
    return true;
}

/* Moves later members of the run into the hole at `hole` as long as that keeps them reachable. */
static void table_close_hole(struct table *t, uint32_t hole) {
    uint32_t mask = t->capacity - 1;
    for (uint32_t i = (hole + 1) & mask; t->slots[i] != 0; i = (i + 1) & mask) {
        uint32_t distance_home = (i - t->hashes[i]) & mask;
        uint32_t distance_hole = (i - hole) & mask;
        if (distance_home >= distance_hole) {
            t->slots[hole] = t->slots[i];
            t->hashes[hole] = t->hashes[i];
            hole = i;
        }
    }
    t->slots[hole] = 0;
    t->hashes[hole] = 0;
}

void table_remove(struct table *t, uint64_t hash, uint32_t index) {
    assert(index != 0 && t->count > 0);
    uint32_t mask = t->capacity - 1;
    uint32_t i = (uint32_t)hash & mask;
    while (t->slots[i] != index) {
        assert(t->slots[i] != 0);
        i = (i + 1) & mask;
    }
    assert(t->hashes[i] == (uint32_t)hash);
    table_close_hole(t, i);
    t->count--;
}
