/*
 * The hash table, the heap of timers, hashes, random numbers, route digests: against plain models.
 */
#include "table.h"

#include "addr.h"
#include "arena.h"
#include "hash.h"
#include "heap.h"
#include "scoreboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static bool equal_index(const void *context, uint32_t index, const void *key) {
    (void)context;
    return index == *(const uint32_t *)key;
}

/* `spread` 1: good hashes; large: long runs of equal homes, wrapping round the end. */
static void table_against_model(uint64_t spread) {
    enum { KEYS = 500 };
    static bool present[KEYS + 1];
    struct table t;
    uint64_t rng = spread;
    uint32_t count = 0;
    memset(present, 0, sizeof present);
    table_init(&t);
    for (int step = 0; step < 20000; step++) {
        uint32_t key = 1 + (uint32_t)rng_below(&rng, KEYS);
        uint64_t hash = spread == 1 ? hash_mix(1, key) : UINT64_MAX - key / spread;
        if (present[key]) {
            table_remove(&t, hash, key);
            count--;
        } else {
            assert_true(table_insert(&t, hash, key));
            count++;
        }
        present[key] = !present[key];
        assert_int_equal(t.count, count);
        uint32_t other = 1 + (uint32_t)rng_below(&rng, KEYS);
        uint64_t other_hash = spread == 1 ? hash_mix(1, other) : UINT64_MAX - other / spread;
        assert_int_equal(table_find(&t, other_hash, equal_index, NULL, &other),
                         present[other] ? other : 0);
    }
    for (uint32_t key = 1; key <= KEYS; key++) {
        uint64_t hash = spread == 1 ? hash_mix(1, key) : UINT64_MAX - key / spread;
        assert_int_equal(table_find(&t, hash, equal_index, NULL, &key), present[key] ? key : 0);
    }
    table_deinit(&t);
}

static void test_table_model(void **state) {
    (void)state;
    table_against_model(1);
    table_against_model(7);
    table_against_model(600); /* one home for all */
}

static void test_table_failure(void **state) {
    (void)state;
    struct table t;
    uint32_t key = 1;
    table_init(&t);
    assert_int_equal(table_find(&t, 1, equal_index, NULL, &key), 0);
    alloc_fail_after(1, true);
    assert_false(table_insert(&t, 1, 1));
    alloc_fail_after(0, false);
    for (uint32_t i = 1; i <= 6; i++) {
        assert_true(table_insert(&t, i, i));
    }
    alloc_fail_after(1, true);
    assert_false(table_insert(&t, 7, 7)); /* has to grow */
    alloc_fail_after(0, false);
    assert_int_equal(t.count, 6);
    for (uint32_t i = 1; i <= 7; i++) {
        assert_int_equal(table_find(&t, i, equal_index, NULL, &i), i <= 6 ? i : 0);
    }
    table_deinit(&t);
}

/* Random arming, moving, cancelling and firing against a search through all timers. */
/* Room that was reserved is enough; what is there stays. */
static void test_table_reserve(void **state) {
    struct table t;
    (void)state;
    table_init(&t);
    assert_true(table_reserve(&t, 0));
    assert_int_equal(t.capacity, 0);
    assert_true(table_insert(&t, 1, 1));
    alloc_fail_after(1, true);
    assert_false(table_reserve(&t, 100));
    alloc_fail_after(0, false);
    assert_true(table_reserve(&t, 100));
    alloc_fail_after(1, true);
    for (uint32_t i = 2; i <= 100; i++) {
        assert_true(table_insert(&t, i, i));
    }
    assert_true(table_reserve(&t, 100) && table_reserve(&t, 1));
    assert_false(table_reserve(&t, UINT32_MAX));
    alloc_fail_after(0, false);
    for (uint32_t i = 1; i <= 100; i++) {
        assert_int_equal(table_find(&t, i, equal_index, NULL, &i), i);
    }
    table_deinit(&t);
}

static void test_heap_model(void **state) {
    (void)state;
    enum { TIMERS = 60 };
    struct heap_timer timers[TIMERS] = {0};
    uint64_t deadlines[TIMERS];
    struct heap h;
    uint64_t rng = 3;
    heap_init(&h);
    assert_true(heap_reserve(&h, TIMERS));
    for (uint32_t i = 0; i < TIMERS; i++) {
        timers[i].order = TIMERS - i;
    }
    for (int step = 0; step < 20000; step++) {
        struct heap_timer *t = &timers[rng_below(&rng, TIMERS)];
        uint64_t kind = rng_below(&rng, 4);
        if (kind == 0) {
            heap_cancel(&h, t);
            assert_false(heap_armed(t));
        } else {
            deadlines[t - timers] = rng_below(&rng, 30);
            heap_set(&h, t, (struct nanotime){deadlines[t - timers]});
            assert_true(heap_armed(t) && heap_deadline(&h, t).ns == deadlines[t - timers]);
        }
        int first = -1;
        for (int i = 0; i < TIMERS; i++) {
            if (heap_armed(&timers[i]) &&
                (first < 0 || deadlines[i] < deadlines[first] ||
                 (deadlines[i] == deadlines[first] && timers[i].order < timers[first].order))) {
                first = i;
            }
        }
        assert_true(heap_next(&h).ns == (first < 0 ? UINT64_MAX : deadlines[first]));
        struct nanotime now = {rng_below(&rng, 10)};
        bool due = first >= 0 && deadlines[first] <= now.ns;
        assert_ptr_equal(heap_pop_due(&h, now), due ? &timers[first] : NULL);
        assert_true(!due || !heap_armed(&timers[first]));
    }
    heap_deinit(&h);
    for (int i = 0; i < TIMERS; i++) {
        assert_false(heap_armed(&timers[i]));
    }
}

static void test_heap_reserve(void **state) {
    (void)state;
    struct heap h;
    heap_init(&h);
    assert_true(nanotime_is_never(heap_next(&h)));
    alloc_fail_after(1, true);
    assert_false(heap_reserve(&h, 1));
    assert_true(heap_reserve(&h, 0));
    alloc_fail_after(0, false);
    assert_true(heap_reserve(&h, 100));
    assert_true(h.capacity >= 100);
    alloc_fail_after(1, true);
    assert_true(heap_reserve(&h, 100));
    alloc_fail_after(0, false);
    heap_deinit(&h);
}

static void test_hash(void **state) {
    (void)state;
    static const uint8_t zeros[64];
    uint64_t seen[65];
    for (size_t size = 0; size <= 64; size++) { /* length counts, seed counts */
        seen[size] = hash_bytes(zeros, size, 1);
        assert_true(hash_bytes(zeros, size, 2) != seen[size]);
        for (size_t i = 0; i < size; i++) {
            assert_true(seen[i] != seen[size]);
        }
    }
    assert_true(hash_mix(hash_mix(0, 1), 2) != hash_mix(hash_mix(0, 2), 1));
    uint8_t bits[24] = {0};
    uint64_t base = hash_bytes(bits, sizeof bits, 0);
    for (size_t bit = 0; bit < 8 * sizeof bits; bit++) { /* every bit reaches about half of all */
        bits[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int changed = __builtin_popcountll(base ^ hash_bytes(bits, sizeof bits, 0));
        assert_true(changed > 10 && changed < 54);
        bits[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_random(void **state) {
    (void)state;
    uint64_t a = 5, b = 5;
    unsigned counts[10] = {0};
    for (int i = 0; i < 10000; i++) {
        uint64_t v = rng_below(&a, 10);
        assert_true(v < 10 && v == rng_below(&b, 10));
        counts[v]++;
    }
    for (int i = 0; i < 10; i++) {
        assert_in_range(counts[i], 850, 1150);
    }
    assert_true(rng_below(&a, 0) == 0);
    assert_true(rng_below(&a, 1) == 0);
}

/* Sums of digests of different tables differ; prefix and next hop both count. */
static void test_route_digest(void **state) {
    (void)state;
    struct ip_prefix p1 = ip_prefix_make(ip4(0x0A000000), 8);
    struct ip_prefix p2 = ip_prefix_make(ip4(0x0A000000), 9);
    struct ip_addr n1 = ip4(1), n2 = ip4(2), none = {0};
    uint64_t straight = scoreboard_route_digest(&p1, &n1) + scoreboard_route_digest(&p2, &n2);
    uint64_t crossed = scoreboard_route_digest(&p1, &n2) + scoreboard_route_digest(&p2, &n1);
    assert_true(straight != crossed);
    assert_true(scoreboard_route_digest(&p1, &n1) != scoreboard_route_digest(&p1, &none));
    assert_true(scoreboard_route_digest(&p1, &n1) == scoreboard_route_digest(&p1, &n1));
    const uint8_t low[16] = {[15] = 1};
    struct ip_addr n6 = ip6(low);
    assert_true(scoreboard_route_digest(&p1, &n1) != scoreboard_route_digest(&p1, &n6));
    for (uint32_t i = 0; i < 4096; i++) { /* neighbours that swap their next hops */
        struct ip_prefix a = ip_prefix_make(ip4(i << 8), 24);
        struct ip_prefix b = ip_prefix_make(ip4((i + 1) << 8), 24);
        struct ip_addr via = ip4(0x0A000000 + i), other = ip4(0x0A000001 + i);
        straight = scoreboard_route_digest(&a, &via) + scoreboard_route_digest(&b, &other);
        crossed = scoreboard_route_digest(&a, &other) + scoreboard_route_digest(&b, &via);
        assert_true(straight != crossed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_model),   cmocka_unit_test(test_table_failure),
        cmocka_unit_test(test_table_reserve), cmocka_unit_test(test_heap_model),
        cmocka_unit_test(test_heap_reserve),  cmocka_unit_test(test_hash),
        cmocka_unit_test(test_random),        cmocka_unit_test(test_route_digest),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
