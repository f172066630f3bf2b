/*
 * A session that ends, as a second neighbour sees it: its routes are withdrawn within a second
 * (C008, C010, C041, C047, C048, C050, C051, C121), or kept and not mentioned (C188 to C190, C192
 * to C195).
 *
 * Peer 0 has announced two prefixes; peer 1, an internal client, only listens. What it holds is
 * read from the octets it is sent, withdrawals are counted, and its own session stays.
 */
#include "../base/arena.h"
#include "rig_test.h"

#define OBSERVER 0x0A000003u
#define ROUTES 2

struct loss {
    struct rig r;
    struct bgp_peer_config peers[2];
    struct bgp_conn_id sender, observer;
    struct arena *scratch;
    bool held[ROUTES];
    uint32_t announced, withdrawn; /* heard by the observer */
};

static struct ip_prefix prefix_of(uint32_t n) {
    return ip_prefix_make(ip4(0x0B000000u + (n << 8)), 24);
}

static void peer_init(struct bgp_peer_config *p, const char *name, uint32_t remote) {
    bgp_peer_config_init(p, BGP_PROFILE_CALICO);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->remote_addr = ip4(remote);
    p->remote_as = 64512;
    p->passive = true;
    p->rr_client = true;
    p->import[0].accept_by_default = p->export[0].accept_by_default = true;
}

/* ---- what the observer hears ---- */

static void note(struct loss *l, const struct bgp_nlri *n, bool held) {
    struct ip_prefix p;
    for (uint32_t at = 0; nlri_next(n, &at, &p);) {
        uint32_t i = 0;
        while (i < ROUTES && !ip_prefix_equal(p, prefix_of(i)))
            i++;
        assert_true(i < ROUTES);
        l->held[i] = held;
        l->announced += held;
        l->withdrawn += !held;
    }
}

static void note_message(struct loss *l, const uint8_t *m, size_t size) {
    static const struct bgp_codec codec = {.as4 = true, .families = {true, false}};
    struct bgp_update u;
    assert_int_not_equal(m[18], BGP_MSG_NOTIFICATION);
    if (m[18] != BGP_MSG_UPDATE)
        return;
    arena_reset(l->scratch);
    update_decode(&codec, m + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE, l->scratch, &u);
    assert_int_equal(u.outcome, BGP_OUTCOME_OK);
    for (uint8_t i = 0; i < u.withdrawn_count; i++)
        note(l, &u.withdrawn[i], false);
    for (uint8_t i = 0; i < u.announced_count; i++)
        note(l, &u.announced[i], true);
}

static void listen_for(struct loss *l, uint64_t ms) {
    for (uint64_t end = ms > 20000 ? ms / 20000 : 0; end > 0; end--) {
        rig_pass(&l->r, 20000);
        feed_keepalive(&l->r, l->observer);
    }
    rig_pass(&l->r, ms > 20000 ? ms % 20000 : ms);
    rig_pull(&l->r, l->observer);
    for (size_t at = 0; at < l->r.out_size;) {
        size_t size = (size_t)l->r.out[at + 16] << 8 | l->r.out[at + 17];
        note_message(l, l->r.out + at, size);
        at += size;
    }
    struct bgp_peer_info info;
    assert_true(bgp_peer_at(l->r.s, 1, &info));
    assert_int_equal(info.state, BGP_ESTABLISHED);
}

/* ---- the sender ---- */

static struct bgp_open open_of(uint32_t id, bool graceful) {
    struct bgp_open o = {.asn = 64512,
                         .hold_time_s = 90,
                         .router_id = id,
                         .has_capabilities = true,
                         .mp_present = true,
                         .families = {true, false},
                         .refresh = true,
                         .as4 = true};
    if (graceful) {
        o.gr = true;
        o.gr_time_s = 60;
        o.gr_families[0].present = true;
    }
    return o;
}

static void announce(struct loss *l, uint32_t n) {
    uint8_t message[512];
    size_t size;
    const struct attr_values v = {
        .next_hop = ip4(REMOTE), .has_local_pref = true, .local_pref = 100};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    const struct ip_prefix p = prefix_of(n);
    assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
    rig_feed(&l->r, l->sender, message, size);
}

static void end_of_rib(struct loss *l) {
    feed_end_of_rib(&l->r, l->sender);
}

static void begin(struct loss *l, bool graceful, bool n_bit) {
    memset(l, 0, sizeof *l);
    rig_init(&l->r, BGP_PROFILE_CALICO, 64512, 64512);
    peer_init(&l->peers[0], "sender", REMOTE);
    peer_init(&l->peers[1], "observer", OBSERVER);
    l->peers[0].gr_notification = n_bit;
    l->r.config.peers = l->peers;
    l->r.config.peer_count = 2;
    rig_start(&l->r);
    l->scratch = arena_new();
    assert_non_null(l->scratch);
    struct bgp_open sender = open_of(REMOTE, graceful), observer = open_of(OBSERVER, false);
    sender.gr_notification = n_bit;
    observer.hold_time_s = 0; /* it is the sender's silence that is tried */
    l->sender = rig_establish_from(&l->r, REMOTE, &sender);
    l->observer = rig_establish_from(&l->r, OBSERVER, &observer);
    for (uint32_t n = 0; n < ROUTES; n++)
        announce(l, n);
    end_of_rib(l);
    bgp_nexthop_set(l->r.s, ip4(REMOTE), true, 1, l->r.now);
    listen_for(l, 100);
    assert_true(l->held[0] && l->held[1]);
    assert_int_equal(l->withdrawn, 0);
}

static void end(struct loss *l) {
    arena_free(l->scratch);
    rig_end(&l->r);
}

static void drop_transport(struct loss *l) {
    bgp_conn_down(l->r.s, l->sender, BGP_CONN_RESET, l->r.now);
    rig_events(&l->r);
}

/* ---- ends that take the routes along ---- */

/* A message of `size` octets, type and body as given; the marker's last octet with it. */
static void send(struct loss *l, uint8_t marker, size_t size, uint8_t type, const char *body,
                 size_t body_size) {
    uint8_t m[64];
    memset(m, 0xFF, 15);
    m[15] = marker;
    m[16] = (uint8_t)(size >> 8);
    m[17] = (uint8_t)size;
    m[18] = type;
    memcpy(m + BGP_HEADER_SIZE, body, body_size);
    rig_feed(&l->r, l->sender, m, BGP_HEADER_SIZE + body_size);
}

static void bad_marker(struct loss *l) {
    send(l, 0xFE, 19, BGP_MSG_KEEPALIVE, "", 0);
}
static void bad_length(struct loss *l) {
    send(l, 0xFF, 18, BGP_MSG_KEEPALIVE, "", 0);
}
static void too_long(struct loss *l) {
    send(l, 0xFF, 4097, BGP_MSG_UPDATE, "", 0);
}
static void bad_type(struct loss *l) {
    send(l, 0xFF, 19, 9, "", 0);
}
static void short_notification(struct loss *l) {
    send(l, 0xFF, 20, BGP_MSG_NOTIFICATION, "\6", 1);
}
static void second_open(struct loss *l) {
    struct bgp_open open = open_of(REMOTE, false);
    feed_open(&l->r, l->sender, &open);
}
static void bad_refresh(struct loss *l) {
    send(l, 0xFF, 24, BGP_MSG_ROUTE_REFRESH, "\0\1\0\1\0", 5);
}
static void bad_update(struct loss *l) {
    send(l, 0xFF, 23, BGP_MSG_UPDATE, "\0\1\0\0", 4);
}
static void notification(struct loss *l) {
    send(l, 0xFF, 21, BGP_MSG_NOTIFICATION, "\6\2", 2);
}
static void unknown_notification(struct loss *l) {
    send(l, 0xFF, 23, BGP_MSG_NOTIFICATION, "\x63\x63\xbe\xef", 4);
}
static void silence(struct loss *l) {
    rig_pass(&l->r, 91000);
}
static void cleared(struct loss *l) {
    assert_int_equal(bgp_clear(l->r.s, rig_info(&l->r).id, BGP_CLEAR_HARD, l->r.now), BGP_OK);
    rig_events(&l->r);
}

struct loss_row {
    const char *name;
    void (*happens)(struct loss *l);
    uint8_t code, subcode; /* of the NOTIFICATION we send; 0: none */
};

static const struct loss_row loss_rows[] = {
    {"C001 marker", bad_marker, 1, 1},
    {"C002 length", bad_length, 1, 2},
    {"C003 length above 4,096", too_long, 1, 2},
    {"C004 type", bad_type, 1, 3},
    {"C008 NOTIFICATION of 20 octets", short_notification, 1, 2},
    {"C041 second OPEN", second_open, 5, 3},
    {"C185 ROUTE-REFRESH of 24 octets", bad_refresh, 7, 1},
    {"C121 UPDATE whose lengths lie", bad_update, 3, 1},
    {"C051 Cease", notification, 0, 0},
    {"C051 unknown NOTIFICATION", unknown_notification, 0, 0},
    {"C047 connection reset", drop_transport, 0, 0},
    {"C048 silence", silence, 4, 0},
};

static void expect_gone(const struct loss *l, const char *name) {
    if (l->held[0] || l->held[1] || l->withdrawn != ROUTES)
        fail_msg("%s: %u of %u routes were withdrawn", name, l->withdrawn, ROUTES);
}

static void test_C008_C010_C047_routes_go(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof loss_rows / sizeof *loss_rows; i++) {
        const struct loss_row *row = &loss_rows[i];
        struct loss l;
        begin(&l, false, false);
        row->happens(&l);
        if (row->code)
            expect_notified(&l.r, row->code, row->subcode);
        else
            assert_true(l.r.notified_count == 0 || !l.r.notified.notified.sent);
        assert_int_not_equal(rig_info(&l.r).state, BGP_ESTABLISHED);
        listen_for(&l, 1000);
        expect_gone(&l, row->name);
        end(&l);
    }
}

/* RFC 4724 4.2, 8538: the transport alone is forgiven; with the N bit silence and NOTIFICATIONs
 * too, but for a hard reset. */
static void test_C188_C189_C193_C194_routes_stay(void **state) {
    static const struct {
        void (*happens)(struct loss *l);
        bool kept[2]; /* without the N bit, with it */
    } rows[] = {{drop_transport, {true, true}},
                {silence, {false, true}},
                {notification, {false, true}},
                {bad_marker, {false, true}},
                {cleared, {false, false}}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct loss l;
        begin(&l, true, i % 2);
        rows[i / 2].happens(&l);
        assert_int_not_equal(rig_info(&l.r).state, BGP_ESTABLISHED);
        listen_for(&l, 1000);
        if (rows[i / 2].kept[i % 2]) {
            assert_int_equal(l.withdrawn + l.announced, ROUTES); /* not a word since the start */
            listen_for(&l, 60000);
        }
        expect_gone(&l, "the restart time is over");
        end(&l);
    }
}

/* Back within the time: the observer hears of what is not said again only, and at End-of-RIB. */
static void test_C188_back_in_time(void **state) {
    (void)state;
    struct loss l;
    begin(&l, true, false);
    drop_transport(&l);
    listen_for(&l, 5000);
    struct bgp_open open = open_of(REMOTE, true);
    open.gr_restarting = open.gr_families[0].forwarding = true;
    l.sender = rig_establish_from(&l.r, REMOTE, &open);
    announce(&l, 1);
    listen_for(&l, 1000);
    assert_int_equal(l.withdrawn, 0);
    end_of_rib(&l);
    listen_for(&l, 1000);
    assert_int_equal(l.withdrawn, 1);
    assert_true(!l.held[0] && l.held[1]);
    end(&l);
}

/* Back, but it does not vouch for the family: the observer hears at once. */
static void test_C190_back_without_state(void **state) {
    (void)state;
    for (int present = 0; present < 2; present++) {
        struct loss l;
        begin(&l, true, false);
        drop_transport(&l);
        listen_for(&l, 5000);
        assert_int_equal(l.withdrawn, 0);
        struct bgp_open open = open_of(REMOTE, true);
        open.gr_restarting = true;
        open.gr_families[0].present = present;
        l.sender = rig_establish_from(&l.r, REMOTE, &open);
        listen_for(&l, 1000);
        expect_gone(&l, "not vouched for");
        end(&l);
    }
}

/* C048: in OpenConfirm the negotiated hold time runs. */
static void test_C048_silence_in_open_confirm(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.passive = true;
    rig_start(&r);
    (void)rig_up_to(&r, BGP_OPEN_CONFIRM);
    rig_pass(&r, 89000);
    assert_int_equal(r.notified_count, 0);
    assert_int_equal(rig_info(&r).state, BGP_OPEN_CONFIRM);
    rig_pass(&r, 2000);
    expect_notified(&r, BGP_ERR_HOLD_TIMER, 0);
    assert_int_equal(rig_info(&r).state, BGP_IDLE);
    rig_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C008_C010_C047_routes_go),
        cmocka_unit_test(test_C188_C189_C193_C194_routes_stay),
        cmocka_unit_test(test_C188_back_in_time),
        cmocka_unit_test(test_C190_back_without_state),
        cmocka_unit_test(test_C048_silence_in_open_confirm),
    };
    return cmocka_run_group_tests_name("session_loss", tests, NULL, NULL);
}
