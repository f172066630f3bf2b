/*
 * MRT records cut out of a run of octets: RFC 6396 2.
 *
 * Owns where a record begins and its body. What a record holds is mrt_read.c's, where the octets
 * come from the caller's. Memory is one record, however large the file: a body is read as it comes,
 * so that a length that only claims to be large costs nothing.
 */
#include "mrt_file.h"

#include "../base/arena.h"

#include <stdbool.h>

#define CHUNK_BYTES 65536u

static bool grow(struct mrt_file *f, size_t wanted) {
    if (wanted <= f->capacity)
        return true;
    size_t capacity = 2 * f->capacity > wanted ? 2 * f->capacity : wanted;
    uint8_t *grown = alloc_resize(f->body, capacity, 1);
    if (!grown)
        return false;
    f->body = grown;
    f->capacity = capacity;
    return true;
}

/* The body, grown as it arrives. */
static enum mrt_found read_body(struct mrt_file *f, size_t size) {
    if (!grow(f, CHUNK_BYTES))
        return MRT_FOUND_NO_MEMORY;
    for (size_t have = 0; have < size;) {
        size_t step = size - have < CHUNK_BYTES ? size - have : CHUNK_BYTES;
        if (!grow(f, have + step))
            return MRT_FOUND_NO_MEMORY;
        if (f->input(f->context, f->body + have, step) < step)
            return MRT_FOUND_TRUNCATED;
        have += step;
    }
    return MRT_FOUND_RECORD;
}

enum mrt_found mrt_file_next(struct mrt_file *f) {
    uint8_t head[MRT_HEADER_SIZE];
    f->record++;
    f->offset = f->next;
    size_t got = f->input(f->context, head, sizeof head);
    if (got < sizeof head)
        return got > 0 ? MRT_FOUND_TRUNCATED : MRT_FOUND_END;
    f->header = mrt_header_decode(head);
    f->next += sizeof head + f->header.size;
    if (f->header.size <= MRT_RECORD_MAX)
        return read_body(f, f->header.size);
    bool whole = f->input(f->context, NULL, f->header.size) == f->header.size;
    return whole ? MRT_FOUND_TOO_LARGE : MRT_FOUND_TRUNCATED;
}

void mrt_file_deinit(struct mrt_file *f) {
    alloc_free(f->body);
    f->body = NULL;
    f->capacity = 0;
}
