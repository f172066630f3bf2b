/*
 * TCP reassembly: RFC 9293 3.4 as far as a bystander needs it.
 *
 * Sequence numbers are compared by signed distance, so that they may wrap. Of overlapping segments
 * the octets that came first count. Invariant: every pending segment begins behind `next`, or will
 * be appended by stream_go_on; bounded by STREAM_PENDING_BYTES and STREAM_PENDING_MAX and one
 * segment more. Consuming moves `data` on in its buffer, and is moved back only over octets that
 * were consumed since, so that small messages in a large run cost no more than their octets.
 */
#include "stream.h"

#include "../base/arena.h"

#include <string.h>

struct stream_segment {
    struct stream_segment *next;
    uint32_t sequence;
    bool cut;
    size_t size;
    uint64_t time_ns;
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
    alloc_free(s->buffer);
    *s = (struct stream){0};
}

void stream_stop(struct stream *s) {
    drop_pending(s);
    s->data = s->buffer;
    s->size = 0;
    s->started = s->has_initial = s->cut = s->lost = false;
}

void stream_start(struct stream *s, uint32_t initial_sequence) {
    stream_stop(s);
    s->started = s->has_initial = true;
    s->initial = initial_sequence;
    s->next = initial_sequence + 1;
}

/* Room for `size` octets behind the data. */
static bool reserve(struct stream *s, size_t size) {
    size_t consumed = s->buffer ? (size_t)(s->data - s->buffer) : 0;
    if (consumed + s->size + size <= s->capacity)
        return true;
    if (consumed >= s->size && s->size + size <= s->capacity) {
        if (s->size > 0)
            memmove(s->buffer, s->data, s->size);
        s->data = s->buffer;
        return true;
    }
    size_t wanted = consumed + s->size + size;
    size_t capacity = wanted > 2 * s->capacity ? wanted : 2 * s->capacity;
    uint8_t *grown = alloc_resize(s->buffer, capacity, 1);
    if (!grown) {
        s->no_memory = true;
        return false;
    }
    s->buffer = grown;
    s->data = grown + consumed;
    s->capacity = capacity;
    return true;
}

static void append(struct stream *s, const uint8_t *data, size_t size) {
    if (size == 0 || !reserve(s, size))
        return;
    memcpy(s->data + s->size, data, size);
    s->size += size;
    s->next += (uint32_t)size;
}

/* What of the segment lies behind `next`; it must not begin behind it. */
static void append_rest(struct stream *s, uint32_t sequence, const uint8_t *data, size_t size,
                        bool cut, uint64_t time_ns) {
    size_t known = (size_t) - (int64_t)distance(s->next, sequence);
    if (known > size || (known == size && !cut))
        return;
    append(s, data + known, size - known);
    s->cut = cut;
    s->time_ns = time_ns;
}

/* The first one that waits; it must not begin behind `next`. */
static void take_first(struct stream *s, uint64_t time_ns) {
    struct stream_segment *first = s->pending;
    append_rest(s, first->sequence, first->data, first->size, first->cut, time_ns);
    s->pending = first->next;
    s->pending_bytes -= first->size;
    s->pending_count--;
    alloc_free(first);
}

bool stream_go_on(struct stream *s) {
    if (!s->pending || distance(s->next, s->pending->sequence) > 0)
        return false;
    uint64_t came = s->pending->time_ns;
    take_first(s, came > s->time_ns ? came : s->time_ns);
    return true;
}

static void hold(struct stream *s, uint32_t sequence, const uint8_t *data, size_t size, bool cut,
                 uint64_t time_ns) {
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
    held->time_ns = time_ns;
    memcpy(held->data, data, size);
    held->next = *at;
    *at = held;
    s->pending_bytes += size;
    s->pending_count++;
}

void stream_put(struct stream *s, uint32_t sequence, const uint8_t *data, size_t size, bool cut,
                uint64_t time_ns) {
    if (size == 0 && !cut)
        return;
    if (!s->started) {
        s->started = s->lost = true;
        s->next = sequence;
    }
    if (distance(s->next, sequence) > 0)
        hold(s, sequence, data, size, cut, time_ns);
    else
        append_rest(s, sequence, data, size, cut, time_ns);
}

void stream_consume(struct stream *s, size_t size) {
    s->data += size;
    s->size -= size;
}

bool stream_skip_gap(struct stream *s) {
    if (!s->pending)
        return false;
    s->size = 0;
    s->lost = true;
    s->next = s->pending->sequence;
    take_first(s, s->pending->time_ns);
    return true;
}

bool stream_is_stuck(const struct stream *s) {
    return (s->cut && s->pending) || s->pending_bytes > STREAM_PENDING_BYTES ||
           s->pending_count > STREAM_PENDING_MAX;
}
