/*
 * Route flap dampening (RFC 2439): figures, holding back, letting go, forgetting. Peer 0 and 1 are
 * in AS 65001 and 65002, peer 2 is internal and looks on.
 */
#include "tables_test.h"

#include "dampening.h"

#define PREFIX "192.0.2.0/24"

static struct bench b;
static struct bgp_dampening_config dampening;

static void start(void) {
    bench_config(&b, BGP_PROFILE_IOS, 3);
    dampening = bgp_dampening_default;
    b.config.dampening = &dampening;
    b.config.dampening_count = 1;
    b.peers[0].remote_as = 65001;
    b.peers[1].remote_as = 65002;
    bench_start(&b);
    for (uint32_t i = 0; i < 3; i++) {
        bench_up(&b, i);
    }
}

static void announce(uint32_t peer, uint32_t med) {
    const uint32_t path[] = {AS_SEQUENCE << 16 | 1, 65001 + peer};
    struct attr_values v = {
        .next_hop = ip4(0x0a000001 + peer), .as_path = {path, 2}, .has_med = true, .med = med};
    if (peer == 2) {
        v.as_path = (struct as_path){0};
        v.has_local_pref = true;
    }
    (void)bench_announce(&b, peer, &v, PREFIX);
    bench_settle(&b);
}

static void withdraw(uint32_t peer) {
    bench_withdraw(&b, peer, PREFIX);
    bench_settle(&b);
}

static void flap(uint32_t peer, uint32_t times) {
    for (uint32_t i = 0; i < times; i++) {
        withdraw(peer);
        announce(peer, 0);
    }
}

static void pass(uint64_t seconds) {
    struct nanotime end = nanotime_add_ms(b.now, seconds * 1000), next;
    while (next = bgp_next_deadline(b.s), !nanotime_before(end, next)) {
        b.now = nanotime_before(b.now, next) ? next : b.now;
        bgp_advance(b.s, b.now);
        bench_events(&b);
    }
    b.now = end;
    bench_settle(&b);
}

static bool history(struct bgp_dampened *ret) {
    uint32_t at = 0;
    return bgp_dampening_next(b.s, &at, b.now, ret);
}

/* Within a thousandth of 2^(-t/h), everywhere. */
static void test_decay(void **state) {
    (void)state;
    assert_int_equal(dampening_decay(1000, 0, 900), 1000);
    assert_int_equal(dampening_decay(1000, 900, 900), 500);
    assert_int_equal(dampening_decay(1000, 1800, 900), 250);
    assert_in_range(dampening_decay(100000, 450, 900), 70640, 70780); /* 70711 */
    assert_in_range(dampening_decay(100000, 300, 900), 79300, 79450); /* 79370 */
    assert_int_equal(dampening_decay(UINT32_MAX, 900 * 32, 900), 0);
    uint32_t last = UINT32_MAX;
    for (uint64_t t = 0; t < 4000; t++) {
        assert_in_range(dampening_decay(1000000, t, 97), 0, last);
        last = dampening_decay(1000000, t, 97);
    }
}

/* IOS: the third withdrawal is the one that is too many; 750 is reached 35 minutes later. */
static void test_held_back_and_used_again(void **state) {
    (void)state;
    struct bgp_dampened h;
    start();
    announce(0, 0);
    flap(0, 2);
    assert_non_null(bench_held(&b, 2, PREFIX));
    assert_true(history(&h));
    assert_int_equal(h.penalty, 2000);
    assert_false(h.suppressed);
    flap(0, 1);
    assert_null(bench_held(&b, 2, PREFIX));
    assert_true(history(&h) && h.suppressed);
    assert_int_equal(h.penalty, 3000);
    assert_int_equal(h.flaps, 3);
    assert_int_equal(h.reuse_in_s, 1810); /* two half-lives */
    pass(1780);
    assert_null(bench_held(&b, 2, PREFIX));
    pass(40);
    assert_non_null(bench_held(&b, 2, PREFIX));
    pass(900); /* below half of the reuse limit it is forgotten */
    assert_false(history(&h));
    bench_end(&b);
}

static void test_another_path_stands_in(void **state) {
    (void)state;
    start();
    announce(0, 0);
    announce(1, 0);
    flap(0, 3);
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    uint32_t damped = 0;
    assert_true(bgp_rib_find(b.s, pfx(PREFIX), &it));
    while (bgp_rib_next_path(b.s, &it, &path)) {
        damped += path.damped;
        assert_true(path.best == !path.damped && path.valid == !path.damped);
    }
    bgp_rib_end(&it);
    assert_int_equal(damped, 1);
    assert_true(ip_equal(bench_held(&b, 2, PREFIX)->next_hop, addr("10.0.0.2")));
    bench_end(&b);
}

/* Other attributes count half; the same ones, again, do not. */
static void test_changes_count_half(void **state) {
    (void)state;
    struct bgp_dampened h;
    start();
    for (uint32_t med = 0; med < 5; med++) {
        announce(0, med);
        announce(0, med);
    }
    assert_true(history(&h));
    assert_int_equal(h.penalty, 2000);
    assert_false(h.suppressed);
    announce(0, 9);
    assert_true(history(&h) && h.suppressed);
    bench_end(&b);
}

/* IOS: a session that ends is no flap; internal routes are never held back. */
static void test_what_is_no_flap(void **state) {
    (void)state;
    struct bgp_dampened h;
    start();
    for (uint32_t i = 0; i < 5; i++) {
        announce(0, 0);
        bench_down(&b, 0, false);
        bench_up(&b, 0);
    }
    assert_false(history(&h));
    announce(2, 0);
    flap(2, 5);
    assert_false(history(&h));
    bench_end(&b);
}

/* RFC 2439 4.2: however often it flaps, it is used again after the longest time. */
static void test_longest_suppression(void **state) {
    (void)state;
    struct bgp_dampened h;
    start();
    announce(0, 0);
    flap(0, 50);
    assert_true(history(&h));
    assert_int_equal(h.penalty, 12000); /* 750 * 2^(60 / 15) */
    pass(3580);
    assert_null(bench_held(&b, 2, PREFIX));
    pass(40);
    assert_non_null(bench_held(&b, 2, PREFIX));
    bench_end(&b);
}

static void test_cleared_by_hand_and_by_configuration(void **state) {
    (void)state;
    struct bgp_dampened h;
    struct ip_prefix other = pfx("10.0.0.0/8"), prefix = pfx(PREFIX);
    start();
    announce(0, 0);
    flap(0, 3);
    bgp_dampening_clear(b.s, &other);
    bench_settle(&b);
    assert_null(bench_held(&b, 2, PREFIX));
    bgp_dampening_clear(b.s, &prefix);
    bench_settle(&b);
    assert_non_null(bench_held(&b, 2, PREFIX));
    assert_false(history(&h));
    flap(0, 3);
    assert_null(bench_held(&b, 2, PREFIX));
    b.config.dampening_count = 0;
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    bench_settle(&b);
    assert_non_null(bench_held(&b, 2, PREFIX));
    assert_false(history(&h));
    bench_end(&b);
}

/* The route-map says which routes, and by which values. */
static void test_policy(void **state) {
    (void)state;
    static const uint32_t values[] = {60, 900, 950, 120};
    static const struct policy_action action = {
        .kind = POLICY_SET_DAMPENING, .asns = values, .asn_count = 4};
    static const struct policy_match med = {.kind = POLICY_MATCH_MED, .value = 0};
    static const struct policy_term term = {.name = "10",
                                            .matches = &med,
                                            .match_count = 1,
                                            .actions = &action,
                                            .action_count = 1,
                                            .verdict = POLICY_ACCEPT};
    static const struct policy policy = {
        .name = "map", .terms = &term, .term_count = 1, .otherwise = POLICY_REJECT};
    struct bgp_dampened h;
    start();
    b.config.policies = &policy;
    b.config.policy_count = 1;
    dampening.policy = 1;
    assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
    announce(0, 7);
    withdraw(0);
    assert_false(history(&h)); /* refused: not dampened */
    announce(0, 0);
    flap(0, 1);
    assert_true(history(&h) && h.suppressed);
    pass(30);
    assert_non_null(bench_held(&b, 2, PREFIX));
    bench_end(&b);
}

/* No history without memory: the route is used, and the next flap counts. */
static void test_without_memory(void **state) {
    (void)state;
    struct bgp_dampened h;
    for (unsigned long n = 1; n < 6; n++) {
        start();
        announce(0, 0);
        b.fail_after = n;
        bench_withdraw(&b, 0, PREFIX);
        b.fail_after = 0;
        bench_settle(&b);
        announce(0, 0);
        assert_non_null(bench_held(&b, 2, PREFIX));
        flap(0, 3);
        assert_true(history(&h) && h.suppressed);
        bench_end(&b);
    }
}

static void test_limit(void **state) {
    (void)state;
    char prefix[32];
    struct bgp_dampened h;
    uint32_t at = 0, count = 0;
    start();
    b.holds[2].up = false;
    for (uint32_t i = 0; i < 300; i++) {
        const uint32_t path[] = {AS_SEQUENCE << 16 | 1, 65001};
        struct attr_values v = {.next_hop = ip4(0x0a000001), .as_path = {path, 2}};
        (void)snprintf(prefix, sizeof prefix, "10.%u.%u.0/24", i / 256 + 1, i % 256);
        (void)bench_announce(&b, 0, &v, prefix);
        bench_withdraw(&b, 0, prefix);
    }
    while (bgp_dampening_next(b.s, &at, b.now, &h)) {
        count++;
    }
    assert_int_equal(count, 300);
    b.s->env.work_budget = 16; /* looked at in pieces */
    pass(1500);
    at = 0;
    assert_false(bgp_dampening_next(b.s, &at, b.now, &h));
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decay),
        cmocka_unit_test(test_held_back_and_used_again),
        cmocka_unit_test(test_another_path_stands_in),
        cmocka_unit_test(test_changes_count_half),
        cmocka_unit_test(test_what_is_no_flap),
        cmocka_unit_test(test_longest_suppression),
        cmocka_unit_test(test_cleared_by_hand_and_by_configuration),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
