/*
 * Owns what is said about who can learn whose routes: groups without a session between them, and
 * nodes joined by sessions that do not carry a route on, because iBGP passes nothing learnt by iBGP
 * on, a reflector drops its own cluster id, and a node its own AS.
 */
#include "findings.h"

#include "../../speaker/base/hash.h"
#include "../../speaker/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    return ip_equal(p->met.items[index - 1].addr_b, *(const struct ip_addr *)key);
}

/* A node with a refused file keeps what it had: that is no reason to call it cut off. */
static bool may_be_up(const struct plan_impl *p, size_t pair) {
    return p->met.items[pair].expected || p->met.causes[pair] == PAIR_FROZEN;
}

/* Nodes that peer with the same outside router may meet there. */
static void join_pairs(struct plan_build *b, uint32_t *parent, int family) {
    struct plan_impl *p = b->p;
    struct table routers;
    table_init(&routers);
    for (uint32_t i = 0; i < p->met.count; i++) {
        const struct calico_pair *pair = &p->met.items[i];
        if ((int)pair->family != family || !may_be_up(p, i))
            continue;
        uint32_t a = plan_node_by_addr(b, pair->addr_a);
        if (pair->node_b) {
            join(parent, a, plan_node_by_addr(b, pair->addr_b));
            continue;
        }
        uint64_t hash = hash_bytes(&pair->addr_b, sizeof pair->addr_b, 0);
        uint32_t met = table_find(&routers, hash, outside_equal, p, &pair->addr_b);
        if (met)
            join(parent, a, plan_node_by_addr(b, p->met.items[met - 1].addr_a));
        else if (!table_insert(&routers, hash, i + 1))
            b->out_of_memory = true;
    }
    table_deinit(&routers);
}

/* Does every group have a session with a router outside? Those may well join them. */
static bool all_go_outside(struct plan_build *b, uint32_t *parent, int family) {
    const struct plan_impl *p = b->p;
    bool *outside = plan_array(b, b->scratch, p->plan.node_count + 1, sizeof *outside);
    for (size_t i = 0; outside && i < p->met.count; i++) {
        const struct calico_pair *pair = &p->met.items[i];
        if ((int)pair->family == family && !pair->node_b && may_be_up(p, i))
            outside[find_root(parent, plan_node_by_addr(b, pair->addr_a))] = true;
    }
    for (uint32_t i = 0; outside && i < p->plan.node_count; i++) {
        if (ip_is_set(plan_addr(p->plan.nodes[i].node, family)) && !outside[find_root(parent, i)])
            return false;
    }
    return outside != NULL;
}

static void report_partition(struct plan_build *b, uint32_t *parent, int family, size_t members,
                             size_t groups, bool any_session) {
    const struct calico_plan *p = &b->p->plan;
    const char *version = family == FAMILY4 ? "IPv4" : "IPv6";
    if (!any_session && !p->mesh_enabled) {
        WARN(b, finding_place(b, ""), "mesh-off",
             "the mesh is off and no BGPPeer replaces it: the %zu %s nodes have no sessions",
             members, version);
        return;
    }
    struct text t;
    size_t shown = 0;
    text_init(&t);
    for (uint32_t i = 0; i < p->node_count && shown < FINDING_NAMES_MAX; i++)
        if (ip_is_set(plan_addr(p->nodes[i].node, family)) && find_root(parent, i) == i)
            text_printf(&t, "%s%s", shown++ ? ", " : "", p->nodes[i].node->name);
    const char *more = groups > shown ? ", …" : "";
    if (all_go_outside(b, parent, family))
        NOTE(b, finding_place(b, ""), "joined-outside",
             "%s: only routers outside can join %zu groups of nodes (one node of each: %s%s); "
             "--cisco FILE, or a run, shows whether they do",
             version, groups, text_str(&t), more);
    else
        WARN(b, finding_place(b, ""), "partition",
             "%s: the %zu nodes fall into %zu groups without a session between them (one node of "
             "each: %s%s)",
             version, members, groups, text_str(&t), more);
    text_deinit(&t);
}

/* Is there a chain of sessions between all nodes? */
static bool partition_findings(struct plan_build *b, int family) {
    const struct calico_plan *p = &b->p->plan;
    uint32_t *parent = plan_array(b, b->scratch, p->node_count + 1, sizeof *parent);
    size_t members = 0, groups = 0;
    bool any = false;
    for (uint32_t i = 0; parent && i < p->node_count; i++)
        parent[i] = i;
    if (!parent)
        return false;
    join_pairs(b, parent, family);
    for (uint32_t i = 0; i < p->node_count; i++) {
        if (!ip_is_set(plan_addr(p->nodes[i].node, family)) ||
            plan_node_by_addr(b, plan_addr(p->nodes[i].node, family)) != i)
            continue;
        members++;
        groups += find_root(parent, i) == i;
    }
    for (size_t i = 0; i < b->p->met.count && !any; i++)
        any = (int)b->p->met.items[i].family == family;
    if (groups > 1)
        report_partition(b, parent, family, members, groups, any);
    return groups == 1;
}

/* ---- reflectors ---- */

/* Who has a session with whom, as bits: node i's row, bit j. Behind the nodes stand the routers
 * around, of which nothing is known but that they pass on what they hear. */
struct reach {
    struct plan_build *b;
    int family;
    uint32_t nodes, count; /* nodes; nodes and routers */
    size_t words;
    uint64_t *up, *client, *external; /* sessions; i treats j as client; eBGP */
    uint64_t *same_as;                /* row i: nodes of i's AS that refuse it in a path */
    struct ip_addr *routers;
};

#define REACH_NODES_MAX 8000 /* the rows grow with the square */

static uint64_t *row(const struct reach *r, uint64_t *rows, uint32_t i) {
    return rows + i * r->words;
}
static bool has(const uint64_t *bits, uint32_t i) {
    return bits[i / 64] >> (i % 64) & 1;
}
static void put(uint64_t *bits, uint32_t i) {
    bits[i / 64] |= UINT64_C(1) << (i % 64);
}
static bool any(const struct reach *r, const uint64_t *bits) {
    for (size_t i = 0; i < r->words; i++)
        if (bits[i])
            return true;
    return false;
}
static const struct calico_plan_node *node_at(const struct reach *r, uint32_t i) {
    return &r->b->p->plan.nodes[i];
}

static int compare_addrs(const void *a, const void *b) {
    return ip_compare(*(const struct ip_addr *)a, *(const struct ip_addr *)b);
}

static uint32_t router_index(const struct reach *r, struct ip_addr a) {
    const struct ip_addr *at =
        bsearch(&a, r->routers, r->count - r->nodes, sizeof a, compare_addrs);
    assert(at);
    return r->nodes + (uint32_t)(at - r->routers);
}

/* Each router once, however many nodes peer with it. */
static bool list_routers(struct reach *r) {
    const struct plan_pair_list *met = &r->b->p->met;
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < met->count; i++)
        count += !met->items[i].node_b && (int)met->items[i].family == r->family;
    r->routers = plan_array(r->b, r->b->scratch, count + 1, sizeof *r->routers);
    if (!r->routers)
        return false;
    count = 0;
    for (size_t i = 0; i < met->count; i++)
        if (!met->items[i].node_b && (int)met->items[i].family == r->family)
            r->routers[count++] = met->items[i].addr_b;
    if (count > 1)
        qsort(r->routers, count, sizeof *r->routers, compare_addrs);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !ip_equal(r->routers[kept - 1], r->routers[i]))
            r->routers[kept++] = r->routers[i];
    r->count = r->nodes + (uint32_t)kept;
    return true;
}

/* Marks of one stanza; what the other end thinks of us it marks itself. */
static void mark_session(struct reach *r, uint32_t i, uint32_t j, const struct calico_session *s) {
    if (s->rr_client)
        put(row(r, r->client, i), j);
    if (!s->internal)
        put(row(r, r->external, i), j);
    if (j < r->nodes)
        return;
    put(row(r, r->up, j), i);
    put(row(r, s->internal ? r->client : r->external, j), i);
}

static void mark_pairs(struct reach *r) {
    for (size_t k = 0; k < r->b->p->met.count; k++) {
        const struct calico_pair *p = &r->b->p->met.items[k];
        if ((int)p->family != r->family || !may_be_up(r->b->p, k))
            continue;
        uint32_t i = plan_node_by_addr(r->b, p->addr_a),
                 j = p->node_b ? plan_node_by_addr(r->b, p->addr_b) : router_index(r, p->addr_b);
        put(row(r, r->up, i), j);
        put(row(r, r->up, j), i);
    }
}

static void mark_sessions(struct reach *r) {
    for (uint32_t i = 0; i < r->nodes; i++) {
        const struct calico_plan_node *n = node_at(r, i);
        for (size_t k = 0; k < n->session_count; k++) {
            const struct calico_session *s = &n->sessions[k];
            if ((int)s->family != r->family || s->kind == CALICO_LOCAL_WORKLOAD)
                continue;
            uint32_t j =
                s->peer_index != CALICO_NO_NODE ? s->peer_index : router_index(r, s->neighbor);
            if (has(row(r, r->up, i), j))
                mark_session(r, i, j, s);
        }
    }
}

static bool takes_own_as(const struct calico_plan_node *n) {
    for (size_t k = 0; k < n->session_count; k++)
        if (n->sessions[k].allow_local_as)
            return true;
    return false;
}

/* Only eBGP puts an AS into a path. */
static void mark_same_as(struct reach *r) {
    bool external = false;
    for (uint32_t i = 0; i < r->count && !external; i++)
        external = any(r, row(r, r->external, i));
    for (uint32_t j = 0; external && j < r->nodes; j++) {
        if (takes_own_as(node_at(r, j)))
            continue;
        for (uint32_t i = 0; i < r->nodes; i++)
            if (node_at(r, i)->as_number == node_at(r, j)->as_number)
                put(row(r, r->same_as, i), j);
    }
}

static bool reach_make(struct plan_build *b, int family, struct reach *r) {
    *r = (struct reach){.b = b, .family = family, .nodes = (uint32_t)b->p->plan.node_count};
    if (!list_routers(r) || r->count > REACH_NODES_MAX || r->count == 0)
        return false;
    size_t all = r->count;
    r->words = all / 64 + 1;
    r->up = plan_array(b, b->scratch, all * r->words, sizeof *r->up);
    r->client = plan_array(b, b->scratch, all * r->words, sizeof *r->client);
    r->external = plan_array(b, b->scratch, all * r->words, sizeof *r->external);
    r->same_as = plan_array(b, b->scratch, all * r->words, sizeof *r->same_as);
    if (b->out_of_memory)
        return false;
    mark_pairs(r);
    mark_sessions(r);
    return true;
}

/* The reflectors that have node i as their client; *ret_last is one of them. */
static uint32_t reflectors_of(struct reach *r, uint32_t i, uint32_t *ret_last) {
    uint32_t count = 0;
    for (uint32_t j = 0; j < r->nodes; j++)
        if (has(row(r, r->up, i), j) && has(row(r, r->client, j), i)) {
            count++;
            *ret_last = j;
        }
    return count;
}

static uint32_t neighbours_of(struct reach *r, uint32_t i) {
    uint32_t count = 0;
    for (size_t w = 0; w < r->words; w++)
        count += (uint32_t)__builtin_popcountll(row(r, r->up, i)[w]);
    return count;
}

static void single_reflector(struct reach *r) {
    uint32_t count = 0, first = 0, reflector = 0, last = 0;
    for (uint32_t i = 0; i < r->nodes; i++)
        if (!node_at(r, i)->node->has_cluster_id && neighbours_of(r, i) == 1 &&
            reflectors_of(r, i, &last) == 1 && count++ == 0) {
            first = i;
            reflector = last;
        }
    if (!count)
        return;
    const struct calico_node *n = node_at(r, first)->node, *o = node_at(r, reflector)->node;
    WARN(r->b, o->place, "single-reflector",
         "IPv%d: %u node%s on one route reflector (Node \"%s\" on \"%s\"): when it stops, their "
         "routes are gone",
         r->family == FAMILY4 ? 4 : 6, count, count == 1 ? " hangs" : "s hang", n->name, o->name);
    finding_pair(r->b, n->name, o->name);
}

/* A reflector with the cluster id of `like` that node i does not peer with; r->nodes: none. */
static uint32_t unreached_twin(struct reach *r, uint32_t i, uint32_t like) {
    const struct calico_node *n = node_at(r, like)->node;
    for (uint32_t j = 0; j < r->nodes; j++) {
        const struct calico_node *o = node_at(r, j)->node;
        if (j != like && j != i && o->has_cluster_id && any(r, row(r, r->client, j)) &&
            ip_equal(o->cluster_id, n->cluster_id) && !has(row(r, r->up, i), j))
            return j;
    }
    return r->nodes;
}

static void shared_cluster_id(struct reach *r) {
    uint32_t count = 0, client = 0, near = 0, far = 0;
    for (uint32_t i = 0; i < r->nodes; i++)
        for (uint32_t j = 0; j < r->nodes && !node_at(r, i)->node->has_cluster_id; j++) {
            if (!node_at(r, j)->node->has_cluster_id || !has(row(r, r->client, j), i))
                continue;
            uint32_t twin = unreached_twin(r, i, j);
            if (twin < r->nodes && count++ == 0) {
                client = i;
                near = j;
                far = twin;
            }
            break;
        }
    if (!count)
        return;
    const struct calico_node *n = node_at(r, client)->node, *o = node_at(r, near)->node,
                             *twin = node_at(r, far)->node;
    char id[IP_ADDR_TEXT_MAX];
    WARN(r->b, o->place, "shared-cluster-id",
         "IPv%d: reflectors \"%s\" and \"%s\" share cluster id %s, and Node \"%s\" peers with the "
         "first only (%u such node%s): it never learns the routes of the other's clients",
         r->family == FAMILY4 ? 4 : 6, o->name, twin->name, ip_format(o->cluster_id, id), n->name,
         count, count == 1 ? "" : "s");
    finding_pair(r->b, n->name, twin->name);
}

/* ---- what is carried on ---- */

enum learnt { LEARNT_OWN, LEARNT_CLIENT, LEARNT_PEER, LEARNT_EXTERNAL };
#define PATH_MAX_HOPS 8

/* One source's route as it stands at one node that may pass it on. */
struct carried {
    uint32_t at;
    enum learnt from;
    uint32_t clusters[PATH_MAX_HOPS], ases[PATH_MAX_HOPS]; /* reflectors, and nodes by whose AS */
    uint8_t cluster_count, as_count;
};

struct spread {
    struct reach *r;
    uint64_t *learnt, *targets;
    uint32_t *transit; /* nodes that pass on what they learn */
    uint32_t transit_count;
    struct carried *queue;
    size_t head, tail;
    bool *seen; /* transit index * 4 + how */
};

/* To whom it goes from there (RFC 4456 6; Calico's RRs as BIRD has them). */
static void targets_of(struct spread *s, const struct carried *c) {
    struct reach *r = s->r;
    const uint64_t *up = row(r, r->up, c->at), *client = row(r, r->client, c->at),
                   *external = row(r, r->external, c->at);
    for (size_t w = 0; w < r->words; w++)
        s->targets[w] = c->from == LEARNT_PEER ? client[w] | external[w] : up[w];
    for (uint8_t k = 0; k < c->as_count; k++)
        for (size_t w = 0; w < r->words; w++)
            s->targets[w] &= ~row(r, r->same_as, c->ases[k])[w];
}

static bool in_cluster_list(const struct reach *r, const struct carried *c, uint32_t node) {
    if (node >= r->nodes || !node_at(r, node)->node->has_cluster_id)
        return false;
    for (uint8_t k = 0; k < c->cluster_count; k++)
        if (ip_equal(node_at(r, c->clusters[k])->node->cluster_id,
                     node_at(r, node)->node->cluster_id))
            return true;
    return false;
}

static void pass_on(struct spread *s, const struct carried *c, uint32_t k) {
    struct reach *r = s->r;
    uint32_t to = s->transit[k];
    bool external = has(row(r, r->external, c->at), to) || has(row(r, r->external, to), c->at);
    struct carried next = *c;
    next.at = to;
    next.from = external                            ? LEARNT_EXTERNAL
                : has(row(r, r->client, to), c->at) ? LEARNT_CLIENT
                                                    : LEARNT_PEER;
    if (external)
        next.cluster_count = 0;
    bool reflected = !external && (c->from == LEARNT_CLIENT || c->from == LEARNT_PEER);
    if (reflected && c->at < r->nodes && next.cluster_count < PATH_MAX_HOPS)
        next.clusters[next.cluster_count++] = c->at;
    if (external && c->at < r->nodes && next.as_count < PATH_MAX_HOPS)
        next.ases[next.as_count++] = c->at;
    if (s->seen[k * 4 + next.from] || in_cluster_list(r, &next, to))
        return;
    s->seen[k * 4 + next.from] = true;
    s->queue[s->tail++] = next;
}

/* All that learn the routes of `source`, in s->learnt. */
static void spread_from(struct spread *s, uint32_t source) {
    struct reach *r = s->r;
    memset(s->learnt, 0, r->words * sizeof *s->learnt);
    memset(s->seen, 0, (size_t)s->transit_count * 4 + 1);
    put(s->learnt, source);
    s->head = 0;
    s->tail = 1;
    s->queue[0] = (struct carried){.at = source, .from = LEARNT_OWN};
    while (s->head < s->tail) {
        const struct carried *c = &s->queue[s->head++];
        targets_of(s, c);
        for (uint32_t k = 0; k < s->transit_count; k++)
            if (has(s->targets, s->transit[k]) && s->transit[k] != source)
                pass_on(s, c, k);
        for (size_t w = 0; w < r->words; w++)
            s->learnt[w] |= s->targets[w];
    }
}

static bool spread_make(struct reach *r, struct spread *s) {
    struct plan_build *b = r->b;
    *s = (struct spread){.r = r};
    s->learnt = plan_array(b, b->scratch, r->words, sizeof *s->learnt);
    s->targets = plan_array(b, b->scratch, r->words, sizeof *s->targets);
    s->transit = plan_array(b, b->scratch, (size_t)r->count + 1, sizeof *s->transit);
    if (b->out_of_memory)
        return false;
    for (uint32_t i = 0; i < r->count; i++)
        if (any(r, row(r, r->client, i)) || any(r, row(r, r->external, i)))
            s->transit[s->transit_count++] = i;
    s->queue = plan_array(b, b->scratch, (size_t)s->transit_count * 4 + 2, sizeof *s->queue);
    s->seen = plan_array(b, b->scratch, (size_t)s->transit_count * 4 + 1, sizeof *s->seen);
    return !b->out_of_memory;
}

/* Beyond this many steps (nodes x nodes that pass on x words of a row) it is not computed. */
#define SPREAD_STEPS_MAX UINT64_C(400000000)

/* Appended: a node both have a session with, that would have to reflect. */
static void name_between(struct reach *r, uint32_t from, uint32_t to, struct text *out) {
    for (uint32_t i = 0; i < r->nodes; i++) {
        const struct calico_node *n = node_at(r, i)->node;
        if (has(row(r, r->up, i), from) && has(row(r, r->up, i), to) && !n->has_cluster_id) {
            text_printf(out,
                        ": Node \"%s\", a peer of both, is no route reflector (it has no "
                        "routeReflectorClusterID)",
                        n->name);
            return;
        }
    }
}

static void report_unlearnt(struct reach *r, size_t count, uint32_t from, uint32_t to) {
    const struct calico_plan_node *source = node_at(r, from);
    const char *name = source->node->name, *other = node_at(r, to)->node->name;
    char prefix[IP_PREFIX_TEXT_MAX] = "", pair[520];
    for (size_t i = 0; i < source->block_count && !prefix[0]; i++)
        if (plan_family(source->blocks[i].prefix.addr) == r->family)
            ip_prefix_format(source->blocks[i].prefix, prefix);
    struct text between;
    text_init(&between);
    name_between(r, from, to, &between);
    WARN(r->b, finding_place(r->b, ""), "unreachable-routes",
         "IPv%d: Node \"%s\" never learns the routes of Node \"%s\" (%zu such pair%s), though a "
         "chain of sessions joins them%.400s",
         r->family == FAMILY4 ? 4 : 6, other, name, count, count == 1 ? "" : "s",
         text_str(&between));
    text_deinit(&between);
    snprintf(pair, sizeof pair, "%s - %s", name, other);
    diag_about(r->b->diags, pair, prefix[0] ? prefix : NULL);
}

static void unlearnt_routes(struct reach *r) {
    struct spread s;
    size_t count = 0;
    uint32_t from = 0, to = 0;
    mark_same_as(r);
    if (!spread_make(r, &s) ||
        (uint64_t)r->nodes * (s.transit_count + 1) * r->words > SPREAD_STEPS_MAX)
        return;
    for (uint32_t i = 0; i < r->nodes; i++) {
        if (!ip_is_set(plan_addr(node_at(r, i)->node, r->family)))
            continue;
        spread_from(&s, i);
        for (uint32_t j = 0; j < r->nodes; j++)
            if (!has(s.learnt, j) && ip_is_set(plan_addr(node_at(r, j)->node, r->family)) &&
                count++ == 0) {
                from = i;
                to = j;
            }
    }
    if (count)
        report_unlearnt(r, count, from, to);
}

void reach_findings(struct plan_build *b) {
    for (int family = 0; family < BGP_FAMILIES && !b->out_of_memory; family++) {
        struct reach r;
        bool joined = partition_findings(b, family);
        if (!reach_make(b, family, &r))
            continue;
        single_reflector(&r);
        shared_cluster_id(&r);
        if (joined)
            unlearnt_routes(&r);
    }
}
