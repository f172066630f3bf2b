/*
 * What a member that changes groups takes along: a copy of what its old group had said.
 *
 * Owns the copies. A copy is a number per slot, of the record the slot named; all members that
 * leave a group in the same state share it. It is made a page at a time: what has not been copied
 * yet is copied before the group changes it, or when somebody looks, or when its turn comes in the
 * slices of adjout_sweep, which also free copies nobody needs. So taking one is a step of its own,
 * however long the table. Leaves what is made of the difference to adjout_walk.c.
 *
 * Invariants: what a copy has a record of, it holds, as a slot does; all memory is there from the
 * start, so copying cannot fail; a group is not freed while copies of it are under way.
 */
#include "adjout_group.h"

#include <assert.h>

/* Beside a record's number: it is not known whether the member has it. */
#define HELD_UNSURE UINT32_C(0x80000000)

static uint32_t page_end(const struct adjout_held *h, enum bgp_family f, uint32_t page) {
    uint32_t end = (page + 1) * ADJOUT_PAGE;
    return end < h->count[f] ? end : h->count[f];
}

static uint32_t pages_of(const struct adjout_held *h, enum bgp_family f) {
    return (h->count[f] + ADJOUT_PAGE - 1) / ADJOUT_PAGE;
}

static bool says_something(const struct bgp_speaker *s, uint32_t said) {
    return said && adjout_said_get(s, said)->attrs;
}

/* ---- copying ---- */

static uint32_t held_slot(struct bgp_speaker *s, struct adjout_held *h, enum bgp_family f,
                          uint32_t number);

/* What is in hand of a number: what the group said, or else what was in hand before it, be that a
 * withdrawal: the member may not have been sent it. */
static uint32_t slot_to_hold(struct bgp_speaker *s, struct adjout_held *h,
                             const struct adjout_group *g, enum bgp_family f, uint32_t number) {
    uint32_t said = adjout_slot_said(s, g, f, number);
    if (!h->before || says_something(s, said)) {
        return said;
    }
    uint32_t before = held_slot(s, h->before, f, number) & ~HELD_UNSURE;
    return before ? before | HELD_UNSURE : said;
}

static void copy_page(struct bgp_speaker *s, struct adjout_held *h, enum bgp_family f,
                      uint32_t page) {
    const struct adjout_group *g = adjout_group_at(s, h->of);
    if (h->copied[f][page]) {
        return;
    }
    h->copied[f][page] = true;
    for (uint32_t i = page * ADJOUT_PAGE; i < page_end(h, f, page); i++) {
        uint32_t value = slot_to_hold(s, h, g, f, i);
        if (value) {
            h->said[f][i] = value;
            adjout_said_hold(s, value & ~HELD_UNSURE);
            adjout_number_hold(s, h->add_path[f], f, i);
        }
    }
}

static uint32_t held_slot(struct bgp_speaker *s, struct adjout_held *h, enum bgp_family f,
                          uint32_t number) {
    if (number >= h->count[f]) {
        return 0;
    }
    if (h->of) {
        copy_page(s, h, f, number / ADJOUT_PAGE);
    }
    return h->said[f][number];
}

const struct adjout_said *adjout_held_said(struct bgp_speaker *s, struct adjout_held *h,
                                           enum bgp_family f, uint32_t number, bool *ret_unsure) {
    uint32_t value = h ? held_slot(s, h, f, number) : 0;
    *ret_unsure = value & HELD_UNSURE;
    return adjout_said_get(s, value & ~HELD_UNSURE);
}

void adjout_held_before_change(struct bgp_speaker *s, const struct adjout_group *g,
                               enum bgp_family f, uint32_t number) {
    for (struct adjout_held *h = s->adjout->copying; h; h = h->next) {
        if (h->of == g->index && number < h->count[f]) {
            copy_page(s, h, f, number / ADJOUT_PAGE);
        }
    }
}

/* It is a copy of its own from now on, or none is needed any more. */
static void copying_end(struct bgp_speaker *s, struct adjout_held *h) {
    struct adjout_held **at = &s->adjout->copying;
    struct adjout_held *before = h->before;
    while (*at != h) {
        at = &(*at)->next;
    }
    *at = h->next;
    adjout_group_at(s, h->of)->copies--;
    h->of = 0;
    h->before = NULL;
    h->next = NULL;
    h->page = 0;
    h->family = BGP_IPV4_UNICAST;
    adjout_held_drop(s, before);
}

/* The place of the next page; false: there is none. */
static bool next_page(struct adjout_held *h) {
    if (h->page >= pages_of(h, h->family) && h->family == BGP_IPV4_UNICAST) {
        h->family = BGP_IPV6_UNICAST;
        h->page = 0;
    }
    return h->page < pages_of(h, h->family);
}

/* Returns what is left of the budget. */
static uint32_t copy_some(struct bgp_speaker *s, struct adjout_held *h, uint32_t budget) {
    while (budget > 0) {
        if (!next_page(h)) {
            copying_end(s, h);
            break;
        }
        copy_page(s, h, h->family, h->page++);
        budget = adjout_spend_page(s, budget);
    }
    return budget;
}

/* ---- taking ---- */

static void held_deinit(struct adjout_held *h) {
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        alloc_free(h->said[f]);
        alloc_free(h->copied[f]);
    }
    alloc_free(h);
}

static bool reserve(struct adjout_held *h, enum bgp_family f, uint32_t count) {
    h->count[f] = count;
    if (count > 0) {
        h->said[f] = alloc_zero(count, sizeof *h->said[f]);
        h->copied[f] = alloc_zero(pages_of(h, f), sizeof *h->copied[f]);
    }
    return count == 0 || (h->said[f] && h->copied[f]);
}

static struct adjout_held *held_new(struct bgp_speaker *s, struct adjout_group *g,
                                    struct adjout_held *before) {
    struct adjout_held *h = alloc_zero(1, sizeof *h);
    bool ok = h;
    for (unsigned i = 0; ok && i < BGP_FAMILIES; i++) {
        enum bgp_family f = (enum bgp_family)i;
        uint32_t count = adjout_slot_limit(g, f);
        h->add_path[f] = g->key.add_path[f];
        ok = reserve(h, f, before && before->count[f] > count ? before->count[f] : count);
    }
    if (!ok) {
        if (h) {
            held_deinit(h);
        }
        return NULL;
    }
    h->references = 1;
    h->group = g->number;
    h->changes = g->changes;
    h->of = g->index;
    h->before = before;
    h->next = s->adjout->copying;
    s->adjout->copying = h;
    g->copies++;
    return h;
}

struct adjout_held *adjout_held_take(struct bgp_speaker *s, struct adjout_group *g,
                                     struct adjout_held *before) {
    struct adjout_held *last = s->adjout->last_held;
    if (!before && last && last->group == g->number && last->changes == g->changes) {
        last->references++;
        return last;
    }
    /* Two of them under way, one upon the other, are enough: else the first is finished at once. */
    if (before && before->before) {
        (void)copy_some(s, before, UINT32_MAX);
    }
    struct adjout_held *h = held_new(s, g, before);
    if (h && before) {
        before->references++;
    } else if (h) {
        s->adjout->last_held = h;
    }
    return h;
}

/* ---- freeing ---- */

void adjout_held_drop(struct bgp_speaker *s, struct adjout_held *h) {
    if (!h || --h->references > 0) {
        return;
    }
    if (s->adjout->last_held == h) {
        s->adjout->last_held = NULL;
    }
    if (h->of) {
        copying_end(s, h);
    }
    h->page = 0;
    h->family = BGP_IPV4_UNICAST;
    h->next = s->adjout->dropped;
    s->adjout->dropped = h;
}

static void release_page(struct bgp_speaker *s, struct adjout_held *h, enum bgp_family f,
                         uint32_t page) {
    for (uint32_t i = page * ADJOUT_PAGE; h->copied[f][page] && i < page_end(h, f, page); i++) {
        if (h->said[f][i]) {
            adjout_said_release(s, h->said[f][i] & ~HELD_UNSURE);
            adjout_number_release(s, h->add_path[f], f, i);
        }
    }
}

/* Returns what is left of the budget. */
static uint32_t free_some(struct bgp_speaker *s, struct adjout_held *h, uint32_t budget) {
    while (budget > 0) {
        if (!next_page(h)) {
            assert(s->adjout->dropped == h);
            s->adjout->dropped = h->next;
            held_deinit(h);
            break;
        }
        release_page(s, h, h->family, h->page++);
        budget = adjout_spend_page(s, budget);
    }
    return budget;
}

uint32_t adjout_held_work(struct bgp_speaker *s, uint32_t budget) {
    while (budget > 0 && s->adjout->copying) {
        budget = copy_some(s, s->adjout->copying, budget);
    }
    while (budget > 0 && s->adjout->dropped) {
        budget = free_some(s, s->adjout->dropped, budget);
    }
    return budget;
}
