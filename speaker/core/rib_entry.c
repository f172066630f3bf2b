/*
 * Prefixes of the routing tables: finding, making and freeing them, and the queue of those whose
 * decision is due.
 *
 * Owns the slab of prefixes per family, whose objects are as long as the family's addresses, their
 * index and the queue. Leaves paths to rib_path.c and what a decision means to rib.c.
 *
 * Invariants: a prefix stays as long as it has a path, a published best path, waits for its
 * decision, the FIB has to hear of it, or an update group has something about it; every prefix of
 * the slab is in the index; marked RIB_ENTRY_DIRTY = in the ring once, or counted in `unlisted`.
 */
#include "rib.h"

#include "../base/hash.h"

#include <assert.h>
#include <string.h>

#define RING_MIN 64u
#define RING_KEEP 1024u /* a larger ring is given back when it has been drained */

static uint8_t address_size(enum bgp_family f) {
    return f == BGP_IPV4_UNICAST ? 4 : 16;
}

struct ip_prefix rib_entry_prefix(const struct bgp_speaker *s, enum bgp_family f, uint32_t entry) {
    const struct rib_entry *e = rib_entry_at(s, f, entry);
    return ip_prefix_of_octets(f == BGP_IPV4_UNICAST ? IP_V4 : IP_V6, e->bytes, (uint8_t)e->length);
}

/* ---- the index ---- */

struct entry_key {
    const struct rib *rib;
    enum bgp_family family;
};

static uint64_t address_hash(enum bgp_family f, const uint8_t *bytes, uint32_t length) {
    if (f == BGP_IPV4_UNICAST) {
        uint32_t word;
        memcpy(&word, bytes, sizeof word);
        return hash_mix(length, word);
    }
    return hash_bytes(bytes, 16, length);
}

static uint64_t prefix_hash(enum bgp_family f, const struct ip_prefix *p) {
    return address_hash(f, p->addr.bytes, p->length);
}

static bool entry_hash(const void *context, uint32_t index, uint64_t *ret_hash) {
    const struct entry_key *k = context;
    const struct rib_entry *e = slab_at(&k->rib->entries[k->family], index);
    if (e->flags & RIB_ENTRY_USED) {
        *ret_hash = address_hash(k->family, e->bytes, e->length);
    }
    return e->flags & RIB_ENTRY_USED;
}

static bool entry_equal(const void *context, uint32_t index, const void *key) {
    const struct entry_key *k = context;
    const struct rib_entry *e = slab_at(&k->rib->entries[k->family], index);
    const struct ip_prefix *p = key;
    return e->length == p->length && memcmp(e->bytes, p->addr.bytes, address_size(k->family)) == 0;
}

uint32_t rib_entry_find(const struct bgp_speaker *s, enum bgp_family f, struct ip_prefix p) {
    struct entry_key key = {s->rib, f};
    return slim_find(&s->rib->index[f], prefix_hash(f, &p), entry_equal, &key, &p);
}

void rib_entry_prefetch(const struct bgp_speaker *s, enum bgp_family f, const struct ip_prefix *p) {
    slim_prefetch(&s->rib->index[f], prefix_hash(f, p));
}

uint32_t rib_entry_make(struct bgp_speaker *s, enum bgp_family f, struct ip_prefix p) {
    struct entry_key key = {s->rib, f};
    uint64_t hash = prefix_hash(f, &p);
    uint32_t entry = slim_find(&s->rib->index[f], hash, entry_equal, &key, &p);
    if (entry) {
        return entry;
    }
    entry = slab_alloc(&s->rib->entries[f]);
    if (!entry) {
        return 0;
    }
    struct rib_entry *e = rib_entry_at(s, f, entry);
    e->length = p.length;
    memcpy(e->bytes, p.addr.bytes, address_size(f));
    if (!slim_insert(&s->rib->index[f], hash, entry, entry_hash, &key)) {
        slab_free(&s->rib->entries[f], entry);
        return 0;
    }
    e->flags = RIB_ENTRY_USED;
    return entry;
}

void rib_entry_tidy(struct bgp_speaker *s, enum bgp_family f, uint32_t entry) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    struct entry_key key = {s->rib, f};
    if (e->paths || e->best_attrs || e->out_references ||
        e->flags & (RIB_ENTRY_DIRTY | RIB_ENTRY_FIB_LOST)) {
        return;
    }
    uint64_t hash = address_hash(f, e->bytes, e->length);
    slim_remove(&s->rib->index[f], hash, entry, entry_hash, &key);
    e->flags = 0;
    slab_free(&s->rib->entries[f], entry);
}

/* ---- the queue ---- */

static bool ring_grow(struct rib_queue *q) {
    uint32_t capacity = q->capacity ? q->capacity * 2 : RING_MIN;
    uint32_t *ring = alloc_zero(capacity, sizeof *ring);
    if (!ring) {
        return false;
    }
    for (uint32_t i = 0; i < q->count; i++) {
        ring[i] = q->ring[(q->head + i) & (q->capacity - 1)];
    }
    alloc_free(q->ring);
    q->ring = ring;
    q->capacity = capacity;
    q->head = 0;
    return true;
}

void rib_dirty_deinit(struct rib_queue *q) {
    alloc_free(q->ring);
    *q = (struct rib_queue){0};
}

void rib_entry_dirty(struct bgp_speaker *s, enum bgp_family f, uint32_t entry) {
    struct rib_entry *e = rib_entry_at(s, f, entry);
    struct rib_queue *q = &s->rib->dirty[f];
    if (e->flags & RIB_ENTRY_DIRTY) {
        return;
    }
    e->flags |= RIB_ENTRY_DIRTY;
    if (q->count == q->capacity && !ring_grow(q)) {
        q->cursor = q->unlisted++ ? q->cursor : 1;
        return;
    }
    q->ring[(q->head + q->count++) & (q->capacity - 1)] = entry;
}

static uint32_t ring_pop(struct rib_queue *q) {
    uint32_t entry = q->ring[q->head & (q->capacity - 1)];
    q->head++;
    if (--q->count == 0 && q->capacity > RING_KEEP) {
        alloc_free(q->ring);
        q->ring = NULL;
        q->capacity = 0;
    }
    return entry;
}

/* With the ring empty, every mark in the table is an unlisted one. */
static uint32_t search(struct bgp_speaker *s, enum bgp_family f, uint32_t *budget) {
    struct rib_queue *q = &s->rib->dirty[f];
    while (q->unlisted > 0 && *budget > 0) {
        if (q->cursor >= s->rib->entries[f].next_new) {
            q->cursor = 1; /* some were marked behind it */
        }
        uint32_t entry = q->cursor++;
        if (rib_entry_at(s, f, entry)->flags & RIB_ENTRY_DIRTY) {
            q->unlisted--;
            return entry;
        }
        --*budget;
    }
    return 0;
}

uint32_t rib_dirty_pop(struct bgp_speaker *s, enum bgp_family f, uint32_t *budget) {
    struct rib_queue *q = &s->rib->dirty[f];
    uint32_t entry = q->count ? ring_pop(q) : search(s, f, budget);
    if (entry) {
        rib_entry_at(s, f, entry)->flags &= (uint16_t)~RIB_ENTRY_DIRTY;
    }
    return entry;
}
