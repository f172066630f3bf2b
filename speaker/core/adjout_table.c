/*
 * What a group has sent, per prefix, and what is due to be sent.
 *
 * Owns the slots (Adj-RIB-Out, numbered by the prefix in the RIB or the path), the changes that
 * wait, in buckets of those that fit into one message, and the graves: withdrawn slots that are
 * kept until every member knows. Leaves encoding to adjout_stream.c.
 *
 * Invariants:
 *   - a slot says what has been encoded, never what is wanted; a prefix has at most one change
 *     waiting, computed from the slot, so A -> B -> A in between leaves nothing to send;
 *   - the source is part of what was sent: everybody but the source has it;
 *   - a slot that is not empty, has a change waiting or is listed as a grave holds its prefix.
 * RFC 4271 9.2: no announcement that changes nothing, no withdrawal of what was not sent.
 */
#include "adjout_group.h"

#include "../base/arena.h"
#include "../base/hash.h"

#include <assert.h>
#include <string.h>

/* ---- slots ---- */

struct adjout_slot *adjout_slot_find(const struct adjout_group *g, enum bgp_family f,
                                     uint32_t number) {
    uint32_t page = number / ADJOUT_PAGE;
    if (page >= g->page_count[f] || !g->pages[f][page]) {
        return NULL;
    }
    return &g->pages[f][page][number % ADJOUT_PAGE];
}

static struct adjout_slot *slot_make(struct adjout_group *g, enum bgp_family f, uint32_t number) {
    uint32_t page = number / ADJOUT_PAGE;
    if (page >= g->page_count[f]) {
        uint32_t count = g->page_count[f] ? g->page_count[f] : 4;
        while (count <= page) {
            count *= 2;
        }
        struct adjout_slot **pages = alloc_resize(g->pages[f], count, sizeof *pages);
        if (!pages) {
            return NULL;
        }
        memset(pages + g->page_count[f], 0, (count - g->page_count[f]) * sizeof *pages);
        g->pages[f] = pages;
        g->page_count[f] = count;
    }
    if (!g->pages[f][page]) {
        g->pages[f][page] = alloc_zero(ADJOUT_PAGE, sizeof(struct adjout_slot));
    }
    return adjout_slot_find(g, f, number);
}

static bool slot_holds(const struct adjout_slot *slot) {
    return slot->attrs || slot->pending; /* a change, or a grave */
}

static void number_hold(struct bgp_speaker *s, bool add_path, enum bgp_family f, uint32_t number) {
    if (add_path) {
        rib_path_out_hold(s, f, number);
    } else {
        rib_entry_at(s, f, number)->out_references++;
    }
}

static void number_release(struct bgp_speaker *s, bool add_path, enum bgp_family f,
                           uint32_t number) {
    if (add_path) {
        rib_path_out_release(s, f, number);
    } else {
        rib_entry_at(s, f, number)->out_references--;
        rib_entry_tidy(s, f, number);
    }
}

/* After a change: the prefix or path is held as long as the slot says something. */
static void slot_settle(struct bgp_speaker *s, const struct adjout_group *g, enum bgp_family f,
                        uint32_t number, bool held, const struct adjout_slot *slot) {
    if (slot_holds(slot) && !held) {
        number_hold(s, g->key.add_path[f], f, number);
    } else if (!slot_holds(slot) && held) {
        number_release(s, g->key.add_path[f], f, number);
    }
}

struct ip_prefix adjout_slot_prefix(const struct bgp_speaker *s, const struct adjout_group *g,
                                    enum bgp_family f, uint32_t number) {
    return rib_entry_prefix(s, f, g->key.add_path[f] ? rib_path_entry(s, number) : number);
}

static void count_slot(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                       const struct adjout_slot *slot, uint32_t step) {
    const struct peer *source = speaker_peer(s, slot->source);
    if (!slot->attrs) {
        return;
    }
    g->slot_count[f] += step;
    if (source && source->group_member) {
        struct adjout_member *m = adjout_member_at(s, source->group_member);
        m->own[f] += m->group == g->index ? step : 0;
    }
}

void adjout_slot_set(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                     uint32_t number, uint32_t attrs, uint32_t source, uint32_t version) {
    struct adjout_slot *slot = adjout_slot_find(g, f, number);
    bool held = slot_holds(slot);
    count_slot(s, g, f, slot, UINT32_MAX);
    if (attrs) {
        attr_hold(&s->attrs, attrs);
    }
    attr_release(&s->attrs, slot->attrs);
    slot->attrs = attrs;
    slot->source = attrs ? source : 0;
    slot->version = version;
    g->changes++;
    count_slot(s, g, f, slot, 1);
    slot_settle(s, g, f, number, held, slot);
}

/* ---- changes that wait ---- */

static struct adjout_bucket *bucket_at(const struct bgp_speaker *s, uint32_t bucket) {
    return slab_at(&s->adjout->buckets, bucket);
}

static struct adjout_pending *pending_at(const struct bgp_speaker *s, uint32_t pending) {
    return slab_at(&s->adjout->pendings, pending);
}

static struct adjout_queue *queue_of(struct adjout_group *g, const struct adjout_bucket *b) {
    return b->key.kind == ADJOUT_WITHDRAW ? &g->withdraws : &g->announces;
}

static bool bucket_equal(const void *context, uint32_t index, const void *key) {
    const struct bgp_speaker *s = context;
    return memcmp(&bucket_at(s, index)->key, key, sizeof(struct adjout_bucket_key)) == 0;
}

static uint64_t bucket_hash(const struct adjout_bucket_key *key) {
    return hash_bytes(key, sizeof *key, 0);
}

/* The bucket of this key, at the end of its queue if it is new. 0: no memory. */
static uint32_t bucket_make(struct bgp_speaker *s, struct adjout_group *g,
                            const struct adjout_bucket_key *key) {
    uint32_t last = key->kind == ADJOUT_WITHDRAW ? g->withdraws.tail : g->announces.tail;
    if (last && bucket_equal(s, last, key)) { /* as with the prefix before */
        return last;
    }
    uint64_t hash = bucket_hash(key);
    uint32_t bucket = table_find(&g->buckets, hash, bucket_equal, s, key);
    if (bucket) {
        return bucket;
    }
    bucket = slab_alloc(&s->adjout->buckets);
    if (!bucket) {
        return 0;
    }
    if (!table_insert(&g->buckets, hash, bucket)) {
        slab_free(&s->adjout->buckets, bucket);
        return 0;
    }
    struct adjout_bucket *b = bucket_at(s, bucket);
    b->key = *key;
    struct adjout_queue *q = queue_of(g, b);
    b->prev = q->tail;
    *(b->prev ? &bucket_at(s, b->prev)->next : &q->head) = bucket;
    q->tail = bucket;
    if (key->attrs) {
        attr_hold(&s->attrs, key->attrs);
    }
    return bucket;
}

static void bucket_free(struct bgp_speaker *s, struct adjout_group *g, uint32_t bucket) {
    struct adjout_bucket *b = bucket_at(s, bucket);
    struct adjout_queue *q = queue_of(g, b);
    *(b->prev ? &bucket_at(s, b->prev)->next : &q->head) = b->next;
    *(b->next ? &bucket_at(s, b->next)->prev : &q->tail) = b->prev;
    table_remove(&g->buckets, bucket_hash(&b->key), bucket);
    attr_release(&s->attrs, b->key.attrs);
    slab_free(&s->adjout->buckets, bucket);
}

void adjout_pending_drop(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                         uint32_t number) {
    struct adjout_slot *slot = adjout_slot_find(g, f, number);
    uint32_t pending = slot->pending & ADJOUT_PENDING;
    if (!pending) {
        return;
    }
    bool held = slot_holds(slot);
    struct adjout_pending *p = pending_at(s, pending);
    struct adjout_bucket *b = bucket_at(s, p->bucket);
    *(p->prev ? &pending_at(s, p->prev)->next : &b->first) = p->next;
    *(p->next ? &pending_at(s, p->next)->prev : &b->last) = p->prev;
    queue_of(g, b)->count--;
    if (!b->first) {
        bucket_free(s, g, p->bucket);
    }
    slab_free(&s->adjout->pendings, pending);
    slot->pending &= ADJOUT_GRAVE;
    slot_settle(s, g, f, number, held, slot);
}

static bool pending_add(struct bgp_speaker *s, struct adjout_group *g, uint32_t number,
                        const struct adjout_bucket_key *key) {
    enum bgp_family f = key->family;
    struct adjout_slot *slot = adjout_slot_find(g, f, number);
    bool held = slot_holds(slot);
    uint32_t pending = slab_alloc(&s->adjout->pendings);
    uint32_t bucket = pending ? bucket_make(s, g, key) : 0;
    if (!bucket) {
        if (pending) {
            slab_free(&s->adjout->pendings, pending);
        }
        return false;
    }
    struct adjout_pending *p = pending_at(s, pending);
    struct adjout_bucket *b = bucket_at(s, bucket);
    p->number = number;
    p->bucket = bucket;
    p->prev = b->last;
    *(p->prev ? &pending_at(s, p->prev)->next : &b->first) = pending;
    b->last = pending;
    queue_of(g, b)->count++;
    slot->pending |= pending;
    g->news = true;
    slot_settle(s, g, f, number, held, slot);
    return true;
}

/* ---- a route, as this group wants it ---- */

static void want(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f, uint32_t number,
                 uint32_t attrs, uint32_t source) {
    const struct adjout_slot *slot = adjout_slot_find(g, f, number);
    adjout_pending_drop(s, g, f, number);
    if (g->member_count == g->waiting) { /* nobody is on the stream: nobody need be told */
        if (slot->attrs != attrs || slot->source != source) {
            adjout_slot_set(s, g, f, number, attrs, source, attrs ? g->log_end - 1 : 0);
        }
        return;
    }
    if (slot->attrs == attrs && (!attrs || slot->source == source)) {
        return;
    }
    struct adjout_bucket_key key = {.family = f, .attrs = attrs, .source = attrs ? source : 0};
    key.kind = ADJOUT_ANNOUNCE;
    if (!attrs) {
        key.kind = ADJOUT_WITHDRAW;
        key.old_source = slot->source;
    } else if (slot->attrs == attrs) {
        key.kind = ADJOUT_MOVE;
        key.old_source = slot->source;
    }
    if (!pending_add(s, g, number, &key)) {
        adjout_group_failed(s, g);
    }
}

/* Whose configuration has the policy of the group's key; NULL: all are about to leave it. */
static const struct peer *group_speaks(const struct bgp_speaker *s, const struct adjout_group *g) {
    uint32_t i = g->members;
    while (i && adjout_member_at(s, i)->flags & ADJOUT_MEMBER_MISPLACED) {
        i = adjout_member_at(s, i)->next;
    }
    return i ? speaker_peer(s, adjout_member_at(s, i)->peer) : NULL;
}

void adjout_memo_drop(struct bgp_speaker *s, struct adjout_group *g) {
    attr_release(&s->attrs, g->memo.attrs);
    attr_release(&s->attrs, g->memo.result);
    g->memo = (struct adjout_memo){0};
}

static bool memo_fits(const struct adjout_group *g, enum bgp_family f,
                      const struct adjout_route *r) {
    const struct adjout_memo *m = &g->memo;
    return m->attrs && m->attrs == r->attrs && m->source == r->source_peer && m->family == f &&
           r->prefix.length > 0;
}

/* Policy and the default route's stand-in must not look at what differs between such routes, and
 * any of their prefixes must fit into a message. */
static void memo_keep(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      const struct adjout_route *r, uint32_t result) {
    adjout_memo_drop(s, g);
    if (!r->attrs || !r->source_peer || r->prefix.length == 0 || g->key.by_prefix[f] ||
        (result && !export_is_short(&attr_get(&s->attrs, result)->v))) {
        return;
    }
    g->memo = (struct adjout_memo){r->attrs, result, r->source_peer, f};
    attr_hold(&s->attrs, r->attrs);
    if (result) {
        attr_hold(&s->attrs, result);
    }
}

/* What the group should say of the route, held for the caller; 0: nothing. False: no memory. */
static bool evaluate(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                     const struct adjout_route *r, uint32_t *ret_attrs) {
    struct arena *arena = s->adjout->arena;
    struct attr_values v;
    enum export_result result = EXPORT_WITHHOLD;
    uint32_t attrs = 0;
    if (memo_fits(g, f, r)) {
        *ret_attrs = g->memo.result;
        if (g->memo.result) {
            attr_hold(&s->attrs, g->memo.result);
        }
        return true;
    }
    const struct peer *p = group_speaks(s, g);
    /* IOS: default-originate stands in for whatever the table has. */
    if (r->prefix.length == 0 && g->key.default_originate[f]) {
        result = export_default(&g->key, f, arena, &v);
    } else if (r->attrs) {
        result = p ? export_route(s, &g->key, &p->config->export[f], r, arena, NULL, &v)
                   : EXPORT_NO_MEMORY;
    }
    if (result == EXPORT_SEND) {
        attrs = attr_intern(&s->attrs, &v);
    }
    s->routes_too_long += result == EXPORT_TOO_LONG;
    arena_reset(arena);
    if (attrs || result == EXPORT_WITHHOLD) {
        memo_keep(s, g, f, r, attrs);
    }
    *ret_attrs = attrs;
    return result == EXPORT_WITHHOLD || result == EXPORT_TOO_LONG || attrs;
}

/* `entry` is the prefix of the path `number` where the group sends several, else `number`. */
static void group_wants(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                        uint32_t entry, uint32_t number, const struct adjout_route *r) {
    uint32_t attrs = 0;
    struct adjout_slot *slot = adjout_slot_find(g, f, number);
    if (!evaluate(s, g, f, r, &attrs)) {
        adjout_group_failed(s, g);
        return;
    }
    if (!attrs && !slot) {
        return;
    }
    bool room = !g->key.add_path[f] || rib_path_out_reserve(s, entry, number);
    if (!room || (!slot && !slot_make(g, f, number))) {
        adjout_group_failed(s, g);
    } else {
        bool own = r->prefix.length == 0 && g->key.default_originate[f];
        want(s, g, f, number, attrs, attrs && !own ? r->source_peer : 0);
    }
    attr_release(&s->attrs, attrs);
}

void adjout_group_route(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                        uint32_t entry, const struct adjout_route *r) {
    group_wants(s, g, f, entry, entry, r);
}

void adjout_group_paths(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                        uint32_t entry) {
    if (!rib_pick(s, f, entry, g->key.add_path[f])) {
        adjout_group_failed(s, g);
        return;
    }
    for (uint32_t i = rib_entry_at(s, f, entry)->paths; i; i = rib_path_at(s, i)->next) {
        struct adjout_route r = rib_path_route(s, f, entry, i);
        r.attrs = rib_path_at(s, i)->flags & RIB_PATH_PICKED ? r.attrs : 0;
        group_wants(s, g, f, entry, i, &r);
    }
}

void adjout_group_path_gone(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                            uint32_t path) {
    const struct adjout_slot *slot = adjout_slot_find(g, f, path);
    if (slot && (slot->attrs || slot->pending & ADJOUT_PENDING)) {
        want(s, g, f, path, 0, 0);
    }
}

void adjout_group_paths_gone(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f) {
    for (uint32_t i = 1; i < g->page_count[f] * ADJOUT_PAGE; i++) {
        const struct adjout_slot *slot = adjout_slot_find(g, f, i);
        if (slot && slot_holds(slot) && rib_path_at(s, i)->flags & RIB_PATH_GONE) {
            adjout_group_path_gone(s, g, f, i);
        }
    }
}

/* ---- graves ---- */

bool adjout_graves_reserve(struct adjout_group *g, uint32_t more) {
    if (g->grave_count + more <= g->grave_capacity) {
        return true;
    }
    uint32_t capacity = g->grave_capacity ? g->grave_capacity : 64;
    while (capacity < g->grave_count + more) {
        capacity *= 2;
    }
    uint64_t *graves = alloc_resize(g->graves, capacity, sizeof *graves);
    if (!graves) {
        return false;
    }
    g->graves = graves;
    g->grave_capacity = capacity;
    return true;
}

void adjout_grave_add(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      uint32_t number) {
    struct adjout_slot *slot = adjout_slot_find(g, f, number);
    if (slot->pending & ADJOUT_GRAVE) {
        return;
    }
    assert(g->grave_count < g->grave_capacity);
    g->graves[g->grave_count++] = (uint64_t)f << 32 | number;
    bool held = slot_holds(slot);
    slot->pending |= ADJOUT_GRAVE;
    slot_settle(s, g, f, number, held, slot);
}

void adjout_graves_sweep(struct bgp_speaker *s, struct adjout_group *g) {
    if (g->grave_count == 0 || g->walking > 0 || g->at_end + g->waiting < g->member_count) {
        return;
    }
    for (uint32_t i = 0; i < g->grave_count; i++) {
        enum bgp_family f = (enum bgp_family)(g->graves[i] >> 32);
        uint32_t number = (uint32_t)g->graves[i];
        struct adjout_slot *slot = adjout_slot_find(g, f, number);
        bool held = slot_holds(slot);
        slot->pending &= ADJOUT_PENDING;
        slot->version = slot->attrs ? slot->version : 0; /* nobody needs to be told any more */
        slot_settle(s, g, f, number, held, slot);
    }
    g->grave_count = 0;
    alloc_free(g->graves);
    g->graves = NULL;
    g->grave_capacity = 0;
}

/* ---- the end of a group, and what its members take along ---- */

static void table_free_family(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f) {
    for (uint32_t page = 0; page < g->page_count[f]; page++) {
        for (uint32_t i = 0; g->pages[f][page] && i < ADJOUT_PAGE; i++) {
            struct adjout_slot *slot = &g->pages[f][page][i];
            uint32_t number = page * ADJOUT_PAGE + i;
            adjout_pending_drop(s, g, f, number);
            bool held = slot_holds(slot);
            attr_release(&s->attrs, slot->attrs);
            memset(slot, 0, sizeof *slot);
            if (held) {
                slot_settle(s, g, f, number, true, slot);
            }
        }
        alloc_free(g->pages[f][page]);
        g->pages[f][page] = NULL;
    }
    alloc_free(g->pages[f]);
    g->pages[f] = NULL;
    g->page_count[f] = 0;
}

void adjout_table_free(struct bgp_speaker *s, struct adjout_group *g) {
    adjout_memo_drop(s, g);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        table_free_family(s, g, f);
    }
    table_deinit(&g->buckets);
    alloc_free(g->graves);
    g->graves = NULL;
}

static void held_free(struct bgp_speaker *s, struct adjout_held *h) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        for (uint32_t i = 0; h->slots[f] && i < h->count[f]; i++) {
            if (h->slots[f][i].version) {
                attr_release(&s->attrs, h->slots[f][i].attrs);
                number_release(s, h->add_path[f], f, i);
            }
        }
        alloc_free(h->slots[f]);
    }
    alloc_free(h);
}

void adjout_held_drop(struct bgp_speaker *s, struct adjout_held *h) {
    if (!h || --h->references > 0) {
        return;
    }
    if (s->adjout->last_held == h) {
        s->adjout->last_held = NULL;
    }
    held_free(s, h);
}

static void held_keep(struct bgp_speaker *s, struct adjout_held *h, enum bgp_family f,
                      uint32_t number, const struct adjout_slot *slot) {
    struct adjout_slot *copy = &h->slots[f][number];
    bool held = copy->version != 0;
    *copy = *slot;
    if (copy->attrs) {
        attr_hold(&s->attrs, copy->attrs);
    }
    if (!held) {
        number_hold(s, h->add_path[f], f, number);
    }
}

/* Adds the slots of a group; false: no memory. */
static bool held_copy(struct bgp_speaker *s, struct adjout_held *h, const struct adjout_group *g,
                      enum bgp_family f, uint32_t at_least) {
    uint32_t count = g->page_count[f] * ADJOUT_PAGE;
    count = count > at_least ? count : at_least;
    if (count == 0) {
        return true;
    }
    h->slots[f] = alloc_zero(count, sizeof(struct adjout_slot));
    if (!h->slots[f]) {
        return false;
    }
    h->count[f] = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct adjout_slot *slot = adjout_slot_find(g, f, i);
        if (slot && slot->version && slot_holds(slot)) {
            held_keep(s, h, f, i, slot);
        }
    }
    return true;
}

/* What was in hand before, where the later group has nothing. Nobody is sure of it any more. */
static void held_merge(struct bgp_speaker *s, struct adjout_held *h,
                       const struct adjout_held *before, enum bgp_family f, uint32_t unsure) {
    for (uint32_t i = 0; i < before->count[f]; i++) {
        if (!h->slots[f][i].attrs && before->slots[f][i].attrs) {
            held_keep(s, h, f, i, &before->slots[f][i]);
            h->slots[f][i].version = unsure;
        }
    }
}

struct adjout_held *adjout_held_take(struct bgp_speaker *s, struct adjout_group *g,
                                     const struct adjout_held *before) {
    struct adjout_held *last = s->adjout->last_held;
    if (!before && last && last->group == g->number && last->changes == g->changes) {
        last->references++;
        return last;
    }
    struct adjout_held *h = alloc_zero(1, sizeof *h);
    if (!h) {
        return NULL;
    }
    h->references = 1;
    h->group = g->number;
    h->changes = g->changes;
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        h->add_path[f] = g->key.add_path[f];
        if (!held_copy(s, h, g, f, before ? before->count[f] : 0)) {
            held_free(s, h);
            return NULL;
        }
        if (before) {
            held_merge(s, h, before, f, g->log_end);
        }
    }
    if (!before) {
        s->adjout->last_held = h;
    }
    return h;
}
