/*
 * Members that catch up: with the whole table (new, or asked for a refresh), with what changed
 * while they were too slow, or with what differs between their old group and the new one.
 *
 * Owns what a member has for it (struct adjout_catchup), which lives as long as the member waits or
 * walks or has messages of its own, and the walk: a cursor over the group's slots, a step at a time
 * when the member pulls. What the slots say at that moment is encoded into messages of the member's
 * own; what changes afterwards reaches it by the group's log, because a step is taken only at the
 * end of the log. Leaves the log to adjout_stream.c.
 *
 * A step sorts what it found by attributes, so that prefixes that share them share messages.
 * Invariants: what was announced later than `start` came by the log and is passed over;
 * a member whose walk has ended has exactly what the slots say. RFC 2918, 4724 2 and 3, 7313 4.
 */
#include "adjout_group.h"
#include "tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- what it takes ---- */

struct adjout_catchup *adjout_catchup_make(struct bgp_speaker *s, struct adjout_member *m) {
    if (!m->catchup) {
        m->catchup = slab_alloc(&s->adjout->catchups);
    }
    return adjout_catchup_of(s, m);
}

static void cut_private(struct adjout_catchup *c) {
    while (c->private) {
        struct adjout_chunk *first = c->private;
        c->private = first->next;
        alloc_free(first);
    }
}

void adjout_catchup_free(struct bgp_speaker *s, struct adjout_member *m) {
    struct adjout_catchup *c = adjout_catchup_of(s, m);
    if (!c) {
        return;
    }
    cut_private(c);
    adjout_held_drop(s, c->held);
    slab_free(&s->adjout->catchups, m->catchup);
    slab_shrink(&s->adjout->catchups, ADJOUT_IDLE_PAGES);
    m->catchup = 0;
}

void adjout_catchup_end(struct bgp_speaker *s, struct adjout_member *m) {
    const struct adjout_catchup *c = adjout_catchup_of(s, m);
    if (c && !c->private && !(m->flags & (ADJOUT_MEMBER_WAITING | ADJOUT_MEMBER_WALKING))) {
        adjout_catchup_free(s, m);
    }
}

void adjout_walk_begin(const struct bgp_speaker *s, struct adjout_group *g,
                       struct adjout_member *m) {
    struct adjout_catchup *c = adjout_catchup_of(s, m);
    g->walking += !(m->flags & ADJOUT_MEMBER_WALKING);
    m->flags |= ADJOUT_MEMBER_WALKING;
    m->flags &= (uint8_t) ~(ADJOUT_MEMBER_V6 | ADJOUT_MEMBER_BEGUN);
    c->cursor = 1;
    c->start = g->log_end - 1;
}

/* ---- what to say about one prefix ---- */

enum say {
    SAY_NOTHING,
    SAY_ANNOUNCE,
    SAY_WITHDRAW,
};

/* *ret_attrs is what the member should have. */
static enum say what_to_say(struct bgp_speaker *s, const struct adjout_group *g,
                            const struct adjout_member *m, enum bgp_family f, uint32_t entry,
                            uint32_t *ret_attrs) {
    const struct adjout_said *said = adjout_said_of(s, g, f, entry);
    bool perhaps;
    const struct adjout_catchup *c = adjout_catchup_of(s, m);
    const struct adjout_said *held = adjout_held_said(s, c->held, f, entry, &perhaps);
    *ret_attrs = adjout_said_to(s, said, m->peer);
    /* The log announced it to this member. A withdrawal the log may have spared it, not knowing
     * what a member that fell behind still has. */
    if (*ret_attrs && adjout_later(said->version, c->start)) {
        return SAY_NOTHING;
    }
    bool resync = m->flags & ADJOUT_MEMBER_RESYNC && said &&
                  (c->held || adjout_later(said->version, c->base));
    bool unsure = held && (perhaps || adjout_later(held->version, c->base));
    uint32_t had = adjout_said_to(s, held, m->peer);
    bool differs = c->held && (unsure || had != *ret_attrs);
    bool all = m->masks & adjout_mask(f, ADJOUT_MASK_ALL);
    if (*ret_attrs) {
        return all || resync || differs ? SAY_ANNOUNCE : SAY_NOTHING;
    }
    return resync || unsure || had ? SAY_WITHDRAW : SAY_NOTHING;
}

/* ---- messages of its own ---- */

static bool add_chunk(struct adjout_catchup *c, struct adjout_chunk *chunk) {
    struct adjout_chunk **at = &c->private;
    if (!chunk) {
        return false;
    }
    while (*at) {
        at = &(*at)->next;
    }
    *at = chunk;
    return true;
}

static bool add_private(struct adjout_catchup *c, const uint8_t *data, size_t size) {
    return add_chunk(c, adjout_chunk_new(data, size));
}

static int by_attrs(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Encodes `count` prefixes of equal attributes from walk[from] on; *ret_taken of them fitted. */
static bool encode_run(struct bgp_speaker *s, struct adjout_group *g, struct adjout_member *m,
                       enum bgp_family f, uint32_t from, uint32_t count, uint32_t *ret_taken) {
    struct adjout *a = s->adjout;
    uint32_t attrs = (uint32_t)(a->walk[from] >> 32);
    uint32_t n = 0;
    size_t octets = 0;
    for (; n < count && n < ADJOUT_BATCH_MAX && octets < BGP_MESSAGE_SIZE_MAX; n++) {
        a->batch_numbers[n] = (uint32_t)a->walk[from + n];
        a->batch[n] = adjout_slot_prefix(s, g, f, a->batch_numbers[n]);
        octets += nlri_size(a->batch[n]);
    }
    if (!add_chunk(adjout_catchup_of(s, m), adjout_chunk_encode(s, g, f, attrs, n, ret_taken))) {
        return false;
    }
    /* Until its first End-of-RIB a member had nothing. */
    bool again =
        m->masks & adjout_mask(f, ADJOUT_MASK_ALL) && !(m->masks & adjout_mask(f, ADJOUT_MASK_EOR));
    tally_member_sends(s, m->peer, f, attrs != 0, again, *ret_taken);
    return true;
}

static bool encode_all(struct bgp_speaker *s, struct adjout_group *g, struct adjout_member *m,
                       enum bgp_family f, uint32_t count) {
    struct adjout *a = s->adjout;
    qsort(a->walk, count, sizeof a->walk[0], by_attrs);
    for (uint32_t from = 0, taken = 0; from < count; from += taken) {
        uint32_t run = 1;
        while (from + run < count && a->walk[from + run] >> 32 == a->walk[from] >> 32) {
            run++;
        }
        if (!encode_run(s, g, m, f, from, run, &taken)) {
            return false;
        }
    }
    return true;
}

static bool add_frame(struct bgp_speaker *s, struct adjout_member *m, enum bgp_family f,
                      enum bgp_refresh_subtype subtype) {
    uint8_t message[BGP_HEADER_SIZE + 4];
    const struct bgp_refresh r = {.afi = family_afi(f), .subtype = (uint8_t)subtype, .safi = 1};
    size_t size = refresh_encode(&r, message, sizeof message);
    if (!add_private(adjout_catchup_of(s, m), message, size)) {
        return false;
    }
    tally_refresh_sent(s, m->peer, f, subtype == BGP_REFRESH_BORR);
    return true;
}

/* ---- the walk ---- */

static uint32_t slot_limit(const struct adjout_group *g, const struct adjout_catchup *c,
                           enum bgp_family f) {
    uint32_t limit = adjout_slot_limit(g, f);
    return c->held && c->held->count[f] > limit ? c->held->count[f] : limit;
}

static uint32_t gather(struct bgp_speaker *s, const struct adjout_group *g, struct adjout_member *m,
                       enum bgp_family f, uint32_t *cursor) {
    uint32_t limit = slot_limit(g, adjout_catchup_of(s, m), f), count = 0;
    for (; *cursor < limit && count < s->adjout->walk_max; (*cursor)++) {
        uint32_t attrs = 0;
        enum say say = what_to_say(s, g, m, f, *cursor, &attrs);
        if (say != SAY_NOTHING) {
            uint64_t key = say == SAY_ANNOUNCE ? attrs : 0;
            s->adjout->walk[count++] = key << 32 | *cursor;
        }
    }
    return count;
}

/* RFC 7313 4: no BoRR before the End-of-RIB of the first table. A refresh that was asked for before
 * is answered by a second walk. */
static bool is_framed(const struct adjout_member *m, enum bgp_family f) {
    return m->masks & adjout_mask(f, ADJOUT_MASK_FRAME) &&
           !(m->masks & adjout_mask(f, ADJOUT_MASK_EOR));
}

/* What the log brought so far stands before the BoRR, so the receiver will take it for stale: it is
 * sent again. */
static bool begin_family(struct bgp_speaker *s, const struct adjout_group *g,
                         struct adjout_member *m, enum bgp_family f) {
    if (m->flags & ADJOUT_MEMBER_BEGUN || !is_framed(m, f)) {
        return true;
    }
    adjout_catchup_of(s, m)->start = g->log_end - 1;
    return add_frame(s, m, f, BGP_REFRESH_BORR);
}

/* *ret_again: the family is walked once more. */
static bool end_family(struct bgp_speaker *s, struct adjout_member *m, enum bgp_family f,
                       bool *ret_again) {
    uint8_t message[64];
    uint8_t done = adjout_mask(f, ADJOUT_MASK_EOR);
    bool framed = is_framed(m, f);
    bool again = m->masks & adjout_mask(f, ADJOUT_MASK_FRAME) && !framed;
    if (framed && !add_frame(s, m, f, BGP_REFRESH_EORR)) {
        return false;
    }
    if (m->masks & adjout_mask(f, ADJOUT_MASK_EOR)) {
        size_t size = end_of_rib_encode(f, message, sizeof message);
        if (!add_private(adjout_catchup_of(s, m), message, size)) {
            return false;
        }
    }
    if (!again) {
        done |= adjout_mask(f, ADJOUT_MASK_ALL) | adjout_mask(f, ADJOUT_MASK_FRAME);
    }
    m->masks &= (uint8_t)~done;
    *ret_again = again;
    return true;
}

static void end_walk(struct bgp_speaker *s, struct adjout_group *g, struct adjout_member *m) {
    m->flags &= (uint8_t) ~(ADJOUT_MEMBER_WALKING | ADJOUT_MEMBER_RESYNC | ADJOUT_MEMBER_V6 |
                            ADJOUT_MEMBER_BEGUN);
    g->walking--;
    adjout_held_drop(s, adjout_catchup_of(s, m)->held);
    adjout_catchup_of(s, m)->held = NULL;
    adjout_catchup_end(s, m);
}

bool adjout_walk_step(struct bgp_speaker *s, struct adjout_group *g, struct adjout_member *m) {
    struct adjout_catchup *c = adjout_catchup_of(s, m);
    assert(!c->private && m->offset == 0);
    while (m->flags & ADJOUT_MEMBER_WALKING && !c->private) {
        enum bgp_family f = m->flags & ADJOUT_MEMBER_V6 ? BGP_IPV6_UNICAST : BGP_IPV4_UNICAST;
        uint32_t cursor = c->cursor;
        bool again = false;
        bool ok = begin_family(s, g, m, f) && encode_all(s, g, m, f, gather(s, g, m, f, &cursor));
        bool ended = cursor >= slot_limit(g, c, f);
        if (!ok || (ended && !end_family(s, m, f, &again))) {
            cut_private(c);
            return false;
        }
        c->cursor = ended ? 1 : cursor;
        m->flags |= ADJOUT_MEMBER_BEGUN;
        if (again) {
            m->flags &= (uint8_t)~ADJOUT_MEMBER_BEGUN;
        } else if (ended && f == BGP_IPV6_UNICAST) {
            end_walk(s, g, m);
        } else if (ended) {
            m->flags = (uint8_t)((m->flags | ADJOUT_MEMBER_V6) & ~ADJOUT_MEMBER_BEGUN);
        }
    }
    return true;
}
