/*
 * Any text as a topology, and what comes out of it checked.
 *
 * Checked: a topology that is handed out keeps topo.c's promises, however it was written: names by
 * the allow-list, every attachment inside its segment, no address twice.
 */

#include "topo.h"
#include "topo_internal.h"

#include "../../speaker/base/arena.h"
#include "../../speaker/base/fuzz.h"

#include <assert.h>
#include <string.h>

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
        assert(topo_name_check(t->nodes[i].name, (struct diag_place){0}, "name", diags));
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

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("segments: [{name: a, subnet: 10.0.0.0/28}, {name: b, subnet: 10.0.1.0/30}]\n"
              "nodes:\n- {name: n1, segment: a}\n- {count: 3, name: \"n%d\", segment: b}\n"
              "routers:\n- {name: r1, kind: ios, config: x, interfaces: {Gi0: {segment: a}}}\n"),
    FUZZ_SEED("segments: {name: six, subnet: [10.0.0.0/28, \"fd00::/125\"]}\nnodes:\n"
              "- {name: x1, address: [10.0.0.2, \"fd00::3\"], labels: {a: 1}}\n"),
    FUZZ_SEED("segments: {name: p2p, subnet: 10.0.0.0/31}\nnodes:\n- {count: 2, name: \"n%d\"}\n"),
};
static const char *const words[] = {
    "fabric: l2\n",
    "segments: {name: lan, subnet: 10.0.0.0/29}\n",
    "segments: [{name: a, subnet: 10.0.0.0/28}, {name: b, subnet: 10.0.1.0/30}]\n",
    "segments: [{name: a, subnet: 10.0.0.0/28}, {name: b, subnet: 10.0.4.0/30}]\n",
    "segments: {name: six, subnet: [10.0.0.0/28, \"fd00::/125\"]}\n",
    "segments: {name: p2p, subnet: 10.0.0.0/31}\n",
    "nodes:\n",
    "- {name: n1, segment: a}\n",
    "- {name: n4, segment: a}\n",
    "- {count: 1, name: \"n%d\", segment: b}\n",
    "- {count: 4, name: \"n%d\", segment: b}\n",
    "- {count: 1, name: \"k%02d\", address: 10.0.0.1, segment: a}\n",
    "- {count: 4, name: \"k%02d\", address: 10.0.0.4, segment: a}\n",
    "- {name: x1, address: [10.0.0.1, \"fd00::1\"], labels: {a: 1}}\n",
    "- {name: x4, address: [10.0.0.4, \"fd00::4\"], labels: {a: 4}}\n",
    "- {name: y1, asNumber: 1, pods: 1, routeReflectorClusterID: 0.0.0.1}\n",
    "- {name: y4, asNumber: 4, pods: 4, routeReflectorClusterID: 0.0.0.4}\n",
    "- {name: z1, interface: eth1}\n",
    "- {name: z4, interface: eth4}\n",
    "routers:\n",
    "- {name: r1, text: x, interfaces: {Gi0/1: {segment: a}, Gi1/1: {address: 10.0.0.1}}}\n",
    "- {name: r4, text: x, interfaces: {Gi0/4: {segment: a}, Gi1/4: {address: 10.0.0.4}}}\n",
    "- {name: r1, kind: ios, config: x, interfaces: {Gi0: {}}, loopbacks: [10.1.0.1/32]}\n",
    "- {name: r4, kind: ios, config: x, interfaces: {Gi0: {}}, loopbacks: [10.1.0.4/32]}\n",
    "0",
    "2",
    "7",
    "11",
    "10.0.0.3",
    "fd00::2",
    ", ",
};

FUZZ_MAIN_WORDS(seeds, words)
