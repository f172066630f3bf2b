/*
 * Any bytes as a configuration, then as commands: nothing may crash, hang or be lost, and what the
 * router prints must load back to what it prints.
 *
 * With libFuzzer: LLVMFuzzerTestOneInput. Without: files as arguments, or
 * `--seconds N --seed S [CORPUS…]` for a mutation loop of its own.
 */
#include "ios.h"

#include "../base/arena.h"
#include "../base/diag.h"
#include "../base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const COMMANDS[] = {
    "show running-config", "show ip bgp summary", "show route-map",
    "show ip prefix-list", "show ip route",       "show running | i bgp",
};

static struct ios_router *router(void) {
    struct ios_interface i = {.name = "GigabitEthernet0/0", .length = 24, .up = true};
    i.addr = ip4(0x0A000001);
    struct ios_env env = {.hostname = "R1", .interfaces = &i, .interface_count = 1};
    struct ios_router *r = ios_router_new(&env);
    assert(r);
    return r;
}

static char *printed(struct ios_router *r) {
    struct ios_view view = {.wall_ms = 0};
    struct text out;
    text_init(&out);
    ios_exec(r, &view, "show running-config", &out);
    char *text = text_take(&out);
    assert(text);
    return text;
}

/* The first 200 bytes' lines again as typed, on a terminal and as exec commands. */
static void type_lines(struct ios_router *r, const uint8_t *data, size_t size) {
    struct ios_view view = {.wall_ms = 0};
    struct text out;
    char line[201];
    size_t count = size < 200 ? size : 200;
    text_init(&out);
    for (size_t i = 0, at = 0; i <= count; i++) {
        if (i < count && data[i] != '\n' && data[i] != '\0') {
            line[at++] = (char)data[i];
            continue;
        }
        line[at] = '\0';
        ios_exec(r, &view, line, &out);
        ios_config_line(r, line, &out);
        ios_terminal_line(r, &view, line, &out);
        at = 0;
    }
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++)
        ios_exec(r, &view, COMMANDS[i], &out);
    text_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ios_router *first = router(), *second = router();
    struct diag_list *diags = diag_list_new();
    assert(diags);
    bool loaded = ios_load(first, (const char *)data, size, "fuzz", size % 2 == 0, diags);
    assert(loaded);
    (void)ios_bgp_config(first, diags);
    char *once = printed(first);
    loaded = ios_load(second, once, strlen(once), "again", false, diags);
    assert(loaded);
    char *twice = printed(second);
    if (strcmp(once, twice) != 0) {
        fprintf(stderr, "--- printed\n%s--- loaded and printed\n%s", once, twice);
        abort();
    }
    type_lines(first, data, size);
    alloc_free(once);
    alloc_free(twice);
    diag_list_free(diags);
    ios_router_free(first);
    ios_router_free(second);
    return 0;
}

#ifndef RIBCAGE_LIBFUZZER

#define INPUT_BYTES_MAX 20000
#define FILES_MAX 64

static uint8_t *files[FILES_MAX];
static size_t file_sizes[FILES_MAX];
static size_t file_count;

static void read_file(const char *name) {
    FILE *f = fopen(name, "rb");
    if (!f || file_count == FILES_MAX) {
        perror(name);
        exit(2);
    }
    uint8_t *data = malloc(INPUT_BYTES_MAX);
    assert(data);
    file_sizes[file_count] = fread(data, 1, INPUT_BYTES_MAX, f);
    files[file_count++] = data;
    fclose(f);
}

/* Cuts, doubles, exchanges and overwrites pieces, half of the time at line ends. */
static size_t mutate(uint8_t *data, size_t size, uint64_t *seed) {
    static const char *const WORDS[] = {" no ",      "\nexit\n",      " 0 ",      " permit ",
                                        "neighbor ", "\nbgp ",        "<",        "!",
                                        "|",         "banner motd #", " match ",  " set ",
                                        "\r\n",      "\x03",          "default ", "4294967295",
                                        "::",        "/33",           " in",      "no router bgp"};
    for (uint64_t n = rng_below(seed, 6) + 1; n > 0; n--) {
        size_t at = size ? rng_below(seed, size) : 0;
        size_t length = size ? rng_below(seed, size - at < 60 ? size - at : 60) : 0;
        uint64_t what = rng_below(seed, 5);
        if (what == 0 && size)
            data[at] = (uint8_t)rng_next(seed);
        if (what == 1) {
            memmove(data + at, data + at + length, size - at - length);
            size -= length;
        }
        if (what == 2 && size + length < INPUT_BYTES_MAX) {
            memmove(data + at + length, data + at, size - at);
            size += length;
        }
        const char *word = WORDS[rng_below(seed, sizeof WORDS / sizeof *WORDS)];
        if (what >= 3 && size + strlen(word) < INPUT_BYTES_MAX) {
            memmove(data + at + strlen(word), data + at, size - at);
            memcpy(data + at, word, strlen(word));
            size += strlen(word);
        }
    }
    return size;
}

static size_t next_input(uint8_t *data, uint64_t *seed) {
    size_t size = 0;
    if (file_count) {
        size_t i = rng_below(seed, file_count);
        size = file_sizes[i];
        memcpy(data, files[i], size);
    }
    return mutate(data, size, seed);
}

int main(int argc, char **argv) {
    unsigned long seconds = 0, runs = 0;
    uint64_t seed = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoul(argv[++i], NULL, 10);
        else
            read_file(argv[i]);
    }
    for (size_t i = 0; i < file_count; i++)
        LLVMFuzzerTestOneInput(files[i], file_sizes[i]);
    static uint8_t data[INPUT_BYTES_MAX + 1];
    for (time_t end = time(NULL) + (time_t)seconds; time(NULL) < end; runs++)
        LLVMFuzzerTestOneInput(data, next_input(data, &seed));
    printf("%zu files, %lu mutations: no failure\n", file_count, runs);
    for (size_t i = 0; i < file_count; i++)
        free(files[i]);
    return 0;
}
#endif
