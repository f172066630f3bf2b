/*
 * The oracle: its input, its tables, and what others ask of the result.
 *
 * Owns the arena everything lives in. Who meets whom is oracle_session.c, how routes spread is
 * oracle_route.c, why something is not there is oracle_explain.c. The configurations are read as
 * they are given to the speakers; none of the speaker's own code takes part.
 */

#include "oracle_internal.h"

#include "../../speaker/base/hash.h"
#include "../../speaker/base/scoreboard.h"

#include <stdlib.h>
#include <string.h>

static bool owner_equal(const void *context, uint32_t index, const void *key) {
    const struct oracle *o = context;
    return ip_equal(o->owners[index - 1].addr, *(const struct ip_addr *)key);
}

static uint64_t addr_hash(struct ip_addr a) {
    return hash_bytes(&a, sizeof a, 0);
}

uint32_t oracle_address_owner(const struct oracle *o, struct ip_addr a) {
    uint32_t at = table_find(&o->addresses, addr_hash(a), owner_equal, o, &a);
    return at ? o->owners[at - 1].node : UINT32_MAX;
}

static bool index_addresses(struct oracle *o) {
    size_t total = 0;
    for (size_t i = 0; i < o->in.node_count; i++)
        total += o->in.nodes[i].addr_count;
    o->owners = arena_array(o->arena, total + 1, sizeof *o->owners);
    if (!o->owners)
        return false;
    for (size_t i = 0; i < o->in.node_count; i++) {
        for (size_t k = 0; k < o->in.nodes[i].addr_count; k++) {
            struct ip_addr a = o->in.nodes[i].addrs[k];
            if (oracle_address_owner(o, a) != UINT32_MAX)
                continue;
            o->owners[o->owner_count++] = (struct oracle_owner){a, (uint32_t)i};
            if (!table_insert(&o->addresses, addr_hash(a), o->owner_count))
                return false;
        }
    }
    return true;
}

static int compare_prefixes(const void *a, const void *b) {
    return ip_prefix_compare(*(const struct ip_prefix *)a, *(const struct ip_prefix *)b);
}

/* Every prefix any node originates; nothing else can appear anywhere. */
static bool collect_prefixes(struct oracle *o) {
    size_t total = 0;
    for (size_t i = 0; i < o->in.node_count; i++) {
        const struct bgp_config *c = o->in.nodes[i].config;
        if (c)
            total += c->origin_count + 2;
    }
    o->prefixes = arena_array(o->arena, total + 1, sizeof *o->prefixes);
    if (!o->prefixes)
        return false;
    uint32_t n = 0;
    for (size_t i = 0; i < o->in.node_count; i++) {
        const struct bgp_config *c = o->in.nodes[i].config;
        for (uint32_t k = 0; c && k < c->origin_count; k++)
            o->prefixes[n++] = c->origins[k].prefix;
        for (uint32_t k = 0; c && k < c->peer_count; k++) {
            if (!c->peers[k].default_originate[0] && !c->peers[k].default_originate[1])
                continue;
            o->prefixes[n++] = ip_prefix_make(ip4(0), 0);
            o->prefixes[n++] = ip_prefix_make(ip6((const uint8_t[16]){0}), 0);
            break;
        }
    }
    qsort(o->prefixes, n, sizeof *o->prefixes, compare_prefixes);
    for (uint32_t i = 0; i < n; i++) {
        if (o->prefix_count == 0 ||
            !ip_prefix_equal(o->prefixes[o->prefix_count - 1], o->prefixes[i]))
            o->prefixes[o->prefix_count++] = o->prefixes[i];
    }
    return true;
}

uint32_t oracle_prefix_index(const struct oracle *o, struct ip_prefix p) {
    if (!o->prefix_count)
        return UINT32_MAX;
    const struct ip_prefix *at =
        bsearch(&p, o->prefixes, o->prefix_count, sizeof p, compare_prefixes);
    return at ? (uint32_t)(at - o->prefixes) : UINT32_MAX;
}

bool oracle_connected(const struct oracle_node *n, struct ip_addr a) {
    for (size_t i = 0; i < n->subnet_count; i++) {
        if (ip_prefix_contains_addr(n->subnets[i], a))
            return true;
    }
    return false;
}

bool oracle_reachable(const struct oracle_node *n, struct ip_addr a, struct ip_addr *ret_gateway) {
    const struct bgp_config *c = n->config;
    *ret_gateway = a;
    if (oracle_connected(n, a))
        return true;
    for (uint32_t i = 0; c && i < c->origin_count; i++) {
        const struct bgp_origin_config *own = &c->origins[i];
        if (!ip_is_set(own->gateway) || !ip_prefix_contains_addr(own->prefix, a))
            continue;
        *ret_gateway = own->gateway;
        return oracle_connected(n, own->gateway);
    }
    return false;
}

struct ip_addr oracle_source_address(const struct oracle_node *n, const struct bgp_peer_config *p) {
    if (ip_is_set(p->local_addr))
        return p->local_addr;
    struct ip_addr first = {0};
    for (size_t i = 0; i < n->addr_count; i++) {
        struct ip_addr a = n->addrs[i];
        if (a.family != p->remote_addr.family)
            continue;
        for (size_t k = 0; k < n->subnet_count; k++) {
            if (ip_prefix_contains_addr(n->subnets[k], a) &&
                ip_prefix_contains_addr(n->subnets[k], p->remote_addr))
                return a;
        }
        if (!ip_is_set(first))
            first = a;
    }
    return first;
}

uint32_t oracle_local_as(const struct bgp_config *c, const struct bgp_peer_config *p) {
    return p->local_as ? p->local_as : c->local_as;
}

/* ---- the result ---- */

static bool kernel_gateway(const struct oracle *o, const struct oracle_node *n,
                           struct oracle_route *r) {
    bool v6 = r->next_hop.family == IP_V6;
    bool reachable = oracle_reachable(n, r->next_hop, &r->gateway);
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
static bool kernel_accepts(const struct oracle *o, const struct bgp_config *c,
                           const struct oracle_path *p, struct oracle_route *r) {
    struct oracle_candidate candidate = {
        .prefix = r->prefix,
        .attrs = p->attrs,
        .source = p->own ? p->own->source : ROUTE_SOURCE_BGP,
        .interface = "",
        .metric = UINT32_MAX,
        .external_session = p->external,
    };
    return c->fib.install && oracle_kernel_filter(c, &candidate, o->arena, &r->device);
}

/* How many next hops a kernel route may have. */
static uint32_t hops_max(const struct bgp_config *c, const struct oracle_path *best) {
    uint32_t max = c->multipath_mixed > 1 ? c->multipath_mixed
                   : best->external       ? c->multipath_external
                                          : c->multipath_internal;
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
static bool way_of(const struct oracle *o, uint32_t node, const struct oracle_path *p,
                   struct oracle_route *r) {
    const struct oracle_node *n = &o->in.nodes[node];
    r->next_hop = p->attrs->next_hop;
    bool ok = kernel_gateway(o, n, r) && kernel_accepts(o, n->config, p, r);
    if (r->device)
        r->gateway = r->next_hop;
    return ok;
}

/* The gateways of all paths that share the load. BIRD: the lowest ones where there are too many;
 * IOS: any. False: out of memory. */
static bool fill_gateways(const struct oracle *o, uint32_t node, uint32_t prefix,
                          const struct oracle_path *best, struct oracle_route *r) {
    const struct bgp_config *c = o->in.nodes[node].config;
    size_t max = hops_max(c, best), count = 1;
    r->gateways = &r->gateway;
    r->gateway_count = 1;
    for (struct oracle_path *p = o->states[node].paths[prefix]; max > 1 && p; p = p->next)
        count += oracle_shares(c, best, p);
    if (count == 1)
        return true;
    struct ip_addr *list = arena_array(o->arena, count, sizeof *list);
    if (!list)
        return false;
    list[0] = r->gateway;
    count = 1;
    for (struct oracle_path *p = o->states[node].paths[prefix]; p; p = p->next) {
        struct oracle_route way = {.prefix = r->prefix};
        if (oracle_shares(c, best, p) && way_of(o, node, p, &way))
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

static bool fill_route(const struct oracle *o, uint32_t node, uint32_t prefix,
                       const struct oracle_path *p, struct oracle_route *r) {
    const struct oracle_node *n = &o->in.nodes[node];
    r->prefix = o->prefixes[prefix];
    r->origin_node = p->origin_node;
    r->attrs = p->attrs;
    r->by_age = p->by_age;
    if (p->own) {
        r->from_node = node;
        r->blackhole = p->own->blackhole_in_kernel;
        r->next_hop = p->own->gateway;
        r->in_fib = (r->blackhole || (ip_is_set(r->next_hop) && kernel_gateway(o, n, r))) &&
                    kernel_accepts(o, n->config, p, r);
        r->gateways = &r->gateway;
        r->gateway_count = !r->blackhole;
        r->metric = n->config->fib.metric;
        return true;
    }
    r->from_node = o->states[node].ends[p->end].neighbor;
    r->in_fib = way_of(o, node, p, r);
    r->metric = kernel_metric(n->config, p->attrs);
    return !r->in_fib || fill_gateways(o, node, prefix, p, r);
}

static struct oracle_totals sum_up(const struct oracle_state *s, uint32_t node) {
    static const struct ip_addr none;
    struct oracle_totals t = {.established = s->end_count};
    for (size_t i = 0; i < s->route_count; i++) {
        const struct oracle_route *r = &s->routes[i];
        int f = r->prefix.addr.family == IP_V6;
        t.loc_rib[f]++;
        t.loc_rib_digest +=
            scoreboard_route_digest(&r->prefix, r->from_node == node ? &none : &r->next_hop);
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

static bool make_results(struct oracle *o) {
    for (uint32_t i = 0; i < o->in.node_count; i++) {
        struct oracle_state *s = &o->states[i];
        size_t count = 0;
        for (uint32_t k = 0; k < o->prefix_count; k++)
            count += s->best && s->best[k];
        s->routes = arena_array(o->arena, count + 1, sizeof *s->routes);
        if (!s->routes)
            return false;
        for (uint32_t k = 0; s->best && k < o->prefix_count; k++) {
            if (s->best[k] && !fill_route(o, i, k, s->best[k], &s->routes[s->route_count++]))
                return false;
        }
        s->totals = sum_up(s, i);
    }
    return true;
}

struct oracle *oracle_new(const struct oracle_input *in) {
    struct arena *arena = arena_new();
    struct oracle *o = arena ? arena_alloc(arena, sizeof *o) : NULL;
    if (!o) {
        arena_free(arena);
        return NULL;
    }
    o->arena = arena;
    o->in = *in;
    table_init(&o->addresses);
    o->states = arena_array(arena, in->node_count + 1, sizeof *o->states);
    if (o->states && index_addresses(o) && collect_prefixes(o) && oracle_find_sessions(o) &&
        oracle_spread_routes(o) && make_results(o)) {
        o->in.previous = NULL;
        return o;
    }
    oracle_free(o);
    return NULL;
}

void oracle_free(struct oracle *o) {
    if (!o)
        return;
    table_deinit(&o->addresses);
    arena_free(o->arena);
}

size_t oracle_sessions(const struct oracle *o, const struct oracle_session **ret_sessions) {
    *ret_sessions = o->sessions;
    return o->session_count;
}

size_t oracle_failures(const struct oracle *o, const struct oracle_failure **ret_failures) {
    *ret_failures = o->failures;
    return o->failure_count;
}

size_t oracle_loc_rib(const struct oracle *o, uint32_t node,
                      const struct oracle_route **ret_routes) {
    *ret_routes = o->states[node].routes;
    return o->states[node].route_count;
}

static int compare_route_prefix(const void *key, const void *route) {
    return ip_prefix_compare(*(const struct ip_prefix *)key,
                             ((const struct oracle_route *)route)->prefix);
}

const struct oracle_route *oracle_find(const struct oracle *o, uint32_t node, struct ip_prefix p) {
    const struct oracle_state *s = &o->states[node];
    if (!s->route_count)
        return NULL;
    return bsearch(&p, s->routes, s->route_count, sizeof *s->routes, compare_route_prefix);
}

struct oracle_totals oracle_totals(const struct oracle *o, uint32_t node) {
    return o->states[node].totals;
}

uint32_t oracle_totals_established(const struct oracle *o, uint32_t node) {
    return o->states[node].end_count;
}

size_t oracle_unstable(const struct oracle *o, const struct ip_prefix **ret_prefixes) {
    *ret_prefixes = o->unstable;
    return o->unstable_count;
}
