/*
 * Where mechanisms of sending meet: the default route that a session is given with
 * GRACEFUL_SHUTDOWN (RFC 8326) and roles (RFC 9234); third-party next hops (RFC 4271 5.1.3) with
 * neighbours that come, go and move; neighbours that are the next hop; groups by the content of
 * policies; explanations with all of it. Read from the bytes that peers pull.
 */
#include "tables_test.h"

#include "as_path.h"

static struct bench b;

#define PREFIX "192.0.2.0/24"
#define SELF "10.0.0.100"

static const uint32_t one_as[] = {AS_SEQUENCE << 16 | 1, 65001};

/* Peers 0 and 1 external (65001, 65002), 2, 3 and 4 internal. */
static void five_peers(enum bgp_profile profile) {
    bench_config(&b, profile, 5);
    b.peers[0].remote_as = 65001;
    b.peers[1].remote_as = 65002;
}

static void start(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < b.config.peer_count; i++)
        bench_up(&b, i);
}

static void configure(void) {
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    for (uint32_t i = 0; i < b.config.peer_count; i++)
        b.holds[i].p = speaker_peer(b.s, b.s->peer_order[i]);
}

static void expect_next_hop(uint32_t peer, const char *prefix, const char *want) {
    const struct attr_values *v = bench_held(&b, peer, prefix);
    char got[IP_ADDR_TEXT_MAX];
    if (!want && v)
        fail_msg("peer %u has %s by %s", peer, prefix, ip_format(v->next_hop, got));
    if (want && (!v || strcmp(ip_format(v->next_hop, got), want) != 0))
        fail_msg("peer %u has %s by %s, not %s", peer, prefix, v ? got : "nothing", want);
}

/* ---- the default route of default-originate ---- */

/* RFC 8326 4.1: all that a session is sent carries the community. */
static void test_C170_default_route(void **state) {
    (void)state;
    five_peers(BGP_PROFILE_IOS);
    b.peers[1].default_originate[0] = b.peers[2].default_originate[0] = true;
    b.peers[1].graceful_shutdown = b.peers[2].graceful_shutdown = true;
    start();
    bench_settle(&b);
    for (uint32_t i = 1; i < 3; i++) {
        const struct attr_values *v = bench_held(&b, i, "0.0.0.0/0");
        assert_non_null(v);
        assert_true(attr_has_community(v, COMMUNITY_GRACEFUL_SHUTDOWN));
    }
    bench_end(&b);
}

static bool has_otc(const struct attr_values *v) {
    bool has = false;
    for (uint32_t i = 0; i < v->unknown_count; i++)
        has = has || (v->unknown[i].code == ATTR_OTC && v->unknown[i].size == 4);
    return has;
}

/* RFC 9234 5: whatever goes to a customer, peer or client of a route server gets the attribute. */
static void test_C209_default_route(void **state) {
    static const struct {
        enum bgp_role role;
        bool marked;
    } rows[] = {{BGP_ROLE_PROVIDER, true},
                {BGP_ROLE_PEER, true},
                {BGP_ROLE_RS, true},
                {BGP_ROLE_NONE, false},
                {BGP_ROLE_CUSTOMER, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        five_peers(BGP_PROFILE_IOS);
        b.peers[1].default_originate[0] = true;
        b.peers[1].role = rows[i].role;
        start();
        bench_settle(&b);
        const struct attr_values *v = bench_held(&b, 1, "0.0.0.0/0");
        assert_non_null(v);
        assert_int_equal(has_otc(v), rows[i].marked);
        bench_end(&b);
    }
}

/* ---- explanations ---- */

static void expect_said(uint32_t peer, const char *prefix, const char *want) {
    struct text t;
    text_init(&t);
    const struct bgp_peer_id id = {b.holds[peer].p->index};
    assert_int_equal(bgp_explain(b.s, id, false, pfx(prefix), &t), BGP_OK);
    if (!strstr(text_str(&t), want))
        fail_msg("no \"%s\" in:\n%s", want, text_str(&t));
    text_deinit(&t);
}

static void test_explained_default_route(void **state) {
    (void)state;
    five_peers(BGP_PROFILE_IOS);
    b.peers[1].default_originate[0] = true;
    start();
    bench_settle(&b);
    expect_said(1, "0.0.0.0/0", "\nsent\n");
    bench_end(&b);
}

/* The best path's session has ended, and the table has not been looked through. */
static void test_explained_while_it_goes(void **state) {
    (void)state;
    five_peers(BGP_PROFILE_FAST);
    start();
    const struct attr_values v = {.next_hop = addr("10.0.0.1"), .as_path = {one_as, 2}};
    (void)bench_announce(&b, 0, &v, PREFIX);
    bench_settle(&b);
    expect_said(1, PREFIX, "\nsent\n");
    bench_down(&b, 0, false);
    expect_said(1, PREFIX, "there is no best path");
    bench_work(&b);
    bench_end(&b);
}

/* RFC 7911: besides the best path, which it may have sent itself, a peer gets others. */
static void test_explained_with_several_paths(void **state) {
    struct attr_values v = {.next_hop = addr("10.0.0.1"), .as_path = {one_as, 2}};
    (void)state;
    five_peers(BGP_PROFILE_FAST);
    b.peers[0].add_path_send[0] = BGP_ADD_PATH_ALL;
    bench_start(&b);
    b.holds[0].p->add_path[0] = BGP_ADD_PATH_SEND;
    for (uint32_t i = 0; i < b.config.peer_count; i++)
        bench_up(&b, i);
    (void)bench_announce(&b, 0, &v, PREFIX);
    bench_settle(&b);
    expect_said(0, PREFIX, "path identifiers, 0 paths of it are sent");
    v.has_local_pref = true;
    v.local_pref = 50;
    (void)bench_announce(&b, 2, &v, PREFIX);
    (void)bench_announce(&b, 3, &v, PREFIX);
    bench_settle(&b);
    expect_said(0, PREFIX, "the best path was learned from this peer");
    expect_said(0, PREFIX, "path identifiers, 2 paths of it are sent");
    bench_end(&b);
}

/* ---- next hops that are neighbours ---- */

static const struct ip_prefix subnet = {{IP_V4, {10, 0, 0, 0}}, 24};

static void third_party(const char *next_hop) {
    five_peers(BGP_PROFILE_IOS);
    start();
    assert_int_equal(bgp_connected_set(b.s, &subnet, 1, b.now), BGP_OK);
    const struct attr_values v = {.next_hop = addr(next_hop), .as_path = {one_as, 2}};
    (void)bench_announce(&b, 0, &v, PREFIX);
    bench_settle(&b);
}

/* RFC 4271 5.1.3: a neighbour that moves to the address is not told to send to itself. */
static void test_C073_neighbor_moves(void **state) {
    (void)state;
    third_party("10.0.0.9");
    expect_next_hop(1, PREFIX, "10.0.0.9");
    bench_down(&b, 1, false);
    b.peers[1].remote_addr = addr("10.0.0.9");
    configure();
    bench_up(&b, 1);
    bench_settle(&b);
    expect_next_hop(1, PREFIX, SELF);
    bench_end(&b);
}

/* … and when no neighbour has it any more, it is a third party again. */
static void test_C073_neighbor_goes(void **state) {
    (void)state;
    third_party("10.0.0.5");
    expect_next_hop(1, PREFIX, SELF);
    b.config.peer_count = 4;
    bench_down(&b, 4, false);
    configure();
    bench_settle(&b);
    expect_next_hop(1, PREFIX, "10.0.0.5");
    bench_end(&b);
}

/* RFC 4271 5.1.3: "MUST NOT advertise an address of a peer to that peer as a NEXT_HOP, for a route
 * that the speaker is originating": neither the gateway, nor what is to be sent to everyone, nor
 * what policy makes of it. Ours in its place would send the gateway's own traffic in a circle. */
static void test_C073_own_route_by_the_receiver(void **state) {
    struct bgp_origin_config o = {
        .prefix = pfx(PREFIX), .source = ROUTE_SOURCE_STATIC, .metric = UINT32_MAX};
    (void)state;
    for (int how = 0; how < 2; how++) {
        five_peers(BGP_PROFILE_FAST);
        start();
        o.gateway = o.next_hop = (struct ip_addr){0};
        *(how ? &o.next_hop : &o.gateway) = addr("10.0.0.3");
        assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
        bench_settle(&b);
        expect_next_hop(2, PREFIX, NULL);
        expect_next_hop(3, PREFIX, "10.0.0.3");
        expect_next_hop(0, PREFIX, how ? "10.0.0.3" : SELF);
        expect_said(2, PREFIX, "RFC 4271 5.1.3");
        assert_int_equal(adjout_count(b.s, b.holds[2].p, BGP_IPV4_UNICAST), 0);
        *(how ? &o.next_hop : &o.gateway) = addr("10.0.0.4"); /* the next one */
        assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
        bench_settle(&b);
        expect_next_hop(2, PREFIX, "10.0.0.4");
        expect_next_hop(3, PREFIX, NULL);
        bench_down(&b, 3, false); /* somebody else has the address from now on */
        bench_down(&b, 4, false);
        b.peers[3].remote_addr = addr("10.0.0.5");
        b.peers[4].remote_addr = addr("10.0.0.4");
        configure();
        bench_up(&b, 3);
        bench_up(&b, 4);
        bench_settle(&b);
        expect_next_hop(3, PREFIX, "10.0.0.4");
        expect_next_hop(4, PREFIX, NULL);
        assert_int_equal(bgp_withdraw(b.s, o.prefix, o.source, b.now), BGP_OK);
        bench_settle(&b);
        expect_next_hop(2, PREFIX, NULL);
        bench_end(&b);
    }
}

/* A speaker beside ours on one host has our address, and another port: ours as next hop, which it
 * makes nothing of, is not withheld, and counts whenever it came up. */
static void test_neighbor_with_our_address(void **state) {
    const struct bgp_origin_config o = {
        .prefix = pfx(PREFIX), .source = ROUTE_SOURCE_STATIC, .metric = UINT32_MAX};
    (void)state;
    five_peers(BGP_PROFILE_PLAIN);
    b.peers[3].remote_addr = b.config.router_id;
    b.peers[3].remote_port = 1790;
    for (uint32_t i = 0; i < 5; i++)
        b.peers[i].export[0].accept_by_default = true;
    bench_start(&b);
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
    bench_up(&b, 2);
    bench_settle(&b);
    bench_up(&b, 3);
    bench_settle(&b);
    expect_next_hop(2, PREFIX, SELF);
    expect_next_hop(3, PREFIX, SELF);
    assert_int_equal(adjout_count(b.s, b.holds[3].p, BGP_IPV4_UNICAST), 1);
    assert_int_equal(bgp_withdraw(b.s, o.prefix, o.source, b.now), BGP_OK);
    bench_settle(&b);
    expect_next_hop(3, PREFIX, NULL);
    assert_int_equal(adjout_count(b.s, b.holds[3].p, BGP_IPV4_UNICAST), 0);
    bench_end(&b);
}

/* … nor what policy makes of it. Of others' routes it may, but BIRD withholds those, too. */
static void test_C073_policy_names_the_receiver(void **state) {
    static const struct policy_action action = {.kind = POLICY_SET_NEXT_HOP,
                                                .address = {IP_V4, {10, 0, 0, 3}}};
    static const struct policy_term term = {
        .name = "t", .actions = &action, .action_count = 1, .verdict = POLICY_ACCEPT};
    static const struct policy policy = {"p", &term, 1, POLICY_REJECT};
    static const uint16_t first[] = {0};
    const struct bgp_origin_config o = {
        .prefix = pfx("192.0.3.0/24"), .source = ROUTE_SOURCE_STATIC, .metric = UINT32_MAX};
    const struct attr_values v = {.next_hop = addr("10.0.0.1"), .as_path = {one_as, 2}};
    (void)state;
    for (int bird = 0; bird < 2; bird++) {
        five_peers(bird ? BGP_PROFILE_FAST : BGP_PROFILE_IOS);
        b.config.policies = &policy;
        b.config.policy_count = 1;
        for (uint32_t i = 2; i < 4; i++)
            b.peers[i].export[0] = (struct policy_chain){first, 1, false};
        start();
        assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
        (void)bench_announce(&b, 0, &v, PREFIX);
        bench_settle(&b);
        expect_next_hop(2, "192.0.3.0/24", NULL);
        expect_next_hop(3, "192.0.3.0/24", "10.0.0.3");
        expect_next_hop(2, PREFIX, bird ? NULL : "10.0.0.3");
        expect_next_hop(3, PREFIX, "10.0.0.3");
        bench_end(&b);
    }
}

static void expect_sent(uint32_t peer, uint32_t total, uint32_t implicit, uint32_t explicit) {
    struct bgp_session_tally tally;
    assert_true(bgp_session_tally_get(b.s, (struct bgp_peer_id){b.holds[peer].p->index},
                                      BGP_IPV4_UNICAST, &tally));
    assert_int_equal(tally.sent.total, total);
    assert_int_equal(tally.sent.implicit_withdraws, implicit);
    assert_int_equal(tally.sent.explicit_withdraws, explicit);
}

/* A learned route that says the same as an own one goes to the gateway, the own one does not. */
static void test_C073_own_route_like_a_learned_one(void **state) {
    const struct bgp_origin_config o = {.prefix = pfx(PREFIX),
                                        .source = ROUTE_SOURCE_STATIC,
                                        .metric = UINT32_MAX,
                                        .gateway = addr("10.0.0.4")};
    const struct attr_values v = {.next_hop = addr("10.0.0.4")};
    (void)state;
    five_peers(BGP_PROFILE_IOS);
    b.peers[0].enforce_first_as = false;
    for (uint32_t i = 0; i < 5; i++)
        b.peers[i].advertisement_interval_ms[0] = 0;
    start();
    (void)bench_announce(&b, 0, &v, PREFIX);
    bench_settle(&b);
    expect_next_hop(3, PREFIX, "10.0.0.4");
    expect_next_hop(4, PREFIX, "10.0.0.4");
    expect_sent(3, 1, 0, 0);
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
    bench_settle(&b);
    expect_next_hop(3, PREFIX, NULL);
    expect_next_hop(4, PREFIX, "10.0.0.4");
    expect_sent(3, 1, 0, 1);
    assert_int_equal(bgp_withdraw(b.s, o.prefix, o.source, b.now), BGP_OK);
    bench_settle(&b);
    expect_next_hop(3, PREFIX, "10.0.0.4");
    expect_sent(3, 2, 0, 1);
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
    bench_settle(&b);
    bench_withdraw(&b, 0, PREFIX);
    assert_int_equal(bgp_withdraw(b.s, o.prefix, o.source, b.now), BGP_OK);
    bench_settle(&b);
    expect_next_hop(4, PREFIX, NULL);
    expect_sent(3, 2, 0, 2);
    assert_int_equal(b.holds[3].spurious + b.holds[3].repeated, 0);
    bench_end(&b);
}

/* ---- BIRD: a neighbour that is the next hop is not told ---- */

/* Five clients of a reflector as BIRD is one, in one update group. */
static void five_clients(void) {
    bench_config(&b, BGP_PROFILE_CALICO, 5);
    for (uint32_t i = 0; i < 5; i++)
        b.peers[i].rr_client = true;
}

/* From peer `i`: by `next_hop`, NULL: no more. */
static void says(uint32_t i, const char *next_hop, uint32_t local_pref) {
    const struct attr_values v = {.next_hop = next_hop ? addr(next_hop) : (struct ip_addr){0},
                                  .has_local_pref = true,
                                  .local_pref = local_pref};
    const struct ip_prefix p = pfx(PREFIX);
    (void)bench_send(&b, i, next_hop ? &v : NULL, &p, 1);
    bench_settle(&b);
}

/* What the five have of it, and nothing was said to anybody that was not news to it. */
static void expect_all(const char *const next_hops[5]) {
    for (uint32_t i = 0; i < 5; i++) {
        expect_next_hop(i, PREFIX, next_hops[i]);
        assert_int_equal(adjout_count(b.s, b.holds[i].p, BGP_IPV4_UNICAST), next_hops[i] != NULL);
        assert_int_equal(b.holds[i].spurious + b.holds[i].repeated, 0);
    }
    assert_int_equal(adjout_group_count(b.s), 1);
}

#define EXPECT(...) expect_all((const char *const[5]){__VA_ARGS__})
#define A "10.0.0.1"
#define D "10.0.0.4"
#define OTHER "10.0.0.9"

/* What BIRD 2.0.12 told five such clients. BIRD 1.6.8 leaves with A what it said of OTHER or D. */
static void test_next_hop_is_not_told(void **state) {
    (void)state;
    five_clients();
    start();
    says(1, A, 100);
    EXPECT(NULL, NULL, A, A, A);
    expect_said(0, PREFIX, "the next hop is the neighbor's own address");
    expect_said(2, PREFIX, "sent");
    says(1, D, 100);
    EXPECT(D, NULL, D, NULL, D);
    says(1, A, 100);
    EXPECT(NULL, NULL, A, A, A);
    says(2, OTHER, 200);
    EXPECT(OTHER, OTHER, NULL, OTHER, OTHER);
    says(2, NULL, 0);
    EXPECT(NULL, NULL, A, A, A);
    says(0, A, 200); /* the same from the next hop itself */
    EXPECT(NULL, A, A, A, A);
    says(0, NULL, 0);
    EXPECT(NULL, NULL, A, A, A);
    says(1, NULL, 0);
    EXPECT(NULL, NULL, NULL, NULL, NULL);
    bench_end(&b);
}

/* It comes up, is asked for its table again, and goes. */
static void test_next_hop_comes_late(void **state) {
    (void)state;
    five_clients();
    bench_start(&b);
    for (uint32_t i = 1; i < 5; i++)
        bench_up(&b, i);
    says(1, A, 100);
    bench_up(&b, 0);
    bench_settle(&b);
    EXPECT(NULL, NULL, A, A, A);
    adjout_refresh(b.s, b.holds[0].p, BGP_IPV4_UNICAST);
    bench_settle(&b);
    EXPECT(NULL, NULL, A, A, A);
    bench_down(&b, 0, false);
    says(1, D, 100);
    bench_up(&b, 0);
    bench_settle(&b);
    EXPECT(D, NULL, D, NULL, D);
    bench_end(&b);
}

/* Withdrawn together, told to different peers. */
static void test_next_hops_withdrawn_together(void **state) {
    const struct ip_prefix prefixes[] = {pfx(PREFIX), pfx("192.0.3.0/24"), pfx("192.0.4.0/24")};
    const char *const hops[] = {A, D, OTHER};
    (void)state;
    five_clients();
    start();
    for (size_t n = 0; n < 3; n++) {
        const struct attr_values v = {
            .next_hop = addr(hops[n]), .has_local_pref = true, .local_pref = 100};
        (void)bench_send(&b, 1, &v, &prefixes[n], 1);
    }
    bench_settle(&b);
    assert_int_equal(b.holds[0].route_count, 2);
    assert_int_equal(b.holds[3].route_count, 2);
    assert_int_equal(b.holds[4].route_count, 3);
    (void)bench_send(&b, 1, NULL, prefixes, 3);
    bench_settle(&b);
    EXPECT(NULL, NULL, NULL, NULL, NULL);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(b.holds[i].route_count, 0);
    bench_end(&b);
}

/* Two neighbours at one address, by port: neither is told, but the other one's own. */
static void test_next_hop_of_two(void **state) {
    (void)state;
    five_clients();
    b.peers[4].remote_addr = addr(A);
    b.peers[4].remote_port = 1790;
    start();
    says(1, A, 100);
    EXPECT(NULL, NULL, A, A, NULL);
    says(1, D, 100);
    EXPECT(D, NULL, D, NULL, D);
    says(1, A, 100);
    EXPECT(NULL, NULL, A, A, NULL);
    says(1, NULL, 0);
    says(4, A, 100);
    EXPECT(NULL, A, A, A, NULL);
    says(4, D, 100);
    EXPECT(D, D, D, NULL, NULL);
    bench_end(&b);
}

/* RFC 7911: what it loses goes by its path identifier, though others stand before it. */
static void test_next_hop_of_several_paths(void **state) {
    const struct attr_values by_a = {.next_hop = addr(A), .has_local_pref = true, .local_pref = 90};
    const struct attr_values by_other = {
        .next_hop = addr(OTHER), .has_local_pref = true, .local_pref = 90};
    struct ip_prefix prefixes[8];
    (void)state;
    five_clients();
    for (uint32_t i = 0; i < 5; i++)
        b.peers[i].add_path_send[0] = 4;
    bench_start(&b);
    for (uint32_t i = 0; i < 5; i++) {
        b.holds[i].p->add_path[0] = BGP_ADD_PATH_SEND;
        bench_up(&b, i);
    }
    for (uint32_t n = 0; n < 8; n++)
        prefixes[n] = ip_prefix_make(ip4(0xc0000200 + (n << 8)), 24);
    (void)bench_send(&b, 2, &by_other, prefixes, 8);
    (void)bench_send(&b, 1, &by_other, prefixes + 4, 4); /* those are announced with the rest … */
    bench_settle(&b);
    (void)bench_send(&b, 1, &by_a, prefixes, 8); /* … but only four were there before */
    bench_settle(&b);
    assert_int_equal(b.holds[0].route_count, 8);
    assert_int_equal(b.holds[3].route_count, 16);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(b.holds[i].spurious + b.holds[i].repeated, 0);
        assert_int_equal(adjout_count(b.s, b.holds[i].p, BGP_IPV4_UNICAST), b.holds[i].route_count);
    }
    bench_end(&b);
}

/* ---- groups by content ---- */

static const uint32_t one = 1, two = 2, three = 3, four = 4, five = 5;

#define HAS(c)                                                                                     \
    { .kind = POLICY_MATCH_COMMUNITY, .asns = &(c), .asn_count = 1 }

/* (1 or 2) and (3 or 4) and 5, and: 1 and 2 and (3 or 4 or 5). */
static void test_policies_differ_by_what_belongs_together(void **state) {
    static const struct policy_match all[] = {HAS(one), HAS(two), HAS(three), HAS(four), HAS(five)};
    static const struct policy_match first[] = {
        {.kind = POLICY_MATCH_ANY_OF, .alternatives = all, .alternative_count = 2},
        {.kind = POLICY_MATCH_ANY_OF, .alternatives = all + 2, .alternative_count = 2},
        HAS(five),
    };
    static const struct policy_match second[] = {
        {.kind = POLICY_MATCH_ANY_OF, .alternatives = all, .alternative_count = 1},
        HAS(two),
        {.kind = POLICY_MATCH_ANY_OF, .alternatives = all + 2, .alternative_count = 3},
    };
    static const struct policy_term terms[] = {
        {.name = "a", .matches = first, .match_count = 3, .verdict = POLICY_ACCEPT},
        {.name = "b", .matches = second, .match_count = 3, .verdict = POLICY_ACCEPT},
    };
    static const struct policy policies[] = {{"first", terms, 1, POLICY_REJECT},
                                             {"second", terms + 1, 1, POLICY_REJECT}};
    static const uint16_t indices[] = {0, 1};
    static const uint32_t carried[] = {1, 3, 5};
    (void)state;
    five_peers(BGP_PROFILE_FAST);
    b.config.policies = policies;
    b.config.policy_count = 2;
    b.peers[2].export[0] = (struct policy_chain){&indices[0], 1, false};
    b.peers[3].export[0] = (struct policy_chain){&indices[1], 1, false};
    start();
    const struct attr_values v = {.next_hop = addr("10.0.0.1"),
                                  .as_path = {one_as, 2},
                                  .communities = carried,
                                  .community_count = 3};
    (void)bench_announce(&b, 0, &v, PREFIX);
    bench_settle(&b);
    assert_non_null(bench_held(&b, 2, PREFIX));
    assert_null(bench_held(&b, 3, PREFIX));
    bench_end(&b);
}

/* The neighbour's own AS stays in what it is sent, whichever of the three words is said. */
static void test_remove_private_as_words(void **state) {
    static const uint32_t path[] = {AS_SEQUENCE << 16 | 3, 65001, 65002, 100};
    (void)state;
    for (int word = 0; word < 2; word++) {
        five_peers(BGP_PROFILE_PLAIN);
        b.peers[1].remove_private_as_all = word == 0;
        b.peers[1].remove_private_as_replace = word == 1;
        start();
        const struct attr_values v = {.next_hop = addr("10.0.0.1"), .as_path = {path, 4}};
        (void)bench_announce(&b, 0, &v, PREFIX);
        bench_settle(&b);
        const struct attr_values *sent = bench_held(&b, 1, PREFIX);
        assert_non_null(sent);
        assert_int_equal(as_path_count(sent->as_path, 65001), 0);
        assert_int_equal(as_path_count(sent->as_path, 65002), 1);
        bench_end(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C170_default_route),
        cmocka_unit_test(test_C209_default_route),
        cmocka_unit_test(test_explained_default_route),
        cmocka_unit_test(test_explained_while_it_goes),
        cmocka_unit_test(test_explained_with_several_paths),
        cmocka_unit_test(test_C073_neighbor_moves),
        cmocka_unit_test(test_C073_neighbor_goes),
        cmocka_unit_test(test_C073_own_route_by_the_receiver),
        cmocka_unit_test(test_neighbor_with_our_address),
        cmocka_unit_test(test_C073_policy_names_the_receiver),
        cmocka_unit_test(test_C073_own_route_like_a_learned_one),
        cmocka_unit_test(test_next_hop_is_not_told),
        cmocka_unit_test(test_next_hop_comes_late),
        cmocka_unit_test(test_next_hops_withdrawn_together),
        cmocka_unit_test(test_next_hop_of_two),
        cmocka_unit_test(test_next_hop_of_several_paths),
        cmocka_unit_test(test_policies_differ_by_what_belongs_together),
        cmocka_unit_test(test_remove_private_as_words),
    };
    return cmocka_run_group_tests_name("export_interplay", tests, NULL, NULL);
}
