/*
 * Owns calico_kernel_programming: which of a node's best paths BIRD writes to the kernel, and which
 * through the IPIP tunnel.
 *
 * In order: the ranges of services never; routes by a WireGuard neighbour not, if this node runs
 * WireGuard too; then pool by pool (in order of their text) what programClusterRoutes leaves to
 * Felix not, IPIP through tunl0 (with CrossSubnet only beyond the node's own subnet), the rest as
 * it is. What is in no pool is written. IPv6 knows no IPIP.
 *
 * A node on which nothing of that changes anything has no filter at all.
 */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

#define TUNNEL "tunl0"

/* ---- services, WireGuard ---- */

static void reject_ranges(struct compile_terms *e, const struct ip_prefix *p, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (plan_family(p[i].addr) == e->family)
            compile_prefix_term(e, "service range", p[i], POLICY_REJECT);
}

static struct ip_prefix host_route(struct ip_addr a) {
    return ip_prefix_make(a, ip_bits((enum ip_family)a.family));
}

static void reject_wireguard(struct compile_terms *e) {
    const struct calico_plan *p = &e->c->impl->plan;
    const struct calico_node *me = e->c->node->node;
    struct policy_prefix *peers;
    uint32_t count = 0;
    if (!ip_is_set(plan_wireguard(me, e->family)))
        return;
    peers = compile_take(e->c, p->node_count + 1, sizeof *peers);
    for (size_t i = 0; peers && i < p->node_count; i++) {
        const struct calico_node *n = p->nodes[i].node;
        struct ip_addr a = plan_addr(n, e->family);
        if (n != me && ip_is_set(a) && ip_is_set(plan_wireguard(n, e->family)))
            peers[count++] =
                (struct policy_prefix){host_route(a), ip_bits(a.family), ip_bits(a.family), false};
    }
    const struct policy_match by = {
        .kind = POLICY_MATCH_NEXT_HOP, .prefixes = peers, .prefix_count = count};
    if (count)
        compile_term_matches(e, "by a WireGuard neighbour", POLICY_REJECT, &by, 1);
}

/* ---- pools ---- */

struct named_pool {
    char text[IP_PREFIX_TEXT_MAX];
    const struct calico_ip_pool *pool;
};

static int compare_named(const void *a, const void *b) {
    return strcmp(((const struct named_pool *)a)->text, ((const struct named_pool *)b)->text);
}

static struct named_pool *pools_by_text(const struct compile_terms *e, size_t *ret_count) {
    const struct calico_set *set = e->c->impl->plan.set;
    struct named_pool *pools = compile_take(e->c, calico_pool_count(set) + 1, sizeof *pools);
    size_t count = 0;
    for (size_t i = 0; pools && i < calico_pool_count(set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(set, i);
        if (plan_family(p->cidr.addr) != e->family)
            continue;
        ip_prefix_format(p->cidr, pools[count].text);
        pools[count++].pool = p;
    }
    if (count > 1)
        qsort(pools, count, sizeof *pools, compare_named);
    *ret_count = count;
    return pools;
}

static void into_tunnel(struct compile_terms *e, const struct calico_ip_pool *p) {
    const struct calico_node *me = e->c->node->node;
    const struct policy_match pool = compile_inside_match(e->c, p->cidr);
    struct policy_action *into = compile_take(e->c, 1, sizeof *into);
    if (p->cross_subnet && ip_is_set(me->addr4)) {
        struct policy_match near[] = {
            pool, compile_inside_match(e->c, ip_prefix_make(me->addr4, me->length4))};
        near[1].kind = POLICY_MATCH_NEXT_HOP;
        compile_term_matches(e, "IPIP pool, next hop in the own subnet", POLICY_ACCEPT, near, 2);
    }
    struct policy_term *t =
        compile_term_matches(e, "IPIP pool, through " TUNNEL, POLICY_ACCEPT, &pool, 1);
    if (!t || !into)
        return;
    *into = (struct policy_action){.kind = POLICY_SET_DEVICE, .text = TUNNEL};
    t->actions = into;
    t->action_count = 1;
}

static void add_pool(struct compile_terms *e, const struct calico_ip_pool *p) {
    enum calico_program_routes routes = calico_program_routes(&e->c->impl->plan);
    bool ipip_ours = routes == CALICO_PROGRAM_ALL || routes == CALICO_PROGRAM_IPIP;
    bool plain_ours = routes == CALICO_PROGRAM_ALL || routes == CALICO_PROGRAM_NO_ENCAP;
    if (p->vxlan)
        compile_prefix_term(e, "Felix programs VXLAN pool", p->cidr, POLICY_REJECT);
    else if (p->ipip && !ipip_ours)
        compile_prefix_term(e, "Felix programs IPIP pool", p->cidr, POLICY_REJECT);
    else if (p->ipip)
        into_tunnel(e, p);
    else if (!plain_ours)
        compile_prefix_term(e, "Felix programs pool", p->cidr, POLICY_REJECT);
    else if (e->family == FAMILY4)
        compile_prefix_term(e, "pool", p->cidr, POLICY_ACCEPT);
}

/* ---- the filter ---- */

static bool is_idle(const struct compile_terms *e) {
    for (size_t i = 0; i < e->count; i++)
        if (e->items[i].verdict != POLICY_ACCEPT || e->items[i].action_count > 0)
            return false;
    return true;
}

static void compile_family(struct compile *c, int family) {
    struct compile_terms e = {.c = c, .family = family};
    const struct calico_bgp_configuration *g = c->impl->global;
    size_t pool_count;
    reject_ranges(&e, g->service_cluster_ips, g->service_cluster_ip_count);
    reject_ranges(&e, g->service_external_ips, g->service_external_ip_count);
    reject_ranges(&e, g->service_lb_ips, g->service_lb_ip_count);
    reject_wireguard(&e);
    struct named_pool *pools = pools_by_text(&e, &pool_count);
    for (size_t i = 0; i < pool_count; i++)
        add_pool(&e, pools[i].pool);
    uint16_t *policies = compile_take(c, 1, sizeof *policies);
    if (c->out_of_memory || is_idle(&e))
        return;
    policies[0] = compile_policy_of(
        &e, family == FAMILY4 ? "calico_kernel_programming" : "calico_kernel_programming, IPv6",
        POLICY_ACCEPT);
    c->config->fib.filter[family] =
        (struct policy_chain){.policies = policies, .count = 1, .accept_by_default = true};
}

void compile_kernel_filter(struct compile *c) {
    for (int family = 0; family < BGP_FAMILIES && !c->out_of_memory; family++)
        if (ip_is_set(plan_addr(c->node->node, family)))
            compile_family(c, family);
}
