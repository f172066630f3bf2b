/*
 * What is kept of a prefix when its routes have spread: every node's paths and its best one.
 *
 * Owns the outcomes. In a mesh, and behind a reflector, nearly all nodes have the same paths to a
 * prefix: over the same session of theirs, with the same attributes. A list of paths is put
 * together from the far end, each path once per content, so equal lists are one list, and a node
 * keeps a number per prefix. Four thousand clients of two reflectors have thirty-two million
 * paths this way in 64 MB.
 *
 * Invariants: an outcome never changes once it has a number; 0 is "no path at all".
 */
#include "oracle_internal.h"

#include "../../speaker/base/hash.h"

#include <string.h>

static const struct oracle_outcome nothing;

const struct oracle_outcome *oracle_outcome_of(const struct oracle *o, uint32_t node,
                                               uint32_t prefix) {
    uint32_t number = o->states[node].outcomes ? o->states[node].outcomes[prefix] : 0;
    return number ? &o->outcomes[number] : &nothing;
}

/* ---- one of each ---- */

/* Paths of the prefix at hand; afterwards they are only reached through outcomes. */
struct oracle_keeper {
    struct table paths_table, outcomes_table;
    struct oracle_path **paths; /* [1 …] */
    uint32_t path_count, path_capacity;
};

static uint64_t path_hash(const struct oracle_path *p) {
    uint64_t h = hash_mix((uintptr_t)p->next, (uintptr_t)p->attrs);
    h = hash_mix(h, (uint64_t)p->end << 32 | p->origin_node);
    h = hash_mix(h, (uint64_t)p->weight << 32 | p->router_id);
    return hash_mix(h, (uintptr_t)p->own ^
                           (uint64_t)(p->eligible << 2 | p->external << 1 | p->by_age));
}

static bool path_equal(const void *context, uint32_t index, const void *key) {
    const struct oracle_keeper *k = context;
    const struct oracle_path *a = k->paths[index], *b = key;
    return a->next == b->next && a->attrs == b->attrs && a->end == b->end &&
           a->origin_node == b->origin_node && a->weight == b->weight && a->metric == b->metric &&
           a->router_id == b->router_id && a->own == b->own && a->eligible == b->eligible &&
           a->external == b->external && a->by_age == b->by_age;
}

static bool paths_room(struct oracle_keeper *k) {
    if (k->path_count + 1 < k->path_capacity)
        return true;
    uint32_t capacity = k->path_capacity ? k->path_capacity * 2 : 64;
    struct oracle_path **grown = alloc_resize(k->paths, capacity, sizeof *grown);
    if (!grown)
        return false;
    k->paths = grown;
    k->path_capacity = capacity;
    return true;
}

/* The kept one that has the same content and the same (kept) paths behind it. */
static struct oracle_path *path_keep(struct oracle *o, const struct oracle_path *p) {
    struct oracle_keeper *k = o->keeper;
    uint32_t index = table_find(&k->paths_table, path_hash(p), path_equal, k, p);
    if (index)
        return k->paths[index];
    struct oracle_path *copy = arena_alloc(o->arena, sizeof *copy);
    if (!copy || !paths_room(k) || !table_insert(&k->paths_table, path_hash(p), k->path_count + 1))
        return NULL;
    *copy = *p;
    k->paths[++k->path_count] = copy;
    return copy;
}

static uint64_t outcome_hash(const struct oracle_outcome *x) {
    return hash_mix((uintptr_t)x->paths, (uintptr_t)x->best);
}

static bool outcome_equal(const void *context, uint32_t index, const void *key) {
    const struct oracle_outcome *a = &((const struct oracle *)context)->outcomes[index], *b = key;
    return a->paths == b->paths && a->best == b->best;
}

static uint32_t outcome_keep(struct oracle *o, const struct oracle_outcome *x) {
    struct oracle_keeper *k = o->keeper;
    uint32_t index = table_find(&k->outcomes_table, outcome_hash(x), outcome_equal, o, x);
    if (index)
        return index;
    if (o->outcome_count + 1 >= o->outcome_capacity) {
        uint32_t capacity = o->outcome_capacity ? o->outcome_capacity * 2 : 64;
        struct oracle_outcome *grown = alloc_resize(o->outcomes, capacity, sizeof *grown);
        if (!grown)
            return 0;
        o->outcomes = grown;
        o->outcome_capacity = capacity;
    }
    index = o->outcome_count + 1;
    if (!table_insert(&k->outcomes_table, outcome_hash(x), index))
        return 0;
    o->outcomes[index] = *x;
    o->outcome_count = index;
    return index;
}

/* ---- a node's ---- */

static struct oracle_path *reversed(struct oracle_path *list) {
    struct oracle_path *all = NULL;
    while (list) {
        struct oracle_path *next = list->next;
        list->next = all;
        all = list;
        list = next;
    }
    return all;
}

/* From the last path to the first, so that what stands behind each is kept already. */
static bool node_keep(struct oracle *o, struct oracle_state *s, uint32_t prefix) {
    struct oracle_outcome x = {0};
    for (struct oracle_path *p = reversed(s->paths), *next; p; p = next) {
        next = p->next;
        p->next = x.paths;
        x.paths = path_keep(o, p);
        if (!x.paths)
            return false;
        if (p == s->best)
            x.best = x.paths;
    }
    s->outcomes[prefix] = x.paths ? outcome_keep(o, &x) : 0;
    return !x.paths || s->outcomes[prefix] != 0;
}

static bool keeper_ready(struct oracle *o) {
    if (!o->keeper)
        o->keeper = alloc_zero(1, sizeof *o->keeper);
    if (!o->keeper)
        return false;
    table_deinit(&o->keeper->paths_table);
    table_deinit(&o->keeper->outcomes_table);
    o->keeper->path_count = 0;
    return true;
}

bool oracle_keep_outcomes(struct oracle *o, uint32_t prefix) {
    bool ok = keeper_ready(o);
    for (uint32_t i = 0; ok && i < o->in.node_count; i++) {
        struct oracle_state *s = &o->states[i];
        ok = !s->outcomes || node_keep(o, s, prefix);
        s->paths = s->best = NULL;
    }
    arena_reset(o->work);
    return ok;
}

void oracle_free_outcomes(struct oracle *o) {
    if (o->keeper) {
        table_deinit(&o->keeper->paths_table);
        table_deinit(&o->keeper->outcomes_table);
        alloc_free(o->keeper->paths);
    }
    alloc_free(o->keeper);
    alloc_free(o->outcomes);
}

void oracle_forget_outcomes(struct oracle *o) {
    oracle_free_outcomes(o);
    o->keeper = NULL;
    o->outcomes = NULL;
    o->outcome_count = o->outcome_capacity = 0;
    for (uint32_t i = 0; i < o->in.node_count; i++) {
        if (o->states[i].outcomes)
            memset(o->states[i].outcomes, 0, o->prefix_count * sizeof *o->states[i].outcomes);
    }
}
