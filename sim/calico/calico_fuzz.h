#ifndef RIBCAGE_CALICO_FUZZ_H
#define RIBCAGE_CALICO_FUZZ_H

/*
 * The plain main of this folder's fuzzers: runs the files it is given, or, with --seconds N
 * [--seed S], mutates built-in seeds (and the files) for that long. With RIBCAGE_LIBFUZZER defined
 * there is no main and the fuzzing engine drives LLVMFuzzerTestOneInput itself.
 */

#include "../../speaker/base/hash.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef RIBCAGE_LIBFUZZER

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FUZZ_INPUT_MAX 16384
#define FUZZ_SEEDS_MAX 256

struct fuzz {
    uint8_t *seeds[FUZZ_SEEDS_MAX];
    size_t sizes[FUZZ_SEEDS_MAX];
    size_t count;
    uint64_t rng;
};

static void fuzz_add(struct fuzz *f, const void *data, size_t size) {
    if (f->count == FUZZ_SEEDS_MAX || size > FUZZ_INPUT_MAX)
        return;
    f->seeds[f->count] = malloc(size + 1);
    memcpy(f->seeds[f->count], data, size);
    f->sizes[f->count++] = size;
}

static bool fuzz_add_file(struct fuzz *f, const char *path) {
    static uint8_t data[FUZZ_INPUT_MAX];
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return false;
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    fuzz_add(f, data, size);
    return true;
}

/* One change: an octet, a cut, a repetition, a piece of another seed, or a word of the language. */
static size_t fuzz_mutate(struct fuzz *f, uint8_t *data, size_t size, const char *const *words,
                          size_t word_count) {
    uint64_t at = rng_below(&f->rng, size + 1);
    uint8_t piece[64];
    size_t length = rng_below(&f->rng, sizeof piece) + 1;
    switch (rng_below(&f->rng, 5)) {
    case 0:
        if (at < size)
            data[at] = (uint8_t)rng_next(&f->rng);
        return size;
    case 1:
        length = length > size - at ? size - at : length;
        memmove(data + at, data + at + length, size - at - length);
        return size - length;
    case 2:
        length = length > size - at ? size - at : length;
        memcpy(piece, data + at, length);
        break;
    case 3: {
        size_t seed = rng_below(&f->rng, f->count);
        uint64_t from = rng_below(&f->rng, f->sizes[seed] + 1);
        length = length > f->sizes[seed] - from ? f->sizes[seed] - from : length;
        memcpy(piece, f->seeds[seed] + from, length);
        break;
    }
    default: {
        const char *word = words[rng_below(&f->rng, word_count)];
        length = strlen(word) < sizeof piece ? strlen(word) : sizeof piece;
        memcpy(piece, word, length);
    }
    }
    if (size + length > FUZZ_INPUT_MAX)
        return size;
    memmove(data + at + length, data + at, size - at);
    memcpy(data + at, piece, length);
    return size + length;
}

static uint64_t fuzz_run(struct fuzz *f, long seconds, const char *const *words,
                         size_t word_count) {
    static uint8_t data[FUZZ_INPUT_MAX];
    struct timespec now;
    uint64_t runs = 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (time_t end = now.tv_sec + seconds; now.tv_sec < end; runs++) {
        size_t seed = rng_below(&f->rng, f->count), size = f->sizes[seed];
        memcpy(data, f->seeds[seed], size);
        for (uint64_t n = rng_below(&f->rng, 8) + 1; n > 0; n--)
            size = fuzz_mutate(f, data, size, words, word_count);
        LLVMFuzzerTestOneInput(data, size);
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
    return runs;
}

static int fuzz_main(int argc, char **argv, const char *const *seeds, size_t seed_count,
                     const char *const *words, size_t word_count) {
    static struct fuzz f = {.rng = 1};
    long seconds = 0;
    bool ok = true;
    for (size_t i = 0; i < seed_count; i++)
        fuzz_add(&f, seeds[i], strlen(seeds[i]));
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            f.rng = strtoull(argv[++i], NULL, 10);
        else
            ok = fuzz_add_file(&f, argv[i]) && ok;
    uint64_t runs = fuzz_run(&f, seconds, words, word_count);
    printf("%llu inputs, %zu seeds\n", (unsigned long long)runs, f.count);
    for (size_t i = 0; i < f.count; i++)
        free(f.seeds[i]);
    return ok ? 0 : 1;
}

#endif
#endif
