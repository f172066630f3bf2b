/*
 * Owns turning one node's stanzas into a speaker's configuration: peers, routes of the node's own,
 * and the chains of policies each session goes through. The policies themselves are made in
 * compile_policy.c; which stanzas there are was decided by the plan.
 *
 * Import: the BGPFilters' import rules, then accept. Export: metric to local preference, the
 * BGPFilters' export rules, Calico's own export policy, reject.
 *
 * Invariants: a policy stands once per node however many sessions use it, and so does a chain: a
 * node with a thousand peers has a handful of both. Peers keep the plan's order, which is BIRD's.
 *
 * BIRD: v4 and v6 are two daemons; here they are one speaker, each session with one family.
 */
#include "compile.h"

#include "../../speaker/base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLD_TIME_S 240

/* ---- chains ---- */

static uint16_t *chain_array(struct compile *c, size_t room) {
    uint16_t *items = arena_array(c->arena, room, sizeof *items);
    if (!items)
        c->out_of_memory = true;
    return items;
}

static void add_filters(struct compile *c, const struct calico_session *s, int direction,
                        struct policy_chain *chain, uint16_t *items) {
    for (size_t i = 0; i < s->filter_count; i++)
        if (s->filters[i]->rule_count[direction][s->family] > 0)
            items[chain->count++] = compile_filter(c, s->filters[i], direction, (int)s->family);
}

static void make_chains(struct compile *c, const struct calico_session *s,
                        struct compile_chains *chains) {
    uint16_t *in = chain_array(c, s->filter_count + 1);
    uint16_t *out = chain_array(c, s->filter_count + 2);
    if (c->out_of_memory)
        return;
    chains->import.accept_by_default = true;
    add_filters(c, s, 0, &chains->import, in);
    out[chains->export.count++] = compile_metric_sync(c, (int)s->family);
    add_filters(c, s, 1, &chains->export, out);
    out[chains->export.count++] = compile_calico_export(c, (int)s->family);
    chains->import.policies = in;
    chains->export.policies = out;
}

/* The filters of a BGPPeer are one array for all its sessions: its address is the key. */
static const struct compile_chains *chains_for(struct compile *c, const struct calico_session *s) {
    for (size_t i = 0; i < c->chain_count; i++)
        if (c->chains[i].family == s->family && c->chains[i].filter_count == s->filter_count &&
            (s->filter_count == 0 || c->chains[i].filters == s->filters))
            return &c->chains[i];
    if (c->chain_count == c->chain_capacity) {
        size_t capacity = c->chain_capacity ? c->chain_capacity * 2 : 8;
        struct compile_chains *larger = arena_array(c->arena, capacity, sizeof *larger);
        if (!larger) {
            c->out_of_memory = true;
            return NULL;
        }
        if (c->chain_count)
            memcpy(larger, c->chains, c->chain_count * sizeof *larger);
        c->chains = larger;
        c->chain_capacity = capacity;
    }
    struct compile_chains *chains = &c->chains[c->chain_count++];
    *chains = (struct compile_chains){
        .filters = s->filters, .filter_count = s->filter_count, .family = s->family};
    make_chains(c, s, chains);
    return chains;
}

/* ---- peers ---- */

static enum bgp_next_hop_mode next_hop_mode(enum calico_next_hop_mode mode) {
    switch (mode) {
    case CALICO_NEXT_HOP_SELF:
        return BGP_NEXT_HOP_SELF_ALL; /* BIRD: `next hop self` holds for reflected routes too */
    case CALICO_NEXT_HOP_KEEP:
        return BGP_NEXT_HOP_KEEP;
    case CALICO_NEXT_HOP_AUTO:
    case CALICO_NEXT_HOP_UNSET:
        break;
    }
    return BGP_NEXT_HOP_AUTO;
}

static void compile_peer(struct compile *c, const struct calico_session *s,
                         struct bgp_peer_config *p) {
    const struct compile_chains *chains = chains_for(c, s);
    bgp_peer_config_init(p, c->config->profile);
    snprintf(p->name, sizeof p->name, "%s", s->name);
    snprintf(p->description, sizeof p->description, "%.100s", s->peer_node ? s->peer_node : "");
    p->remote_addr = s->neighbor;
    p->local_addr = s->source_address;
    p->remote_port = s->port;
    p->remote_as = s->peer_as;
    p->local_as = s->local_as_override ? s->local_as : 0;
    p->families[BGP_IPV4_UNICAST] = s->family == BGP_IPV4_UNICAST;
    p->families[BGP_IPV6_UNICAST] = s->family == BGP_IPV6_UNICAST;
    p->passive = s->passive;
    p->rr_client = s->rr_client;
    p->ttl_security_hops = s->ttl_security;
    p->multihop = s->multihop;
    if (s->password)
        snprintf(p->password, sizeof p->password, "%s", s->password);
    p->hold_time_set = true;
    p->hold_time_s = HOLD_TIME_S;
    p->keepalive_s = s->keepalive_set ? (uint16_t)s->keepalive_s : 0;
    p->next_hop_mode = next_hop_mode(s->next_hop);
    p->allow_local_as = s->allow_local_as > UINT8_MAX ? UINT8_MAX : (uint8_t)s->allow_local_as;
    p->send_communities = true;
    p->graceful_restart = BGP_GR_FULL;
    p->restart_time_s = s->restart_time_set ? (uint16_t)s->restart_time_s : 0;
    if (chains) {
        p->import[s->family] = chains->import;
        p->export[s->family] = chains->export;
    }
}

static void compile_peers(struct compile *c) {
    size_t count = c->node->session_count;
    c->config->peers = arena_array(c->arena, count + 1, sizeof *c->config->peers);
    if (!c->config->peers) {
        c->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < count && !c->out_of_memory; i++)
        compile_peer(c, &c->node->sessions[i], &c->config->peers[i]);
    c->config->peer_count = (uint32_t)count;
}

/* ---- routes of the node's own ---- */

static void add_origin(struct compile *c, struct ip_prefix prefix, enum route_source source,
                       const char *interface) {
    struct bgp_config *config = c->config;
    struct bgp_origin_config *o = &config->origins[config->origin_count++];
    int family = prefix.addr.family == IP_V6;
    *o = (struct bgp_origin_config){
        .prefix = prefix, .source = source, .metric = compile_normal_priority(c, family)};
    snprintf(o->interface, sizeof o->interface, "%s", interface);
}

static struct ip_prefix host_route(struct ip_addr a) {
    return ip_prefix_make(a, ip_bits((enum ip_family)a.family));
}

/* BIRD's patmatch: * and ?. Iterative, so that no pattern can make it slow or deep. */
static bool glob_matches(const char *pattern, const char *text) {
    const char *star = NULL, *mark = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            mark = text;
        } else if (*pattern == *text || *pattern == '?') {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static void add_subnets(struct compile *c) {
    const struct calico_bgp_configuration *g = c->impl->global;
    const struct calico_node *n = c->node->node;
    for (size_t i = 0; i < g->ignored_interface_count; i++)
        if (glob_matches(g->ignored_interfaces[i], c->impl->node_ip_interface))
            return;
    if (ip_is_set(n->addr4))
        add_origin(c, ip_prefix_make(n->addr4, n->length4), ROUTE_SOURCE_DIRECT,
                   c->impl->node_ip_interface);
    if (ip_is_set(n->addr6))
        add_origin(c, ip_prefix_make(n->addr6, n->length6), ROUTE_SOURCE_DIRECT,
                   c->impl->node_ip_interface);
}

static void add_blocks(struct compile *c) {
    for (size_t i = 0; i < c->node->block_count; i++) {
        struct ip_prefix p = c->node->blocks[i].prefix;
        if (p.length == ip_bits((enum ip_family)p.addr.family))
            continue; /* a single address is in the aggregation policy only */
        add_origin(c, p, ROUTE_SOURCE_STATIC, "");
        c->config->origins[c->config->origin_count - 1].blackhole_in_kernel = true;
    }
    for (size_t i = 0; i < c->node->pod_count; i++)
        add_origin(c, host_route(c->node->pods[i].addr), ROUTE_SOURCE_KERNEL,
                   c->node->pods[i].interface);
}

static bool excluded_from_services(const struct calico_node *n) {
    for (size_t i = 0; i < n->label_count; i++)
        if (strcmp(n->labels[i].name, "node.kubernetes.io/exclude-from-external-load-balancers") ==
                0 &&
            strcmp(n->labels[i].value, "true") == 0)
            return true;
    return false;
}

/* Blackholes in BIRD only. Single addresses depend on services, which a plan does not know. */
static void add_ranges(struct compile *c, const struct ip_prefix *p, size_t count,
                       bool single_too) {
    for (size_t i = 0; i < count; i++) {
        bool single = p[i].length == ip_bits((enum ip_family)p[i].addr.family);
        bool has_family = ip_is_set(plan_addr(c->node->node, plan_family(p[i].addr)));
        if (has_family && (single_too || !single))
            add_origin(c, p[i], ROUTE_SOURCE_STATIC, "");
    }
}

static void add_services(struct compile *c) {
    const struct calico_bgp_configuration *g = c->impl->global;
    if (excluded_from_services(c->node->node))
        return;
    add_ranges(c, g->service_cluster_ips, g->service_cluster_ip_count, true);
    add_ranges(c, g->service_external_ips, g->service_external_ip_count, false);
    if (!g->service_lb_aggregation_disabled)
        add_ranges(c, g->service_lb_ips, g->service_lb_ip_count, false);
}

static const struct calico_bgp_peer *peer_find(const struct calico_set *set, const char *name) {
    const struct object *o = set_find(set, OBJECT_PEER, name);
    return o ? o->value : NULL;
}

/* reachableBy: a static route to the peer through a gateway of the node's own segment. */
static void add_reachable(struct compile *c) {
    for (size_t i = 0; i < c->node->session_count; i++) {
        const struct calico_session *s = &c->node->sessions[i];
        const struct calico_bgp_peer *p =
            s->kind != CALICO_MESH && !s->reverse ? peer_find(c->impl->plan.set, s->origin) : NULL;
        if (p && p->has_peer_ip && ip_is_set(p->reachable_by))
            add_origin(c, host_route(s->neighbor), ROUTE_SOURCE_STATIC, c->impl->node_ip_interface);
    }
}

static int compare_origins(const void *a, const void *b) {
    const struct bgp_origin_config *x = a, *y = b;
    int c = ip_prefix_compare(x->prefix, y->prefix);
    return c ? c : (int)x->source - (int)y->source;
}

/* Sorted, and unique by prefix and source: the same range may be given twice. */
static void sort_origins(struct bgp_config *config) {
    uint32_t kept = 0;
    if (config->origin_count > 1)
        qsort(config->origins, config->origin_count, sizeof *config->origins, compare_origins);
    for (uint32_t i = 0; i < config->origin_count; i++)
        if (kept == 0 || compare_origins(&config->origins[kept - 1], &config->origins[i]) != 0)
            config->origins[kept++] = config->origins[i];
    config->origin_count = kept;
}

static void compile_origins(struct compile *c) {
    const struct calico_bgp_configuration *g = c->impl->global;
    size_t room = 2 + c->node->block_count + c->node->pod_count + g->service_cluster_ip_count +
                  g->service_external_ip_count + g->service_lb_ip_count + c->node->session_count;
    c->config->origins = arena_array(c->arena, room, sizeof *c->config->origins);
    if (!c->config->origins) {
        c->out_of_memory = true;
        return;
    }
    add_subnets(c);
    add_blocks(c);
    add_services(c);
    add_reachable(c);
    sort_origins(c->config);
}

/* ---- the whole ---- */

static void compile_frame(struct compile *c, enum bgp_profile profile) {
    struct bgp_config *config = c->config;
    const struct calico_plan_node *n = c->node;
    bool v4 = ip_is_set(n->listen_addr[FAMILY4]), v6 = ip_is_set(n->listen_addr[FAMILY6]);
    bgp_config_init(config, profile);
    snprintf(config->hostname, sizeof config->hostname, "%s", n->node->name);
    config->local_as = n->as_number;
    config->router_id = n->router_id;
    config->cluster_id = n->node->has_cluster_id ? ip4_to_u32(n->node->cluster_id) : 0;
    config->listen = true;
    config->listen_port = n->listen_port;
    /* One listening socket serves both families unless the node has only one. */
    if (v4 != v6)
        config->listen_addr = n->listen_addr[v4 ? FAMILY4 : FAMILY6];
    config->default_local_pref = 100;
    config->fib.install = true;
    config->fib.metric_from_local_pref = true;
}

struct bgp_config *calico_compile(const struct calico_plan *p, const struct calico_plan_node *n,
                                  enum bgp_profile profile, struct arena *arena) {
    struct compile c = {.impl = plan_impl(p), .node = n, .arena = arena};
    c.config = arena_alloc(arena, sizeof *c.config);
    if (!c.config)
        return NULL;
    compile_frame(&c, profile);
    compile_peers(&c);
    if (!c.out_of_memory)
        compile_origins(&c);
    c.config->policies = c.policies;
    c.config->policy_count = (uint32_t)c.policy_count;
    return c.out_of_memory ? NULL : c.config;
}
