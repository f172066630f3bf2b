/*
 * What an IOS router makes of other routes, as the oracle expects it: aggregates, conditions,
 * AS_PATHs between ASes. Nodes n0 (AS 65001), n1 (AS 64900, private) and n2 (AS 300) in a row; n1
 * is the router that is looked at.
 */
#include "oracle.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NODES 3

static struct oracle_node nodes[NODES];
static struct bgp_config configs[NODES];
static struct bgp_peer_config peers[NODES][2];
static struct bgp_origin_config origins[NODES][3];
static struct oracle *solved;

static struct ip_prefix pfx(const char *text) {
    struct ip_prefix p = {.length = 0};
    assert_true(ip_prefix_parse(text, &p));
    return p;
}

static void link_nodes(uint32_t a, uint32_t b) {
    struct bgp_peer_config *p = &peers[a][configs[a].peer_count++];
    bgp_peer_config_init(p, BGP_PROFILE_IOS);
    snprintf(p->name, sizeof p->name, "to%u", b);
    p->remote_addr = ip4(0x0a000001 + b);
    p->local_addr = ip4(0x0a000001 + a);
    p->remote_as = configs[b].local_as;
    p->send_communities = true;
}

/* n0 originates 10.1.1.0/24 and 10.1.2.0/24, n2 172.16.0.0/16. */
static void begin(void) {
    static const uint32_t ases[NODES] = {65001, 64900, 300};
    memset(configs, 0, sizeof configs);
    memset(origins, 0, sizeof origins);
    for (uint32_t i = 0; i < NODES; i++) {
        struct bgp_config *c = &configs[i];
        bgp_config_init(c, BGP_PROFILE_IOS);
        c->local_as = ases[i];
        c->router_id = ip4(0x0a000001 + i);
        c->peers = peers[i];
        c->origins = origins[i];
        nodes[i] = (struct oracle_node){.name = i == 0   ? "n0"
                                                : i == 1 ? "n1"
                                                         : "n2",
                                        .config = c,
                                        .addrs = {c->router_id},
                                        .addr_count = 1,
                                        .subnets = {pfx("10.0.0.0/24")},
                                        .subnet_count = 1,
                                        .up = true};
    }
    for (uint32_t i = 0; i < 2; i++)
        origins[0][i] = (struct bgp_origin_config){.prefix = pfx(i ? "10.1.2.0/24" : "10.1.1.0/24"),
                                                   .source = ROUTE_SOURCE_STATIC,
                                                   .weight = 32768};
    origins[2][0] = (struct bgp_origin_config){
        .prefix = pfx("172.16.0.0/16"), .source = ROUTE_SOURCE_STATIC, .weight = 32768};
    configs[0].origin_count = 2;
    configs[2].origin_count = 1;
    link_nodes(0, 1);
    link_nodes(1, 0);
    link_nodes(1, 2);
    link_nodes(2, 1);
}

static void solve(void) {
    const struct oracle_input in = {.nodes = nodes, .node_count = NODES};
    oracle_free(solved);
    solved = oracle_new(&in);
    assert_non_null(solved);
}

/* `path` NULL: the node has no such route. */
static void expect(uint32_t node, const char *prefix, const char *path) {
    const struct oracle_route *r = oracle_find(solved, node, pfx(prefix));
    struct text t;
    if (!r || !path) {
        if ((r != NULL) != (path != NULL))
            fail_msg("n%u %s: %s", node, prefix, r ? "is there" : "is not there");
        return;
    }
    text_init(&t);
    as_path_format(r->attrs->as_path, false, &t);
    assert_string_equal(text_str(&t), path);
    text_deinit(&t);
}

static int end(void **state) {
    (void)state;
    oracle_free(solved);
    solved = NULL;
    return 0;
}

static const struct policy_prefix one = {
    .prefix = {.addr = {.family = IP_V4, .bytes = {10, 1, 1}}, .length = 24},
    .length_min = 24,
    .length_max = 24};
static const struct policy_prefix sixteen = {
    .prefix = {.addr = {.family = IP_V4, .bytes = {172, 16}}, .length = 16},
    .length_min = 16,
    .length_max = 16};
static const struct policy_match matches[] = {
    {.kind = POLICY_MATCH_PREFIX, .prefixes = &one, .prefix_count = 1},
    {.kind = POLICY_MATCH_PREFIX, .prefixes = &sixteen, .prefix_count = 1},
};
static const struct policy_term terms[] = {
    {.name = "10", .matches = &matches[0], .match_count = 1, .verdict = POLICY_ACCEPT},
    {.name = "10", .matches = &matches[1], .match_count = 1, .verdict = POLICY_ACCEPT},
};
static const struct policy policies[] = {
    {.name = "one", .terms = &terms[0], .term_count = 1, .otherwise = POLICY_REJECT},
    {.name = "sixteen", .terms = &terms[1], .term_count = 1, .otherwise = POLICY_REJECT},
};

static void with_policies(void) {
    begin();
    configs[1].policies = policies;
    configs[1].policy_count = 2;
}

static void aggregates(void **state) {
    (void)state;
    struct bgp_aggregate_config a[2] = {{.prefix = pfx("10.1.0.0/16")},
                                        {.prefix = pfx("192.168.0.0/16")}};
    with_policies();
    configs[1].aggregates = a;
    configs[1].aggregate_count = 2;
    solve();
    expect(1, "10.1.0.0/16", "");
    expect(2, "10.1.0.0/16", "64900");
    expect(2, "10.1.1.0/24", "64900 65001");
    expect(2, "192.168.0.0/16", NULL);
    assert_true(oracle_find(solved, 1, pfx("10.1.0.0/16"))->blackhole);
    assert_true(oracle_find(solved, 2, pfx("10.1.0.0/16"))->attrs->atomic_aggregate);
    a[0].as_set = a[0].summary_only = true;
    solve();
    expect(0, "10.1.0.0/16", NULL); /* its AS is in the path */
    expect(2, "10.1.0.0/16", "64900 65001");
    expect(2, "10.1.1.0/24", NULL);
    peers[1][1].unsuppress_policy[0] = 1;
    solve();
    expect(2, "10.1.1.0/24", "64900 65001");
    expect(2, "10.1.2.0/24", NULL);
    a[0].advertise_policy = 2; /* permits none of its more specific routes */
    solve();
    expect(2, "10.1.0.0/16", NULL);
    a[0] = (struct bgp_aggregate_config){.prefix = pfx("10.1.0.0/16"), .suppress_policy = 1};
    peers[1][1].unsuppress_policy[0] = 0;
    solve();
    expect(2, "10.1.1.0/24", NULL);
    expect(2, "10.1.2.0/24", "64900 65001");
}

/* An aggregate of aggregates: the longer one is made first. */
static void aggregate_of_an_aggregate(void **state) {
    (void)state;
    struct bgp_aggregate_config inner = {.prefix = pfx("10.1.0.0/16"), .summary_only = true};
    struct bgp_aggregate_config outer = {.prefix = pfx("10.0.0.0/8"), .as_set = true};
    begin();
    configs[1].aggregates = &inner;
    configs[2].aggregates = &outer;
    configs[1].aggregate_count = configs[2].aggregate_count = 1;
    solve();
    expect(2, "10.1.0.0/16", "64900");
    expect(2, "10.0.0.0/8", "64900");
    expect(1, "10.0.0.0/8", NULL);
}

static void paths_between_ases(void **state) {
    (void)state;
    begin();
    peers[1][1].remove_private_as = true; /* only 65001 in it: emptied */
    solve();
    expect(2, "10.1.1.0/24", "64900");
    peers[1][1].remove_private_as_all = peers[1][1].remove_private_as_replace = true;
    solve();
    expect(2, "10.1.1.0/24", "64900 64900");
    peers[1][1] = peers[1][0];
    begin();
    peers[1][1].local_as = 400;
    peers[2][0].remote_as = 400;
    solve();
    expect(2, "10.1.1.0/24", "400 64900 65001");
    expect(1, "172.16.0.0/16", "400 300");
    expect(0, "172.16.0.0/16", "64900 400 300");
    peers[1][1].local_as_no_prepend = peers[1][1].local_as_replaces = true;
    solve();
    expect(2, "10.1.1.0/24", "400 65001");
    expect(1, "172.16.0.0/16", "300");
    begin();
    configs[2].local_as = 65001;
    peers[1][1].remote_as = 65001;
    solve();
    expect(2, "10.1.1.0/24", NULL);
    peers[1][1].as_override = true;
    solve();
    expect(2, "10.1.1.0/24", "64900 64900");
}

static void conditions(void **state) {
    (void)state;
    struct bgp_condition_config k = {.advertise_policy = 1, .exist_policy = 2};
    with_policies();
    peers[1][1].conditions = &k;
    peers[1][1].condition_count = 1;
    solve();
    expect(2, "10.1.1.0/24", "64900 65001"); /* 172.16.0.0/16 is there */
    k.absent = true;
    solve();
    expect(2, "10.1.1.0/24", NULL);
    expect(2, "10.1.2.0/24", "64900 65001");
    configs[2].origin_count = 0;
    solve();
    expect(2, "10.1.1.0/24", "64900 65001");
    const struct ip_prefix *unstable = NULL;
    assert_int_equal(oracle_unstable(solved, &unstable), 0);
}

static const struct policy_prefix any = {.prefix = {.addr = {.family = IP_V4}}};
static const struct policy_match match_default = {
    .kind = POLICY_MATCH_PREFIX, .prefixes = &any, .prefix_count = 1};
static const struct policy_term term_default = {
    .name = "10", .matches = &match_default, .match_count = 1, .verdict = POLICY_ACCEPT};

/* n1 sends n0 a default route while it has 10.1.1.0/24 from n0. */
static void default_with_a_condition(void **state) {
    (void)state;
    with_policies();
    peers[1][0].default_originate[0] = true;
    peers[1][0].default_policy[0] = 1;
    solve();
    expect(0, "0.0.0.0/0", "64900");
    expect(2, "0.0.0.0/0", NULL);
    origins[0][0].prefix = pfx("10.1.0.0/24");
    solve();
    expect(0, "0.0.0.0/0", NULL);
}

/* … and n0 announces 10.1.1.0/24 while it has no default route. */
static void conditions_that_never_agree(void **state) {
    (void)state;
    const struct policy both[] = {
        policies[0],
        {.name = "any", .terms = &term_default, .term_count = 1, .otherwise = POLICY_REJECT}};
    struct bgp_condition_config k = {.advertise_policy = 1, .exist_policy = 2, .absent = true};
    const struct ip_prefix *unstable = NULL;
    with_policies();
    peers[1][0].default_originate[0] = true;
    peers[1][0].default_policy[0] = 1;
    configs[0].policies = both;
    configs[0].policy_count = 2;
    peers[0][0].conditions = &k;
    peers[0][0].condition_count = 1;
    solve();
    assert_true(oracle_unstable(solved, &unstable) > 0);
    k.absent = false; /* both of nothing: that stays */
    solve();
    assert_int_equal(oracle_unstable(solved, &unstable), 0);
    expect(1, "10.1.1.0/24", NULL);
    expect(1, "10.1.2.0/24", "65001");
}

static void route_maps_of_own_routes_and_next_hops(void **state) {
    (void)state;
    static const struct policy_action self = {.kind = POLICY_SET_NEXT_HOP,
                                              .address = {.family = IP_V4, .bytes = {10, 0, 0, 9}}};
    static const struct policy_term act = {
        .name = "10", .actions = &self, .action_count = 1, .verdict = POLICY_ACCEPT};
    static const struct policy both[] = {
        {.name = "one", .terms = &terms[0], .term_count = 1, .otherwise = POLICY_REJECT},
        {.name = "act", .terms = &act, .term_count = 1, .otherwise = POLICY_REJECT},
    };
    static const uint16_t index = 1;
    begin();
    configs[0].policies = both;
    configs[0].policy_count = 2;
    origins[0][0].policy = origins[0][1].policy = 1;
    peers[0][0].export[0] = (struct policy_chain){&index, 1, true};
    solve();
    expect(1, "10.1.1.0/24", "65001");
    expect(1, "10.1.2.0/24", NULL);
    expect(0, "10.1.2.0/24", NULL);
    assert_true(ip_equal(oracle_find(solved, 1, pfx("10.1.1.0/24"))->next_hop, ip4(0x0a000009)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(aggregates, end),
        cmocka_unit_test_teardown(aggregate_of_an_aggregate, end),
        cmocka_unit_test_teardown(paths_between_ases, end),
        cmocka_unit_test_teardown(conditions, end),
        cmocka_unit_test_teardown(default_with_a_condition, end),
        cmocka_unit_test_teardown(conditions_that_never_agree, end),
        cmocka_unit_test_teardown(route_maps_of_own_routes_and_next_hops, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
