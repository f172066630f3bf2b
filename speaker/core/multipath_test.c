/*
 * Paths that share the load, as IOS's maximum-paths keeps them: conformance row C095, and as BIRD's
 * merge paths does. Peers 0 to 2 are in AS 65001, 3 in AS 65002, 4 and 5 in ours.
 */
#include "tables_test.h"

static struct bench b;

static void start_peers(uint32_t count) {
    for (uint32_t i = 0; i < 4; i++) {
        b.peers[i].remote_as = i < 3 ? 65001 : 65002;
    }
    bench_start(&b);
    for (uint32_t i = 0; i < count; i++) {
        bench_up(&b, i);
    }
}

static void start(uint32_t external, uint32_t internal, uint32_t mixed, bool relax) {
    bench_config(&b, BGP_PROFILE_IOS, 6);
    b.config.multipath_external[0] = external;
    b.config.multipath_internal[0] = internal;
    b.config.multipath_mixed[0] = mixed;
    b.config.multipath_as_path_relax = relax;
    start_peers(6);
}

static void announce(uint32_t peer, uint32_t first_as, uint32_t med) {
    const uint32_t path[] = {AS_SEQUENCE << 16 | 2, first_as, 300};
    struct attr_values v = {
        .next_hop = ip4(0x0a000001 + peer), .has_med = true, .med = med, .as_path = {path, 3}};
    v.has_local_pref = peer >= 4;
    v.local_pref = peer >= 4 ? 100 : 0;
    (void)bench_announce(&b, peer, &v, "192.0.2.0/24");
    bench_work(&b);
}

static uint32_t sharing(void) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    uint32_t count = 0;
    assert_true(bgp_rib_find(b.s, pfx("192.0.2.0/24"), &it));
    while (bgp_rib_next_path(b.s, &it, &path)) {
        count += path.multipath || path.best;
    }
    bgp_rib_end(&it);
    return count;
}

static void test_C095_same_set_as_ios(void **state) {
    static const struct {
        uint32_t external, internal, mixed;
        bool relax;
        uint32_t shares;
    } rows[] = {
        {0, 0, 0, false, 1}, {1, 0, 0, false, 1}, {2, 0, 0, false, 2}, {8, 0, 0, false, 3},
        {8, 0, 0, true, 4},  {0, 8, 0, false, 1}, {0, 0, 8, false, 5}, {0, 0, 8, true, 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start(rows[i].external, rows[i].internal, rows[i].mixed, rows[i].relax);
        for (uint32_t peer = 0; peer < 6; peer++) {
            announce(peer, peer == 3 ? 65002 : 65001, 5);
        }
        assert_int_equal(sharing(), rows[i].shares);
        assert_int_equal(b.fib.next_hop_count, rows[i].shares > 1 ? rows[i].shares : 0);
        bench_end(&b);
    }
}

static void test_C095_follows_changes(void **state) {
    (void)state;
    start(8, 0, 0, false);
    announce(0, 65001, 5);
    announce(1, 65001, 5);
    assert_int_equal(b.fib.next_hop_count, 2);
    announce(2, 65001, 9); /* MED still counts */
    assert_int_equal(sharing(), 2);
    announce(2, 65001, 5);
    assert_int_equal(b.fib.next_hop_count, 3);
    uint32_t events = b.fib_events;
    bench_withdraw(&b, 1, "192.0.2.0/24"); /* not the best one: the FIB hears of it all the same */
    bench_work(&b);
    assert_int_equal(b.fib_events, events + 1);
    assert_int_equal(b.fib.next_hop_count, 2);
    announce(0, 65001, 5); /* nothing new */
    assert_int_equal(b.fib_events, events + 1);
    bench_withdraw(&b, 0, "192.0.2.0/24"); /* the best one: the other is alone */
    bench_work(&b);
    assert_int_equal(b.fib.next_hop_count, 0);
    assert_int_equal(sharing(), 1);
    bench_end(&b);
}

/* BIRD: equal up to the IGP metric, whatever the AS_PATHs; internal ones do not join external ones;
 * sorted; told without an UPDATE to anybody. */
static void test_bird_merges(void **state) {
    (void)state;
    bench_config(&b, BGP_PROFILE_CALICO, 6);
    start_peers(6);
    announce(3, 65002, 5);
    assert_int_equal(b.fib.next_hop_count, 0);
    announce(4, 65001, 5);
    announce(5, 65001, 5);
    assert_int_equal(sharing(), 1);
    announce(1, 65001, 5);
    announce(0, 65001, 9); /* MED counts between paths of one AS; against AS 65002 it does not */
    assert_int_equal(b.fib.next_hop_count, 2);
    uint32_t events = b.fib_events;
    announce(0, 65001, 5);
    assert_int_equal(b.fib_events, events + 1);
    assert_int_equal(b.fib.next_hop_count, 3);
    bench_withdraw(&b, 0, "192.0.2.0/24");
    bench_withdraw(&b, 1, "192.0.2.0/24");
    bench_withdraw(&b, 3, "192.0.2.0/24");
    bench_work(&b);
    assert_int_equal(b.fib.next_hop_count, 2); /* the internal ones */
    bench_end(&b);
}

/* Paths beside the best one come and go: nobody is sent anything for that. */
static void test_shares_send_nothing(void **state) {
    (void)state;
    bench_config(&b, BGP_PROFILE_CALICO, 6);
    start_peers(6);
    announce(0, 65001, 5);
    bench_settle(&b);
    uint32_t before = b.holds[4].updates;
    assert_true(before > 0);
    announce(1, 65001, 5);
    bench_settle(&b);
    assert_int_equal(sharing(), 2);
    bench_withdraw(&b, 1, "192.0.2.0/24");
    bench_work(&b);
    bench_settle(&b);
    assert_int_equal(sharing(), 1);
    assert_int_equal(b.holds[4].updates, before);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C095_same_set_as_ios),
        cmocka_unit_test(test_C095_follows_changes),
        cmocka_unit_test(test_bird_merges),
        cmocka_unit_test(test_shares_send_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
