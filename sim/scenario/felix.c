/*
 * Felix, as far as the data plane of routes goes.
 *
 * Owns: the rules by which blocks, pools and node addresses become tunnels and routes.
 * Leaves to others: blocks and pods (the plan), making it so (sim/lab/overlay.c), the routes BIRD
 * writes (the speaker, by the kernel filter of its configuration).
 *
 * Tunnel addresses: a node's own where its resource gives one (ipv4IPIPTunnelAddr), else the first
 * address of its block in the first pool of that kind, which the plan gives to no pod. A node
 * without either has the device and no address on it; it is then no VXLAN end for others, as a
 * node is not whose VTEP Felix does not know.
 */
#include "felix.h"

#include "../../speaker/base/arena.h"

#include <string.h>

bool felix_programs(const struct calico_plan *p, const struct calico_ip_pool *pool) {
    enum calico_program_routes bird = calico_program_routes(p);
    if (pool->vxlan)
        return true;
    return bird != CALICO_PROGRAM_ALL &&
           bird != (pool->ipip ? CALICO_PROGRAM_IPIP : CALICO_PROGRAM_NO_ENCAP);
}

/* ---- tunnels ---- */

static bool is_v6(const struct calico_ip_pool *pool) {
    return pool->cidr.addr.family == IP_V6;
}

static enum lab_tunnel tunnel_of(const struct calico_ip_pool *pool) {
    return pool->ipip ? LAB_TUNNEL_IPIP : is_v6(pool) ? LAB_TUNNEL_VXLAN6 : LAB_TUNNEL_VXLAN4;
}

static bool encapsulates(const struct calico_ip_pool *pool) {
    return pool->ipip || pool->vxlan;
}

static struct ip_addr node_addr(const struct calico_plan_node *n, uint8_t family) {
    return family == IP_V6 ? n->node->addr6 : n->node->addr4;
}

static struct ip_addr tunnel_addr(const struct calico_plan_node *n, enum lab_tunnel t) {
    if (t == LAB_TUNNEL_IPIP && ip_is_set(n->node->ipip_tunnel4))
        return n->node->ipip_tunnel4;
    for (size_t i = 0; i < n->block_count; i++) {
        const struct calico_block *b = &n->blocks[i];
        bool single = b->prefix.length == ip_bits((enum ip_family)b->prefix.addr.family);
        if (encapsulates(b->pool) && tunnel_of(b->pool) == t && !single)
            return b->prefix.addr;
    }
    return (struct ip_addr){0};
}

static void choose_ends(const struct calico_plan *p, const struct calico_plan_node *n,
                        struct lab_overlay *o) {
    for (size_t i = 0; i < calico_pool_count(p->set); i++) {
        const struct calico_ip_pool *pool = calico_pool_at(p->set, i);
        struct ip_addr local = node_addr(n, pool->cidr.addr.family);
        if (!encapsulates(pool) || !ip_is_set(local))
            continue;
        o->ends[tunnel_of(pool)] = (struct lab_tunnel_end){
            .wanted = true, .addr = tunnel_addr(n, tunnel_of(pool)), .local = local};
    }
}

bool felix_needed(const struct calico_plan *p) {
    for (size_t i = 0; i < calico_pool_count(p->set); i++) {
        const struct calico_ip_pool *pool = calico_pool_at(p->set, i);
        if (encapsulates(pool) || felix_programs(p, pool))
            return true;
    }
    return false;
}

/* ---- routes ---- */

static bool same_subnet(const struct calico_plan_node *n, struct ip_addr other) {
    struct ip_addr own = node_addr(n, other.family);
    uint8_t length = other.family == IP_V6 ? n->node->length6 : n->node->length4;
    return ip_is_set(own) && ip_prefix_contains_addr(ip_prefix_make(own, length), other);
}

/* False: Felix has no way to that block. */
static bool route_to(const struct calico_plan_node *n, const struct calico_plan_node *other,
                     const struct calico_block *b, struct lab_overlay_route *ret) {
    struct ip_addr outer = node_addr(other, b->prefix.addr.family);
    bool near = same_subnet(n, outer);
    *ret = (struct lab_overlay_route){.prefix = b->prefix, .via = LAB_VIA_LINK, .gateway = outer};
    if (!ip_is_set(outer) || !ip_is_set(node_addr(n, outer.family)))
        return false;
    if (!encapsulates(b->pool) || (b->pool->cross_subnet && near))
        return near;
    ret->via = LAB_VIA_TUNNEL;
    ret->tunnel = tunnel_of(b->pool);
    if (b->pool->vxlan)
        ret->gateway = tunnel_addr(other, ret->tunnel);
    return ip_is_set(ret->gateway);
}

struct lists {
    struct lab_overlay *o;
    struct lab_overlay_route *routes;
    struct lab_overlay_vtep *vteps;
};

static void add_own_blocks(const struct calico_plan *p, const struct calico_plan_node *n,
                           struct lists *l) {
    for (size_t i = 0; i < n->block_count; i++) {
        const struct calico_block *b = &n->blocks[i];
        if (felix_programs(p, b->pool) &&
            b->prefix.length < ip_bits((enum ip_family)b->prefix.addr.family))
            l->routes[l->o->route_count++] =
                (struct lab_overlay_route){.prefix = b->prefix, .via = LAB_VIA_BLACKHOLE};
    }
}

static void add_remote_blocks(const struct calico_plan *p, const struct calico_plan_node *n,
                              const struct calico_plan_node *other, struct lists *l) {
    for (size_t i = 0; i < other->block_count; i++) {
        const struct calico_block *b = &other->blocks[i];
        if (felix_programs(p, b->pool) && route_to(n, other, b, &l->routes[l->o->route_count]))
            l->o->route_count++;
    }
}

static void add_vteps(const struct calico_plan_node *other, uint32_t host, struct lists *l) {
    for (enum lab_tunnel t = LAB_TUNNEL_VXLAN4; t <= LAB_TUNNEL_VXLAN6; t++) {
        struct lab_overlay_vtep v = {.tunnel = t, .host = host, .addr = tunnel_addr(other, t)};
        v.outer = node_addr(other, v.addr.family);
        if (l->o->ends[t].wanted && ip_is_set(v.addr) && ip_is_set(v.outer))
            l->vteps[l->o->vtep_count++] = v;
    }
}

bool felix_overlay(const struct calico_plan *p, const struct calico_plan_node *n,
                   const uint32_t *hosts, struct arena *arena, struct lab_overlay *ret_overlay) {
    struct lab_overlay o = {0};
    size_t blocks = 0;
    for (size_t i = 0; i < p->node_count; i++)
        blocks += p->nodes[i].block_count;
    struct lists l = {.o = &o,
                      .routes = arena_array(arena, blocks + 1, sizeof *l.routes),
                      .vteps = arena_array(arena, 2 * p->node_count + 1, sizeof *l.vteps)};
    if (!l.routes || !l.vteps)
        return false;
    o.routes = l.routes;
    o.vteps = l.vteps;
    choose_ends(p, n, &o);
    add_own_blocks(p, n, &l);
    for (size_t i = 0; i < p->node_count; i++) {
        const struct calico_plan_node *other = &p->nodes[i];
        if (other == n || hosts[i] == UINT32_MAX)
            continue;
        add_remote_blocks(p, n, other, &l);
        add_vteps(other, hosts[i], &l);
    }
    for (size_t i = 0; i < o.route_count; i++)
        l.routes[i].metric = calico_normal_priority(p, l.routes[i].prefix.addr.family);
    *ret_overlay = o;
    return true;
}
