/*
 * Arenas, slabs and the allocator beneath, with allocations that fail.
 */
#include "arena.h"

#include "hash.h"
#include "slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

static void test_alloc_failure(void **state) {
    (void)state;
    for (unsigned long n = 1; n <= 4; n++) {
        for (int for_ever = 0; for_ever < 2; for_ever++) {
            alloc_fail_after(n, for_ever);
            for (unsigned long i = 1; i <= 5; i++) {
                void *p = i % 2 ? alloc_zero(1, 8) : alloc_resize(NULL, 1, 8);
                assert_int_equal(p == NULL, for_ever ? i >= n : i == n);
                alloc_free(p);
            }
        }
    }
    alloc_fail_after(0, false);
    assert_null(alloc_resize(NULL, SIZE_MAX / 2, 4));
    void *p = alloc_zero(0, 0);
    assert_non_null(p);
    alloc_free(p);
}

static bool is_zero(const unsigned char *p, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Many sizes, the small ones and those that need a block of their own: zeroed, aligned, apart. */
static void test_arena_sizes(void **state) {
    (void)state;
    enum { COUNT = 400 };
    static unsigned char *parts[COUNT];
    static size_t sizes[COUNT];
    struct arena *a = arena_new();
    for (int round = 0; round < 3; round++) {
        uint64_t rng = 9;
        for (int i = 0; i < COUNT; i++) {
            sizes[i] = i % 50 == 0 ? 100000 : rng_below(&rng, 600);
            parts[i] = arena_alloc(a, sizes[i]);
            assert_non_null(parts[i]);
            assert_int_equal((uintptr_t)parts[i] % _Alignof(max_align_t), 0);
            assert_true(is_zero(parts[i], sizes[i]));
            memset(parts[i], i & 0xFF, sizes[i]);
        }
        for (int i = 0; i < COUNT; i++) {
            assert_true(sizes[i] == 0 ||
                        (parts[i][0] == (i & 0xFF) && parts[i][sizes[i] - 1] == (i & 0xFF)));
        }
        assert_true(arena_size(a) >= 8 * 100000);
        arena_reset(a);
        assert_int_equal(arena_size(a), 0);
    }
    assert_null(arena_array(a, SIZE_MAX / 2, 16));
    assert_null(arena_alloc(a, SIZE_MAX));
    arena_free(a);
    arena_free(NULL);
}

/* Scratch use: after the first message a reset arena meets the allocator no more. */
static void test_arena_reuse(void **state) {
    (void)state;
    struct arena *a = arena_new();
    for (int round = 0; round < 100; round++) {
        if (round == 1) {
            alloc_fail_after(1, true);
        }
        arena_reset(a);
        for (int i = 0; i < 20; i++) {
            assert_non_null(arena_alloc(a, 100));
        }
    }
    alloc_fail_after(0, false);
    arena_free(a);
}

static void test_arena_failure(void **state) {
    (void)state;
    alloc_fail_after(1, true);
    assert_null(arena_new());
    alloc_fail_after(0, false);
    struct arena *a = arena_new();
    alloc_fail_after(1, true);
    assert_null(arena_alloc(a, 1));
    assert_null(arena_strdup(a, "x"));
    assert_null(arena_printf(a, "%d", 1));
    assert_int_equal(arena_size(a), 0);
    alloc_fail_after(0, false);
    assert_string_equal(arena_strdup(a, "still usable"), "still usable");
    arena_free(a);
}

static void test_arena_text(void **state) {
    (void)state;
    struct arena *a = arena_new();
    assert_null(arena_strdup(a, NULL));
    assert_string_equal(arena_strdup(a, ""), "");
    assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
    assert_string_equal(arena_strndup(a, "ab", 10), "ab");
    assert_string_equal(arena_printf(a, "%s-%d", "x", 7), "x-7");
    arena_free(a);
}

static void test_slab_shrink(void **state) {
    struct slab s;
    (void)state;
    slab_init(&s, sizeof(uint64_t), 4);
    for (uint32_t i = 1; i <= 20; i++) {
        assert_int_equal(slab_alloc(&s), i);
    }
    slab_shrink(&s, 0);
    assert_int_equal(s.page_count, 6); /* in use */
    for (uint32_t i = 1; i <= 20; i++) {
        slab_free(&s, i);
    }
    slab_shrink(&s, 6);
    assert_int_equal(s.page_count, 6); /* few enough */
    slab_shrink(&s, 5);
    assert_int_equal(s.page_count, 0);
    assert_int_equal(slab_alloc(&s), 1);
    slab_deinit(&s);
}

static void test_slab(void **state) {
    (void)state;
    for (uint32_t per_page = 1; per_page <= 5; per_page++) {
        struct slab s;
        uint64_t *first[101];
        slab_init(&s, sizeof(uint64_t), per_page);
        for (uint32_t i = 1; i <= 100; i++) {
            assert_int_equal(slab_alloc(&s), i);
            first[i] = slab_at(&s, i);
            assert_true(*first[i] == 0);
            *first[i] = i;
        }
        for (uint32_t i = 1; i <= 100; i++) { /* pages never move */
            assert_ptr_equal(slab_at(&s, i), first[i]);
            assert_true(*first[i] == i);
        }
        slab_free(&s, 7);
        slab_free(&s, 9);
        assert_int_equal(s.used, 98);
        assert_int_equal(slab_alloc(&s), 9); /* last freed, first reused; zeroed again */
        assert_true(*first[9] == 0);
        assert_int_equal(slab_alloc(&s), 7);
        assert_int_equal(slab_alloc(&s), 101);
        slab_deinit(&s);
        assert_int_equal(s.used, 0);
        assert_int_equal(slab_alloc(&s), 1);
        slab_deinit(&s);
    }
}

static void test_slab_failure(void **state) {
    (void)state;
    for (unsigned long n = 1; n < 12; n++) {
        struct slab s;
        unsigned failures = 0;
        slab_init(&s, 8, 2);
        alloc_fail_after(n, false);
        for (uint32_t want = 1; want <= 10;) {
            uint32_t index = slab_alloc(&s);
            failures += index == SLAB_NONE;
            assert_true(index == SLAB_NONE || index == want);
            want += index != SLAB_NONE;
        }
        alloc_fail_after(0, false);
        assert_int_equal(failures, n <= 10 ? 1 : 0); /* 6 pages, 4 growths of the page table */
        assert_int_equal(s.used, 10);
        slab_deinit(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_failure), cmocka_unit_test(test_arena_sizes),
        cmocka_unit_test(test_arena_reuse),   cmocka_unit_test(test_arena_failure),
        cmocka_unit_test(test_arena_text),    cmocka_unit_test(test_slab),
        cmocka_unit_test(test_slab_shrink),   cmocka_unit_test(test_slab_failure),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
