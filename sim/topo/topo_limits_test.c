/*
 * The most that a topology may have of each, and one more: refused with a finding that names the
 * limit.
 */
#include "topo.h"
#include "topo_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/text.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#define LAN "segments: {name: lan, subnet: 10.0.0.0/8}\n"
#define NODE LAN "nodes: {name: a}\n"

static void put_nodes(struct text *t, size_t count) {
    text_printf(t, LAN "nodes: [{count: %zu, name: \"n%%d\"}, {name: last}]\n", count - 1);
}

static void put_routers(struct text *t, size_t count) {
    text_puts(t, NODE "routers:\n");
    for (size_t i = 0; i < count; i++)
        text_printf(t, "  - {name: r%zu, text: \"end\", interfaces: {Gi0/0: {}}}\n", i);
}

static void put_attachments(struct text *t, size_t count) {
    text_puts(t, "nodes: {name: a, segment: s0}\nsegments:\n");
    for (size_t i = 0; i < count; i++)
        text_printf(t, "  - {name: s%zu, subnet: 10.0.%zu.0/24}\n", i, i);
    text_puts(t, "routers:\n  - name: r\n    text: end\n    interfaces:\n");
    for (size_t i = 0; i < count; i++)
        text_printf(t, "      Gi0/%zu: {segment: s%zu}\n", i, i);
}

static void put_loopbacks(struct text *t, size_t count) {
    text_puts(t, NODE "routers:\n  - name: r\n    text: end\n    interfaces: {Gi0/0: {}}\n"
                      "    loopbacks:\n");
    for (size_t i = 0; i < count; i++)
        text_printf(t, "      - 172.%zu.%zu.%zu/32\n", 16 + i / 65536, i / 256 % 256, i % 256);
}

static void put_name(struct text *t, size_t size) {
    text_puts(t, LAN "nodes: {name: ");
    for (size_t i = 0; i < size; i++)
        text_putc(t, 'n');
    text_puts(t, "}\n");
}

static void put_interface(struct text *t, size_t size) {
    text_puts(t, LAN "nodes: {name: a, interface: ");
    for (size_t i = 0; i < size; i++)
        text_putc(t, 'e');
    text_puts(t, "}\n");
}

static void put_ios_interface(struct text *t, size_t size) {
    text_puts(t, NODE "routers:\n  - name: r\n    kind: ios\n    text: end\n    interfaces: {");
    for (size_t i = 0; i < size; i++)
        text_putc(t, 'g');
    text_puts(t, ": {}}\n");
}

static void put_width(struct text *t, size_t width) {
    text_printf(t, LAN "nodes: {count: 1, name: \"n%%0%zud\"}\n", width);
}

static void put_pods(struct text *t, size_t count) {
    text_printf(t, LAN "nodes: {name: a, pods: %zu}\n", count);
}

static void assert_read(void (*put)(struct text *t, size_t count), size_t count, const char *says) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct yaml_document *documents = NULL;
    struct text t;
    text_init(&t);
    put(&t, count);
    assert_int_equal(yaml_parse(text_str(&t), t.size, "t.yaml", arena, diags, &documents), 1);
    const struct topology *topology = topology_read(documents[0].root, arena, diags);
    const char *first = diag_count(diags) ? diag_at(diags, 0)->message : "";
    if ((topology == NULL) != (says != NULL) || (says ? !strstr(first, says) : *first))
        fail_msg("%zu: %s \"%s\": %s", count, topology ? "read" : "refused", first,
                 says ? says : "");
    diag_list_free(diags);
    arena_free(arena);
    text_deinit(&t);
}

static void limits_are_named(void **state) {
    static const struct {
        void (*put)(struct text *t, size_t count);
        size_t max;
        const char *says;
    } rows[] = {
        {put_nodes, TOPO_NODES_MAX, "more than 10000 nodes"},
        {put_routers, TOPO_ROUTERS_MAX, "1000"},
        {put_attachments, TOPO_ATTACHMENTS_MAX, "1 to 64 names"},
        {put_loopbacks, TOPO_LOOPBACKS_MAX, "loopbacks: at most 100000"},
        {put_name, TOPO_NAME_BYTES_MAX, "63"},
        {put_interface, TOPO_INTERFACE_BYTES_MAX, "15"},
        {put_ios_interface, TOPO_IOS_INTERFACE_BYTES_MAX, "31"},
        {put_pods, TOPO_PODS_MAX, "64"},
        {put_width, TOPO_PATTERN_WIDTH_MAX, "exactly one %d"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_read(rows[i].put, rows[i].max, NULL);
        assert_read(rows[i].put, rows[i].max + 1, rows[i].says);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(limits_are_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
