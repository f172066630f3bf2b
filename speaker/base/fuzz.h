#ifndef RIBCAGE_BASE_FUZZ_H
#define RIBCAGE_BASE_FUZZ_H

#include "hash.h"

#include <stdbool.h>
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
 * the arguments, as have the processes it starts. `--seeds FOLDER [PACK]` writes what it begins
 * with, the built-in inputs and those of a pack into FOLDER and the words of the language into the
 * dictionary FOLDER.words. `make hunt` is both. `--pack PACK FILE…` makes a file that ends in .pack
 * of many: each input behind its size in four octets.
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
#define FUZZ_PACK_MAX (UINT32_C(8) << 20)

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

/* Allocated; at most `max` octets. NULL: it cannot be read, which is said. */
static inline uint8_t *fuzz_read(const char *path, size_t max, size_t *ret_size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = file ? malloc(max) : NULL;
    if (!data) {
        perror(path);
    } else {
        *ret_size = fread(data, 1, max, file);
    }
    if (file) {
        (void)fclose(file);
    }
    return data;
}

/* The next input of a pack; false at its end. */
static inline bool fuzz_pack_next(const uint8_t *pack, size_t size, size_t *at,
                                  struct fuzz_seed *ret) {
    if (size - *at < 4) {
        return false;
    }
    const uint8_t *head = pack + *at;
    size_t length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (length > size - *at - 4) {
        return false;
    }
    *ret = (struct fuzz_seed){head + 4, length};
    *at += 4 + length;
    return true;
}

static inline bool fuzz_is_pack(const char *path) {
    size_t length = strlen(path);
    return length > 5 && strcmp(path + length - 5, ".pack") == 0;
}

static inline void fuzz_try(struct fuzz_driver *f, struct fuzz_seed seed) {
    fuzz_one(seed.data, seed.size);
    fuzz_seed_add(f, seed.data, seed.size);
}

/* Runs a file, or all that a pack has, and keeps it as a seed. */
static inline int fuzz_file(struct fuzz_driver *f, const char *path) {
    bool pack = fuzz_is_pack(path);
    size_t size = 0, at = 0;
    uint8_t *data = fuzz_read(path, pack ? FUZZ_PACK_MAX : FUZZ_FILE_MAX, &size);
    struct fuzz_seed seed = {data, size};
    if (!data || f->owned_count == FUZZ_SEEDS_MAX) {
        free(data);
        return 1;
    }
    f->owned[f->owned_count++] = data;
    if (!pack) {
        fuzz_try(f, seed);
        return 0;
    }
    while (fuzz_pack_next(data, size, &at, &seed)) {
        fuzz_try(f, seed);
    }
    if (at < size) {
        fprintf(stderr, "%s: damaged at octet %zu\n", path, at);
    }
    return at < size;
}

static inline int fuzz_write_seed(const char *folder, size_t number, const struct fuzz_seed *seed) {
    char path[FUZZ_PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/seed-%zu", folder, number);
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

/* `pack` may be NULL. */
static inline int fuzz_write_seeds(const char *folder, const struct fuzz_target *t,
                                   const char *pack) {
    size_t size = 0, at = 0, number = 0;
    uint8_t *data = pack ? fuzz_read(pack, FUZZ_PACK_MAX, &size) : NULL;
    struct fuzz_seed seed;
    int status = fuzz_write_words(folder, t);
    while (number < t->seed_count) {
        status |= fuzz_write_seed(folder, number, &t->seeds[number]);
        number++;
    }
    while (data && fuzz_pack_next(data, size, &at, &seed)) {
        status |= fuzz_write_seed(folder, number++, &seed);
    }
    free(data);
    if (status != 0) {
        perror(folder);
    }
    return status || (pack && !data);
}

static inline int fuzz_write_pack(const char *pack, int count, char **paths) {
    FILE *file = fopen(pack, "wb");
    int status = !file;
    for (int i = 0; i < count && !status; i++) {
        size_t size = 0;
        uint8_t *data = fuzz_read(paths[i], FUZZ_FILE_MAX, &size);
        const uint8_t head[4] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                                 (uint8_t)size};
        status = !data || fwrite(head, 1, sizeof head, file) != sizeof head ||
                 fwrite(data, 1, size, file) != size;
        free(data);
    }
    status |= file && fclose(file) != 0;
    if (status) {
        perror(pack);
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
        return fuzz_write_seeds(argv[2], target, argc > 3 ? argv[3] : NULL);
    }
    if (argc > 2 && strcmp(argv[1], "--pack") == 0) {
        return fuzz_write_pack(argv[2], argc - 3, argv + 3);
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
