/*
 * What comes in: whole messages and fired timers become events of the state machine.
 *
 * Owns everything that must be decided before an event is fed in: is this OPEN acceptable, does
 * its connection collide with another, does this NOTIFICATION call for a wait. Leaves the actions
 * to session.c and decoding to the codec.
 *
 * Collision (RFC 4271 6.8, 6286 2.3): looked at when an OPEN arrives. The speaker with the higher
 * identifier, or with equal identifiers the higher AS, is the dominant one, and the connection it
 * opened stays; but one that is Established already is never given up for a new one. Both ends
 * come to the same answer whichever OPEN arrives first, because it depends on who opened a
 * connection and not on when.
 */
#include "session.h"

#include "event.h"
#include "listen.h"
#include "malformed.h"
#include "peer.h"
#include "restart.h"

#include <string.h>

/* A connection that the peer does not take now: it is in Idle, or another one of ours is further
 * (RFC 4486 4). Who says so itself hears it; others have the habits of BIRD and IOS. */
static bool is_refusal(const struct bgp_speaker *s, const struct bgp_notification *n) {
    return s->config->profile == BGP_PROFILE_PLAIN && n->code == BGP_ERR_CEASE &&
           n->subcode == BGP_CEASE_REJECTED;
}

void session_notified(struct bgp_speaker *s, struct peer *p, const struct conn *c, bool sent,
                      const struct bgp_notification *n) {
    struct bgp_event e = {.kind = BGP_EVENT_NOTIFIED, .peer = {p->index}, .conn = conn_id(c)};
    e.notified.sent = sent;
    e.notified.incoming = c->incoming;
    e.notified.in_state = (enum bgp_state)c->state;
    e.notified.code = n->code;
    e.notified.subcode = n->subcode;
    e.notified.size =
        n->size < BGP_NOTIFICATION_DATA_MAX ? n->size : (uint16_t)BGP_NOTIFICATION_DATA_MAX;
    if (n->size)
        memcpy(e.notified.data, n->data, e.notified.size);
    event_push(s, &e);
    bool collision = n->code == BGP_ERR_CEASE && n->subcode == BGP_CEASE_COLLISION;
    bool surplus = collision || (!sent && is_refusal(s, n) && peer_other_conn(s, p, c));
    if (surplus && c->state != BGP_ESTABLISHED)
        return; /* the session itself is not over */
    p->last_code = n->code;
    p->last_subcode = n->subcode;
    p->last_sent = sent;
    struct bgp_notification inner;
    const struct bgp_notification *why = notification_hard_reset(n, &inner) ? &inner : n;
    peer_history_make(s, p)->last_error = session_error_text(why->code, why->subcode, !sent);
    p->last_reason = sent ? BGP_DOWN_NOTIFICATION_SENT : BGP_DOWN_NOTIFICATION_RECEIVED;
}

void session_header_error(struct bgp_speaker *s, struct conn *c, const struct bgp_error *error,
                          struct nanotime now) {
    const struct session_cause cause = {.error = *error};
    session_run(s, speaker_peer(s, c->peer), c, FSM_HEADER_ERROR, &cause, now);
}

/* ---- OPEN ---- */

static void dump(struct bgp_speaker *s, struct peer *p, struct conn *loser, struct nanotime now) {
    const struct session_cause cause = {
        .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_COLLISION},
        .reason = BGP_DOWN_COLLISION};
    event_log(s, p->index, BGP_LOG_COLLISION, !loser->incoming, 0, p->config->remote_addr);
    session_run(s, p, loser, FSM_COLLISION_DUMP, &cause, now);
}

/* True: `c`, which has just got its OPEN, goes on. */
static bool survives_collision(struct bgp_speaker *s, struct peer *p, struct conn *c,
                               struct nanotime now) {
    struct conn *other = peer_other_conn(s, p, c);
    if (!other || other->state < BGP_OPEN_CONFIRM)
        return true;
    uint32_t theirs = conn_setup(s, c)->open.router_id;
    bool they_dominate = s->router_id < theirs ||
                         (s->router_id == theirs && session_local_as(s, p) < p->config->remote_as);
    bool opened_by_dominant = c->incoming == they_dominate;
    if (other->state == BGP_OPEN_CONFIRM && opened_by_dominant) {
        dump(s, p, other, now);
        return true;
    }
    dump(s, p, c, now);
    return false;
}

static void receive_open(struct bgp_speaker *s, struct peer *p, struct conn *c, const uint8_t *body,
                         size_t size, struct nanotime now) {
    struct session_cause cause = {.type = BGP_MSG_OPEN};
    enum fsm_event event = FSM_OPEN;
    bool expected = c->state == BGP_OPEN_SENT || c->state == BGP_ACTIVE;
    struct bgp_open *open = expected ? &conn_setup(s, c)->open : NULL;
    if (open && !(open_decode(body, size, open, &cause.error) &&
                  session_open_accept(s, p, open, &cause.error))) {
        event = FSM_OPEN_ERROR;
        malformed_note_open(s, p, body, size);
    } else if (open) {
        listen_learn_as(s, p, open->asn);
        if (!survives_collision(s, p, c, now))
            return;
    }
    session_run(s, p, c, event, &cause, now);
}

/* ---- NOTIFICATION ---- */

/* RFC 5492 5: a peer that knows no optional parameters gets one more chance, without them. Not
 * possible where the AS number needs one. */
static bool falls_back(const struct bgp_speaker *s, struct peer *p,
                       const struct bgp_notification *n) {
    if (n->code != BGP_ERR_OPEN || n->subcode != BGP_OPEN_ERR_PARAMETER || p->no_capabilities)
        return false;
    if (session_local_as(s, p) > UINT16_MAX || p->config->remote_as > UINT16_MAX ||
        !p->config->options->families[BGP_IPV4_UNICAST])
        return false;
    p->no_capabilities = true;
    return true;
}

/* No error of ours or theirs: a collision was dumped, or an operator ended the session. Who resets
 * it calls again at once and is not to be refused for a minute; with damping (RFC 4271 8.1.1) one
 * that does so often waits all the same. */
static bool is_mild(struct bgp_speaker *s, struct peer *p, const struct conn *c,
                    const struct bgp_notification *n) {
    bool established = c->state == BGP_ESTABLISHED;
    if (n->code == BGP_ERR_CEASE && s->profile->idle_hold_max_ms)
        return true;
    if (n->code == BGP_ERR_CEASE && n->subcode == BGP_CEASE_COLLISION)
        return !established;
    return !established && falls_back(s, p, n);
}

static void receive_notification(struct bgp_speaker *s, struct peer *p, struct conn *c,
                                 const uint8_t *body, size_t size, struct nanotime now) {
    struct bgp_notification n = {0};
    if (!notification_decode(body, size, &n))
        n = (struct bgp_notification){0};
    session_notified(s, p, c, false, &n);
    bool mild = is_mild(s, p, c, &n);
    if (!mild && n.code == BGP_ERR_OPEN)
        p->no_capabilities = false;
    const struct session_cause cause = {.hard_reset = n.code == BGP_ERR_CEASE &&
                                                      n.subcode == BGP_CEASE_HARD_RESET};
    enum fsm_event event = is_refusal(s, &n) ? FSM_REFUSED
                           : mild            ? FSM_NOTIFICATION_MILD
                                             : FSM_NOTIFICATION;
    session_run(s, p, c, event, &cause, now);
}

/* ---- all ---- */

static void count_received(struct peer *p, enum bgp_message_type type) {
    switch (type) {
    case BGP_MSG_OPEN:
        p->received.opens++;
        break;
    case BGP_MSG_UPDATE:
        p->received.updates++;
        break;
    case BGP_MSG_NOTIFICATION:
        p->received.notifications++;
        break;
    case BGP_MSG_KEEPALIVE:
        p->received.keepalives++;
        break;
    case BGP_MSG_ROUTE_REFRESH:
        p->received.refreshes++;
        break;
    }
}

void session_message(struct bgp_speaker *s, struct conn *c, enum bgp_message_type type,
                     const uint8_t *body, size_t size, struct nanotime now) {
    struct peer *p = speaker_peer(s, c->peer);
    struct session_cause cause = {.type = type, .body = body, .size = size};
    struct bgp_refresh refresh;
    count_received(p, type);
    switch (type) {
    case BGP_MSG_OPEN:
        receive_open(s, p, c, body, size, now);
        break;
    case BGP_MSG_NOTIFICATION:
        receive_notification(s, p, c, body, size, now);
        break;
    case BGP_MSG_KEEPALIVE:
        session_run(s, p, c, FSM_KEEPALIVE, &cause, now);
        restart_check_deferral(s, now);
        break;
    case BGP_MSG_UPDATE:
        session_run(s, p, c, FSM_UPDATE, &cause, now);
        break;
    case BGP_MSG_ROUTE_REFRESH:
        session_run(s, p, c,
                    refresh_decode(body, size, &refresh, &cause.error) ? FSM_REFRESH
                                                                       : FSM_REFRESH_ERROR,
                    &cause, now);
        break;
    }
}

/* ---- timers ---- */

static void session_clock(struct bgp_speaker *s, struct peer *p, struct conn *c,
                          struct nanotime now) {
    static const struct session_cause hold = {.error = {.code = BGP_ERR_HOLD_TIMER}};
    static const struct session_cause send_hold = {.error = {.code = BGP_ERR_SEND_HOLD}};
    struct bgp_conn_id id = conn_id(c);
    if (!nanotime_before(now, c->hold_deadline)) {
        session_run(s, p, c, FSM_HOLD_EXPIRES, &hold, now);
        return;
    }
    if (!nanotime_before(now, c->send_deadline)) {
        session_run(s, p, c, FSM_HOLD_EXPIRES, &send_hold, now);
        return;
    }
    if (!nanotime_before(now, c->keepalive_deadline)) {
        /* A caller that waits for room before it pulls says nothing of a peer that takes none. */
        if (nanotime_is_never(c->send_deadline) && bgp_conn_has_output(s, id))
            session_plan_send_hold(s, c, now);
        session_plan_keepalive(s, c, now);
        session_run(s, p, c, FSM_KEEPALIVE_EXPIRES, NULL, now);
    }
    c = conn_find(s, id);
    if (c && !c->closing)
        session_arm_earliest(s, c);
}

void session_timer(struct bgp_speaker *s, struct conn *c, struct nanotime now) {
    static const struct session_cause hold = {.error = {.code = BGP_ERR_HOLD_TIMER}};
    struct peer *p = speaker_peer(s, c->peer);
    if (c->closing) {
        conn_linger_expired(s, c);
        return;
    }
    switch ((enum bgp_state)c->state) {
    case BGP_IDLE:
        break;
    case BGP_CONNECT:
        session_run(s, p, c, FSM_RETRY_EXPIRES, NULL, now);
        break;
    case BGP_ACTIVE:
        session_run(s, p, c, FSM_DELAY_OPEN_EXPIRES, NULL, now);
        break;
    case BGP_OPEN_SENT:
        session_run(s, p, c, FSM_HOLD_EXPIRES, &hold, now);
        break;
    case BGP_OPEN_CONFIRM:
    case BGP_ESTABLISHED:
        session_clock(s, p, c, now);
        break;
    }
}
