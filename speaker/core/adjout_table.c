/*
 * What is due to be sent, per group and prefix.
 *
 * Owns what a group wants to say, computed from a route and what its slot says already; the changes
 * that wait, in buckets of those that fit into one message; and the graves: withdrawn slots that
 * are kept until every member knows. Leaves the slots to adjout_slot.c, encoding to
 * adjout_stream.c.
 *
 * Invariants:
 *   - a prefix has at most one change waiting, computed from the slot, so A -> B -> A in between
 *     leaves nothing to send;
 *   - the source is part of what was sent: everybody but the source has it.
 * RFC 4271 9.2: no announcement that changes nothing, no withdrawal of what was not sent.
 */
#include "adjout_group.h"

#include "../base/arena.h"
#include "../base/hash.h"
#include "peer.h"

#include <assert.h>
#include <string.h>

/* ---- changes that wait ---- */

static struct adjout_bucket *bucket_at(const struct bgp_speaker *s, uint32_t bucket) {
    return slab_at(&s->adjout->buckets, bucket);
}

static struct adjout_pending *pending_at(const struct bgp_speaker *s, uint32_t pending) {
    return slab_at(&s->adjout->pendings, pending);
}

static struct adjout_queue *queue_of(struct adjout_group *g, const struct adjout_bucket *b) {
    return b->key.kind == ADJOUT_WITHDRAW ? &g->withdraws : &g->announces[b->key.family];
}

static bool bucket_equal(const void *context, uint32_t index, const void *key) {
    const struct adjout_bucket_key *a = &bucket_at(context, index)->key, *b = key;
    return a->attrs == b->attrs && a->family == b->family && a->kind == b->kind &&
           a->source == b->source && a->old_source == b->old_source && a->old_attrs == b->old_attrs;
}

static uint64_t bucket_hash(const struct adjout_bucket_key *key) {
    return hash_bytes(key, sizeof *key, 0);
}

/* The bucket of this key, at the end of its queue if it is new. 0: no memory. */
static uint32_t bucket_make(struct bgp_speaker *s, struct adjout_group *g,
                            const struct adjout_bucket_key *key) {
    uint32_t last =
        key->kind == ADJOUT_WITHDRAW ? g->withdraws.tail : g->announces[key->family].tail;
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
    if (key->old_attrs) {
        attr_hold(&s->attrs, key->old_attrs);
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
    attr_release(&s->attrs, b->key.old_attrs);
    slab_free(&s->adjout->buckets, bucket);
}

void adjout_pending_drop(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                         uint32_t number) {
    uint32_t pending = adjout_slot_pending(g, f, number);
    if (!pending) {
        return;
    }
    struct adjout_pending *p = pending_at(s, pending);
    struct adjout_bucket *b = bucket_at(s, p->bucket);
    *(p->prev ? &pending_at(s, p->prev)->next : &b->first) = p->next;
    *(p->next ? &pending_at(s, p->next)->prev : &b->last) = p->prev;
    queue_of(g, b)->count--;
    if (!b->first) {
        bucket_free(s, g, p->bucket);
    }
    adjout_slot_unpend(s, g, f, number);
    slab_free(&s->adjout->pendings, pending);
}

static bool pending_add(struct bgp_speaker *s, struct adjout_group *g, uint32_t number,
                        const struct adjout_bucket_key *key) {
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
    p->bucket = bucket;
    p->prev = b->last;
    *(p->prev ? &pending_at(s, p->prev)->next : &b->first) = pending;
    b->last = pending;
    queue_of(g, b)->count++;
    adjout_slot_pend(s, g, key->family, number, pending);
    g->news = true;
    return true;
}

/* ---- a route, as this group wants it ---- */

/* Nobody is on the stream: nobody need be told. False: no memory. */
static bool want_silently(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                          uint32_t number, uint32_t attrs, uint32_t source) {
    uint32_t said = attrs ? adjout_said_make(s, attrs, source, g->log_end - 1) : 0;
    if (said || !attrs) {
        adjout_slot_set(s, g, f, number, said);
        adjout_said_release(s, said);
    }
    return said || !attrs;
}

/* Are there neighbours at the next hop that were not told? They need not come up before the
 * withdrawal does. */
static bool was_spared(const struct bgp_speaker *s, const struct adjout_said *said) {
    return export_spares(s, said->source) &&
           peer_by_address(s, attr_get(&s->attrs, said->attrs)->v.next_hop);
}

static void want(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f, uint32_t number,
                 uint32_t attrs, uint32_t source) {
    adjout_pending_drop(s, g, f, number);
    const struct adjout_said *said = adjout_said_of(s, g, f, number);
    uint32_t old_attrs = said ? said->attrs : 0, old_source = said ? said->source : 0;
    if (old_attrs == attrs && (!attrs || old_source == source)) {
        return;
    }
    struct adjout_bucket_key key = {.family = f, .attrs = attrs, .source = attrs ? source : 0};
    key.kind = ADJOUT_ANNOUNCE;
    if (!attrs) {
        key.kind = ADJOUT_WITHDRAW;
        key.old_source = old_source;
        key.old_attrs = was_spared(s, said) ? old_attrs : 0;
    } else if (old_attrs == attrs && export_spares(s, source) == export_spares(s, old_source)) {
        key.kind = ADJOUT_MOVE;
        key.old_source = old_source;
    }
    bool silent = g->member_count == g->waiting;
    if (!(silent ? want_silently(s, g, f, number, attrs, source)
                 : pending_add(s, g, number, &key))) {
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
    return m->attrs && !r->suppressed && m->attrs == r->attrs && m->source == r->source_peer &&
           m->family == f && r->prefix.length > 0;
}

/* Policy and the default route's stand-in must not look at what differs between such routes, and
 * any of their prefixes must fit into a message. */
static void memo_keep(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      const struct adjout_route *r, uint32_t result) {
    adjout_memo_drop(s, g);
    if (!r->attrs || r->suppressed || !r->source_peer || r->prefix.length == 0 ||
        g->key.by_prefix[f] || (result && !export_is_short(&attr_get(&s->attrs, result)->v))) {
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
        bool other = g->key.add_path[f] && !r->stands_in;
        result = other ? EXPORT_WITHHOLD : export_default(s, &g->key, f, arena, &v);
    } else if (r->attrs) {
        result =
            p ? export_route(s, &g->key, p->config->options, r, arena, NULL, &v) : EXPORT_NO_MEMORY;
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
    if (!evaluate(s, g, f, r, &attrs)) {
        adjout_group_failed(s, g);
        return;
    }
    if (!attrs && !adjout_slot_used(g, f, number)) {
        return;
    }
    bool room = !g->key.add_path[f] || rib_path_out_reserve(s, entry, number);
    if (!room || !adjout_slot_make(g, f, number)) {
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

/* Its number is one that no path has. */
static void stand_in(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                     uint32_t entry) {
    const struct adjout_route r = {
        .prefix = rib_entry_prefix(s, f, entry), .interface = "", .stands_in = true};
    if (!g->default_path[f]) {
        g->default_path[f] = slab_alloc(&s->rib->paths);
    }
    if (g->default_path[f]) {
        group_wants(s, g, f, entry, g->default_path[f], &r);
    } else {
        adjout_group_failed(s, g);
    }
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
    if (g->key.default_originate[f] && rib_entry_at(s, f, entry)->length == 0) {
        stand_in(s, g, f, entry);
    }
}

void adjout_group_path_gone(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                            uint32_t path) {
    const struct adjout_said *said = adjout_said_of(s, g, f, path);
    if ((said && said->attrs) || adjout_slot_pending(g, f, path)) {
        want(s, g, f, path, 0, 0);
    }
}

void adjout_group_paths_gone(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f) {
    for (uint32_t i = 1; i < adjout_slot_limit(g, f); i++) {
        if (adjout_slot_used(g, f, i) && rib_path_is_gone(rib_path_at(s, i))) {
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
    if (adjout_slot_bury(s, g, f, number)) {
        assert(g->grave_count < g->grave_capacity);
        g->graves[g->grave_count++] = (uint64_t)f << 32 | number;
    }
}

/* What one slice leaves is for a later one, if then all members know again: a slot that is a grave
 * still may have been announced and withdrawn once more. */
uint32_t adjout_graves_sweep(struct bgp_speaker *s, struct adjout_group *g, uint32_t budget) {
    if (g->grave_count == 0 || g->walking > 0 || g->at_end + g->waiting < g->member_count) {
        return budget;
    }
    for (; budget > 0 && g->grave_count > 0; budget--) {
        uint64_t grave = g->graves[--g->grave_count];
        adjout_slot_unbury(s, g, (enum bgp_family)(grave >> 32), (uint32_t)grave);
    }
    if (g->grave_count > 0) {
        s->adjout->buried = true;
        return budget;
    }
    alloc_free(g->graves);
    g->graves = NULL;
    g->grave_capacity = 0;
    return budget;
}

/* ---- the end of a group ---- */

static void page_end(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                     uint32_t page) {
    for (uint32_t number = page * ADJOUT_PAGE; number < (page + 1) * ADJOUT_PAGE; number++) {
        adjout_pending_drop(s, g, f, number);
    }
    adjout_page_free(s, g, f, page);
}

static void table_deinit_all(struct bgp_speaker *s, struct adjout_group *g) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        if (g->default_path[f]) {
            rib_path_out_end(s, g->default_path[f]);
        }
        alloc_free(g->pages[f]);
        g->pages[f] = NULL;
        g->page_count[f] = 0;
    }
    table_deinit(&g->buckets);
    alloc_free(g->graves);
    g->graves = NULL;
}

uint32_t adjout_table_free(struct bgp_speaker *s, struct adjout_group *g, uint32_t budget) {
    assert(g->copies == 0);
    for (; budget > 0; g->free_page++) {
        if (g->free_page < g->page_count[g->free_family]) {
            if (g->pages[g->free_family][g->free_page]) {
                page_end(s, g, g->free_family, g->free_page);
                budget = adjout_spend_page(s, budget);
            }
        } else if (g->free_family == BGP_IPV4_UNICAST) {
            g->free_family = BGP_IPV6_UNICAST;
            g->free_page = UINT32_MAX; /* 0 next */
        } else {
            table_deinit_all(s, g);
            break;
        }
    }
    return budget;
}
