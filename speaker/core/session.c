/*
 * A session at work: the actions the state machine (fsm.c) answers an event with are carried out
 * here, one function each.
 *
 * Owns the hold and keepalive deadlines, negotiation, and handing the tables what they must know.
 * Leaves framing and output to conn.c, decoding messages and timers to session_input.c, waiting and
 * restarting to peer.c, kept routes to restart.c, routes to the tables.
 *
 * RFC 4271 6, 6.8 and 8; 6286 2.3; 2918 and 7313 (refresh); 4486 (Cease); 6608; 9687.
 *
 * Timers are lazy: receiving a message only moves `hold_deadline`; the connection's one heap timer
 * is looked at when it fires. Invariant: after session_run the connection, the peer or both may be
 * idle, and the connection's memory may be gone: callers look it up again by id.
 */
#include "session.h"

#include "config_diff.h"
#include "event.h"
#include "malformed.h"
#include "own_addr.h"
#include "peer.h"
#include "restart.h"
#include "rib.h"
#include "tally.h"

#include <assert.h>
#include <string.h>

#define KEEPALIVE_JITTER_PERCENT 25u /* RFC 4271 10 */
#define SEND_HOLD_MIN_S 480u         /* RFC 9687 4: eight minutes */
#define REFUSED_RETRY_MIN_MS 1000u
#define TRIES_MAX 32u /* counted; every second one doubles the wait */
/* A busy host may take long to say that a SYN was answered. */
#define CONNECT_TIMEOUT_MIN_MS 5000u

struct run {
    struct bgp_speaker *s;
    struct peer *p;
    struct conn *c; /* NULL once it is gone */
    enum bgp_state from;
    enum fsm_event event;
    const struct session_cause *cause;
    struct nanotime now;
    bool broken; /* out of memory on the way: the session must end */
    bool hard;   /* a hard reset was sent */
};

/* ---- sending ---- */

static void send_message(struct run *r, const uint8_t *message, size_t size) {
    if (r->c && (size == 0 || !conn_send(r->s, r->c, message, size)))
        r->broken = true;
}

static void act_send_open(struct run *r) {
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    struct bgp_open open;
    if (!peer_other_conn(r->s, r->p, r->c)) {
        memset(&r->p->sent, 0, sizeof r->p->sent);
        bool opens = r->event == FSM_OPEN; /* a delayed OPEN of ours: theirs came first */
        r->p->received = (struct bgp_message_counts){.opens = opens};
    }
    session_open_make(r->s, r->p, &open);
    send_message(r, message, open_encode(&open, message, sizeof message));
    r->p->sent.opens++;
}

static void act_send_keepalive(struct run *r) {
    uint8_t message[BGP_HEADER_SIZE];
    send_message(r, message, keepalive_encode(message, sizeof message));
    r->p->sent.keepalives++;
}

/* RFC 8538 5: what the routes must not outlive, or would only be in the way of. */
static bool is_hard(uint8_t code, uint8_t subcode) {
    return code == BGP_ERR_CEASE &&
           (subcode == BGP_CEASE_PREFIX_LIMIT || subcode == BGP_CEASE_SHUTDOWN ||
            subcode == BGP_CEASE_DECONFIGURED || subcode == BGP_CEASE_RESET ||
            subcode == BGP_CEASE_OUT_OF_RESOURCES || subcode == BGP_CEASE_BFD_DOWN);
}

static void notify(struct run *r, uint8_t code, uint8_t subcode, const uint8_t *data, size_t size) {
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    uint8_t inside[2 + 1 + BGP_SHUTDOWN_TEXT_MAX] = {code, subcode};
    r->hard = r->from == BGP_ESTABLISHED && is_hard(code, subcode);
    if (r->hard && restart_by_notification(r->p)) {
        assert(size <= sizeof inside - 2);
        if (size)
            memcpy(inside + 2, data, size);
        subcode = BGP_CEASE_HARD_RESET;
        data = inside;
        size += 2;
    }
    size_t length = notification_encode(code, subcode, data, size, message, sizeof message);
    if (length && conn_send_last(r->s, r->c, message, length, r->now))
        r->p->sent.notifications++;
    session_notified(r->s, r->p, r->c, true,
                     &(struct bgp_notification){code, subcode, data, (uint16_t)size});
    if (r->cause->reason != BGP_DOWN_NONE && r->cause->reason != BGP_DOWN_COLLISION)
        r->p->last_reason = (uint8_t)r->cause->reason;
}

static void act_notify(struct run *r) {
    const struct session_cause *cause = r->cause;
    assert(cause->error.code);
    if (!r->c)
        return;
    if (cause->data)
        notify(r, cause->error.code, cause->error.subcode, cause->data, cause->data_size);
    else
        notify(r, cause->error.code, cause->error.subcode, cause->error.data, cause->error.size);
}

/* RFC 6608: 5/1 OpenSent, 5/2 OpenConfirm, 5/3 Established, the type as Data; else 5/0. */
static void act_notify_fsm(struct run *r) {
    uint8_t type = (uint8_t)r->cause->type;
    uint8_t subcode = r->from >= BGP_OPEN_SENT
                          ? (uint8_t)(r->from - BGP_OPEN_SENT + BGP_FSM_ERR_OPEN_SENT)
                          : (uint8_t)0;
    if (r->c)
        notify(r, BGP_ERR_FSM, subcode, &type, 1);
}

/* ---- timers ---- */

static void arm(struct run *r, uint64_t ms) {
    heap_set(&r->s->timers, &r->c->timer, nanotime_add_ms(r->now, ms));
}

void session_arm_earliest(struct bgp_speaker *s, struct conn *c) {
    struct nanotime first = nanotime_before(c->hold_deadline, c->keepalive_deadline)
                                ? c->hold_deadline
                                : c->keepalive_deadline;
    if (nanotime_before(c->send_deadline, first))
        first = c->send_deadline;
    if (nanotime_is_never(first))
        heap_cancel(&s->timers, &c->timer);
    else
        heap_set(&s->timers, &c->timer, first);
}

/* The next KEEPALIVE is due after 75 to 100 % of the interval. */
void session_plan_keepalive(struct bgp_speaker *s, struct conn *c, struct nanotime now) {
    if (c->keepalive_s == 0) {
        c->keepalive_deadline = NANOTIME_NEVER;
        return;
    }
    uint64_t ms = peer_jitter_ms(s, c->keepalive_s * UINT64_C(1000), KEEPALIVE_JITTER_PERCENT);
    c->keepalive_deadline = nanotime_add_ms(now, ms);
}

void session_plan_send_hold(struct bgp_speaker *s, struct conn *c, struct nanotime now) {
    if (c->state != BGP_ESTABLISHED || c->closing)
        return;
    const struct bgp_peer_options *o = speaker_peer(s, c->peer)->config->options;
    uint32_t hold_s = c->hold_time_s, send_s = o->send_hold_time_s;
    if (hold_s == 0) /* RFC 9687 3.3: then this one does not run either */
        return;
    if (send_s == 0)
        send_s = 2 * hold_s > SEND_HOLD_MIN_S ? 2 * hold_s : SEND_HOLD_MIN_S;
    else if (send_s <= hold_s)
        send_s = hold_s + 1;
    c->send_deadline = nanotime_add_ms(now, send_s * UINT64_C(1000));
    /* The other timers look at it when they fire, and are earlier as a rule. */
    if (!heap_armed(&c->timer) ||
        nanotime_before(c->send_deadline, heap_deadline(&s->timers, &c->timer)))
        heap_set(&s->timers, &c->timer, c->send_deadline);
}

/* RFC 4271 4.2: none with a hold time of zero. The KEEPALIVE that begins a session is waited for as
 * long as an OPEN is, then: else whoever owes it would keep the connection for ever. */
static void act_hold_restart(struct run *r) {
    uint64_t ms = r->c->hold_time_s * UINT64_C(1000);
    if (ms == 0 && r->event == FSM_OPEN)
        ms = r->s->profile->open_wait_ms;
    r->c->hold_deadline = ms ? nanotime_add_ms(r->now, ms) : NANOTIME_NEVER;
}

static void act_open_wait(struct run *r) {
    r->c->open_delayed = false;
    arm(r, r->s->profile->open_wait_ms);
}

static void act_delay_open(struct run *r) {
    r->c->open_delayed = true;
    arm(r, r->s->profile->open_wait_ms);
}

/* RFC 4271 8.2.2, ConnectRetryTime. */
static uint32_t connect_retry_ms(const struct run *r) {
    const struct profile *f = r->s->profile;
    uint16_t seconds = r->p->config->options->connect_retry_s;
    if (seconds)
        return seconds * UINT32_C(1000);
    uint64_t ms = (uint64_t)f->connect_retry_ms << (r->p->tries / 2);
    if (f->connect_retry_max_ms == 0)
        return f->connect_retry_ms;
    return ms < f->connect_retry_max_ms ? (uint32_t)ms : f->connect_retry_max_ms;
}

/* Who refuses us is there, and takes calls once its wait is over or it has seen the end of what was
 * before: 1, 2, 4 s, as between sessions that flap, but no longer than between any two calls. */
static uint32_t refused_retry_ms(const struct run *r) {
    uint32_t doubled = r->p->tries > 1 ? r->p->tries - 1u : 0, longest = connect_retry_ms(r);
    uint64_t ms = (uint64_t)REFUSED_RETRY_MIN_MS << doubled;
    if (longest > r->s->profile->idle_hold_max_ms)
        longest = r->s->profile->idle_hold_max_ms;
    return ms < longest ? (uint32_t)ms : longest;
}

static void act_retry_start(struct run *r) {
    uint32_t ms = r->event == FSM_START_DELAYED ? r->s->profile->connect_delay_ms
                  : r->event == FSM_REFUSED     ? refused_retry_ms(r)
                                                : connect_retry_ms(r);
    peer_arm_retry(r->s, r->p, ms, r->now);
}

static void act_retry_stop(struct run *r) {
    peer_stop_retry(r->s, r->p);
}

/* ---- connections ---- */

static void act_connect(struct run *r) {
    struct conn *c = conn_new(r->s, r->p, false);
    r->p->active = false;
    if (r->p->tries < TRIES_MAX)
        r->p->tries++;
    if (!c) {
        event_log(r->s, r->p->index, BGP_LOG_NO_MEMORY, 0, 0, (struct ip_addr){0});
        peer_arm_retry(r->s, r->p, connect_retry_ms(r), r->now);
        return;
    }
    r->c = c;
    uint32_t ms = connect_retry_ms(r);
    arm(r, ms > CONNECT_TIMEOUT_MIN_MS ? ms : CONNECT_TIMEOUT_MIN_MS);
    event_conn(r->s, BGP_EVENT_CONNECT, c);
}

static void act_close(struct run *r) {
    bool theirs = r->event == FSM_NOTIFICATION || r->event == FSM_NOTIFICATION_MILD ||
                  r->event == FSM_REFUSED;
    if (r->c && theirs) /* RFC 4271 6.4: nothing goes back */
        conn_forget_output(r->c);
    if (r->c)
        conn_close(r->s, r->c, r->now);
    r->c = NULL;
}

static void act_abort(struct run *r) {
    if (r->c)
        conn_abort(r->s, r->c);
    r->c = NULL;
}

static void act_drop(struct run *r) {
    if (r->cause->last_error && !peer_other_conn(r->s, r->p, r->c))
        peer_history_make(r->s, r->p)->last_error = r->cause->last_error;
    if (r->from >= BGP_OPEN_SENT)
        r->p->last_reason = BGP_DOWN_PEER_CLOSED;
    conn_drop(r->s, r->c);
    r->c = NULL;
}

static void act_restart(struct run *r) {
    if (!r->p->conn_in && !r->p->conn_out) /* else the other connection goes on */
        peer_idle_hold(r->s, r->p, r->now);
    peer_start_after_delay(r->s, r->p, r->now);
}

static void act_back_off(struct run *r) {
    if (r->cause->reason == BGP_DOWN_PREFIX_LIMIT)
        peer_over_limit(r->s, r->p, r->now);
    else
        peer_back_off(r->s, r->p, r->now);
}

/* ---- negotiation and Established ---- */

/* RFC 4271 4.4: a third of the hold time is a reasonable maximum. BIRD: what is configured for a
 * neighbour is taken as it stands, with a hold time of zero, too. */
static uint16_t keepalive_time(const struct bgp_speaker *s, const struct peer *p, uint16_t hold) {
    uint16_t own = p->config->options->keepalive_s;
    if (own && profile_is_bird(s->config->profile))
        return own;
    uint16_t wanted = own ? own : s->config->keepalive_s;
    if (!wanted)
        wanted = s->profile->keepalive_s;
    uint16_t third = (uint16_t)(hold / 3);
    return wanted && wanted < third ? wanted : third;
}

/* BIRD: the peer has called, so nothing is tried from this side any more. */
static void act_negotiate(struct run *r) {
    struct conn *c = r->c, *other = peer_other_conn(r->s, r->p, r->c);
    const struct bgp_open *open = &conn_setup(r->s, c)->open;
    uint16_t ours = session_hold_time(r->s, r->p), theirs = open->hold_time_s;
    c->open_delayed = false;
    c->extended = r->p->config->options->extended_messages && !r->p->no_capabilities;
    c->hold_time_s = ours < theirs ? ours : theirs; /* RFC 4271 4.2 */
    c->keepalive_s = keepalive_time(r->s, r->p, c->hold_time_s);
    act_hold_restart(r);
    session_plan_keepalive(r->s, c, r->now);
    session_arm_earliest(r->s, c);
    peer_stop_retry(r->s, r->p);
    if (r->p->remote_id != open->router_id && r->p->routes) /* RFC 4724: kept over the restart */
        rib_decide_again(r->s, true); /* RFC 4456 8: the identifier stands in what is reflected */
    r->p->remote_id = open->router_id;
    if (other && other->state == BGP_CONNECT)
        session_run(r->s, r->p, other, FSM_STOP, NULL, r->now);
}

static void take_open(struct bgp_speaker *s, struct peer *p, const struct conn *c) {
    const struct conn_setup *setup = conn_setup(s, c);
    const struct bgp_open *open = &setup->open;
    p->open = (struct peer_open){
        .gr = open->gr,
        .gr_restarting = open->gr_restarting,
        .gr_notification = open->gr_notification,
        .gr_ours = p->config->options->graceful_restart != BGP_GR_OFF && !p->no_capabilities,
        .gr_notification_ours = p->config->options->gr_notification,
        .gr_time_s = open->gr_time_s,
    };
    memcpy(p->open.gr_families, open->gr_families, sizeof p->open.gr_families);
    p->extended_messages = c->extended && open->extended_message; /* RFC 8654 4: may be sent */
    p->own_port = setup->local.port;
    p->remote_port = setup->remote.port;
    p->incoming = c->incoming;
    p->external = session_local_as(s, p) != p->config->remote_as;
    p->confed = p->external && session_is_confed(s, p);
    p->as4 = open->as4 && !p->no_capabilities;
    p->refresh = (open->refresh || open->refresh_old) && !p->no_capabilities;
    p->enhanced_refresh =
        open->enhanced_refresh && s->profile->send_enhanced_refresh && !p->no_capabilities;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        bool theirs = open->mp_present ? open->families[f] : f == BGP_IPV4_UNICAST;
        bool ours = p->no_capabilities ? f == BGP_IPV4_UNICAST : p->config->options->families[f];
        p->families[f] = ours && theirs && p->config->options->families[f];
        p->add_path[f] =
            p->families[f] ? session_add_path(p, open, (enum bgp_family)f) : BGP_ADD_PATH_NONE;
        p->end_of_rib_seen[f] = false;
    }
    p->extended_next_hop = open->extended_next_hop && p->config->options->extended_next_hop &&
                           !p->no_capabilities && p->families[BGP_IPV4_UNICAST];
}

static void count_established(struct run *r) {
    struct bgp_speaker *s = r->s;
    r->p->established_count++;
    s->established_count++;
    s->established_last = r->now;
    if (s->established_first.ns == 0)
        s->established_first = r->now;
}

static void act_establish(struct run *r) {
    struct bgp_speaker *s = r->s;
    struct peer *p = r->p;
    struct conn *c = r->c, *other = peer_other_conn(s, p, c);
    if (other) {
        const struct session_cause cause = {
            .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_COLLISION},
            .reason = BGP_DOWN_COLLISION};
        event_log(s, p->index, BGP_LOG_COLLISION, c->incoming, 0, p->config->remote_addr);
        session_run(s, p, other, FSM_COLLISION_DUMP, &cause, r->now);
    }
    take_open(s, p, c);
    own_addr_release(s, p->own_addr);
    p->own_addr = own_addr_hold(s, conn_setup(s, c)->local.addr, conn_setup(s, c)->link);
    conn_seat(s, p, c);
    c->state = BGP_ESTABLISHED;
    peer_forgive(s, p, true, false);
    p->no_capabilities = false;
    p->tries = 0;
    count_established(r);
    tally_session(s, p);
    if (s->config->profile == BGP_PROFILE_IOS) /* IOS: one more KEEPALIVE before the table */
        act_send_keepalive(r);
    restart_established(s, p, r->now);
    if (!p->own_addr || !adjout_peer_up(s, p))
        r->broken = true;
}

static void act_leave(struct run *r) {
    struct bgp_speaker *s = r->s;
    struct peer *p = r->p;
    bool lost = r->event == FSM_TCP_DOWN;
    if (lost) {
        p->last_reason = BGP_DOWN_PEER_CLOSED;
        p->last_code = p->last_subcode = 0;
    }
    s->dropped_count++;
    peer_history_make(s, p)->last_reset = r->now;
    adjout_peer_down(s, p);
    conn_unseat(s, p);
    bool keep = lost || r->cause->keep_routes ||
                (restart_by_notification(p) && !r->hard && !r->cause->hard_reset);
    restart_leave(s, p, keep && restart_negotiated(s, p), r->now);
}

/* ---- messages of an Established session ---- */

/* `c` is dead afterwards. */
static void over_limit(struct bgp_speaker *s, struct peer *p, struct conn *c, enum bgp_family f,
                       struct nanotime now) {
    uint32_t limit = p->config->options->prefix_max[f];
    uint16_t afi = family_afi(f);
    const struct session_cause cause = {
        .error = {.code = BGP_ERR_CEASE,
                  .subcode = BGP_CEASE_PREFIX_LIMIT,
                  .size = 7, /* RFC 4486 4: AFI, SAFI, bound */
                  .data = {(uint8_t)(afi >> 8), (uint8_t)afi, 1, (uint8_t)(limit >> 24),
                           (uint8_t)(limit >> 16), (uint8_t)(limit >> 8), (uint8_t)limit}},
        .reason = BGP_DOWN_PREFIX_LIMIT};
    session_run(s, p, c, FSM_UPDATE_ERROR, &cause, now);
}

void session_limits_changed(struct bgp_speaker *s, struct peer *p,
                            const struct bgp_peer_options *was, struct nanotime now) {
    for (unsigned f = 0; f < BGP_FAMILIES && p->conn; f++) {
        if (config_diff_prefix_limit(was, p->config->options, (enum bgp_family)f) &&
            rib_over_changed_limit(s, p, (enum bgp_family)f))
            over_limit(s, p, conn_at(s, p->conn), (enum bgp_family)f, now);
    }
}

static void log_malformed(struct bgp_speaker *s, const struct peer *p, const struct bgp_update *u) {
    struct bgp_event e = {.kind = BGP_EVENT_LOG, .peer = {p->index}};
    e.log.id = BGP_LOG_MALFORMED_UPDATE;
    e.log.value1 = u->worst_attribute;
    e.log.value2 = u->outcome;
    e.log.address = p->config->remote_addr;
    e.log.number = malformed_number(s);
    event_push(s, &e);
}

static void apply_update(struct run *r) {
    struct bgp_speaker *s = r->s;
    struct peer *p = r->p;
    struct bgp_codec codec = {
        .as4 = p->as4, .external = peer_is_outside(p), .extended_next_hop = p->extended_next_hop};
    struct bgp_update update;
    bool too_many = false;
    enum bgp_family family = BGP_IPV4_UNICAST;
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        codec.add_path[f] = p->add_path[f] & BGP_ADD_PATH_RECEIVE;
    memcpy(codec.families, p->families, sizeof codec.families);
    arena_reset(s->scratch);
    update_decode(&codec, r->cause->body, r->cause->size, s->scratch, &update);
    s->updates_received++;
    s->update_last = r->now;
    if (update.outcome != BGP_OUTCOME_OK) {
        s->malformed_updates++;
        malformed_note(s, p, &update, r->cause->body, r->cause->size, r->now);
        log_malformed(s, p, &update);
    }
    if (update.outcome == BGP_OUTCOME_SESSION_RESET) {
        const struct session_cause cause = {.error = update.error};
        session_run(s, p, r->c, FSM_UPDATE_ERROR, &cause, r->now);
        r->c = NULL;
    } else if (update.end_of_rib) {
        restart_end_of_rib(s, p, update.end_of_rib_family, r->now);
    } else {
        rib_update(s, p, &update, r->now, &too_many, &family);
    }
    if (too_many) {
        over_limit(s, p, r->c, family, r->now);
        r->c = NULL;
    }
    arena_reset(s->scratch);
}

static void apply_refresh(struct run *r) {
    struct bgp_refresh refresh;
    struct bgp_error error;
    enum bgp_family f;
    if (!refresh_decode(r->cause->body, r->cause->size, &refresh, &error))
        return; /* fed in as FSM_REFRESH_ERROR */
    if (!family_from_afi(refresh.afi, refresh.safi, &f) || !r->p->families[f])
        return; /* RFC 2918 4: ignored */
    bool begin = refresh.subtype == BGP_REFRESH_BORR, end = refresh.subtype == BGP_REFRESH_EORR;
    if (begin || end)
        tally_refresh_received(r->s, r->p, f, begin, r->now);
    if (refresh.subtype == BGP_REFRESH_REQUEST)
        adjout_refresh(r->s, r->p, f);
    else if (begin && r->p->enhanced_refresh)
        restart_refresh_begin(r->s, r->p, f, r->now);
    else if (end && r->p->enhanced_refresh)
        restart_refresh_end(r->s, r->p, f);
}

static void act_apply(struct run *r) {
    if (r->event == FSM_UPDATE)
        apply_update(r);
    else
        apply_refresh(r);
}

/* ---- the machine ---- */

static void act_none(struct run *r) {
    (void)r;
}

static void (*const actions[])(struct run *r) = {
    [FSM_ACT_NONE] = act_none,
    [FSM_ACT_CONNECT] = act_connect,
    [FSM_ACT_RETRY_START] = act_retry_start,
    [FSM_ACT_RETRY_STOP] = act_retry_stop,
    [FSM_ACT_DELAY_OPEN] = act_delay_open,
    [FSM_ACT_SEND_OPEN] = act_send_open,
    [FSM_ACT_OPEN_WAIT] = act_open_wait,
    [FSM_ACT_NEGOTIATE] = act_negotiate,
    [FSM_ACT_SEND_KEEPALIVE] = act_send_keepalive,
    [FSM_ACT_HOLD_RESTART] = act_hold_restart,
    [FSM_ACT_ESTABLISH] = act_establish,
    [FSM_ACT_APPLY] = act_apply,
    [FSM_ACT_NOTIFY] = act_notify,
    [FSM_ACT_NOTIFY_FSM] = act_notify_fsm,
    [FSM_ACT_LEAVE] = act_leave,
    [FSM_ACT_CLOSE] = act_close,
    [FSM_ACT_ABORT] = act_abort,
    [FSM_ACT_DROP] = act_drop,
    [FSM_ACT_RESTART] = act_restart,
    [FSM_ACT_BACK_OFF] = act_back_off,
};

void session_run(struct bgp_speaker *s, struct peer *p, struct conn *c, enum fsm_event event,
                 const struct session_cause *cause, struct nanotime now) {
    static const struct session_cause nothing = {0};
    enum bgp_state from = c ? (enum bgp_state)c->state : p->active ? BGP_ACTIVE : BGP_IDLE;
    struct run r = {s, p, c, from, event, cause ? cause : &nothing, now, false, false};
    struct fsm_step step = fsm_step(from, event);
    if (!c)
        p->active = step.next == BGP_ACTIVE;
    else if (step.next > BGP_IDLE) /* in Idle it is gone: until then it keeps its state */
        c->state = (uint8_t)step.next;
    for (unsigned i = 0; i < step.count; i++)
        actions[step.actions[i]](&r);
    peer_show(s, p, now);
    if (r.broken && r.c) {
        const struct session_cause full = {
            .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_OUT_OF_RESOURCES}};
        event_log(s, p->index, BGP_LOG_NO_MEMORY, 0, 0, (struct ip_addr){0});
        session_run(s, p, r.c, FSM_HEADER_ERROR, &full, now);
    }
}
