/*
 * Adj-RIB-Out of a group: per prefix, what was said of it last.
 *
 * Owns the slots, numbered by the prefix in the RIB or by the path, and the records they name. A
 * record is what one message said of the prefixes in it, so a slot takes four octets: the record's
 * number or, while a change is due, that of the change, which keeps the record's. Leaves what is
 * wanted, and when it is sent, to adjout_table.c.
 *
 * Invariants:
 *   - a slot says what has been encoded, never what is wanted;
 *   - a slot that is not empty holds its prefix or path; a record lives as long as slots, copies of
 *     slots or its maker have it, and holds its attributes;
 *   - a record without attributes, a withdrawal, is named by graves only.
 */
#include "adjout_group.h"
#include "own_addr.h"
#include "peer.h"

#include <assert.h>
#include <string.h>

/* A slot's bits beside the number of a record, or of a change. */
#define SLOT_PENDING UINT32_C(0x80000000)
#define SLOT_GRAVE UINT32_C(0x40000000)
#define SLOT_NUMBER UINT32_C(0x3fffffff)

/* ---- records ---- */

static struct adjout_said *said_at(const struct bgp_speaker *s, uint32_t said) {
    return slab_at(&s->adjout->said, said);
}

uint32_t adjout_said_new(struct bgp_speaker *s, uint32_t attrs, uint32_t source) {
    uint32_t said = slab_alloc(&s->adjout->said);
    assert(said <= SLOT_NUMBER);
    if (said) {
        *said_at(s, said) = (struct adjout_said){.attrs = attrs, .source = source, .references = 1};
        if (attrs) {
            attr_hold(&s->attrs, attrs);
        }
    }
    return said;
}

uint32_t adjout_said_make(struct bgp_speaker *s, uint32_t attrs, uint32_t source,
                          uint32_t version) {
    struct adjout *a = s->adjout;
    const struct adjout_said *last = a->last_said ? said_at(s, a->last_said) : NULL;
    if (last && last->attrs == attrs && last->source == source && last->version == version) {
        adjout_said_hold(s, a->last_said);
        return a->last_said;
    }
    uint32_t said = adjout_said_new(s, attrs, source);
    if (said) {
        said_at(s, said)->version = version;
        a->last_said = said;
    }
    return said;
}

void adjout_said_hold(struct bgp_speaker *s, uint32_t said) {
    said_at(s, said)->references++;
}

void adjout_said_release(struct bgp_speaker *s, uint32_t said) {
    if (said == 0 || --said_at(s, said)->references > 0) {
        return;
    }
    attr_release(&s->attrs, said_at(s, said)->attrs);
    s->adjout->last_said = s->adjout->last_said == said ? 0 : s->adjout->last_said;
    slab_free(&s->adjout->said, said);
}

void adjout_said_date(struct bgp_speaker *s, uint32_t said, uint32_t version) {
    said_at(s, said)->version = version;
}

const struct adjout_said *adjout_said_get(const struct bgp_speaker *s, uint32_t said) {
    return said ? said_at(s, said) : NULL;
}

/* ---- who is told ---- */

uint32_t adjout_said_to(const struct bgp_speaker *s, const struct adjout_said *said,
                        uint32_t peer) {
    if (!said || !said->attrs || said->source == peer) {
        return 0;
    }
    const struct peer *p = speaker_peer(s, peer);
    struct ip_addr next_hop = attr_get(&s->attrs, said->attrs)->v.next_hop;
    bool spared = export_spares(s, said->source) && ip_equal(next_hop, p->config->remote_addr) &&
                  !ip_equal(next_hop, own_addr_get(s, p->own_addr)); /* ours */
    return spared ? 0 : said->attrs;
}

bool adjout_is_member(const struct bgp_speaker *s, const struct adjout_group *g, uint32_t peer) {
    const struct peer *p = speaker_peer(s, peer);
    return p && p->group_member && adjout_member_at(s, p->group_member)->group == g->index;
}

uint32_t adjout_withheld_next(const struct bgp_speaker *s, const struct adjout_group *g,
                              uint32_t attrs, uint32_t source, uint32_t at) {
    if (at == 0 && adjout_is_member(s, g, source)) {
        return source;
    }
    if (!attrs || !export_spares(s, source)) {
        return 0;
    }
    struct ip_addr next_hop = attr_get(&s->attrs, attrs)->v.next_hop;
    if (ip_equal(next_hop, g->key.local_addr)) { /* ours, so no neighbour's */
        return 0;
    }
    bool first = at == 0 || at == source;
    const struct peer *p =
        first ? peer_by_address(s, next_hop) : peer_next_by_address(s, speaker_peer(s, at));
    while (p && (p->index == source || !adjout_is_member(s, g, p->index))) {
        p = peer_next_by_address(s, p);
    }
    return p ? p->index : 0;
}

/* ---- slots ---- */

/* NULL: on a page that is not there. */
static uint32_t *slot_find(const struct adjout_group *g, enum bgp_family f, uint32_t number) {
    uint32_t page = number / ADJOUT_PAGE;
    if (page >= g->page_count[f] || !g->pages[f][page]) {
        return NULL;
    }
    return &g->pages[f][page][number % ADJOUT_PAGE];
}

static bool pages_reserve(struct adjout_group *g, enum bgp_family f, uint32_t page) {
    uint32_t count = g->page_count[f] ? g->page_count[f] : 4;
    if (page < g->page_count[f]) {
        return true;
    }
    while (count <= page) {
        count *= 2;
    }
    uint32_t **pages = alloc_resize(g->pages[f], count, sizeof *pages);
    if (!pages) {
        return false;
    }
    memset(pages + g->page_count[f], 0, (count - g->page_count[f]) * sizeof *pages);
    g->pages[f] = pages;
    g->page_count[f] = count;
    return true;
}

bool adjout_slot_make(struct adjout_group *g, enum bgp_family f, uint32_t number) {
    uint32_t page = number / ADJOUT_PAGE;
    if (!pages_reserve(g, f, page)) {
        return false;
    }
    if (!g->pages[f][page]) {
        g->pages[f][page] = alloc_zero(ADJOUT_PAGE, sizeof(uint32_t));
    }
    return g->pages[f][page] != NULL;
}

bool adjout_slot_used(const struct adjout_group *g, enum bgp_family f, uint32_t number) {
    const uint32_t *slot = slot_find(g, f, number);
    return slot && *slot;
}

static struct adjout_pending *change_of(const struct bgp_speaker *s, uint32_t slot) {
    return slab_at(&s->adjout->pendings, slot & SLOT_NUMBER);
}

uint32_t adjout_slot_said(const struct bgp_speaker *s, const struct adjout_group *g,
                          enum bgp_family f, uint32_t number) {
    const uint32_t *slot = slot_find(g, f, number);
    if (!slot) {
        return 0;
    }
    return *slot & SLOT_PENDING ? change_of(s, *slot)->said : *slot & SLOT_NUMBER;
}

const struct adjout_said *adjout_said_of(const struct bgp_speaker *s, const struct adjout_group *g,
                                         enum bgp_family f, uint32_t number) {
    return adjout_said_get(s, adjout_slot_said(s, g, f, number));
}

struct ip_prefix adjout_slot_prefix(const struct bgp_speaker *s, const struct adjout_group *g,
                                    enum bgp_family f, uint32_t number) {
    return rib_entry_prefix(s, f, g->key.add_path[f] ? rib_path_entry(s, number) : number);
}

/* ---- what slots hold ---- */

void adjout_number_hold(struct bgp_speaker *s, bool add_path, enum bgp_family f, uint32_t number) {
    if (add_path) {
        rib_path_out_hold(s, f, number);
    } else {
        rib_entry_at(s, f, number)->out_references++;
    }
}

void adjout_number_release(struct bgp_speaker *s, bool add_path, enum bgp_family f,
                           uint32_t number) {
    if (add_path) {
        rib_path_out_release(s, f, number);
    } else {
        rib_entry_at(s, f, number)->out_references--;
        rib_entry_tidy(s, f, number);
    }
}

/* The prefix or path is held as long as the slot is not empty. */
static void slot_put(struct bgp_speaker *s, const struct adjout_group *g, enum bgp_family f,
                     uint32_t number, uint32_t value) {
    uint32_t *slot = slot_find(g, f, number);
    bool held = *slot != 0;
    if (g->copies > 0) {
        adjout_held_before_change(s, g, f, number);
    }
    *slot = value;
    if (value && !held) {
        adjout_number_hold(s, g->key.add_path[f], f, number);
    } else if (!value && held) {
        adjout_number_release(s, g->key.add_path[f], f, number);
    }
}

/* ---- changing them ---- */

static void count_slot(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                       const struct adjout_said *said, uint32_t step) {
    if (!said || !said->attrs) {
        return;
    }
    uint32_t peer = 0;
    g->slot_count[f] += step;
    while ((peer = adjout_withheld_next(s, g, said->attrs, said->source, peer)) != 0) {
        adjout_member_at(s, speaker_peer(s, peer)->group_member)->own[f] += step;
    }
}

void adjout_slot_set(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                     uint32_t number, uint32_t said) {
    const uint32_t *slot = slot_find(g, f, number);
    uint32_t old = adjout_slot_said(s, g, f, number);
    count_slot(s, g, f, adjout_said_get(s, old), UINT32_MAX);
    count_slot(s, g, f, adjout_said_get(s, said), 1);
    if (said) {
        adjout_said_hold(s, said);
    }
    if (*slot & SLOT_PENDING) {
        if (g->copies > 0) {
            adjout_held_before_change(s, g, f, number);
        }
        change_of(s, *slot)->said = said;
    } else {
        slot_put(s, g, f, number, (*slot & SLOT_GRAVE) | said);
    }
    adjout_said_release(s, old);
    g->changes++;
}

uint32_t adjout_slot_pending(const struct adjout_group *g, enum bgp_family f, uint32_t number) {
    const uint32_t *slot = slot_find(g, f, number);
    return slot && *slot & SLOT_PENDING ? *slot & SLOT_NUMBER : 0;
}

void adjout_slot_pend(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      uint32_t number, uint32_t pending) {
    const uint32_t *slot = slot_find(g, f, number);
    struct adjout_pending *p = slab_at(&s->adjout->pendings, pending);
    assert(!(*slot & SLOT_PENDING) && pending <= SLOT_NUMBER);
    p->number = number;
    p->said = *slot & SLOT_NUMBER;
    slot_put(s, g, f, number, (*slot & SLOT_GRAVE) | SLOT_PENDING | pending);
}

void adjout_slot_unpend(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                        uint32_t number) {
    const uint32_t *slot = slot_find(g, f, number);
    assert(*slot & SLOT_PENDING);
    slot_put(s, g, f, number, (*slot & SLOT_GRAVE) | change_of(s, *slot)->said);
}

bool adjout_slot_bury(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      uint32_t number) {
    const uint32_t *slot = slot_find(g, f, number);
    if (*slot & SLOT_GRAVE) {
        return false;
    }
    slot_put(s, g, f, number, *slot | SLOT_GRAVE);
    return true;
}

void adjout_slot_unbury(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                        uint32_t number) {
    const struct adjout_said *said = adjout_said_of(s, g, f, number);
    if (said && !said->attrs) {
        adjout_slot_set(s, g, f, number, 0); /* nobody needs to be told any more */
    }
    slot_put(s, g, f, number, *slot_find(g, f, number) & ~SLOT_GRAVE);
}

void adjout_page_free(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                      uint32_t page) {
    for (uint32_t number = page * ADJOUT_PAGE; number < (page + 1) * ADJOUT_PAGE; number++) {
        if (adjout_slot_used(g, f, number)) {
            assert(!adjout_slot_pending(g, f, number));
            adjout_said_release(s, adjout_slot_said(s, g, f, number));
            slot_put(s, g, f, number, 0);
        }
    }
    alloc_free(g->pages[f][page]);
    g->pages[f][page] = NULL;
}
