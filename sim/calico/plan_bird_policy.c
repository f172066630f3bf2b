/*
 * Owns Calico's own policies as BIRD functions: the priority kept in metric and local preference,
 * calico_export_to_bgp_peers, and the filter of the kernel protocol. They are written from the
 * resources and not from what compile_policy.c makes of them, so that BIRD can judge that.
 *
 * Order matters in calico_export_to_bgp_peers: what is never exported, communities, own blocks in
 * place of what they hold, static routes, what a reflector passes on, pools; the caller rejects the
 * rest.
 */
#include "plan_bird_internal.h"

#include "../../speaker/base/arena.h"

#include <stdlib.h>
#include <string.h>

uint32_t bird_normal_priority(const struct bird *b) {
    return b->family == FAMILY4 ? b->impl->global->normal_priority4
                                : b->impl->global->normal_priority6;
}

/* ---- priority ---- */

static void put_sync(const struct bird *b) {
    text_printf(b->out,
                "function calico_sync_priority() {\n"
                "  if (source = RTS_BGP) then {\n"
                "    if (defined(bgp_local_pref)) then krt_metric = %u - bgp_local_pref;\n"
                "  } else {\n"
                "    if (! defined(krt_metric)) then krt_metric = %u;\n"
                "    bgp_local_pref = %u - krt_metric;\n"
                "  }\n"
                "}\n\n",
                BIRD_PRIORITY_BASE, bird_normal_priority(b), BIRD_PRIORITY_BASE);
}

/* ---- export ---- */

static bool programs_ipip(const struct bird *b) {
    return calico_program_routes(&b->impl->plan) == CALICO_PROGRAM_ALL ||
           calico_program_routes(&b->impl->plan) == CALICO_PROGRAM_IPIP;
}

static bool programs_no_encap(const struct bird *b) {
    return calico_program_routes(&b->impl->plan) == CALICO_PROGRAM_ALL ||
           calico_program_routes(&b->impl->plan) == CALICO_PROGRAM_NO_ENCAP;
}

static void put_pools(const struct bird *b, bool disabled_export) {
    const struct calico_set *set = b->impl->plan.set;
    char text[IP_PREFIX_TEXT_MAX];
    for (size_t i = 0; i < calico_pool_count(set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(set, i);
        if (plan_family(p->cidr.addr) == b->family && p->disable_bgp_export == disabled_export)
            text_printf(b->out, "  if (net ~ %s) then %s; # IPPool %s\n",
                        bird_prefix(p->cidr, text), disabled_export ? "reject" : "accept", p->name);
    }
}

static void put_interfaces(const struct bird *b) {
    text_puts(b->out, "  if (internal_peer) then {\n"
                      "    if (defined(ifname) && ifname ~ \"*.cali\") then reject;\n"
                      "    if (defined(ifname) && ifname ~ \"*.calico\") then reject;\n");
    if (!programs_ipip(b))
        text_puts(b->out, "    if (defined(ifname) && ifname ~ \"tunl0\") then reject;\n");
    text_puts(b->out, "  }\n"
                      "  if (defined(ifname) && ifname ~ \"bpf*.cali\") then reject;\n");
}

static int compare_values(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_advertisement(const struct bird *b, const struct compile *c,
                              const struct calico_bgp_configuration *from,
                              const struct calico_cidr_communities *a) {
    char text[IP_PREFIX_TEXT_MAX];
    const char **values = arena_array(b->arena, a->community_count + 1, sizeof *values);
    if (!values) {
        b->out->failed = true;
        return;
    }
    for (size_t i = 0; i < a->community_count; i++)
        values[i] = compile_community_value(c, from, a->communities[i]);
    qsort(values, a->community_count, sizeof *values, compare_values);
    text_printf(b->out, "  if (net ~ %s) then {", bird_prefix(a->cidr, text));
    for (size_t i = 0; i < a->community_count; i++) {
        if (i > 0 && strcmp(values[i - 1], values[i]) == 0)
            continue;
        text_printf(b->out, " %s.add(", bird_community_list(values[i]));
        bird_community(b->out, values[i]);
        text_puts(b->out, ");");
    }
    text_puts(b->out, " }\n");
}

static void put_communities(const struct bird *b) {
    const struct compile c = {.impl = b->impl, .node = b->node, .arena = b->arena};
    const struct calico_bgp_configuration *from = compile_advertising(&c);
    for (size_t i = 0; i < from->prefix_advertisement_count; i++) {
        const struct calico_cidr_communities *a = &from->prefix_advertisements[i];
        if (ip_is_set(a->cidr.addr) && plan_family(a->cidr.addr) == b->family)
            put_advertisement(b, &c, from, a);
    }
}

static void put_blocks(const struct bird *b) {
    char text[IP_PREFIX_TEXT_MAX];
    for (size_t i = 0; i < b->node->block_count; i++) {
        struct ip_prefix p = b->node->blocks[i].prefix;
        if (plan_family(p.addr) != b->family)
            continue;
        bird_prefix(p, text);
        text_printf(b->out, "  if (net = %s) then accept; # an own block\n", text);
        if (b->impl->plan.rules.priorities)
            text_printf(b->out, "  if (net ~ %s && krt_metric < %u) then accept;\n", text,
                        bird_normal_priority(b));
        text_printf(b->out, "  if (net ~ %s) then reject;\n", text);
    }
}

static void put_ranges(const struct bird *b, const struct ip_prefix *p, size_t count) {
    char text[IP_PREFIX_TEXT_MAX];
    for (size_t i = 0; i < count; i++)
        if (plan_family(p[i].addr) == b->family)
            text_printf(b->out, "  if (net ~ %s) then accept;\n", bird_prefix(p[i], text));
}

void bird_export_policy(const struct bird *b) {
    const struct calico_bgp_configuration *g = b->impl->global;
    if (b->impl->plan.rules.priorities)
        put_sync(b);
    text_puts(b->out, "# `accept` and `reject` end the filter that calls this.\n"
                      "function calico_export_to_bgp_peers(bool internal_peer) {\n");
    put_pools(b, true);
    put_interfaces(b);
    put_communities(b);
    put_blocks(b);
    text_puts(b->out, "  if (source = RTS_STATIC) then accept;\n");
    if (b->node->node->has_cluster_id) {
        put_ranges(b, g->service_lb_ips, g->service_lb_ip_count);
        if (b->impl->plan.rules.reflector_external)
            put_ranges(b, g->service_external_ips, g->service_external_ip_count);
    }
    put_pools(b, false);
    text_puts(b->out, "}\n\n");
}

/* ---- the kernel ---- */

static void put_rejected(const struct bird *b, const struct ip_prefix *p, size_t count) {
    char text[IP_PREFIX_TEXT_MAX];
    for (size_t i = 0; i < count; i++)
        if (plan_family(p[i].addr) == b->family)
            text_printf(b->out, "  if (net ~ %s) then reject; # a service range\n",
                        bird_prefix(p[i], text));
}

/* Service addresses never reach the kernel, learned ones within the ranges neither. */
static void put_services(const struct bird *b) {
    const struct calico_bgp_configuration *g = b->impl->global;
    put_rejected(b, g->service_cluster_ips, g->service_cluster_ip_count);
    put_rejected(b, g->service_external_ips, g->service_external_ip_count);
    put_rejected(b, g->service_lb_ips, g->service_lb_ip_count);
}

static void put_metric(const struct bird *b) {
    if (!b->impl->plan.rules.priorities)
        return;
    text_printf(b->out,
                "  if (source = RTS_BGP) then {\n"
                "    if (! defined(krt_metric)) then krt_metric = %u - bgp_local_pref;\n"
                "    if (krt_metric < %u) then preference = 200;\n"
                "  }\n",
                BIRD_PRIORITY_BASE, bird_normal_priority(b));
}

/* What goes by a neighbour with WireGuard is Felix's, on a node that has it too. */
static void put_wireguard(const struct bird *b) {
    const struct calico_plan *p = &b->impl->plan;
    const struct calico_node *me = b->node->node;
    char text[IP_ADDR_TEXT_MAX];
    if (!ip_is_set(plan_wireguard(me, b->family)))
        return;
    for (size_t i = 0; i < p->node_count; i++) {
        const struct calico_node *n = p->nodes[i].node;
        struct ip_addr a = plan_addr(n, b->family);
        if (n != me && ip_is_set(a) && ip_is_set(plan_wireguard(n, b->family)))
            text_printf(b->out,
                        "  if (defined(bgp_next_hop) && bgp_next_hop = %s) then reject;"
                        " # WireGuard: Felix writes them\n",
                        ip_format(a, text));
    }
}

/* Who writes the routes of a pool: Felix those of VXLAN, BIRD or Felix the others. */
static const char *pool_decision(const struct bird *b, const struct calico_ip_pool *p) {
    if (p->vxlan)
        return "reject; # VXLAN: Felix writes them";
    if (p->ipip && !programs_ipip(b))
        return "reject; # IPIP: Felix writes them";
    if (!p->ipip && !programs_no_encap(b))
        return "reject; # no encapsulation: Felix writes them";
    if (b->family == FAMILY6)
        return NULL;
    return p->ipip ? "accept; # with krt_tunnel = \"tunl0\", which only Calico's BIRD knows"
                   : "accept;";
}

void bird_kernel_policy(const struct bird *b) {
    const struct calico_set *set = b->impl->plan.set;
    char text[IP_PREFIX_TEXT_MAX];
    text_puts(b->out, "filter calico_kernel_programming {\n");
    put_services(b);
    put_metric(b);
    put_wireguard(b);
    for (size_t i = 0; i < calico_pool_count(set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(set, i);
        const char *decision = pool_decision(b, p);
        if (plan_family(p->cidr.addr) == b->family && decision)
            text_printf(b->out, "  if (net ~ %s) then %s\n", bird_prefix(p->cidr, text), decision);
    }
    text_puts(b->out, "  accept;\n}\n\n");
}
