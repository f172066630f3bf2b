/*
 * Owns the life of a plan and the putting together of each node's sessions: nodes with what
 * BGPConfigurations say about them, the node-to-node mesh, then the entries of BGPPeers, in the
 * order BIRD reads them (by name within a family: Global_, Local_Workload_, Mesh_, Node_).
 *
 * Left to others: BGPPeers (plan_peers.c), a stanza's settings (plan_session.c), blocks
 * (plan_ipam.c), both ends together (plan_pairs.c), findings (plan_findings.c).
 *
 * Invariants: nodes stand in order of name; everything handed out lives in the plan's arena; a
 * mesh session's name is shared by all nodes that have it, and no step is worse than
 * O(sessions + nodes log nodes).
 */
#include "plan_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/hash.h"

#include <stdlib.h>
#include <string.h>

#define AS_DEFAULT 64512

/* ---- helpers ---- */

void *plan_array(struct plan_build *b, struct arena *arena, size_t count, size_t size) {
    void *memory = arena_array(arena, count, size);
    if (!memory)
        b->out_of_memory = true;
    return memory;
}

static bool addr_equal(const void *context, uint32_t index, const void *key) {
    const struct plan_build *b = context;
    const struct calico_node *n = b->p->plan.nodes[(index - 1) / BGP_FAMILIES].node;
    return ip_equal(plan_addr(n, (int)(index - 1) % BGP_FAMILIES), *(const struct ip_addr *)key);
}

uint32_t plan_node_by_addr(const struct plan_build *b, struct ip_addr a) {
    uint32_t i = table_find(&b->by_addr, hash_bytes(&a, sizeof a, 0), addr_equal, b, &a);
    return i ? (i - 1) / BGP_FAMILIES : CALICO_NO_NODE;
}

const char *plan_session_name(struct plan_build *b, const char *prefix, struct ip_addr addr,
                              uint16_t port) {
    char text[IP_ADDR_TEXT_MAX];
    ip_format(addr, text);
    for (char *c = text; *c; c++)
        if (*c == '.' || *c == ':')
            *c = '_';
    const char *name = port ? arena_printf(b->arena, "%s%s_port_%u", prefix, text, port)
                            : arena_printf(b->arena, "%s%s", prefix, text);
    if (!name)
        b->out_of_memory = true;
    return name ? name : "";
}

const struct calico_plan_node *calico_plan_find(const struct calico_plan *p, const char *node) {
    size_t low = 0, high = p->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = strcmp(p->nodes[middle].node->name, node);
        if (c == 0)
            return &p->nodes[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint32_t calico_normal_priority(const struct calico_plan *p, uint8_t family) {
    const struct calico_bgp_configuration *g = plan_impl(p)->global;
    if (!p->rules.priorities)
        return 0;
    return family == IP_V6 ? g->normal_priority6 : g->normal_priority4;
}

enum calico_program_routes calico_program_routes(const struct calico_plan *p) {
    static const struct {
        const char *word;
        enum calico_program_routes routes;
    } words[] = {
        {"Enabled", CALICO_PROGRAM_ALL},
        {"Disabled", CALICO_PROGRAM_NONE},
        {"EnabledIPIPOnly", CALICO_PROGRAM_IPIP},
        {"EnabledNoEncapOnly", CALICO_PROGRAM_NO_ENCAP},
    };
    const char *given = plan_impl(p)->global->program_cluster_routes;
    for (size_t i = 0; given && p->rules.priorities && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, given) == 0)
            return words[i].routes;
    return p->rules.program_routes;
}

bool calico_lb_aggregation_disabled(const struct calico_plan *p) {
    return p->rules.lb_aggregation && plan_impl(p)->global->service_lb_aggregation_disabled;
}

/* ---- nodes ---- */

/* CALICO_ROUTER_ID as it stands, a hash of the node's name, or the IPv4 address. */
static struct ip_addr router_id_of(const struct plan_impl *p, const struct calico_node *n) {
    struct ip_addr id;
    if (p->router_id && strcmp(p->router_id, "hash") == 0)
        return router_id_hash(n->name);
    if (p->router_id && ip_parse(p->router_id, &id))
        return id;
    return n->addr4;
}

static void fill_node(struct plan_build *b, uint32_t i) {
    struct calico_plan_node *n = &b->p->plan.nodes[i];
    struct plan_info *info = &b->p->info[i];
    n->node = calico_node_at(b->set, i);
    n->as_number = n->node->as_number ? n->node->as_number : b->p->plan.as_number;
    n->router_id = router_id_of(b->p, n->node);
    const struct calico_bgp_configuration *own = calico_config_of_node(b->set, n->node->name);
    info->own_port = own ? own->listen_port : 0;
    info->port = info->own_port ? info->own_port : b->p->global->listen_port;
    n->listen_port = info->port;
    for (int family = 0; family < BGP_FAMILIES; family++) {
        struct ip_addr a = plan_addr(n->node, family);
        if (b->p->global->bind_node_ip)
            n->listen_addr[family] = a;
        ip_format(a, info->text[family]);
        if (!ip_is_set(a))
            continue;
        info->mesh_name[family] = plan_session_name(b, "Mesh_", a, 0);
        if (plan_node_by_addr(b, a) == CALICO_NO_NODE &&
            !table_insert(&b->by_addr, hash_bytes(&a, sizeof a, 0),
                          i * BGP_FAMILIES + (uint32_t)family + 1))
            b->out_of_memory = true;
    }
}

static void fill_nodes(struct plan_build *b) {
    struct calico_plan *p = &b->p->plan;
    size_t count = calico_node_count(b->set);
    p->nodes = plan_array(b, b->arena, count + 1, sizeof *p->nodes);
    b->p->info = plan_array(b, b->arena, count + 1, sizeof *b->p->info);
    if (b->out_of_memory)
        return;
    p->node_count = count;
    for (uint32_t i = 0; i < count; i++)
        fill_node(b, i);
}

/* ---- the mesh ---- */

struct mesh_order {
    uint32_t *nodes; /* members of a family's mesh by the name of their session */
    size_t count;
};

struct named_node {
    const char *name;
    uint32_t index;
};

static int compare_named(const void *a, const void *b) {
    const struct named_node *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c ? c : x->index < y->index ? -1 : 1;
}

static void order_mesh(struct plan_build *b, int family, struct mesh_order *order) {
    const struct calico_plan *p = &b->p->plan;
    struct named_node *named = plan_array(b, b->scratch, p->node_count + 1, sizeof *named);
    order->nodes = plan_array(b, b->scratch, p->node_count + 1, sizeof *order->nodes);
    if (b->out_of_memory || !p->mesh_enabled)
        return;
    for (uint32_t i = 0; i < p->node_count; i++)
        if (b->p->info[i].mesh_name[family] && !p->nodes[i].node->has_cluster_id)
            named[order->count++] = (struct named_node){b->p->info[i].mesh_name[family], i};
    qsort(named, order->count, sizeof *named, compare_named);
    for (size_t i = 0; i < order->count; i++)
        order->nodes[i] = named[i].index;
}

/* ---- a node's sessions ---- */

struct gather {
    struct plan_build *b;
    struct mesh_order mesh[BGP_FAMILIES];
    struct node_entries entries;
    struct calico_session *sessions; /* room for the node with the most */
    size_t count;
};

static void gather_mesh(struct gather *g, uint32_t node, int family) {
    const struct plan_build *b = g->b;
    struct ip_addr mine = plan_addr(b->p->plan.nodes[node].node, family);
    if (b->p->plan.nodes[node].node->has_cluster_id || !ip_is_set(mine))
        return;
    for (size_t i = 0; i < g->mesh[family].count; i++) {
        uint32_t other = g->mesh[family].nodes[i];
        if (!ip_equal(mine, plan_addr(b->p->plan.nodes[other].node, family)))
            plan_session_mesh(b, node, other, family, &g->sessions[g->count++]);
    }
}

static void gather_entries(struct gather *g, uint32_t node, int family, struct entry *const *e,
                           size_t count) {
    for (size_t i = 0; i < count; i++)
        if (plan_family(e[i]->addr) == family &&
            plan_session_from_entry(g->b, node, e[i], &g->sessions[g->count])) {
            e[i]->from->has_session[family] = true;
            g->count++;
        }
}

static void gather_node(struct gather *g, uint32_t i) {
    struct plan_build *b = g->b;
    struct calico_plan_node *n = &b->p->plan.nodes[i];
    size_t start = g->entries.start[i], count = g->entries.start[i + 1] - start;
    g->count = 0;
    for (int family = 0; family < BGP_FAMILIES; family++) {
        gather_entries(g, i, family, b->globals, b->global_count);
        g->count += plan_workload_sessions(b, i, family, &g->sessions[g->count]);
        gather_mesh(g, i, family);
        if (count > 0)
            gather_entries(g, i, family, g->entries.items + start, count);
    }
    n->sessions = plan_array(b, b->arena, g->count + 1, sizeof *n->sessions);
    if (!n->sessions)
        return;
    if (g->count > 0)
        memcpy(n->sessions, g->sessions, g->count * sizeof *n->sessions);
    n->session_count = g->count;
}

static size_t sessions_max(const struct gather *g) {
    size_t most = 0, mesh = g->mesh[FAMILY4].count + g->mesh[FAMILY6].count;
    for (size_t i = 0; i < g->b->p->plan.node_count; i++) {
        size_t own = g->entries.start[i + 1] - g->entries.start[i];
        own += g->b->p->plan.nodes[i].pod_count;
        most = own > most ? own : most;
    }
    return most + mesh + g->b->global_count;
}

static void gather_sessions(struct plan_build *b) {
    struct gather g = {.b = b};
    order_mesh(b, FAMILY4, &g.mesh[FAMILY4]);
    order_mesh(b, FAMILY6, &g.mesh[FAMILY6]);
    if (!b->out_of_memory && plan_peers_by_node(b, &g.entries))
        g.sessions = alloc_zero(sessions_max(&g) + 1, sizeof *g.sessions);
    if (!g.sessions)
        b->out_of_memory = true;
    for (uint32_t i = 0; !b->out_of_memory && i < b->p->plan.node_count; i++)
        gather_node(&g, i);
    alloc_free(g.sessions);
    alloc_free(g.entries.items);
}

/* ---- life ---- */

static void fill_cluster(struct plan_build *b) {
    static const struct calico_bgp_configuration nothing = {
        .name = "default", .normal_priority4 = 1024, .normal_priority6 = 1024};
    const struct calico_bgp_configuration *c = calico_config_find(b->set, "default");
    struct plan_impl *p = b->p;
    p->global = c ? c : &nothing;
    p->plan.mesh_enabled = !p->global->mesh_set || p->global->mesh_enabled;
    p->plan.as_number = p->global->as_number ? p->global->as_number : AS_DEFAULT;
    if (p->global->mesh_password.name)
        b->mesh_password = calico_secret_find(b->set, p->name_space, p->global->mesh_password.name,
                                              p->global->mesh_password.key);
}

/* CALICO_ADVERTISE_CLUSTER_IPS goes before serviceClusterIPs. */
static void fill_cluster_ips(struct plan_build *b, const struct calico_plan_options *o) {
    struct plan_impl *p = b->p;
    struct ip_prefix *ips = plan_array(b, b->arena, o->cluster_ip_count, sizeof *ips);
    if (!ips)
        return;
    memcpy(ips, o->cluster_ips, o->cluster_ip_count * sizeof *ips);
    p->own_global = *p->global;
    p->own_global.service_cluster_ips = ips;
    p->own_global.service_cluster_ip_count = o->cluster_ip_count;
    p->global = &p->own_global;
}

static void build(struct plan_build *b, const struct calico_plan_options *o) {
    fill_cluster(b);
    if (o && o->cluster_ip_count)
        fill_cluster_ips(b, o);
    if (!b->out_of_memory)
        fill_nodes(b);
    if (!b->out_of_memory)
        plan_ipam(b);
    if (!b->out_of_memory)
        plan_slices(b);
    if (!b->out_of_memory)
        plan_peers_collect(b);
    if (!b->out_of_memory)
        gather_sessions(b);
    if (!b->out_of_memory)
        plan_refused(b);
    if (!b->out_of_memory)
        plan_pairs(b);
    if (!b->out_of_memory)
        plan_findings(b);
    table_deinit(&b->by_addr);
    table_deinit(&b->global_keys);
}

struct calico_plan *calico_plan_new(const struct calico_set *set,
                                    const struct calico_plan_options *o, struct diag_list *diags) {
    struct arena *arena = arena_new(), *scratch = arena_new();
    struct plan_impl *p = arena && scratch ? arena_alloc(arena, sizeof *p) : NULL;
    bool failed = !p;
    if (p) {
        struct plan_build b = {
            .p = p, .set = set, .diags = diags, .arena = arena, .scratch = scratch};
        p->plan.arena = arena;
        p->plan.set = set;
        p->plan.version = o ? o->version : 0;
        p->plan.rules = calico_rules_of(p->plan.version);
        p->pods_per_node = o && o->pods_per_node ? o->pods_per_node : 1;
        p->pods_of = o ? o->pods_of : NULL;
        p->pods_context = o ? o->context : NULL;
        p->pod_labels = o ? o->pod_labels : NULL;
        p->claims = o ? o->claims : NULL;
        p->claim_count = o ? o->claim_count : 0;
        p->use_pod_cidr = o && o->use_pod_cidr;
        p->node_ip_interface =
            arena_strdup(arena, o && o->node_ip_interface ? o->node_ip_interface : "eth0");
        p->router_id = o && o->router_id ? arena_strdup(arena, o->router_id) : NULL;
        p->name_space = o ? o->name_space : NULL;
        build(&b, o);
        failed = b.out_of_memory || !p->node_ip_interface || (o && o->router_id && !p->router_id);
    }
    arena_free(scratch);
    if (failed) {
        arena_free(arena);
        return NULL;
    }
    return &p->plan;
}

void calico_plan_free(struct calico_plan *p) {
    if (p)
        arena_free(p->arena);
}
