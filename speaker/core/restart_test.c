/*
 * Stale routes: graceful restart as a helper (C188 to C192) and enhanced refresh (C186), against
 * scripted bytes and with the real tables.
 */
#include "rig_test.h"

static uint32_t prefix_number(uint32_t n) {
    return 0x0B000000u + (n << 8);
}

static void feed_route(struct rig *r, struct bgp_conn_id c, uint32_t n) {
    uint8_t message[512];
    size_t size;
    const struct attr_values v = {
        .next_hop = ip4(REMOTE), .has_local_pref = true, .local_pref = 100};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix p = ip_prefix_make(ip4(prefix_number(n)), 24);
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    rig_feed(r, c, message, size);
}

static void feed_end_of_rib(struct rig *r, struct bgp_conn_id c) {
    uint8_t message[64];
    rig_feed(r, c, message, end_of_rib_encode(BGP_IPV4_UNICAST, message, sizeof message));
}

static void feed_refresh(struct rig *r, struct bgp_conn_id c, uint8_t subtype) {
    uint8_t message[64];
    const struct bgp_refresh refresh = {.afi = 1, .safi = 1, .subtype = subtype};
    rig_feed(r, c, message, refresh_encode(&refresh, message, sizeof message));
}

static bool held(const struct rig *r, uint32_t n) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    bool any = false;
    if (!bgp_rib_find(r->s, ip_prefix_make(ip4(prefix_number(n)), 24), &it))
        return false;
    while (bgp_rib_next_path(r->s, &it, &path))
        any = true;
    bgp_rib_end(&it);
    return any;
}

static struct bgp_conn_id session(struct rig *r, const struct bgp_open *open) {
    struct bgp_conn_id c = rig_call(r);
    feed_open(r, c, open);
    feed_keepalive(r, c);
    assert_int_equal(rig_info(r).state, BGP_ESTABLISHED);
    return c;
}

static struct bgp_open graceful(const struct rig *r, bool back, bool forwarding) {
    struct bgp_open open = rig_open(r);
    open.gr = true;
    open.gr_restarting = back;
    open.gr_time_s = 60;
    open.gr_families[0].present = true;
    open.gr_families[0].forwarding = forwarding;
    open.enhanced_refresh = true;
    return open;
}

/* Routes 0 and 1 learned, transport lost. */
static void lost(struct rig *r) {
    rig_init(r, BGP_PROFILE_CALICO, 64512, 64512);
    r->peer.passive = true;
    rig_start(r);
    struct bgp_open open = graceful(r, false, false);
    struct bgp_conn_id c = session(r, &open);
    feed_route(r, c, 0);
    feed_route(r, c, 1);
    feed_end_of_rib(r, c);
    rig_pass(r, 1000);
    bgp_conn_down(r->s, c, BGP_CONN_RESET, r->now);
    rig_events(r);
    assert_true(held(r, 0) && held(r, 1));
    rig_pass(r, 1000);
}

/* C188: back with its forwarding state: what is not said again goes at End-of-RIB, not before. */
static void vouched_for(void **state) {
    (void)state;
    struct rig r;
    lost(&r);
    struct bgp_open open = graceful(&r, true, true);
    struct bgp_conn_id c = session(&r, &open);
    feed_route(&r, c, 1);
    rig_pass(&r, 100);
    assert_true(held(&r, 0) && held(&r, 1));
    feed_end_of_rib(&r, c);
    rig_pass(&r, 100);
    assert_false(held(&r, 0));
    assert_true(held(&r, 1));
    rig_end(&r);
}

/* The End-of-RIB never comes: the bound holds. */
static void end_of_rib_never(void **state) {
    (void)state;
    struct rig r;
    lost(&r);
    struct bgp_open open = graceful(&r, true, true);
    open.hold_time_s = 0;
    struct bgp_conn_id c = session(&r, &open);
    feed_route(&r, c, 1);
    rig_pass(&r, 359000);
    assert_true(held(&r, 0));
    rig_pass(&r, 2000);
    assert_false(held(&r, 0));
    assert_true(held(&r, 1));
    rig_end(&r);
}

/* C190: F bit clear, or the family or the capability gone: purged at once. */
static void not_vouched_for(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct rig r;
        lost(&r);
        struct bgp_open open = graceful(&r, true, how != 0);
        open.gr_families[0].present = how == 0;
        open.gr = how != 2;
        session(&r, &open);
        rig_pass(&r, 100);
        assert_false(held(&r, 0));
        rig_end(&r);
    }
}

/* C189 */
static void time_runs_out(void **state) {
    (void)state;
    struct rig r;
    lost(&r);
    rig_pass(&r, 58000);
    assert_true(held(&r, 0));
    rig_pass(&r, 1100);
    assert_false(held(&r, 0));
    rig_end(&r);
}

/* C192: lost again before the End-of-RIB: what was stale already goes, the new routes stay. */
static void second_restart(void **state) {
    (void)state;
    struct rig r;
    lost(&r);
    struct bgp_open open = graceful(&r, true, true);
    struct bgp_conn_id c = session(&r, &open);
    feed_route(&r, c, 1);
    rig_pass(&r, 100);
    bgp_conn_down(r.s, c, BGP_CONN_CLOSED, r.now);
    rig_events(&r);
    rig_pass(&r, 100);
    assert_false(held(&r, 0));
    assert_true(held(&r, 1));
    assert_int_equal(rig_info(&r).prefixes_received[0], 1);
    rig_end(&r);
}

/* A NOTIFICATION ends retention, and so does being taken out of the configuration. */
static void notification_ends_it(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[64];
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_open open = graceful(&r, false, false);
    struct bgp_conn_id c = session(&r, &open);
    feed_route(&r, c, 0);
    rig_feed(&r, c, message, notification_encode(6, 4, NULL, 0, message, sizeof message));
    rig_pass(&r, 10);
    assert_false(held(&r, 0));
    rig_end(&r);
    lost(&r);
    r.config.peer_count = 0;
    assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
    rig_pass(&r, 10);
    assert_false(held(&r, 0));
    rig_end(&r);
}

/* C186: what is not said again between BoRR and EoRR goes; without EoRR, after a while. */
static void enhanced_refresh(void **state) {
    (void)state;
    for (int finished = 0; finished < 2; finished++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_open open = graceful(&r, false, false);
        open.hold_time_s = 0;
        struct bgp_conn_id c = session(&r, &open);
        feed_route(&r, c, 0);
        feed_route(&r, c, 1);
        feed_refresh(&r, c, 1);
        feed_route(&r, c, 1);
        rig_pass(&r, 1000);
        assert_true(held(&r, 0) && held(&r, 1));
        if (finished)
            feed_refresh(&r, c, 2);
        rig_pass(&r, finished ? 10 : 361000);
        assert_false(held(&r, 0));
        assert_true(held(&r, 1));
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        rig_end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vouched_for),      cmocka_unit_test(end_of_rib_never),
        cmocka_unit_test(not_vouched_for),  cmocka_unit_test(time_runs_out),
        cmocka_unit_test(second_restart),   cmocka_unit_test(notification_ends_it),
        cmocka_unit_test(enhanced_refresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
