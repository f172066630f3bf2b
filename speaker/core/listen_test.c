/*
 * Neighbours by listen range (C055 and the other side of it): who gets a peer, what it is, when it
 * goes, and what a new configuration does to it.
 */
#include "rig_test.h"

#include "../base/arena.h"

#define RANGE 0x0B000000u /* 11.0.0.0/8 */

static struct bgp_listen_range ranges[2];

static void setup(struct rig *r, enum bgp_profile profile, uint32_t limit, uint32_t remote_as) {
    rig_init(r, profile, 64512, 64513);
    r->peer.passive = true;
    for (unsigned i = 0; i < 2; i++) {
        ranges[i].peer = r->peer;
        ranges[i].peer.remote_addr = (struct ip_addr){0};
        ranges[i].peer.remote_as = remote_as;
        ranges[i].limit = limit;
    }
    ranges[0].prefix = ip_prefix_make(ip4(RANGE), 8);
    snprintf(ranges[0].peer.name, BGP_PEER_NAME_MAX, "wide");
    ranges[1].prefix = ip_prefix_make(ip4(RANGE), 16);
    snprintf(ranges[1].peer.name, BGP_PEER_NAME_MAX, "narrow");
    r->config.listen_ranges = ranges;
    r->config.listen_range_count = 2;
    rig_start(r);
}

static void establish(struct rig *r, struct bgp_conn_id c, uint32_t asn, uint32_t id) {
    struct bgp_open open = rig_open(r);
    open.asn = asn;
    open.router_id = id;
    feed_open(r, c, &open);
    feed_keepalive(r, c);
}

static struct bgp_peer_info info_at(const struct rig *r, uint32_t n) {
    struct bgp_peer_info info;
    assert_true(bgp_peer_at(r->s, n, &info));
    return info;
}

/* A peer like any other while the session lives; gone, with its routes, when it ends. */
static void test_listen_range(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id wide, narrow;
    setup(&r, BGP_PROFILE_CALICO, 0, 64513);
    assert_int_equal(bgp_peer_count(r.s), 1);
    assert_int_equal(rig_try_call_from(&r, RANGE + 0x010001, &wide), BGP_OK);
    assert_int_equal(rig_try_call_from(&r, RANGE + 1, &narrow), BGP_OK);
    assert_int_equal(bgp_peer_count(r.s), 3);
    establish(&r, wide, 64513, 0x0C000001);
    establish(&r, narrow, 64513, 0x0C000002);
    assert_int_equal(info_at(&r, 1).state, BGP_ESTABLISHED);
    assert_string_equal(info_at(&r, 1).config->name, "wide_11.1.0.1");
    assert_string_equal(info_at(&r, 2).config->name, "narrow_11.0.0.1"); /* the longest match */
    struct bgp_peer_id second = info_at(&r, 2).id;
    bgp_conn_down(r.s, wide, BGP_CONN_RESET, r.now);
    rig_events(&r);
    assert_int_equal(bgp_next_deadline(r.s).ns, 0);
    rig_pass(&r, 10);
    assert_int_equal(bgp_peer_count(r.s), 2);
    struct bgp_peer_info info;
    assert_true(bgp_peer_get(r.s, second, &info)); /* moved up, same handle */
    assert_int_equal(info.state, BGP_ESTABLISHED);
    assert_int_equal(rig_try_call_from(&r, RANGE + 0x010001, &wide), BGP_OK);
    assert_int_equal(bgp_peer_count(r.s), 3);
    rig_end(&r);
}

/* Of all that is counted by kind there is what the one configured peer needs. */
static void expect_nothing_kept(const struct rig *r) {
    assert_int_equal(bgp_peer_count(r->s), 1);
    assert_int_equal(r->s->peers.used, 1);
    assert_int_equal(r->s->conns.used, 0);
    assert_int_equal(r->s->address_count, 1);
    assert_true(r->s->timers.capacity < 64);
}

/* C055: who is in no range is refused, and nothing of it is kept; nor of who only knocks. */
static void test_C055_unconfigured(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id c;
    setup(&r, BGP_PROFILE_PLAIN, 2, 64513);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(rig_try_call_from(&r, 0x0C000001 + i, &c), BGP_REFUSED);
    expect_nothing_kept(&r);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(rig_try_call_from(&r, RANGE + i, &c), BGP_OK);
        rig_pull(&r, c);
        bgp_conn_down(r.s, c, BGP_CONN_CLOSED, r.now);
        rig_pass(&r, 1);
        expect_nothing_kept(&r);
    }
    rig_end(&r);
}

/* IOS: one limit over all ranges. */
static void test_listen_limit_of_all(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id c[3];
    setup(&r, BGP_PROFILE_IOS, 0, 64513);
    r.config.listen_limit = 2;
    assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
    rig_events(&r);
    assert_int_equal(rig_try_call_from(&r, RANGE + 1, &c[0]), BGP_OK);
    assert_int_equal(rig_try_call_from(&r, RANGE + 0x010001, &c[1]), BGP_OK); /* the other range */
    assert_int_equal(rig_try_call_from(&r, RANGE + 2, &c[2]), BGP_REFUSED);
    bgp_conn_down(r.s, c[0], BGP_CONN_CLOSED, r.now);
    rig_pass(&r, 1);
    rig_pass(&r, 60000);
    assert_int_equal(rig_try_call_from(&r, RANGE + 2, &c[2]), BGP_OK);
    rig_end(&r);
}

/* The limit counts per range, errors keep their place until they are waited out. */
static void test_listen_limit(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id c[3];
    setup(&r, BGP_PROFILE_PLAIN, 2, 64513);
    assert_int_equal(rig_try_call_from(&r, RANGE + 1, &c[0]), BGP_OK);
    assert_int_equal(rig_try_call_from(&r, RANGE + 2, &c[1]), BGP_OK);
    assert_int_equal(rig_try_call_from(&r, RANGE + 3, &c[2]), BGP_REFUSED);
    assert_int_equal(rig_try_call_from(&r, RANGE + 0x010003, &c[2]), BGP_OK); /* the other range */
    bgp_conn_down(r.s, c[1], BGP_CONN_CLOSED, r.now);
    rig_pass(&r, 1);
    assert_int_equal(rig_try_call_from(&r, RANGE + 3, &c[1]), BGP_OK);
    establish(&r, c[1], 64999, 0x0C000002); /* not the AS of the template */
    assert_int_equal(r.notified.notified.code, BGP_ERR_OPEN);
    assert_int_equal(r.notified.notified.subcode, 2);
    rig_pull(&r, c[1]);
    rig_pass(&r, 1000);
    assert_int_equal(rig_try_call_from(&r, RANGE + 3, &c[1]),
                     BGP_REFUSED); /* waits out its error */
    assert_int_equal(rig_try_call_from(&r, RANGE + 2, &c[1]), BGP_REFUSED); /* and counts */
    rig_pass(&r, 61000);
    assert_int_equal(rig_try_call_from(&r, RANGE + 2, &c[1]), BGP_OK);
    rig_end(&r);
}

static void test_listen_any_as(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id c;
    setup(&r, BGP_PROFILE_CALICO, 0, 0);
    assert_int_equal(rig_try_call_from(&r, RANGE + 1, &c), BGP_OK);
    establish(&r, c, 65001, 0x0C000001);
    assert_int_equal(info_at(&r, 1).state, BGP_ESTABLISHED);
    assert_int_equal(info_at(&r, 1).config->remote_as, 65001);
    rig_end(&r);
}

/* A new configuration: stays where its range stays, goes with the range, gives way to a peer that
 * is configured with its address. */
static void test_listen_reconfigured(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id wide, narrow;
    setup(&r, BGP_PROFILE_CALICO, 0, 0);
    assert_int_equal(rig_try_call_from(&r, RANGE + 0x010001, &wide), BGP_OK);
    assert_int_equal(rig_try_call_from(&r, RANGE + 1, &narrow), BGP_OK);
    establish(&r, wide, 65001, 0x0C000001);
    establish(&r, narrow, 65002, 0x0C000002);
    ranges[0].peer.weight = 7;
    assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
    rig_events(&r);
    assert_int_equal(r.notified_count, 0);
    assert_int_equal(info_at(&r, 1).config->options->weight, 7);
    assert_int_equal(info_at(&r, 1).config->remote_as, 65001);
    for (unsigned long n = 1; n < 60; n++) { /* all of it or nothing */
        alloc_fail_after(n, true);
        enum bgp_status status = bgp_configure(r.s, &r.config, r.now);
        alloc_fail_after(0, false);
        assert_int_equal(bgp_peer_count(r.s), 3);
        assert_int_equal(info_at(&r, 2).state, BGP_ESTABLISHED);
        if (status == BGP_OK)
            break;
        assert_true(n < 59);
    }
    r.config.listen_ranges = ranges + 1; /* the wide one goes */
    r.config.listen_range_count = 1;
    assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
    rig_events(&r);
    expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_DECONFIGURED);
    assert_int_equal(bgp_peer_count(r.s), 2);
    assert_string_equal(info_at(&r, 1).config->name, "narrow_11.0.0.1");
    struct bgp_peer_config two[2] = {r.peer, r.peer};
    snprintf(two[1].name, BGP_PEER_NAME_MAX, "mine");
    two[1].remote_addr = ip4(RANGE + 1);
    r.config.peers = two;
    r.config.peer_count = 2;
    assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
    rig_events(&r);
    assert_int_equal(r.notified_count, 2);
    assert_int_equal(bgp_peer_count(r.s), 2);
    assert_string_equal(info_at(&r, 1).config->name, "mine");
    rig_end(&r);
}

/* Every allocation on the way of a caller fails once: refused, nothing left, the next one fits. */
static void test_listen_no_memory(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id c;
    setup(&r, BGP_PROFILE_CALICO, 0, 64513);
    for (unsigned long n = 1; n < 30; n++) {
        alloc_fail_after(n, false);
        enum bgp_status status = rig_try_call_from(&r, RANGE + 1, &c);
        alloc_fail_after(0, false);
        if (status == BGP_OK)
            bgp_conn_down(r.s, c, BGP_CONN_CLOSED, r.now);
        rig_pass(&r, 1);
        assert_int_equal(bgp_peer_count(r.s), 1);
    }
    assert_int_equal(rig_try_call_from(&r, RANGE + 1, &c), BGP_OK);
    rig_end(&r);
}

/* A range that is shut down: its callers are refused, and nothing is kept of them. */
static void test_listen_shut_down(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id c;
    setup(&r, BGP_PROFILE_PLAIN, 0, 0);
    ranges[0].peer.shutdown = true;
    assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
    for (uint32_t n = 0; n < 3; n++)
        assert_int_equal(rig_try_call_from(&r, RANGE + 0x010001 + n, &c), BGP_REFUSED);
    rig_pass(&r, 1000);
    assert_int_equal(bgp_peer_count(r.s), 1);
    ranges[0].peer.shutdown = false;
    rig_end(&r);
}

static void feed_route(struct rig *r, struct bgp_conn_id c, uint32_t n) {
    static const uint32_t path[] = {AS_SEQUENCE << 16 | 1, 64513};
    const struct attr_values v = {.next_hop = ip4(RANGE), .as_path = {path, 2}};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix p = ip_prefix_make(ip4(0x0D000000u + (n << 8)), 24);
    uint8_t message[512];
    size_t size;
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    rig_feed(r, c, message, size);
}

/* RFC 4271 6.7: a range's limit that is lowered below what its neighbours hold ends the sessions
 * of all of them at once, and of nobody else. */
static void test_lowered_limit_of_a_range(void **state) {
    (void)state;
    struct rig r;
    setup(&r, BGP_PROFILE_PLAIN, 0, 64513);
    (void)rig_up_to(&r, BGP_ESTABLISHED);
    for (uint32_t i = 1; i <= 3; i++) {
        struct bgp_conn_id c = {0};
        assert_int_equal(rig_try_call_from(&r, RANGE + (i << 16) + 1, &c), BGP_OK);
        establish(&r, c, 64513, 0x0C000000 + i);
        for (uint32_t n = 0; n < i; n++)
            feed_route(&r, c, n);
    }
    r.notified_count = 0;
    ranges[0].peer.prefix_max[0] = 1;
    assert_int_equal(bgp_configure(r.s, &r.config, r.now), BGP_OK);
    rig_events(&r);
    assert_int_equal(r.notified_count, 2);
    assert_int_equal(info_at(&r, 0).state, BGP_ESTABLISHED);
    assert_int_equal(info_at(&r, 1).state, BGP_ESTABLISHED); /* has one */
    assert_true(info_at(&r, 2).prefix_limit_down && info_at(&r, 3).prefix_limit_down);
    rig_pass(&r, 1000);
    assert_int_equal(info_at(&r, 1).prefixes_received[0], 1);
    rig_end(&r);
}

static struct bgp_open graceful(const struct rig *r, uint32_t asn) {
    struct bgp_open open = rig_open(r);
    open.asn = asn;
    open.router_id = 0x0C000001;
    open.gr = true;
    open.gr_time_s = 600;
    open.gr_families[0].present = open.gr_families[0].forwarding = true;
    return open;
}

/* RFC 4724 4.2: who is refused takes nothing from who has restarted; a neighbour of another AS that
 * is accepted does. */
static void test_other_as_after_restart(void **state) {
    (void)state;
    struct rig r;
    setup(&r, BGP_PROFILE_PLAIN, 0, 0);
    struct bgp_open open = graceful(&r, 64513);
    struct bgp_conn_id c = rig_establish_from(&r, RANGE + 1, &open);
    feed_route(&r, c, 0);
    rig_pass(&r, 1000);
    bgp_conn_down(r.s, c, BGP_CONN_RESET, r.now);
    rig_events(&r);
    assert_int_equal(info_at(&r, 1).prefixes_received[0], 1);
    struct bgp_open bad = graceful(&r, 64514);
    bad.families[BGP_IPV4_UNICAST] = false; /* none of ours */
    bad.families[BGP_IPV6_UNICAST] = true;
    c = rig_establish_from(&r, RANGE + 1, &bad);
    expect_notified(&r, BGP_ERR_OPEN, BGP_OPEN_ERR_CAPABILITY);
    bgp_conn_down(r.s, c, BGP_CONN_CLOSED, r.now);
    rig_pass(&r, 120000); /* waits out the error */
    assert_int_equal(info_at(&r, 1).prefixes_received[0], 1);
    assert_int_equal(info_at(&r, 1).config->remote_as, 64513);
    open = graceful(&r, 64514);
    c = rig_establish_from(&r, RANGE + 1, &open);
    rig_pass(&r, 1000);
    assert_int_equal(info_at(&r, 1).state, BGP_ESTABLISHED);
    assert_int_equal(info_at(&r, 1).config->remote_as, 64514);
    assert_int_equal(info_at(&r, 1).prefixes_received[0], 0);
    rig_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen_range),        cmocka_unit_test(test_C055_unconfigured),
        cmocka_unit_test(test_listen_limit),        cmocka_unit_test(test_listen_limit_of_all),
        cmocka_unit_test(test_listen_any_as),       cmocka_unit_test(test_other_as_after_restart),
        cmocka_unit_test(test_listen_reconfigured), cmocka_unit_test(test_listen_no_memory),
        cmocka_unit_test(test_listen_shut_down),    cmocka_unit_test(test_lowered_limit_of_a_range),
    };
    return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
