/*
 * What our OPEN says, for each option and profile, as it stands on the wire; what a refusal
 * carries; and the counts of messages.
 *
 * The OPEN is compared octet by octet: a decoder of ours would forgive what it gets wrong too.
 */
#include "codec_test.h"
#include "rig_test.h"

#define MP4 "01 04 00010001 "
#define MP6 "01 04 00020001 "
#define REFRESH "02 00 "
#define AS4 "41 04 0000FC00 "
#define ENHANCED "46 00 "

/* ---- our OPEN ---- */

static void offer_set(struct rig *r, bool restarting) {
    const struct bgp_env env = {.seed = 7, .restarting = restarting};
    r->s = bgp_speaker_new(&r->config, &env, r->now);
    assert_non_null(r->s);
    rig_events(r);
    struct bgp_conn_id c = rig_call(r);
    rig_pull(r, c);
}

/* `capabilities` stand in one parameter; none: there is no parameter. */
static void expect_open(const char *name, const struct rig *r, const char *fixed,
                        const char *capabilities) {
    uint8_t list[256];
    char want[1200];
    size_t size = codec_hex(capabilities, list, 0, sizeof list);
    size_t length = 29 + (size ? size + 2 : 0);
    int at = snprintf(want, sizeof want, "ffffffffffffffffffffffffffffffff %04zx 01 %s %02zx ",
                      length, fixed, size ? size + 2 : 0);
    if (size)
        snprintf(want + at, sizeof want - (size_t)at, "02 %02zx %s", size, capabilities);
    codec_assert_bytes(name, r->out, r->out_size, want);
}

struct offer_row {
    const char *name;
    void (*change)(struct rig *r);
    bool restarting;
    const char *fixed, *capabilities;
};

#define FIXED "04 FC00 005A 0A000001"

static void nothing(struct rig *r) {
    (void)r;
}
static void both_families(struct rig *r) {
    r->peer.families[1] = true;
}
static void large_as(struct rig *r) {
    r->config.local_as = r->peer.remote_as = 70000;
}
static void own_as(struct rig *r) {
    r->peer.local_as = 65001;
}
static void hold_of_all(struct rig *r) {
    r->config.hold_time_set = true;
    r->config.hold_time_s = 300;
}
static void hold_of_peer(struct rig *r) {
    hold_of_all(r);
    r->peer.hold_time_set = true;
    r->peer.hold_time_s = 0;
}
static void gr_off(struct rig *r) {
    r->peer.graceful_restart = BGP_GR_OFF;
    r->peer.gr_notification = true;
}
static void helper(struct rig *r) {
    r->peer.graceful_restart = BGP_GR_HELPER;
    r->peer.gr_notification = false;
}
static void helper_with_n_bit(struct rig *r) {
    r->peer.graceful_restart = BGP_GR_HELPER;
    r->peer.gr_notification = true;
}
static void full(struct rig *r) {
    helper(r);
    both_families(r);
    r->peer.graceful_restart = BGP_GR_FULL;
}
static void long_restart(struct rig *r) {
    helper(r);
    r->peer.restart_time_s = 4096;
}
static void longest_restart(struct rig *r) {
    helper(r);
    r->peer.restart_time_s = 4095;
}
static void next_hops(struct rig *r) {
    gr_off(r);
    r->peer.extended_next_hop = true;
}
static void messages(struct rig *r) {
    gr_off(r);
    r->peer.extended_messages = !r->peer.extended_messages;
}
static void paths(struct rig *r) {
    gr_off(r);
    r->peer.add_path_receive[0] = r->peer.add_path_receive[1] = true; /* only ours is offered */
    r->peer.add_path_send[0] = 2;
}
static void paths_of_both(struct rig *r) {
    gr_off(r);
    both_families(r);
    r->peer.add_path_receive[0] = true;
    r->peer.add_path_send[1] = BGP_ADD_PATH_ALL;
}

static const struct offer_row offer_rows[] = {
    {"nothing said", nothing, false, FIXED, MP4 REFRESH "06 00 40 02 4078 " AS4 ENHANCED},
    {"C015 four-octet AS", large_as, false, "04 5BA0 005A 0A000001",
     MP4 REFRESH "06 00 40 02 4078 41 04 00011170 " ENHANCED},
    {"local AS", own_as, false, "04 FDE9 005A 0A000001",
     MP4 REFRESH "06 00 40 02 4078 41 04 0000FDE9 " ENHANCED},
    {"C022 hold time of all", hold_of_all, false, "04 FC00 012C 0A000001",
     MP4 REFRESH "06 00 40 02 4078 " AS4 ENHANCED},
    {"C021 hold time 0 of the peer", hold_of_peer, false, "04 FC00 0000 0A000001",
     MP4 REFRESH "06 00 40 02 4078 " AS4 ENHANCED},
    {"C191 no graceful restart", gr_off, true, FIXED, MP4 REFRESH "06 00 " AS4 ENHANCED},
    {"C191 helper", helper, false, FIXED, MP4 REFRESH "06 00 40 02 0078 " AS4 ENHANCED},
    {"C191 helper that restarts", helper, true, FIXED,
     MP4 REFRESH "06 00 40 02 8078 " AS4 ENHANCED},
    {"C194 N bit", helper_with_n_bit, false, FIXED, MP4 REFRESH "06 00 40 02 4078 " AS4 ENHANCED},
    {"C191 families", full, false, FIXED,
     MP4 MP6 REFRESH "06 00 40 0A 0078 0001 01 00 0002 01 00 " AS4 ENHANCED},
    {"C191 families whose routes were kept", full, true, FIXED,
     MP4 MP6 REFRESH "06 00 40 0A 8078 0001 01 80 0002 01 80 " AS4 ENHANCED},
    {"C191 restart time of twelve bits", longest_restart, false, FIXED,
     MP4 REFRESH "06 00 40 02 0FFF " AS4 ENHANCED},
    {"C191 restart time of more", long_restart, false, FIXED,
     MP4 REFRESH "06 00 40 02 0FFF " AS4 ENHANCED},
    {"C136 extended next hop", next_hops, false, FIXED,
     MP4 REFRESH "05 06 0001 0001 0002 06 00 " AS4 ENHANCED},
    {"C011 no extended messages", messages, false, FIXED, MP4 REFRESH AS4 ENHANCED},
    {"C197 both directions", paths, false, FIXED,
     MP4 REFRESH "06 00 " AS4 "45 04 0001 01 03 " ENHANCED},
    {"C197 one direction each", paths_of_both, false, FIXED,
     MP4 MP6 REFRESH "06 00 " AS4 "45 08 0001 01 01 0002 01 02 " ENHANCED},
};

static void test_C011_C022_C191_C194_C197_offers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof offer_rows / sizeof *offer_rows; i++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        offer_rows[i].change(&r);
        offer_set(&r, offer_rows[i].restarting);
        expect_open(offer_rows[i].name, &r, offer_rows[i].fixed, offer_rows[i].capabilities);
        rig_end(&r);
    }
}

/* C208: our role towards the peer, as RFC 9234 4.1 numbers them; none without one. */
static void test_C208_role_offered(void **state) {
    static const struct {
        enum bgp_role role;
        const char *capability;
    } rows[] = {{BGP_ROLE_NONE, ""},
                {BGP_ROLE_PROVIDER, "09 01 00 "},
                {BGP_ROLE_RS, "09 01 01 "},
                {BGP_ROLE_RS_CLIENT, "09 01 02 "},
                {BGP_ROLE_CUSTOMER, "09 01 03 "},
                {BGP_ROLE_PEER, "09 01 04 "}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        char capabilities[100];
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64513);
        gr_off(&r);
        r.peer.role = rows[i].role;
        offer_set(&r, false);
        snprintf(capabilities, sizeof capabilities, MP4 REFRESH "06 00 %s" AS4 ENHANCED,
                 rows[i].capability);
        expect_open("role", &r, FIXED, capabilities);
        rig_end(&r);
    }
}

/* C191: no more R bit once the restart is over. */
static void test_C191_restarted(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    helper(&r);
    offer_set(&r, true);
    rig_pass(&r, 1000000);
    assert_false(bgp_recovering(r.s));
    struct bgp_conn_id c = rig_answer(&r);
    rig_pull(&r, c);
    expect_open("restarted", &r, FIXED, MP4 REFRESH "06 00 40 02 0078 " AS4 ENHANCED);
    rig_end(&r);
}

/* ---- refusals ---- */

static void refused(struct rig *r, enum bgp_profile profile, uint32_t asn, bool ipv4) {
    rig_init(r, profile, 64512, 64513);
    r->peer.passive = true;
    rig_start(r);
    struct bgp_conn_id c = rig_call(r);
    struct bgp_open open = rig_open(r);
    open.asn = asn;
    open.families[0] = ipv4;
    open.families[1] = !ipv4;
    feed_open(r, c, &open);
}

/* The AS that was offered, as far as two octets hold it. */
static void test_C015_data(void **state) {
    static const struct {
        uint32_t asn;
        uint8_t data[2];
    } rows[] = {{65001, {0xFD, 0xE9}}, {65535, {0xFF, 0xFF}}, {65536, {0x5B, 0xA0}}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        refused(&r, BGP_PROFILE_PLAIN, rows[i].asn, true);
        expect_notified(&r, BGP_ERR_OPEN, 2);
        assert_int_equal(r.notified.notified.size, 2);
        assert_memory_equal(r.notified.notified.data, rows[i].data, 2);
        rig_end(&r);
    }
}

/* RFC 5492 5 wants 2/7 with the families; IOS: 2/8 with three zero octets. */
static void test_C039_data(void **state) {
    (void)state;
    struct rig r;
    refused(&r, BGP_PROFILE_PLAIN, 64513, false);
    expect_notified(&r, BGP_ERR_OPEN, 7);
    assert_int_equal(r.notified.notified.size, 6);
    assert_memory_equal(r.notified.notified.data, "\1\4\0\1\0\1", 6);
    rig_end(&r);
    refused(&r, BGP_PROFILE_IOS, 64513, false);
    expect_notified(&r, BGP_ERR_OPEN, 8);
    assert_int_equal(r.notified.notified.size, 3);
    assert_memory_equal(r.notified.notified.data, "\0\0\0", 3);
    rig_end(&r);
}

/* ---- counts ---- */

static void test_messages_are_counted(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[64];
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.passive = true;
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    for (int i = 0; i < 2; i++)
        feed_keepalive(&r, c);
    for (int i = 0; i < 3; i++)
        feed_end_of_rib(&r, c);
    for (int i = 0; i < 4; i++)
        feed_refresh(&r, c, BGP_REFRESH_REQUEST);
    const struct bgp_message_counts received = rig_info(&r).received;
    assert_int_equal(received.opens, 1);
    assert_int_equal(received.keepalives, 3);
    assert_int_equal(received.updates, 3);
    assert_int_equal(received.refreshes, 4);
    assert_int_equal(received.notifications, 0);
    const struct bgp_message_counts sent = rig_info(&r).sent;
    assert_int_equal(sent.opens, 1);
    assert_int_equal(sent.keepalives, 1);
    assert_int_equal(sent.notifications, 0);
    rig_feed(&r, c, message, notification_encode(6, 4, NULL, 0, message, sizeof message));
    assert_int_equal(rig_info(&r).received.notifications, 1);
    rig_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C011_C022_C191_C194_C197_offers),
        cmocka_unit_test(test_C191_restarted),
        cmocka_unit_test(test_C208_role_offered),
        cmocka_unit_test(test_C015_data),
        cmocka_unit_test(test_C039_data),
        cmocka_unit_test(test_messages_are_counted),
    };
    return cmocka_run_group_tests_name("session_offer", tests, NULL, NULL);
}
