/*
 * The peering plan, rule by rule: the mesh, the kinds of BGPPeers, reverse peerings, keys, names,
 * passive ends, reflector flags, ports, blocks, pairs, findings, and its two written forms.
 */
#include "calico_test.h"

#include <stdlib.h>

#define HEAD(kind, name)                                                                           \
    "apiVersion: projectcalico.org/v3\nkind: " kind "\nmetadata: {name: " name "}\nspec:\n"
#define CONFIG(fields) HEAD("BGPConfiguration", "default") "  {" fields "}\n---\n"
#define PEER(name, fields) HEAD("BGPPeer", name) "  {" fields "}\n---\n"
#define POOL(name, fields) HEAD("IPPool", name) "  {" fields "}\n---\n"
#define MESH_OFF CONFIG("nodeToNodeMeshEnabled: false")

static size_t sessions_of(const struct fixture *f, const char *node) {
    return calico_plan_find(f->plan, node)->session_count;
}

static size_t expected_pairs(const struct fixture *f) {
    struct calico_pair *pairs;
    size_t count = calico_pairs(f->plan, &pairs), expected = 0;
    for (size_t i = 0; i < count; i++)
        expected += pairs[i].expected;
    return expected;
}

/* ---- the mesh ---- */

static void test_mesh(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 10);
    fixture_plan(f);
    struct calico_pair *pairs;
    assert_int_equal(calico_pairs(f->plan, &pairs), 45);
    assert_int_equal(expected_pairs(f), 45);
    assert_int_equal(sessions_of(f, "kube-7"), 9);
    assert_int_equal(diag_count(f->diags), 0);
    for (size_t i = 0; i < 45; i++) {
        assert_string_equal(pairs[i].kind, "mesh");
        assert_true(pairs[i].both_ends);
        assert_true(strcmp(pairs[i].node_a, pairs[i].node_b) < 0);
    }
    const struct calico_session *s = fixture_session(f, "kube-1", "Mesh_10_0_0_2");
    assert_int_equal(s->peer_as, 64512);
    assert_true(s->internal);
    assert_int_equal(s->multihop, 64);
    assert_string_equal(s->peer_node, "kube-2");
}

/* The larger address as text connects: "10.0.0.10" is smaller than "10.0.0.9". */
static void test_mesh_passive_by_text(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 10);
    fixture_plan(f);
    assert_true(fixture_session(f, "kube-10", "Mesh_10_0_0_9")->passive);
    assert_false(fixture_session(f, "kube-9", "Mesh_10_0_0_10")->passive);
}

static void test_mesh_without_reflectors(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_node(f, "rr", "10.0.0.100", 0, "244.0.0.1");
    fixture_plan(f);
    assert_int_equal(sessions_of(f, "rr"), 0);
    assert_int_equal(sessions_of(f, "kube-1"), 2);
    assert_non_null(fixture_find(f, "partition"));
}

/* A node with an AS of its own expects AS-less neighbours to have it too. */
static void test_mesh_own_as(void **state) {
    struct fixture *f = *state;
    fixture_node(f, "a", "10.0.0.1", 65001, NULL);
    fixture_node(f, "b", "10.0.0.2", 0, NULL);
    fixture_plan(f);
    assert_int_equal(fixture_session(f, "a", "Mesh_10_0_0_2")->peer_as, 65001);
    assert_int_equal(fixture_session(f, "b", "Mesh_10_0_0_1")->peer_as, 65001);
    assert_false(fixture_session(f, "b", "Mesh_10_0_0_1")->internal);
    assert_int_equal(expected_pairs(f), 0);
    const struct diag *d = fixture_find(f, "as-mismatch");
    assert_non_null(strstr(d->message, "a expects AS 65001 of b, which is AS 64512"));
}

static void test_mesh_settings(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 2);
    fixture_must_apply(
        f, CONFIG("listenPort: 1179, nodeMeshMaxRestartTime: 9s, bindMode: NodeIP, "
                  "nodeMeshPassword: {secretKeyRef: {name: s, key: k}}")
               HEAD("BGPConfiguration", "node.kube-2") "  {listenPort: 2179}\n---\n"
                                                       "apiVersion: v1\nkind: Secret\nmetadata: "
                                                       "{name: s}\nstringData: {k: pw}\n");
    fixture_plan(f);
    const struct calico_session *s = fixture_session(f, "kube-1", "Mesh_10_0_0_2");
    assert_int_equal(s->port, 2179);
    assert_string_equal(s->password, "pw");
    assert_int_equal(s->restart_time_s, 9);
    assert_int_equal(calico_plan_find(f->plan, "kube-2")->listen_port, 2179);
    assert_int_equal(calico_plan_find(f->plan, "kube-1")->listen_port, 1179);
    assert_true(ip_is_set(calico_plan_find(f->plan, "kube-1")->listen_addr[0]));
    assert_int_equal(expected_pairs(f), 1);
}

static void test_dual_stack(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_must_apply(f, HEAD("Node", "kube-1") "  {bgp: {ipv6Address: 'fd00::1/64'}}\n---\n" HEAD(
                              "Node", "kube-2") "  {bgp: {ipv6Address: 'fd00::2/64'}}\n");
    fixture_plan(f);
    assert_int_equal(sessions_of(f, "kube-1"), 3);
    assert_int_equal(sessions_of(f, "kube-3"), 2);
    const struct calico_plan_node *n = calico_plan_find(f->plan, "kube-1");
    assert_string_equal(n->sessions[2].name, "Mesh_fd00__2");
    assert_int_equal(n->sessions[2].family, BGP_IPV6_UNICAST);
    assert_int_equal(expected_pairs(f), 4);
}

static void test_ipv6_only_router_id(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(f, HEAD("Node", "abc") "  {bgp: {ipv6Address: 'fd00::1/64'}}\n");
    fixture_plan(f);
    assert_non_null(fixture_find(f, "router-id-hash"));
    assert_false(ip_is_set(calico_plan_find(f->plan, "abc")->router_id));
    assert_null(calico_plan_find(f->plan, "abc")->refused[0]);
    assert_non_null(strstr(calico_plan_find(f->plan, "abc")->refused[1], "no router id"));
    /* SHA-256("abc") begins with ba7816bf. */
    fixture_plan_with(f, &(struct calico_plan_options){.router_id = "hash"});
    assert_int_equal(ip4_to_u32(calico_plan_find(f->plan, "abc")->router_id), 0xba7816bf);
    assert_null(calico_plan_find(f->plan, "abc")->refused[1]);
    /* That of "node-18" with f5c28be3: 245 is no first octet of a router's, 213 is. */
    fixture_must_apply(f, HEAD("Node", "node-18") "  {bgp: {ipv6Address: 'fd00::2/64'}}\n");
    fixture_plan_with(f, &(struct calico_plan_options){.router_id = "hash"});
    assert_int_equal(ip4_to_u32(calico_plan_find(f->plan, "node-18")->router_id), 0xd5c28be3);
    fixture_plan_with(f, &(struct calico_plan_options){.router_id = "192.0.2.77"});
    assert_int_equal(ip4_to_u32(calico_plan_find(f->plan, "abc")->router_id), 0xc000024d);
}

/* ---- reflectors ---- */

#define RR_PEER PEER("rr", "nodeSelector: all(), peerSelector: route-reflector == 'true'")

static void test_reflectors(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 8);
    fixture_node(f, "rr-1", "10.0.0.101", 0, "244.0.0.1");
    fixture_node(f, "rr-2", "10.0.0.102", 0, "244.0.0.1");
    fixture_must_apply(f, MESH_OFF RR_PEER);
    fixture_forget(f);
    fixture_plan(f);
    struct calico_pair *pairs;
    assert_int_equal(calico_pairs(f->plan, &pairs), 2 * 8 + 1);
    assert_int_equal(expected_pairs(f), 17);
    assert_int_equal(sessions_of(f, "rr-1"), 9);
    assert_int_equal(sessions_of(f, "kube-1"), 2);
    const struct calico_session *client = fixture_session(f, "rr-1", "Node_10_0_0_1");
    assert_true(client->rr_client && client->reverse && !client->passive);
    assert_int_equal(client->cluster_id, 0xf4000001);
    /* One cluster id, known by peerSelector: plain iBGP between the two. */
    assert_false(fixture_session(f, "rr-1", "Node_10_0_0_102")->rr_client);
    assert_false(fixture_session(f, "kube-1", "Node_10_0_0_101")->rr_client);
    assert_int_equal(diag_count(f->diags), 0);
}

static void test_reflectors_of_two_clusters(void **state) {
    struct fixture *f = *state;
    fixture_node(f, "rr-1", "10.0.0.101", 0, "244.0.0.1");
    fixture_node(f, "rr-2", "10.0.0.102", 0, "244.0.0.2");
    fixture_must_apply(f, MESH_OFF RR_PEER);
    fixture_plan(f);
    assert_true(fixture_session(f, "rr-1", "Node_10_0_0_102")->rr_client);
    assert_true(fixture_session(f, "rr-2", "Node_10_0_0_101")->rr_client);
}

/* By address the other reflector's cluster id is not known: it looks like a client. */
static void test_reflectors_by_address(void **state) {
    struct fixture *f = *state;
    fixture_node(f, "a", "10.0.0.5", 0, NULL);
    fixture_node(f, "rr-1", "10.0.0.1", 0, "244.0.0.1");
    fixture_node(f, "rr-2", "10.0.0.2", 0, "244.0.0.1");
    fixture_must_apply(f, MESH_OFF PEER("rr1", "peerIP: 10.0.0.1, asNumber: 64512")
                              PEER("rr2", "peerIP: 10.0.0.2, asNumber: 64512"));
    fixture_plan(f);
    const struct calico_session *s = fixture_session(f, "rr-1", "Global_10_0_0_2");
    assert_true(s->rr_client && s->passive);
    /* The owner drops its own address, and gets the others in reverse. */
    assert_null(fixture_session(f, "rr-1", "Global_10_0_0_1"));
    assert_true(fixture_session(f, "rr-1", "Node_10_0_0_5")->reverse);
    assert_null(fixture_session(f, "rr-1", "Node_10_0_0_2"));
    assert_false(fixture_session(f, "a", "Global_10_0_0_1")->passive);
    assert_int_equal(expected_pairs(f), 3);
}

/* ---- BGPPeers by address ---- */

static void test_outside_router(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_must_apply(
        f, MESH_OFF PEER("tor", "peerIP: '192.0.2.1:1179', asNumber: 65001, ttlSecurity: 3, "
                                "localASNumber: 65009, numAllowedLocalASNumbers: 2, "
                                "keepOriginalNextHop: true, sourceAddress: None"));
    fixture_plan(f);
    const struct calico_session *s = fixture_session(f, "kube-1", "Global_192_0_2_1_port_1179");
    assert_non_null(s);
    assert_int_equal(s->kind, CALICO_GLOBAL);
    assert_null(s->peer_node);
    assert_false(s->passive || s->internal || s->rr_client || ip_is_set(s->source_address));
    assert_int_equal(s->local_as, 65009);
    assert_int_equal(s->allow_local_as, 2);
    assert_int_equal(s->multihop, 3);
    assert_int_equal(s->next_hop, CALICO_NEXT_HOP_KEEP);
    struct calico_pair *pairs;
    assert_int_equal(calico_pairs(f->plan, &pairs), 3);
    assert_null(pairs[0].node_b);
    assert_true(pairs[0].expected && !pairs[0].both_ends);
    assert_null(fixture_find(f, "partition")); /* they meet at the router */
}

static void test_keep_next_hop_internal(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 1);
    fixture_must_apply(f, PEER("rr", "peerIP: 192.0.2.1, asNumber: 64512, keepOriginalNextHop: "
                                     "true, node: kube-1"));
    fixture_plan(f);
    const struct calico_session *s = fixture_session(f, "kube-1", "Node_192_0_2_1");
    assert_int_equal(s->kind, CALICO_NODE_SPECIFIC);
    assert_int_equal(s->next_hop, CALICO_NEXT_HOP_UNSET);
}

static void test_port_of_node(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 2);
    fixture_must_apply(f, CONFIG("nodeToNodeMeshEnabled: false, listenPort: 179")
                              PEER("p", "peerIP: 10.0.0.2, asNumber: 64512"));
    fixture_plan(f);
    assert_non_null(fixture_session(f, "kube-1", "Global_10_0_0_2_port_179"));
    assert_non_null(fixture_session(f, "kube-2", "Node_10_0_0_1_port_179"));
    assert_int_equal(expected_pairs(f), 1);
}

/* The wrong AS: no reverse peering, and the smaller address waits for a call. */
static void test_global_with_wrong_as(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 2);
    fixture_must_apply(f, MESH_OFF PEER("p", "peerIP: 10.0.0.2, asNumber: 65000"));
    fixture_plan(f);
    assert_true(fixture_session(f, "kube-1", "Global_10_0_0_2")->passive);
    assert_int_equal(sessions_of(f, "kube-2"), 0);
    assert_int_equal(expected_pairs(f), 0);
    assert_non_null(fixture_find(f, "both-passive"));
}

static void test_reverse_manual(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 2);
    fixture_must_apply(
        f, MESH_OFF PEER("p", "peerIP: 10.0.0.2, asNumber: 64512, reversePeering: Manual"));
    fixture_plan(f);
    assert_int_equal(sessions_of(f, "kube-2"), 0);
}

static void test_empty_peer_is_a_mesh(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 4);
    fixture_must_apply(f, MESH_OFF PEER("p", "nodeSelector: all()"));
    fixture_plan(f);
    assert_int_equal(expected_pairs(f), 6);
    assert_non_null(fixture_session(f, "kube-1", "Node_10_0_0_4"));
}

/* ---- keys ---- */

static void test_global_shadows(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 2);
    fixture_must_apply(f, MESH_OFF PEER("global", "peerIP: 192.0.2.1, asNumber: 65001") PEER(
                              "special", "peerIP: '192.0.2.1:179', asNumber: 65002, node: kube-1"));
    fixture_plan(f);
    assert_int_equal(sessions_of(f, "kube-1"), 1);
    assert_int_equal(calico_plan_find(f->plan, "kube-1")->sessions[0].peer_as, 65001);
    assert_non_null(fixture_find(f, "shadowed-by-global"));
}

static void test_duplicate_peers(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 1);
    fixture_must_apply(f, PEER("b", "peerIP: 192.0.2.1, asNumber: 65002")
                              PEER("a", "peerIP: 192.0.2.1, asNumber: 65001"));
    fixture_plan(f);
    assert_int_equal(calico_plan_find(f->plan, "kube-1")->sessions[0].peer_as, 65001);
    const struct diag *d = fixture_find(f, "duplicate-peer");
    assert_non_null(strstr(d->message, "\"b\""));
    fixture_must_apply(f, PEER("b", "peerIP: 192.0.2.1, asNumber: 65001"));
    fixture_forget(f);
    fixture_plan(f);
    assert_null(fixture_find(f, "duplicate-peer"));
}

static void test_two_ports_are_two_keys(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 1);
    fixture_must_apply(f, PEER("a", "peerIP: 192.0.2.1, asNumber: 65001")
                              PEER("b", "peerIP: '192.0.2.1:1179', asNumber: 65001"));
    fixture_plan(f);
    assert_int_equal(sessions_of(f, "kube-1"), 2);
}

static void test_mesh_and_peer(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_must_apply(f, PEER("p", "node: kube-1, peerIP: 10.0.0.2, asNumber: 64512"));
    fixture_plan(f);
    assert_non_null(fixture_session(f, "kube-1", "Mesh_10_0_0_2"));
    assert_non_null(fixture_session(f, "kube-1", "Node_10_0_0_2"));
    const struct diag *d = fixture_find(f, "mesh-and-peer");
    assert_non_null(strstr(d->message, "2 such stanzas"));
    struct calico_pair *pairs;
    assert_int_equal(calico_pairs(f->plan, &pairs), 3);
    assert_string_equal(pairs[0].kind, "mesh");
}

/* A BGPPeer of another port does not wait for the mesh: what becomes of the one says nothing of the
 * other, and what never comes up is said all the same. */
static const struct {
    const char *manifests, *id; /* id: of the BGPPeer's own end */
    bool expected;
    const char *kind;
} beside[] = {
    {PEER("p", "peerIP: '10.0.0.1:1179', asNumber: 64512, reversePeering: Manual"), "port-mismatch",
     true, "mesh"},
    {CONFIG("listenPort: 1179") PEER("p", "peerIP: 10.0.0.1, asNumber: 65001"), "as-mismatch", true,
     "mesh"},
    /* The other way round the mesh's caller meets the wrong stanza. */
    {CONFIG("listenPort: 1179") PEER("p", "peerIP: 10.0.0.2, asNumber: 65001"), "as-mismatch",
     false, "mesh"},
    /* kube-1 hands what kube-2 calls to its first stanza, which is for another AS; calling itself
     * with the second, it is answered. */
    {CONFIG("nodeToNodeMeshEnabled: false, listenPort: 1179")
         PEER("a", "node: kube-1, peerIP: '10.0.0.2:1178', asNumber: 65001")
             PEER("b", "peerSelector: all(), nodeSelector: all()"),
     "as-mismatch", true, "node"},
    {CONFIG("nodeToNodeMeshEnabled: false, listenPort: 1179")
         PEER("a", "node: kube-1, peerIP: '10.0.0.2:1180', asNumber: 65001")
             PEER("b", "peerSelector: all(), nodeSelector: all()"),
     "as-mismatch", true, "node"},
    /* Nobody else calls where kube-2 calls to the wrong stanza. */
    {CONFIG("nodeToNodeMeshEnabled: false, listenPort: 1179")
         PEER("a", "node: kube-1, peerIP: 10.0.0.2, asNumber: 65001")
             PEER("b", "node: kube-2, peerIP: 10.0.0.1, asNumber: 64512, reversePeering: Manual"),
     "as-mismatch", false, "node"},
};

static void test_another_port(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        struct calico_pair *pairs;
        fixture_forget(f);
        calico_set_free(f->set);
        f->set = calico_set_new();
        fixture_nodes(f, 2);
        fixture_must_apply(f, beside[i].manifests);
        fixture_plan(f);
        assert_int_equal(calico_pairs(f->plan, &pairs), 1);
        if (pairs[0].expected != beside[i].expected || !fixture_find(f, beside[i].id)) {
            fixture_show(f);
            fail_msg("case %zu: %s", i, pairs[0].why_not);
        }
        assert_string_equal(pairs[0].kind, beside[i].kind);
        assert_null(fixture_find(f, "mesh-and-peer"));
    }
}

/* ---- both ends ---- */

static const struct {
    const char *manifests, *id;
} disagreements[] = {
    {PEER("a", "node: kube-1, peerIP: 10.0.0.2, asNumber: 64512, ttlSecurity: 1, reversePeering: "
               "Manual") PEER("b", "node: kube-2, peerIP: 10.0.0.1, asNumber: 64512"),
     "ttl-mismatch"},
    {PEER("a", "node: kube-1, peerIP: 10.0.0.2, asNumber: 64512, reversePeering: Manual, password: "
               "{secretKeyRef: {name: s, key: k}}")
         PEER("b", "node: kube-2, peerIP: 10.0.0.1, asNumber: 64512") "apiVersion: v1\nkind: "
                                                                      "Secret\nmetadata: {name: "
                                                                      "s}\nstringData: {k: pw}\n",
     "password-mismatch"},
    {PEER("a", "node: kube-1, peerIP: '10.0.0.2:1179', asNumber: 64512, reversePeering: Manual")
         PEER("b", "node: kube-2, peerIP: '10.0.0.1:1180', asNumber: 64512, reversePeering: "
                   "Manual"),
     "port-mismatch"},
    {PEER("a", "node: kube-1, peerIP: 10.0.0.2, asNumber: 64512, localASNumber: 65009"),
     "as-mismatch"},
    {PEER("a", "node: kube-1, peerIP: 10.0.0.2"), "missing-as"},
    {PEER("a", "node: kube-1, peerIP: 192.0.2.1"), "missing-as"},
    {PEER("a", "node: kube-1, peerIP: 192.0.2.1, asNumber: 1, password: {secretKeyRef: {name: s, "
               "key: k}}"),
     "missing-secret"},
    {PEER("a", "node: kube-9, peerIP: 192.0.2.1, asNumber: 1"), "unknown-node"},
    {PEER("a", "nodeSelector: has(x), peerIP: 192.0.2.1, asNumber: 1"), "selects-nothing"},
    {PEER("a", "peerSelector: has(x)"), "selects-nothing"},
    {PEER("a", "peerSelector: all(), filters: [none]"), "missing-filter"},
    {PEER("a", "localWorkloadSelector: all(), asNumber: 1"), "workload-without-node"},
    {PEER("a", "nodeSelector: all(), localWorkloadSelector: all(), asNumber: 1"), "local-workload"},
    {HEAD("Node", "twin") "  {bgp: {ipv4Address: 10.0.0.1}}\n", "duplicate-address"},
    {HEAD("Node", "bare") "  {}\n", "no-address"},
    {HEAD("BGPFilter", "f") "  {exportV4: [{action: Accept}]}\n", "unused-filter"},
    {HEAD("BGPFilter", "f") "  {importV4: [{action: Accept, cidr: 10.0.0.0/8, matchOperator: "
                            "Equal, prefixLength: {max: 24}}]}\n",
     "equal-with-prefix-length"},
    {HEAD("BGPFilter", "f") "  {importV4: [{action: Accept, cidr: 10.0.0.0/8, matchOperator: In, "
                            "prefixLength: {max: 7}}]}\n",
     "empty-prefix-range"},
    {HEAD("BGPFilter", "f") "  {importV4: [{action: Accept, cidr: 10.0.0.0/8, matchOperator: In, "
                            "prefixLength: {min: 24, max: 20}}]}\n",
     "empty-prefix-range"},
    {HEAD("BGPFilter", "f") "  {exportV4: [{action: Accept, cidr: 10.244.0.0/16, matchOperator: "
                            "In}]}\n---\n" POOL("p", "cidr: 10.244.0.0/16"),
     "export-accept"},
    {POOL("p", "cidr: 10.244.0.0/16, ipipMode: Always"), "encapsulated-pool"},
    {POOL("p", "cidr: 10.244.0.0/26"), "pool-exhausted"},
    {"", "mesh-off"},
};

static void test_findings(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof disagreements / sizeof disagreements[0]; i++) {
        calico_set_free(f->set);
        f->set = calico_set_new();
        fixture_nodes(f, 2);
        assert_true(fixture_apply(f, MESH_OFF, true));
        assert_true(fixture_apply(f, disagreements[i].manifests, false));
        fixture_forget(f);
        fixture_plan(f);
        if (!fixture_find(f, disagreements[i].id)) {
            fixture_show(f);
            fail_msg("%s expected for\n%s", disagreements[i].id, disagreements[i].manifests);
        }
    }
}

static void test_export_accept_after_reject(void **state) {
    struct fixture *f = *state;
    fixture_must_apply(
        f, HEAD("BGPFilter", "f") "  exportV4:\n  - {action: Reject, cidr: 10.244.0.0/16, "
                                  "matchOperator: In, prefixLength: {min: 27}}\n"
                                  "  - {action: Accept}\n---\n" POOL("p", "cidr: 10.244.0.0/16"));
    fixture_plan(f);
    assert_null(fixture_find(f, "export-accept"));
}

static void test_password_of_other_namespace(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 1);
    fixture_must_apply(
        f,
        PEER("a",
             "peerIP: 192.0.2.1, asNumber: 1, password: {secretKeyRef: "
             "{name: s, key: k}}") "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: "
                                   "default}\nstringData: {k: pw}\n");
    fixture_plan(f);
    assert_non_null(strstr(fixture_find(f, "missing-secret")->message, "namespace default"));
    const struct calico_session *s = fixture_session(f, "kube-1", "Global_192_0_2_1");
    assert_int_equal(s->password_state, CALICO_PASSWORD_MISSING);
    assert_null(s->password);
}

/* ---- blocks ---- */

static void assert_block(const struct fixture *f, const char *node, size_t i, const char *text) {
    char prefix[IP_PREFIX_TEXT_MAX];
    const struct calico_plan_node *n = calico_plan_find(f->plan, node);
    assert_true(i < n->block_count);
    assert_string_equal(ip_prefix_format(n->blocks[i].prefix, prefix), text);
}

static void test_blocks(void **state) {
    struct fixture *f = *state;
    char addr[IP_ADDR_TEXT_MAX];
    fixture_nodes(f, 11);
    fixture_must_apply(f, POOL("a", "cidr: 10.244.0.0/16") POOL(
                              "b", "cidr: 10.250.0.0/24, blockSize: 28, nodeSelector: "
                                   "has(special)") POOL("c", "cidr: 10.251.0.0/24, disabled: true")
                              POOL("d", "cidr: 10.252.0.0/24, assignmentMode: Manual")
                                  POOL("e", "cidr: 'fd00::/48'") HEAD("Node", "kube-2") "  {}\n");
    struct calico_plan_options o = {.pods_per_node = 2};
    f->plan = calico_plan_new(f->set, &o, f->diags);
    assert_block(f, "kube-1", 0, "10.244.0.0/26");
    assert_block(f, "kube-2", 0, "10.244.0.64/26");
    assert_block(f, "kube-10", 0, "10.244.2.64/26");
    const struct calico_plan_node *n = calico_plan_find(f->plan, "kube-2");
    assert_int_equal(n->block_count, 1);
    assert_int_equal(n->pod_count, 2);
    assert_string_equal(ip_format(n->pods[0].addr, addr), "10.244.0.65");
    assert_string_equal(ip_format(n->pods[1].addr, addr), "10.244.0.66");
    assert_string_equal(n->pods[1].interface, "cali00000002");
}

#define AFFINITY(name, fields) HEAD("BlockAffinity", name) "  {" fields "}\n---\n"

/* What the cluster says of its blocks goes before any rule; only confirmed ones count. */
static void test_block_affinities(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_must_apply(
        f,
        POOL("a", "cidr: 10.244.0.0/16")
            AFFINITY("1", "node: kube-2, cidr: 10.244.9.64/26, state: confirmed, deleted: false")
                AFFINITY("2", "node: kube-2, cidr: 10.244.9.0/26")
                    AFFINITY("3", "node: kube-2, cidr: 10.244.8.0/26, state: pending")
                        AFFINITY("4", "node: kube-2, cidr: 10.244.7.0/26, state: pendingDeletion")
                            AFFINITY("5", "node: kube-3, cidr: 10.244.6.0/26, deleted: true")
                                AFFINITY("6", "node: gone, cidr: 10.244.5.0/26, state: confirmed")
                                    AFFINITY("7", "node: kube-3, cidr: 'fd00::/122'"));
    fixture_plan(f);
    assert_int_equal(calico_plan_find(f->plan, "kube-1")->block_count, 0);
    assert_int_equal(calico_plan_find(f->plan, "kube-2")->block_count, 2);
    assert_block(f, "kube-2", 0, "10.244.9.0/26");
    assert_block(f, "kube-2", 1, "10.244.9.64/26");
    assert_ptr_equal(calico_plan_find(f->plan, "kube-2")->blocks[0].pool,
                     calico_pool_at(f->set, 0));
    assert_int_equal(calico_plan_find(f->plan, "kube-3")->block_count, 0); /* it has no IPv6 */
    fixture_plan_with(f, &(struct calico_plan_options){.use_pod_cidr = true});
    assert_int_equal(calico_plan_find(f->plan, "kube-2")->block_count, 0);
}

static uint32_t pods_by_name(void *context, const char *node) {
    (void)context;
    return strcmp(node, "kube-1") == 0 ? 0 : strcmp(node, "kube-2") == 0 ? 3 : 1;
}

/* A node without pods has no block, and its place in the pool stays free. */
static void test_pods_of_each_node(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_must_apply(f, POOL("a", "cidr: 10.244.0.0/16"));
    struct calico_plan_options o = {.pods_per_node = 5, .pods_of = pods_by_name};
    f->plan = calico_plan_new(f->set, &o, f->diags);
    assert_int_equal(calico_plan_find(f->plan, "kube-1")->block_count, 0);
    assert_int_equal(calico_plan_find(f->plan, "kube-1")->pod_count, 0);
    assert_int_equal(calico_plan_find(f->plan, "kube-2")->pod_count, 3);
    assert_block(f, "kube-2", 0, "10.244.0.64/26");
    assert_int_equal(calico_plan_find(f->plan, "kube-3")->pod_count, 1);
}

/* Blocks beyond the first: in the pool's policy and origins as the others, without pods. */
static void test_claimed_blocks(void **state) {
    struct fixture *f = *state;
    struct calico_claim claims[4] = {
        {.node = "kube-2"}, {.node = "kube-2"}, {.node = "kube-9"}, {.node = "kube-1"}};
    static const char *const blocks[] = {"10.244.255.192/26", "10.244.255.128/26",
                                         "10.244.255.64/26", "10.9.0.0/26"};
    for (size_t i = 0; i < 4; i++)
        assert_true(ip_prefix_parse(blocks[i], &claims[i].block));
    fixture_nodes(f, 2);
    fixture_must_apply(f, POOL("a", "cidr: 10.244.0.0/16"));
    struct calico_plan_options o = {.claims = claims, .claim_count = 4};
    f->plan = calico_plan_new(f->set, &o, f->diags);
    assert_ptr_equal(calico_block_pool(f->set), calico_pool_at(f->set, 0));
    assert_int_equal(calico_plan_find(f->plan, "kube-1")->block_count, 1); /* no pool has that */
    assert_int_equal(calico_plan_find(f->plan, "kube-2")->block_count, 3);
    assert_int_equal(calico_plan_find(f->plan, "kube-2")->pod_count, 1);
    assert_block(f, "kube-2", 1, blocks[0]);
    assert_block(f, "kube-2", 2, blocks[1]);
    struct arena *arena = arena_new();
    const struct bgp_config *c =
        calico_compile(f->plan, calico_plan_find(f->plan, "kube-2"), BGP_PROFILE_CALICO, arena);
    size_t held = 0;
    for (uint32_t i = 0; i < c->origin_count; i++)
        held += c->origins[i].blackhole_in_kernel;
    assert_int_equal(held, 3);
    arena_free(arena);
}

/* Nodes that come or go leave the others' blocks alone; names count naturally. */
static void test_blocks_are_sticky(void **state) {
    struct fixture *f = *state;
    struct yaml_document *documents;
    fixture_must_apply(f, POOL("a", "cidr: 10.244.0.0/16")
                              HEAD("Node", "n-10") "  {bgp: {ipv4Address: 10.0.0.10}}\n---\n" HEAD(
                                  "Node", "n-9") "  {bgp: {ipv4Address: 10.0.0.9}}\n");
    fixture_must_apply(f, HEAD("Node", "a") "  {bgp: {ipv4Address: 10.0.0.1}}\n");
    fixture_plan(f);
    assert_block(f, "n-9", 0, "10.244.0.0/26");
    assert_block(f, "n-10", 0, "10.244.0.64/26");
    assert_block(f, "a", 0, "10.244.0.128/26");
    int count = fixture_documents(f, HEAD("Node", "n-9") "  {}\n", &documents);
    assert_true(calico_delete(f->set, documents, (size_t)count, f->diags));
    fixture_plan(f);
    assert_block(f, "n-10", 0, "10.244.0.64/26");
}

/* ---- written forms ---- */

static bool printed(struct fixture *f, const char *node, const char *wanted) {
    struct text t;
    text_init(&t);
    calico_plan_print(f->plan, node, &t);
    bool found = strstr(text_str(&t), wanted) != NULL;
    if (!found)
        print_message("%s", text_str(&t));
    text_deinit(&t);
    return found;
}

static void test_print(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 10);
    fixture_plan(f);
    assert_true(printed(f, NULL, "\n45 sessions = n(n-1)/2, n = 10\n"));
    assert_true(
        printed(f, "kube-1", "  Mesh_10_0_0_2         kube-2   64512       iBGP  passive\n"));
    assert_true(printed(f, "nobody", "no node \"nobody\""));
    fixture_node(f, "rr-1", "10.0.0.101", 0, "244.0.0.1");
    fixture_node(f, "rr-2", "10.0.0.102", 0, "244.0.0.1");
    fixture_must_apply(f, MESH_OFF RR_PEER);
    fixture_plan(f);
    assert_true(printed(f, NULL, "\n21 sessions = R*(N-R)+R(R-1)/2, R = 2, N = 12\n"));
    fixture_must_apply(f, PEER("tor", "peerIP: 192.0.2.1, asNumber: 65001, node: kube-1"));
    fixture_plan(f);
    assert_true(printed(f, NULL, "\n22 sessions, 1 of them with outside routers\n"));
}

static void test_json(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 2);
    fixture_must_apply(f, PEER("tor", "peerIP: 192.0.2.1, asNumber: 65001, password: "
                                      "{secretKeyRef: {name: s, key: k}}"));
    fixture_plan(f);
    json_t *root = calico_plan_json(f->plan, f->diags);
    json_t *node = json_array_get(json_object_get(root, "nodes"), 0);
    assert_string_equal(json_string_value(json_object_get(node, "name")), "kube-1");
    json_t *session = json_array_get(json_object_get(node, "sessions"), 0);
    assert_string_equal(json_string_value(json_object_get(session, "name")), "Global_192_0_2_1");
    assert_string_equal(json_string_value(json_object_get(session, "password")), "missing");
    assert_true(json_is_null(json_object_get(session, "peerNode")));
    assert_int_equal(json_array_size(json_object_get(root, "pairs")), 3);
    assert_true(json_array_size(json_object_get(root, "findings")) > 0);
    json_decref(root);
}

/* The stream says what the tree says; a stream that fails is not passed over. */
static void test_json_stream(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_must_apply(f, PEER("tor", "peerIP: 192.0.2.1, asNumber: 65001, password: "
                                      "{secretKeyRef: {name: s, key: k}}"));
    fixture_plan(f);
    json_t *root = calico_plan_json(f->plan, f->diags);
    FILE *file = tmpfile(), *full = fopen("/dev/full", "w");
    assert_true(file && full);
    assert_true(calico_plan_write_json(f->plan, f->diags, file));
    rewind(file);
    json_t *back = json_loadf(file, JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_equal(root, back));
    setbuf(full, NULL);
    assert_false(calico_plan_write_json(f->plan, f->diags, full));
    fclose(full);
    fclose(file);
    json_decref(back);
    json_decref(root);
}

/* ---- size and memory ---- */

static void test_thousand_nodes(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 1000);
    fixture_plan(f);
    struct calico_pair *pairs;
    assert_int_equal(calico_pairs(f->plan, &pairs), 499500);
    assert_int_equal(expected_pairs(f), 499500);
}

static void test_no_memory(void **state) {
    struct fixture *f = *state;
    fixture_nodes(f, 3);
    fixture_must_apply(f, POOL("p", "cidr: 10.244.0.0/16") RR_PEER);
    bool failed = false;
    for (unsigned long n = 1; n < 60; n++) {
        struct diag_list *diags = diag_list_new();
        alloc_fail_after(n, n % 2 == 0);
        struct calico_plan *p = calico_plan_new(f->set, NULL, diags);
        alloc_fail_after(0, false);
        failed |= p == NULL;
        calico_plan_free(p);
        diag_list_free(diags);
    }
    assert_true(failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_mesh),
        FIXTURE_TEST(test_mesh_passive_by_text),
        FIXTURE_TEST(test_mesh_without_reflectors),
        FIXTURE_TEST(test_mesh_own_as),
        FIXTURE_TEST(test_mesh_settings),
        FIXTURE_TEST(test_dual_stack),
        FIXTURE_TEST(test_ipv6_only_router_id),
        FIXTURE_TEST(test_reflectors),
        FIXTURE_TEST(test_reflectors_of_two_clusters),
        FIXTURE_TEST(test_reflectors_by_address),
        FIXTURE_TEST(test_outside_router),
        FIXTURE_TEST(test_keep_next_hop_internal),
        FIXTURE_TEST(test_port_of_node),
        FIXTURE_TEST(test_global_with_wrong_as),
        FIXTURE_TEST(test_reverse_manual),
        FIXTURE_TEST(test_empty_peer_is_a_mesh),
        FIXTURE_TEST(test_global_shadows),
        FIXTURE_TEST(test_duplicate_peers),
        FIXTURE_TEST(test_two_ports_are_two_keys),
        FIXTURE_TEST(test_mesh_and_peer),
        FIXTURE_TEST(test_another_port),
        FIXTURE_TEST(test_findings),
        FIXTURE_TEST(test_export_accept_after_reject),
        FIXTURE_TEST(test_password_of_other_namespace),
        FIXTURE_TEST(test_blocks),
        FIXTURE_TEST(test_block_affinities),
        FIXTURE_TEST(test_pods_of_each_node),
        FIXTURE_TEST(test_claimed_blocks),
        FIXTURE_TEST(test_blocks_are_sticky),
        FIXTURE_TEST(test_print),
        FIXTURE_TEST(test_json),
        FIXTURE_TEST(test_json_stream),
        FIXTURE_TEST(test_thousand_nodes),
        FIXTURE_TEST(test_no_memory),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
