/*
 * The events a speaker hands to its caller: a ring, oldest first.
 *
 * Owns the ring and the index by which FIB changes of one prefix are coalesced while they wait:
 * the later one takes the earlier one's place in the queue. Events are kept small: the data of a
 * NOTIFICATION stands apart and is freed when the event is taken off.
 *
 * What does not fit (memory, or BGP_EVENTS_MAX for the kinds a remote can multiply) is dropped and
 * remembered: the next event taken off says BGP_LOG_NO_MEMORY, and who pushed it is told. The last
 * eighth of the ring is kept for connection and state events, whose loss would leave the caller
 * with a dangling descriptor.
 *
 * Invariants: count <= capacity <= RING_MAX, both powers of two; an entry of `fib_index` names the
 * position of a waiting FIB event.
 */
#include "event.h"

#include "../base/hash.h"
#include "conn.h"
#include "rib.h"

#include <assert.h>
#include <string.h>

#define RING_MIN 16u
#define RING_MAX (2u * BGP_EVENTS_MAX)
#define RING_KEEP 32u /* a larger ring is given back when it has been drained */

struct notified_data {
    uint16_t size;
    uint8_t data[];
};

struct notified {
    bool sent, incoming;
    enum bgp_state in_state;
    uint8_t code, subcode;
    struct notified_data *rest; /* NULL: no data */
};

struct entry {
    enum bgp_event_kind kind;
    struct bgp_peer_id peer;
    struct bgp_conn_id conn;
    union {
        struct bgp_fib_route fib;
        struct notified notified;
        uint8_t other[64]; /* the union member of the kind, copied as it is */
    };
};

struct event_queue {
    struct entry *ring;
    uint32_t capacity;
    uint32_t head; /* position of the oldest; positions run from 0 to RING_MAX - 1 */
    uint32_t count;
    struct table fib_index; /* position + 1 */
    bool lost;
};

static struct entry *entry_at(const struct event_queue *q, uint32_t position) {
    return &q->ring[position & (q->capacity - 1)];
}

bool event_queue_new(struct bgp_speaker *s) {
    struct event_queue *q = alloc_zero(1, sizeof *q);
    if (!q)
        return false;
    table_init(&q->fib_index);
    s->events = q;
    return true;
}

void event_queue_free(struct bgp_speaker *s) {
    struct event_queue *q = s->events;
    if (!q)
        return;
    for (uint32_t i = 0; i < q->count; i++) {
        struct entry *e = entry_at(q, q->head + i);
        if (e->kind == BGP_EVENT_NOTIFIED)
            alloc_free(e->notified.rest);
    }
    table_deinit(&q->fib_index);
    alloc_free(q->ring);
    alloc_free(q);
    s->events = NULL;
}

uint32_t event_count(const struct bgp_speaker *s) {
    return s->events->count;
}

/* ---- in ---- */

static uint64_t fib_hash(const struct ip_prefix *p) {
    return hash_bytes(p, sizeof *p, 0);
}

static bool fib_equal(const void *context, uint32_t index, const void *key) {
    const struct event_queue *q = context;
    const struct ip_prefix *p = key;
    return ip_prefix_equal(entry_at(q, index - 1)->fib.prefix, *p);
}

static bool ring_grow(struct event_queue *q) {
    uint32_t capacity = q->capacity ? 2 * q->capacity : RING_MIN;
    struct entry *ring = alloc_zero(capacity, sizeof *ring);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < q->count; i++) {
        uint32_t position = q->head + i;
        ring[position & (capacity - 1)] = *entry_at(q, position);
    }
    alloc_free(q->ring);
    q->ring = ring;
    q->capacity = capacity;
    return true;
}

/* A free entry at the end, not counted yet; NULL: no room. */
static struct entry *ring_append(struct event_queue *q, bool multiplied) {
    uint32_t limit = multiplied ? BGP_EVENTS_MAX - BGP_EVENTS_MAX / 8 : RING_MAX;
    if (q->count >= limit || (q->count == q->capacity && !ring_grow(q)))
        return NULL;
    return entry_at(q, q->head + q->count);
}

static bool is_multiplied(enum bgp_event_kind kind) {
    return kind == BGP_EVENT_FIB || kind == BGP_EVENT_LOG || kind == BGP_EVENT_TRACK;
}

static bool notified_fill(struct notified *n, const struct bgp_event *e) {
    n->sent = e->notified.sent;
    n->incoming = e->notified.incoming;
    n->in_state = e->notified.in_state;
    n->code = e->notified.code;
    n->subcode = e->notified.subcode;
    n->rest = NULL;
    if (e->notified.size == 0)
        return true;
    assert(e->notified.size <= BGP_NOTIFICATION_DATA_MAX);
    n->rest = alloc_zero(1, sizeof *n->rest + e->notified.size);
    if (!n->rest)
        return false;
    n->rest->size = e->notified.size;
    memcpy(n->rest->data, e->notified.data, e->notified.size);
    return true;
}

static void entry_fill(struct event_queue *q, struct entry *entry, const struct bgp_event *e) {
    memset(entry, 0, sizeof *entry);
    entry->kind = e->kind;
    entry->peer = e->peer;
    entry->conn = e->conn;
    switch (e->kind) {
    case BGP_EVENT_FIB:
        entry->fib = e->fib;
        break;
    case BGP_EVENT_NOTIFIED:
        if (!notified_fill(&entry->notified, e))
            q->lost = true; /* the event goes on without its data */
        break;
    case BGP_EVENT_STATE:
        memcpy(entry->other, &e->state, sizeof e->state);
        break;
    case BGP_EVENT_TRACK:
        memcpy(entry->other, &e->track, sizeof e->track);
        break;
    case BGP_EVENT_LOG:
        memcpy(entry->other, &e->log, sizeof e->log);
        break;
    case BGP_EVENT_NONE:
    case BGP_EVENT_CONNECT:
    case BGP_EVENT_OUTPUT:
    case BGP_EVENT_CLOSE:
    case BGP_EVENT_ABORT:
    case BGP_EVENT_PEERS:
        break;
    }
}

bool event_push(struct bgp_speaker *s, const struct bgp_event *e) {
    struct event_queue *q = s->events;
    uint64_t hash = 0;
    if (e->kind == BGP_EVENT_FIB) {
        hash = fib_hash(&e->fib.prefix);
        uint32_t waiting = table_find(&q->fib_index, hash, fib_equal, q, &e->fib.prefix);
        if (waiting) {
            entry_at(q, waiting - 1)->fib = e->fib;
            return true;
        }
    }
    struct entry *entry = ring_append(q, is_multiplied(e->kind));
    uint32_t position = (q->head + q->count) & (RING_MAX - 1);
    if (!entry || (e->kind == BGP_EVENT_FIB && !table_insert(&q->fib_index, hash, position + 1))) {
        q->lost = true;
        return false;
    }
    entry_fill(q, entry, e);
    q->count++;
    return true;
}

/* ---- out ---- */

static void event_fill(struct bgp_event *e, struct entry *entry) {
    memset(e, 0, sizeof *e);
    e->kind = entry->kind;
    e->peer = entry->peer;
    e->conn = entry->conn;
    if (e->kind == BGP_EVENT_FIB) {
        e->fib = entry->fib;
    } else if (e->kind == BGP_EVENT_STATE) {
        memcpy(&e->state, entry->other, sizeof e->state);
    } else if (e->kind == BGP_EVENT_TRACK) {
        memcpy(&e->track, entry->other, sizeof e->track);
    } else if (e->kind == BGP_EVENT_LOG) {
        memcpy(&e->log, entry->other, sizeof e->log);
    } else if (e->kind == BGP_EVENT_NOTIFIED) {
        const struct notified *n = &entry->notified;
        e->notified.sent = n->sent;
        e->notified.incoming = n->incoming;
        e->notified.in_state = n->in_state;
        e->notified.code = n->code;
        e->notified.subcode = n->subcode;
        e->notified.size = n->rest ? n->rest->size : 0;
        if (n->rest)
            memcpy(e->notified.data, n->rest->data, n->rest->size);
        alloc_free(n->rest);
    }
}

static void ring_give_back(struct event_queue *q) {
    if (q->count > 0 || q->capacity <= RING_KEEP)
        return;
    alloc_free(q->ring);
    q->ring = NULL;
    q->capacity = 0;
    table_deinit(&q->fib_index); /* of what waits: empty, too */
}

bool bgp_next_event(struct bgp_speaker *s, struct bgp_event *ret_event) {
    struct event_queue *q = s->events;
    if (q->lost) {
        q->lost = false;
        memset(ret_event, 0, sizeof *ret_event);
        ret_event->kind = BGP_EVENT_LOG;
        ret_event->log.id = BGP_LOG_NO_MEMORY;
        return true;
    }
    if (q->count == 0)
        return false;
    struct entry *entry = entry_at(q, q->head);
    if (entry->kind == BGP_EVENT_FIB)
        table_remove(&q->fib_index, fib_hash(&entry->fib.prefix), q->head + 1);
    event_fill(ret_event, entry);
    if (entry->kind == BGP_EVENT_FIB && entry->fib.multipath && s->rib) {
        ret_event->fib.next_hop_count = rib_next_hops(s, entry->fib.prefix);
        ret_event->fib.next_hops = s->rib->next_hops;
    }
    q->head = (q->head + 1) & (RING_MAX - 1);
    q->count--;
    ring_give_back(q);
    return true;
}

/* ---- shorthands ---- */

void event_conn(struct bgp_speaker *s, enum bgp_event_kind kind, const struct conn *c) {
    struct bgp_event e = {.kind = kind, .peer = {c->peer}, .conn = conn_id(c)};
    event_push(s, &e);
}

void event_log(struct bgp_speaker *s, uint32_t peer, enum bgp_log_id id, uint64_t value1,
               uint64_t value2, struct ip_addr address) {
    struct bgp_event e = {.kind = BGP_EVENT_LOG, .peer = {peer}};
    e.log.id = id;
    e.log.value1 = value1;
    e.log.value2 = value2;
    e.log.address = address;
    event_push(s, &e);
}
