/*
 * One speaker against scripted bytes: UPDATEs and control messages on one wire, two connections of
 * one peer, waits, limits, noise. The rows of the conformance list (C…) are named where they are
 * tested.
 */
#include "rig_test.h"

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
static void test_notification_behind_half_update(void **state) {
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

/* It follows a KEEPALIVE that is partly sent, whole, and no other that waits. */
static void test_notification_behind_half_keepalive(void **state) {
    (void)state;
    for (size_t sent = 0; sent <= BGP_HEADER_SIZE; sent++) {
        struct rig r;
        struct bgp_part part;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        r.peer.passive = true;
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, BGP_ESTABLISHED);
        rig_pass(&r, 31000); /* one is due, another is not */
        r.out_size = 0;
        assert_int_equal(bgp_conn_pull(r.s, c, &part, 1, r.now), 1);
        assert_int_equal(part.size, BGP_HEADER_SIZE);
        memcpy(r.out, part.data, sent);
        r.out_size = sent;
        bgp_conn_sent(r.s, c, sent, r.now);
        bgp_stop(r.s, NULL, r.now);
        rig_drain(&r, c, 7);
        assert_int_equal(count_messages(&r, BGP_MSG_KEEPALIVE), sent > 0);
        assert_int_equal(count_messages(&r, BGP_MSG_NOTIFICATION), 1);
        expect_last_message(&r, BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN);
        assert_true(bgp_stopped(r.s));
        rig_end(&r);
    }
}

/* A KEEPALIVE goes between two UPDATEs, never into one; all are counted. */
static void test_keepalive_between_updates(void **state) {
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
static void test_C059_C211_prefix_limit(void **state) {
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

/* C211: a bound of more than one octet, of the other family. */
static void test_C211_prefix_limit_data(void **state) {
    (void)state;
    struct rig r;
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    size_t size;
    const struct attr_values v = {.has_local_pref = true, .next_hop = {IP_V6, {0x20, 1, [15] = 1}}};
    const struct attr_encoding how = {.as4 = true, .family = BGP_IPV6_UNICAST};
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    r.peer.families[BGP_IPV6_UNICAST] = true;
    r.peer.import[BGP_IPV6_UNICAST].accept_by_default = true;
    r.peer.prefix_max[BGP_IPV6_UNICAST] = 0x0182;
    r.peer.passive = true;
    rig_start(&r);
    struct bgp_conn_id c = rig_call(&r);
    struct bgp_open open = rig_open(&r);
    open.families[BGP_IPV6_UNICAST] = true;
    feed_open(&r, c, &open);
    feed_keepalive(&r, c);
    for (uint32_t i = 0; i <= 0x0182; i++) {
        const struct ip_prefix p = {{IP_V6, {0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 8), (uint8_t)i}},
                                    48};
        assert_int_equal(r.notified_count, 0);
        assert_int_equal(update_encode(&v, &how, &p, 1, message, sizeof message, &size), 1);
        rig_feed(&r, c, message, size);
    }
    expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_PREFIX_LIMIT);
    static const uint8_t data[] = {0, 2, 1, 0, 0, 1, 0x82};
    assert_int_equal(r.notified.notified.size, sizeof data);
    assert_memory_equal(r.notified.notified.data, data, sizeof data);
    rig_end(&r);
}

/* Any octets at any time: the speaker stays whole. */
static void test_noise(void **state) {
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

/* ---- refused connections ---- */

static void feed_refusal(struct rig *r, struct bgp_conn_id c) {
    uint8_t message[32];
    rig_feed(
        r, c, message,
        notification_encode(BGP_ERR_CEASE, BGP_CEASE_REJECTED, NULL, 0, message, sizeof message));
}

/* Until it calls, in milliseconds. */
static uint64_t until_call(struct rig *r) {
    struct nanotime before = r->now;
    r->connecting = (struct bgp_conn_id){0};
    while (r->connecting.index == 0 && nanotime_since(r->now, before) < 300 * NANOS_PER_S)
        rig_pass(r, 10);
    return nanotime_since(r->now, before) / NANOS_PER_MS;
}

/* A neighbour in Idle refuses our calls until its wait is over, and calls then: it is taken,
 * however often it has refused us. Ours are repeated after 1, 2, 4 to 60 s or the connect retry
 * time, or a quarter less. */
static void test_C059_refused_takes_calls(void **state) {
    (void)state;
    for (int confirmed = 0; confirmed < 2; confirmed++) {
        const uint64_t longest_ms = confirmed ? 20000 : 60000;
        uint64_t ms = 1000;
        struct rig r;
        rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
        r.peer.connect_retry_s = confirmed ? 20 : 0;
        rig_start(&r);
        struct bgp_open open = rig_open(&r);
        for (int i = 0; i < 9; i++) {
            if (i > 0) {
                assert_in_range(until_call(&r), ms * 3 / 4, ms + 20);
                ms = ms * 2 < longest_ms ? ms * 2 : longest_ms;
            }
            struct bgp_conn_id c = r.connecting;
            bgp_conn_up(r.s, c, (struct bgp_endpoint){ip4(LOCAL), 5555}, r.now);
            rig_events(&r);
            if (confirmed)
                feed_open(&r, c, &open);
            feed_refusal(&r, c);
            assert_int_equal(rig_info(&r).state, BGP_ACTIVE);
            assert_int_equal(r.s->conns.used, 0);
        }
        assert_string_equal(rig_info(&r).last_error, "Received: Connection rejected");
        (void)rig_up_to(&r, BGP_ESTABLISHED);
        rig_end(&r);
    }
}

/* It has taken one connection and refuses the other: the first goes on. */
static void test_C059_refused_beside_another(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_PLAIN, 64512, 64512);
    rig_start(&r);
    struct bgp_conn_id out = rig_answer(&r), in = rig_call(&r);
    struct bgp_open open = rig_open(&r);
    feed_open(&r, in, &open);
    feed_refusal(&r, out);
    assert_int_equal(rig_info(&r).state, BGP_OPEN_CONFIRM);
    feed_keepalive(&r, in);
    assert_int_equal(rig_info(&r).state, BGP_ESTABLISHED);
    assert_int_equal(rig_info(&r).last_reason, BGP_DOWN_NONE);
    assert_int_equal(r.s->conns.used, 1);
    rig_end(&r);
}

/* ---- two connections ---- */

/* C052, C053: an incoming and an outgoing connection in OpenSent; the OPENs arrive in either order.
 * The connection that the dominant side opened stays. */
static void test_C052_C053_collisions(void **state) {
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
static void test_C054_call_while_established(void **state) {
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
static void test_stale_handles(void **state) {
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
static void test_C048_open_wait_and_back_off(void **state) {
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

/* C045: a SYN that nobody answers is given up and tried again; nothing is left over. */
static void test_C045_black_hole(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
    rig_start(&r);
    rig_pass(&r, 100000);
    assert_in_range(r.aborted, 18, 20); /* every five seconds */
    assert_int_equal(r.s->conns.used, 1);
    assert_int_equal(rig_info(&r).state, BGP_CONNECT);
    rig_end(&r);
}

/* C046: stopped in each state: Cease 6/2 where there is a session, everything given back. */
static void test_C046_stop_in_each_state(void **state) {
    (void)state;
    for (unsigned at = BGP_IDLE; at <= BGP_ESTABLISHED; at++) {
        struct rig r;
        struct bgp_conn_id c = {0};
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        r.peer.passive = at == BGP_IDLE;
        rig_start(&r);
        if (at == BGP_CONNECT)
            rig_pass(&r, 3000);
        if (at >= BGP_OPEN_SENT)
            c = rig_up_to(&r, (enum bgp_state)at);
        assert_int_equal(rig_info(&r).state, at);
        bgp_stop(r.s, NULL, r.now);
        rig_events(&r);
        if (at >= BGP_OPEN_SENT) {
            expect_notified(&r, BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN);
            rig_pull(&r, c);
        } else {
            assert_int_equal(r.notified_count, 0);
        }
        assert_int_equal(rig_info(&r).state, BGP_IDLE);
        assert_true(bgp_stopped(r.s));
        rig_pass(&r, 1000000);
        assert_int_equal(rig_info(&r).state, BGP_IDLE);
        assert_int_equal(rig_try_call(&r, &c), BGP_REFUSED);
        rig_end(&r);
    }
}

/* C047: the transport goes in each state: back to trying, or to waiting for a call. */
static void test_C047_lost_in_each_state(void **state) {
    (void)state;
    for (unsigned at = BGP_OPEN_SENT; at <= BGP_ESTABLISHED; at++) {
        struct rig r;
        rig_init(&r, BGP_PROFILE_CALICO, 64512, 64512);
        rig_start(&r);
        struct bgp_conn_id c = rig_up_to(&r, (enum bgp_state)at);
        bgp_conn_down(r.s, c, BGP_CONN_CLOSED, r.now);
        rig_events(&r);
        assert_int_equal(rig_info(&r).state, BGP_ACTIVE);
        assert_string_equal(rig_info(&r).last_error, "Socket: Connection closed");
        assert_int_equal(r.s->conns.used, 0);
        rig_answer(&r);
        assert_int_equal(rig_info(&r).state, BGP_OPEN_SENT);
        rig_end(&r);
    }
}

/* C057: nothing is taken any more: the KEEPALIVEs pile up until RFC 9687's time is over. */
static void test_C057_send_hold_by_keepalives(void **state) {
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
static void test_C207_shutdown_text_sent(void **state) {
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
        cmocka_unit_test(test_notification_behind_half_update),
        cmocka_unit_test(test_notification_behind_half_keepalive),
        cmocka_unit_test(test_keepalive_between_updates),
        cmocka_unit_test(test_C059_C211_prefix_limit),
        cmocka_unit_test(test_C211_prefix_limit_data),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_C059_refused_takes_calls),
        cmocka_unit_test(test_C059_refused_beside_another),
        cmocka_unit_test(test_C052_C053_collisions),
        cmocka_unit_test(test_C054_call_while_established),
        cmocka_unit_test(test_stale_handles),
        cmocka_unit_test(test_C048_open_wait_and_back_off),
        cmocka_unit_test(test_C045_black_hole),
        cmocka_unit_test(test_C046_stop_in_each_state),
        cmocka_unit_test(test_C047_lost_in_each_state),
        cmocka_unit_test(test_C057_send_hold_by_keepalives),
        cmocka_unit_test(test_C207_shutdown_text_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
