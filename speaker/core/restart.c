/*
 * Graceful restart (RFC 4724) on both sides, and the stale routes of enhanced refresh (RFC 7313).
 *
 * Helper (4.2): when the transport of an Established session is lost and both sides announced the
 * capability, the routes of the families the peer listed stay, marked stale, for the time it asked
 * for. When it is back, a family it does not vouch for (missing, or F bit clear) is purged at once,
 * the others at its End-of-RIB. A NOTIFICATION in either direction ends all retention, unless
 * both sides set the N bit and it is no hard reset (RFC 8538): that is decided in session.c, which
 * then leaves with `keep` false.
 *
 * Restarter (4.1), and IOS's update-delay: while speaker->restarting is set no best path is chosen.
 * It ends when every peer that may run has sent its End-of-RIB, those excepted that restart
 * themselves or know nothing of the capability, or when the deferral timer fires.
 *
 * Refresh: a BoRR before a restarted peer's End-of-RIB is ignored, so that a path is stale for one
 * reason at a time. One more BoRR begins the refresh anew, and its time: until the EoRR the peer
 * may be saying everything again. It lengthens no restart, though, that another family waits for.
 *
 * Leaves marking and purging to rib.c. One time per peer bounds every kind of staleness; one timer
 * runs for all of them, because few peers are stale and each timer that may run costs its room.
 * Where nothing is stale any more it fires once in vain.
 */
#include "restart.h"

#include "event.h"
#include "peer.h"

#define STALE_BOUND_MS 360000u /* no End-of-RIB or EoRR ever came */

/* The session was made with it, and it is still wanted. */
static bool both_restart(const struct peer *p) {
    return p->open.gr && p->open.gr_ours && p->config->options->graceful_restart != BGP_GR_OFF;
}

static bool both_announced(const struct peer *p, enum bgp_family f) {
    return both_restart(p) && p->families[f] && p->open.gr_families[f].present;
}

bool restart_negotiated(const struct bgp_speaker *s, const struct peer *p) {
    (void)s;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (both_announced(p, (enum bgp_family)f))
            return true;
    }
    return false;
}

bool restart_by_notification(const struct peer *p) {
    return both_restart(p) && p->open.gr_notification && p->open.gr_notification_ours;
}

static bool any_stale(const struct peer *p) {
    bool any = false;
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        any = any || p->restarting[f] || p->refreshing[f];
    return any;
}

static bool any_restarting(const struct peer *p) {
    bool any = false;
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        any = any || p->restarting[f];
    return any;
}

static void stale_for(struct bgp_speaker *s, struct peer *p, uint64_t ms, struct nanotime now) {
    p->stale_until = nanotime_add_ms(now, ms);
    if (!heap_armed(&s->stale_timer) ||
        nanotime_before(p->stale_until, heap_deadline(&s->timers, &s->stale_timer)))
        heap_set(&s->timers, &s->stale_timer, p->stale_until);
}

static void stop_if_fresh(struct peer *p) {
    if (!any_stale(p))
        p->stale_until = (struct nanotime){0};
}

static void purge(struct bgp_speaker *s, struct peer *p, enum bgp_family f) {
    bool restart = p->restarting[f];
    p->restarting[f] = p->refreshing[f] = false;
    rib_purge_stale(s, p, f, restart);
    stop_if_fresh(p);
}

void restart_leave(struct bgp_speaker *s, struct peer *p, bool keep, struct nanotime now) {
    bool kept = false;
    for (unsigned i = 0; i < BGP_FAMILIES; i++) {
        enum bgp_family f = (enum bgp_family)i;
        bool keep_this = keep && both_announced(p, f);
        /* RFC 7313 4: what only waited for the rest of a refresh is not of a former session. */
        if (p->refreshing[f] && !p->restarting[f] && keep_this)
            rib_mark_fresh(s, p, f);
        p->refreshing[f] = false;
        if (p->restarting[f]) /* a second restart during the first: what was stale goes */
            purge(s, p, f);
        if (p->families[f])
            rib_peer_down(s, p, f, keep_this, now);
        p->restarting[f] = keep_this;
        kept = kept || keep_this;
    }
    if (!kept) {
        p->stale_until = (struct nanotime){0};
        return;
    }
    stale_for(s, p, p->open.gr_time_s * UINT64_C(1000), now);
    event_log(s, p->index, BGP_LOG_GR_STARTED, p->open.gr_time_s, 0, p->config->remote_addr);
}

void restart_established(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    for (unsigned i = 0; i < BGP_FAMILIES; i++) {
        enum bgp_family f = (enum bgp_family)i;
        if (p->restarting[f] && !(both_announced(p, f) && p->open.gr_families[f].forwarding))
            purge(s, p, f);
    }
    if (any_stale(p))
        stale_for(s, p, STALE_BOUND_MS, now);
    restart_check_deferral(s, now);
}

void restart_end_of_rib(struct bgp_speaker *s, struct peer *p, enum bgp_family f,
                        struct nanotime now) {
    p->end_of_rib_seen[f] = true;
    if (p->restarting[f])
        purge(s, p, f);
    restart_check_deferral(s, now);
}

/* RFC 7313 4: with graceful restart a BoRR means nothing before the End-of-RIB; it would make
 * stale what the restarted peer has just said, and the End-of-RIB take it away. A neighbour that
 * was not told of the capability by us owes no End-of-RIB, so its BoRRs are not held to one. */
static bool awaits_end_of_rib(const struct peer *p, enum bgp_family f) {
    return p->open.gr && p->open.gr_ours && !p->end_of_rib_seen[f];
}

void restart_refresh_begin(struct bgp_speaker *s, struct peer *p, enum bgp_family f,
                           struct nanotime now) {
    if (awaits_end_of_rib(p, f))
        return;
    p->refreshing[f] = true;
    rib_mark_stale(s, p, f, now);
    if (!any_restarting(p))
        stale_for(s, p, STALE_BOUND_MS, now);
}

void restart_refresh_end(struct bgp_speaker *s, struct peer *p, enum bgp_family f) {
    if (p->refreshing[f])
        purge(s, p, f);
}

void restart_abandon(struct bgp_speaker *s, struct peer *p) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (p->restarting[f])
            purge(s, p, (enum bgp_family)f);
    }
    p->stale_until = (struct nanotime){0};
}

static void expire(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    p->stale_until = (struct nanotime){0};
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (p->restarting[f] || p->refreshing[f])
            purge(s, p, (enum bgp_family)f);
    }
    peer_show(s, p, now);
}

void restart_stale_expired(struct bgp_speaker *s, struct nanotime now) {
    struct nanotime next = NANOTIME_NEVER;
    for (uint32_t i = 0; i < s->peer_count; i++) {
        struct peer *p = speaker_peer(s, s->peer_order[i]);
        if (p->stale_until.ns && !nanotime_before(now, p->stale_until))
            expire(s, p, now);
        else if (p->stale_until.ns && nanotime_before(p->stale_until, next))
            next = p->stale_until;
    }
    if (!nanotime_is_never(next))
        heap_set(&s->timers, &s->stale_timer, next);
}

/* ---- our own restart ---- */

static bool is_awaited(const struct peer *p) {
    if (!p->started)
        return false;
    if (p->conn == 0)
        return true;
    if (!p->open.gr || p->open.gr_restarting)
        return false;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (p->families[f] && !p->end_of_rib_seen[f])
            return true;
    }
    return false;
}

/* IOS: End-of-RIB, or a KEEPALIVE behind the two that begin a session. */
static bool has_sent_table(const struct peer *p) {
    bool ended = true;
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        ended = ended && (!p->families[f] || p->end_of_rib_seen[f]);
    return ended || p->received.keepalives > 2;
}

/* IOS, update-delay: once somebody is up, nobody who is not is waited for. */
static bool is_read_only(const struct bgp_speaker *s) {
    bool any_up = false, any = false;
    for (uint32_t i = 0; i < s->peer_count; i++) {
        const struct peer *p = speaker_peer(s, s->peer_order[i]);
        if (p->conn && !has_sent_table(p))
            return true;
        any_up = any_up || p->conn;
        any = any || p->started;
    }
    return any && !any_up;
}

void restart_check_deferral(struct bgp_speaker *s, struct nanotime now) {
    bool delayed = !s->env.restarting && s->config->update_delay_s > 0; /* still wanted? */
    if (!s->restarting || (delayed && is_read_only(s)))
        return;
    for (uint32_t i = 0; i < s->peer_count; i++) {
        if (s->env.restarting && is_awaited(speaker_peer(s, s->peer_order[i])))
            return;
    }
    restart_deferral_expired(s, now);
}

void restart_deferral_expired(struct bgp_speaker *s, struct nanotime now) {
    s->restarting = false;
    heap_cancel(&s->timers, &s->deferral_timer);
    rib_release_deferred(s, now);
}
