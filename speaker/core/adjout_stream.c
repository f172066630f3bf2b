/*
 * A group's stream of messages: encoded when first pulled, shared by all members.
 *
 * Owns the log of messages that some member has not been sent yet, each member's place in it, the
 * advertisement interval, and what happens to a member that falls too far behind. Leaves what is
 * due to adjout_table.c and catching up with the table to adjout_walk.c.
 *
 * A message has a tag: to all, to all but one, to one. A change that concerns members differently
 * becomes two messages, encoded together, so that the slot's (attributes, source) always says who
 * has what.
 *
 * Order of a member's output: its own list (walks, End-of-RIB), then the log from its place on,
 * then, standing at the end, what is due in the group, then its walk. What has been pulled is
 * pulled again in the same order until adjout_sent takes it.
 *
 * Invariants: `standing` of a message counts the members whose place it is; messages before the
 * first such place are freed; the log stays under its maximum unless the member that pulls
 * is the last one itself. RFC 4271 4.3, 9.2.1.1.
 */
#include "adjout.h"
#include "adjout_group.h"
#include "tally.h"

#include <assert.h>
#include <string.h>

/* ---- the log ---- */

struct adjout_chunk *adjout_chunk_new(const uint8_t *data, size_t size) {
    assert(size <= BGP_MESSAGE_EXTENDED_MAX);
    struct adjout_chunk *c = alloc_zero(1, sizeof *c + size);
    if (c) {
        c->size = (uint16_t)size;
        memcpy(c->data, data, size);
    }
    return c;
}

static struct adjout_chunk *log_at(const struct adjout_group *g, uint32_t number) {
    assert(g->log); /* kept while it holds a message */
    return g->log[number & (g->log_capacity - 1)];
}

void adjout_log_free(struct adjout_group *g) {
    while (g->log_first != g->log_end) {
        alloc_free(log_at(g, g->log_first++));
    }
    alloc_free(g->log);
    g->log = NULL;
    g->log_capacity = 0;
}

static bool log_reserve(struct adjout_group *g, uint32_t more) {
    if (g->log_end - g->log_first + more <= g->log_capacity) {
        return true;
    }
    uint32_t capacity = g->log_capacity ? g->log_capacity * 2 : 8;
    struct adjout_chunk **log = alloc_zero(capacity, sizeof(struct adjout_chunk *));
    if (!log) {
        return false;
    }
    for (uint32_t n = g->log_first; n != g->log_end; n++) {
        log[n & (capacity - 1)] = log_at(g, n);
    }
    alloc_free(g->log);
    g->log = log;
    g->log_capacity = capacity;
    return true;
}

static void log_trim(struct adjout_group *g) {
    while (g->log_first != g->log_end && log_at(g, g->log_first)->standing == 0) {
        struct adjout_chunk *c = log_at(g, g->log_first++);
        g->log_bytes -= (uint32_t)sizeof *c + c->size;
        alloc_free(c);
    }
    if (g->log_first == g->log_end && g->log_capacity > 64) {
        alloc_free(g->log);
        g->log = NULL;
        g->log_capacity = 0;
    }
}

static void log_append(struct adjout_group *g, struct adjout_chunk *c) {
    c->standing = g->at_end;
    g->at_end = 0;
    g->log_bytes += (uint32_t)sizeof *c + c->size;
    g->log[g->log_end++ & (g->log_capacity - 1)] = c;
}

/* ---- places ---- */

static bool at_end(const struct adjout_group *g, const struct adjout_member *m) {
    return m->position == g->log_end;
}

static void place(struct adjout_group *g, struct adjout_member *m, uint32_t position) {
    m->position = position;
    if (at_end(g, m)) {
        g->at_end++;
    } else {
        log_at(g, position)->standing++;
    }
}

/* What it is sent before the log goes on. */
static struct adjout_chunk *private_of(const struct bgp_speaker *s, const struct adjout_member *m) {
    const struct adjout_catchup *c = adjout_catchup_of(s, m);
    return c ? c->private : NULL;
}

void adjout_member_unplace(const struct bgp_speaker *s, struct adjout_group *g,
                           struct adjout_member *m) {
    if (at_end(g, m)) {
        g->at_end--;
    } else {
        log_at(g, m->position)->standing--;
    }
    m->offset = private_of(s, m) ? m->offset : 0;
    log_trim(g);
}

static void place_at_end(struct adjout_group *g, struct adjout_member *m) {
    place(g, m, g->log_end);
}

static void advance(struct adjout_group *g, struct adjout_member *m) {
    log_at(g, m->position)->standing--;
    place(g, m, m->position + 1);
    log_trim(g);
}

static bool is_for(const struct bgp_speaker *s, const struct adjout_chunk *c,
                   const struct adjout_member *m) {
    bool tagged = c->tag == ADJOUT_TO_ALL || (c->tag == ADJOUT_TO_ONE) == (c->peer == m->peer);
    return tagged && (c->but.family == IP_NONE ||
                      !ip_equal(c->but, speaker_peer(s, m->peer)->config->remote_addr));
}

/* Past messages that are not for this member. */
static void skip_others(const struct bgp_speaker *s, struct adjout_group *g,
                        struct adjout_member *m) {
    while (!at_end(g, m) && !is_for(s, log_at(g, m->position), m)) {
        advance(g, m);
    }
}

bool adjout_member_keep_rest(struct adjout_group *g, struct adjout_member *m,
                             struct adjout_catchup *c) {
    if (c->private || m->offset == 0) {
        return true;
    }
    const struct adjout_chunk *begun = log_at(g, m->position);
    c->private = adjout_chunk_new(begun->data, begun->size);
    if (!c->private) {
        return false;
    }
    advance(g, m);
    return true;
}

/* The member at the tail is too slow: it forgets its place and will walk instead. */
static bool drop_back(struct bgp_speaker *s, struct adjout_group *g, struct adjout_member *m) {
    struct adjout_catchup *c = adjout_catchup_make(s, m);
    if (!c || !adjout_member_keep_rest(g, m, c)) {
        adjout_catchup_end(s, m);
        return false;
    }
    if (!(m->flags & ADJOUT_MEMBER_WALKING)) {
        c->base = m->position - 1;
    } else if (!(m->flags & ADJOUT_MEMBER_RESYNC) && !c->held) {
        c->base = 0; /* in the middle of a table: sure of nothing */
    }
    m->flags |= ADJOUT_MEMBER_RESYNC;
    adjout_member_unplace(s, g, m);
    place_at_end(g, m);
    adjout_walk_begin(s, g, m);
    return true;
}

static void limit_backlog(struct bgp_speaker *s, struct adjout_group *g, uint32_t pulling) {
    bool dropped = true;
    while (g->log_bytes > s->adjout->backlog_max && dropped) {
        uint32_t first = g->log_first;
        dropped = false;
        for (uint32_t i = g->members; i; i = adjout_member_at(s, i)->next) {
            struct adjout_member *m = adjout_member_at(s, i);
            bool tail = !(m->flags & ADJOUT_MEMBER_WAITING) && m->position == first;
            if (tail && i != pulling) {
                dropped = drop_back(s, g, m) || dropped;
            }
        }
    }
}

/* ---- encoding ---- */

static bool may_announce(const struct adjout_group *g, enum bgp_family f) {
    const struct adjout_interval *i = &g->mrai[f];
    return g->announces[f].head && (!heap_armed(&i->timer.timer) || i->window > 0);
}

static bool may_announce_any(const struct adjout_group *g) {
    return may_announce(g, BGP_IPV4_UNICAST) || may_announce(g, BGP_IPV6_UNICAST);
}

/* The changes of a bucket that go into one message, and hardly more. */
static uint32_t collect(struct bgp_speaker *s, const struct adjout_group *g,
                        const struct adjout_bucket *b) {
    struct adjout *a = s->adjout;
    uint32_t count = 0;
    size_t octets = 0;
    for (uint32_t i = b->first; i && count < ADJOUT_BATCH_MAX && octets < BGP_MESSAGE_SIZE_MAX;) {
        const struct adjout_pending *p = slab_at(&a->pendings, i);
        a->batch[count] = adjout_slot_prefix(s, g, b->key.family, p->number);
        a->batch_numbers[count] = p->number;
        octets += nlri_size(a->batch[count++]);
        i = p->next;
    }
    return count;
}

/* For the one route that needs a longer message. */
static struct adjout_chunk *encode_extended(struct adjout *a, const struct attr_values *v,
                                            struct attr_encoding how, uint32_t *ret_taken) {
    uint8_t *message = alloc_zero(1, BGP_MESSAGE_EXTENDED_MAX);
    struct adjout_chunk *chunk = NULL;
    size_t size = 0;
    how.extended = true;
    if (message) {
        *ret_taken =
            (uint32_t)update_encode(v, &how, a->batch, 1, message, BGP_MESSAGE_EXTENDED_MAX, &size);
        assert(*ret_taken == 1); /* export_route lets nothing pass that does not fit */
        chunk = adjout_chunk_new(message, size);
    }
    alloc_free(message);
    return chunk;
}

struct adjout_chunk *adjout_chunk_encode(struct bgp_speaker *s, const struct adjout_group *g,
                                         enum bgp_family f, uint32_t attrs, uint32_t count,
                                         uint32_t *ret_taken) {
    struct adjout *a = s->adjout;
    struct attr_encoding how = {
        .as4 = g->key.as4, .family = f, .path_ids = g->key.add_path[f] ? a->batch_numbers : NULL};
    size_t size = 0;
    const struct attr_values *v = attrs ? &attr_get(&s->attrs, attrs)->v : NULL;
    *ret_taken =
        (uint32_t)update_encode(v, &how, a->batch, count, a->message, sizeof a->message, &size);
    if (*ret_taken == 0 && g->key.extended_messages) {
        return encode_extended(a, v, how, ret_taken);
    }
    assert(*ret_taken > 0); /* export_route lets nothing pass that does not fit */
    return adjout_chunk_new(a->message, size);
}

/* Of the first `taken` changes of a bucket: those of which the peer had something from us. */
static uint32_t collect_lost(struct bgp_speaker *s, const struct adjout_group *g,
                             const struct adjout_bucket *b, uint32_t taken, uint32_t peer) {
    struct adjout *a = s->adjout;
    uint32_t lost = 0, i = b->first;
    for (uint32_t n = 0; n < taken; n++) {
        const struct adjout_pending *p = slab_at(&a->pendings, i);
        if (adjout_said_to(s, adjout_said_get(s, p->said), peer)) {
            a->batch[lost] = adjout_slot_prefix(s, g, b->key.family, p->number);
            a->batch_numbers[lost++] = p->number;
        }
        i = p->next;
    }
    return lost;
}

/* What those lose from whom the announcement is withheld, a message each, put before *at. False: no
 * memory. The batch is another one afterwards. */
static bool encode_losses(struct bgp_speaker *s, const struct adjout_group *g,
                          const struct adjout_bucket *b, uint32_t taken, struct adjout_chunk **at) {
    uint32_t peer = 0, unused;
    while ((peer = adjout_withheld_next(s, g, b->key.attrs, b->key.source, peer)) != 0) {
        uint32_t lost = collect_lost(s, g, b, taken, peer);
        if (lost == 0) {
            continue;
        }
        struct adjout_chunk *c = adjout_chunk_encode(s, g, b->key.family, 0, lost, &unused);
        if (!c) {
            return false;
        }
        assert(unused == lost); /* withdrawals are shorter than what announced as many */
        c->tag = ADJOUT_TO_ONE;
        c->peer = peer;
        c->next = *at;
        *at = c;
    }
    return true;
}

static void apply(struct bgp_speaker *s, struct adjout_group *g,
                  const struct adjout_bucket_key *key, uint32_t taken, uint32_t said) {
    struct adjout *a = s->adjout;
    for (uint32_t i = 0; i < taken; i++) {
        uint32_t number = a->batch_numbers[i];
        if (key->kind == ADJOUT_WITHDRAW) {
            adjout_grave_add(s, g, key->family, number);
        }
        tally_group_sends(s, g, key, adjout_said_of(s, g, key->family, number));
        adjout_slot_set(s, g, key->family, number, said);
        adjout_pending_drop(s, g, key->family, number);
    }
}

/* The next hop, if it is a member's that is neither `source` nor told. */
static struct ip_addr spared_address(const struct bgp_speaker *s, const struct adjout_group *g,
                                     uint32_t attrs, uint32_t source) {
    uint32_t peer = adjout_withheld_next(s, g, attrs, source, 0);
    peer = peer && peer == source ? adjout_withheld_next(s, g, attrs, source, peer) : peer;
    return peer ? speaker_peer(s, peer)->config->remote_addr : (struct ip_addr){0};
}

static void tag_chunk(const struct bgp_speaker *s, const struct adjout_group *g,
                      const struct adjout_bucket_key *key, struct adjout_chunk *c) {
    c->but = key->kind == ADJOUT_WITHDRAW ? spared_address(s, g, key->old_attrs, key->old_source)
                                          : spared_address(s, g, key->attrs, key->source);
    c->peer = key->kind == ADJOUT_ANNOUNCE ? key->source : key->old_source;
    c->tag = ADJOUT_TO_ALL;
    /* A move is told to the old source alone, but a member that is walking could miss that. */
    if (key->kind == ADJOUT_MOVE && g->walking == 0) {
        c->tag = ADJOUT_TO_ONE;
    } else if (key->kind == ADJOUT_MOVE) {
        c->peer = key->source;
    }
    if (c->tag == ADJOUT_TO_ALL && adjout_is_member(s, g, c->peer)) {
        c->tag = ADJOUT_TO_ALL_BUT;
    }
}

static void free_chunks(struct adjout_chunk *c) {
    while (c) {
        struct adjout_chunk *next = c->next;
        alloc_free(c);
        c = next;
    }
}

/* Appends the messages of one bucket: the announcement or withdrawal, then who loses what. */
static void append_all(struct bgp_speaker *s, struct adjout_group *g,
                       const struct adjout_bucket_key *key, struct adjout_chunk *main) {
    tag_chunk(s, g, key, main);
    for (struct adjout_chunk *c = main; c;) {
        struct adjout_chunk *next = c->next;
        c->next = NULL;
        if (c->tag == ADJOUT_TO_ONE && !adjout_is_member(s, g, c->peer)) {
            alloc_free(c); /* the old source is gone */
        } else {
            log_append(g, c);
        }
        c = next;
    }
}

/* One bucket's worth: one message, and withdrawals for those who are not told and had something. */
static bool encode_bucket(struct bgp_speaker *s, struct adjout_group *g, uint32_t bucket,
                          uint32_t *ret_taken) {
    const struct adjout_bucket *b = slab_at(&s->adjout->buckets, bucket);
    const struct adjout_bucket_key key = b->key;
    uint32_t count = collect(s, g, b), taken = 0, messages = 0;
    uint32_t said = adjout_said_new(s, key.attrs, key.source);
    struct adjout_chunk *main = NULL;
    if (said && adjout_graves_reserve(g, count)) {
        main = adjout_chunk_encode(s, g, key.family, key.attrs, count, &taken);
    }
    bool ok = main && (key.kind == ADJOUT_WITHDRAW || encode_losses(s, g, b, taken, &main->next));
    for (const struct adjout_chunk *c = main; c; c = c->next) {
        ok = ok && log_reserve(g, ++messages);
    }
    if (!ok) {
        free_chunks(main);
        adjout_said_release(s, said);
        return false;
    }
    if (main->next) {
        (void)collect(s, g, b);
    }
    append_all(s, g, &key, main);
    adjout_said_date(s, said, g->log_end - 1);
    apply(s, g, &key, taken, said);
    adjout_said_release(s, said);
    *ret_taken = taken;
    return true;
}

/* The next announcement of a family, whose interval begins with the first one. */
static bool encode_announcement(struct bgp_speaker *s, struct adjout_group *g, enum bgp_family f,
                                struct nanotime now) {
    struct adjout_interval *i = &g->mrai[f];
    uint32_t taken = 0;
    if (g->key.mrai_ms[f] && !heap_armed(&i->timer.timer)) {
        heap_set(&s->timers, &i->timer.timer, nanotime_add_ms(now, g->key.mrai_ms[f]));
        i->window = g->announces[f].count;
    }
    if (!encode_bucket(s, g, g->announces[f].head, &taken)) {
        return false;
    }
    i->window -= taken < i->window ? taken : i->window;
    return true;
}

/* Encodes the next message of the group. False: nothing may go now, or no memory. */
static bool group_encode(struct bgp_speaker *s, struct adjout_group *g, uint32_t pulling,
                         struct nanotime now) {
    uint32_t taken = 0;
    if (g->withdraws.head) {
        if (!encode_bucket(s, g, g->withdraws.head, &taken)) {
            return false;
        }
    } else {
        enum bgp_family f = (enum bgp_family)g->turn;
        f = may_announce(g, f) ? f : (enum bgp_family) !f;
        if (!may_announce(g, f) || !encode_announcement(s, g, f, now)) {
            return false;
        }
        g->turn = !f;
    }
    slab_shrink(&s->adjout->pendings, ADJOUT_IDLE_PAGES);
    limit_backlog(s, g, pulling);
    return true;
}

/* ---- pulling ---- */

struct pull {
    struct bgp_part *parts;
    size_t count, used;
    size_t offset; /* of the first one */
};

static void add_part(struct pull *p, const struct adjout_chunk *c) {
    p->parts[p->used].data = c->data + p->offset;
    p->parts[p->used++].size = c->size - p->offset;
    p->offset = 0;
}

static void pull_private(struct pull *p, const struct adjout_chunk *c) {
    for (; c && p->used < p->count; c = c->next) {
        add_part(p, c);
    }
}

/* From `number` on; returns where it stopped. */
static uint32_t pull_log(const struct bgp_speaker *s, struct pull *p, const struct adjout_group *g,
                         const struct adjout_member *m, uint32_t number) {
    for (; number != g->log_end && p->used < p->count; number++) {
        if (is_for(s, log_at(g, number), m)) {
            add_part(p, log_at(g, number));
        }
    }
    return number;
}

static bool may_begin(const struct bgp_speaker *s, const struct adjout_group *g) {
    return !g->filling && !s->restarting && !s->rib->releasing;
}

static void begin(struct bgp_speaker *s, struct adjout_group *g, struct adjout_member *m) {
    m->flags &= (uint8_t)~ADJOUT_MEMBER_WAITING;
    g->waiting--;
    tally_member_joins(s, g, m->peer);
    place_at_end(g, m);
    adjout_walk_begin(s, g, m);
}

/* It was to be sent a family again, and has not begun to be. */
static bool wants_walk(const struct adjout_member *m) {
    return m->masks && !(m->flags & (ADJOUT_MEMBER_WAITING | ADJOUT_MEMBER_WALKING));
}

size_t adjout_pull(struct bgp_speaker *s, struct peer *p, struct bgp_part *parts, size_t count,
                   struct nanotime now) {
    if (!p->group_member) {
        return 0;
    }
    struct adjout_member *m = adjout_member_at(s, p->group_member);
    struct adjout_group *g = adjout_group_at(s, m->group);
    struct pull pull = {.parts = parts, .count = count, .offset = m->offset};
    tally_clock(s, now);
    pull_private(&pull, private_of(s, m));
    if (m->flags & ADJOUT_MEMBER_WAITING) {
        if (pull.used || !may_begin(s, g)) {
            return pull.used;
        }
        begin(s, g, m);
    }
    if (wants_walk(m) && adjout_catchup_make(s, m)) {
        adjout_walk_begin(s, g, m);
    }
    if (m->offset == 0 || private_of(s, m)) {
        skip_others(s, g, m);
    }
    size_t own = pull.used;
    uint32_t number = pull_log(s, &pull, g, m, m->position);
    while (pull.used < count && number == g->log_end && group_encode(s, g, p->group_member, now)) {
        number = pull_log(s, &pull, g, m, number);
    }
    if (pull.used == own && own == 0) {
        skip_others(s, g, m);
        if (m->flags & ADJOUT_MEMBER_WALKING && at_end(g, m) && adjout_walk_step(s, g, m)) {
            pull_private(&pull, private_of(s, m));
        }
        (void)adjout_graves_sweep(s, g, s->adjout->graves_max);
    }
    if (pull.used == 0 && count > 0 && adjout_pending(s, p)) {
        s->adjout->stalled = true; /* no memory to encode */
    }
    return pull.used;
}

uint32_t adjout_sent(struct bgp_speaker *s, struct peer *p, size_t size) {
    uint32_t messages = 0;
    if (!p->group_member) {
        return 0;
    }
    struct adjout_member *m = adjout_member_at(s, p->group_member);
    struct adjout_group *g = adjout_group_at(s, m->group);
    while (size > 0) {
        struct adjout_chunk *own = private_of(s, m);
        if (!own && m->offset == 0) {
            skip_others(s, g, m);
        }
        assert(own || !(m->flags & ADJOUT_MEMBER_WAITING));
        assert(own || !at_end(g, m));
        const struct adjout_chunk *c = own ? own : log_at(g, m->position);
        size_t left = (size_t)c->size - m->offset;
        if (size < left) {
            m->offset = (uint16_t)(m->offset + size);
            return messages;
        }
        size -= left;
        m->offset = 0;
        messages++;
        if (own) {
            adjout_catchup_of(s, m)->private = own->next;
            alloc_free(own);
            adjout_catchup_end(s, m);
        } else {
            advance(g, m);
        }
    }
    if (!private_of(s, m) && !(m->flags & ADJOUT_MEMBER_WAITING)) {
        skip_others(s, g, m);
        (void)adjout_graves_sweep(s, g, s->adjout->graves_max);
    }
    return messages;
}

bool adjout_pending(const struct bgp_speaker *s, const struct peer *p) {
    if (!p->group_member) {
        return false;
    }
    const struct adjout_member *m = adjout_member_at(s, p->group_member);
    const struct adjout_group *g = adjout_group_at(s, m->group);
    if (private_of(s, m)) {
        return true;
    }
    if (m->flags & ADJOUT_MEMBER_WAITING) {
        return may_begin(s, g);
    }
    return !at_end(g, m) || m->flags & ADJOUT_MEMBER_WALKING || wants_walk(m) ||
           g->withdraws.head || may_announce_any(g);
}
