/*
 * Conditions of advertisement, and what is sent although an aggregate stands for it. Peers 0 and 1
 * announce from AS 65001 and 65002, peer 2 in AS 65003 looks on; peer 3 in AS 65004 has no
 * conditions.
 */
#include "tables_test.h"

#include "scanner.h"

static struct bench b;

/* Policies that accept one prefix each. */
#define ONLY(octet)                                                                                \
    {                                                                                              \
        .prefix = {.addr = {.family = IP_V4, .bytes = {10, octet}}, .length = 16},                 \
        .length_min = 16, .length_max = 16                                                         \
    }
static const struct policy_prefix prefixes[] = {ONLY(1), ONLY(2)};
static const struct policy_match matches[] = {
    {.kind = POLICY_MATCH_PREFIX, .prefixes = &prefixes[0], .prefix_count = 1},
    {.kind = POLICY_MATCH_PREFIX, .prefixes = &prefixes[1], .prefix_count = 1},
};
static const struct policy_term terms[] = {
    {.name = "t", .matches = &matches[0], .match_count = 1, .verdict = POLICY_ACCEPT},
    {.name = "t", .matches = &matches[1], .match_count = 1, .verdict = POLICY_ACCEPT},
};
static const struct policy policies[] = {
    {.name = "one", .terms = &terms[0], .term_count = 1, .otherwise = POLICY_REJECT},
    {.name = "two", .terms = &terms[1], .term_count = 1, .otherwise = POLICY_REJECT},
};
#define ONE 1u /* 10.1.0.0/16 */
#define TWO 2u /* 10.2.0.0/16 */

static struct bgp_condition_config condition;

static void begin(void) {
    bench_config(&b, BGP_PROFILE_IOS, 4);
    b.config.policies = policies;
    b.config.policy_count = 2;
    for (uint32_t i = 0; i < 4; i++) {
        b.peers[i].remote_as = 65001 + i;
    }
}

static void start(bool absent) {
    begin();
    condition = (struct bgp_condition_config){
        .advertise_policy = ONE, .exist_policy = TWO, .absent = absent};
    b.peers[2].conditions = &condition;
    b.peers[2].condition_count = 1;
}

static void up(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < 4; i++) {
        bench_up(&b, i);
    }
}

static void announce(uint32_t peer, const char *prefix) {
    const uint32_t path[] = {AS_SEQUENCE << 16 | 1, 65001 + peer};
    struct attr_values v = {.next_hop = ip4(0x0a000001 + peer), .as_path = {path, 2}};
    (void)bench_announce(&b, peer, &v, prefix);
    bench_settle(&b);
}

static void withdraw(uint32_t peer, const char *prefix) {
    bench_withdraw(&b, peer, prefix);
    bench_settle(&b);
}

static void pass(uint64_t seconds) {
    struct nanotime end = nanotime_add_ms(b.now, seconds * 1000), next;
    while (next = bgp_next_deadline(b.s), !nanotime_before(end, next)) {
        b.now = nanotime_before(b.now, next) ? next : b.now;
        bgp_advance(b.s, b.now);
        bench_events(&b);
    }
    b.now = end;
    bench_settle(&b);
}

static void expect(const char *prefix, bool held) {
    assert_true((bench_held(&b, 2, prefix) != NULL) == held);
    assert_non_null(bench_held(&b, 3, prefix)); /* it has no conditions */
}

static void test_exist_map(void **state) {
    (void)state;
    start(false);
    up();
    announce(0, "10.1.0.0/16");
    announce(0, "10.3.0.0/16");
    pass(59);
    expect("10.1.0.0/16", false);
    expect("10.3.0.0/16", true); /* no condition concerns it */
    announce(1, "10.2.0.0/16");
    expect("10.1.0.0/16", false); /* the scanner has not seen it */
    pass(2);
    expect("10.1.0.0/16", true);
    withdraw(1, "10.2.0.0/16");
    expect("10.1.0.0/16", true);
    pass(60);
    expect("10.1.0.0/16", false);
    assert_int_equal(b.holds[2].repeated, 0);
    assert_int_equal(b.holds[2].spurious, 0);
    bench_end(&b);
}

static void test_non_exist_map(void **state) {
    (void)state;
    start(true);
    b.config.scan_time_s = 5;
    up();
    announce(0, "10.1.0.0/16");
    expect("10.1.0.0/16", false); /* nobody has looked */
    pass(5);
    expect("10.1.0.0/16", true);
    announce(1, "10.2.0.0/16");
    pass(5);
    expect("10.1.0.0/16", false);
    withdraw(1, "10.2.0.0/16");
    pass(5);
    expect("10.1.0.0/16", true);
    bench_end(&b);
}

/* A new configuration keeps what is known, and a condition that goes frees its routes at once. */
static void test_reconfigured(void **state) {
    (void)state;
    start(true);
    up();
    announce(0, "10.1.0.0/16");
    pass(60);
    expect("10.1.0.0/16", true);
    b.peers[2].weight = 7;
    struct policy renumbered[] = {policies[1], policies[0]};
    b.config.policies = renumbered;
    condition.advertise_policy = 2;
    condition.exist_policy = 1;
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    bench_settle(&b);
    expect("10.1.0.0/16", true);
    condition.absent = false;
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    bench_settle(&b);
    expect("10.1.0.0/16", false);
    b.peers[2].condition_count = 0;
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    bench_settle(&b);
    expect("10.1.0.0/16", true);
    assert_false(scanner_has_work(b.s));
    bench_end(&b);
}

static void test_default_route(void **state) {
    (void)state;
    begin();
    b.peers[2].default_originate[0] = true;
    b.peers[2].default_policy[0] = TWO;
    b.config.scan_time_s = 5;
    up();
    pass(5);
    assert_null(bench_held(&b, 2, "0.0.0.0/0"));
    announce(1, "10.2.0.0/16");
    pass(5);
    assert_non_null(bench_held(&b, 2, "0.0.0.0/0"));
    assert_null(bench_held(&b, 3, "0.0.0.0/0"));
    withdraw(1, "10.2.0.0/16");
    pass(5);
    assert_null(bench_held(&b, 2, "0.0.0.0/0"));
    bench_end(&b);
}

static void test_unsuppress_map(void **state) {
    (void)state;
    struct bgp_aggregate_config all = {.prefix = pfx("10.0.0.0/8"), .summary_only = true};
    begin();
    b.config.aggregates = &all;
    b.config.aggregate_count = 1;
    b.peers[2].unsuppress_policy[0] = ONE;
    up();
    announce(0, "10.1.0.0/16");
    announce(0, "10.2.0.0/16");
    assert_non_null(bench_held(&b, 2, "10.1.0.0/16"));
    assert_null(bench_held(&b, 2, "10.2.0.0/16"));
    assert_null(bench_held(&b, 3, "10.1.0.0/16"));
    assert_non_null(bench_held(&b, 3, "10.0.0.0/8"));
    withdraw(0, "10.1.0.0/16");
    assert_null(bench_held(&b, 2, "10.1.0.0/16"));
    bench_end(&b);
}

/* advertise-map of an aggregate: what it refuses does not make it, and is silenced all the same. */
static void test_aggregate_advertise_map(void **state) {
    (void)state;
    struct bgp_aggregate_config all = {
        .prefix = pfx("10.0.0.0/8"), .summary_only = true, .as_set = true, .advertise_policy = ONE};
    begin();
    b.config.aggregates = &all;
    b.config.aggregate_count = 1;
    up();
    announce(1, "10.2.0.0/16");
    assert_null(bench_held(&b, 3, "10.0.0.0/8"));
    assert_null(bench_held(&b, 3, "10.2.0.0/16"));
    announce(0, "10.1.0.0/16");
    const struct attr_values *v = bench_held(&b, 3, "10.0.0.0/8");
    assert_non_null(v);
    assert_int_equal(as_path_count(v->as_path, 65001), 1);
    assert_int_equal(as_path_count(v->as_path, 65002), 0);
    bench_end(&b);
}

/* Looked through in pieces, with any allocation failing. */
static void test_without_memory(void **state) {
    (void)state;
    for (unsigned long n = 1; n < 20; n++) {
        start(false);
        up();
        b.s->env.work_budget = 1;
        announce(0, "10.1.0.0/16");
        announce(1, "10.2.0.0/16");
        b.now = nanotime_add_ms(b.now, 60000);
        alloc_fail_after(n, false);
        for (uint32_t i = 0; i < 40; i++) {
            bgp_advance(b.s, b.now);
        }
        alloc_fail_after(0, false);
        bench_settle(&b);
        pass(1);
        expect("10.1.0.0/16", true);
        bench_end(&b);
    }
}

/* A scan looks at a table while the routes of a session that ended are taken away in slices: what
 * waits for that is not there any more. */
static void test_scan_while_routes_go(void **state) {
    char prefix[IP_PREFIX_TEXT_MAX];
    (void)state;
    start(false);
    up();
    const struct nanotime begun = b.now;
    announce(1, "10.1.0.0/16");
    for (uint32_t i = 0; i < 200; i++) {
        announce(0, ip_prefix_format(ip_prefix_make(ip4(0x14000000 + (i << 8)), 24), prefix));
    }
    announce(0, "10.2.0.0/16");
    pass(61);
    expect("10.1.0.0/16", true);
    b.now = nanotime_add_ms(begun, 120000); /* the next scan */
    b.s->env.work_budget = 16;
    bench_down(&b, 0, false);
    pass(120);
    expect("10.1.0.0/16", false);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exist_map),      cmocka_unit_test(test_non_exist_map),
        cmocka_unit_test(test_reconfigured),   cmocka_unit_test(test_default_route),
        cmocka_unit_test(test_unsuppress_map), cmocka_unit_test(test_aggregate_advertise_map),
        cmocka_unit_test(test_without_memory), cmocka_unit_test(test_scan_while_routes_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
