#ifndef RIBCAGE_CORE_RIG_TEST_H
#define RIBCAGE_CORE_RIG_TEST_H

/*
 * One speaker with one peer, for tests that write the peer's bytes themselves: events are drained
 * and remembered, output is pulled on demand, time passes when told to.
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
#define RIG_UNUSED __attribute__((unused))

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

RIG_UNUSED static void rig_init(struct rig *r, enum bgp_profile profile, uint32_t local_as,
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

RIG_UNUSED static void rig_events(struct rig *r) {
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

RIG_UNUSED static void rig_start(struct rig *r) {
    const struct bgp_env env = {.seed = 7};
    r->s = bgp_speaker_new(&r->config, &env, r->now);
    assert_non_null(r->s);
    rig_events(r);
}

RIG_UNUSED static void rig_end(struct rig *r) {
    bgp_speaker_free(r->s);
}

RIG_UNUSED static void rig_pass(struct rig *r, uint64_t ms) {
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
RIG_UNUSED static void rig_pull(struct rig *r, struct bgp_conn_id c) {
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

RIG_UNUSED static void rig_feed(struct rig *r, struct bgp_conn_id c, const uint8_t *data,
                                size_t size) {
    bgp_conn_receive(r->s, c, data, size, r->now);
    rig_events(r);
}

RIG_UNUSED static enum bgp_status rig_try_call_from(struct rig *r, uint32_t from,
                                                    struct bgp_conn_id *ret_conn) {
    const struct bgp_endpoint remote = {ip4(from), 4321}, local = {ip4(LOCAL), 179};
    struct bgp_reject reject;
    enum bgp_status status = bgp_conn_accept(r->s, remote, local, r->now, ret_conn, &reject);
    rig_events(r);
    return status;
}

RIG_UNUSED static enum bgp_status rig_try_call(struct rig *r, struct bgp_conn_id *ret_conn) {
    return rig_try_call_from(r, REMOTE, ret_conn);
}

RIG_UNUSED static struct bgp_conn_id rig_call(struct rig *r) {
    struct bgp_conn_id c = {0};
    assert_int_equal(rig_try_call(r, &c), BGP_OK);
    return c;
}

/* Waits until the speaker dials, and answers. */
RIG_UNUSED static struct bgp_conn_id rig_answer(struct rig *r) {
    r->connecting = (struct bgp_conn_id){0};
    for (int i = 0; i < 100 && r->connecting.index == 0; i++)
        rig_pass(r, 10000);
    assert_int_not_equal(r->connecting.index, 0);
    bgp_conn_up(r->s, r->connecting, (struct bgp_endpoint){ip4(LOCAL), 5555}, r->now);
    rig_events(r);
    return r->connecting;
}

RIG_UNUSED static struct bgp_open rig_open(const struct rig *r) {
    return (struct bgp_open){.asn = r->peer.remote_as,
                             .hold_time_s = 90,
                             .router_id = REMOTE,
                             .has_capabilities = true,
                             .mp_present = true,
                             .families = {true, false},
                             .refresh = true,
                             .as4 = true};
}

RIG_UNUSED static void feed_open(struct rig *r, struct bgp_conn_id c, const struct bgp_open *o) {
    uint8_t message[512];
    size_t size = open_encode(o, message, sizeof message);
    assert_true(size > 0);
    rig_feed(r, c, message, size);
}

RIG_UNUSED static void feed_keepalive(struct rig *r, struct bgp_conn_id c) {
    uint8_t message[BGP_HEADER_SIZE];
    rig_feed(r, c, message, keepalive_encode(message, sizeof message));
}

RIG_UNUSED static void feed_end_of_rib(struct rig *r, struct bgp_conn_id c) {
    uint8_t message[64];
    rig_feed(r, c, message, end_of_rib_encode(BGP_IPV4_UNICAST, message, sizeof message));
}

RIG_UNUSED static void feed_refresh(struct rig *r, struct bgp_conn_id c,
                                    enum bgp_refresh_subtype subtype) {
    uint8_t message[64];
    const struct bgp_refresh refresh = {.afi = 1, .safi = 1, .subtype = (uint8_t)subtype};
    rig_feed(r, c, message, refresh_encode(&refresh, message, sizeof message));
}

/* A neighbour calls, sends this OPEN and a KEEPALIVE. */
RIG_UNUSED static struct bgp_conn_id rig_establish_from(struct rig *r, uint32_t from,
                                                        const struct bgp_open *open) {
    struct bgp_conn_id c = {0};
    assert_int_equal(rig_try_call_from(r, from, &c), BGP_OK);
    feed_open(r, c, open);
    feed_keepalive(r, c);
    return c;
}

RIG_UNUSED static struct bgp_peer_info rig_info(const struct rig *r) {
    struct bgp_peer_info info;
    assert_true(bgp_peer_at(r->s, 0, &info));
    return info;
}

/* A session in the state asked for, on an incoming connection. */
RIG_UNUSED static struct bgp_conn_id rig_up_to(struct rig *r, enum bgp_state state) {
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

RIG_UNUSED static void expect_notified(const struct rig *r, uint8_t code, uint8_t subcode) {
    assert_int_equal(r->notified_count, 1);
    assert_true(r->notified.notified.sent);
    assert_int_equal(r->notified.notified.code, code);
    assert_int_equal(r->notified.notified.subcode, subcode);
}

/* What the wire carries is the NOTIFICATION that was told, and nothing behind it. */
RIG_UNUSED static void expect_last_message(const struct rig *r, uint8_t code, uint8_t subcode) {
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

#endif
