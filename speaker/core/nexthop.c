/*
 * Next hops: which are wanted, which are reachable and at what cost.
 *
 * Owns one reference-counted entry per address (and link) that a path uses, the wish to know about
 * it (BGP_EVENT_TRACK, once up and once down), the connected subnets, and which sessions end with a
 * subnet or with the way to the peer. Leaves to the host how an address resolves, and to rib.c
 * which paths hang on it and what a change means for them.
 *
 * Invariants: an entry lives exactly as long as somebody holds it; until the host has spoken, it is
 * unreachable; a change that changes nothing is not passed on. RFC 4271 9.1.2, 5.1.3.
 */
#include "nexthop.h"

#include "../base/hash.h"
#include "adjout.h"
#include "own_addr.h"
#include "peer.h"

#include <assert.h>
#include <string.h>

static uint64_t hop_hash(struct ip_addr a, uint32_t link) {
    return hash_bytes(&a, sizeof a, link);
}

static bool hop_equal(const void *context, uint32_t index, const void *key) {
    const struct nexthops *n = context;
    const struct nexthop *hop = slab_at(&n->slab, index);
    const struct bgp_next_hop *wanted = key;
    return hop->link == wanted->link && ip_equal(hop->addr, wanted->addr);
}

bool nexthops_new(struct bgp_speaker *s) {
    struct nexthops *n = alloc_zero(1, sizeof *n);
    if (!n) {
        return false;
    }
    slab_init(&n->slab, sizeof(struct nexthop), 64);
    table_init(&n->index);
    s->nexthops = n;
    return true;
}

void nexthops_free(struct bgp_speaker *s) {
    struct nexthops *n = s->nexthops;
    if (!n) {
        return;
    }
    table_deinit(&n->index);
    slab_deinit(&n->slab);
    alloc_free(n->subnets);
    alloc_free(n);
    s->nexthops = NULL;
}

static struct nexthop *nexthop_at(const struct bgp_speaker *s, uint32_t nexthop) {
    return slab_at(&s->nexthops->slab, nexthop);
}

static uint32_t find(const struct bgp_speaker *s, struct ip_addr a, uint32_t link) {
    const struct bgp_next_hop key = {.addr = a, .link = link};
    return table_find(&s->nexthops->index, hop_hash(a, link), hop_equal, s->nexthops, &key);
}

bool nexthop_is_used(const struct bgp_speaker *s, struct ip_addr a) {
    return find(s, a, 0) != 0;
}

static void set_answered(struct bgp_speaker *s, struct nexthop *hop, bool answered) {
    s->nexthops->unanswered += hop->answered && !answered;
    s->nexthops->unanswered -= !hop->answered && answered;
    hop->answered = answered;
}

static void hop_free(struct bgp_speaker *s, uint32_t nexthop) {
    struct nexthop *hop = nexthop_at(s, nexthop);
    table_remove(&s->nexthops->index, hop_hash(hop->addr, hop->link), nexthop);
    set_answered(s, hop, true);
    slab_free(&s->nexthops->slab, nexthop);
}

/* Tells the host whether the next hop is wanted. What cannot be said now is said by nexthop_work;
 * so long a next hop that nobody wants stays. */
static void tell(struct bgp_speaker *s, uint32_t nexthop) {
    struct nexthop *hop = nexthop_at(s, nexthop);
    struct bgp_event e = {.kind = BGP_EVENT_TRACK};
    e.track.address = hop->addr;
    e.track.link = hop->link;
    e.track.wanted = hop->references > 0;
    bool told = event_push(s, &e);
    s->nexthops->untold += !told;
    s->nexthops->untold -= hop->untold;
    hop->untold = !told;
    if (told && hop->references == 0) {
        hop_free(s, nexthop);
    }
}

/* Once around at most, from where it was: there may be more of them than the budget. */
static uint32_t tell_again(struct bgp_speaker *s, uint32_t budget) {
    struct nexthops *n = s->nexthops;
    for (uint32_t left = n->slab.next_new; nexthop_may_tell(s) && budget > 0 && left > 0; left--) {
        n->cursor = n->cursor + 1 < n->slab.next_new ? n->cursor + 1 : 1;
        if (nexthop_at(s, n->cursor)->untold) {
            tell(s, n->cursor);
        }
        budget--;
    }
    return budget;
}

uint32_t nexthop_hold(struct bgp_speaker *s, struct ip_addr a, uint32_t link) {
    struct nexthops *n = s->nexthops;
    uint32_t index = find(s, a, link);
    if (index) {
        struct nexthop *known = nexthop_at(s, index);
        if (known->references++ == 0) { /* the host may not have heard that it was unwanted */
            known->reachable = false;
            set_answered(s, known, false);
            tell(s, index);
        }
        return index;
    }
    index = slab_alloc(&n->slab);
    if (!index) {
        return 0;
    }
    if (!table_insert(&n->index, hop_hash(a, link), index)) {
        slab_free(&n->slab, index);
        return 0;
    }
    struct nexthop *hop = nexthop_at(s, index);
    hop->addr = a;
    hop->link = link;
    hop->references = 1;
    n->unanswered++;
    tell(s, index);
    return index;
}

void nexthop_release(struct bgp_speaker *s, uint32_t nexthop) {
    struct nexthop *hop = nexthop_at(s, nexthop);
    assert(hop->references > 0);
    if (--hop->references > 0) {
        return;
    }
    tell(s, nexthop);
}

bool nexthop_reachable(const struct bgp_speaker *s, uint32_t nexthop, uint32_t *ret_metric) {
    const struct nexthop *hop = nexthop_at(s, nexthop);
    if (hop->reachable) {
        *ret_metric = hop->metric;
    }
    return hop->reachable;
}

/* ---- the way to a peer: fall_over ---- */

void nexthop_watch_peer(struct bgp_speaker *s, struct peer *p) {
    bool wanted = p->state == BGP_ESTABLISHED && p->config->options->fall_over;
    if (wanted == (p->watch != 0)) {
        return;
    }
    if (wanted) {
        struct ip_addr a = p->config->remote_addr;
        p->watch = nexthop_hold(s, a, nexthop_has_link(a) ? own_addr_link(s, p->own_addr) : 0);
        s->nexthops->watched += p->watch != 0;
        if (!p->watch) {
            event_log(s, p->index, BGP_LOG_NO_MEMORY, 0, 0, p->config->remote_addr);
        }
        return;
    }
    uint32_t watch = p->watch;
    p->watch = 0;
    s->nexthops->watched--;
    nexthop_release(s, watch);
}

static const struct session_cause no_route = {
    .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_CONFIG_CHANGE},
    .reason = BGP_DOWN_NO_ROUTE};

void nexthop_judge_peer(struct bgp_speaker *s, struct peer *p, struct nanotime now) {
    const struct nexthop *hop = p->watch ? nexthop_at(s, p->watch) : NULL;
    if (hop && hop->answered && !hop->reachable) {
        peer_reset(s, p, &no_route, now);
    }
}

/* IOS: fall-over. The entry may be gone afterwards. */
static void end_sessions_behind(struct bgp_speaker *s, uint32_t nexthop, struct nanotime now) {
    for (uint32_t i = 0; s->nexthops->watched > 0 && i < s->peer_count; i++) {
        struct peer *p = speaker_peer(s, s->peer_order[i]);
        if (p->watch == nexthop) {
            peer_reset(s, p, &no_route, now);
        }
    }
}

static void note_change(struct bgp_speaker *s, uint32_t nexthop);

void bgp_nexthop_set(struct bgp_speaker *s, struct ip_addr address, bool reachable, uint32_t metric,
                     struct nanotime now) {
    bgp_nexthop_set_on_link(s, (struct bgp_next_hop){.addr = address}, reachable, metric, now);
}

void bgp_nexthop_set_on_link(struct bgp_speaker *s, struct bgp_next_hop next_hop, bool reachable,
                             uint32_t metric, struct nanotime now) {
    uint32_t index = find(s, next_hop.addr, next_hop.link);
    if (!index) {
        return; /* nobody uses it any more */
    }
    struct nexthop *hop = nexthop_at(s, index);
    set_answered(s, hop, true);
    if (hop->reachable != reachable || (reachable && hop->metric != metric)) {
        hop->reachable = reachable;
        hop->metric = reachable ? metric : 0;
        note_change(s, index);
    }
    if (!reachable) {
        end_sessions_behind(s, index, now);
    }
}

/* ---- telling the prefixes ---- */

static void note_change(struct bgp_speaker *s, uint32_t nexthop) {
    struct nexthops *n = s->nexthops;
    struct nexthop *hop = nexthop_at(s, nexthop);
    memcpy(hop->todo, hop->used, sizeof hop->todo);
    if (hop->changed) {
        return;
    }
    hop->changed = true;
    hop->changed_next = 0;
    hop->references++;
    *(n->changed_tail ? &nexthop_at(s, n->changed_tail)->changed_next : &n->changed_head) = nexthop;
    n->changed_tail = nexthop;
}

void nexthop_used_by(struct bgp_speaker *s, uint32_t nexthop, enum bgp_family f, uint32_t entry) {
    rib_range_add(&nexthop_at(s, nexthop)->used[f], entry);
}

static bool entry_uses(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                       uint32_t nexthop) {
    const struct rib_entry *e = rib_entry_at(s, f, entry);
    for (uint32_t i = e->flags & RIB_ENTRY_USED ? e->paths : 0; i; i = rib_path_at(s, i)->next) {
        if (attr_get(&s->attrs, rib_path_at(s, i)->attrs)->nexthop == nexthop) {
            return true;
        }
    }
    return false;
}

uint32_t nexthop_work(struct bgp_speaker *s, uint32_t budget) {
    struct nexthops *n = s->nexthops;
    budget = tell_again(s, budget);
    while (n->changed_head && budget > 0) {
        uint32_t nexthop = n->changed_head;
        struct nexthop *hop = nexthop_at(s, nexthop);
        for (unsigned f = 0; f < BGP_FAMILIES; f++) {
            struct rib_range *r = &hop->todo[f];
            for (; r->first < r->end && budget > 0; r->first++, budget--) {
                if (entry_uses(s, f, r->first, nexthop)) {
                    rib_entry_dirty(s, f, r->first);
                }
            }
        }
        if (budget > 0) {
            n->changed_head = hop->changed_next;
            n->changed_tail = n->changed_head ? n->changed_tail : 0;
            hop->changed = false;
            nexthop_release(s, nexthop);
        }
    }
    return budget;
}

/* ---- connected subnets ---- */

static uint32_t subnet_of(const struct nexthops *n, struct ip_addr a) {
    for (size_t i = 0; i < n->subnet_count; i++) {
        if (ip_prefix_contains_addr(n->subnets[i], a)) {
            return (uint32_t)i + 1;
        }
    }
    return 0;
}

uint32_t nexthop_connected(const struct bgp_speaker *s, struct ip_addr a) {
    return subnet_of(s->nexthops, a);
}

/* Why the session ends with its subnet; BGP_DOWN_NONE: it does not. IOS: bgp
 * fast-external-fallover; an interface that is down has no routes either, so fall_over is the same
 * to a direct neighbour. */
static enum bgp_down_reason subnet_lost(const struct bgp_speaker *s, const struct peer *p) {
    const struct bgp_peer_options *o = p->config->options;
    if (p->state != BGP_ESTABLISHED) {
        return BGP_DOWN_NONE;
    }
    if (s->config->fast_external_fallover && p->external && o->multihop == 0) {
        return BGP_DOWN_INTERFACE;
    }
    return o->fall_over ? BGP_DOWN_NO_ROUTE : BGP_DOWN_NONE;
}

static void fall_over(struct bgp_speaker *s, const struct nexthops *before, struct nanotime now) {
    for (uint32_t i = 0; i < s->peer_count; i++) {
        struct peer *p = speaker_peer(s, s->peer_order[i]);
        struct ip_addr a = p->config->remote_addr;
        const struct session_cause cause = {
            .error = {.code = BGP_ERR_CEASE, .subcode = BGP_CEASE_CONFIG_CHANGE},
            .reason = subnet_lost(s, p)};
        if (cause.reason && subnet_of(before, a) && !nexthop_connected(s, a)) {
            peer_reset(s, p, &cause, now);
        }
    }
}

enum bgp_status bgp_connected_set(struct bgp_speaker *s, const struct ip_prefix *subnets,
                                  size_t count, struct nanotime now) {
    struct nexthops *n = s->nexthops;
    struct ip_prefix *copy = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!ip_prefix_is_masked(subnets[i])) {
            return BGP_INVALID;
        }
    }
    if (count > 0) {
        copy = alloc_zero(count, sizeof *copy);
        if (!copy) {
            return BGP_NO_MEMORY;
        }
        memcpy(copy, subnets, count * sizeof *copy);
    }
    const struct nexthops before = {.subnets = n->subnets, .subnet_count = n->subnet_count};
    n->subnets = copy;
    n->subnet_count = count;
    fall_over(s, &before, now);
    alloc_free(before.subnets);
    /* Third-party next hops depend on what is connected. */
    for (uint32_t i = 0; i < s->peer_count; i++) {
        struct peer *p = speaker_peer(s, s->peer_order[i]);
        if (p->group_member) {
            adjout_regroup(s, p);
        }
    }
    if (s->profile->third_party_next_hop) {
        adjout_reevaluate(s);
    }
    return BGP_OK;
}
