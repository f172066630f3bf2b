/*
 * Owns Calico's own import and export policies as terms of the common policy engine: the metric in
 * the local preference, calico_export_to_bgp_peers, and what import does behind the BGPFilters.
 *
 * Invariants: the terms of calico_export_to_bgp_peers stand in the order of Calico's function;
 * peerType is asked of the session, so one policy serves internal and external sessions.
 */
#include "compile.h"

#include "../../speaker/base/arena.h"
#include "calico_community.h"

#include <stdlib.h>
#include <string.h>

/* ---- metric and local preference ---- */

/* One term that holds for every route. */
static uint16_t always(struct compile *c, const char *name, const struct policy_match *match,
                       const struct policy_action *action) {
    struct compile_terms e = {.c = c};
    struct policy_term *t = match ? compile_term_matches(&e, name, POLICY_NEXT_POLICY, match, 1)
                                  : compile_term(&e, name, POLICY_NEXT_POLICY);
    struct policy_action *a = t ? compile_take(c, 1, sizeof *a) : NULL;
    if (!a)
        return 0;
    *a = *action;
    t->actions = a;
    t->action_count = 1;
    return compile_policy_of(&e, name, POLICY_NEXT_POLICY);
}

uint16_t compile_metric_sync(struct compile *c) {
    const struct policy_action sync = {.kind = POLICY_LOCAL_PREF_FROM_METRIC,
                                       .value = CALICO_PRIORITY_BASE};
    if (!c->sync)
        c->sync = (uint16_t)(always(c, "local preference from metric", NULL, &sync) + 1);
    return (uint16_t)(c->sync - 1);
}

/* The metric of the route is below the normal one. */
static struct policy_match better_than_normal(const struct compile *c, int family) {
    return (struct policy_match){.kind = POLICY_MATCH_LOCAL_PREF_ABOVE,
                                 .value =
                                     CALICO_PRIORITY_BASE - compile_normal_priority(c, family)};
}

uint16_t compile_calico_import(struct compile *c, int family) {
    const struct policy_match better = better_than_normal(c, family);
    const struct policy_action prefer = {.kind = POLICY_SET_WEIGHT,
                                         .value = CALICO_WEIGHT_PREFERRED};
    if (!c->import[family])
        c->import[family] =
            (uint16_t)(always(c,
                              family == FAMILY4 ? "preferred over local workload routes"
                                                : "preferred over local workload routes, IPv6",
                              &better, &prefer) +
                       1);
    return (uint16_t)(c->import[family] - 1);
}

/* ---- calico_export_to_bgp_peers ---- */

static void add_pools(struct compile_terms *e, bool disabled_export) {
    const struct calico_set *set = e->c->impl->plan.set;
    for (size_t i = 0; i < calico_pool_count(set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(set, i);
        if (plan_family(p->cidr.addr) == e->family && p->disable_bgp_export == disabled_export)
            compile_prefix_term(e, disabled_export ? "pool with disableBGPExport" : "pool", p->cidr,
                                disabled_export ? POLICY_REJECT : POLICY_ACCEPT);
    }
}

static void add_interfaces(struct compile_terms *e) {
    static const char *const internal[] = {"*.cali", "*.calico", "tunl0"};
    enum calico_program_routes routes = calico_program_routes(&e->c->impl->plan);
    bool bird_owns_ipip = routes == CALICO_PROGRAM_ALL || routes == CALICO_PROGRAM_IPIP;
    for (size_t i = 0; i < (bird_owns_ipip ? 2u : 3u); i++) {
        const struct policy_match m[] = {
            {.kind = POLICY_MATCH_PEER_EXTERNAL, .value = 0},
            {.kind = POLICY_MATCH_INTERFACE, .text = internal[i]},
        };
        compile_term_matches(e, "tunnel interface to an internal peer", POLICY_REJECT, m, 2);
    }
    const struct policy_match bpf = {.kind = POLICY_MATCH_INTERFACE, .text = "bpf*.cali"};
    compile_term_matches(e, "bpf interface", POLICY_REJECT, &bpf, 1);
}

/* ---- communities of prefixAdvertisements ---- */

/* The node's own list replaces the global one, even for the other family. */
const struct calico_bgp_configuration *compile_advertising(const struct compile *c) {
    const struct calico_bgp_configuration *own =
        calico_config_of_node(c->impl->plan.set, c->node->node->name);
    return own && own->prefix_advertisements_set ? own : c->impl->global;
}

const char *compile_community_value(const struct compile *c,
                                    const struct calico_bgp_configuration *from, const char *use) {
    const struct calico_bgp_configuration *all[] = {from, c->impl->global};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < all[k]->community_count; i++)
            if (strcmp(all[k]->communities[i].name, use) == 0)
                return all[k]->communities[i].value;
    return use;
}

static int compare_u32(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int compare_large(const void *a, const void *b) {
    const struct large_community *x = a, *y = b;
    int c = compare_u32(&x->global, &y->global);
    c = c ? c : compare_u32(&x->local1, &y->local1);
    return c ? c : compare_u32(&x->local2, &y->local2);
}

/* Sorts and drops what stands twice; the new count. */
static size_t sort_unique(void *items, size_t count, size_t size,
                          int (*compare)(const void *, const void *)) {
    char *at = items;
    size_t kept = 0;
    if (count > 1)
        qsort(items, count, size, compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare(at + (kept - 1) * size, at + i * size) != 0)
            memmove(at + kept++ * size, at + i * size, size);
    return kept;
}

/* Both kinds of communities as actions, sorted and without duplicates. */
static void advertisement_actions(struct compile *c, const struct calico_bgp_configuration *from,
                                  const struct calico_cidr_communities *a, struct policy_term *t) {
    uint32_t *standard = compile_take(c, a->community_count + 1, sizeof *standard);
    struct large_community *large = compile_take(c, a->community_count + 1, sizeof *large);
    struct policy_action *actions = compile_take(c, 2, sizeof *actions);
    struct calico_community parsed;
    size_t standards = 0, larges = 0;
    if (!standard || !large || !actions)
        return;
    for (size_t i = 0; i < a->community_count; i++) {
        enum calico_community_kind kind =
            calico_community_parse(compile_community_value(c, from, a->communities[i]), &parsed);
        if (kind == COMMUNITY_STANDARD)
            standard[standards++] = parsed.standard;
        else if (kind == COMMUNITY_LARGE)
            large[larges++] = parsed.large;
    }
    standards = sort_unique(standard, standards, sizeof *standard, compare_u32);
    larges = sort_unique(large, larges, sizeof *large, compare_large);
    if (standards)
        actions[t->action_count++] = (struct policy_action){
            .kind = POLICY_ADD_COMMUNITIES, .asns = standard, .asn_count = (uint32_t)standards};
    if (larges)
        actions[t->action_count++] =
            (struct policy_action){.kind = POLICY_ADD_LARGE_COMMUNITIES,
                                   .large_communities = large,
                                   .large_community_count = (uint32_t)larges};
    t->actions = actions;
}

static void add_advertisements(struct compile_terms *e) {
    const struct calico_bgp_configuration *from = compile_advertising(e->c);
    for (size_t i = 0; i < from->prefix_advertisement_count; i++) {
        const struct calico_cidr_communities *a = &from->prefix_advertisements[i];
        if (!ip_is_set(a->cidr.addr) || plan_family(a->cidr.addr) != e->family)
            continue;
        struct policy_term *t =
            compile_prefix_term(e, "communities for", a->cidr, POLICY_NEXT_TERM);
        if (t)
            advertisement_actions(e->c, from, a, t);
    }
}

/* ---- blocks, services ---- */

static void add_block(struct compile_terms *e, struct ip_prefix block) {
    char text[IP_PREFIX_TEXT_MAX];
    ip_prefix_format(block, text);
    struct compile *c = e->c;
    struct policy_match exact = compile_prefix_match(c, block, block.length, block.length, false);
    compile_term_matches(e, arena_printf(c->arena, "own block %s", text), POLICY_ACCEPT, &exact, 1);
    const struct policy_match migrating[] = {compile_inside_match(c, block),
                                             better_than_normal(c, e->family)};
    if (c->impl->plan.rules.priorities)
        compile_term_matches(e, arena_printf(c->arena, "preferred route in own block %s", text),
                             POLICY_ACCEPT, migrating, 2);
    compile_prefix_term(e, "aggregated into own block", block, POLICY_REJECT);
}

static void add_blocks(struct compile_terms *e) {
    for (size_t i = 0; i < e->c->node->block_count; i++)
        if (plan_family(e->c->node->blocks[i].prefix.addr) == e->family)
            add_block(e, e->c->node->blocks[i].prefix);
}

static void add_service_ranges(struct compile_terms *e, const struct ip_prefix *p, size_t count,
                               const char *what) {
    for (size_t i = 0; i < count; i++)
        if (plan_family(p[i].addr) == e->family)
            compile_prefix_term(e, what, p[i], POLICY_ACCEPT);
}

uint16_t compile_calico_export(struct compile *c, int family) {
    struct compile_terms e = {.c = c, .family = family};
    const struct calico_bgp_configuration *g = c->impl->global;
    if (c->export[family])
        return (uint16_t)(c->export[family] - 1);
    add_pools(&e, true);
    add_interfaces(&e);
    add_advertisements(&e);
    add_blocks(&e);
    const struct policy_match is_static = {.kind = POLICY_MATCH_SOURCE,
                                           .value = 1 << ROUTE_SOURCE_STATIC};
    compile_term_matches(&e, "static route", POLICY_ACCEPT, &is_static, 1);
    if (c->node->node->has_cluster_id) {
        add_service_ranges(&e, g->service_lb_ips, g->service_lb_ip_count, "load balancer range");
        if (c->impl->plan.rules.reflector_external)
            add_service_ranges(&e, g->service_external_ips, g->service_external_ip_count,
                               "external service range");
    }
    add_pools(&e, false);
    uint16_t index = compile_policy_of(
        &e, family == FAMILY4 ? "calico_export_to_bgp_peers" : "calico_export_to_bgp_peers, IPv6",
        POLICY_REJECT);
    c->export[family] = (uint16_t)(index + 1);
    return index;
}
