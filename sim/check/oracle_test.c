/* The oracle on small networks whose outcome can be worked out by hand. */

#include "oracle_net_test.h"
#include "witness.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

static size_t session_count(const struct oracle *o) {
    const struct oracle_session *s = NULL;
    return oracle_sessions(o, &s);
}

/* The cause at node `node`, or "" when all its ends are up. */
static const char *cause_at(const struct oracle *o, uint32_t node) {
    const struct oracle_failure *f = NULL;
    size_t n = oracle_failures(o, &f);
    for (size_t i = 0; i < n; i++)
        if (f[i].node == node)
            return f[i].cause;
    return "";
}

/* ---- sessions ---- */

static void mesh_has_all_pairs_and_all_blocks(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    make_mesh(&n, 5);
    struct oracle *o = solve(&n);
    assert_int_equal(session_count(o), 10);
    assert_string_equal(cause_at(o, 0), "");
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(oracle_totals(o, i).established, 4);
        assert_int_equal(oracle_totals(o, i).loc_rib[0], 5);
        assert_int_equal(oracle_totals(o, i).fib[0], 5);
        for (uint32_t k = 0; k < 5; k++) {
            const struct oracle_route *r = oracle_find(o, i, node_block(k));
            assert_non_null(r);
            assert_true(k == i ? !ip_is_set(r->next_hop) : ip_equal(r->next_hop, node_addr(k)));
            assert_int_equal(r->blackhole, k == i);
        }
    }
    oracle_free(o);
}

struct trouble {
    const char *cause;
    void (*make)(struct net *n);
};

static void wrong_as(struct net *n) {
    n->configs[0].peers[0].remote_as = 65000;
}
static void passwords_differ(struct net *n) {
    static const struct bgp_password secret = {6, {"secret"}};
    n->configs[0].peers[0].password = &secret;
}
static void nobody_dials(struct net *n) {
    n->configs[0].peers[0].passive = n->configs[1].peers[0].passive = true;
}
static void ttl_on_one_side(struct net *n) {
    n->configs[0].peers[0].ttl_security_hops = 1;
}
static void administratively_down(struct net *n) {
    n->configs[0].peers[0].shutdown = true;
}
static void other_is_dead(struct net *n) {
    n->nodes[1].up = false;
}
static void port_blocked(struct net *n) {
    n->cuts[n->cut_count++] = (struct oracle_cut){0, 1};
}
static void nobody_there(struct net *n) {
    n->configs[0].peers[0].remote_addr = ip4(0x0a0000fe);
}
static void not_configured_there(struct net *n) {
    n->configs[1].peer_count = 0;
}
static void no_family(struct net *n) {
    n->configs[0].peers[0].families[0] = false;
}
static void one_identifier(struct net *n) {
    n->configs[1].router_id = n->configs[0].router_id;
}

static void every_cause_has_its_name(void **state) {
    (void)state;
    static const struct trouble table[] = {
        {"bad-peer-as", wrong_as},
        {"password", passwords_differ},
        {"both-passive", nobody_dials},
        {"ttl", ttl_on_one_side},
        {"shutdown", administratively_down},
        {"speaker-down", other_is_dead},
        {"blocked", port_blocked},
        {"no-such-neighbor", nobody_there},
        {"not-configured-there", not_configured_there},
        {"no-common-family", no_family},
        {"same-router-id", one_identifier},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        static struct net n;
        n = (struct net){0};
        make_mesh(&n, 2);
        table[i].make(&n);
        struct oracle *o = solve(&n);
        assert_int_equal(session_count(o), 0);
        assert_string_equal(cause_at(o, 0), table[i].cause);
        oracle_free(o);
    }
}

static void ios_external_needs_a_direct_link_or_multihop(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    add_node(&n, BGP_PROFILE_IOS, 65001);
    add_node(&n, BGP_PROFILE_FAST, 64512);
    add_pair(&n, 0, 1);
    n.configs[0].peers[0].multihop = 0;
    struct oracle *o = solve(&n);
    assert_int_equal(session_count(o), 1);
    oracle_free(o);
    struct oracle_input in = {.nodes = n.nodes, .node_count = 2, .routed_fabric = true};
    o = oracle_new(&in);
    assert_string_equal(cause_at(o, 0), "ttl");
    oracle_free(o);
}

/* BIRD runs one session per neighbour; which one, is decided by who was there first. */
static void the_second_stanza_waits_for_the_lock(void **state) {
    (void)state;
    static struct net before, after;
    before = (struct net){0};
    make_mesh(&before, 2);
    struct oracle *first = solve(&before);
    after = (struct net){0};
    make_mesh(&after, 2);
    /* A stanza that sorts before the running one is added at both ends. */
    for (uint32_t i = 0; i < 2; i++) {
        struct bgp_config *c = &after.configs[i];
        c->peers[1] = c->peers[0];
        strncpy(c->peers[0].name, "Global", 7);
        c->peer_count = 2;
    }
    struct oracle *fresh = solve(&after), *live = solve_after(&after, first);
    const struct oracle_session *s = NULL;
    assert_int_equal(oracle_sessions(fresh, &s), 1);
    assert_int_equal(s->peer_a, 0);
    assert_string_equal(cause_at(fresh, 0), "waiting-for-lock");
    assert_int_equal(oracle_sessions(live, &s), 1);
    assert_int_equal(s->peer_a, 1); /* the old one keeps running */
    const struct oracle_failure *f = NULL;
    assert_true(oracle_failures(live, &f) >= 1);
    assert_int_equal(f[0].peer, 0); /* the newcomer waits */
    oracle_free(fresh);
    oracle_free(live);
    oracle_free(first);
}

/* ---- routes ---- */

static void reflector(struct net *n) {
    for (int i = 0; i < 3; i++)
        add_node(n, BGP_PROFILE_FAST, 64512);
    add_node(n, BGP_PROFILE_IOS, 64512);
    n->configs[3].cluster_id = 1;
    for (uint32_t i = 0; i < 3; i++) {
        add_peer(n, i, 3);
        add_peer(n, 3, i)->rr_client = true;
    }
}

static void a_reflector_adds_originator_and_cluster_list(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    reflector(&n);
    struct oracle *o = solve(&n);
    assert_int_equal(session_count(o), 3);
    const struct oracle_route *r = oracle_find(o, 0, node_block(1));
    assert_non_null(r);
    assert_true(ip_equal(r->next_hop, node_addr(1)));
    assert_true(r->attrs->has_originator_id);
    assert_int_equal(r->attrs->originator_id, ip4_to_u32(node_addr(1)));
    assert_int_equal(r->attrs->cluster_count, 1);
    assert_int_equal(r->attrs->cluster_list[0], 1);
    assert_int_equal(r->from_node, 3);
    assert_int_equal(r->origin_node, 1);
    oracle_free(o);
}

/* Two reflectors of one cluster, each a client's and the other's peer. */
static void own_cluster_id_counts_at_clients_only_for_bird(void **state) {
    static const enum bgp_profile profiles[] = {BGP_PROFILE_FAST, BGP_PROFILE_IOS};
    (void)state;
    for (int i = 0; i < 2; i++) {
        static struct net n;
        n = (struct net){0};
        for (int k = 0; k < 3; k++)
            add_node(&n, profiles[i], 64512);
        n.configs[1].cluster_id = n.configs[2].cluster_id = 7;
        add_peer(&n, 0, 1);
        add_peer(&n, 1, 0)->rr_client = true;
        add_pair(&n, 1, 2);
        struct oracle *o = solve(&n);
        assert_int_equal(oracle_find(o, 2, node_block(0)) != NULL, i == 0);
        oracle_free(o);
        n.configs[2].peers[0].rr_client = true;
        o = solve(&n);
        assert_null(oracle_find(o, 2, node_block(0)));
        oracle_free(o);
    }
}

/* 0 reaches 3 by way of 1 and 2, all in different autonomous systems. */
static void equal_paths_are_merged(void **state) {
    static const enum bgp_profile profiles[] = {BGP_PROFILE_CALICO, BGP_PROFILE_PLAIN};
    (void)state;
    for (int i = 0; i < 2; i++) {
        static struct net n;
        n = (struct net){0};
        for (uint32_t k = 0; k < 4; k++)
            add_node(&n, profiles[i], 64500 + k);
        for (uint32_t k = 1; k <= 2; k++) {
            add_pair(&n, 0, k);
            add_pair(&n, 3, k);
        }
        struct oracle *o = solve(&n);
        const struct oracle_route *r = oracle_find(o, 0, node_block(3));
        assert_non_null(r);
        assert_true(r->in_fib && ip_equal(r->gateway, node_addr(1)));
        assert_int_equal(r->gateway_count, i == 0 ? 2 : 1);
        assert_true(ip_equal(r->gateways[0], node_addr(1)));
        assert_true(i == 1 || ip_equal(r->gateways[1], node_addr(2)));
        assert_int_equal(oracle_find(o, 0, node_block(1))->gateway_count, 1);
        oracle_free(o);
    }
}

/* IOS: maximum-paths 2 where three are equal: any two. */
static void too_many_equal_paths_are_by_chance_for_ios(void **state) {
    (void)state;
    for (uint32_t max = 0; max <= 3; max++) {
        static struct net n;
        n = (struct net){0};
        for (uint32_t k = 0; k < 5; k++)
            add_node(&n, BGP_PROFILE_IOS, 64500 + k);
        n.configs[0].compare_router_id = true;
        n.configs[0].multipath_external[0] = max;
        n.configs[0].multipath_as_path_relax = true;
        for (uint32_t k = 1; k <= 3; k++) {
            add_pair(&n, 0, k);
            add_pair(&n, 4, k);
        }
        struct oracle *o = solve(&n);
        const struct oracle_route *r = oracle_find(o, 0, node_block(4));
        assert_non_null(r);
        assert_int_equal(r->gateway_count, max > 1 ? max : 1);
        assert_int_equal(r->by_age, max == 2);
        oracle_free(o);
    }
}

static void without_a_client_nothing_is_reflected(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    reflector(&n);
    for (uint32_t i = 0; i < 3; i++)
        n.configs[3].peers[i].rr_client = false;
    struct oracle *o = solve(&n);
    assert_null(oracle_find(o, 0, node_block(1)));
    struct text why;
    text_init(&why);
    oracle_explain(o, 0, node_block(1), &why);
    assert_non_null(strstr(text_str(&why), "n3 -> n0: not sent"));
    assert_non_null(strstr(text_str(&why), "neither end is a route reflector client"));
    text_deinit(&why);
    oracle_free(o);
}

/* The third client's route is by way of the first. BIRD reflects it to the second alone; of own
 * routes nobody tells the gateway. */
static void a_neighbor_that_is_the_next_hop_is_not_told(void **state) {
    (void)state;
    for (int bird = 0; bird < 2; bird++) {
        static struct net n;
        struct oracle_passage p;
        n = (struct net){0};
        reflector(&n);
        n.configs[3].profile = bird ? BGP_PROFILE_CALICO : BGP_PROFILE_PLAIN;
        n.origins[2].gateway = n.origins[3].gateway = node_addr(0);
        struct oracle *o = solve(&n);
        assert_non_null(oracle_find(o, 1, node_block(2)));
        oracle_follow(o, 3, 0, node_block(2), NULL, NULL, &p);
        assert_true(p.session && p.known);
        assert_int_equal(p.sent, !bird);
        if (bird)
            assert_string_equal(p.export_rule, "the next hop is the neighbor's own address");
        oracle_follow(o, 3, 0, node_block(3), NULL, NULL, &p);
        assert_false(p.sent);
        oracle_follow(o, 3, 1, node_block(3), NULL, NULL, &p);
        assert_true(p.sent);
        oracle_free(o);
    }
}

static void external_paths_get_as_and_next_hop(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    add_node(&n, BGP_PROFILE_FAST, 64512);
    add_node(&n, BGP_PROFILE_PLAIN, 65001);
    add_node(&n, BGP_PROFILE_PLAIN, 65002);
    add_pair(&n, 0, 1);
    add_pair(&n, 1, 2);
    struct oracle *o = solve(&n);
    const struct oracle_route *r = oracle_find(o, 2, node_block(0));
    assert_non_null(r);
    assert_int_equal(as_path_length(r->attrs->as_path), 2);
    assert_int_equal(as_path_count(r->attrs->as_path, 64512), 1);
    assert_int_equal(as_path_neighbor(r->attrs->as_path), 65001);
    assert_false(r->attrs->has_local_pref);
    oracle_free(o);
}

static void a_filter_is_named_with_its_rule(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    make_mesh(&n, 2);
    struct policy_prefix set = {node_block(1), 24, 32, false};
    struct policy_match match = {.kind = POLICY_MATCH_PREFIX, .prefixes = &set, .prefix_count = 1};
    struct policy_term term = {.name = "exportV4[0] Reject In 10.244.1.0/24",
                               .matches = &match,
                               .match_count = 1,
                               .verdict = POLICY_REJECT};
    struct policy policy = {"BGPFilter block-one", &term, 1, POLICY_NEXT_POLICY};
    uint16_t index = 0;
    n.configs[1].policies = &policy;
    n.configs[1].policy_count = 1;
    n.configs[1].peers[0].export[0] = (struct policy_chain){&index, 1, true};
    struct oracle *o = solve(&n);
    assert_non_null(oracle_find(o, 1, node_block(0)));
    assert_null(oracle_find(o, 0, node_block(1)));
    struct text why;
    text_init(&why);
    oracle_explain(o, 0, node_block(1), &why);
    assert_string_equal(text_str(&why), "n1 -> n0: not sent: BGPFilter block-one exportV4[0] "
                                        "Reject In 10.244.1.0/24");
    text_deinit(&why);
    oracle_free(o);
}

/* Each of three nodes prefers the way through its neighbour over its direct one: nothing is stable.
 */
static void a_bad_gadget_is_reported_not_guessed(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    for (uint32_t i = 0; i < 4; i++)
        add_node(&n, BGP_PROFILE_PLAIN, 65000 + i);
    for (uint32_t i = 1; i < 4; i++) {
        add_pair(&n, 0, i);
        add_pair(&n, i, i % 3 + 1);
    }
    static const struct policy_action high = {.kind = POLICY_SET_LOCAL_PREF, .value = 200};
    static uint32_t two[2];
    (void)two;
    /* From the next node: only the two-hop path is preferred. */
    static struct policy_match direct[4];
    static struct policy_term terms[4];
    static struct policy policies[4];
    static char expressions[4][32];
    static const uint16_t zero = 0;
    for (uint32_t i = 1; i < 4; i++) {
        uint32_t next = i % 3 + 1;
        snprintf(expressions[i], sizeof expressions[i], "^%u 65000$", 65000 + next);
        direct[i] =
            (struct policy_match){.kind = POLICY_MATCH_AS_PATH_REGEX, .text = expressions[i]};
        terms[i] = (struct policy_term){"prefer", &direct[i], 1, &high, 1, POLICY_ACCEPT, 0};
        policies[i] = (struct policy){"prefer the neighbour", &terms[i], 1, POLICY_REJECT};
        n.configs[i].policies = &policies[i];
        n.configs[i].policy_count = 1;
        for (uint32_t k = 0; k < n.configs[i].peer_count; k++)
            if (ip_equal(n.configs[i].peers[k].remote_addr, node_addr(next)))
                n.configs[i].peers[k].import[0] = (struct policy_chain){&zero, 1, false};
    }
    struct oracle *o = solve(&n);
    const struct ip_prefix *list = NULL;
    assert_int_equal(oracle_unstable(o, &list), 1);
    assert_true(ip_prefix_equal(list[0], node_block(0)));
    oracle_free(o);
}

static void ios_ties_between_external_paths_are_by_age(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    add_node(&n, BGP_PROFILE_IOS, 65001);
    add_node(&n, BGP_PROFILE_PLAIN, 64512);
    add_node(&n, BGP_PROFILE_PLAIN, 64512);
    add_pair(&n, 0, 1);
    add_pair(&n, 0, 2);
    n.origins[2].prefix = node_block(1); /* both announce one prefix */
    struct oracle *o = solve(&n);
    const struct oracle_route *r = oracle_find(o, 0, node_block(1));
    assert_non_null(r);
    assert_true(r->by_age);
    assert_true(oracle_totals(o, 0).by_age);
    oracle_free(o);
    n.configs[0].compare_router_id = true;
    o = solve(&n);
    assert_false(oracle_find(o, 0, node_block(1))->by_age);
    assert_int_equal(oracle_find(o, 0, node_block(1))->from_node, 1);
    oracle_free(o);
}

/* On one segment the next hop stays the chosen one's: who hears of it knows no more. */
static void a_choice_by_age_is_handed_on(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    add_node(&n, BGP_PROFILE_IOS, 65001);
    add_node(&n, BGP_PROFILE_PLAIN, 64512);
    add_node(&n, BGP_PROFILE_PLAIN, 64512);
    add_node(&n, BGP_PROFILE_IOS, 65002);
    add_pair(&n, 0, 1);
    add_pair(&n, 0, 2);
    add_pair(&n, 0, 3);
    struct bgp_peer_config *last = &n.configs[0].peers[n.configs[0].peer_count - 1];
    last->multihop = n.configs[3].peers[0].multihop = 0;
    n.origins[2].prefix = node_block(1);
    struct oracle *o = solve(&n);
    assert_non_null(oracle_find(o, 3, node_block(1)));
    assert_true(oracle_find(o, 3, node_block(1))->by_age);
    assert_false(oracle_find(o, 3, node_block(0))->by_age);
    oracle_free(o);
    last->next_hop_mode = BGP_NEXT_HOP_SELF;
    o = solve(&n);
    assert_false(oracle_find(o, 3, node_block(1))->by_age);
    oracle_free(o);
}

static void no_export_stays_inside(void **state) {
    (void)state;
    static struct net n;
    n = (struct net){0};
    add_node(&n, BGP_PROFILE_PLAIN, 64512);
    add_node(&n, BGP_PROFILE_PLAIN, 64512);
    add_node(&n, BGP_PROFILE_PLAIN, 65001);
    add_pair(&n, 0, 1);
    add_pair(&n, 1, 2);
    static const uint32_t no_export = COMMUNITY_NO_EXPORT;
    static const struct policy_action tag = {
        .kind = POLICY_ADD_COMMUNITIES, .asns = &no_export, .asn_count = 1};
    static const struct policy_term term = {"tag", NULL, 0, &tag, 1, POLICY_ACCEPT, 0};
    static const struct policy policy = {"tag all", &term, 1, POLICY_REJECT};
    static const uint16_t index = 0;
    n.configs[0].policies = &policy;
    n.configs[0].policy_count = 1;
    n.configs[0].peers[0].export[0] = (struct policy_chain){&index, 1, false};
    struct oracle *o = solve(&n);
    assert_non_null(oracle_find(o, 1, node_block(0)));
    assert_null(oracle_find(o, 2, node_block(0)));
    oracle_free(o);
}

/* ---- witnesses ---- */

static void count_one(void *context, const struct witness_end *end) {
    (void)end;
    ++*(size_t *)context;
}

static void witness_sets_differ_exactly(void **state) {
    (void)state;
    struct witness_set a = {0}, b = {0};
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(witness_add(&a, 99 - i, node_addr(i)));
        if (i != 17)
            assert_true(witness_add(&b, 99 - i, node_addr(i)));
    }
    assert_true(witness_add(&b, 1000, node_addr(0)));
    assert_true(witness_add(&b, 1000, node_addr(0)));
    witness_sort(&a);
    witness_sort(&b);
    assert_int_equal(b.duplicates, 1);
    size_t missing = 0, extra = 0;
    assert_int_equal(witness_minus(&a, &b, count_one, &missing), 1);
    assert_int_equal(witness_minus(&b, &a, count_one, &extra), 1);
    assert_int_equal(missing + extra, 2);
    assert_true(witness_has(&a, 82, node_addr(17)));
    assert_false(witness_has(&b, 82, node_addr(17)));
    witness_free(&a);
    witness_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mesh_has_all_pairs_and_all_blocks),
        cmocka_unit_test(every_cause_has_its_name),
        cmocka_unit_test(ios_external_needs_a_direct_link_or_multihop),
        cmocka_unit_test(the_second_stanza_waits_for_the_lock),
        cmocka_unit_test(a_reflector_adds_originator_and_cluster_list),
        cmocka_unit_test(own_cluster_id_counts_at_clients_only_for_bird),
        cmocka_unit_test(equal_paths_are_merged),
        cmocka_unit_test(too_many_equal_paths_are_by_chance_for_ios),
        cmocka_unit_test(without_a_client_nothing_is_reflected),
        cmocka_unit_test(a_neighbor_that_is_the_next_hop_is_not_told),
        cmocka_unit_test(external_paths_get_as_and_next_hop),
        cmocka_unit_test(a_filter_is_named_with_its_rule),
        cmocka_unit_test(a_bad_gadget_is_reported_not_guessed),
        cmocka_unit_test(ios_ties_between_external_paths_are_by_age),
        cmocka_unit_test(a_choice_by_age_is_handed_on),
        cmocka_unit_test(no_export_stays_inside),
        cmocka_unit_test(witness_sets_differ_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
