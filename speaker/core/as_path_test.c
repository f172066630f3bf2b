/*
 * AS paths: what is counted, prepending, text, both sizes on the wire, and merging with AS4_PATH.
 */
#include "as_path.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/text.h"
#include "codec_test.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define SEQ(n) (AS_SEQUENCE << 16 | (n))
#define SET(n) (AS_SET << 16 | (n))
#define CSEQ(n) (AS_CONFED_SEQUENCE << 16 | (n))
#define CSET(n) (AS_CONFED_SET << 16 | (n))
#define PATH(...)                                                                                  \
    { (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4 }

static struct arena *scratch;

static int path_setup(void **state) {
    (void)state;
    scratch = arena_new();
    return scratch ? 0 : -1;
}

static int path_teardown(void **state) {
    (void)state;
    arena_free(scratch);
    return 0;
}

static void test_C084_facts(void **state) {
    (void)state;
    const struct {
        const char *text;
        struct as_path path;
        uint32_t length, neighbor;
    } cases[] = {
        {"", {NULL, 0}, 0, 0},
        {"65001 64512", PATH(SEQ(2), 65001, 64512), 2, 65001},
        {"65001 {1,2}", PATH(SEQ(1), 65001, SET(2), 1, 2), 2, 65001}, /* C084 */
        {"{1,2} 65001", PATH(SET(2), 1, 2, SEQ(1), 65001), 2, 0},
        {"(65100 65101) 65001", PATH(CSEQ(2), 65100, 65101, SEQ(1), 65001), 1, 65001}, /* C084 */
        {"[65100,65101] {7}", PATH(CSET(2), 65100, 65101, SET(1), 7), 1, 0},
        {"4294967295", PATH(SEQ(1), 4294967295), 1, 4294967295},
        {"1 2", PATH(SEQ(1), 1, SEQ(1), 2), 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text out;
        text_init(&out);
        as_path_format(cases[i].path, false, &out);
        assert_string_equal(text_str(&out), cases[i].text);
        assert_int_equal(as_path_length(cases[i].path), cases[i].length);
        assert_int_equal(as_path_neighbor(cases[i].path), cases[i].neighbor);
        text_deinit(&out);
    }
}

static void test_count(void **state) {
    (void)state;
    struct as_path p = PATH(CSEQ(1), 9, SEQ(3), 7, 8, 7, SET(2), 7, 10);
    assert_int_equal(as_path_count(p, 7), 3);
    assert_int_equal(as_path_count(p, 9), 1);
    assert_int_equal(as_path_count(p, 10), 1);
    assert_int_equal(as_path_count(p, 11), 0);
    /* A segment's head is no AS number. */
    assert_int_equal(as_path_count(p, SEQ(3)), 0);
}

static void test_starts_with(void **state) {
    (void)state;
    const uint32_t asns[] = {1, 2, 3, 4};
    struct as_path p = PATH(SEQ(2), 1, 2, SEQ(1), 3, SET(1), 4);
    for (uint32_t count = 0; count <= 3; count++) {
        assert_true(as_path_starts_with(p, asns, count));
    }
    assert_false(as_path_starts_with(p, asns, 4)); /* in sequences only */
    assert_false(as_path_starts_with(p, asns + 1, 1));
    assert_false(as_path_starts_with((struct as_path){0}, asns, 1));
    assert_true(as_path_starts_with((struct as_path){0}, asns, 0));
}

static void path_expect(struct as_path got, const char *want) {
    struct text out;
    text_init(&out);
    as_path_format(got, false, &out);
    assert_string_equal(text_str(&out), want);
    text_deinit(&out);
}

static void test_C070_prepend(void **state) {
    (void)state;
    const uint32_t asns[] = {7, 8};
    struct as_path got;
    assert_true(as_path_prepend((struct as_path){0}, asns, 2, scratch, &got));
    path_expect(got, "7 8");
    assert_true(as_path_prepend(got, asns, 1, scratch, &got));
    path_expect(got, "7 7 8");
    assert_int_equal(got.word_count, 4);
    struct as_path set = PATH(SET(2), 1, 2, SEQ(1), 3); /* C070 */
    assert_true(as_path_prepend(set, asns, 2, scratch, &got));
    path_expect(got, "7 8 {1,2} 3");
    struct as_path confed = PATH(CSEQ(1), 1, SEQ(1), 3);
    assert_true(as_path_prepend(confed, asns, 1, scratch, &got));
    path_expect(got, "7 (1) 3");
    assert_true(as_path_prepend(set, asns, 0, scratch, &got));
    assert_ptr_equal(got.words, set.words);
}

/* C070, B35: no AS is lost, no segment is longer than 255, whatever the sizes. */
static void test_C070_prepend_sizes(void **state) {
    (void)state;
    static const uint32_t sizes[] = {1, 2, 254, 255, 256, 300, 510, 511, 765, 1024};
    static uint32_t asns[BGP_AS_PATH_MAX + 1];
    for (uint32_t i = 0; i <= BGP_AS_PATH_MAX; i++) {
        asns[i] = i + 1;
    }
    for (size_t a = 0; a < sizeof sizes / sizeof sizes[0]; a++) {
        for (size_t b = 0; b < sizeof sizes / sizeof sizes[0]; b++) {
            struct as_path first, both;
            uint32_t total = sizes[a] + sizes[b], seen = 0;
            arena_reset(scratch);
            assert_true(
                as_path_prepend((struct as_path){0}, asns + sizes[b], sizes[a], scratch, &first));
            assert_true(as_path_prepend(first, asns, sizes[b], scratch, &both));
            for (uint32_t at = 0; at < both.word_count;) {
                uint32_t count = both.words[at++] & 0xFFFF;
                assert_true(count >= 1 && count <= 255);
                for (; count > 0; count--) {
                    assert_int_equal(both.words[at++], ++seen);
                }
            }
            assert_int_equal(seen, total);
            assert_int_equal(as_path_length(both), total);
        }
    }
    struct as_path longest, more;
    assert_true(as_path_prepend((struct as_path){0}, asns, BGP_AS_PATH_MAX, scratch, &longest));
    assert_false(as_path_prepend(longest, asns, 1, scratch, &more));
    assert_false(as_path_prepend((struct as_path){0}, asns, BGP_AS_PATH_MAX + 1, scratch, &more));
    struct arena *empty = arena_new();
    alloc_fail_after(1, true);
    assert_false(as_path_prepend(longest, asns, 0, empty, &more) && more.words != longest.words);
    assert_false(as_path_prepend((struct as_path){0}, asns, 3, empty, &more));
    alloc_fail_after(0, false);
    arena_free(empty);
}

static void test_C139_C140_C145_wire(void **state) {
    (void)state;
    struct as_path p = PATH(CSEQ(1), 70000, SEQ(2), 65536, 7, SET(1), 65535);
    uint8_t out[64];
    struct byte_writer w = bytes_writer(out, sizeof out);
    as_path_put(&w, p, true);
    codec_assert_bytes("C139", out, w.at, "03 01 00011170 02 02 00010000 00000007 01 01 0000FFFF");
    w = bytes_writer(out, sizeof out);
    as_path_put(&w, p, false);
    codec_assert_bytes("C140", out, w.at, "03 01 5BA0 02 02 5BA0 0007 01 01 FFFF");
    w = bytes_writer(out, sizeof out);
    as_path_put_as4(&w, p);
    codec_assert_bytes("C145", out, w.at, "02 02 00010000 00000007 01 01 0000FFFF");
    assert_true(as_path_needs_as4(p));
    struct as_path small = PATH(CSEQ(1), 70000, SEQ(1), 65535);
    assert_false(as_path_needs_as4(small));
}

/* RFC 6793 4.2.3, by brute force: cutting a path as an OLD speaker does and merging gives it back.
 */
static void test_C141_merge_round_trip(void **state) {
    (void)state;
    uint64_t rng = 42;
    for (int run = 0; run < 2000; run++) {
        uint32_t words[256], old_words[256];
        uint32_t count = 0;
        arena_reset(scratch);
        for (uint64_t segments = 1 + rng_below(&rng, 4); segments > 0; segments--) {
            uint32_t size = 1 + (uint32_t)rng_below(&rng, 6);
            words[count++] = (rng_below(&rng, 3) ? SEQ(size) : SET(size));
            for (; size > 0; size--) {
                bool large = rng_next(&rng) & 1;
                words[count++] = 1 + (uint32_t)rng_below(&rng, large ? 200000 : 60000);
            }
        }
        struct as_path path = {words, count}, merged;
        uint8_t out[2048];
        struct byte_writer w = bytes_writer(out, sizeof out);
        as_path_put(&w, path, false);
        struct byte_reader r = bytes_reader(out, w.at);
        struct as_path old;
        assert_int_equal(as_path_decode(&r, false, AS_PATH_CONFED_REFUSE, scratch, &old),
                         AS_PATH_OK);
        /* The OLD speaker prepends itself; so does another. */
        const uint32_t own[] = {61001, 61002};
        assert_true(as_path_prepend(old, own, 2, scratch, &old));
        memcpy(old_words, old.words, old.word_count * 4);
        assert_int_equal(as_path_merge(old, path, scratch, &merged), AS_PATH_OK);
        struct as_path want;
        assert_true(as_path_prepend(path, own, 2, scratch, &want));
        assert_int_equal(merged.word_count, want.word_count);
        assert_memory_equal(merged.words, want.words, want.word_count * 4);
        assert_memory_equal(old.words, old_words, old.word_count * 4);
    }
}

static void test_decode_no_memory(void **state) {
    (void)state;
    static const uint8_t data[] = {2, 1, 0, 0, 0xFD, 0xE9};
    struct arena *empty = arena_new();
    struct byte_reader r = bytes_reader(data, sizeof data);
    struct as_path p = {0};
    alloc_fail_after(1, true);
    assert_int_equal(as_path_decode(&r, true, AS_PATH_CONFED_KEEP, empty, &p), AS_PATH_NO_MEMORY);
    alloc_fail_after(0, false);
    assert_null(p.words);
    arena_free(empty);
}

/* What is merged may be longer than a segment, and than a path may be. */
static void test_C141_merge_of_long_paths(void **state) {
    static uint32_t old_words[2 * (BGP_AS_PATH_MAX + 16)], words[BGP_AS_PATH_MAX + 16];
    uint32_t count = 0;
    struct as_path merged;
    (void)state;
    arena_reset(scratch);
    old_words[count++] = SEQ(255);
    for (uint32_t i = 0; i < 255; i++) {
        old_words[count++] = 64512 + i;
    }
    old_words[count++] = SEQ(5);
    for (uint32_t i = 0; i < 5; i++) {
        old_words[count++] = AS_TRANS;
    }
    words[0] = SEQ(200);
    for (uint32_t i = 1; i <= 200; i++) {
        words[i] = 100000 + i;
    }
    const struct as_path old = {old_words, count}, as4 = {words, 201};
    assert_int_equal(as_path_merge(old, as4, scratch, &merged), AS_PATH_OK);
    assert_int_equal(as_path_length(merged), 260);
    assert_int_equal(merged.words[0], SEQ(60));
    assert_int_equal(merged.words[61], SEQ(200));
    /* Sets count one each, so an AS4_PATH can have more ASes than the path it is for. */
    for (count = 0; count < BGP_AS_PATH_MAX;) {
        words[count++] = SET(255);
        for (uint32_t i = 0; i < 255; i++) {
            words[count++] = 100000 + i;
        }
    }
    const struct as_path sets = {words, count};
    const struct as_path longest = {old_words, 256};
    assert_true(as_path_length(sets) <= 255);
    assert_int_equal(as_path_merge(longest, sets, scratch, &merged), AS_PATH_MALFORMED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C084_facts),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_starts_with),
        cmocka_unit_test(test_C070_prepend),
        cmocka_unit_test(test_C070_prepend_sizes),
        cmocka_unit_test(test_C139_C140_C145_wire),
        cmocka_unit_test(test_C141_merge_round_trip),
        cmocka_unit_test(test_C141_merge_of_long_paths),
        cmocka_unit_test(test_decode_no_memory),
    };
    return cmocka_run_group_tests_name("as_path", tests, path_setup, path_teardown);
}
