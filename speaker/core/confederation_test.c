/*
 * Confederations (RFC 5065): what crosses the borders of a member AS and of the whole. We are
 * member 65001 of confederation 100; peer 0 is in member 65002, peer 1 in our own, peer 2 in
 * AS 200 outside, peer 3 in member 65003.
 */
#include "tables_test.h"

static struct bench b;

static const uint32_t members[] = {65002, 65003};

static void four_peers(enum bgp_profile profile) {
    static const uint32_t ases[] = {65002, 65001, 200, 65003};
    bench_config(&b, profile, 4);
    b.config.local_as = 65001;
    b.config.confederation_id = 100;
    b.config.confederation_members = members;
    b.config.confederation_member_count = 2;
    for (uint32_t i = 0; i < 4; i++) {
        b.peers[i].remote_as = ases[i];
    }
}

static void all_up(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < 4; i++) {
        bench_up(&b, i);
    }
}

static void expect_path(uint32_t peer, const char *path) {
    struct text t;
    text_init(&t);
    const struct attr_values *v = bench_held(&b, peer, "192.0.2.0/24");
    assert_non_null(v);
    as_path_format(v->as_path, false, &t);
    assert_string_equal(text_str(&t), path);
    text_deinit(&t);
}

static void allow_outside(void) {
    static const struct policy_term all = {.name = "all", .verdict = POLICY_ACCEPT};
    static const struct policy policy = {.name = "all", .terms = &all, .term_count = 1};
    static const uint16_t index[] = {0};
    b.config.policies = &policy;
    b.config.policy_count = 1;
    b.peers[2].import[0] = b.peers[2].export[0] =
        (struct policy_chain){.policies = index, .count = 1};
}

static struct attr_values route(const uint32_t *path, uint32_t words) {
    return (struct attr_values){.next_hop = addr("10.9.9.9"),
                                .has_local_pref = true,
                                .local_pref = 150,
                                .has_med = true,
                                .med = 9,
                                .as_path = {path, words}};
}

static void setup(void) {
    four_peers(BGP_PROFILE_PLAIN);
    b.peers[2].import[0].accept_by_default = b.peers[2].export[0].accept_by_default = false;
    all_up();
}

static void test_C161_confederation_segments(void **state) {
    static const uint32_t inside[] = {AS_CONFED_SEQUENCE << 16 | 1, 65002, AS_SEQUENCE << 16 | 1,
                                      300};
    struct attr_values v = route(inside, 4);
    (void)state;
    four_peers(BGP_PROFILE_PLAIN);
    allow_outside();
    all_up();
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    expect_path(1, "(65002) 300"); /* our own member: unchanged */
    expect_path(3, "(65001 65002) 300");
    expect_path(2, "100 300"); /* outside: the confederation is one AS */
    for (uint32_t i = 1; i < 4; i += 2) {
        const struct attr_values *held = bench_held(&b, i, "192.0.2.0/24");
        assert_int_equal(held->local_pref, 150);
        assert_int_equal(held->med, 9);
        assert_true(ip_equal(held->next_hop, addr("10.9.9.9")));
    }
    const struct attr_values *out = bench_held(&b, 2, "192.0.2.0/24");
    assert_false(out->has_local_pref);
    assert_false(out->has_med);
    assert_true(ip_equal(out->next_hop, b.config.router_id));
    bench_end(&b);
}

static void test_C161_learned_outside(void **state) {
    static const uint32_t outside[] = {AS_SEQUENCE << 16 | 1, 200};
    struct attr_values v = route(outside, 2);
    (void)state;
    four_peers(BGP_PROFILE_IOS);
    all_up();
    v.has_local_pref = false;
    (void)bench_announce(&b, 2, &v, "192.0.2.0/24");
    bench_settle(&b);
    expect_path(0, "(65001) 200");
    expect_path(1, "200");
    expect_path(3, "(65001) 200");
    assert_int_equal(bench_held(&b, 0, "192.0.2.0/24")->local_pref, 100);
    bench_end(&b);
}

static uint32_t sent_count(void) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < 4; i++) {
        count += bench_held(&b, i, "192.0.2.0/24") != NULL;
    }
    return count;
}

static void test_C163_member_loops(void **state) {
    static const uint32_t own[] = {AS_CONFED_SEQUENCE << 16 | 2, 65002, 65001};
    static const uint32_t whole[] = {AS_CONFED_SEQUENCE << 16 | 1, 65002, AS_SEQUENCE << 16 | 1,
                                     100};
    static const uint32_t stranger[] = {AS_CONFED_SEQUENCE << 16 | 1, 65003};
    static const uint32_t good[] = {AS_CONFED_SEQUENCE << 16 | 2, 65002, 65003};
    (void)state;
    setup();
    const struct {
        const uint32_t *words;
        uint32_t count, sent;
    } rows[] = {
        {own, 3, 0},      /* our member AS */
        {whole, 4, 0},    /* the confederation itself */
        {stranger, 2, 0}, /* not from the peer's member AS */
        {NULL, 0, 0},     /* from no member AS */
        {good, 3, 1},     /* to our own member; 65003 is in the path, outside needs a policy */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct attr_values v = route(rows[i].words, rows[i].count);
        (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
        bench_settle(&b);
        /* the RFC profile leaves loops to the receiver: peer 3 gets it all the same */
        assert_int_equal(sent_count(), rows[i].sent ? 2 : 0);
    }
    bench_end(&b);
}

static void test_C162_segments_from_outside(void **state) {
    static const uint32_t inside[] = {AS_CONFED_SEQUENCE << 16 | 1, 65002};
    const uint8_t prefix[] = {24, 192, 0, 2};
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    struct ip_prefix p = pfx("192.0.2.0/24");
    struct attr_values v = route(inside, 2);
    struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    struct bgp_codec codec = {.as4 = true, .external = true, .families = {true, false}};
    struct arena *arena = arena_new();
    struct bgp_update u;
    size_t size = 0;
    (void)state;
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    update_decode(&codec, message + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, arena, &u);
    assert_int_equal(u.outcome, BGP_OUTCOME_TREAT_AS_WITHDRAW);
    assert_int_equal(u.worst_attribute, ATTR_AS_PATH);
    assert_memory_equal(u.announced[0].data, prefix, sizeof prefix);
    codec.external = false;
    update_decode(&codec, message + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, arena, &u);
    assert_int_equal(u.outcome, BGP_OUTCOME_OK);
    arena_free(arena);
}

static void test_C164_no_export_inside(void **state) {
    static const uint32_t inside[] = {AS_CONFED_SEQUENCE << 16 | 1, 65002};
    static const struct {
        uint32_t community;
        uint32_t sent; /* to 1, 3 of our confederation */
    } rows[] = {
        {COMMUNITY_NO_EXPORT, 2},
        {COMMUNITY_NO_EXPORT_SUBCONFED, 1},
        {COMMUNITY_NO_ADVERTISE, 0},
    };
    (void)state;
    setup();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct attr_values v = route(inside, 2);
        v.communities = &rows[i].community;
        v.community_count = 1;
        (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
        bench_settle(&b);
        assert_int_equal(sent_count(), rows[i].sent);
        assert_int_equal(bench_held(&b, 1, "192.0.2.0/24") != NULL, rows[i].sent > 0);
    }
    bench_end(&b);
}

/* RFC 5065 5.3: a path from another member AS counts as internal, its members not as length. */
static void test_C087_confederation_is_internal(void **state) {
    static const uint32_t inside[] = {AS_CONFED_SEQUENCE << 16 | 3, 65002, 65009, 65010,
                                      AS_SEQUENCE << 16 | 1,        300};
    static const uint32_t outside[] = {AS_SEQUENCE << 16 | 1, 200};
    struct attr_values in = route(inside, 6), out = route(outside, 2);
    (void)state;
    four_peers(BGP_PROFILE_IOS);
    all_up();
    in.local_pref = 100;
    in.has_med = out.has_med = out.has_local_pref = false;
    in.med = out.med = out.local_pref = 0;
    (void)bench_announce(&b, 0, &in, "192.0.2.0/24");
    bench_settle(&b);
    assert_false(b.fib.external);
    (void)bench_announce(&b, 2, &out, "192.0.2.0/24");
    bench_settle(&b);
    assert_true(b.fib.external);
    bool seen = false;
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    assert_true(bgp_rib_find(b.s, pfx("192.0.2.0/24"), &it));
    while (bgp_rib_next_path(b.s, &it, &path)) {
        seen = seen || (!path.best && path.decision_step == DECIDE_EXTERNAL);
    }
    bgp_rib_end(&it);
    assert_true(seen);
    bench_end(&b);
}

/* IOS: bestpath med confed. Peer 0 is in member 65002, peer 3 in 65003; the lower identifier wins
 * where MED does not count. */
static void test_med_between_members(void **state) {
    (void)state;
    static const uint32_t first[] = {AS_CONFED_SEQUENCE << 16 | 1, 65002};
    static const uint32_t second[] = {AS_CONFED_SEQUENCE << 16 | 1, 65003};
    for (int confed = 0; confed < 2; confed++) {
        four_peers(BGP_PROFILE_IOS);
        b.config.med_confed = confed;
        all_up();
        struct attr_values v = route(first, 2), w = route(second, 2);
        w.med = 1;
        (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
        (void)bench_announce(&b, 3, &w, "192.0.2.0/24");
        bench_settle(&b);
        assert_int_equal(bench_held(&b, 1, "192.0.2.0/24")->med, confed ? 1 : 9);
        bench_end(&b);
    }
}

/* RFC 9234 5: what leaves the confederation carries no member AS as Only to Customer. */
static void test_C209_roles_inside(void **state) {
    static const uint32_t inside[] = {AS_CONFED_SEQUENCE << 16 | 1, 65002};
    struct attr_values v = route(inside, 2);
    (void)state;
    four_peers(BGP_PROFILE_IOS);
    b.peers[0].role = BGP_ROLE_CUSTOMER;
    b.peers[3].role = BGP_ROLE_PROVIDER;
    all_up();
    (void)bench_announce(&b, 0, &v, "192.0.2.0/24");
    bench_settle(&b);
    for (uint32_t i = 1; i < 4; i++) {
        assert_non_null(bench_held(&b, i, "192.0.2.0/24"));
        assert_int_equal(bench_held(&b, i, "192.0.2.0/24")->unknown_count, 0);
    }
    bench_end(&b);
}

/* RFC 5065 2 and 4: member ASes are not seen outside, in no set that an aggregate makes of them and
 * not as AGGREGATOR; inside they are there, for loops to be found. */
static void test_C078_C161_aggregate(void **state) {
    static const uint32_t first[] = {AS_CONFED_SEQUENCE << 16 | 1, 65002, AS_SEQUENCE << 16 | 2,
                                     300, 400};
    static const uint32_t second[] = {AS_CONFED_SEQUENCE << 16 | 2, 65003, 65009,
                                      AS_SEQUENCE << 16 | 2,        300,   500};
    struct bgp_aggregate_config aggregate = {.prefix = pfx("192.0.2.0/24"), .as_set = true};
    (void)state;
    four_peers(BGP_PROFILE_IOS);
    b.config.aggregates = &aggregate;
    b.config.aggregate_count = 1;
    all_up();
    struct attr_values v = route(first, 5), w = route(second, 6);
    (void)bench_announce(&b, 0, &v, "192.0.2.0/26");
    (void)bench_announce(&b, 3, &w, "192.0.2.64/26");
    bench_settle(&b);
    expect_path(0, "(65001) [65002,65003,65009] 300 {400,500}");
    expect_path(1, "[65002,65003,65009] 300 {400,500}");
    expect_path(2, "100 300 {400,500}");
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(bench_held(&b, i, "192.0.2.0/24")->aggregator_as, 100);
    }
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C161_confederation_segments),
        cmocka_unit_test(test_C161_learned_outside),
        cmocka_unit_test(test_C162_segments_from_outside),
        cmocka_unit_test(test_C163_member_loops),
        cmocka_unit_test(test_C164_no_export_inside),
        cmocka_unit_test(test_C087_confederation_is_internal),
        cmocka_unit_test(test_med_between_members),
        cmocka_unit_test(test_C078_C161_aggregate),
        cmocka_unit_test(test_C209_roles_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
