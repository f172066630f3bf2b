/*
 * Owns what a plan says to the operator: the things Calico does silently. Each has a stable id; a
 * thing that repeats over many sessions is said once, with an example and a number.
 *
 * Errors are configurations BIRD refuses to load, which freezes every later change on the node;
 * everything else is a warning, or a note where the plan had to assume something.
 */
#include "plan_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/hash.h"
#include "../../speaker/base/text.h"
#include "../../speaker/core/limits.h"

#include <string.h>

#define NAMES_SHOWN_MAX 5

#define WARN(b, place, id, ...) diag_add((b)->diags, DIAG_WARNING, place, id, __VA_ARGS__)
#define FAIL(b, place, id, ...) diag_add((b)->diags, DIAG_ERROR, place, id, __VA_ARGS__)
#define NOTE(b, place, id, ...) diag_add((b)->diags, DIAG_NOTE, place, id, __VA_ARGS__)

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
            if (ip_is_set(a) && ip_is_link_local(a))
                FAIL(b, n->place, "link-local",
                     "Node \"%s\": %s is link-local: Calico's sessions are multihop, BIRD refuses "
                     "them",
                     n->name, b->p->info[i].text[family]);
        }
        if (!ip_is_set(n->addr4) && !ip_is_set(n->addr6))
            WARN(b, n->place, "no-address", "Node \"%s\": has no BGP address: it runs no BGP",
                 n->name);
        else if (!ip_is_set(n->addr4) && hashed++ == 0)
            first = n;
    }
    if (first)
        NOTE(b, first->place, "router-id-hash",
             "Node \"%s\"%s no IPv4 address: calico-node needs CALICO_ROUTER_ID=hash there, which "
             "this plan takes for granted",
             first->name, hashed > 1 ? " and others have" : " has");
}

/* ---- BGPPeers ---- */

static void selection_findings(struct plan_build *b, const struct peering *g) {
    const struct calico_bgp_peer *p = g->peer;
    if (b->p->plan.node_count == 0)
        return; /* the nodes are in the cluster, not among these manifests */
    if (p->node && g->node_count == 0)
        WARN(b, p->place, "unknown-node", "BGPPeer \"%s\": spec.node: there is no node \"%s\"",
             p->name, p->node);
    if (p->node_selector && g->node_count == 0)
        WARN(b, p->place, "selects-nothing",
             "BGPPeer \"%s\": spec.nodeSelector \"%.200s\" matches no node", p->name,
             p->node_selector_text);
    if (p->peer_selector && g->remote_count == 0)
        WARN(b, p->place, "selects-nothing",
             "BGPPeer \"%s\": spec.peerSelector \"%.200s\" matches no node", p->name,
             p->peer_selector_text);
    if (p->local_workload_selector)
        NOTE(b, p->place, "local-workload",
             "BGPPeer \"%s\": localWorkloadSelector peers with pods: their sessions are planned, "
             "but "
             "pods of a lab run no BGP",
             p->name);
}

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
        const char *space = set_secret_elsewhere(b->set, ref->name);
        WARN(b, place, "missing-secret",
             "%s \"%s\": there is no Secret \"%s\" with key \"%s\"%s%s%s: the session is made "
             "without a password",
             owner, name, ref->name, ref->key,
             space ? " where calico-node looks (it stands in namespace " : "", space ? space : "",
             space ? ")" : "");
    } else if (strlen(found->value) > BGP_PASSWORD_MAX) {
        FAIL(b, place, "bad-password", "%s \"%s\": the password has more than %d characters", owner,
             name, BGP_PASSWORD_MAX);
    } else if (strpbrk(found->value, "\"\n\r")) {
        FAIL(b, place, "bad-password",
             "%s \"%s\": the password holds a quote or a line break (encoded with echo instead of "
             "printf?): BIRD refuses the configuration",
             owner, name);
    }
}

static void peer_findings(struct plan_build *b) {
    for (size_t i = 0; i < b->peering_count; i++) {
        const struct peering *g = &b->peerings[i];
        selection_findings(b, g);
        key_findings(b, g);
        filter_references(b, g);
        password_findings(b, g->peer->place, "BGPPeer", g->peer->name, &g->peer->password,
                          g->password);
    }
    password_findings(b, b->p->global->place, "BGPConfiguration", "default",
                      &b->p->global->mesh_password, b->mesh_password);
}

/* ---- BGPFilters ---- */

static bool rule_range_empty(const struct calico_filter_rule *r) {
    bool ranged = r->has_prefix_length &&
                  (r->match_operator == CALICO_OP_IN || r->match_operator == CALICO_OP_NOT_IN);
    uint8_t low =
        r->has_min && r->prefix_length_min > r->cidr.length ? r->prefix_length_min : r->cidr.length;
    return r->has_cidr && ranged && r->has_max && r->prefix_length_max < low;
}

/* An Accept that lets routes longer than a pool's blocks through. */
static const struct calico_ip_pool *bypassed_pool(const struct plan_build *b,
                                                  const struct calico_filter_rule *r, int family) {
    if (!r->accept || r->remote_peers || r->community || r->as_path_prefix_count)
        return NULL;
    for (size_t i = 0; i < calico_pool_count(b->set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(b->set, i);
        bool narrow = r->has_max && r->prefix_length_max <= p->block_size;
        bool in = !r->has_cidr || (r->match_operator == CALICO_OP_IN && !narrow &&
                                   ip_prefix_overlaps(r->cidr, p->cidr));
        if (plan_family(p->cidr.addr) == family && in)
            return p;
    }
    return NULL;
}

/* Do the rules before one refuse everything longer than the pool's blocks? */
static bool refused_before(const struct calico_filter_rule *rules, size_t count,
                           const struct calico_ip_pool *p) {
    for (size_t i = 0; i < count; i++) {
        const struct calico_filter_rule *r = &rules[i];
        bool conditional = r->remote_peers || r->interface || r->peer_type || r->community ||
                           r->as_path_prefix_count || r->priority;
        if (!r->accept && !conditional && r->has_cidr && r->match_operator == CALICO_OP_IN &&
            ip_prefix_contains(r->cidr, p->cidr) && !r->has_max &&
            (!r->has_min || r->prefix_length_min <= p->block_size + 1))
            return true;
    }
    return false;
}

static void rule_findings(struct plan_build *b, const struct calico_bgp_filter *f, size_t index,
                          int direction, int family) {
    const struct calico_filter_rule *rules = f->rules[direction][family], *r = &rules[index];
    bool equal = r->match_operator == CALICO_OP_EQUAL,
         not_equal = r->match_operator == CALICO_OP_NOT_EQUAL;
    if (r->has_prefix_length && (equal || not_equal))
        WARN(b, r->place, "equal-with-prefix-length",
             "BGPFilter \"%s\": %s with prefixLength %s: use %s", f->name,
             equal ? "Equal" : "NotEqual", equal ? "never matches" : "always matches",
             equal ? "In" : "NotIn");
    if (rule_range_empty(r))
        FAIL(b, r->place, "empty-prefix-range",
             "BGPFilter \"%s\": no prefix length fits the rule \"%s\": BIRD refuses the "
             "configuration of every node",
             f->name, r->text);
    const struct calico_ip_pool *pool = direction == 1 ? bypassed_pool(b, r, family) : NULL;
    if (pool && !refused_before(rules, index, pool))
        WARN(b, r->place, "export-accept",
             "BGPFilter \"%s\": the export rule \"%s\" ends Calico's own policy: single pods "
             "(/%d) of IPPool \"%s\" are sent beside its blocks (/%u)",
             f->name, r->text, family == FAMILY4 ? 32 : 128, pool->name, pool->block_size);
}

static void filter_findings(struct plan_build *b) {
    for (size_t i = 0; i < calico_filter_count(b->set); i++) {
        const struct calico_bgp_filter *f = calico_filter_at(b->set, i);
        bool used = false;
        for (size_t j = 0; j < b->peering_count && !used; j++)
            for (size_t k = 0; k < b->peerings[j].filter_count; k++)
                used |= b->peerings[j].filters[k] == f;
        if (!used)
            WARN(b, f->place, "unused-filter",
                 "BGPFilter \"%s\": no BGPPeer names it, so it never applies%s", f->name,
                 b->p->plan.mesh_enabled ? " (filters have no effect on the mesh)" : "");
        for (int d = 0; d < 2; d++)
            for (int family = 0; family < BGP_FAMILIES; family++)
                for (size_t k = 0; k < f->rule_count[d][family]; k++)
                    rule_findings(b, f, k, d, family);
    }
}

/* ---- pools ---- */

static void pool_findings(struct plan_build *b) {
    for (size_t i = 0; i < calico_pool_count(b->set); i++) {
        const struct calico_ip_pool *p = calico_pool_at(b->set, i);
        if (p->ipip || p->vxlan)
            NOTE(b, p->place, "encapsulated-pool",
                 "IPPool \"%s\": uses %s: the lab exchanges its routes but builds no tunnels",
                 p->name, p->ipip ? "IPIP" : "VXLAN");
    }
}

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
};

/* What all failing sessions of one cause and one origin have in common. */
struct failing {
    size_t first, count;
};

static void report_failing(struct plan_build *b, const struct failing *f, int cause,
                           const struct calico_bgp_peer *peer) {
    const struct calico_pair *p = &b->p->pairs[f->first];
    char addr[IP_ADDR_TEXT_MAX];
    struct text t;
    text_init(&t);
    text_printf(&t, "%s with %s: %s", p->node_a, p->node_b ? p->node_b : ip_format(p->addr_b, addr),
                p->why_not);
    if (f->count > 1)
        text_printf(&t, " (and %zu more session%s)", f->count - 1, f->count == 2 ? "" : "s");
    if (peer)
        diag_add(b->diags, causes[cause].severity, peer->place, causes[cause].id,
                 "BGPPeer \"%s\": no session of %s", peer->name, text_str(&t));
    else
        diag_add(b->diags, causes[cause].severity, b->p->global->place, causes[cause].id,
                 "node-to-node mesh: no session of %s", text_str(&t));
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

static void session_findings(struct plan_build *b) {
    size_t origins = b->peering_count + 1;
    struct failing *f = plan_array(b, b->scratch, origins * PAIR_CAUSES, sizeof *f);
    for (size_t i = 0; f && i < b->p->pair_count; i++) {
        if (b->p->causes[i] == PAIR_FINE)
            continue;
        struct failing *at =
            &f[origin_index(b, b->p->pair_from[i]) * PAIR_CAUSES + b->p->causes[i]];
        if (at->count++ == 0)
            at->first = i;
    }
    for (size_t o = 0; f && o < origins; o++)
        for (int cause = 1; cause < PAIR_CAUSES; cause++)
            if (f[o * PAIR_CAUSES + (size_t)cause].count > 0)
                report_failing(b, &f[o * PAIR_CAUSES + (size_t)cause], cause,
                               o < b->peering_count ? b->peerings[o].peer : NULL);
}

/* How many of a node's stanzas stand beside a mesh stanza for the same neighbour; *ret_example is
 * the first. `mesh` is scratch: one mark per node and family. */
static size_t count_beside_mesh(const struct calico_plan_node *n, bool *mesh, size_t size,
                                const struct calico_session **ret_example) {
    size_t count = 0;
    memset(mesh, 0, size);
    for (size_t i = 0; i < n->session_count; i++)
        if (n->sessions[i].kind == CALICO_MESH)
            mesh[n->sessions[i].peer_index * BGP_FAMILIES + n->sessions[i].family] = true;
    for (size_t i = 0; i < n->session_count; i++) {
        const struct calico_session *s = &n->sessions[i];
        if (s->kind != CALICO_MESH && s->peer_index != CALICO_NO_NODE &&
            mesh[s->peer_index * BGP_FAMILIES + s->family] && count++ == 0)
            *ret_example = s;
    }
    return count;
}

/* Mesh and BGPPeer for one neighbour: the second waits for the first, and ~2 s more. */
static void duplicate_findings(struct plan_build *b) {
    const struct calico_plan *p = &b->p->plan;
    size_t size = p->node_count * BGP_FAMILIES * sizeof(bool), count = 0;
    bool *mesh = plan_array(b, b->scratch, size + 1, 1);
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
    if (example)
        WARN(b, b->p->global->place, "mesh-and-peer",
             "%s has both a mesh session and %s (BGPPeer \"%s\") with %s (%zu such stanza%s): only "
             "one runs; the other follows about 2 s after the first ends",
             owner, example->name, example->origin, example->peer_node, count,
             count == 1 ? "" : "s");
}

/* ---- partition ---- */

static uint32_t find_root(uint32_t *parent, uint32_t i) {
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

static void join(uint32_t *parent, uint32_t a, uint32_t b) {
    uint32_t x = find_root(parent, a), y = find_root(parent, b);
    if (x != y)
        parent[x > y ? x : y] = x > y ? y : x;
}

static bool outside_equal(const void *context, uint32_t index, const void *key) {
    const struct plan_impl *p = context;
    return ip_equal(p->pairs[index - 1].addr_b, *(const struct ip_addr *)key);
}

/* Nodes that peer with the same outside router may meet there. */
static void join_pairs(struct plan_build *b, uint32_t *parent, int family) {
    struct plan_impl *p = b->p;
    struct table routers;
    table_init(&routers);
    for (uint32_t i = 0; i < p->pair_count; i++) {
        const struct calico_pair *pair = &p->pairs[i];
        if ((int)pair->family != family || !pair->expected)
            continue;
        uint32_t a = plan_node_by_addr(b, pair->addr_a);
        if (pair->node_b) {
            join(parent, a, plan_node_by_addr(b, pair->addr_b));
            continue;
        }
        uint64_t hash = hash_bytes(&pair->addr_b, sizeof pair->addr_b, 0);
        uint32_t met = table_find(&routers, hash, outside_equal, p, &pair->addr_b);
        if (met)
            join(parent, a, plan_node_by_addr(b, p->pairs[met - 1].addr_a));
        else if (!table_insert(&routers, hash, i + 1))
            b->out_of_memory = true;
    }
    table_deinit(&routers);
}

static void report_partition(struct plan_build *b, uint32_t *parent, int family, size_t members,
                             size_t groups, bool any_session) {
    const struct calico_plan *p = &b->p->plan;
    const char *version = family == FAMILY4 ? "IPv4" : "IPv6";
    if (!any_session && !p->mesh_enabled) {
        WARN(b, b->p->global->place, "mesh-off",
             "the mesh is off and no BGPPeer replaces it: the %zu %s nodes have no sessions",
             members, version);
        return;
    }
    struct text t;
    size_t shown = 0;
    text_init(&t);
    for (uint32_t i = 0; i < p->node_count && shown < NAMES_SHOWN_MAX; i++)
        if (ip_is_set(plan_addr(p->nodes[i].node, family)) && find_root(parent, i) == i)
            text_printf(&t, "%s%s", shown++ ? ", " : "", p->nodes[i].node->name);
    WARN(b, b->p->global->place, "partition",
         "%s: the %zu nodes fall into %zu groups without a session between them (one node of "
         "each: %s%s)",
         version, members, groups, text_str(&t), groups > shown ? ", …" : "");
    text_deinit(&t);
}

static void partition_findings(struct plan_build *b, int family) {
    const struct calico_plan *p = &b->p->plan;
    uint32_t *parent = plan_array(b, b->scratch, p->node_count + 1, sizeof *parent);
    size_t members = 0, groups = 0;
    bool any = false;
    for (uint32_t i = 0; parent && i < p->node_count; i++)
        parent[i] = i;
    if (!parent)
        return;
    join_pairs(b, parent, family);
    for (uint32_t i = 0; i < p->node_count; i++) {
        if (!ip_is_set(plan_addr(p->nodes[i].node, family)) ||
            plan_node_by_addr(b, plan_addr(p->nodes[i].node, family)) != i)
            continue;
        members++;
        groups += find_root(parent, i) == i;
    }
    for (size_t i = 0; i < b->p->pair_count && !any; i++)
        any = (int)b->p->pairs[i].family == family;
    if (groups > 1)
        report_partition(b, parent, family, members, groups, any);
}

void plan_findings(struct plan_build *b) {
    node_findings(b);
    peer_findings(b);
    filter_findings(b);
    pool_findings(b);
    session_findings(b);
    duplicate_findings(b);
    partition_findings(b, FAMILY4);
    partition_findings(b, FAMILY6);
}
