/*
 * Whole bundles with small mistakes in them: parsed, applied document by document as far as they
 * can be, planned, judged, compiled. The plan must be the same twice, every finding must stand in
 * the catalogue, and every pair it expects must be of two stanzas or an outside router's.
 */
#include "../../speaker/base/arena.h"
#include "../../speaker/base/fuzz.h"
#include "../../speaker/base/text.h"
#include "finding.h"
#include "plan.h"

#include <assert.h>
#include <string.h>

static void check_findings(const struct diag_list *diags) {
    for (size_t i = 0; i < diag_count(diags); i++) {
        const struct diag *d = diag_at(diags, i);
        const struct finding_rule *r = finding_rule_find(d->id);
        assert(r && d->severity >= r->severity);
    }
}

static void check_pairs(const struct calico_plan *p) {
    struct calico_pair *pairs;
    size_t count = calico_pairs(p, &pairs);
    for (size_t i = 0; i < count; i++) {
        assert(!pairs[i].expected || pairs[i].both_ends || !pairs[i].node_b);
        assert(pairs[i].expected == (pairs[i].why_not[0] == '\0'));
    }
}

static void compile_all(const struct calico_plan *p) {
    struct arena *arena = arena_new();
    for (size_t i = 0; i < p->node_count; i++)
        assert(calico_compile(p, &p->nodes[i], BGP_PROFILE_CALICO, arena));
    arena_free(arena);
}

static void print(const struct diag_list *diags, const struct calico_plan *p, struct text *out) {
    text_init(out);
    diag_print(diags, out);
    calico_plan_print(p, NULL, out);
}

static void plan_twice(const struct calico_set *set) {
    struct diag_list *d1 = diag_list_new(), *d2 = diag_list_new();
    struct calico_plan *p1 = calico_plan_new(set, NULL, d1), *p2 = calico_plan_new(set, NULL, d2);
    struct text first, second;
    assert(p1 && p2);
    print(d1, p1, &first);
    print(d2, p2, &second);
    assert(strcmp(text_str(&first), text_str(&second)) == 0);
    check_findings(d1);
    check_pairs(p1);
    compile_all(p1);
    text_deinit(&first);
    text_deinit(&second);
    calico_plan_free(p1);
    calico_plan_free(p2);
    diag_list_free(d1);
    diag_list_free(d2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new();
    struct diag_list *diags = diag_list_new();
    struct calico_set *set = calico_set_new();
    struct yaml_document *documents = NULL;
    int count = yaml_parse((const char *)data, size, "fuzz", arena, diags, &documents);
    for (int i = 0; i < count && i < 64; i++)
        (void)calico_apply(set, documents + i, 1, i % 2 == 0, diags);
    check_findings(diags);
    if (calico_node_count(set) <= 200)
        plan_twice(set);
    calico_set_free(set);
    diag_list_free(diags);
    arena_free(arena);
    return 0;
}

#define V3(kind, name)                                                                             \
    "---\napiVersion: projectcalico.org/v3\nkind: " kind "\nmetadata: {name: " name "}\nspec: "
#define NODES                                                                                      \
    V3("Node", "a")                                                                                \
    "{bgp: {ipv4Address: 10.0.0.1/24, ipv6Address: 'fd00::1/64'}}\n" V3(                           \
        "Node",                                                                                    \
        "b") "{bgp: {ipv4Address: 10.0.0.2/24, asNumber: 64513}}\n" V3("Node",                     \
                                                                       "c") "{bgp: {ipv4Address: " \
                                                                            "10.0.0.9/24, "        \
                                                                            "routeReflectorCluste" \
                                                                            "rID: 244.0.0.1}}\n"

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED(NODES V3("BGPPeer", "p") "{nodeSelector: all(), peerSelector: '!has(x)'}\n" V3(
        "BGPConfiguration", "default") "{nodeToNodeMeshEnabled: false}\n"),
    FUZZ_SEED(NODES V3("BGPPeer", "p") "{peerIP: 10.0.0.2, asNumber: 64513}\n" V3(
        "BGPPeer", "q") "{node: a, peerIP: 10.0.0.2, asNumber: 64512, ttlSecurity: 2}\n"),
    FUZZ_SEED(
        NODES V3("BGPFilter", "f") "{exportV4: [{action: Accept, cidr: 10.0.0.0/8, matchOperator: "
                                   "In, prefixLength: {max: 4}}]}\n" V3(
                                       "BGPPeer",
                                       "p") "{peerIP: 192.0.2.1, asNumber: 65001, filters: [f]}\n"),
    FUZZ_SEED(NODES V3("IPPool", "i") "{cidr: 10.244.0.0/24, blockSize: 28}\n" V3(
        "BGPConfiguration", "default") "{serviceClusterIPs: [{cidr: 10.96.0.0/12}], "
                                       "listenPort: 500}\n" V3("BGPConfiguration",
                                                               "node.a") "{listenPort: 501}\n"),
    FUZZ_SEED(
        "---\napiVersion: v1\nkind: Node\nmetadata: {name: k, labels: {rr: 'true'}, annotations: "
        "{projectcalico.org/IPv4Address: 10.0.0.7}}\n---\napiVersion: v1\nkind: Service\n"
        "metadata: {name: s}\nspec: {clusterIP: 10.96.0.1, type: LoadBalancer, externalIPs: "
        "[192.0.2.7]}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: "
        "s, labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\nendpoints: [{nodeName: "
        "k}]\n"),
};
static const char *const words[] = {
    "10.0.0.1",     "10.0.0.2",       "fe80::1",     "asNumber: 0", "name: a", "name: default",
    "peerIP: ",     "peerSelector: ", "all()",       "node: b",     "64513",   "4294967295",
    "\n---\n",      "filters: [f]",   "ipv6Address", "244.0.0.1",   "0.0.0.0", "nextHopMode: ",
    "listenPort: ", "spec: ",         "kind: ",      "{",           "}",       ", ",
};

FUZZ_MAIN_WORDS(seeds, words)
