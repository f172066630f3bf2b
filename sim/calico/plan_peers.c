/*
 * Owns the way from BGPPeers to entries: which nodes each selects, the remote sides (by address or
 * by selector), reverse peerings, and the keys on which the first writer wins.
 *
 * Order of writing, as in confd: all global BGPPeers, all others, then the reverse peerings of all.
 * Inside a pass Calico walks a Go map, which is random; here it is the order of names, and a loser
 * whose settings differ is remembered for a warning. A global entry beats any other of the same
 * address and port on every node. Ports 0 and 179 are one key.
 *
 * Invariants: an entry says nothing about the node that will have it, so it is made once for all of
 * them; node lists are sorted; cost grows with BGPPeers x nodes, never with sessions x sessions.
 */
#include "plan_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/hash.h"
#include "selector.h"

#include <stdlib.h>
#include <string.h>

#define BGP_DEFAULT_PORT 179

/* ---- keys ---- */

struct key {
    struct ip_addr addr;
    uint16_t port;
};

static struct key entry_key(const struct entry *e) {
    return (struct key){e->addr, e->port ? e->port : BGP_DEFAULT_PORT};
}

static uint64_t key_hash(struct key k) {
    return hash_mix(hash_bytes(&k.addr, sizeof k.addr, 0), k.port);
}

/* `context` is an array of entry pointers; indices count from 1. */
static bool key_equal(const void *context, uint32_t index, const void *key) {
    struct entry *const *entries = context;
    struct key k = entry_key(entries[index - 1]);
    const struct key *wanted = key;
    return k.port == wanted->port && ip_equal(k.addr, wanted->addr);
}

static uint32_t key_find(const struct table *t, struct entry *const *entries, struct key k) {
    return table_find(t, key_hash(k), key_equal, (const void *)entries, &k);
}

/* ---- the two sides ---- */

static const uint32_t *select_nodes(struct plan_build *b, const struct selector *s,
                                    size_t *ret_count) {
    const struct calico_plan *p = &b->p->plan;
    uint32_t *nodes = plan_array(b, b->scratch, p->node_count + 1, sizeof *nodes);
    *ret_count = 0;
    for (uint32_t i = 0; nodes && i < p->node_count; i++) {
        const struct calico_node *n = p->nodes[i].node;
        if (!s || selector_matches(s, n->labels, n->label_count))
            nodes[(*ret_count)++] = i;
    }
    return nodes;
}

static const uint32_t *one_node(struct plan_build *b, const char *name, size_t *ret_count) {
    const struct calico_plan_node *n = calico_plan_find(&b->p->plan, name);
    uint32_t *nodes = plan_array(b, b->scratch, 1, sizeof *nodes);
    if (!n || !nodes)
        return NULL;
    nodes[0] = (uint32_t)(n - b->p->plan.nodes);
    *ret_count = 1;
    return nodes;
}

static uint32_t recognised_as(const struct plan_build *b, const struct calico_bgp_peer *p) {
    uint32_t as = p->as_number ? p->as_number : b->p->plan.as_number;
    uint32_t node = plan_node_by_addr(b, p->peer_ip);
    return node != CALICO_NO_NODE && b->p->plan.nodes[node].as_number == as ? node : CALICO_NO_NODE;
}

/* BIRD never sees this: confd compares the given port with the node's own and then, even when
 * that fitted, with the global one. */
static bool port_fits(const struct plan_build *b, uint32_t node, uint16_t port) {
    uint16_t own = b->p->info[node].own_port, global = b->p->global->listen_port;
    if (port == 0)
        return true;
    if (!own && !global)
        return port == BGP_DEFAULT_PORT;
    return (!own || own == port) && (!global || global == port);
}

/* A BGPPeer that names no remote side: in the reverse pass its empty address equals that of every
 * node lacking a family, if the AS is the global one. */
static bool is_empty(const struct calico_bgp_peer *p) {
    return !p->has_peer_ip && !p->peer_ip_unreadable && !p->peer_selector &&
           !p->local_workload_selector;
}

static const uint32_t *empty_remotes(struct plan_build *b, const struct calico_bgp_peer *p,
                                     size_t *ret_count) {
    const struct calico_plan *plan = &b->p->plan;
    uint32_t as = p->as_number ? p->as_number : plan->as_number;
    uint32_t *nodes = plan_array(b, b->scratch, plan->node_count + 1, sizeof *nodes);
    for (uint32_t i = 0; nodes && i < plan->node_count; i++) {
        const struct calico_node *n = plan->nodes[i].node;
        if ((!ip_is_set(n->addr4) || !ip_is_set(n->addr6)) && plan->nodes[i].as_number == as)
            nodes[(*ret_count)++] = i;
    }
    return nodes;
}

static void find_remotes(struct plan_build *b, struct peering *g) {
    const struct calico_bgp_peer *p = g->peer;
    if (p->peer_selector) {
        g->remotes = select_nodes(b, p->peer_selector, &g->remote_count);
    } else if (is_empty(p)) {
        g->remotes = empty_remotes(b, p, &g->remote_count);
    } else if (p->has_peer_ip) {
        uint32_t node = recognised_as(b, p);
        uint32_t *nodes = plan_array(b, b->scratch, 1, sizeof *nodes);
        if (nodes && node != CALICO_NO_NODE && port_fits(b, node, p->peer_port)) {
            nodes[0] = node;
            g->remotes = nodes;
            g->remote_count = 1;
        }
    }
}

/* ---- entries ---- */

/* The node as a remote side, in one family. */
static bool entry_of_node(struct plan_build *b, struct peering *g, uint32_t node, int family,
                          bool reverse, struct entry *ret_entry) {
    const struct calico_plan_node *n = &b->p->plan.nodes[node];
    struct ip_addr addr = plan_addr(n->node, family);
    if (!ip_is_set(addr))
        return false;
    uint16_t port = b->p->info[node].port;
    const char *prefix = g->global && !reverse ? "Global_" : "Node_";
    *ret_entry = (struct entry){
        .from = g,
        .name = plan_session_name(b, prefix, addr, port),
        .addr = addr,
        .port = port,
        .as_number = n->as_number,
        .node = node,
        .cluster_known = n->node->has_cluster_id,
        .cluster_id = n->node->has_cluster_id ? ip4_to_u32(n->node->cluster_id) : 0,
        .reverse = reverse,
    };
    return true;
}

static int compare_entries(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* `families`: bit per family. */
static struct entry *entries_of_nodes(struct plan_build *b, struct peering *g,
                                      const uint32_t *nodes, size_t count, unsigned families,
                                      bool reverse, size_t *ret_count) {
    struct entry *e = plan_array(b, b->scratch, count * BGP_FAMILIES + 1, sizeof *e);
    size_t made = 0;
    for (size_t i = 0; e && i < count; i++)
        for (int family = 0; family < BGP_FAMILIES; family++)
            if (families & 1u << family)
                made += entry_of_node(b, g, nodes[i], family, reverse, &e[made]);
    if (!e || b->out_of_memory)
        return NULL;
    qsort(e, made, sizeof *e, compare_entries);
    *ret_count = made;
    return e;
}

static void entry_by_address(struct plan_build *b, struct peering *g) {
    const struct calico_bgp_peer *p = g->peer;
    struct entry *e = plan_array(b, b->scratch, 1, sizeof *e);
    bool reachable = !ip_is_set(p->reachable_by) || p->reachable_by.family == p->peer_ip.family;
    if (!e || !reachable)
        return;
    uint32_t recognised = recognised_as(b, p);
    uint16_t port = p->peer_port;
    if (!port && recognised != CALICO_NO_NODE)
        port = b->p->info[recognised].port;
    *e = (struct entry){
        .from = g,
        .name = plan_session_name(b, g->global ? "Global_" : "Node_", p->peer_ip, port),
        .addr = p->peer_ip,
        .port = port,
        .as_number = p->as_number,
        .node = plan_node_by_addr(b, p->peer_ip),
        .by_address = true,
    };
    e->passive_rule = e->node != CALICO_NO_NODE;
    g->forward = e;
    g->forward_count = 1;
}

static void make_entries(struct plan_build *b, struct peering *g) {
    const struct calico_bgp_peer *p = g->peer;
    unsigned families = p->peer_selector ? 3
                        : p->has_peer_ip ? 1u << plan_family(p->peer_ip)
                                         : 1u << FAMILY4;
    if (p->local_workload_selector)
        return;
    if (p->peer_selector)
        g->forward =
            entries_of_nodes(b, g, g->remotes, g->remote_count, families, false, &g->forward_count);
    else if (p->has_peer_ip)
        entry_by_address(b, g);
    if (!p->reverse_manual && g->remote_count > 0)
        g->reverse =
            entries_of_nodes(b, g, g->nodes, g->node_count, families, true, &g->reverse_count);
}

/* ---- settings ---- */

static void find_filters(struct plan_build *b, struct peering *g) {
    const struct calico_bgp_peer *p = g->peer;
    g->filters = plan_array(b, b->arena, p->filter_count + 1, sizeof(struct calico_bgp_filter *));
    for (size_t i = 0; g->filters && i < p->filter_count; i++) {
        const struct calico_bgp_filter *f = calico_filter_find(b->set, p->filters[i]);
        if (f)
            g->filters[g->filter_count++] = f;
    }
}

static void collect_one(struct plan_build *b, struct peering *g) {
    const struct calico_bgp_peer *p = g->peer;
    g->global = !p->node && !p->node_selector;
    g->nodes = p->node ? one_node(b, p->node, &g->node_count)
                       : select_nodes(b, p->node_selector, &g->node_count);
    find_remotes(b, g);
    find_filters(b, g);
    if (p->password.name)
        g->password =
            calico_secret_find(b->set, b->p->name_space, p->password.name, p->password.key);
    b->has_workload_peers |= p->local_workload_selector != NULL;
    if (!b->out_of_memory)
        make_entries(b, g);
}

/* ---- first writer wins ---- */

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Fields that only count in a BGPPeer with peerIP; a global one also makes passive ends. */
static bool same_by_address(const struct entry *x, const struct entry *y) {
    const struct calico_bgp_peer *p = x->from->peer, *q = y->from->peer;
    uint32_t local_x = x->by_address ? p->local_as_number : 0,
             local_y = y->by_address ? q->local_as_number : 0,
             allowed_x = x->by_address ? p->allowed_local_as : 0,
             allowed_y = y->by_address ? q->allowed_local_as : 0;
    return local_x == local_y && allowed_x == allowed_y &&
           (x->passive_rule == y->passive_rule || !x->from->global || x->reverse);
}

/* Would the two entries render the same stanza? */
static bool same_settings(const struct entry *x, const struct entry *y) {
    const struct calico_bgp_peer *p = x->from->peer, *q = y->from->peer;
    if (!same_by_address(x, y) || x->as_number != y->as_number ||
        p->ttl_security != q->ttl_security || p->next_hop_mode != q->next_hop_mode ||
        p->keepalive_set != q->keepalive_set || !ip_equal(p->reachable_by, q->reachable_by) ||
        p->keep_original_next_hop != q->keep_original_next_hop ||
        p->source_address_none != q->source_address_none ||
        p->max_restart_time_set != q->max_restart_time_set ||
        p->max_restart_time_s != q->max_restart_time_s || p->keepalive_s != q->keepalive_s ||
        p->filter_count != q->filter_count || !same_text(p->password.name, q->password.name) ||
        !same_text(p->password.key, q->password.key))
        return false;
    for (size_t i = 0; i < p->filter_count; i++)
        if (strcmp(p->filters[i], q->filters[i]) != 0)
            return false;
    return true;
}

/* A loss that changes nothing is worth a word only when it makes a whole BGPPeer idle: one that is
 * shadowed by a global one. */
static void note_loss(struct entry *loser, const struct entry *winner, bool to_global) {
    struct peering *g = loser->from;
    bool idle = to_global && !loser->reverse;
    if (winner->from == g || (same_settings(loser, winner) && !idle))
        return;
    if (to_global) {
        g->lost_to_global = g->lost_to_global ? g->lost_to_global : winner->from;
        g->lost_to_global_count++;
    } else {
        g->lost_to = g->lost_to ? g->lost_to : winner->from;
        g->lost_count++;
    }
}

static int compare_entry_pointers(const void *a, const void *b) {
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    if (x->addr.family != y->addr.family)
        return x->addr.family < y->addr.family ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void write_globals(struct plan_build *b) {
    size_t room = 0;
    for (size_t i = 0; i < b->peering_count; i++)
        room += b->peerings[i].global ? b->peerings[i].forward_count : 0;
    b->globals = plan_array(b, b->scratch, room + 1, sizeof *b->globals);
    for (size_t i = 0; b->globals && i < b->peering_count; i++) {
        struct peering *g = &b->peerings[i];
        for (size_t j = 0; g->global && j < g->forward_count; j++) {
            struct entry *e = &g->forward[j];
            struct key k = entry_key(e);
            uint32_t winner = key_find(&b->global_keys, b->globals, k);
            if (winner) {
                note_loss(e, b->globals[winner - 1], false);
                continue;
            }
            b->globals[b->global_count++] = e;
            if (!table_insert(&b->global_keys, key_hash(k), (uint32_t)b->global_count))
                b->out_of_memory = true;
        }
    }
}

void plan_peers_collect(struct plan_build *b) {
    b->peering_count = calico_peer_count(b->set);
    b->peerings = plan_array(b, b->scratch, b->peering_count + 1, sizeof *b->peerings);
    for (size_t i = 0; !b->out_of_memory && i < b->peering_count; i++) {
        b->peerings[i].peer = calico_peer_at(b->set, i);
        collect_one(b, &b->peerings[i]);
    }
    if (!b->out_of_memory)
        write_globals(b);
}

/* ---- per node ---- */

/* For each node the BGPPeers that list it on one side, as a packed table. */
struct incidence {
    uint32_t *start; /* node_count + 1 */
    uint32_t *items; /* indices of peerings, ascending */
};

static bool side(const struct peering *g, bool reverse, const uint32_t **ret_nodes,
                 size_t *ret_count) {
    *ret_nodes = reverse ? g->remotes : g->nodes;
    *ret_count = reverse ? g->remote_count : g->node_count;
    return reverse ? g->reverse_count > 0 : !g->global && g->forward_count > 0;
}

static bool make_incidence(struct plan_build *b, bool reverse, struct incidence *t) {
    size_t n = b->p->plan.node_count, count;
    const uint32_t *nodes;
    t->start = plan_array(b, b->scratch, n + 2, sizeof *t->start);
    if (!t->start)
        return false;
    for (size_t i = 0; i < b->peering_count; i++)
        if (side(&b->peerings[i], reverse, &nodes, &count))
            for (size_t j = 0; j < count; j++)
                t->start[nodes[j] + 2]++;
    for (size_t i = 2; i < n + 2; i++)
        t->start[i] += t->start[i - 1];
    t->items = plan_array(b, b->scratch, (size_t)t->start[n + 1] + 1, sizeof *t->items);
    if (!t->items)
        return false;
    for (size_t i = 0; i < b->peering_count; i++)
        if (side(&b->peerings[i], reverse, &nodes, &count))
            for (size_t j = 0; j < count; j++)
                t->items[t->start[nodes[j] + 1]++] = (uint32_t)i;
    return true;
}

struct collector {
    struct plan_build *b;
    struct entry **items; /* all nodes' */
    size_t count, capacity;
    size_t first; /* of the current node */
    struct table keys;
};

static bool collector_room(struct collector *c) {
    if (c->count < c->capacity)
        return true;
    size_t capacity = c->capacity ? c->capacity * 2 : 1024;
    struct entry **items = alloc_resize(c->items, capacity, sizeof(struct entry *));
    if (!items)
        return false;
    c->items = items;
    c->capacity = capacity;
    return true;
}

static void offer(struct collector *c, uint32_t node, struct entry *e) {
    struct plan_build *b = c->b;
    struct key k = entry_key(e);
    /* Dropped by the node anyway: its own address takes no key away from anyone here. */
    if (e->node == node)
        return;
    uint32_t global = key_find(&b->global_keys, b->globals, k);
    if (global) {
        note_loss(e, b->globals[global - 1], true);
        return;
    }
    uint32_t winner = key_find(&c->keys, c->items ? c->items + c->first : NULL, k);
    if (winner) {
        struct entry *w = c->items[c->first + winner - 1];
        if (w->reverse == e->reverse)
            note_loss(e, w, false);
        return;
    }
    if (!collector_room(c)) {
        b->out_of_memory = true;
        return;
    }
    c->items[c->count++] = e;
    if (!table_insert(&c->keys, key_hash(k), (uint32_t)(c->count - c->first)))
        b->out_of_memory = true;
}

static void offer_all(struct collector *c, uint32_t node, const struct incidence *t, bool reverse) {
    for (uint32_t i = t->start[node]; i < t->start[node + 1]; i++) {
        struct peering *g = &c->b->peerings[t->items[i]];
        struct entry *e = reverse ? g->reverse : g->forward;
        size_t count = reverse ? g->reverse_count : g->forward_count;
        for (size_t j = 0; j < count; j++)
            offer(c, node, &e[j]);
    }
}

static void sort_node(struct collector *c) {
    size_t count = c->count - c->first;
    if (count == 0)
        return;
    struct entry **items = c->items + c->first;
    for (size_t i = 1; i < count; i++)
        if (compare_entry_pointers(&items[i - 1], &items[i]) > 0) {
            qsort(items, count, sizeof(struct entry *), compare_entry_pointers);
            return;
        }
}

bool plan_peers_by_node(struct plan_build *b, struct node_entries *ret_entries) {
    struct incidence forward, reverse;
    struct collector c = {.b = b};
    size_t n = b->p->plan.node_count;
    uint32_t *start = plan_array(b, b->scratch, n + 1, sizeof *start);
    if (!start || !make_incidence(b, false, &forward) || !make_incidence(b, true, &reverse))
        return false;
    if (b->global_count > 1)
        qsort(b->globals, b->global_count, sizeof(struct entry *), compare_entry_pointers);
    table_deinit(&b->global_keys);
    table_init(&b->global_keys);
    for (size_t i = 0; i < b->global_count; i++)
        if (!table_insert(&b->global_keys, key_hash(entry_key(b->globals[i])), (uint32_t)i + 1))
            b->out_of_memory = true;
    for (uint32_t i = 0; i < n && !b->out_of_memory; i++) {
        c.first = start[i] = (uint32_t)c.count;
        table_init(&c.keys);
        offer_all(&c, i, &forward, false);
        offer_all(&c, i, &reverse, true);
        table_deinit(&c.keys);
        sort_node(&c);
    }
    start[n] = (uint32_t)c.count;
    ret_entries->start = start;
    ret_entries->items = c.items;
    return !b->out_of_memory;
}
