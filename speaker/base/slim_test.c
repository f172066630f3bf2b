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
#include <string.h>

#include <cmocka.h>

#define KEYS 500

static uint64_t good_hash(const void *context, uint32_t index) {
    (void)context;
    return hash_mix(1, index);
}

/* Long runs of equal homes, wrapping round the end, and equal tags. */
static uint64_t bad_hash(const void *context, uint32_t index) {
    (void)context;
    return UINT64_MAX - index / 50;
}

static bool equal_index(const void *context, uint32_t index, const void *key) {
    (void)context;
    return index == *(const uint32_t *)key;
}

static void against_model(slim_hash_fn *hash_of) {
    static bool present[KEYS + 1];
    struct slim_table t;
    uint64_t rng = 7;
    uint32_t count = 0;
    memset(present, 0, sizeof present);
    slim_init(&t);
    for (uint32_t key = 1; key <= KEYS; key++) { /* indices never exceed the largest count */
        assert_true(slim_insert(&t, hash_of(NULL, key), key, hash_of, NULL));
        present[key] = true;
        count++;
    }
    for (int step = 0; step < 20000; step++) {
        uint32_t key = 1 + (uint32_t)rng_below(&rng, KEYS);
        if (present[key]) {
            slim_remove(&t, hash_of(NULL, key), key, hash_of, NULL);
        } else {
            assert_true(slim_insert(&t, hash_of(NULL, key), key, hash_of, NULL));
        }
        count += present[key] ? UINT32_MAX : 1;
        present[key] = !present[key];
        assert_int_equal(t.count, count);
        uint32_t other = 1 + (uint32_t)rng_below(&rng, KEYS);
        assert_int_equal(slim_find(&t, hash_of(NULL, other), equal_index, NULL, &other),
                         present[other] ? other : 0);
    }
    slim_deinit(&t);
}

static void test_model(void **state) {
    (void)state;
    against_model(good_hash);
    against_model(bad_hash);
}

static void test_no_memory(void **state) {
    struct slim_table t;
    uint32_t key = 1;
    (void)state;
    slim_init(&t);
    alloc_fail_after(1, true);
    assert_false(slim_insert(&t, good_hash(NULL, 1), 1, good_hash, NULL));
    alloc_fail_after(0, false);
    assert_int_equal(slim_find(&t, good_hash(NULL, 1), equal_index, NULL, &key), 0);
    for (uint32_t i = 1; i <= 6; i++) {
        assert_true(slim_insert(&t, good_hash(NULL, i), i, good_hash, NULL));
    }
    alloc_fail_after(1, true); /* six of eight: the next one grows the table */
    assert_false(slim_insert(&t, good_hash(NULL, 7), 7, good_hash, NULL));
    alloc_fail_after(0, false);
    assert_int_equal(t.count, 6);
    assert_int_equal(slim_find(&t, good_hash(NULL, 1), equal_index, NULL, &key), 1);
    slim_deinit(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
