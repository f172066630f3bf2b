/*
 * How many UPDATEs a core decodes, encodes and interns per second.
 *
 * `update_bench [SECONDS]` prints one line per case: the name, messages per second and nanoseconds
 * per message. The clock is the process's CPU time, so that a busy machine does not show.
 */
#include "message.h"

#include "../base/arena.h"
#include "limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct bench {
    struct arena *scratch;
    struct attr_table table;
    uint8_t message[BGP_MESSAGE_SIZE_MAX];
    size_t size;
    struct bgp_update update;
};

static double bench_now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void bench_build(struct bench *b, enum bgp_family family, size_t prefix_count, bool rich) {
    static const uint32_t words[] = {AS_SEQUENCE << 16 | 3, 65001, 65002, 4200000001};
    static const uint32_t communities[] = {0xFDE90001, 0xFDE90002, 0xFDE90003, 0xFDE90004};
    static const uint8_t global[16] = {0x20, 0x01, 0x0D, 0xB8, [15] = 1};
    struct attr_values v = {
        .next_hop = family == BGP_IPV4_UNICAST ? ip4(0x0A000002) : ip6(global),
        .has_local_pref = rich,
        .local_pref = 100,
        .has_med = rich,
        .as_path = {words, 4},
        .communities = communities,
        .community_count = rich ? 4 : 0,
    };
    struct attr_encoding how = {.as4 = true, .family = family};
    struct ip_prefix prefixes[1000];
    for (uint32_t i = 0; i < 1000; i++) {
        struct ip_addr a = family == BGP_IPV4_UNICAST ? ip4(0x0A000000 + (i << 8)) : ip6(global);
        a.bytes[family == BGP_IPV4_UNICAST ? 2 : 5] = (uint8_t)i;
        prefixes[i] = ip_prefix_make(a, family == BGP_IPV4_UNICAST ? 24 : 48);
    }
    if (update_encode(&v, &how, prefixes, prefix_count, b->message, sizeof b->message, &b->size) ==
        0) {
        abort();
    }
}

typedef void bench_fn(struct bench *b);

static void bench_decode(struct bench *b) {
    static const struct bgp_codec codec = {.as4 = true, .families = {true, true}};
    arena_reset(b->scratch);
    update_decode(&codec, b->message + BGP_HEADER_SIZE, b->size - BGP_HEADER_SIZE, b->scratch,
                  &b->update);
}

static void bench_decode_intern_walk(struct bench *b) {
    struct ip_prefix p;
    bench_decode(b);
    uint32_t id = attr_intern(&b->table, &b->update.attrs);
    for (uint32_t at = 0; nlri_next(&b->update.announced[0], &at, &p);) {
        b->message[0] ^= p.length; /* keep the walk */
    }
    attr_release(&b->table, id);
}

static void bench_encode(struct bench *b) {
    static uint8_t out[BGP_MESSAGE_SIZE_MAX];
    struct attr_encoding how = {.as4 = true, .family = b->update.announced[0].family};
    struct ip_prefix p = ip_prefix_make(
        how.family == BGP_IPV4_UNICAST ? ip4(0x0A000000) : b->update.next_hop[0], 24);
    size_t size;
    if (update_encode(&b->update.attrs, &how, &p, 1, out, sizeof out, &size) != 1) {
        abort();
    }
}

static void bench_run(const char *name, struct bench *b, bench_fn *fn, double seconds) {
    bench_decode(b);
    /* One reference more: the set stays, as that of a held route does. */
    uint32_t held = attr_intern(&b->table, &b->update.attrs);
    double start = bench_now_s(), end;
    unsigned long count = 0;
    do {
        for (int i = 0; i < 1000; i++) {
            fn(b);
        }
        count += 1000;
        end = bench_now_s();
    } while (end - start < seconds);
    attr_release(&b->table, held);
    printf("%-36s %10.0f /s %8.1f ns\n", name, (double)count / (end - start),
           (end - start) / (double)count * 1e9);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1.0;
    static const struct {
        const char *name;
        enum bgp_family family;
        size_t prefixes;
        bool rich;
        bench_fn *fn;
    } cases[] = {
        {"decode IPv4, 3 attributes, 1 prefix", BGP_IPV4_UNICAST, 1, false, bench_decode},
        {"decode IPv4, 6 attributes, 1 prefix", BGP_IPV4_UNICAST, 1, true, bench_decode},
        {"decode IPv6, 6 attributes, 1 prefix", BGP_IPV6_UNICAST, 1, true, bench_decode},
        {"decode IPv4, full message", BGP_IPV4_UNICAST, 1000, true, bench_decode},
        {"decode, intern, walk, 1 prefix", BGP_IPV4_UNICAST, 1, true, bench_decode_intern_walk},
        {"decode, intern, walk, full message", BGP_IPV4_UNICAST, 1000, true,
         bench_decode_intern_walk},
        {"encode IPv4, 1 prefix", BGP_IPV4_UNICAST, 1, true, bench_encode},
        {"encode IPv6, 1 prefix", BGP_IPV6_UNICAST, 1, true, bench_encode},
    };
    struct bench *b = calloc(1, sizeof *b);
    if (!b || !(b->scratch = arena_new())) {
        return 1;
    }
    attr_table_init(&b->table);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench_build(b, cases[i].family, cases[i].prefixes, cases[i].rich);
        bench_run(cases[i].name, b, cases[i].fn, seconds);
    }
    attr_table_deinit(&b->table);
    arena_free(b->scratch);
    free(b);
    return 0;
}
