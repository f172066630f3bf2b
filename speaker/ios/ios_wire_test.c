/*
 * What a router says on the wire when it is made from its configuration: OPENs octet by octet, how
 * a session begins, what is refused and with which data, and how long the usual UPDATEs are.
 */
#include "../core/codec_test.h"
#include "../core/rig_test.h"
#include "ios.h"

#include "../base/diag.h"

struct desk {
    struct rig rig;
    struct ios_router *router;
};

/* A router with one neighbour, 10.0.0.2, of which nothing has been heard. */
static void desk_start(struct desk *d, const char *config) {
    const struct ios_interface i = {
        .name = "GigabitEthernet0/0", .addr = ip4(LOCAL), .length = 24, .up = true};
    const struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    struct diag_list *diags = diag_list_new();
    memset(d, 0, sizeof *d);
    d->router = ios_router_new(&env);
    assert_non_null(d->router);
    assert_true(ios_load(d->router, config, strlen(config), "t.ios", false, diags));
    assert_int_equal(diag_error_count(diags), 0);
    d->rig.config = *ios_bgp_config(d->router, diags);
    d->rig.peer = d->rig.config.peers[0];
    d->rig.now.ns = NANOS_PER_S;
    rig_start(&d->rig);
    diag_list_free(diags);
}

static void desk_end(struct desk *d) {
    rig_end(&d->rig);
    ios_router_free(d->router);
}

/* ---- the OPEN ---- */

#define MARKER "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF "
#define USUAL "0206010400010001 02028000 02020200 02024600 "

static const struct {
    const char *config, *open;
} OPENS[] = {
    {"router bgp 65535\n bgp router-id 209.165.201.225\n neighbor 10.0.0.2 remote-as 65535\n",
     MARKER "0039 01 04 FFFF 00B4 D1A5C9E1 1C " USUAL "02064104 0000FFFF"},
    {"router bgp 4200000001\n neighbor 10.0.0.2 remote-as 1\n timers bgp 10 30\n",
     MARKER "0039 01 04 5BA0 001E 0A000001 1C " USUAL "02064104 FA56EA01"},
    {"router bgp 65000\n neighbor 10.0.0.2 remote-as 1\n neighbor 10.0.0.2 timers 10 40\n"
     " address-family ipv4\n  bgp additional-paths send receive\n",
     MARKER "0041 01 04 FDE8 0028 0A000001 24 " USUAL "02064104 0000FDE8 0206 4504 00010103"},
};

static void opens_have_the_capabilities_of_ios(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof OPENS / sizeof *OPENS; i++) {
        struct desk d;
        desk_start(&d, OPENS[i].config);
        rig_pull(&d.rig, rig_answer(&d.rig));
        codec_assert_bytes(OPENS[i].config, d.rig.out, d.rig.out_size, OPENS[i].open);
        desk_end(&d);
    }
}

static void graceful_restart_adds_its_capability(void **state) {
    struct desk d;
    (void)state;
    desk_start(&d, "router bgp 65000\n neighbor 10.0.0.2 remote-as 1\n"
                   " bgp graceful-restart restart-time 100\n bgp update-delay 30\n");
    rig_pull(&d.rig, rig_answer(&d.rig));
    /* 100 s, no R bit although tables are awaited, IPv4 unicast without the F bit. */
    const uint8_t capability[] = {2, 8, 64, 6, 0, 100, 0, 1, 1, 0};
    assert_non_null(memmem(d.rig.out, d.rig.out_size, capability, sizeof capability));
    desk_end(&d);
}

/* ---- how a session begins ---- */

#define INTERNAL "router bgp 65000\n neighbor 10.0.0.2 remote-as 65000\n"

/* Types of the messages that were pulled, as digits. */
static void put_types(const struct rig *r, char *out, size_t size) {
    size_t n = 0;
    for (size_t at = 0; at < r->out_size && n + 1 < size;
         at += (size_t)r->out[at + 16] << 8 | r->out[at + 17])
        out[n++] = (char)('0' + r->out[at + 18]);
    out[n] = '\0';
}

static void the_active_side_begins(void **state) {
    struct desk d;
    char types[16];
    (void)state;
    desk_start(&d, INTERNAL);
    struct bgp_conn_id c = rig_answer(&d.rig);
    rig_pull(&d.rig, c);
    put_types(&d.rig, types, sizeof types);
    assert_string_equal(types, "1"); /* OPEN at once */
    struct bgp_open open = rig_open(&d.rig);
    feed_open(&d.rig, c, &open);
    rig_pull(&d.rig, c);
    put_types(&d.rig, types, sizeof types);
    assert_string_equal(types, "4");
    desk_end(&d);
}

static void the_passive_side_waits(void **state) {
    struct desk d;
    char types[16];
    (void)state;
    desk_start(&d, INTERNAL);
    struct bgp_conn_id c = rig_call(&d.rig);
    rig_pull(&d.rig, c);
    assert_int_equal(d.rig.out_size, 0);
    struct bgp_open open = rig_open(&d.rig);
    feed_open(&d.rig, c, &open);
    rig_pull(&d.rig, c);
    put_types(&d.rig, types, sizeof types);
    assert_string_equal(types, "14");
    desk_end(&d);
}

/* One more KEEPALIVE, then the table; an UPDATE of 23 octets ends it, graceful restart or not. */
static void the_table_ends_with_end_of_rib(void **state) {
    struct desk d;
    char types[16];
    (void)state;
    desk_start(&d, INTERNAL);
    struct bgp_conn_id c = rig_call(&d.rig);
    struct bgp_open open = rig_open(&d.rig);
    feed_open(&d.rig, c, &open);
    feed_keepalive(&d.rig, c);
    rig_pass(&d.rig, 100);
    rig_pull(&d.rig, c);
    codec_assert_bytes("End-of-RIB", d.rig.out + d.rig.out_size - 23, 23,
                       MARKER "0017 02 0000 0000");
    assert_int_equal(rig_info(&d.rig).sent.updates, 1);
    put_types(&d.rig, types, sizeof types);
    assert_string_equal(types, "1442");
    desk_end(&d);
}

static void counters_begin_with_the_session(void **state) {
    struct desk d;
    (void)state;
    desk_start(&d, INTERNAL);
    for (unsigned n = 1; n <= 3; n++) {
        struct bgp_conn_id c = rig_up_to(&d.rig, BGP_ESTABLISHED);
        assert_int_equal(rig_info(&d.rig).sent.opens, 1);
        assert_int_equal(rig_info(&d.rig).received.opens, 1);
        assert_int_equal(rig_info(&d.rig).established_count, n);
        assert_int_equal(rig_info(&d.rig).dropped_count, n - 1);
        bgp_conn_down(d.rig.s, c, BGP_CONN_CLOSED, d.rig.now);
        rig_events(&d.rig);
    }
    desk_end(&d);
}

/* ---- update-delay ---- */

enum told {
    TOLD_NOTHING,
    TOLD_END_OF_RIB,
    TOLD_KEEPALIVES,
};

/* Is there a best path after so many seconds, when the neighbour told this meanwhile? */
static const struct {
    const char *process;
    enum told told;
    uint64_t s;
    bool best;
} DELAYS[] = {
    {"", TOLD_NOTHING, 0, true},
    {" bgp update-delay 30\n", TOLD_NOTHING, 0, false},
    {" bgp update-delay 30\n", TOLD_NOTHING, 25, false},
    {" bgp update-delay 30\n", TOLD_NOTHING, 31, true},
    {" bgp update-delay 30\n", TOLD_END_OF_RIB, 0, true},
    {" bgp update-delay 30\n", TOLD_KEEPALIVES, 0, true},
};

static bool has_best(const struct rig *r, struct ip_prefix p) {
    struct bgp_rib_iterator it;
    struct bgp_path_info path;
    bool best = false;
    assert_true(bgp_rib_find(r->s, p, &it));
    while (bgp_rib_next_path(r->s, &it, &path))
        best |= path.best;
    bgp_rib_end(&it);
    return best;
}

static void tell(struct rig *r, struct bgp_conn_id c, enum told told) {
    uint8_t message[64];
    if (told == TOLD_END_OF_RIB)
        rig_feed(r, c, message, codec_hex(MARKER "0017 02 0000 0000", message, 0, sizeof message));
    for (int i = 0; told == TOLD_KEEPALIVES && i < 2; i++)
        feed_keepalive(r, c);
}

static void nothing_is_chosen_before_the_tables_are_there(void **state) {
    static const char UPDATE[] = MARKER "0036 02 0000 0014 40010100 4002060201 0000FDE9 "
                                        "4003040A000002 10 0A09";
    (void)state;
    for (size_t i = 0; i < sizeof DELAYS / sizeof *DELAYS; i++) {
        char config[300];
        uint8_t update[100];
        struct desk d;
        snprintf(config, sizeof config, "router bgp 65000\n%s neighbor 10.0.0.2 remote-as 65001\n",
                 DELAYS[i].process);
        desk_start(&d, config);
        struct bgp_conn_id c = rig_up_to(&d.rig, BGP_ESTABLISHED);
        size_t size = codec_hex(UPDATE, update, 0, sizeof update);
        update[17] = (uint8_t)size;
        rig_feed(&d.rig, c, update, size);
        bgp_nexthop_set(d.rig.s, ip4(REMOTE), true, 0, d.rig.now);
        tell(&d.rig, c, DELAYS[i].told);
        rig_pass(&d.rig, DELAYS[i].s * 1000 + 10);
        if (has_best(&d.rig, ip_prefix_make(ip4(0x0A090000), 16)) != DELAYS[i].best)
            fail_msg("row %zu", i);
        desk_end(&d);
    }
}

/* ---- UPDATEs ---- */

static const struct {
    const char *config;
    size_t size;
} UPDATES[] = {
    {"interface Loopback0\n ip address 10.255.0.1 255.255.255.255\n"
     "router bgp 65000\n network 10.255.0.1 mask 255.255.255.255\n"
     " neighbor 10.0.0.2 remote-as 65001\n",
     55},
    {"interface Loopback0\n ip address 10.255.0.1 255.255.255.255\n"
     "router bgp 65000\n network 10.255.0.1 mask 255.255.255.255\n"
     " neighbor 10.0.0.2 remote-as 65000\n",
     56},
};

static void updates_have_the_size_of_captures(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof UPDATES / sizeof *UPDATES; i++) {
        struct desk d;
        size_t at = 0, size = 0;
        desk_start(&d, UPDATES[i].config);
        struct bgp_conn_id c = rig_call(&d.rig);
        struct bgp_open open = rig_open(&d.rig);
        feed_open(&d.rig, c, &open);
        feed_keepalive(&d.rig, c);
        rig_pass(&d.rig, 100);
        rig_pull(&d.rig, c);
        for (; at < d.rig.out_size && d.rig.out[at + 18] != BGP_MSG_UPDATE; at += size)
            size = (size_t)d.rig.out[at + 16] << 8 | d.rig.out[at + 17];
        assert_true(at + 19 < d.rig.out_size);
        assert_int_equal(d.rig.out[at + 16] << 8 | d.rig.out[at + 17], UPDATES[i].size);
        desk_end(&d);
    }
}

/* ---- what is refused ---- */

static void change_as(struct bgp_open *o) {
    o->asn = 65002;
}

static void take_our_id(struct bgp_open *o) {
    o->router_id = LOCAL;
}

static void speak_ipv6_only(struct bgp_open *o) {
    o->families[0] = false;
    o->families[1] = true;
}

static void hold_two_seconds(struct bgp_open *o) {
    o->hold_time_s = 2;
}

static void hold_twenty_seconds(struct bgp_open *o) {
    o->hold_time_s = 20;
}

static const struct {
    void (*change)(struct bgp_open *o);
    uint8_t subcode;
    uint16_t size;
    uint8_t data[4];
} REFUSALS[] = {
    {change_as, 2, 2, {0xFD, 0xEA}},    {take_our_id, 3, 4, {10, 0, 0, 1}},
    {speak_ipv6_only, 8, 3, {0, 0, 0}}, {hold_two_seconds, 6, 0, {0}},
    {hold_twenty_seconds, 6, 0, {0}},
};

static void refusals_carry_the_data_of_ios(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        struct desk d;
        desk_start(&d, INTERNAL " timers bgp 10 30 25\n");
        struct bgp_conn_id c = rig_call(&d.rig);
        struct bgp_open open = rig_open(&d.rig);
        REFUSALS[i].change(&open);
        feed_open(&d.rig, c, &open);
        expect_notified(&d.rig, 2, REFUSALS[i].subcode);
        if (REFUSALS[i].size) {
            assert_int_equal(d.rig.notified.notified.size, REFUSALS[i].size);
            assert_memory_equal(d.rig.notified.notified.data, REFUSALS[i].data, REFUSALS[i].size);
        }
        desk_end(&d);
    }
}

/* Each try after between 6 and 15 s. */
static void tries_have_their_pauses(void **state) {
    struct desk d;
    (void)state;
    desk_start(&d, INTERNAL);
    for (unsigned n = 0; n < 20; n++) {
        struct nanotime before = d.rig.now;
        d.rig.connecting = (struct bgp_conn_id){0};
        while (d.rig.connecting.index == 0)
            rig_pass(&d.rig, 100);
        assert_in_range(nanotime_since(d.rig.now, before) / NANOS_PER_MS, 6000, 14500);
        bgp_conn_down(d.rig.s, d.rig.connecting, BGP_CONN_REFUSED, d.rig.now);
        rig_events(&d.rig);
    }
    desk_end(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_have_the_capabilities_of_ios),
        cmocka_unit_test(graceful_restart_adds_its_capability),
        cmocka_unit_test(the_active_side_begins),
        cmocka_unit_test(the_passive_side_waits),
        cmocka_unit_test(the_table_ends_with_end_of_rib),
        cmocka_unit_test(counters_begin_with_the_session),
        cmocka_unit_test(nothing_is_chosen_before_the_tables_are_there),
        cmocka_unit_test(updates_have_the_size_of_captures),
        cmocka_unit_test(refusals_carry_the_data_of_ios),
        cmocka_unit_test(tries_have_their_pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
