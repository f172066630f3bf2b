/*
 * What is not used of what peers send, and what goes on as it came: loops, first AS, next hops,
 * communities nobody knows (RFC 4271 9.1.2, 6.3; RFC 4456 8; RFC 1997). Peer 0 is external, 1 and 2
 * are internal, 2 is a client. In each test a route that differs in that one point is used.
 */
#include "tables_test.h"

#include "decide.h"

static struct bench b;
static const uint32_t from_peer[] = {AS_SEQUENCE << 16 | 1, 65001};

static void three_peers(enum bgp_profile profile, uint32_t cluster_id) {
    bench_config(&b, profile, 3);
    b.config.cluster_id = cluster_id;
    b.peers[0].remote_as = 65001;
    b.peers[2].rr_client = true;
}

static void start(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < b.config.peer_count; i++) {
        bench_up(&b, i);
    }
}

static struct attr_values internal_route(void) {
    return (struct attr_values){
        .next_hop = addr("10.9.9.9"), .has_local_pref = true, .local_pref = 100};
}

static struct attr_values external_route(const uint32_t *path) {
    return (struct attr_values){.next_hop = addr("10.0.0.1"), .as_path = {path, 2}};
}

/* Announces, and tells whether peer `to` is sent it. */
static bool reaches(uint32_t from, const struct attr_values *v, uint32_t to) {
    (void)bench_announce(&b, from, v, "192.0.2.0/24");
    bench_settle(&b);
    bool held = bench_held(&b, to, "192.0.2.0/24");
    bench_withdraw(&b, from, "192.0.2.0/24");
    bench_settle(&b);
    assert_null(bench_held(&b, to, "192.0.2.0/24"));
    return held;
}

/* The FIB hears of what it uses and of nothing else. */
static void test_fib_hears_of_changes(void **state) {
    static const uint32_t community[] = {64512u << 16 | 7};
    struct attr_values v = external_route(from_peer);
    (void)state;
    three_peers(BGP_PROFILE_PLAIN, 0);
    start();
    for (int step = 0; step < 5; step++) {
        uint32_t before = b.fib_events;
        bool told = step != 1; /* another community is nothing to it */
        if (step == 1) {
            v.communities = community;
            v.community_count = 1;
        } else if (step == 2) {
            v.has_med = true;
            v.med = 7;
        } else if (step == 3) {
            v.next_hop = addr("10.0.0.77");
        }
        if (step < 4)
            (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
        else
            bench_withdraw(&b, 0, "192.0.2.0/24");
        bench_settle(&b);
        assert_int_equal(b.fib_events - before, told);
        assert_int_equal(b.fib.withdrawn, step == 4);
    }
    bench_end(&b);
}

/* RFC 4271 9.1.2: our AS in AS_PATH, so often, where so often is allowed; a set counts one. */
static void test_C071_own_as(void **state) {
    static const struct {
        uint32_t words[7], count, own;
    } paths[] = {{{AS_SEQUENCE << 16 | 2, 65001, 64511}, 3, 0},
                 {{AS_SEQUENCE << 16 | 2, 65001, 64512}, 3, 1},
                 {{AS_SEQUENCE << 16 | 1, 65001, AS_SET << 16 | 2, 64512, 65003}, 5, 1},
                 {{AS_SEQUENCE << 16 | 4, 65001, 64512, 65003, 64512}, 5, 2},
                 {{AS_SEQUENCE << 16 | 4, 65001, 64512, 64512, 64512}, 5, 3}};
    (void)state;
    for (uint8_t allowed = 0; allowed <= 3; allowed++) {
        three_peers(BGP_PROFILE_PLAIN, 0);
        for (uint32_t p = 0; p < 3; p++)
            b.peers[p].allow_local_as = allowed;
        start();
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
            struct attr_values v = external_route(paths[i].words);
            v.as_path.word_count = paths[i].count;
            assert_int_equal(reaches(0, &v, 1), paths[i].own <= allowed);
            v.has_local_pref = true; /* … and from inside */
            assert_int_equal(reaches(1, &v, 2), paths[i].own <= allowed);
        }
        assert_int_equal(b.holds[0].p->state, BGP_ESTABLISHED);
        bench_end(&b);
    }
}

static void test_C072_first_as(void **state) {
    static const uint32_t from_other[] = {AS_SEQUENCE << 16 | 1, 65009};
    (void)state;
    for (int enforced = 0; enforced < 2; enforced++) {
        three_peers(BGP_PROFILE_IOS, 0);
        b.peers[0].enforce_first_as = enforced;
        start();
        struct attr_values v = external_route(from_peer);
        assert_true(reaches(0, &v, 1));
        v = external_route(from_other);
        assert_int_equal(reaches(0, &v, 1), !enforced);
        /* It replaces what was there: treated as withdrawn. */
        v = external_route(from_peer);
        (void)bench_announce(&b, 0, &v, "192.0.3.0/24");
        v = external_route(from_other);
        (void)bench_announce(&b, 0, &v, "192.0.3.0/24");
        bench_settle(&b);
        assert_int_equal(bench_held(&b, 1, "192.0.3.0/24") != NULL, !enforced);
        assert_int_equal(b.holds[0].p->state, BGP_ESTABLISHED);
        bench_end(&b);
    }
}

static void test_C074_own_address_as_next_hop(void **state) {
    (void)state;
    three_peers(BGP_PROFILE_FAST, 0);
    start();
    struct attr_values v = internal_route();
    assert_true(reaches(1, &v, 2));
    v.next_hop = b.config.router_id; /* also the local address of every session */
    assert_false(reaches(1, &v, 2));
    assert_int_equal(b.holds[1].p->state, BGP_ESTABLISHED);
    bench_end(&b);
}

static void test_C093_unreachable_next_hop(void **state) {
    (void)state;
    three_peers(BGP_PROFILE_FAST, 0);
    start();
    struct attr_values v = internal_route();
    (void)bench_announce(&b, 1, &v, "192.0.2.0/24");
    bench_settle(&b);
    for (int n = 0; n < 3; n++) {
        struct bgp_rib_iterator it;
        struct bgp_path_info path;
        assert_non_null(bench_held(&b, 2, "192.0.2.0/24"));
        bgp_nexthop_set(b.s, v.next_hop, false, 0, b.now);
        bench_settle(&b);
        assert_null(bench_held(&b, 2, "192.0.2.0/24"));
        assert_true(bgp_rib_find(b.s, pfx("192.0.2.0/24"), &it)); /* kept, not eligible */
        assert_true(bgp_rib_next_path(b.s, &it, &path));
        assert_false(path.valid || path.best);
        bgp_rib_end(&it);
        bgp_nexthop_set(b.s, v.next_hop, true, 10, b.now);
        bench_settle(&b);
    }
    bench_end(&b);
}

static void test_C153_own_originator_id(void **state) {
    (void)state;
    three_peers(BGP_PROFILE_FAST, 0);
    start();
    struct attr_values v = internal_route();
    v.has_originator_id = true;
    v.originator_id = ip4_to_u32(addr("10.0.0.7"));
    assert_true(reaches(1, &v, 2));
    v.originator_id = ip4_to_u32(b.config.router_id);
    assert_false(reaches(1, &v, 2));
    bench_end(&b);
}

static void test_C154_own_cluster_id(void **state) {
    const uint32_t router_id = ip4_to_u32(addr("10.0.0.100"));
    const uint32_t own[] = {0, 7}; /* 0: the router id */
    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        const uint32_t others[] = {1, 2, 3};
        const uint32_t looped[] = {1, own[i] ? own[i] : router_id, 3};
        three_peers(BGP_PROFILE_PLAIN, own[i]);
        start();
        struct attr_values v = internal_route();
        v.cluster_count = 3;
        v.cluster_list = others;
        assert_true(reaches(1, &v, 2));
        v.cluster_list = looped;
        assert_false(reaches(1, &v, 2));
        bench_end(&b);
    }
}

static void test_C159_cluster_id_sent(void **state) {
    const uint32_t router_id = ip4_to_u32(addr("10.0.0.100"));
    const uint32_t configured[] = {0, 1, 0xC0000201};
    (void)state;
    for (size_t i = 0; i < sizeof configured / sizeof configured[0]; i++) {
        three_peers(BGP_PROFILE_FAST, configured[i]);
        start();
        struct attr_values v = internal_route();
        (void)bench_announce(&b, 1, &v, "192.0.2.0/24");
        bench_settle(&b);
        const struct attr_values *held = bench_held(&b, 2, "192.0.2.0/24");
        assert_non_null(held);
        assert_int_equal(held->cluster_count, 1);
        assert_int_equal(held->cluster_list[0], configured[i] ? configured[i] : router_id);
        bench_end(&b);
    }
}

/* BIRD: the cluster id belongs to sessions with clients; those alone are looked at. */
static void test_own_cluster_id_of_bird(void **state) {
    static const enum bgp_profile profiles[] = {BGP_PROFILE_CALICO, BGP_PROFILE_FAST};
    static const uint32_t clusters[] = {11, 12};
    (void)state;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        three_peers(profiles[i], 12);
        start();
        struct attr_values v = internal_route();
        v.cluster_list = clusters;
        v.cluster_count = 2;
        assert_true(reaches(1, &v, 2)); /* from a non-client to the client */
        assert_false(reaches(2, &v, 1));
        bench_end(&b);
    }
}

/* Two copies of one route, from the reflectors 1 and 2: whoever comes first. */
static void test_C157_shorter_cluster_list(void **state) {
    static const uint32_t clusters[] = {11, 12, 13};
    (void)state;
    for (uint32_t shorter = 1; shorter <= 2; shorter++) {
        for (uint32_t first = 1; first <= 2; first++) {
            three_peers(BGP_PROFILE_FAST, 0);
            b.peers[2].rr_client = false;
            start();
            struct attr_values v = internal_route();
            v.has_originator_id = true;
            v.originator_id = 42;
            v.cluster_list = clusters;
            for (uint32_t n = 0; n < 2; n++) {
                uint32_t peer = n == 0 ? first : 3 - first;
                v.cluster_count = peer == shorter ? 1 : 3;
                (void)bench_announce(&b, peer, &v, "192.0.2.0/24");
                bench_settle(&b);
            }
            struct bgp_rib_iterator it;
            struct bgp_path_info path;
            assert_true(bgp_rib_find(b.s, pfx("192.0.2.0/24"), &it));
            assert_true(bgp_rib_next_path(b.s, &it, &path) && path.best);
            assert_int_equal(path.peer.index, b.s->peer_order[shorter]);
            assert_true(bgp_rib_next_path(b.s, &it, &path) && !path.best);
            assert_int_equal(path.decision_step, DECIDE_CLUSTER_LIST);
            bgp_rib_end(&it);
            bench_end(&b);
        }
    }
}

static void test_C172_unknown_reserved_communities(void **state) {
    static const uint32_t list[] = {0xFFFF0100, 0xFFFF1234, 0xFFFFFFFF};
    (void)state;
    three_peers(BGP_PROFILE_FAST, 0);
    start();
    struct attr_values v = internal_route();
    v.communities = list;
    v.community_count = 3;
    (void)bench_announce(&b, 1, &v, "192.0.2.0/24");
    bench_settle(&b);
    for (uint32_t to = 0; to < 3; to += 2) { /* external, client */
        const struct attr_values *held = bench_held(&b, to, "192.0.2.0/24");
        assert_non_null(held);
        assert_int_equal(held->community_count, 3);
        assert_memory_equal(held->communities, list, sizeof list);
    }
    bench_end(&b);
}

/* RFC 4271 6.3: a prefix nobody can be reached at is passed over, the rest of the UPDATE is not. */
static void test_prefixes_that_are_no_destination(void **state) {
    static const char *const held[] = {"0.0.0.0/0",  "0.0.0.0/1",  "128.0.0.0/1",
                                       "10.0.0.0/8", "1.0.0.0/32", "223.255.255.255/32"};
    static const char *const refused[] = {"0.0.0.0/8",    "0.1.0.0/16",  "127.0.0.0/8",
                                          "127.0.0.1/32", "224.0.0.0/4", "239.1.1.1/32",
                                          "240.0.0.0/4"};
    static const char *const refused6[] = {"ff00::/8", "fe80::/10", "::1/128", "::/128"};
    static const char *const held6[] = {"::/0", "2000::/3", "fe00::/7", "2001:db8::1/128"};
    (void)state;
    three_peers(BGP_PROFILE_PLAIN, 0);
    b.peers[1].families[BGP_IPV6_UNICAST] = true;
    start();
    const struct attr_values v = internal_route();
    struct attr_values w = internal_route();
    w.next_hop = addr("2001:db8::9");
    const struct peer *p = b.holds[1].p;
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        (void)bench_announce(&b, 1, &v, held[i]);
        assert_int_equal(rib_received_count(b.s, p, 0), i + 1);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        (void)bench_announce(&b, 1, &v, refused[i]);
        assert_int_equal(rib_received_count(b.s, p, 0), sizeof held / sizeof held[0]);
    }
    for (size_t i = 0; i < sizeof held6 / sizeof held6[0]; i++) {
        (void)bench_announce(&b, 1, &w, held6[i]);
        assert_int_equal(rib_received_count(b.s, p, 1), i + 1);
    }
    for (size_t i = 0; i < sizeof refused6 / sizeof refused6[0]; i++) {
        (void)bench_announce(&b, 1, &w, refused6[i]);
        assert_int_equal(rib_received_count(b.s, p, 1), sizeof held6 / sizeof held6[0]);
    }
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fib_hears_of_changes),
        cmocka_unit_test(test_C071_own_as),
        cmocka_unit_test(test_C072_first_as),
        cmocka_unit_test(test_C074_own_address_as_next_hop),
        cmocka_unit_test(test_C093_unreachable_next_hop),
        cmocka_unit_test(test_C153_own_originator_id),
        cmocka_unit_test(test_C154_own_cluster_id),
        cmocka_unit_test(test_C157_shorter_cluster_list),
        cmocka_unit_test(test_C159_cluster_id_sent),
        cmocka_unit_test(test_own_cluster_id_of_bird),
        cmocka_unit_test(test_prefixes_that_are_no_destination),
        cmocka_unit_test(test_C172_unknown_reserved_communities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
