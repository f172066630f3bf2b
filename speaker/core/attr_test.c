/*
 * Attribute sets: interning, writing, communities, and the round trip of random values.
 */
#include "attr.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/text.h"
#include "codec_test.h"
#include "community.h"
#include "limits.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

/* Random values in the arena, as a decoder or a policy would build them. */
static const uint32_t *attr_random_words(struct arena *a, uint64_t *rng, uint32_t count) {
    uint32_t *words = arena_array(a, count + 1, sizeof *words);
    assert_non_null(words);
    for (uint32_t i = 0; i < count; i++) {
        words[i] = (uint32_t)rng_next(rng);
    }
    return words;
}

static struct as_path attr_random_path(struct arena *a, uint64_t *rng) {
    uint32_t *words = arena_array(a, 64, sizeof *words);
    uint32_t at = 0;
    for (uint64_t segments = rng_below(rng, 4); segments > 0; segments--) {
        uint32_t count = 1 + (uint32_t)rng_below(rng, 8);
        words[at++] = (uint32_t)(1 + rng_below(rng, 4)) << 16 | count;
        for (; count > 0; count--) {
            words[at++] = 1 + (uint32_t)rng_below(rng, UINT32_MAX);
        }
    }
    return (struct as_path){words, at};
}

static void attr_random_communities(struct arena *a, uint64_t *rng, struct attr_values *v) {
    uint32_t count = (uint32_t)rng_below(rng, 90);
    uint32_t *plain = (uint32_t *)(uintptr_t)attr_random_words(a, rng, count);
    v->communities = plain;
    v->community_count = community_sort(plain, count);
    struct large_community *large = arena_array(a, 9, sizeof *large);
    uint64_t *ext = arena_array(a, 9, sizeof *ext);
    for (uint32_t i = 0; i < 8; i++) {
        large[i] = (struct large_community){(uint32_t)rng_below(rng, 3), (uint32_t)rng_next(rng),
                                            (uint32_t)rng_below(rng, 3)};
        ext[i] = rng_below(rng, 20) << 32 | 7;
    }
    v->large_communities = large;
    v->large_community_count = large_community_sort(large, (uint32_t)rng_below(rng, 9));
    v->ext_communities = ext;
    v->ext_community_count = ext_community_sort(ext, (uint32_t)rng_below(rng, 9));
}

static void attr_random_unknown(struct arena *a, uint64_t *rng, struct attr_values *v) {
    struct attr_unknown *list = arena_array(a, 8, sizeof *list);
    uint32_t count = 0;
    for (unsigned code = 40; code < 48; code++) {
        if (rng_below(rng, 4) == 0) {
            uint16_t size = (uint16_t)rng_below(rng, 300);
            uint8_t *data = arena_alloc(a, size + 1u);
            memset(data, (int)code, size);
            list[count++] = (struct attr_unknown){
                .flags = 0xE0, .code = (uint8_t)code, .size = size, .data = data};
        }
    }
    v->unknown = list;
    v->unknown_count = count;
}

static struct attr_values attr_random(struct arena *a, uint64_t *rng, enum bgp_family family) {
    static const uint8_t global[16] = {0x20, 0x01, 0x0D, 0xB8, [15] = 1};
    static const uint8_t local[16] = {0xFE, 0x80, [15] = 1};
    uint64_t bits = rng_next(rng);
    struct attr_values v = {
        .origin = (uint8_t)rng_below(rng, 3),
        .has_med = bits & 1,
        .has_local_pref = bits & 2,
        .has_originator_id = bits & 4,
        .atomic_aggregate = bits & 8,
        .has_aggregator = bits & 16,
        .as_path = attr_random_path(a, rng),
        .cluster_count = (uint32_t)rng_below(rng, 5),
    };
    v.next_hop = family == BGP_IPV4_UNICAST ? ip4(0x0A000000 + (uint32_t)rng_below(rng, 1 << 24))
                                            : ip6(global);
    v.link_local = family == BGP_IPV6_UNICAST && bits & 32 ? ip6(local) : (struct ip_addr){0};
    v.med = v.has_med ? (uint32_t)rng_next(rng) : 0;
    v.local_pref = v.has_local_pref ? (uint32_t)rng_next(rng) : 0;
    v.originator_id = v.has_originator_id ? (uint32_t)rng_next(rng) : 0;
    v.aggregator_as = v.has_aggregator ? 1 + (uint32_t)rng_below(rng, UINT32_MAX) : 0;
    v.aggregator_id = v.has_aggregator ? (uint32_t)rng_next(rng) : 0;
    v.cluster_list = attr_random_words(a, rng, v.cluster_count);
    attr_random_communities(a, rng, &v);
    attr_random_unknown(a, rng, &v);
    return v;
}

/* Random values, written and read as iBGP with four-octet ASes, are the same set again. */
static void test_round_trip(void **state) {
    (void)state;
    static const struct bgp_codec codec = {.as4 = true, .families = {true, true}};
    struct attr_table table;
    uint64_t rng = 2026;
    attr_table_init(&table);
    for (int run = 0; run < 3000; run++) {
        enum bgp_family family = run & 1 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
        struct arena *a = arena_new();
        struct attr_values v = attr_random(a, &rng, family);
        struct attr_encoding how = {.as4 = true, .family = family};
        struct ip_prefix p =
            ip_prefix_make(family == BGP_IPV4_UNICAST ? ip4(0xC0000200) : v.next_hop, 24);
        uint8_t out[BGP_MESSAGE_SIZE_MAX];
        size_t size;
        assert_int_equal(update_encode(&v, &how, &p, 1, out, sizeof out, &size), 1);
        struct bgp_update u;
        update_decode(&codec, out + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, a, &u);
        assert_int_equal(u.outcome, BGP_OUTCOME_OK);
        uint32_t id = attr_intern(&table, &v);
        assert_int_equal(attr_intern(&table, &u.attrs), id);
        assert_int_equal(attr_get(&table, id)->references, 2);
        attr_release(&table, id);
        attr_release(&table, id);
        arena_free(a);
    }
    attr_table_deinit(&table);
}

/* Values that differ in one thing only are different sets. */
static void test_distinct(void **state) {
    (void)state;
    static const uint32_t path1[] = {AS_SEQUENCE << 16 | 1, 7}, path2[] = {AS_SET << 16 | 1, 7};
    static const uint32_t words[] = {7};
    static const uint64_t ext[] = {7};
    static const struct large_community large[] = {{7, 7, 7}};
    static const uint8_t data1[] = {1}, data2[] = {2};
    static const struct attr_unknown unknown[] = {
        {0xE0, 99, 1, data1}, {0xE0, 99, 1, data2}, {0xE0, 98, 1, data1}, {0xE0, 99, 0, NULL}};
    const struct attr_values variants[] = {
        {0},
        {.origin = 1},
        {.has_med = true},
        {.has_local_pref = true},
        {.has_originator_id = true},
        {.atomic_aggregate = true},
        {.has_aggregator = true},
        {.has_med = true, .med = 1},
        {.next_hop = ip4(1)},
        {.link_local = ip4(1)},
        {.link = 1},
        {.as_path = {path1, 2}},
        {.as_path = {path2, 2}},
        {.communities = words, .community_count = 1},
        {.cluster_list = words, .cluster_count = 1},
        {.ext_communities = ext, .ext_community_count = 1},
        {.large_communities = large, .large_community_count = 1},
        {.unknown = unknown, .unknown_count = 1},
        {.unknown = unknown + 1, .unknown_count = 1},
        {.unknown = unknown + 2, .unknown_count = 1},
        {.unknown = unknown + 3, .unknown_count = 1},
    };
    enum { COUNT = sizeof variants / sizeof variants[0] };
    struct attr_table table;
    attr_table_init(&table);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(attr_intern(&table, &variants[i]), i + 1);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(attr_intern(&table, &variants[i]), i + 1);
        attr_release(&table, i + 1);
    }
    /* What is absent does not count, whatever stands there. */
    struct attr_values noise = {.med = 5, .local_pref = 6, .originator_id = 7, .aggregator_as = 8};
    assert_int_equal(attr_intern(&table, &noise), 1);
    assert_int_equal(attr_get(&table, 1)->v.med, 0);
    attr_release(&table, 1);
    for (uint32_t i = 0; i < COUNT; i++) {
        attr_release(&table, i + 1);
    }
    attr_release(&table, 0);
    attr_table_deinit(&table);
}

static void test_derived(void **state) {
    (void)state;
    static const uint32_t words[] = {AS_CONFED_SEQUENCE << 16 | 1,
                                     65100,
                                     AS_SEQUENCE << 16 | 2,
                                     65001,
                                     65002,
                                     AS_SET << 16 | 2,
                                     1,
                                     2};
    struct attr_table table;
    attr_table_init(&table);
    struct attr_values v = {.as_path = {words, 8}};
    uint32_t id = attr_intern(&table, &v);
    const struct attr_set *set = attr_get(&table, id);
    assert_int_equal(set->as_path_length, 3);
    assert_int_equal(set->neighbor_as, 65001);
    assert_int_equal(set->id, id);
    assert_ptr_not_equal(set->v.as_path.words, words);
    attr_hold(&table, id);
    attr_release(&table, id);
    assert_int_equal(set->references, 1);
    attr_release(&table, id);
    attr_table_deinit(&table);
}

/* Each allocation of interning fails in turn: nothing is kept, the next try succeeds. */
static void test_intern_no_memory(void **state) {
    (void)state;
    struct attr_values v = {.origin = 1};
    unsigned failures = 0;
    for (unsigned long n = 1; n < 10; n++) {
        struct attr_table table;
        attr_table_init(&table);
        alloc_fail_after(n, false);
        uint32_t id = attr_intern(&table, &v);
        alloc_fail_after(0, false);
        failures += id == 0;
        assert_int_equal(table.sets.used, id != 0);
        attr_release(&table, id);
        id = attr_intern(&table, &v);
        assert_int_not_equal(id, 0);
        attr_release(&table, id);
        attr_table_deinit(&table);
    }
    assert_int_equal(failures, 4); /* the set, the page table, the page, the index */
}

/* C140: towards an OLD speaker, in ascending order of codes, only when needed. */
static void test_C140_encode_old(void **state) {
    (void)state;
    static const uint32_t words[] = {AS_SEQUENCE << 16 | 2, 65536, 7};
    struct attr_values v = {
        .next_hop = ip4(0x0A000002),
        .as_path = {words, 3},
        .has_aggregator = true,
        .aggregator_as = 70000,
        .aggregator_id = 0x01020304,
    };
    struct attr_encoding how = {.as4 = false, .family = BGP_IPV4_UNICAST};
    uint8_t out[128];
    struct byte_writer w = bytes_writer(out, sizeof out);
    assert_true(attr_encode(&v, &how, &w));
    codec_assert_bytes("C140 both", out, w.at,
                       "40010100 4002060202 5BA0 0007 4003040A000002 C00706 5BA0 01020304"
                       "C0110A0202 00010000 00000007 C01208 00011170 01020304");
    v.aggregator_as = 65535;
    v.as_path = (struct as_path){(const uint32_t[]){AS_SEQUENCE << 16 | 1, 65535}, 2};
    w = bytes_writer(out, sizeof out);
    assert_true(attr_encode(&v, &how, &w));
    codec_assert_bytes("C140 neither", out, w.at,
                       "40010100 4002040201 FFFF 4003040A000002 C00706 FFFF 01020304");
    v.next_hop = ip6((const uint8_t[16]){0x20, 1});
    w = bytes_writer(out, sizeof out);
    assert_true(attr_encode(&v, &how, &w)); /* C136: it stands in MP_REACH */
    codec_assert_bytes("IPv6 next hop", out, w.at, "40010100 4002040201 FFFF C00706 FFFF 01020304");
    v.next_hop = (struct ip_addr){0};
    w = bytes_writer(out, sizeof out);
    assert_false(attr_encode(&v, &how, &w));
}

/* C171: 63, 64, 255 and 1,000 communities: the length octets grow where they must. */
static void test_C171_many_communities(void **state) {
    (void)state;
    static const uint32_t counts[] = {63, 64, 255, 1000};
    static uint32_t list[1000];
    static const struct bgp_codec codec = {.as4 = true, .families = {true, true}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (uint32_t j = 0; j < counts[i]; j++) {
            list[j] = 2 * (counts[i] - j); /* descending, to be sorted */
        }
        struct attr_values v = {.next_hop = ip4(0x0A000002), .communities = list};
        v.community_count = counts[i];
        struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
        struct ip_prefix p = ip_prefix_make(ip4(0x0A000000), 8);
        uint8_t out[BGP_MESSAGE_SIZE_MAX];
        size_t size;
        assert_int_equal(update_encode(&v, &how, &p, 1, out, sizeof out, &size), 1);
        assert_int_equal(size, 23 + 4 + 3 + 7 + 3 + (counts[i] > 63 ? 1u : 0u) + 4 * counts[i] + 2);
        struct arena *a = arena_new();
        struct bgp_update u;
        update_decode(&codec, out + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, a, &u);
        assert_int_equal(u.outcome, BGP_OUTCOME_OK);
        assert_int_equal(u.attrs.community_count, counts[i]);
        for (uint32_t j = 0; j < counts[i]; j++) {
            assert_int_equal(u.attrs.communities[j], 2 * (j + 1));
        }
        arena_free(a);
    }
}

static void test_community_text(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint32_t community;
    } cases[] = {
        {"64512:100", true, 0xFC000064},
        {"0:0", true, 0},
        {"65535:65535", true, 0xFFFFFFFF},
        {"65536:1", false, 0},
        {"1:65536", false, 0},
        {"1", false, 0},
        {"1:2:3", false, 0},
        {":1", false, 0},
        {"1:", false, 0},
        {"", false, 0},
        {"01:1", false, 0},
        {" 1:1", false, 0},
        {"no-export", false, 0},
        {"1:-1", false, 0},
        {"999999999999999999:1", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t got = 0;
        assert_int_equal(community_parse(cases[i].text, &got), cases[i].ok);
        assert_int_equal(got, cases[i].community);
    }
    struct large_community l;
    assert_true(large_community_parse("4294967295:0:7", &l));
    assert_true(l.global == UINT32_MAX && l.local1 == 0 && l.local2 == 7);
    assert_false(large_community_parse("4294967296:0:7", &l));
    assert_false(large_community_parse("1:2", &l));
    assert_false(large_community_parse("1:2:3:4", &l));
    struct text out;
    text_init(&out);
    community_format(COMMUNITY_NO_EXPORT, &out);
    text_putc(&out, ' ');
    community_format(0xFC000064, &out);
    text_putc(&out, ' ');
    community_format(COMMUNITY_NO_EXPORT_SUBCONFED, &out);
    assert_string_equal(text_str(&out), "no-export 64512:100 local-AS");
    text_deinit(&out);
    uint32_t named = 0;
    assert_true(community_parse_name("local-AS", &named));
    assert_int_equal(named, COMMUNITY_NO_EXPORT_SUBCONFED);
    assert_true(community_parse_name("64512:100", &named));
    assert_int_equal(named, 0xFC000064);
    assert_false(community_parse_name("no-exports", &named));
}

/* Words beside those of IOS, which knows no others. */
static void test_community_words(void **state) {
    static const uint32_t registered[] = {0xFFFF0001, 0xFFFF0006, 0xFFFF0007, 0xFFFF029A,
                                          0xFFFFFF04};
    uint32_t named = 0;
    (void)state;
    for (size_t i = 0; i < sizeof registered / sizeof registered[0]; i++) {
        const char *name = community_registered_name(registered[i]);
        assert_non_null(name);
        assert_true(community_parse_word(name, &named));
        assert_int_equal(named, registered[i]);
        assert_false(community_parse_name(name, &named));
    }
    assert_null(community_registered_name(COMMUNITY_NO_EXPORT));
    assert_true(community_parse_word("no-export", &named));
    assert_int_equal(named, COMMUNITY_NO_EXPORT);
    assert_true(community_parse_word("64512:100", &named));
    assert_false(community_parse_word("black-hole", &named));
}

static void test_community_sort(void **state) {
    (void)state;
    uint64_t rng = 5;
    static uint32_t list[1200];
    for (uint32_t count = 0; count <= 1200; count += 1 + count / 7) {
        uint64_t sum = 0, kept_sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            list[i] = (uint32_t)rng_below(&rng, 100000) * 2 + 1;
            sum |= list[i];
        }
        uint32_t kept = community_sort(list, count);
        assert_true(kept <= count && (kept > 0) == (count > 0));
        for (uint32_t i = 0; i < kept; i++) {
            assert_true(i == 0 || list[i - 1] < list[i]);
            kept_sum |= list[i];
        }
        assert_int_equal(sum, kept_sum);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_derived),         cmocka_unit_test(test_intern_no_memory),
        cmocka_unit_test(test_C140_encode_old), cmocka_unit_test(test_C171_many_communities),
        cmocka_unit_test(test_community_text),  cmocka_unit_test(test_community_sort),
        cmocka_unit_test(test_community_words),
    };
    return cmocka_run_group_tests_name("attr", tests, NULL, NULL);
}
