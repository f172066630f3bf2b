/*
 * What the oracle expects of a confederation (RFC 5065): n0 (member AS 65001) and n1, n2 (member AS
 * 65002, iBGP) are AS 100 to n3 (AS 300). In a row: n0, n1, n2, n3.
 */
#include "oracle_net_test.h"

#include "../../speaker/base/text.h"

static struct net net;
static uint32_t members[2] = {65001, 65002};

static void join(uint32_t node) {
    struct bgp_config *c = &net.configs[node];
    c->confederation_id = 100;
    c->confederation_members = members;
    c->confederation_member_count = 2;
}

static void begin(enum bgp_profile profile) {
    net = (struct net){.count = 0};
    add_node(&net, profile, 65001);
    add_node(&net, profile, 65002);
    add_node(&net, profile, 65002);
    add_node(&net, profile, 300);
    for (uint32_t i = 0; i < 3; i++) {
        join(i);
        add_pair(&net, i, i + 1);
    }
    net.peers[3][0].remote_as = 100; /* that is all it sees */
}

/* "(65001) 300", as IOS writes a path. */
static const char *path_to(const struct oracle *o, uint32_t node, struct ip_prefix prefix) {
    static char path[64];
    struct text out;
    const struct oracle_route *r = oracle_find(o, node, prefix);
    if (!r)
        return "none";
    text_init(&out);
    as_path_format(r->attrs->as_path, false, &out);
    snprintf(path, sizeof path, "%s", text_str(&out));
    text_deinit(&out);
    return path;
}

static const char *path_of(const struct oracle *o, uint32_t node, uint32_t origin) {
    return path_to(o, node, node_block(origin));
}

/* [node][origin] */
static const char *const PATHS[4][4] = {
    {"", "(65002)", "(65002)", "(65002) 300"},
    {"(65001)", "", "", "300"},
    {"(65001)", "", "", "300"},
    {"100", "100", "100", ""},
};

static void paths_within_and_outside(void **state) {
    static const enum bgp_profile PROFILES[] = {BGP_PROFILE_IOS, BGP_PROFILE_PLAIN};
    const struct oracle_session *sessions;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(PROFILES[i]);
        struct oracle *o = solve(&net);
        assert_int_equal(oracle_sessions(o, &sessions), 3);
        for (uint32_t node = 0; node < 4; node++)
            for (uint32_t origin = 0; origin < 4; origin++)
                assert_string_equal(path_of(o, node, origin), PATHS[node][origin]);
        oracle_free(o);
    }
}

/* LOCAL_PREF, MED and NEXT_HOP cross the members' borders, and end at the confederation's. */
static void attributes_stay_within(void **state) {
    (void)state;
    begin(BGP_PROFILE_IOS);
    net.configs[0].default_local_pref = 150;
    net.origins[0].med_set = net.origins[3].med_set = true;
    net.origins[0].med = net.origins[3].med = 7;
    struct oracle *o = solve(&net);
    const struct oracle_route *r = oracle_find(o, 2, node_block(0));
    assert_non_null(r);
    assert_int_equal(r->attrs->local_pref, 150);
    assert_int_equal(r->attrs->med, 7);
    assert_true(ip_equal(r->next_hop, node_addr(0)));
    r = oracle_find(o, 3, node_block(0));
    assert_non_null(r);
    assert_false(r->attrs->has_local_pref || r->attrs->has_med);
    assert_true(ip_equal(r->next_hop, node_addr(2)));
    r = oracle_find(o, 0, node_block(3));
    assert_non_null(r);
    assert_int_equal(r->attrs->med, 7);
    assert_true(ip_equal(r->next_hop, node_addr(3)));
    oracle_free(o);
}

/* RFC 5065 5.3: what comes from another member is no external path. n2 hears of n3 directly and
 * over n0; the identifier of the way over n0 would win. */
static void members_are_internal_to_the_decision(void **state) {
    (void)state;
    begin(BGP_PROFILE_IOS);
    struct bgp_peer_config *p = add_peer(&net, 0, 3);
    struct bgp_peer_config *q = add_peer(&net, 3, 0);
    q->remote_as = 100;
    p->next_hop_mode = BGP_NEXT_HOP_SELF_ALL;
    add_pair(&net, 0, 2);
    struct oracle *o = solve(&net);
    assert_string_equal(path_of(o, 2, 3), "300");
    assert_string_equal(path_of(o, 0, 3), "300");
    oracle_free(o);
}

static void members_must_be_known(void **state) {
    const struct oracle_failure *failures;
    (void)state;
    begin(BGP_PROFILE_IOS);
    net.configs[1].confederation_member_count = 0; /* n1 calls itself 100 to n0 */
    struct oracle *o = solve(&net);
    assert_int_equal(oracle_failures(o, &failures), 2);
    assert_string_equal(failures[0].cause, "bad-peer-as");
    oracle_free(o);
}

static void communities_know_both_borders(void **state) {
    static const struct {
        uint32_t community;
        const char *paths[4]; /* to 10.244.0.0/24 of n0 */
    } ROWS[] = {
        {COMMUNITY_NO_EXPORT, {"", "(65001)", "(65001)", "none"}},
        {COMMUNITY_NO_EXPORT_SUBCONFED, {"", "none", "none", "none"}},
        {COMMUNITY_NO_ADVERTISE, {"", "none", "none", "none"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct policy_action set = {
            .kind = POLICY_ADD_COMMUNITIES, .asns = &ROWS[i].community, .asn_count = 1};
        struct policy_term term = {
            .name = "t", .verdict = POLICY_ACCEPT, .actions = &set, .action_count = 1};
        struct policy tag = {.name = "tag", .terms = &term, .term_count = 1};
        begin(BGP_PROFILE_IOS);
        net.configs[0].policies = &tag;
        net.configs[0].policy_count = 1;
        net.origins[0].policy = 1;
        struct oracle *o = solve(&net);
        for (uint32_t node = 0; node < 4; node++)
            assert_string_equal(path_of(o, node, 0), ROWS[i].paths[node]);
        oracle_free(o);
    }
}

/* RFC 5065 4: an aggregate keeps members apart from ASes, and names the confederation. */
static void members_are_no_ases_of_an_aggregate(void **state) {
    struct bgp_aggregate_config a = {.prefix = ip_prefix_make(ip4(0x0AF40000), 16), .as_set = true};
    (void)state;
    begin(BGP_PROFILE_IOS);
    net.configs[2].aggregates = &a;
    net.configs[2].aggregate_count = 1;
    struct oracle *o = solve(&net);
    assert_string_equal(path_to(o, 1, a.prefix), "[65001] {300}");
    assert_int_equal(oracle_find(o, 1, a.prefix)->attrs->aggregator_as, 100);
    oracle_free(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_within_and_outside),
        cmocka_unit_test(attributes_stay_within),
        cmocka_unit_test(members_are_no_ases_of_an_aggregate),
        cmocka_unit_test(members_are_internal_to_the_decision),
        cmocka_unit_test(members_must_be_known),
        cmocka_unit_test(communities_know_both_borders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
