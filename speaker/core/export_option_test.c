/*
 * Options of sessions in what is sent: next hops by mode, source and receiver (C073, C155), by
 * policy; as-override (IOS), GRACEFUL_SHUTDOWN (C170), extended communities; and what explanations
 * say of it.
 */
#include "tables_test.h"

static struct bench b;

#define PREFIX "192.0.2.0/24"
#define SELF "10.0.0.100"

static void expect_next_hop(const char *name, uint32_t peer, const char *want) {
    const struct attr_values *v = bench_held(&b, peer, PREFIX);
    char got[IP_ADDR_TEXT_MAX];
    if (!want && v)
        fail_msg("%s: peer %u was sent the route", name, peer);
    if (want && (!v || strcmp(ip_format(v->next_hop, got), want) != 0))
        fail_msg("%s: peer %u has %s, not %s", name, peer, v ? got : "nothing", want);
}

static void expect_path(uint32_t peer, const char *want) {
    const struct attr_values *v = bench_held(&b, peer, PREFIX);
    struct text t;
    assert_non_null(v);
    text_init(&t);
    as_path_format(v->as_path, false, &t);
    assert_string_equal(text_str(&t), want);
    text_deinit(&t);
}

/* Peers 0 and 1 external (65001, 65002), 2 internal, 3 and 4 internal clients. */
static void five_peers(enum bgp_profile profile) {
    bench_config(&b, profile, 5);
    b.peers[0].remote_as = 65001;
    b.peers[1].remote_as = 65002;
    b.peers[3].rr_client = b.peers[4].rr_client = true;
}

static void start(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < b.config.peer_count; i++)
        bench_up(&b, i);
}

static void announce(uint32_t from, const char *next_hop, const uint32_t *path, uint32_t words) {
    const struct attr_values v = {.next_hop = addr(next_hop),
                                  .has_local_pref = from > 1,
                                  .local_pref = 100,
                                  .as_path = {words ? path : NULL, words}};
    (void)bench_announce(&b, from, &v, PREFIX);
    bench_settle(&b);
}

static const uint32_t one_as[] = {AS_SEQUENCE << 16 | 1, 65001};

/* ---- C073 ---- */

struct mode_row {
    enum bgp_next_hop_mode mode;
    const char *external_to[2]; /* from 65001: external, internal receiver */
    const char *client_to[2];   /* from a client with next hop 10.9.9.9: external, internal */
};

static const struct mode_row mode_rows[] = {
    {BGP_NEXT_HOP_AUTO, {SELF, "10.0.0.1"}, {SELF, "10.9.9.9"}},
    {BGP_NEXT_HOP_SELF, {SELF, SELF}, {SELF, "10.9.9.9"}},
    {BGP_NEXT_HOP_SELF_ALL, {SELF, SELF}, {SELF, SELF}},
    {BGP_NEXT_HOP_KEEP, {"10.0.0.1", "10.0.0.1"}, {"10.9.9.9", "10.9.9.9"}},
};

static void test_C073_C155_modes(void **state) {
    static const enum bgp_profile profiles[] = {BGP_PROFILE_PLAIN, BGP_PROFILE_IOS,
                                                BGP_PROFILE_CALICO};
    (void)state;
    for (size_t i = 0; i < 3 * sizeof mode_rows / sizeof *mode_rows; i++) {
        const struct mode_row *row = &mode_rows[i / 3];
        five_peers(profiles[i % 3]);
        for (uint32_t p = 0; p < 5; p++)
            b.peers[p].next_hop_mode = row->mode;
        start();
        announce(0, "10.0.0.1", one_as, 2);
        expect_next_hop("external", 1, row->external_to[0]);
        expect_next_hop("external", 2, row->external_to[1]);
        expect_next_hop("external", 3, row->external_to[1]);
        bench_withdraw(&b, 0, PREFIX);
        announce(3, "10.9.9.9", NULL, 0);
        expect_next_hop("client", 1, row->client_to[0]);
        expect_next_hop("client", 2, row->client_to[1]);
        expect_next_hop("client", 4, row->client_to[1]);
        bench_end(&b);
    }
}

/* C136: an IPv6 next hop that would be kept goes to nobody who did not ask for such. */
static void test_C136_receivers(void **state) {
    (void)state;
    five_peers(BGP_PROFILE_PLAIN);
    start();
    for (uint32_t p = 2; p < 4; p++)
        b.holds[p].p->extended_next_hop = true;
    const struct attr_values v = {
        .next_hop = addr("2001:db8::9"), .has_local_pref = true, .local_pref = 100};
    struct bgp_origin_config o = {.prefix = pfx(PREFIX),
                                  .source = ROUTE_SOURCE_STATIC,
                                  .metric = UINT32_MAX,
                                  .next_hop = v.next_hop};
    adjout_regroup(b.s, b.holds[2].p);
    adjout_regroup(b.s, b.holds[3].p);
    assert_int_equal(bgp_originate(b.s, &o, b.now), BGP_OK);
    bench_settle(&b);
    expect_next_hop("without", 1, NULL);
    expect_next_hop("with", 2, "2001:db8::9");
    expect_next_hop("with", 3, "2001:db8::9");
    expect_next_hop("without", 4, NULL);
    bench_end(&b);
}

/* ---- next hops that policy sets ---- */

static struct policy_action action;
static const struct policy_term term = {
    .name = "t", .actions = &action, .action_count = 1, .verdict = POLICY_ACCEPT};
static const struct policy policy = {"p", &term, 1, POLICY_REJECT};
static const uint16_t first[] = {0};

static void test_C176_next_hops_of_policy(void **state) {
    static const struct {
        enum policy_action_kind kind;
        const char *external, *internal; /* what 65001's route is sent with */
    } rows[] = {{POLICY_SET_NEXT_HOP, "10.0.0.77", "10.0.0.77"},
                {POLICY_SET_NEXT_HOP_SELF, SELF, SELF},
                {POLICY_SET_NEXT_HOP_PEER, "10.0.0.2", "10.0.0.3"},
                {POLICY_SET_NEXT_HOP_KEEP, "10.0.0.1", "10.0.0.1"},
                {POLICY_SET_TAG, SELF, "10.0.0.1"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        five_peers(BGP_PROFILE_IOS);
        action = (struct policy_action){.kind = rows[i].kind, .address = addr("10.0.0.77")};
        b.config.policies = &policy;
        b.config.policy_count = 1;
        for (uint32_t p = 1; p < 3; p++)
            b.peers[p].export[0] = (struct policy_chain){.policies = first, .count = 1};
        start();
        announce(0, "10.0.0.1", one_as, 2);
        expect_next_hop("policy", 1, rows[i].external);
        expect_next_hop("policy", 2, rows[i].internal);
        bench_end(&b);
    }
}

/* ---- AS_PATH ---- */

/* IOS: the receiver's AS is ours wherever it stands, segments are kept. */
static void test_as_override(void **state) {
    static const uint32_t path[] = {AS_SEQUENCE << 16 | 3, 65001, 65002, 65003,
                                    AS_SET << 16 | 2,      65002, 65004};
    (void)state;
    for (int override = 0; override < 2; override++) {
        five_peers(BGP_PROFILE_IOS);
        b.peers[1].as_override = override;
        start();
        announce(0, "10.0.0.1", path, 7);
        expect_path(1, override ? "64512 65001 64512 65003 {64512,65004}"
                                : "64512 65001 65002 65003 {65002,65004}");
        expect_path(2, "65001 65002 65003 {65002,65004}");
        bench_end(&b);
    }
}

/* ---- communities ---- */

/* C170: RFC 8326 4.1: beside what the route has, in order. */
static void test_C170_beside_others(void **state) {
    static const uint32_t low[] = {64512u << 16 | 1, 64512u << 16 | 2}, high[] = {0xFFFF1234};
    static const struct {
        const uint32_t *communities;
        uint32_t count, want[3];
    } rows[] = {{NULL, 0, {COMMUNITY_GRACEFUL_SHUTDOWN}},
                {low, 2, {64512u << 16 | 1, 64512u << 16 | 2, COMMUNITY_GRACEFUL_SHUTDOWN}},
                {high, 1, {COMMUNITY_GRACEFUL_SHUTDOWN, 0xFFFF1234}}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        five_peers(BGP_PROFILE_FAST);
        b.peers[1].graceful_shutdown = true;
        start();
        const struct attr_values v = {.next_hop = addr("10.0.0.1"),
                                      .as_path = {one_as, 2},
                                      .communities = rows[i].communities,
                                      .community_count = rows[i].count};
        (void)bench_announce(&b, 0, &v, PREFIX);
        bench_settle(&b);
        const struct attr_values *held = bench_held(&b, 1, PREFIX);
        assert_non_null(held);
        assert_int_equal(held->community_count, rows[i].count + 1);
        assert_memory_equal(held->communities, rows[i].want, (rows[i].count + 1) * 4);
        held = bench_held(&b, 2, PREFIX);
        assert_non_null(held);
        assert_int_equal(held->community_count, rows[i].count);
        bench_end(&b);
    }
}

/* ---- explanations ---- */

static void expect_explained(uint32_t peer, bool import, const char *want) {
    const struct bgp_peer_id id = {b.holds[peer].p->index};
    struct text t;
    text_init(&t);
    assert_int_equal(bgp_explain(b.s, id, import, pfx(PREFIX), &t), BGP_OK);
    if (!strstr(text_str(&t), want))
        fail_msg("peer %u: no \"%s\" in:\n%s", peer, want, text_str(&t));
    text_deinit(&t);
}

static void test_explained(void **state) {
    static const uint32_t no_export[] = {COMMUNITY_NO_EXPORT};
    (void)state;
    five_peers(BGP_PROFILE_FAST);
    start();
    expect_explained(1, false, "not sent: there is no best path\n");
    struct attr_values v = {.next_hop = addr("10.0.0.1"), .as_path = {one_as, 2}};
    (void)bench_announce(&b, 0, &v, PREFIX);
    bench_settle(&b);
    expect_explained(0, false, "not sent: the best path was learned from this peer\n");
    expect_explained(1, false, "\nsent\n");
    expect_explained(0, true, "run on the attributes as accepted (no soft reconfiguration)\n");
    expect_explained(0, true, "end of the chain: accept\n");
    v.communities = no_export;
    v.community_count = 1;
    (void)bench_announce(&b, 0, &v, PREFIX);
    bench_settle(&b);
    expect_explained(1, false, "not sent: ");
    expect_explained(2, false, "\nsent\n");
    const struct bgp_peer_id nobody = {4711};
    struct text t;
    text_init(&t);
    assert_int_equal(bgp_explain(b.s, nobody, false, pfx(PREFIX), &t), BGP_UNKNOWN);
    text_deinit(&t);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C073_C155_modes),          cmocka_unit_test(test_C136_receivers),
        cmocka_unit_test(test_C176_next_hops_of_policy), cmocka_unit_test(test_as_override),
        cmocka_unit_test(test_C170_beside_others),       cmocka_unit_test(test_explained),
    };
    return cmocka_run_group_tests_name("export_option", tests, NULL, NULL);
}
