/*
 * A configured neighbour: whether it may run, who holds the neighbour's lock, when it tries and how
 * long it waits after an error, and the state it shows.
 *
 * Leaves sessions to session.c and what is kept over a restart to restart.c.
 *
 * BIRD: of several peers with one (address, port) only the first to start runs; the others wait in
 * Idle until it is halted, then the first of them in configuration order starts, after the connect
 * delay. An incoming connection belongs to the first peer in configuration order that has its
 * source address, and is refused when that one waits, in silence. The other profiles look at the
 * local address, too.
 *
 * Invariants: `started` means "may run and holds the lock"; `active` means that the outgoing side
 * has no connection and either waits for its retry timer or, passive, for a call. The one timer of
 * a peer is an error wait, a connect retry or a prefix limit's wait; `timer_phase` says which.
 *
 * RFC 4271 8.1.1 (start, damping), 8.2.1.3 (unknown peers), 6.8.
 */
#include "peer.h"

#include "../base/hash.h"
#include "adjout.h"
#include "event.h"
#include "listen.h"
#include "nexthop.h"
#include "own_addr.h"
#include "restart.h"

#include <assert.h>
#include <string.h>

#define AMNESIA_ERROR_WAITS 10u /* BIRD: 300 s for an error wait of at most 30 s */
#define UNKNOWN_LOG_MS 1000u
#define IDLE_HOLD_MIN_MS 1000u

enum timer_phase {
    PHASE_RETRY,
    PHASE_ERROR_WAIT,
    PHASE_PREFIX_LIMIT,
};

/* ---- finding ---- */

/* How many peers stand before those with this address, or with `behind` before those after them. */
static uint32_t address_place(const struct bgp_speaker *s, struct ip_addr a, bool behind) {
    uint32_t low = 0, high = s->address_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = ip_compare(speaker_peer(s, s->by_address[middle])->config->remote_addr, a);
        if (order < 0 || (order == 0 && behind))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct peer *at_place(const struct bgp_speaker *s, uint32_t place, struct ip_addr a) {
    struct peer *p = place < s->address_count ? speaker_peer(s, s->by_address[place]) : NULL;
    return p && ip_equal(p->config->remote_addr, a) ? p : NULL;
}

static uint32_t own_place(const struct bgp_speaker *s, const struct peer *p) {
    uint32_t place = address_place(s, p->config->remote_addr, false);
    while (s->by_address[place] != p->index)
        place++;
    assert(place < s->address_count);
    return place;
}

struct peer *peer_by_address(const struct bgp_speaker *s, struct ip_addr a) {
    return at_place(s, address_place(s, a, false), a);
}

struct peer *peer_next_by_address(const struct bgp_speaker *s, const struct peer *p) {
    return at_place(s, own_place(s, p) + 1, p->config->remote_addr);
}

void peer_link_address(struct bgp_speaker *s, const struct peer *p) {
    uint32_t place = address_place(s, p->config->remote_addr, true);
    memmove(s->by_address + place + 1, s->by_address + place,
            (s->address_count - place) * sizeof *s->by_address);
    s->by_address[place] = p->index;
    s->address_count++;
}

void peer_unlink_address(struct bgp_speaker *s, const struct peer *p) {
    uint32_t place = own_place(s, p);
    s->address_count--;
    memmove(s->by_address + place, s->by_address + place + 1,
            (s->address_count - place) * sizeof *s->by_address);
}

struct conn *peer_other_conn(const struct bgp_speaker *s, const struct peer *p,
                             const struct conn *c) {
    if (c && conn_index(c) == p->conn_out)
        return conn_at(s, p->conn_in);
    if (c && conn_index(c) == p->conn_in)
        return conn_at(s, p->conn_out);
    return NULL;
}

static uint16_t neighbor_port(const struct peer *p) {
    return p->config->options->remote_port ? p->config->options->remote_port : (uint16_t)BGP_PORT;
}

/* The next peer of the same neighbour (address and port) from `at` on. */
static struct peer *same_neighbor(const struct bgp_speaker *s, const struct peer *p,
                                  struct peer *at) {
    while (at && (at == p || neighbor_port(at) != neighbor_port(p)))
        at = peer_next_by_address(s, at);
    return at;
}

static struct peer *lock_holder(const struct bgp_speaker *s, const struct peer *p) {
    if (!s->profile->lock_per_neighbor)
        return NULL;
    struct peer *q = same_neighbor(s, p, peer_by_address(s, p->config->remote_addr));
    while (q && !q->started)
        q = same_neighbor(s, p, peer_next_by_address(s, q));
    return q;
}

/* ---- troubles ---- */

const struct peer_history *peer_history(const struct bgp_speaker *s, const struct peer *p) {
    static const struct peer_history none = {.last_error = NULL};
    return p->history ? slab_at(&s->histories, p->history) : &none;
}

struct peer_history *peer_history_make(struct bgp_speaker *s, struct peer *p) {
    if (!p->history)
        p->history = peer_index(slab_alloc(&s->histories));
    s->lost = (struct peer_history){.last_error = NULL};
    return p->history ? slab_at(&s->histories, p->history) : &s->lost;
}

void peer_forgive(struct bgp_speaker *s, struct peer *p, bool error, bool wait) {
    struct peer_history *h = p->history ? slab_at(&s->histories, p->history) : NULL;
    if (h && error)
        h->last_error = NULL;
    if (h && wait)
        h->error_wait_ms = 0;
}

/* ---- waiting ---- */

uint64_t peer_jitter_ms(struct bgp_speaker *s, uint64_t ms, uint32_t percent) {
    uint64_t part_us = ms * 10 * percent; /* percent of ms, in microseconds */
    return (ms * 1000 - rng_below(&s->rng, part_us + 1)) / 1000;
}

static void arm(struct bgp_speaker *s, struct peer *p, enum timer_phase phase, uint64_t ms,
                struct nanotime now) {
    assert(!p->conn); /* which has the room: see speaker.c */
    p->timer_phase = (uint8_t)phase;
    heap_set(&s->timers, &p->timer, nanotime_add_ms(now, ms));
}

void peer_arm_retry(struct bgp_speaker *s, struct peer *p, uint32_t ms, struct nanotime now) {
    const struct conn *in = conn_at(s, p->conn_in);
    if (!p->started || p->conn_out || (in && in->state >= BGP_OPEN_CONFIRM) ||
        heap_armed(&p->timer))
        return;
    p->active = true;
    if (!p->config->options->passive)
        arm(s, p, PHASE_RETRY, peer_jitter_ms(s, ms, s->profile->connect_jitter_percent), now);
}

void peer_stop_retry(struct bgp_speaker *s, struct peer *p) {
    p->active = false;
    if (p->timer_phase != PHASE_PREFIX_LIMIT)
        heap_cancel(&s->timers, &p->timer);
}

static bool in_error_wait(const struct peer *p) {
    return heap_armed(&p->timer) && p->timer_phase == PHASE_ERROR_WAIT;
}

void peer_start_after_delay(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    enum fsm_event event = FSM_START_DELAYED;
    if (!p->started || p->active || p->conn_in || p->conn_out || in_error_wait(p))
        return;
    if (p->config->options->passive)
        event = FSM_START_PASSIVE;
    else if (s->profile->connect_delay_ms == 0)
        event = FSM_START;
    heap_cancel(&s->timers, &p->timer);
    session_run(s, p, NULL, event, NULL, now);
}

static void end_conns(struct bgp_speaker *s, struct peer *p, const struct session_cause *cause,
                      struct nanotime now) {
    peer_stop_retry(s, p);
    if (p->conn_in)
        session_run(s, p, conn_at(s, p->conn_in), FSM_STOP, cause, now);
    if (p->conn_out)
        session_run(s, p, conn_at(s, p->conn_out), FSM_STOP, cause, now);
}

/* BIRD: an error ends the whole protocol, both connections; the wait doubles each time and is
 * forgotten after a while without errors. */
void peer_back_off(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    static const struct session_cause rejected = {
        .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_REJECTED}};
    const struct profile *f = s->profile;
    if (!p->started || p->conn)
        return;
    if (p->conn_in || p->conn_out) {
        const char *error = peer_history(s, p)->last_error;
        end_conns(s, p, &rejected, now);
        peer_history_make(s, p)->last_error = error; /* the first one is the cause */
    }
    peer_stop_retry(s, p);
    struct peer_history *h = peer_history_make(s, p);
    uint64_t amnesia_ms = (uint64_t)AMNESIA_ERROR_WAITS * f->error_wait_max_ms;
    bool forgotten = nanotime_since(now, h->last_error_at) >= amnesia_ms * NANOS_PER_MS;
    if (p->config->options->error_wait_s)
        h->error_wait_ms = p->config->options->error_wait_s * UINT32_C(1000);
    else if (h->error_wait_ms == 0 || forgotten)
        h->error_wait_ms = f->error_wait_min_ms;
    else if (h->error_wait_ms < f->error_wait_max_ms / 2)
        h->error_wait_ms *= 2;
    else
        h->error_wait_ms = f->error_wait_max_ms;
    h->last_error_at = now;
    arm(s, p, PHASE_ERROR_WAIT, peer_jitter_ms(s, h->error_wait_ms, f->connect_jitter_percent),
        now);
}

void peer_idle_hold(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    uint64_t max_ms = s->profile->idle_hold_max_ms;
    if (max_ms == 0 || !p->started)
        return;
    struct peer_history *h = peer_history_make(s, p);
    if (nanotime_since(now, p->since) >= max_ms * NANOS_PER_MS) {
        h->idle_hold_ms = 0; /* it was up long enough to be trusted again */
        return;
    }
    if (h->idle_hold_ms) {
        peer_stop_retry(s, p); /* the call that ended may have been the neighbour's */
        arm(s, p, PHASE_ERROR_WAIT,
            peer_jitter_ms(s, h->idle_hold_ms, s->profile->connect_jitter_percent), now);
    }
    h->idle_hold_ms = h->idle_hold_ms ? h->idle_hold_ms * 2 : IDLE_HOLD_MIN_MS;
    if (h->idle_hold_ms > max_ms)
        h->idle_hold_ms = (uint32_t)max_ms;
}

void peer_over_limit(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    static const struct session_cause cause = {
        .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_PREFIX_LIMIT},
        .reason = BGP_DOWN_PREFIX_LIMIT};
    uint32_t minutes = p->config->options->prefix_restart_min;
    peer_halt(s, p, &cause, now);
    p->prefix_limit_down = true;
    if (minutes)
        arm(s, p, PHASE_PREFIX_LIMIT, minutes * UINT64_C(60000), now);
    peer_pass_lock(s, p, now);
}

void peer_timer(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    switch ((enum timer_phase)p->timer_phase) {
    case PHASE_RETRY:
        if (p->active)
            session_run(s, p, NULL, FSM_RETRY_EXPIRES, NULL, now);
        break;
    case PHASE_ERROR_WAIT:
        peer_start_after_delay(s, p, now);
        break;
    case PHASE_PREFIX_LIMIT:
        p->prefix_limit_down = false;
        peer_try_start(s, p, now);
        break;
    }
}

/* ---- starting and halting ---- */

void peer_init(struct bgp_speaker *s, struct peer *p, uint32_t index, uint32_t config_index,
               const struct bgp_neighbor *config, struct nanotime now) {
    assert(config_index < BGP_PEERS_MAX);
    p->index = peer_index(index);
    p->config_index = (uint16_t)config_index;
    p->config = config;
    p->timer.order = timer_order(index, TIMER_PEER);
    p->since = now;
    s->sessions[BGP_IDLE]++;
    peer_address_changed(s, config->remote_addr);
}

void peer_address_changed(struct bgp_speaker *s, struct ip_addr a) {
    if (s->profile->third_party_next_hop && nexthop_is_used(s, a))
        adjout_reevaluate(s);
}

void peer_try_start(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    if (p->started || s->stopping || p->config->shutdown || p->prefix_limit_down)
        return;
    const struct peer *holder = lock_holder(s, p);
    if (holder) {
        if (!p->waiting_for_lock)
            event_log(s, p->index, BGP_LOG_LOCKED, holder->index, 0, p->config->remote_addr);
        p->waiting_for_lock = true;
        return;
    }
    p->waiting_for_lock = false;
    p->started = true;
    peer_forgive(s, p, false, true);
    p->tries = 0;
    peer_start_after_delay(s, p, now);
}

void peer_halt(struct bgp_speaker *s, struct peer *p, const struct session_cause *cause,
               struct nanotime now) {
    p->started = false;
    p->waiting_for_lock = false;
    p->last_reason = (uint8_t)cause->reason;
    end_conns(s, p, cause, now);
    heap_cancel(&s->timers, &p->timer);
    p->prefix_limit_down = false;
    peer_forgive(s, p, true, false);
    restart_abandon(s, p);
    peer_show(s, p, now);
}

void peer_reset(struct bgp_speaker *s, struct peer *p, const struct session_cause *cause,
                struct nanotime now) {
    bool was_started = p->started, was_waiting = p->waiting_for_lock;
    peer_halt(s, p, cause, now);
    p->started = was_started;
    p->waiting_for_lock = was_waiting;
    peer_forgive(s, p, false, true);
    p->tries = 0;
    if (was_started)
        peer_start_after_delay(s, p, now);
    else
        peer_try_start(s, p, now);
}

void peer_pass_lock(struct bgp_speaker *s, const struct peer *p, struct nanotime now) {
    struct peer *q = peer_by_address(s, p->config->remote_addr);
    for (q = same_neighbor(s, p, q); q; q = same_neighbor(s, p, peer_next_by_address(s, q))) {
        if (q->waiting_for_lock) {
            peer_try_start(s, q, now);
            return;
        }
    }
}

void peer_remove(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    static const struct session_cause cause = {
        .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_DECONFIGURED},
        .reason = BGP_DOWN_DECONFIGURED};
    peer_halt(s, p, &cause, now);
    s->sessions[p->state]--;
}

void peer_free(struct bgp_speaker *s, struct peer *p) {
    if (p->history)
        slab_free(&s->histories, p->history);
    p->history = 0;
    own_addr_release(s, p->own_addr);
    p->own_addr = 0;
    alloc_free(listen_dynamic(p));
    p->dynamic = false;
    p->config = NULL;
    if (p->routes) {
        p->removed = true;
        rib_peer_removed(s);
    } else {
        slab_free(&s->peers, p->index);
    }
}

/* ---- showing ---- */

static enum bgp_state shown_state(const struct bgp_speaker *s, const struct peer *p) {
    const struct conn *in = conn_at(s, p->conn_in), *out = conn_at(s, p->conn_out);
    enum bgp_state state = BGP_IDLE;
    if (p->active && !(p->config->options->passive && s->profile->passive_shows_idle))
        state = BGP_ACTIVE;
    if (out && out->state > state)
        state = (enum bgp_state)out->state;
    if (in && in->state > state)
        state = (enum bgp_state)in->state;
    return state;
}

static enum bgp_down_reason down_reason(const struct peer *p, enum bgp_state state) {
    if (p->state == BGP_CONNECT && state != BGP_OPEN_SENT)
        return BGP_DOWN_CONNECT_FAILED;
    return p->state >= BGP_OPEN_SENT && state < p->state ? (enum bgp_down_reason)p->last_reason
                                                         : BGP_DOWN_NONE;
}

bool peer_is_idle(const struct peer *p) {
    bool idle = !p->conn_in && !p->conn_out && !heap_armed(&p->timer) && !p->prefix_limit_down &&
                !p->routes;
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        idle = idle && !p->restarting[f];
    return idle;
}

void peer_show(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    enum bgp_state state = shown_state(s, p);
    s->sweep = s->sweep || (p->dynamic && peer_is_idle(p));
    if (state == p->state)
        return;
    struct bgp_event e = {.kind = BGP_EVENT_STATE, .peer = {p->index}};
    e.state.old_state = (enum bgp_state)p->state;
    e.state.new_state = state;
    e.state.reason = down_reason(p, state);
    if (p->conn)
        e.conn = conn_id(conn_at(s, p->conn));
    s->sessions[p->state]--;
    s->sessions[state]++;
    p->state = (uint8_t)state;
    p->since = now;
    event_push(s, &e);
    nexthop_watch_peer(s, p);
}

/* ---- calls from the remote ---- */

/* RFC 4724 4.2: a call while Established says that the peer has restarted. The old connection goes
 * without a NOTIFICATION, its routes stay. */
static void replace_established(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    static const struct session_cause cause = {.keep_routes = true,
                                               .last_error = "Error: Graceful restart"};
    struct conn *c = conn_at(s, p->conn);
    event_conn(s, BGP_EVENT_ABORT, c);
    session_run(s, p, c, FSM_TCP_DOWN, &cause, now);
}

static bool may_call(struct bgp_speaker *s, struct peer *p, struct bgp_endpoint local,
                     struct nanotime now) {
    bool ios = s->config->profile == BGP_PROFILE_IOS;
    if (!p->started) /* BIRD: also when another peer of this neighbour runs */
        return false;
    if (in_error_wait(p) && !ios) /* IOS: listens all the time */
        return false;
    if (ios && ip_is_set(p->config->options->local_addr) &&
        !ip_equal(p->config->options->local_addr, local.addr))
        return false; /* IOS: calls must be to update-source */
    if (p->conn && restart_negotiated(s, p))
        replace_established(s, p, now);
    return !p->conn && !p->conn_in;
}

static void log_unknown(struct bgp_speaker *s, struct ip_addr a, struct nanotime now) {
    if (nanotime_before(now, s->unknown_log))
        return;
    s->unknown_log = nanotime_add_ms(now, UNKNOWN_LOG_MS);
    event_log(s, 0, BGP_LOG_UNKNOWN_PEER, 0, 0, a);
}

/* RFC 4486 4: BIRD and IOS say nothing and reset. */
static void reject_politely(const struct bgp_speaker *s, struct bgp_reject *r) {
    if (s->config->profile == BGP_PROFILE_PLAIN)
        r->size = (uint8_t)notification_encode(BGP_ERR_CEASE, BGP_CEASE_REJECTED, NULL, 0, r->data,
                                               sizeof r->data);
}

/* BIRD: the first with this address. Else the one whose address of ours was called, if there are
 * several; NULL: nobody's. */
static struct peer *peer_of_call(const struct bgp_speaker *s, struct ip_addr remote,
                                 struct ip_addr local) {
    struct peer *first = peer_by_address(s, remote), *p = first;
    while (p && !ip_equal(p->config->options->local_addr, local))
        p = peer_next_by_address(s, p);
    return p && !speaker_is_bird(s) ? p : first;
}

enum bgp_status bgp_conn_accept(struct bgp_speaker *s, struct bgp_endpoint remote,
                                struct bgp_endpoint local, struct nanotime now,
                                struct bgp_conn_id *ret_conn, struct bgp_reject *ret_reject) {
    *ret_reject = (struct bgp_reject){0};
    struct peer *p = peer_of_call(s, remote.addr, local.addr);
    if (!p && !s->stopping && s->config->listen)
        p = listen_peer_new(s, remote.addr, now);
    if (!p || s->stopping || !s->config->listen) {
        if (!p)
            log_unknown(s, remote.addr, now);
        return BGP_REFUSED;
    }
    if (!may_call(s, p, local, now)) {
        reject_politely(s, ret_reject);
        return BGP_REFUSED;
    }
    struct conn *c = conn_new(s, p, true);
    if (!c)
        return BGP_NO_MEMORY;
    *conn_setup(s, c) = (struct conn_setup){.local = local, .remote = remote};
    *ret_conn = conn_id(c);
    /* IOS: on an incoming connection our OPEN follows theirs. */
    session_run(s, p, c, s->profile->passive_awaits_open ? FSM_TCP_UP_DELAYED : FSM_TCP_UP, NULL,
                now);
    return BGP_OK;
}

void bgp_conn_up(struct bgp_speaker *s, struct bgp_conn_id id, struct bgp_endpoint local,
                 struct nanotime now) {
    struct conn *c = conn_find(s, id);
    if (!c || c->up || c->state != BGP_CONNECT)
        return;
    struct peer *p = speaker_peer(s, c->peer);
    c->up = true;
    *conn_setup(s, c) =
        (struct conn_setup){.local = local, .remote = {p->config->remote_addr, neighbor_port(p)}};
    session_run(s, p, c, FSM_TCP_UP, NULL, now);
}

void bgp_conn_link(struct bgp_speaker *s, struct bgp_conn_id id, uint32_t link) {
    struct conn *c = conn_find(s, id);
    if (c && c->up && c->setup)
        conn_setup(s, c)->link = link;
}

void bgp_conn_down(struct bgp_speaker *s, struct bgp_conn_id id, enum bgp_conn_end why,
                   struct nanotime now) {
    struct conn *c = conn_find(s, id);
    if (!c)
        return;
    if (c->closing) {
        conn_drop(s, c);
        return;
    }
    const struct session_cause cause = {.last_error = session_end_text(why)};
    session_run(s, speaker_peer(s, c->peer), c, FSM_TCP_DOWN, &cause, now);
}
