/*
 * The routing tables: deciding and publishing.
 *
 * Owns the published best path of each prefix, the digest over them and the way from a queued
 * prefix to its decision, FIB event and update groups. Leaves prefixes and the queue to
 * rib_entry.c, paths to rib_path.c, what a peer's UPDATE means to rib_import.c, own routes to
 * rib_origin.c, the choice itself to decide.c, sending to adjout.c, dumps to rib_dump.c.
 *
 * Invariants:
 *   - whatever changes a path queues its prefix, and rib_work alone publishes: so one pass handles
 *     a prefix once, however often it changed before, in the order of the first change;
 *   - digest = sum of scoreboard_route_digest over the published best paths;
 *   - a peer's count of best paths is that of its paths with RIB_PATH_BEST.
 * RFC 4271 3.2, 9.1.
 */
#include "rib.h"

#include "../base/scoreboard.h"
#include "adjout.h"
#include "aggregate.h"
#include "dampening.h"
#include "event.h"
#include "nexthop.h"
#include "scanner.h"
#include "tally.h"

#include <assert.h>
#include <string.h>

bool rib_new(struct bgp_speaker *s) {
    struct rib *r = alloc_zero(1, sizeof *r);
    if (!r) {
        return false;
    }
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        uint32_t address_size = f == BGP_IPV4_UNICAST ? 4 : 16;
        slab_init(&r->entries[f], sizeof(struct rib_entry) + address_size, 64);
        slim_init(&r->index[f]);
    }
    slab_init(&r->paths, sizeof(struct rib_path), 64);
    slab_init(&r->origins, sizeof(struct rib_origin), 16);
    slab_init(&r->peers, sizeof(struct rib_peer), 4);
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
    aggregates_free(s);
    scanner_free(s);
    dampening_free(s);
    for (uint32_t i = 1; r->paths.page_count && i < r->paths.next_new; i++) {
        rib_path_release(s, i);
    }
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        release_entries(s, f);
        slab_deinit(&r->entries[f]);
        slim_deinit(&r->index[f]);
        rib_dirty_deinit(&r->dirty[f]);
    }
    slab_deinit(&r->paths);
    slab_deinit(&r->origins);
    slab_deinit(&r->peers);
    alloc_free(r->raw.values);
    alloc_free(r->ids.values);
    alloc_free(r->weights.values);
    alloc_free(r->out);
    alloc_free(r->candidates);
    alloc_free(r->steps);
    alloc_free(r);
    s->rib = NULL;
}

/* ---- decision ---- */

/* RFC 4271 9.1.2: accepted, and its next hop is reachable. Own routes have one only with a gateway.
 */
static bool path_usable(const struct bgp_speaker *s, enum bgp_family f, const struct rib_path *p,
                        uint32_t *ret_metric) {
    const struct attr_set *set = attr_get(&s->attrs, p->attrs);
    uint32_t nexthop = set->nexthop;
    if (p->peer == 0 && !ip_is_set(set->v.next_hop)) {
        return true;
    }
    return !(p->flags & (RIB_PATH_REJECTED | RIB_PATH_DAMPED)) && !rib_path_doomed(s, f, p) &&
           nexthop && nexthop_reachable(s, nexthop, ret_metric);
}

static void fill_candidate(const struct bgp_speaker *s, enum bgp_family f, uint32_t path,
                           struct decide_path *ret_c) {
    const struct rib_path *p = rib_path_at(s, path);
    const struct peer *peer = speaker_peer(s, p->peer);
    memset(ret_c, 0, sizeof *ret_c);
    ret_c->attrs = attr_get(&s->attrs, p->attrs);
    ret_c->weight = rib_side_get(&s->rib->weights, path);
    if (!peer) {
        ret_c->eligible = path_usable(s, f, p, &ret_c->igp_metric);
        ret_c->local = true;
        ret_c->router_id = s->router_id;
        ret_c->received_order = (uint64_t)rib_path_source(p);
        return;
    }
    const struct attr_values *v = &ret_c->attrs->v;
    ret_c->received_order = p->sequence;
    ret_c->eligible = path_usable(s, f, p, &ret_c->igp_metric);
    if (!ret_c->eligible) {
        return; /* its peer may be one that was removed */
    }
    ret_c->stale = attr_has_community(v, COMMUNITY_LLGR_STALE);
    ret_c->external = peer_is_outside(peer); /* RFC 5065 5.3 */
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
        .as_path_ignore = s->config->as_path_ignore,
        .igp_metric_ignore = s->config->igp_metric_ignore,
        .med_confed = s->config->med_confed,
    };
}

static void path_judge(struct bgp_speaker *s, enum bgp_family f, struct rib_path *p, bool valid,
                       bool best, enum decide_step step) {
    bool was = p->flags & RIB_PATH_BEST;
    p->flags &= (uint16_t) ~(RIB_PATH_BEST | RIB_PATH_VALID | RIB_PATH_STEP);
    p->flags |= (uint16_t)((valid ? RIB_PATH_VALID : 0) | (best ? RIB_PATH_BEST : 0) |
                           (unsigned)step << RIB_PATH_STEP_SHIFT);
    if (p->peer && was != best && rib_path_state(s, f, p) != RIB_EPOCH_GONE) {
        rib_best_step(s, p->peer, f, best);
    }
}

/* The only path there is. */
static uint32_t choose_single(struct bgp_speaker *s, enum bgp_family f, uint32_t path) {
    struct rib_path *p = rib_path_at(s, path);
    uint32_t metric;
    bool usable = path_usable(s, f, p, &metric);
    path_judge(s, f, p, usable, usable, DECIDE_NONE);
    return usable ? path : 0;
}

/* Fills r->candidates with the paths of a prefix; false: out of memory. */
static bool gather(struct bgp_speaker *s, enum bgp_family f, const struct rib_entry *e,
                   uint32_t *ret_count) {
    uint32_t count = 0;
    for (uint32_t i = e->paths; i && count < BGP_PATHS_PER_PREFIX_MAX;
         i = rib_path_at(s, i)->next) {
        if (!candidates_reserve(s->rib, count + 1)) {
            return false;
        }
        fill_candidate(s, f, i, &s->rib->candidates[count++]);
    }
    *ret_count = count;
    return true;
}

/* IOS: maximum-paths; BIRD: merge paths. Marks the paths that share the load with the best one, in
 * the order of the list, and notes whether they are others than before. */
static void share(struct bgp_speaker *s, enum bgp_family f, struct rib_entry *e, uint32_t count,
                  int best) {
    const struct bgp_config *c = s->config;
    const struct decide_rules rules = rules_of(s);
    const struct decide_path *paths = s->rib->candidates;
    bool mixed = c->multipath_mixed[f] > 1;
    uint32_t max = mixed ? c->multipath_mixed[f] : c->multipath_internal[f], n = 0, marked = 1;
    if (best >= 0 && !mixed && paths[best].external) {
        max = c->multipath_external[f];
    }
    max = max < BGP_MULTIPATH_MAX ? max : BGP_MULTIPATH_MAX;
    max = s->profile->merge_paths ? UINT32_MAX : max; /* BIRD: it is next hops that are limited */
    for (uint32_t i = e->paths; i; i = rib_path_at(s, i)->next, n++) {
        struct rib_path *p = rib_path_at(s, i);
        bool was = p->flags & RIB_PATH_SHARES;
        bool is = n < count && best >= 0 && (int)n != best && marked < max &&
                  decide_shares(&rules, &paths[best], &paths[n], mixed, c->multipath_as_path_relax);
        marked += is;
        p->flags = (uint16_t)((p->flags & ~RIB_PATH_SHARES) | (is ? RIB_PATH_SHARES : 0));
        e->flags |= was != is ? RIB_ENTRY_SHARES : 0;
    }
}

static int next_hop_compare(const struct bgp_next_hop *a, const struct bgp_next_hop *b) {
    int order = ip_compare(a->addr, b->addr);
    return order ? order : (a->link > b->link) - (a->link < b->link);
}

/* Keeps them sorted and unique. BIRD: the lowest addresses are kept when there are too many. */
static void add_next_hop(struct rib *r, uint8_t *count, uint8_t max, const struct attr_values *v) {
    const struct bgp_next_hop a = {.addr = v->next_hop, .link = v->link};
    uint8_t at = 0;
    while (at < *count && next_hop_compare(&r->next_hops[at], &a) < 0) {
        at++;
    }
    if (at == max || (at < *count && next_hop_compare(&r->next_hops[at], &a) == 0)) {
        return;
    }
    *count = (uint8_t)(*count + (*count < max));
    memmove(&r->next_hops[at + 1], &r->next_hops[at],
            (size_t)(*count - at - 1) * sizeof r->next_hops[0]);
    r->next_hops[at] = a;
}

uint8_t rib_next_hops(const struct bgp_speaker *s, struct ip_prefix prefix) {
    enum bgp_family f = rib_prefix_family(prefix);
    uint32_t entry = rib_entry_find(s, f, prefix);
    uint8_t count = 0;
    const struct rib_entry *e = entry ? rib_entry_at(s, f, entry) : NULL;
    if (!e || !e->best_peer || !e->best_attrs) {
        return 0;
    }
    uint32_t merged = s->profile->merge_paths;
    uint8_t max = (uint8_t)(merged && merged < BGP_MULTIPATH_MAX ? merged : BGP_MULTIPATH_MAX);
    add_next_hop(s->rib, &count, max, &attr_get(&s->attrs, e->best_attrs)->v);
    for (uint32_t i = e->paths; i; i = rib_path_at(s, i)->next) {
        const struct rib_path *p = rib_path_at(s, i);
        if (p->flags & RIB_PATH_SHARES) {
            add_next_hop(s->rib, &count, max, &attr_get(&s->attrs, p->attrs)->v);
        }
    }
    return count > 1 ? count : 0;
}

/* Chooses, and notes in every path how it fared. False: out of memory. *ret_best 0: none. */
static bool choose(struct bgp_speaker *s, enum bgp_family f, struct rib_entry *e,
                   uint32_t *ret_best) {
    struct rib *r = s->rib;
    uint32_t count = 0, n = 0;
    *ret_best = 0;
    if (e->paths && !rib_path_at(s, e->paths)->next) {
        struct rib_path *single = rib_path_at(s, e->paths);
        if (single->flags & RIB_PATH_SHARES) {
            single->flags &= (uint16_t)~RIB_PATH_SHARES;
            e->flags |= RIB_ENTRY_SHARES;
        }
        *ret_best = choose_single(s, f, e->paths);
        return true;
    }
    if (!gather(s, f, e, &count)) {
        return false;
    }
    struct decide_rules rules = rules_of(s);
    int best = decide_best(&rules, r->candidates, count, r->steps);
    for (uint32_t i = e->paths; i; i = rib_path_at(s, i)->next, n++) {
        bool judged = n < count; /* those behind the limit are out, whatever they were before */
        path_judge(s, f, rib_path_at(s, i), judged && r->candidates[n].eligible, (int)n == best,
                   judged ? r->steps[n] : DECIDE_ELIGIBLE);
        *ret_best = (int)n == best ? i : *ret_best;
    }
    share(s, f, e, count, best);
    return true;
}

/* The best one, then the best of the others, and so on. */
bool rib_pick(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, uint32_t count) {
    const struct rib_entry *e = rib_entry_at(s, f, entry);
    const struct decide_rules rules = rules_of(s);
    uint32_t all = 0, n = 0, i;
    if (!gather(s, f, e, &all)) {
        return false;
    }
    bool every = count >= all && count > 0;
    for (i = e->paths; i; i = rib_path_at(s, i)->next, n++) {
        bool picked = every && n < all && s->rib->candidates[n].eligible;
        rib_path_at(s, i)->flags &= (uint16_t)~RIB_PATH_PICKED;
        rib_path_at(s, i)->flags |= picked ? RIB_PATH_PICKED : 0;
    }
    for (; !every && count > 0; count--) {
        int best = decide_best(&rules, s->rib->candidates, all, NULL);
        if (best < 0) {
            break;
        }
        s->rib->candidates[best].eligible = false;
        for (i = e->paths, n = 0; (int)n < best; n++) {
            i = rib_path_at(s, i)->next;
        }
        rib_path_at(s, i)->flags |= RIB_PATH_PICKED;
    }
    return true;
}

/* ---- publishing ---- */

static bool any_shares(const struct bgp_speaker *s, const struct rib_entry *e) {
    for (uint32_t i = e->paths; i; i = rib_path_at(s, i)->next) {
        if (rib_path_at(s, i)->flags & RIB_PATH_SHARES) {
            return true;
        }
    }
    return false;
}

static struct bgp_fib_route fib_route(const struct bgp_speaker *s, enum bgp_family f,
                                      uint32_t entry) {
    const struct rib_entry *e = rib_entry_at(s, f, entry);
    struct bgp_fib_route r = {.prefix = rib_entry_prefix(s, f, entry), .withdrawn = true};
    if (e->best_attrs) {
        const struct attr_values *v = &attr_get(&s->attrs, e->best_attrs)->v;
        r.withdrawn = false;
        r.source = (enum route_source)(e->flags & RIB_ENTRY_SOURCE);
        r.next_hop = v->next_hop;
        r.link_local = v->link_local;
        r.link = v->link;
        r.local_pref = v->has_local_pref ? v->local_pref : s->config->default_local_pref;
        r.med = v->has_med ? v->med : 0;
        r.external = e->flags & RIB_ENTRY_EXTERNAL;
        r.blackhole = e->flags & RIB_ENTRY_BLACKHOLE;
        r.multipath = any_shares(s, e);
    }
    return r;
}

static bool fib_same(const struct bgp_fib_route *a, const struct bgp_fib_route *b) {
    return a->withdrawn == b->withdrawn && ip_equal(a->next_hop, b->next_hop) &&
           ip_equal(a->link_local, b->link_local) && a->link == b->link &&
           a->local_pref == b->local_pref && a->med == b->med && a->external == b->external &&
           a->source == b->source && a->blackhole == b->blackhole;
}

static uint64_t entry_digest(const struct bgp_speaker *s, const struct rib_entry *e,
                             struct ip_prefix prefix) {
    struct ip_addr next_hop = {0};
    if (!e->best_attrs) {
        return 0;
    }
    if ((e->flags & RIB_ENTRY_SOURCE) == ROUTE_SOURCE_BGP) {
        next_hop = attr_get(&s->attrs, e->best_attrs)->v.next_hop;
    }
    return scoreboard_route_digest(&prefix, &next_hop);
}

static void route_add_origin(const struct bgp_speaker *s, const struct rib_path *p,
                             struct adjout_route *r) {
    const struct rib_origin *o = slab_at(&s->rib->origins, p->origin);
    r->interface = o->interface;
    r->metric = o->metric;
    r->next_hop = o->next_hop;
}

static void fill_best(const struct bgp_speaker *s, enum bgp_family f, const struct rib_entry *e,
                      struct adjout_route *ret_route) {
    uint32_t i = e->best_attrs ? e->paths : 0;
    ret_route->attrs = e->best_attrs;
    ret_route->source_peer = e->best_peer;
    ret_route->source = (enum route_source)(e->flags & RIB_ENTRY_SOURCE);
    ret_route->interface = "";
    ret_route->metric = UINT32_MAX;
    ret_route->suppressed = e->flags & RIB_ENTRY_SUPPRESSED;
    while (i && !(rib_path_at(s, i)->flags & RIB_PATH_BEST)) {
        i = rib_path_at(s, i)->next;
    }
    if (!i || rib_path_doomed(s, f, rib_path_at(s, i))) {
        ret_route->attrs = 0; /* it is about to be withdrawn */
    } else if (rib_path_at(s, i)->peer == 0) {
        route_add_origin(s, rib_path_at(s, i), ret_route);
    }
}

struct adjout_route rib_entry_route(const struct bgp_speaker *s, enum bgp_family f,
                                    uint32_t entry) {
    struct adjout_route r = {.prefix = rib_entry_prefix(s, f, entry)};
    fill_best(s, f, rib_entry_at(s, f, entry), &r);
    return r;
}

struct adjout_route rib_path_route(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry,
                                   uint32_t path) {
    const struct rib_path *p = rib_path_at(s, path);
    struct adjout_route r = {.prefix = rib_entry_prefix(s, f, entry),
                             .attrs = p->attrs,
                             .source_peer = p->peer,
                             .source = rib_path_source(p),
                             .interface = "",
                             .metric = UINT32_MAX,
                             .suppressed = rib_entry_at(s, f, entry)->flags & RIB_ENTRY_SUPPRESSED};
    if (p->peer == 0) {
        route_add_origin(s, p, &r);
    }
    return r;
}

static uint16_t published_flags(struct bgp_speaker *s, struct ip_prefix prefix,
                                const struct rib_path *p) {
    unsigned flags = p->flags & RIB_PATH_SOURCE;
    if (aggregate_suppresses(s, prefix, p->attrs)) {
        flags |= RIB_ENTRY_SUPPRESSED;
    }
    const struct peer *peer = speaker_peer(s, p->peer);
    if (peer && peer_is_outside(peer)) {
        flags |= RIB_ENTRY_EXTERNAL;
    }
    if (!peer && ((const struct rib_origin *)slab_at(&s->rib->origins, p->origin))->blackhole) {
        flags |= RIB_ENTRY_BLACKHOLE;
    } else if (peer && peer->config->options->blackhole_accept &&
               attr_has_community(&attr_get(&s->attrs, p->attrs)->v, COMMUNITY_BLACKHOLE)) {
        flags |= RIB_ENTRY_BLACKHOLE; /* RFC 7999 3.3: the operator agreed to discard */
    }
    return (uint16_t)flags;
}

#define PUBLISHED_FLAGS                                                                            \
    (RIB_ENTRY_SOURCE | RIB_ENTRY_EXTERNAL | RIB_ENTRY_BLACKHOLE | RIB_ENTRY_SUPPRESSED)

/* The best path of the entry from now on; the caller has the reference to the one before. */
static void set_best(struct bgp_speaker *s, enum bgp_family f, struct rib_entry *e,
                     struct ip_prefix prefix, const struct rib_path *p) {
    struct rib *r = s->rib;
    r->digest -= entry_digest(s, e, prefix);
    r->loc_rib[f] -= e->best_attrs != 0;
    e->best_attrs = p ? p->attrs : 0;
    e->best_peer = p ? p->peer : 0;
    e->flags = (uint16_t)((e->flags & ~(PUBLISHED_FLAGS | RIB_ENTRY_FORCE)) |
                          (p ? published_flags(s, prefix, p) : 0));
    if (e->best_attrs) {
        attr_hold(&s->attrs, e->best_attrs);
    }
    r->digest += entry_digest(s, e, prefix);
    r->loc_rib[f] += e->best_attrs != 0;
}

static void tell_fib(struct bgp_speaker *s, struct rib_entry *e,
                     const struct bgp_fib_route *route) {
    struct bgp_event event = {.kind = BGP_EVENT_FIB};
    event.fib = *route;
    if (!event_push(s, &event)) {
        s->rib->fib_lost += !(e->flags & RIB_ENTRY_FIB_LOST);
        e->flags |= RIB_ENTRY_FIB_LOST;
    }
}

/* The best path is the one it was; others share the load with it than did. */
static void publish_shares(struct bgp_speaker *s, enum bgp_family f, uint32_t entry) {
    struct bgp_fib_route route = fib_route(s, f, entry);
    tally_published(s, f, entry);
    if (s->config->fib.install) {
        tell_fib(s, rib_entry_at(s, f, entry), &route);
    }
}

static void publish(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, uint32_t best,
                    struct nanotime now) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    struct bgp_fib_route before, after;
    bool install = s->config->fib.install;
    uint32_t old = e->best_attrs;
    if (install) {
        before = fib_route(s, f, entry);
    }
    struct adjout_route route = {.prefix = rib_entry_prefix(s, f, entry)};
    set_best(s, f, e, route.prefix, best ? rib_path_at(s, best) : NULL);
    s->rib->loc_rib_last = now;
    tally_published(s, f, entry);
    if (install) {
        after = fib_route(s, f, entry);
        if (!fib_same(&before, &after) || e->flags & RIB_ENTRY_SHARES) {
            tell_fib(s, e, &after);
        }
    }
    attr_release(&s->attrs, old);
    aggregate_note(s, route.prefix);
    fill_best(s, f, e, &route);
    adjout_entry_changed(s, f, entry, &route);
}

/* False: out of memory, the prefix is queued again. */
static bool handle(struct bgp_speaker *s, enum bgp_family f, uint32_t entry, struct nanotime now) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    uint32_t best = 0;
    if (!choose(s, f, e, &best)) {
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
    } else if (p && e->flags & RIB_ENTRY_SHARES) {
        publish_shares(s, f, entry);
    }
    e->flags &= (uint16_t) ~(RIB_ENTRY_FORCE | RIB_ENTRY_SHARES);
    adjout_paths_changed(s, f, entry);
    rib_entry_tidy(s, f, entry);
    return true;
}

static void push_no_memory(struct bgp_speaker *s) {
    struct bgp_event e = {.kind = BGP_EVENT_LOG};
    e.log.id = BGP_LOG_NO_MEMORY;
    event_push(s, &e);
}

/* ---- what the FIB did not hear ---- */

static bool fib_may_tell(const struct bgp_speaker *s) {
    return s->rib->fib_lost > 0 && event_count(s) < BGP_EVENTS_MAX / 2;
}

static void fib_tell(struct bgp_speaker *s, enum bgp_family f, uint32_t entry) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    struct bgp_event event = {.kind = BGP_EVENT_FIB};
    event.fib = fib_route(s, f, entry);
    if (event_push(s, &event)) {
        e->flags &= (uint16_t)~RIB_ENTRY_FIB_LOST;
        s->rib->fib_lost--;
        rib_entry_tidy(s, f, entry);
    }
}

/* Looks through the tables for them, at most `budget` prefixes: from the start again once both are
 * at their end, or the second one's turn would never come. Returns what is left of the budget. */
static uint32_t fib_tell_again(struct bgp_speaker *s, uint32_t budget) {
    bool all = true;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        uint32_t *cursor = &s->rib->fib_cursor[f], end = s->rib->entries[f].next_new;
        for (; fib_may_tell(s) && budget > 0 && *cursor < end; ++*cursor, budget--) {
            if (*cursor && rib_entry_at(s, f, *cursor)->flags & RIB_ENTRY_FIB_LOST) {
                fib_tell(s, f, *cursor);
            }
        }
        all = all && *cursor >= end;
    }
    if (all) {
        memset(s->rib->fib_cursor, 0, sizeof s->rib->fib_cursor);
    }
    return budget;
}

static bool decisions_due(const struct bgp_speaker *s) {
    return rib_dirty_any(&s->rib->dirty[BGP_IPV4_UNICAST]) ||
           rib_dirty_any(&s->rib->dirty[BGP_IPV6_UNICAST]) || nexthop_has_work(s) ||
           aggregate_has_work(s) || scanner_has_work(s) || dampening_has_work(s);
}

bool rib_work(struct bgp_speaker *s, uint32_t budget, struct nanotime now) {
    /* Half of it, so that what sweeps make due is done as they go on. */
    uint32_t half = (budget + 1) / 2;
    budget -= half - adjout_sweep(s, rib_sweep_work(s, half, now));
    if (s->restarting) {
        return rib_sweep_pending(s) || adjout_sweep_pending(s);
    }
    budget = fib_tell_again(s, budget);
    budget = nexthop_work(s, budget);
    budget = dampening_work(s, budget, now);
    /* And half of what is left, for they look through whole tables again and again. */
    half = (budget + 1) / 2;
    budget -= half - scanner_work(s, aggregate_work(s, half, now), now);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        for (uint32_t entry; budget > 0 && (entry = rib_dirty_pop(s, f, &budget)) != 0; budget--) {
            if (!handle(s, f, entry, now)) {
                push_no_memory(s);
                budget = 1; /* try again in the next call */
            }
        }
    }
    adjout_work(s, budget);
    bool released = s->rib->releasing && !decisions_due(s) && !nexthop_awaits_answers(s);
    if (released) {
        s->rib->releasing = false;
    }
    adjout_notify(s, released);
    return rib_has_work(s);
}

/* The last answer about next hops may have been one that changed nothing. */
static bool release_due(const struct bgp_speaker *s) {
    return s->rib->releasing && !nexthop_awaits_answers(s);
}

bool rib_has_work(const struct bgp_speaker *s) {
    return rib_sweep_pending(s) || adjout_sweep_pending(s) ||
           (!s->restarting &&
            (decisions_due(s) || release_due(s) || fib_may_tell(s) || adjout_has_work(s)));
}

bool bgp_recovering(const struct bgp_speaker *s) {
    return s->restarting || s->rib->releasing;
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
