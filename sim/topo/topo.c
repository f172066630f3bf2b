/*
 * A topology file to plain lists.
 *
 * Owns: the file's outermost level, segments, unique names, and lookup by name.
 * Leaves to others: nodes and their generators (topo_read_node.c), routers (topo_read_router.c),
 * addresses (topo_address.c), Calico's Node resources (topo_set.c). BGP is nobody's business here.
 *
 * Invariants: a topology that is handed out has at least one segment and one node or router, names
 * unique over nodes and routers, subnets that do not overlap, and an address for every attachment
 * in every family its segment has. All mistakes are reported, not the first only.
 */

#include "topo_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const topo_keys_topology[] = {"name",     "description", "fabric",
                                          "segments", "nodes",       "routers"};
const size_t topo_keys_topology_count = COUNT(topo_keys_topology);
const char *const topo_keys_segment[] = {"name", "subnet"};
const size_t topo_keys_segment_count = COUNT(topo_keys_segment);

static void read_fabric(struct topo_reader *r, const struct yaml_node *n) {
    static const char *const words[] = {
        [TOPO_FABRIC_AUTO] = "auto", [TOPO_FABRIC_L2] = "l2", [TOPO_FABRIC_ROUTED] = "routed"};
    size_t i = TOPO_FABRIC_AUTO;
    if (yaml_enum(n, "fabric", words, COUNT(words), r->diags, &i))
        r->topology->fabric = (enum topo_fabric)i;
}

/* ---- lists ---- */

size_t topo_list(const struct yaml_node *n, struct yaml_node *const **ret_items,
                 struct yaml_node **ret_single) {
    if (!n || n->kind == YAML_NULL)
        return 0;
    if (n->kind == YAML_SEQUENCE) {
        *ret_items = n->items;
        return n->count;
    }
    *ret_single = (struct yaml_node *)(uintptr_t)n;
    *ret_items = ret_single;
    return 1;
}

static bool all_mappings(struct topo_reader *r, struct yaml_node *const *items, size_t count,
                         const char *what) {
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind == YAML_MAPPING)
            continue;
        diag_add(r->diags, DIAG_ERROR, yaml_place(items[i]), "wrong-type",
                 "%s[%zu]: must be a mapping", what, i);
        ok = false;
    }
    return ok;
}

static bool count_within(struct topo_reader *r, const struct yaml_node *n, size_t count,
                         size_t most, const char *what) {
    if (count <= most)
        return true;
    diag_add(r->diags, DIAG_ERROR, yaml_place(n), "limit", "%s: %zu of them, at most %zu", what,
             count, most);
    return false;
}

/* ---- segments ---- */

static void read_subnet(struct topo_reader *r, const struct yaml_node *n, struct topo_segment *s) {
    const char *text;
    struct ip_prefix p;
    char shown[IP_PREFIX_TEXT_MAX];
    if (!yaml_string(n, "subnet", r->diags, &text))
        return;
    if (!strchr(text, '/') || !ip_prefix_parse(text, &p)) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "bad-address",
                 "subnet: \"%.80s\" is not a prefix like 10.0.0.0/16 or fd00::/64", text);
        return;
    }
    if (!ip_prefix_is_masked(p)) {
        p = ip_prefix_make(p.addr, p.length);
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "bad-address",
                 "subnet: \"%.80s\" has host bits set (did you mean \"%s\"?)", text,
                 ip_prefix_format(p, shown));
        return;
    }
    struct ip_prefix *slot = p.addr.family == IP_V4 ? &s->subnet4 : &s->subnet6;
    if (ip_is_set(slot->addr))
        diag_add(r->diags, DIAG_ERROR, yaml_place(n), "bad-address",
                 "subnet: a second one of the same family; a segment has at most one of each");
    else
        *slot = p;
}

static void read_segment(struct topo_reader *r, const struct yaml_node *n, struct topo_segment *s) {
    struct yaml_node *const *items;
    struct yaml_node *single;
    const struct yaml_node *name = yaml_get(n, "name");
    s->place = yaml_place(n);
    s->name = "";
    yaml_check_keys(n, topo_keys_segment, topo_keys_segment_count, "segment", r->diags);
    if (!name)
        diag_add(r->diags, DIAG_ERROR, s->place, "missing-field", "segment: name is missing");
    else if (yaml_string(name, "name", r->diags, &s->name))
        topo_name_check(s->name, yaml_place(name), "segment name", r->diags);
    size_t count = topo_list(yaml_get(n, "subnet"), &items, &single);
    if (count == 0)
        diag_add(r->diags, DIAG_ERROR, s->place, "missing-field",
                 "segment \"%.63s\": subnet is missing", s->name);
    for (size_t i = 0; i < count; i++)
        read_subnet(r, items[i], s);
}

static bool subnets_overlap(const struct topo_segment *a, const struct topo_segment *b) {
    return (ip_is_set(a->subnet4.addr) && ip_is_set(b->subnet4.addr) &&
            ip_prefix_overlaps(a->subnet4, b->subnet4)) ||
           (ip_is_set(a->subnet6.addr) && ip_is_set(b->subnet6.addr) &&
            ip_prefix_overlaps(a->subnet6, b->subnet6));
}

static void check_segments(struct topo_reader *r) {
    const struct topology *t = r->topology;
    for (size_t i = 1; i < t->segment_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct topo_segment *a = &t->segments[j], *b = &t->segments[i];
            if (strcmp(a->name, b->name) == 0)
                diag_add(r->diags, DIAG_ERROR, b->place, "duplicate-name",
                         "segment \"%s\" stands here and on line %u", b->name, a->place.line);
            if (subnets_overlap(a, b))
                diag_add(r->diags, DIAG_ERROR, b->place, "overlapping-subnets",
                         "the subnets of \"%s\" and \"%s\" (line %u) overlap", b->name, a->name,
                         a->place.line);
        }
    }
}

static void read_segments(struct topo_reader *r, const struct yaml_node *root) {
    struct yaml_node *const *items;
    struct yaml_node *single;
    const struct yaml_node *n = yaml_get(root, "segments");
    size_t count = topo_list(n, &items, &single);
    if (count == 0) {
        diag_add(r->diags, DIAG_ERROR, yaml_place(n ? n : root), "missing-field",
                 "segments is missing: at least one, {name: lan, subnet: 10.0.0.0/16}");
        return;
    }
    if (!count_within(r, n, count, TOPO_SEGMENTS_MAX, "segments") ||
        !all_mappings(r, items, count, "segments"))
        return;
    r->topology->segments = arena_array(r->arena, count, sizeof(struct topo_segment));
    if (!r->topology->segments) {
        r->failed = true;
        return;
    }
    r->topology->segment_count = count;
    for (size_t i = 0; i < count; i++)
        read_segment(r, items[i], &r->topology->segments[i]);
    check_segments(r);
}

/* ---- nodes and routers ---- */

static void read_nodes(struct topo_reader *r, const struct yaml_node *root) {
    struct yaml_node *const *items;
    struct yaml_node *single;
    size_t count = topo_list(yaml_get(root, "nodes"), &items, &single);
    if (count == 0 || !all_mappings(r, items, count, "nodes"))
        return;
    for (size_t i = 0; i < count && !r->failed; i++)
        topo_read_node(r, items[i]);
}

static void read_routers(struct topo_reader *r, const struct yaml_node *root) {
    struct yaml_node *const *items;
    struct yaml_node *single;
    const struct yaml_node *n = yaml_get(root, "routers");
    size_t count = topo_list(n, &items, &single);
    if (count == 0 || !count_within(r, n, count, TOPO_ROUTERS_MAX, "routers") ||
        !all_mappings(r, items, count, "routers"))
        return;
    r->topology->routers = arena_array(r->arena, count, sizeof(struct topo_router));
    if (!r->topology->routers) {
        r->failed = true;
        return;
    }
    r->topology->router_count = count;
    for (size_t i = 0; i < count && !r->failed; i++)
        topo_read_router(r, items[i], &r->topology->routers[i]);
}

struct named {
    const char *name;
    struct diag_place place;
};

static int compare_named(const void *a, const void *b) {
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->place.line > y->place.line) - (x->place.line < y->place.line);
}

static void check_names(struct topo_reader *r) {
    const struct topology *t = r->topology;
    size_t count = t->node_count + t->router_count;
    struct named *all = arena_array(r->arena, count, sizeof(*all));
    if (!all) {
        r->failed = r->failed || count > 0;
        return;
    }
    for (size_t i = 0; i < t->node_count; i++)
        all[i] = (struct named){t->nodes[i].name, t->nodes[i].place};
    for (size_t i = 0; i < t->router_count; i++)
        all[t->node_count + i] = (struct named){t->routers[i].name, t->routers[i].place};
    qsort(all, count, sizeof(*all), compare_named);
    for (size_t i = 1; i < count; i++)
        if (all[i].name[0] && strcmp(all[i - 1].name, all[i].name) == 0)
            diag_add(r->diags, DIAG_ERROR, all[i].place, "duplicate-name",
                     "\"%s\" is the name of something on line %u already", all[i].name,
                     all[i - 1].place.line);
}

struct topology *topology_read(const struct yaml_node *root, struct arena *arena,
                               struct diag_list *diags) {
    size_t errors_before = diag_error_count(diags);
    struct topology *t = arena_alloc(arena, sizeof(*t));
    struct topo_reader r = {.topology = t, .arena = arena, .diags = diags};
    if (!t)
        return NULL;
    if (root->kind != YAML_MAPPING) {
        diag_add(diags, DIAG_ERROR, yaml_place(root), "wrong-type",
                 "a topology is a mapping with segments, nodes and routers");
        return NULL;
    }
    t->file = root->file;
    t->name = "topology";
    yaml_check_keys(root, topo_keys_topology, topo_keys_topology_count, "topology", diags);
    yaml_string(yaml_get(root, "name"), "name", diags, &t->name);
    read_fabric(&r, yaml_get(root, "fabric"));
    read_segments(&r, root);
    if (!r.failed && t->segment_count) {
        read_nodes(&r, root);
        read_routers(&r, root);
        check_names(&r);
    }
    if (!r.failed && diag_error_count(diags) == errors_before)
        topo_assign_addresses(&r);
    return r.failed || diag_error_count(diags) != errors_before ? NULL : t;
}

uint32_t topology_find(const struct topology *t, const char *name) {
    for (size_t i = 0; i < t->node_count; i++)
        if (strcmp(t->nodes[i].name, name) == 0)
            return (uint32_t)i;
    for (size_t i = 0; i < t->router_count; i++)
        if (strcmp(t->routers[i].name, name) == 0)
            return (uint32_t)(t->node_count + i);
    return UINT32_MAX;
}
