/*
 * The oracle beside the speakers it judges: small networks by chance, each run by real cores over
 * pipes (core/pipe_test.h) and computed by the oracle. They must agree on every session and, at
 * every node, on every best path with its attributes, the neighbour it came from and those that are
 * told.
 *
 * A network may have several stable outcomes, and then neither is wrong. So nobody here takes the
 * older path, nodes judge alike, MEDs change between ASes only, paths never get shorter, and the
 * one node that prefers neighbours tells nobody anything. ORACLE_NETWORK=number runs one network.
 */
#include "oracle_compare_fixture.h"
#include "oracle_net_test.h"

#include "../../speaker/core/pipe_test.h"

#include <stdlib.h>

#define NETWORKS 400
#define SETTLE_MS 150000
#define POLICIES 6
#define SHARED_PREFIX ip_prefix_make(ip4(0xcb007100), 24) /* of several nodes */

/* A network and what its configurations point to. */
struct chance_net {
    struct net net;
    struct bgp_origin_config origins[NODES_MAX][2];
    struct bgp_aggregate_config aggregates[NODES_MAX];
    uint16_t indices[NODES_MAX][PEERS_MAX][2];
    /* Alike everywhere, for nodes that judge one path differently may never agree. */
    uint32_t local_pref;
    bool all_meds, worst_med;
    bool choosy; /* the first node prefers neighbours, and tells nobody anything */
    uint64_t rng;
};

static uint32_t chance(struct chance_net *c, uint32_t below) {
    return (uint32_t)rng_below(&c->rng, below);
}

/* ---- policies that nodes choose from ---- */

static const struct policy_prefix block_of_one = {
    {{.family = IP_V4, .bytes = {10, 244, 1, 0}}, 24}, 24, 32, false};
static const uint32_t three_times[] = {65009, 65009, 65009};
static const uint32_t communities[] = {65009u << 16 | 1, COMMUNITY_NO_EXPORT};

static const struct policy_match is_block_of_one = {
    .kind = POLICY_MATCH_PREFIX, .prefixes = &block_of_one, .prefix_count = 1};
static const struct policy_action prepend = {
    .kind = POLICY_PREPEND_AS_PATH, .asns = three_times, .asn_count = 3};
static const struct policy_action add_plain = {
    .kind = POLICY_ADD_COMMUNITIES, .asns = communities, .asn_count = 1};
static const struct policy_action add_no_export = {
    .kind = POLICY_ADD_COMMUNITIES, .asns = communities, .asn_count = 2};
static const struct policy_action med_and_self[] = {{.kind = POLICY_SET_MED, .value = 50},
                                                    {.kind = POLICY_SET_NEXT_HOP_SELF}};
static const struct policy_action prefer = {.kind = POLICY_SET_LOCAL_PREF, .value = 300};

#define TERM(name_text, action_list, actions_in_list)                                              \
    {                                                                                              \
        .name = name_text, .actions = action_list, .action_count = actions_in_list,                \
        .verdict = POLICY_ACCEPT                                                                   \
    }
static const struct policy_term terms[POLICIES][1] = {
    {{.name = "reject", .matches = &is_block_of_one, .match_count = 1, .verdict = POLICY_REJECT}},
    {TERM("prepend", &prepend, 1)},
    {TERM("community", &add_plain, 1)},
    {TERM("no-export", &add_no_export, 1)},
    {TERM("med", med_and_self, 2)},
    {TERM("prefer", &prefer, 1)},
};
static const struct policy policies[POLICIES] = {
    {"reject", terms[0], 1, POLICY_ACCEPT},    {"prepend", terms[1], 1, POLICY_ACCEPT},
    {"community", terms[2], 1, POLICY_ACCEPT}, {"no-export", terms[3], 1, POLICY_ACCEPT},
    {"med", terms[4], 1, POLICY_ACCEPT},       {"prefer", terms[5], 1, POLICY_ACCEPT},
};

/* ---- networks ---- */

static void any_node(struct chance_net *c) {
    static const uint32_t ases[] = {64512, 64512, 65001, 65002};
    enum bgp_profile profile = chance(c, 2) ? BGP_PROFILE_FAST : BGP_PROFILE_IOS;
    uint32_t i = add_node(&c->net, profile, ases[chance(c, 4)]);
    struct bgp_config *b = &c->net.configs[i];
    c->origins[i][0] = c->net.origins[i];
    c->origins[i][1] = (struct bgp_origin_config){.prefix = SHARED_PREFIX,
                                                  .source = ROUTE_SOURCE_STATIC,
                                                  .metric = UINT32_MAX,
                                                  .origin = (uint8_t)chance(c, 3),
                                                  .med_set = chance(c, 2),
                                                  .med = 10 * chance(c, 3)};
    if (chance(c, 3) == 0) /* by way of another node, or of one that is not there */
        c->origins[i][1].gateway = node_addr((i + 1 + chance(c, NODES_MAX - 1)) % NODES_MAX);
    b->origins = c->origins[i];
    b->origin_count = 1 + (chance(c, 3) == 0);
    b->policies = policies;
    b->policy_count = POLICIES;
    b->cluster_id = chance(c, 2) ? 7 : 0;
    b->client_to_client_reflection = chance(c, 4) > 0;
    b->always_compare_med = c->all_meds;
    b->med_missing_as_worst = c->worst_med;
    b->compare_router_id = true;
    b->default_local_pref = c->local_pref;
    if (chance(c, 5) == 0) {
        c->aggregates[i] =
            (struct bgp_aggregate_config){.prefix = ip_prefix_make(ip4(0x0af40000), 16),
                                          .as_set = chance(c, 2),
                                          .summary_only = chance(c, 2),
                                          .suppress_policy = chance(c, 3) == 0};
        b->aggregates = &c->aggregates[i];
        b->aggregate_count = 1;
    }
}

static void any_end(struct chance_net *c, uint32_t from, uint32_t to) {
    struct bgp_config *b = &c->net.configs[from];
    struct bgp_peer_config *p = add_peer(&c->net, from, to);
    bool internal = p->remote_as == b->local_as;
    uint16_t *index = c->indices[from][b->peer_count - 1];
    memset(p->advertisement_interval_ms, 0, sizeof p->advertisement_interval_ms);
    p->rr_client = internal && chance(c, 2);
    p->next_hop_mode = chance(c, 3) ? BGP_NEXT_HOP_AUTO : (enum bgp_next_hop_mode)chance(c, 4);
    p->allow_local_as = chance(c, 4) == 0;
    p->as_override = !internal && chance(c, 5) == 0;
    p->transparent = !internal && chance(c, 5) == 0;
    p->remove_private_as = !internal && chance(c, 8) == 0;
    p->remove_private_as_all = p->remove_private_as_replace = p->remove_private_as;
    p->send_communities = chance(c, 2);
    p->weight = b->profile == BGP_PROFILE_IOS && c->choosy && from == 0 ? chance(c, 3) : 0;
    p->multihop = chance(c, 4) ? 0 : 2;
    p->enforce_first_as = chance(c, 2);
    p->default_originate[0] = chance(c, 8) == 0 && !(c->choosy && from == 0);
    if (chance(c, 12) == 0)
        p->remote_as = 65001;
    if (chance(c, 12) == 0)
        p->passive = true;
    if (chance(c, 20) == 0)
        p->shutdown = true;
    index[0] = (uint16_t)chance(c, internal ? 4 : 5);
    bool choosy = c->choosy && from == 0;
    index[1] = (uint16_t)(choosy && !internal ? 5 : chance(c, 4));
    p->export[0] = (struct policy_chain){&index[0], !choosy && chance(c, 3) == 0, !choosy};
    p->import[0] = (struct policy_chain){&index[1], chance(c, 3) == 0, true};
}

static void any_net(struct chance_net *c, uint64_t seed) {
    memset(c, 0, sizeof *c);
    c->rng = seed;
    c->local_pref = 100 + 50 * chance(c, 2);
    c->all_meds = chance(c, 4) == 0;
    c->worst_med = chance(c, 4) == 0;
    c->choosy = chance(c, 3) == 0;
    uint32_t count = 3 + chance(c, NODES_MAX - 2);
    for (uint32_t i = 0; i < count; i++)
        any_node(c);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (chance(c, 3) == 0)
                continue;
            any_end(c, i, k);
            any_end(c, k, i);
        }
    }
}

/* ---- comparison ---- */

static void run_speakers(const struct chance_net *c, struct pipe_world *w, uint64_t seed) {
    pipe_init(w, seed);
    for (uint32_t i = 0; i < c->net.count; i++) {
        uint32_t n = pipe_add(w, &c->net.configs[i], NULL);
        assert_int_equal(bgp_connected_set(w->nodes[n].speaker, c->net.nodes[i].subnets,
                                           c->net.nodes[i].subnet_count, w->now),
                         BGP_OK);
    }
    pipe_run(w, SETTLE_MS);
}

struct tally {
    size_t sessions, routes, sent, unstable;
};

static void compare_network(uint64_t seed, struct tally *t) {
    static struct chance_net c;
    static struct pipe_world w;
    const struct ip_prefix *unstable = NULL;
    char what[32];
    any_net(&c, seed);
    struct oracle *o = solve(&c.net);
    const struct oracle_input in = {.nodes = c.net.nodes, .node_count = c.net.count};
    if (oracle_unstable(o, &unstable)) {
        t->unstable++;
        oracle_free(o);
        return;
    }
    snprintf(what, sizeof what, "network %lu", (unsigned long)seed);
    run_speakers(&c, &w, seed);
    t->sessions += compare_sessions(o, &in, &w, what);
    for (uint32_t i = 0; i < c.net.count; i++) {
        t->routes += compare_routes(o, &in, &w, i, BGP_IPV4_UNICAST, what);
        t->sent += compare_sent(o, &in, &w, i, what);
    }
    pipe_free(&w);
    oracle_free(o);
}

static void speakers_do_what_the_oracle_says(void **state) {
    struct tally t = {0};
    const char *one = getenv("ORACLE_NETWORK");
    (void)state;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        if (!one || strtoul(one, NULL, 10) == seed)
            compare_network(seed, &t);
    }
    print_message("%zu ends of sessions, %zu routes, sent %zu times, %zu unstable\n", t.sessions,
                  t.routes, t.sent, t.unstable);
    if (one)
        return;
    assert_true(t.sessions > NETWORKS * 5);
    assert_true(t.routes > NETWORKS * 10);
    assert_true(t.unstable < NETWORKS / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(speakers_do_what_the_oracle_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
