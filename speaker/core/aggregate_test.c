/*
 * Aggregates (RFC 4271 9.2.2.2), as IOS's aggregate-address: conformance row C078. Peers 0 and 1
 * announce from AS 65001 and 65002, peer 2 in AS 65003 looks on.
 */
#include "tables_test.h"

#include "aggregate.h"

static struct bench b;
static struct bgp_aggregate_config aggregate;

static void start(bool as_set, bool summary_only) {
    bench_config(&b, BGP_PROFILE_IOS, 3);
    aggregate = (struct bgp_aggregate_config){
        .prefix = pfx("10.1.0.0/16"), .as_set = as_set, .summary_only = summary_only};
    b.config.aggregates = &aggregate;
    b.config.aggregate_count = 1;
    for (uint32_t i = 0; i < 3; i++) {
        b.peers[i].remote_as = 65001 + i;
        b.peers[i].send_communities = true;
    }
    bench_start(&b);
    for (uint32_t i = 0; i < 3; i++) {
        bench_up(&b, i);
    }
}

static void announce(uint32_t peer, const char *prefix, uint32_t last_as, uint8_t origin) {
    const uint32_t path[] = {AS_SEQUENCE << 16 | 2, 65001 + peer, last_as};
    const uint32_t community = 65001 + peer;
    struct attr_values v = {.next_hop = ip4(0x0a000001 + peer),
                            .origin = origin,
                            .as_path = {path, 3},
                            .communities = &community,
                            .community_count = 1};
    (void)bench_announce(&b, peer, &v, prefix);
    bench_settle(&b);
}

static void expect_path(const char *prefix, const char *path) {
    struct text t;
    text_init(&t);
    const struct attr_values *v = bench_held(&b, 2, prefix);
    assert_non_null(v);
    as_path_format(v->as_path, false, &t);
    assert_string_equal(text_str(&t), path);
    text_deinit(&t);
}

static void test_C078_without_as_set(void **state) {
    (void)state;
    start(false, false);
    assert_null(bench_held(&b, 2, "10.1.0.0/16"));
    announce(0, "10.2.0.0/24", 300, 0); /* not inside */
    announce(0, "10.1.0.0/15", 300, 0); /* outside of it */
    assert_null(bench_held(&b, 2, "10.1.0.0/16"));
    announce(0, "10.1.1.0/24", 300, 2);
    expect_path("10.1.0.0/16", "64512");
    const struct attr_values *v = bench_held(&b, 2, "10.1.0.0/16");
    assert_true(v->atomic_aggregate && v->has_aggregator);
    assert_int_equal(v->aggregator_as, 64512);
    assert_int_equal(v->aggregator_id, ip4_to_u32(b.config.router_id));
    assert_int_equal(v->origin, 0);
    assert_non_null(bench_held(&b, 2, "10.1.1.0/24"));
    bench_withdraw(&b, 0, "10.1.1.0/24");
    bench_settle(&b);
    assert_null(bench_held(&b, 2, "10.1.0.0/16"));
    bench_end(&b);
}

static void test_C078_as_set(void **state) {
    (void)state;
    start(true, false);
    announce(0, "10.1.1.0/24", 300, 0);
    expect_path("10.1.0.0/16", "64512 65001 300");
    assert_false(bench_held(&b, 2, "10.1.0.0/16")->atomic_aggregate);
    announce(0, "10.1.2.0/24", 400, 0); /* begins alike */
    expect_path("10.1.0.0/16", "64512 65001 {300,400}");
    announce(1, "10.1.3.0/24", 300, 2);
    expect_path("10.1.0.0/16", "64512 {300,400,65001,65002}");
    assert_int_equal(bench_held(&b, 2, "10.1.0.0/16")->origin, 2);
    assert_int_equal(bench_held(&b, 2, "10.1.0.0/16")->community_count, 2);
    /* RFC 4271 9.1.2: whoever is in the set takes it for a loop */
    bench_withdraw(&b, 1, "10.1.3.0/24");
    bench_settle(&b);
    expect_path("10.1.0.0/16", "64512 65001 {300,400}");
    bench_end(&b);
}

static void test_C078_summary_only(void **state) {
    (void)state;
    start(false, true);
    announce(0, "10.1.1.0/24", 300, 0);
    announce(1, "10.1.2.0/24", 300, 0);
    announce(1, "10.3.0.0/24", 300, 0);
    assert_non_null(bench_held(&b, 2, "10.1.0.0/16"));
    assert_null(bench_held(&b, 2, "10.1.1.0/24"));
    assert_null(bench_held(&b, 2, "10.1.2.0/24"));
    assert_non_null(bench_held(&b, 2, "10.3.0.0/24"));
    struct bgp_config other = b.config; /* no longer aggregated: all come out */
    other.aggregate_count = 0;
    assert_int_equal(bgp_configure(b.s, &other, b.now), BGP_OK);
    bench_settle(&b);
    assert_null(bench_held(&b, 2, "10.1.0.0/16"));
    assert_non_null(bench_held(&b, 2, "10.1.1.0/24"));
    assert_non_null(bench_held(&b, 2, "10.1.2.0/24"));
    bench_end(&b);
}

static void test_C078_suppress_map(void **state) {
    struct policy_prefix one = {.prefix = pfx("10.1.1.0/24"), .length_min = 24, .length_max = 24};
    struct policy_match match = {.kind = POLICY_MATCH_PREFIX, .prefixes = &one, .prefix_count = 1};
    struct policy_term term = {
        .name = "10", .matches = &match, .match_count = 1, .verdict = POLICY_ACCEPT};
    struct policy map = {
        .name = "map", .terms = &term, .term_count = 1, .otherwise = POLICY_REJECT};
    (void)state;
    start(false, false);
    struct bgp_config other = b.config;
    other.policies = &map;
    other.policy_count = 1;
    aggregate.suppress_policy = 1;
    assert_int_equal(bgp_configure(b.s, &other, b.now), BGP_OK);
    announce(0, "10.1.1.0/24", 300, 0);
    announce(0, "10.1.2.0/24", 300, 0);
    assert_null(bench_held(&b, 2, "10.1.1.0/24"));
    assert_non_null(bench_held(&b, 2, "10.1.2.0/24"));
    assert_non_null(bench_held(&b, 2, "10.1.0.0/16"));
    bench_end(&b);
}

/* The n-th allocation fails once; the aggregate is right all the same. */
static void test_without_memory(void **state) {
    (void)state;
    for (unsigned long n = 1; n < 12; n++) {
        start(true, false);
        announce(0, "10.1.1.0/24", 300, 0);
        const uint32_t path[] = {AS_SEQUENCE << 16 | 2, 65002, 400};
        struct attr_values v = {.next_hop = addr("10.0.0.2"), .as_path = {path, 3}};
        (void)bench_announce(&b, 1, &v, "10.1.2.0/24");
        bench_events(&b);
        alloc_fail_after(n, false);
        for (uint32_t i = 0; i < 4; i++) {
            (void)rib_work(b.s, 64, b.now);
        }
        alloc_fail_after(0, false);
        bench_settle(&b);
        expect_path("10.1.0.0/16", "64512 {300,400,65001,65002}");
        bench_end(&b);
    }
}

/* What the map does not refuse is silenced; the other map colours the aggregate. */
static void test_maps(void **state) {
    (void)state;
    static const struct policy_prefix silenced = {
        .prefix = {.addr = {.family = IP_V4, .bytes = {10, 1, 1}}, .length = 24},
        .length_min = 24,
        .length_max = 24};
    static const struct policy_match match = {
        .kind = POLICY_MATCH_PREFIX, .prefixes = &silenced, .prefix_count = 1};
    static const uint32_t colour = 64512u << 16 | 9;
    static const struct policy_action action = {
        .kind = POLICY_SET_COMMUNITIES, .asns = &colour, .asn_count = 1};
    static const struct policy_term terms[] = {
        {.name = "t", .matches = &match, .match_count = 1, .verdict = POLICY_NEXT_POLICY},
        {.name = "t", .actions = &action, .action_count = 1, .verdict = POLICY_NEXT_POLICY},
    };
    static const struct policy policies[] = {
        {.name = "suppress", .terms = &terms[0], .term_count = 1, .otherwise = POLICY_REJECT},
        {.name = "attribute", .terms = &terms[1], .term_count = 1, .otherwise = POLICY_REJECT},
    };
    start(false, false);
    aggregate.suppress_policy = 1;
    aggregate.attribute_policy = 2;
    b.config.policies = policies;
    b.config.policy_count = 2;
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    announce(0, "10.1.1.0/24", 300, 0);
    announce(0, "10.1.2.0/24", 300, 0);
    assert_null(bench_held(&b, 2, "10.1.1.0/24"));
    assert_non_null(bench_held(&b, 2, "10.1.2.0/24"));
    const struct attr_values *v = bench_held(&b, 2, "10.1.0.0/16");
    assert_non_null(v);
    assert_int_equal(v->community_count, 1);
    assert_int_equal(v->communities[0], colour);
    bench_end(&b);
}

/* ---- large tables ---- */

#define LARGE 1000u
#define SLICE 64u /* one call looks at so much: a search takes many */

static struct bgp_aggregate_config two[2];

static struct ip_prefix inside(uint32_t aggregate_number, uint32_t n) {
    return ip_prefix_make(ip4(0x14000000 + (aggregate_number << 24) + (n << 8)), 24);
}

static void say(struct ip_prefix prefix, uint32_t med) {
    const uint32_t path[] = {AS_SEQUENCE << 16 | 1, 65001};
    const struct attr_values v = {
        .next_hop = ip4(0x0a000001), .as_path = {path, 2}, .has_med = true, .med = med};
    (void)bench_send(&b, 0, &v, &prefix, 1);
}

/* Two aggregates, all prefixes but one in the first; everything is decided. */
static void start_large(void) {
    bench_config(&b, BGP_PROFILE_IOS, 1);
    two[0] = (struct bgp_aggregate_config){.prefix = pfx("20.0.0.0/8"), .as_set = true};
    two[1] = (struct bgp_aggregate_config){.prefix = pfx("21.0.0.0/8"), .as_set = true};
    b.config.aggregates = two;
    b.config.aggregate_count = 2;
    b.peers[0].remote_as = 65001;
    bench_start(&b);
    bench_up(&b, 0);
    for (uint32_t i = 0; i < LARGE; i++)
        say(inside(0, i), 1);
    bench_settle(&b);
}

static bool has_best(struct ip_prefix prefix) {
    uint32_t entry = rib_entry_find(b.s, BGP_IPV4_UNICAST, prefix);
    return entry && rib_entry_at(b.s, BGP_IPV4_UNICAST, entry)->best_attrs;
}

/* RFC 4271 9.1: what is no part of an aggregate is decided while a search for one goes on. */
static void test_decided_during_a_search(void **state) {
    (void)state;
    start_large();
    say(inside(0, 0), 2);
    while (!aggregate_has_work(b.s))
        assert_true(rib_work(b.s, SLICE, b.now));
    say(pfx("192.0.2.0/24"), 1);
    for (unsigned calls = 0; calls < 2; calls++) {
        assert_true(rib_work(b.s, SLICE, b.now));
        bench_events(&b);
    }
    assert_true(aggregate_has_work(b.s));
    assert_true(has_best(pfx("192.0.2.0/24")));
    bench_end(&b);
}

/* One whose contributors change all the time does not keep the others from being made. */
static void test_every_aggregate_has_its_turn(void **state) {
    (void)state;
    start_large();
    say(inside(1, 0), 1);
    assert_false(has_best(two[1].prefix));
    unsigned calls = 0;
    for (; !has_best(two[1].prefix) && calls < 6 * LARGE / SLICE; calls++) {
        say(inside(0, calls), 2 + calls);
        (void)rib_work(b.s, SLICE, b.now);
        bench_events(&b);
    }
    assert_true(calls > LARGE / SLICE);
    assert_true(has_best(two[1].prefix));
    bench_settle(&b);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C078_without_as_set),
        cmocka_unit_test(test_C078_as_set),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_C078_summary_only),
        cmocka_unit_test(test_C078_suppress_map),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_decided_during_a_search),
        cmocka_unit_test(test_every_aggregate_has_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
