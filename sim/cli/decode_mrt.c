/*
 * MRT files: a record at a time from the input, lines or JSON from what they hold.
 *
 * Memory is one record, however large the file: a body is read as it comes, so that a length that
 * only claims to be large costs nothing. A record with a fault is named with its number and place
 * on standard error, the others are read on.
 */
#include "cli.h"

#include "../../speaker/decode/mrt.h"
#include "decode_internal.h"

#include <inttypes.h>

#define RECORD_FAULTS_SHOWN 20
#define CHUNK_BYTES 65536u

struct mrt_file {
    struct decode_job *job;
    struct decode_input *in;
    const char *name;
    uint64_t record, offset;
    uint64_t faults;
    uint8_t *body;
    size_t capacity;
};

static void each(void *context, const struct mrt_item *item) {
    struct decode_job *j = context;
    if (j->json)
        mrt_put_json(item, &j->out);
    else
        mrt_put_lines(item, &j->out);
    decode_flush(j, false);
}

static void fault(struct mrt_file *f, const char *what) {
    f->job->status = 1;
    if (++f->faults > RECORD_FAULTS_SHOWN)
        return;
    decode_flush(f->job, true);
    cli_error("decode: %s: record %" PRIu64 " at octet %" PRIu64 ": %s%s", f->name, f->record,
              f->offset, what,
              f->faults == RECORD_FAULTS_SHOWN ? "; further ones are not shown" : "");
}

/* The body, grown as it arrives. False: it is not all there. */
static bool read_body(struct mrt_file *f, size_t size) {
    for (size_t have = 0; have < size;) {
        size_t step = size - have < CHUNK_BYTES ? size - have : CHUNK_BYTES;
        if (have + step > f->capacity) {
            size_t capacity = 2 * f->capacity > have + step ? 2 * f->capacity : have + step;
            uint8_t *grown = alloc_resize(f->body, capacity, 1);
            if (!grown)
                return false;
            f->body = grown;
            f->capacity = capacity;
        }
        if (decode_input_read(f->in, f->body + have, step) < step)
            return false;
        have += step;
    }
    return true;
}

/* False: the end, or nothing to go on with. */
static bool read_record(struct mrt_file *f, struct mrt_reader *reader) {
    uint8_t head[MRT_HEADER_SIZE];
    size_t got = decode_input_read(f->in, head, sizeof head);
    f->record++;
    if (got < sizeof head) {
        if (got > 0)
            fault(f, "truncated");
        return false;
    }
    struct mrt_header h = mrt_header_decode(head);
    if (h.size > MRT_RECORD_MAX) {
        bool whole = decode_input_read(f->in, NULL, h.size) == h.size;
        fault(f, whole ? "too large" : "truncated");
        f->offset += sizeof head + h.size;
        return whole;
    }
    if (!read_body(f, h.size)) {
        fault(f, "truncated");
        return false;
    }
    const char *error = mrt_read(reader, &h, f->body, each, f->job);
    if (error)
        fault(f, error);
    f->offset += sizeof head + h.size;
    return true;
}

void decode_mrt_file(struct decode_job *j, struct decode_input *in, const char *name) {
    struct mrt_file f = {.job = j, .in = in, .name = name, .capacity = CHUNK_BYTES};
    struct mrt_reader *reader = mrt_reader_new();
    f.body = alloc_zero(f.capacity, 1);
    if (!reader || !f.body) {
        cli_error("decode: out of memory");
        j->status = 4;
    } else {
        while (read_record(&f, reader)) {
        }
    }
    alloc_free(f.body);
    mrt_reader_free(reader);
}
