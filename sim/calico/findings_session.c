/*
 * Owns what is said about sessions: those that do not come up and why, a neighbour in mesh and
 * BGPPeer, meshes and reflectors beyond what works, and what goes out to routers around.
 */
#include "findings.h"

#include "../../speaker/base/text.h"

#include <string.h>

/* ---- sessions ---- */

static const struct {
    const char *id;
    enum diag_severity severity;
} causes[PAIR_CAUSES] = {
    [PAIR_FINE] = {"", DIAG_NOTE},
    [PAIR_NO_AS] = {"missing-as", DIAG_ERROR},
    [PAIR_NO_STANZA] = {"one-sided", DIAG_WARNING},
    [PAIR_AS] = {"as-mismatch", DIAG_WARNING},
    [PAIR_PASSIVE] = {"both-passive", DIAG_WARNING},
    [PAIR_PASSWORD] = {"password-mismatch", DIAG_WARNING},
    [PAIR_TTL] = {"ttl-mismatch", DIAG_WARNING},
    [PAIR_PORT] = {"port-mismatch", DIAG_WARNING},
    [PAIR_FROZEN] = {"", DIAG_NOTE}, /* said of the node: frozen-configuration */
};

/* What all failing sessions of one cause and one origin have in common. */
struct failing {
    const struct calico_pair *first;
    size_t count;
};

static void report_failing(struct plan_build *b, const struct failing *f, int cause,
                           const struct calico_bgp_peer *peer) {
    const struct calico_pair *p = f->first;
    char addr[IP_ADDR_TEXT_MAX];
    struct text t;
    text_init(&t);
    ip_format(p->addr_b, addr);
    text_printf(&t, "%s with %s: %s", p->node_a, p->node_b ? p->node_b : addr, p->why_not);
    if (f->count > 1)
        text_printf(&t, " (and %zu more session%s)", f->count - 1, f->count == 2 ? "" : "s");
    if (peer)
        diag_add(b->diags, causes[cause].severity, peer->place, causes[cause].id,
                 "BGPPeer \"%s\": no session of %s", peer->name, text_str(&t));
    else
        diag_add(b->diags, causes[cause].severity, finding_place(b, ""), causes[cause].id,
                 "node-to-node mesh: no session of %s", text_str(&t));
    finding_pair(b, p->node_a, p->node_b ? p->node_b : addr);
    text_deinit(&t);
}

/* Index of the BGPPeer a pair comes from; peering_count for the mesh. Names are sorted. */
static size_t origin_index(const struct plan_build *b, const char *name) {
    size_t low = 0, high = b->peering_count;
    while (name[0] && low < high) {
        size_t middle = low + (high - low) / 2;
        int c = strcmp(b->peerings[middle].peer->name, name);
        if (c == 0)
            return middle;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return b->peering_count;
}

static void count_failing(const struct plan_build *b, const struct plan_pair_list *list,
                          struct failing *f) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->causes[i] == PAIR_FINE || list->causes[i] == PAIR_FROZEN)
            continue;
        struct failing *at = &f[origin_index(b, list->from[i]) * PAIR_CAUSES + list->causes[i]];
        if (at->count++ == 0)
            at->first = &list->items[i];
    }
}

static void failing_findings(struct plan_build *b) {
    size_t origins = b->peering_count + 1;
    struct failing *f = plan_array(b, b->scratch, origins * PAIR_CAUSES, sizeof *f);
    if (!f)
        return;
    count_failing(b, &b->p->met, f);
    count_failing(b, &b->p->left, f);
    for (size_t o = 0; o < origins; o++)
        for (int cause = 1; cause < PAIR_CAUSES; cause++)
            if (f[o * PAIR_CAUSES + (size_t)cause].count > 0)
                report_failing(b, &f[o * PAIR_CAUSES + (size_t)cause], cause,
                               o < b->peering_count ? b->peerings[o].peer : NULL);
}

static uint16_t port_of(uint16_t port) {
    return port ? port : BGP_PORT;
}

/* How many of a node's stanzas stand beside a mesh stanza for the same neighbour and port;
 * *ret_example is the first. `mesh` is scratch: the port per node and family, 0 none. */
static size_t count_beside_mesh(const struct calico_plan_node *n, uint16_t *mesh, size_t size,
                                const struct calico_session **ret_example) {
    size_t count = 0;
    memset(mesh, 0, size);
    for (size_t i = 0; i < n->session_count; i++)
        if (n->sessions[i].kind == CALICO_MESH)
            mesh[n->sessions[i].peer_index * BGP_FAMILIES + n->sessions[i].family] =
                port_of(n->sessions[i].port);
    for (size_t i = 0; i < n->session_count; i++) {
        const struct calico_session *s = &n->sessions[i];
        if (s->kind != CALICO_MESH && s->peer_index != CALICO_NO_NODE &&
            mesh[s->peer_index * BGP_FAMILIES + s->family] == port_of(s->port) && count++ == 0)
            *ret_example = s;
    }
    return count;
}

/* Mesh and BGPPeer for one neighbour: the second waits for the first, and ~2 s more. */
static void duplicate_findings(struct plan_build *b) {
    const struct calico_plan *p = &b->p->plan;
    size_t size = p->node_count * BGP_FAMILIES * sizeof(uint16_t), count = 0;
    uint16_t *mesh = plan_array(b, b->scratch, p->node_count * BGP_FAMILIES + 1, sizeof *mesh);
    const struct calico_session *example = NULL;
    const char *owner = "";
    for (size_t i = 0; mesh && p->mesh_enabled && i < p->node_count; i++) {
        const struct calico_session *own = NULL;
        count += count_beside_mesh(&p->nodes[i], mesh, size, &own);
        if (own && !example) {
            example = own;
            owner = p->nodes[i].node->name;
        }
    }
    if (example) {
        WARN(b, finding_place(b, example->origin), "mesh-and-peer",
             "%s has both a mesh session and %s (BGPPeer \"%s\") with %s (%zu such stanza%s): only "
             "one runs; the other follows about 2 s after the first ends",
             owner, example->name, example->origin, example->peer_node, count,
             count == 1 ? "" : "s");
        finding_pair(b, owner, example->peer_node);
    }
}

/* ---- how many ---- */

#define MESH_NODES_MAX 100 /* a rule of thumb, no limit in Calico */
#define MD5_SESSIONS_SURE                                                                          \
    100 /* what a kernel's default net.core.optmem_max surely holds keys for */

static void size_findings(struct plan_build *b) {
    const struct calico_plan *p = &b->p->plan;
    const struct calico_plan_node *most = NULL;
    size_t most_keys = MD5_SESSIONS_SURE, members = 0;
    for (size_t i = 0; i < p->node_count; i++) {
        size_t keys = 0;
        for (size_t j = 0; j < p->nodes[i].session_count; j++)
            keys += p->nodes[i].sessions[j].password != NULL;
        if (keys > most_keys) {
            most_keys = keys;
            most = &p->nodes[i];
        }
        members += !p->nodes[i].node->has_cluster_id;
    }
    if (p->mesh_enabled && members > MESH_NODES_MAX)
        WARN(b, finding_place(b, ""), "large-mesh",
             "the node-to-node mesh has %zu nodes and %zu sessions: beyond about %d, use route "
             "reflectors",
             members, members * (members - 1) / 2, MESH_NODES_MAX);
    if (most)
        WARN(b, most->node->place, "md5-limit",
             "Node \"%s\": %zu sessions have a password: its kernel may have no memory for so many "
             "MD5 keys (net.core.optmem_max)",
             most->node->name, most_keys);
}

/* ---- routers around ---- */

static const struct calico_session *outside_session(const struct calico_plan_node *n) {
    for (size_t i = 0; i < n->session_count; i++)
        if (n->sessions[i].peer_index == CALICO_NO_NODE && !n->sessions[i].internal &&
            n->sessions[i].kind != CALICO_LOCAL_WORKLOAD && n->sessions[i].peer_as != 0)
            return &n->sessions[i];
    return NULL;
}

static bool has_inner_session(const struct calico_plan_node *n) {
    for (size_t i = 0; i < n->session_count; i++)
        if (n->sessions[i].peer_index != CALICO_NO_NODE)
            return true;
    return false;
}

/* Does an export filter of the session keep back what was learnt? */
static bool keeps_back(const struct calico_session *s) {
    for (size_t i = 0; i < s->filter_count; i++) {
        const struct calico_bgp_filter *f = s->filters[i];
        for (size_t j = 0; j < f->rule_count[1][s->family]; j++)
            if (!f->rules[1][s->family][j].accept)
                return true;
    }
    return false;
}

static void outside_findings(struct plan_build *b) {
    const struct calico_plan_node *first = NULL, *reflector = NULL;
    const struct calico_session *example = NULL, *outer = NULL;
    size_t count = 0;
    for (size_t i = 0; i < b->p->plan.node_count; i++) {
        const struct calico_plan_node *n = &b->p->plan.nodes[i];
        const struct calico_session *s = outside_session(n);
        if (!s)
            continue;
        if (n->node->has_cluster_id && !reflector) {
            reflector = n;
            outer = s;
        }
        if (has_inner_session(n) && !keeps_back(s) && count++ == 0) {
            first = n;
            example = s;
        }
    }
    char addr[IP_ADDR_TEXT_MAX];
    if (count > 1) {
        ip_format(example->neighbor, addr);
        WARN(b, finding_place(b, example->origin), "reexport-all",
             "%zu nodes have an eBGP session with a router outside (Node \"%s\" with %s) and "
             "sessions "
             "among themselves: each tells it every block of the cluster",
             count, first->node->name, addr);
        finding_pair(b, first->node->name, addr);
    }
    if (reflector) {
        ip_format(outer->neighbor, addr);
        NOTE(b, reflector->node->place, "external-routes-stay",
             "Node \"%s\": a route reflector passes what it learns from %s outside pools and "
             "service ranges to nobody",
             reflector->node->name, addr);
        finding_pair(b, reflector->node->name, addr);
    }
}

void session_findings(struct plan_build *b) {
    failing_findings(b);
    duplicate_findings(b);
    size_findings(b);
    outside_findings(b);
}
