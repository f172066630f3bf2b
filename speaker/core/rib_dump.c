/*
 * Looking at the tables: sorted, deterministic dumps.
 *
 * Owns the iterator of bgp.h: a snapshot of the order of prefixes, made once, and the walk over the
 * paths of one of them, the best first. Leaves the tables themselves to rib.c.
 *
 * Invariants: the snapshot holds indices only, so it is good until the speaker changes; the order
 * of the slab, which depends on what came when, is sorted away here and in rib_order.c.
 */
#include "rib.h"

#include <stdlib.h>
#include <string.h>

struct snapshot {
    uint32_t count;
    uint32_t entries[];
};

struct order_context {
    const struct bgp_speaker *s;
    enum bgp_family family;
};

static int entry_order(const void *a, const void *b, void *context) {
    const struct order_context *c = context;
    return ip_prefix_compare(rib_entry_prefix(c->s, c->family, *(const uint32_t *)a),
                             rib_entry_prefix(c->s, c->family, *(const uint32_t *)b));
}

static struct snapshot *snapshot_new(uint32_t count) {
    return alloc_zero(1, sizeof(struct snapshot) + (size_t)count * sizeof(uint32_t));
}

enum bgp_status bgp_rib_begin(const struct bgp_speaker *s, enum bgp_family family,
                              struct bgp_rib_iterator *ret_it) {
    const struct slab *slab = &s->rib->entries[family];
    struct snapshot *snap = snapshot_new(slab->used);
    if (!snap) {
        return BGP_NO_MEMORY;
    }
    for (uint32_t i = 1; slab->page_count && i < slab->next_new; i++) {
        const struct rib_entry *e = rib_entry_at(s, family, i);
        if (e->flags & RIB_ENTRY_USED && e->paths) {
            snap->entries[snap->count++] = i;
        }
    }
    struct order_context context = {s, family};
    qsort_r(snap->entries, snap->count, sizeof snap->entries[0], entry_order, &context);
    memset(ret_it, 0, sizeof *ret_it);
    ret_it->family = family;
    ret_it->at = snap;
    return BGP_OK;
}

bool bgp_rib_next_prefix(const struct bgp_speaker *s, struct bgp_rib_iterator *it) {
    const struct snapshot *snap = it->at;
    if (!snap || it->position >= snap->count) {
        return false;
    }
    it->prefix = rib_entry_prefix(s, it->family, snap->entries[it->position++]);
    it->path = 0;
    return true;
}

static bool snapshot_of_one(enum bgp_family f, struct ip_prefix prefix, uint32_t entry,
                            struct bgp_rib_iterator *ret_it) {
    struct snapshot *snap = snapshot_new(1);
    if (!snap) {
        return false;
    }
    snap->count = 1;
    snap->entries[0] = entry;
    memset(ret_it, 0, sizeof *ret_it);
    ret_it->family = f;
    ret_it->prefix = prefix;
    ret_it->at = snap;
    ret_it->position = 1;
    return true;
}

enum bgp_status bgp_rib_walk(const struct bgp_speaker *s, enum bgp_family family, uint32_t *at,
                             struct bgp_rib_iterator *ret_it) {
    const struct slab *slab = &s->rib->entries[family];
    while (slab->page_count && ++*at < slab->next_new) {
        const struct rib_entry *e = rib_entry_at(s, family, *at);
        if (!(e->flags & RIB_ENTRY_USED) || !e->paths) {
            continue;
        }
        struct ip_prefix prefix = rib_entry_prefix(s, family, *at);
        return snapshot_of_one(family, prefix, *at, ret_it) ? BGP_OK : BGP_NO_MEMORY;
    }
    return BGP_UNKNOWN;
}

bool bgp_rib_find(const struct bgp_speaker *s, struct ip_prefix prefix,
                  struct bgp_rib_iterator *ret_it) {
    enum bgp_family f = rib_prefix_family(prefix);
    uint32_t entry = rib_entry_find(s, f, prefix);
    if (!entry || !rib_entry_at(s, f, entry)->paths) {
        return false;
    }
    return snapshot_of_one(f, prefix, entry, ret_it);
}

void bgp_rib_end(struct bgp_rib_iterator *it) {
    alloc_free(it->at);
    it->at = NULL;
}

static uint32_t find_best(const struct bgp_speaker *s, uint32_t head) {
    while (head && !(rib_path_at(s, head)->flags & RIB_PATH_BEST)) {
        head = rib_path_at(s, head)->next;
    }
    return head;
}

static uint32_t any_path_after(const struct bgp_speaker *s, uint32_t head, uint32_t last) {
    uint32_t best = find_best(s, head);
    if (last == 0 && best) {
        return best;
    }
    uint32_t next = last == 0 || last == best ? head : rib_path_at(s, last)->next;
    return next && next == best ? rib_path_at(s, next)->next : next;
}

static uint32_t igp_metric(const struct bgp_speaker *s, const struct attr_set *set) {
    uint32_t metric = 0;
    bool reachable = set->nexthop && nexthop_reachable(s, set->nexthop, &metric);
    return reachable ? metric : 0;
}

/* The path after `last` in dump order: the best one, then the others by peer; none that only waits
 * to be removed. */
static uint32_t path_after(const struct bgp_speaker *s, enum bgp_family f, uint32_t head,
                           uint32_t last) {
    do {
        last = any_path_after(s, head, last);
    } while (last && rib_path_doomed(s, f, rib_path_at(s, last)));
    return last;
}

static void fill_info(const struct bgp_speaker *s, enum bgp_family f, const struct rib_entry *e,
                      uint32_t path, struct bgp_path_info *ret_path) {
    const struct rib_path *p = rib_path_at(s, path);
    const struct peer *peer = speaker_peer(s, p->peer);
    memset(ret_path, 0, sizeof *ret_path);
    ret_path->peer.index = p->peer;
    ret_path->attrs = attr_get(&s->attrs, p->attrs);
    ret_path->weight = rib_side_get(&s->rib->weights, path);
    ret_path->peer_router_id = peer ? peer->remote_id : s->router_id;
    ret_path->source = (enum route_source)(p->flags & RIB_PATH_SOURCE);
    ret_path->best = p->flags & RIB_PATH_BEST;
    ret_path->valid = p->flags & RIB_PATH_VALID;
    ret_path->rejected = p->flags & RIB_PATH_REJECTED;
    ret_path->stale = rib_path_state(s, f, p) == RIB_EPOCH_STALE;
    ret_path->external = peer && peer_is_outside(peer);
    ret_path->damped = p->flags & RIB_PATH_DAMPED;
    ret_path->multipath = p->flags & RIB_PATH_SHARES;
    ret_path->suppressed = ret_path->best && e->flags & RIB_ENTRY_SUPPRESSED;
    ret_path->igp_metric = igp_metric(s, ret_path->attrs);
    ret_path->path_id = rib_side_get(&s->rib->ids, path);
    ret_path->decision_step = (uint8_t)rib_path_step(p);
    ret_path->received.ns = (uint64_t)p->received_16ms << RIB_RECEIVED_SHIFT;
}

bool bgp_rib_next_path(const struct bgp_speaker *s, struct bgp_rib_iterator *it,
                       struct bgp_path_info *ret_path) {
    const struct snapshot *snap = it->at;
    if (!snap || it->position == 0 || it->path == UINT32_MAX) {
        return false;
    }
    const struct rib_entry *e = rib_entry_at(s, it->family, snap->entries[it->position - 1]);
    uint32_t path = path_after(s, it->family, e->paths, it->path);
    it->path = path ? path : UINT32_MAX;
    if (path) {
        fill_info(s, it->family, e, path, ret_path);
    }
    return path != 0;
}
