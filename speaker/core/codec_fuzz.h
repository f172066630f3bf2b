#ifndef RIBCAGE_CORE_CODEC_FUZZ_H
#define RIBCAGE_CORE_CODEC_FUZZ_H

#include "../base/hash.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The driver of the codec's fuzzers where the compiler brings none: runs the files named on the
 * command line, or with `--seconds N --seed S` mutates a built-in corpus for that long. Equal seeds
 * try equal inputs in equal order. Each input is handed over in a block of exactly its size, so
 * that the address sanitizer sees the first octet too far.
 */

#define FUZZ_INPUT_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_seed {
    const uint8_t *data;
    size_t size;
};

static inline void fuzz_one(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) {
        abort();
    }
    if (size > 0) {
        memcpy(exact, data, size);
    }
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static inline uint8_t fuzz_octet(uint64_t *rng) {
    static const uint8_t edges[] = {0, 1, 2, 4, 16, 32, 33, 64, 127, 128, 129, 254, 255};
    uint64_t draw = rng_next(rng);
    return draw & 1 ? edges[(draw >> 8) % sizeof edges] : (uint8_t)(draw >> 8);
}

static inline void fuzz_shift(uint8_t *data, size_t *size, uint64_t *rng) {
    size_t at = rng_below(rng, *size + 1);
    size_t count = 1 + rng_below(rng, 16);
    if (rng_next(rng) & 1) { /* insert */
        count = *size + count > FUZZ_INPUT_MAX ? FUZZ_INPUT_MAX - *size : count;
        memmove(data + at + count, data + at, *size - at);
        memset(data + at, fuzz_octet(rng), count);
        *size += count;
        return;
    }
    count = at + count > *size ? *size - at : count;
    memmove(data + at, data + at + count, *size - at - count);
    *size -= count;
}

static inline void fuzz_mutate(uint8_t *data, size_t *size, const struct fuzz_seed *other,
                               uint64_t *rng) {
    for (uint64_t steps = 1 + rng_below(rng, 6); steps > 0; steps--) {
        uint64_t kind = rng_below(rng, 8);
        if (kind == 0) {
            fuzz_shift(data, size, rng);
        } else if (kind == 1) {
            *size = rng_below(rng, *size + 1);
        } else if (kind == 2 && *size > 0 && other->size > 0) { /* a piece of another input */
            size_t from = rng_below(rng, other->size);
            size_t to = rng_below(rng, *size);
            size_t count = 1 + rng_below(rng, 32);
            count = count > other->size - from ? other->size - from : count;
            count = count > *size - to ? *size - to : count;
            memcpy(data + to, other->data + from, count);
        } else if (*size > 0) {
            data[rng_below(rng, *size)] = fuzz_octet(rng);
        }
    }
}

static inline void fuzz_loop(const struct fuzz_seed *seeds, size_t count, long seconds,
                             uint64_t seed) {
    static uint8_t data[FUZZ_INPUT_MAX + 16];
    time_t end = time(NULL) + seconds;
    uint64_t rng = seed;
    uint64_t runs = 0;
    for (size_t i = 0; i < count; i++) {
        fuzz_one(seeds[i].data, seeds[i].size);
    }
    for (; (runs & 1023) != 0 || time(NULL) < end; runs++) {
        const struct fuzz_seed *from = &seeds[rng_below(&rng, count)];
        size_t size = from->size;
        memcpy(data, from->data, size);
        fuzz_mutate(data, &size, &seeds[rng_below(&rng, count)], &rng);
        fuzz_one(data, size);
    }
    printf("%llu inputs, seed %llu\n", (unsigned long long)runs, (unsigned long long)seed);
}

static inline int fuzz_file(const char *path) {
    static uint8_t data[1 << 16];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    size_t size = fread(data, 1, sizeof data, f);
    fclose(f);
    fuzz_one(data, size);
    return 0;
}

static inline int fuzz_main(int argc, char **argv, const struct fuzz_seed *seeds, size_t count) {
    long seconds = -1;
    uint64_t seed = 1;
    int status = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            seconds = strtol(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
        } else {
            status |= fuzz_file(argv[i]);
        }
    }
    if (seconds >= 0) {
        fuzz_loop(seeds, count, seconds, seed);
    }
    return status;
}

#define FUZZ_SEED(octets)                                                                          \
    { (const uint8_t *)(octets), sizeof(octets) - 1 }

#endif
