/*
 * Owns the routes a node announces for Kubernetes services: the ranges of BGPConfiguration, and
 * single addresses of services.
 *
 * All of them are static blackholes of BIRD's own, never in the kernel:
 *   - each range of serviceClusterIPs, and each range of serviceExternalIPs and
 *     serviceLoadBalancerIPs that is no single address, on every node; with
 *     serviceLoadBalancerAggregation Disabled none of the last;
 *   - a service with externalTrafficPolicy Local: its addresses, where an endpoint is ready;
 *   - another one: its addresses that stand as single ones in the configuration, on every node, and
 *     with aggregation Disabled its load balancer addresses, if any endpoint is ready.
 * A node with the label node.kubernetes.io/exclude-from-external-load-balancers=true has none.
 */
#include "compile.h"

#include <stdlib.h>
#include <string.h>

#define EXCLUDE_LABEL "node.kubernetes.io/exclude-from-external-load-balancers"

struct ranges {
    const struct ip_prefix *items;
    size_t count;
};

static bool is_single(struct ip_prefix p) {
    return p.length == ip_bits((enum ip_family)p.addr.family);
}

static bool ranges_contain(struct ranges r, struct ip_addr a) {
    for (size_t i = 0; i < r.count; i++)
        if (ip_prefix_contains_addr(r.items[i], a))
            return true;
    return false;
}

static bool ranges_have_single(struct ranges r, struct ip_addr a) {
    for (size_t i = 0; i < r.count; i++)
        if (is_single(r.items[i]) && ip_equal(r.items[i].addr, a))
            return true;
    return false;
}

static bool is_excluded(const struct calico_node *n) {
    for (size_t i = 0; i < n->label_count; i++)
        if (strcmp(n->labels[i].name, EXCLUDE_LABEL) == 0 &&
            strcmp(n->labels[i].value, "true") == 0)
            return true;
    return false;
}

/* ---- ranges ---- */

static void add_route(struct compile *c, struct ip_prefix p) {
    if (ip_is_set(plan_addr(c->node->node, plan_family(p.addr))))
        (void)compile_origin(c, p, ROUTE_SOURCE_STATIC, "");
}

static void add_ranges(struct compile *c, struct ranges r, bool single_too) {
    for (size_t i = 0; i < r.count; i++)
        if (single_too || !is_single(r.items[i]))
            add_route(c, r.items[i]);
}

/* ---- services ---- */

struct readiness {
    bool here, anywhere;
};

/* A slice against a service, by namespace and name. */
static int compare_slice(const struct calico_endpoint_slice *slice, const char *name_space,
                         const char *service) {
    int c = strcmp(slice->name_space, name_space);
    return c ? c : strcmp(slice->service, service);
}

static int compare_slices(const void *a, const void *b) {
    const struct calico_endpoint_slice *x = *(const struct calico_endpoint_slice *const *)a,
                                       *y = *(const struct calico_endpoint_slice *const *)b;
    return compare_slice(x, y->name_space, y->service);
}

void plan_slices(struct plan_build *b) {
    struct plan_impl *p = b->p;
    size_t all = calico_slice_count(b->set);
    p->slices = plan_array(b, b->arena, all + 1, sizeof(struct calico_endpoint_slice *));
    if (!p->slices)
        return;
    for (size_t i = 0; i < all; i++)
        if (calico_slice_at(b->set, i)->service)
            p->slices[p->slice_count++] = calico_slice_at(b->set, i);
    if (p->slice_count > 1)
        qsort(p->slices, p->slice_count, sizeof(struct calico_endpoint_slice *), compare_slices);
}

/* The first slice not before those of the service. */
static size_t first_slice(const struct plan_impl *p, const struct calico_service *s) {
    size_t low = 0, high = p->slice_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_slice(p->slices[middle], s->name_space, s->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct readiness endpoints_of(const struct compile *c, const struct calico_service *s) {
    const struct plan_impl *p = c->impl;
    struct readiness r = {false, false};
    for (size_t i = first_slice(p, s); i < p->slice_count; i++) {
        const struct calico_endpoint_slice *slice = p->slices[i];
        if (compare_slice(slice, s->name_space, s->name) != 0)
            break;
        for (size_t j = 0; j < slice->endpoint_count; j++) {
            const struct calico_endpoint *e = &slice->endpoints[j];
            r.anywhere |= e->ready;
            r.here |= e->ready && e->node && strcmp(e->node, c->node->node->name) == 0;
        }
    }
    return r;
}

static void add_addresses(struct compile *c, const struct ip_addr *addrs, size_t count,
                          struct ranges allowed, bool single_only) {
    for (size_t i = 0; i < count; i++)
        if (single_only ? ranges_have_single(allowed, addrs[i]) : ranges_contain(allowed, addrs[i]))
            add_route(c, ip_prefix_make(addrs[i], ip_bits((enum ip_family)addrs[i].family)));
}

static void add_service(struct compile *c, const struct calico_service *s) {
    const struct calico_bgp_configuration *g = c->impl->global;
    struct ranges cluster = {g->service_cluster_ips, g->service_cluster_ip_count};
    struct ranges external = {g->service_external_ips, g->service_external_ip_count};
    struct ranges lb = {g->service_lb_ips, g->service_lb_ip_count};
    bool aggregated = !calico_lb_aggregation_disabled(&c->impl->plan);
    if (s->type == CALICO_SERVICE_EXTERNAL_NAME || s->cluster_ip_count == 0)
        return;
    struct readiness ready = endpoints_of(c, s);
    if (s->local_policy) {
        if (!ready.here)
            return;
        add_addresses(c, s->cluster_ips, s->cluster_ip_count, cluster, false);
        add_addresses(c, s->external_ips, s->external_ip_count, external, false);
        add_addresses(c, s->lb_ips, s->lb_ip_count, lb, false);
        return;
    }
    add_addresses(c, s->external_ips, s->external_ip_count, external, true);
    if (aggregated || ready.anywhere)
        add_addresses(c, s->lb_ips, s->lb_ip_count, lb, aggregated);
}

void compile_services(struct compile *c) {
    const struct calico_bgp_configuration *g = c->impl->global;
    const struct calico_set *set = c->impl->plan.set;
    if (is_excluded(c->node->node))
        return;
    add_ranges(c, (struct ranges){g->service_cluster_ips, g->service_cluster_ip_count}, true);
    add_ranges(c, (struct ranges){g->service_external_ips, g->service_external_ip_count}, false);
    if (!calico_lb_aggregation_disabled(&c->impl->plan))
        add_ranges(c, (struct ranges){g->service_lb_ips, g->service_lb_ip_count}, false);
    for (size_t i = 0; i < calico_service_count(set); i++)
        add_service(c, calico_service_at(set, i));
}
