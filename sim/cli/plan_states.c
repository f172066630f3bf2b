/*
 * Owns what two states of a change are told by: the sessions that fall, rise and start anew, and
 * the nodes that lack other nodes' blocks. The last comes from the oracle and so respects filters
 * and reflection; it needs IPPools among the manifests and is left out beyond ORACLE_NODES_MAX
 * nodes.
 */
#include "plan_verbs.h"

#include <stdlib.h>
#include <string.h>

#define ORACLE_NODES_MAX 200

/* ---- what is up ---- */

static int compare_pairs(const void *a, const void *b) {
    const struct plan_up_pair *x = a, *y = b;
    int c = ip_compare(x->addr_a, y->addr_a);
    return c ? c : ip_compare(x->addr_b, y->addr_b);
}

static json_t *pair_name(const struct plan_up_pair *p) {
    char b[IP_ADDR_TEXT_MAX];
    return json_sprintf("%s - %s, IPv%d, %s", p->node_a,
                        p->node_b ? p->node_b : ip_format(p->addr_b, b),
                        p->family == BGP_IPV4_UNICAST ? 4 : 6, p->kind);
}

/* ---- what starts anew ---- */

/* Sessions stand in order of name within a family, and a mesh session is named by its address. */
static int compare_name(const void *key, const void *item) {
    const struct calico_session *a = key, *b = item;
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return strcmp(a->name, b->name);
}

static const struct calico_session *mesh_session(const struct calico_plan_node *n,
                                                 struct ip_addr neighbor) {
    char name[IP_ADDR_TEXT_MAX + 5] = "Mesh_";
    struct calico_session key = {
        .name = name, .family = neighbor.family == IP_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST};
    for (char *c = ip_format(neighbor, name + 5); *c; c++)
        if (*c == '.' || *c == ':')
            *c = '_';
    return bsearch(&key, n->sessions, n->session_count, sizeof key, compare_name);
}

static const struct calico_session *session_of(const struct calico_plan *p, const char *node,
                                               struct ip_addr neighbor, const char *kind) {
    const struct calico_plan_node *n = node ? calico_plan_find(p, node) : NULL;
    if (n && strcmp(kind, "mesh") == 0)
        return mesh_session(n, neighbor);
    for (size_t i = 0; n && i < n->session_count; i++)
        if (ip_equal(n->sessions[i].neighbor, neighbor) && n->sessions[i].kind != CALICO_MESH)
            return &n->sessions[i];
    return NULL;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* BIRD keeps a session whose filters alone are others; for the rest it starts anew. */
static bool restarts(const struct calico_session *a, const struct calico_session *b) {
    if (!a || !b)
        return false;
    return strcmp(a->name, b->name) != 0 || a->port != b->port || a->peer_as != b->peer_as ||
           a->local_as != b->local_as || !ip_equal(a->source_address, b->source_address) ||
           a->passive != b->passive || a->rr_client != b->rr_client ||
           a->cluster_id != b->cluster_id || !same_text(a->password, b->password) ||
           a->ttl_security != b->ttl_security || a->next_hop != b->next_hop ||
           a->allow_local_as != b->allow_local_as || a->restart_time_set != b->restart_time_set ||
           a->restart_time_s != b->restart_time_s || a->keepalive_s != b->keepalive_s;
}

static bool is_frozen(const struct calico_plan *p, const char *node, enum bgp_family family) {
    const struct calico_plan_node *n = node ? calico_plan_find(p, node) : NULL;
    return n && n->refused[family];
}

/* Does the end still have the stanza a session of the state before was made with? A frozen one
 * does, and of a router around nothing else is known. */
static bool end_stays(const struct calico_plan *old, const struct calico_plan *next,
                      const struct plan_up_pair *p, const char *node, struct ip_addr neighbor) {
    if (!node || is_frozen(next, node, p->family))
        return true;
    const struct calico_session *before = session_of(old, node, neighbor, p->kind);
    const struct calico_session *now = session_of(next, node, neighbor, p->kind);
    return now && !restarts(before, now);
}

static bool stays_frozen(const struct calico_plan *old, const struct calico_plan *next,
                         const struct plan_up_pair *p) {
    bool frozen = is_frozen(next, p->node_a, p->family) || is_frozen(next, p->node_b, p->family);
    return frozen && end_stays(old, next, p, p->node_a, p->addr_b) &&
           end_stays(old, next, p, p->node_b, p->addr_a);
}

static bool add_up(struct plan_up *up, struct arena *arena, struct plan_up_pair p) {
    p.node_a = arena_strdup(arena, p.node_a);
    p.node_b = p.node_b ? arena_strdup(arena, p.node_b) : NULL;
    up->items[up->count++] = p;
    return p.node_a != NULL;
}

bool plan_up(const struct calico_plan *old, const struct plan_up *before,
             const struct calico_plan *next, struct arena *arena, struct plan_up *ret_up) {
    struct calico_pair *pairs;
    size_t n = calico_pairs(next, &pairs), kept = before ? before->count : 0;
    struct plan_up up = {.items = arena_array(arena, n + kept + 1, sizeof *up.items)};
    bool ok = up.items != NULL;
    for (size_t i = 0; ok && i < n; i++)
        if (pairs[i].expected)
            ok = add_up(&up, arena,
                        (struct plan_up_pair){pairs[i].node_a, pairs[i].node_b, pairs[i].addr_a,
                                              pairs[i].addr_b, pairs[i].family, pairs[i].kind});
    for (size_t i = 0; ok && i < kept; i++)
        if (stays_frozen(old, next, &before->items[i]))
            ok = add_up(&up, arena, before->items[i]);
    if (ok && up.count)
        qsort(up.items, up.count, sizeof *up.items, compare_pairs);
    *ret_up = up;
    return ok;
}

/* ---- two states ---- */

static bool end_restarts(const struct calico_plan *old, const struct calico_plan *next,
                         const struct plan_up_pair *a, const struct plan_up_pair *b,
                         const char *node, struct ip_addr neighbor) {
    return !(node && is_frozen(next, node, b->family)) &&
           restarts(session_of(old, node, neighbor, a->kind),
                    session_of(next, node, neighbor, b->kind));
}

/* NULL: the session stays. */
static const char *restart_reason(const struct calico_plan *old, const struct calico_plan *next,
                                  const struct plan_up_pair *a, const struct plan_up_pair *b) {
    if (strcmp(a->kind, "mesh") == 0 && strcmp(b->kind, "mesh") != 0)
        return "the mesh session ends; the BGPPeer's, which waited for the neighbor's lock, starts "
               "after its connect delay of 2 s";
    if (strcmp(a->kind, b->kind) != 0)
        return "another session takes its place, after its connect delay of 2 s";
    if (end_restarts(old, next, a, b, a->node_a, a->addr_b) ||
        end_restarts(old, next, a, b, a->node_b, a->addr_a))
        return "its settings change";
    return NULL;
}

void plan_states_compare(const struct calico_plan *old, const struct plan_up *a,
                         const struct calico_plan *next, const struct plan_up *b, json_t *step) {
    json_t *fall = json_array(), *rise = json_array(), *anew = json_array();
    size_t i = 0, k = 0;
    while (i < a->count || k < b->count) {
        int order = i == a->count   ? 1
                    : k == b->count ? -1
                                    : compare_pairs(&a->items[i], &b->items[k]);
        const char *why = order ? NULL : restart_reason(old, next, &a->items[i], &b->items[k]);
        if (order < 0)
            json_array_append_new(fall, pair_name(&a->items[i]));
        if (order > 0)
            json_array_append_new(rise, pair_name(&b->items[k]));
        if (why)
            json_array_append_new(
                anew, json_pack("{s:o,s:s}", "session", pair_name(&b->items[k]), "why", why));
        i += order <= 0;
        k += order >= 0;
    }
    json_object_set_new(step, "sessions", json_integer((json_int_t)b->count));
    json_object_set_new(step, "fall", fall);
    json_object_set_new(step, "rise", rise);
    json_object_set_new(step, "startAnew", anew);
}

/* ---- who lacks whose block ---- */

static size_t lacking(const struct planned *p, size_t owner, struct ip_prefix block,
                      json_t *examples) {
    char text[IP_PREFIX_TEXT_MAX];
    size_t missing = 0;
    for (uint32_t i = 0; i < p->plan->node_count; i++) {
        const struct calico_node *n = p->plan->nodes[i].node;
        bool family = ip_is_set(block.addr.family == IP_V6 ? n->addr6 : n->addr4);
        if (i == owner || !family || oracle_find(p->oracle, i, block))
            continue;
        if (missing++ == 0 && json_array_size(examples) < PLAN_EXAMPLES_MAX)
            json_array_append_new(examples, json_sprintf("%s has no route to %s of %s", n->name,
                                                         ip_prefix_format(block, text),
                                                         p->plan->nodes[owner].node->name));
    }
    return missing;
}

json_int_t plan_unreachable(struct planned *p, const struct planned *before, json_t *examples) {
    json_int_t missing = 0;
    size_t blocks = 0;
    if (p->plan->node_count > ORACLE_NODES_MAX || !planned_oracle(p, before))
        return -1;
    for (size_t i = 0; i < p->plan->node_count; i++)
        for (size_t k = 0; k < p->plan->nodes[i].block_count; k++, blocks++)
            missing += (json_int_t)lacking(p, i, p->plan->nodes[i].blocks[k].prefix, examples);
    return blocks ? missing : -1;
}
