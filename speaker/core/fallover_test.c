/*
 * What the loss of a connected subnet or of the way to a neighbour does to sessions: bgp
 * fast-external-fallover and neighbor fall-over of IOS.
 */
#include "message.h"
#include "rig_test.h"

static void set_subnets(struct rig *r, const struct ip_prefix *subnets, size_t count) {
    assert_int_equal(bgp_connected_set(r->s, subnets, count, r->now), BGP_OK);
    rig_events(r);
}

static const struct {
    const char *name;
    bool fallover;
    uint32_t remote_as;
    uint8_t multihop;
    bool watched;
    enum bgp_down_reason falls;
} rows[] = {
    {"direct and external", true, 65001, 0, false, BGP_DOWN_INTERFACE},
    {"switched off", false, 65001, 0, false, BGP_DOWN_NONE},
    {"over several hops", true, 65001, 2, false, BGP_DOWN_NONE},
    {"internal", true, 64512, 0, false, BGP_DOWN_NONE},
    {"external and watched", true, 65001, 0, true, BGP_DOWN_INTERFACE},
    {"switched off and watched", false, 65001, 0, true, BGP_DOWN_NO_ROUTE},
    {"several hops and watched", true, 65001, 2, true, BGP_DOWN_NO_ROUTE},
    {"internal and watched", false, 64512, 0, true, BGP_DOWN_NO_ROUTE},
};

static void test_subnet_lost(void **state) {
    const struct ip_prefix subnets[] = {ip_prefix_make(ip4(0x0A000000u), 24),
                                        ip_prefix_make(ip4(0x0B000000u), 24)};
    struct rig r;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_init(&r, BGP_PROFILE_IOS, 64512, rows[i].remote_as);
        r.config.fast_external_fallover = rows[i].fallover;
        r.peer.multihop = rows[i].multihop;
        r.peer.fall_over = rows[i].watched;
        rig_start(&r);
        set_subnets(&r, subnets, 2);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        set_subnets(&r, subnets, 1); /* another one */
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        set_subnets(&r, NULL, 0);
        if ((rig_info(&r).state != BGP_ESTABLISHED) != (rows[i].falls != BGP_DOWN_NONE))
            fail_msg("%s: %s", rows[i].name, bgp_state_name(rig_info(&r).state));
        if (rows[i].falls) {
            rig_pull(&r, c);
            expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_CONFIG_CHANGE);
            assert_int_equal(rig_info(&r).last_reason, rows[i].falls);
            set_subnets(&r, subnets, 2); /* and it comes back */
            (void)rig_up_to(&r, BGP_ESTABLISHED);
        }
        rig_end(&r);
    }
}

/* ---- the way to the neighbour ---- */

static void set_route(struct rig *r, bool reachable, uint32_t metric) {
    bgp_nexthop_set(r->s, ip4(REMOTE), reachable, metric, r->now);
    rig_events(r);
}

static void set_fall_over(struct rig *r, bool fall_over) {
    r->peer.fall_over = fall_over;
    assert_int_equal(bgp_configure(r->s, &r->config, r->now), BGP_OK);
    rig_events(r);
}

static void expect_lost(struct rig *r, struct bgp_conn_id c) {
    assert_int_not_equal(rig_info(r).state, BGP_ESTABLISHED);
    assert_int_equal(rig_info(r).last_reason, BGP_DOWN_NO_ROUTE);
    rig_pull(r, c);
    expect_notified(r, BGP_ERR_CEASE, BGP_CEASE_CONFIG_CHANGE);
    r->notified_count = 0;
}

static void test_route_lost(void **state) {
    struct rig r;
    (void)state;
    rig_init(&r, BGP_PROFILE_IOS, 64512, 64512);
    r.peer.fall_over = true;
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED); /* nobody has said yet */
    set_route(&r, true, 0);
    set_route(&r, true, 20);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    set_route(&r, false, 0);
    expect_lost(&r, c);
    c = rig_up_to(&r, BGP_ESTABLISHED); /* and it comes back */
    set_route(&r, false, 0);            /* the first answer may be that there is none */
    expect_lost(&r, c);
    rig_end(&r);
}

/* Without the option nothing is asked, and it may come and go while the session is up. */
static void test_route_watched_on_demand(void **state) {
    struct rig r;
    (void)state;
    rig_init(&r, BGP_PROFILE_IOS, 64512, 65001);
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    set_route(&r, false, 0);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    set_fall_over(&r, true);
    set_route(&r, true, 0);
    set_fall_over(&r, false);
    set_route(&r, false, 0);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    set_fall_over(&r, true);
    set_route(&r, false, 0);
    expect_lost(&r, c);
    rig_end(&r);
}

/* The table has asked already, for a route's next hop, and knows that no way leads there: for who
 * watches from now on there is no other answer to come. */
static void test_route_lost_before(void **state) {
    static const uint32_t path[] = {AS_SEQUENCE << 16 | 1, 65001};
    const struct attr_values v = {.next_hop = ip4(REMOTE), .as_path = {path, 2}};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix prefix = ip_prefix_make(ip4(0x0B000000u), 24);
    uint8_t message[512];
    size_t size;
    struct rig r;
    (void)state;
    assert_int_equal(update_encode(&v, &how, &prefix, 1, message, sizeof message, &size), 1);
    for (int reachable = 0; reachable < 2; reachable++) {
        rig_init(&r, BGP_PROFILE_IOS, 64512, 65001);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        rig_feed(&r, c, message, size);
        set_route(&r, reachable, 0);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        set_fall_over(&r, true);
        rig_pass(&r, 100);
        if (reachable)
            assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        else
            expect_lost(&r, c);
        rig_end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subnet_lost),
        cmocka_unit_test(test_route_lost),
        cmocka_unit_test(test_route_watched_on_demand),
        cmocka_unit_test(test_route_lost_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
