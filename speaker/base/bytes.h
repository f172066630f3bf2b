#ifndef RIBCAGE_BASE_BYTES_H
#define RIBCAGE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The only way to read remote bytes and to write messages.
 *
 * A reader has a sticky error: reading past the end yields zeros, moves nothing and marks the
 * reader failed; one check at the end of a decoder is enough. A nested view (`bytes_view`) takes a
 * length field's worth of bytes away from its parent, so that "attribute longer than the message"
 * cannot be expressed: the view fails instead. A writer has the same stickiness towards its
 * capacity.
 */

struct byte_reader {
    const uint8_t *data;
    size_t size; /* bytes in data */
    size_t at;   /* next byte, <= size */
    bool failed;
};

struct byte_reader bytes_reader(const void *data, size_t size);
static inline size_t bytes_left(const struct byte_reader *r) {
    return r->failed ? 0 : r->size - r->at;
}
static inline bool bytes_ok(const struct byte_reader *r) {
    return !r->failed;
}
uint8_t bytes_u8(struct byte_reader *r);
uint16_t bytes_u16(struct byte_reader *r);
uint32_t bytes_u32(struct byte_reader *r);
uint64_t bytes_u64(struct byte_reader *r);
/* A pointer to `size` bytes inside the reader's data, or NULL (and failed). */
const uint8_t *bytes_take(struct byte_reader *r, size_t size);
/* A reader over the next `size` bytes, which the parent skips. Both fail when there are fewer. */
struct byte_reader bytes_view(struct byte_reader *r, size_t size);

struct byte_writer {
    uint8_t *data;
    size_t size; /* capacity */
    size_t at;   /* bytes written, <= size */
    bool failed; /* something did not fit; what was written before stays */
};

struct byte_writer bytes_writer(void *data, size_t size);
void bytes_put_u8(struct byte_writer *w, uint8_t v);
void bytes_put_u16(struct byte_writer *w, uint16_t v);
void bytes_put_u32(struct byte_writer *w, uint32_t v);
void bytes_put_u64(struct byte_writer *w, uint64_t v);
void bytes_put(struct byte_writer *w, const void *data, size_t size);
/* Remembers the place of a 16-bit length field and, later, fills it with the bytes written since.
 */
size_t bytes_mark_u16(struct byte_writer *w);
void bytes_patch_u16(struct byte_writer *w, size_t mark);

#endif
