/*
 * A speaker: made, told the time, asked what it holds, stopped, freed. The public calls of bgp.h
 * that concern the whole of it stand here.
 *
 * Leaves configurations to configure.c, neighbours to peer.c, connections to conn.c, routes to the
 * tables.
 *
 * Invariants: the heap has room for every timer that can run, reserved when a peer, a connection
 * or a table's timer is made, so arming one cannot fail. A peer has room for one: its own or that
 * of its established connection, which never run together. Work per call is bounded by the budget:
 * bgp_advance fires at most that many timers and handles at most that many prefixes, and
 * bgp_next_deadline says "now" while some is left.
 */
#include "speaker.h"

#include "configure.h"
#include "conn.h"
#include "event.h"
#include "listen.h"
#include "malformed.h"
#include "own_addr.h"
#include "peer.h"
#include "restart.h"
#include "tally.h"

#include <assert.h>
#include <string.h>

#define WORK_BUDGET 4096u
#define PEERS_PER_PAGE 16u
#define CONNS_PER_PAGE 16u
#define OWN_ADDRS_PER_PAGE 16u

/* ---- making ---- */

static void start_deferral(struct bgp_speaker *s, struct nanotime now) {
    uint64_t ms =
        s->env.restarting ? s->profile->gr_deferral_ms : s->config->update_delay_s * UINT64_C(1000);
    s->restarting = true;
    heap_set(&s->timers, &s->deferral_timer, nanotime_add_ms(now, ms));
    restart_check_deferral(s, now);
}

struct bgp_speaker *bgp_speaker_new(const struct bgp_config *config, const struct bgp_env *env,
                                    struct nanotime now) {
    struct bgp_speaker *s = alloc_zero(1, sizeof *s);
    if (!s)
        return NULL;
    s->env = *env;
    s->rng = env->seed;
    s->restarting = env->restarting;
    if (s->env.work_budget == 0)
        s->env.work_budget = WORK_BUDGET;
    slab_init(&s->peers, sizeof(struct peer), PEERS_PER_PAGE);
    slab_init(&s->histories, sizeof(struct peer_history), PEERS_PER_PAGE);
    slab_init(&s->conns, sizeof(struct conn), CONNS_PER_PAGE);
    slab_init(&s->conn_setups, sizeof(struct conn_setup), CONNS_PER_PAGE);
    slab_init(&s->own_addrs, sizeof(struct own_addr), OWN_ADDRS_PER_PAGE);
    table_init(&s->own_addr_index);
    heap_init(&s->timers);
    s->deferral_timer.order = timer_order(0, TIMER_DEFERRAL);
    s->stale_timer.order = timer_order(0, TIMER_STALE);
    attr_table_init(&s->attrs);
    s->scratch = arena_new();
    if (!s->scratch || !event_queue_new(s) || !nexthops_new(s) || !rib_new(s) || !adjout_new(s) ||
        configure_apply(s, config, now) != BGP_OK || !tally_new(s)) {
        bgp_speaker_free(s);
        return NULL;
    }
    rib_origins_changed(s, NULL, now);
    if (s->restarting || s->config->update_delay_s)
        start_deferral(s, now);
    return s;
}

static void free_conns(struct bgp_speaker *s) {
    for (uint32_t i = 1; i < s->conns.next_new; i++) {
        struct conn *c = conn_at(s, i);
        if (c->generation)
            conn_drop(s, c);
    }
}

void bgp_speaker_free(struct bgp_speaker *s) {
    if (!s)
        return;
    for (uint32_t i = 0; i < s->peer_count; i++) {
        struct peer *p = speaker_peer(s, s->peer_order[i]);
        if (p->conn)
            adjout_peer_down(s, p);
    }
    free_conns(s);
    if (s->adjout)
        adjout_free(s);
    if (s->rib)
        rib_free(s);
    if (s->nexthops)
        nexthops_free(s);
    event_queue_free(s);
    malformed_free(s);
    tally_free(s);
    attr_table_deinit(&s->attrs);
    alloc_free(s->by_address);
    heap_deinit(&s->timers);
    slab_deinit(&s->conns);
    slab_deinit(&s->conn_setups);
    slab_deinit(&s->own_addrs);
    table_deinit(&s->own_addr_index);
    for (uint32_t i = 0; i < s->peer_count; i++)
        alloc_free(listen_dynamic(speaker_peer(s, s->peer_order[i])));
    slab_deinit(&s->peers);
    slab_deinit(&s->histories);
    alloc_free(s->peer_order);
    arena_free(s->scratch);
    arena_free(s->config_arena);
    alloc_free(s);
}

const struct bgp_config *bgp_config_of(const struct bgp_speaker *s) {
    return s->config;
}

/* ---- time ---- */

bool speaker_timers_reserve(struct bgp_speaker *s, uint32_t more) {
    uint32_t of_speaker = 2; /* deferral_timer, stale_timer */
    uint32_t of_conns = s->conns.used - s->talking + 1;
    uint32_t count = of_speaker + s->peers.used + of_conns + s->call_timers + more;
    if (!heap_reserve(&s->timers, count))
        return false;
    s->call_timers += more;
    return true;
}

struct nanotime bgp_next_deadline(const struct bgp_speaker *s) {
    if (rib_has_work(s) || s->sweep)
        return (struct nanotime){0};
    return heap_next(&s->timers);
}

static void fire(struct bgp_speaker *s, struct heap_timer *t, struct nanotime now) {
    uint32_t index = timer_owner(t);
    switch ((enum timer_kind)(t->order & 7)) {
    case TIMER_PEER:
        peer_timer(s, speaker_peer(s, index), now);
        break;
    case TIMER_STALE:
        restart_stale_expired(s, now);
        break;
    case TIMER_CONN:
        session_timer(s, conn_at(s, index), now);
        break;
    case TIMER_DEFERRAL:
        restart_deferral_expired(s, now);
        break;
    case TIMER_CALL: {
        struct call_timer *call = (struct call_timer *)t;
        call->fired(s, call, now);
        break;
    }
    }
}

void bgp_advance(struct bgp_speaker *s, struct nanotime now) {
    if (s->sweep)
        listen_sweep(s, now);
    for (uint32_t i = 0; i < s->env.work_budget; i++) {
        struct heap_timer *t = heap_pop_due(&s->timers, now);
        if (!t)
            break;
        fire(s, t, now);
    }
    rib_work(s, s->env.work_budget, now);
}

/* ---- stopping ---- */

void bgp_stop(struct bgp_speaker *s, const char *text, struct nanotime now) {
    uint8_t data[1 + BGP_SHUTDOWN_TEXT_MAX];
    const struct session_cause cause = {
        .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_SHUTDOWN},
        .data = data,
        .data_size = notification_shutdown_data(text, data),
        .reason = BGP_DOWN_ADMIN_SHUTDOWN};
    s->stopping = true;
    for (uint32_t i = 0; i < s->peer_count; i++)
        peer_halt(s, speaker_peer(s, s->peer_order[i]), &cause, now);
}

bool bgp_stopped(const struct bgp_speaker *s) {
    return s->stopping && s->conns.used == 0;
}
