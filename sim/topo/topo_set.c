/*
 * The topology's nodes and Calico's Node resources, told of each other.
 *
 * Owns: nodes of the topology as Node resources, and the way back: what the manifests at the start
 * say about addresses counts, and a Node that only the manifests know becomes a node of the lab.
 * Leaves to others: everything BGP makes of it (sim/calico).
 */

#include "topo_internal.h"

#include "../../speaker/base/arena.h"

#include <string.h>

bool topology_add_nodes(const struct topology *t, struct calico_set *set, struct diag_list *diags) {
    for (size_t i = 0; i < t->node_count; i++) {
        const struct topo_node *n = &t->nodes[i];
        const struct topo_segment *s = &t->segments[n->attachment.segment];
        struct calico_node node = {
            .name = n->name,
            .place = n->place,
            .addr4 = n->attachment.addr4,
            .addr6 = n->attachment.addr6,
            .length4 = s->subnet4.length,
            .length6 = s->subnet6.length,
            .as_number = n->as_number,
            .has_cluster_id = ip_is_set(n->cluster_id),
            .cluster_id = n->cluster_id,
            .labels = n->labels,
            .label_count = n->label_count,
        };
        if (!calico_add_node(set, &node)) {
            diag_add(diags, DIAG_ERROR, n->place, "duplicate-name",
                     "node \"%s\" cannot be added: its name is taken, or memory ran out", n->name);
            return false;
        }
    }
    return true;
}

static uint32_t find_segment(const struct topology *t, const struct calico_node *n) {
    for (size_t i = 0; i < t->segment_count; i++) {
        const struct topo_segment *s = &t->segments[i];
        if (ip_is_set(n->addr4) && ip_is_set(s->subnet4.addr) &&
            ip_prefix_contains_addr(s->subnet4, n->addr4))
            return (uint32_t)i;
        if (!ip_is_set(n->addr4) && ip_is_set(n->addr6) && ip_is_set(s->subnet6.addr) &&
            ip_prefix_contains_addr(s->subnet6, n->addr6))
            return (uint32_t)i;
    }
    return UINT32_MAX;
}

static void add_from_manifest(struct topo_reader *r, const struct calico_node *n) {
    uint32_t segment = find_segment(r->topology, n);
    if (segment == UINT32_MAX) {
        diag_add(r->diags, DIAG_ERROR, n->place, "address-outside-segment",
                 "node \"%s\" is not in the topology and its address lies in none of the "
                 "topology's segments",
                 n->name);
        return;
    }
    struct topo_node *node = topo_node_add(r, n->place);
    const char *name = arena_strdup(r->arena, n->name);
    if (!node || !name) {
        r->failed = true;
        return;
    }
    node->name = name;
    node->attachment.segment = segment;
    node->attachment.addr4 = n->addr4;
    node->attachment.addr6 = n->addr6;
    topo_name_check(name, n->place, "node name", r->diags);
}

/* The places of manifests live as long as the set, which may be shorter than the topology. */
static void keep_place(struct topo_reader *r, struct topo_node *node, struct diag_place place) {
    const char *file = arena_strdup(r->arena, place.file);
    if (file)
        node->place = (struct diag_place){file, place.line, place.column};
}

/* An address that the manifests changed stands there: what is wrong with it is their mistake. */
static void take_address(struct topo_reader *r, struct topo_node *node,
                         const struct calico_node *n) {
    struct topo_attachment *a = &node->attachment;
    bool other4 = ip_is_set(n->addr4) && !ip_equal(n->addr4, a->addr4);
    bool other6 = ip_is_set(n->addr6) && !ip_equal(n->addr6, a->addr6);
    if (other4)
        a->addr4 = n->addr4;
    if (other6)
        a->addr6 = n->addr6;
    if (other4 || other6)
        keep_place(r, node, n->place);
}

bool topology_take_addresses(struct topology *t, const struct calico_set *set, struct arena *arena,
                             struct diag_list *diags) {
    size_t errors_before = diag_error_count(diags);
    struct topo_reader r = {.topology = t, .arena = arena, .diags = diags};
    r.node_capacity = t->node_count; /* any more go to a copy */
    for (size_t i = 0; i < calico_node_count(set) && !r.failed; i++) {
        const struct calico_node *n = calico_node_at(set, i);
        uint32_t index = topology_find(t, n->name);
        if (index == UINT32_MAX) {
            size_t count = t->node_count;
            add_from_manifest(&r, n);
            if (t->node_count > count)
                keep_place(&r, &t->nodes[count], n->place);
        } else if (index < t->node_count) {
            take_address(&r, &t->nodes[index], n);
        } else {
            diag_add(diags, DIAG_ERROR, n->place, "duplicate-name",
                     "node \"%s\" has the name of a router in the topology", n->name);
        }
    }
    if (!r.failed && diag_error_count(diags) == errors_before)
        topo_check_addresses(&r);
    return !r.failed && diag_error_count(diags) == errors_before;
}
