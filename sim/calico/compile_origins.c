/*
 * Owns the routes a node brings along itself: its IPAM blocks, pods, subnets and routes to peers
 * behind a gateway. Routes for services are made in compile_services.c.
 *
 * Invariants: sorted by prefix, unique by prefix and source.
 */
#include "compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t weight_of(enum route_source source) {
    return source == ROUTE_SOURCE_KERNEL ? 0 : CALICO_WEIGHT_OWN;
}

struct bgp_origin_config *compile_origin(struct compile *c, struct ip_prefix prefix,
                                         enum route_source source, const char *interface) {
    struct bgp_config *config = c->config;
    void *items = config->origins;
    if (!compile_grow(c, &items, config->origin_count, &c->origin_room, sizeof *config->origins))
        return NULL;
    config->origins = items;
    struct bgp_origin_config *o = &config->origins[config->origin_count++];
    *o = (struct bgp_origin_config){
        .prefix = prefix,
        .source = source,
        .metric = compile_normal_priority(c, plan_family(prefix.addr)),
        .weight = weight_of(source),
    };
    snprintf(o->interface, sizeof o->interface, "%s", interface);
    return o;
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
        compile_origin(c, ip_prefix_make(n->addr4, n->length4), ROUTE_SOURCE_DIRECT,
                       c->impl->node_ip_interface);
    if (ip_is_set(n->addr6))
        compile_origin(c, ip_prefix_make(n->addr6, n->length6), ROUTE_SOURCE_DIRECT,
                       c->impl->node_ip_interface);
}

static void add_blocks(struct compile *c) {
    for (size_t i = 0; i < c->node->block_count; i++) {
        struct ip_prefix p = c->node->blocks[i].prefix;
        if (p.length == ip_bits((enum ip_family)p.addr.family))
            continue; /* a single address is in the aggregation policy only */
        struct bgp_origin_config *block = compile_origin(c, p, ROUTE_SOURCE_STATIC, "");
        if (block)
            block->blackhole_in_kernel = true;
    }
    for (size_t i = 0; i < c->node->pod_count; i++)
        compile_origin(c, host_route(c->node->pods[i].addr), ROUTE_SOURCE_KERNEL,
                       c->node->pods[i].interface);
}

static void add_gateway(struct compile *c, struct ip_addr peer, struct ip_addr gateway) {
    struct bgp_origin_config *o =
        compile_origin(c, host_route(peer), ROUTE_SOURCE_STATIC, c->impl->node_ip_interface);
    if (o)
        o->gateway = gateway;
}

/* reachableBy: a static route to the peer through a gateway of the node's own segment. */
static void add_reachable(struct compile *c) {
    for (size_t i = 0; i < c->node->session_count; i++) {
        const struct calico_session *s = &c->node->sessions[i];
        const struct calico_bgp_peer *p = s->kind != CALICO_MESH && !s->reverse
                                              ? calico_peer_find(c->impl->plan.set, s->origin)
                                              : NULL;
        if (p && p->has_peer_ip && ip_is_set(p->reachable_by))
            add_gateway(c, s->neighbor, p->reachable_by);
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

void compile_origins(struct compile *c) {
    add_subnets(c);
    add_blocks(c);
    compile_services(c);
    add_reachable(c);
    if (!c->out_of_memory)
        sort_origins(c->config);
}
