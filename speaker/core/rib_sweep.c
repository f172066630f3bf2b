/*
 * What concerns all paths of a peer, or the whole table, done a slice at a time: the paths of a
 * session that ended are taken away, stale ones purged, kept ones sent through a changed import
 * policy, prefixes decided again by changed rules, best paths told to a FIB that is wanted from now
 * on. A full table of a peer never stops the timers of the others.
 *
 * Owns the epochs. Every path belongs to one of eight epochs of its peer and family, and it is the
 * epoch that is fresh, stale, purged or gone: so a session ends, and a table becomes stale, in one
 * step, however long it is. A sweep then removes the paths of purged and gone epochs; until it has
 * come by, such a path is no candidate, is not shown, and (gone) not counted. Leaves removing to
 * rib_path.c and policy to rib_import.c.
 *
 * Invariants: paths arrive in the epoch `now`, which is fresh; an epoch is free again when a sweep
 * has gone over the whole range since it was doomed; a peer whose sweep is due is listed once, and
 * keeps its struct rib_peer. RFC 4271 8.2.2 (routes deleted), 4724 4.2, 7313 4.
 */
#include "rib.h"

#include "event.h"
#include "peer.h"

#include <assert.h>

#define REMOVE 1u
#define REIMPORT 2u
#define TELL 4u /* BGP_LOG_GR_ENDED at the end */

static struct rib_epochs *epochs_of(const struct bgp_speaker *s, const struct peer *p,
                                    enum bgp_family f) {
    return &rib_peer_at(s, p->routes)->epochs[f];
}

static void set_state(struct rib_epochs *ep, uint8_t epoch, enum rib_epoch_state state) {
    ep->states &= ~(UINT32_C(15) << 4 * epoch);
    ep->states |= (uint32_t)state << 4 * epoch;
}

/* Every epoch of state `from` has state `to` from now on; true: there was one. */
static bool change_states(struct bgp_speaker *s, const struct peer *p, enum bgp_family f,
                          enum rib_epoch_state from, enum rib_epoch_state to) {
    struct rib_peer *r = rib_peer_at(s, p->routes);
    struct rib_epochs *ep = &r->epochs[f];
    bool any = false;
    if (to != RIB_EPOCH_GONE) {
        *rib_in_state(r, f, to) += *rib_in_state(r, f, from);
    }
    *rib_in_state(r, f, from) = 0;
    for (uint8_t i = 0; i < RIB_EPOCHS; i++) {
        if (rib_epoch_state(ep, i) == from) {
            set_state(ep, i, to);
            any = true;
        }
    }
    return any;
}

/* ---- sweeping ---- */

static void want_sweep(struct bgp_speaker *s, const struct peer *p, enum bgp_family f,
                       unsigned what) {
    struct rib *r = s->rib;
    struct rib_peer *rp = rib_peer_at(s, p->routes);
    rp->epochs[f].wants |= (uint8_t)what;
    if (rp->listed) {
        return;
    }
    rp->listed = true;
    rp->sweep_next = 0;
    const struct peer *last = speaker_peer(s, r->sweep_last);
    *(last ? &rib_peer_at(s, last->routes)->sweep_next : &r->sweep_first) = p->index;
    r->sweep_last = p->index;
}

static bool sweep_due(const struct rib_epochs *ep) {
    return ep->cursor || ep->wants;
}

static void pass_begin(struct rib_epochs *ep, const struct rib_range *range) {
    ep->cursor = range->first ? range->first : 1;
    ep->does = ep->wants;
    ep->wants = 0;
    ep->purged = 0;
    ep->raw_missing = false;
    ep->doomed = 0;
    for (uint8_t i = 0; i < RIB_EPOCHS; i++) {
        if (rib_epoch_state(ep, i) >= RIB_EPOCH_PURGED) {
            ep->doomed |= (uint8_t)(1u << i);
        }
    }
}

static void pass_end(struct bgp_speaker *s, struct peer *p, enum bgp_family f,
                     struct rib_epochs *ep) {
    for (uint8_t i = 0; i < RIB_EPOCHS; i++) {
        if (ep->doomed & 1u << i) {
            set_state(ep, i, RIB_EPOCH_FREE);
        }
    }
    ep->cursor = 0;
    if (p->removed) { /* it has no configuration any more, and nobody asks */
        ep->does = 0;
        return;
    }
    if (ep->does & TELL) {
        event_log(s, p->index, BGP_LOG_GR_ENDED, ep->purged, f, p->config->remote_addr);
    }
    /* Without soft reconfiguration it was asked for at once. */
    if (ep->does & REIMPORT && ep->raw_missing && p->config->options->soft_reconfiguration) {
        (void)peer_ask_again(s, p, f);
    }
    ep->does = 0;
}

static void sweep_prefix(struct bgp_speaker *s, struct peer *p, enum bgp_family f, uint32_t entry,
                         struct rib_epochs *ep, struct nanotime now) {
    const struct rib_entry *e = rib_entry_at(s, f, entry);
    uint32_t next = e->flags & RIB_ENTRY_USED ? e->paths : 0;
    while (next) {
        uint32_t path = next;
        const struct rib_path *at = rib_path_at(s, path);
        next = at->next;
        if (at->peer != p->index) {
            continue;
        }
        if (rib_path_doomed(s, f, at)) {
            rib_path_remove(s, f, entry, path);
            ep->purged++;
        } else if (ep->does & REIMPORT) {
            ep->raw_missing |= !rib_import_again(s, p, f, entry, path, now);
        }
    }
}

/* Returns what is left of the budget. */
static uint32_t sweep_family(struct bgp_speaker *s, struct peer *p, enum bgp_family f,
                             uint32_t budget, struct nanotime now) {
    struct rib_epochs *ep = epochs_of(s, p, f);
    const struct rib_range *range = &rib_peer_at(s, p->routes)->used[f];
    while (budget > 0 && sweep_due(ep)) {
        if (ep->cursor == 0) {
            pass_begin(ep, range);
        }
        for (; budget > 0 && ep->cursor < range->end; ep->cursor++, budget--) {
            sweep_prefix(s, p, f, ep->cursor, ep, now);
            s->rib->swept++;
        }
        if (ep->cursor >= range->end) {
            pass_end(s, p, f, ep);
        }
    }
    return budget;
}

static void unlist_first(struct bgp_speaker *s, struct peer *p) {
    struct rib_peer *rp = rib_peer_at(s, p->routes);
    s->rib->sweep_first = rp->sweep_next;
    s->rib->sweep_last = rp->sweep_next ? s->rib->sweep_last : 0;
    rp->listed = false;
    rib_peer_drop(s, p->index);
}

static uint32_t sweep_peers(struct bgp_speaker *s, uint32_t budget, struct nanotime now) {
    while (budget > 0 && s->rib->sweep_first) {
        struct peer *p = speaker_peer(s, s->rib->sweep_first);
        bool due = false;
        for (unsigned f = 0; f < BGP_FAMILIES; f++) {
            budget = sweep_family(s, p, (enum bgp_family)f, budget, now);
            due = due || sweep_due(epochs_of(s, p, (enum bgp_family)f));
        }
        if (!due) {
            unlist_first(s, p);
        }
    }
    return budget;
}

/* ---- epochs ---- */

/* Fresh paths into one epoch, stale ones into one: the others are free. */
static void merge_epochs(struct bgp_speaker *s, const struct peer *p, enum bgp_family f,
                         struct rib_epochs *ep) {
    uint8_t first[RIB_EPOCH_STATES] = {0};
    uint32_t states = ep->states;
    for (uint8_t i = RIB_EPOCHS; i-- > 0;) {
        first[rib_epoch_state(ep, i)] = i;
    }
    for (struct rib_walk w = rib_walk_begin(s, p, f); rib_walk_next(s, &w);) {
        struct rib_path *path = rib_path_at(s, w.path);
        rib_path_set_epoch(path, first[rib_epoch_state(ep, rib_path_epoch(path))]);
    }
    for (uint8_t i = 0; i < RIB_EPOCHS; i++) {
        if (first[states >> 4 * i & 15] != i) {
            set_state(ep, i, RIB_EPOCH_FREE);
        }
    }
}

static bool take_free(struct rib_epochs *ep) {
    for (uint8_t i = 0; i < RIB_EPOCHS; i++) {
        if (rib_epoch_state(ep, i) == RIB_EPOCH_FREE) {
            ep->now = i;
            set_state(ep, i, RIB_EPOCH_FRESH);
            return true;
        }
    }
    return false;
}

/* What arrives from now on is told apart from what is there. All eight are in use only when a peer
 * flaps, or refreshes, that often while one sweep lasts: then it is finished at once. */
static void begin_epoch(struct bgp_speaker *s, struct peer *p, enum bgp_family f,
                        struct nanotime now) {
    struct rib_epochs *ep = epochs_of(s, p, f);
    if (take_free(ep)) {
        return;
    }
    (void)sweep_family(s, p, f, UINT32_MAX, now);
    merge_epochs(s, p, f, ep);
    bool taken = take_free(ep);
    assert(taken);
    (void)taken;
}

/* A gone path counts nowhere. Before its epoch is: change_states. */
static void uncount(struct bgp_speaker *s, struct peer *p, enum bgp_family f) {
    struct rib_peer *r = rib_peer_at(s, p->routes);
    s->rib->adj_in[f] -= rib_received_count(s, p, f);
    r->accepted[f] = r->best[f] = 0;
}

void rib_peer_down(struct bgp_speaker *s, struct peer *p, enum bgp_family f, bool keep_stale,
                   struct nanotime now) {
    if (!p->routes) {
        return;
    }
    rib_peer_at(s, p->routes)->warned[f] = false;
    struct rib_epochs *ep = epochs_of(s, p, f);
    if (keep_stale) {
        /* RFC 4724 4.2: what was stale before a second restart goes. */
        if (change_states(s, p, f, RIB_EPOCH_STALE, RIB_EPOCH_PURGED)) {
            want_sweep(s, p, f, REMOVE);
        }
        change_states(s, p, f, RIB_EPOCH_FRESH, RIB_EPOCH_STALE);
    } else {
        uncount(s, p, f);
        for (unsigned state = RIB_EPOCH_FRESH; state < RIB_EPOCH_GONE; state++) {
            change_states(s, p, f, (enum rib_epoch_state)state, RIB_EPOCH_GONE);
        }
        ep->wants &= (uint8_t)~REIMPORT;
        ep->does &= (uint8_t)~REIMPORT;
        want_sweep(s, p, f, REMOVE);
    }
    begin_epoch(s, p, f, now);
}

void rib_purge_stale(struct bgp_speaker *s, struct peer *p, enum bgp_family f, bool tell) {
    if (p->routes && change_states(s, p, f, RIB_EPOCH_STALE, RIB_EPOCH_PURGED)) {
        want_sweep(s, p, f, REMOVE | (tell ? TELL : 0));
    } else if (tell) {
        event_log(s, p->index, BGP_LOG_GR_ENDED, 0, f, p->config->remote_addr);
    }
}

void rib_mark_stale(struct bgp_speaker *s, struct peer *p, enum bgp_family f, struct nanotime now) {
    if (p->routes) {
        change_states(s, p, f, RIB_EPOCH_FRESH, RIB_EPOCH_STALE);
        begin_epoch(s, p, f, now);
    }
}

void rib_mark_fresh(struct bgp_speaker *s, struct peer *p, enum bgp_family f) {
    if (p->routes) {
        change_states(s, p, f, RIB_EPOCH_STALE, RIB_EPOCH_FRESH);
    }
}

bool rib_reimport(struct bgp_speaker *s, struct peer *p) {
    for (unsigned f = 0; p->routes && f < BGP_FAMILIES; f++) {
        if (rib_received_count(s, p, (enum bgp_family)f)) {
            want_sweep(s, p, (enum bgp_family)f, REIMPORT);
        }
    }
    return p->config->options->soft_reconfiguration;
}

void rib_peer_removed(struct bgp_speaker *s) {
    s->rib->removed_peers++;
}

void rib_removed_finish(struct bgp_speaker *s, struct nanotime now) {
    if (s->rib && s->rib->removed_peers > 0) {
        (void)sweep_peers(s, UINT32_MAX, now);
    }
    assert(!s->rib || s->rib->removed_peers == 0);
}

/* ---- the whole table ---- */

static void review_begin(struct bgp_speaker *s, unsigned what) {
    struct rib_review *v = &s->rib->review;
    v->wants |= (uint8_t)what;
    if (!v->does) {
        v->does = v->wants;
        v->wants = 0;
        v->family = BGP_IPV4_UNICAST;
        v->cursor = 1;
    }
}

void rib_fib_wanted(struct bgp_speaker *s) {
    review_begin(s, RIB_REVIEW_FIB);
}

void rib_decide_again(struct bgp_speaker *s, bool publish) {
    review_begin(s, publish ? RIB_REVIEW_DECIDE | RIB_REVIEW_PUBLISH : RIB_REVIEW_DECIDE);
}

static void review_prefix(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, unsigned does) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    if (!(e->flags & RIB_ENTRY_USED)) {
        return;
    }
    if (does & RIB_REVIEW_FIB && e->best_attrs && !(e->flags & RIB_ENTRY_FIB_LOST)) {
        e->flags |= RIB_ENTRY_FIB_LOST;
        s->rib->fib_lost++;
    }
    if (does & RIB_REVIEW_DECIDE && e->paths) {
        e->flags |= does & RIB_REVIEW_PUBLISH ? RIB_ENTRY_FORCE : 0;
        rib_entry_dirty(s, f, entry);
    }
}

static uint32_t review(struct bgp_speaker *s, uint32_t budget) {
    struct rib_review *v = &s->rib->review;
    while (budget > 0 && v->does) {
        uint32_t end = s->rib->entries[v->family].next_new;
        for (; budget > 0 && v->cursor < end; v->cursor++, budget--) {
            review_prefix(s, v->family, v->cursor, v->does);
            s->rib->swept++;
        }
        if (v->cursor < end) {
            break;
        }
        v->cursor = 1;
        if (v->family == BGP_IPV4_UNICAST) {
            v->family = BGP_IPV6_UNICAST;
        } else {
            v->does = 0;
            if (v->wants) {
                review_begin(s, 0);
            }
        }
    }
    return budget;
}

bool rib_sweep_pending(const struct bgp_speaker *s) {
    return s->rib->sweep_first || s->rib->review.does;
}

uint32_t rib_sweep_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now) {
    return review(s, sweep_peers(s, budget, now));
}
