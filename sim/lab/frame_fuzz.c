/*
 * frame_fuzz.c: any octets as a captured frame.
 *
 *   frame_fuzz FILE…                 each file once
 *   frame_fuzz --seconds N --seed S  frames with an OPEN, cut and changed at random
 *
 * Checked: an OPEN that is reported has two addresses of one family, and a frame without one leaves
 * the result alone.
 */
#include "frame.h"
#include "lab.h"

#include "../../speaker/base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lab_open o = {.as = 7, .count = 9};

    if (frame_decode(data, size, &o)) {
        assert(ip_is_set(o.from) && o.from.family == o.to.family);
        assert(o.count == 0);
    } else {
        assert(o.as == 7 && o.count == 9 && !ip_is_set(o.from));
    }
    return 0;
}

#ifndef RIBCAGE_LIBFUZZER

/* Cooked header, IPv4 header, TCP header, OPEN with two capabilities. */
static const uint8_t seed_frame[] = {
    0,    0,    0,    1,    0,    6,    0,    0,    0,    0,    0,    0,    0,    0,    8,
    0,    0x45, 0,    0,    0x53, 0,    0,    0x40, 0,    64,   6,    0,    0,    10,   0,
    0,    1,    10,   0,    0,    2,    0xc0, 0,    0,    179,  0,    0,    0,    1,    0,
    0,    0,    2,    0x50, 0x18, 2,    0,    0,    0,    0,    0,    0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    43,   1,
    4,    0x5b, 0xa0, 0,    90,   1,    2,    3,    4,    14,   2,    12,   65,   4,    0xfa,
    0x56, 0xea, 0,    1,    4,    0,    1,    0,    1,
};

/* In memory of its exact size, so that the sanitizer sees a read past the end. */
static bool run_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size + 1);

    if (copy == NULL)
        return false;
    memcpy(copy + 1, data, size);
    LLVMFuzzerTestOneInput(copy + 1, size);
    free(copy);
    return true;
}

static int run_random(uint64_t seconds, uint64_t state) {
    struct nanotime end = nanotime_add_ms(lab_now(), seconds * 1000);
    uint8_t frame[sizeof(seed_frame)];
    struct lab_open o;
    unsigned long runs = 0;

    assert(frame_decode(seed_frame, sizeof(seed_frame), &o) && o.as == 4200000000);
    do {
        memcpy(frame, seed_frame, sizeof(frame));
        for (uint64_t i = rng_below(&state, 6); i > 0; i--)
            frame[rng_below(&state, sizeof(frame))] = (uint8_t)rng_next(&state);
        if (!run_copy(frame, 1 + rng_below(&state, sizeof(frame))))
            return 1;
        runs++;
    } while (nanotime_before(lab_now(), end));
    printf("%lu inputs\n", runs);
    return 0;
}

static int run_file(const char *path) {
    uint8_t data[FRAME_BYTES_MAX];
    FILE *f = fopen(path, "rb");
    size_t size;

    if (f == NULL) {
        perror(path);
        return 1;
    }
    size = fread(data, 1, sizeof(data), f);
    fclose(f);
    return run_copy(data, size) ? 0 : 1;
}

int main(int argc, char **argv) {
    uint64_t seconds = 0, seed = 1;
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else
            failed |= run_file(argv[i]);
    }
    return seconds > 0 ? run_random(seconds, seed) : failed;
}

#endif
