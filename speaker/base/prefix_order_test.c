/*
 * Prefixes in order, in slices: every batch and budget gives the same, memory may be missing, and
 * what comes and goes meanwhile spoils nothing.
 */
#include "prefix_order.h"

#include "arena.h"
#include "hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OBJECTS 300u

/* Objects 1 to OBJECTS - 1; their prefixes are in no order. */
struct objects {
    bool there[OBJECTS];
    uint32_t given[OBJECTS];
};

static struct ip_prefix prefix_of(uint32_t index) {
    return ip_prefix_make(ip4(index * 7919 % OBJECTS << 8), 24);
}

static bool object_at(const void *context, uint32_t index, struct ip_prefix *ret_prefix) {
    const struct objects *o = context;
    assert_in_range(index, 1, OBJECTS - 1);
    *ret_prefix = prefix_of(index);
    return o->there[index];
}

static void note(struct objects *o, struct ip_prefix p) {
    for (uint32_t i = 1; i < OBJECTS; i++) {
        o->given[i] += ip_prefix_equal(prefix_of(i), p);
    }
}

/* From first to last; `rng` not NULL: every other object comes and goes. */
static void walk(struct objects *objects, uint32_t batch, uint32_t slice, uint64_t *rng) {
    const struct prefix_order_table t = {object_at, objects, OBJECTS};
    struct prefix_order *o = prefix_order_new(batch);
    enum prefix_order_status st;
    struct ip_prefix p, last = {0};
    bool any = false;
    assert_non_null(o);
    do {
        uint32_t budget = slice;
        while ((st = prefix_order_next(o, &t, &budget, &p)) == PREFIX_ORDER_GIVEN) {
            assert_true(!any || ip_prefix_compare(last, p) < 0);
            last = p;
            any = true;
            note(objects, p);
        }
        assert_true(st == PREFIX_ORDER_END || budget == 0);
        for (uint32_t i = 1; rng && i < OBJECTS; i += 2) {
            objects->there[i] = rng_below(rng, 2);
        }
    } while (st == PREFIX_ORDER_MORE);
    prefix_order_free(o);
}

static void test_every_batch_and_slice(void **state) {
    static const uint32_t SIZES[] = {1, 2, 7, 100, OBJECTS - 2, OBJECTS - 1, OBJECTS, 1000};
    const size_t count = sizeof SIZES / sizeof *SIZES;
    (void)state;
    for (size_t n = 0; n < count * count; n++) {
        struct objects o = {.there = {false}};
        for (uint32_t i = 1; i < OBJECTS; i++) {
            o.there[i] = i % 5 != 0;
        }
        walk(&o, SIZES[n / count], SIZES[n % count], NULL);
        for (uint32_t i = 1; i < OBJECTS; i++) {
            assert_int_equal(o.given[i], o.there[i]);
        }
    }
}

static void test_while_it_changes(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct objects o = {.there = {false}};
        uint64_t rng = seed;
        for (uint32_t i = 2; i < OBJECTS; i += 2) {
            o.there[i] = true;
        }
        walk(&o, 1 + (uint32_t)rng_below(&rng, OBJECTS), 1 + (uint32_t)rng_below(&rng, 100), &rng);
        for (uint32_t i = 1; i < OBJECTS; i++) {
            assert_true(i % 2 ? o.given[i] <= 1 : o.given[i] == 1);
        }
    }
}

static void test_nothing_there(void **state) {
    struct objects o = {.there = {false}};
    (void)state;
    walk(&o, 10, 10, NULL);
    for (uint32_t i = 1; i < OBJECTS; i++) {
        assert_int_equal(o.given[i], 0);
    }
    alloc_fail_after(1, false);
    assert_null(prefix_order_new(10));
    alloc_fail_after(0, false);
    prefix_order_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_batch_and_slice),
        cmocka_unit_test(test_while_it_changes),
        cmocka_unit_test(test_nothing_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
