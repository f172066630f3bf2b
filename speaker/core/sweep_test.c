/*
 * Work over whole tables in slices: a session that ends, purging, policy run again, decisions and
 * the FIB after a new configuration. Work is counted in prefixes looked at, never in time.
 */
#include "tables_test.h"

#include "adjout.h"
#include "event.h"
#include "rib.h"

#define ROUTES 5000u
#define BUDGET 64u

static struct bench b;

static struct ip_prefix prefix_of(uint32_t n) {
    return ip_prefix_make(ip4(0x0b000000u + (n << 8)), 24);
}

static struct attr_values route_of(uint32_t peer) {
    return (struct attr_values){
        .next_hop = ip4(0x0a000001u + peer), .has_local_pref = true, .local_pref = 100};
}

static void announce_some(uint32_t peer, uint32_t first, uint32_t count) {
    const struct attr_values v = route_of(peer);
    for (uint32_t n = first; n < first + count; n++) {
        const struct ip_prefix p = prefix_of(n);
        (void)bench_send(&b, peer, &v, &p, 1);
    }
}

/* How many prefixes show a path of this peer; `stale`: only stale ones. */
static uint32_t shown(uint32_t peer, bool stale) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    uint32_t count = 0;
    assert_int_equal(bgp_rib_begin(b.s, BGP_IPV4_UNICAST, &it), BGP_OK);
    while (bgp_rib_next_prefix(b.s, &it)) {
        while (bgp_rib_next_path(b.s, &it, &path)) {
            count += path.peer.index == b.holds[peer].p->index && (!stale || path.stale);
        }
    }
    bgp_rib_end(&it);
    return count;
}

static uint32_t counted(uint32_t peer) {
    return rib_received_count(b.s, b.holds[peer].p, BGP_IPV4_UNICAST);
}

static void begin(bool soft_reconfiguration) {
    bench_config(&b, BGP_PROFILE_CALICO, 3);
    for (uint32_t i = 0; i < 3; i++) {
        b.peers[i].soft_reconfiguration = soft_reconfiguration;
        b.peers[i].rr_client = true;
    }
    bench_start(&b);
    bench_up(&b, 0);
    bench_up(&b, 1);
}

/* Works until nothing is left; no call looks at more than its budget. Returns the calls. */
static uint32_t work_counted(void) {
    uint32_t calls = 0;
    bool more = true;
    while (more) {
        uint64_t before = b.s->rib->swept;
        bench_events(&b);
        more = rib_work(b.s, BUDGET, b.now) || event_count(b.s) > 0;
        assert_true(b.s->rib->swept - before <= BUDGET);
        calls++;
    }
    return calls;
}

/* A full table goes in slices, and timers fire between them. */
static void test_session_end_is_sliced(void **state) {
    struct bench_timer timer;
    uint32_t calls = 0;
    (void)state;
    begin(false);
    b.s->env.work_budget = BUDGET;
    announce_some(0, 0, ROUTES);
    announce_some(1, 0, 10);
    (void)work_counted();
    assert_int_equal(counted(0), ROUTES);
    assert_int_equal(rib_accepted_count(b.s, b.holds[0].p, BGP_IPV4_UNICAST), ROUTES);
    assert_int_equal(rib_best_count(b.s, b.holds[0].p, BGP_IPV4_UNICAST), ROUTES);
    bench_timer_start(&b, &timer);
    bench_down(&b, 0, false);
    assert_int_equal(counted(0), 0);
    assert_int_equal(rib_accepted_count(b.s, b.holds[0].p, BGP_IPV4_UNICAST), 0);
    assert_int_equal(rib_best_count(b.s, b.holds[0].p, BGP_IPV4_UNICAST), 0);
    assert_int_equal(b.s->rib->adj_in[0], 10);
    assert_int_equal(shown(0, false), 0);
    while (bgp_next_deadline(b.s).ns == 0) {
        uint64_t before = b.s->rib->swept;
        b.now = nanotime_add_ms(b.now, 1);
        bgp_advance(b.s, b.now);
        bench_events(&b);
        assert_true(b.s->rib->swept - before <= BUDGET);
        assert_int_equal(timer.fired, ++calls);
    }
    assert_true(calls >= ROUTES / BUDGET);
    assert_int_equal(b.s->rib->paths.used, 10);
    assert_int_equal(b.s->rib->loc_rib[0], 10);
    heap_cancel(&b.s->timers, &timer.call.timer);
    bench_end(&b);
}

/* The peer is back before its old routes are gone: they and the new ones are never mixed up. */
static void test_back_before_the_end(void **state) {
    (void)state;
    begin(false);
    announce_some(0, 0, ROUTES);
    (void)work_counted();
    bench_down(&b, 0, false);
    bench_up(&b, 0);
    announce_some(0, ROUTES - 100, 200);
    assert_int_equal(counted(0), 200);
    assert_int_equal(shown(0, false), 200);
    (void)rib_work(b.s, BUDGET, b.now);
    bench_down(&b, 0, false);
    bench_up(&b, 0);
    announce_some(0, 10, 1);
    (void)work_counted();
    assert_int_equal(counted(0), 1);
    assert_int_equal(shown(0, false), 1);
    assert_int_equal(b.s->rib->paths.used, 1);
    (void)bench_pull(&b, 1);
    assert_int_equal(b.holds[1].route_count, 1);
    bench_end(&b);
}

/* A prefix that is decided before the sweep has come by it: a path that is gone is no candidate. */
static void test_gone_is_no_candidate(void **state) {
    (void)state;
    begin(false);
    announce_some(0, 0, ROUTES);
    const struct attr_values worse = {
        .next_hop = ip4(0x0a000002), .has_local_pref = true, .local_pref = 50};
    const struct ip_prefix last = prefix_of(ROUTES - 1);
    (void)bench_send(&b, 1, &worse, &last, 1);
    (void)work_counted();
    uint32_t entry = rib_entry_find(b.s, BGP_IPV4_UNICAST, last);
    assert_int_equal(rib_entry_at(b.s, BGP_IPV4_UNICAST, entry)->best_peer, b.holds[0].p->index);
    bench_down(&b, 0, false);
    rib_entry_dirty(b.s, BGP_IPV4_UNICAST, entry);
    (void)rib_work(b.s, BUDGET, b.now);
    assert_true(b.s->rib->paths.used > ROUTES - BUDGET);
    assert_int_equal(rib_entry_at(b.s, BGP_IPV4_UNICAST, entry)->best_peer, b.holds[1].p->index);
    bench_end(&b);
}

/* More sessions than there are epochs while nothing is swept. */
static void test_flapping_without_work(void **state) {
    (void)state;
    begin(false);
    for (uint32_t n = 0; n < 5 * RIB_EPOCHS; n++) {
        announce_some(0, n, 3);
        assert_int_equal(counted(0), 3);
        assert_int_equal(shown(0, false), 3);
        bench_down(&b, 0, false);
        bench_up(&b, 0);
    }
    announce_some(0, 1, 2);
    (void)work_counted();
    assert_int_equal(shown(0, false), 2);
    assert_int_equal(b.s->rib->paths.used, 2);
    bench_end(&b);
}

/* … and more refreshes; what came after the last BoRR is fresh. RFC 7313 4 */
static void test_refreshes_without_work(void **state) {
    (void)state;
    begin(false);
    for (uint32_t n = 0; n < 5 * RIB_EPOCHS; n++) {
        rib_mark_stale(b.s, b.holds[0].p, BGP_IPV4_UNICAST, b.now);
        announce_some(0, n, 3);
        assert_int_equal(shown(0, true), n);
        assert_int_equal(shown(0, false), n + 3);
    }
    rib_mark_fresh(b.s, b.holds[0].p, BGP_IPV4_UNICAST);
    assert_int_equal(shown(0, true), 0);
    rib_mark_stale(b.s, b.holds[0].p, BGP_IPV4_UNICAST, b.now);
    announce_some(0, 0, 2);
    rib_purge_stale(b.s, b.holds[0].p, BGP_IPV4_UNICAST, true);
    assert_int_equal(shown(0, false), 2);
    (void)work_counted();
    assert_int_equal(counted(0), 2);
    assert_int_equal(b.last_log, BGP_LOG_GR_ENDED);
    bench_end(&b);
}

/* Announced again between the purge and the sweep: nobody is left without it. */
static void test_purged_and_announced_again(void **state) {
    (void)state;
    begin(false);
    announce_some(0, 0, 200);
    (void)work_counted();
    rib_mark_stale(b.s, b.holds[0].p, BGP_IPV4_UNICAST, b.now);
    rib_purge_stale(b.s, b.holds[0].p, BGP_IPV4_UNICAST, false);
    adjout_reevaluate(b.s); /* the groups look at their tables now */
    adjout_work(b.s, 100000);
    announce_some(0, 0, 200);
    (void)work_counted();
    (void)bench_pull(&b, 1);
    assert_int_equal(counted(0), 200);
    assert_int_equal(b.holds[1].route_count, 200);
    bench_end(&b);
}

static void test_import_policy_again_is_sliced(void **state) {
    (void)state;
    begin(true);
    announce_some(0, 0, ROUTES);
    (void)work_counted();
    bench_options(&b, 0)->import[0].accept_by_default = false;
    assert_true(rib_reimport(b.s, b.holds[0].p));
    assert_true(work_counted() >= ROUTES / BUDGET);
    assert_int_equal(rib_accepted_count(b.s, b.holds[0].p, 0), 0);
    assert_int_equal(counted(0), ROUTES);
    assert_int_equal(b.s->rib->loc_rib[0], 0);
    bench_end(&b);
}

/* A peer that is removed with a full table leaves nothing behind, and nobody looks at what it was
 * told to be any more. */
static void test_removed_with_a_full_table(void **state) {
    (void)state;
    for (uint32_t worked = 0; worked < 2; worked++) {
        begin(false);
        announce_some(0, 0, ROUTES);
        (void)work_counted();
        struct bgp_peer_config *peers = b.config.peers;
        for (uint32_t n = 0; n < 6; n++) {
            bench_down(&b, 0, false);
            b.config.peers = peers + 1; /* without the first */
            b.config.peer_count = 2;
            assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
            assert_int_equal(b.s->rib->removed_peers, n == 0);
            if (worked) {
                (void)rib_work(b.s, BUDGET, b.now);
            }
            adjout_reevaluate(b.s);
            adjout_work(b.s, 100000);
            b.config.peers = peers;
            b.config.peer_count = 3;
            assert_int_equal(bgp_configure(b.s, &b.config, b.now), BGP_OK);
            b.holds[0].p = speaker_peer(b.s, b.s->peer_order[0]);
        }
        (void)work_counted();
        assert_int_equal(b.s->rib->paths.used + b.s->rib->entries[0].used, 0);
        assert_int_equal(b.s->peers.used, 3);
        bench_end(&b);
    }
}

/* ---- prefixes in order ---- */

struct order_walk {
    uint32_t prefixes, slices;
    struct ip_prefix last;
};

/* Goes on to the end in slices; `between` after each. */
static struct order_walk walk_in_order(uint32_t batch, void (*between)(uint32_t slice)) {
    struct order_walk w = {0};
    struct bgp_rib_order *o = bgp_rib_order_new(b.s, BGP_IPV4_UNICAST, batch);
    enum bgp_status st;
    assert_non_null(o);
    do {
        uint32_t budget = BUDGET;
        struct ip_prefix p;
        while ((st = bgp_rib_order_next(b.s, o, &budget, &p)) == BGP_OK) {
            assert_true(w.prefixes == 0 || ip_prefix_compare(w.last, p) < 0);
            w.last = p;
            w.prefixes++;
        }
        w.slices++;
        if (between) {
            between(w.slices);
        }
    } while (st == BGP_REFUSED);
    assert_int_equal(st, BGP_UNKNOWN);
    bgp_rib_order_free(o);
    return w;
}

/* Sorted in slices, and as often as the batch is small the table is looked through. */
static void test_order_in_slices(void **state) {
    static const uint32_t batches[] = {1, 2, 700, ROUTES - 1, ROUTES, ROUTES + 1, 100000};
    (void)state;
    begin(false);
    for (uint32_t n = 0; n < ROUTES; n++) {
        announce_some(0, n * 7 % ROUTES, 1);
    }
    (void)work_counted();
    for (size_t i = 2; i < sizeof batches / sizeof batches[0]; i++) {
        struct order_walk w = walk_in_order(batches[i], NULL);
        assert_int_equal(w.prefixes, ROUTES);
        uint32_t passes = (ROUTES + batches[i] - 1) / batches[i];
        assert_true(w.slices >= ROUTES / BUDGET && w.slices <= passes * (ROUTES / BUDGET + 2));
    }
    for (uint32_t n = 20; n < ROUTES; n++) {
        const struct ip_prefix p = prefix_of(n);
        (void)bench_send(&b, 0, NULL, &p, 1);
    }
    (void)work_counted();
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(walk_in_order(batches[i], NULL).prefixes, 20);
    }
    bench_end(&b);
}

/* One prefix goes, one comes, in odd and even places of the second half. */
static void change_one(uint32_t slice) {
    uint32_t n = ROUTES / 2 + slice % (ROUTES / 2);
    const struct ip_prefix p = prefix_of(n);
    if (n % 2) {
        (void)bench_send(&b, 0, NULL, &p, 1);
    } else {
        announce_some(0, ROUTES + n, 1);
    }
    (void)rib_work(b.s, BUDGET, b.now);
}

/* What does not change is given once, whatever goes and comes. */
static void test_order_while_it_changes(void **state) {
    (void)state;
    begin(false);
    announce_some(0, 0, ROUTES);
    (void)work_counted();
    struct order_walk w = walk_in_order(500, change_one);
    assert_true(w.prefixes >= ROUTES / 2 + ROUTES / 4 && w.prefixes <= 2 * ROUTES);
    w = walk_in_order(500, NULL);
    assert_int_equal(w.prefixes, b.s->rib->loc_rib[0]);
    bench_end(&b);
}

/* A default route that only a session was given, without one in the table. */
static void test_order_has_what_was_originated(void **state) {
    struct bgp_adj_out sent = {0};
    (void)state;
    bench_config(&b, BGP_PROFILE_PLAIN, 2);
    b.peers[1].default_originate[0] = true;
    bench_start(&b);
    bench_up(&b, 0);
    bench_up(&b, 1);
    bench_settle(&b);
    struct order_walk w = walk_in_order(100, NULL);
    assert_int_equal(w.prefixes, 1);
    assert_int_equal(w.last.length, 0);
    assert_true(
        bgp_adj_out_next(b.s, (struct bgp_peer_id){.index = b.holds[1].p->index}, w.last, &sent));
    memset(&sent, 0, sizeof sent);
    assert_false(
        bgp_adj_out_next(b.s, (struct bgp_peer_id){.index = b.holds[0].p->index}, w.last, &sent));
    bench_down(&b, 1, false);
    (void)work_counted();
    assert_int_equal(walk_in_order(100, NULL).prefixes, 0);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_end_is_sliced),
        cmocka_unit_test(test_back_before_the_end),
        cmocka_unit_test(test_gone_is_no_candidate),
        cmocka_unit_test(test_flapping_without_work),
        cmocka_unit_test(test_refreshes_without_work),
        cmocka_unit_test(test_purged_and_announced_again),
        cmocka_unit_test(test_import_policy_again_is_sliced),
        cmocka_unit_test(test_removed_with_a_full_table),
        cmocka_unit_test(test_order_in_slices),
        cmocka_unit_test(test_order_while_it_changes),
        cmocka_unit_test(test_order_has_what_was_originated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
