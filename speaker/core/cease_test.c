/*
 * Why a speaker ends a session by itself, as its peer reads it (RFC 4486 4): each cause, and the
 * subcode that stands for it. The prefix limit is session_wire_test.c's, the collision too.
 */
#include "codec_test.h"
#include "message.h"
#include "rig_test.h"

struct cause {
    const char *name;
    void (*bring_about)(struct rig *r, struct bgp_conn_id c);
    uint8_t subcode;
    enum bgp_down_reason reason;
};

static void configure(struct rig *r) {
    assert_int_equal(bgp_configure(r->s, &r->config, r->now), BGP_OK);
}

static void shut_down(struct rig *r, struct bgp_conn_id c) {
    (void)c;
    r->peer.shutdown = true;
    configure(r);
}

static void stop(struct rig *r, struct bgp_conn_id c) {
    (void)c;
    bgp_stop(r->s, NULL, r->now);
}

static void reset(struct rig *r, struct bgp_conn_id c) {
    (void)c;
    assert_int_equal(bgp_clear(r->s, (struct bgp_peer_id){0}, BGP_CLEAR_HARD, r->now), BGP_OK);
}

static void bfd_down(struct rig *r, struct bgp_conn_id c) {
    (void)c;
    assert_int_equal(bgp_clear(r->s, (struct bgp_peer_id){0}, BGP_CLEAR_BFD_DOWN, r->now), BGP_OK);
}

static void change_families(struct rig *r, struct bgp_conn_id c) {
    (void)c;
    r->peer.families[BGP_IPV6_UNICAST] = !r->peer.families[BGP_IPV6_UNICAST];
    configure(r);
}

/* Half a message has to be kept, and there is no memory for it. */
static void starve(struct rig *r, struct bgp_conn_id c) {
    uint8_t half[BGP_HEADER_SIZE + 4];
    size_t size =
        codec_hex("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 0040 02 0000 0000", half, 0, sizeof half);
    alloc_fail_after(1, false);
    rig_feed(r, c, half, size);
    alloc_fail_after(0, false);
}

static void exceed(struct rig *r, struct bgp_conn_id c) {
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    size_t size;
    const struct attr_values v = {.next_hop = ip4(REMOTE), .has_local_pref = true};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix two[] = {ip_prefix_make(ip4(0x0B000000), 24),
                                    ip_prefix_make(ip4(0x0B000100), 24)};
    assert_int_equal(update_encode(&v, &how, two, 2, message, sizeof message, &size), 2);
    rig_feed(r, c, message, size);
}

static const struct cause causes[] = {
    {"more prefixes than allowed", exceed, BGP_CEASE_PREFIX_LIMIT, BGP_DOWN_PREFIX_LIMIT},
    {"shutdown in the configuration", shut_down, BGP_CEASE_SHUTDOWN, BGP_DOWN_ADMIN_SHUTDOWN},
    {"the speaker stops", stop, BGP_CEASE_SHUTDOWN, BGP_DOWN_ADMIN_SHUTDOWN},
    {"reset by the operator", reset, BGP_CEASE_RESET, BGP_DOWN_ADMIN_RESET},
    {"BFD is down", bfd_down, BGP_CEASE_BFD_DOWN, BGP_DOWN_BFD},
    {"other families", change_families, BGP_CEASE_CONFIG_CHANGE, BGP_DOWN_FAMILIES_CHANGE},
    {"no memory", starve, BGP_CEASE_OUT_OF_RESOURCES, BGP_DOWN_NOTIFICATION_SENT},
};

static void test_C059_each_cause(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.prefix_max[0] = 1;
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        causes[i].bring_about(&r, c);
        rig_events(&r);
        expect_notified(&r, BGP_ERR_CEASE, causes[i].subcode);
        rig_pull(&r, c);
        expect_last_message(&r, BGP_ERR_CEASE, causes[i].subcode);
        if (rig_info(&r).last_reason != causes[i].reason)
            fail_msg("%s: reason %d", causes[i].name, (int)rig_info(&r).last_reason);
        rig_end(&r);
    }
}

/* C060: no session, nothing to end; the peer tries again afterwards as after a reset. With the N
 * bit of both (RFC 8538) it is a hard reset, and what says so says why. */
static void test_C060_bfd_down(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    rig_start(&r);
    bfd_down(&r, (struct bgp_conn_id){0});
    rig_events(&r);
    assert_int_equal(r.notified_count, 0);
    struct bgp_open open = rig_open(&r);
    open.gr = open.gr_notification = true;
    open.gr_time_s = 60;
    open.gr_families[0].present = true;
    struct bgp_conn_id c = rig_call(&r);
    feed_open(&r, c, &open);
    feed_keepalive(&r, c);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    bfd_down(&r, c);
    rig_pull(&r, c);
    codec_assert_bytes("6/9, 6/10", r.out + r.out_size - 23, 23,
                       "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 0017 03 06 09 06 0A");
    assert_int_equal(rig_info(&r).last_reason, BGP_DOWN_BFD);
    assert_true(rig_info(&r).state <= BGP_ACTIVE);
    rig_end(&r);
}

/* RFC 8538 4: what must not be kept ends in a hard reset where both sides know it. */
static void test_C195_hard_resets_sent(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.prefix_max[0] = 1;
        rig_start(&r);
        struct bgp_open open = rig_open(&r);
        open.gr = open.gr_notification = true;
        open.gr_families[0].present = true;
        struct bgp_conn_id c = rig_call(&r);
        feed_open(&r, c, &open);
        feed_keepalive(&r, c);
        causes[i].bring_about(&r, c);
        rig_pull(&r, c);
        bool hard = causes[i].subcode != BGP_CEASE_CONFIG_CHANGE;
        expect_last_message(&r, BGP_ERR_CEASE, hard ? BGP_CEASE_HARD_RESET : causes[i].subcode);
        if (hard)
            assert_int_equal(r.notified.notified.data[1], causes[i].subcode);
        rig_end(&r);
    }
}

static void test_C059_deconfigured(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    r.config.peer_count = 0;
    configure(&r);
    rig_events(&r);
    expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_DECONFIGURED);
    rig_pull(&r, c);
    expect_last_message(&r, BGP_ERR_CEASE, BGP_CEASE_DECONFIGURED);
    assert_int_equal(bgp_peer_count(r.s), 0);
    rig_end(&r);
}

/* A neighbour that may not call is told so by the stand-alone speaker; BIRD and IOS just reset, and
 * strangers learn nothing from anyone. */
static void test_C059_rejected(void **state) {
    static const enum bgp_profile profiles[] = {BGP_PROFILE_PLAIN, BGP_PROFILE_CALICO,
                                                BGP_PROFILE_IOS};
    (void)state;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        const struct bgp_endpoint neighbor = {ip4(REMOTE), 4321}, local = {ip4(LOCAL), 179};
        const struct bgp_endpoint stranger = {ip4(0x0A000063), 4321};
        struct rig r;
        struct bgp_conn_id c;
        struct bgp_reject reject = {.size = 0};
        rig_init(&r, profiles[i], 64512, 64512);
        r.peer.shutdown = true;
        rig_start(&r);
        assert_int_equal(bgp_conn_accept(r.s, stranger, local, r.now, &c, &reject), BGP_REFUSED);
        assert_int_equal(reject.size, 0);
        assert_int_equal(bgp_conn_accept(r.s, neighbor, local, r.now, &c, &reject), BGP_REFUSED);
        if (profiles[i] == BGP_PROFILE_PLAIN)
            codec_assert_bytes("6/5", reject.data, reject.size,
                               "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 0015 03 06 05");
        else
            assert_int_equal(reject.size, 0);
        rig_events(&r);
        assert_int_equal(r.notified_count, 0);
        rig_end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C059_each_cause),       cmocka_unit_test(test_C060_bfd_down),
        cmocka_unit_test(test_C195_hard_resets_sent), cmocka_unit_test(test_C059_deconfigured),
        cmocka_unit_test(test_C059_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
