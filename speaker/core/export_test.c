/*
 * What peers are sent, attribute by attribute, as decoded from the bytes they pull. Names
 * conformance rows C069 to C076, C150 to C158, C164 to C167, C180, C181.
 */
#include "tables_test.h"

static struct bench b;

static const uint32_t path_one[] = {AS_SEQUENCE << 16 | 1, 65001};

static struct attr_values external_route(void) {
    struct attr_values v = {.next_hop = addr("10.0.0.1"), .has_med = true, .med = 7};
    v.as_path = (struct as_path){path_one, 2};
    return v;
}

static struct attr_values internal_route(void) {
    return (struct attr_values){.next_hop = addr("10.9.9.9"),
                                .has_local_pref = true,
                                .local_pref = 150,
                                .has_med = true,
                                .med = 9};
}

/* Peers 0 and 1 external (65001, 65002), 2 and 3 internal, 4 and 5 internal clients. */
static void six_peers(enum bgp_profile profile) {
    bench_config(&b, profile, 6);
    b.peers[0].remote_as = 65001;
    b.peers[1].remote_as = 65002;
    b.peers[4].rr_client = b.peers[5].rr_client = true;
}

static void start(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < b.config.peer_count; i++) {
        bench_up(&b, i);
    }
}

static void expect_path(const struct attr_values *v, const char *path) {
    struct text t;
    text_init(&t);
    as_path_format(v->as_path, false, &t);
    assert_string_equal(text_str(&t), path);
    text_deinit(&t);
}

static void expect_next_hop(const struct attr_values *v, const char *next_hop) {
    assert_true(ip_equal(v->next_hop, addr(next_hop)));
}

static void test_C069_C073_C075_C076_external_route(void **state) {
    (void)state;
    six_peers(BGP_PROFILE_FAST);
    start();
    struct attr_values v = external_route();
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    assert_null(bench_held(&b, 0, "192.0.2.0/24"));
    const struct attr_values *ebgp = bench_held(&b, 1, "192.0.2.0/24");
    assert_non_null(ebgp);
    expect_path(ebgp, "64512 65001");
    expect_next_hop(ebgp, "10.0.0.100");
    assert_false(ebgp->has_med);
    assert_false(ebgp->has_local_pref);
    for (uint32_t i = 2; i < 6; i++) {
        const struct attr_values *ibgp = bench_held(&b, i, "192.0.2.0/24");
        assert_non_null(ibgp);
        expect_path(ibgp, "65001");
        expect_next_hop(ibgp, "10.0.0.1");
        assert_int_equal(ibgp->med, 7);
        assert_int_equal(ibgp->local_pref, 100);
        assert_false(ibgp->has_originator_id);
    }
    bench_end(&b);
}

static void test_C069_C076_own_route(void **state) {
    struct bgp_origin_config o = {.prefix = pfx("10.244.0.0/26"), .source = ROUTE_SOURCE_STATIC};
    (void)state;
    six_peers(BGP_PROFILE_FAST);
    start();
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
    bench_settle(&b);
    const struct attr_values *ibgp = bench_held(&b, 2, "10.244.0.0/26");
    assert_non_null(ibgp);
    expect_path(ibgp, "");
    expect_next_hop(ibgp, "10.0.0.100");
    assert_int_equal(ibgp->local_pref, 100);
    expect_path(bench_held(&b, 0, "10.244.0.0/26"), "64512");
    assert_true(b.fib.source == ROUTE_SOURCE_STATIC && !ip_is_set(b.fib.next_hop));
    bench_end(&b);
}

/* BIRD: inside the AS the gateway is the next hop; without it there is no route. */
static void test_own_route_with_gateway(void **state) {
    struct bgp_origin_config o = {
        .prefix = pfx("192.0.2.1/32"), .source = ROUTE_SOURCE_STATIC, .gateway = addr("10.0.0.77")};
    (void)state;
    six_peers(BGP_PROFILE_FAST);
    b.peers[3].next_hop_mode = BGP_NEXT_HOP_SELF;
    start();
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
    bench_settle(&b);
    assert_non_null(bench_held(&b, 2, "192.0.2.1/32"));
    bgp_nexthop_set(b.s, o.gateway, false, 0, b.now);
    bench_settle(&b);
    assert_null(bench_held(&b, 2, "192.0.2.1/32"));
    bgp_nexthop_set(b.s, o.gateway, true, 0, b.now);
    bench_settle(&b);
    expect_next_hop(bench_held(&b, 2, "192.0.2.1/32"), "10.0.0.77");
    expect_next_hop(bench_held(&b, 3, "192.0.2.1/32"), "10.0.0.100");
    expect_next_hop(bench_held(&b, 0, "192.0.2.1/32"), "10.0.0.100");
    assert_true(ip_equal(b.fib.next_hop, o.gateway) && b.fib.source == ROUTE_SOURCE_STATIC);
    assert_int_equal(bgp_withdraw(b.s, o.prefix, o.source, b.now), BGP_OK);
    bench_settle(&b);
    assert_null(bench_held(&b, 2, "192.0.2.1/32"));
    assert_true(b.fib.withdrawn);
    bench_end(&b);
}

struct gateway_row {
    const char *gateway;
    enum bgp_next_hop_mode mode;
    const char *external, *internal; /* next hop that arrives, or NULL: not sent */
};

/* BIRD: what 1.6.8 sends over multihop sessions, as Calico's are: where a gateway stays as it is, a
 * neighbour that is it gets nothing (RFC 4271 5.1.3). */
static void test_C073_own_route_as_bird_sends_it(void **state) {
    static const struct gateway_row rows[] = {
        {"10.0.0.1", BGP_NEXT_HOP_AUTO, "10.0.0.100", "10.0.0.1"},
        {"10.0.0.3", BGP_NEXT_HOP_AUTO, "10.0.0.100", NULL},
        {"10.0.0.77", BGP_NEXT_HOP_AUTO, "10.0.0.100", "10.0.0.77"},
        {"10.0.0.1", BGP_NEXT_HOP_SELF, "10.0.0.100", "10.0.0.100"},
        {"10.0.0.3", BGP_NEXT_HOP_SELF, "10.0.0.100", "10.0.0.100"},
        {"10.0.0.1", BGP_NEXT_HOP_KEEP, NULL, "10.0.0.1"},
        {"10.0.0.3", BGP_NEXT_HOP_KEEP, "10.0.0.3", NULL},
        {"10.0.0.77", BGP_NEXT_HOP_KEEP, "10.0.0.77", "10.0.0.77"},
        {NULL, BGP_NEXT_HOP_KEEP, "10.0.0.100", "10.0.0.100"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct gateway_row *r = &rows[i];
        struct bgp_origin_config o = {.prefix = pfx("192.0.2.0/24"), .source = ROUTE_SOURCE_STATIC};
        o.gateway = r->gateway ? addr(r->gateway) : o.gateway;
        six_peers(BGP_PROFILE_CALICO);
        b.peers[0].multihop = b.peers[2].multihop = 255;
        b.peers[0].next_hop_mode = b.peers[2].next_hop_mode = r->mode;
        start();
        assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
        bench_settle(&b);
        const char *const expected[] = {r->external, NULL, r->internal};
        for (uint32_t peer = 0; peer < 3; peer += 2) {
            const struct attr_values *held = bench_held(&b, peer, "192.0.2.0/24");
            if (!held != !expected[peer])
                fail_msg("row %zu, peer %u: %s", i, peer, held ? "sent" : "not sent");
            if (held)
                expect_next_hop(held, expected[peer]);
        }
        bench_end(&b);
    }
}

struct reflection_row {
    uint32_t from, to;
    bool client_to_client, sent;
};

static void test_C150_C158_reflection(void **state) {
    static const struct reflection_row rows[] = {
        {2, 3, true, false},  {2, 4, true, true},  {4, 2, true, true}, {4, 5, true, true},
        {4, 5, false, false}, {4, 2, false, true}, {2, 1, true, true}, {4, 4, true, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        six_peers(BGP_PROFILE_FAST);
        b.config.client_to_client_reflection = rows[i].client_to_client;
        start();
        struct attr_values v = internal_route();
        (void)bench_announce(&b, rows[i].from, &v, "192.0.2.0/24");
        bench_settle(&b);
        assert_int_equal(bench_held(&b, rows[i].to, "192.0.2.0/24") != NULL, rows[i].sent);
        bench_end(&b);
    }
}

static void test_C151_C152_C155_reflected_attributes(void **state) {
    static const uint32_t clusters[] = {0x01010101};
    (void)state;
    six_peers(BGP_PROFILE_IOS);
    b.config.cluster_id = 1;
    for (uint32_t i = 0; i < 6; i++) {
        b.peers[i].next_hop_mode = BGP_NEXT_HOP_SELF;
    }
    b.peers[5].next_hop_mode = BGP_NEXT_HOP_SELF_ALL;
    start();
    struct attr_values v = internal_route();
    (void)bench_announce(&b, 4, &v, "192.0.2.0/24");
    v.has_originator_id = true;
    v.originator_id = 0x0b0b0b0b;
    v.cluster_list = clusters;
    v.cluster_count = 1;
    (void)bench_announce(&b, 4, &v, "192.0.3.0/24");
    bench_settle(&b);
    const struct attr_values *first = bench_held(&b, 2, "192.0.2.0/24");
    assert_int_equal(first->originator_id, 0x0a000005);
    assert_int_equal(first->cluster_count, 1);
    assert_int_equal(first->cluster_list[0], 1);
    expect_next_hop(first, "10.9.9.9"); /* IOS: next-hop-self does not touch reflected routes */
    assert_int_equal(first->local_pref, 150);
    assert_int_equal(first->med, 9);
    const struct attr_values *second = bench_held(&b, 2, "192.0.3.0/24");
    assert_int_equal(second->originator_id, 0x0b0b0b0b);
    assert_int_equal(second->cluster_count, 2);
    assert_int_equal(second->cluster_list[0], 1);
    assert_int_equal(second->cluster_list[1], 0x01010101);
    expect_next_hop(bench_held(&b, 5, "192.0.2.0/24"), "10.0.0.100");
    bench_end(&b);
}

struct community_row {
    uint32_t community;
    bool to_external, to_internal;
};

static void test_C164_well_known_communities(void **state) {
    static const struct community_row rows[] = {
        {COMMUNITY_NO_EXPORT, false, true},
        {COMMUNITY_NO_ADVERTISE, false, false},
        {COMMUNITY_NO_EXPORT_SUBCONFED, false, true},
        {UINT32_C(0xFFFF1234), true, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        six_peers(BGP_PROFILE_FAST);
        start();
        struct attr_values v = external_route();
        v.communities = &rows[i].community;
        v.community_count = 1;
        (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
        bench_settle(&b);
        assert_int_equal(bench_held(&b, 1, "192.0.2.0/24") != NULL, rows[i].to_external);
        assert_int_equal(bench_held(&b, 2, "192.0.2.0/24") != NULL, rows[i].to_internal);
        bench_end(&b);
    }
}

static void test_C165_C167_communities_stripped(void **state) {
    static const uint32_t communities[] = {64512u << 16 | 100};
    static const uint64_t ext[] = {UINT64_C(0x0002fc0000000001), UINT64_C(0x4002fc0000000001)};
    (void)state;
    six_peers(BGP_PROFILE_FAST);
    b.peers[3].send_communities = false;
    for (uint32_t i = 0; i < 6; i++) {
        b.peers[i].send_ext_communities = true;
    }
    start();
    struct attr_values v = external_route();
    v.communities = communities;
    v.community_count = 1;
    v.ext_communities = ext;
    v.ext_community_count = 2;
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    assert_int_equal(bench_held(&b, 2, "192.0.2.0/24")->community_count, 1);
    assert_int_equal(bench_held(&b, 2, "192.0.2.0/24")->communities[0], communities[0]);
    assert_int_equal(bench_held(&b, 2, "192.0.2.0/24")->ext_community_count, 2);
    assert_memory_equal(bench_held(&b, 2, "192.0.2.0/24")->ext_communities, ext, sizeof ext);
    assert_int_equal(bench_held(&b, 3, "192.0.2.0/24")->community_count, 0);
    assert_int_equal(bench_held(&b, 1, "192.0.2.0/24")->ext_community_count, 1);
    assert_true(bench_held(&b, 1, "192.0.2.0/24")->ext_communities[0] == ext[0]);
    bench_end(&b);
}

static void test_C073_third_party_next_hop(void **state) {
    struct ip_prefix subnet = pfx("10.0.0.0/24");
    (void)state;
    six_peers(BGP_PROFILE_IOS);
    start();
    assert_int_equal(bgp_connected_set(b.s, &subnet, 1, b.now), BGP_OK);
    struct attr_values v = external_route();
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    v.next_hop = addr("10.0.0.2"); /* the receiver itself: never */
    (void)bench_announce(&b, 0, &v, "192.0.3.0/24");
    bench_settle(&b);
    expect_next_hop(bench_held(&b, 1, "192.0.2.0/24"), "10.0.0.1");
    expect_next_hop(bench_held(&b, 1, "192.0.3.0/24"), "10.0.0.100");
    bench_end(&b);
}

/* The third party becomes a peer: what is sent already might be sent to itself. */
static void test_C073_third_party_becomes_a_peer(void **state) {
    struct ip_prefix subnet = pfx("10.0.0.0/24");
    (void)state;
    six_peers(BGP_PROFILE_IOS);
    start();
    assert_int_equal(bgp_connected_set(b.s, &subnet, 1, b.now), BGP_OK);
    struct attr_values v = external_route();
    v.next_hop = addr("10.0.0.9");
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    expect_next_hop(bench_held(&b, 1, "192.0.2.0/24"), "10.0.0.9");
    struct bgp_config other = b.config;
    b.peers[6] = b.peers[1];
    (void)snprintf(b.peers[6].name, sizeof b.peers[6].name, "p6");
    b.peers[6].remote_addr = addr("10.0.0.9");
    other.peer_count = 7;
    assert_int_equal(bgp_configure(b.s, &other, b.now), BGP_OK);
    bench_settle(&b);
    expect_next_hop(bench_held(&b, 1, "192.0.2.0/24"), "10.0.0.100");
    bench_end(&b);
}

/* RFC 4271 5.1.3 3: to a peer that may be hops away it is ours, on a shared subnet too. */
static void multihop_peers_get_our_next_hop(void **state) {
    struct ip_prefix subnet = pfx("10.0.0.0/24");
    (void)state;
    six_peers(BGP_PROFILE_IOS);
    b.peers[1].multihop = 2;
    start();
    assert_int_equal(bgp_connected_set(b.s, &subnet, 1, b.now), BGP_OK);
    struct attr_values v = external_route();
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    expect_next_hop(bench_held(&b, 1, "192.0.2.0/24"), "10.0.0.100");
    bench_end(&b);
}

/* RFC 2545 3, 4291 2.5.6: a link-local next hop ends with its link: inside, to clients, to others.
 * Where it is to be kept, it is kept. */
static void test_C073_link_local_stays(void **state) {
    static const char *const self = "::ffff:10.0.0.100";
    (void)state;
    for (unsigned kept = 0; kept < 2; kept++) {
        six_peers(BGP_PROFILE_FAST);
        for (uint32_t i = 0; i < 6; i++) {
            b.peers[i].families[BGP_IPV6_UNICAST] = true;
            b.peers[i].next_hop_mode = kept ? BGP_NEXT_HOP_KEEP : BGP_NEXT_HOP_AUTO;
        }
        b.peers[5].next_hop_mode = kept ? BGP_NEXT_HOP_KEEP : BGP_NEXT_HOP_SELF;
        start();
        struct attr_values v = external_route(), inside = internal_route();
        v.next_hop = inside.next_hop = addr("fe80::1");
        (void)bench_announce(&b, 0, &v, "2001:db8:2::/48");
        (void)bench_announce(&b, 4, &inside, "2001:db8:3::/48");
        bench_settle(&b);
        for (uint32_t i = 1; i < 6; i++)
            expect_next_hop(bench_held(&b, i, "2001:db8:2::/48"), kept ? "fe80::1" : self);
        expect_next_hop(bench_held(&b, 5, "2001:db8:3::/48"), kept ? "fe80::1" : self);
        bench_end(&b);
    }
}

static uint32_t unknown_of(const struct attr_values *v, uint8_t code) {
    for (uint32_t i = 0; v && i < v->unknown_count; i++) {
        if (v->unknown[i].code == code) {
            return v->unknown[i].flags;
        }
    }
    return 0;
}

/* Optional attributes nobody here knows: transitive ones go on with Partial, others end here. */
static void test_C067_C068_unknown_attributes(void **state) {
    static const uint8_t data[] = {1, 2, 3};
    static const struct attr_unknown unknown[] = {
        {ATTR_FLAG_OPTIONAL, 98, sizeof data, data},
        {ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE, 99, sizeof data, data},
    };
    (void)state;
    six_peers(BGP_PROFILE_FAST);
    start();
    struct attr_values v = external_route();
    v.unknown = unknown;
    v.unknown_count = 2;
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    for (uint32_t i = 1; i < 6; i++) {
        const struct attr_values *held = bench_held(&b, i, "192.0.2.0/24");
        assert_non_null(held);
        assert_int_equal(unknown_of(held, 98), 0);
        assert_int_equal(unknown_of(held, 99),
                         ATTR_FLAG_OPTIONAL | ATTR_FLAG_TRANSITIVE | ATTR_FLAG_PARTIAL);
        assert_memory_equal(held->unknown[0].data, data, sizeof data);
    }
    bench_end(&b);
}

static void test_C077_aggregate_attributes_kept(void **state) {
    (void)state;
    six_peers(BGP_PROFILE_FAST);
    start();
    struct attr_values v = external_route();
    v.atomic_aggregate = v.has_aggregator = true;
    v.aggregator_as = 4200000000u;
    v.aggregator_id = 0x01020304;
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    for (uint32_t i = 1; i < 6; i++) {
        const struct attr_values *held = bench_held(&b, i, "192.0.2.0/24");
        assert_true(held && held->atomic_aggregate && held->has_aggregator);
        assert_int_equal(held->aggregator_as, 4200000000u);
        assert_int_equal(held->aggregator_id, 0x01020304);
    }
    bench_end(&b);
}

static void test_C180_C181_rfc8212(void **state) {
    static const struct {
        enum bgp_profile profile;
        bool accept, open; /* said that everything passes */
    } cases[] = {{BGP_PROFILE_PLAIN, false, false},
                 {BGP_PROFILE_PLAIN, true, true},
                 {BGP_PROFILE_IOS, true, true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool open = cases[i].open;
        six_peers(cases[i].profile);
        for (int p = 0; p < 2; p++)
            b.peers[p].import[0].accept_by_default = b.peers[p].export[0].accept_by_default =
                cases[i].accept;
        start();
        struct attr_values v = external_route();
        (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
        struct attr_values w = internal_route();
        (void)bench_announce(&b, 4, &w, "192.0.3.0/24");
        bench_settle(&b);
        assert_int_equal(bench_held(&b, 2, "192.0.2.0/24") != NULL, open);
        assert_int_equal(bench_held(&b, 1, "192.0.3.0/24") != NULL, open);
        assert_non_null(bench_held(&b, 2, "192.0.3.0/24"));
        struct bgp_peer_info info;
        b.holds[0].p->state = b.holds[2].p->state = BGP_IDLE; /* there are no connections here */
        assert_true(bgp_peer_at(b.s, 0, &info));              /* and the status says why */
        assert_int_equal(info.import_policy_missing[0], !open);
        assert_int_equal(info.export_policy_missing[0], !open);
        assert_true(bgp_peer_at(b.s, 2, &info));
        assert_false(info.import_policy_missing[0] || info.export_policy_missing[0]);
        bench_end(&b);
    }
}

/* Calico: local_pref = 2147483647 - metric reaches the wire; BGP routes keep theirs. */
static void test_local_pref_from_metric(void **state) {
    static const struct policy_action sync = {.kind = POLICY_LOCAL_PREF_FROM_METRIC,
                                              .value = 2147483647};
    static const struct policy_term term = {
        .name = "priority", .actions = &sync, .action_count = 1, .verdict = POLICY_NEXT_POLICY};
    static const struct policy policy = {
        .name = "calico", .terms = &term, .term_count = 1, .otherwise = POLICY_NEXT_POLICY};
    static const uint16_t chain[] = {0};
    struct bgp_origin_config o = {
        .prefix = pfx("10.244.0.0/26"), .source = ROUTE_SOURCE_STATIC, .metric = 1024};
    (void)state;
    six_peers(BGP_PROFILE_FAST);
    b.config.policies = &policy;
    b.config.policy_count = 1;
    b.peers[2].export[0].policies = chain;
    b.peers[2].export[0].count = 1;
    start();
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
    struct attr_values v = internal_route();
    (void)bench_announce(&b, 4, &v, "192.0.2.0/24");
    bench_settle(&b);
    assert_int_equal(bench_held(&b, 2, "10.244.0.0/26")->local_pref, 2147482623);
    assert_int_equal(bench_held(&b, 2, "192.0.2.0/24")->local_pref, 150);
    struct text t;
    text_init(&t);
    struct bgp_peer_id id = {b.holds[2].p->index};
    assert_int_equal(bgp_explain(b.s, id, false, o.prefix, &t), BGP_OK);
    assert_non_null(strstr(text_str(&t), "calico: priority: next policy"));
    assert_non_null(strstr(text_str(&t), "\nsent\n"));
    text_deinit(&t);
    bench_end(&b);
}

static void test_default_originate(void **state) {
    (void)state;
    six_peers(BGP_PROFILE_IOS);
    b.peers[1].default_originate[0] = true;
    start();
    bench_settle(&b);
    expect_path(bench_held(&b, 1, "0.0.0.0/0"), "64512");
    expect_next_hop(bench_held(&b, 1, "0.0.0.0/0"), "10.0.0.100");
    assert_null(bench_held(&b, 2, "0.0.0.0/0"));
    bench_end(&b);
}

/* C080: a run of announcements goes at once and starts the interval; the next run waits for its
 * end. Withdrawals and the first table do not wait. */
static void test_C080_interval(void **state) {
    (void)state;
    six_peers(BGP_PROFILE_FAST);
    b.peers[1].advertisement_interval_ms[0] = 30000;
    start();
    struct attr_values v = external_route();
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    assert_non_null(bench_held(&b, 1, "192.0.2.0/24"));
    (void)bench_announce(&b, 0, &v, "192.0.3.0/24");
    bench_settle(&b);
    assert_non_null(bench_held(&b, 1, "192.0.3.0/24"));
    (void)bench_announce(&b, 0, &v, "192.0.4.0/24");
    bench_withdraw(&b, 0, "192.0.2.0/24");
    bench_settle(&b);
    assert_null(bench_held(&b, 1, "192.0.2.0/24"));
    assert_null(bench_held(&b, 1, "192.0.4.0/24"));
    assert_non_null(bench_held(&b, 2, "192.0.4.0/24"));
    b.now = nanotime_add_ms(b.now, 29999);
    bgp_advance(b.s, b.now);
    bench_settle(&b);
    assert_null(bench_held(&b, 1, "192.0.4.0/24"));
    b.now = nanotime_add_ms(b.now, 1);
    bgp_advance(b.s, b.now);
    bench_settle(&b);
    assert_non_null(bench_held(&b, 1, "192.0.4.0/24"));
    bench_end(&b);
}

/* An own route with attributes of its own: sent as they are, with the next hop it names. */
static void test_own_route_with_attributes(void **state) {
    static const char text[] =
        "40 02 0a 02 02 0000fde9 0000fdea 40 05 04 000000c8 c0 08 04 fde90001"
        " e0 63 02 0102";
    struct bgp_origin_config o = {.prefix = pfx("192.0.2.0/24"),
                                  .source = ROUTE_SOURCE_STATIC,
                                  .metric = UINT32_MAX,
                                  .next_hop = addr("198.51.100.7"),
                                  .attributes = text};
    (void)state;
    six_peers(BGP_PROFILE_PLAIN);
    b.peers[1].send_communities = true;
    start();
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
    bench_settle(&b);
    for (uint32_t peer = 1; peer < 6; peer++) {
        if (bench_held(&b, peer, "192.0.2.0/24")) {
            expect_next_hop(bench_held(&b, peer, "192.0.2.0/24"), "198.51.100.7");
        }
    }
    const struct attr_values *v = bench_held(&b, 2, "192.0.2.0/24");
    assert_non_null(v);
    assert_int_equal(v->local_pref, 200);
    assert_int_equal(v->communities[0], 0xfde90001);
    assert_int_equal(v->unknown[0].code, 99);
    expect_path(v, "65001 65002");
    o.attributes = "40 05 03 0000c8";
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_INVALID);
    o.attributes = "40 03 04 c6336407"; /* NEXT_HOP is a member of its own */
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_INVALID);
    o.attributes = "4005040000";
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_INVALID);
    o.attributes = "zz";
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_INVALID);
    bench_end(&b);
}

/* C080: the families of a peer have intervals of their own: what one waits for does not hold up the
 * other, and none is starved by the other's news. */
static void test_C080_interval_per_family(void **state) {
    static const char *const v4[] = {"192.0.2.0/24", "192.0.3.0/24", "192.0.4.0/24"};
    static const char *const v6[] = {"2001:db8:2::/48", "2001:db8:3::/48", "2001:db8:4::/48"};
    (void)state;
    six_peers(BGP_PROFILE_FAST);
    b.peers[0].families[1] = b.peers[1].families[1] = true;
    b.peers[1].advertisement_interval_ms[0] = 30000;
    b.peers[1].advertisement_interval_ms[1] = 10000;
    start();
    struct attr_values v = external_route(), w = external_route();
    w.next_hop = addr("2001:db8::1");
    for (uint32_t i = 0; i < 3; i++) { /* the first table; one that goes at once; one that waits */
        (void)bench_announce(&b, 0, &v, v4[i]);
        (void)bench_announce(&b, 0, &w, v6[i]);
        bench_settle(&b);
    }
    assert_null(bench_held(&b, 1, v4[2]));
    assert_null(bench_held(&b, 1, v6[2]));
    b.now = nanotime_add_ms(b.now, 10000);
    bgp_advance(b.s, b.now);
    bench_settle(&b);
    assert_null(bench_held(&b, 1, v4[2]));
    assert_non_null(bench_held(&b, 1, v6[2]));
    b.now = nanotime_add_ms(b.now, 20000);
    bgp_advance(b.s, b.now);
    bench_settle(&b);
    assert_non_null(bench_held(&b, 1, v4[2]));
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C069_C073_C075_C076_external_route),
        cmocka_unit_test(test_C069_C076_own_route),
        cmocka_unit_test(test_own_route_with_gateway),
        cmocka_unit_test(test_C073_own_route_as_bird_sends_it),
        cmocka_unit_test(test_C150_C158_reflection),
        cmocka_unit_test(test_C151_C152_C155_reflected_attributes),
        cmocka_unit_test(test_C164_well_known_communities),
        cmocka_unit_test(test_C165_C167_communities_stripped),
        cmocka_unit_test(test_C073_third_party_next_hop),
        cmocka_unit_test(test_C073_third_party_becomes_a_peer),
        cmocka_unit_test(multihop_peers_get_our_next_hop),
        cmocka_unit_test(test_C073_link_local_stays),
        cmocka_unit_test(test_C067_C068_unknown_attributes),
        cmocka_unit_test(test_C077_aggregate_attributes_kept),
        cmocka_unit_test(test_C180_C181_rfc8212),
        cmocka_unit_test(test_local_pref_from_metric),
        cmocka_unit_test(test_default_originate),
        cmocka_unit_test(test_own_route_with_attributes),
        cmocka_unit_test(test_C080_interval),
        cmocka_unit_test(test_C080_interval_per_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
