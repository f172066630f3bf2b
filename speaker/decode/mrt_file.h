#ifndef RIBCAGE_DECODE_MRT_FILE_H
#define RIBCAGE_DECODE_MRT_FILE_H

#include "mrt.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The records of an MRT file, one after the other, whatever the octets come from.
 */

/* Up to `size` octets, fewer only where the input ends; `out` NULL: they are passed over. */
typedef size_t mrt_input_fn(void *context, uint8_t *out, size_t size);

enum mrt_found {
    MRT_FOUND_RECORD,    /* header and body are there */
    MRT_FOUND_END,       /* nothing follows the last record */
    MRT_FOUND_TRUNCATED, /* the input ends inside of a record: there is no other */
    MRT_FOUND_TOO_LARGE, /* a body above MRT_RECORD_MAX was passed over */
    MRT_FOUND_NO_MEMORY, /* for the body: the records cannot be read on */
};

/* Starts with `input` and `context` set, all else zero. */
struct mrt_file {
    mrt_input_fn *input;
    void *context;
    struct mrt_header header;
    uint8_t *body;           /* header.size octets, until the next call */
    uint64_t record, offset; /* which one it is, from 1, and the octet it begins at, from 0 */
    uint64_t next;           /* the octet the next one begins at */
    size_t capacity;
};

enum mrt_found mrt_file_next(struct mrt_file *f);
void mrt_file_deinit(struct mrt_file *f);

#endif
