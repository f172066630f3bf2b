/*
 * Owns which rules of Calico speak on a session between a node and a peer: the mesh, then each
 * BGPPeer from its own side and, as a reverse peering, from the other.
 *
 * The conditions are asked again here, one by one, so that each can be named; whether a BGPPeer won
 * its key is read off the plan. A BGPPeer that concerns neither side of the pair stays silent.
 */
#include "explain_internal.h"

#include "selector.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void explain_rule(struct explain *x, int family, const char *rule, const char *verdict,
                  struct diag_place place, const char *format, ...) {
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    json_t *o =
        json_pack("{s:s,s:s,s:s,s:s,s:o,s:o}", "family", family == FAMILY4 ? "ipv4" : "ipv6",
                  "rule", rule, "verdict", verdict, "text", text, "file",
                  place.file && *place.file ? json_string(place.file) : json_null(), "line",
                  place.line ? json_integer(place.line) : json_null());
    x->failed |= json_array_append_new(x->rules, o) != 0;
}

/* ---- the mesh ---- */

static const char *mesh_stop(const struct explain *x, struct diag_place *place) {
    const struct calico_bgp_configuration *c = explain_config(x);
    if (!x->plan->mesh_enabled) {
        *place = c ? c->place : (struct diag_place){0};
        return "nodeToNodeMeshEnabled is false";
    }
    if (!x->peer)
        return "the mesh joins Calico nodes only, and the peer is none";
    if (x->node->node->has_cluster_id) {
        *place = x->node->node->place;
        return "the node has a routeReflectorClusterID: reflectors take no part in the mesh";
    }
    if (x->peer->node->has_cluster_id) {
        *place = x->peer->node->place;
        return "the peer has a routeReflectorClusterID: reflectors take no part in the mesh";
    }
    return NULL;
}

void explain_mesh(struct explain *x, int family) {
    const struct calico_bgp_configuration *c = explain_config(x);
    struct diag_place place = {0};
    const char *stop = mesh_stop(x, &place);
    if (!stop && ip_equal(x->addrs[family], plan_addr(x->node->node, family)))
        stop = "the peer's address is the node's own";
    if (stop) {
        explain_rule(x, family, "mesh", "no", place, "%s", stop);
        return;
    }
    if (c && c->mesh_set)
        place = c->place;
    explain_rule(x, family, "mesh", "session", place, "the node-to-node mesh is on%s",
                 c && c->mesh_set ? "" : " by default");
}

/* ---- both sides of a BGPPeer ---- */

static bool selects(const struct calico_bgp_peer *p, const struct calico_node *n) {
    if (p->node)
        return strcmp(p->node, n->name) == 0;
    return !p->node_selector || selector_matches(p->node_selector, n->labels, n->label_count);
}

static bool has_address(const struct calico_node *n, struct ip_addr a) {
    return ip_equal(n->addr4, a) || ip_equal(n->addr6, a);
}

/* Is `n` (NULL: no Calico node), in a family at `addr`, a remote side of the BGPPeer? */
static bool is_remote(const struct calico_bgp_peer *p, const struct calico_node *n,
                      struct ip_addr addr) {
    if (p->has_peer_ip)
        return ip_equal(p->peer_ip, addr);
    return p->peer_selector && n && selector_matches(p->peer_selector, n->labels, n->label_count);
}

/* "for every node", "node: kube-1", "nodeSelector: rack == 'a'". */
static void side_text(const struct calico_bgp_peer *p, char *text, size_t size) {
    if (p->node)
        snprintf(text, size, "node: %s", p->node);
    else if (p->node_selector)
        snprintf(text, size, "nodeSelector: %s", p->node_selector_text);
    else
        snprintf(text, size, "neither node nor nodeSelector: every node");
}

static void remote_text(const struct calico_bgp_peer *p, char *text, size_t size) {
    char a[IP_ADDR_TEXT_MAX];
    if (p->has_peer_ip)
        snprintf(text, size, "peerIP: %s", ip_format(p->peer_ip, a));
    else if (p->local_workload_selector)
        snprintf(text, size, "localWorkloadSelector: %s", p->local_workload_selector_text);
    else
        snprintf(text, size, "peerSelector: %s",
                 p->peer_selector_text ? p->peer_selector_text : "");
}

/* ---- what came of it ---- */

static const struct calico_session *made(const struct explain *x, int family,
                                         const struct calico_bgp_peer *p, bool reverse,
                                         const struct calico_session **ret_other) {
    *ret_other = NULL;
    for (size_t i = 0; i < x->node->session_count; i++) {
        const struct calico_session *s = &x->node->sessions[i];
        if ((int)s->family != family || !ip_equal(s->neighbor, x->addrs[family]) ||
            s->kind == CALICO_MESH)
            continue;
        if (strcmp(s->origin, p->name) == 0 && s->reverse == reverse)
            return s;
        *ret_other = s;
    }
    return NULL;
}

static const char *stop_without_key(const struct explain *x, int family,
                                    const struct calico_bgp_peer *p, bool reverse) {
    if (!ip_is_set(plan_addr(x->node->node, family)))
        return "the node has no address of this family";
    if (ip_equal(x->addrs[family], plan_addr(x->node->node, family)))
        return "the peer's address is the node's own: a node drops itself";
    if (!reverse && ip_is_set(p->reachable_by) && p->reachable_by.family != x->addrs[family].family)
        return "reachableBy is of the other family: the whole BGPPeer is skipped";
    return "no entry of this family comes of it";
}

static const char *loss_reason(const struct calico_session *winner, const struct calico_bgp_peer *p,
                               bool reverse) {
    bool global = !p->node && !p->node_selector;
    if (winner->kind == CALICO_GLOBAL && (!global || reverse))
        return "a global entry of the same address and port wins on every node";
    if (winner->reverse != reverse)
        return "entries of a BGPPeer's own side are written before reverse peerings";
    return "it was written first; Calico walks BGPPeers in random order, so it may be the other "
           "way round tomorrow";
}

static void outcome(struct explain *x, int family, const struct calico_bgp_peer *p, bool reverse) {
    const struct calico_session *other, *s = made(x, family, p, reverse, &other);
    const char *rule = reverse ? "reverse" : "bgppeer";
    char side[128], remote[128];
    side_text(p, side, sizeof side);
    remote_text(p, remote, sizeof remote);
    if (s)
        explain_rule(x, family, rule, "session", p->place, "BGPPeer %s (%s; %s)%s: %s", p->name,
                     side, remote, reverse ? ", from its other side" : "", s->name);
    else if (other)
        explain_rule(x, family, rule, "loses", p->place,
                     "BGPPeer %s (%s; %s)%s: %s of BGPPeer %s has the key: %s", p->name, side,
                     remote, reverse ? ", from its other side" : "", other->name, other->origin,
                     loss_reason(other, p, reverse));
    else
        explain_rule(x, family, rule, "no", p->place, "BGPPeer %s (%s; %s)%s: %s", p->name, side,
                     remote, reverse ? ", from its other side" : "",
                     stop_without_key(x, family, p, reverse));
}

static void forward(struct explain *x, int family, const struct calico_bgp_peer *p) {
    char side[128];
    const struct calico_node *peer = x->peer ? x->peer->node : NULL;
    const struct calico_session *other;
    /* Which pods a selector means is Felix's to say: here the one that has the session. */
    if (p->local_workload_selector && made(x, family, p, false, &other))
        outcome(x, family, p, false);
    if (p->local_workload_selector || !is_remote(p, peer, x->addrs[family]))
        return;
    side_text(p, side, sizeof side);
    if (selects(p, x->node->node))
        outcome(x, family, p, false);
    else
        explain_rule(x, family, "bgppeer", "no", p->place,
                     "BGPPeer %s names the peer, but its %s does not fit the node", p->name, side);
}

/* ---- from the other side ---- */

static bool reverse_stopped(struct explain *x, int family, const struct calico_bgp_peer *p) {
    uint32_t as = p->as_number ? p->as_number : x->plan->as_number;
    if (p->reverse_manual) {
        explain_rule(x, family, "reverse", "no", p->place,
                     "BGPPeer %s: reversePeering is Manual, so the node gets no other side of it",
                     p->name);
        return true;
    }
    if (p->has_peer_ip && x->node->as_number != as) {
        explain_rule(x, family, "reverse", "no", p->place,
                     "BGPPeer %s names the node by its address, but with AS %u where the node has "
                     "%u: no reverse peering",
                     p->name, as, x->node->as_number);
        return true;
    }
    return false;
}

/* The node as remote side: by address in either family, or by selector. */
static bool node_is_remote(const struct explain *x, const struct calico_bgp_peer *p) {
    const struct calico_node *n = x->node->node;
    if (p->has_peer_ip)
        return has_address(n, p->peer_ip);
    return p->peer_selector && selector_matches(p->peer_selector, n->labels, n->label_count);
}

static void backward(struct explain *x, int family, const struct calico_bgp_peer *p) {
    bool other_family = p->has_peer_ip && plan_family(p->peer_ip) != family;
    if (p->local_workload_selector || !x->peer || other_family || x->peer == x->node ||
        !selects(p, x->peer->node))
        return;
    bool empty = !p->has_peer_ip && !p->peer_ip_unreadable && !p->peer_selector;
    const struct calico_session *other;
    if (empty && made(x, family, p, true, &other)) {
        explain_rule(x, family, "reverse", "session", p->place,
                     "BGPPeer %s names no remote side: every node lacking a family counts as one",
                     p->name);
        return;
    }
    if (!empty && node_is_remote(x, p) && !reverse_stopped(x, family, p))
        outcome(x, family, p, true);
}

void explain_peers(struct explain *x, int family) {
    const struct calico_set *set = x->plan->set;
    for (size_t i = 0; i < calico_peer_count(set); i++)
        forward(x, family, calico_peer_at(set, i));
    for (size_t i = 0; i < calico_peer_count(set); i++)
        backward(x, family, calico_peer_at(set, i));
}
