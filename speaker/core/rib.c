/*
 * The routing tables: all paths per prefix, Adj-RIB-In and Loc-RIB in one list.
 *
 * Owns prefixes, paths, the queue of prefixes whose decision is due, the published best path of
 * each and the digest over them. Leaves what a peer's UPDATE means to rib_import.c, own routes to
 * rib_origin.c, the choice itself to decide.c, sending to adjout.c, dumps to rib_dump.c.
 *
 * Invariants:
 *   - a path in use has a source; its prefix, attributes and next hop are held by it;
 *   - a prefix stays as long as it has a path, a published best path, waits for its decision, or
 *     an update group has something about it;
 *   - whatever changes a path queues its prefix, and rib_work alone publishes: so one pass handles
 *     a prefix once, however often it changed before, in the order of the first change;
 *   - digest = sum of scoreboard_route_digest over the published best paths.
 * RFC 4271 3.2, 9.1.
 */
#include "rib.h"

#include "../base/hash.h"
#include "../base/scoreboard.h"
#include "adjout.h"
#include "nexthop.h"

#include <assert.h>
#include <string.h>

bool rib_new(struct bgp_speaker *s) {
    struct rib *r = alloc_zero(1, sizeof *r);
    if (!r) {
        return false;
    }
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        slab_init(&r->entries[f], sizeof(struct rib_entry), 64);
        table_init(&r->index[f]);
    }
    slab_init(&r->paths, sizeof(struct rib_path), 64);
    slab_init(&r->origins, sizeof(struct rib_origin), 16);
    s->rib = r;
    return true;
}

static void release_entries(struct bgp_speaker *s, enum bgp_family f) {
    const struct slab *slab = &s->rib->entries[f];
    for (uint32_t i = 1; slab->page_count && i < slab->next_new; i++) {
        struct rib_entry *e = rib_entry_at(s, f, i);
        if (e->flags & RIB_ENTRY_USED) {
            attr_release(&s->attrs, e->best_attrs);
        }
    }
}

/* Everything goes at once: no events, no decisions. adjout_free has run before. */
void rib_free(struct bgp_speaker *s) {
    struct rib *r = s->rib;
    if (!r) {
        return;
    }
    for (uint32_t i = 1; r->paths.page_count && i < r->paths.next_new; i++) {
        const struct rib_path *p = rib_path_at(s, i);
        if (p->flags & RIB_PATH_SOURCE) {
            attr_release(&s->attrs, p->attrs);
            attr_release(&s->attrs, i < r->raw_capacity ? r->raw[i] : 0);
        }
    }
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        release_entries(s, f);
        slab_deinit(&r->entries[f]);
        table_deinit(&r->index[f]);
    }
    slab_deinit(&r->paths);
    slab_deinit(&r->origins);
    alloc_free(r->raw);
    alloc_free(r->candidates);
    alloc_free(r->steps);
    alloc_free(r);
    s->rib = NULL;
}

/* ---- prefixes ---- */

struct entry_key {
    const struct rib *rib;
    enum bgp_family family;
};

static uint64_t prefix_hash(const struct ip_prefix *p) {
    return hash_bytes(p, sizeof *p, 0);
}

static bool entry_equal(const void *context, uint32_t index, const void *key) {
    const struct entry_key *k = context;
    const struct rib_entry *e = slab_at(&k->rib->entries[k->family], index);
    return memcmp(&e->prefix, key, sizeof e->prefix) == 0;
}

uint32_t rib_entry_find(const struct bgp_speaker *s, enum bgp_family f, struct ip_prefix p) {
    struct entry_key key = {s->rib, f};
    return table_find(&s->rib->index[f], prefix_hash(&p), entry_equal, &key, &p);
}

uint32_t rib_entry_make(struct bgp_speaker *s, enum bgp_family f, struct ip_prefix p) {
    struct entry_key key = {s->rib, f};
    uint64_t hash = prefix_hash(&p);
    uint32_t entry = table_find(&s->rib->index[f], hash, entry_equal, &key, &p);
    if (entry) {
        return entry;
    }
    entry = slab_alloc(&s->rib->entries[f]);
    if (!entry) {
        return 0;
    }
    if (!table_insert(&s->rib->index[f], hash, entry)) {
        slab_free(&s->rib->entries[f], entry);
        return 0;
    }
    struct rib_entry *e = rib_entry_at(s, f, entry);
    e->prefix = p;
    e->flags = RIB_ENTRY_USED;
    return entry;
}

void rib_entry_tidy(struct bgp_speaker *s, enum bgp_family f, uint32_t entry) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    if (e->paths || e->best_attrs || e->out_references || e->flags & RIB_ENTRY_DIRTY) {
        return;
    }
    table_remove(&s->rib->index[f], prefix_hash(&e->prefix), entry);
    e->flags = 0;
    slab_free(&s->rib->entries[f], entry);
}

void rib_entry_dirty(struct bgp_speaker *s, enum bgp_family f, uint32_t entry) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    struct rib_queue *q = &s->rib->dirty[f];
    if (e->flags & RIB_ENTRY_DIRTY) {
        return;
    }
    e->flags |= RIB_ENTRY_DIRTY;
    e->queue_next = 0;
    if (q->tail) {
        rib_entry_at(s, f, q->tail)->queue_next = entry;
    } else {
        q->head = entry;
    }
    q->tail = entry;
    q->count++;
}

static uint32_t dirty_pop(struct bgp_speaker *s, enum bgp_family f) {
    struct rib_queue *q = &s->rib->dirty[f];
    uint32_t entry = q->head;
    if (entry) {
        struct rib_entry *e = rib_entry_at(s, f, entry);
        q->head = e->queue_next;
        q->tail = q->head ? q->tail : 0;
        q->count--;
        e->flags &= (uint16_t)~RIB_ENTRY_DIRTY;
    }
    return entry;
}

/* ---- paths ---- */

static void nexthop_link(struct bgp_speaker *s, uint32_t path) {
    struct rib_path *p = rib_path_at(s, path);
    struct nexthop *hop = nexthop_at(s, p->nexthop);
    p->nexthop_prev = 0;
    p->nexthop_next = hop->paths;
    if (hop->paths) {
        rib_path_at(s, hop->paths)->nexthop_prev = path;
    }
    hop->paths = path;
}

static void nexthop_unlink(struct bgp_speaker *s, uint32_t path) {
    struct rib_path *p = rib_path_at(s, path);
    if (p->nexthop_prev) {
        rib_path_at(s, p->nexthop_prev)->nexthop_next = p->nexthop_next;
    } else {
        nexthop_at(s, p->nexthop)->paths = p->nexthop_next;
    }
    if (p->nexthop_next) {
        rib_path_at(s, p->nexthop_next)->nexthop_prev = p->nexthop_prev;
    }
    nexthop_release(s, p->nexthop);
}

static bool raw_reserve(struct rib *r, uint32_t path) {
    if (path < r->raw_capacity) {
        return true;
    }
    uint32_t capacity = r->raw_capacity ? r->raw_capacity : 64;
    while (capacity <= path) {
        capacity *= 2;
    }
    uint32_t *raw = alloc_resize(r->raw, capacity, sizeof *raw);
    if (!raw) {
        return false;
    }
    memset(raw + r->raw_capacity, 0, (capacity - r->raw_capacity) * sizeof *raw);
    r->raw = raw;
    r->raw_capacity = capacity;
    return true;
}

static enum route_source path_source(const struct rib_path *p) {
    return (enum route_source)(p->flags & RIB_PATH_SOURCE);
}

static void count_path(struct bgp_speaker *s, const struct rib_path *p, bool add) {
    enum bgp_family f = rib_path_family(p);
    struct peer *peer = speaker_peer(s, p->peer);
    uint32_t step = add ? 1 : UINT32_MAX; /* minus one */
    if (!peer) {
        return;
    }
    s->rib->adj_in[f] = add ? s->rib->adj_in[f] + 1 : s->rib->adj_in[f] - 1;
    peer->prefixes_received[f] += step;
    if (!(p->flags & RIB_PATH_REJECTED)) {
        peer->prefixes_accepted[f] += step;
    }
}

/* What a path holds beside its prefix. */
static void path_drop_values(struct bgp_speaker *s, uint32_t path) {
    struct rib *r = s->rib;
    struct rib_path *p = rib_path_at(s, path);
    count_path(s, p, false);
    if (path_source(p) != ROUTE_SOURCE_BGP) {
        slab_free(&r->origins, p->nexthop);
    } else if (p->nexthop) {
        nexthop_unlink(s, path);
    }
    attr_release(&s->attrs, p->attrs);
    if (path < r->raw_capacity) {
        attr_release(&s->attrs, r->raw[path]);
        r->raw[path] = 0;
    }
}

static void path_set_values(struct bgp_speaker *s, uint32_t path, enum bgp_family f,
                            const struct rib_path_values *v, struct nanotime now) {
    struct rib_path *p = rib_path_at(s, path);
    p->attrs = v->attrs;
    p->peer = v->peer;
    p->nexthop = v->nexthop;
    p->weight = (uint16_t)(v->weight > UINT16_MAX ? UINT16_MAX : v->weight);
    p->flags = (uint8_t)((unsigned)v->source | (f == BGP_IPV6_UNICAST ? RIB_PATH_V6 : 0) |
                         (v->rejected ? RIB_PATH_REJECTED : 0) | (p->flags & RIB_PATH_BEST));
    p->sequence = ++s->rib->sequence;
    p->received_16ms = (uint32_t)(now.ns >> RIB_RECEIVED_SHIFT);
    if (v->source == ROUTE_SOURCE_BGP && v->nexthop) {
        nexthop_link(s, path);
    }
    if (v->raw) {
        s->rib->raw[path] = v->raw;
    }
    count_path(s, p, true);
}

/* Own paths first (by source), then by peer. */
static int path_order(const struct rib_path *p, uint32_t peer, enum route_source source) {
    if (p->peer != peer) {
        return p->peer < peer ? -1 : 1;
    }
    return (int)path_source(p) - (int)source;
}

uint32_t rib_path_find(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                       uint32_t peer, enum route_source source) {
    for (uint32_t i = rib_entry_at(s, f, entry)->paths; i; i = rib_path_at(s, i)->next) {
        if (path_order(rib_path_at(s, i), peer, source) == 0) {
            return i;
        }
    }
    return 0;
}

static void path_link(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, uint32_t path,
                      const struct rib_path_values *v) {
    uint32_t *at = &rib_entry_at(s, f, entry)->paths;
    while (*at && path_order(rib_path_at(s, *at), v->peer, v->source) < 0) {
        at = &rib_path_at(s, *at)->next;
    }
    rib_path_at(s, path)->entry = entry;
    rib_path_at(s, path)->next = *at;
    *at = path;
}

static void values_release(struct bgp_speaker *s, const struct rib_path_values *v) {
    attr_release(&s->attrs, v->attrs);
    attr_release(&s->attrs, v->raw);
    if (v->source != ROUTE_SOURCE_BGP) {
        slab_free(&s->rib->origins, v->nexthop);
    } else if (v->nexthop) {
        nexthop_release(s, v->nexthop);
    }
}

/* A path announced again as it was: only no longer stale. */
static bool path_is_same(const struct bgp_speaker *s, uint32_t path,
                         const struct rib_path_values *v) {
    const struct rib_path *p = rib_path_at(s, path);
    uint32_t raw = path < s->rib->raw_capacity ? s->rib->raw[path] : 0;
    return v->source == ROUTE_SOURCE_BGP && p->attrs == v->attrs && p->weight == v->weight &&
           raw == v->raw && !(p->flags & RIB_PATH_REJECTED) == !v->rejected;
}

bool rib_path_put(struct bgp_speaker *s, enum bgp_family f, struct ip_prefix prefix,
                  const struct rib_path_values *v, struct nanotime now) {
    uint32_t entry = rib_entry_make(s, f, prefix);
    uint32_t path = entry ? rib_path_find(s, f, entry, v->peer, v->source) : 0;
    if (path && path_is_same(s, path, v)) {
        struct rib_path *p = rib_path_at(s, path);
        if (p->flags & RIB_PATH_STALE) {
            p->flags &= (uint8_t)~RIB_PATH_STALE;
            rib_entry_dirty(s, f, entry);
        }
        values_release(s, v);
        return true;
    }
    bool added = !path;
    if (entry && added) {
        path = slab_alloc(&s->rib->paths);
    }
    if (!path || (v->raw && !raw_reserve(s->rib, path))) {
        if (path && added) {
            slab_free(&s->rib->paths, path);
        }
        if (entry) {
            rib_entry_tidy(s, f, entry);
        }
        values_release(s, v);
        return false;
    }
    if (added) {
        path_link(s, f, entry, path, v);
    } else {
        path_drop_values(s, path);
    }
    path_set_values(s, path, f, v, now);
    if (v->source != ROUTE_SOURCE_BGP) {
        rib_entry_at(s, f, entry)->flags |= RIB_ENTRY_FORCE;
    }
    rib_entry_dirty(s, f, entry);
    return true;
}

void rib_path_remove(struct bgp_speaker *s, uint32_t path) {
    struct rib_path *p = rib_path_at(s, path);
    enum bgp_family f = rib_path_family(p);
    uint32_t entry = p->entry;
    uint32_t *at = &rib_entry_at(s, f, entry)->paths;
    while (*at != path) {
        at = &rib_path_at(s, *at)->next;
    }
    *at = p->next;
    path_drop_values(s, path);
    p->flags = 0;
    slab_free(&s->rib->paths, path);
    rib_entry_dirty(s, f, entry);
}

uint32_t rib_path_next_of(const struct bgp_speaker *s, uint32_t peer, enum bgp_family f,
                          uint32_t from) {
    const struct slab *slab = &s->rib->paths;
    for (uint32_t i = from; slab->page_count && i < slab->next_new; i++) {
        const struct rib_path *p = rib_path_at(s, i);
        if (p->flags & RIB_PATH_SOURCE && p->peer == peer && rib_path_family(p) == f) {
            return i;
        }
    }
    return 0;
}

uint32_t rib_best_count(const struct bgp_speaker *s, const struct peer *p, enum bgp_family f) {
    uint32_t count = 0;
    if (p->prefixes_received[f] == 0) {
        return 0;
    }
    for (uint32_t i = rib_path_next_of(s, p->index, f, 1); i;
         i = rib_path_next_of(s, p->index, f, i + 1)) {
        count += (rib_path_at(s, i)->flags & RIB_PATH_BEST) != 0;
    }
    return count;
}

void rib_nexthop_changed(struct bgp_speaker *s, uint32_t nexthop, struct nanotime now) {
    (void)now;
    for (uint32_t i = nexthop_at(s, nexthop)->paths; i; i = rib_path_at(s, i)->nexthop_next) {
        const struct rib_path *p = rib_path_at(s, i);
        rib_entry_dirty(s, rib_path_family(p), p->entry);
    }
}

/* ---- decision ---- */

static void fill_candidate(const struct bgp_speaker *s, const struct rib_path *p,
                           struct decide_path *ret_c) {
    const struct peer *peer = speaker_peer(s, p->peer);
    memset(ret_c, 0, sizeof *ret_c);
    ret_c->attrs = attr_get(&s->attrs, p->attrs);
    ret_c->weight = p->weight;
    ret_c->received_order = p->sequence;
    if (!peer) {
        ret_c->eligible = true;
        ret_c->local = true;
        ret_c->router_id = s->router_id;
        ret_c->received_order = (uint64_t)path_source(p);
        return;
    }
    const struct attr_values *v = &ret_c->attrs->v;
    ret_c->eligible = !(p->flags & RIB_PATH_REJECTED) && p->nexthop &&
                      nexthop_reachable(s, p->nexthop, &ret_c->igp_metric);
    ret_c->stale = p->flags & RIB_PATH_STALE;
    ret_c->external = peer->external;
    ret_c->router_id = v->has_originator_id ? v->originator_id : peer->remote_id;
    ret_c->peer_address = peer->config->remote_addr;
}

static bool candidates_reserve(struct rib *r, uint32_t count) {
    if (count <= r->candidate_capacity) {
        return true;
    }
    uint32_t capacity = r->candidate_capacity ? r->candidate_capacity : 8;
    while (capacity < count) {
        capacity *= 2;
    }
    struct decide_path *candidates = alloc_resize(r->candidates, capacity, sizeof *candidates);
    if (!candidates) {
        return false;
    }
    r->candidates = candidates;
    enum decide_step *steps = alloc_resize(r->steps, capacity, sizeof *steps);
    if (!steps) {
        return false;
    }
    r->steps = steps;
    r->candidate_capacity = capacity;
    return true;
}

static struct decide_rules rules_of(const struct bgp_speaker *s) {
    return (struct decide_rules){
        .profile = s->config->profile,
        .default_local_pref = s->config->default_local_pref,
        .always_compare_med = s->config->always_compare_med,
        .deterministic_med = s->config->deterministic_med,
        .med_missing_as_worst = s->config->med_missing_as_worst,
        .compare_router_id = s->config->compare_router_id,
    };
}

/* Chooses, and notes in every path how it fared. False: out of memory. *ret_best 0: none. */
static bool choose(struct bgp_speaker *s, const struct rib_entry *e, uint32_t *ret_best) {
    struct rib *r = s->rib;
    uint32_t count = 0;
    for (uint32_t i = e->paths; i && count < BGP_PATHS_PER_PREFIX_MAX;
         i = rib_path_at(s, i)->next) {
        if (!candidates_reserve(r, count + 1)) {
            return false;
        }
        fill_candidate(s, rib_path_at(s, i), &r->candidates[count++]);
    }
    struct decide_rules rules = rules_of(s);
    int best = decide_best(&rules, r->candidates, count, r->steps);
    uint32_t n = 0;
    *ret_best = 0;
    for (uint32_t i = e->paths; i && n < count; i = rib_path_at(s, i)->next, n++) {
        struct rib_path *p = rib_path_at(s, i);
        p->step = (uint8_t)r->steps[n];
        p->flags &= (uint8_t) ~(RIB_PATH_BEST | RIB_PATH_VALID);
        p->flags |= (uint8_t)(r->candidates[n].eligible ? RIB_PATH_VALID : 0);
        if ((int)n == best) {
            p->flags |= RIB_PATH_BEST;
            *ret_best = i;
        }
    }
    return true;
}

/* ---- publishing ---- */

static struct bgp_fib_route fib_route(const struct bgp_speaker *s, const struct rib_entry *e) {
    struct bgp_fib_route r = {.prefix = e->prefix, .withdrawn = true};
    if (e->best_attrs) {
        const struct attr_values *v = &attr_get(&s->attrs, e->best_attrs)->v;
        r.withdrawn = false;
        r.source = (enum route_source)(e->flags & RIB_ENTRY_SOURCE);
        if (r.source == ROUTE_SOURCE_BGP) {
            r.next_hop = v->next_hop;
            r.link_local = v->link_local;
        }
        r.local_pref = v->has_local_pref ? v->local_pref : s->config->default_local_pref;
        r.med = v->has_med ? v->med : 0;
        r.external = e->flags & RIB_ENTRY_EXTERNAL;
        r.blackhole = e->flags & RIB_ENTRY_BLACKHOLE;
    }
    return r;
}

static bool fib_same(const struct bgp_fib_route *a, const struct bgp_fib_route *b) {
    return a->withdrawn == b->withdrawn && ip_equal(a->next_hop, b->next_hop) &&
           ip_equal(a->link_local, b->link_local) && a->local_pref == b->local_pref &&
           a->med == b->med && a->external == b->external && a->source == b->source &&
           a->blackhole == b->blackhole;
}

static uint64_t entry_digest(const struct bgp_speaker *s, const struct rib_entry *e) {
    struct ip_addr next_hop = {0};
    if (!e->best_attrs) {
        return 0;
    }
    if ((e->flags & RIB_ENTRY_SOURCE) == ROUTE_SOURCE_BGP) {
        next_hop = attr_get(&s->attrs, e->best_attrs)->v.next_hop;
    }
    return scoreboard_route_digest(&e->prefix, &next_hop);
}

struct adjout_route rib_entry_route(const struct bgp_speaker *s, enum bgp_family f,
                                    uint32_t entry) {
    const struct rib_entry *e = rib_entry_at(s, f, entry);
    struct adjout_route r = {.prefix = e->prefix,
                             .attrs = e->best_attrs,
                             .source_peer = e->best_peer,
                             .source = (enum route_source)(e->flags & RIB_ENTRY_SOURCE),
                             .interface = "",
                             .metric = UINT32_MAX};
    for (uint32_t i = e->paths; e->best_attrs && !e->best_peer && i; i = rib_path_at(s, i)->next) {
        const struct rib_path *p = rib_path_at(s, i);
        if (p->flags & RIB_PATH_BEST && p->peer == 0) {
            const struct rib_origin *o = slab_at(&s->rib->origins, p->nexthop);
            r.interface = o->interface;
            r.metric = o->metric;
        }
    }
    return r;
}

static uint16_t published_flags(const struct bgp_speaker *s, const struct rib_path *p) {
    unsigned flags = p->flags & RIB_PATH_SOURCE;
    const struct peer *peer = speaker_peer(s, p->peer);
    if (peer && peer->external) {
        flags |= RIB_ENTRY_EXTERNAL;
    }
    if (!peer && ((const struct rib_origin *)slab_at(&s->rib->origins, p->nexthop))->blackhole) {
        flags |= RIB_ENTRY_BLACKHOLE;
    }
    return (uint16_t)flags;
}

#define PUBLISHED_FLAGS (RIB_ENTRY_SOURCE | RIB_ENTRY_EXTERNAL | RIB_ENTRY_BLACKHOLE)

static void publish(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, uint32_t best,
                    struct nanotime now) {
    struct rib *r = s->rib;
    struct rib_entry *e = rib_entry_at(s, f, entry);
    const struct rib_path *p = best ? rib_path_at(s, best) : NULL;
    struct bgp_event before = {.kind = BGP_EVENT_FIB}, after = {.kind = BGP_EVENT_FIB};
    before.fib = fib_route(s, e);
    r->digest -= entry_digest(s, e);
    r->loc_rib[f] -= e->best_attrs != 0;
    uint32_t old = e->best_attrs;
    e->best_attrs = p ? p->attrs : 0;
    e->best_peer = p ? p->peer : 0;
    e->flags = (uint16_t)((e->flags & ~(PUBLISHED_FLAGS | RIB_ENTRY_FORCE)) |
                          (p ? published_flags(s, p) : 0));
    if (e->best_attrs) {
        attr_hold(&s->attrs, e->best_attrs);
    }
    r->loc_rib[f] += e->best_attrs != 0;
    r->digest += entry_digest(s, e);
    r->loc_rib_last = now;
    after.fib = fib_route(s, e);
    attr_release(&s->attrs, old);
    if (!fib_same(&before.fib, &after.fib)) {
        event_push(s, &after);
    }
    struct adjout_route route = rib_entry_route(s, f, entry);
    adjout_entry_changed(s, f, entry, &route, now);
}

/* False: out of memory, the prefix is queued again. */
static bool handle(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, struct nanotime now) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    uint32_t best = 0;
    if (!choose(s, e, &best)) {
        rib_entry_dirty(s, f, entry);
        return false;
    }
    const struct rib_path *p = best ? rib_path_at(s, best) : NULL;
    bool same = p ? p->attrs == e->best_attrs && p->peer == e->best_peer &&
                        (e->flags & RIB_ENTRY_SOURCE) == (p->flags & RIB_PATH_SOURCE)
                  : e->best_attrs == 0;
    bool forced = e->flags & RIB_ENTRY_FORCE && (p || e->out_references);
    if (!same || forced) {
        publish(s, f, entry, best, now);
    }
    e->flags &= (uint16_t)~RIB_ENTRY_FORCE;
    rib_entry_tidy(s, f, entry);
    return true;
}

static void push_no_memory(struct bgp_speaker *s) {
    struct bgp_event e = {.kind = BGP_EVENT_LOG};
    e.log.id = BGP_LOG_NO_MEMORY;
    event_push(s, &e);
}

bool rib_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now) {
    if (s->restarting) {
        return false;
    }
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        for (uint32_t entry; budget > 0 && (entry = dirty_pop(s, f)) != 0; budget--) {
            if (!handle(s, f, entry, now)) {
                push_no_memory(s);
                budget = 1; /* try again in the next call */
            }
        }
    }
    adjout_work(s, budget, now);
    bool released = s->rib->releasing && s->rib->dirty[0].count + s->rib->dirty[1].count == 0;
    if (released) {
        s->rib->releasing = false;
    }
    adjout_notify(s, released);
    return rib_has_work(s);
}

bool rib_has_work(const struct bgp_speaker *s) {
    bool dirty = s->rib->dirty[0].count > 0 || s->rib->dirty[1].count > 0;
    return !s->restarting && (dirty || adjout_has_work(s));
}

void rib_release_deferred(struct bgp_speaker *s, struct nanotime now) {
    s->restarting = false;
    s->rib->releasing = true;
    (void)rib_work(s, s->env.work_budget, now);
}

void rib_counters(const struct bgp_speaker *s, struct bgp_counters *ret_counters) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        ret_counters->adj_in[f] = s->rib->adj_in[f];
        ret_counters->loc_rib[f] = s->rib->loc_rib[f];
    }
    ret_counters->loc_rib_digest = s->rib->digest;
    ret_counters->loc_rib_last = s->rib->loc_rib_last;
    ret_counters->attr_sets = s->attrs.sets.used;
    ret_counters->update_groups = adjout_group_count(s);
}
