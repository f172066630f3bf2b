/*
 * yaml_fuzz.c: any bytes into the YAML reader, and the tree it makes checked.
 *
 *   yaml_fuzz FILE…                 each file once (a corpus, a crash)
 *   yaml_fuzz --seconds N --seed S  mutations of built-in texts
 *
 * Checked besides the absence of crashes: every node has a place and its children, nothing is
 * deeper than the limit, and a text without findings parses the same way twice.
 */

#include "yaml.h"
#include "yaml_limits.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* At most YAML_DEPTH_MAX deep; that is what is asserted. Returns a hash of the shape. */
static uint64_t check_node(const struct yaml_node *n, unsigned depth) {
    assert(depth <= YAML_DEPTH_MAX);
    assert(n->line >= 1 && n->column >= 1 && n->file && n->text);
    uint64_t hash = hash_mix(hash_bytes(n->text, strlen(n->text), (uint64_t)n->kind), n->count);
    for (uint32_t i = 0; i < n->count; i++) {
        assert(n->kind == YAML_SEQUENCE || n->kind == YAML_MAPPING);
        if (n->kind == YAML_MAPPING)
            hash = hash_mix(hash, check_node(n->keys[i], depth + 1));
        hash = hash_mix(hash, check_node(n->items[i], depth + 1));
    }
    return hash;
}

static uint64_t parse_once(const uint8_t *data, size_t size) {
    static const struct yaml_parameter parameters[] = {{"n", "10"}, {"name", "x y"}};
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct yaml_document *documents = NULL;
    uint64_t hash = 0;
    int count = yaml_parse((const char *)data, size, "fuzz", arena, diags, &documents);
    assert(count >= 0);
    for (int i = 0; i < count; i++) {
        uint64_t ns;
        hash = hash_mix(hash, check_node(documents[i].root, 0));
        (void)yaml_substitute(documents[i].root, parameters, 2, arena, diags);
        (void)yaml_duration(documents[i].root, "root", diags, &ns);
        hash = hash_mix(hash, check_node(documents[i].root, 0));
    }
    hash = hash_mix(hash, diag_count(diags));
    diag_list_free(diags);
    arena_free(arena);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t first = parse_once(data, size);
    assert(parse_once(data, size) == first);
    return 0;
}

#ifndef RIBCAGE_LIBFUZZER

#define INPUT_BYTES_MAX 4096

static const char *const seeds[] = {
    "kind: BGPPeer\nmetadata:\n  name: a\nspec:\n  peerIP: 1.2.3.4\n",
    "a: [1, {b: \"c\\n\"}, 'd', ~]\n---\n- |\n  text\n- >-\n  folded\n",
    "{\"a\": [true, null, 1e3], \"b\": {}}",
    "? k\n: v\n\"${n}\": $${x} ${name}\n",
    "x: &a 1\ny: *a\n<<: *a\n!!str z: !t 1\n",
    "%YAML 1.1\n---\na: 1\n...\n",
};

static void mutate(uint8_t *data, size_t *size, uint64_t *state) {
    static const char alphabet[] = ":-?[]{},&*!|>'\"%@`# \n\t0a~<\\\xff\xc3";
    size_t at = rng_below(state, *size + 1);
    uint8_t byte = (uint8_t)alphabet[rng_below(state, sizeof(alphabet))];
    switch (rng_below(state, 4)) {
    case 0:
        if (*size < INPUT_BYTES_MAX) {
            memmove(data + at + 1, data + at, *size - at);
            data[at] = byte;
            ++*size;
        }
        break;
    case 1:
        if (at < *size)
            data[at] = byte;
        break;
    case 2:
        if (at < *size) {
            memmove(data + at, data + at + 1, *size - at - 1);
            --*size;
        }
        break;
    default: { /* a piece once more, further on */
        size_t length = rng_below(state, *size - at + 1);
        if (*size + length <= INPUT_BYTES_MAX) {
            memmove(data + at + length, data + at, *size - at);
            *size += length;
        }
        break;
    }
    }
}

static int mutation_loop(double seconds, uint64_t state) {
    static uint8_t data[INPUT_BYTES_MAX];
    struct timespec now, start;
    unsigned long runs = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        const char *seed = seeds[rng_below(&state, sizeof(seeds) / sizeof(seeds[0]))];
        size_t size = strlen(seed);
        memcpy(data, seed, size);
        for (uint64_t i = rng_below(&state, 24); i > 0; i--)
            mutate(data, &size, &state);
        LLVMFuzzerTestOneInput(data, size);
        runs++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - start.tv_sec) < seconds);
    printf("%lu inputs\n", runs);
    return 0;
}

static int run_file(const char *path) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    size_t size;
    char *text = file_read(path, arena, diags, &size);
    if (text)
        LLVMFuzzerTestOneInput((const uint8_t *)text, size);
    else
        fprintf(stderr, "%s: cannot be read\n", path);
    diag_list_free(diags);
    arena_free(arena);
    return text ? 0 : 1;
}

int main(int argc, char **argv) {
    double seconds = 0;
    uint64_t seed = 1;
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = strtod(argv[++i], NULL);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else
            failed += run_file(argv[i]);
    }
    if (seconds > 0)
        failed += mutation_loop(seconds, seed);
    return failed ? 1 : 0;
}

#endif
