/*
 * What a running speaker keeps of the neighbours of a configuration.
 *
 * Owns turning each struct bgp_peer_config into a small struct bgp_neighbor. Options, chains of
 * policies, conditions and texts are kept once, however many neighbours have the same: the 999 of
 * a mesh share one copy of each. What is kept is compared by its octets; pointers inside are those
 * of kept parts, so that equal contents are equal octets.
 *
 * Invariant: hashes are of contents, never of pointers, so that two runs do the same.
 */
#include "neighbor.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/table.h"

#include <string.h>

struct part {
    const void *data;
    size_t size;
};

struct keeper {
    struct arena *arena;
    struct table by_content; /* number + 1 in `parts` */
    struct part *parts;
    uint32_t count, capacity;
    bool failed;
};

/* ---- parts ---- */

static bool part_equal(const void *context, uint32_t index, const void *key) {
    const struct part *a = &((const struct keeper *)context)->parts[index - 1], *b = key;
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static bool parts_reserve(struct keeper *k) {
    if (k->count < k->capacity)
        return true;
    uint32_t capacity = k->capacity ? k->capacity * 2 : 16;
    struct part *grown = alloc_resize(k->parts, capacity, sizeof *grown);
    if (!grown)
        return false;
    k->parts = grown;
    k->capacity = capacity;
    return true;
}

/* The one copy of these octets; NULL for none, and after a failure, which sticks. */
static const void *keep(struct keeper *k, uint64_t hash, const void *data, size_t size) {
    const struct part wanted = {data, size};
    if (size == 0 || k->failed)
        return NULL;
    uint32_t at = table_find(&k->by_content, hash, part_equal, k, &wanted);
    if (at)
        return k->parts[at - 1].data;
    void *copy = parts_reserve(k) ? arena_alloc(k->arena, size) : NULL;
    if (!copy || !table_insert(&k->by_content, hash, k->count + 1)) {
        k->failed = true;
        return NULL;
    }
    memcpy(copy, data, size);
    k->parts[k->count++] = (struct part){copy, size};
    return copy;
}

static const void *keep_plain(struct keeper *k, const void *data, size_t size) {
    return keep(k, size ? hash_bytes(data, size, 0) : 0, data, size);
}

static const char *keep_text(struct keeper *k, const char *text) {
    return text ? keep_plain(k, text, strlen(text) + 1) : NULL;
}

/* ---- what neighbours are made of ---- */

static void keep_chain(struct keeper *k, struct policy_chain *c) {
    const struct policy_chain given = *c;
    memset(c, 0, sizeof *c);
    c->policies = keep_plain(k, given.policies, given.count * sizeof *given.policies);
    c->count = given.count;
    c->accept_by_default = given.accept_by_default;
}

/* Chains and conditions are hashed by what all others with the same options have, too: their
 * sizes. */
static uint64_t options_hash(const struct bgp_peer_options *o) {
    struct bgp_peer_options bare = *o;
    bare.conditions = NULL;
    for (unsigned f = 0; f < BGP_FAMILIES; f++)
        bare.import[f].policies = bare.export[f].policies = NULL;
    return hash_bytes(&bare, sizeof bare, 0);
}

static const struct bgp_peer_options *keep_options(struct keeper *k,
                                                   const struct bgp_peer_options *given) {
    struct bgp_peer_options o = *given;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        keep_chain(k, &o.import[f]);
        keep_chain(k, &o.export[f]);
    }
    o.conditions = keep_plain(k, o.conditions, o.condition_count * sizeof *o.conditions);
    return keep(k, options_hash(&o), &o, sizeof o);
}

static const struct bgp_password *keep_password(struct keeper *k, const struct bgp_password *p) {
    return p ? keep_plain(k, p, sizeof *p + p->size) : NULL;
}

static uint64_t texts_hash(const struct bgp_neighbor_texts *t) {
    const char *texts[] = {t->description, t->shutdown_text};
    uint64_t h = t->password ? hash_bytes(t->password->octets, t->password->size, 0) : 0;
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        h = hash_mix(h, texts[i] ? hash_bytes(texts[i], strlen(texts[i]), 0) : 0);
    return h;
}

static const struct bgp_neighbor_texts *keep_texts(struct keeper *k,
                                                   const struct bgp_peer_config *p) {
    if (!p->description && !p->password && !p->shutdown_text)
        return NULL;
    const struct bgp_neighbor_texts t = {.description = keep_text(k, p->description),
                                         .shutdown_text = keep_text(k, p->shutdown_text),
                                         .password = keep_password(k, p->password)};
    return keep(k, texts_hash(&t), &t, sizeof t);
}

/* ---- neighbours ---- */

size_t neighbor_size(const char *name) {
    size_t align = _Alignof(struct bgp_neighbor);
    size_t size = offsetof(struct bgp_neighbor, name) + strnlen(name, BGP_PEER_NAME_MAX - 1) + 1;
    return (size + align - 1) / align * align;
}

static void make(struct keeper *k, const struct bgp_peer_config *p, struct bgp_neighbor *ret) {
    ret->options = keep_options(k, &p->options);
    ret->texts = keep_texts(k, p);
    ret->remote_as = p->remote_as;
    ret->remote_addr = p->remote_addr;
    ret->shutdown = p->shutdown;
    memcpy(ret->name, p->name, strnlen(p->name, BGP_PEER_NAME_MAX - 1));
}

/* One piece of memory for all of them, so that each takes no more than it is long. */
static bool make_peers(struct keeper *k, const struct bgp_config *c,
                       const struct bgp_neighbor **ret_peers) {
    size_t size = 0, at = 0;
    for (uint32_t i = 0; i < c->peer_count; i++)
        size += neighbor_size(c->peers[i].name);
    char *room = size ? arena_alloc(k->arena, size) : NULL;
    if (size && !room)
        return false;
    for (uint32_t i = 0; i < c->peer_count && !k->failed; i++) {
        struct bgp_neighbor *n = (struct bgp_neighbor *)(void *)(room + at);
        make(k, &c->peers[i], n);
        ret_peers[i] = n;
        at += neighbor_size(c->peers[i].name);
    }
    return !k->failed;
}

/* Who calls is not called. */
static bool make_range(struct keeper *k, const struct bgp_listen_range *r,
                       const struct bgp_neighbor **ret_range) {
    struct bgp_peer_config template = r->peer;
    struct bgp_neighbor *n = arena_alloc(k->arena, neighbor_size(template.name));
    if (!n)
        return false;
    template.passive = true;
    template.remote_addr = (struct ip_addr){0};
    make(k, &template, n);
    *ret_range = n;
    return !k->failed;
}

bool neighbors_make(struct arena *arena, const struct bgp_config *c,
                    const struct bgp_neighbor **ret_peers, const struct bgp_neighbor **ret_ranges) {
    struct keeper k = {.arena = arena};
    table_init(&k.by_content);
    bool ok = make_peers(&k, c, ret_peers);
    for (uint32_t i = 0; ok && i < c->listen_range_count; i++)
        ok = make_range(&k, &c->listen_ranges[i], &ret_ranges[i]);
    table_deinit(&k.by_content);
    alloc_free(k.parts);
    return ok;
}
