/*
 * Owns what a plan says to the operator: the things Calico does silently. Each has a stable id; a
 * thing that repeats over many sessions is said once, with an example and a number. Here: nodes,
 * BGPPeers, pools; findings.h names the files with the rest.
 *
 * Errors are configurations BIRD refuses to load, which freezes every later change on the node;
 * everything else is a warning, or a note where the plan had to assume something.
 */
#include "findings.h"

#include "../../speaker/core/attr.h"
#include "../../speaker/core/limits.h"

#include <stdio.h>
#include <string.h>

/* ---- what a finding is about ---- */

void finding_pair(struct plan_build *b, const char *one, const char *other) {
    char pair[520];
    snprintf(pair, sizeof pair, "%s - %s", one, other);
    diag_about(b->diags, pair, NULL);
}

struct diag_place finding_place(const struct plan_build *b, const char *peer) {
    const struct calico_bgp_peer *p = *peer ? calico_peer_find(b->set, peer) : NULL;
    if (p)
        return p->place;
    if (b->p->global->place.line || b->p->plan.node_count == 0)
        return b->p->global->place;
    return b->p->plan.nodes[0].node->place;
}

void finding_prefix(struct plan_build *b, struct ip_prefix p) {
    char text[IP_PREFIX_TEXT_MAX];
    diag_about(b->diags, NULL, ip_prefix_format(p, text));
}

/* ---- AS numbers ---- */

/* Reserved for documentation (RFC 5398), as AS_TRANS (RFC 6793), as the last of a size (RFC 7300),
 * or not at all (RFC 7607). */
static const char *reserved_as(uint32_t as) {
    if ((as >= 64496 && as <= 64511) || (as >= 65536 && as <= 65551))
        return "is for documentation only (RFC 5398)";
    if (as == AS_TRANS)
        return "stands for any AS above 65535 (RFC 6793)";
    if (as == 65535 || as == UINT32_MAX)
        return "is reserved (RFC 7300)";
    return NULL;
}

static void as_finding(struct plan_build *b, struct diag_place place, const char *kind,
                       const char *name, const char *field, uint32_t as) {
    const char *why = reserved_as(as);
    if (why)
        WARN(b, place, "reserved-as", "%s \"%s\": %s %u %s", kind, name, field, as, why);
}

static void as_findings(struct plan_build *b) {
    const struct calico_plan *p = &b->p->plan;
    as_finding(b, b->p->global->place, "BGPConfiguration", "default", "spec.asNumber",
               b->p->global->as_number);
    for (size_t i = 0; i < p->node_count; i++)
        as_finding(b, p->nodes[i].node->place, "Node", p->nodes[i].node->name, "asNumber",
                   p->nodes[i].node->as_number);
    for (size_t i = 0; i < b->peering_count; i++) {
        const struct calico_bgp_peer *g = b->peerings[i].peer;
        as_finding(b, g->place, "BGPPeer", g->name, "spec.asNumber", g->as_number);
        as_finding(b, g->place, "BGPPeer", g->name, "spec.localASNumber", g->local_as_number);
    }
}

/* ---- nodes ---- */

static void node_findings(struct plan_build *b) {
    const struct calico_plan *p = &b->p->plan;
    const struct calico_node *first = NULL;
    size_t hashed = 0;
    for (uint32_t i = 0; i < p->node_count; i++) {
        const struct calico_node *n = p->nodes[i].node;
        for (int family = 0; family < BGP_FAMILIES; family++) {
            struct ip_addr a = plan_addr(n, family);
            uint32_t owner = ip_is_set(a) ? plan_node_by_addr(b, a) : i;
            if (owner != i)
                FAIL(b, n->place, "duplicate-address",
                     "Node \"%s\": %s is the address of Node \"%s\" already: BIRD refuses two "
                     "peers of one name on every node",
                     n->name, b->p->info[i].text[family], p->nodes[owner].node->name);
            if (a.family == IP_V6 && ip_is_link_local(a))
                FAIL(b, n->place, "link-local",
                     "Node \"%s\": %s is link-local: Calico's sessions are multihop, BIRD refuses "
                     "them",
                     n->name, b->p->info[i].text[family]);
        }
        if (!ip_is_set(n->addr4) && !ip_is_set(n->addr6))
            WARN(
                b, n->place, "no-address",
                "Node \"%s\": has no BGP address (the annotation projectcalico.org/IPv4Address, or "
                "spec.bgp.ipv4Address): it runs no BGP",
                n->name);
        else if (!ip_is_set(n->addr4) && hashed++ == 0)
            first = n;
    }
    if (first && !b->p->router_id)
        NOTE(b, first->place, "router-id-hash",
             "Node \"%s\"%s no IPv4 address and so no router id: BIRD refuses the configuration "
             "unless CALICO_ROUTER_ID is set",
             first->name, hashed > 1 ? " and others have" : " has");
}

/* ---- BGPPeers ---- */

static void key_findings(struct plan_build *b, const struct peering *g) {
    const struct calico_bgp_peer *p = g->peer;
    if (g->lost_to_global)
        WARN(b, p->place, "shadowed-by-global",
             "BGPPeer \"%s\": the global BGPPeer \"%s\" has the same address and wins on every "
             "node, with its own AS, filters and password (%zu peer%s lost)",
             p->name, g->lost_to_global->peer->name, g->lost_to_global_count,
             g->lost_to_global_count == 1 ? "" : "s");
    if (g->lost_to)
        WARN(b, p->place, "duplicate-peer",
             "BGPPeer \"%s\": has the same address as BGPPeer \"%s\" with other settings: Calico "
             "picks one at random each time; this plan takes \"%s\" (%zu peer%s)",
             p->name, g->lost_to->peer->name, g->lost_to->peer->name, g->lost_count,
             g->lost_count == 1 ? "" : "s");
}

static bool is_global(const struct calico_bgp_peer *p) {
    return !p->node && !p->node_selector;
}

static bool same_key(const struct calico_bgp_peer *p, const struct calico_bgp_peer *q) {
    uint16_t port = p->peer_port ? p->peer_port : 179, other = q->peer_port ? q->peer_port : 179;
    return p->has_peer_ip && q->has_peer_ip && ip_equal(p->peer_ip, q->peer_ip) && port == other;
}

/* Without nodes among the manifests entries cannot be compared, but what every node would get
 * can. */
static void shadow_findings(struct plan_build *b, const struct calico_bgp_peer *p) {
    for (size_t i = 0; b->p->plan.node_count == 0 && i < b->peering_count; i++) {
        const struct calico_bgp_peer *q = b->peerings[i].peer;
        if (q == p || !is_global(q) || !same_key(p, q))
            continue;
        if (!is_global(p))
            WARN(b, p->place, "shadowed-by-global",
                 "BGPPeer \"%s\": the global BGPPeer \"%s\" has the same address and wins on every "
                 "node, with its own AS, filters and password",
                 p->name, q->name);
        else if (strcmp(q->name, p->name) < 0)
            WARN(b, p->place, "duplicate-peer",
                 "BGPPeer \"%s\": has the same address as BGPPeer \"%s\": Calico picks one at "
                 "random "
                 "each time",
                 p->name, q->name);
        else
            continue;
        return;
    }
}

#define HOLD_TIME_S 240 /* of BIRD, which no resource changes */

/* The neighbour may well want less: the smaller hold time counts (RFC 4271 4.2). */
static void keepalive_findings(struct plan_build *b, const struct calico_bgp_peer *p) {
    if (p->keepalive_set && p->keepalive_s >= HOLD_TIME_S)
        WARN(b, p->place, "keepalive-too-long",
             "BGPPeer \"%s\": with keepaliveTime %u s no KEEPALIVE goes out before the hold time's "
             "%d s are over: the session falls again and again",
             p->name, (unsigned)p->keepalive_s, HOLD_TIME_S);
}

static void filter_references(struct plan_build *b, const struct peering *g) {
    const struct calico_bgp_peer *p = g->peer;
    for (size_t i = 0; i < p->filter_count; i++)
        if (!calico_filter_find(b->set, p->filters[i]))
            WARN(b, p->filter_places[i], "missing-filter",
                 "BGPPeer \"%s\": BGPFilter \"%s\" does not exist: Calico skips it silently",
                 p->name, p->filters[i]);
}

/* `owner` names who refers to it: `BGPPeer "x"`. */
static void password_findings(struct plan_build *b, struct diag_place place, const char *owner,
                              const char *name, const struct calico_secret_ref *ref,
                              const struct calico_secret *found) {
    if (!ref->name)
        return;
    if (!found) {
        const char *space = set_secret_elsewhere(b->set, b->p->name_space, ref->name);
        WARN(b, place, "missing-secret",
             "%s \"%s\": there is no Secret \"%s\" with key \"%s\"%s%s%s: the session is made "
             "without a password",
             owner, name, ref->name, ref->key,
             space ? " where calico-node looks (it stands in namespace " : "", space ? space : "",
             space ? ")" : "");
    } else if (strlen(found->value) > BGP_PASSWORD_MAX) {
        FAIL(b, place, "bad-password", "%s \"%s\": the password has more than %d characters", owner,
             name, BGP_PASSWORD_MAX);
    } else if (strpbrk(found->value, "\"\n")) {
        FAIL(b, place, "bad-password",
             "%s \"%s\": the password holds a quote or a line break (encoded with echo instead of "
             "printf?): BIRD refuses the configuration",
             owner, name);
    }
}

static void peer_findings(struct plan_build *b) {
    for (size_t i = 0; i < b->peering_count; i++) {
        const struct peering *g = &b->peerings[i];
        select_findings(b, g);
        key_findings(b, g);
        shadow_findings(b, g->peer);
        keepalive_findings(b, g->peer);
        filter_references(b, g);
        password_findings(b, g->peer->place, "BGPPeer", g->peer->name, &g->peer->password,
                          g->password);
    }
    password_findings(b, b->p->global->place, "BGPConfiguration", "default",
                      &b->p->global->mesh_password, b->mesh_password);
}

/* ---- pools ---- */

static void pool_findings(struct plan_build *b) {
    for (size_t i = 0; i < calico_pool_count(b->set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(b->set, i);
        if (p->ipip || p->vxlan)
            NOTE(b, p->place, "encapsulated-pool",
                 "IPPool \"%s\": %s adds %d octets to a packet between nodes: a pod's MTU is the "
                 "link's less that",
                 p->name, p->ipip ? "IPIP" : "VXLAN",
                 p->ipip                        ? 20
                 : p->cidr.addr.family == IP_V6 ? 70
                                                : 50);
    }
}

/* ---- files BIRD refuses ---- */

/* Said once per family: the cause mostly stands in every node's file. */
static void frozen_findings(struct plan_build *b, int family) {
    const struct calico_plan_node *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < b->p->plan.node_count; i++)
        if (b->p->plan.nodes[i].refused[family] && count++ == 0)
            first = &b->p->plan.nodes[i];
    if (first)
        WARN(b, first->node->place, "frozen-configuration",
             "Node \"%s\": BIRD refuses the IPv%d configuration (%s): it keeps the old one, and "
             "every later change is frozen (%zu node%s)",
             first->node->name, family == FAMILY4 ? 4 : 6, first->refused[family], count,
             count == 1 ? "" : "s");
}

void plan_findings(struct plan_build *b) {
    node_findings(b);
    as_findings(b);
    peer_findings(b);
    filter_findings(b);
    pool_findings(b);
    session_findings(b);
    reach_findings(b);
    version_findings(b);
    frozen_findings(b, FAMILY4);
    frozen_findings(b, FAMILY6);
}
