/*
 * What IOS counts: versions of a table, prefixes and paths ever made, announcements and
 * withdrawals per session.
 *
 * Owns the figures and how a group's become a member's: a group counts once for all of its members,
 * a member's row holds what differs (taken off when it joins, added when it leaves), modulo 2^32.
 * Leaves to the tables when to call.
 *
 * Invariants: nothing here decides anything; a member that waits to be put on the stream has no
 * share in its group's figures. A walk that ran out of memory and is taken again counts twice.
 */
#include "tally.h"

#include "../base/arena.h"
#include "adjout_group.h"
#include "profile.h"
#include "rib.h"

#include <string.h>

/* Of a session that saw an enhanced refresh: few do. */
struct refreshes {
    struct bgp_refresh_tally sent[BGP_FAMILIES], received[BGP_FAMILIES];
};

struct row {
    struct bgp_prefix_tally sent[BGP_FAMILIES], received[BGP_FAMILIES];
    uint32_t refreshes; /* slab index; 0: none was seen */
};

struct versions {
    uint32_t *of_entry; /* by prefix: the table's version at its last change */
    uint32_t capacity;
};

struct tally {
    struct bgp_table_tally tables[BGP_FAMILIES];
    struct versions versions[BGP_FAMILIES];
    struct row *rows; /* by peer */
    uint32_t capacity;
    struct slab refreshes;
    struct nanotime now; /* of what is sent */
};

bool tally_new(struct bgp_speaker *s) {
    if (!s->profile->keeps_tally) {
        return true;
    }
    s->tally = alloc_zero(1, sizeof *s->tally);
    if (!s->tally) {
        return false;
    }
    slab_init(&s->tally->refreshes, sizeof(struct refreshes), 4);
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        s->tally->tables[f].version = 1; /* IOS: of an empty table */
    }
    return true;
}

void tally_free(struct bgp_speaker *s) {
    if (!s->tally) {
        return;
    }
    for (unsigned f = 0; f < BGP_FAMILIES; f++) {
        alloc_free(s->tally->versions[f].of_entry);
    }
    alloc_free(s->tally->rows);
    slab_deinit(&s->tally->refreshes);
    alloc_free(s->tally);
    s->tally = NULL;
}

/* At least `needed` elements of `size`, new ones zero. NULL: out of memory, nothing changed. */
static void *grown(void *list, uint32_t *capacity, uint32_t needed, size_t size) {
    uint32_t wanted = *capacity ? *capacity : 32;
    while (wanted < needed) {
        wanted += wanted / 4;
    }
    if (wanted == *capacity) {
        return list;
    }
    char *more = alloc_resize(list, wanted, size);
    if (more) {
        memset(more + *capacity * size, 0, (wanted - *capacity) * size);
        *capacity = wanted;
    }
    return more;
}

/* ---- tables ---- */

void tally_published(struct bgp_speaker *s, enum bgp_family f, uint32_t entry) {
    struct tally *t = s->tally;
    if (!t) {
        return;
    }
    struct versions *v = &t->versions[f];
    uint32_t *list = grown(v->of_entry, &v->capacity, entry + 1, sizeof *list);
    t->tables[f].version++;
    if (list) {
        v->of_entry = list;
        list[entry] = t->tables[f].version;
    }
}

void tally_path(struct bgp_speaker *s, enum bgp_family f, bool more, bool alone) {
    if (!s->tally) {
        return;
    }
    struct bgp_table_tally *t = &s->tally->tables[f];
    if (more) {
        t->paths_made++;
        t->prefixes_made += alone;
    } else {
        t->paths_gone++;
        t->prefixes_gone += alone;
    }
}

bool bgp_table_tally_get(const struct bgp_speaker *s, enum bgp_family f,
                         struct bgp_table_tally *ret_tally) {
    if (!s->tally) {
        return false;
    }
    *ret_tally = s->tally->tables[f];
    return true;
}

uint32_t bgp_prefix_version(const struct bgp_speaker *s, struct ip_prefix prefix) {
    enum bgp_family f = rib_prefix_family(prefix);
    uint32_t entry = s->tally ? rib_entry_find(s, f, prefix) : 0;
    return entry && entry < s->tally->versions[f].capacity ? s->tally->versions[f].of_entry[entry]
                                                           : 0;
}

/* ---- sessions ---- */

/* NULL: not kept, or no memory. */
static struct row *row_of(struct bgp_speaker *s, uint32_t peer) {
    struct tally *t = s->tally;
    if (!t) {
        return NULL;
    }
    struct row *rows = grown(t->rows, &t->capacity, peer + 1, sizeof *rows);
    if (!rows) {
        return NULL;
    }
    t->rows = rows;
    return &rows[peer];
}

void tally_session(struct bgp_speaker *s, const struct peer *p) {
    struct row *r = row_of(s, p->index);
    if (r && r->refreshes) {
        slab_free(&s->tally->refreshes, r->refreshes);
    }
    if (r) {
        *r = (struct row){0};
    }
}

void tally_received(struct bgp_speaker *s, const struct peer *p, enum bgp_family f, bool kept,
                    bool had) {
    struct row *r = row_of(s, p->index);
    if (r) {
        r->received[f].total += kept;
        r->received[f].implicit_withdraws += had;
    }
}

void tally_withdrawn(struct bgp_speaker *s, const struct peer *p, enum bgp_family f) {
    struct row *r = row_of(s, p->index);
    if (r) {
        r->received[f].explicit_withdraws++;
    }
}

/* NULL: not kept, or no memory. */
static struct refreshes *refreshes_of(struct bgp_speaker *s, uint32_t peer) {
    struct row *r = row_of(s, peer);
    if (r && !r->refreshes) {
        r->refreshes = slab_alloc(&s->tally->refreshes);
    }
    return r && r->refreshes ? slab_at(&s->tally->refreshes, r->refreshes) : NULL;
}

static void count_refresh(struct bgp_refresh_tally *t, bool start, struct nanotime now) {
    t->starts += start;
    t->ends += !start;
    *(start ? &t->last_start : &t->last_end) = now;
}

void tally_refresh_received(struct bgp_speaker *s, const struct peer *p, enum bgp_family f,
                            bool start, struct nanotime now) {
    struct refreshes *r = refreshes_of(s, p->index);
    if (r) {
        count_refresh(&r->received[f], start, now);
    }
}

void tally_refresh_sent(struct bgp_speaker *s, uint32_t peer, enum bgp_family f, bool start) {
    struct refreshes *r = refreshes_of(s, peer);
    if (r) {
        count_refresh(&r->sent[f], start, s->tally->now);
    }
}

void tally_clock(struct bgp_speaker *s, struct nanotime now) {
    if (s->tally) {
        s->tally->now = now;
    }
}

static void add(struct bgp_prefix_tally *to, const struct bgp_prefix_tally *more, uint32_t sign) {
    to->total += sign * more->total;
    to->implicit_withdraws += sign * more->implicit_withdraws;
    to->explicit_withdraws += sign * more->explicit_withdraws;
}

#define MINUS UINT32_MAX

void tally_member_joins(struct bgp_speaker *s, const struct adjout_group *g, uint32_t peer) {
    struct row *r = row_of(s, peer);
    for (unsigned f = 0; r && f < BGP_FAMILIES; f++) {
        add(&r->sent[f], &g->sent[f], MINUS);
    }
}

void tally_member_leaves(struct bgp_speaker *s, const struct adjout_group *g, uint32_t peer) {
    struct row *r = row_of(s, peer);
    for (unsigned f = 0; r && f < BGP_FAMILIES; f++) {
        add(&r->sent[f], &g->sent[f], 1);
    }
}

/* Is the peer on the stream of the group? */
static bool on_stream(const struct bgp_speaker *s, const struct adjout_group *g, uint32_t peer) {
    const struct peer *p = speaker_peer(s, peer);
    const struct adjout_member *m =
        p && p->group_member ? adjout_member_at(s, p->group_member) : NULL;
    return m && m->group == g->index && !(m->flags & ADJOUT_MEMBER_WAITING);
}

/* What is counted for all, and what a member gets. */
static struct bgp_prefix_tally tally_of(enum adjout_kind kind, bool had, bool has) {
    struct bgp_prefix_tally t = {.explicit_withdraws = had && !has};
    if (has && (kind != ADJOUT_MOVE || !had)) {
        t.total = 1;
        t.implicit_withdraws = had;
    }
    return t;
}

/* … where that differs. */
static void correct(struct bgp_speaker *s, const struct adjout_group *g,
                    const struct adjout_bucket_key *key, const struct adjout_said *was,
                    uint32_t peer, const struct bgp_prefix_tally *all) {
    struct row *r = on_stream(s, g, peer) ? row_of(s, peer) : NULL;
    if (r) {
        const struct adjout_said is = {.attrs = key->attrs, .source = key->source};
        const struct bgp_prefix_tally gets =
            tally_of((enum adjout_kind)key->kind, adjout_said_to(s, was, peer),
                     adjout_said_to(s, &is, peer));
        add(&r->sent[key->family], &gets, 1);
        add(&r->sent[key->family], all, MINUS);
    }
}

void tally_group_sends(struct bgp_speaker *s, struct adjout_group *g,
                       const struct adjout_bucket_key *key, const struct adjout_said *was) {
    const struct adjout_said none = {0}, is = {.attrs = key->attrs, .source = key->source};
    uint32_t peer = 0;
    if (!s->tally) {
        return;
    }
    was = was ? was : &none;
    const struct bgp_prefix_tally all =
        tally_of((enum adjout_kind)key->kind, was->attrs, key->attrs);
    add(&g->sent[key->family], &all, 1);
    while ((peer = adjout_withheld_next(s, g, key->attrs, key->source, peer)) != 0) {
        correct(s, g, key, was, peer, &all);
    }
    while (was->attrs && (peer = adjout_withheld_next(s, g, was->attrs, was->source, peer)) != 0) {
        if (!key->attrs || adjout_said_to(s, &is, peer)) { /* else it was counted above */
            correct(s, g, key, was, peer, &all);
        }
    }
}

void tally_member_sends(struct bgp_speaker *s, uint32_t peer, enum bgp_family f, bool announce,
                        bool again, uint32_t count) {
    struct row *r = row_of(s, peer);
    if (r && announce) {
        r->sent[f].total += count;
        r->sent[f].implicit_withdraws += again ? count : 0;
    } else if (r) {
        r->sent[f].explicit_withdraws += count;
    }
}

bool bgp_session_tally_get(const struct bgp_speaker *s, struct bgp_peer_id peer, enum bgp_family f,
                           struct bgp_session_tally *ret_tally) {
    const struct peer *p = s->tally ? speaker_peer(s, peer.index) : NULL;
    struct bgp_session_tally t = {.sent = {0}};
    if (!p) {
        return false;
    }
    if (p->state == BGP_ESTABLISHED && peer.index < s->tally->capacity) {
        const struct row *r = &s->tally->rows[peer.index];
        t.sent = r->sent[f];
        t.received = r->received[f];
        if (r->refreshes) {
            const struct refreshes *seen = slab_at(&s->tally->refreshes, r->refreshes);
            t.refresh_sent = seen->sent[f];
            t.refresh_received = seen->received[f];
        }
        const struct adjout_member *m =
            p->group_member ? adjout_member_at(s, p->group_member) : NULL;
        if (m && !(m->flags & ADJOUT_MEMBER_WAITING)) {
            add(&t.sent, &adjout_group_at(s, m->group)->sent[f], 1);
        }
    }
    *ret_tally = t;
    return true;
}
