/*
 * topo_fuzz.c: any text as a topology, and what comes out of it checked.
 *
 *   topo_fuzz FILE…                 each file once
 *   topo_fuzz --seconds N --seed S  words of the schema put together at random
 *
 * Checked: a topology that is handed out keeps topo.c's promises, however it was written: names by
 * the allow-list, every attachment inside its segment, no address twice.
 */

#include "topo.h"
#include "topo_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/hash.h"
#include "../../speaker/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_attachment(const struct topology *t, const struct topo_attachment *a) {
    assert(a->segment < t->segment_count);
    const struct topo_segment *s = &t->segments[a->segment];
    assert(ip_is_set(a->addr4) == ip_is_set(s->subnet4.addr));
    assert(ip_is_set(a->addr6) == ip_is_set(s->subnet6.addr));
    assert(!ip_is_set(a->addr4) || ip_prefix_contains_addr(s->subnet4, a->addr4));
    assert(!ip_is_set(a->addr6) || ip_prefix_contains_addr(s->subnet6, a->addr6));
}

static void check_topology(const struct topology *t, struct diag_list *diags) {
    for (size_t i = 0; i < t->node_count; i++) {
        assert(topo_name_check(t->nodes[i].name, NULL, "name", diags));
        assert(topo_interface_check(t->nodes[i].attachment.interface, NULL, false, diags));
        check_attachment(t, &t->nodes[i].attachment);
        for (size_t j = 0; j < i && i < 100; j++) {
            assert(strcmp(t->nodes[i].name, t->nodes[j].name) != 0);
            assert(!ip_is_set(t->nodes[i].attachment.addr4) ||
                   !ip_equal(t->nodes[i].attachment.addr4, t->nodes[j].attachment.addr4));
        }
    }
    for (size_t i = 0; i < t->router_count; i++)
        for (size_t j = 0; j < t->routers[i].attachment_count; j++)
            check_attachment(t, &t->routers[i].attachments[j]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct yaml_document *documents = NULL;
    int count = yaml_parse((const char *)data, size, "fuzz", arena, diags, &documents);
    for (int i = 0; i < count; i++) {
        size_t errors_before = diag_error_count(diags);
        struct topology *t = topology_read(documents[i].root, arena, diags);
        assert((t == NULL) == (diag_error_count(diags) != errors_before));
        if (t)
            check_topology(t, diags);
    }
    diag_list_free(diags);
    arena_free(arena);
    return 0;
}

#ifndef RIBCAGE_LIBFUZZER

static const char *const lines[] = {
    "fabric: l2\n",
    "segments: {name: lan, subnet: 10.0.0.0/29}\n",
    "segments: [{name: a, subnet: 10.0.0.0/28}, {name: b, subnet: 10.0.%.0/30}]\n",
    "segments: {name: six, subnet: [10.0.0.0/28, \"fd00::/125\"]}\n",
    "segments: {name: p2p, subnet: 10.0.0.0/31}\n",
    "nodes:\n",
    "- {name: n%, segment: a}\n",
    "- {count: %, name: \"n%d\", segment: b}\n",
    "- {count: %, name: \"k%02d\", address: 10.0.0.%, segment: a}\n",
    "- {name: x%, address: [10.0.0.%, \"fd00::%\"], labels: {a: %}}\n",
    "- {name: y%, asNumber: %, pods: %, routeReflectorClusterID: 0.0.0.%}\n",
    "- {name: z%, interface: eth%}\n",
    "routers:\n",
    "- {name: r%, text: x, interfaces: {Gi0/%: {segment: a}, Gi1/%: {address: 10.0.0.%}}}\n",
    "- {name: r%, kind: ios, config: x, interfaces: {Gi0: {}}, loopbacks: [10.1.0.%/32]}\n",
};

/* '%' in a line becomes a small number, but not where it begins a %d of a pattern. */
static void put_line(struct text *t, const char *line, uint64_t *state) {
    for (const char *p = line; *p; p++) {
        if (*p == '%' && p[1] != 'd' && p[1] != '0')
            text_printf(t, "%u", (unsigned)rng_below(state, 12));
        else
            text_putc(t, *p);
    }
}

static int random_loop(double seconds, uint64_t state) {
    struct timespec now, start;
    struct text t;
    unsigned long runs = 0;
    text_init(&t);
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        text_clear(&t);
        put_line(&t, lines[1 + rng_below(&state, 4)], &state);
        for (uint64_t i = rng_below(&state, 8); i > 0; i--)
            put_line(&t, lines[rng_below(&state, sizeof(lines) / sizeof(lines[0]))], &state);
        LLVMFuzzerTestOneInput((const uint8_t *)text_str(&t), t.size);
        runs++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - start.tv_sec) < seconds);
    text_deinit(&t);
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
        failed += random_loop(seconds, seed);
    return failed ? 1 : 0;
}

#endif
