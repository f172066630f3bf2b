/*
 * What a member that changes groups takes along: a copy of what its old group had said.
 *
 * Owns the copies. A copy is a number per slot, of the record the slot named; all members that
 * leave a group in the same state share it. Leaves what is made of the difference to adjout_walk.c.
 *
 * Invariant: what a copy has a record of, it holds, as a slot does.
 */
#include "adjout_group.h"

static void held_free(struct bgp_speaker *s, struct adjout_held *h) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        for (uint32_t i = 0; h->said[f] && i < h->count[f]; i++) {
            if (h->said[f][i]) {
                adjout_said_release(s, h->said[f][i]);
                adjout_number_release(s, h->add_path[f], f, i);
            }
        }
        alloc_free(h->said[f]);
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
                      uint32_t number, uint32_t said) {
    uint32_t before = h->said[f][number];
    h->said[f][number] = said;
    adjout_said_hold(s, said);
    if (before) {
        adjout_said_release(s, before);
    } else {
        adjout_number_hold(s, h->add_path[f], f, number);
    }
}

/* Adds the slots of a group; false: no memory. */
static bool held_copy(struct bgp_speaker *s, struct adjout_held *h, const struct adjout_group *g,
                      enum bgp_family f, uint32_t at_least) {
    uint32_t limit = adjout_slot_limit(g, f);
    uint32_t count = limit > at_least ? limit : at_least;
    if (count == 0) {
        return true;
    }
    h->said[f] = alloc_zero(count, sizeof *h->said[f]);
    if (!h->said[f]) {
        return false;
    }
    h->count[f] = count;
    for (uint32_t i = 1; i < limit; i++) {
        uint32_t said = adjout_slot_said(s, g, f, i);
        if (said) {
            held_keep(s, h, f, i, said);
        }
    }
    return true;
}

static bool says_something(const struct bgp_speaker *s, uint32_t said) {
    return said && adjout_said_get(s, said)->attrs;
}

/* What was in hand before, where the later group has nothing. Nobody is sure of it any more. False:
 * no memory. */
static bool held_merge(struct bgp_speaker *s, struct adjout_held *h,
                       const struct adjout_held *before, enum bgp_family f, uint32_t unsure) {
    for (uint32_t i = 1; i < before->count[f]; i++) {
        if (says_something(s, h->said[f][i]) || !says_something(s, before->said[f][i])) {
            continue;
        }
        const struct adjout_said *was = adjout_said_get(s, before->said[f][i]);
        uint32_t said = adjout_said_make(s, was->attrs, was->source, unsure);
        if (!said) {
            return false;
        }
        held_keep(s, h, f, i, said);
        adjout_said_release(s, said);
    }
    return true;
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
        if (!held_copy(s, h, g, f, before ? before->count[f] : 0) ||
            (before && !held_merge(s, h, before, f, g->log_end))) {
            held_free(s, h);
            return NULL;
        }
    }
    if (!before) {
        s->adjout->last_held = h;
    }
    return h;
}
