/*
 * Owns the set of resources an operator has applied: tables by kind, sorted by name, and the
 * memory behind them. Reading documents into objects is apply.c and read_*.c; what the resources
 * mean together is the plan.
 *
 * Invariants: a table is sorted by name and has no duplicates; a value belongs to one of the set's
 * batches; a batch lives as long as a set that lists it. Objects are immutable, so a copy of a set
 * shares batches with the original and neither can notice.
 */
#include "set.h"

#include "../../speaker/base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

struct calico_set *calico_set_new(void) {
    return alloc_zero(1, sizeof(struct calico_set));
}

static void batch_put(struct batch *b) {
    if (--b->references > 0)
        return;
    arena_free(b->arena);
    alloc_free(b);
}

void calico_set_free(struct calico_set *s) {
    if (!s)
        return;
    for (size_t i = 0; i < OBJECT_KINDS; i++)
        alloc_free(s->tables[i].items);
    for (size_t i = 0; i < s->batch_count; i++)
        batch_put(s->batches[i]);
    alloc_free(s->batches);
    alloc_free(s);
}

static bool table_copy(struct object_table *to, const struct object_table *from) {
    if (from->count == 0)
        return true;
    to->items = alloc_zero(from->count, sizeof *to->items);
    if (!to->items)
        return false;
    memcpy(to->items, from->items, from->count * sizeof *to->items);
    to->count = to->capacity = from->count;
    return true;
}

struct calico_set *calico_set_copy(const struct calico_set *s) {
    struct calico_set *copy = calico_set_new();
    if (!copy)
        return NULL;
    copy->next_ordinal = s->next_ordinal;
    bool ok = true;
    for (size_t i = 0; i < OBJECT_KINDS; i++)
        ok = ok && table_copy(&copy->tables[i], &s->tables[i]);
    if (ok && s->batch_count > 0)
        ok = (copy->batches = alloc_zero(s->batch_count, sizeof *copy->batches)) != NULL;
    if (!ok) {
        calico_set_free(copy);
        return NULL;
    }
    for (size_t i = 0; i < s->batch_count; i++) {
        copy->batches[i] = s->batches[i];
        copy->batches[i]->references++;
    }
    copy->batch_count = copy->batch_capacity = s->batch_count;
    return copy;
}

void set_swap(struct calico_set *a, struct calico_set *b) {
    struct calico_set keep = *a;
    *a = *b;
    *b = keep;
}

/* Room for one more of `size` bytes. */
static bool grow(void **items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *larger = alloc_resize(*items, wanted, size);
    if (!larger)
        return false;
    *items = larger;
    *capacity = wanted;
    return true;
}

struct batch *set_batch_add(struct calico_set *s) {
    void *items = s->batches;
    if (!grow(&items, s->batch_count, &s->batch_capacity, sizeof *s->batches))
        return NULL;
    s->batches = items;
    struct batch *b = alloc_zero(1, sizeof *b);
    struct arena *arena = b ? arena_new() : NULL;
    if (!arena) {
        alloc_free(b);
        return NULL;
    }
    b->arena = arena;
    b->references = 1;
    s->batches[s->batch_count++] = b;
    return b;
}

/* ---- tables ---- */

/* The first object not before `name`. */
static size_t lower_bound(const struct object_table *t, const char *name) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(t->items[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct object *set_find(const struct calico_set *s, enum object_kind kind, const char *name) {
    const struct object_table *t = &s->tables[kind];
    size_t i = lower_bound(t, name);
    return i < t->count && strcmp(t->items[i].name, name) == 0 ? &t->items[i] : NULL;
}

struct object *set_put(struct calico_set *s, enum object_kind kind, const char *name) {
    struct object *o = set_find(s, kind, name);
    if (o) {
        o->name = name;
        return o;
    }
    struct object_table *t = &s->tables[kind];
    void *items = t->items;
    if (!grow(&items, t->count, &t->capacity, sizeof *t->items))
        return NULL;
    t->items = items;
    size_t i = lower_bound(t, name);
    memmove(t->items + i + 1, t->items + i, (t->count - i) * sizeof *t->items);
    t->items[i] = (struct object){.name = name};
    t->count++;
    return &t->items[i];
}

bool set_remove(struct calico_set *s, enum object_kind kind, const char *name) {
    struct object *o = set_find(s, kind, name);
    if (!o)
        return false;
    struct object_table *t = &s->tables[kind];
    size_t i = (size_t)(o - t->items);
    memmove(o, o + 1, (t->count - i - 1) * sizeof *o);
    t->count--;
    return true;
}

/* ---- nodes ---- */

/* What `over` says replaces what stands in *o. */
static bool node_overlay(struct arena *arena, struct calico_node *o,
                         const struct calico_node *over) {
    if (!over)
        return true;
    o->name = over->name;
    o->place = over->place;
    if (ip_is_set(over->addr4)) {
        o->addr4 = over->addr4;
        o->length4 = over->length4;
    }
    if (ip_is_set(over->addr6)) {
        o->addr6 = over->addr6;
        o->length6 = over->length6;
    }
    if (over->as_number)
        o->as_number = over->as_number;
    if (over->has_cluster_id) {
        o->has_cluster_id = true;
        o->cluster_id = over->cluster_id;
    }
    if (ip_is_set(over->ipip_tunnel4))
        o->ipip_tunnel4 = over->ipip_tunnel4;
    if (ip_is_set(over->wireguard4))
        o->wireguard4 = over->wireguard4;
    if (ip_is_set(over->wireguard6))
        o->wireguard6 = over->wireguard6;
    if (over->pod_cidr_count) {
        o->pod_cidrs = over->pod_cidrs;
        o->pod_cidr_count = over->pod_cidr_count;
    }
    o->labels = labels_merge(arena, o->labels, o->label_count, over->labels, over->label_count,
                             &o->label_count);
    return o->labels != NULL;
}

const struct calico_node *node_merge(struct arena *arena, const struct node_layers *layers) {
    struct calico_node *o = arena_alloc(arena, sizeof *o);
    if (!o || !node_overlay(arena, o, layers->base) || !node_overlay(arena, o, layers->calico) ||
        !node_overlay(arena, o, layers->core))
        return NULL;
    return o;
}

/* A deep copy for a caller's own memory. */
static struct calico_node *node_copy(struct arena *arena, const struct calico_node *n) {
    struct calico_node *o = arena_alloc(arena, sizeof *o);
    struct calico_label *labels = arena_array(arena, n->label_count + 1, sizeof *labels);
    if (!o || !labels)
        return NULL;
    *o = *n;
    o->name = arena_strdup(arena, n->name);
    o->place.file = arena_strdup(arena, n->place.file);
    o->labels = labels;
    if (n->pod_cidr_count) {
        struct ip_prefix *cidrs = arena_array(arena, n->pod_cidr_count, sizeof *cidrs);
        if (!cidrs)
            return NULL;
        memcpy(cidrs, n->pod_cidrs, n->pod_cidr_count * sizeof *cidrs);
        o->pod_cidrs = cidrs;
    }
    /* Sorted by insertion: generators hand over a few labels in any order. */
    for (size_t i = 0; i < n->label_count; i++) {
        struct calico_label l = {arena_strdup(arena, n->labels[i].name),
                                 arena_strdup(arena, n->labels[i].value)};
        if (!l.name || !l.value)
            return NULL;
        size_t at = i;
        for (; at > 0 && strcmp(labels[at - 1].name, l.name) > 0; at--)
            labels[at] = labels[at - 1];
        labels[at] = l;
    }
    return o->name ? o : NULL;
}

bool calico_add_node(struct calico_set *s, const struct calico_node *node) {
    struct object *o = set_find(s, OBJECT_NODE, node->name);
    if (o && o->layers.base)
        return false;
    struct batch *b = s->batch_count ? s->batches[s->batch_count - 1] : NULL;
    /* A batch that a copy shares must not grow any more. */
    if (!b || b->references > 1)
        b = set_batch_add(s);
    struct calico_node *copy = b ? node_copy(b->arena, node) : NULL;
    struct node_layers layers = o ? o->layers : (struct node_layers){.ordinal = s->next_ordinal};
    layers.base = copy;
    const struct calico_node *merged = copy ? node_merge(b->arena, &layers) : NULL;
    if (!merged)
        return false;
    bool is_new = !o;
    o = set_put(s, OBJECT_NODE, copy->name);
    if (!o)
        return false;
    o->value = merged;
    o->layers = layers;
    s->next_ordinal += is_new;
    return true;
}

uint32_t set_node_ordinal(const struct calico_set *s, size_t i) {
    return s->tables[OBJECT_NODE].items[i].layers.ordinal;
}

/* ---- reading ---- */

size_t calico_node_count(const struct calico_set *s) {
    return s->tables[OBJECT_NODE].count;
}
const struct calico_node *calico_node_at(const struct calico_set *s, size_t i) {
    return s->tables[OBJECT_NODE].items[i].value;
}
const struct calico_node *calico_node_find(const struct calico_set *s, const char *name) {
    const struct object *o = set_find(s, OBJECT_NODE, name);
    return o ? o->value : NULL;
}
size_t calico_peer_count(const struct calico_set *s) {
    return s->tables[OBJECT_PEER].count;
}
const struct calico_bgp_peer *calico_peer_at(const struct calico_set *s, size_t i) {
    return s->tables[OBJECT_PEER].items[i].value;
}
const struct calico_bgp_peer *calico_peer_find(const struct calico_set *s, const char *name) {
    const struct object *o = set_find(s, OBJECT_PEER, name);
    return o ? o->value : NULL;
}
size_t calico_filter_count(const struct calico_set *s) {
    return s->tables[OBJECT_FILTER].count;
}
const struct calico_bgp_filter *calico_filter_at(const struct calico_set *s, size_t i) {
    return s->tables[OBJECT_FILTER].items[i].value;
}
const struct calico_bgp_filter *calico_filter_find(const struct calico_set *s, const char *name) {
    const struct object *o = set_find(s, OBJECT_FILTER, name);
    return o ? o->value : NULL;
}
size_t calico_pool_count(const struct calico_set *s) {
    return s->tables[OBJECT_POOL].count;
}
const struct calico_ip_pool *calico_pool_at(const struct calico_set *s, size_t i) {
    return s->tables[OBJECT_POOL].items[i].value;
}
size_t calico_node_status_count(const struct calico_set *s) {
    return s->tables[OBJECT_NODE_STATUS].count;
}
const struct calico_node_status *calico_node_status_at(const struct calico_set *s, size_t i) {
    return s->tables[OBJECT_NODE_STATUS].items[i].value;
}
size_t calico_affinity_count(const struct calico_set *s) {
    return s->tables[OBJECT_AFFINITY].count;
}
const struct calico_block_affinity *calico_affinity_at(const struct calico_set *s, size_t i) {
    return s->tables[OBJECT_AFFINITY].items[i].value;
}
const struct calico_bgp_configuration *calico_config_find(const struct calico_set *s,
                                                          const char *name) {
    const struct object *o = set_find(s, OBJECT_CONFIGURATION, name);
    return o ? o->value : NULL;
}

const struct calico_bgp_configuration *calico_config_of_node(const struct calico_set *s,
                                                             const char *node) {
    char name[sizeof "node." + 253]; /* a longer one is no name of an object */
    int size = snprintf(name, sizeof name, "node.%s", node);
    return size > 0 && (size_t)size < sizeof name ? calico_config_find(s, name) : NULL;
}

size_t calico_service_count(const struct calico_set *s) {
    return s->tables[OBJECT_SERVICE].count;
}
const struct calico_service *calico_service_at(const struct calico_set *s, size_t i) {
    return s->tables[OBJECT_SERVICE].items[i].value;
}
size_t calico_slice_count(const struct calico_set *s) {
    return s->tables[OBJECT_ENDPOINT_SLICE].count;
}
const struct calico_endpoint_slice *calico_slice_at(const struct calico_set *s, size_t i) {
    return s->tables[OBJECT_ENDPOINT_SLICE].items[i].value;
}

/* calico-node reads Secrets of its own namespace, which NAMESPACE names; without that variable it
 * is that of one of the two ways to install. A document without one is taken to mean it. */
static const char *secret_namespace(const char *given, size_t i) {
    static const char *const usual[] = {"kube-system", "calico-system", "", NULL};
    return !given ? usual[i] : i == 0 ? given : i == 1 ? "" : NULL;
}

static const struct calico_secret *secret_in(const struct calico_set *s, const char *space,
                                             const char *name, const char *key) {
    const struct object_table *t = &s->tables[OBJECT_SECRET];
    for (size_t i = 0; i < t->count; i++) {
        const struct calico_secrets *o = t->items[i].value;
        for (size_t j = 0; j < o->count; j++)
            if (strcmp(o->items[j].name_space, space) == 0 && strcmp(o->items[j].name, name) == 0 &&
                strcmp(o->items[j].key, key) == 0)
                return &o->items[j];
    }
    return NULL;
}

const struct calico_secret *calico_secret_find(const struct calico_set *s, const char *name_space,
                                               const char *name, const char *key) {
    const struct calico_secret *found = NULL;
    for (size_t i = 0; !found && secret_namespace(name_space, i); i++)
        found = secret_in(s, secret_namespace(name_space, i), name, key);
    return found;
}

const char *set_secret_elsewhere(const struct calico_set *s, const char *name_space,
                                 const char *name) {
    const struct object_table *t = &s->tables[OBJECT_SECRET];
    for (size_t i = 0; i < t->count; i++) {
        const struct calico_secrets *o = t->items[i].value;
        bool known = o->count == 0 || strcmp(o->items[0].name, name) != 0;
        for (size_t k = 0; !known && secret_namespace(name_space, k); k++)
            known = strcmp(o->items[0].name_space, secret_namespace(name_space, k)) == 0;
        if (!known)
            return o->items[0].name_space;
    }
    return NULL;
}
