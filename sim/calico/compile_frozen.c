/*
 * Owns what a node runs whose new file BIRD refuses: in that family the sessions it had, with their
 * policies; everything else is new. Where all its families are refused, it also stays who it was:
 * AS, router id, cluster id, listening socket.
 */
#include "plan.h"

#include "../../speaker/base/arena.h"

#include <string.h>

struct merge {
    struct bgp_config *config;
    struct bgp_peer_config *peers;
    uint32_t peer_count;
    uint32_t policy_offset; /* of the old policies behind the new ones */
};

static bool is_of(const struct bgp_peer_config *p, const bool families[BGP_FAMILIES]) {
    return families[p->families[BGP_IPV6_UNICAST] ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST];
}

static bool append_policies(struct merge *m, const struct bgp_config *old, struct arena *arena) {
    struct bgp_config *c = m->config;
    uint32_t count = c->policy_count + old->policy_count;
    struct policy *policies = arena_array(arena, (size_t)count + 1, sizeof *policies);
    if (!policies || count > BGP_POLICIES_MAX)
        return false;
    if (c->policy_count)
        memcpy(policies, c->policies, c->policy_count * sizeof *policies);
    if (old->policy_count)
        memcpy(policies + c->policy_count, old->policies, old->policy_count * sizeof *policies);
    m->policy_offset = c->policy_count;
    c->policies = policies;
    c->policy_count = count;
    return true;
}

static bool move_chain(const struct merge *m, struct policy_chain *chain, struct arena *arena) {
    uint16_t *moved = arena_array(arena, (size_t)chain->count + 1, sizeof *moved);
    for (uint16_t i = 0; moved && i < chain->count; i++)
        moved[i] = (uint16_t)(chain->policies[i] + m->policy_offset);
    chain->policies = moved;
    return moved != NULL;
}

static bool take_old(struct merge *m, const struct bgp_config *old, const bool frozen[BGP_FAMILIES],
                     struct arena *arena) {
    for (uint32_t i = 0; i < old->peer_count; i++) {
        if (!is_of(&old->peers[i], frozen))
            continue;
        struct bgp_peer_config *p = &m->peers[m->peer_count++];
        *p = old->peers[i];
        for (int f = 0; f < BGP_FAMILIES; f++)
            if (!move_chain(m, &p->import[f], arena) || !move_chain(m, &p->export[f], arena))
                return false;
    }
    return true;
}

static void keep_frame(struct bgp_config *c, const struct bgp_config *old) {
    c->local_as = old->local_as;
    c->router_id = old->router_id;
    c->cluster_id = old->cluster_id;
    c->listen_addr4 = old->listen_addr4;
    c->listen_addr6 = old->listen_addr6;
    c->listen_port = old->listen_port;
}

bool calico_compile_frozen(struct bgp_config *c, const struct calico_plan_node *n,
                           const struct bgp_config *old, struct arena *arena) {
    bool frozen[BGP_FAMILIES] = {n->refused[0] != NULL, n->refused[1] != NULL};
    bool wholly =
        (frozen[0] || !ip_is_set(n->node->addr4)) && (frozen[1] || !ip_is_set(n->node->addr6));
    const struct bgp_config *copy = old ? bgp_config_copy(arena, old) : NULL;
    struct merge m = {.config = c};
    size_t room = (size_t)c->peer_count + (copy ? copy->peer_count : 0) + 1;
    m.peers = arena_array(arena, room, sizeof *m.peers);
    if (!m.peers || (old && !copy))
        return false;
    for (uint32_t i = 0; i < c->peer_count; i++)
        if (!is_of(&c->peers[i], frozen))
            m.peers[m.peer_count++] = c->peers[i];
    if (copy && (!append_policies(&m, copy, arena) || !take_old(&m, copy, frozen, arena)))
        return false;
    if (copy && wholly)
        keep_frame(c, copy);
    else if (!ip_is_set(c->router_id)) /* nothing runs that could show it */
        c->router_id = ip4(1);
    c->peers = m.peers;
    c->peer_count = m.peer_count;
    return true;
}
