/*
 * Verdicts of compiled lists and route-maps, taken by the core's policy engine, against what IOS's
 * rules say, on random prefixes and on chosen routes.
 */
#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/hash.h"
#include "../core/speaker.h"
#include "ios.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NEIGHBOR "router bgp 1\n neighbor 10.0.0.2 remote-as 2\n neighbor 10.0.0.2 "

static struct ios_router *load(const char *text) {
    struct ios_env env = {.hostname = "R1"};
    struct ios_router *r = ios_router_new(&env);
    struct diag_list *d = diag_list_new();
    assert_non_null(r);
    assert_true(ios_load(r, text, strlen(text), "t.ios", false, d));
    assert_int_equal(diag_error_count(d), 0);
    diag_list_free(d);
    return r;
}

/* Runs the inbound chain of the only neighbour over `route`. */
static bool run(const struct bgp_config *c, struct policy_route *route) {
    bool no_memory = false;
    struct arena *arena = arena_new();
    assert_non_null(arena);
    route->arena = arena;
    route->interface = "";
    route->source = ROUTE_SOURCE_BGP;
    bool passed = policy_run(c, &c->peers[0].import[0], route, NULL, &no_memory);
    assert_false(no_memory);
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
        struct ios_router *r = load(LISTS[i].text);
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
        struct ios_router *r = load(text);
        struct policy_route route = {.prefix = ip_prefix_make(ip4(0x0A000000), 8)};
        route.attrs.communities = &MAPS[i].community;
        route.attrs.community_count = MAPS[i].community ? 1 : 0;
        bool passed = run(ios_bgp_config(r, NULL), &route);
        if (passed != MAPS[i].passes || route.attrs.local_pref != MAPS[i].local_pref)
            fail_msg("map %zu: passed %d local-pref %u", i, passed, route.attrs.local_pref);
        ios_router_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C173_lists_agree_with_a_model),
        cmocka_unit_test(test_C174_C178_C179_route_maps_decide_as_ios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
