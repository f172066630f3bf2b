/*
 * The tables that come of the outcomes: a node's Loc-RIB with what its kernel should have, one
 * route of it, the sums.
 *
 * Owns a few lists of routes, made when they are asked for: a thousand nodes have a million routes,
 * which nobody needs at the same time. The digests of all nodes are made at once and stay; a
 * comparison that goes beyond them asks for one node after the other.
 *
 * A list is good until LISTS_MAX others have been asked for, a single route until FOUND_MAX
 * others.
 */
#include "oracle_internal.h"

#include "../../speaker/base/scoreboard.h"

#include <stdlib.h>
#include <string.h>

#define LISTS_MAX 4
#define FOUND_MAX 64

struct list {
    struct arena *arena; /* NULL: not made yet */
    uint32_t node;
    struct oracle_route *routes; /* NULL: nothing in it */
    size_t count;
};

struct oracle_results {
    struct list lists[LISTS_MAX];
    struct {
        struct arena *arena;
        struct oracle_route route;
    } found[FOUND_MAX];
    size_t next_list, next_found; /* whose turn it is to be replaced */
};

/* ---- one route ---- */

static bool kernel_gateway(const struct oracle *o, const struct oracle_node *n,
                           struct oracle_route *r) {
    bool v6 = r->next_hop.family == IP_V6;
    bool reachable = oracle_reachable(o, n, r->next_hop, &r->gateway);
    if (o->in.routed_fabric)
        r->gateway = v6 ? o->in.gateway6 : o->in.gateway4;
    return reachable;
}

static uint32_t kernel_metric(const struct bgp_config *c, const struct attr_values *v) {
    if (!c->fib.metric_from_local_pref)
        return c->fib.metric;
    return UINT32_C(2147483647) - (v->has_local_pref ? v->local_pref : c->default_local_pref);
}

/* The node's filter for its kernel table, and the device it names. */
static bool kernel_accepts(struct arena *arena, const struct bgp_config *c,
                           const struct oracle_path *p, struct oracle_route *r) {
    struct oracle_candidate candidate = {
        .prefix = r->prefix,
        .attrs = p->attrs,
        .source = p->own ? p->own->source : ROUTE_SOURCE_BGP,
        .interface = "",
        .metric = UINT32_MAX,
        .external_session = p->external,
    };
    return c->fib.install && oracle_kernel_filter(c, &candidate, arena, &r->device);
}

/* How many next hops a kernel route may have. */
static uint32_t hops_max(const struct bgp_config *c, enum bgp_family f,
                         const struct oracle_path *best) {
    uint32_t max = c->multipath_mixed[f] > 1 ? c->multipath_mixed[f]
                   : best->external          ? c->multipath_external[f]
                                             : c->multipath_internal[f];
    return max ? max : 1;
}

static int compare_gateways(const void *a, const void *b) {
    return ip_compare(*(const struct ip_addr *)a, *(const struct ip_addr *)b);
}

static size_t sort_unique(struct ip_addr *list, size_t count) {
    size_t kept = 0;
    qsort(list, count, sizeof *list, compare_gateways);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !ip_equal(list[kept - 1], list[i]))
            list[kept++] = list[i];
    return kept;
}

/* Where one path leads in the kernel; false: nowhere. */
static bool way_of(const struct oracle *o, struct arena *arena, uint32_t node,
                   const struct oracle_path *p, struct oracle_route *r) {
    const struct oracle_node *n = &o->in.nodes[node];
    r->next_hop = p->attrs->next_hop;
    bool ok = kernel_gateway(o, n, r) && kernel_accepts(arena, n->config, p, r);
    if (r->device)
        r->gateway = r->next_hop;
    return ok;
}

/* The gateways of all paths that share the load. BIRD: the lowest ones where there are too many;
 * IOS: any. False: out of memory. */
static bool fill_gateways(const struct oracle *o, struct arena *arena, uint32_t node,
                          uint32_t prefix, const struct oracle_path *best, struct oracle_route *r) {
    const struct bgp_config *c = o->in.nodes[node].config;
    enum bgp_family f = oracle_family(r->prefix);
    size_t max = hops_max(c, f, best), count = 1;
    r->gateways = &r->gateway;
    r->gateway_count = 1;
    for (struct oracle_path *p = oracle_outcome_of(o, node, prefix)->paths; max > 1 && p;
         p = p->next)
        count += oracle_shares(c, f, best, p);
    if (count == 1)
        return true;
    struct ip_addr *list = arena_array(arena, count, sizeof *list);
    if (!list)
        return false;
    list[0] = r->gateway;
    count = 1;
    for (struct oracle_path *p = oracle_outcome_of(o, node, prefix)->paths; p; p = p->next) {
        struct oracle_route way = {.prefix = r->prefix};
        if (oracle_shares(c, f, best, p) && way_of(o, arena, node, p, &way))
            list[count++] = way.gateway;
    }
    r->gateways = list;
    r->gateway_count = sort_unique(list, count);
    if (r->gateway_count > max) {
        r->gateway_count = max;
        r->by_age = c->profile == BGP_PROFILE_IOS;
    }
    return true;
}

/* What a neighbour has chosen by age it hands on, with the chosen one's next hop where that stays.
 */
static bool is_by_age(const struct oracle *o, uint32_t node, uint32_t prefix,
                      const struct oracle_path *p) {
    for (uint32_t hops = 0; hops < o->in.node_count && !p->by_age && !p->own; hops++) {
        node = o->states[node].ends[p->end].neighbor;
        const struct oracle_path *theirs = oracle_outcome_of(o, node, prefix)->best;
        if (!theirs || !ip_equal(theirs->attrs->next_hop, p->attrs->next_hop))
            return false;
        p = theirs;
    }
    return p->by_age;
}

/* The route by way of the best path, in `arena` what it points to. False: out of memory. */
static bool fill_route(const struct oracle *o, struct arena *arena, uint32_t node, uint32_t prefix,
                       struct oracle_route *r) {
    const struct oracle_path *p = oracle_outcome_of(o, node, prefix)->best;
    const struct oracle_node *n = &o->in.nodes[node];
    r->prefix = o->prefixes[prefix];
    r->origin_node = p->origin_node;
    r->attrs = p->attrs;
    r->by_age = is_by_age(o, node, prefix, p);
    if (p->own) {
        r->from_node = node;
        r->blackhole = p->own->blackhole_in_kernel;
        r->next_hop = p->own->gateway;
        r->in_fib = (r->blackhole || (ip_is_set(r->next_hop) && kernel_gateway(o, n, r))) &&
                    kernel_accepts(arena, n->config, p, r);
        r->gateways = &r->gateway;
        r->gateway_count = !r->blackhole;
        r->metric = n->config->fib.metric;
        return true;
    }
    r->from_node = o->states[node].ends[p->end].neighbor;
    r->in_fib = way_of(o, arena, node, p, r);
    r->metric = kernel_metric(n->config, p->attrs);
    return !r->in_fib || fill_gateways(o, arena, node, prefix, p, r);
}

/* ---- a node's table ---- */

static bool arena_ready(struct arena **arena) {
    if (*arena)
        arena_reset(*arena);
    else
        *arena = arena_new();
    return *arena != NULL;
}

static bool list_fill(const struct oracle *o, uint32_t node, struct list *l) {
    size_t count = 0;
    l->routes = NULL;
    l->count = 0;
    if (!arena_ready(&l->arena))
        return false;
    for (uint32_t k = 0; k < o->prefix_count; k++)
        count += oracle_outcome_of(o, node, k)->best != NULL;
    struct oracle_route *routes = arena_array(l->arena, count + 1, sizeof *routes);
    if (!routes)
        return false;
    for (uint32_t k = 0; k < o->prefix_count; k++) {
        if (oracle_outcome_of(o, node, k)->best &&
            !fill_route(o, l->arena, node, k, &routes[l->count++]))
            return false;
    }
    l->node = node;
    l->routes = routes;
    return true;
}

size_t oracle_loc_rib(const struct oracle *o, uint32_t node,
                      const struct oracle_route **ret_routes) {
    struct oracle_results *r = o->results;
    for (size_t i = 0; i < LISTS_MAX; i++) {
        if (r->lists[i].routes && r->lists[i].node == node) {
            *ret_routes = r->lists[i].routes;
            return r->lists[i].count;
        }
    }
    struct list *l = &r->lists[r->next_list++ % LISTS_MAX];
    bool ok = list_fill(o, node, l);
    *ret_routes = ok ? l->routes : NULL;
    return ok ? l->count : 0;
}

const struct oracle_route *oracle_find(const struct oracle *o, uint32_t node, struct ip_prefix p) {
    uint32_t prefix = oracle_prefix_index(o, p);
    if (prefix == UINT32_MAX || !oracle_outcome_of(o, node, prefix)->best)
        return NULL;
    size_t at = o->results->next_found++ % FOUND_MAX;
    struct oracle_route *route = &o->results->found[at].route;
    *route = (struct oracle_route){0};
    return arena_ready(&o->results->found[at].arena) &&
                   fill_route(o, o->results->found[at].arena, node, prefix, route)
               ? route
               : NULL;
}

static struct oracle_totals sum_up(const struct oracle_state *s, const struct list *l) {
    static const struct ip_addr none;
    struct oracle_totals t = {.established = s->end_count};
    for (size_t i = 0; i < l->count; i++) {
        const struct oracle_route *r = &l->routes[i];
        int f = r->prefix.addr.family == IP_V6;
        t.loc_rib[f]++;
        t.loc_rib_digest +=
            scoreboard_route_digest(&r->prefix, r->from_node == l->node ? &none : &r->next_hop);
        t.by_age |= r->by_age;
        if (!r->in_fib)
            continue;
        t.fib[f]++;
        if (r->gateway_count == 0)
            t.fib_digest += scoreboard_route_digest(&r->prefix, &r->gateway);
        for (size_t k = 0; k < r->gateway_count; k++)
            t.fib_digest += scoreboard_route_digest(&r->prefix, &r->gateways[k]);
    }
    return t;
}

bool oracle_make_results(struct oracle *o) {
    o->results = alloc_zero(1, sizeof *o->results);
    if (!o->results)
        return false;
    struct list *l = &o->results->lists[0];
    for (uint32_t i = 0; i < o->in.node_count; i++) {
        if (!list_fill(o, i, l))
            return false;
        o->states[i].totals = sum_up(&o->states[i], l);
    }
    return true;
}

void oracle_free_results(struct oracle *o) {
    if (!o->results)
        return;
    for (size_t i = 0; i < LISTS_MAX; i++)
        arena_free(o->results->lists[i].arena);
    for (size_t i = 0; i < FOUND_MAX; i++)
        arena_free(o->results->found[i].arena);
    alloc_free(o->results);
}
