/*
 * Addresses and prefixes: text, masks, containment, arithmetic.
 */
#include "addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct ip_prefix prefix(const char *text) {
    struct ip_prefix p = {0};
    if (!ip_prefix_parse(text, &p)) {
        fail_msg("not a prefix: %s", text);
    }
    return p;
}

static struct ip_addr addr(const char *text) {
    struct ip_addr a = {0};
    if (!ip_parse(text, &a)) {
        fail_msg("not an address: %s", text);
    }
    return a;
}

static void test_text(void **state) {
    (void)state;
    static const char *const good[][2] = {
        {"10.0.0.1", "10.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"fe80::1", "fe80::1"},
        {"2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"},
    };
    static const char *const bad[] = {"",          "10.0.0",    "10.0.0.256", "10.0.0.1 ", "1",
                                      "fe80::1%a", "10.0.0.01", ":::",        "10.0.0.1/8"};
    char text[IP_ADDR_TEXT_MAX];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_string_equal(ip_format(addr(good[i][0]), text), good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ip_addr a = ip4(7);
        assert_false(ip_parse(bad[i], &a));
        assert_int_equal(ip4_to_u32(a), 7);
    }
    assert_string_equal(ip_format((struct ip_addr){0}, text), "");
    assert_int_equal(ip4_to_u32(ip4(0x01020304)), 0x01020304);
    assert_int_equal(ip4_to_u32(addr("::1")), 0);
}

static void test_prefix_text(void **state) {
    (void)state;
    static const char *const same[] = {
        "0.0.0.0/0", "10.1.2.3/8",     "10.0.0.0/32",
        "::/0",      "2001:db8::/128", "1111:2222:3333:4444:5555:6666:7777:8888/128"};
    static const char *const bad[] = {
        "10.0.0.0/33",  "10.0.0.0/",   "10.0.0.0/08",
        "10.0.0.0/-1",  "::/129",      "/8",
        "10.0.0.0/8/8", "10.0.0.0/ 8", "1111:2222:3333:4444:5555:6666:7777:8888:9999:0/1"};
    char text[IP_PREFIX_TEXT_MAX];
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_string_equal(ip_prefix_format(prefix(same[i]), text), same[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ip_prefix p;
        assert_false(ip_prefix_parse(bad[i], &p));
    }
    assert_string_equal(ip_prefix_format(prefix("10.0.0.1"), text), "10.0.0.1/32");
    assert_string_equal(ip_prefix_format(prefix("::1"), text), "::1/128");
}

static void test_mask(void **state) {
    (void)state;
    struct ip_addr ones4 = addr("255.255.255.255");
    struct ip_addr ones6 = addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    for (uint8_t length = 0; length <= 128; length++) {
        for (int six = length > 32; six < 2; six++) {
            struct ip_prefix p = ip_prefix_make(six ? ones6 : ones4, length);
            unsigned set = 0;
            for (size_t i = 0; i < 16; i++) {
                set += (unsigned)__builtin_popcount(p.addr.bytes[i]);
            }
            assert_int_equal(set, length);
            assert_true(ip_prefix_is_masked(p));
            p.addr = six ? ones6 : ones4;
            assert_int_equal(ip_prefix_is_masked(p), length == (six ? 128 : 32));
        }
    }
}

/* Every length of both families; what lies behind the octets of a prefix is not its business. */
static void test_octets(void **state) {
    (void)state;
    for (int six = 0; six <= 1; six++) {
        for (unsigned length = 0; length <= (six ? 128u : 32u); length++) {
            uint8_t octets[17];
            struct ip_addr a = {.family = six ? IP_V6 : IP_V4};
            for (unsigned i = 0; i < sizeof octets; i++) {
                octets[i] = (uint8_t)(0xE7 + 31 * i);
            }
            memcpy(a.bytes, octets, six ? 16 : 4);
            struct ip_prefix want = ip_prefix_make(a, (uint8_t)length);
            uint8_t *exact = malloc((length + 7) / 8 + !length); /* the sanitizer watches its end */
            assert_non_null(exact);
            memcpy(exact, octets, (length + 7) / 8);
            struct ip_prefix p = ip_prefix_of_octets(six ? IP_V6 : IP_V4, exact, (uint8_t)length);
            assert_memory_equal(&p, &want, sizeof p);
            free(exact);
        }
    }
}

static void test_contains(void **state) {
    (void)state;
    static const struct {
        const char *outer, *inner;
        bool contains, overlaps;
    } cases[] = {
        {"10.0.0.0/8", "10.1.0.0/16", true, true},
        {"10.1.0.0/16", "10.0.0.0/8", false, true},
        {"10.0.0.0/8", "11.0.0.0/8", false, false},
        {"0.0.0.0/0", "11.0.0.0/8", true, true},
        {"0.0.0.0/0", "::/0", false, false},
        {"10.0.0.0/9", "10.128.0.0/9", false, false},
        {"10.0.0.0/8", "10.0.0.0/8", true, true},
        {"2001:db8::/33", "2001:db8:8000::/33", false, false},
        {"::/0", "2001:db8::/32", true, true},
        {"10.0.0.1/32", "10.0.0.1/32", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ip_prefix outer = prefix(cases[i].outer), inner = prefix(cases[i].inner);
        assert_int_equal(ip_prefix_contains(outer, inner), cases[i].contains);
        assert_int_equal(ip_prefix_overlaps(outer, inner), cases[i].overlaps);
        assert_int_equal(ip_prefix_overlaps(inner, outer), cases[i].overlaps);
    }
    assert_true(ip_prefix_contains_addr(prefix("10.0.0.0/31"), addr("10.0.0.1")));
    assert_false(ip_prefix_contains_addr(prefix("10.0.0.0/31"), addr("10.0.0.2")));
}

static void test_order(void **state) {
    (void)state;
    static const char *const ascending[] = {"0.0.0.0/0",    "9.0.0.0/8",   "10.0.0.0/8",
                                            "10.0.0.0/9",   "10.0.1.0/24", "::/0",
                                            "2001:db8::/32"};
    enum { COUNT = sizeof ascending / sizeof ascending[0] };
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            int c = ip_prefix_compare(prefix(ascending[i]), prefix(ascending[j]));
            assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
        }
    }
}

static void test_offset(void **state) {
    (void)state;
    char text[IP_ADDR_TEXT_MAX];
    assert_string_equal(ip_format(ip_offset(addr("10.0.0.255"), 1), text), "10.0.1.0");
    assert_string_equal(ip_format(ip_offset(addr("10.0.0.0"), 0x01000000), text), "11.0.0.0");
    assert_false(ip_is_set(ip_offset(addr("255.255.255.255"), 1)));
    assert_false(ip_is_set(ip_offset(addr("1.0.0.0"), UINT64_C(1) << 32)));
    assert_string_equal(ip_format(ip_offset(addr("::ffff:ffff:ffff:ffff"), 1), text), "0:0:0:1::");
    assert_false(ip_is_set(ip_offset(addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 1)));
    assert_true(ip_equal(ip_offset(addr("::1"), UINT64_MAX), addr("0:0:0:1::")));
}

static void test_nth(void **state) {
    (void)state;
    char text[IP_PREFIX_TEXT_MAX];
    struct ip_prefix p;
    assert_true(ip_prefix_nth(prefix("10.0.0.0/8"), 26, 5, &p));
    assert_string_equal(ip_prefix_format(p, text), "10.0.1.64/26");
    assert_true(ip_prefix_nth(prefix("10.0.0.0/8"), 26, (1 << 18) - 1, &p));
    assert_string_equal(ip_prefix_format(p, text), "10.255.255.192/26");
    assert_false(ip_prefix_nth(prefix("10.0.0.0/8"), 26, 1 << 18, &p));
    assert_false(ip_prefix_nth(prefix("10.0.0.0/8"), 7, 0, &p));
    assert_false(ip_prefix_nth(prefix("10.0.0.0/8"), 33, 0, &p));
    assert_true(ip_prefix_nth(prefix("10.9.9.9/8"), 8, 0, &p));
    assert_string_equal(ip_prefix_format(p, text), "10.0.0.0/8");
    assert_true(ip_prefix_nth(prefix("fd00::/8"), 122, 3, &p));
    assert_string_equal(ip_prefix_format(p, text), "fd00::c0/122");
    assert_true(ip_prefix_nth(prefix("::/0"), 64, UINT64_MAX, &p));
    assert_string_equal(ip_prefix_format(p, text), "ffff:ffff:ffff:ffff::/64");
}

static void test_kinds(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool multicast, loopback, unspecified, link_local;
    } cases[] = {
        {"224.0.0.1", 1, 0, 0, 0},   {"239.255.255.255", 1, 0, 0, 0}, {"223.0.0.1", 0, 0, 0, 0},
        {"240.0.0.1", 0, 0, 0, 0},   {"127.0.0.1", 0, 1, 0, 0},       {"0.0.0.0", 0, 0, 1, 0},
        {"169.254.1.1", 0, 0, 0, 1}, {"ff02::1", 1, 0, 0, 0},         {"::1", 0, 1, 0, 0},
        {"::", 0, 0, 1, 0},          {"fe80::1", 0, 0, 0, 1},         {"febf::1", 0, 0, 0, 1},
        {"fec0::1", 0, 0, 0, 0},     {"2001:db8::1", 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ip_addr a = addr(cases[i].text);
        assert_int_equal(ip_is_multicast(a), cases[i].multicast);
        assert_int_equal(ip_is_loopback(a), cases[i].loopback);
        assert_int_equal(ip_is_unspecified(a), cases[i].unspecified);
        assert_int_equal(ip_is_link_local(a), cases[i].link_local);
    }
    assert_false(ip_is_unspecified((struct ip_addr){0}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),     cmocka_unit_test(test_prefix_text),
        cmocka_unit_test(test_mask),     cmocka_unit_test(test_octets),
        cmocka_unit_test(test_contains), cmocka_unit_test(test_order),
        cmocka_unit_test(test_offset),   cmocka_unit_test(test_nth),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
