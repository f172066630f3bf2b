/*
 * Reading remote bytes and writing messages, in network order.
 *
 * Owns nothing: a reader or writer is a cursor into memory of its caller. The two invariants
 * `at <= size` and "a failed cursor never moves again" hold after every call, whatever the input;
 * that is all the safety decoders rely on, and why they need one check at their end only.
 *
 * A view is cut out of its parent before anything in it is read, so that a nested length field that
 * lies about its room fails at the cut, not somewhere inside a neighbour's bytes.
 */
#include "bytes.h"

#include <assert.h>
#include <string.h>

struct byte_reader bytes_reader(const void *data, size_t size) {
    assert(data != NULL || size == 0);
    return (struct byte_reader){.data = data, .size = size};
}

const uint8_t *bytes_take(struct byte_reader *r, size_t size) {
    assert(r->at <= r->size);
    if (r->failed || r->size - r->at < size) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->data + r->at;
    r->at += size;
    return p;
}

uint8_t bytes_u8(struct byte_reader *r) {
    const uint8_t *p = bytes_take(r, 1);
    return p ? p[0] : 0;
}

uint16_t bytes_u16(struct byte_reader *r) {
    const uint8_t *p = bytes_take(r, 2);
    if (!p) {
        return 0;
    }
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t bytes_u32(struct byte_reader *r) {
    const uint8_t *p = bytes_take(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

uint64_t bytes_u64(struct byte_reader *r) {
    const uint8_t *p = bytes_take(r, 8);
    if (!p) {
        return 0;
    }
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

struct byte_reader bytes_view(struct byte_reader *r, size_t size) {
    const uint8_t *p = bytes_take(r, size);
    if (!p) {
        return (struct byte_reader){.failed = true};
    }
    return (struct byte_reader){.data = p, .size = size};
}

struct byte_writer bytes_writer(void *data, size_t size) {
    assert(data != NULL || size == 0);
    return (struct byte_writer){.data = data, .size = size};
}

/* Room for `size` bytes, or NULL and failed. */
static uint8_t *bytes_room(struct byte_writer *w, size_t size) {
    assert(w->at <= w->size);
    if (w->failed || w->size - w->at < size) {
        w->failed = true;
        return NULL;
    }
    uint8_t *p = w->data + w->at;
    w->at += size;
    return p;
}

void bytes_put_u8(struct byte_writer *w, uint8_t v) {
    uint8_t *p = bytes_room(w, 1);
    if (p) {
        p[0] = v;
    }
}

void bytes_put_u16(struct byte_writer *w, uint16_t v) {
    uint8_t *p = bytes_room(w, 2);
    if (p) {
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
    }
}

void bytes_put_u32(struct byte_writer *w, uint32_t v) {
    uint8_t *p = bytes_room(w, 4);
    if (p) {
        p[0] = (uint8_t)(v >> 24);
        p[1] = (uint8_t)(v >> 16);
        p[2] = (uint8_t)(v >> 8);
        p[3] = (uint8_t)v;
    }
}

void bytes_put_u64(struct byte_writer *w, uint64_t v) {
    uint8_t *p = bytes_room(w, 8);
    for (int i = 0; p && i < 8; i++) {
        p[i] = (uint8_t)(v >> (56 - 8 * i));
    }
}

void bytes_put(struct byte_writer *w, const void *data, size_t size) {
    uint8_t *p = bytes_room(w, size);
    if (p && size > 0) {
        memcpy(p, data, size);
    }
}

size_t bytes_mark_u16(struct byte_writer *w) {
    size_t mark = w->at;
    bytes_put_u16(w, 0);
    return mark;
}

void bytes_patch_u16(struct byte_writer *w, size_t mark) {
    if (w->failed) {
        return;
    }
    assert(mark + 2 <= w->at);
    size_t size = w->at - mark - 2;
    if (size > UINT16_MAX) {
        w->failed = true;
        return;
    }
    w->data[mark] = (uint8_t)(size >> 8);
    w->data[mark + 1] = (uint8_t)size;
}
