/*
 * TCP reassembly: RFC 9293 3.4 as far as a bystander needs it.
 *
 * Sequence numbers are compared by signed distance, so that they may wrap. Of overlapping segments
 * the octets that came first count. Invariant: every pending segment begins behind `next`; bounded
 * by STREAM_PENDING_BYTES and STREAM_PENDING_MAX and one segment more.
 */
#include "stream.h"

#include "../base/arena.h"

#include <string.h>

struct stream_segment {
    struct stream_segment *next;
    uint32_t sequence;
    size_t size;
    bool cut;
    uint8_t data[];
};

static int32_t distance(uint32_t from, uint32_t to) {
    return (int32_t)(to - from);
}

static void drop_pending(struct stream *s) {
    while (s->pending) {
        struct stream_segment *first = s->pending;
        s->pending = first->next;
        alloc_free(first);
    }
    s->pending_bytes = s->pending_count = 0;
}

void stream_deinit(struct stream *s) {
    drop_pending(s);
    alloc_free(s->data);
    *s = (struct stream){0};
}

void stream_start(struct stream *s, uint32_t initial_sequence) {
    drop_pending(s);
    s->size = 0;
    s->started = true;
    s->cut = s->lost = false;
    s->next = initial_sequence + 1;
}

static void append(struct stream *s, const uint8_t *data, size_t size) {
    if (size == 0)
        return;
    if (s->size + size > s->capacity) {
        size_t capacity = s->size + size > 2 * s->capacity ? s->size + size : 2 * s->capacity;
        uint8_t *grown = alloc_resize(s->data, capacity, 1);
        if (!grown) {
            s->no_memory = true;
            return;
        }
        s->data = grown;
        s->capacity = capacity;
    }
    memcpy(s->data + s->size, data, size);
    s->size += size;
    s->next += (uint32_t)size;
}

/* What of the segment lies behind `next`; it must not begin behind it. */
static void append_rest(struct stream *s, uint32_t sequence, const uint8_t *data, size_t size,
                        bool cut) {
    size_t known = (size_t) - (int64_t)distance(s->next, sequence);
    if (known > size || (known == size && !cut))
        return;
    append(s, data + known, size - known);
    s->cut = cut;
}

static void take_pending(struct stream *s) {
    while (s->pending && distance(s->next, s->pending->sequence) <= 0) {
        struct stream_segment *first = s->pending;
        append_rest(s, first->sequence, first->data, first->size, first->cut);
        s->pending = first->next;
        s->pending_bytes -= first->size;
        s->pending_count--;
        alloc_free(first);
    }
}

static void hold(struct stream *s, uint32_t sequence, const uint8_t *data, size_t size, bool cut) {
    struct stream_segment **at = &s->pending;
    while (*at && distance((*at)->sequence, sequence) >= 0)
        at = &(*at)->next;
    struct stream_segment *held = alloc_zero(1, sizeof *held + size);
    if (!held) {
        s->no_memory = true;
        return;
    }
    held->sequence = sequence;
    held->size = size;
    held->cut = cut;
    memcpy(held->data, data, size);
    held->next = *at;
    *at = held;
    s->pending_bytes += size;
    s->pending_count++;
}

void stream_put(struct stream *s, uint32_t sequence, const uint8_t *data, size_t size, bool cut) {
    if (size == 0 && !cut)
        return;
    if (!s->started) {
        s->started = s->lost = true;
        s->next = sequence;
    }
    if (distance(s->next, sequence) > 0) {
        hold(s, sequence, data, size, cut);
        return;
    }
    append_rest(s, sequence, data, size, cut);
    take_pending(s);
}

void stream_consume(struct stream *s, size_t size) {
    memmove(s->data, s->data + size, s->size - size);
    s->size -= size;
}

bool stream_skip_gap(struct stream *s) {
    if (!s->pending)
        return false;
    s->size = 0;
    s->lost = true;
    s->next = s->pending->sequence;
    take_pending(s);
    return true;
}

bool stream_is_stuck(const struct stream *s) {
    return (s->cut && s->pending) || s->pending_bytes > STREAM_PENDING_BYTES ||
           s->pending_count > STREAM_PENDING_MAX;
}
