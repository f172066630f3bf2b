/*
 * The slim hash table against a plain model, with good hashes and with hashes that collide.
 */
#include "slim.h"

#include "arena.h"
#include "hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 500

static uint64_t good(uint32_t index) {
    return hash_mix(1, index);
}

/* Long runs of equal homes, wrapping round the end, and equal tags. */
static uint64_t bad(uint32_t index) {
    return UINT64_MAX - index / 50;
}

/* The context says what is in the table. */
static bool good_hash(const void *context, uint32_t index, uint64_t *ret_hash) {
    *ret_hash = good(index);
    return ((const bool *)context)[index];
}

static bool bad_hash(const void *context, uint32_t index, uint64_t *ret_hash) {
    *ret_hash = bad(index);
    return ((const bool *)context)[index];
}

static bool equal_index(const void *context, uint32_t index, const void *key) {
    (void)context;
    return index == *(const uint32_t *)key;
}

static void against_model(uint64_t (*hash)(uint32_t), slim_hash_fn *hash_of) {
    bool present[KEYS + 1];
    struct slim_table t;
    uint64_t rng = 7;
    uint32_t count = 0;
    memset(present, 0, sizeof present);
    slim_init(&t);
    for (uint32_t key = 1; key <= KEYS; key++) { /* indices never exceed the largest count */
        assert_true(slim_insert(&t, hash(key), key, hash_of, present));
        present[key] = true;
        count++;
    }
    for (int step = 0; step < 20000; step++) {
        uint32_t key = 1 + (uint32_t)rng_below(&rng, KEYS);
        if (present[key]) {
            slim_remove(&t, hash(key), key, hash_of, present);
        } else {
            assert_true(slim_insert(&t, hash(key), key, hash_of, present));
        }
        count += present[key] ? UINT32_MAX : 1;
        present[key] = !present[key];
        assert_int_equal(t.count, count);
        uint32_t other = 1 + (uint32_t)rng_below(&rng, KEYS);
        assert_int_equal(slim_find(&t, hash(other), equal_index, NULL, &other),
                         present[other] ? other : 0);
    }
    slim_deinit(&t);
}

static void test_model(void **state) {
    (void)state;
    against_model(good, good_hash);
    against_model(bad, bad_hash);
}

static void test_no_memory(void **state) {
    bool present[KEYS + 1] = {false};
    struct slim_table t;
    uint32_t key = 1;
    (void)state;
    slim_init(&t);
    alloc_fail_after(1, true);
    assert_false(slim_insert(&t, good(1), 1, good_hash, present));
    alloc_fail_after(0, false);
    assert_int_equal(slim_find(&t, good(1), equal_index, NULL, &key), 0);
    for (uint32_t i = 1; i <= 12; i++) {
        assert_true(slim_insert(&t, good(i), i, good_hash, present));
        present[i] = true;
    }
    alloc_fail_after(1, true); /* twelve of sixteen: the next one grows the table */
    assert_false(slim_insert(&t, good(13), 13, good_hash, present));
    alloc_fail_after(0, false);
    assert_int_equal(t.count, 12);
    assert_int_equal(slim_find(&t, good(1), equal_index, NULL, &key), 1);
    slim_deinit(&t);
}

/* What a slot costs: at most six and a half octets an index, once there are some. */
static void test_room(void **state) {
    bool *present = calloc(100001, sizeof *present);
    struct slim_table t;
    (void)state;
    assert_non_null(present);
    slim_init(&t);
    for (uint32_t i = 1; i <= 100000; i++) {
        assert_true(slim_insert(&t, good(i), i, good_hash, present));
        present[i] = true;
        assert_true(i < 100 || t.capacity * sizeof *t.slots <= (size_t)i * 13 / 2);
    }
    for (uint32_t i = 1; i <= 100000; i++) {
        assert_int_equal(slim_find(&t, good(i), equal_index, NULL, &i), i);
    }
    slim_deinit(&t);
    free(present);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
