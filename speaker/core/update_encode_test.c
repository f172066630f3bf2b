/*
 * UPDATEs as we write them: exact octets, packing, limits.
 */
#include "message.h"

#include "../base/arena.h"
#include "codec_test.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

#define MARKER "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF "
#define G6 "20010DB8000000000000000000000001 "
#define LL6 "FE800000000000000000000000000001 "

static const uint32_t path_words[] = {AS_SEQUENCE << 16 | 1, 65001};
static const uint8_t global6[16] = {0x20, 0x01, 0x0D, 0xB8, [15] = 1};
static const uint8_t local6[16] = {0xFE, 0x80, [15] = 1};

static struct attr_values values4(void) {
    return (struct attr_values){.next_hop = ip4(0x0A000002), .as_path = {path_words, 2}};
}

static struct attr_values values6(void) {
    return (struct attr_values){.next_hop = ip6(global6), .as_path = {path_words, 2}};
}

static void test_C131_exact(void **state) {
    (void)state;
    uint8_t out[256];
    size_t size;
    struct attr_encoding v4 = {.as4 = true, .family = BGP_IPV4_UNICAST};
    struct attr_encoding v6 = {.as4 = true, .family = BGP_IPV6_UNICAST};
    struct attr_values a4 = values4(), a6 = values6();
    const struct ip_prefix p4[] = {ip_prefix_make(ip4(0x0A000000), 8), ip_prefix_make(ip4(0), 0)};
    const struct ip_prefix p6[] = {ip_prefix_make(ip6(global6), 32)};
    assert_int_equal(update_encode(&a4, &v4, p4, 2, out, sizeof out, &size), 2);
    codec_assert_bytes("announce IPv4", out, size,
                       MARKER "002E 02 0000 0014 40010100 400206 0201 0000FDE9 400304 0A000002"
                              "080A 00");
    assert_int_equal(update_encode(NULL, &v4, p4, 2, out, sizeof out, &size), 2);
    codec_assert_bytes("withdraw IPv4", out, size, MARKER "001A 02 0003 080A 00 0000");
    assert_int_equal(update_encode(&a6, &v6, p6, 1, out, sizeof out, &size), 1);
    codec_assert_bytes("announce IPv6, MP_REACH first", out, size,
                       MARKER "0042 02 0000 002B 900E001A 0002 01 10 " G6 "00 20 20010DB8"
                              "40010100 400206 0201 0000FDE9");
    a6.link_local = ip6(local6);
    assert_int_equal(update_encode(&a6, &v6, p6, 1, out, sizeof out, &size), 1);
    codec_assert_bytes("C131 announce IPv6, two next hops", out, size,
                       MARKER "0052 02 0000 003B 900E002A 0002 01 20 " G6 LL6 "00 20 20010DB8"
                              "40010100 400206 0201 0000FDE9");
    assert_int_equal(update_encode(NULL, &v6, p6, 1, out, sizeof out, &size), 1);
    codec_assert_bytes("withdraw IPv6", out, size,
                       MARKER "0023 02 0000 000C 900F0008 0002 01 20 20010DB8");
}

static void test_end_of_rib(void **state) {
    (void)state;
    uint8_t out[64];
    codec_assert_bytes("C135 IPv4", out, end_of_rib_encode(BGP_IPV4_UNICAST, out, sizeof out),
                       MARKER "0017 02 0000 0000");
    codec_assert_bytes("C135 IPv6", out, end_of_rib_encode(BGP_IPV6_UNICAST, out, sizeof out),
                       MARKER "001D 02 0000 0006 800F03 0002 01");
    assert_int_equal(end_of_rib_encode(BGP_IPV6_UNICAST, out, 28), 0);
}

/* C081: a table of prefixes goes into as few messages as their octets allow, none lost. */
static void packing(enum bgp_family family, bool withdraw) {
    enum { COUNT = 3000 };
    static struct ip_prefix prefixes[COUNT];
    static const struct bgp_codec codec = {.as4 = true, .families = {true, true}};
    struct attr_values v = family == BGP_IPV4_UNICAST ? values4() : values6();
    struct attr_encoding how = {.as4 = true, .family = family};
    size_t octets = 0, messages = 0, seen = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        struct ip_addr a = family == BGP_IPV4_UNICAST ? ip4(0x0A000000) : ip6(global6);
        a.bytes[family == BGP_IPV4_UNICAST ? 1 : 4] = (uint8_t)(i >> 8);
        a.bytes[family == BGP_IPV4_UNICAST ? 2 : 5] = (uint8_t)i;
        prefixes[i] = ip_prefix_make(a, family == BGP_IPV4_UNICAST ? 24 : 48);
        octets += nlri_size(prefixes[i]);
    }
    struct arena *scratch = arena_new();
    for (size_t at = 0; at < COUNT; messages++) {
        uint8_t out[BGP_MESSAGE_SIZE_MAX + 100]; /* more room than a message may use */
        size_t size;
        size_t taken = update_encode(withdraw ? NULL : &v, &how, prefixes + at, COUNT - at, out,
                                     sizeof out, &size);
        assert_true(taken > 0 && size <= BGP_MESSAGE_SIZE_MAX);
        /* Not one more would have fitted. */
        assert_true(at + taken == COUNT ||
                    size + nlri_size(prefixes[at + taken]) > BGP_MESSAGE_SIZE_MAX);
        enum bgp_message_type type;
        struct bgp_error error;
        assert_int_equal(message_peek(out, size, &type, &error), size);
        struct bgp_update u;
        update_decode(&codec, out + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, scratch, &u);
        assert_int_equal(u.outcome, BGP_OUTCOME_OK);
        const struct bgp_nlri *list = withdraw ? &u.withdrawn[0] : &u.announced[0];
        struct ip_prefix p;
        for (uint32_t next = 0; nlri_next(list, &next, &p); seen++) {
            assert_true(ip_prefix_equal(p, prefixes[seen]));
        }
        at += taken;
        assert_int_equal(seen, at);
    }
    assert_true(messages <= octets / (BGP_MESSAGE_SIZE_MAX - 100) + 1);
    arena_free(scratch);
}

static void test_C081_packing(void **state) {
    (void)state;
    packing(BGP_IPV4_UNICAST, false);
    packing(BGP_IPV4_UNICAST, true);
    packing(BGP_IPV6_UNICAST, false);
    packing(BGP_IPV6_UNICAST, true);
}

/* Any room: what fits is whole, what does not fit is 0 of 0, and nothing is written behind it. */
static void test_room(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        enum bgp_family family = i & 1 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
        struct attr_values v = family == BGP_IPV4_UNICAST ? values4() : values6();
        struct attr_encoding how = {.as4 = true, .family = family};
        struct ip_prefix p[2] = {ip_prefix_make(v.next_hop, 24), ip_prefix_make(v.next_hop, 16)};
        for (size_t room = 0; room < 100; room++) {
            uint8_t *out = malloc(room ? room : 1);
            size_t size = 99;
            assert_non_null(out);
            size_t taken = update_encode(i & 2 ? NULL : &v, &how, p, 2, out, room, &size);
            assert_true(size <= room && (taken == 0) == (size == 0));
            free(out);
        }
    }
}

/* C013: attributes that leave no room for a prefix. */
static void test_too_large(void **state) {
    (void)state;
    static uint32_t communities[1100];
    for (uint32_t i = 0; i < 1100; i++) {
        communities[i] = i;
    }
    for (int f = 0; f < BGP_FAMILIES; f++) {
        struct attr_values v = f == BGP_IPV4_UNICAST ? values4() : values6();
        struct attr_encoding how = {.as4 = true, .family = (enum bgp_family)f};
        struct ip_prefix p = ip_prefix_make(v.next_hop, 24);
        uint8_t out[BGP_MESSAGE_SIZE_MAX];
        size_t size;
        v.communities = communities;
        bool fitted = true;
        for (v.community_count = 1000; v.community_count <= 1100; v.community_count++) {
            bool fits = update_encode(&v, &how, &p, 1, out, sizeof out, &size) == 1;
            assert_true(fitted || !fits);
            fitted = fits;
        }
        assert_false(fitted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C131_exact),   cmocka_unit_test(test_end_of_rib),
        cmocka_unit_test(test_C081_packing), cmocka_unit_test(test_room),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests_name("update_encode", tests, NULL, NULL);
}
