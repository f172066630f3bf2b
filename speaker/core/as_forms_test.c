/*
 * Forms IOS has of local-as and remove-private-as, own routes through a policy, and the policy
 * engine's IOS matches and actions, as seen on the far side. Peer 0 announces from AS 65001, peer 1
 * in AS 300 looks on.
 */
#include "tables_test.h"

static struct bench b;

static void begin(void) {
    bench_config(&b, BGP_PROFILE_IOS, 2);
    b.config.local_as = 100;
    b.peers[0].remote_as = 65001;
    b.peers[1].remote_as = 300;
    b.peers[1].send_communities = true;
}

static void expect_path(const char *path) {
    struct text t;
    text_init(&t);
    const struct attr_values *v = bench_held(&b, 1, "192.0.2.0/24");
    assert_non_null(v);
    as_path_format(v->as_path, false, &t);
    assert_string_equal(text_str(&t), path);
    text_deinit(&t);
}

static void announce(const uint32_t *path, uint32_t words) {
    struct attr_values v = {.next_hop = addr("10.0.0.1"), .as_path = {path, words}};
    bench_start(&b);
    bench_up(&b, 0);
    bench_up(&b, 1);
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
}

static const uint32_t mixed[] = {AS_SEQUENCE << 16 | 3, 65001, 400, 64513};
/* RFC 6996: the first and the last of both ranges, and what stands beside them. */
static const uint32_t edges[] = {
    AS_SEQUENCE << 16 | 7, 65001, 64511, 64512, 65534, 4199999999, 4200000000, 4294967294};
static const uint32_t private_edges[] = {
    AS_SEQUENCE << 16 | 5, 65001, 64512, 65534, 4200000000, 4294967294};
static const uint32_t public_behind[] = {AS_SEQUENCE << 16 | 1, 65001, AS_SET << 16 | 2, 65002,
                                         400};
static const uint32_t private_only[] = {AS_SEQUENCE << 16 | 2, 65001, 64513};
static const uint32_t to_the_neighbour[] = {AS_SEQUENCE << 16 | 2, 65001, 64600};

static const struct {
    const uint32_t *path;
    uint32_t words;
    bool remove, all, replace;
    const char *sent;
} PRIVATE[] = {
    {mixed, 4, false, false, false, "100 65001 400 64513"},
    {mixed, 4, true, false, false, "100 65001 400 64513"},
    {mixed, 4, true, true, false, "100 400"},
    {mixed, 4, true, true, true, "100 100 400 100"},
    {private_only, 3, true, false, false, "100"},
    {private_only, 3, true, true, false, "100"},
    {private_only, 3, true, true, true, "100 100 100"},
    {edges, 8, true, true, false, "100 64511 4199999999"},
    {private_edges, 6, true, false, false, "100"},
    {public_behind, 5, true, false, false, "100 65001 {65002,400}"},
    {public_behind, 5, true, true, false, "100 {400}"},
};

static void private_ases_go(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof PRIVATE / sizeof *PRIVATE; i++) {
        begin();
        b.peers[1].remove_private_as = PRIVATE[i].remove;
        b.peers[1].remove_private_as_all = PRIVATE[i].all;
        b.peers[1].remove_private_as_replace = PRIVATE[i].replace;
        announce(PRIVATE[i].path, PRIVATE[i].words);
        expect_path(PRIVATE[i].sent);
        bench_end(&b);
    }
}

/* IOS: the neighbour's own AS in the path is left, so that its loop check works. */
static void the_neighbours_private_as_stays(void **state) {
    (void)state;
    begin();
    b.peers[1].remote_as = 64600;
    b.peers[1].remove_private_as = b.peers[1].remove_private_as_all = true;
    announce(to_the_neighbour, 3);
    expect_path("100 64600");
    bench_end(&b);
}

static const struct {
    uint32_t peer; /* whose session has the local AS */
    bool no_prepend, replaces;
    const char *sent;
} LOCAL[] = {
    {0, false, false, "100 65501 65001 400 64513"}, {0, true, false, "100 65001 400 64513"},
    {1, false, false, "65501 100 65001 400 64513"}, {1, true, false, "65501 100 65001 400 64513"},
    {1, true, true, "65501 65001 400 64513"},
};

static void local_as_has_three_forms(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof LOCAL / sizeof *LOCAL; i++) {
        begin();
        b.peers[LOCAL[i].peer].local_as = 65501;
        b.peers[LOCAL[i].peer].local_as_no_prepend = LOCAL[i].no_prepend;
        b.peers[LOCAL[i].peer].local_as_replaces = LOCAL[i].replaces;
        announce(mixed, 4);
        expect_path(LOCAL[i].sent);
        bench_end(&b);
    }
}

/* ---- policy ---- */

static const uint32_t colour = 100u << 16 | 7;
static const struct policy_action colour_it = {
    .kind = POLICY_SET_COMMUNITIES, .asns = &colour, .asn_count = 1};
static const struct policy_action repeat_it = {.kind = POLICY_PREPEND_LAST_AS, .value = 3};
static const struct policy_match tagged = {.kind = POLICY_MATCH_TAG, .value = 5};
static struct policy_term term;
static struct policy policy;
static const uint16_t first_policy = 0;

static void policy_is(const struct policy_match *match, const struct policy_action *action) {
    term = (struct policy_term){.name = "t",
                                .matches = match,
                                .match_count = match != NULL,
                                .actions = action,
                                .action_count = action != NULL,
                                .verdict = POLICY_NEXT_POLICY};
    policy =
        (struct policy){.name = "p", .terms = &term, .term_count = 1, .otherwise = POLICY_REJECT};
    b.config.policies = &policy;
    b.config.policy_count = 1;
}

static void last_as_is_repeated(void **state) {
    (void)state;
    begin();
    policy_is(NULL, &repeat_it);
    b.peers[0].import[0] = (struct policy_chain){&first_policy, 1, true};
    announce(private_only, 3);
    expect_path("100 65001 65001 65001 65001 64513");
    bench_end(&b);
}

static void own_routes_pass_their_policy(void **state) {
    (void)state;
    struct bgp_origin_config origins[] = {
        {.prefix = pfx("10.1.0.0/16"), .source = ROUTE_SOURCE_STATIC, .tag = 5, .policy = 1},
        {.prefix = pfx("10.2.0.0/16"), .source = ROUTE_SOURCE_STATIC, .tag = 6, .policy = 1},
        {.prefix = pfx("10.3.0.0/16"), .source = ROUTE_SOURCE_STATIC, .tag = 6},
    };
    begin();
    policy_is(&tagged, &colour_it);
    b.config.origins = origins;
    b.config.origin_count = 3;
    bench_start(&b);
    bench_up(&b, 1);
    bench_settle(&b);
    const struct attr_values *v = bench_held(&b, 1, "10.1.0.0/16");
    assert_non_null(v);
    assert_int_equal(v->community_count, 1);
    assert_int_equal(v->communities[0], colour);
    assert_null(bench_held(&b, 1, "10.2.0.0/16"));
    assert_non_null(bench_held(&b, 1, "10.3.0.0/16"));
    assert_int_equal(bench_held(&b, 1, "10.3.0.0/16")->community_count, 0);
    /* The tag changes hands: one route goes, another comes. */
    origins[0].tag = 6;
    origins[1].tag = 5;
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    bench_settle(&b);
    assert_null(bench_held(&b, 1, "10.1.0.0/16"));
    assert_non_null(bench_held(&b, 1, "10.2.0.0/16"));
    bench_end(&b);
}

static const struct {
    const char *expression;
    uint32_t communities[3], count;
    bool holds;
} EXPRESSIONS[] = {
    {"_100:7_", {100u << 16 | 7, 200u << 16 | 1}, 2, true},
    {"_100:7_", {100u << 16 | 77}, 1, false},
    {"^100:7 200:1$", {100u << 16 | 7, 200u << 16 | 1}, 2, true},
    {"^200:.*", {100u << 16 | 7, 200u << 16 | 1}, 2, false},
    {"no-export", {COMMUNITY_NO_EXPORT}, 1, true},
    {".*", {0}, 0, false},
    {"(", {100u << 16 | 7}, 1, false},
};

static void communities_match_expressions(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    for (size_t i = 0; i < sizeof EXPRESSIONS / sizeof *EXPRESSIONS; i++) {
        const struct policy_match match = {.kind = POLICY_MATCH_COMMUNITY_REGEX,
                                           .text = EXPRESSIONS[i].expression};
        bool no_memory = false;
        policy_is(&match, NULL);
        const struct policy_chain chain = {&first_policy, 1, true};
        struct policy_route r = {.arena = arena,
                                 .attrs = {.communities = EXPRESSIONS[i].communities,
                                           .community_count = EXPRESSIONS[i].count}};
        if (policy_run(&b.config, &chain, &r, NULL, &no_memory) != EXPRESSIONS[i].holds)
            fail_msg("%s", EXPRESSIONS[i].expression);
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_ases_go),
        cmocka_unit_test(the_neighbours_private_as_stays),
        cmocka_unit_test(local_as_has_three_forms),
        cmocka_unit_test(last_as_is_repeated),
        cmocka_unit_test(own_routes_pass_their_policy),
        cmocka_unit_test(communities_match_expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
