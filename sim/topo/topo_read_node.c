/*
 * Entries of `nodes`, one node each or a whole row of them.
 *
 *   nodes:
 *     - {name: kube-1, address: 10.0.0.11, labels: {rack: a}}
 *     - {count: 100, name: "node-%03d", segment: lan, pods: 1}
 *
 * Owns: the fields of a node, and generators: `count` with a name pattern, numbers from `first`,
 * addresses counting up from `address`.
 * Leaves to others: addresses nobody gave (topo_address.c), double names (topo.c).
 */

#include "topo_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const topo_keys_node[] = {
    "name",      "count",  "first",    "segment", "address",
    "interface", "labels", "asNumber", "pods",    "routeReflectorClusterID",
    "podLabels",
};
const size_t topo_keys_node_count = COUNT(topo_keys_node);

struct topo_node *topo_node_add(struct topo_reader *r, struct diag_place place) {
    struct topology *t = r->topology;
    if (t->node_count == TOPO_NODES_MAX) {
        diag_add(r->diags, DIAG_ERROR, place, "limit", "more than %d nodes", TOPO_NODES_MAX);
        return NULL;
    }
    if (t->node_count == r->node_capacity) {
        size_t wanted = t->node_count ? t->node_count * 2 : 16;
        struct topo_node *bigger = arena_array(r->arena, wanted, sizeof(*bigger));
        if (!bigger) {
            r->failed = true;
            return NULL;
        }
        if (t->node_count)
            memcpy(bigger, t->nodes, t->node_count * sizeof(*bigger));
        t->nodes = bigger;
        r->node_capacity = wanted;
    }
    struct topo_node *n = &t->nodes[t->node_count++];
    memset(n, 0, sizeof(*n));
    n->name = "";
    n->place = place;
    n->pods = 1;
    n->attachment.interface = "eth0";
    return n;
}

uint32_t topo_read_segment(struct topo_reader *r, const struct yaml_node *entry) {
    const struct topology *t = r->topology;
    const struct yaml_node *n = yaml_get(entry, "segment");
    const char *name;
    if (!n && t->segment_count == 1)
        return 0;
    if (!n) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(entry), "missing-field",
                 "segment is missing; there are %zu to choose from", t->segment_count);
        return UINT32_MAX;
    }
    if (!yaml_string(n, "segment", r->diags, &name))
        return UINT32_MAX;
    const char **names = arena_array(r->arena, t->segment_count, sizeof(*names));
    for (size_t i = 0; i < t->segment_count; i++) {
        if (strcmp(t->segments[i].name, name) == 0)
            return (uint32_t)i;
        if (names)
            names[i] = t->segments[i].name;
    }
    const char *near = names ? text_nearest(name, names, t->segment_count) : NULL;
    diag_add(r->diags, DIAG_ERROR, yaml_place(n), "unknown-segment",
             near ? "unknown segment \"%.80s\" (did you mean \"%s\"?)"
                  : "unknown segment \"%.80s\"",
             name, near);
    return UINT32_MAX;
}

static bool read_address(struct topo_reader *r, const struct yaml_node *n, struct ip_addr *ret4,
                         struct ip_addr *ret6) {
    const char *text;
    struct ip_addr a;
    if (!yaml_string(n, "address", r->diags, &text))
        return false;
    if (!ip_parse(text, &a)) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "bad-address",
                 "address: \"%.80s\" is not an address like 10.0.0.11 or fd00::11", text);
        return false;
    }
    struct ip_addr *slot = a.family == IP_V4 ? ret4 : ret6;
    if (ip_is_set(*slot)) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "bad-address",
                 "address: a second one of the same family");
        return false;
    }
    *slot = a;
    return true;
}

bool topo_read_addresses(struct topo_reader *r, const struct yaml_node *n, struct ip_addr *ret4,
                         struct ip_addr *ret6) {
    struct yaml_node *const *items;
    struct yaml_node *single;
    size_t count = topo_list(n, &items, &single);
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok = read_address(r, items[i], ret4, ret6) && ok;
    return ok;
}

static int compare_labels(const void *a, const void *b) {
    const struct calico_label *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Values are texts in Kubernetes: `rr: true` means "true". */
static void read_labels(struct topo_reader *r, const struct yaml_node *n, const char *name,
                        const struct calico_label **ret_labels, size_t *ret_count) {
    if (!n || n->kind == YAML_NULL)
        return;
    if (n->kind != YAML_MAPPING || n->count > TOPO_LABELS_MAX) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "wrong-type",
                 "%s: must be a mapping of at most %d names to values", name, TOPO_LABELS_MAX);
        return;
    }
    struct calico_label *labels = arena_array(r->arena, n->count, sizeof(*labels));
    if (!labels && n->count) {
        r->failed = true;
        return;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        labels[i].name = n->keys[i]->text;
        labels[i].value = "";
        if (n->items[i]->kind != YAML_NULL)
            yaml_string(n->items[i], labels[i].name, r->diags, &labels[i].value);
    }
    if (n->count)
        qsort(labels, n->count, sizeof(*labels), compare_labels);
    *ret_labels = labels;
    *ret_count = n->count;
}

static void read_as_number(struct topo_reader *r, const struct yaml_node *n, uint32_t *ret_as) {
    const char *text;
    uint32_t as;
    if (!yaml_string(n, "asNumber", r->diags, &text))
        return;
    if (text_to_asn(text, &as) && as != 0)
        *ret_as = as;
    else
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "out-of-range",
                 "asNumber: \"%.80s\" is not an AS number from 1 to 4294967295", text);
}

static void read_cluster_id(struct topo_reader *r, const struct yaml_node *n,
                            struct ip_addr *ret_id) {
    const char *text;
    struct ip_addr id;
    if (!yaml_string(n, "routeReflectorClusterID", r->diags, &text))
        return;
    if (ip_parse(text, &id) && id.family == IP_V4)
        *ret_id = id;
    else
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "bad-address",
                 "routeReflectorClusterID: \"%.80s\" is not written like an IPv4 address", text);
}

static void read_interface(struct topo_reader *r, const struct yaml_node *n,
                           const char **ret_name) {
    const char *name;
    if (yaml_string(n, "interface", r->diags, &name) &&
        topo_interface_check(name, n, false, r->diags))
        *ret_name = name;
}

/* What all nodes of a generator share. */
static void read_fields(struct topo_reader *r, const struct yaml_node *entry,
                        struct topo_node *node) {
    uint64_t pods = node->pods;
    node->attachment.segment = topo_read_segment(r, entry);
    topo_read_addresses(r, yaml_get(entry, "address"), &node->attachment.addr4,
                        &node->attachment.addr6);
    read_interface(r, yaml_get(entry, "interface"), &node->attachment.interface);
    read_labels(r, yaml_get(entry, "labels"), "labels", &node->labels, &node->label_count);
    read_labels(r, yaml_get(entry, "podLabels"), "podLabels", &node->pod_labels,
                &node->pod_label_count);
    read_as_number(r, yaml_get(entry, "asNumber"), &node->as_number);
    read_cluster_id(r, yaml_get(entry, "routeReflectorClusterID"), &node->cluster_id);
    yaml_u64(yaml_get(entry, "pods"), "pods", 0, TOPO_PODS_MAX, r->diags, &pods);
    node->pods = (uint32_t)pods;
}

static void read_single(struct topo_reader *r, const struct yaml_node *entry,
                        const struct yaml_node *name) {
    struct topo_node *node = topo_node_add(r, yaml_place(entry));
    if (!node)
        return;
    read_fields(r, entry, node);
    if (yaml_get(entry, "first"))
        diag_add(r->diags, DIAG_ERROR, yaml_place(yaml_key(entry, "first")), "wrong-type",
                 "first: has a meaning beside count only");
    if (yaml_string(name, "name", r->diags, &node->name))
        topo_name_check(node->name, yaml_place(name), "node name", r->diags);
}

static struct ip_addr counted_up(struct ip_addr a, uint64_t i) {
    return ip_is_set(a) ? ip_offset(a, i) : a;
}

static void generate(struct topo_reader *r, const struct yaml_node *entry,
                     const struct topo_pattern *pattern, uint64_t first, uint64_t count) {
    struct topo_node shared = {0};
    size_t errors_before = diag_error_count(r->diags);
    for (uint64_t i = 0; i < count; i++) {
        struct topo_node *node = topo_node_add(r, yaml_place(entry));
        if (!node)
            return;
        if (i == 0) {
            read_fields(r, entry, node);
            shared = *node;
        }
        *node = shared;
        node->name = topo_pattern_name(pattern, first + i, r->arena);
        if (!node->name) {
            r->failed = true;
            node->name = "";
            return;
        }
        node->attachment.addr4 = counted_up(shared.attachment.addr4, i);
        node->attachment.addr6 = counted_up(shared.attachment.addr6, i);
        if (!topo_name_check(node->name, yaml_place(yaml_get(entry, "name")), "node name",
                             r->diags) ||
            diag_error_count(r->diags) != errors_before)
            return; /* the others would only say the same again */
    }
}

static void read_generator(struct topo_reader *r, const struct yaml_node *entry,
                           const struct yaml_node *name) {
    struct topo_pattern pattern;
    const char *text;
    uint64_t count, first = 1;
    bool ok = yaml_u64(yaml_get(entry, "count"), "count", 0, TOPO_NODES_MAX, r->diags, &count);
    const struct yaml_node *start = yaml_get(entry, "first");
    if (start)
        ok = yaml_u64(start, "first", 0, 999999, r->diags, &first) && ok;
    ok = yaml_string(name, "name", r->diags, &text) && ok;
    if (ok && topo_pattern_parse(name, r->arena, r->diags, &pattern))
        generate(r, entry, &pattern, first, count);
}

void topo_read_node(struct topo_reader *r, const struct yaml_node *entry) {
    const struct yaml_node *name = yaml_get(entry, "name");
    yaml_check_keys(entry, topo_keys_node, topo_keys_node_count, "node", r->diags);
    if (!name)
        diag_add(r->diags, DIAG_ERROR, yaml_place(entry), "missing-field", "node: name is missing");
    else if (yaml_get(entry, "count"))
        read_generator(r, entry, name);
    else
        read_single(r, entry, name);
}
