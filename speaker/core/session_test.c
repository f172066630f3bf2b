/*
 * One speaker against scripted bytes: what it answers to damaged, unwelcome and unexpected
 * messages in each state, what it negotiates, which connection of two it keeps. The rows of the
 * conformance list (C…) are named where they are tested.
 */
#include "../base/hash.h"
#include "conn.h"
#include "speaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OUT_MAX 16384

struct rig {
    struct bgp_speaker *s;
    struct bgp_config config;
    struct bgp_peer_config peer;
    struct nanotime now;
    struct bgp_conn_id connecting; /* of the last BGP_EVENT_CONNECT */
    struct bgp_event notified;     /* the last one */
    uint32_t notified_count, closed, aborted, established;
    uint8_t out[OUT_MAX]; /* of the connection pulled last */
    size_t out_size;
};

#define LOCAL 0x0A000001u
#define REMOTE 0x0A000002u

static void rig_init(struct rig *r, enum bgp_profile profile, uint32_t local_as,
                     uint32_t remote_as) {
    memset(r, 0, sizeof *r);
    bgp_config_init(&r->config, profile);
    bgp_peer_config_init(&r->peer, profile);
    r->config.local_as = local_as;
    r->config.router_id = ip4(LOCAL);
    r->config.peers = &r->peer;
    r->config.peer_count = 1;
    snprintf(r->peer.name, sizeof r->peer.name, "peer");
    r->peer.remote_addr = ip4(REMOTE);
    r->peer.remote_as = remote_as;
    r->peer.import[0].accept_by_default = true;
    r->now.ns = NANOS_PER_S;
}

static void rig_events(struct rig *r) {
    struct bgp_event e;
    while (bgp_next_event(r->s, &e)) {
        if (e.kind == BGP_EVENT_CONNECT)
            r->connecting = e.conn;
        if (e.kind == BGP_EVENT_NOTIFIED) {
            r->notified = e;
            r->notified_count++;
        }
        r->closed += e.kind == BGP_EVENT_CLOSE;
        r->aborted += e.kind == BGP_EVENT_ABORT;
        r->established += e.kind == BGP_EVENT_STATE && e.state.new_state == BGP_ESTABLISHED;
    }
}

static void rig_start(struct rig *r) {
    const struct bgp_env env = {.seed = 7};
    r->s = bgp_speaker_new(&r->config, &env, r->now);
    assert_non_null(r->s);
    rig_events(r);
}

static void rig_end(struct rig *r) {
    bgp_speaker_free(r->s);
}

static void rig_pass(struct rig *r, uint64_t ms) {
    struct nanotime end = nanotime_add_ms(r->now, ms), next;
    while (next = bgp_next_deadline(r->s), !nanotime_before(end, next)) {
        if (nanotime_before(r->now, next))
            r->now = next;
        bgp_advance(r->s, r->now);
        rig_events(r);
    }
    r->now = end;
}

/* Takes everything a connection has to say. */
static void rig_pull(struct rig *r, struct bgp_conn_id c) {
    struct bgp_part part;
    r->out_size = 0;
    while (bgp_conn_pull(r->s, c, &part, 1, r->now) > 0) {
        assert_true(r->out_size + part.size <= OUT_MAX);
        memcpy(r->out + r->out_size, part.data, part.size);
        r->out_size += part.size;
        bgp_conn_sent(r->s, c, part.size, r->now);
        rig_events(r);
    }
    rig_events(r);
}

static void rig_feed(struct rig *r, struct bgp_conn_id c, const uint8_t *data, size_t size) {
    bgp_conn_receive(r->s, c, data, size, r->now);
    rig_events(r);
}

static enum bgp_status rig_try_call(struct rig *r, struct bgp_conn_id *ret_conn) {
    const struct bgp_endpoint remote = {ip4(REMOTE), 4321}, local = {ip4(LOCAL), 179};
    struct bgp_reject reject;
    enum bgp_status status = bgp_conn_accept(r->s, remote, local, r->now, ret_conn, &reject);
    rig_events(r);
    return status;
}

static struct bgp_conn_id rig_call(struct rig *r) {
    struct bgp_conn_id c = {0};
    assert_int_equal(rig_try_call(r, &c), BGP_OK);
    return c;
}

/* Waits until the speaker dials, and answers. */
static struct bgp_conn_id rig_answer(struct rig *r) {
    r->connecting = (struct bgp_conn_id){0};
    for (int i = 0; i < 100 && r->connecting.index == 0; i++)
        rig_pass(r, 10000);
    assert_int_not_equal(r->connecting.index, 0);
    bgp_conn_up(r->s, r->connecting, (struct bgp_endpoint){ip4(LOCAL), 5555}, r->now);
    rig_events(r);
    return r->connecting;
}

static struct bgp_open rig_open(const struct rig *r) {
    return (struct bgp_open){.asn = r->peer.remote_as,
                             .hold_time_s = 90,
                             .router_id = REMOTE,
                             .has_capabilities = true,
                             .mp_present = true,
                             .families = {true, false},
                             .refresh = true,
                             .as4 = true};
}

static void feed_open(struct rig *r, struct bgp_conn_id c, const struct bgp_open *o) {
    uint8_t message[512];
    size_t size = open_encode(o, message, sizeof message);
    assert_true(size > 0);
    rig_feed(r, c, message, size);
}

static void feed_keepalive(struct rig *r, struct bgp_conn_id c) {
    uint8_t message[BGP_HEADER_SIZE];
    rig_feed(r, c, message, keepalive_encode(message, sizeof message));
}

static struct bgp_peer_info rig_info(const struct rig *r) {
    struct bgp_peer_info info;
    assert_true(bgp_peer_at(r->s, 0, &info));
    return info;
}

/* A session in the state asked for, on an incoming connection. */
static struct bgp_conn_id rig_up_to(struct rig *r, enum bgp_state state) {
    struct bgp_conn_id c = rig_call(r);
    struct bgp_open open = rig_open(r);
    if (state >= BGP_OPEN_CONFIRM)
        feed_open(r, c, &open);
    if (state >= BGP_ESTABLISHED)
        feed_keepalive(r, c);
    assert_int_equal(rig_info(r).state, state);
    rig_pull(r, c);
    return c;
}

static void expect_notified(const struct rig *r, uint8_t code, uint8_t subcode) {
    assert_int_equal(r->notified_count, 1);
    assert_true(r->notified.notified.sent);
    assert_int_equal(r->notified.notified.code, code);
    assert_int_equal(r->notified.notified.subcode, subcode);
}

/* What the wire carries is the NOTIFICATION that was told, and nothing behind it. */
static void expect_last_message(const struct rig *r, uint8_t code, uint8_t subcode) {
    size_t at = 0, last = 0;
    while (at < r->out_size) {
        last = at;
        at += (size_t)r->out[at + 16] << 8 | r->out[at + 17];
    }
    assert_int_equal(at, r->out_size);
    assert_int_equal(r->out[last + 18], BGP_MSG_NOTIFICATION);
    assert_int_equal(r->out[last + 19], code);
    assert_int_equal(r->out[last + 20], subcode);
}

/* ---- header ---- */

/* C001-C004, C007: in every state with a connection; the session ends, the routes with it. */
static void header_errors(void **state) {
    (void)state;
    static const struct {
        uint8_t at, value, code, subcode;
    } rows[] = {
        {0, 0xFE, 1, 1}, {7, 0x00, 1, 1}, {15, 0x7F, 1, 1}, {17, 18, 1, 2},  {16, 0xFF, 1, 2},
        {18, 0, 1, 3},   {18, 9, 1, 3},   {17, 20, 1, 2},   {18, 255, 1, 3},
    };
    for (unsigned row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (unsigned at = BGP_OPEN_SENT; at <= BGP_ESTABLISHED; at++) {
            struct rig r;
            uint8_t message[BGP_HEADER_SIZE];
            rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
            rig_start(&r);
            struct bgp_conn_id c = rig_up_to(&r, (enum bgp_state)at);
            keepalive_encode(message, sizeof message);
            message[rows[row].at] = rows[row].value;
            rig_feed(&r, c, message, sizeof message);
            expect_notified(&r, rows[row].code, rows[row].subcode);
            rig_pull(&r, c);
            expect_last_message(&r, rows[row].code, rows[row].subcode);
            assert_int_equal(r.closed, 1);
            assert_int_equal(rig_info(&r).state, BGP_IDLE);
            assert_int_equal(r.s->conns.used, 0);
            rig_end(&r);
        }
    }
}

/* C009: octet by octet; two hundred in one go; nothing is buffered in between. */
static void framing(void **state) {
    (void)state;
    static uint8_t many[200 * BGP_HEADER_SIZE];
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    for (size_t i = 0; i < sizeof many; i += BGP_HEADER_SIZE)
        keepalive_encode(many + i, BGP_HEADER_SIZE);
    rig_feed(&r, c, many, sizeof many);
    assert_int_equal(rig_info(&r).received.keepalives, 201);
    assert_null(conn_find(r.s, c)->in);
    for (size_t i = 0; i < sizeof many; i++)
        rig_feed(&r, c, many + i, 1);
    assert_int_equal(rig_info(&r).received.keepalives, 401);
    assert_null(conn_find(r.s, c)->in);
    rig_feed(&r, c, many, 30);
    assert_non_null(conn_find(r.s, c)->in);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    rig_end(&r);
}

/* ---- OPEN ---- */

struct open_row {
    const char *name;
    uint32_t local_as, remote_as;
    struct bgp_open open;
    uint8_t code, subcode; /* 0: accepted */
};

#define OPEN(as, hold, id, ...)                                                                    \
    {                                                                                              \
        .asn = (as), .hold_time_s = (hold), .router_id = (id), .has_capabilities = true,           \
        .mp_present = true, .as4 = true, __VA_ARGS__                                               \
    }

static const struct open_row open_rows[] = {
    {"good", 64512, 64512, OPEN(64512, 90, REMOTE, .families = {true, false}), 0, 0},
    {"C015 wrong as", 64512, 64512, OPEN(64513, 90, REMOTE, .families = {true}), 2, 2},
    {"C015 wrong as, four octets", 1, 70000, OPEN(70001, 90, REMOTE, .families = {true}), 2, 2},
    {"C017 as 70000", 64512, 70000, OPEN(70000, 90, REMOTE, .families = {true}), 0, 0},
    {"C020 hold 1", 64512, 64512, OPEN(64512, 1, REMOTE, .families = {true}), 2, 6},
    {"C020 hold 2", 64512, 64512, OPEN(64512, 2, REMOTE, .families = {true}), 2, 6},
    {"C021 hold 0", 64512, 64512, OPEN(64512, 0, REMOTE, .families = {true}), 0, 0},
    {"C023 id 0", 64512, 64512, OPEN(64512, 90, 0, .families = {true}), 2, 3},
    {"C024 own id, internal", 64512, 64512, OPEN(64512, 90, LOCAL, .families = {true}), 2, 3},
    {"C025 own id, external", 64512, 64513, OPEN(64513, 90, LOCAL, .families = {true}), 0, 0},
    {"C026 id 224.0.0.1", 64512, 64512, OPEN(64512, 90, 0xE0000001u, .families = {true}), 0, 0},
    {"C039 no family", 64512, 64512, OPEN(64512, 90, REMOTE, .families = {false, true}), 2, 7},
    {"family implied", 64512, 64512, {.asn = 64512, .hold_time_s = 90, .router_id = REMOTE}, 0, 0},
};

static void opens(void **state) {
    (void)state;
    for (unsigned i = 0; i < sizeof open_rows / sizeof *open_rows; i++) {
        const struct open_row *row = &open_rows[i];
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, row->local_as, row->remote_as);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_OPEN_SENT);
        feed_open(&r, c, &row->open);
        if (row->code) {
            expect_notified(&r, row->code, row->subcode);
            assert_int_equal(rig_info(&r).state, BGP_IDLE);
        } else {
            feed_keepalive(&r, c);
            if (rig_info(&r).state != BGP_ESTABLISHED)
                fail_msg("%s: not established", row->name);
        }
        rig_end(&r);
    }
}

/* C014 */
static void versions(void **state) {
    (void)state;
    static const uint8_t bad[] = {3, 5, 0, 255};
    for (unsigned i = 0; i < sizeof bad; i++) {
        struct rig r;
        uint8_t message[512];
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_OPEN_SENT);
        struct bgp_open open = rig_open(&r);
        size_t size = open_encode(&open, message, sizeof message);
        message[BGP_HEADER_SIZE] = bad[i];
        rig_feed(&r, c, message, size);
        expect_notified(&r, 2, 1);
        assert_int_equal(r.notified.notified.size, 2);
        assert_int_equal(r.notified.notified.data[1], 4);
        rig_end(&r);
    }
}

/* C021, C022: the smaller hold time, a third of it for the keepalives. */
static void negotiation(void **state) {
    (void)state;
    static const struct {
        uint16_t ours, theirs, hold, keepalive;
    } rows[] = {{240, 90, 90, 30}, {30, 65535, 30, 10}, {240, 3, 3, 1},
                {0, 90, 0, 0},     {90, 0, 0, 0},       {0, 0, 0, 0}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        r.peer.hold_time_set = true;
        r.peer.hold_time_s = rows[i].ours;
        rig_start(&r);
        struct bgp_conn_id c = rig_call(&r);
        struct bgp_open open = rig_open(&r);
        open.hold_time_s = rows[i].theirs;
        feed_open(&r, c, &open);
        feed_keepalive(&r, c);
        assert_int_equal(rig_info(&r).hold_time_s, rows[i].hold);
        assert_int_equal(rig_info(&r).keepalive_s, rows[i].keepalive);
        if (rows[i].hold == 0) {
            uint32_t before = rig_info(&r).sent.keepalives;
            rig_pass(&r, 10000000);
            assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
            assert_int_equal(rig_info(&r).sent.keepalives, before);
        }
        rig_end(&r);
    }
}

/* C040: 2/4 to our OPEN: once without capabilities, then with them again. */
static void fallback(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[64];
    size_t with = 0;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    for (int attempt = 0; attempt < 3; attempt++) {
        struct bgp_conn_id c = rig_answer(&r);
        rig_pull(&r, c);
        if (attempt == 0)
            with = r.out_size;
        assert_int_equal(r.out_size, attempt == 1 ? 29 : with);
        rig_feed(&r, c, message, notification_encode(2, 4, NULL, 0, message, sizeof message));
        rig_pull(&r, c);
        assert_int_equal(r.out_size, 0);
    }
    assert_true(with > 29);
    rig_end(&r);
}

/* IOS: on an incoming connection our OPEN follows theirs; it has 57 octets. */
static void ios_passive(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_IOS, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id c = rig_call(&r);
    rig_pull(&r, c);
    assert_int_equal(r.out_size, 0);
    struct bgp_open open = rig_open(&r);
    feed_open(&r, c, &open);
    rig_pull(&r, c);
    assert_int_equal(r.out_size, 57 + BGP_HEADER_SIZE);
    assert_int_equal(rig_info(&r).state, BGP_OPEN_CONFIRM);
    feed_keepalive(&r, c);
    assert_int_equal(rig_info(&r).received.opens, 1);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    rig_end(&r);
}

/* ---- messages out of place ---- */

/* C041, C050 */
static void unexpected(void **state) {
    (void)state;
    static const struct {
        enum bgp_state at;
        enum bgp_message_type type;
        uint8_t subcode;
    } rows[] = {
        {BGP_OPEN_SENT, BGP_MSG_KEEPALIVE, 1},     {BGP_OPEN_SENT, BGP_MSG_UPDATE, 1},
        {BGP_OPEN_SENT, BGP_MSG_ROUTE_REFRESH, 1}, {BGP_OPEN_CONFIRM, BGP_MSG_OPEN, 2},
        {BGP_OPEN_CONFIRM, BGP_MSG_UPDATE, 2},     {BGP_OPEN_CONFIRM, BGP_MSG_ROUTE_REFRESH, 2},
        {BGP_ESTABLISHED, BGP_MSG_OPEN, 3},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig r;
        uint8_t message[512];
        size_t size = 0;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, rows[i].at);
        struct bgp_open open = rig_open(&r);
        const struct bgp_refresh refresh = {.afi = 1, .safi = 1};
        if (rows[i].type == BGP_MSG_OPEN)
            size = open_encode(&open, message, sizeof message);
        else if (rows[i].type == BGP_MSG_UPDATE)
            size = end_of_rib_encode(BGP_IPV4_UNICAST, message, sizeof message);
        else if (rows[i].type == BGP_MSG_ROUTE_REFRESH)
            size = refresh_encode(&refresh, message, sizeof message);
        else
            size = keepalive_encode(message, sizeof message);
        rig_feed(&r, c, message, size);
        expect_notified(&r, 5, rows[i].subcode);
        assert_int_equal(r.notified.notified.size, 1);
        assert_int_equal(r.notified.notified.data[0], rows[i].type);
        rig_end(&r);
    }
}

/* C051: nothing goes back, whatever it says. */
static void notifications(void **state) {
    (void)state;
    uint64_t rng = 5;
    for (unsigned i = 0; i < 60; i++) {
        struct rig r;
        uint8_t message[256], data[64];
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, (enum bgp_state)(BGP_OPEN_SENT + i % 3));
        for (unsigned b = 0; b < sizeof data; b++)
            data[b] = (uint8_t)rng_next(&rng);
        size_t size = notification_encode((uint8_t)(i * 7), (uint8_t)(i * 11), data,
                                          rng_below(&rng, sizeof data), message, sizeof message);
        rig_feed(&r, c, message, size);
        rig_pull(&r, c);
        assert_int_equal(r.out_size, 0);
        assert_int_equal(r.closed, 1);
        assert_false(r.notified.notified.sent);
        assert_int_equal(rig_info(&r).state < BGP_OPEN_SENT, true);
        rig_end(&r);
    }
}

/* C185: a length other than 4 is 7/1; a foreign family or subtype is nothing. */
static void refreshes(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[64];
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    const struct bgp_refresh good[] = {{1, 0, 1}, {2, 0, 1}, {25, 0, 70}, {1, 9, 1}};
    for (unsigned i = 0; i < 4; i++)
        rig_feed(&r, c, message, refresh_encode(&good[i], message, sizeof message));
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    assert_int_equal(rig_info(&r).received.refreshes, 4);
    size_t size = refresh_encode(&good[0], message, sizeof message);
    message[17] = (uint8_t)(size + 1);
    message[size] = 0;
    rig_feed(&r, c, message, size + 1);
    expect_notified(&r, 7, 1);
    rig_end(&r);
}

/* ---- UPDATEs and control messages on one wire ---- */

#define ROUTES 600

/* A speaker with many routes, half of the octets of one message on the wire. */
static struct bgp_conn_id rig_half_update(struct rig *r, struct bgp_origin_config *origins) {
    struct bgp_part part;
    rig_init(r, BGP_PROFILE_CALICO, 64512, 64512);
    r->peer.export[0].accept_by_default = true;
    r->peer.hold_time_set = true;
    r->peer.hold_time_s = 9;
    for (uint32_t i = 0; i < ROUTES; i++)
        origins[i] =
            (struct bgp_origin_config){.prefix = ip_prefix_make(ip4(0x0B000000u + (i << 8)), 24),
                                       .source = ROUTE_SOURCE_STATIC,
                                       .metric = UINT32_MAX,
                                       .origin = (uint8_t)(i % 3)};
    r->config.origins = origins;
    r->config.origin_count = ROUTES;
    rig_start(r);
    struct bgp_conn_id c = rig_call(r);
    struct bgp_open open = rig_open(r);
    feed_open(r, c, &open);
    rig_pull(r, c);
    feed_keepalive(r, c);
    rig_pass(r, 10);
    assert_true(bgp_conn_pull(r->s, c, &part, 1, r->now) == 1 && part.size > 50);
    memcpy(r->out, part.data, 50);
    r->out_size = 50;
    bgp_conn_sent(r->s, c, 50, r->now);
    return c;
}

/* Appends what is left to r->out, at most `step` octets at a time. */
static void rig_drain(struct rig *r, struct bgp_conn_id c, size_t step) {
    struct bgp_part part;
    while (bgp_conn_pull(r->s, c, &part, 1, r->now) > 0) {
        size_t size = part.size < step ? part.size : step;
        assert_true(r->out_size + size <= OUT_MAX);
        memcpy(r->out + r->out_size, part.data, size);
        r->out_size += size;
        bgp_conn_sent(r->s, c, size, r->now);
        rig_events(r);
    }
}

static uint32_t count_messages(const struct rig *r, enum bgp_message_type want) {
    enum bgp_message_type type;
    struct bgp_error error = {0};
    uint32_t count = 0;
    for (size_t at = 0, size; at < r->out_size; at += size) {
        size = message_peek(r->out + at, r->out_size - at, &type, &error);
        assert_true(size > 0 && at + size <= r->out_size);
        count += type == want;
    }
    return count;
}

/* A NOTIFICATION follows the UPDATE that is partly sent and nothing else. */
static void notification_behind_half_update(void **state) {
    (void)state;
    static struct bgp_origin_config origins[ROUTES];
    struct rig r;
    struct bgp_conn_id c = rig_half_update(&r, origins);
    bgp_stop(r.s, NULL, r.now);
    rig_drain(&r, c, 7);
    assert_int_equal(count_messages(&r, BGP_MSG_UPDATE), 1);
    assert_int_equal(count_messages(&r, BGP_MSG_NOTIFICATION), 1);
    expect_last_message(&r, BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN);
    assert_true(bgp_stopped(r.s));
    rig_end(&r);
}

/* A KEEPALIVE goes between two UPDATEs, never into one; all are counted. */
static void keepalive_between_updates(void **state) {
    (void)state;
    static struct bgp_origin_config origins[ROUTES];
    for (size_t step = 1; step < 4096; step = step * 3 + 1) {
        struct rig r;
        struct bgp_conn_id c = rig_half_update(&r, origins);
        rig_pass(&r, 3000);
        rig_drain(&r, c, step);
        assert_int_equal(count_messages(&r, BGP_MSG_KEEPALIVE), 1);
        assert_true(count_messages(&r, BGP_MSG_UPDATE) >= 3);
        assert_int_equal(rig_info(&r).sent.updates, count_messages(&r, BGP_MSG_UPDATE));
        assert_int_equal(rig_info(&r).prefixes_sent[0], ROUTES);
        assert_null(conn_find(r.s, c)->out);
        rig_end(&r);
    }
}

/* C059, C211: over the limit: 6/1 with AFI, SAFI and the limit; down until cleared. */
static void prefix_limit(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    size_t size;
    const uint32_t path[] = {(uint32_t)AS_SEQUENCE << 16 | 1, 64513};
    const struct attr_values v = {.next_hop = ip4(REMOTE), .as_path = {path, 2}};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV4_UNICAST};
    struct ip_prefix prefixes[5];
    for (uint32_t i = 0; i < 5; i++)
        prefixes[i] = ip_prefix_make(ip4(0x0B000000u + (i << 8)), 24);
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64513);
    r.peer.prefix_max[0] = 4;
    r.peer.passive = true;
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    assert_int_equal(update_encode(&v, &how, prefixes, 4, message, sizeof message, &size), 4);
    rig_feed(&r, c, message, size);
    assert_int_equal(rig_info(&r).prefixes_received[0], 4);
    assert_int_equal(r.notified_count, 0);
    assert_int_equal(update_encode(&v, &how, prefixes + 4, 1, message, sizeof message, &size), 1);
    rig_feed(&r, c, message, size);
    expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_PREFIX_LIMIT);
    static const uint8_t data[] = {0, 1, 1, 0, 0, 0, 4};
    assert_memory_equal(r.notified.notified.data, data, sizeof data);
    assert_true(rig_info(&r).prefix_limit_down);
    assert_int_equal(rig_info(&r).last_reason, BGP_DOWN_PREFIX_LIMIT);
    rig_pass(&r, 1000000);
    assert_int_equal(rig_try_call(&r, &c), BGP_REFUSED);
    assert_int_equal(bgp_clear(r.s, (struct bgp_peer_id){0}, BGP_CLEAR_HARD, r.now), BGP_OK);
    assert_false(rig_info(&r).prefix_limit_down);
    assert_int_equal(rig_try_call(&r, &c), BGP_OK);
    rig_end(&r);
}

/* Any octets at any time: the speaker stays whole. */
static void noise(void **state) {
    (void)state;
    uint64_t rng = 99;
    for (unsigned round = 0; round < 400; round++) {
        struct rig r;
        uint8_t message[600];
        rig_init(&r, (enum bgp_profile)(round % BGP_PROFILES), 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_PROFILE_IOS == r.config.profile
                                                 ? BGP_OPEN_CONFIRM
                                                 : (enum bgp_state)(BGP_OPEN_SENT + round % 3));
        for (unsigned i = 0; i < 30; i++) {
            size_t size = BGP_HEADER_SIZE + rng_below(&rng, 60);
            for (size_t b = 0; b < size; b++)
                message[b] = b < 16 ? 0xFF : (uint8_t)rng_next(&rng);
            message[16] = 0;
            message[17] = (uint8_t)size;
            message[18] = (uint8_t)(1 + rng_below(&rng, 5));
            rig_feed(&r, c, message, size - rng_below(&rng, 2));
            rig_pass(&r, rng_below(&rng, 20000));
            if (r.connecting.index)
                bgp_conn_up(r.s, r.connecting, (struct bgp_endpoint){ip4(LOCAL), 1}, r.now);
            if (!conn_find(r.s, c) && rig_try_call(&r, &c) != BGP_OK)
                c = r.connecting;
            if (i % 5 == 0)
                rig_pull(&r, c);
        }
        rig_end(&r);
    }
}

/* ---- two connections ---- */

/* C052, C053: an incoming and an outgoing connection in OpenSent; the OPENs arrive in either order.
 * The connection that the dominant side opened stays. */
static void collisions(void **state) {
    (void)state;
    static const struct {
        uint32_t remote_id, local_as, remote_as;
        bool remote_dominates;
    } rows[] = {{REMOTE, 64512, 64512, true},
                {LOCAL - 1, 64512, 64512, false},
                {LOCAL, 64512, 64513, true},
                {LOCAL, 64513, 64512, false}};
    for (unsigned i = 0; i < 8; i++) {
        struct rig r;
        bool in_first = i & 1, remote = rows[i / 2].remote_dominates;
        rig_init(&r, BGP_PROFILE_CALICO, rows[i / 2].local_as, rows[i / 2].remote_as);
        rig_start(&r);
        struct bgp_conn_id out = rig_answer(&r), in = rig_call(&r);
        struct bgp_open open = rig_open(&r);
        open.router_id = rows[i / 2].remote_id;
        feed_open(&r, in_first ? in : out, &open);
        assert_int_equal(r.notified_count, 0);
        feed_open(&r, in_first ? out : in, &open);
        expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_COLLISION);
        assert_int_equal(r.notified.notified.incoming, !remote);
        rig_pull(&r, remote ? out : in);
        expect_last_message(&r, BGP_ERR_CEASE, BGP_CEASE_COLLISION);
        feed_keepalive(&r, remote ? in : out);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
        assert_int_equal(rig_info(&r).incoming, remote);
        assert_int_equal(r.s->conns.used, 1);
        rig_end(&r);
    }
}

/* C054: a call while Established is refused, and with graceful restart it replaces the session
 * (RFC 4724 4.2). */
static void call_while_established(void **state) {
    (void)state;
    for (int graceful = 0; graceful < 2; graceful++) {
        struct rig r;
        struct bgp_conn_id again = {0};
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_call(&r);
        struct bgp_open open = rig_open(&r);
        open.gr = graceful;
        open.gr_time_s = 120;
        open.gr_families[0].present = graceful;
        feed_open(&r, c, &open);
        feed_keepalive(&r, c);
        assert_int_equal(rig_try_call(&r, &again), graceful ? BGP_OK : BGP_REFUSED);
        assert_int_equal(rig_info(&r).state, graceful ? BGP_OPEN_SENT : BGP_ESTABLISHED);
        assert_int_equal(r.aborted, graceful);
        assert_int_equal(r.notified_count, 0);
        rig_end(&r);
    }
}

/* A handle that is dead is ignored, also when its place was taken. */
static void stale_handles(void **state) {
    (void)state;
    struct rig r;
    struct bgp_part part;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id old = rig_up_to(&r, BGP_OPEN_CONFIRM);
    bgp_conn_down(r.s, old, BGP_CONN_RESET, r.now);
    struct bgp_conn_id c = rig_call(&r);
    assert_int_equal(old.index, c.index);
    bgp_conn_down(r.s, old, BGP_CONN_RESET, r.now);
    bgp_conn_up(r.s, old, (struct bgp_endpoint){0}, r.now);
    bgp_conn_sent(r.s, old, 10, r.now);
    feed_keepalive(&r, old);
    feed_keepalive(&r, (struct bgp_conn_id){4711, 1});
    assert_int_equal(bgp_conn_pull(r.s, old, &part, 1, r.now), 0);
    assert_false(bgp_conn_has_output(r.s, old));
    assert_int_equal(rig_info(&r).state, BGP_OPEN_SENT);
    rig_end(&r);
}

/* ---- waiting ---- */

/* C048: OpenSent has the large timer, then 4/0. The wait after an error doubles from 5 to 30 s. */
static void open_wait_and_back_off(void **state) {
    (void)state;
    struct rig r;
    struct bgp_conn_id c;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.passive = true;
    rig_start(&r);
    c = rig_up_to(&r, BGP_OPEN_SENT);
    rig_pass(&r, 239000);
    assert_int_equal(r.notified_count, 0);
    rig_pass(&r, 2000);
    expect_notified(&r, BGP_ERR_HOLD_TIMER, 0);
    static const uint32_t waits_ms[] = {5000, 10000, 20000, 30000, 30000};
    for (unsigned i = 0; i < 5; i++) {
        uint64_t waited = 0;
        assert_int_equal(rig_try_call(&r, &c), BGP_REFUSED);
        while (rig_try_call(&r, &c) == BGP_REFUSED) {
            rig_pass(&r, 50);
            waited += 50;
        }
        /* the first two seconds of the first wait went by above */
        uint32_t least = waits_ms[i] * 3 / 4 - (i == 0 ? 2000 : 0);
        assert_in_range(waited, least - 50, waits_ms[i] + 50);
        struct bgp_open open = rig_open(&r);
        open.asn = 1;
        feed_open(&r, c, &open);
        assert_string_equal(rig_info(&r).last_error, "BGP Error: Bad peer AS");
    }
    rig_end(&r);
}

/* C057: nothing is taken any more: the KEEPALIVEs pile up until RFC 9687's time is over. */
static void send_hold(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.passive = true;
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    for (int minutes = 0; minutes < 7; minutes++) {
        feed_keepalive(&r, c);
        rig_pass(&r, 60000);
        assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    }
    for (int minutes = 0; minutes < 10 && r.notified_count == 0; minutes++) {
        feed_keepalive(&r, c);
        rig_pass(&r, 60000);
    }
    assert_int_equal(r.notified.notified.code, BGP_ERR_SEND_HOLD);
    rig_pass(&r, 6000);
    assert_int_equal(r.aborted, 1); /* it never took the NOTIFICATION either */
    rig_end(&r);
}

/* C059, RFC 9003: the text, cut between characters. */
static void shutdown_text(void **state) {
    (void)state;
    struct rig r;
    char text[400];
    memset(text, 'a', 254);
    memcpy(text + 254, "\xC3\xA4zzz", 6); /* two octets across the limit */
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
    bgp_stop(r.s, text, r.now);
    rig_events(&r);
    rig_pull(&r, c);
    expect_last_message(&r, BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN);
    assert_int_equal(r.out[21], 254);
    assert_int_equal(r.out_size, 22 + 254);
    assert_true(bgp_stopped(r.s));
    rig_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_errors),
        cmocka_unit_test(framing),
        cmocka_unit_test(opens),
        cmocka_unit_test(versions),
        cmocka_unit_test(negotiation),
        cmocka_unit_test(fallback),
        cmocka_unit_test(ios_passive),
        cmocka_unit_test(unexpected),
        cmocka_unit_test(notifications),
        cmocka_unit_test(refreshes),
        cmocka_unit_test(collisions),
        cmocka_unit_test(call_while_established),
        cmocka_unit_test(stale_handles),
        cmocka_unit_test(open_wait_and_back_off),
        cmocka_unit_test(send_hold),
        cmocka_unit_test(shutdown_text),
        cmocka_unit_test(notification_behind_half_update),
        cmocka_unit_test(keepalive_between_updates),
        cmocka_unit_test(prefix_limit),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
