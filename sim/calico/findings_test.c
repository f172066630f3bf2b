/*
 * What a bundle as a whole gives rise to: for each rule one bundle that breaks it, with the place,
 * the pair and the prefix the finding names, and one next to it that does not.
 */
#include "calico_test.h"

#define HEAD(kind, name)                                                                           \
    "apiVersion: projectcalico.org/v3\nkind: " kind "\nmetadata: {name: " name "}\nspec:\n"
#define CONFIG(fields) HEAD("BGPConfiguration", "default") "  {" fields "}\n---\n"
#define PEER(name, fields) HEAD("BGPPeer", name) "  {" fields "}\n---\n"
#define FILTER(name, fields) HEAD("BGPFilter", name) "  {" fields "}\n---\n"
#define POOL(name, fields) HEAD("IPPool", name) "  {" fields "}\n---\n"
#define NODE(name, addr)                                                                           \
    "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: " name                         \
    ", labels: {rack: one}}\nspec:\n  bgp: {ipv4Address: " addr "}\n---\n"
#define NODE_AS(name, addr, as)                                                                    \
    HEAD("Node", name) "  bgp: {ipv4Address: " addr ", asNumber: " as "}\n---\n"
#define REFLECTOR(name, addr, id)                                                                  \
    "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: " name                         \
    ", labels: {rr: \"true\"}}\nspec:\n  bgp: {ipv4Address: " addr                                 \
    ", routeReflectorClusterID: " id "}\n---\n"
#define UNREFLECTING(name, addr)                                                                   \
    "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: " name                         \
    ", labels: {rr: \"true\"}}\nspec:\n  bgp: {ipv4Address: " addr "}\n---\n"
#define TWO_NODES NODE("a", "10.0.0.1/24") NODE("b", "10.0.0.2/24")
#define KUBE_NODE(name, labels)                                                                    \
    "apiVersion: v1\nkind: Node\nmetadata: {name: " name ", labels: {" labels "}}\n---\n"
#define MESH_OFF CONFIG("nodeToNodeMeshEnabled: false")
#define TO_REFLECTORS PEER("rr", "nodeSelector: all(), peerSelector: has(rr)")
#define ROUTER(name, who) PEER(name, who "peerIP: 192.0.2.1, asNumber: 65001")

static const struct {
    const char *text, *id;
    const char *message, *pair, *prefix; /* parts; NULL: not asked */
} found[] = {
    {TWO_NODES CONFIG("asNumber: 64500"), "reserved-as", "documentation", NULL, NULL},
    {NODE_AS("a", "10.0.0.1/24", "23456"), "reserved-as", "RFC 6793", NULL, NULL},
    {TWO_NODES PEER("p", "peerIP: 192.0.2.1, asNumber: 65535"), "reserved-as", "RFC 7300", NULL,
     NULL},
    {NODE("a", "10.0.0.1/24") NODE("b", "10.0.0.1/24"), "duplicate-address", "Node \"a\"", NULL,
     NULL},
    {TWO_NODES PEER("p", "peerIP: 192.0.2.1"), "missing-as", "no AS number", "a - 192.0.2.1", NULL},
    {TWO_NODES PEER("p", "peerIP: 192.0.2.1"), "frozen-configuration", "2 nodes", NULL, NULL},
    {TWO_NODES FILTER("f", "exportV4: [{action: Accept, cidr: 10.0.0.0/16, matchOperator: In, "
                           "prefixLength: {max: 8}}]"),
     "empty-prefix-range", "no prefix length", NULL, "10.0.0.0/16"},
    {TWO_NODES FILTER("f", "importV4: [{action: Accept, cidr: 10.0.0.0/16, matchOperator: Equal, "
                           "prefixLength: {min: 20}}]"),
     "equal-with-prefix-length", "never matches", NULL, "10.0.0.0/16"},
    {TWO_NODES FILTER("f", "importV4: [{action: Reject, cidr: 10.0.0.0/16, matchOperator: "
                           "NotEqual, prefixLength: {min: 20}}]"),
     "equal-with-prefix-length", "always matches", NULL, "10.0.0.0/16"},
    {TWO_NODES FILTER("f", "importV4: [{action: Reject}, {action: Accept, cidr: 10.0.0.0/16, "
                           "matchOperator: In}]"),
     "unreachable-rule", "never come to", NULL, NULL},
    {TWO_NODES FILTER("f", "exportV4: [{action: Accept, operations: [{addCommunity: {value: "
                           "\"65535:65281\"}}]}]"),
     "well-known-community", "NO_EXPORT", NULL, NULL},
    {TWO_NODES CONFIG("communities: [{name: c, value: \"65535:666\"}], prefixAdvertisements: "
                      "[{cidr: 10.0.0.0/8, communities: [c]}]"),
     "well-known-community", "BLACKHOLE", NULL, NULL},
    {TWO_NODES FILTER("f", "exportV4: [{action: Reject}]"), "unused-filter",
     "no effect on the mesh", NULL, NULL},
    {TWO_NODES FILTER("f", "importV6: [{action: Reject}]")
         PEER("p", "peerIP: 192.0.2.1, asNumber: 65001, filters: [f]"),
     "filter-no-effect", "IPv6", NULL, NULL},
    {TWO_NODES POOL("pool", "cidr: 10.244.0.0/16")
         FILTER("f", "exportV4: [{action: Accept, cidr: 10.244.0.0/16, matchOperator: In}]")
             PEER("p", "peerIP: 192.0.2.1, asNumber: 65001, filters: [f]"),
     "export-accept", "single pods", NULL, "10.244.0.0/16"},
    {TWO_NODES PEER("p", "nodeSelector: all(), peerSelector: all()"), "mesh-and-peer", "only one",
     "a - b", NULL},
    {TWO_NODES PEER("p", "node: a, peerIP: 192.0.2.1, asNumber: 65001")
         PEER("q", "nodeSelector: all(), peerIP: 192.0.2.1, asNumber: 65002"),
     "duplicate-peer", "at random", NULL, NULL},
    {TWO_NODES ROUTER("p", "") ROUTER("q", "node: a, "), "shadowed-by-global", "wins on every",
     NULL, NULL},
    {NODE_AS("a", "10.0.0.1/24", "64513") NODE("b", "10.0.0.2/24"), "as-mismatch", "expects AS",
     "a - b", NULL},
    {TWO_NODES PEER("p", "peerIP: 192.0.2.1, asNumber: 65001, password: {secretKeyRef: {name: s, "
                         "key: k}}"),
     "missing-secret", "without a password", NULL, NULL},
    {TWO_NODES PEER("p", "nodeSelector: has(none), peerIP: 192.0.2.1, asNumber: 65001"),
     "selects-nothing", "has(none)", NULL, NULL},
    {TWO_NODES PEER("p", "nodeSelector: has(none), peerIP: 192.0.2.1, asNumber: 65001"),
     "selects-nothing", "no node has the label none", NULL, NULL},
    {TWO_NODES PEER("p", "nodeSelector: rakc == 'one', peerIP: 192.0.2.1, asNumber: 65001"),
     "selects-nothing", "the label rakc (did you mean rack?)", NULL, NULL},
    {TWO_NODES PEER("p", "nodeSelector: all(), peerSelector: has(rack) && rack == 'One'"),
     "selects-nothing", "none has rack=One, Node \"a\" has rack=one", NULL, NULL},
    {KUBE_NODE("a", "rack: one"), "no-address", "projectcalico.org/IPv4Address, or spec.bgp", NULL,
     NULL},
    {TWO_NODES ROUTER("p", "keepaliveTime: 4m, "), "keepalive-too-long", "240 s are over", NULL,
     NULL},
    {TWO_NODES PEER("p", "node: c, peerIP: 192.0.2.1, asNumber: 65001"), "unknown-node", "\"c\"",
     NULL, NULL},
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") UNREFLECTING("s", "10.0.0.8/24")
         TWO_NODES MESH_OFF TO_REFLECTORS,
     "no-cluster-id", "Node \"s\" has no routeReflectorClusterID, as Node \"r\" has", "a - s",
     NULL},
    {TWO_NODES MESH_OFF PEER("p", "peerIP: 10.0.0.2, asNumber: 64999"), "both-passive", NULL, NULL,
     NULL},
    {TWO_NODES MESH_OFF, "mesh-off", "no sessions", NULL, NULL},
    {TWO_NODES NODE("c", "10.0.0.3/24") MESH_OFF PEER("p", "node: a, peerIP: 10.0.0.2, asNumber: "
                                                           "64512"),
     "partition", "2 groups", NULL, NULL},
    {TWO_NODES MESH_OFF PEER("p", "node: a, peerIP: 192.0.2.1, asNumber: 65001")
         PEER("q", "node: b, peerIP: 192.0.2.2, asNumber: 65001"),
     "joined-outside", "2 groups", NULL, NULL},
    {TWO_NODES MESH_OFF PEER("p", "node: a, peerIP: 192.0.2.1, asNumber: 65001"), "partition",
     "2 groups", NULL, NULL},
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") TWO_NODES MESH_OFF TO_REFLECTORS,
     "single-reflector", "2 nodes", "a - r", NULL},
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") REFLECTOR("s", "10.0.0.8/24", "244.0.0.1")
         TWO_NODES MESH_OFF PEER("p", "node: a, peerIP: 10.0.0.9, asNumber: 64512")
             PEER("q", "node: b, peerIP: 10.0.0.8, asNumber: 64512")
                 PEER("t", "nodeSelector: has(rr), peerSelector: has(rr)"),
     "shared-cluster-id", "244.0.0.1", "a - s", NULL},
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") REFLECTOR("s", "10.0.0.8/24", "244.0.0.1")
         TWO_NODES MESH_OFF PEER("p", "node: a, peerIP: 10.0.0.9, asNumber: 64512")
             PEER("q", "node: b, peerIP: 10.0.0.8, asNumber: 64512")
                 PEER("t", "nodeSelector: has(rr), peerSelector: has(rr)"),
     "unreachable-routes", "2 such pairs", "a - b", NULL},
    /* iBGP passes nothing on without a reflector. */
    {TWO_NODES NODE("c", "10.0.0.3/24") MESH_OFF PEER("p", "peerIP: 10.0.0.2, asNumber: 64512"),
     "unreachable-routes", "Node \"b\", a peer of both, is no route reflector", "a - c", NULL},
    /* Two nodes of one AS meet at a router of another: each sees its own AS. */
    {TWO_NODES POOL("pool", "cidr: 10.244.0.0/16") MESH_OFF ROUTER("p", ""), "unreachable-routes",
     "2 such pairs", "a - b", "10.244"},
    {TWO_NODES ROUTER("p", ""), "reexport-all", "2 nodes", "a - 192.0.2.1", NULL},
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") TWO_NODES TO_REFLECTORS ROUTER("p", "node: r, "),
     "external-routes-stay", "reflector", "r - 192.0.2.1", NULL},
    {TWO_NODES, "node-kind", "kubectl", NULL, NULL},
    {TWO_NODES HEAD("BGPConfiguration", "cluster") "  {listenPort: 1179}\n---\n",
     "ignored-configuration", "has no effect", NULL, NULL},
    {TWO_NODES KUBE_NODE("a", "rack: other"), "label-shadowed", "rack is another: one", NULL, NULL},
    {KUBE_NODE("a", "rack: other") TWO_NODES, "label-shadowed", "rack is another: one", NULL, NULL},
    {"apiVersion: v1\nkind: Node\nmetadata:\n  name: a\n  labels: {rack: '2'}\n  annotations: "
     "{projectcalico.org/labels: '{\"rack\":\"1\"}'}\n",
     "label-shadowed", "rack is another: 1", NULL, NULL},
    /* Without nodes, as in a change alone. */
    {ROUTER("p", "") ROUTER("q", "nodeSelector: rack == 'rack-1', "), "shadowed-by-global",
     "wins on every", NULL, NULL},
    {ROUTER("p", "") ROUTER("q", ""), "duplicate-peer", "at random", NULL, NULL},
    /* With them, only what makes a difference in the file. */
    {TWO_NODES ROUTER("p", "") ROUTER("q", "numAllowedLocalASNumbers: 1, "), "duplicate-peer",
     "at random", NULL, NULL},
    {TWO_NODES ROUTER("p", "keepaliveTime: 0s, ") ROUTER("q", ""), "duplicate-peer", "at random",
     NULL, NULL},
    {TWO_NODES ROUTER("p", "reachableBy: 10.0.0.9, ") ROUTER("q", ""), "duplicate-peer",
     "at random", NULL, NULL},
    {TWO_NODES MESH_OFF PEER("p", "peerIP: 10.0.0.2, asNumber: 64512")
         PEER("q", "peerSelector: 'has(none) || all()'"),
     "duplicate-peer", "at random", NULL, NULL},
};

static bool part_of(const char *whole, const char *part) {
    return !part || strstr(whole, part) != NULL;
}

static void apply_and_plan(struct fixture *f, const char *text) {
    fixture_forget(f);
    calico_plan_free(f->plan);
    f->plan = NULL;
    calico_set_free(f->set);
    f->set = calico_set_new();
    fixture_must_apply(f, text);
    fixture_plan(f);
}

static void test_found(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        apply_and_plan(f, found[i].text);
        bool match = false;
        for (size_t k = 0; k < diag_count(f->diags); k++) {
            const struct diag *d = diag_at(f->diags, k);
            match |= strcmp(d->id, found[i].id) == 0 && part_of(d->message, found[i].message) &&
                     part_of(d->pair, found[i].pair) && part_of(d->prefix, found[i].prefix) &&
                     d->line > 0;
        }
        if (!match) {
            fixture_show(f);
            fail_msg("no %s (case %zu)", found[i].id, i);
        }
    }
}

/* Next to those: right, and so without the finding. */
static const struct {
    const char *text, *id;
} quiet[] = {
    {TWO_NODES, "reserved-as"},
    {TWO_NODES, "partition"},
    {TWO_NODES, "unreachable-routes"},
    {TWO_NODES ROUTER("p", "node: a, "), "reexport-all"},
    {TWO_NODES POOL("pool", "cidr: 10.244.0.0/16")
         PEER("p", "nodeSelector: all(), localWorkloadSelector: all(), asNumber: 65001"),
     "reexport-all"},
    {TWO_NODES FILTER("f", "exportV4: [{action: Reject, source: RemotePeers}]")
         PEER("p", "peerIP: 192.0.2.1, asNumber: 65001, filters: [f]"),
     "reexport-all"},
    {TWO_NODES FILTER("f", "importV4: [{action: Reject}]") PEER("p", "peerIP: 192.0.2.1, asNumber: "
                                                                     "65001, filters: [f]"),
     "filter-no-effect"},
    {TWO_NODES FILTER("f", "importV4: [{action: Reject, peerType: iBGP}, {action: Accept}]"),
     "unreachable-rule"},
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") REFLECTOR("s", "10.0.0.8/24", "244.0.0.1")
         TWO_NODES MESH_OFF TO_REFLECTORS,
     "shared-cluster-id"},
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") REFLECTOR("s", "10.0.0.8/24", "244.0.0.1")
         TWO_NODES MESH_OFF TO_REFLECTORS,
     "unreachable-routes"},
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") REFLECTOR("s", "10.0.0.8/24", "244.0.0.1")
         TWO_NODES MESH_OFF TO_REFLECTORS,
     "single-reflector"},
    /* Ids of their own: what one reflector learns from the other goes on to its clients. */
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") REFLECTOR("s", "10.0.0.8/24", "244.0.0.2")
         TWO_NODES MESH_OFF PEER("p", "node: a, peerIP: 10.0.0.9, asNumber: 64512")
             PEER("q", "node: b, peerIP: 10.0.0.8, asNumber: 64512")
                 PEER("t", "nodeSelector: has(rr), peerSelector: has(rr)"),
     "unreachable-routes"},
    {TWO_NODES MESH_OFF PEER("p", "peerIP: 192.0.2.1, asNumber: 65001, numAllowedLocalASNumbers: "
                                  "1"),
     "unreachable-routes"},
    {NODE_AS("a", "10.0.0.1/24", "64513") NODE_AS("b", "10.0.0.2/24", "64514")
         MESH_OFF ROUTER("p", ""),
     "unreachable-routes"},
    {ROUTER("p", "node: a, ") ROUTER("q", "node: b, "), "duplicate-peer"},
    {TWO_NODES ROUTER("p", "") ROUTER("q", ""), "duplicate-peer"},
    {TWO_NODES PEER("p", "nodeSelector: all(), peerSelector: all(), numAllowedLocalASNumbers: 1")
         PEER("q", "nodeSelector: all(), peerSelector: all()"),
     "duplicate-peer"},
    {ROUTER("p", "") PEER("q", "peerIP: '192.0.2.1:1179', asNumber: 65001"), "duplicate-peer"},
    {PEER("p", "nodeSelector: has(none), peerIP: 192.0.2.1, asNumber: 65001"), "selects-nothing"},
    {TWO_NODES ROUTER("p", "keepaliveTime: 80s, "), "keepalive-too-long"},
    /* On the way to reflectors, the mesh is still there. */
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") UNREFLECTING("s", "10.0.0.8/24")
         TWO_NODES TO_REFLECTORS,
     "no-cluster-id"},
    /* They peer with each other and ask nobody to reflect. */
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") UNREFLECTING("s", "10.0.0.8/24")
         TWO_NODES MESH_OFF PEER("rr", "nodeSelector: all(), peerSelector: all()"),
     "no-cluster-id"},
    {REFLECTOR("r", "10.0.0.9/24", "244.0.0.1") REFLECTOR("s", "10.0.0.8/24", "244.0.0.1")
         TWO_NODES MESH_OFF TO_REFLECTORS,
     "no-cluster-id"},
    /* Pods are no pair, but the filter has its effect on them. */
    {TWO_NODES POOL("p", "cidr: 10.244.0.0/16") FILTER("f", "importV4: [{action: Accept}]")
         PEER("w", "nodeSelector: all(), localWorkloadSelector: all(), asNumber: 65001, "
                   "filters: [f]"),
     "filter-no-effect"},
    /* Another port has another lock. */
    {TWO_NODES PEER("p", "node: a, peerIP: '10.0.0.2:1179', asNumber: 64512"), "mesh-and-peer"},
};

static void test_quiet(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++) {
        apply_and_plan(f, quiet[i].text);
        if (fixture_find(f, quiet[i].id)) {
            fixture_show(f);
            fail_msg("%s in case %zu", quiet[i].id, i);
        }
    }
}

static void test_sizes(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 100);
    fixture_plan(f);
    assert_null(fixture_find(f, "large-mesh"));
    fixture_node(f, "kube-101", "10.0.9.1", 0, NULL);
    fixture_plan(f);
    assert_non_null(fixture_find(f, "large-mesh"));
    assert_null(fixture_find(f, "md5-limit"));
    fixture_node(f, "kube-102", "10.0.9.2", 0, NULL);
    fixture_must_apply(f, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: "
                          "kube-system}\nstringData: {k: secret}\n---\n" CONFIG(
                              "nodeMeshPassword: {secretKeyRef: {name: s, key: k}}"));
    fixture_plan(f);
    assert_non_null(fixture_find(f, "md5-limit"));
}

/* Pods that speak BGP are neither nodes nor routers around: nothing is reckoned with them. */
static void test_many_pods(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 300);
    fixture_must_apply(
        f, POOL("p", "cidr: 10.128.0.0/10")
               PEER("w", "nodeSelector: all(), localWorkloadSelector: all(), asNumber: 65001"));
    fixture_plan(f);
    assert_int_equal(calico_plan_find(f->plan, "kube-1")->session_count, 300);
    assert_null(fixture_find(f, "unreachable-routes"));
}

/* A router is one, however many nodes peer with it: what is said of a hundred nodes is said of a
 * thousand. */
static void test_many_nodes_of_few_routers(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 900);
    fixture_node(f, "rr-1", "10.0.9.1", 0, "1.1.1.1");
    fixture_node(f, "rr-2", "10.0.9.2", 0, "1.1.1.1");
    fixture_must_apply(
        f, MESH_OFF PEER("one", "nodeSelector: has(worker), peerIP: 10.0.9.1, asNumber: 64512")
               PEER("two", "node: kube-1, peerIP: 10.0.9.2, asNumber: 64512"));
    for (int i = 0; i < 9; i++) {
        char text[256];
        snprintf(text, sizeof text, PEER("tor-%d", "peerIP: 192.0.2.%d, asNumber: 65001"), i, i);
        fixture_must_apply(f, text);
    }
    fixture_plan(f);
    assert_non_null(fixture_find(f, "shared-cluster-id"));
}

/* Two BGPPeers of one address on a node: which of them BIRD gets matters where they differ. */
static const struct {
    const char *a, *b;
} differences[] = {
    {"asNumber: 65001", "asNumber: 65002"},
    {"asNumber: 65001", "asNumber: 65001, ttlSecurity: 2"},
    {"asNumber: 65001", "asNumber: 65001, keepOriginalNextHop: true"},
    {"asNumber: 65001, nextHopMode: Self", "asNumber: 65001, nextHopMode: Keep"},
    {"asNumber: 65001", "asNumber: 65001, sourceAddress: None"},
    {"asNumber: 65001", "asNumber: 65001, maxRestartTime: 10s"},
    {"asNumber: 65001, maxRestartTime: 20s", "asNumber: 65001, maxRestartTime: 10s"},
    {"asNumber: 65001", "asNumber: 65001, keepaliveTime: 5s"},
    {"asNumber: 65001, keepaliveTime: 6s", "asNumber: 65001, keepaliveTime: 5s"},
    {"asNumber: 65001", "asNumber: 65001, reachableBy: 10.0.0.9"},
    {"asNumber: 65001", "asNumber: 65001, localASNumber: 64999"},
    {"asNumber: 65001", "asNumber: 65001, numAllowedLocalASNumbers: 2"},
    {"asNumber: 65001", "asNumber: 65001, filters: [f]"},
    {"asNumber: 65001, filters: [g]", "asNumber: 65001, filters: [f]"},
    {"asNumber: 65001, filters: [g, f]", "asNumber: 65001, filters: [f, g]"},
    {"asNumber: 65001", "asNumber: 65001, password: {secretKeyRef: {name: s, key: k}}"},
    {"asNumber: 65001, password: {secretKeyRef: {name: s, key: l}}",
     "asNumber: 65001, password: {secretKeyRef: {name: s, key: k}}"},
    {"asNumber: 65001, password: {secretKeyRef: {name: t, key: k}}",
     "asNumber: 65001, password: {secretKeyRef: {name: s, key: k}}"},
};

static bool duplicates_matter(struct fixture *f, const char *one, const char *other) {
    struct text t;
    text_init(&t);
    text_printf(&t,
                "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: one}\n"
                "spec: {node: a, peerIP: 10.0.0.254, %s}\n---\n"
                "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: other}\n"
                "spec: {node: a, peerIP: 10.0.0.254, %s}\n",
                one, other);
    fixture_forget(f);
    fixture_must_apply(f, text_str(&t));
    text_deinit(&t);
    fixture_plan(f);
    return fixture_find(f, "duplicate-peer") != NULL;
}

static void test_duplicates_matter_where_they_differ(void **state) {
    struct fixture *f = *state;
    fixture_node(f, "a", "10.0.0.1", 0, NULL);
    fixture_must_apply(
        f, "apiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata: {name: f}\nspec: {}\n---\n"
           "apiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata: {name: g}\nspec: {}\n");
    for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++) {
        const char *a = differences[i].a, *b = differences[i].b;
        if (!duplicates_matter(f, a, b) || !duplicates_matter(f, b, a))
            fail_msg("not told: %s; %s", a, b);
        if (duplicates_matter(f, a, a) || duplicates_matter(f, b, b))
            fail_msg("told of what is alike: %s; %s", a, b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_found),
        FIXTURE_TEST(test_quiet),
        FIXTURE_TEST(test_sizes),
        FIXTURE_TEST(test_many_pods),
        FIXTURE_TEST(test_many_nodes_of_few_routers),
        FIXTURE_TEST(test_duplicates_matter_where_they_differ),
    };
    return cmocka_run_group_tests_name("findings", tests, NULL, NULL);
}
