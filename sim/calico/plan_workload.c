/*
 * Owns sessions with pods of a node (localWorkloadSelector): Felix matches the pods, confd makes
 * one stanza per address. The BGPPeer must name the node side by node or nodeSelector; of several
 * that match one pod the first by name wins.
 *
 * Such a session has no source address, waits to be called, and knows of the BGPPeer only its AS
 * numbers and filters.
 */
#include "plan_internal.h"

#include "selector.h"

#include <stdlib.h>
#include <string.h>

static int compare_index(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool has_node(const struct peering *g, uint32_t node) {
    return !g->global && g->node_count > 0 &&
           bsearch(&node, g->nodes, g->node_count, sizeof node, compare_index) != NULL;
}

/* Pods of a node share their labels, so they share the BGPPeer. */
static struct peering *peering_of(const struct plan_build *b, uint32_t node) {
    const struct plan_impl *p = b->p;
    size_t count = 0;
    const struct calico_label *labels =
        p->pod_labels ? p->pod_labels(p->pods_context, p->plan.nodes[node].node->name, &count)
                      : NULL;
    for (size_t i = 0; i < b->peering_count; i++) {
        struct peering *g = &b->peerings[i];
        const struct selector *s = g->peer->local_workload_selector;
        if (s && has_node(g, node) && selector_matches(s, labels, count))
            return g;
    }
    return NULL;
}

static void make_session(struct plan_build *b, uint32_t node, const struct peering *g,
                         const struct calico_pod *pod, struct calico_session *ret_session) {
    const struct calico_plan_node *me = &b->p->plan.nodes[node];
    const struct calico_bgp_peer *p = g->peer;
    struct calico_session s = plan_session_frame(b, node, plan_family(pod->addr));
    s.name = plan_session_name(b, "Local_Workload_", pod->addr, 0);
    s.kind = CALICO_LOCAL_WORKLOAD;
    s.neighbor = pod->addr;
    s.peer_as = p->as_number;
    s.local_as_override = p->local_as_number != 0;
    s.local_as = p->local_as_number ? p->local_as_number : me->as_number;
    s.internal = s.peer_as == s.local_as;
    s.source_address = (struct ip_addr){0};
    s.passive = true;
    s.rr_client = me->node->has_cluster_id && s.internal;
    s.cluster_id = s.rr_client ? ip4_to_u32(me->node->cluster_id) : 0;
    s.filters = g->filters;
    s.filter_count = g->filter_count;
    s.origin = p->name;
    *ret_session = s;
}

static int compare_sessions(const void *a, const void *b) {
    return strcmp(((const struct calico_session *)a)->name,
                  ((const struct calico_session *)b)->name);
}

size_t plan_workload_sessions(struct plan_build *b, uint32_t node, int family,
                              struct calico_session *sessions) {
    const struct calico_plan_node *n = &b->p->plan.nodes[node];
    struct peering *g = NULL;
    size_t count = 0;
    if (b->has_workload_peers && n->pod_count > 0 && ip_is_set(plan_addr(n->node, family)))
        g = peering_of(b, node);
    for (size_t i = 0; g && i < n->pod_count; i++)
        if (plan_family(n->pods[i].addr) == family)
            make_session(b, node, g, &n->pods[i], &sessions[count++]);
    if (count > 0)
        g->has_session[family] = true;
    if (count > 1)
        qsort(sessions, count, sizeof *sessions, compare_sessions);
    return count;
}
