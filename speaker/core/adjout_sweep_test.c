/*
 * Update groups that end, and members that leave one, with a table behind them: freeing and copying
 * go in slices, counted in slots looked at, and whatever happens in between, every member ends with
 * what it should have.
 */
#include "tables_test.h"

#include "adjout.h"
#include "rib.h"

#define ROUTES 1500u
#define BUDGET 64u
#define SLICE_MAX (BUDGET + ADJOUT_PAGE) /* a page is finished when it is begun */
#define TURNS 60

static struct bench b;
static uint32_t med[ROUTES]; /* what peer 0 announces; 0: nothing */

static struct ip_prefix prefix_of(uint32_t n) {
    return ip_prefix_make(ip4(0x0b000000u + (n << 8)), 24);
}

static void announce(uint32_t n, uint32_t value) {
    const struct attr_values v = {.next_hop = ip4(0x0a000001u),
                                  .has_local_pref = true,
                                  .local_pref = 100,
                                  .has_med = true,
                                  .med = value};
    const struct ip_prefix p = prefix_of(n);
    (void)bench_send(&b, 0, value ? &v : NULL, &p, 1);
    med[n] = value;
}

/* Peer 0 has the routes; 1, 2 and 3 are sent them by one group. */
static void begin(void) {
    bench_config(&b, BGP_PROFILE_PLAIN, 4);
    for (uint32_t i = 0; i < 4; i++) {
        b.peers[i].rr_client = true;
    }
    bench_start(&b);
    for (uint32_t i = 0; i < 4; i++) {
        bench_up(&b, i);
    }
    memset(med, 0, sizeof med);
    for (uint32_t n = 0; n < ROUTES; n++) {
        announce(n, 1 + n % 7);
    }
    bench_settle(&b);
    assert_int_equal(b.holds[1].route_count, ROUTES);
    assert_int_equal(adjout_group_count(b.s), 1);
}

static void end(void) {
    bench_end(&b);
}

/* One call with the small budget; true: more to do. */
static bool slice(void) {
    uint64_t before = b.s->adjout->swept;
    bench_events(&b);
    bool more = rib_work(b.s, BUDGET, b.now);
    assert_true(b.s->adjout->swept - before <= SLICE_MAX);
    return more;
}

static void move(uint32_t peer, bool self) {
    uint64_t before = b.s->adjout->swept;
    bench_options(&b, peer)->next_hop_mode = self ? BGP_NEXT_HOP_SELF_ALL : BGP_NEXT_HOP_KEEP;
    adjout_regroup(b.s, b.holds[peer].p);
    assert_true(b.s->adjout->swept - before <= SLICE_MAX);
}

static void peer_has_all(uint32_t peer, bool self) {
    uint32_t count = 0;
    for (uint32_t n = 0; n < ROUTES; n++) {
        const struct held_route *r = held_find(&b.holds[peer], prefix_of(n), 0);
        assert_int_equal(r != NULL, med[n] != 0);
        if (!r) {
            continue;
        }
        const struct attr_values *v = &attr_get(&b.attrs, r->attrs)->v;
        assert_int_equal(v->med, med[n]);
        assert_true(ip_equal(v->next_hop, self ? addr("10.0.0.100") : ip4(0x0a000001u)));
        count++;
    }
    assert_int_equal(b.holds[peer].route_count, count);
}

/* ---- the end of a group ---- */

/* Nobody is sent the table any more: it goes in slices, and timers fire between them. */
static void test_group_ends_in_slices(void **state) {
    struct bench_timer timer;
    uint32_t calls = 0;
    (void)state;
    begin();
    b.s->env.work_budget = BUDGET;
    bench_timer_start(&b, &timer);
    uint64_t before = b.s->adjout->swept;
    for (uint32_t i = 0; i < 4; i++) {
        adjout_peer_down(b.s, b.holds[i].p);
        bench_forget(&b, &b.holds[i]);
        b.holds[i].up = false;
    }
    assert_true(b.s->adjout->swept == before);
    assert_int_equal(adjout_group_count(b.s), 0);
    assert_true(b.s->adjout->said.used > 0);
    while (bgp_next_deadline(b.s).ns == 0) {
        before = b.s->adjout->swept;
        b.now = nanotime_add_ms(b.now, 1);
        bgp_advance(b.s, b.now);
        bench_events(&b);
        assert_true(b.s->adjout->swept - before <= SLICE_MAX);
        assert_int_equal(timer.fired, ++calls);
    }
    assert_true(calls >= ROUTES / SLICE_MAX);
    assert_int_equal(b.s->adjout->said.used, 0);
    assert_int_equal(b.s->adjout->groups.used, 0);
    for (uint32_t n = 1; n <= ROUTES; n++) {
        assert_int_equal(rib_entry_at(b.s, BGP_IPV4_UNICAST, n)->out_references, 0);
    }
    heap_cancel(&b.s->timers, &timer.call.timer);
    end();
}

/* Changes were due, and members had not been sent everything, when the group ended. */
static void test_group_ends_with_changes_due(void **state) {
    (void)state;
    begin();
    for (uint32_t n = 0; n < ROUTES; n += 2) {
        announce(n, n % 4 ? 0 : 9);
    }
    bench_work(&b);
    for (uint32_t i = 1; i < 4; i++) {
        (void)bench_pull_some(&b, i, i);
        bench_down(&b, i, false);
    }
    bench_down(&b, 0, false);
    while (slice()) {
    }
    assert_int_equal(b.s->adjout->said.used, 0);
    assert_int_equal(b.s->adjout->pendings.used, 0);
    assert_int_equal(b.s->adjout->buckets.used, 0);
    assert_int_equal(b.s->rib->entries[0].used, 0);
    end();
}

/* ---- members that leave ---- */

static void test_leaving_is_sliced(void **state) {
    uint32_t calls = 0;
    (void)state;
    begin();
    move(1, true);
    assert_non_null(b.s->adjout->copying);
    for (; slice(); calls++) {
    }
    assert_null(b.s->adjout->copying);
    assert_true(calls >= ROUTES / SLICE_MAX);
    bench_settle(&b);
    peer_has_all(1, true);
    peer_has_all(2, false);
    assert_int_equal(b.holds[1].spurious + b.holds[1].repeated + b.holds[2].repeated, 0);
    while (slice()) {
    }
    assert_null(b.s->adjout->dropped);
    end();
}

/* The last member leaves: the group's table is copied before it is freed. */
static void test_last_member_leaves(void **state) {
    (void)state;
    begin();
    for (uint32_t i = 0; i < 4; i++) {
        move(i, true);
    }
    assert_int_equal(adjout_group_count(b.s), 1);
    while (slice()) {
    }
    bench_settle(&b);
    for (uint32_t i = 1; i < 4; i++) {
        peer_has_all(i, true);
        assert_int_equal(b.holds[i].spurious + b.holds[i].repeated, 0);
    }
    end();
}

/* Routes change, members move, pull and come and go while copies are under way. */
static void random_turn(uint64_t *rng) {
    uint32_t peer = 1 + (uint32_t)rng_below(rng, 3);
    for (uint32_t i = 0; i < 40; i++) {
        announce((uint32_t)rng_below(rng, ROUTES), (uint32_t)rng_below(rng, 4));
    }
    move(peer, rng_below(rng, 2));
    (void)bench_pull_some(&b, 1 + (uint32_t)rng_below(rng, 3), (uint32_t)rng_below(rng, 20));
    if (rng_below(rng, 8) == 0) {
        bench_down(&b, peer, false);
        bench_up(&b, peer);
    }
    for (uint64_t i = rng_below(rng, 30); i > 0 && slice(); i--) {
    }
}

static void test_changes_meanwhile(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        uint64_t rng = seed;
        begin();
        for (int turn = 0; turn < TURNS; turn++) {
            random_turn(&rng);
        }
        bench_settle(&b);
        for (uint32_t i = 1; i < 4; i++) {
            peer_has_all(i, bench_options(&b, i)->next_hop_mode == BGP_NEXT_HOP_SELF_ALL);
        }
        while (slice()) {
        }
        assert_null(b.s->adjout->copying);
        assert_null(b.s->adjout->dropped);
        end();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group_ends_in_slices),
        cmocka_unit_test(test_group_ends_with_changes_due),
        cmocka_unit_test(test_leaving_is_sliced),
        cmocka_unit_test(test_last_member_leaves),
        cmocka_unit_test(test_changes_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
