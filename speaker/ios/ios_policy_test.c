/*
 * Verdicts of compiled lists and route-maps, taken by the core's policy engine, against what IOS's
 * rules say, on random prefixes and on chosen routes.
 */
#include "../base/arena.h"
#include "../base/hash.h"
#include "../core/codec_test.h"
#include "../core/speaker.h"
#include "ios_router_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NEIGHBOR "router bgp 1\n neighbor 10.0.0.2 remote-as 2\n neighbor 10.0.0.2 "

/* Runs the inbound chain of the only neighbour over `route`; what it makes is the arena's. */
static bool run_in(struct arena *arena, const struct bgp_config *c, struct policy_route *route) {
    bool no_memory = false;
    route->arena = arena;
    route->interface = "";
    route->source = ROUTE_SOURCE_BGP;
    bool passed = policy_run(c, &c->peers[0].import[0], route, NULL, &no_memory);
    assert_false(no_memory);
    return passed;
}

/* … where only the verdict and plain values are of interest. */
static bool run(const struct bgp_config *c, struct policy_route *route) {
    struct arena *arena = arena_new();
    assert_non_null(arena);
    bool passed = run_in(arena, c, route);
    arena_free(arena);
    return passed;
}

/* ---- lists on random prefixes ---- */

static bool list_model(uint32_t net, unsigned length) {
    /* seq 5 deny 10.1.0.0/16 ge 24; seq 10 permit 10.0.0.0/8 le 24; seq 15 permit 11.0.0.0/8 */
    if (net >> 16 == 0x0A01 && length >= 24)
        return false;
    if (net >> 24 == 10 && length >= 8 && length <= 24)
        return true;
    return net >> 24 == 11 && length == 8;
}

static bool access_model(uint32_t net, unsigned length) {
    (void)length;
    return net >> 16 != 0x0A01 && net >> 24 == 10;
}

static bool extended_model(uint32_t net, unsigned length) {
    return net >> 16 == 0x0A00 && length >= 24 && length <= 32;
}

static const struct {
    const char *text;
    bool (*model)(uint32_t net, unsigned length);
} LISTS[] = {
    {"ip prefix-list P seq 10 permit 10.0.0.0/8 le 24\n"
     "ip prefix-list P seq 5 deny 10.1.0.0/16 ge 24\nip prefix-list P permit 11.0.0.0/8\n" NEIGHBOR
     "prefix-list P in\n",
     list_model},
    {"access-list 7 deny 10.1.0.0 0.0.255.255\naccess-list 7 permit 10.0.0.0 "
     "0.255.255.255\n" NEIGHBOR "distribute-list 7 in\n",
     access_model},
    {"access-list 107 permit ip 10.0.0.0 0.0.255.255 255.255.255.0 0.0.0.255\n" NEIGHBOR
     "distribute-list 107 in\n",
     extended_model},
    {"ip prefix-list P seq 10 permit 10.0.0.0/8 le 24\n"
     "ip prefix-list P seq 5 deny 10.1.0.0/16 ge 24\nip prefix-list P permit 11.0.0.0/8\n"
     "route-map M permit 10\n match ip address prefix-list P\n" NEIGHBOR "route-map M in\n",
     list_model},
};

static void test_C173_lists_agree_with_a_model(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++) {
        struct ios_router *r = ios_router_of(LISTS[i].text);
        const struct bgp_config *c = ios_bgp_config(r, NULL);
        uint64_t seed = 42;
        unsigned passed = 0;
        for (unsigned n = 0; n < 2000; n++) {
            uint8_t length = (uint8_t)rng_below(&seed, 33);
            uint32_t net = 0x0A000000 + (uint32_t)rng_below(&seed, 0x2000000);
            if (n % 2)
                net = 0x0A000000 + (uint32_t)rng_below(&seed, 0x20000);
            struct policy_route route = {.prefix = ip_prefix_make(ip4(net), length)};
            net = ip4_to_u32(route.prefix.addr);
            bool want = LISTS[i].model(net, length);
            passed += want;
            if (run(c, &route) != want)
                fail_msg("list %zu: %08x/%u should %s", i, net, length, want ? "pass" : "fail");
        }
        assert_in_range(passed, 50, 1950); /* both verdicts were met */
        ios_router_free(r);
    }
}

/* ---- route-maps on chosen routes ---- */

static const struct {
    const char *map;
    uint32_t community; /* of the route; 0: none */
    bool passes;
    uint32_t local_pref; /* afterwards; 0: none */
} MAPS[] = {
    {"route-map M permit 10\n set local-preference 7\n", 0, true, 7},
    {"route-map M deny 10\n", 0, false, 0},
    {"ip community-list 1 permit 1:1\nroute-map M permit 10\n match community 1\n", 0x10001, true,
     0},
    {"ip community-list 1 permit 1:1\nroute-map M permit 10\n match community 1\n", 0x10002, false,
     0},
    /* A list that denies: not matched by sequence 10, taken by 20. */
    {"ip community-list 1 deny 1:1\nip community-list 1 permit internet\n"
     "route-map M permit 10\n match community 1\n set local-preference 5\n"
     "route-map M permit 20\n set local-preference 6\n",
     0x10001, true, 6},
    {"ip community-list 1 deny 1:1\nip community-list 1 permit internet\n"
     "route-map M permit 10\n match community 1\n set local-preference 5\n"
     "route-map M permit 20\n set local-preference 6\n",
     0x10002, true, 5},
    /* continue: permitted already, and the last sequence does not match. */
    {"ip community-list 1 permit 1:1\nroute-map M permit 10\n set local-preference 5\n continue\n"
     "route-map M permit 20\n match community 1\n set local-preference 6\n",
     0, true, 5},
    {"ip community-list 1 permit 1:1\nroute-map M permit 10\n set local-preference 5\n continue\n"
     "route-map M permit 20\n match community 1\n set local-preference 6\n",
     0x10001, true, 6},
    {"route-map M permit 10\n match community NONE\n", 0, true, 0},
    /* Expanded lists. */
    {"ip community-list 100 permit _1:1_\nroute-map M permit 10\n match community 100\n", 0x10001,
     true, 0},
    {"ip community-list 100 permit _1:1_\nroute-map M permit 10\n match community 100\n", 0x10002,
     false, 0},
    {"ip community-list 100 permit _65535:65535_\nroute-map M permit 10\n match community 100\n",
     0xFFFFFFFF, true, 0},
    {"ip community-list 100 permit _1:1\nroute-map M permit 10\n match community 100\n", 0x10001,
     true, 0},
    {"ip community-list expanded L deny \"^1:\"\nip community-list expanded L permit .*\n"
     "route-map M permit 10\n match community L\n",
     0x10001, false, 0},
    {"ip community-list expanded L deny \"^1:\"\nip community-list expanded L permit .*\n"
     "route-map M permit 10\n match community L\n",
     0x20001, true, 0},
    {"ip community-list 100 permit _\nroute-map M permit 10\n match community 100\n", 0x10001, true,
     0},
    {"ip community-list 100 permit _65536:1_\nroute-map M permit 10\n match community 100\n",
     0x10001, false, 0},
};

static void test_C174_C178_C179_route_maps_decide_as_ios(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof MAPS / sizeof *MAPS; i++) {
        char text[600];
        snprintf(text, sizeof text, "%s" NEIGHBOR "route-map M in\n", MAPS[i].map);
        struct ios_router *r = ios_router_of(text);
        struct policy_route route = {.prefix = ip_prefix_make(ip4(0x0A000000), 8)};
        route.attrs.communities = &MAPS[i].community;
        route.attrs.community_count = MAPS[i].community ? 1 : 0;
        bool passed = run(ios_bgp_config(r, NULL), &route);
        if (passed != MAPS[i].passes || route.attrs.local_pref != MAPS[i].local_pref)
            fail_msg("map %zu: passed %d local-pref %u", i, passed, route.attrs.local_pref);
        ios_router_free(r);
    }
}

/* ---- each match and each set on one route ---- */

/* 10.0.0.0/8 by 65001 65002, next hop 10.0.0.2, MED 50, tag 7, communities 1:1 and 1:2. */
static struct policy_route full_route(void) {
    static const uint32_t path[] = {AS_SEQUENCE << 16 | 2, 65001, 65002};
    static const uint32_t communities[] = {0x10001, 0x10002};
    struct policy_route route = {.prefix = ip_prefix_make(ip4(0x0A000000), 8), .tag = 7};
    route.attrs.as_path = (struct as_path){path, 3};
    route.attrs.next_hop = ip4(0x0A000002);
    route.attrs.has_med = true;
    route.attrs.med = 50;
    route.attrs.communities = communities;
    route.attrs.community_count = 2;
    return route;
}

static const struct {
    const char *lists, *match;
    bool holds;
} MATCHES[] = {
    {"ip prefix-list P permit 10.0.0.0/8\n", "ip address prefix-list P", true},
    {"ip prefix-list P permit 10.0.0.0/9\n", "ip address prefix-list P", false},
    {"ip prefix-list P permit 11.0.0.0/8\nip prefix-list Q permit 10.0.0.0/8\n",
     "ip address prefix-list P Q", true},
    {"access-list 7 permit 10.0.0.0 0.255.255.255\n", "ip address 7", true},
    {"access-list 7 deny 10.0.0.0 0.255.255.255\naccess-list 7 permit any\n", "ip address 7",
     false},
    {"ip prefix-list P permit 10.0.0.2/32\n", "ip next-hop prefix-list P", true},
    {"ip prefix-list P permit 10.0.0.3/32\n", "ip next-hop prefix-list P", false},
    {"ip community-list 1 permit 1:1\n", "community 1", true},
    {"ip community-list 1 permit 1:1 1:2\n", "community 1", true},
    {"ip community-list 1 permit 1:1 1:3\n", "community 1", false},
    {"ip community-list 1 permit 1:1\n", "community 1 exact-match", false},
    {"ip community-list 1 permit 1:1 1:2\n", "community 1 exact-match", true},
    {"ip community-list standard L permit 1:3\nip community-list 2 permit 1:2\n", "community L 2",
     true},
    {"ip as-path access-list 1 permit ^65001_\n", "as-path 1", true},
    {"ip as-path access-list 1 permit _65002$\n", "as-path 1", true},
    {"ip as-path access-list 1 permit ^65002_\n", "as-path 1", false},
    {"ip as-path access-list 1 permit ^$\n", "as-path 1", false},
    {"ip as-path access-list 1 deny _65002\nip as-path access-list 1 permit .*\n", "as-path 1",
     false},
    {"", "tag 7", true},
    {"", "tag 6 7", true},
    {"", "tag 8", false},
    {"", "metric 50", true},
    {"", "metric 51", false},
};

static void test_C175_matches(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof MATCHES / sizeof *MATCHES; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "%sroute-map M permit 10\n match %s\n" NEIGHBOR "route-map M in\n",
                 MATCHES[i].lists, MATCHES[i].match);
        struct ios_router *r = ios_router_of(text);
        struct policy_route route = full_route();
        if (run(ios_bgp_config(r, NULL), &route) != MATCHES[i].holds)
            fail_msg("%smatch %s: should %s", MATCHES[i].lists, MATCHES[i].match,
                     MATCHES[i].holds ? "hold" : "not hold");
        ios_router_free(r);
    }
}

#define PATH2 "40 02 0A 02 02 0000FDE9 0000FDEA "
#define HOP "40 03 04 0A000002 "
#define MED50 "80 04 04 00000032 "
#define COMMUNITIES2 "C0 08 08 00010001 00010002"

static const struct {
    const char *set, *attributes;
} SETS[] = {
    {"community 2:2", "40 01 01 00 " PATH2 HOP MED50 "C0 08 04 00020002"},
    {"community 2:2 no-export", "40 01 01 00 " PATH2 HOP MED50 "C0 08 08 00020002 FFFFFF01"},
    {"community 2:2 additive",
     "40 01 01 00 " PATH2 HOP MED50 "C0 08 0C 00010001 00010002 00020002"},
    {"community none", "40 01 01 00 " PATH2 HOP MED50},
    {"metric 7", "40 01 01 00 " PATH2 HOP "80 04 04 00000007" COMMUNITIES2},
    {"metric +7", "40 01 01 00 " PATH2 HOP "80 04 04 00000039" COMMUNITIES2},
    {"metric -7", "40 01 01 00 " PATH2 HOP "80 04 04 0000002B" COMMUNITIES2},
    {"metric -70", "40 01 01 00 " PATH2 HOP "80 04 04 00000000" COMMUNITIES2},
    {"local-preference 200", "40 01 01 00 " PATH2 HOP MED50 "40 05 04 000000C8" COMMUNITIES2},
    {"as-path prepend 9 8",
     "40 01 01 00 40 02 12 02 04 00000009 00000008 0000FDE9 0000FDEA " HOP MED50 COMMUNITIES2},
    {"as-path prepend last-as 2",
     "40 01 01 00 40 02 12 02 04 0000FDE9 0000FDE9 0000FDE9 0000FDEA " HOP MED50 COMMUNITIES2},
    {"origin egp 1", "40 01 01 01 " PATH2 HOP MED50 COMMUNITIES2},
    {"origin incomplete", "40 01 01 02 " PATH2 HOP MED50 COMMUNITIES2},
    {"ip next-hop 10.0.0.9", "40 01 01 00 " PATH2 "40 03 04 0A000009" MED50 COMMUNITIES2},
};

static void test_C176_sets(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof SETS / sizeof *SETS; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "ip bgp-community new-format\nroute-map M permit 10\n set %s\n" NEIGHBOR
                 "route-map M in\n",
                 SETS[i].set);
        struct ios_router *r = ios_router_of(text);
        struct policy_route route = full_route();
        struct arena *arena = arena_new();
        assert_non_null(arena);
        assert_true(run_in(arena, ios_bgp_config(r, NULL), &route));
        const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
        uint8_t out[256];
        struct byte_writer w = bytes_writer(out, sizeof out);
        assert_true(attr_encode(&route.attrs, &how, &w));
        codec_assert_bytes(SETS[i].set, out, w.at, SETS[i].attributes);
        arena_free(arena);
        ios_router_free(r);
    }
}

static void test_C176_weight_and_next_hop_words(void **state) {
    (void)state;
    struct ios_router *r =
        ios_router_of("route-map M permit 10\n set weight 77\n set tag 9\n"
                      " set ip next-hop peer-address\n" NEIGHBOR "route-map M in\n");
    struct policy_route route = full_route();
    assert_true(run(ios_bgp_config(r, NULL), &route));
    assert_int_equal(route.weight, 77);
    assert_int_equal(route.tag, 9);
    assert_true(route.next_hop_peer);
    ios_router_free(r);
}

/* `bgp asnotation dot`: expressions see paths as they are written. */
static void an_expression_sees_dots(void **state) {
    static const struct {
        const char *list, *process;
        bool passes;
    } rows[] = {
        {"^1\\.0$", " bgp asnotation dot\n", true},
        {"^65536$", " bgp asnotation dot\n", false},
        {"^65536$", "", true},
        {"^1\\.0$", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static const uint32_t path[] = {AS_SEQUENCE << 16 | 1, 65536};
        char text[400];
        snprintf(text, sizeof text,
                 "ip as-path access-list 1 permit %s\nrouter bgp 1\n%s neighbor 10.0.0.2 remote-as "
                 "2\n neighbor 10.0.0.2 filter-list 1 in\n",
                 rows[i].list, rows[i].process);
        struct ios_router *r = ios_router_of(text);
        struct policy_route route = full_route();
        route.attrs.as_path = (struct as_path){path, 2};
        if (run(ios_bgp_config(r, NULL), &route) != rows[i].passes)
            fail_msg("%s with \"%s\"", rows[i].list, rows[i].process);
        ios_router_free(r);
    }
}

static void a_described_list_permits(void **state) {
    (void)state;
    struct ios_router *r =
        ios_router_of("ip prefix-list P description to come\n" NEIGHBOR "prefix-list P in\n");
    struct policy_route route = full_route();
    assert_true(run(ios_bgp_config(r, NULL), &route));
    ios_router_free(r);
}

/* Of different kinds all must hold, of one kind any. */
static void matches_must_all_hold(void **state) {
    static const struct {
        const char *matches;
        bool holds;
    } rows[] = {
        {" match tag 7\n match metric 50\n", true},
        {" match tag 7\n match metric 51\n", false},
        {" match tag 8\n match metric 50\n", false},
        {" match tag 8 7\n match metric 50\n", true},
        {"", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[300];
        snprintf(text, sizeof text, "route-map M permit 10\n%s" NEIGHBOR "route-map M in\n",
                 rows[i].matches);
        struct ios_router *r = ios_router_of(text);
        struct policy_route route = full_route();
        if (run(ios_bgp_config(r, NULL), &route) != rows[i].holds)
            fail_msg("row %zu", i);
        ios_router_free(r);
    }
}

static void continue_goes_where_it_says(void **state) {
    (void)state;
    struct ios_router *r =
        ios_router_of("route-map M permit 10\n continue 30\nroute-map M permit 20\n set weight 20\n"
                      "route-map M permit 30\n set tag 30\n" NEIGHBOR "route-map M in\n");
    struct policy_route route = full_route();
    assert_true(run(ios_bgp_config(r, NULL), &route));
    assert_int_equal(route.weight, 0);
    assert_int_equal(route.tag, 30);
    ios_router_free(r);
}

static void communities_are_deleted_by_list(void **state) {
    (void)state;
    struct ios_router *r = ios_router_of("ip community-list 1 permit 1:2\nroute-map M permit 10\n"
                                         " set comm-list 1 delete\n" NEIGHBOR "route-map M in\n");
    struct policy_route route = full_route();
    struct arena *arena = arena_new();
    assert_non_null(arena);
    assert_true(run_in(arena, ios_bgp_config(r, NULL), &route));
    assert_int_equal(route.attrs.community_count, 1);
    assert_int_equal(route.attrs.communities[0], 0x10001);
    arena_free(arena);
    ios_router_free(r);
}

/* Left out, a number, dotted. */
static void test_C159_cluster_id_forms(void **state) {
    static const struct {
        const char *line;
        uint32_t id;
    } forms[] = {{"", 0},
                 {" bgp cluster-id 1\n", 1},
                 {" bgp cluster-id 0.0.0.1\n", 1},
                 {" bgp cluster-id 3221225985\n", 0xC0000201},
                 {" bgp cluster-id 192.0.2.1\n", 0xC0000201}};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, "router bgp 1\n%s neighbor 10.0.0.2 remote-as 1\n",
                 forms[i].line);
        struct ios_router *r = ios_router_of(text);
        assert_int_equal(ios_bgp_config(r, NULL)->cluster_id, forms[i].id);
        ios_router_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C173_lists_agree_with_a_model),
        cmocka_unit_test(test_C174_C178_C179_route_maps_decide_as_ios),
        cmocka_unit_test(test_C175_matches),
        cmocka_unit_test(test_C176_sets),
        cmocka_unit_test(test_C176_weight_and_next_hop_words),
        cmocka_unit_test(an_expression_sees_dots),
        cmocka_unit_test(a_described_list_permits),
        cmocka_unit_test(matches_must_all_hold),
        cmocka_unit_test(continue_goes_where_it_says),
        cmocka_unit_test(communities_are_deleted_by_list),
        cmocka_unit_test(test_C159_cluster_id_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
