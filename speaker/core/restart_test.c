/*
 * Stale routes: graceful restart as a helper (C188 to C195, RFC 8538 with it) and enhanced refresh
 * (C185 to C187), against scripted bytes and with the real tables.
 */
#include "rig_test.h"

#include "../base/text.h"

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
static void test_C188_vouched_for(void **state) {
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
static void test_C188_end_of_rib_never(void **state) {
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
static void test_C190_not_vouched_for(void **state) {
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
static void test_C189_time_runs_out(void **state) {
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
static void test_C192_second_restart(void **state) {
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
static void test_C194_without_n_bit(void **state) {
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
static void test_C186_enhanced_refresh(void **state) {
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
        feed_end_of_rib(&r, c);
        feed_refresh(&r, c, BGP_REFRESH_BORR);
        feed_route(&r, c, 1);
        rig_pass(&r, 1000);
        assert_true(held(&r, 0) && held(&r, 1));
        if (finished)
            feed_refresh(&r, c, BGP_REFRESH_EORR);
        rig_pass(&r, finished ? 10 : 361000);
        assert_false(held(&r, 0));
        assert_true(held(&r, 1));
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        rig_end(&r);
    }
}

/* C186: the session is lost in the middle of a refresh: with graceful restart no route goes that
 * only waited to be said again, without it all go. */
static void test_C186_lost_between(void **state) {
    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        r.peer.passive = true;
        rig_start(&r);
        struct bgp_open open = graceful(&r, false, true);
        open.gr = kept;
        struct bgp_conn_id c = session(&r, &open);
        feed_route(&r, c, 0);
        feed_route(&r, c, 1);
        feed_end_of_rib(&r, c);
        feed_refresh(&r, c, BGP_REFRESH_BORR);
        feed_route(&r, c, 1);
        bgp_conn_down(r.s, c, BGP_CONN_RESET, r.now);
        rig_events(&r);
        rig_pass(&r, 100);
        assert_int_equal(held(&r, 0), kept);
        assert_int_equal(held(&r, 1), kept);
        open.gr_restarting = true;
        c = session(&r, &open);
        feed_route(&r, c, 0);
        feed_end_of_rib(&r, c);
        rig_pass(&r, 100);
        assert_true(held(&r, 0)); /* said again */
        assert_false(held(&r, 1));
        rig_end(&r);
    }
}

/* With octets behind the four that every subtype of ours has. */
static void feed_long_refresh(struct rig *r, struct bgp_conn_id c, uint8_t subtype) {
    const struct bgp_refresh refresh = {.afi = 1, .safi = 1, .subtype = subtype};
    uint8_t message[64] = {0};
    size_t size = refresh_encode(&refresh, message, sizeof message) + 3;
    message[17] = (uint8_t)size;
    rig_feed(r, c, message, size);
}

/* C185, C187: other families and unknown subtypes mean nothing, wrong sizes are 7/1. */
static void test_C187_unknown_subtypes(void **state) {
    (void)state;
    for (unsigned subtype = 3; subtype <= 255; subtype += 36) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_open open = graceful(&r, false, false);
        struct bgp_conn_id c = session(&r, &open);
        feed_route(&r, c, 0);
        rig_pull(&r, c);
        feed_refresh(&r, c, (uint8_t)subtype);
        feed_long_refresh(&r, c, (uint8_t)subtype);
        rig_pull(&r, c);
        assert_int_equal(r.out_size, 0);
        assert_true(held(&r, 0));
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        rig_end(&r);
    }
}

static void test_C185_other_family_and_length(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[64];
    static const struct bgp_refresh foreign[] = {{.afi = 2, .safi = 1}, {.afi = 1, .safi = 128}};
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_open open = graceful(&r, false, false);
    struct bgp_conn_id c = session(&r, &open);
    rig_pull(&r, c);
    for (unsigned i = 0; i < 2; i++)
        rig_feed(&r, c, message, refresh_encode(&foreign[i], message, sizeof message));
    rig_pull(&r, c);
    assert_int_equal(r.out_size, 0);
    size_t size = refresh_encode(&foreign[0], message, sizeof message);
    message[17] = (uint8_t)(size + 1);
    rig_feed(&r, c, message, size + 1);
    expect_notified(&r, BGP_ERR_REFRESH, 1);
    assert_int_equal(r.notified.notified.size, size + 1);
    assert_memory_equal(r.notified.notified.data, message, size);
    rig_end(&r);
}

/* C193 */
static void test_C193_no_capability(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_open open = rig_open(&r);
    struct bgp_conn_id c = session(&r, &open);
    feed_route(&r, c, 0);
    bgp_conn_down(r.s, c, BGP_CONN_RESET, r.now);
    rig_events(&r);
    rig_pass(&r, 1);
    assert_false(held(&r, 0));
    rig_end(&r);
}

/* ---- RFC 8538 ---- */

/* Established with route 0; the N bit on our side, on theirs. */
static struct bgp_conn_id with_n_bit(struct rig *r, bool ours, bool theirs) {
    rig_init(r, BGP_PROFILE_PLAIN, 64512, 64512);
    r->peer.passive = true;
    r->peer.gr_notification = ours;
    rig_start(r);
    struct bgp_open open = graceful(r, false, true);
    open.gr_notification = theirs;
    struct bgp_conn_id c = session(r, &open);
    feed_route(r, c, 0);
    rig_pull(r, c);
    return c;
}

/* C194: with the N bit on both sides a NOTIFICATION, sent or received, and hold expiry keep the
 * routes for the restart time. */
static void test_C194_n_bit(void **state) {
    (void)state;
    static const struct {
        uint8_t code, subcode;
    } received[] = {{BGP_ERR_CEASE, BGP_CEASE_RESET},
                    {BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN},
                    {BGP_ERR_HOLD_TIMER, 0},
                    {BGP_ERR_UPDATE, 3}};
    for (unsigned bits = 0; bits < 4; bits++) {
        bool both = bits == 3;
        for (unsigned i = 0; i < 6; i++) {
            struct rig r;
            uint8_t message[64];
            struct bgp_conn_id c = with_n_bit(&r, bits & 1, bits & 2);
            if (i < 4) {
                rig_feed(&r, c, message,
                         notification_encode(received[i].code, received[i].subcode, NULL, 0,
                                             message, sizeof message));
            } else if (i == 4) {
                rig_pass(&r, 90000); /* hold time */
                expect_notified(&r, BGP_ERR_HOLD_TIMER, 0);
            } else {
                memset(message, 0, sizeof message);
                rig_feed(&r, c, message, sizeof message);
                expect_notified(&r, BGP_ERR_HEADER, 1);
            }
            rig_pass(&r, 10);
            assert_int_equal(held(&r, 0), both);
            rig_pass(&r, 61000);
            assert_false(held(&r, 0));
            rig_end(&r);
        }
    }
}

/* C195: a hard reset ends it at once, and says why inside. */
static void test_C195_hard_reset_received(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[BGP_HEADER_SIZE + 2 + BGP_NOTIFICATION_DATA_MAX];
    uint8_t inside[3 + BGP_SHUTDOWN_TEXT_MAX] = {BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN,
                                                 BGP_SHUTDOWN_TEXT_MAX};
    memset(inside + 3, 'x', BGP_SHUTDOWN_TEXT_MAX);
    struct bgp_conn_id c = with_n_bit(&r, true, true);
    rig_feed(&r, c, message,
             notification_encode(BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, inside, sizeof inside,
                                 message, sizeof message));
    rig_pass(&r, 1);
    assert_false(held(&r, 0));
    assert_int_equal(rig_info(&r).last_subcode, BGP_CEASE_HARD_RESET);
    assert_string_equal(rig_info(&r).last_error, "Received: Administrative shutdown");
    const struct bgp_notification n = {BGP_ERR_CEASE, BGP_CEASE_HARD_RESET,
                                       r.notified.notified.data, r.notified.notified.size};
    struct text text;
    text_init(&text);
    assert_true(notification_shutdown_text(&n, &text)); /* the longest is told whole */
    assert_int_equal(text.size, BGP_SHUTDOWN_TEXT_MAX);
    text_deinit(&text);
    rig_end(&r);
}

/* C195: what the routes must not outlive goes out as a hard reset, where the peer knows those. */
static void test_C195_hard_reset_sent(void **state) {
    (void)state;
    for (int known = 0; known < 2; known++) {
        struct rig r;
        struct bgp_conn_id c = with_n_bit(&r, true, known);
        bgp_stop(r.s, "bye", r.now);
        rig_events(&r);
        rig_pull(&r, c);
        static const uint8_t soft[] = {BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN, 3, 'b', 'y', 'e'};
        expect_last_message(&r, BGP_ERR_CEASE, known ? BGP_CEASE_HARD_RESET : BGP_CEASE_SHUTDOWN);
        size_t size = sizeof soft + (known ? 2 : 0);
        assert_int_equal(r.out_size, BGP_HEADER_SIZE + size);
        assert_memory_equal(r.out + r.out_size - sizeof soft, soft, sizeof soft);
        assert_false(held(&r, 0));
        rig_end(&r);
    }
}

/* C191: what a restarting speaker sends before its End-of-RIB depends on next hops: it waits until
 * the host has spoken about them, whatever it says. */
static void test_C191_next_hops_first(void **state) {
    (void)state;
    for (int reachable = 0; reachable < 2; reachable++) {
        struct rig r;
        const struct bgp_env env = {.seed = 7, .restarting = true};
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        r.s = bgp_speaker_new(&r.config, &env, r.now);
        assert_non_null(r.s);
        rig_events(&r);
        struct bgp_open open = graceful(&r, false, false);
        struct bgp_conn_id c = session(&r, &open);
        rig_pull(&r, c); /* OPEN and KEEPALIVE */
        feed_route(&r, c, 0);
        feed_end_of_rib(&r, c);
        rig_pass(&r, 100);
        rig_pull(&r, c);
        assert_true(bgp_recovering(r.s));
        assert_int_equal(r.out_size, 0);
        bgp_nexthop_set(r.s, ip4(REMOTE), reachable, 0, r.now);
        rig_pass(&r, 100);
        rig_pull(&r, c);
        assert_false(bgp_recovering(r.s));
        assert_int_equal(r.out_size, BGP_HEADER_SIZE + 4); /* End-of-RIB */
        rig_end(&r);
    }
}

/* ---- another AS ---- */

static void feed_route_of(struct rig *r, struct bgp_conn_id c, uint32_t asn) {
    uint8_t message[512];
    size_t size;
    const uint32_t path[2] = {AS_SEQUENCE << 16 | 1, asn};
    const struct attr_values v = {.next_hop = ip4(REMOTE), .as_path = {path, 2}};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix p = ip_prefix_make(ip4(prefix_number(0)), 24);
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    rig_feed(r, c, message, size);
}

/* A neighbour of any AS from a range, in AS 65001, with route 0. */
static struct bgp_conn_id of_any_as(struct rig *r, struct bgp_listen_range *range) {
    rig_init(r, BGP_PROFILE_PLAIN, 64512, 64512);
    *range = (struct bgp_listen_range){.prefix = ip_prefix_make(ip4(0x0C000000), 8)};
    range->peer = r->peer;
    range->peer.passive = true;
    range->peer.remote_as = 0;
    range->peer.remote_addr = (struct ip_addr){0};
    snprintf(range->peer.name, BGP_PEER_NAME_MAX, "any");
    r->config.listen_ranges = range;
    r->config.listen_range_count = 1;
    rig_start(r);
    struct bgp_open open = graceful(r, false, true);
    open.asn = 65001;
    struct bgp_conn_id c = rig_establish_from(r, 0x0C000001, &open);
    feed_route_of(r, c, 65001);
    feed_end_of_rib(r, c);
    rig_pull(r, c);
    rig_pass(r, 1000);
    assert_true(held(r, 0));
    return c;
}

static struct bgp_peer_info dynamic_info(const struct rig *r) {
    struct bgp_peer_info info;
    assert_true(bgp_peer_at(r->s, 1, &info));
    return info;
}

/* What was learned from another AS, or by another kind of session, is not the new one's. */
static void test_back_in_another_as(void **state) {
    (void)state;
    static const uint32_t ases[] = {65001, 65002, 64512};
    for (int i = 0; i < 3; i++) {
        struct rig r;
        struct bgp_listen_range range;
        struct bgp_conn_id c = of_any_as(&r, &range);
        bgp_conn_down(r.s, c, BGP_CONN_RESET, r.now);
        rig_pass(&r, 2000);
        assert_true(held(&r, 0));
        struct bgp_open open = graceful(&r, true, true);
        open.asn = ases[i];
        rig_establish_from(&r, 0x0C000001, &open);
        rig_pass(&r, 100);
        assert_int_equal(dynamic_info(&r).state, BGP_ESTABLISHED);
        assert_int_equal(dynamic_info(&r).config->remote_as, ases[i]);
        assert_int_equal(held(&r, 0), ases[i] == 65001);
        rig_end(&r);
    }
}

/* A reload gives the neighbour another AS: while it is up with the N bit, and while it is away. */
static void test_configured_in_another_as(void **state) {
    (void)state;
    for (int away = 0; away < 2; away++) {
        struct rig r;
        struct bgp_conn_id c = with_n_bit(&r, true, true);
        if (away)
            bgp_conn_down(r.s, c, BGP_CONN_RESET, r.now);
        rig_pass(&r, 1000);
        assert_true(held(&r, 0));
        r.peer.remote_as = 65002;
        assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
        rig_pass(&r, 100);
        assert_false(held(&r, 0));
        rig_end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C188_vouched_for),
        cmocka_unit_test(test_C188_end_of_rib_never),
        cmocka_unit_test(test_C190_not_vouched_for),
        cmocka_unit_test(test_C189_time_runs_out),
        cmocka_unit_test(test_C192_second_restart),
        cmocka_unit_test(test_C191_next_hops_first),
        cmocka_unit_test(test_C186_enhanced_refresh),
        cmocka_unit_test(test_C186_lost_between),
        cmocka_unit_test(test_C187_unknown_subtypes),
        cmocka_unit_test(test_C185_other_family_and_length),
        cmocka_unit_test(test_C193_no_capability),
        cmocka_unit_test(test_C194_without_n_bit),
        cmocka_unit_test(test_C194_n_bit),
        cmocka_unit_test(test_C195_hard_reset_received),
        cmocka_unit_test(test_C195_hard_reset_sent),
        cmocka_unit_test(test_back_in_another_as),
        cmocka_unit_test(test_configured_in_another_as),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
