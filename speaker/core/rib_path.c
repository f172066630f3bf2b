/*
 * Paths: one list per prefix, serving Adj-RIB-In and Loc-RIB.
 *
 * Owns the making, replacing and removing of paths, what few of them have beside the struct, the
 * peers' counts of them, and which attribute sets have their next hop tracked. Leaves prefixes to
 * rib_entry.c, the decision to rib.c.
 *
 * Invariants: a path in use has a source; its prefix, attributes and own origin are held by it; a
 * set's next hop is tracked while a path that is not rejected has the set; whatever changes a path
 * queues its prefix. RFC 4271 3.2; 7911 for several paths of one peer.
 */
#include "rib.h"

#include "../base/arena.h"
#include "adjout.h"
#include "nexthop.h"
#include "peer.h"
#include "tally.h"

#include <assert.h>
#include <string.h>

/* ---- numbers few paths have ---- */

static bool side_reserve(struct rib_side *side, uint32_t path) {
    if (path < side->capacity) {
        return true;
    }
    uint32_t capacity = side->capacity ? side->capacity : 64;
    while (capacity <= path) {
        capacity *= 2;
    }
    uint32_t *values = alloc_resize(side->values, capacity, sizeof *values);
    if (!values) {
        return false;
    }
    memset(values + side->capacity, 0, (capacity - side->capacity) * sizeof *values);
    side->values = values;
    side->capacity = capacity;
    return true;
}

static void side_clear(struct rib_side *side, uint32_t path) {
    if (path < side->capacity) {
        side->values[path] = 0;
    }
}

/* ---- the next hop of a set ---- */

/* Own routes have a next hop only with a gateway. */
static bool needs_hop(const struct bgp_speaker *s, enum route_source source, uint32_t attrs,
                      bool rejected) {
    return !rejected &&
           (source == ROUTE_SOURCE_BGP || ip_is_set(attr_get(&s->attrs, attrs)->v.next_hop));
}

static bool is_tracked(const struct bgp_speaker *s, const struct rib_path *p) {
    return needs_hop(s, rib_path_source(p), p->attrs, p->flags & RIB_PATH_REJECTED);
}

/* One more path counts on the set's next hop. False: out of memory. */
static bool hop_hold(struct bgp_speaker *s, uint32_t attrs) {
    struct attr_set *set = attr_get_mutable(&s->attrs, attrs);
    if (set->nexthop_paths == 0) {
        set->nexthop = nexthop_hold(s, set->v.next_hop, set->v.link);
    }
    set->nexthop_paths += set->nexthop != 0;
    return set->nexthop != 0;
}

static void hop_release(struct bgp_speaker *s, uint32_t attrs) {
    struct attr_set *set = attr_get_mutable(&s->attrs, attrs);
    assert(set->nexthop_paths > 0);
    if (--set->nexthop_paths == 0) {
        nexthop_release(s, set->nexthop);
        set->nexthop = 0;
    }
}

/* ---- values ---- */

static void count_path(struct bgp_speaker *s, enum bgp_family f, const struct rib_path *p,
                       bool add) {
    struct peer *peer = speaker_peer(s, p->peer);
    uint32_t step = add ? 1 : UINT32_MAX; /* minus one */
    if (!peer || rib_path_state(s, f, p) == RIB_EPOCH_GONE) {
        return;
    }
    s->rib->adj_in[f] = add ? s->rib->adj_in[f] + 1 : s->rib->adj_in[f] - 1;
    struct rib_peer *r = rib_peer_at(s, peer->routes);
    *rib_in_state(r, f, rib_path_state(s, f, p)) += step;
    if (!(p->flags & RIB_PATH_REJECTED)) {
        r->accepted[f] += step;
    }
    if (p->flags & RIB_PATH_BEST) {
        rib_best_step(s, p->peer, f, add);
    }
}

uint32_t rib_received_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f) {
    uint32_t count = 0;
    for (unsigned state = RIB_EPOCH_FRESH; p->routes && state < RIB_EPOCH_GONE; state++) {
        count += *rib_in_state(rib_peer_at(s, p->routes), f, (enum rib_epoch_state)state);
    }
    return count;
}

uint32_t rib_limited_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f) {
    if (!p->routes) {
        return 0;
    }
    struct rib_peer *r = rib_peer_at(s, p->routes);
    uint32_t stale = p->restarting[f] ? 0 : *rib_in_state(r, f, RIB_EPOCH_STALE);
    return *rib_in_state(r, f, RIB_EPOCH_FRESH) + stale;
}

uint32_t rib_accepted_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f) {
    return p->routes ? rib_peer_at(s, p->routes)->accepted[f] : 0;
}

uint32_t rib_best_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f) {
    return p->routes ? rib_peer_at(s, p->routes)->best[f] : 0;
}

void rib_best_step(struct bgp_speaker *s, uint32_t peer, enum bgp_family f, bool more) {
    struct rib_peer *r = rib_peer_at(s, speaker_peer(s, peer)->routes);
    assert(more || r->best[f] > 0);
    r->best[f] += more ? 1 : UINT32_MAX;
}

/* Once the last path of a peer is gone, and once before its first one. */
void rib_peer_drop(struct bgp_speaker *s, uint32_t peer) {
    struct peer *p = speaker_peer(s, peer);
    const struct rib_peer *r = p && p->routes ? rib_peer_at(s, p->routes) : NULL;
    if (!r || r->held > 0 || r->listed) {
        return;
    }
    slab_free(&s->rib->peers, p->routes);
    p->routes = 0;
    s->sweep = s->sweep || (p->dynamic && peer_is_idle(p));
    if (p->removed) {
        s->rib->removed_peers--;
        slab_free(&s->peers, peer);
    }
}

static bool rib_peer_make(struct bgp_speaker *s, uint32_t peer) {
    struct peer *p = speaker_peer(s, peer);
    if (!p || p->routes) {
        return true;
    }
    p->routes = peer_index(slab_alloc(&s->rib->peers));
    for (unsigned f = 0; p->routes && f < BGP_FAMILIES; f++) {
        rib_peer_at(s, p->routes)->epochs[f].states = RIB_EPOCH_FRESH;
    }
    return p->routes != 0;
}

/* What a path holds beside its prefix. */
static void path_drop_values(struct bgp_speaker *s, enum bgp_family f, uint32_t path) {
    struct rib *r = s->rib;
    struct rib_path *p = rib_path_at(s, path);
    count_path(s, f, p, false);
    if (rib_path_source(p) != ROUTE_SOURCE_BGP) {
        rib_origin_free(s, p->origin);
    }
    if (is_tracked(s, p)) {
        hop_release(s, p->attrs);
    }
    attr_release(&s->attrs, p->attrs);
    attr_release(&s->attrs, rib_side_get(&r->raw, path));
    side_clear(&r->raw, path);
    side_clear(&r->weights, path);
}

void rib_path_release(struct bgp_speaker *s, uint32_t path) {
    const struct rib_path *p = rib_path_at(s, path);
    if (p->flags & RIB_PATH_SOURCE) {
        attr_release(&s->attrs, p->attrs);
        attr_release(&s->attrs, rib_side_get(&s->rib->raw, path));
    }
}

static uint32_t weight_of(const struct rib_path_values *v) {
    return v->weight > UINT16_MAX ? UINT16_MAX : v->weight;
}

static void set_epoch(const struct bgp_speaker *s, enum bgp_family f, struct rib_path *p,
                      const struct rib_path_values *v) {
    const struct peer *peer = speaker_peer(s, v->peer);
    bool now = peer && v->epoch == RIB_EPOCH_NOW;
    rib_path_set_epoch(p, now ? rib_peer_at(s, peer->routes)->epochs[f].now : v->epoch);
}

/* The next hop is held already. */
static void path_set_values(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, uint32_t path,
                            const struct rib_path_values *v, struct nanotime now) {
    struct rib_path *p = rib_path_at(s, path);
    assert(v->peer <= UINT16_MAX);
    unsigned kept = p->flags & (RIB_PATH_BEST | RIB_PATH_STEP);
    if (p->flags & RIB_PATH_SHARES) { /* its next hop may be another one */
        rib_entry_at(s, f, entry)->flags |= RIB_ENTRY_SHARES;
    }
    p->attrs = v->attrs;
    p->peer = (uint16_t)v->peer;
    p->flags = (uint16_t)((unsigned)v->source | (v->rejected ? RIB_PATH_REJECTED : 0) |
                          (v->damped ? RIB_PATH_DAMPED : 0) | kept);
    set_epoch(s, f, p, v);
    p->received_16ms = (uint32_t)(now.ns >> RIB_RECEIVED_SHIFT);
    if (v->source == ROUTE_SOURCE_BGP) {
        p->sequence = ++s->rib->sequence;
    } else {
        p->origin = v->origin;
    }
    if (is_tracked(s, p)) {
        nexthop_used_by(s, attr_get(&s->attrs, p->attrs)->nexthop, f, entry);
    }
    if (v->raw) {
        s->rib->raw.values[path] = v->raw;
    }
    if (v->weight) {
        s->rib->weights.values[path] = weight_of(v);
    }
    if (v->peer) {
        rib_range_add(&rib_peer_at(s, speaker_peer(s, v->peer)->routes)->used[f], entry);
    }
    count_path(s, f, p, true);
}

static void values_release(struct bgp_speaker *s, const struct rib_path_values *v) {
    attr_release(&s->attrs, v->attrs);
    attr_release(&s->attrs, v->raw);
    if (v->source != ROUTE_SOURCE_BGP) {
        rib_origin_free(s, v->origin);
    }
}

/* ---- the list of a prefix ---- */

/* Own paths first (by source), then by peer and path identifier. */
static int path_order(const struct bgp_speaker *s, uint32_t path, uint32_t peer,
                      enum route_source source, uint32_t path_id) {
    const struct rib_path *p = rib_path_at(s, path);
    if (p->peer != peer) {
        return p->peer < peer ? -1 : 1;
    }
    if (rib_path_source(p) != source) {
        return (int)rib_path_source(p) - (int)source;
    }
    uint32_t id = rib_side_get(&s->rib->ids, path);
    return (id > path_id) - (id < path_id);
}

uint32_t rib_path_find(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                       uint32_t peer, enum route_source source, uint32_t path_id) {
    for (uint32_t i = rib_entry_at(s, f, entry)->paths; i; i = rib_path_at(s, i)->next) {
        if (path_order(s, i, peer, source, path_id) == 0) {
            return i;
        }
    }
    return 0;
}

static void path_link(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, uint32_t path,
                      const struct rib_path_values *v) {
    uint32_t *at = &rib_entry_at(s, f, entry)->paths;
    while (*at && path_order(s, *at, v->peer, v->source, v->path_id) < 0) {
        at = &rib_path_at(s, *at)->next;
    }
    rib_path_at(s, path)->next = *at;
    *at = path;
    if (v->peer) {
        rib_peer_at(s, speaker_peer(s, v->peer)->routes)->held++;
    }
    if (v->path_id) {
        s->rib->ids.values[path] = v->path_id;
    }
}

/* A path announced again as it was, in the same session or the one that kept it. */
static bool path_is_same(const struct bgp_speaker *s, enum bgp_family f, uint32_t path,
                         const struct rib_path_values *v) {
    const struct rib_path *p = rib_path_at(s, path);
    return v->source == ROUTE_SOURCE_BGP && rib_path_state(s, f, p) != RIB_EPOCH_GONE &&
           p->attrs == v->attrs && rib_side_get(&s->rib->weights, path) == weight_of(v) &&
           rib_side_get(&s->rib->raw, path) == v->raw &&
           !(p->flags & RIB_PATH_REJECTED) == !v->rejected &&
           !(p->flags & RIB_PATH_DAMPED) == !v->damped;
}

static void path_renew(struct bgp_speaker *s, enum bgp_family f, uint32_t path,
                       const struct rib_path_values *v) {
    struct rib_path *p = rib_path_at(s, path);
    struct rib_peer *r = rib_peer_at(s, speaker_peer(s, p->peer)->routes);
    --*rib_in_state(r, f, rib_path_state(s, f, p));
    set_epoch(s, f, p, v);
    ++*rib_in_state(r, f, rib_path_state(s, f, p));
}

/* All that can fail about a path that is added or replaced. Returns it, 0: out of memory. */
static uint32_t path_prepare(struct bgp_speaker *s, uint32_t path,
                             const struct rib_path_values *v) {
    bool added = !path, tracked = needs_hop(s, v->source, v->attrs, v->rejected);
    if (added) {
        path = slab_alloc(&s->rib->paths);
    }
    if (path && (!v->raw || side_reserve(&s->rib->raw, path)) &&
        (!v->path_id || side_reserve(&s->rib->ids, path)) &&
        (!v->weight || side_reserve(&s->rib->weights, path)) && rib_peer_make(s, v->peer) &&
        (!tracked || hop_hold(s, v->attrs))) {
        return path;
    }
    if (path && added) {
        slab_free(&s->rib->paths, path);
    }
    rib_peer_drop(s, v->peer);
    return 0;
}

bool rib_path_put(struct bgp_speaker *s, enum bgp_family f, struct ip_prefix prefix,
                  const struct rib_path_values *v, struct nanotime now) {
    uint32_t entry = rib_entry_make(s, f, prefix);
    uint32_t old = entry ? rib_path_find(s, f, entry, v->peer, v->source, v->path_id) : 0;
    if (old && rib_path_doomed(s, f, rib_path_at(s, old))) {
        rib_entry_at(s, f, entry)->flags |= RIB_ENTRY_FORCE; /* some may know it is withdrawn */
        rib_entry_dirty(s, f, entry);
    }
    if (old && path_is_same(s, f, old, v)) {
        path_renew(s, f, old, v);
        values_release(s, v);
        return true;
    }
    uint32_t path = entry ? path_prepare(s, old, v) : 0;
    if (!path) {
        if (entry) {
            rib_entry_tidy(s, f, entry);
        }
        values_release(s, v);
        return false;
    }
    if (old) {
        path_drop_values(s, f, path);
    } else {
        tally_path(s, f, true, rib_entry_at(s, f, entry)->paths == 0);
        path_link(s, f, entry, path, v);
    }
    path_set_values(s, f, entry, path, v, now);
    if (v->source != ROUTE_SOURCE_BGP) {
        rib_entry_at(s, f, entry)->flags |= RIB_ENTRY_FORCE;
    }
    rib_entry_dirty(s, f, entry);
    return true;
}

void rib_path_remove(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, uint32_t path) {
    struct rib_path *p = rib_path_at(s, path);
    uint32_t *at = &rib_entry_at(s, f, entry)->paths;
    while (*at != path) {
        at = &rib_path_at(s, *at)->next;
    }
    *at = p->next;
    tally_path(s, f, false, rib_entry_at(s, f, entry)->paths == 0);
    path_drop_values(s, f, path);
    side_clear(&s->rib->ids, path);
    if (p->peer) {
        rib_peer_at(s, speaker_peer(s, p->peer)->routes)->held--;
    }
    rib_peer_drop(s, p->peer);
    rib_entry_dirty(s, f, entry);
    if (p->flags & RIB_PATH_SHARES) {
        rib_entry_at(s, f, entry)->flags |= RIB_ENTRY_SHARES;
    }
    p->flags = 0;
    if (path < s->rib->out_capacity && s->rib->out[path].references > 0) {
        p->flags = RIB_PATH_GONE;
        adjout_path_gone(s, f, path);
    } else {
        slab_free(&s->rib->paths, path);
    }
}

/* ---- what update groups hold ---- */

bool rib_path_out_reserve(struct bgp_speaker *s, uint32_t entry, uint32_t path) {
    struct rib *r = s->rib;
    uint32_t capacity = r->out_capacity ? r->out_capacity : 64;
    while (capacity <= path) {
        capacity *= 2;
    }
    if (path >= r->out_capacity) {
        struct rib_out *out = alloc_resize(r->out, capacity, sizeof *out);
        if (!out) {
            return false;
        }
        memset(out + r->out_capacity, 0, (capacity - r->out_capacity) * sizeof *out);
        r->out = out;
        r->out_capacity = capacity;
    }
    r->out[path].entry = entry;
    return true;
}

void rib_path_out_hold(struct bgp_speaker *s, enum bgp_family f, uint32_t path) {
    struct rib_out *out = &s->rib->out[path];
    if (out->references++ == 0) {
        rib_entry_at(s, f, out->entry)->out_references++;
    }
}

void rib_path_out_release(struct bgp_speaker *s, enum bgp_family f, uint32_t path) {
    struct rib_out *out = &s->rib->out[path];
    struct rib_path *p = rib_path_at(s, path);
    assert(out->references > 0);
    if (--out->references > 0) {
        return;
    }
    if (rib_path_is_gone(p)) {
        p->flags = 0;
        slab_free(&s->rib->paths, path);
    }
    rib_entry_at(s, f, out->entry)->out_references--;
    rib_entry_tidy(s, f, out->entry);
}

void rib_path_out_end(struct bgp_speaker *s, uint32_t path) {
    if (path < s->rib->out_capacity && s->rib->out[path].references > 0) {
        rib_path_at(s, path)->flags = RIB_PATH_GONE;
    } else {
        slab_free(&s->rib->paths, path);
    }
}

/* ---- the paths of a peer ---- */

struct rib_walk rib_walk_begin(const struct bgp_speaker *s, const struct peer *p,
                               enum bgp_family f) {
    struct rib_walk w = {.peer = p->index, .family = f};
    if (p->routes) {
        const struct rib_range *r = &rib_peer_at(s, p->routes)->used[f];
        w.entry = r->end ? r->first - 1 : 0;
        w.end = r->end;
    }
    return w;
}

/* The next prefix with paths; false: none before the end. */
static bool next_entry(const struct bgp_speaker *s, struct rib_walk *w) {
    while (++w->entry < w->end) {
        const struct rib_entry *e = rib_entry_at(s, w->family, w->entry);
        if (e->flags & RIB_ENTRY_USED && e->paths) {
            w->next = e->paths;
            return true;
        }
    }
    w->end = 0;
    return false;
}

bool rib_walk_next(const struct bgp_speaker *s, struct rib_walk *w) {
    while (w->next || next_entry(s, w)) {
        w->path = w->next;
        w->next = rib_path_at(s, w->path)->next;
        if (rib_path_at(s, w->path)->peer == w->peer) {
            return true;
        }
    }
    return false;
}
