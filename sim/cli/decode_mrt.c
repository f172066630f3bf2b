/*
 * MRT files: a record at a time from the input, lines or JSON from what they hold.
 *
 * A record with a fault is named with its number and place on standard error, the others are read
 * on. How records follow each other is mrt_file.c's.
 */
#include "cli.h"

#include "../../speaker/decode/mrt_file.h"
#include "decode_internal.h"

#include <inttypes.h>

#define RECORD_FAULTS_SHOWN 20

struct mrt_job {
    struct decode_job *job;
    const char *name;
    struct mrt_file file;
    uint64_t faults;
};

static size_t input(void *context, uint8_t *out, size_t size) {
    return decode_input_read(context, out, size);
}

static void each(void *context, const struct mrt_item *item) {
    struct decode_job *j = context;
    if (j->json)
        mrt_put_json(item, &j->out);
    else
        mrt_put_lines(item, &j->out);
    decode_flush(j, false);
}

static void fault(struct mrt_job *m, const char *what) {
    m->job->status = 1;
    if (++m->faults > RECORD_FAULTS_SHOWN)
        return;
    decode_flush(m->job, true);
    cli_error("decode: %s: record %" PRIu64 " at octet %" PRIu64 ": %s%s", m->name, m->file.record,
              m->file.offset, what,
              m->faults == RECORD_FAULTS_SHOWN ? "; further ones are not shown" : "");
}

/* False: the end, or nothing to go on with. */
static bool read_record(struct mrt_job *m, struct mrt_reader *reader) {
    switch (mrt_file_next(&m->file)) {
    case MRT_FOUND_RECORD: {
        const char *error = mrt_read(reader, &m->file.header, m->file.body, each, m->job);
        if (error)
            fault(m, error);
        return true;
    }
    case MRT_FOUND_TOO_LARGE:
        fault(m, "too large");
        return true;
    case MRT_FOUND_TRUNCATED:
        fault(m, "truncated");
        return false;
    case MRT_FOUND_NO_MEMORY:
        fault(m, "out of memory");
        return false;
    case MRT_FOUND_END:
        break;
    }
    return false;
}

void decode_mrt_file(struct decode_job *j, struct decode_input *in, const char *name) {
    struct mrt_job m = {.job = j, .name = name, .file = {.input = input, .context = in}};
    struct mrt_reader *reader = mrt_reader_new();
    if (!reader) {
        cli_error("decode: out of memory");
        j->status = 4;
    } else {
        while (!j->deaf && read_record(&m, reader)) {
        }
    }
    mrt_file_deinit(&m.file);
    mrt_reader_free(reader);
}
