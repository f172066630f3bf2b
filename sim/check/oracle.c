/*
 * The oracle: its input, its tables, and what others ask of the result.
 *
 * Owns the arena everything lives in. Who meets whom is oracle_session.c, how routes spread is
 * oracle_route.c, what is kept of that oracle_outcome.c, the tables made from it oracle_result.c,
 * why something is not there oracle_explain.c. The configurations are read as they are given to the
 * speakers; none of the speaker's rules takes part.
 */

#include "oracle_internal.h"

#include "../../speaker/base/hash.h"

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
            total += c->origin_count + c->aggregate_count + 2;
    }
    o->prefixes = arena_array(o->arena, total + 1, sizeof *o->prefixes);
    if (!o->prefixes)
        return false;
    uint32_t n = 0;
    for (size_t i = 0; i < o->in.node_count; i++) {
        const struct bgp_config *c = o->in.nodes[i].config;
        for (uint32_t k = 0; c && k < c->origin_count; k++)
            o->prefixes[n++] = c->origins[k].prefix;
        for (uint32_t k = 0; c && k < c->aggregate_count; k++)
            o->prefixes[n++] = c->aggregates[k].prefix;
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

bool oracle_reachable(const struct oracle *o, const struct oracle_node *n, struct ip_addr a,
                      struct ip_addr *ret_gateway) {
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
    return n->default_route && oracle_address_owner(o, a) != UINT32_MAX;
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

bool oracle_confederate(const struct bgp_config *c, const struct bgp_peer_config *p) {
    bool member = false;
    for (uint32_t i = 0; c->confederation_id && i < c->confederation_member_count; i++)
        member |= c->confederation_members[i] == p->remote_as;
    return member && p->remote_as != c->local_as;
}

/* RFC 5065 4: outside, the confederation is the AS. */
uint32_t oracle_local_as(const struct bgp_config *c, const struct bgp_peer_config *p) {
    if (p->local_as)
        return p->local_as;
    bool inside = p->remote_as == c->local_as || oracle_confederate(c, p);
    return c->confederation_id && !inside ? c->confederation_id : c->local_as;
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
    o->work = arena_new();
    if (o->states && o->work && index_addresses(o) && collect_prefixes(o) &&
        oracle_find_sessions(o) && oracle_spread_routes(o) && oracle_make_results(o)) {
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
    oracle_free_results(o);
    oracle_free_outcomes(o);
    arena_free(o->work);
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
