/*
 * One TCP connection: framing of what arrives, the queue of control messages, pulling and
 * accounting of output, and its end.
 *
 * Leaves to session.c what messages mean, to adjout.c the bytes of UPDATEs, to the caller the
 * socket. Frames are handled inside the received chunk; only a message that is not complete yet is
 * copied, so an idle connection holds no buffer.
 *
 * Invariants: two streams share the wire, control messages (here) and UPDATEs (adjout.c), and
 * change over at message boundaries only: `update_left` > 0 says that an UPDATE is partly sent, a
 * queue whose `at` is inside a message that a control message is. Never both. A NOTIFICATION
 * follows whatever is partly sent, and nothing follows it (RFC 4271 6).
 *
 * A stale id is told by its generation, which no two connections of a speaker share.
 */
#include "conn.h"

#include "event.h"
#include "session.h"

#include <assert.h>
#include <string.h>

#define LINGER_MS 5000
#define CONTROL_BYTES_MAX (2 * (size_t)BGP_MESSAGE_EXTENDED_MAX)
#define PARTS_MAX 16

struct conn_buffer {
    uint32_t size; /* bytes in data */
    uint32_t at;   /* output: bytes sent */
    uint32_t capacity;
    uint8_t data[];
};

/* Room for `more` bytes behind what is there. */
static bool buffer_grow(struct conn_buffer **b, uint32_t more) {
    uint32_t size = *b ? (*b)->size : 0;
    if (*b && (*b)->capacity - size >= more)
        return true;
    uint32_t capacity = *b ? size + more : (more < 32 ? 32 : more);
    struct conn_buffer *grown = alloc_resize(*b, 1, sizeof *grown + capacity);
    if (!grown)
        return false;
    if (!*b)
        grown->size = grown->at = 0;
    grown->capacity = capacity;
    *b = grown;
    return true;
}

static void buffer_free(struct conn_buffer **b) {
    alloc_free(*b);
    *b = NULL;
}

/* ---- life ---- */

struct conn *conn_new(struct bgp_speaker *s, struct peer *p, bool incoming) {
    if (!speaker_timers_reserve(s, 0))
        return NULL;
    uint32_t index = slab_alloc(&s->conns);
    if (index == SLAB_NONE)
        return NULL;
    struct conn *c = slab_at(&s->conns, index);
    c->setup = slab_alloc(&s->conn_setups);
    if (!c->setup) {
        slab_free(&s->conns, index);
        return NULL;
    }
    if (++s->conn_generation == 0)
        s->conn_generation = 1;
    c->generation = s->conn_generation;
    c->peer = p->index;
    c->incoming = incoming;
    c->up = incoming;
    c->state = incoming ? BGP_ACTIVE : BGP_CONNECT;
    c->send_deadline = NANOTIME_NEVER;
    c->timer.order = timer_order(index, TIMER_CONN);
    if (incoming)
        p->conn_in = index;
    else
        p->conn_out = index;
    return c;
}

struct conn *conn_find(const struct bgp_speaker *s, struct bgp_conn_id id) {
    if (id.index == 0 || id.generation == 0 || id.index >= s->conns.next_new)
        return NULL;
    struct conn *c = conn_at(s, id.index);
    return c->generation == id.generation ? c : NULL;
}

static void setup_free(struct bgp_speaker *s, struct conn *c) {
    if (!c->setup)
        return;
    slab_free(&s->conn_setups, c->setup);
    slab_shrink(&s->conn_setups, 1);
    c->setup = 0;
}

static void conn_release(struct bgp_speaker *s, struct conn *c) {
    heap_cancel(&s->timers, &c->timer);
    setup_free(s, c);
    buffer_free(&c->in);
    buffer_free(&c->out);
    c->generation = 0;
    slab_free(&s->conns, conn_index(c));
}

void conn_seat(struct bgp_speaker *s, struct peer *p, struct conn *c) {
    assert(!p->conn && !heap_armed(&p->timer));
    p->conn = conn_index(c);
    s->talking++;
    setup_free(s, c);
}

void conn_unseat(struct bgp_speaker *s, struct peer *p) {
    assert(p->conn);
    p->conn = 0;
    s->talking--;
}

static void conn_detach(struct bgp_speaker *s, struct conn *c) {
    struct peer *p = speaker_peer(s, c->peer);
    heap_cancel(&s->timers, &c->timer);
    if (!p)
        return;
    if (p->conn_out == conn_index(c))
        p->conn_out = 0;
    if (p->conn_in == conn_index(c))
        p->conn_in = 0;
    if (p->conn == conn_index(c))
        conn_unseat(s, p);
}

void conn_close(struct bgp_speaker *s, struct conn *c, struct nanotime now) {
    conn_detach(s, c);
    buffer_free(&c->in);
    if (!c->out || !speaker_timers_reserve(s, 0)) { /* the room it had is its peer's again */
        event_conn(s, BGP_EVENT_CLOSE, c);
        conn_release(s, c);
        return;
    }
    c->closing = true;
    c->peer = 0;
    heap_set(&s->timers, &c->timer, nanotime_add_ms(now, LINGER_MS));
    conn_output(s, c);
}

void conn_abort(struct bgp_speaker *s, struct conn *c) {
    conn_detach(s, c);
    event_conn(s, BGP_EVENT_ABORT, c);
    conn_release(s, c);
}

void conn_drop(struct bgp_speaker *s, struct conn *c) {
    conn_detach(s, c);
    conn_release(s, c);
}

void conn_linger_expired(struct bgp_speaker *s, struct conn *c) {
    conn_abort(s, c);
}

/* ---- input ---- */

/* Keeps the beginning of a message; `size` bytes are there, it will have `whole` (0: unknown). */
static bool keep_partial(struct conn *c, const uint8_t *data, size_t size, size_t whole) {
    size_t want = whole > size ? whole : BGP_HEADER_SIZE;
    if (!buffer_grow(&c->in, (uint32_t)want))
        return false;
    memcpy(c->in->data, data, size);
    c->in->size = (uint32_t)size;
    return true;
}

/* Moves bytes from the chunk to the kept message until it has `want`. False: still not. */
static bool fill_partial(struct conn *c, size_t want, const uint8_t **data, size_t *size) {
    size_t missing = want - c->in->size;
    size_t step = missing < *size ? missing : *size;
    assert(c->in->size + step <= c->in->capacity);
    memcpy(c->in->data + c->in->size, *data, step);
    c->in->size += (uint32_t)step;
    *data += step;
    *size -= step;
    return step == missing;
}

static size_t peek(const struct conn *c, const uint8_t *data, size_t size,
                   enum bgp_message_type *ret_type, struct bgp_error *ret_error) {
    return (c->extended ? message_peek_extended : message_peek)(data, size, ret_type, ret_error);
}

static void no_memory(struct bgp_speaker *s, struct conn *c, struct nanotime now) {
    static const struct bgp_error error = {.code = BGP_ERR_CEASE,
                                           .subcode = BGP_CEASE_OUT_OF_RESOURCES};
    event_log(s, c->peer, BGP_LOG_NO_MEMORY, 0, 0, (struct ip_addr){0});
    session_header_error(s, c, &error, now);
}

/* Goes on with a message whose beginning is kept. False: the connection is dead or the chunk used
 * up. */
static bool receive_kept(struct bgp_speaker *s, struct conn *c, const uint8_t **data, size_t *size,
                         struct nanotime now) {
    enum bgp_message_type type = BGP_MSG_KEEPALIVE;
    struct bgp_error error = {0};
    if (c->in->size < BGP_HEADER_SIZE && !fill_partial(c, BGP_HEADER_SIZE, data, size))
        return false;
    size_t whole = peek(c, c->in->data, c->in->size, &type, &error);
    if (whole == 0) {
        session_header_error(s, c, &error, now);
        return false;
    }
    if (!buffer_grow(&c->in, (uint32_t)(whole - c->in->size))) {
        no_memory(s, c, now);
        return false;
    }
    if (c->in->size < whole && !fill_partial(c, whole, data, size))
        return false;
    struct conn_buffer *message = c->in;
    struct bgp_conn_id id = conn_id(c);
    c->in = NULL;
    session_message(s, c, type, message->data + BGP_HEADER_SIZE, whole - BGP_HEADER_SIZE, now);
    alloc_free(message);
    c = conn_find(s, id);
    return c && !c->closing;
}

/* Handles whole messages where they lie. False: the connection is dead or the chunk used up. */
static bool receive_in_place(struct bgp_speaker *s, struct conn *c, const uint8_t **data,
                             size_t *size, struct nanotime now) {
    enum bgp_message_type type = BGP_MSG_KEEPALIVE;
    struct bgp_error error = {0};
    size_t whole = peek(c, *data, *size, &type, &error);
    if (whole == 0 && error.code) {
        session_header_error(s, c, &error, now);
        return false;
    }
    if (whole == 0 || whole > *size) {
        if (!keep_partial(c, *data, *size, whole))
            no_memory(s, c, now);
        return false;
    }
    struct bgp_conn_id id = conn_id(c);
    session_message(s, c, type, *data + BGP_HEADER_SIZE, whole - BGP_HEADER_SIZE, now);
    *data += whole;
    *size -= whole;
    c = conn_find(s, id);
    return c && !c->closing;
}

void bgp_conn_receive(struct bgp_speaker *s, struct bgp_conn_id id, const uint8_t *data,
                      size_t size, struct nanotime now) {
    struct conn *c = conn_find(s, id);
    if (!c || c->closing || !c->up)
        return;
    while (size > 0) {
        bool more = c->in ? receive_kept(s, c, &data, &size, now)
                          : receive_in_place(s, c, &data, &size, now);
        if (!more)
            return;
    }
}

/* ---- output: queueing ---- */

static bool conn_has_updates(const struct bgp_speaker *s, const struct conn *c) {
    return !c->closing && c->state == BGP_ESTABLISHED &&
           adjout_pending(s, speaker_peer(s, c->peer));
}

void conn_output(struct bgp_speaker *s, struct conn *c) {
    if (c->output_told || !c->up)
        return;
    c->output_told = true;
    event_conn(s, BGP_EVENT_OUTPUT, c);
}

bool conn_send(struct bgp_speaker *s, struct conn *c, const uint8_t *message, size_t size) {
    assert(size <= BGP_MESSAGE_SIZE_MAX && !c->closing);
    if (c->out && c->out->size + size > CONTROL_BYTES_MAX)
        return false;
    if (!buffer_grow(&c->out, (uint32_t)size))
        return false;
    memcpy(c->out->data + c->out->size, message, size);
    c->out->size += (uint32_t)size;
    conn_output(s, c);
    return true;
}

void conn_forget_output(struct conn *c) {
    buffer_free(&c->out);
}

static size_t message_size(const uint8_t *header) {
    return (size_t)header[16] << 8 | header[17];
}

/* Drops the queued control messages of which nothing is on the wire yet. */
static void control_cut(struct conn *c) {
    struct conn_buffer *b = c->out;
    if (!b)
        return;
    uint32_t end = 0;
    while (end < b->at)
        end += (uint32_t)message_size(b->data + end);
    assert(end <= b->size);
    b->size = end;
    if (b->at == b->size)
        buffer_free(&c->out);
}

/* Copies the rest of an UPDATE that is partly on the wire into the queue. */
static bool update_rest_keep(struct bgp_speaker *s, struct conn *c, struct nanotime now) {
    struct bgp_part parts[PARTS_MAX];
    struct peer *p = speaker_peer(s, c->peer);
    uint32_t left = c->update_left;
    if (left == 0)
        return true;
    buffer_free(&c->out);
    if (!buffer_grow(&c->out, left))
        return false;
    size_t count = adjout_pull(s, p, parts, PARTS_MAX, now);
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t step = parts[i].size < left ? parts[i].size : left;
        memcpy(c->out->data + c->out->size, parts[i].data, step);
        c->out->size += (uint32_t)step;
        left -= (uint32_t)step;
    }
    assert(left == 0);
    c->update_left = 0;
    return true;
}

bool conn_send_last(struct bgp_speaker *s, struct conn *c, const uint8_t *message, size_t size,
                    struct nanotime now) {
    control_cut(c);
    if (!update_rest_keep(s, c, now)) {
        buffer_free(&c->out);
        return false;
    }
    return conn_send(s, c, message, size);
}

/* ---- output: pulling ---- */

/* Adds parts of the UPDATE stream, at most `limit` bytes. Returns the number of bytes. */
static size_t pull_updates(struct bgp_speaker *s, struct conn *c, struct bgp_part *parts,
                           size_t *count, size_t limit, struct nanotime now) {
    size_t got = adjout_pull(s, speaker_peer(s, c->peer), parts, *count, now);
    size_t bytes = 0, used = 0;
    while (used < got && bytes < limit) {
        if (parts[used].size > limit - bytes)
            parts[used].size = limit - bytes;
        bytes += parts[used++].size;
    }
    *count = used;
    return bytes;
}

static size_t pull_control(struct conn *c, struct bgp_part *part) {
    part->data = c->out->data + c->out->at;
    part->size = c->out->size - c->out->at;
    c->pulled_control = (uint16_t)(part->size > UINT16_MAX ? UINT16_MAX : part->size);
    part->size = c->pulled_control;
    return 1;
}

static size_t pull(struct bgp_speaker *s, struct conn *c, struct bgp_part *parts, size_t count,
                   struct nanotime now) {
    size_t used = 0;
    c->pulled_update = c->pulled_control = 0;
    bool updates = conn_has_updates(s, c);
    if (c->out && c->update_left > 0 && updates) {
        used = count;
        c->pulled_update = (uint16_t)pull_updates(s, c, parts, &used, c->update_left, now);
        if (c->pulled_update == c->update_left && used < count)
            used += pull_control(c, parts + used);
        return used;
    }
    if (c->out)
        used += pull_control(c, parts);
    if (updates && used < count) {
        size_t more = count - used;
        pull_updates(s, c, parts + used, &more, SIZE_MAX, now);
        used += more;
    }
    return used;
}

size_t bgp_conn_pull(struct bgp_speaker *s, struct bgp_conn_id id, struct bgp_part *parts,
                     size_t count, struct nanotime now) {
    struct conn *c = conn_find(s, id);
    if (!c || !c->up || count == 0)
        return 0;
    size_t used = pull(s, c, parts, count < PARTS_MAX ? count : PARTS_MAX, now);
    if (used == 0) { /* what was announced came to nothing: no one keeps us waiting */
        c->output_told = false;
        c->send_deadline = NANOTIME_NEVER;
    } else if (nanotime_is_never(c->send_deadline)) {
        session_plan_send_hold(s, c, now);
    }
    return used;
}

bool bgp_conn_has_output(const struct bgp_speaker *s, struct bgp_conn_id id) {
    const struct conn *c = conn_find(s, id);
    return c && c->up && (c->out || conn_has_updates(s, c));
}

bool bgp_conn_established(const struct bgp_speaker *s, struct bgp_conn_id id) {
    const struct conn *c = conn_find(s, id);
    return c && c->state == BGP_ESTABLISHED && !c->closing;
}

/* ---- output: accounting ---- */

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static void control_sent(struct conn *c, size_t size) {
    if (size == 0)
        return;
    assert(c->out && c->out->at + size <= c->out->size);
    c->out->at += (uint32_t)size;
    c->pulled_control = (uint16_t)(c->pulled_control - size);
    if (c->out->at == c->out->size)
        buffer_free(&c->out);
}

/* Where the stream stands after `size` further bytes of `parts`: bytes left of a message. Parts
 * end at message boundaries. */
static size_t walk_messages(const struct bgp_part *parts, size_t count, size_t left, size_t size) {
    for (size_t i = 0; i < count && size > 0; i++) {
        size_t at = 0;
        while (at < parts[i].size && size > 0) {
            if (left == 0)
                left = message_size(parts[i].data + at);
            size_t step = smaller(smaller(left, size), parts[i].size - at);
            left -= step;
            size -= step;
            at += step;
        }
    }
    assert(size == 0);
    return left;
}

static void updates_sent(struct bgp_speaker *s, struct conn *c, size_t size, struct nanotime now) {
    struct bgp_part parts[PARTS_MAX];
    struct peer *p = speaker_peer(s, c->peer);
    if (size == 0)
        return;
    size_t count = adjout_pull(s, p, parts, PARTS_MAX, now);
    c->update_left = (uint16_t)walk_messages(parts, count, c->update_left, size);
    uint32_t messages = adjout_sent(s, p, size);
    p->sent.updates += messages;
    s->updates_sent += messages;
    if (messages)
        s->update_last = now;
}

void bgp_conn_sent(struct bgp_speaker *s, struct bgp_conn_id id, size_t size, struct nanotime now) {
    struct conn *c = conn_find(s, id);
    if (!c || !c->up || size == 0)
        return;
    size_t first = smaller(size, c->pulled_update);
    size_t control = smaller(size - first, c->pulled_control);
    c->pulled_update = (uint16_t)(c->pulled_update - first);
    if (first)
        updates_sent(s, c, first, now);
    control_sent(c, control);
    updates_sent(s, c, size - first - control, now);
    if (c->closing && !c->out) {
        event_conn(s, BGP_EVENT_CLOSE, c);
        conn_release(s, c);
    } else if (!bgp_conn_has_output(s, id)) {
        c->output_told = false;
        c->send_deadline = NANOTIME_NEVER;
    } else {
        session_plan_send_hold(s, c, now);
    }
}
