/*
 * NEXT_HOP of a route on its way over one end: self, what it was, or what a policy made of it. The
 * second opinion on core/export.c. RFC 4271 5.1.3; 2545 3; 7947 2.2.
 */
#include "oracle_internal.h"

#include "../../speaker/core/profile.h"

static bool is_peer_address(const struct bgp_config *c, struct ip_addr a) {
    for (uint32_t i = 0; i < c->peer_count; i++) {
        if (ip_equal(c->peers[i].remote_addr, a))
            return true;
    }
    return false;
}

/* RFC 4271 5.1.3 2 allows, and the speaker uses it for, the neighbour's own address and that of a
 * router with which it has no session: what one neighbour may be told, all others may. */
static bool third_party(const struct oracle *o, uint32_t u, const struct oracle_end *e,
                        const struct oracle_path *best) {
    struct ip_addr next_hop = best->attrs->next_hop;
    if (!profile_get(oracle_config(o, u)->profile)->third_party_next_hop || !ip_is_set(next_hop))
        return false;
    const struct oracle_node *n = &o->in.nodes[u];
    for (size_t i = 0; i < n->subnet_count; i++) {
        if (ip_prefix_contains_addr(n->subnets[i], e->remote) &&
            ip_prefix_contains_addr(n->subnets[i], next_hop))
            return ip_equal(next_hop, o->states[u].ends[best->end].remote) ||
                   !is_peer_address(oracle_config(o, u), next_hop);
    }
    return false;
}

/* RFC 2545 3: of no use to whoever is not on the link it was learned on. */
static bool ends_with_link(struct ip_addr next_hop) {
    return next_hop.family == IP_V6 && ip_is_link_local(next_hop);
}

static bool gateway_leaves(const struct bgp_config *c, const struct bgp_peer_config *p,
                           const struct oracle_end *e) {
    bool kept = oracle_is_bird(c) && p->next_hop_mode == BGP_NEXT_HOP_KEEP;
    return p->next_hop_mode != BGP_NEXT_HOP_SELF && (!e->outside || kept);
}

struct ip_addr oracle_next_hop_sent(const struct oracle *o, uint32_t u, const struct oracle_end *e,
                                    const struct oracle_path *best) {
    const struct bgp_peer_config *p = &oracle_config(o, u)->peers[e->peer];
    struct ip_addr learned = best->attrs->next_hop;
    bool reflected = oracle_is_internal(&o->states[u], best) && !e->external;
    if (!ip_is_set(learned) || p->next_hop_mode == BGP_NEXT_HOP_SELF_ALL)
        return e->local;
    bool server = e->outside && p->transparent && !best->own;
    bool kept = p->next_hop_mode == BGP_NEXT_HOP_KEEP && !best->own;
    if (ends_with_link(learned) && !server && !kept)
        return e->local;
    if (best->own) /* a gateway is kept inside the AS; BIRD: outside if it is to be */
        return gateway_leaves(oracle_config(o, u), p, e) ? learned : e->local;
    if (p->next_hop_mode == BGP_NEXT_HOP_SELF)
        return reflected ? learned : e->local;
    if (p->next_hop_mode == BGP_NEXT_HOP_KEEP || (e->outside && p->transparent))
        return learned;
    if (!e->outside)
        return learned;
    return p->multihop == 0 && third_party(o, u, e, best) ? learned : e->local;
}

struct ip_addr oracle_next_hop_behind(const struct oracle *o, uint32_t u,
                                      const struct oracle_end *e, const struct oracle_path *best,
                                      enum oracle_next_hop done, struct ip_addr now) {
    switch (done) {
    case ORACLE_NEXT_HOP_SELF:
        return e->local;
    case ORACLE_NEXT_HOP_PEER:
        return e->remote;
    case ORACLE_NEXT_HOP_SET:
        if (ip_is_set(now))
            return now;
        break;
    case ORACLE_NEXT_HOP_UNTOUCHED:
        break;
    }
    return oracle_is_bird(oracle_config(o, u)) ? now : oracle_next_hop_sent(o, u, e, best);
}

/* RFC 4271 5.1.3: an own route does not go to a neighbour that is its next hop. BIRD: no route. */
const char *oracle_next_hop_stop(const struct oracle *o, uint32_t u, const struct oracle_end *e,
                                 const struct oracle_path *best, struct ip_addr next_hop) {
    bool spared = best->own || oracle_is_bird(oracle_config(o, u));
    return spared && ip_equal(next_hop, e->remote) ? "the next hop is the neighbor's own address"
                                                   : NULL;
}
