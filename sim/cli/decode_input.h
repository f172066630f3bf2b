#ifndef RIBCAGE_CLI_DECODE_INPUT_H
#define RIBCAGE_CLI_DECODE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

#define DECODE_INPUT_BYTES 65536

/* A file or standard input, gzip undone, with a look at its beginning. */
struct decode_input {
    gzFile file;
    size_t at, size; /* of `buffer` */
    bool ended, failed;
    uint8_t buffer[DECODE_INPUT_BYTES];
};

/* "-" is standard input. False: errno. The caller closes. */
bool decode_input_open(struct decode_input *in, const char *path);
void decode_input_close(struct decode_input *in);
/* Octets that are there without moving on: at least `wanted`, unless the file is shorter. */
size_t decode_input_peek(struct decode_input *in, size_t wanted, const uint8_t **ret_data);
/* Reads up to `size` octets, fewer only at the end. `out` NULL: skips them. */
size_t decode_input_read(struct decode_input *in, uint8_t *out, size_t size);
/* The same octets as a stdio stream, for libraries that want one; closing it leaves `in` open. */
FILE *decode_input_stream(struct decode_input *in);

#endif
