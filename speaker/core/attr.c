/*
 * Interned attribute sets: one per distinct content, one allocation each, counted references.
 *
 * A set is the struct, then its arrays, widest elements first, in one block that never changes. The
 * hash covers content only: scalars as a packed key in which absent ones are zero, then every
 * array. Ids are slab indices, so that the same sequence of interning and releasing yields the same
 * ids. Whoever interns hands over nothing: everything is copied.
 *
 * Invariants: no two live sets are equal; references >= 1; a set's v points into its own block
 * only; the values of absent attributes are zero.
 */
#include "attr.h"

#include "../base/arena.h"
#include "../base/hash.h"

#include <assert.h>
#include <string.h>

#define ATTR_SEED UINT64_C(0x61747472)
#define ATTR_SETS_PER_PAGE 256

void attr_table_init(struct attr_table *t) {
    slab_init(&t->sets, sizeof(struct attr_set *), ATTR_SETS_PER_PAGE);
    table_init(&t->index);
}

void attr_table_deinit(struct attr_table *t) {
    assert(t->sets.used == 0 && t->index.count == 0);
    slab_deinit(&t->sets);
    table_deinit(&t->index);
}

const struct attr_set *attr_get(const struct attr_table *t, uint32_t id) {
    assert(id != 0 && id < t->sets.next_new);
    return *(struct attr_set *const *)slab_at(&t->sets, id);
}

struct attr_set *attr_get_mutable(struct attr_table *t, uint32_t id) {
    assert(id != 0 && id < t->sets.next_new);
    return *(struct attr_set **)slab_at(&t->sets, id);
}

/* Scalars without padding; what is absent is zero. */
struct attr_key {
    uint32_t present;
    uint32_t med, local_pref, aggregator_as, aggregator_id, originator_id;
    uint32_t link;
    struct ip_addr next_hop, link_local;
    uint8_t origin, zero;
};
static_assert(sizeof(struct attr_key) == 64, "no padding: the key is hashed and compared whole");

static struct attr_key attr_key_of(const struct attr_values *v) {
    struct attr_key k = {
        .next_hop = v->next_hop, .link_local = v->link_local, .link = v->link, .origin = v->origin};
    k.present = (uint32_t)v->has_med | (uint32_t)v->has_local_pref << 1 |
                (uint32_t)v->has_originator_id << 2 | (uint32_t)v->atomic_aggregate << 3 |
                (uint32_t)v->has_aggregator << 4;
    k.med = v->has_med ? v->med : 0;
    k.local_pref = v->has_local_pref ? v->local_pref : 0;
    k.originator_id = v->has_originator_id ? v->originator_id : 0;
    k.aggregator_as = v->has_aggregator ? v->aggregator_as : 0;
    k.aggregator_id = v->has_aggregator ? v->aggregator_id : 0;
    return k;
}

/* The plain arrays of a set: one row each, so that hashing, comparing, measuring and copying cannot
 * forget one. Widest element first keeps all of them aligned behind the struct. */
struct attr_array {
    const void *data;
    size_t size; /* octets */
};
#define ATTR_ARRAYS 6

static void attr_arrays_of(const struct attr_values *v, struct attr_array ret_arrays[ATTR_ARRAYS]) {
    const struct attr_array arrays[ATTR_ARRAYS] = {
        {v->unknown, v->unknown_count * sizeof *v->unknown},
        {v->ext_communities, v->ext_community_count * sizeof *v->ext_communities},
        {v->as_path.words, v->as_path.word_count * sizeof *v->as_path.words},
        {v->communities, v->community_count * sizeof *v->communities},
        {v->large_communities, v->large_community_count * sizeof *v->large_communities},
        {v->cluster_list, v->cluster_count * sizeof *v->cluster_list},
    };
    memcpy(ret_arrays, arrays, sizeof arrays);
}

static uint64_t attr_hash(const struct attr_values *v) {
    struct attr_key key = attr_key_of(v);
    struct attr_array arrays[ATTR_ARRAYS];
    attr_arrays_of(v, arrays);
    uint64_t h = hash_bytes(&key, sizeof key, ATTR_SEED);
    for (int i = 1; i < ATTR_ARRAYS; i++) {
        h = arrays[i].size ? hash_bytes(arrays[i].data, arrays[i].size, h + (unsigned)i) : h;
    }
    for (uint32_t i = 0; i < v->unknown_count; i++) {
        const struct attr_unknown *u = &v->unknown[i];
        h = hash_bytes(u->data, u->size, hash_mix(h, (uint64_t)u->flags << 8 | u->code));
    }
    return h;
}

static bool attr_same_bytes(const void *a, const void *b, size_t size) {
    return size == 0 || memcmp(a, b, size) == 0;
}

static bool attr_unknown_equal(const struct attr_values *a, const struct attr_values *b) {
    if (a->unknown_count != b->unknown_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->unknown_count; i++) {
        const struct attr_unknown *x = &a->unknown[i], *y = &b->unknown[i];
        if (x->flags != y->flags || x->code != y->code || x->size != y->size ||
            !attr_same_bytes(x->data, y->data, x->size)) {
            return false;
        }
    }
    return true;
}

static bool attr_equal(const struct attr_values *a, const struct attr_values *b) {
    struct attr_key key_a = attr_key_of(a), key_b = attr_key_of(b);
    struct attr_array arrays_a[ATTR_ARRAYS], arrays_b[ATTR_ARRAYS];
    if (memcmp(&key_a, &key_b, sizeof key_a) != 0) {
        return false;
    }
    attr_arrays_of(a, arrays_a);
    attr_arrays_of(b, arrays_b);
    for (int i = 1; i < ATTR_ARRAYS; i++) {
        if (arrays_a[i].size != arrays_b[i].size ||
            !attr_same_bytes(arrays_a[i].data, arrays_b[i].data, arrays_a[i].size)) {
            return false;
        }
    }
    return attr_unknown_equal(a, b);
}

struct attr_lookup {
    const struct attr_values *values;
    uint64_t hash;
};

static bool attr_lookup_equal(const void *context, uint32_t index, const void *key) {
    const struct attr_lookup *lookup = key;
    const struct attr_set *set = attr_get(context, index);
    return set->hash == lookup->hash && attr_equal(&set->v, lookup->values);
}

/* The block of a set: the struct, its arrays, then the octets of unknown attributes. */
static size_t attr_block_size(const struct attr_values *v) {
    struct attr_array arrays[ATTR_ARRAYS];
    attr_arrays_of(v, arrays);
    size_t size = sizeof(struct attr_set);
    for (int i = 0; i < ATTR_ARRAYS; i++) {
        size += arrays[i].size;
    }
    for (uint32_t i = 0; i < v->unknown_count; i++) {
        size += v->unknown[i].size;
    }
    return size;
}

static const void *attr_copy(unsigned char **at, const void *data, size_t size) {
    if (size == 0) {
        return NULL;
    }
    void *copy = *at;
    memcpy(copy, data, size);
    *at += size;
    return copy;
}

static void attr_copy_arrays(struct attr_values *v, unsigned char *at) {
    struct attr_array a[ATTR_ARRAYS];
    attr_arrays_of(v, a);
    struct attr_unknown *unknown = (struct attr_unknown *)(void *)at;
    v->unknown = attr_copy(&at, a[0].data, a[0].size);
    v->ext_communities = attr_copy(&at, a[1].data, a[1].size);
    v->as_path.words = attr_copy(&at, a[2].data, a[2].size);
    v->communities = attr_copy(&at, a[3].data, a[3].size);
    v->large_communities = attr_copy(&at, a[4].data, a[4].size);
    v->cluster_list = attr_copy(&at, a[5].data, a[5].size);
    for (uint32_t i = 0; i < v->unknown_count; i++) {
        unknown[i].data = attr_copy(&at, unknown[i].data, unknown[i].size);
    }
}

static struct attr_set *attr_set_new(const struct attr_values *v) {
    struct attr_set *set = alloc_zero(1, attr_block_size(v));
    if (!set) {
        return NULL;
    }
    struct attr_key key = attr_key_of(v);
    set->v = *v;
    set->v.med = key.med;
    set->v.local_pref = key.local_pref;
    set->v.originator_id = key.originator_id;
    set->v.aggregator_as = key.aggregator_as;
    set->v.aggregator_id = key.aggregator_id;
    attr_copy_arrays(&set->v, (unsigned char *)(set + 1));
    set->references = 1;
    set->as_path_length = as_path_length(v->as_path);
    set->neighbor_as = as_path_neighbor(v->as_path);
    return set;
}

uint32_t attr_intern(struct attr_table *t, const struct attr_values *v) {
    struct attr_lookup lookup = {.values = v, .hash = attr_hash(v)};
    uint32_t id = table_find(&t->index, lookup.hash, attr_lookup_equal, t, &lookup);
    if (id != 0) {
        attr_hold(t, id);
        return id;
    }
    struct attr_set *set = attr_set_new(v);
    if (!set) {
        return 0;
    }
    id = slab_alloc(&t->sets);
    if (id == SLAB_NONE || !table_insert(&t->index, lookup.hash, id)) {
        if (id != SLAB_NONE) {
            slab_free(&t->sets, id);
        }
        alloc_free(set);
        return 0;
    }
    set->id = id;
    set->hash = lookup.hash;
    *(struct attr_set **)slab_at(&t->sets, id) = set;
    return id;
}

void attr_hold(struct attr_table *t, uint32_t id) {
    struct attr_set *set = *(struct attr_set **)slab_at(&t->sets, id);
    assert(set->references > 0 && set->references < UINT32_MAX);
    set->references++;
}

void attr_release(struct attr_table *t, uint32_t id) {
    if (id == 0) {
        return;
    }
    struct attr_set *set = *(struct attr_set **)slab_at(&t->sets, id);
    assert(set->references > 0 && set->id == id);
    if (--set->references > 0) {
        return;
    }
    table_remove(&t->index, set->hash, id);
    slab_free(&t->sets, id);
    alloc_free(set);
}
