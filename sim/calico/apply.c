/*
 * Owns putting objects into a set and taking them out, the way `calicoctl apply` and `delete` do:
 * in order, a given spec replacing the whole stored one: all or nothing, or resource after resource
 * as the tools do. Also the rules that need other objects: filters a BGPPeer names, pools that
 * overlap, fields that may not change, and the orders of changes that hurt.
 *
 * Invariants: the work is done on a copy of the set; the caller's set changes only by one exchange
 * at the end, and not at all without memory.
 */
#include "document.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"
#include "natural.h"

#include <stdlib.h>
#include <string.h>

struct apply {
    struct calico_set *set; /* the working copy */
    struct arena *arena;
    struct diag_list *diags;
    const struct document_list *list;
    bool strict;
    bool each; /* what is refused is left out */
    enum calico_tool tool;
    bool out_of_memory;
};

const char *const calico_tool_names[2] = {
    [CALICO_TOOL_CALICOCTL] = "calicoctl",
    [CALICO_TOOL_KUBECTL] = "kubectl",
};

/* ---- references ---- */

static const struct document_object *find_later(const struct apply *a, size_t from,
                                                enum object_kind kind, const char *name) {
    for (size_t i = from; i < a->list->count; i++)
        if (a->list->items[i].kind == kind && strcmp(a->list->items[i].name, name) == 0)
            return &a->list->items[i];
    return NULL;
}

static const char *nearest_filter(const struct apply *a, const char *name) {
    const struct object_table *t = &a->set->tables[OBJECT_FILTER];
    const char **names = arena_array(a->arena, t->count + 1, sizeof *names);
    for (size_t i = 0; names && i < t->count; i++)
        names[i] = t->items[i].name;
    return names ? text_nearest(name, names, t->count) : NULL;
}

static void check_filters(const struct apply *a, size_t at) {
    const struct calico_bgp_peer *p = a->list->items[at].value;
    bool raw = a->list->items[at].group == READ_CRD; /* no server looks */
    for (size_t i = 0; a->strict && !raw && i < p->filter_count; i++) {
        const char *name = p->filters[i];
        if (calico_filter_find(a->set, name))
            continue;
        const struct document_object *later = find_later(a, at + 1, OBJECT_FILTER, name);
        const char *nearest = later ? NULL : nearest_filter(a, name);
        if (later)
            diag_add(a->diags, DIAG_ERROR, p->filter_places[i], "filter-after-peer",
                     "BGPPeer \"%s\": spec.filters: BGPFilter(s) not found: \"%s\" comes later, at "
                     "line %u: put it before the BGPPeer",
                     p->name, name, later->place.line);
        else
            diag_add(a->diags, DIAG_ERROR, p->filter_places[i], "missing-filter",
                     "BGPPeer \"%s\": spec.filters: BGPFilter(s) not found: \"%s\"%s%s%s", p->name,
                     name, nearest ? " (did you mean \"" : "", nearest ? nearest : "",
                     nearest ? "\"?)" : "");
    }
}

/* ---- pools ---- */

static void check_pool(const struct apply *a, const struct calico_ip_pool *p) {
    char mine[IP_PREFIX_TEXT_MAX], other[IP_PREFIX_TEXT_MAX];
    if (!ip_is_set(p->cidr.addr))
        return; /* refused already */
    ip_prefix_format(p->cidr, mine);
    for (size_t i = 0; i < calico_pool_count(a->set); i++) {
        const struct calico_ip_pool *q = calico_pool_at(a->set, i);
        ip_prefix_format(q->cidr, other);
        bool same = strcmp(q->name, p->name) == 0;
        if (same && !ip_prefix_equal(q->cidr, p->cidr))
            diag_add(a->diags, DIAG_ERROR, p->place, "immutable-field",
                     "IPPool \"%s\": spec.cidr cannot be changed (from %s to %s): make a new pool",
                     p->name, other, mine);
        else if (same && q->block_size != p->block_size)
            diag_add(a->diags, DIAG_ERROR, p->place, "immutable-field",
                     "IPPool \"%s\": spec.blockSize cannot be changed (from %u to %u): make a new "
                     "pool",
                     p->name, q->block_size, p->block_size);
        else if (!same && ip_prefix_overlaps(q->cidr, p->cidr))
            diag_add(a->diags, DIAG_ERROR, p->place, "pool-overlap",
                     "IPPool \"%s\": spec.cidr %s overlaps with IPPool \"%s\" (%s)", p->name, mine,
                     q->name, other);
    }
}

/* ---- orders of changes ---- */

static bool mesh_is_off(const struct calico_bgp_configuration *c) {
    return c && c->mesh_set && !c->mesh_enabled;
}

/* A BGPPeer that comes behind the mesh's end. What was read out of a cluster stands there by name,
 * not in an order that anybody wants, and its BGPPeers are there already. */
static const struct document_object *find_late_peer(const struct apply *a, size_t from) {
    for (size_t i = from; i < a->list->count; i++)
        if (a->list->items[i].kind == OBJECT_PEER && !a->list->items[i].stored)
            return &a->list->items[i];
    return NULL;
}

static void check_configuration(const struct apply *a, size_t at) {
    const struct calico_bgp_configuration *now = a->list->items[at].value;
    if (strcmp(now->name, "default") != 0)
        return;
    const struct calico_bgp_configuration *before = calico_config_find(a->set, "default");
    if (mesh_is_off(before) && !now->mesh_set)
        diag_add(a->diags, DIAG_WARNING, now->place, "mesh-back-on",
                 "BGPConfiguration \"default\": nodeToNodeMeshEnabled is left out, so the mesh, "
                 "now off, comes back: apply replaces the whole spec");
    const struct document_object *peer = find_late_peer(a, at + 1);
    if (mesh_is_off(now) && !mesh_is_off(before) && calico_peer_count(a->set) == 0 && peer)
        diag_add(a->diags, DIAG_WARNING, now->place, "mesh-off-first",
                 "BGPConfiguration \"default\": the mesh goes down before the BGPPeers that "
                 "replace it exist (BGPPeer \"%s\", line %u): apply those first and wait",
                 peer->name, peer->place.line);
}

static void check_replaced(const struct apply *a, size_t at) {
    const struct document_object *o = &a->list->items[at];
    for (size_t i = 0; i < at; i++) {
        const struct document_object *before = &a->list->items[i];
        if (before->kind == o->kind && before->group == o->group &&
            strcmp(before->name, o->name) == 0) {
            const char *file = before->place.file ? before->place.file : "";
            bool elsewhere = strcmp(file, o->place.file ? o->place.file : "") != 0;
            diag_add(a->diags, DIAG_WARNING, o->place, "replaced-in-bundle",
                     "%s \"%s\" stands at %s%sline %u already: this one replaces its whole spec",
                     object_kind_name(o->kind), o->name, elsewhere ? file : "",
                     elsewhere ? ", " : "", before->place.line);
            return;
        }
    }
}

/* ---- putting in ---- */

#define ORDINAL_NEW UINT32_MAX

/* A v3 Node replaces all BGP annotations, labels of Kubernetes stay. */
static void layer_node(struct apply *a, struct node_layers *l, const struct document_object *o) {
    if (o->group == READ_CORE) {
        l->core = o->value;
        return;
    }
    l->calico = o->value;
    if (!l->core)
        return;
    struct calico_node *labels_only = arena_alloc(a->arena, sizeof *labels_only);
    if (!labels_only) {
        a->out_of_memory = true;
        return;
    }
    labels_only->name = l->core->name;
    labels_only->place = l->core->place;
    labels_only->labels = l->core->labels;
    labels_only->label_count = l->core->label_count;
    l->core = labels_only;
}

/* Kubernetes' labels go before those calicoctl keeps. */
static void note_shadowed(struct apply *a, const struct node_layers *l) {
    if (!l->core || !l->calico)
        return;
    const struct calico_label *shadowed = labels_shadowed(l->calico->labels, l->calico->label_count,
                                                          l->core->labels, l->core->label_count);
    if (shadowed)
        diag_add(a->diags, DIAG_WARNING, l->calico->place, "label-shadowed",
                 "Node \"%s\": the Kubernetes label %.100s is another: %.60s counts for nothing",
                 l->calico->name, shadowed->name, shadowed->value);
}

static void put_object(struct apply *a, const struct document_object *o) {
    bool is_new = !set_find(a->set, o->kind, o->name);
    struct object *stored = set_put(a->set, o->kind, o->name);
    if (!stored) {
        a->out_of_memory = true;
        return;
    }
    stored->value = o->value;
    if (o->kind != OBJECT_NODE)
        return;
    if (is_new)
        stored->layers.ordinal = ORDINAL_NEW;
    layer_node(a, &stored->layers, o);
    note_shadowed(a, &stored->layers);
    stored->value = node_merge(a->arena, &stored->layers);
    if (!stored->value) {
        stored->value = o->value;
        a->out_of_memory = true;
    }
}

/* kubectl meets no such kind: no server has it, calicoctl alone writes annotations for it. */
static void check_node(const struct apply *a, size_t at) {
    const struct document_object *o = &a->list->items[at];
    if (a->each && a->tool == CALICO_TOOL_KUBECTL && o->group == READ_V3)
        diag_add(a->diags, DIAG_ERROR, o->place, "bad-api-version",
                 "Node \"%s\": kubectl knows no Node of projectcalico.org/v3: annotate the Node of "
                 "v1, or use calicoctl",
                 o->name);
}

static void check_object(const struct apply *a, size_t at) {
    const struct document_object *o = &a->list->items[at];
    if (o->kind == OBJECT_PEER)
        check_filters(a, at);
    else if (o->kind == OBJECT_POOL)
        check_pool(a, o->value);
    else if (o->kind == OBJECT_CONFIGURATION)
        check_configuration(a, at);
    else if (o->kind == OBJECT_NODE)
        check_node(a, at);
}

static int compare_new_nodes(const void *a, const void *b) {
    return natural_compare((*(struct object *const *)a)->name, (*(struct object *const *)b)->name);
}

/* Nodes that came with one apply are counted in the natural order of their names. */
static void number_new_nodes(struct apply *a) {
    struct object_table *t = &a->set->tables[OBJECT_NODE];
    struct object **fresh = arena_array(a->arena, t->count + 1, sizeof *fresh);
    size_t count = 0;
    if (!fresh) {
        a->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].layers.ordinal == ORDINAL_NEW)
            fresh[count++] = &t->items[i];
    qsort(fresh, count, sizeof(struct object *), compare_new_nodes);
    for (size_t i = 0; i < count; i++)
        fresh[i]->layers.ordinal = a->set->next_ordinal++;
}

static void report_memory(struct diag_list *diags) {
    diag_add(diags, DIAG_ERROR, (struct diag_place){0}, "out-of-memory", "out of memory");
}

static int compare_keys(const void *a, const void *b) {
    const struct document_object *x = *(struct document_object *const *)a,
                                 *y = *(struct document_object *const *)b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int c = strcmp(x->name, y->name);
    return c ? c : x < y ? -1 : x > y;
}

/* Only neighbours in the order of names can be of one name: no search for each object. */
static void check_all_replaced(struct apply *a) {
    size_t count = a->list->count;
    const struct document_object **sorted = arena_array(a->arena, count + 1, sizeof *sorted);
    for (size_t i = 0; sorted && i < count; i++)
        sorted[i] = &a->list->items[i];
    if (!sorted) {
        a->out_of_memory = true;
        return;
    }
    qsort(sorted, count, sizeof(struct document_object *), compare_keys);
    for (size_t i = 1; i < count; i++)
        if (sorted[i]->kind == sorted[i - 1]->kind &&
            strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
            check_replaced(a, (size_t)(sorted[i] - a->list->items));
}

static void begin(struct apply *a, struct calico_set *s, struct diag_list *diags,
                  struct document_list *list) {
    struct calico_set *work = calico_set_copy(s);
    struct batch *batch = work ? set_batch_add(work) : NULL;
    *a = (struct apply){.set = work,
                        .arena = batch ? batch->arena : NULL,
                        .diags = diags,
                        .list = list,
                        .strict = true,
                        .out_of_memory = !batch};
}

static void read_all(struct apply *a, const struct yaml_document *documents, size_t count,
                     struct document_list *list) {
    if (!a->out_of_memory && !document_read(documents, count, true, a->arena, a->diags, list))
        a->out_of_memory = true;
}

/* With `keep` and memory, what was done is what the set holds from now on. */
static bool finish(struct apply *a, struct calico_set *s, bool keep) {
    if (!a->out_of_memory)
        number_new_nodes(a);
    if (a->out_of_memory)
        report_memory(a->diags);
    bool ok = keep && !a->out_of_memory;
    if (ok)
        set_swap(s, a->set);
    calico_set_free(a->set);
    return ok;
}

bool calico_apply(struct calico_set *s, const struct yaml_document *documents, size_t count,
                  bool strict_references, struct diag_list *diags) {
    size_t errors = diag_error_count(diags);
    struct document_list list = {0};
    struct apply a;
    begin(&a, s, diags, &list);
    a.strict = strict_references;
    read_all(&a, documents, count, &list);
    for (size_t i = 0; !a.out_of_memory && i < list.count; i++) {
        check_object(&a, i);
        put_object(&a, &list.items[i]);
    }
    if (!a.out_of_memory)
        check_all_replaced(&a);
    return finish(&a, s, diag_error_count(diags) == errors);
}

/* ---- one by one ---- */

static const char *text_of(const struct yaml_node *n) {
    return n && n->kind == YAML_SCALAR ? n->text : "";
}

static struct calico_applied_resource describe(const struct yaml_node *root) {
    const struct yaml_node *kind = yaml_get(root, "kind");
    return (struct calico_applied_resource){
        .kind = text_of(kind),
        .name = text_of(yaml_get(yaml_get(root, "metadata"), "name")),
        .place = yaml_place(kind ? kind : root),
    };
}

static enum calico_outcome put_leaf(struct apply *a, const struct document_leaf *leaf) {
    size_t errors = diag_error_count(a->diags);
    if (leaf->refused)
        return CALICO_REFUSED;
    if (leaf->object == DOCUMENT_NO_OBJECT)
        return CALICO_NOT_LOOKED_AT;
    check_object(a, leaf->object);
    if (diag_error_count(a->diags) > errors)
        return CALICO_REFUSED;
    put_object(a, &a->list->items[leaf->object]);
    return CALICO_TAKEN;
}

static bool is_calicoctls(const struct apply *a, const struct document_leaf *leaf) {
    return a->tool == CALICO_TOOL_CALICOCTL && !leaf->by_kubectl;
}

/* Does calicoctl get as far as applying? */
static bool is_readable(const struct apply *a) {
    bool readable = true;
    for (size_t i = 0; readable && i < a->list->leaf_count; i++)
        readable = !(a->list->leaves[i].refuses_file && is_calicoctls(a, &a->list->leaves[i]));
    return readable;
}

static void put_each(struct apply *a, struct calico_applied *applied) {
    bool readable = is_readable(a);
    for (size_t i = 0; i < a->list->leaf_count && !a->out_of_memory; i++) {
        const struct document_leaf *leaf = &a->list->leaves[i];
        struct calico_applied_resource *r = &applied->items[i];
        *r = describe(leaf->root);
        r->document = leaf->document;
        bool barred = !readable && is_calicoctls(a, leaf) &&
                      (leaf->refused || leaf->object != DOCUMENT_NO_OBJECT);
        r->outcome = barred ? CALICO_REFUSED : put_leaf(a, leaf);
        applied->taken += r->outcome == CALICO_TAKEN;
        applied->refused += r->outcome == CALICO_REFUSED;
    }
    applied->count = a->list->leaf_count;
}

bool calico_apply_each(struct calico_set *s, const struct yaml_document *documents, size_t count,
                       enum calico_tool tool, struct arena *arena, struct diag_list *diags,
                       struct calico_applied *ret_applied) {
    struct document_list list = {0};
    struct calico_applied applied = {0};
    struct apply a;
    begin(&a, s, diags, &list);
    a.each = true;
    a.tool = tool;
    read_all(&a, documents, count, &list);
    applied.items = arena_array(arena, list.leaf_count + 1, sizeof *applied.items);
    a.out_of_memory |= !applied.items;
    if (!a.out_of_memory)
        put_each(&a, &applied);
    if (!a.out_of_memory)
        check_all_replaced(&a);
    bool ok = finish(&a, s, true);
    if (ok)
        *ret_applied = applied;
    return ok;
}

bool calico_apply_part(struct calico_set *s, const struct yaml_document *documents, size_t count,
                       const struct calico_applied *applied, size_t from, size_t to,
                       struct diag_list *diags) {
    struct document_list list = {.from = from, .to = to};
    struct apply a;
    if (from >= to)
        return true;
    begin(&a, s, diags, &list);
    read_all(&a, documents, count, &list);
    for (size_t i = from; !a.out_of_memory && i < to && i < list.leaf_count; i++)
        if (applied->items[i].outcome == CALICO_TAKEN)
            put_object(&a, &list.items[list.leaves[i].object]);
    return finish(&a, s, true);
}

/* ---- taking out ---- */

static bool remove_object(struct calico_set *s, const struct document_object *o) {
    if (o->name[0] != '/')
        return set_remove(s, o->kind, o->name);
    /* Without a namespace: whichever has it. */
    const struct object_table *t = &s->tables[o->kind];
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(strchr(t->items[i].name, '/'), o->name) == 0)
            return set_remove(s, o->kind, t->items[i].name);
    return false;
}

bool calico_delete(struct calico_set *s, const struct yaml_document *documents, size_t count,
                   struct diag_list *diags) {
    size_t errors = diag_error_count(diags);
    struct document_list list = {0};
    struct arena *arena = arena_new();
    if (!arena || !document_read(documents, count, false, arena, diags, &list))
        report_memory(diags);
    bool ok = diag_error_count(diags) == errors;
    for (size_t i = 0; ok && i < list.count; i++)
        if (!remove_object(s, &list.items[i]))
            diag_add(diags, DIAG_WARNING, list.items[i].place, "missing-object",
                     "%s \"%s\" does not exist: nothing to delete",
                     object_kind_name(list.items[i].kind), list.items[i].name);
    arena_free(arena);
    return ok;
}

/* ---- what nobody names any more ---- */

static struct diag_place place_of(enum object_kind kind, const void *value) {
    switch (kind) {
    case OBJECT_PEER:
        return ((const struct calico_bgp_peer *)value)->place;
    case OBJECT_FILTER:
        return ((const struct calico_bgp_filter *)value)->place;
    case OBJECT_CONFIGURATION:
        return ((const struct calico_bgp_configuration *)value)->place;
    case OBJECT_POOL:
        return ((const struct calico_ip_pool *)value)->place;
    case OBJECT_NODE:
    case OBJECT_SECRET:
    case OBJECT_SERVICE:
    case OBJECT_ENDPOINT_SLICE:
    case OBJECT_NODE_STATUS:
    case OBJECT_AFFINITY:
    case OBJECT_KINDS:
        break;
    }
    return (struct diag_place){0};
}

static bool is_named(const struct calico_applied *named, const char *kind, const char *name) {
    for (size_t i = 0; i < named->count; i++)
        if (strcmp(named->items[i].name, name) == 0 && strcmp(named->items[i].kind, kind) == 0)
            return true;
    return false;
}

const struct calico_applied_resource *calico_unnamed(const struct calico_set *s,
                                                     const struct calico_applied *named,
                                                     struct arena *arena, size_t *ret_count) {
    static const enum object_kind pruned[] = {OBJECT_PEER, OBJECT_FILTER, OBJECT_CONFIGURATION,
                                              OBJECT_POOL};
    size_t most = 0, count = 0;
    for (size_t k = 0; k < sizeof pruned / sizeof pruned[0]; k++)
        most += s->tables[pruned[k]].count;
    struct calico_applied_resource *list = arena_array(arena, most + 1, sizeof *list);
    for (size_t k = 0; list && k < sizeof pruned / sizeof pruned[0]; k++) {
        const struct object_table *t = &s->tables[pruned[k]];
        const char *kind = object_kind_name(pruned[k]);
        for (size_t i = 0; i < t->count; i++)
            if (!is_named(named, kind, t->items[i].name))
                list[count++] = (struct calico_applied_resource){
                    .kind = kind,
                    .name = t->items[i].name,
                    .place = place_of(pruned[k], t->items[i].value)};
    }
    *ret_count = count;
    return list;
}

bool calico_remove(struct calico_set *s, const char *kind, const char *name) {
    for (int k = 0; k < OBJECT_KINDS; k++)
        if (strcmp(object_kind_name((enum object_kind)k), kind) == 0)
            return set_remove(s, (enum object_kind)k, name);
    return false;
}
