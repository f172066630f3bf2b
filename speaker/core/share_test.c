/*
 * What is found out once for many: one update group for sessions that are sent the same, one
 * verdict of policy for prefixes that it does not look at. And where neither may be shared.
 */
#include "tables_test.h"

static struct bench b;

static const struct policy_prefix kept_back[] = {
    {{{IP_V4, {10, 2}}, 16}, 16, 32, false},
};
static const struct policy_match at_prefix = {
    .kind = POLICY_MATCH_PREFIX, .prefixes = kept_back, .prefix_count = 1};
static const struct policy_match at_prefix_or_med = {
    .kind = POLICY_MATCH_ANY_OF, .alternatives = &at_prefix, .alternative_count = 1};
static const struct policy_term terms[] = {
    {.name = "a", .matches = &at_prefix, .match_count = 1, .verdict = POLICY_REJECT},
    {.name = "b", .matches = &at_prefix_or_med, .match_count = 1, .verdict = POLICY_REJECT},
};
static const struct policy policies[] = {
    {"prefix", &terms[0], 1, POLICY_ACCEPT},
    {"alternative", &terms[1], 1, POLICY_ACCEPT},
    {"all", NULL, 0, POLICY_ACCEPT},
};

/* Five external peers, each in an AS of its own. */
static void external_peers(void) {
    bench_config(&b, BGP_PROFILE_PLAIN, 5);
    b.config.policies = policies;
    b.config.policy_count = 3;
    for (uint32_t i = 0; i < 5; i++) {
        static const uint16_t all = 2;
        b.peers[i].remote_as = 65001 + i;
        b.peers[i].import[0] = b.peers[i].export[0] = (struct policy_chain){&all, 1, false};
    }
}

static void start_all(void) {
    bench_start(&b);
    for (uint32_t i = 0; i < 5; i++) {
        bench_up(&b, i);
    }
    bench_settle(&b);
}

/* Two prefixes in one UPDATE; the second one is in the set that the policies refuse. */
static void announce_two(void) {
    static const uint32_t words[] = {AS_SEQUENCE << 16 | 1, 65001};
    const struct attr_values v = {.next_hop = ip4(0x0a000001), .as_path = {words, 2}};
    const struct ip_prefix two[] = {pfx("10.1.0.0/16"), pfx("10.2.0.0/16")};
    (void)bench_send(&b, 0, &v, two, 2);
    bench_settle(&b);
}

static void test_external_sessions_share_a_group(void **state) {
    (void)state;
    external_peers();
    start_all();
    assert_int_equal(adjout_group_count(b.s), 1);
    announce_two();
    assert_null(bench_held(&b, 0, "10.1.0.0/16"));
    for (uint32_t i = 1; i < 5; i++) {
        assert_non_null(bench_held(&b, i, "10.1.0.0/16"));
        assert_int_equal(b.holds[i].updates, 1);
    }
    bench_end(&b);
}

static void test_what_depends_on_the_peers_as_does_not_share(void **state) {
    (void)state;
    external_peers();
    b.peers[1].as_override = true;
    b.peers[2].as_override = true;
    b.peers[3].remove_private_as = true;
    start_all();
    assert_int_equal(adjout_group_count(b.s), 4);
    bench_end(&b);
}

static void check_refused(uint16_t policy, bool import) {
    external_peers();
    struct policy_chain *chain = import ? &b.peers[0].import[0] : &b.peers[1].export[0];
    *chain = (struct policy_chain){&policy, 1, false};
    start_all();
    announce_two();
    assert_non_null(bench_held(&b, 1, "10.1.0.0/16"));
    assert_null(bench_held(&b, 1, "10.2.0.0/16"));
    assert_int_equal(bench_held(&b, 2, "10.2.0.0/16") != NULL, !import);
    bench_end(&b);
}

static void test_policy_that_looks_at_prefixes_is_asked_for_each(void **state) {
    (void)state;
    for (uint16_t policy = 0; policy < 2; policy++) {
        check_refused(policy, false);
        check_refused(policy, true);
    }
}

/* A verdict lasts no longer than the work it was found in. */
static void test_verdicts_do_not_outlive_their_policy(void **state) {
    (void)state;
    external_peers();
    start_all();
    announce_two();
    assert_non_null(bench_held(&b, 1, "10.2.0.0/16"));
    static const uint16_t prefix = 0;
    bench_options(&b, 1)->export[0] = (struct policy_chain){&prefix, 1, false};
    adjout_regroup(b.s, b.holds[1].p);
    bench_settle(&b);
    assert_null(bench_held(&b, 1, "10.2.0.0/16"));
    assert_non_null(bench_held(&b, 1, "10.1.0.0/16"));
    assert_non_null(bench_held(&b, 2, "10.2.0.0/16"));
    bench_end(&b);
}

/* The least number of attributes is held once everything is withdrawn: no verdict is left. */
static void test_verdicts_hold_nothing(void **state) {
    (void)state;
    external_peers();
    start_all();
    announce_two();
    bench_withdraw(&b, 0, "10.1.0.0/16");
    bench_withdraw(&b, 0, "10.2.0.0/16");
    bench_settle(&b);
    assert_int_equal(b.s->attrs.sets.used, 0);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_external_sessions_share_a_group),
        cmocka_unit_test(test_what_depends_on_the_peers_as_does_not_share),
        cmocka_unit_test(test_policy_that_looks_at_prefixes_is_asked_for_each),
        cmocka_unit_test(test_verdicts_do_not_outlive_their_policy),
        cmocka_unit_test(test_verdicts_hold_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
