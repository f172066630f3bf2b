/*
 * What a run needs of the host, counted from its plan before anything is built; and before there is
 * a plan, what a mesh needs at least: the plan of 5,000 nodes is itself too large for most
 * machines.
 */
#include "engine.h"

/* Nodes of the node-to-node mesh, if that is on. */
static size_t mesh_nodes(const struct calico_set *set) {
    const struct calico_bgp_configuration *c = calico_config_find(set, "default");
    size_t count = 0;
    if (c && c->mesh_set && !c->mesh_enabled)
        return 0;
    for (size_t i = 0; i < calico_node_count(set); i++) {
        const struct calico_node *n = calico_node_at(set, i);
        count += !n->has_cluster_id && (ip_is_set(n->addr4) || ip_is_set(n->addr6));
    }
    return count;
}

bool engine_may_fit(struct engine *e, const struct calico_set *set) {
    size_t mesh = mesh_nodes(set);
    struct lab_needs n = {
        .hosts = e->count,
        .sessions = mesh ? mesh * (mesh - 1) / 2 : 0,
        .routes = calico_pool_count(set) ? mesh * mesh : 0,
        .sockets_per_speaker_max = mesh ? mesh - 1 : 0,
        .ipv6 = e->ipv6,
        .routed = e->routed,
        .capture = true,
    };
    struct lab_need list[LAB_NEEDS_MAX];
    struct diag_list *found = diag_list_new();
    if (found)
        (void)host_weigh(&n, list, found);
    bool fits = !found || diag_error_count(found) == 0;
    diag_list_free(found);
    e->least = n;
    e->too_large = !fits;
    return fits;
}

struct lab_needs engine_needs(const struct engine *e) {
    const struct oracle_session *sessions = NULL;
    struct lab_needs n = {
        .hosts = e->count,
        .sessions = oracle_sessions(e->state->oracle, &sessions),
        .ipv6 = e->ipv6,
        .routed = e->routed,
        .capture = true,
    };
    for (uint32_t i = 0; i < e->count; i++) {
        struct oracle_totals t = oracle_totals(e->state->oracle, i);
        const struct bgp_config *c = e->state->configs[i];
        n.routes += (size_t)(t.loc_rib[0] + t.loc_rib[1]);
        for (uint32_t k = 0; c && k < c->peer_count; k++)
            n.password |= c->peers[k].password != NULL;
        if (c && c->peer_count > n.sockets_per_speaker_max)
            n.sockets_per_speaker_max = c->peer_count;
    }
    return n;
}
