#ifndef RIBCAGE_BASE_FUZZ_H
#define RIBCAGE_BASE_FUZZ_H

#include "hash.h"

#include <stdint.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The main of every fuzzer. It runs the files named on the command line, then, with
 * `--seconds N [--seed S]`, mutates them and the built-in inputs for that long. Equal seeds and
 * files try equal inputs in equal order: what CI runs. Each input is handed over in a block of
 * exactly its size, so that the address sanitizer sees the first octet too far; the one that ends
 * the program is printed in hexadecimal.
 *
 * That engine is blind. Built with GUIDED=1 a fuzzer has clang's libFuzzer in it too, which keeps
 * the inputs that reach code no other has reached: with FUZZ_GUIDED in the environment it has all
 * the arguments, as have the processes it starts. `--seeds FOLDER` writes what it begins with, the
 * built-in inputs into FOLDER and the words of the language into the dictionary FOLDER.words. `make
 * hunt` is both.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of libFuzzer; absent in other builds. */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size))
    __attribute__((weak));

#define FUZZ_INPUT_MAX 16384u
#define FUZZ_FILE_MAX 65536u
#define FUZZ_SEEDS_MAX 4096u
#define FUZZ_PIECE_MAX 64u
#define FUZZ_PATH_MAX 4096u

struct fuzz_seed {
    const uint8_t *data;
    size_t size;
};
#define FUZZ_SEED(octets)                                                                          \
    { (const uint8_t *)(octets), sizeof(octets) - 1 }

/* What a fuzzer brings along; `words` of its language may be missing. */
struct fuzz_target {
    const struct fuzz_seed *seeds;
    size_t seed_count;
    const char *const *words;
    size_t word_count;
};

struct fuzz_driver {
    const struct fuzz_target *target;
    struct fuzz_seed seeds[FUZZ_SEEDS_MAX];
    size_t seed_count;
    uint8_t *owned[FUZZ_SEEDS_MAX]; /* octets of files */
    size_t owned_count;
    uint64_t rng;
};

static struct fuzz_seed fuzz_current; /* for the last words of a program that dies */

/* Of the sanitizers' run time; absent in other builds. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static inline void fuzz_last_words(void) {
    fprintf(stderr, "input of %zu octets:\n", fuzz_current.size);
    for (size_t i = 0; fuzz_current.data && i < fuzz_current.size; i++) {
        fprintf(stderr, "%02x", fuzz_current.data[i]);
    }
    fputc('\n', stderr);
}

static inline void fuzz_aborted(int signal_number) {
    (void)signal(signal_number, SIG_DFL);
    fuzz_last_words();
    (void)raise(signal_number);
}

static inline void fuzz_one(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) {
        abort();
    }
    if (size > 0) {
        memcpy(exact, data, size);
    }
    fuzz_current = (struct fuzz_seed){exact, size};
    LLVMFuzzerTestOneInput(exact, size);
    fuzz_current = (struct fuzz_seed){NULL, 0};
    free(exact);
}

static inline uint8_t fuzz_octet(uint64_t *rng) {
    static const uint8_t edges[] = {0, 1, 2, 4, 16, 32, 33, 64, 127, 128, 129, 254, 255};
    uint64_t draw = rng_next(rng);
    return draw & 1 ? edges[(draw >> 8) % sizeof edges] : (uint8_t)(draw >> 8);
}

static inline size_t fuzz_less(size_t a, size_t b) {
    return a < b ? a : b;
}

/* `length` octets before `at`; as many as there is room for. */
static inline void fuzz_insert(uint8_t *data, size_t *size, size_t at, const void *piece,
                               size_t length) {
    length = fuzz_less(length, FUZZ_INPUT_MAX - *size);
    memmove(data + at + length, data + at, *size - at);
    memcpy(data + at, piece, length);
    *size += length;
}

static inline void fuzz_mutate(struct fuzz_driver *f, uint8_t *data, size_t *size) {
    const struct fuzz_target *t = f->target;
    uint8_t piece[FUZZ_PIECE_MAX];
    size_t at = rng_below(&f->rng, *size + 1), length = 1 + rng_below(&f->rng, FUZZ_PIECE_MAX);
    const struct fuzz_seed *other = &f->seeds[rng_below(&f->rng, f->seed_count)];
    size_t from = rng_below(&f->rng, other->size + 1);
    uint64_t kind = rng_below(&f->rng, t->word_count > 0 ? 16 : 11);
    if (kind == 0) { /* the same octet several times */
        memset(piece, fuzz_octet(&f->rng), length);
        fuzz_insert(data, size, at, piece, length);
    } else if (kind == 1) { /* a cut */
        length = fuzz_less(length, *size - at);
        memmove(data + at, data + at + length, *size - at - length);
        *size -= length;
    } else if (kind == 2) { /* the end is missing */
        *size = at;
    } else if (kind == 3) { /* a piece once more */
        length = fuzz_less(length, *size - at);
        memcpy(piece, data + at, length);
        fuzz_insert(data, size, at, piece, length);
    } else if (kind == 4) { /* a piece of another input, put between */
        fuzz_insert(data, size, at, other->data + from, fuzz_less(length, other->size - from));
    } else if (kind == 5) { /* … or over what is there */
        length = fuzz_less(fuzz_less(length, other->size - from), *size - at);
        memcpy(data + at, other->data + from, length);
    } else if (kind > 10) { /* a word, half of the time where a line begins */
        const char *word = t->words[rng_below(&f->rng, t->word_count)];
        while (kind > 13 && at > 0 && data[at - 1] != '\n') {
            at--;
        }
        fuzz_insert(data, size, at, word, strlen(word));
    } else if (at < *size) {
        data[at] = fuzz_octet(&f->rng);
    }
}

static inline void fuzz_loop(struct fuzz_driver *f, long seconds) {
    static uint8_t data[FUZZ_INPUT_MAX];
    struct timespec start, now;
    uint64_t runs = 0, seed = f->rng;
    for (size_t i = 0; i < f->target->seed_count; i++) {
        fuzz_one(f->target->seeds[i].data, f->target->seeds[i].size);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        const struct fuzz_seed *from = &f->seeds[rng_below(&f->rng, f->seed_count)];
        size_t size = fuzz_less(from->size, FUZZ_INPUT_MAX);
        memcpy(data, from->data, size);
        for (uint64_t steps = 1 + rng_below(&f->rng, 7); steps > 0; steps--) {
            fuzz_mutate(f, data, &size);
        }
        fuzz_one(data, size);
        runs++;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < seconds + (now.tv_nsec < start.tv_nsec));
    printf("%llu inputs, %llu a second, %zu seeds, seed %llu\n", (unsigned long long)runs,
           (unsigned long long)runs / (unsigned long long)(seconds > 0 ? seconds : 1),
           f->seed_count, (unsigned long long)seed);
}

static inline void fuzz_seed_add(struct fuzz_driver *f, const uint8_t *data, size_t size) {
    if (f->seed_count < FUZZ_SEEDS_MAX) {
        f->seeds[f->seed_count++] = (struct fuzz_seed){data, size};
    }
}

/* Runs a file and keeps it as a seed. */
static inline int fuzz_file(struct fuzz_driver *f, const char *path) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(FUZZ_FILE_MAX);
    if (!file || !data) {
        perror(path);
        free(data);
        return 1;
    }
    size_t size = fread(data, 1, FUZZ_FILE_MAX, file);
    (void)fclose(file);
    fuzz_one(data, size);
    if (f->owned_count == FUZZ_SEEDS_MAX) {
        free(data);
        return 0;
    }
    f->owned[f->owned_count++] = data;
    fuzz_seed_add(f, data, size);
    return 0;
}

static inline int fuzz_write_seed(const char *folder, size_t number, const struct fuzz_seed *seed) {
    char path[FUZZ_PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/built-in-%zu", folder, number);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "wb") : NULL;
    size_t done = file ? fwrite(seed->data, 1, seed->size, file) : 0;
    return file && !fclose(file) && done == seed->size ? 0 : 1;
}

static inline int fuzz_write_words(const char *folder, const struct fuzz_target *t) {
    char path[FUZZ_PATH_MAX];
    int length = snprintf(path, sizeof path, "%s.words", folder);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "w") : NULL;
    for (size_t i = 0; file && i < t->word_count; i++) {
        fputc('"', file);
        for (const char *at = t->words[i]; *at; at++) {
            fprintf(file, "\\x%02x", (unsigned char)*at);
        }
        fputs("\"\n", file);
    }
    return file && !fclose(file) ? 0 : 1;
}

static inline int fuzz_write_seeds(const char *folder, const struct fuzz_target *t) {
    int status = fuzz_write_words(folder, t);
    for (size_t i = 0; i < t->seed_count; i++) {
        status |= fuzz_write_seed(folder, i, &t->seeds[i]);
    }
    if (status != 0) {
        perror(folder);
    }
    return status;
}

static inline int fuzz_guided(int argc, char **argv) {
    if (LLVMFuzzerRunDriver) {
        return LLVMFuzzerRunDriver(&argc, &argv, LLVMFuzzerTestOneInput);
    }
    fputs("libFuzzer is not in this program: build it with GUIDED=1\n", stderr);
    return 1;
}

/* The program's exit status. */
static inline int fuzz_main(int argc, char **argv, const struct fuzz_target *target) {
    static struct fuzz_driver f;
    long seconds = -1;
    int status = 0;
    if (argc > 2 && strcmp(argv[1], "--seeds") == 0) {
        return fuzz_write_seeds(argv[2], target);
    }
    if (getenv("FUZZ_GUIDED")) {
        return fuzz_guided(argc, argv);
    }
    f = (struct fuzz_driver){.target = target, .rng = 1};
    (void)signal(SIGABRT, fuzz_aborted);
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(fuzz_last_words);
    }
    for (size_t i = 0; i < target->seed_count; i++) {
        fuzz_seed_add(&f, target->seeds[i].data, target->seeds[i].size);
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            seconds = strtol(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            f.rng = strtoull(argv[++i], NULL, 10);
        } else {
            status |= fuzz_file(&f, argv[i]);
        }
    }
    if (seconds >= 0 && f.seed_count > 0) {
        fuzz_loop(&f, seconds);
    }
    while (f.owned_count > 0) {
        free(f.owned[--f.owned_count]);
    }
    return status;
}

/* Defines main, for a static array of seeds; FUZZ_MAIN_WORDS: … and one of words. */
#define FUZZ_MAIN(seeds_array)                                                                     \
    int main(int argc, char **argv) {                                                              \
        const struct fuzz_target target = {                                                        \
            .seeds = (seeds_array), .seed_count = sizeof(seeds_array) / sizeof(seeds_array)[0]};   \
        return fuzz_main(argc, argv, &target);                                                     \
    }
#define FUZZ_MAIN_WORDS(seeds_array, words_array)                                                  \
    int main(int argc, char **argv) {                                                              \
        const struct fuzz_target target = {                                                        \
            .seeds = (seeds_array),                                                                \
            .seed_count = sizeof(seeds_array) / sizeof(seeds_array)[0],                            \
            .words = (words_array),                                                                \
            .word_count = sizeof(words_array) / sizeof(words_array)[0]};                           \
        return fuzz_main(argc, argv, &target);                                                     \
    }

#endif
