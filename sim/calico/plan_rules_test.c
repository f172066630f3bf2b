/*
 * Which sessions result, a table of clusters: what stands in the manifests, and every session one
 * node has of it, in words. Each row is one rule of Calico's.
 */
#include "calico_test.h"

#define HEAD(kind, name)                                                                           \
    "apiVersion: projectcalico.org/v3\nkind: " kind "\nmetadata: {name: " name "}\nspec:\n"
#define CONFIG(fields) HEAD("BGPConfiguration", "default") "  {" fields "}\n---\n"
#define NODE_CONFIG(node, fields) HEAD("BGPConfiguration", "node." node) "  {" fields "}\n---\n"
#define PEER(name, fields) HEAD("BGPPeer", name) "  {" fields "}\n---\n"
#define NODE(name, fields) HEAD("Node", name) "  bgp: {" fields "}\n---\n"
#define FILTER(name, fields) HEAD("BGPFilter", name) "  {" fields "}\n---\n"
#define SECRET "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: pw}\n---\n"
#define RAW(fields)                                                                                \
    "apiVersion: crd.projectcalico.org/v1\nkind: BGPPeer\nmetadata: {name: p}\nspec: {" fields     \
    "}\n---\n"
#define NO_MESH CONFIG("nodeToNodeMeshEnabled: false")

#define A NODE("a", "ipv4Address: 10.0.0.1/24")
#define B NODE("b", "ipv4Address: 10.0.0.2/24")
#define C NODE("c", "ipv4Address: 10.0.0.10/24")
#define R1                                                                                         \
    NODE("r1, labels: {rr: 'true'}", "ipv4Address: 10.0.0.8/24, routeReflectorClusterID: 1.0.0.1")
#define R2                                                                                         \
    NODE("r2, labels: {rr: 'true'}", "ipv4Address: 10.0.0.9/24, routeReflectorClusterID: 1.0.0.1")
#define R3                                                                                         \
    NODE("r2, labels: {rr: 'true'}", "ipv4Address: 10.0.0.9/24, routeReflectorClusterID: 1.0.0.2")
#define Z1                                                                                         \
    NODE("z1, labels: {rr: 'true'}", "ipv4Address: 10.0.0.8/24, routeReflectorClusterID: 0.0.0.0")
#define Z2                                                                                         \
    NODE("z2, labels: {rr: 'true'}", "ipv4Address: 10.0.0.9/24, routeReflectorClusterID: 0.0.0.0")
#define TO_RR PEER("p", "nodeSelector: all(), peerSelector: rr == 'true'")
#define V(minor) CALICO_VERSION(3, minor, 99)

static const struct {
    const char *rule, *manifests, *node, *sessions;
    uint32_t version;
} rows[] = {
    /* the mesh */
    {"mesh: on without any BGPConfiguration", A B, "a", "Mesh_10_0_0_2 64512 passive\n", 0},
    {"mesh: the larger text connects", A B C, "c",
     "Mesh_10_0_0_1 64512\nMesh_10_0_0_2 64512 passive\n", 0},
    {"mesh: \"10.0.0.10\" is smaller than \"10.0.0.2\"", A B C, "b",
     "Mesh_10_0_0_1 64512\nMesh_10_0_0_10 64512\n", 0},
    {"mesh: off", A B NO_MESH, "a", "", 0},
    {"mesh: an unnamed default has it on", A B CONFIG("asNumber: 65000"), "a",
     "Mesh_10_0_0_2 65000 passive\n", 0},
    {"mesh: not from a reflector", A R1, "r1", "", 0},
    {"mesh: not to a reflector", A B R1, "a", "Mesh_10_0_0_2 64512 passive\n", 0},
    {"mesh: not to one's own address", A B NODE("twin", "ipv4Address: 10.0.0.1/24"), "a",
     "Mesh_10_0_0_2 64512 passive\n", 0},
    {"mesh: no address, no session", A B NODE("v6", "ipv6Address: 'fd00::1/64'"), "v6", "", 0},
    {"mesh: per family",
     NODE("d", "ipv4Address: 10.0.0.1/24, ipv6Address: 'fd00::1/64'")
         NODE("e", "ipv4Address: 10.0.0.2/24, ipv6Address: 'fd00::2/64'"),
     "e", "Mesh_10_0_0_1 64512\nMesh_fd00__1 64512\n", 0},
    {"mesh: the peer's own AS", A NODE("e", "ipv4Address: 10.0.0.2/24, asNumber: 65001"), "a",
     "Mesh_10_0_0_2 65001 external passive\n", 0},
    {"mesh: without one, ours", A NODE("e", "ipv4Address: 10.0.0.2/24, asNumber: 65001"), "e",
     "Mesh_10_0_0_1 65001\n", 0},
    {"mesh: without one, the global one until v3.31",
     A NODE("e", "ipv4Address: 10.0.0.2/24, asNumber: 65001"), "e",
     "Mesh_10_0_0_1 64512 external\n", V(31)},
    {"mesh: since v3.32 ours", A NODE("e", "ipv4Address: 10.0.0.2/24, asNumber: 65001"), "e",
     "Mesh_10_0_0_1 65001\n", V(32)},
    {"mesh: the peer's port, not in the name", A B NODE_CONFIG("b", "listenPort: 1179"), "a",
     "Mesh_10_0_0_2 64512 port 1179 passive\n", 0},
    {"mesh: the global port", A B CONFIG("listenPort: 1179"), "a",
     "Mesh_10_0_0_2 64512 port 1179 passive\n", 0},
    {"mesh: the peer's port before the global one",
     A B CONFIG("listenPort: 1179") NODE_CONFIG("b", "listenPort: 1180"), "a",
     "Mesh_10_0_0_2 64512 port 1180 passive\n", 0},
    {"mesh: password and restart time",
     A B SECRET CONFIG("nodeMeshPassword: {secretKeyRef: {name: s, key: k}}, "
                       "nodeMeshMaxRestartTime: 9s"),
     "a", "Mesh_10_0_0_2 64512 passive password restart 9\n", 0},
    {"mesh: a missing secret is no password",
     A B CONFIG("nodeMeshPassword: {secretKeyRef: {name: s, key: k}}"), "a",
     "Mesh_10_0_0_2 64512 passive password-missing\n", 0},
    {"mesh: never filters", A B FILTER("f", "exportV4: [{action: Reject}]"), "a",
     "Mesh_10_0_0_2 64512 passive\n", 0},

    /* peerSelector */
    {"peerSelector: to the nodes it matches", A R1 NO_MESH TO_RR, "a", "Node_10_0_0_8 64512\n", 0},
    {"peerSelector: reverse, as client", A R1 NO_MESH TO_RR, "r1",
     "Node_10_0_0_1 64512 client 1.0.0.1 reverse\n", 0},
    {"peerSelector: one cluster id is plain iBGP", R1 R2 NO_MESH TO_RR, "r1",
     "Node_10_0_0_9 64512\n", 0},
    {"peerSelector: two cluster ids are each other's clients", R1 R3 NO_MESH TO_RR, "r1",
     "Node_10_0_0_9 64512 client 1.0.0.1\n", 0},
    {"peerSelector: the cluster id 0.0.0.0 is one like others", Z1 Z2 NO_MESH TO_RR, "z1",
     "Node_10_0_0_9 64512\n", 0},
    {"peerSelector: a node without a cluster id is a client of 0.0.0.0",
     A Z1 NO_MESH PEER("p", "node: a, peerSelector: rr == 'true'"), "z1",
     "Node_10_0_0_1 64512 client 0.0.0.0 reverse\n", 0},
    {"peerSelector: the cluster's AS",
     A B CONFIG("nodeToNodeMeshEnabled: false, asNumber: 65000")
         PEER("p", "node: a, peerSelector: all()"),
     "a", "Node_10_0_0_2 65000\n", 0},
    {"peerSelector: the global port",
     A B CONFIG("nodeToNodeMeshEnabled: false, listenPort: 1179")
         PEER("p", "node: a, peerSelector: all()"),
     "a", "Node_10_0_0_2_port_1179 64512 port 1179\n", 0},
    {"peerSelector: never to itself", A NO_MESH PEER("p", "peerSelector: all()"), "a", "", 0},
    {"peerSelector: global, never passive", A B NO_MESH PEER("p", "peerSelector: all()"), "a",
     "Global_10_0_0_2 64512\n", 0},
    {"peerSelector: both families",
     NODE("d", "ipv4Address: 10.0.0.1/24, ipv6Address: 'fd00::1/64'")
         NODE("e", "ipv4Address: 10.0.0.2/24, ipv6Address: 'fd00::2/64'")
             NO_MESH PEER("p", "node: d, peerSelector: all()"),
     "d", "Node_10_0_0_2 64512\nNode_fd00__2 64512\n", 0},
    {"peerSelector: the node's AS",
     A NODE("e", "ipv4Address: 10.0.0.2/24, asNumber: 65001")
         NO_MESH PEER("p", "node: a, peerSelector: all()"),
     "a", "Node_10_0_0_2 65001 external\n", 0},
    {"peerSelector: a known port is in the name",
     A B NO_MESH NODE_CONFIG("b", "listenPort: 179") PEER("p", "node: a, peerSelector: all()"), "a",
     "Node_10_0_0_2_port_179 64512 port 179\n", 0},
    {"peerSelector: no localASNumber, no allowed own AS",
     A B NO_MESH PEER("p", "node: a, peerSelector: all(), localASNumber: 65009, "
                           "numAllowedLocalASNumbers: 2"),
     "a", "Node_10_0_0_2 64512\n", 0},
    {"peerSelector: the settings it has",
     A B NO_MESH SECRET FILTER("f", "exportV4: [{action: Reject}]")
         PEER("p", "node: a, peerSelector: all(), ttlSecurity: 2, nextHopMode: Self, "
                   "maxRestartTime: 30s, keepaliveTime: 5s, sourceAddress: None, filters: [f], "
                   "password: {secretKeyRef: {name: s, key: k}}"),
     "a",
     "Node_10_0_0_2 64512 source none password ttl 2 next-hop 2 restart 30 keepalive 5 filter f\n",
     0},
    {"reverse: the same settings",
     A B NO_MESH SECRET FILTER("f", "exportV4: [{action: Reject}]")
         PEER("p", "node: a, peerSelector: all(), ttlSecurity: 2, nextHopMode: Self, "
                   "maxRestartTime: 30s, keepaliveTime: 5s, sourceAddress: None, filters: [f], "
                   "password: {secretKeyRef: {name: s, key: k}}"),
     "b",
     "Node_10_0_0_1 64512 source none password ttl 2 next-hop 2 restart 30 keepalive 5 filter f "
     "reverse\n",
     0},
    {"reverse: Manual makes none",
     A B NO_MESH PEER("p", "node: a, peerSelector: all(), reversePeering: Manual"), "b", "", 0},

    /* peerIP */
    {"peerIP: an outside router", A NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 65001"), "a",
     "Global_192_0_2_1 65001 external\n", 0},
    {"peerIP: a port", A NO_MESH PEER("p", "peerIP: '192.0.2.1:1179', asNumber: 65001"), "a",
     "Global_192_0_2_1_port_1179 65001 external port 1179\n", 0},
    {"peerIP: IPv6 with a port",
     NODE("d", "ipv6Address: 'fd00::1/64'")
         NO_MESH PEER("p", "peerIP: '[fd00::9]:1179', asNumber: 65001"),
     "d", "Global_fd00__9_port_1179 65001 external port 1179\n", 0},
    {"peerIP: not without an address of its family",
     A NO_MESH PEER("p", "peerIP: 'fd00::9', asNumber: 65001"), "a", "", 0},
    {"peerIP: node specific", A NO_MESH PEER("p", "node: a, peerIP: 192.0.2.1, asNumber: 65001"),
     "a", "Node_192_0_2_1 65001 external\n", 0},
    {"peerIP: not at the others",
     A B NO_MESH PEER("p", "node: a, peerIP: 192.0.2.1, asNumber: 65001"), "b", "", 0},
    {"peerIP: no AS stays 0", A NO_MESH PEER("p", "peerIP: 192.0.2.1"), "a",
     "Global_192_0_2_1 0 external\n", 0},
    {"peerIP: a Calico node of the same AS has its port",
     A B NO_MESH NODE_CONFIG("b", "listenPort: 1179")
         PEER("p", "peerIP: 10.0.0.2, asNumber: 64512"),
     "a", "Global_10_0_0_2_port_1179 64512 port 1179 passive\n", 0},
    {"peerIP: of another AS not",
     A B NO_MESH NODE_CONFIG("b", "listenPort: 1179")
         PEER("p", "peerIP: 10.0.0.2, asNumber: 65001"),
     "a", "Global_10_0_0_2 65001 external passive\n", 0},
    {"peerIP: global to a Calico node, the larger text connects",
     A B NO_MESH PEER("p", "peerIP: 10.0.0.1, asNumber: 64512"), "b", "Global_10_0_0_1 64512\n", 0},
    {"peerIP: node specific is never passive",
     A B NO_MESH PEER("p", "node: a, peerIP: 10.0.0.2, asNumber: 64512"), "a",
     "Node_10_0_0_2 64512\n", 0},
    {"peerIP: reverse at the node it is",
     A B NO_MESH PEER("p", "peerIP: 10.0.0.2, asNumber: 64512"), "b",
     "Node_10_0_0_1 64512 reverse\n", 0},
    {"peerIP: reverse needs the AS", A B NO_MESH PEER("p", "peerIP: 10.0.0.2, asNumber: 65001"),
     "b", "", 0},
    {"peerIP: reverse takes no AS as the global one", A B NO_MESH PEER("p", "peerIP: 10.0.0.2"),
     "b", "Node_10_0_0_1 64512 reverse\n", 0},
    {"peerIP: reverse needs the port",
     A B NO_MESH PEER("p", "peerIP: '10.0.0.2:1179', asNumber: 64512"), "b", "", 0},
    {"peerIP: reverse by the node's own port",
     A B NO_MESH NODE_CONFIG("b", "listenPort: 1179")
         PEER("p", "peerIP: '10.0.0.2:1179', asNumber: 64512"),
     "b", "Node_10_0_0_1 64512 reverse\n", 0},
    {"peerIP: not by the node's own port beside another global one",
     A B CONFIG("nodeToNodeMeshEnabled: false, listenPort: 1180")
         NODE_CONFIG("b", "listenPort: 1179") PEER("p", "peerIP: '10.0.0.2:1179', asNumber: 64512"),
     "b", "", 0},
    {"peerIP: a reflector looks like a client",
     R1 R2 NO_MESH PEER("p", "node: r1, peerIP: 10.0.0.9, asNumber: 64512"), "r1",
     "Node_10_0_0_9 64512 client 1.0.0.1\n", 0},
    {"peerIP: its reverse knows the cluster id",
     R1 R2 NO_MESH PEER("p", "node: r1, peerIP: 10.0.0.9, asNumber: 64512"), "r2",
     "Node_10_0_0_8 64512 reverse\n", 0},
    {"peerIP: an external neighbour is no client",
     R1 NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 65001"), "r1",
     "Global_192_0_2_1 65001 external\n", 0},
    {"peerIP: client by the local AS of the session",
     R1 NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 65001, localASNumber: 65001"), "r1",
     "Global_192_0_2_1 65001 local 65001 client 1.0.0.1\n", 0},
    {"peerIP: no client where the local AS differs",
     R1 NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 64512, localASNumber: 65001"), "r1",
     "Global_192_0_2_1 64512 external local 65001\n", 0},
    {"peerIP: localASNumber, allowed own AS, hops",
     A NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 65001, localASNumber: 65009, "
                         "numAllowedLocalASNumbers: 2, ttlSecurity: 1"),
     "a", "Global_192_0_2_1 65001 external local 65009 ttl 1 allow 2\n", 0},
    {"localASNumber is one-sided",
     A B NO_MESH PEER("p", "node: a, peerIP: 10.0.0.2, asNumber: 64512, localASNumber: 65009"), "b",
     "Node_10_0_0_1 64512 reverse\n", 0},
    {"keepOriginalNextHop: where the AS differs",
     A NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 65001, keepOriginalNextHop: true"), "a",
     "Global_192_0_2_1 65001 external next-hop 3\n", 0},
    {"keepOriginalNextHop: not in one AS",
     A NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 64512, keepOriginalNextHop: true"), "a",
     "Global_192_0_2_1 64512\n", 0},
    {"nextHopMode: Keep in any AS",
     A NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 64512, nextHopMode: Keep"), "a",
     "Global_192_0_2_1 64512 next-hop 3\n", 0},
    {"nextHopMode: Auto",
     A NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 64512, nextHopMode: Auto"), "a",
     "Global_192_0_2_1 64512 next-hop 1\n", 0},

    {"peerIP: written otherwise, the same address",
     NODE("d", "ipv6Address: 'fd00::1/64'") NODE("e", "ipv6Address: 'fd00::2/64'")
         NO_MESH PEER("p", "peerIP: 'FD00:0::0002', asNumber: 64512"),
     "d", "Global_fd00__2 64512 passive\n", 0},
    {"peerIP: port 179 stands in the name",
     A NO_MESH PEER("p", "peerIP: '192.0.2.1:179', asNumber: 65001"), "a",
     "Global_192_0_2_1_port_179 65001 external port 179\n", 0},
    {"peerIP: reverse by port 179 where none is set",
     A B NO_MESH PEER("p", "peerIP: '10.0.0.2:179', asNumber: 64512"), "b",
     "Node_10_0_0_1 64512 reverse\n", 0},
    {"peerIP: reverse by the cluster's port",
     A B CONFIG("nodeToNodeMeshEnabled: false, listenPort: 1180")
         PEER("p", "peerIP: '10.0.0.2:1180', asNumber: 64512"),
     "b", "Node_10_0_0_1_port_1180 64512 port 1180 reverse\n", 0},
    {"peerIP: reverse at a node with an AS of its own",
     A NODE("e", "ipv4Address: 10.0.0.2/24, asNumber: 65001")
         NO_MESH PEER("p", "peerIP: 10.0.0.2, asNumber: 65001"),
     "e", "Node_10_0_0_1 64512 external reverse\n", 0},
    {"peerIP: reverse without asNumber means the cluster's AS, not the node's",
     A NODE("e", "ipv4Address: 10.0.0.2/24, asNumber: 65001") NO_MESH PEER("p", "peerIP: 10.0.0.2"),
     "e", "", 0},
    {"peerIP: reverse in its own family alone",
     NODE("d", "ipv4Address: 10.0.0.1/24, ipv6Address: 'fd00::1/64'")
         NODE("e", "ipv4Address: 10.0.0.2/24, ipv6Address: 'fd00::2/64'")
             NO_MESH PEER("p", "node: d, peerIP: 'fd00::2', asNumber: 64512"),
     "e", "Node_fd00__1 64512 reverse\n", 0},
    {"peerIP: reverse carries no localASNumber and no allowed own AS",
     A B NO_MESH PEER("p", "node: a, peerIP: 10.0.0.2, asNumber: 64512, nextHopMode: Keep, "
                           "numAllowedLocalASNumbers: 3, localASNumber: 65009"),
     "b", "Node_10_0_0_1 64512 next-hop 3 reverse\n", 0},
    {"peerIP: reverse Manual makes none",
     A B NO_MESH PEER("p", "peerIP: 10.0.0.2, asNumber: 64512, reversePeering: Manual"), "b", "",
     0},
    {"nodeSelector: an empty one is none",
     A NO_MESH PEER("p", "nodeSelector: '', peerIP: 192.0.2.1, asNumber: 65001"), "a",
     "Global_192_0_2_1 65001 external\n", 0},
    {"nodeSelector: only the nodes it matches",
     A R1 NO_MESH PEER("p", "nodeSelector: '!has(rr)', peerIP: 192.0.2.1, asNumber: 65001"), "r1",
     "", 0},
    {"filters: in the order of the list, one that is missing is skipped",
     A NO_MESH FILTER("f", "exportV4: [{action: Reject}]")
         FILTER("g", "importV4: [{action: Reject}]")
             RAW("peerIP: 192.0.2.1, asNumber: 65001, filters: [g, gone, f]"),
     "a", "Global_192_0_2_1 65001 external filter g filter f\n", 0},

    /* keys */
    {"keys: 0 and 179 are one",
     A NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 1") PEER("q", "peerIP: '192.0.2.1:179', "
                                                                     "asNumber: 2"),
     "a", "Global_192_0_2_1 1 external\n", 0},
    {"keys: another port is another key",
     A NO_MESH PEER("p", "peerIP: 192.0.2.1, asNumber: 1") PEER("q", "peerIP: '192.0.2.1:180', "
                                                                     "asNumber: 2"),
     "a", "Global_192_0_2_1 1 external\nGlobal_192_0_2_1_port_180 2 external port 180\n", 0},
    {"keys: a global one before a node's",
     A NO_MESH PEER("a", "node: a, peerIP: 192.0.2.1, asNumber: 1")
         PEER("b", "peerIP: 192.0.2.1, asNumber: 2"),
     "a", "Global_192_0_2_1 2 external\n", 0},
    {"keys: a global one before a reverse one",
     A B NO_MESH PEER("a", "node: a, peerIP: 10.0.0.2, asNumber: 64512, ttlSecurity: 1")
         PEER("b", "peerIP: 10.0.0.1, asNumber: 64512"),
     "b", "Global_10_0_0_1 64512\n", 0},
    {"keys: a forward one before a reverse one",
     A B NO_MESH PEER("a", "node: a, peerIP: 10.0.0.2, asNumber: 64512, ttlSecurity: 1")
         PEER("b", "node: b, peerIP: 10.0.0.1, asNumber: 64512"),
     "b", "Node_10_0_0_1 64512\n", 0},
    {"keys: a mesh session stays beside a peer's",
     A B PEER("p", "node: a, peerIP: 10.0.0.2, asNumber: 64512"), "a",
     "Mesh_10_0_0_2 64512 passive\nNode_10_0_0_2 64512\n", 0},

    /* the BGPPeer without a far side */
    {"empty: a mesh of nodes lacking a family", A B C NO_MESH PEER("p", "nodeSelector: all()"), "a",
     "Node_10_0_0_10 64512 reverse\nNode_10_0_0_2 64512 reverse\n", 0},
    {"empty: not at a node with both families",
     NODE("d", "ipv4Address: 10.0.0.1/24, ipv6Address: 'fd00::1/64'")
         B NO_MESH PEER("p", "nodeSelector: all()"),
     "d", "", 0},
    {"empty: only of the global AS",
     NODE("d", "ipv4Address: 10.0.0.1/24, asNumber: 65001")
         B NO_MESH PEER("p", "nodeSelector: all()"),
     "d", "", 0},

    /* what a raw CRD lets in and calicoctl does not */
    {"raw: a selector that does not parse matches no node",
     A NO_MESH RAW("nodeSelector: 'rack = 1', peerIP: 192.0.2.1, asNumber: 65001"), "a", "", 0},
    {"raw: a peerIP that is none has no session, nor is it an empty one",
     A B NO_MESH RAW("peerIP: tor-1, asNumber: 64512"), "a", "", 0},
    {"raw: reachableBy of the other family leaves the BGPPeer out",
     A NO_MESH RAW("peerIP: 192.0.2.1, asNumber: 65001, reachableBy: 'fd00::9'"), "a", "", 0},
    {"raw: what only the default may carry counts nowhere else",
     A B "apiVersion: crd.projectcalico.org/v1\nkind: BGPConfiguration\nmetadata: {name: "
         "node.a}\nspec: {asNumber: 65009, nodeToNodeMeshEnabled: false}\n---\n",
     "a", "Mesh_10_0_0_2 64512 passive\n", 0},

    /* pods */
    {"pods: passive, no source",
     A NO_MESH HEAD("IPPool", "p") "  {cidr: 10.244.0.0/16}\n---\n" PEER(
         "p", "nodeSelector: all(), localWorkloadSelector: all(), asNumber: 65001, "
              "localASNumber: 65002, ttlSecurity: 1, nextHopMode: Self"),
     "a", "Local_Workload_10_244_0_1 65001 external local 65002 source none passive\n", 0},
    {"pods: filters, and neither password nor timers",
     A NO_MESH SECRET FILTER("f", "exportV4: [{action: Reject}]")
         HEAD("IPPool", "p") "  {cidr: 10.244.0.0/16}\n---\n" PEER(
             "p", "node: a, localWorkloadSelector: all(), asNumber: 65001, filters: [f], "
                  "maxRestartTime: 9s, keepaliveTime: 3s, password: {secretKeyRef: {name: s, key: "
                  "k}}"),
     "a", "Local_Workload_10_244_0_1 65001 external source none passive filter f\n", 0},
    {"pods: in each family the node has",
     NODE("d", "ipv4Address: 10.0.0.1/24, ipv6Address: 'fd00::1/64'")
         NO_MESH HEAD("IPPool", "p") "  {cidr: 10.244.0.0/16}\n---\n" HEAD(
             "IPPool", "q") "  {cidr: 'fd10::/64'}\n---\n" PEER("p",
                                                                "node: d, localWorkloadSelector: "
                                                                "all(), asNumber: 65001"),
     "d",
     "Local_Workload_10_244_0_1 65001 external source none passive\n"
     "Local_Workload_fd10__1 65001 external source none passive\n",
     0},
    {"pods: by their labels",
     A NO_MESH HEAD("IPPool", "p") "  {cidr: 10.244.0.0/16}\n---\n" PEER(
         "p", "nodeSelector: all(), localWorkloadSelector: has(bgp), asNumber: 65001"),
     "a", "", 0},
    {"pods: only where the node is selected",
     A NO_MESH HEAD("IPPool", "p") "  {cidr: 10.244.0.0/16}\n---\n" PEER(
         "p", "node: b, localWorkloadSelector: all(), asNumber: 65001"),
     "a", "", 0},
    {"pods: the first BGPPeer by name",
     A NO_MESH HEAD("IPPool", "p") "  {cidr: 10.244.0.0/16}\n---\n" PEER(
         "z", "node: a, localWorkloadSelector: all(), asNumber: 1")
         PEER("y", "node: a, localWorkloadSelector: all(), asNumber: 2"),
     "a", "Local_Workload_10_244_0_1 2 external source none passive\n", 0},
};

/* What differs from the plainest session of the node, in words. */
static void describe(const struct calico_session *s, const struct calico_plan_node *n,
                     struct text *t) {
    char text[IP_ADDR_TEXT_MAX];
    text_printf(t, "%s %u%s", s->name, s->peer_as, s->internal ? "" : " external");
    if (s->local_as != n->as_number || s->local_as_override)
        text_printf(t, " local %u", s->local_as);
    if (s->port)
        text_printf(t, " port %u", s->port);
    if (!ip_is_set(s->source_address))
        text_puts(t, " source none");
    text_puts(t, s->passive ? " passive" : "");
    if (s->rr_client)
        text_printf(t, " client %s", ip_format(ip4(s->cluster_id), text));
    text_puts(t, s->password_state == CALICO_PASSWORD_MISSING ? " password-missing"
                 : s->password                                ? " password"
                                                              : "");
    if (s->ttl_security)
        text_printf(t, " ttl %u", s->ttl_security);
    if (s->next_hop)
        text_printf(t, " next-hop %d", (int)s->next_hop);
    if (s->allow_local_as)
        text_printf(t, " allow %u", s->allow_local_as);
    if (s->restart_time_set)
        text_printf(t, " restart %u", s->restart_time_s);
    if (s->keepalive_set)
        text_printf(t, " keepalive %u", s->keepalive_s);
    for (size_t i = 0; i < s->filter_count; i++)
        text_printf(t, " filter %s", s->filters[i]->name);
    text_puts(t, s->reverse ? " reverse\n" : "\n");
    assert_int_equal(s->multihop, s->ttl_security ? s->ttl_security : 64);
}

static void test_rules(void **state) {
    struct fixture *f = *state;
    size_t failed = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text t;
        text_init(&t);
        calico_set_free(f->set);
        f->set = calico_set_new();
        fixture_forget(f);
        fixture_must_apply(f, rows[i].manifests);
        fixture_plan_with(f, &(struct calico_plan_options){.version = rows[i].version});
        const struct calico_plan_node *n = calico_plan_find(f->plan, rows[i].node);
        assert_non_null(n);
        for (size_t j = 0; j < n->session_count; j++)
            describe(&n->sessions[j], n, &t);
        if (strcmp(text_str(&t), rows[i].sessions) != 0) {
            print_message("%s: expected\n%sbut got\n%s", rows[i].rule, rows[i].sessions,
                          text_str(&t));
            failed++;
        }
        text_deinit(&t);
    }
    assert_int_equal(failed, 0);
}

/* ---- files that BIRD refuses ---- */

static const struct {
    const char *manifests, *node, *family4, *family6; /* NULL: not refused */
} refusals[] = {
    {A B, "a", NULL, NULL},
    {A B PEER("p", "peerIP: 192.0.2.1"), "a", "no AS number", NULL},
    {A B PEER("p", "peerIP: 10.0.0.2"), "b", NULL, NULL}, /* itself is dropped */
    {A B PEER("p", "peerIP: 10.0.0.2"), "a", "no AS number", NULL},
    {A B NODE("twin", "ipv4Address: 10.0.0.2/24"), "a", "defined twice", NULL},
    {A B NODE("twin", "ipv4Address: 10.0.0.2/24"), "b", NULL, NULL},
    {NODE("d", "ipv6Address: 'fd00::1/64'"), "d", NULL, "no router id"},
    {A FILTER("f", "exportV4: [{action: Reject, cidr: 10.0.0.0/8, matchOperator: In, "
                   "prefixLength: {max: 7}}]"),
     "a", "no prefix length fits", NULL},
    {A FILTER("f", "importV4: [{action: Reject, cidr: 10.0.0.0/8, matchOperator: NotIn, "
                   "prefixLength: {min: 20, max: 16}}]"),
     "a", "no prefix length fits", NULL},
    {A FILTER("f", "importV4: [{action: Reject, cidr: 10.0.0.0/8, matchOperator: Equal, "
                   "prefixLength: {max: 7}}]"),
     "a", NULL, NULL},
    {A FILTER("f", "exportV6: [{action: Reject, cidr: 'fd00::/8', matchOperator: In, "
                   "prefixLength: {max: 7}}]"),
     "a", NULL, NULL}, /* no IPv6 there */
    {NODE("d", "ipv4Address: 10.0.0.1/24, ipv6Address: 'fd00::1/64'")
         FILTER("f", "exportV6: [{action: Reject, cidr: 'fd00::/8', matchOperator: In, "
                     "prefixLength: {max: 7}}]"),
     "d", NULL, "no prefix length fits"},
    {A B "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: 'a\"b'}\n---\n" CONFIG(
         "nodeMeshPassword: {secretKeyRef: {name: s, key: k}}"),
     "a", "a quote or a line break in the password", NULL},
    {A B
     "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: \"pw\\n\"}\n---\n" CONFIG(
         "nodeMeshPassword: {secretKeyRef: {name: s, key: k}}"),
     "a", "a quote or a line break in the password", NULL},
    {A
     "apiVersion: crd.projectcalico.org/v1\nkind: BGPFilter\nmetadata: {name: f}\nspec: {importV4: "
     "[{action: Reject, cidr: 10.0.0.1/8, matchOperator: In}]}\n---\n",
     "a", "10.0.0.1/8 has bits behind its length", NULL},
    {A PEER("p", "peerIP: 169.254.1.9, asNumber: 65001"), "a", NULL, NULL}, /* only in IPv6 */
    {NODE("d", "ipv4Address: 10.0.0.1/24, ipv6Address: 'fd00::1/64'")
         PEER("p", "peerIP: 'fe80::9', asNumber: 65001"),
     "d", NULL, "link-local"},
    {NODE("d", "ipv4Address: 10.0.0.1/24, ipv6Address: 'fe80::1/64'")
         NODE("e", "ipv4Address: 10.0.0.2/24, ipv6Address: 'fd00::2/64'"),
     "d", NULL, "link-local"},
};

static void check_refusal(const char *got, const char *wanted) {
    assert_int_equal(got != NULL, wanted != NULL);
    if (wanted)
        assert_non_null(strstr(got, wanted));
}

/* No session of a refused file is expected; those of other nodes are as they were. */
static void check_pairs(const struct fixture *f) {
    struct calico_pair *pairs;
    size_t count = calico_pairs(f->plan, &pairs);
    for (size_t i = 0; i < count; i++) {
        const struct calico_plan_node *a = calico_plan_find(f->plan, pairs[i].node_a);
        const struct calico_plan_node *b =
            pairs[i].node_b ? calico_plan_find(f->plan, pairs[i].node_b) : NULL;
        bool frozen = a->refused[pairs[i].family] || (b && b->refused[pairs[i].family]);
        assert_int_equal(pairs[i].expected, !frozen);
        assert_int_equal(pairs[i].why_not[0] != '\0', frozen);
    }
}

static void test_refusals(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        calico_set_free(f->set);
        f->set = calico_set_new();
        fixture_must_apply(f, refusals[i].manifests);
        fixture_plan(f);
        const struct calico_plan_node *n = calico_plan_find(f->plan, refusals[i].node);
        check_refusal(n->refused[0], refusals[i].family4);
        check_refusal(n->refused[1], refusals[i].family6);
        check_pairs(f);
    }
}

/* ---- fields of later versions ---- */

#define ROUTER(fields) PEER("p", "peerIP: 192.0.2.1, asNumber: 1, " fields)
#define RULE(fields) FILTER("f", "importV4: [{action: Accept, " fields "}]")
#define AT(minor) CALICO_VERSION(3, minor, 0)

/* Each field with the first version that knows it. */
static const struct {
    const char *field, *manifests;
    uint32_t since;
} later_fields[] = {
    {"BGPConfiguration.bindMode", CONFIG("bindMode: NodeIP"), AT(23)},
    {"BGPConfiguration.ignoredInterfaces", CONFIG("ignoredInterfaces: [lo]"), AT(25)},
    {"BGPConfiguration.ipv4NormalRoutePriority", CONFIG("ipv4NormalRoutePriority: 9"), AT(32)},
    {"BGPConfiguration.ipv6NormalRoutePriority", CONFIG("ipv6NormalRoutePriority: 9"), AT(32)},
    {"BGPConfiguration.localWorkloadPeeringIPV4", CONFIG("localWorkloadPeeringIPV4: 192.0.2.1"),
     AT(30)},
    {"BGPConfiguration.localWorkloadPeeringIPV6", CONFIG("localWorkloadPeeringIPV6: 'fd00::1'"),
     AT(30)},
    {"BGPConfiguration.nodeMeshMaxRestartTime", CONFIG("nodeMeshMaxRestartTime: 9s"), AT(23)},
    {"BGPConfiguration.nodeMeshPassword",
     CONFIG("nodeMeshPassword: {secretKeyRef: {name: s, key: k}}"), AT(23)},
    {"BGPConfiguration.programClusterRoutes", CONFIG("programClusterRoutes: Disabled"), AT(32)},
    {"BGPConfiguration.programClusterRoutes of one kind",
     CONFIG("programClusterRoutes: EnabledIPIPOnly"), AT(33)},
    {"BGPConfiguration.serviceLoadBalancerAggregation",
     CONFIG("serviceLoadBalancerAggregation: Disabled"), AT(31)},
    {"BGPFilter", FILTER("f", "importV4: [{action: Reject}]"), AT(26)},
    {"BGPFilter.rule.asPathPrefix", RULE("asPathPrefix: [1]"), AT(32)},
    {"BGPFilter.rule.communities", RULE("communities: {values: ['1:2']}"), AT(32)},
    {"BGPFilter.rule.interface", RULE("interface: eth0"), AT(27)},
    {"BGPFilter.rule.operations", RULE("operations: [{setPriority: {value: 9}}]"), AT(32)},
    {"BGPFilter.rule.peerType", RULE("peerType: eBGP"), AT(32)},
    {"BGPFilter.rule.prefixLength",
     RULE("cidr: 10.0.0.0/8, matchOperator: In, prefixLength: {max: 24}"), AT(29)},
    {"BGPFilter.rule.priority", RULE("priority: 9"), AT(32)},
    {"BGPFilter.rule.source", RULE("source: RemotePeers"), AT(27)},
    {"BGPPeer.filters", FILTER("f", "importV4: [{action: Reject}]") ROUTER("filters: [f]"), AT(26)},
    {"BGPPeer.keepaliveTime", ROUTER("keepaliveTime: 9s"), AT(32)},
    {"BGPPeer.localASNumber", ROUTER("localASNumber: 2"), AT(31)},
    {"BGPPeer.localWorkloadSelector",
     PEER("p", "nodeSelector: all(), localWorkloadSelector: all(), asNumber: 1"), AT(30)},
    {"BGPPeer.nextHopMode", ROUTER("nextHopMode: Self"), CALICO_VERSION(3, 30, 2)},
    {"BGPPeer.numAllowedLocalASNumbers", ROUTER("numAllowedLocalASNumbers: 1"), AT(23)},
    {"BGPPeer.reachableBy", ROUTER("reachableBy: 10.0.0.9"), AT(25)},
    {"BGPPeer.reversePeering", ROUTER("reversePeering: Manual"), CALICO_VERSION(3, 30, 3)},
    {"BGPPeer.ttlSecurity", ROUTER("ttlSecurity: 1"), AT(25)},
    {"IPPool.assignmentMode",
     HEAD("IPPool", "p") "  {cidr: 10.244.0.0/16, assignmentMode: Manual}\n", AT(30)},
    {"IPPool.namespaceSelector",
     HEAD("IPPool", "p") "  {cidr: 10.244.0.0/16, namespaceSelector: all()}\n", AT(31)},
};

/* The version before: the last one of the minor release before, or of the same. */
static uint32_t before(uint32_t version) {
    return version % 100 ? version - 1 : version - 100 + CALICO_VERSION_PATCH_NEWEST;
}

static bool is_refused(struct fixture *f, const char *field, uint32_t version) {
    char name[80];
    snprintf(name, sizeof name, "%s came with", field);
    fixture_forget(f);
    fixture_plan_with(f, &(struct calico_plan_options){.version = version});
    for (size_t i = 0; i < diag_count(f->diags); i++)
        if (strcmp(diag_at(f->diags, i)->id, "newer-field") == 0 &&
            strstr(diag_at(f->diags, i)->message, name))
            return true;
    return false;
}

static void test_later_fields(void **state) {
    struct fixture *f = *state;
    assert_int_equal(sizeof later_fields / sizeof later_fields[0], calico_field_count);
    for (size_t i = 0; i < calico_field_count; i++) {
        calico_set_free(f->set);
        f->set = calico_set_new();
        fixture_must_apply(f, A);
        fixture_must_apply(f, later_fields[i].manifests);
        assert_string_equal(later_fields[i].field, calico_fields[i].name);
        if (!is_refused(f, later_fields[i].field, before(later_fields[i].since)) ||
            is_refused(f, later_fields[i].field, later_fields[i].since) ||
            is_refused(f, later_fields[i].field, 0))
            fail_msg("%s is not of %u", later_fields[i].field, later_fields[i].since);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_rules),
        FIXTURE_TEST(test_refusals),
        FIXTURE_TEST(test_later_fields),
    };
    return cmocka_run_group_tests_name("plan rules", tests, NULL, NULL);
}
