/*
 * Owns what one stanza says: a mesh neighbour's or a BGPPeer entry's settings as the node's confd
 * would render them. Which neighbours and entries a node has is decided in plan.c and plan_peers.c.
 *
 * The rules: a mesh neighbour without an AS of its own is taken to have this node's; passive is
 * decided by comparing addresses as text, and only in the mesh and for global peers that are
 * Calico nodes; a route reflector treats an iBGP neighbour as its client unless it is known to
 * have the same cluster id.
 */
#include "plan_internal.h"

#include <string.h>

#define MULTIHOP_DEFAULT 64

struct calico_session plan_session_frame(const struct plan_build *b, uint32_t node, int family) {
    const struct calico_plan_node *me = &b->p->plan.nodes[node];
    return (struct calico_session){
        .family = (enum bgp_family)family,
        .local_as = me->as_number,
        .source_address = plan_addr(me->node, family),
        .multihop = MULTIHOP_DEFAULT,
        .next_hop = CALICO_NEXT_HOP_UNSET,
        .origin = "",
        .peer_index = CALICO_NO_NODE,
    };
}

static void set_password(struct calico_session *s, const struct calico_secret_ref *ref,
                         const struct calico_secret *found) {
    if (!ref->name)
        return;
    s->password_state = found ? CALICO_PASSWORD_PRESENT : CALICO_PASSWORD_MISSING;
    s->password = found ? found->value : NULL;
}

void plan_session_mesh(const struct plan_build *b, uint32_t node, uint32_t other, int family,
                       struct calico_session *ret_session) {
    const struct calico_plan_node *me = &b->p->plan.nodes[node], *peer = &b->p->plan.nodes[other];
    const struct calico_bgp_configuration *global = b->p->global;
    struct calico_session s = plan_session_frame(b, node, family);
    s.name = b->p->info[other].mesh_name[family];
    s.kind = CALICO_MESH;
    s.neighbor = plan_addr(peer->node, family);
    s.port = b->p->info[other].port;
    s.peer_node = peer->node->name;
    s.peer_index = other;
    s.peer_as = peer->node->as_number                  ? peer->node->as_number
                : b->p->plan.rules.mesh_peer_global_as ? b->p->plan.as_number
                                                       : me->as_number;
    s.internal = s.peer_as == s.local_as;
    s.passive = strcmp(b->p->info[other].text[family], b->p->info[node].text[family]) > 0;
    set_password(&s, &global->mesh_password, b->mesh_password);
    s.restart_time_set = global->mesh_restart_time_set;
    s.restart_time_s = global->mesh_restart_time_s;
    *ret_session = s;
}

/* The old field keeps the next hop only where the AS changes. */
static enum calico_next_hop_mode next_hop_of(const struct calico_bgp_peer *p, bool internal) {
    if (p->next_hop_mode != CALICO_NEXT_HOP_UNSET)
        return p->next_hop_mode;
    return p->keep_original_next_hop && !internal ? CALICO_NEXT_HOP_KEEP : CALICO_NEXT_HOP_UNSET;
}

static void set_client(const struct calico_node *me, const struct entry *e,
                       struct calico_session *s) {
    uint32_t mine = me->has_cluster_id ? ip4_to_u32(me->cluster_id) : 0;
    bool same = e->cluster_known && e->cluster_id == mine;
    s->rr_client = me->has_cluster_id && s->internal && !same;
    s->cluster_id = s->rr_client ? mine : 0;
}

static void set_copied(const struct entry *e, struct calico_session *s) {
    const struct calico_bgp_peer *p = e->from->peer;
    set_password(s, &p->password, e->from->password);
    if (p->source_address_none)
        s->source_address = (struct ip_addr){0};
    if (p->ttl_security)
        s->ttl_security = s->multihop = p->ttl_security;
    s->next_hop = next_hop_of(p, s->internal);
    s->restart_time_set = p->max_restart_time_set;
    s->restart_time_s = p->max_restart_time_s;
    s->keepalive_set = p->keepalive_set;
    s->keepalive_s = p->keepalive_s;
    s->filters = e->from->filters;
    s->filter_count = e->from->filter_count;
}

bool plan_session_from_entry(const struct plan_build *b, uint32_t node, const struct entry *e,
                             struct calico_session *ret_session) {
    const struct calico_plan_node *me = &b->p->plan.nodes[node];
    const struct calico_bgp_peer *p = e->from->peer;
    int family = plan_family(e->addr);
    struct ip_addr mine = plan_addr(me->node, family);
    char peer_text[IP_ADDR_TEXT_MAX];
    if (!ip_is_set(mine) || ip_equal(mine, e->addr))
        return false;
    struct calico_session s = plan_session_frame(b, node, family);
    s.name = e->name;
    s.kind = e->from->global && !e->reverse ? CALICO_GLOBAL : CALICO_NODE_SPECIFIC;
    s.neighbor = e->addr;
    s.port = e->port;
    s.peer_index = e->node;
    s.peer_node = e->node == CALICO_NO_NODE ? NULL : b->p->plan.nodes[e->node].node->name;
    s.peer_as = e->as_number;
    if (e->by_address && p->local_as_number) {
        s.local_as = p->local_as_number;
        s.local_as_override = true;
    }
    s.allow_local_as = e->by_address ? p->allowed_local_as : 0;
    s.internal = s.peer_as == s.local_as;
    s.passive = s.kind == CALICO_GLOBAL && e->passive_rule &&
                strcmp(ip_format(e->addr, peer_text), b->p->info[node].text[family]) > 0;
    set_client(me->node, e, &s);
    set_copied(e, &s);
    s.origin = p->name;
    s.reverse = e->reverse;
    *ret_session = s;
    return true;
}
