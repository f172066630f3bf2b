/*
 * Owns what is said about a BGPPeer's selectors: the node that does not exist, the label that no
 * node has, and nodes that stand beside reflectors without being any.
 */
#include "findings.h"

#include "selector.h"

#include "../../speaker/base/text.h"

#include <string.h>

#define TESTS_MAX 16 /* of one selector that are looked at for a hint */

/* ---- a selector that matches no node ---- */

static const char *label_of(const struct calico_node *n, const char *name) {
    for (size_t i = 0; i < n->label_count; i++)
        if (strcmp(n->labels[i].name, name) == 0)
            return n->labels[i].value;
    return NULL;
}

static const char *nearest_label(const struct calico_plan *p, const char *name) {
    const char *pair[2] = {NULL, NULL};
    for (size_t i = 0; i < p->node_count; i++) {
        const struct calico_node *n = p->nodes[i].node;
        for (size_t k = 0; k < n->label_count; k++) {
            pair[1] = n->labels[k].name;
            pair[0] = text_nearest(name, pair[0] ? pair : pair + 1, pair[0] ? 2 : 1);
        }
    }
    return pair[0];
}

/* Does a node pass the test? Otherwise *ret_holder is the first with the label, if any has it. */
static bool is_met(const struct calico_plan *p, const struct selector_test *t,
                   const struct calico_node **ret_holder) {
    const struct calico_node *holder = NULL;
    for (size_t i = 0; i < p->node_count; i++) {
        const char *value = label_of(p->nodes[i].node, t->label);
        if (value && (!t->value || strcmp(value, t->value) == 0))
            return true;
        if (value && !holder)
            holder = p->nodes[i].node;
    }
    *ret_holder = holder;
    return false;
}

/* Appended: the first of its tests that no node passes, and what there is in its place. */
static void put_hint(const struct calico_plan *p, const struct selector *s, struct text *out) {
    struct selector_test tests[TESTS_MAX];
    size_t count = selector_tests(s, tests, TESTS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct selector_test *t = &tests[i];
        const struct calico_node *holder = NULL;
        if (is_met(p, t, &holder))
            continue;
        const char *near = holder ? NULL : nearest_label(p, t->label);
        if (holder)
            text_printf(out, ": none has %s=%s, Node \"%s\" has %s=%s", t->label, t->value,
                        holder->name, t->label, label_of(holder, t->label));
        else
            text_printf(out, ": no node has the label %s%s%s%s", t->label,
                        near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
        return;
    }
}

static void selects_nothing(struct plan_build *b, const struct calico_bgp_peer *p,
                            const char *field, const struct selector *s, const char *text) {
    struct text hint;
    text_init(&hint);
    put_hint(&b->p->plan, s, &hint);
    WARN(b, p->place, "selects-nothing", "BGPPeer \"%s\": spec.%s \"%.200s\" matches no node%.400s",
         p->name, field, text, text_str(&hint));
    text_deinit(&hint);
}

/* ---- peers of a peerSelector that reflect nothing ---- */

/* The first remote that has a cluster id, or that has none. */
static const struct calico_node *remote_with(const struct plan_build *b, const struct peering *g,
                                             bool cluster_id) {
    for (size_t i = 0; i < g->remote_count; i++) {
        const struct calico_node *n = b->p->plan.nodes[g->remotes[i]].node;
        if (n->has_cluster_id == cluster_id)
            return n;
    }
    return NULL;
}

/* The first that is told to peer with them, is none of them and no reflector: a client. */
static const struct calico_node *client_of(struct plan_build *b, const struct peering *g) {
    bool *remote = plan_array(b, b->scratch, b->p->plan.node_count + 1, sizeof *remote);
    for (size_t i = 0; remote && i < g->remote_count; i++)
        remote[g->remotes[i]] = true;
    for (size_t i = 0; remote && i < g->node_count; i++) {
        const struct calico_node *n = b->p->plan.nodes[g->nodes[i]].node;
        if (!remote[g->nodes[i]] && !n->has_cluster_id)
            return n;
    }
    return NULL;
}

/* In the mesh a node needs no reflector; that is the way to them, too. */
static void no_cluster_id(struct plan_build *b, const struct peering *g) {
    const struct calico_node *reflector = remote_with(b, g, true),
                             *other = remote_with(b, g, false);
    if (b->p->plan.mesh_enabled || !g->peer->peer_selector || !reflector || !other)
        return;
    const struct calico_node *client = client_of(b, g);
    if (!client)
        return;
    WARN(b, other->place, "no-cluster-id",
         "Node \"%s\" has no routeReflectorClusterID, as Node \"%s\" has, which BGPPeer \"%s\" "
         "selects beside it: it reflects nothing",
         other->name, reflector->name, g->peer->name);
    finding_pair(b, client->name, other->name);
}

/* ---- all of it ---- */

void select_findings(struct plan_build *b, const struct peering *g) {
    const struct calico_bgp_peer *p = g->peer;
    if (b->p->plan.node_count == 0)
        return; /* the nodes are in the cluster, not among these manifests */
    if (p->node && g->node_count == 0)
        WARN(b, p->place, "unknown-node", "BGPPeer \"%s\": spec.node: there is no node \"%s\"",
             p->name, p->node);
    if (p->node_selector && g->node_count == 0)
        selects_nothing(b, p, "nodeSelector", p->node_selector, p->node_selector_text);
    if (p->peer_selector && g->remote_count == 0)
        selects_nothing(b, p, "peerSelector", p->peer_selector, p->peer_selector_text);
    if (p->local_workload_selector && !p->node && !p->node_selector)
        WARN(
            b, p->place, "workload-without-node",
            "BGPPeer \"%s\": localWorkloadSelector without node or nodeSelector peers with no pod: "
            "for all nodes say nodeSelector: all()",
            p->name);
    else if (p->local_workload_selector)
        NOTE(b, p->place, "local-workload",
             "BGPPeer \"%s\": localWorkloadSelector peers with pods: their sessions are planned, "
             "but pods of a lab run no BGP",
             p->name);
    no_cluster_id(b, g);
}
